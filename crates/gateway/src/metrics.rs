//! The gateway's own metrics, made from the shards' answers at each scrape. What shards count themselves is declared where it is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ouzel_model::{PartitionId, TopicId, TopicName};
use ouzel_runtime::metrics::{Labels, Metric, Registry};

use crate::gather::{Answer, DETAIL_MAX, Disk, GroupRow};

static APPLICATION_BUILD: Metric = Metric::new("application_build", "builds", "Always 1; its labels say what runs.");
static APPLICATION_UPTIME: Metric =
    Metric::new("application_uptime_seconds_total", "seconds", "Time since the broker began to start.");
static CPU_BUSY: Metric =
    Metric::new("cpu_busy_seconds_total", "seconds", "CPU time that a shard's tasks have used, all classes together.");
static SCHEDULER_RUNTIME: Metric = Metric::new(
    "scheduler_runtime_seconds_total",
    "seconds",
    "CPU time that a shard's tasks have used, by scheduling class.",
);
static MEMORY_RESIDENT: Metric =
    Metric::new("memory_resident_bytes", "bytes", "Memory of the process that is in RAM, as the kernel counts it.");
static DISK_FREE: Metric = Metric::new("storage_disk_free_bytes", "bytes", "Free space of the data directory's disk.");
static DISK_TOTAL: Metric = Metric::new("storage_disk_total_bytes", "bytes", "Size of the data directory's disk.");
static DISK_ALERT: Metric = Metric::new(
    "storage_disk_free_space_alert",
    "state",
    "0: enough free space; 1: less than twice storage.min.free.bytes; 2: less than that, appends are refused.",
);
static CLUSTER_BROKERS: Metric = Metric::new("cluster_brokers", "brokers", "Brokers of the cluster.");
static CLUSTER_TOPICS: Metric = Metric::new("cluster_topics", "topics", "Topics of the cluster.");
static CLUSTER_PARTITIONS: Metric = Metric::new("cluster_partitions", "partitions", "Partitions of all topics.");
static UNAVAILABLE_PARTITIONS: Metric = Metric::new(
    "cluster_unavailable_partitions",
    "partitions",
    "Partitions that take no records and answer no readers.",
);
static KAFKA_PARTITIONS: Metric = Metric::new("kafka_partitions", "partitions", "Partitions of a topic.");
static MAX_OFFSET: Metric = Metric::new(
    "kafka_max_offset",
    "offset",
    "High watermark of a partition: offset behind the last record that readers see.",
);
static GROUP_COMMITTED: Metric = Metric::new(
    "kafka_consumer_group_committed_offset",
    "offset",
    "Offset that a group committed in a partition: the next one it will read.",
);
static GROUP_LAG_SUM: Metric = Metric::new(
    "kafka_consumer_group_lag_sum",
    "records",
    "Offsets between a group's committed offsets and the high watermarks, over all partitions.",
);
static GROUP_LAG_MAX: Metric =
    Metric::new("kafka_consumer_group_lag_max", "records", "As lag_sum, of the partition with the largest.");
static GROUP_CONSUMERS: Metric = Metric::new("kafka_consumer_group_consumers", "members", "Members of a group.");
static GROUP_TOPICS: Metric =
    Metric::new("kafka_consumer_group_topics", "topics", "Topics in which a group has committed offsets.");
static MAILBOX_DEPTH: Metric = Metric::new("mailbox_depth", "messages", "Messages that wait for a shard.");
static DETAIL_SUPPRESSED: Metric = Metric::new(
    "metrics_partition_detail_suppressed",
    "state",
    "1 while series of single partitions or groups are left out: over 10,000 of them, or metrics.partition_detail is false.",
);

/// The commit that was built; set by the build.
const REVISION: Option<&str> = option_env!("OUZEL_REVISION");
/// All topics of Kafka's clients are in it; Redpanda has others.
const NAMESPACE: &str = "kafka";

