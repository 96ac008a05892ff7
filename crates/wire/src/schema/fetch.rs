// Generated from schema/Fetch.api by `cargo xtask codegen`. Not edited by hand.
//! Fetch (key 1), versions 4 to 18.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::{Field, Records};
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a Fetch request.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchRequest {
    /// Versions 12+, tag 0, can be null.
    pub cluster_id: Option<Str>,
    /// Versions 4-14, default `-1`.
    pub replica_id: i32,
    /// Versions 15+, tag 1.
    pub replica_state: ReplicaState,
    /// Every version.
    pub max_wait_ms: i32,
    /// Every version.
    pub min_bytes: i32,
    /// Every version, default `2147483647`.
    pub max_bytes: i32,
    /// Every version.
    pub isolation_level: i8,
    /// Versions 7+.
    pub session_id: i32,
    /// Versions 7+, default `-1`.
    pub session_epoch: i32,
    /// Every version.
    pub topics: Vec<FetchTopic>,
    /// Versions 7+.
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Versions 11+.
    pub rack_id: Str,
}

impl Default for FetchRequest {
    fn default() -> Self {
        FetchRequest {
            cluster_id: Default::default(),
            replica_id: -1,
            replica_state: Default::default(),
            max_wait_ms: Default::default(),
            min_bytes: Default::default(),
            max_bytes: 2147483647,
            isolation_level: Default::default(),
            session_id: Default::default(),
            session_epoch: -1,
            topics: Default::default(),
            forgotten_topics_data: Default::default(),
            rack_id: Default::default(),
        }
    }
}

impl Field for FetchRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 14 {
            m.replica_id = d.read(v)?;
        }
        m.max_wait_ms = d.read(v)?;
        m.min_bytes = d.read(v)?;
        m.max_bytes = d.read(v)?;
        m.isolation_level = d.read(v)?;
        if v >= 7 {
            m.session_id = d.read(v)?;
        }
        if v >= 7 {
            m.session_epoch = d.read(v)?;
        }
        m.topics = d.read(v)?;
        if v >= 7 {
            m.forgotten_topics_data = d.read(v)?;
        }
        if v >= 11 {
            m.rack_id = d.read(v)?;
        }
        d.tags(|d, tag| {
            match tag {
                0 => m.cluster_id = d.read(v)?,
                1 if v >= 15 => m.replica_state = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 14 {
            self.replica_id.write(e, v)?;
        } else if self.replica_id != -1 {
            return Err(EncodeError::Unsupported("FetchRequest.replica_id"));
        }
        self.max_wait_ms.write(e, v)?;
        self.min_bytes.write(e, v)?;
        self.max_bytes.write(e, v)?;
        self.isolation_level.write(e, v)?;
        if v >= 7 {
            self.session_id.write(e, v)?;
        }
        if v >= 7 {
            self.session_epoch.write(e, v)?;
        }
        self.topics.write(e, v)?;
        if v >= 7 {
            self.forgotten_topics_data.write(e, v)?;
        } else if !self.forgotten_topics_data.is_empty() {
            return Err(EncodeError::Unsupported("FetchRequest.forgotten_topics_data"));
        }
        if v >= 11 {
            self.rack_id.write(e, v)?;
        }
        if v < 15 && self.replica_state != ReplicaState::default() {
            return Err(EncodeError::Unsupported("FetchRequest.replica_state"));
        }
        if v >= 12 {
            let present = [self.cluster_id.is_some(), v >= 15 && self.replica_state != ReplicaState::default()];
            e.tags(&present);
            if present[0] {
                e.tag(0, &self.cluster_id, v)?;
            }
            if present[1] {
                e.tag(1, &self.replica_state, v)?;
            }
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            4..=6 => 21,
            7..=10 => 33,
            11 => 35,
            12..=14 => 29,
            _ => 25,
        }
    }
}

impl Message for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
}

impl Request for FetchRequest {
    type Response = FetchResponse;
}

/// Part of Fetch (key 1).
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    /// Every version, default `-1`.
    pub replica_id: i32,
    /// Every version, default `-1`.
    pub replica_epoch: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        ReplicaState { replica_id: -1, replica_epoch: -1 }
    }
}

impl Field for ReplicaState {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.replica_id = d.read(v)?;
        m.replica_epoch = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.replica_id.write(e, v)?;
        self.replica_epoch.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        13
    }
}

/// Part of Fetch (key 1).
#[derive(Clone, Debug, PartialEq)]
pub struct FetchTopic {
    /// Versions 4-12.
    pub topic: Str,
    /// Versions 13+.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<FetchPartition>,
}

impl Default for FetchTopic {
    fn default() -> Self {
        FetchTopic { topic: Default::default(), topic_id: TopicId::ZERO, partitions: Default::default() }
    }
}

