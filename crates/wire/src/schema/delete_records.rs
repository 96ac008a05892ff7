// Generated from schema/DeleteRecords.api by `cargo xtask codegen`. Not edited by hand.
//! DeleteRecords (key 21), versions 0 to 2.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DeleteRecords request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteRecordsRequest {
    /// Every version.
    pub topics: Vec<DeleteRecordsTopic>,
    /// Every version.
    pub timeout_ms: i32,
}

impl Field for DeleteRecordsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topics = d.read(v)?;
        m.timeout_ms = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topics.write(e, v)?;
        self.timeout_ms.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 8,
            _ => 6,
        }
    }
}

impl Message for DeleteRecordsRequest {
    const KEY: ApiKey = ApiKey::DeleteRecords;
}

impl Request for DeleteRecordsRequest {
    type Response = DeleteRecordsResponse;
}

/// Part of DeleteRecords (key 21).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteRecordsTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<DeleteRecordsPartition>,
}

impl Field for DeleteRecordsTopic {
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
            0..=1 => 6,
            _ => 3,
        }
    }
}

/// Part of DeleteRecords (key 21).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteRecordsPartition {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub offset: i64,
}

impl Field for DeleteRecordsPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.offset = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.offset.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 12,
            _ => 13,
        }
    }
}

/// Body of a DeleteRecords response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteRecordsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub topics: Vec<DeleteRecordsTopicResult>,
}

impl Field for DeleteRecordsResponse {
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
            0..=1 => 8,
            _ => 6,
        }
    }
}

impl Message for DeleteRecordsResponse {
    const KEY: ApiKey = ApiKey::DeleteRecords;
}

/// Part of DeleteRecords (key 21).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteRecordsTopicResult {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<DeleteRecordsPartitionResult>,
}

impl Field for DeleteRecordsTopicResult {
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
            0..=1 => 6,
            _ => 3,
        }
    }
}

/// Part of DeleteRecords (key 21).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteRecordsPartitionResult {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub low_watermark: i64,
    /// Every version.
    pub error_code: i16,
}

impl Field for DeleteRecordsPartitionResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.low_watermark = d.read(v)?;
        m.error_code = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.low_watermark.write(e, v)?;
        self.error_code.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 14,
            _ => 15,
        }
    }
}
