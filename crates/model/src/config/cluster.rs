//! The cluster's settings, typed.

use super::layers::{Layers, NO_LAYERS, NO_VALUES, Reader};
use super::list::{CLUSTER, TOPIC};

/// What the broker acts on of the cluster's settings. Topics' defaults are in [`super::TopicConfig`], but for
/// `message_max_bytes`, which also bounds a request before its topic is known.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterConfig {
    /// `auto.create.topics.enable`.
    pub auto_create_topics_enable: bool,
    /// `delete.topic.enable`.
    pub delete_topic_enable: bool,
    /// `num.partitions`: of a new topic, at least 1.
    pub num_partitions: i32,
    /// `default.replication.factor`: of a new topic, at least 1.
    pub default_replication_factor: i16,
    /// `message.max.bytes`: the cluster's default of `max.message.bytes`, bytes.
    pub message_max_bytes: u64,
    /// `fetch.max.bytes`: largest answer to a fetch, bytes.
    pub fetch_max_bytes: u64,
    /// `socket.request.max.bytes`: largest request, bytes.
    pub socket_request_max_bytes: u64,
    /// `max.incremental.fetch.session.cache.slots`: fetch sessions this broker remembers.
    pub fetch_sessions_max: u64,
    /// `max.request.partition.size.limit`: partitions in one answer to DescribeTopicPartitions, at least 1.
    pub described_partitions_max: u64,
    /// `max.connections`: of this broker.
    pub connections_max: u64,
    /// `max.connections.per.ip`: of this broker.
    pub connections_per_ip_max: u64,
    /// `connections.max.idle.ms`: milliseconds; `None` for ever.
    pub connections_idle_max_ms: Option<u64>,
    /// `group.min.session.timeout.ms`: of classic groups, milliseconds.
    pub group_session_timeout_min_ms: u64,
    /// `group.max.session.timeout.ms`: of classic groups, milliseconds.
    pub group_session_timeout_max_ms: u64,
    /// `group.initial.rebalance.delay.ms`: of classic groups, milliseconds.
    pub group_initial_rebalance_delay_ms: u64,
    /// `group.max.size`: members of a classic group, at least 1.
    pub group_members_max: u64,
    /// `offset.metadata.max.bytes`: of a committed offset's note, bytes.
    pub offset_metadata_max_bytes: u64,
    /// `offsets.topic.num.partitions`, at least 1.
    pub offsets_topic_partitions: i32,
    /// `offsets.topic.replication.factor`, at least 1; fewer brokers mean fewer replicas.
    pub offsets_topic_replication_factor: i16,
    /// `offsets.topic.segment.bytes`.
    pub offsets_topic_segment_bytes: u64,
    /// `offsets.retention.minutes`, in milliseconds.
    pub offsets_retention_ms: u64,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_ms: u64,
    /// `log.retention.check.interval.ms`.
    pub log_retention_check_ms: u64,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: u64,
}

impl ClusterConfig {
    /// What counts, given the values at broker level.
    pub fn resolve(layers: Layers<'_>) -> ClusterConfig {
        let read = Reader { rows: CLUSTER, own: &NO_VALUES, layers };
        let topic = Reader { rows: TOPIC, own: &NO_VALUES, layers };
        ClusterConfig {
            auto_create_topics_enable: read.bool("auto.create.topics.enable"),
            delete_topic_enable: read.bool("delete.topic.enable"),
            num_partitions: read.count("num.partitions") as i32,
            default_replication_factor: read.count("default.replication.factor") as i16,
            message_max_bytes: topic.count("max.message.bytes"),
            fetch_max_bytes: read.count("fetch.max.bytes"),
            socket_request_max_bytes: read.count("socket.request.max.bytes"),
            fetch_sessions_max: read.count("max.incremental.fetch.session.cache.slots"),
            described_partitions_max: read.count("max.request.partition.size.limit"),
            connections_max: read.count("max.connections"),
            connections_per_ip_max: read.count("max.connections.per.ip"),
            connections_idle_max_ms: read.limit("connections.max.idle.ms"),
            group_session_timeout_min_ms: read.count("group.min.session.timeout.ms"),
            group_session_timeout_max_ms: read.count("group.max.session.timeout.ms"),
            group_initial_rebalance_delay_ms: read.count("group.initial.rebalance.delay.ms"),
            group_members_max: read.count("group.max.size"),
            offset_metadata_max_bytes: read.count("offset.metadata.max.bytes"),
            offsets_topic_partitions: read.count("offsets.topic.num.partitions") as i32,
            offsets_topic_replication_factor: read.count("offsets.topic.replication.factor") as i16,
            offsets_topic_segment_bytes: read.count("offsets.topic.segment.bytes"),
            offsets_retention_ms: read.count("offsets.retention.minutes") * 60_000,
            offsets_retention_check_ms: read.count("offsets.retention.check.interval.ms"),
            log_retention_check_ms: read.count("log.retention.check.interval.ms"),
            producer_id_expiration_ms: read.count("producer.id.expiration.ms"),
        }
    }
}

impl Default for ClusterConfig {
    /// The built-in values.
    fn default() -> ClusterConfig {
        ClusterConfig::resolve(NO_LAYERS)
    }
}