impl Field for FetchTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 12 {
            m.topic = d.read(v)?;
        }
        if v >= 13 {
            m.topic_id = d.read(v)?;
        }
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 12 {
            self.topic.write(e, v)?;
        }
        if v >= 13 {
            self.topic_id.write(e, v)?;
        }
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            4..=11 => 6,
            12 => 3,
            _ => 18,
        }
    }
}

/// Part of Fetch (key 1).
#[derive(Clone, Debug, PartialEq)]
pub struct FetchPartition {
    /// Every version.
    pub partition: i32,
    /// Versions 9+, default `-1`.
    pub current_leader_epoch: i32,
    /// Every version.
    pub fetch_offset: i64,
    /// Versions 12+, default `-1`.
    pub last_fetched_epoch: i32,
    /// Versions 5+, default `-1`.
    pub log_start_offset: i64,
    /// Every version.
    pub partition_max_bytes: i32,
    /// Versions 17+, tag 0.
    pub replica_directory_id: TopicId,
    /// Versions 18+, tag 1, default `9223372036854775807`.
    pub high_watermark: i64,
}

impl Default for FetchPartition {
    fn default() -> Self {
        FetchPartition {
            partition: Default::default(),
            current_leader_epoch: -1,
            fetch_offset: Default::default(),
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: Default::default(),
            replica_directory_id: TopicId::ZERO,
            high_watermark: 9223372036854775807,
        }
    }
}

impl Field for FetchPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition = d.read(v)?;
        if v >= 9 {
            m.current_leader_epoch = d.read(v)?;
        }
        m.fetch_offset = d.read(v)?;
        if v >= 12 {
            m.last_fetched_epoch = d.read(v)?;
        }
        if v >= 5 {
            m.log_start_offset = d.read(v)?;
        }
        m.partition_max_bytes = d.read(v)?;
        d.tags(|d, tag| {
            match tag {
                0 if v >= 17 => m.replica_directory_id = d.read(v)?,
                1 if v >= 18 => m.high_watermark = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition.write(e, v)?;
        if v >= 9 {
            self.current_leader_epoch.write(e, v)?;
        }
        self.fetch_offset.write(e, v)?;
        if v >= 12 {
            self.last_fetched_epoch.write(e, v)?;
        } else if self.last_fetched_epoch != -1 {
            return Err(EncodeError::Unsupported("FetchPartition.last_fetched_epoch"));
        }
        if v >= 5 {
            self.log_start_offset.write(e, v)?;
        }
        self.partition_max_bytes.write(e, v)?;
        if v >= 12 {
            let present = [
                v >= 17 && self.replica_directory_id != TopicId::ZERO,
                v >= 18 && self.high_watermark != 9223372036854775807,
            ];
            e.tags(&present);
            if present[0] {
                e.tag(0, &self.replica_directory_id, v)?;
            }
            if present[1] {
                e.tag(1, &self.high_watermark, v)?;
            }
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            4 => 16,
            5..=8 => 24,
            9..=11 => 28,
            _ => 33,
        }
    }
}

/// Part of Fetch (key 1).
#[derive(Clone, Debug, PartialEq)]
pub struct ForgottenTopic {
    /// Versions 7-12.
    pub topic: Str,
    /// Versions 13+.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Default for ForgottenTopic {
    fn default() -> Self {
        ForgottenTopic { topic: Default::default(), topic_id: TopicId::ZERO, partitions: Default::default() }
    }
}

impl Field for ForgottenTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 12 {
            m.topic = d.read(v)?;
        }
        if v >= 13 {
            m.topic_id = d.read(v)?;
        }
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 12 {
            self.topic.write(e, v)?;
        }
        if v >= 13 {
            self.topic_id.write(e, v)?;
        }
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            7..=11 => 6,
            12 => 3,
            _ => 18,
        }
    }
}

/// Body of a Fetch response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Versions 7+.
    pub error_code: i16,
    /// Versions 7+.
    pub session_id: i32,
    /// Every version.
    pub responses: Vec<FetchableTopicResponse>,
    /// Versions 16+, tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Field for FetchResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        if v >= 7 {
            m.error_code = d.read(v)?;
        }
        if v >= 7 {
            m.session_id = d.read(v)?;
        }
        m.responses = d.read(v)?;
        d.tags(|d, tag| {
            match tag {
                0 if v >= 16 => m.node_endpoints = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        if v >= 7 {
            self.error_code.write(e, v)?;
        }
        if v >= 7 {
            self.session_id.write(e, v)?;
        }
        self.responses.write(e, v)?;
        if v >= 12 {
            let present = [v >= 16 && !self.node_endpoints.is_empty()];
            e.tags(&present);
            if present[0] {
                e.tag(0, &self.node_endpoints, v)?;
            }
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            4..=6 => 8,
            7..=11 => 14,
            _ => 12,
        }
    }
}

impl Message for FetchResponse {
    const KEY: ApiKey = ApiKey::Fetch;
}

/// Part of Fetch (key 1).
#[derive(Clone, Debug, PartialEq)]
pub struct FetchableTopicResponse {
    /// Versions 4-12.
    pub topic: Str,
    /// Versions 13+.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<PartitionData>,
}

impl Default for FetchableTopicResponse {
    fn default() -> Self {
        FetchableTopicResponse { topic: Default::default(), topic_id: TopicId::ZERO, partitions: Default::default() }
    }
}

impl Field for FetchableTopicResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 12 {
            m.topic = d.read(v)?;
        }
        if v >= 13 {
            m.topic_id = d.read(v)?;
        }
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 12 {
            self.topic.write(e, v)?;
        }
        if v >= 13 {
            self.topic_id.write(e, v)?;
        }
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            4..=11 => 6,
            12 => 3,
            _ => 18,
        }
    }
}

