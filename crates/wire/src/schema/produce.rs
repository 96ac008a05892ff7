// Generated from schema/Produce.api by `cargo xtask codegen`. Not edited by hand.
//! Produce (key 0), versions 3 to 13.

use bytes::Bytes;
use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a Produce request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProduceRequest {
    /// Every version, can be null.
    pub transactional_id: Option<Str>,
    /// Every version.
    pub acks: i16,
    /// Every version.
    pub timeout_ms: i32,
    /// Every version.
    pub topic_data: Vec<TopicProduceData>,
}

impl Field for ProduceRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.transactional_id = d.read(v)?;
        m.acks = d.read(v)?;
        m.timeout_ms = d.read(v)?;
        m.topic_data = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.transactional_id.write(e, v)?;
        self.acks.write(e, v)?;
        self.timeout_ms.write(e, v)?;
        self.topic_data.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            3..=8 => 12,
            _ => 9,
        }
    }
}

impl Message for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;
}

impl Request for ProduceRequest {
    type Response = ProduceResponse;
}

/// Part of Produce (key 0).
#[derive(Clone, Debug, PartialEq)]
pub struct TopicProduceData {
    /// Versions 3-12.
    pub name: Str,
    /// Versions 13+.
    pub topic_id: TopicId,
    /// Every version.
    pub partition_data: Vec<PartitionProduceData>,
}

impl Default for TopicProduceData {
    fn default() -> Self {
        TopicProduceData { name: Default::default(), topic_id: TopicId::ZERO, partition_data: Default::default() }
    }
}

impl Field for TopicProduceData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 12 {
            m.name = d.read(v)?;
        }
        if v >= 13 {
            m.topic_id = d.read(v)?;
        }
        m.partition_data = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 12 {
            self.name.write(e, v)?;
        }
        if v >= 13 {
            self.topic_id.write(e, v)?;
        }
        self.partition_data.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            3..=8 => 6,
            9..=12 => 3,
            _ => 18,
        }
    }
}

/// Part of Produce (key 0).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionProduceData {
    /// Every version.
    pub index: i32,
    /// Every version, can be null.
    pub records: Option<Bytes>,
}

impl Field for PartitionProduceData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.index = d.read(v)?;
        m.records = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.index.write(e, v)?;
        self.records.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            3..=8 => 8,
            _ => 6,
        }
    }
}

/// Body of a Produce response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProduceResponse {
    /// Every version.
    pub responses: Vec<TopicProduceResponse>,
    /// Every version.
    pub throttle_time_ms: i32,
    /// Versions 10+, tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Field for ProduceResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.responses = d.read(v)?;
        m.throttle_time_ms = d.read(v)?;
        d.tags(|d, tag| {
            match tag {
                0 if v >= 10 => m.node_endpoints = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.responses.write(e, v)?;
        self.throttle_time_ms.write(e, v)?;
        if v >= 9 {
            let present = [v >= 10 && !self.node_endpoints.is_empty()];
            e.tags(&present);
            if present[0] {
                e.tag(0, &self.node_endpoints, v)?;
            }
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            3..=8 => 8,
            _ => 6,
        }
    }
}

impl Message for ProduceResponse {
    const KEY: ApiKey = ApiKey::Produce;
}

/// Part of Produce (key 0).
#[derive(Clone, Debug, PartialEq)]
pub struct TopicProduceResponse {
    /// Versions 3-12.
    pub name: Str,
    /// Versions 13+.
    pub topic_id: TopicId,
    /// Every version.
    pub partition_responses: Vec<PartitionProduceResponse>,
}

impl Default for TopicProduceResponse {
    fn default() -> Self {
        TopicProduceResponse {
            name: Default::default(),
            topic_id: TopicId::ZERO,
            partition_responses: Default::default(),
        }
    }
}

impl Field for TopicProduceResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 12 {
            m.name = d.read(v)?;
        }
        if v >= 13 {
            m.topic_id = d.read(v)?;
        }
        m.partition_responses = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 12 {
            self.name.write(e, v)?;
        }
        if v >= 13 {
            self.topic_id.write(e, v)?;
        }
        self.partition_responses.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            3..=8 => 6,
            9..=12 => 3,
            _ => 18,
        }
    }
}

/// Part of Produce (key 0).
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceResponse {
    /// Every version.
    pub index: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub base_offset: i64,
    /// Every version, default `-1`.
    pub log_append_time_ms: i64,
    /// Versions 5+, default `-1`.
    pub log_start_offset: i64,
    /// Versions 8+.
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// Versions 8+, can be null.
    pub error_message: Option<Str>,
    /// Versions 10+, tag 0.
    pub current_leader: LeaderIdAndEpoch,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        PartitionProduceResponse {
            index: Default::default(),
            error_code: Default::default(),
            base_offset: Default::default(),
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Default::default(),
            error_message: Default::default(),
            current_leader: Default::default(),
        }
    }
}

impl Field for PartitionProduceResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.index = d.read(v)?;
        m.error_code = d.read(v)?;
        m.base_offset = d.read(v)?;
        m.log_append_time_ms = d.read(v)?;
        if v >= 5 {
            m.log_start_offset = d.read(v)?;
        }
        if v >= 8 {
            m.record_errors = d.read(v)?;
        }
        if v >= 8 {
            m.error_message = d.read(v)?;
        }
        d.tags(|d, tag| {
            match tag {
                0 if v >= 10 => m.current_leader = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.index.write(e, v)?;
        self.error_code.write(e, v)?;
        self.base_offset.write(e, v)?;
        self.log_append_time_ms.write(e, v)?;
        if v >= 5 {
            self.log_start_offset.write(e, v)?;
        }
        if v >= 8 {
            self.record_errors.write(e, v)?;
        }
        if v >= 8 {
            self.error_message.write(e, v)?;
        }
        if v >= 9 {
            let present = [v >= 10 && self.current_leader != LeaderIdAndEpoch::default()];
            e.tags(&present);
            if present[0] {
                e.tag(0, &self.current_leader, v)?;
            }
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            3..=4 => 22,
            5..=7 => 30,
            8 => 36,
            _ => 33,
        }
    }
}

/// Part of Produce (key 0).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchIndexAndErrorMessage {
    /// Every version.
    pub batch_index: i32,
    /// Every version, can be null.
    pub batch_index_error_message: Option<Str>,
}

impl Field for BatchIndexAndErrorMessage {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.batch_index = d.read(v)?;
        m.batch_index_error_message = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.batch_index.write(e, v)?;
        self.batch_index_error_message.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

/// Part of Produce (key 0).
#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// Every version, default `-1`.
    pub leader_id: i32,
    /// Every version, default `-1`.
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        LeaderIdAndEpoch { leader_id: -1, leader_epoch: -1 }
    }
}

impl Field for LeaderIdAndEpoch {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.leader_id = d.read(v)?;
        m.leader_epoch = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.leader_id.write(e, v)?;
        self.leader_epoch.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        9
    }
}

/// Part of Produce (key 0).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeEndpoint {
    /// Every version.
    pub node_id: i32,
    /// Every version.
    pub host: Str,
    /// Every version.
    pub port: i32,
    /// Every version, can be null.
    pub rack: Option<Str>,
}

impl Field for NodeEndpoint {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.node_id = d.read(v)?;
        m.host = d.read(v)?;
        m.port = d.read(v)?;
        m.rack = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.node_id.write(e, v)?;
        self.host.write(e, v)?;
        self.port.write(e, v)?;
        self.rack.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        11
    }
}
