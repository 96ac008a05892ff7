// Generated from schema/DescribeQuorum.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeQuorum (key 55), versions 0 to 2.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DescribeQuorum request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeQuorumRequest {
    /// Every version.
    pub topics: Vec<TopicData>,
}

impl Field for DescribeQuorumRequest {
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

impl Message for DescribeQuorumRequest {
    const KEY: ApiKey = ApiKey::DescribeQuorum;
}

impl Request for DescribeQuorumRequest {
    type Response = DescribeQuorumResponse;
}

/// Part of DescribeQuorum (key 55).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicData {
    /// Every version.
    pub topic_name: Str,
    /// Every version.
    pub partitions: Vec<PartitionData>,
}

impl Field for TopicData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_name = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_name.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        3
    }
}

/// Part of DescribeQuorum (key 55).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionData {
    /// Every version.
    pub partition_index: i32,
}

impl Field for PartitionData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        5
    }
}

/// Body of a DescribeQuorum response.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeQuorumResponse {
    /// Every version.
    pub error_code: i16,
    /// Versions 2+, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub topics: Vec<TopicDataResult>,
    /// Versions 2+.
    pub nodes: Vec<Node>,
}

impl Default for DescribeQuorumResponse {
    fn default() -> Self {
        DescribeQuorumResponse {
            error_code: Default::default(),
            error_message: Some(Default::default()),
            topics: Default::default(),
            nodes: Default::default(),
        }
    }
}

impl Field for DescribeQuorumResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        if v >= 2 {
            m.error_message = d.read(v)?;
        }
        m.topics = d.read(v)?;
        if v >= 2 {
            m.nodes = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        if v >= 2 {
            self.error_message.write(e, v)?;
        }
        self.topics.write(e, v)?;
        if v >= 2 {
            self.nodes.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 4,
            _ => 6,
        }
    }
}

impl Message for DescribeQuorumResponse {
    const KEY: ApiKey = ApiKey::DescribeQuorum;
}

/// Part of DescribeQuorum (key 55).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicDataResult {
    /// Every version.
    pub topic_name: Str,
    /// Every version.
    pub partitions: Vec<PartitionDataResult>,
}

impl Field for TopicDataResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_name = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_name.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        3
    }
}

/// Part of DescribeQuorum (key 55).
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionDataResult {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub error_code: i16,
    /// Versions 2+, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub leader_id: i32,
    /// Every version.
    pub leader_epoch: i32,
    /// Every version.
    pub high_watermark: i64,
    /// Every version.
    pub current_voters: Vec<ReplicaState>,
    /// Every version.
    pub observers: Vec<ReplicaState>,
}

impl Default for PartitionDataResult {
    fn default() -> Self {
        PartitionDataResult {
            partition_index: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
            leader_id: Default::default(),
            leader_epoch: Default::default(),
            high_watermark: Default::default(),
            current_voters: Default::default(),
            observers: Default::default(),
        }
    }
}

impl Field for PartitionDataResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.error_code = d.read(v)?;
        if v >= 2 {
            m.error_message = d.read(v)?;
        }
        m.leader_id = d.read(v)?;
        m.leader_epoch = d.read(v)?;
        m.high_watermark = d.read(v)?;
        m.current_voters = d.read(v)?;
        m.observers = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.error_code.write(e, v)?;
        if v >= 2 {
            self.error_message.write(e, v)?;
        }
        self.leader_id.write(e, v)?;
        self.leader_epoch.write(e, v)?;
        self.high_watermark.write(e, v)?;
        self.current_voters.write(e, v)?;
        self.observers.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 25,
            _ => 26,
        }
    }
}

/// Part of DescribeQuorum (key 55).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Every version.
    pub node_id: i32,
    /// Every version.
    pub listeners: Vec<Listener>,
}

impl Field for Node {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.node_id = d.read(v)?;
        m.listeners = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.node_id.write(e, v)?;
        self.listeners.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

/// Part of DescribeQuorum (key 55).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listener {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub host: Str,
    /// Every version.
    pub port: u16,
}

impl Field for Listener {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.host = d.read(v)?;
        m.port = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.host.write(e, v)?;
        self.port.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        5
    }
}

/// Part of DescribeQuorum (key 55).
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    /// Every version.
    pub replica_id: i32,
    /// Versions 2+.
    pub replica_directory_id: TopicId,
    /// Every version.
    pub log_end_offset: i64,
    /// Versions 1+, default `-1`.
    pub last_fetch_timestamp: i64,
    /// Versions 1+, default `-1`.
    pub last_caught_up_timestamp: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        ReplicaState {
            replica_id: Default::default(),
            replica_directory_id: TopicId::ZERO,
            log_end_offset: Default::default(),
            last_fetch_timestamp: -1,
            last_caught_up_timestamp: -1,
        }
    }
}

impl Field for ReplicaState {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.replica_id = d.read(v)?;
        if v >= 2 {
            m.replica_directory_id = d.read(v)?;
        }
        m.log_end_offset = d.read(v)?;
        if v >= 1 {
            m.last_fetch_timestamp = d.read(v)?;
        }
        if v >= 1 {
            m.last_caught_up_timestamp = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.replica_id.write(e, v)?;
        if v >= 2 {
            self.replica_directory_id.write(e, v)?;
        }
        self.log_end_offset.write(e, v)?;
        if v >= 1 {
            self.last_fetch_timestamp.write(e, v)?;
        }
        if v >= 1 {
            self.last_caught_up_timestamp.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 13,
            1 => 29,
            _ => 45,
        }
    }
}
