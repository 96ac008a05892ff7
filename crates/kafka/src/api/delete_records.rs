//! DeleteRecords (21), 0-2: moves a partition's log start. Source: KIP-107.
//!
//! - -1 is the high watermark; beyond it OFFSET_OUT_OF_RANGE. The start never moves back.
//! - A topic that is only compacted: POLICY_VIOLATION; an internal one: INVALID_TOPIC_EXCEPTION.

use std::rc::Rc;

use ouzel_model::{Offset, PartitionId, ShardId, TopicId};
use ouzel_shard::Shard;
use ouzel_wire::ErrorCode;
use ouzel_wire::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse, DeleteRecordsTopicResult,
};

use crate::dispatch::Cx;
use crate::error;

type Item = (TopicId, PartitionId, i64);
type Answer = Result<i64, ErrorCode>;

pub(crate) async fn handle(cx: Cx, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let shard = &cx.kafka.shard;
    let image = shard.image();
    let mut items: Vec<(ShardId, Item)> = Vec::new();
    let mut rows = Vec::new();
    for topic in request.topics {
        let found = image.topic(&topic.name);
        let refused = found.and_then(|t| {
            let policy = shard.topic_config(&image, t).cleanup_policy;
            match (t.name.is_internal(), policy.delete) {
                (true, _) => Some(ErrorCode::InvalidTopicException),
                (false, false) => Some(ErrorCode::PolicyViolation),
                (false, true) => None,
            }
        });
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for p in topic.partitions {
            let number = PartitionId(p.partition_index);
            let place = found.and_then(|t| Some((t.id, t.partition(number)?.shard_on(shard.node())?)));
            let row = match (place, refused) {
                (None, _) => Err(ErrorCode::UnknownTopicOrPartition),
                (_, Some(code)) => Err(code),
                (Some((topic, on)), None) => {
                    items.push((on, (topic, number, p.offset)));
                    Ok(items.len() - 1)
                }
            };
            partitions.push((p.partition_index, row));
        }
        rows.push((topic.name, partitions));
    }
    let results = shard.scatter(items, delete).await.gather().await;
    let topics = rows
        .into_iter()
        .map(|(name, partitions)| DeleteRecordsTopicResult {
            name,
            partitions: partitions
                .into_iter()
                .map(|(partition_index, row)| {
                    let answer = row.and_then(|place| results[place].unwrap_or(Err(ErrorCode::NotLeaderOrFollower)));
                    DeleteRecordsPartitionResult {
                        partition_index,
                        low_watermark: answer.unwrap_or(-1),
                        error_code: answer.err().unwrap_or(ErrorCode::None) as i16,
                    }
                })
                .collect(),
        })
        .collect();
    DeleteRecordsResponse { topics, ..Default::default() }
}

fn delete(shard: &Rc<Shard>, items: Vec<Item>) -> impl Future<Output = Vec<Answer>> + use<> {
    let shard = shard.clone();
    async move {
        let mut answers = Vec::with_capacity(items.len());
        for (topic, partition, offset) in items {
            let to = if offset == -1 { None } else { Some(Offset(offset)) };
            answers.push(match shard.partition(topic, partition) {
                None => Err(error::absent(&shard, topic, partition)),
                Some(partition) => {
                    partition.delete_records(to).await.map(|start| start.0).map_err(|e| error::delete_records(&e))
                }
            });
        }
        answers
    }
}
