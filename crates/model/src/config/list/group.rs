//! Settings of groups, in the order of their names. Source: KIP-848, KIP-932, KIP-1071.

use crate::config::setting::Bounds::*;
use crate::config::setting::Setting;
use crate::config::setting::Unit::*;
use crate::config::setting::ValueType::*;

/// All settings a group can have.
pub static GROUP: &[Setting] = &[
    Setting::group("consumer.heartbeat.interval.ms", Int, "5000")
        .unit(Milliseconds)
        .bounds(Between(1, 15_000))
        .broker("group.consumer.heartbeat.interval.ms", &[])
        .honoured()
        .doc("How often members of a consumer group say that they live."),
    Setting::group("consumer.session.timeout.ms", Int, "45000")
        .unit(Milliseconds)
        .bounds(Between(1, 60_000))
        .broker("group.consumer.session.timeout.ms", &[])
        .honoured()
        .doc("After how long a silence a member of a consumer group is removed."),
    Setting::group("errors.deadletterqueue.copy.record.enable", Boolean, "false")
        .doc("Whether the dead letter queue gets key and value of a record, or its position alone."),
    Setting::group("errors.deadletterqueue.topic.name", String, "")
        .doc("Topic that takes the records a share group gave up on."),
    Setting::group("share.auto.offset.reset", String, "latest")
        .doc("Where a share group starts in a partition new to it: `latest`, `earliest` or `by_duration:` and an ISO 8601 duration."),
    Setting::group("share.delivery.count.limit", Int, "5")
        .unit(Count)
        .bounds(Between(2, 10))
        .broker("group.share.delivery.count.limit", &[])
        .doc("How often a share group offers one record before it gives up on it."),
    Setting::group("share.heartbeat.interval.ms", Int, "5000")
        .unit(Milliseconds)
        .bounds(Between(1, 15_000))
        .broker("group.share.heartbeat.interval.ms", &[])
        .doc("How often members of a share group say that they live."),
    Setting::group("share.isolation.level", String, "read_uncommitted")
        .bounds(OneOf(&["read_committed", "read_uncommitted"]))
        .doc("Whether a share group sees records of transactions that aren't committed."),
    Setting::group("share.partition.max.record.locks", Int, "2000")
        .unit(Count)
        .bounds(Between(100, 4000))
        .broker("group.share.partition.max.record.locks", &[])
        .doc("Records of one partition that a share group may have in flight."),
    Setting::group("share.record.lock.duration.ms", Int, "30000")
        .unit(Milliseconds)
        .bounds(Between(15_000, 60_000))
        .broker("group.share.record.lock.duration.ms", &[])
        .doc("How long a share group's member holds a record before it is offered again."),
    Setting::group("share.renew.acknowledge.enable", Boolean, "true")
        .doc("Whether a share group's members may extend their hold on a record."),
    Setting::group("share.session.timeout.ms", Int, "45000")
        .unit(Milliseconds)
        .bounds(Between(1, 60_000))
        .broker("group.share.session.timeout.ms", &[])
        .doc("After how long a silence a member of a share group is removed."),
    Setting::group("streams.heartbeat.interval.ms", Int, "5000")
        .unit(Milliseconds)
        .bounds(Between(1, 15_000))
        .broker("group.streams.heartbeat.interval.ms", &[])
        .doc("How often members of a streams group say that they live."),
    Setting::group("streams.initial.rebalance.delay.ms", Int, "3000")
        .unit(Milliseconds)
        .bounds(AtLeast(0))
        .broker("group.streams.initial.rebalance.delay.ms", &[])
        .doc("How long a new streams group waits for more members before its first assignment."),
    Setting::group("streams.num.standby.replicas", Int, "0")
        .unit(Count)
        .bounds(Between(0, 2))
        .broker("group.streams.num.standby.replicas", &[])
        .doc("Copies of each state store that a streams group keeps warm."),
    Setting::group("streams.session.timeout.ms", Int, "45000")
        .unit(Milliseconds)
        .bounds(Between(1, 60_000))
        .broker("group.streams.session.timeout.ms", &[])
        .doc("After how long a silence a member of a streams group is removed."),
];
