//! Settings of the cluster that aren't a topic's or group's default, in the order of their names.

use crate::config::setting::Bounds::*;
use crate::config::setting::Unit::*;
use crate::config::setting::ValueType::*;
use crate::config::setting::{Setting, same, scaled};

const INT_MAX: i64 = i32::MAX as i64;

/// All settings of the cluster itself.
pub static CLUSTER: &[Setting] = &[
    Setting::cluster("authorizer.class.name", Class, "")
        .described()
        .doc("Kafka's plug-in that decides on rights; empty, since access control is part of the broker."),
    Setting::cluster("auto.create.topics.enable", Boolean, "false")
        .aliases(&[same("auto_create_topics_enabled")])
        .honoured()
        .doc("Whether asking for a topic that doesn't exist creates it."),
    Setting::cluster("connection.failed.authentication.delay.ms", Int, "100")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .doc("How long a connection stays open after it failed to authenticate."),
    Setting::cluster("connections.max.idle.ms", Long, "600000")
        .unit(Milliseconds)
        .bounds(AtLeast(-1))
        .honoured()
        .doc("After how long without a request a connection is closed; -1 for never."),
    Setting::cluster("connections.max.reauth.ms", Long, "0")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .aliases(&[same("kafka_sasl_max_reauth_ms")])
        .doc("How long a login lasts; 0 for as long as the connection."),
    Setting::cluster("controlled.shutdown.enable", Boolean, "true")
        .doc("Whether a stopping broker hands its leaders over first; here it always does."),
    Setting::cluster("default.replication.factor", Int, "1")
        .unit(Count)
        .bounds(Between(1, i16::MAX as i64))
        .aliases(&[same("default_topic_replications")])
        .honoured()
        .doc("Replicas of each partition of a topic that is created without saying how many."),
    Setting::cluster("delete.topic.enable", Boolean, "true")
        .aliases(&[same("delete_topic_enable")])
        .honoured()
        .doc("Whether topics can be deleted."),
    Setting::cluster("fetch.max.bytes", Int, "57671680")
        .unit(Bytes)
        .bounds(AtLeast(1024))
        .aliases(&[same("kafka_max_bytes_per_fetch")])
        .honoured()
        .doc("Largest answer to a fetch; one whole batch is always sent."),
    Setting::cluster("group.consumer.assignors", List, "uniform,range")
        .doc("Ways of sharing partitions out that consumer groups may ask for, the default first."),
    Setting::cluster("group.consumer.max.size", Int, "2147483647")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Largest number of members of a consumer group."),
    Setting::cluster("group.coordinator.rebalance.protocols", List, "classic,consumer,streams")
        .bounds(OneOf(&["classic", "consumer", "share", "streams"]))
        .doc("Kinds of groups that Kafka's coordinator serves."),
    Setting::cluster("group.initial.rebalance.delay.ms", Int, "3000")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .aliases(&[same("group_initial_rebalance_delay")])
        .honoured()
        .doc("How long a new classic group waits for more members before its first assignment."),
    Setting::cluster("group.max.session.timeout.ms", Int, "1800000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .aliases(&[same("group_max_session_timeout_ms")])
        .honoured()
        .doc("Longest session timeout a member of a classic group may ask for."),
    Setting::cluster("group.max.size", Int, "2147483647")
        .unit(Count)
        .bounds(AtLeast(1))
        .honoured()
        .doc("Largest number of members of a classic group."),
    Setting::cluster("group.min.session.timeout.ms", Int, "6000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .aliases(&[same("group_min_session_timeout_ms")])
        .honoured()
        .doc("Shortest session timeout a member of a classic group may ask for."),
    Setting::cluster("group.share.max.groups", Int, "10")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Largest number of share groups, in Kafka before 4.1."),
    Setting::cluster("group.share.max.size", Int, "200")
        .unit(Count)
        .bounds(Between(1, 1000))
        .doc("Largest number of members of a share group."),
    Setting::cluster("inter.broker.protocol.version", String, "4.4-IV0")
        .described()
        .doc("Version of Kafka whose behaviour this broker follows; tools read it to know what they may ask for."),
    Setting::cluster("kafka.enable.authorization", Boolean, "false")
        .aliases(&[same("kafka_enable_authorization")])
        .refused("access control isn't built into this version")
        .doc("Whether each request is checked against access control lists."),
    Setting::cluster("log.cleaner.enable", Boolean, "true").doc("Whether Kafka's compaction runs at all."),
    Setting::cluster("log.flush.scheduler.interval.ms", Long, "9223372036854775807").unit(Milliseconds).doc(
        "How often Kafka looks for logs to sync; here every acknowledged record is synced unless write caching is on.",
    ),
    Setting::cluster("log.retention.check.interval.ms", Long, "300000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .aliases(&[same("log_compaction_interval_ms")])
        .honoured()
        .doc("How often the broker looks for segments that are past their retention."),
    Setting::cluster("max.connection.creation.rate", Int, "2147483647")
        .unit(Count)
        .bounds(AtLeast(0))
        .aliases(&[same("kafka_connection_rate_limit")])
        .doc("Connections a listener accepts each second."),
    Setting::cluster("max.connections", Int, "2147483647")
        .unit(Count)
        .bounds(AtLeast(0))
        .aliases(&[same("kafka_connections_max")])
        .honoured()
        .doc("Connections this broker holds at once; one more is closed at once."),
    Setting::cluster("max.connections.per.ip", Int, "2147483647")
        .unit(Count)
        .bounds(AtLeast(0))
        .aliases(&[same("kafka_connections_max_per_ip")])
        .honoured()
        .doc("Connections this broker holds at once from one address; one more is closed at once."),
    Setting::cluster("max.incremental.fetch.session.cache.slots", Int, "1000")
        .unit(Count)
        .bounds(AtLeast(0))
        .honoured()
        .doc("Fetch sessions this broker remembers; a client without one sends its partitions each time."),
    Setting::cluster("max.request.partition.size.limit", Int, "2000")
        .unit(Count)
        .bounds(AtLeast(1))
        .honoured()
        .doc("Partitions in one answer to DescribeTopicPartitions."),
    Setting::cluster("num.partitions", Int, "1")
        .unit(Count)
        .bounds(AtLeast(1))
        .aliases(&[same("default_topic_partitions")])
        .honoured()
        .doc("Partitions of a topic that is created without saying how many."),
    Setting::cluster("offset.metadata.max.bytes", Int, "4096")
        .unit(Bytes)
        .bounds(AtLeast(0))
        .honoured()
        .doc("Longest note a consumer may store with a committed offset."),
    Setting::cluster("offsets.retention.check.interval.ms", Long, "600000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .aliases(&[same("group_offset_retention_check_ms")])
        .honoured()
        .doc("How often committed offsets are looked at for expiry."),
    Setting::cluster("offsets.retention.minutes", Int, "10080")
        .unit(Minutes)
        .bounds(AtLeast(1))
        .aliases(&[scaled("group_offset_retention_sec", 1, 60)])
        .honoured()
        .doc("How long committed offsets are kept after their group has no members."),
    Setting::cluster("offsets.topic.num.partitions", Int, "50")
        .unit(Count)
        .bounds(Between(1, 10_000))
        .aliases(&[same("group_topic_partitions")])
        .restart()
        .honoured()
        .doc("Partitions of the topic that holds groups and offsets; counts when the topic is created."),
    Setting::cluster("offsets.topic.replication.factor", Short, "3")
        .unit(Count)
        .bounds(AtLeast(1))
        .aliases(&[same("internal_topic_replication_factor")])
        .honoured()
        .doc(
            "Replicas of the topic that holds groups and offsets, or as many as there are brokers if those are fewer.",
        ),
    Setting::cluster("offsets.topic.segment.bytes", Int, "104857600")
        .unit(Bytes)
        .bounds(AtLeast(1_048_576))
        .honoured()
        .doc("Segment size of the topic that holds groups and offsets; counts when the topic is created."),
    Setting::cluster("producer.id.expiration.ms", Int, "86400000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .honoured()
        .doc("How long a partition remembers the sequence of a producer that writes no more."),
    Setting::cluster("queued.max.requests", Int, "500")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Requests Kafka queues before it stops reading from the network; queues here are bounded by bytes."),
    Setting::cluster("quota.window.num", Int, "11")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Samples that a quota's rate is taken over."),
    Setting::cluster("quota.window.size.seconds", Int, "1")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Length of one sample of a quota's rate, in seconds."),
    Setting::cluster("replica.lag.time.max.ms", Long, "30000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .doc("How long a replica may lack the leader's newest records and still be shown as in sync."),
    Setting::cluster("socket.request.max.bytes", Int, "104857600")
        .unit(Bytes)
        .bounds(Between(65_536, INT_MAX))
        .aliases(&[same("kafka_request_max_bytes")])
        .honoured()
        .doc("Largest request; the connection of a larger one is closed."),
    Setting::cluster("super.users", String, "")
        .aliases(&[same("superusers")])
        .doc("Principals that may do everything, as Kafka writes them, separated by semicolons."),
    Setting::cluster("telemetry.max.bytes", Int, "1048576")
        .unit(Bytes)
        .bounds(AtLeast(1))
        .doc("Largest report of its own metrics that a client may push."),
    Setting::cluster("transaction.abort.timed.out.transaction.cleanup.interval.ms", Int, "10000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .aliases(&[same("abort_timed_out_transactions_interval_ms")])
        .doc("How often transactions that ran out of time are looked for."),
    Setting::cluster("transaction.max.timeout.ms", Int, "3600000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .aliases(&[same("transaction_max_timeout_ms")])
        .doc("Longest timeout a transactional producer may ask for; an hour, because Flink's sink asks for one."),
    Setting::cluster("transaction.state.log.min.isr", Int, "2")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Kafka's least number of in-sync replicas of the transaction topic; here a majority always is needed."),
    Setting::cluster("transaction.state.log.num.partitions", Int, "50")
        .unit(Count)
        .bounds(Between(1, 10_000))
        .aliases(&[same("transaction_coordinator_partitions")])
        .restart()
        .doc("Partitions of the topic that holds transactions; counts when the topic is created."),
    Setting::cluster("transaction.state.log.replication.factor", Short, "3")
        .unit(Count)
        .bounds(AtLeast(1))
        .doc("Replicas of the topic that holds transactions, or as many as there are brokers if those are fewer."),
    Setting::cluster("transactional.id.expiration.ms", Int, "604800000")
        .unit(Milliseconds)
        .bounds(AtLeast(1))
        .aliases(&[same("transactional_id_expiration_ms")])
        .doc("How long a transactional id that does nothing is remembered."),
];
