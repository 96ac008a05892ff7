//! What the shards are asked for, and how.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ouzel_controller::Image;
use ouzel_model::{NodeId, PartitionId, ShardId, TopicId, TopicName};
use ouzel_runtime::Class;
use ouzel_runtime::mailbox::{Sender, reply};
use ouzel_runtime::metrics::Snapshot;
use ouzel_runtime::sync::Gone;
use ouzel_shard::{Job, Shard};

/// Series of partitions and of groups: beyond this many they are left out. A shard tells of no more committed offsets either.
pub(crate) const DETAIL_MAX: usize = 10_000;
/// Rows between two yields.
const SLICE: usize = 512;

/// One shard's answer to a scrape.
pub(crate) struct Answer {
    pub shard: ShardId,
    pub node: NodeId,
    pub image: Arc<Image>,
    pub snapshot: Snapshot,
    /// CPU time used, by class.
    pub busy: Vec<(Class, Duration)>,
    pub partitions: Vec<PartitionRow>,
    pub groups: Vec<GroupRow>,
    /// Whether there are more groups than could be told.
    pub groups_left_out: bool,
    pub disk: Disk,
}

/// A partition that is open on the shard.
pub(crate) struct PartitionRow {
    pub topic: TopicName,
    pub topic_id: TopicId,
    pub partition: PartitionId,
    pub high_watermark: i64,
    pub serves: bool,
}

/// A consumer group that is coordinated on the shard.
pub(crate) struct GroupRow {
    pub group: String,
    pub members: usize,
    pub offsets: Vec<CommittedRow>,
}

/// A committed offset.
pub(crate) struct CommittedRow {
    pub topic: TopicName,
    /// The topic's id, where the committer named it.
    pub topic_id: Option<TopicId>,
    pub partition: PartitionId,
    pub offset: i64,
}

/// The disk of the data directory, bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Disk {
    pub free: u64,
    pub total: u64,
    /// Appends are refused below.
    pub threshold: u64,
}

/// Has `work` done on the shard of `inbox`, behind what its clients wait for. `Gone` when the shard has stopped.
pub(crate) async fn ask<T, F>(
    inbox: &Sender<Job>,
    work: impl FnOnce(Rc<Shard>) -> F + Send + 'static,
) -> Result<T, Gone>
where
    T: Send + 'static,
    F: Future<Output = T> + 'static,
{
    let (answer, answered) = reply::<T>();
    let job: Job = Box::new(move |shard| {
        let shard = shard.clone();
        Box::pin(async move {
            // Whoever gave up waiting wants no work done.
            if !answer.is_closed() {
                let owner = shard.clone();
                owner.own(Class::Background, async move { answer.send(work(shard).await) });
            }
        })
    });
    inbox.send(job).await?;
    answered.await
}

/// The answers of all shards, in order; `None` when one has stopped. All are asked at once.
pub(crate) async fn all(inboxes: &[Sender<Job>]) -> Option<Vec<Answer>> {
    let mut asked = tokio::task::JoinSet::new();
    for inbox in inboxes {
        let inbox = inbox.clone();
        asked.spawn(async move { ask(&inbox, answer).await });
    }
    let mut answers = Vec::with_capacity(inboxes.len());
    while let Some(joined) = asked.join_next().await {
        answers.push(joined.ok()?.ok()?);
    }
    answers.sort_by_key(|answer: &Answer| answer.shard);
    Some(answers)
}

async fn answer(shard: Rc<Shard>) -> Answer {
    let rt = shard.runtime();
    let mut partitions = Vec::new();
    for slice in shard.all_partitions().chunks(SLICE) {
        partitions.extend(slice.iter().map(|partition| PartitionRow {
            topic: partition.topic().clone(),
            topic_id: partition.topic_id(),
            partition: partition.id(),
            high_watermark: partition.high_watermark().0,
            serves: partition.serves(),
        }));
        rt.yield_now().await;
    }
    let (groups, groups_left_out) = groups(&shard).await;
    let threshold = shard.store().health().threshold;
    let space = rt.disk().space(shard.data_dir()).await;
    Answer {
        shard: shard.id(),
        node: shard.node(),
        image: shard.image(),
        // Last, so that a produce that was answered before the scrape is in it.
        snapshot: rt.metrics().snapshot(),
        busy: Class::ALL.iter().map(|class| (*class, rt.busy(*class))).collect(),
        partitions,
        groups,
        groups_left_out,
        disk: space.map(|s| Disk { free: s.free, total: s.total, threshold }).unwrap_or_default(),
    }
}

/// The groups of this shard's coordinators, and whether some were left out.
async fn groups(shard: &Rc<Shard>) -> (Vec<GroupRow>, bool) {
    let mut rows = Vec::new();
    let mut left = DETAIL_MAX;
    for coordinator in shard.all_coordinators() {
        let ids: Vec<String> = coordinator.groups().ids().take(left + 1).map(String::from).collect();
        let mut since_yield = 0;
        for group in ids {
            if left == 0 {
                return (rows, true);
            }
            let row = {
                let groups = coordinator.groups();
                let offsets = groups.committed(&group).take(left).map(|(topic, partition, committed)| CommittedRow {
                    topic: topic.clone(),
                    topic_id: committed.topic_id,
                    partition,
                    offset: committed.offset,
                });
                let offsets: Vec<CommittedRow> = offsets.collect();
                if groups.committed(&group).nth(offsets.len()).is_some() {
                    // Half a group's lag would be a wrong one.
                    return (rows, true);
                }
                let members = groups.members(&group);
                GroupRow { group, members, offsets }
            };
            let cost = row.offsets.len().max(1);
            left = left.saturating_sub(cost);
            since_yield += cost;
            rows.push(row);
            if since_yield >= SLICE {
                since_yield = 0;
                shard.runtime().yield_now().await;
            }
        }
    }
    (rows, false)
}
