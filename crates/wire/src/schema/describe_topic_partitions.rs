// Generated from schema/DescribeTopicPartitions.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeTopicPartitions (key 75), versions 0 to 0.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::{Field, Nullable};
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DescribeTopicPartitions request.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsRequest {
    /// Every version.
    pub topics: Vec<TopicRequest>,
    /// Every version, default `2000`.
    pub response_partition_limit: i32,
    /// Every version, can be null.
    pub cursor: Option<Cursor>,
}

impl Default for DescribeTopicPartitionsRequest {
    fn default() -> Self {
        DescribeTopicPartitionsRequest {
            topics: Default::default(),
            response_partition_limit: 2000,
            cursor: Default::default(),
        }
    }
}

impl Field for DescribeTopicPartitionsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topics = d.read(v)?;
        m.response_partition_limit = d.read(v)?;
        m.cursor = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topics.write(e, v)?;
        self.response_partition_limit.write(e, v)?;
        self.cursor.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        7
    }
}

impl Message for DescribeTopicPartitionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
}

impl Request for DescribeTopicPartitionsRequest {
    type Response = DescribeTopicPartitionsResponse;
}

/// Part of DescribeTopicPartitions (key 75).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicRequest {
    /// Every version.
    pub name: Str,
}

impl Field for TopicRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        2
    }
}

/// Part of DescribeTopicPartitions (key 75).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cursor {
    /// Every version.
    pub topic_name: Str,
    /// Every version.
    pub partition_index: i32,
}

impl Field for Cursor {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_name = d.read(v)?;
        m.partition_index = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_name.write(e, v)?;
        self.partition_index.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

impl Nullable for Cursor {
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

/// Body of a DescribeTopicPartitions response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeTopicPartitionsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// Every version, can be null.
    pub next_cursor: Option<NextCursor>,
}

impl Field for DescribeTopicPartitionsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.topics = d.read(v)?;
        m.next_cursor = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.topics.write(e, v)?;
        self.next_cursor.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        7
    }
}

impl Message for DescribeTopicPartitionsResponse {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
}

/// Part of DescribeTopicPartitions (key 75).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponseTopic {
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub name: Option<Str>,
    /// Every version.
    pub topic_id: TopicId,
    /// Every version.
    pub is_internal: bool,
    /// Every version.
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// Every version, default `-2147483648`.
    pub topic_authorized_operations: i32,
}

impl Default for DescribeTopicPartitionsResponseTopic {
    fn default() -> Self {
        DescribeTopicPartitionsResponseTopic {
            error_code: Default::default(),
            name: Some(Default::default()),
            topic_id: TopicId::ZERO,
            is_internal: Default::default(),
            partitions: Default::default(),
            topic_authorized_operations: -2147483648,
        }
    }
}

impl Field for DescribeTopicPartitionsResponseTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.name = d.read(v)?;
        m.topic_id = d.read(v)?;
        m.is_internal = d.read(v)?;
        m.partitions = d.read(v)?;
        m.topic_authorized_operations = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.name.write(e, v)?;
        self.topic_id.write(e, v)?;
        self.is_internal.write(e, v)?;
        self.partitions.write(e, v)?;
        self.topic_authorized_operations.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        26
    }
}

/// Part of DescribeTopicPartitions (key 75).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponsePartition {
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub leader_id: i32,
    /// Every version, default `-1`.
    pub leader_epoch: i32,
    /// Every version.
    pub replica_nodes: Vec<i32>,
    /// Every version.
    pub isr_nodes: Vec<i32>,
    /// Every version, can be null.
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// Every version, can be null.
    pub last_known_elr: Option<Vec<i32>>,
    /// Every version.
    pub offline_replicas: Vec<i32>,
}

impl Default for DescribeTopicPartitionsResponsePartition {
    fn default() -> Self {
        DescribeTopicPartitionsResponsePartition {
            error_code: Default::default(),
            partition_index: Default::default(),
            leader_id: Default::default(),
            leader_epoch: -1,
            replica_nodes: Default::default(),
            isr_nodes: Default::default(),
            eligible_leader_replicas: Default::default(),
            last_known_elr: Default::default(),
            offline_replicas: Default::default(),
        }
    }
}

impl Field for DescribeTopicPartitionsResponsePartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.partition_index = d.read(v)?;
        m.leader_id = d.read(v)?;
        m.leader_epoch = d.read(v)?;
        m.replica_nodes = d.read(v)?;
        m.isr_nodes = d.read(v)?;
        m.eligible_leader_replicas = d.read(v)?;
        m.last_known_elr = d.read(v)?;
        m.offline_replicas = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.partition_index.write(e, v)?;
        self.leader_id.write(e, v)?;
        self.leader_epoch.write(e, v)?;
        self.replica_nodes.write(e, v)?;
        self.isr_nodes.write(e, v)?;
        self.eligible_leader_replicas.write(e, v)?;
        self.last_known_elr.write(e, v)?;
        self.offline_replicas.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        20
    }
}

/// Part of DescribeTopicPartitions (key 75).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NextCursor {
    /// Every version.
    pub topic_name: Str,
    /// Every version.
    pub partition_index: i32,
}

impl Field for NextCursor {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_name = d.read(v)?;
        m.partition_index = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_name.write(e, v)?;
        self.partition_index.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

impl Nullable for NextCursor {
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
