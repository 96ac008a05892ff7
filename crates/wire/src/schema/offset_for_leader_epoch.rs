// Generated from schema/OffsetForLeaderEpoch.api by `cargo xtask codegen`. Not edited by hand.
//! OffsetForLeaderEpoch (key 23), versions 2 to 4.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a OffsetForLeaderEpoch request.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderEpochRequest {
    /// Versions 3+, default `-2`.
    pub replica_id: i32,
    /// Every version.
    pub topics: Vec<OffsetForLeaderTopic>,
}

impl Default for OffsetForLeaderEpochRequest {
    fn default() -> Self {
        OffsetForLeaderEpochRequest { replica_id: -2, topics: Default::default() }
    }
}

impl Field for OffsetForLeaderEpochRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 3 {
            m.replica_id = d.read(v)?;
        }
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 3 {
            self.replica_id.write(e, v)?;
        }
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2 => 4,
            3 => 8,
            _ => 6,
        }
    }
}

impl Message for OffsetForLeaderEpochRequest {
    const KEY: ApiKey = ApiKey::OffsetForLeaderEpoch;
}

impl Request for OffsetForLeaderEpochRequest {
    type Response = OffsetForLeaderEpochResponse;
}

/// Part of OffsetForLeaderEpoch (key 23).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetForLeaderTopic {
    /// Every version.
    pub topic: Str,
    /// Every version.
    pub partitions: Vec<OffsetForLeaderPartition>,
}

impl Field for OffsetForLeaderTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=3 => 6,
            _ => 3,
        }
    }
}

/// Part of OffsetForLeaderEpoch (key 23).
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderPartition {
    /// Every version.
    pub partition: i32,
    /// Every version, default `-1`.
    pub current_leader_epoch: i32,
    /// Every version.
    pub leader_epoch: i32,
}

impl Default for OffsetForLeaderPartition {
    fn default() -> Self {
        OffsetForLeaderPartition {
            partition: Default::default(),
            current_leader_epoch: -1,
            leader_epoch: Default::default(),
        }
    }
}

impl Field for OffsetForLeaderPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition = d.read(v)?;
        m.current_leader_epoch = d.read(v)?;
        m.leader_epoch = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition.write(e, v)?;
        self.current_leader_epoch.write(e, v)?;
        self.leader_epoch.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=3 => 12,
            _ => 13,
        }
    }
}

/// Body of a OffsetForLeaderEpoch response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetForLeaderEpochResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub topics: Vec<OffsetForLeaderTopicResult>,
}

impl Field for OffsetForLeaderEpochResponse {
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
            2..=3 => 8,
            _ => 6,
        }
    }
}

impl Message for OffsetForLeaderEpochResponse {
    const KEY: ApiKey = ApiKey::OffsetForLeaderEpoch;
}

/// Part of OffsetForLeaderEpoch (key 23).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetForLeaderTopicResult {
    /// Every version.
    pub topic: Str,
    /// Every version.
    pub partitions: Vec<EpochEndOffset>,
}

impl Field for OffsetForLeaderTopicResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=3 => 6,
            _ => 3,
        }
    }
}

/// Part of OffsetForLeaderEpoch (key 23).
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub partition: i32,
    /// Every version, default `-1`.
    pub leader_epoch: i32,
    /// Every version, default `-1`.
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        EpochEndOffset {
            error_code: Default::default(),
            partition: Default::default(),
            leader_epoch: -1,
            end_offset: -1,
        }
    }
}

impl Field for EpochEndOffset {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.partition = d.read(v)?;
        m.leader_epoch = d.read(v)?;
        m.end_offset = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.partition.write(e, v)?;
        self.leader_epoch.write(e, v)?;
        self.end_offset.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=3 => 18,
            _ => 19,
        }
    }
}
