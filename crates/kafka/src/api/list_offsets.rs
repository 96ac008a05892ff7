//! ListOffsets (2), 1-11: an offset by time or by special name.
//!
//! - v2 (KIP-98): isolation; v4 (KIP-320): epochs; v7 (KIP-734): -3, the largest timestamp; v8 (KIP-405): -4, local start;
//!   v9 (KIP-1005): -5, last tiered; v10 (KIP-1075): timeout; v11 (KIP-1023): -6, earliest not uploaded.

use std::rc::Rc;

use ouzel_model::{PartitionId, ShardId, Timestamp, TopicId};
use ouzel_partition::{Found, OffsetSpec};
use ouzel_shard::Shard;
use ouzel_wire::ErrorCode;
use ouzel_wire::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};

use crate::dispatch::Cx;
use crate::error;

struct Item {
    topic: TopicId,
    partition: PartitionId,
    epoch: i32,
    spec: OffsetSpec,
}

type Answer = Result<Option<Found>, ErrorCode>;

enum Row {
    Known(Answer),
    Sent(usize),
}

pub(crate) async fn handle(cx: Cx, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let image = cx.kafka.shard.image();
    let mut items: Vec<(ShardId, Item)> = Vec::new();
    let mut rows = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let found = image.topic(&topic.name);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        let mut seen = std::collections::BTreeSet::new();
        for p in topic.partitions {
            let number = PartitionId(p.partition_index);
            let place = found.and_then(|t| Some((t.id, t.partition(number)?.shard_on(cx.kafka.shard.node())?)));
            let row = if request.replica_id >= 0 {
                // What replicas ask is between brokers.
                Row::Known(Err(ErrorCode::ClusterAuthorizationFailed))
            } else if !seen.insert(p.partition_index) {
                Row::Known(Err(ErrorCode::InvalidRequest))
            } else {
                match (place, spec(p.timestamp, cx.version)) {
                    (None, _) => Row::Known(Err(ErrorCode::UnknownTopicOrPartition)),
                    (_, Err(answer)) => Row::Known(answer),
                    (Some((topic, shard)), Ok(spec)) => {
                        let item = Item { topic, partition: number, epoch: p.current_leader_epoch, spec };
                        items.push((shard, item));
                        Row::Sent(items.len() - 1)
                    }
                }
            };
            partitions.push((p.partition_index, row));
        }
        rows.push((topic.name, partitions));
    }
    let mut results = cx.kafka.shard.scatter(items, look_up).await.gather().await;
    let topics = rows
        .into_iter()
        .map(|(name, partitions)| ListOffsetsTopicResponse {
            name,
            partitions: partitions
                .into_iter()
                .map(|(index, row)| {
                    let answer = match row {
                        Row::Known(answer) => answer,
                        Row::Sent(place) => results[place].take().unwrap_or(Err(ErrorCode::NotLeaderOrFollower)),
                    };
                    respond(index, answer)
                })
                .collect(),
        })
        .collect();
    ListOffsetsResponse { topics, ..Default::default() }
}

/// What a timestamp field asks for; the error is an answer that needs no look.
fn spec(timestamp: i64, version: i16) -> Result<OffsetSpec, Answer> {
    match timestamp {
        -1 => Ok(OffsetSpec::Latest),
        -2 => Ok(OffsetSpec::Earliest),
        -3 if version >= 7 => Ok(OffsetSpec::MaxTimestamp),
        // Nothing lies anywhere but here.
        -4 if version >= 8 => Ok(OffsetSpec::Earliest),
        -5 if version >= 9 => Err(Ok(None)),
        -6 if version >= 11 => Err(Ok(None)),
        time if time >= 0 => Ok(OffsetSpec::At(Timestamp(time))),
        _ => Err(Err(ErrorCode::UnsupportedVersion)),
    }
}

fn look_up(shard: &Rc<Shard>, items: Vec<Item>) -> impl Future<Output = Vec<Answer>> + use<> {
    let shard = shard.clone();
    async move {
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            answers.push(match shard.partition(item.topic, item.partition) {
                None => Err(error::absent(&shard, item.topic, item.partition)),
                Some(partition) => match super::fetch::epoch_error(item.epoch, partition.leader_epoch()) {
                    Some(code) => Err(code),
                    None => partition.lookup(item.spec).await.map_err(|e| error::lookup(&e)),
                },
            });
        }
        answers
    }
}

fn respond(partition_index: i32, answer: Answer) -> ListOffsetsPartitionResponse {
    let mut response = ListOffsetsPartitionResponse { partition_index, ..Default::default() };
    match answer {
        Err(code) => response.error_code = code as i16,
        Ok(None) => {}
        Ok(Some(found)) => {
            response.offset = found.offset.0;
            response.timestamp = found.timestamp.map_or(-1, |t| t.0);
            response.leader_epoch = found.leader_epoch.map_or(-1, |e| e.0);
        }
    }
    response
}
