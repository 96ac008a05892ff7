//! A topic's settings, typed.

use super::layers::{Layers, NO_LAYERS, NO_VALUES, Reader, Values};
use super::list::TOPIC;
use super::value::SettingError;

/// Which old records go. Both may be on; with neither, all are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Keep the last value of each key. Nothing is removed on this ground until compaction is built.
    pub compact: bool,
    /// Free whole segments by age and size.
    pub delete: bool,
}

/// Whose time a record carries. Source: KIP-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, when it was appended.
    LogAppendTime,
}

/// Codec that batches are stored in. Source: KIP-390.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressionType {
    /// The one they came with.
    Producer,
    /// None.
    Uncompressed,
    /// gzip.
    Gzip,
    /// snappy.
    Snappy,
    /// lz4.
    Lz4,
    /// zstd.
    Zstd,
}

/// What the broker acts on of a topic's settings.
///
/// ```
/// use ouzel_model::config::{NO_LAYERS, TopicConfig, Values};
/// let own = Values::from([("retention.ms".to_string(), "1000".to_string())]);
/// let config = TopicConfig::resolve(&own, NO_LAYERS);
/// assert_eq!(config.retention_ms, Some(1000));
/// assert_eq!(config.segment_bytes, 1 << 30);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `compression.type`.
    pub compression_type: CompressionType,
    /// `retention.ms`: milliseconds records are kept at least; `None` for ever. May be `i64::MAX`.
    pub retention_ms: Option<u64>,
    /// `retention.bytes`: bytes a partition keeps; `None` for no limit.
    pub retention_bytes: Option<u64>,
    /// `segment.bytes`: size at which a segment is closed, bytes.
    pub segment_bytes: u64,
    /// `segment.ms`: age at which a segment is closed, milliseconds.
    pub segment_ms: u64,
    /// `max.message.bytes`: largest batch, bytes, header included.
    pub max_message_bytes: u64,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: milliseconds a timestamp may lie behind the clock.
    pub timestamp_before_max_ms: u64,
    /// `message.timestamp.after.max.ms`: milliseconds a timestamp may lie ahead of the clock.
    pub timestamp_after_max_ms: u64,
    /// `min.insync.replicas`, at least 1.
    pub min_insync_replicas: u32,
    /// `write.caching`: whether acks=all is answered before the sync.
    pub write_caching: bool,
    /// `flush.bytes`: with write caching, bytes not synced at most.
    pub flush_bytes: u64,
    /// `flush.ms`: with write caching, milliseconds between syncs at most. 100 when unset.
    pub flush_ms: u64,
}

impl TopicConfig {
    /// What counts, given the topic's own values and those at broker level.
    pub fn resolve(own: &Values, layers: Layers<'_>) -> TopicConfig {
        let read = Reader { rows: TOPIC, own, layers };
        let policies = read.list("cleanup.policy");
        let has = |word: &str| policies.iter().any(|policy| policy == word);
        TopicConfig {
            cleanup_policy: CleanupPolicy { compact: has("compact"), delete: has("delete") },
            compression_type: match &*read.text("compression.type") {
                "uncompressed" => CompressionType::Uncompressed,
                "gzip" => CompressionType::Gzip,
                "snappy" => CompressionType::Snappy,
                "lz4" => CompressionType::Lz4,
                "zstd" => CompressionType::Zstd,
                _ => CompressionType::Producer,
            },
            retention_ms: read.limit("retention.ms"),
            retention_bytes: read.limit("retention.bytes"),
            segment_bytes: read.count("segment.bytes"),
            segment_ms: read.count("segment.ms"),
            max_message_bytes: read.count("max.message.bytes"),
            timestamp_type: match &*read.text("message.timestamp.type") {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: read.count("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: read.count("message.timestamp.after.max.ms"),
            min_insync_replicas: read.count("min.insync.replicas") as u32,
            write_caching: read.bool("write.caching"),
            flush_bytes: read.count("flush.bytes"),
            flush_ms: match read.count("flush.ms") {
                // Kafka's default means "never on its own"; a cached record must be synced some time.
                UNSET => 100,
                value => value,
            },
        }
    }
}

const UNSET: u64 = i64::MAX as u64;

impl Default for TopicConfig {
    /// The built-in values.
    fn default() -> TopicConfig {
        TopicConfig::resolve(&NO_VALUES, NO_LAYERS)
    }
}

/// Checks what no single value of a topic can break.
pub fn check_topic(own: &Values, layers: Layers<'_>) -> Result<(), SettingError> {
    let read = Reader { rows: TOPIC, own, layers };
    let (min, max) = (read.int("min.compaction.lag.ms"), read.int("max.compaction.lag.ms"));
    if min > max {
        return Err(SettingError::Conflict(format!(
            "conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})"
        )));
    }
    Ok(())
}
