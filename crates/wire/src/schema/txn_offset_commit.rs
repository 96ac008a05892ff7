// Generated from schema/TxnOffsetCommit.api by `cargo xtask codegen`. Not edited by hand.
//! TxnOffsetCommit (key 28), versions 0 to 6.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a TxnOffsetCommit request.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequest {
    /// Every version.
    pub transactional_id: Str,
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub producer_id: i64,
    /// Every version.
    pub producer_epoch: i16,
    /// Versions 3+, default `-1`.
    pub generation_id_or_member_epoch: i32,
    /// Versions 3+.
    pub member_id: Str,
    /// Versions 3+, can be null.
    pub group_instance_id: Option<Str>,
    /// Every version.
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        TxnOffsetCommitRequest {
            transactional_id: Default::default(),
            group_id: Default::default(),
            producer_id: Default::default(),
            producer_epoch: Default::default(),
            generation_id_or_member_epoch: -1,
            member_id: Default::default(),
            group_instance_id: Default::default(),
            topics: Default::default(),
        }
    }
}

impl Field for TxnOffsetCommitRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.transactional_id = d.read(v)?;
        m.group_id = d.read(v)?;
        m.producer_id = d.read(v)?;
        m.producer_epoch = d.read(v)?;
        if v >= 3 {
            m.generation_id_or_member_epoch = d.read(v)?;
        }
        if v >= 3 {
            m.member_id = d.read(v)?;
        }
        if v >= 3 {
            m.group_instance_id = d.read(v)?;
        }
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.transactional_id.write(e, v)?;
        self.group_id.write(e, v)?;
        self.producer_id.write(e, v)?;
        self.producer_epoch.write(e, v)?;
        if v >= 3 {
            self.generation_id_or_member_epoch.write(e, v)?;
        } else if self.generation_id_or_member_epoch != -1 {
            return Err(EncodeError::Unsupported("TxnOffsetCommitRequest.generation_id_or_member_epoch"));
        }
        if v >= 3 {
            self.member_id.write(e, v)?;
        } else if !self.member_id.is_empty() {
            return Err(EncodeError::Unsupported("TxnOffsetCommitRequest.member_id"));
        }
        if v >= 3 {
            self.group_instance_id.write(e, v)?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::Unsupported("TxnOffsetCommitRequest.group_instance_id"));
        }
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 18,
            _ => 20,
        }
    }
}

impl Message for TxnOffsetCommitRequest {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
}

impl Request for TxnOffsetCommitRequest {
    type Response = TxnOffsetCommitResponse;
}

/// Part of TxnOffsetCommit (key 28).
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestTopic {
    /// Versions 0-5.
    pub name: Str,
    /// Versions 6+.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
}

impl Default for TxnOffsetCommitRequestTopic {
    fn default() -> Self {
        TxnOffsetCommitRequestTopic {
            name: Default::default(),
            topic_id: TopicId::ZERO,
            partitions: Default::default(),
        }
    }
}

impl Field for TxnOffsetCommitRequestTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 5 {
            m.name = d.read(v)?;
        }
        if v >= 6 {
            m.topic_id = d.read(v)?;
        }
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 5 {
            self.name.write(e, v)?;
        }
        if v >= 6 {
            self.topic_id.write(e, v)?;
        }
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 6,
            3..=5 => 3,
            _ => 18,
        }
    }
}

/// Part of TxnOffsetCommit (key 28).
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestPartition {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub committed_offset: i64,
    /// Versions 2+, default `-1`.
    pub committed_leader_epoch: i32,
    /// Every version, can be null, default `""`.
    pub committed_metadata: Option<Str>,
}

impl Default for TxnOffsetCommitRequestPartition {
    fn default() -> Self {
        TxnOffsetCommitRequestPartition {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            committed_metadata: Some(Default::default()),
        }
    }
}

impl Field for TxnOffsetCommitRequestPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.committed_offset = d.read(v)?;
        if v >= 2 {
            m.committed_leader_epoch = d.read(v)?;
        }
        m.committed_metadata = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.committed_offset.write(e, v)?;
        if v >= 2 {
            self.committed_leader_epoch.write(e, v)?;
        }
        self.committed_metadata.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 14,
            _ => 18,
        }
    }
}

/// Body of a TxnOffsetCommit response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
}

impl Field for TxnOffsetCommitResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 8,
            _ => 6,
        }
    }
}

impl Message for TxnOffsetCommitResponse {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
}

/// Part of TxnOffsetCommit (key 28).
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitResponseTopic {
    /// Versions 0-5.
    pub name: Str,
    /// Versions 6+.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
}

impl Default for TxnOffsetCommitResponseTopic {
    fn default() -> Self {
        TxnOffsetCommitResponseTopic {
            name: Default::default(),
            topic_id: TopicId::ZERO,
            partitions: Default::default(),
        }
    }
}

impl Field for TxnOffsetCommitResponseTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 5 {
            m.name = d.read(v)?;
        }
        if v >= 6 {
            m.topic_id = d.read(v)?;
        }
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 5 {
            self.name.write(e, v)?;
        }
        if v >= 6 {
            self.topic_id.write(e, v)?;
        }
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 6,
            3..=5 => 3,
            _ => 18,
        }
    }
}

/// Part of TxnOffsetCommit (key 28).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponsePartition {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub error_code: i16,
}

impl Field for TxnOffsetCommitResponsePartition {
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
            0..=2 => 6,
            _ => 7,
        }
    }
}
