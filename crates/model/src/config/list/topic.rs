//! Settings of topics, in the order of their names.

use crate::config::setting::Bounds::*;
use crate::config::setting::Unit::*;
use crate::config::setting::ValueType::*;
use crate::config::setting::{Setting, same, scaled};

const MAX: &str = "9223372036854775807";
const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

/// All settings a topic can have: Kafka's, ours, and those that only other brokers act on.
pub static TOPIC: &[Setting] = &[
    Setting::topic("cleanup.policy", List, "delete")
        .bounds(OneOf(&["compact", "delete"]))
        .broker("log.cleanup.policy", &[same("log_cleanup_policy")])
        .honoured()
        .doc("What happens to old records: `delete` frees whole segments by age or size, `compact` keeps the last value of each key, both may be given, and an empty list keeps everything."),
    Setting::topic("compression.gzip.level", Int, "-1")
        .bounds(OneOrBetween(-1, 1, 9))
        .broker("compression.gzip.level", &[])
        .doc("Effort of gzip when the broker compresses, 1 to 9, or -1 for the codec's own default."),
    Setting::topic("compression.lz4.level", Int, "9")
        .bounds(Between(1, 17))
        .broker("compression.lz4.level", &[])
        .doc("Effort of lz4 when the broker compresses, 1 to 17."),
    Setting::topic("compression.type", String, "producer")
        .bounds(OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]))
        .broker("compression.type", &[same("log_compression_type")])
        .honoured()
        .doc("Codec that batches are stored in; `producer` keeps the one they came with."),
    Setting::topic("compression.zstd.level", Int, "3")
        .bounds(Between(-131_072, 22))
        .broker("compression.zstd.level", &[])
        .doc("Effort of zstd when the broker compresses, up to 22; negative levels are faster."),
    Setting::topic("confluent.*", String, "")
        .null()
        .unlisted()
        .doc("Settings that only Confluent's brokers act on; stored and reported."),
    Setting::topic("delete.retention.ms", Long, "86400000")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .broker("log.cleaner.delete.retention.ms", &[same("tombstone_retention_ms")])
        .doc("How long compaction keeps tombstones, so that a reader that began at the start still meets them."),
    Setting::topic("errors.deadletterqueue.group.enable", Boolean, "false")
        .doc("Whether share groups may write records they gave up on into this topic."),
    Setting::topic("file.delete.delay.ms", Long, "60000")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .broker("log.segment.delete.delay.ms", &[])
        .doc("Kafka waits so long before it removes a file; here a file goes when its last reader is done."),
    Setting::topic("flush.bytes", Long, "262144")
        .unit(Bytes)
        .bounds(AtLeast(1))
        .broker("log.flush.interval.bytes", &[same("raft_replica_max_pending_flush_bytes")])
        .honoured()
        .doc("With write caching: a partition is synced once so many acknowledged bytes aren't."),
    Setting::topic("flush.messages", Long, MAX)
        .unit(Count)
        .bounds(AtLeast(1))
        .broker("log.flush.interval.messages", &[])
        .doc("Kafka syncs after so many records; here every acknowledged record is synced unless write caching is on."),
    Setting::topic("flush.ms", Long, MAX)
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .broker("log.flush.interval.ms", &[same("raft_replica_max_flush_delay_ms")])
        .honoured()
        .doc("With write caching: a partition is synced at least so often; the default acts as 100 ms."),
    Setting::topic("follower.replication.throttled.replicas", List, "")
        .bounds(ThrottledReplicas)
        .doc("Replicas whose copying Kafka throttles at the follower; here catch-up has a class of its own."),
    Setting::topic("index.interval.bytes", Int, "4096")
        .unit(Bytes)
        .bounds(AtLeast(0))
        .broker("log.index.interval.bytes", &[])
        .doc("Distance between entries of Kafka's offset index; the index here keeps its own."),
    Setting::foreign("initial.retention.local.target.bytes")
        .doc("How much of a tiered topic a new replica copies, in Redpanda; stored and reported."),
    Setting::foreign("initial.retention.local.target.ms")
        .doc("How much of a tiered topic a new replica copies, in Redpanda; stored and reported."),
    Setting::topic("leader.replication.throttled.replicas", List, "")
        .bounds(ThrottledReplicas)
        .doc("Replicas whose copying Kafka throttles at the leader; here catch-up has a class of its own."),
    Setting::topic("local.retention.bytes", Long, "-2")
        .unit(Bytes)
        .bounds(AtLeast(-2))
        .broker("log.local.retention.bytes", &[])
        .doc("Bytes of a tiered partition that stay on the broker; -2 means the same as retention.bytes."),
    Setting::topic("local.retention.ms", Long, "-2")
        .unit(Milliseconds)
        .bounds(AtLeast(-2))
        .broker("log.local.retention.ms", &[])
        .doc("How long a tiered partition's records stay on the broker; -2 means the same as retention.ms."),
    Setting::topic("max.compaction.lag.ms", Long, MAX)
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .broker("log.cleaner.max.compaction.lag.ms", &[same("max_compaction_lag_ms")])
        .doc("Longest time a record may wait for compaction."),
    Setting::topic("max.decompressed.message.bytes", Int, "2147483639")
        .unit(Bytes)
        .bounds(AtLeast(0))
        .broker("max.decompressed.message.bytes", &[])
        .doc("Largest record after decompression, where the broker has to decompress at all."),
    Setting::topic("max.message.bytes", Int, "1048588")
        .unit(Bytes)
        .bounds(AtLeast(0))
        .broker("message.max.bytes", &[same("kafka_batch_max_bytes")])
        .honoured()
        .doc("Largest record batch the topic takes, as it comes, header included."),
    Setting::foreign("message.downconversion.enable")
        .doc("Whether Kafka before 4.0 converted batches for old consumers; stored and reported."),
    Setting::foreign("message.format.version")
        .doc("Format that Kafka before 4.0 stored batches in; stored and reported, the format is always 2."),
    Setting::topic("message.timestamp.after.max.ms", Long, "3600000")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .broker("log.message.timestamp.after.max.ms", &[same("log_message_timestamp_after_max_ms")])
        .honoured()
        .doc("How far a record's timestamp may lie ahead of the broker's clock."),
    Setting::topic("message.timestamp.before.max.ms", Long, MAX)
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .broker("log.message.timestamp.before.max.ms", &[same("log_message_timestamp_before_max_ms")])
        .honoured()
        .doc("How far a record's timestamp may lie behind the broker's clock."),
    Setting::foreign("message.timestamp.difference.max.ms")
        .doc("How far Kafka before 4.0 let a timestamp lie from its clock; stored and reported."),
    Setting::topic("message.timestamp.type", String, "CreateTime")
        .bounds(OneOf(&["CreateTime", "LogAppendTime"]))
        .broker("log.message.timestamp.type", &[same("log_message_timestamp_type")])
        .honoured()
        .doc("Whose time a record carries: the producer's, or the broker's when it was appended."),
    Setting::topic("min.cleanable.dirty.ratio", Double, "0.5")
        .unit(Ratio)
        .bounds(Fraction)
        .broker("log.cleaner.min.cleanable.ratio", &[same("min_cleanable_dirty_ratio")])
        .doc("Share of a log not compacted yet from which on it is worth compacting."),
    Setting::topic("min.compaction.lag.ms", Long, "0")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .broker("log.cleaner.min.compaction.lag.ms", &[same("min_compaction_lag_ms")])
        .doc("Shortest time a record stays safe from compaction."),
    Setting::topic("min.insync.replicas", Int, "1")
        .unit(Count)
        .bounds(AtLeast(1))
        .broker("min.insync.replicas", &[])
        .honoured()
        .doc("Replicas a record must be durable on before acks=all is answered; a majority always is, so only more than that changes anything."),
    Setting::topic("preallocate", Boolean, "false")
        .broker("log.preallocate", &[])
        .doc("Whether Kafka reserves a segment's space when it makes the file; the journal here is always reserved."),
    Setting::topic("redpanda.*", String, "")
        .null()
        .unlisted()
        .doc("Settings that only Redpanda's brokers act on; stored and reported."),
    Setting::topic("remote.copy.lag.bytes", Long, "-1")
        .unit(Bytes)
        .bounds(AtLeast(-1))
        .broker("log.remote.copy.lag.bytes", &[])
        .doc("Bytes that must follow a closed segment before it is uploaded; -1 means no such wait."),
    Setting::topic("remote.copy.lag.ms", Long, "0")
        .unit(Milliseconds)
        .bounds(AtLeast(-1))
        .broker("log.remote.copy.lag.ms", &[])
        .doc("How long a closed segment waits before it is uploaded."),
    Setting::topic("remote.log.copy.disable", Boolean, "false")
        .doc("Whether a tiered topic stops uploading and can only be read from the bucket."),
    Setting::topic("remote.log.delete.on.disable", Boolean, "false")
        .doc("Whether a topic's uploaded data is deleted when tiering is switched off."),
    Setting::topic("remote.storage.enable", Boolean, "false")
        .refused("tiered storage isn't built into this version")
        .doc("Whether closed segments go to object storage."),
    Setting::topic("retention.bytes", Long, "-1")
        .unit(Bytes)
        .broker("log.retention.bytes", &[same("retention_bytes")])
        .honoured()
        .doc("Bytes a partition keeps before old segments go; -1 for no limit."),
    Setting::foreign("retention.local.target.bytes")
        .doc("Bytes of a tiered partition that stay local, in Redpanda; stored and reported."),
    Setting::foreign("retention.local.target.ms")
        .doc("Time that a tiered partition's records stay local, in Redpanda; stored and reported."),
    Setting::topic("retention.ms", Long, "604800000")
        .unit(Milliseconds)
        .bounds(AtLeast(-1))
        .broker(
            "log.retention.ms",
            &[
                scaled("log.retention.minutes", MINUTE, 1),
                scaled("log.retention.hours", HOUR, 1),
                same("log_retention_ms"),
                same("delete_retention_ms"),
            ],
        )
        .honoured()
        .doc("How long records are kept at least; -1 for ever."),
    Setting::topic("segment.bytes", Int, "1073741824")
        .unit(Bytes)
        .bounds(AtLeast(1_048_576))
        .broker("log.segment.bytes", &[same("log_segment_size")])
        .honoured()
        .doc("Size at which a segment is closed and the next begun; data is freed by whole segments."),
    Setting::topic("segment.index.bytes", Int, "10485760")
        .unit(Bytes)
        .bounds(AtLeast(4))
        .broker("log.index.size.max.bytes", &[])
        .doc("Size Kafka reserves for a segment's index; the index here grows as needed."),
    Setting::topic("segment.jitter.ms", Long, "0")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .broker("log.roll.jitter.ms", &[scaled("log.roll.jitter.hours", HOUR, 1)])
        .doc("Spread of the times at which segments close by age."),
    Setting::topic("segment.ms", Long, "604800000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .broker("log.roll.ms", &[scaled("log.roll.hours", HOUR, 1), same("log_segment_ms")])
        .honoured()
        .doc("Age at which a segment is closed even if it isn't full."),
    Setting::topic("unclean.leader.election.enable", Boolean, "false")
        .broker("unclean.leader.election.enable", &[])
        .doc("Whether Kafka may elect a replica that lacks committed records; here none ever may."),
    Setting::topic("write.caching", Boolean, "false")
        .broker("log.write.caching", &[same("write_caching_default")])
        .honoured()
        .doc("Whether acks=all is answered once a majority has written a record, before it is synced: faster, and safe against the death of processes but not of all machines at once."),
];
