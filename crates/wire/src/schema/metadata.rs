// Generated from schema/Metadata.api by `cargo xtask codegen`. Not edited by hand.
//! Metadata (key 3), versions 0 to 13.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a Metadata request.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequest {
    /// Every version, null in 1+, default `[]`.
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Versions 4+, default `true`.
    pub allow_auto_topic_creation: bool,
    /// Versions 8-10.
    pub include_cluster_authorized_operations: bool,
    /// Versions 8+.
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        MetadataRequest {
            topics: Some(Default::default()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: Default::default(),
            include_topic_authorized_operations: Default::default(),
        }
    }
}

impl Field for MetadataRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topics = d.read_null(v >= 1, v)?;
        if v >= 4 {
            m.allow_auto_topic_creation = d.read(v)?;
        }
        if (8..=10).contains(&v) {
            m.include_cluster_authorized_operations = d.read(v)?;
        }
        if v >= 8 {
            m.include_topic_authorized_operations = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        e.null_if(v >= 1, &self.topics, v, "MetadataRequest.topics")?;
        if v >= 4 {
            self.allow_auto_topic_creation.write(e, v)?;
        } else if !self.allow_auto_topic_creation {
            return Err(EncodeError::Unsupported("MetadataRequest.allow_auto_topic_creation"));
        }
        if (8..=10).contains(&v) {
            self.include_cluster_authorized_operations.write(e, v)?;
        } else if self.include_cluster_authorized_operations {
            return Err(EncodeError::Unsupported("MetadataRequest.include_cluster_authorized_operations"));
        }
        if v >= 8 {
            self.include_topic_authorized_operations.write(e, v)?;
        } else if self.include_topic_authorized_operations {
            return Err(EncodeError::Unsupported("MetadataRequest.include_topic_authorized_operations"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=3 => 4,
            4..=7 => 5,
            8 => 7,
            9..=10 => 5,
            _ => 4,
        }
    }
}

impl Message for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
}

impl Request for MetadataRequest {
    type Response = MetadataResponse;
}

/// Part of Metadata (key 3).
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequestTopic {
    /// Versions 10+.
    pub topic_id: TopicId,
    /// Every version, null in 10+, default `""`.
    pub name: Option<Str>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        MetadataRequestTopic { topic_id: TopicId::ZERO, name: Some(Default::default()) }
    }
}

impl Field for MetadataRequestTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 10 {
            m.topic_id = d.read(v)?;
        }
        m.name = d.read_null(v >= 10, v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 10 {
            self.topic_id.write(e, v)?;
        }
        e.null_if(v >= 10, &self.name, v, "MetadataRequestTopic.name")?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=9 => 2,
            _ => 18,
        }
    }
}

/// Body of a Metadata response.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponse {
    /// Versions 3+.
    pub throttle_time_ms: i32,
    /// Every version.
    pub brokers: Vec<MetadataResponseBroker>,
    /// Versions 2+, can be null.
    pub cluster_id: Option<Str>,
    /// Versions 1+, default `-1`.
    pub controller_id: i32,
    /// Every version.
    pub topics: Vec<MetadataResponseTopic>,
    /// Versions 8-10, default `-2147483648`.
    pub cluster_authorized_operations: i32,
    /// Versions 13+.
    pub error_code: i16,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        MetadataResponse {
            throttle_time_ms: Default::default(),
            brokers: Default::default(),
            cluster_id: Default::default(),
            controller_id: -1,
            topics: Default::default(),
            cluster_authorized_operations: -2147483648,
            error_code: Default::default(),
        }
    }
}

impl Field for MetadataResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 3 {
            m.throttle_time_ms = d.read(v)?;
        }
        m.brokers = d.read(v)?;
        if v >= 2 {
            m.cluster_id = d.read(v)?;
        }
        if v >= 1 {
            m.controller_id = d.read(v)?;
        }
        m.topics = d.read(v)?;
        if (8..=10).contains(&v) {
            m.cluster_authorized_operations = d.read(v)?;
        }
        if v >= 13 {
            m.error_code = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 3 {
            self.throttle_time_ms.write(e, v)?;
        }
        self.brokers.write(e, v)?;
        if v >= 2 {
            self.cluster_id.write(e, v)?;
        }
        if v >= 1 {
            self.controller_id.write(e, v)?;
        }
        self.topics.write(e, v)?;
        if (8..=10).contains(&v) {
            self.cluster_authorized_operations.write(e, v)?;
        }
        if v >= 13 {
            self.error_code.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            1 => 12,
            2 => 14,
            3..=7 => 18,
            8 => 22,
            9..=10 => 16,
            11..=12 => 12,
            _ => 14,
        }
    }
}

