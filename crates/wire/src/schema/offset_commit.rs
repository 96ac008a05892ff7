// Generated from schema/OffsetCommit.api by `cargo xtask codegen`. Not edited by hand.
//! OffsetCommit (key 8), versions 2 to 10.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a OffsetCommit request.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequest {
    /// Every version.
    pub group_id: Str,
    /// Every version, default `-1`.
    pub generation_id_or_member_epoch: i32,
    /// Every version.
    pub member_id: Str,
    /// Versions 7+, can be null.
    pub group_instance_id: Option<Str>,
    /// Versions 2-4, default `-1`.
    pub retention_time_ms: i64,
    /// Every version.
    pub topics: Vec<OffsetCommitRequestTopic>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        OffsetCommitRequest {
            group_id: Default::default(),
            generation_id_or_member_epoch: -1,
            member_id: Default::default(),
            group_instance_id: Default::default(),
            retention_time_ms: -1,
            topics: Default::default(),
        }
    }
}

impl Field for OffsetCommitRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.generation_id_or_member_epoch = d.read(v)?;
        m.member_id = d.read(v)?;
        if v >= 7 {
            m.group_instance_id = d.read(v)?;
        }
        if v <= 4 {
            m.retention_time_ms = d.read(v)?;
        }
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.generation_id_or_member_epoch.write(e, v)?;
        self.member_id.write(e, v)?;
        if v >= 7 {
            self.group_instance_id.write(e, v)?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::Unsupported("OffsetCommitRequest.group_instance_id"));
        }
        if v <= 4 {
            self.retention_time_ms.write(e, v)?;
        }
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=4 => 20,
            5..=6 => 12,
            7 => 14,
            _ => 9,
        }
    }
}

impl Message for OffsetCommitRequest {
    const KEY: ApiKey = ApiKey::OffsetCommit;
}

impl Request for OffsetCommitRequest {
    type Response = OffsetCommitResponse;
}

/// Part of OffsetCommit (key 8).
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestTopic {
    /// Versions 2-9.
    pub name: Str,
    /// Versions 10+.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

impl Default for OffsetCommitRequestTopic {
    fn default() -> Self {
        OffsetCommitRequestTopic { name: Default::default(), topic_id: TopicId::ZERO, partitions: Default::default() }
    }
}

impl Field for OffsetCommitRequestTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 9 {
            m.name = d.read(v)?;
        }
        if v >= 10 {
            m.topic_id = d.read(v)?;
        }
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 9 {
            self.name.write(e, v)?;
        }
        if v >= 10 {
            self.topic_id.write(e, v)?;
        }
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=7 => 6,
            8..=9 => 3,
            _ => 18,
        }
    }
}

/// Part of OffsetCommit (key 8).
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestPartition {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub committed_offset: i64,
    /// Versions 6+, default `-1`.
    pub committed_leader_epoch: i32,
    /// Every version, can be null, default `""`.
    pub committed_metadata: Option<Str>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        OffsetCommitRequestPartition {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            committed_metadata: Some(Default::default()),
        }
    }
}

impl Field for OffsetCommitRequestPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.committed_offset = d.read(v)?;
        if v >= 6 {
            m.committed_leader_epoch = d.read(v)?;
        }
        m.committed_metadata = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.committed_offset.write(e, v)?;
        if v >= 6 {
            self.committed_leader_epoch.write(e, v)?;
        }
        self.committed_metadata.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=5 => 14,
            _ => 18,
        }
    }
}

/// Body of a OffsetCommit response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitResponse {
    /// Versions 3+.
    pub throttle_time_ms: i32,
    /// Every version.
    pub topics: Vec<OffsetCommitResponseTopic>,
}

impl Field for OffsetCommitResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 3 {
            m.throttle_time_ms = d.read(v)?;
        }
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 3 {
            self.throttle_time_ms.write(e, v)?;
        }
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2 => 4,
            3..=7 => 8,
            _ => 6,
        }
    }
}

impl Message for OffsetCommitResponse {
    const KEY: ApiKey = ApiKey::OffsetCommit;
}

/// Part of OffsetCommit (key 8).
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitResponseTopic {
    /// Versions 2-9.
    pub name: Str,
    /// Versions 10+.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

impl Default for OffsetCommitResponseTopic {
    fn default() -> Self {
        OffsetCommitResponseTopic { name: Default::default(), topic_id: TopicId::ZERO, partitions: Default::default() }
    }
}

impl Field for OffsetCommitResponseTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 9 {
            m.name = d.read(v)?;
        }
        if v >= 10 {
            m.topic_id = d.read(v)?;
        }
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 9 {
            self.name.write(e, v)?;
        }
        if v >= 10 {
            self.topic_id.write(e, v)?;
        }
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=7 => 6,
            8..=9 => 3,
            _ => 18,
        }
    }
}

/// Part of OffsetCommit (key 8).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitResponsePartition {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub error_code: i16,
}

impl Field for OffsetCommitResponsePartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.error_code = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.error_code.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=7 => 6,
            _ => 7,
        }
    }
}
