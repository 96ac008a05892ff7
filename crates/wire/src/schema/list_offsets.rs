// Generated from schema/ListOffsets.api by `cargo xtask codegen`. Not edited by hand.
//! ListOffsets (key 2), versions 1 to 11.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a ListOffsets request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsRequest {
    /// Every version.
    pub replica_id: i32,
    /// Versions 2+.
    pub isolation_level: i8,
    /// Every version.
    pub topics: Vec<ListOffsetsTopic>,
    /// Versions 10+.
    pub timeout_ms: i32,
}

impl Field for ListOffsetsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.replica_id = d.read(v)?;
        if v >= 2 {
            m.isolation_level = d.read(v)?;
        }
        m.topics = d.read(v)?;
        if v >= 10 {
            m.timeout_ms = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.replica_id.write(e, v)?;
        if v >= 2 {
            self.isolation_level.write(e, v)?;
        } else if self.isolation_level != 0 {
            return Err(EncodeError::Unsupported("ListOffsetsRequest.isolation_level"));
        }
        self.topics.write(e, v)?;
        if v >= 10 {
            self.timeout_ms.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 8,
            2..=5 => 9,
            6..=9 => 7,
            _ => 11,
        }
    }
}

impl Message for ListOffsetsRequest {
    const KEY: ApiKey = ApiKey::ListOffsets;
}

impl Request for ListOffsetsRequest {
    type Response = ListOffsetsResponse;
}

/// Part of ListOffsets (key 2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<ListOffsetsPartition>,
}

impl Field for ListOffsetsTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=5 => 6,
            _ => 3,
        }
    }
}

/// Part of ListOffsets (key 2).
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartition {
    /// Every version.
    pub partition_index: i32,
    /// Versions 4+, default `-1`.
    pub current_leader_epoch: i32,
    /// Every version.
    pub timestamp: i64,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        ListOffsetsPartition {
            partition_index: Default::default(),
            current_leader_epoch: -1,
            timestamp: Default::default(),
        }
    }
}

impl Field for ListOffsetsPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        if v >= 4 {
            m.current_leader_epoch = d.read(v)?;
        }
        m.timestamp = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        if v >= 4 {
            self.current_leader_epoch.write(e, v)?;
        }
        self.timestamp.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=3 => 12,
            4..=5 => 16,
            _ => 17,
        }
    }
}

/// Body of a ListOffsets response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsResponse {
    /// Versions 2+.
    pub throttle_time_ms: i32,
    /// Every version.
    pub topics: Vec<ListOffsetsTopicResponse>,
}

impl Field for ListOffsetsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 2 {
            m.throttle_time_ms = d.read(v)?;
        }
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 2 {
            self.throttle_time_ms.write(e, v)?;
        }
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 4,
            2..=5 => 8,
            _ => 6,
        }
    }
}

impl Message for ListOffsetsResponse {
    const KEY: ApiKey = ApiKey::ListOffsets;
}

/// Part of ListOffsets (key 2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsTopicResponse {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

impl Field for ListOffsetsTopicResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=5 => 6,
            _ => 3,
        }
    }
}

/// Part of ListOffsets (key 2).
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartitionResponse {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, default `-1`.
    pub timestamp: i64,
    /// Every version, default `-1`.
    pub offset: i64,
    /// Versions 4+, default `-1`.
    pub leader_epoch: i32,
}

impl Default for ListOffsetsPartitionResponse {
    fn default() -> Self {
        ListOffsetsPartitionResponse {
            partition_index: Default::default(),
            error_code: Default::default(),
            timestamp: -1,
            offset: -1,
            leader_epoch: -1,
        }
    }
}

impl Field for ListOffsetsPartitionResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.error_code = d.read(v)?;
        m.timestamp = d.read(v)?;
        m.offset = d.read(v)?;
        if v >= 4 {
            m.leader_epoch = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.error_code.write(e, v)?;
        self.timestamp.write(e, v)?;
        self.offset.write(e, v)?;
        if v >= 4 {
            self.leader_epoch.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=3 => 22,
            4..=5 => 26,
            _ => 27,
        }
    }
}
