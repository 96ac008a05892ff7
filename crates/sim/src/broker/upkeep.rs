//! What clients do besides records: commit and fetch a group's offsets, and move a log's start.

use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    BrokerId, DeleteRecordsRequest, DescribeProducersRequest, FindCoordinatorRequest, GroupId, ListOffsetsRequest,
    OffsetCommitRequest, OffsetFetchRequest,
};
use kafka_protocol::protocol::StrBytes;
use ouzel_runtime::Runtime;

use super::client::Cluster;
use super::session::Session;
use super::topics::Place;
use crate::history::Event;

/// ListOffsets' name for the log's end.
pub const LATEST: i64 = -1;
/// ListOffsets' name for the log's start.
pub const EARLIEST: i64 = -2;

/// Each client has a group to itself, and commits as Kafka's standalone consumers do: without membership.
fn group(client: u32) -> StrBytes {
    StrBytes::from_string(format!("g{client}"))
}

/// Asks for the group's coordinator, which creates the topic of offsets at its first use. Whether there is one now.
pub async fn coordinator(rt: &Runtime, session: &mut Session, client: u32) -> Option<bool> {
    let request = FindCoordinatorRequest::default().with_key(group(client)).with_key_type(0);
    Some(session.ask(rt, 3, &request).await?.error_code == 0)
}

/// Commits `offset`; `None` when the connection is of no more use. A commit that failed may still have been made.
pub async fn commit(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    client: u32,
    place: &Place,
    offset: u64,
) -> Option<()> {
    let partition = place.partition;
    cluster.history.record(Event::Commit { partition, group: client, offset });
    let row = OffsetCommitRequestPartition::default()
        .with_partition_index(place.number)
        .with_committed_offset(offset as i64)
        .with_committed_metadata(Some(StrBytes::from_static_str("")));
    let topic = OffsetCommitRequestTopic::default().with_name(place.topic.clone()).with_partitions(vec![row]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(group(client)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    let answer = session.ask(rt, 8, &request).await;
    let code = answer.map(|answer| answer.topics[0].partitions[0].error_code);
    if code == Some(0) && cluster.churn.holds(place) {
        cluster.history.record(Event::Committed { partition, group: client, offset });
    } else {
        cluster.churn.mute(client, place);
    }
    code.map(|_| ())
}

/// Reads what the group has committed. Whether it was told; `None` when the connection is of no more use.
pub async fn committed(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    client: u32,
    place: &Place,
) -> Option<bool> {
    let partition = place.partition;
    let topic =
        OffsetFetchRequestTopic::default().with_name(place.topic.clone()).with_partition_indexes(vec![place.number]);
    let request = OffsetFetchRequest::default().with_group_id(GroupId(group(client))).with_topics(Some(vec![topic]));
    let answer = session.ask(rt, 7, &request).await?;
    let row = answer.topics.first().and_then(|t| t.partitions.first());
    match row {
        Some(row) if answer.error_code == 0 && row.error_code == 0 => {
            let offset = u64::try_from(row.committed_offset).ok();
            if cluster.churn.holds(place) {
                cluster.history.record(Event::CommitRead { partition, group: client, offset });
            }
            Some(true)
        }
        _ => Some(false),
    }
}

/// Has all records below `before` deleted; `None` when the connection is of no more use.
pub async fn delete_records(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    place: &Place,
    before: u64,
) -> Option<()> {
    let partition = place.partition;
    let known = cluster.history.log_start(partition);
    cluster.history.record(Event::Delete { partition, before });
    let row = DeleteRecordsPartition::default().with_partition_index(place.number).with_offset(before as i64);
    let topic = DeleteRecordsTopic::default().with_name(place.topic.clone()).with_partitions(vec![row]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(5_000);
    let answer = session.ask(rt, 2, &request).await?;
    let row = &answer.topics[0].partitions[0];
    if row.error_code == 0 {
        let known = known.max(before);
        cluster.history.record(Event::LogStart { partition, known, start: row.low_watermark as u64 });
    }
    Some(())
}

/// The offset of [`LATEST`] or [`EARLIEST`].
pub async fn list_offset(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    place: &Place,
    which: i64,
) -> Option<u64> {
    let partition = place.partition;
    let known = match which {
        EARLIEST => cluster.history.log_start(partition),
        _ => cluster.history.high_watermark(partition),
    };
    let wanted = ListOffsetsPartition::default().with_partition_index(place.number).with_timestamp(which);
    let topic = ListOffsetsTopic::default().with_name(place.topic.clone()).with_partitions(vec![wanted]);
    let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
    let answer = session.ask(rt, 5, &request).await?;
    let row = &answer.topics[0].partitions[0];
    let offset = (row.error_code == 0).then_some(row.offset as u64)?;
    if !cluster.churn.holds(place) {
        return Some(offset);
    }
    cluster.note_time(rt, place);
    cluster.history.record(match which {
        EARLIEST => Event::LogStart { partition, known, start: offset },
        _ => Event::HighWatermark { partition, known, end: offset },
    });
    Some(offset)
}

/// Asks which producers a partition remembers: none that never wrote there. `None` when the connection is of no more use.
pub async fn producers(rt: &Runtime, cluster: &Cluster, session: &mut Session, place: &Place) -> Option<()> {
    let topic = TopicRequest::default().with_name(place.topic.clone()).with_partition_indexes(vec![place.number]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let answer = session.ask(rt, 0, &request).await?;
    let row = &answer.topics[0].partitions[0];
    if row.error_code == 0 && cluster.churn.holds(place) {
        for producer in row.active_producers.iter().map(|p| p.producer_id.0) {
            cluster.history.record(Event::Remembered { partition: place.partition, producer });
        }
    }
    Some(())
}
