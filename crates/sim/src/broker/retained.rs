//! Topics that retention acts on: what clients can see of it, and the time it has to act (I15).

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{DescribeLogDirsRequest, MetadataRequest};
use ouzel_runtime::Runtime;

use super::client::Cluster;
use super::session::Session;
use super::topics::{FIXED, Place};
use super::upkeep::{self, EARLIEST};
use crate::history::Event;

/// World time in which retention must have acted on a broker that is well: its looks are 30 s apart, and a segment is closed at one and
/// let go at the next.
pub const PATIENCE: Duration = Duration::from_secs(150);

impl Cluster {
    /// Tells the history what time it is, where that counts.
    pub fn note_time(&self, rt: &Runtime, place: &Place) {
        if place.policy.is_some() {
            self.history.record(Event::Time { ms: rt.now().as_millis() });
        }
    }
}

/// Asks where a log begins and how large it is, in one life of the broker. `None` when the connection is of no more use.
pub async fn look(rt: &Runtime, cluster: &Cluster, session: &mut Session, place: &Place) -> Option<()> {
    let Some(before) = leader_epoch(rt, session, place).await? else { return Some(()) };
    let start = upkeep::list_offset(rt, cluster, session, place, EARLIEST).await?;
    let topic = DescribableLogDirTopic::default().with_topic(place.topic.clone()).with_partitions(vec![place.number]);
    let request = DescribeLogDirsRequest::default().with_topics(Some(vec![topic]));
    let answer = session.ask(rt, 4, &request).await?;
    let topic = answer.results.first().and_then(|dir| dir.topics.first());
    let Some(row) = topic.and_then(|topic| topic.partitions.first()) else { return Some(()) };
    let after = leader_epoch(rt, session, place).await?;
    if after == Some(before) {
        let (partition, bytes) = (place.partition, row.partition_size as u64);
        cluster.history.record(Event::Kept { partition, epoch: before, start, bytes });
    }
    Some(())
}

/// A start of the broker begins a new one.
async fn leader_epoch(rt: &Runtime, session: &mut Session, place: &Place) -> Option<Option<i32>> {
    let topic = MetadataRequestTopic::default().with_name(Some(place.topic.clone()));
    let request = MetadataRequest::default().with_topics(Some(vec![topic]));
    let answer = session.ask(rt, 12, &request).await?;
    let row = answer.topics[0].partitions.iter().find(|p| p.partition_index == place.number);
    Some(row.map(|p| p.leader_epoch).filter(|epoch| *epoch >= 0))
}

/// In a healthy cluster whose clocks were never put forward: all that is older than it may be goes. Sets `done` when that was seen, or
/// the time for it is over.
pub async fn audit(rt: Runtime, cluster: Cluster, done: Rc<Cell<bool>>) {
    let begin = rt.now();
    let due = FIXED.iter().filter(|topic| topic.policy.is_some_and(|p| p.millis.is_some()));
    for (node, topic) in (0..cluster.nodes.len()).flat_map(|node| due.clone().map(move |topic| (node, topic))) {
        if !cluster.history.is_steady(node) {
            continue;
        }
        for number in 0..topic.partitions {
            let place = cluster.place(node, topic, number);
            let partition = place.partition;
            let end = cluster.history.high_watermark(partition);
            let mut start = None;
            // What a look can't see for long is another law's matter.
            while start.is_none() || start < Some(end) && rt.now().duration_since(begin) < PATIENCE {
                rt.sleep(Duration::from_millis(500)).await;
                if let Some(mut session) = Session::open(&rt, &cluster.nodes[node]).await {
                    start = upkeep::list_offset(&rt, &cluster, &mut session, &place, EARLIEST).await.or(start);
                }
            }
            cluster.history.record(Event::Due { partition, before: end, start: start.unwrap_or(0) });
        }
    }
    done.set(true);
}
