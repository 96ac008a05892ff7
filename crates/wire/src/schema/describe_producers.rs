// Generated from schema/DescribeProducers.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeProducers (key 61), versions 0 to 0.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DescribeProducers request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeProducersRequest {
    /// Every version.
    pub topics: Vec<TopicRequest>,
}

impl Field for DescribeProducersRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        2
    }
}

impl Message for DescribeProducersRequest {
    const KEY: ApiKey = ApiKey::DescribeProducers;
}

impl Request for DescribeProducersRequest {
    type Response = DescribeProducersResponse;
}

/// Part of DescribeProducers (key 61).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicRequest {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partition_indexes: Vec<i32>,
}

impl Field for TopicRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.partition_indexes = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.partition_indexes.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        3
    }
}

/// Body of a DescribeProducers response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeProducersResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub topics: Vec<TopicResponse>,
}

impl Field for DescribeProducersResponse {
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

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

impl Message for DescribeProducersResponse {
    const KEY: ApiKey = ApiKey::DescribeProducers;
}

/// Part of DescribeProducers (key 61).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicResponse {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<PartitionResponse>,
}

impl Field for TopicResponse {
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

    fn least(_: i16, _: bool) -> usize {
        3
    }
}

/// Part of DescribeProducers (key 61).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionResponse {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null.
    pub error_message: Option<Str>,
    /// Every version.
    pub active_producers: Vec<ProducerState>,
}

impl Field for PartitionResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.active_producers = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.active_producers.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        9
    }
}

/// Part of DescribeProducers (key 61).
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerState {
    /// Every version.
    pub producer_id: i64,
    /// Every version.
    pub producer_epoch: i32,
    /// Every version, default `-1`.
    pub last_sequence: i32,
    /// Every version, default `-1`.
    pub last_timestamp: i64,
    /// Every version.
    pub coordinator_epoch: i32,
    /// Every version, default `-1`.
    pub current_txn_start_offset: i64,
}

impl Default for ProducerState {
    fn default() -> Self {
        ProducerState {
            producer_id: Default::default(),
            producer_epoch: Default::default(),
            last_sequence: -1,
            last_timestamp: -1,
            coordinator_epoch: Default::default(),
            current_txn_start_offset: -1,
        }
    }
}

impl Field for ProducerState {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.producer_id = d.read(v)?;
        m.producer_epoch = d.read(v)?;
        m.last_sequence = d.read(v)?;
        m.last_timestamp = d.read(v)?;
        m.coordinator_epoch = d.read(v)?;
        m.current_txn_start_offset = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.producer_id.write(e, v)?;
        self.producer_epoch.write(e, v)?;
        self.last_sequence.write(e, v)?;
        self.last_timestamp.write(e, v)?;
        self.coordinator_epoch.write(e, v)?;
        self.current_txn_start_offset.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        37
    }
}