/// The text of a scrape. `depths`: messages that wait for each shard. `detail`: whether partitions may have series of their own.
pub(crate) fn render(answers: &[Answer], depths: &[usize], uptime: Duration, detail: bool) -> String {
    let registry = Registry::default();
    process(&registry, answers, depths, uptime);
    let detail = cluster(&registry, answers, detail);
    let suppressed = groups(&registry, answers, detail) || !detail;
    registry.gauge(&DETAIL_SUPPRESSED, vec![]).set(suppressed.into());
    let mut sum = registry.snapshot();
    for answer in answers {
        sum.add(answer.snapshot.clone());
    }
    let mut text = String::new();
    sum.write_text(&mut text);
    text
}

fn process(registry: &Registry, answers: &[Answer], depths: &[usize], uptime: Duration) {
    let build = vec![
        ("ouzel_version", env!("CARGO_PKG_VERSION").to_string()),
        ("ouzel_revision", REVISION.unwrap_or("unknown").to_string()),
    ];
    registry.gauge(&APPLICATION_BUILD, build).set(1);
    registry.counter(&APPLICATION_UPTIME, vec![]).add(nanoseconds(uptime));
    for answer in answers {
        let shard = answer.shard.0.to_string();
        for (class, busy) in &answer.busy {
            registry.counter(&CPU_BUSY, vec![("shard", shard.clone())]).add(nanoseconds(*busy));
            let labels = vec![("ouzel_scheduling_group", class.name().to_string()), ("shard", shard.clone())];
            registry.counter(&SCHEDULER_RUNTIME, labels).add(nanoseconds(*busy));
        }
    }
    for (shard, depth) in depths.iter().enumerate() {
        registry.gauge(&MAILBOX_DEPTH, vec![("shard", shard.to_string())]).set(whole(*depth as u64));
    }
    if let Some(bytes) = resident_bytes() {
        registry.gauge(&MEMORY_RESIDENT, vec![]).set(whole(bytes));
    }
    if let Some(disk) = answers.first().map(|answer| answer.disk).filter(|disk| disk.total > 0) {
        registry.gauge(&DISK_FREE, vec![]).set(whole(disk.free));
        registry.gauge(&DISK_TOTAL, vec![]).set(whole(disk.total));
        registry.gauge(&DISK_ALERT, vec![]).set(disk_alert(disk));
    }
}

fn disk_alert(disk: Disk) -> i64 {
    match disk.free {
        free if free < disk.threshold => 2,
        free if free < disk.threshold.saturating_mul(2) => 1,
        _ => 0,
    }
}

/// Topics and partitions; returns whether they have series of their own.
fn cluster(registry: &Registry, answers: &[Answer], wanted: bool) -> bool {
    let Some(first) = answers.first() else { return false };
    let image = &first.image;
    registry.gauge(&CLUSTER_BROKERS, vec![]).set(whole(image.nodes().len() as u64));
    registry.gauge(&CLUSTER_TOPICS, vec![]).set(whole(image.topic_count() as u64));
    registry.gauge(&CLUSTER_PARTITIONS, vec![]).set(whole(image.partition_count() as u64));
    let serving = answers.iter().flat_map(|a| &a.partitions).filter(|p| p.serves).count();
    let here: usize =
        image.topics().map(|topic| topic.partitions.iter().filter(|p| p.shard_on(first.node).is_some()).count()).sum();
    // A topic that is being made or deleted may be open and not yet, or no longer, in the image.
    registry.gauge(&UNAVAILABLE_PARTITIONS, vec![]).set(whole(here.saturating_sub(serving) as u64));
    if !wanted || image.partition_count() > DETAIL_MAX {
        return false;
    }
    for topic in image.topics() {
        registry.gauge(&KAFKA_PARTITIONS, topic_labels(&topic.name)).set(whole(topic.partitions.len() as u64));
    }
    for row in answers.iter().flat_map(|a| &a.partitions) {
        registry.gauge(&MAX_OFFSET, partition_labels(&row.topic, row.partition)).set(row.high_watermark);
    }
    true
}

