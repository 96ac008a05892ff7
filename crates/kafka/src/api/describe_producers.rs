//! DescribeProducers (61), 0: the idempotent producers a partition remembers. Source: KIP-664.

use std::rc::Rc;

use ouzel_model::{PartitionId, ShardId, TopicId};
use ouzel_partition::ActiveProducer;
use ouzel_shard::Shard;
use ouzel_wire::ErrorCode;
use ouzel_wire::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};

use crate::dispatch::Cx;

type Answer = Result<Vec<ActiveProducer>, ErrorCode>;

pub(crate) async fn handle(cx: Cx, request: DescribeProducersRequest) -> DescribeProducersResponse {
    let shard = &cx.kafka.shard;
    let image = shard.image();
    let mut items: Vec<(ShardId, (TopicId, PartitionId))> = Vec::new();
    let mut rows = Vec::new();
    for topic in request.topics {
        let found = image.topic(&topic.name);
        let partitions: Vec<_> = topic
            .partition_indexes
            .into_iter()
            .map(|index| {
                let number = PartitionId(index);
                let place = found.and_then(|t| Some((t.id, t.partition(number)?.shard_on(shard.node())?)));
                let sent = place.map(|(topic, on)| {
                    items.push((on, (topic, number)));
                    items.len() - 1
                });
                (index, sent)
            })
            .collect();
        rows.push((topic.name, partitions));
    }
    let mut results = shard.scatter(items, producers).await.gather().await;
    let topics = rows
        .into_iter()
        .map(|(name, partitions)| TopicResponse {
            name,
            partitions: partitions
                .into_iter()
                .map(|(partition_index, sent)| {
                    let answer = match sent {
                        None => Err(ErrorCode::UnknownTopicOrPartition),
                        Some(place) => results[place].take().unwrap_or(Err(ErrorCode::NotLeaderOrFollower)),
                    };
                    PartitionResponse {
                        partition_index,
                        error_code: answer.as_ref().err().copied().unwrap_or(ErrorCode::None) as i16,
                        active_producers: answer.unwrap_or_default().into_iter().map(row).collect(),
                        ..Default::default()
                    }
                })
                .collect(),
        })
        .collect();
    DescribeProducersResponse { topics, ..Default::default() }
}

fn producers(shard: &Rc<Shard>, items: Vec<(TopicId, PartitionId)>) -> impl Future<Output = Vec<Answer>> + use<> {
    let answers = items
        .into_iter()
        .map(|(topic, partition)| {
            let partition = shard.partition(topic, partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
            partition.producers().map_err(|_| ErrorCode::NotLeaderOrFollower)
        })
        .collect();
    async move { answers }
}

fn row(producer: ActiveProducer) -> ProducerState {
    ProducerState {
        producer_id: producer.id.0,
        producer_epoch: i32::from(producer.epoch.0),
        last_sequence: producer.last_sequence,
        last_timestamp: producer.last_timestamp.0,
        coordinator_epoch: -1,
        ..Default::default()
    }
}