impl Message for MetadataResponse {
    const KEY: ApiKey = ApiKey::Metadata;
}

/// Part of Metadata (key 3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetadataResponseBroker {
    /// Every version.
    pub node_id: i32,
    /// Every version.
    pub host: Str,
    /// Every version.
    pub port: i32,
    /// Versions 1+, can be null.
    pub rack: Option<Str>,
}

impl Field for MetadataResponseBroker {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.node_id = d.read(v)?;
        m.host = d.read(v)?;
        m.port = d.read(v)?;
        if v >= 1 {
            m.rack = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.node_id.write(e, v)?;
        self.host.write(e, v)?;
        self.port.write(e, v)?;
        if v >= 1 {
            self.rack.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 10,
            1..=8 => 12,
            _ => 11,
        }
    }
}

/// Part of Metadata (key 3).
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseTopic {
    /// Every version.
    pub error_code: i16,
    /// Every version, null in 12+, default `""`.
    pub name: Option<Str>,
    /// Versions 10+.
    pub topic_id: TopicId,
    /// Versions 1+.
    pub is_internal: bool,
    /// Every version.
    pub partitions: Vec<MetadataResponsePartition>,
    /// Versions 8+, default `-2147483648`.
    pub topic_authorized_operations: i32,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        MetadataResponseTopic {
            error_code: Default::default(),
            name: Some(Default::default()),
            topic_id: TopicId::ZERO,
            is_internal: Default::default(),
            partitions: Default::default(),
            topic_authorized_operations: -2147483648,
        }
    }
}

impl Field for MetadataResponseTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.name = d.read_null(v >= 12, v)?;
        if v >= 10 {
            m.topic_id = d.read(v)?;
        }
        if v >= 1 {
            m.is_internal = d.read(v)?;
        }
        m.partitions = d.read(v)?;
        if v >= 8 {
            m.topic_authorized_operations = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        e.null_if(v >= 12, &self.name, v, "MetadataResponseTopic.name")?;
        if v >= 10 {
            self.topic_id.write(e, v)?;
        }
        if v >= 1 {
            self.is_internal.write(e, v)?;
        }
        self.partitions.write(e, v)?;
        if v >= 8 {
            self.topic_authorized_operations.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            1..=7 => 9,
            8 => 13,
            9 => 10,
            _ => 26,
        }
    }
}

/// Part of Metadata (key 3).
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponsePartition {
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub leader_id: i32,
    /// Versions 7+, default `-1`.
    pub leader_epoch: i32,
    /// Every version.
    pub replica_nodes: Vec<i32>,
    /// Every version.
    pub isr_nodes: Vec<i32>,
    /// Versions 5+.
    pub offline_replicas: Vec<i32>,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        MetadataResponsePartition {
            error_code: Default::default(),
            partition_index: Default::default(),
            leader_id: Default::default(),
            leader_epoch: -1,
            replica_nodes: Default::default(),
            isr_nodes: Default::default(),
            offline_replicas: Default::default(),
        }
    }
}

impl Field for MetadataResponsePartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.partition_index = d.read(v)?;
        m.leader_id = d.read(v)?;
        if v >= 7 {
            m.leader_epoch = d.read(v)?;
        }
        m.replica_nodes = d.read(v)?;
        m.isr_nodes = d.read(v)?;
        if v >= 5 {
            m.offline_replicas = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.partition_index.write(e, v)?;
        self.leader_id.write(e, v)?;
        if v >= 7 {
            self.leader_epoch.write(e, v)?;
        }
        self.replica_nodes.write(e, v)?;
        self.isr_nodes.write(e, v)?;
        if v >= 5 {
            self.offline_replicas.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=4 => 18,
            5..=6 => 22,
            7..=8 => 26,
            _ => 18,
        }
    }
}