/// Consumer groups, their lag against the high watermarks of all shards; returns whether some had to be left out.
fn groups(registry: &Registry, answers: &[Answer], detail: bool) -> bool {
    let mut ends = BTreeMap::new();
    for row in answers.iter().flat_map(|a| &a.partitions) {
        ends.insert((&row.topic, row.partition), (row.topic_id, row.high_watermark));
    }
    let all: usize = answers.iter().map(|a| a.groups.len()).sum();
    let offsets: usize = answers.iter().flat_map(|a| &a.groups).map(|g| g.offsets.len()).sum();
    if all > DETAIL_MAX {
        return true;
    }
    let detail = detail && offsets <= DETAIL_MAX;
    for group in answers.iter().flat_map(|a| &a.groups) {
        let (sum, max) = lag(group, &ends);
        let labels = || vec![("ouzel_group", group.group.clone())];
        registry.gauge(&GROUP_CONSUMERS, labels()).set(whole(group.members as u64));
        let topics: BTreeSet<&TopicName> = group.offsets.iter().map(|o| &o.topic).collect();
        registry.gauge(&GROUP_TOPICS, labels()).set(whole(topics.len() as u64));
        registry.gauge(&GROUP_LAG_SUM, labels()).set(sum);
        registry.gauge(&GROUP_LAG_MAX, labels()).set(max);
        for committed in group.offsets.iter().filter(|_| detail) {
            let mut labels = labels();
            labels.push(("ouzel_topic", committed.topic.to_string()));
            labels.push(("ouzel_partition", committed.partition.0.to_string()));
            registry.gauge(&GROUP_COMMITTED, labels).set(committed.offset);
        }
    }
    !detail || answers.iter().any(|a| a.groups_left_out)
}

/// Sum and maximum over the partitions that are there. One that was deleted and made anew counts as another.
fn lag(group: &GroupRow, ends: &BTreeMap<(&TopicName, PartitionId), (TopicId, i64)>) -> (i64, i64) {
    let lags = group.offsets.iter().filter_map(|committed| {
        let (topic_id, end) = ends.get(&(&committed.topic, committed.partition))?;
        committed.topic_id.is_none_or(|id| id == *topic_id).then(|| end.saturating_sub(committed.offset).max(0))
    });
    lags.fold((0, 0), |(sum, max), lag| (lag.saturating_add(sum), lag.max(max)))
}

fn topic_labels(topic: &TopicName) -> Labels {
    vec![("ouzel_namespace", NAMESPACE.to_string()), ("ouzel_topic", topic.to_string())]
}

fn partition_labels(topic: &TopicName, partition: PartitionId) -> Labels {
    let mut labels = topic_labels(topic);
    labels.push(("ouzel_partition", partition.0.to_string()));
    labels
}

fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn nanoseconds(d: Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)
}

/// The kernel's count for this process; `None` where it gives none.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::CommittedRow;

    #[test]
    fn the_alert_rises_as_space_runs_out() {
        let check =
            |free, expect| assert_eq!(disk_alert(Disk { free, total: 1_000, threshold: 100 }), expect, "{free}");
        check(99, 2);
        check(100, 1);
        check(199, 1);
        check(200, 0);
    }

    #[test]
    fn lag_counts_only_partitions_that_are_the_ones_committed_to() {
        let (a, gone) = (TopicName::new("a").unwrap(), TopicName::new("gone").unwrap());
        let committed = |topic: &TopicName, id, partition, offset| CommittedRow {
            topic: topic.clone(),
            topic_id: id,
            partition: PartitionId(partition),
            offset,
        };
        let (id, other) = (TopicId([1; 16]), TopicId([2; 16]));
        let ends = (0..4).map(|p| ((&a, PartitionId(p)), (id, 100))).collect();
        let offsets = vec![
            committed(&a, None, 0, 90),
            committed(&a, Some(id), 1, 70),
            committed(&a, Some(other), 2, 0),
            // Ahead of what is seen.
            committed(&a, None, 3, 200),
            committed(&gone, None, 0, 0),
        ];
        let group = GroupRow { group: "g".into(), members: 0, offsets };
        assert_eq!(lag(&group, &ends), (40, 30));
    }
}
