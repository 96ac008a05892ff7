// Generated from schema/OffsetDelete.api by `cargo xtask codegen`. Not edited by hand.
//! OffsetDelete (key 47), versions 0 to 0.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a OffsetDelete request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteRequest {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl Field for OffsetDeleteRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.topics = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.topics.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

impl Message for OffsetDeleteRequest {
    const KEY: ApiKey = ApiKey::OffsetDelete;
}

impl Request for OffsetDeleteRequest {
    type Response = OffsetDeleteResponse;
}

/// Part of OffsetDelete (key 47).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteRequestTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

impl Field for OffsetDeleteRequestTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.partitions = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.partitions.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

/// Part of OffsetDelete (key 47).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteRequestPartition {
    /// Every version.
    pub partition_index: i32,
}

impl Field for OffsetDeleteRequestPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        4
    }
}

/// Body of a OffsetDelete response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteResponse {
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

impl Field for OffsetDeleteResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.throttle_time_ms = d.read(v)?;
        m.topics = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.throttle_time_ms.write(e, v)?;
        self.topics.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        10
    }
}

impl Message for OffsetDeleteResponse {
    const KEY: ApiKey = ApiKey::OffsetDelete;
}

/// Part of OffsetDelete (key 47).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteResponseTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

impl Field for OffsetDeleteResponseTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.partitions = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.partitions.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

/// Part of OffsetDelete (key 47).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteResponsePartition {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub error_code: i16,
}

impl Field for OffsetDeleteResponsePartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.error_code = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.error_code.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}