/// Part of Fetch (key 1).
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub high_watermark: i64,
    /// Every version, default `-1`.
    pub last_stable_offset: i64,
    /// Versions 5+, default `-1`.
    pub log_start_offset: i64,
    /// Versions 12+, tag 0.
    pub diverging_epoch: EpochEndOffset,
    /// Versions 12+, tag 1.
    pub current_leader: LeaderIdAndEpoch,
    /// Versions 12+, tag 2.
    pub snapshot_id: SnapshotId,
    /// Every version, can be null, default `[]`.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// Versions 11+, default `-1`.
    pub preferred_read_replica: i32,
    /// Every version, can be null, default `[]`.
    pub records: Option<Records>,
}

impl Default for PartitionData {
    fn default() -> Self {
        PartitionData {
            partition_index: Default::default(),
            error_code: Default::default(),
            high_watermark: Default::default(),
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: Default::default(),
            current_leader: Default::default(),
            snapshot_id: Default::default(),
            aborted_transactions: Some(Default::default()),
            preferred_read_replica: -1,
            records: Some(Default::default()),
        }
    }
}

impl Field for PartitionData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.error_code = d.read(v)?;
        m.high_watermark = d.read(v)?;
        m.last_stable_offset = d.read(v)?;
        if v >= 5 {
            m.log_start_offset = d.read(v)?;
        }
        m.aborted_transactions = d.read(v)?;
        if v >= 11 {
            m.preferred_read_replica = d.read(v)?;
        }
        m.records = d.read(v)?;
        d.tags(|d, tag| {
            match tag {
                0 => m.diverging_epoch = d.read(v)?,
                1 => m.current_leader = d.read(v)?,
                2 => m.snapshot_id = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.error_code.write(e, v)?;
        self.high_watermark.write(e, v)?;
        self.last_stable_offset.write(e, v)?;
        if v >= 5 {
            self.log_start_offset.write(e, v)?;
        }
        self.aborted_transactions.write(e, v)?;
        if v >= 11 {
            self.preferred_read_replica.write(e, v)?;
        }
        self.records.write(e, v)?;
        if v >= 12 {
            let present = [
                self.diverging_epoch != EpochEndOffset::default(),
                self.current_leader != LeaderIdAndEpoch::default(),
                self.snapshot_id != SnapshotId::default(),
            ];
            e.tags(&present);
            if present[0] {
                e.tag(0, &self.diverging_epoch, v)?;
            }
            if present[1] {
                e.tag(1, &self.current_leader, v)?;
            }
            if present[2] {
                e.tag(2, &self.snapshot_id, v)?;
            }
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            4 => 30,
            5..=10 => 38,
            11 => 42,
            _ => 37,
        }
    }
}

/// Part of Fetch (key 1).
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    /// Every version, default `-1`.
    pub epoch: i32,
    /// Every version, default `-1`.
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        EpochEndOffset { epoch: -1, end_offset: -1 }
    }
}

impl Field for EpochEndOffset {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.epoch = d.read(v)?;
        m.end_offset = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.epoch.write(e, v)?;
        self.end_offset.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        13
    }
}

/// Part of Fetch (key 1).
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

/// Part of Fetch (key 1).
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotId {
    /// Every version, default `-1`.
    pub end_offset: i64,
    /// Every version, default `-1`.
    pub epoch: i32,
}

impl Default for SnapshotId {
    fn default() -> Self {
        SnapshotId { end_offset: -1, epoch: -1 }
    }
}

impl Field for SnapshotId {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.end_offset = d.read(v)?;
        m.epoch = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.end_offset.write(e, v)?;
        self.epoch.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        13
    }
}

/// Part of Fetch (key 1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AbortedTransaction {
    /// Every version.
    pub producer_id: i64,
    /// Every version.
    pub first_offset: i64,
}

impl Field for AbortedTransaction {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.producer_id = d.read(v)?;
        m.first_offset = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.producer_id.write(e, v)?;
        self.first_offset.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            4..=11 => 16,
            _ => 17,
        }
    }
}

/// Part of Fetch (key 1).
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
