//! OffsetForLeaderEpoch (23), 2-4: where an epoch's records end, for consumers that check for truncation. Source: KIP-101, KIP-320.

use std::rc::Rc;

use ouzel_model::{LeaderEpoch, PartitionId, ShardId, TopicId};
use ouzel_shard::Shard;
use ouzel_wire::ErrorCode;
use ouzel_wire::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};

use crate::dispatch::Cx;

type Answer = Result<Option<(LeaderEpoch, i64)>, ErrorCode>;
type Item = (TopicId, PartitionId, i32, i32);

pub(crate) async fn handle(cx: Cx, request: OffsetForLeaderEpochRequest) -> OffsetForLeaderEpochResponse {
    let image = cx.kafka.shard.image();
    let mut items: Vec<(ShardId, Item)> = Vec::new();
    let mut rows = Vec::new();
    for topic in request.topics {
        let found = image.topic(&topic.topic);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for p in topic.partitions {
            let number = PartitionId(p.partition);
            let place = found.and_then(|t| Some((t.id, t.partition(number)?.shard_on(cx.kafka.shard.node())?)));
            let sent = place.map(|(topic, shard)| {
                items.push((shard, (topic, number, p.current_leader_epoch, p.leader_epoch)));
                items.len() - 1
            });
            partitions.push((p.partition, sent));
        }
        rows.push((topic.topic, partitions));
    }
    let results = cx.kafka.shard.scatter(items, look_up).await.gather().await;
    let topics = rows
        .into_iter()
        .map(|(topic, partitions)| OffsetForLeaderTopicResult {
            topic,
            partitions: partitions
                .into_iter()
                .map(|(partition, sent)| {
                    let answer = match sent {
                        None => Err(ErrorCode::UnknownTopicOrPartition),
                        Some(place) => results[place].unwrap_or(Err(ErrorCode::NotLeaderOrFollower)),
                    };
                    let end = answer.unwrap_or(None);
                    EpochEndOffset {
                        error_code: answer.err().unwrap_or(ErrorCode::None) as i16,
                        partition,
                        leader_epoch: end.map_or(-1, |(epoch, _)| epoch.0),
                        end_offset: end.map_or(-1, |(_, end)| end),
                    }
                })
                .collect(),
        })
        .collect();
    OffsetForLeaderEpochResponse { topics, ..Default::default() }
}

fn look_up(shard: &Rc<Shard>, items: Vec<Item>) -> impl Future<Output = Vec<Answer>> + use<> {
    let answers = items
        .into_iter()
        .map(|(topic, partition, current, asked)| {
            let partition = shard.partition(topic, partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
            if let Some(code) = super::fetch::epoch_error(current, partition.leader_epoch()) {
                return Err(code);
            }
            match partition.epoch_end(LeaderEpoch(asked)) {
                Ok(end) => Ok(end.map(|(epoch, offset)| (epoch, offset.0))),
                Err(_) => Err(ErrorCode::NotLeaderOrFollower),
            }
        })
        .collect();
    async move { answers }
}
