// Generated from schema/ConsumerGroupHeartbeat.api by `cargo xtask codegen`. Not edited by hand.
//! ConsumerGroupHeartbeat (key 68), versions 0 to 1.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::{Field, Nullable};
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a ConsumerGroupHeartbeat request.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupHeartbeatRequest {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub member_id: Str,
    /// Every version.
    pub member_epoch: i32,
    /// Every version, can be null.
    pub instance_id: Option<Str>,
    /// Every version, can be null.
    pub rack_id: Option<Str>,
    /// Every version, default `-1`.
    pub rebalance_timeout_ms: i32,
    /// Every version, can be null.
    pub subscribed_topic_names: Option<Vec<Str>>,
    /// Versions 1+, can be null.
    pub subscribed_topic_regex: Option<Str>,
    /// Every version, can be null.
    pub server_assignor: Option<Str>,
    /// Every version, can be null.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
}

impl Default for ConsumerGroupHeartbeatRequest {
    fn default() -> Self {
        ConsumerGroupHeartbeatRequest {
            group_id: Default::default(),
            member_id: Default::default(),
            member_epoch: Default::default(),
            instance_id: Default::default(),
            rack_id: Default::default(),
            rebalance_timeout_ms: -1,
            subscribed_topic_names: Default::default(),
            subscribed_topic_regex: Default::default(),
            server_assignor: Default::default(),
            topic_partitions: Default::default(),
        }
    }
}

impl Field for ConsumerGroupHeartbeatRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.member_id = d.read(v)?;
        m.member_epoch = d.read(v)?;
        m.instance_id = d.read(v)?;
        m.rack_id = d.read(v)?;
        m.rebalance_timeout_ms = d.read(v)?;
        m.subscribed_topic_names = d.read(v)?;
        if v >= 1 {
            m.subscribed_topic_regex = d.read(v)?;
        }
        m.server_assignor = d.read(v)?;
        m.topic_partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.member_id.write(e, v)?;
        self.member_epoch.write(e, v)?;
        self.instance_id.write(e, v)?;
        self.rack_id.write(e, v)?;
        self.rebalance_timeout_ms.write(e, v)?;
        self.subscribed_topic_names.write(e, v)?;
        if v >= 1 {
            self.subscribed_topic_regex.write(e, v)?;
        } else if self.subscribed_topic_regex.is_some() {
            return Err(EncodeError::Unsupported("ConsumerGroupHeartbeatRequest.subscribed_topic_regex"));
        }
        self.server_assignor.write(e, v)?;
        self.topic_partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 16,
            _ => 17,
        }
    }
}

impl Message for ConsumerGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupHeartbeat;
}

impl Request for ConsumerGroupHeartbeatRequest {
    type Response = ConsumerGroupHeartbeatResponse;
}

/// Part of ConsumerGroupHeartbeat (key 68).
#[derive(Clone, Debug, PartialEq)]
pub struct TopicPartitions {
    /// Every version.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        TopicPartitions { topic_id: TopicId::ZERO, partitions: Default::default() }
    }
}

impl Field for TopicPartitions {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_id = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_id.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        18
    }
}

/// Body of a ConsumerGroupHeartbeat response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupHeartbeatResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null.
    pub error_message: Option<Str>,
    /// Every version, can be null.
    pub member_id: Option<Str>,
    /// Every version.
    pub member_epoch: i32,
    /// Every version.
    pub heartbeat_interval_ms: i32,
    /// Every version, can be null.
    pub assignment: Option<Assignment>,
}

impl Field for ConsumerGroupHeartbeatResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.member_id = d.read(v)?;
        m.member_epoch = d.read(v)?;
        m.heartbeat_interval_ms = d.read(v)?;
        m.assignment = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.member_id.write(e, v)?;
        self.member_epoch.write(e, v)?;
        self.heartbeat_interval_ms.write(e, v)?;
        self.assignment.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        18
    }
}

impl Message for ConsumerGroupHeartbeatResponse {
    const KEY: ApiKey = ApiKey::ConsumerGroupHeartbeat;
}

/// Part of ConsumerGroupHeartbeat (key 68).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    /// Every version.
    pub topic_partitions: Vec<AssignedTopicPartitions>,
}

impl Field for Assignment {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        2
    }
}

impl Nullable for Assignment {
    fn read_nullable(d: &mut Decoder<'_>, v: i16) -> Result<Option<Self>, DecodeError> {
        if d.present(255)? { d.read(v).map(Some) } else { Ok(None) }
    }
    fn write_some(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        e.put(&[1]);
        self.write(e, v)
    }
    fn write_null(e: &mut Encoder) {
        e.put(&[255]);
    }
    fn least_nullable(_: bool) -> usize {
        1
    }
}

/// Part of ConsumerGroupHeartbeat (key 68).
#[derive(Clone, Debug, PartialEq)]
pub struct AssignedTopicPartitions {
    /// Every version.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Default for AssignedTopicPartitions {
    fn default() -> Self {
        AssignedTopicPartitions { topic_id: TopicId::ZERO, partitions: Default::default() }
    }
}

impl Field for AssignedTopicPartitions {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_id = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_id.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        18
    }
}
