//! DescribeTopicPartitions (75), 0: topics page by page, for clusters whose metadata doesn't fit one reply. Source: KIP-966.
//!
//! - Topics by name order, from the cursor's on; [] is all. Stops at min(limit, `max.request.partition.size.limit`) partitions;
//!   the next cursor names the first one left out.

use std::collections::BTreeSet;

use ouzel_wire::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
};
use ouzel_wire::{ErrorCode, Str};

use super::metadata;
use crate::dispatch::Cx;

pub(crate) async fn handle(cx: Cx, request: DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let image = cx.kafka.shard.image();
    let bound = cx.kafka.shard.cluster_config().described_partitions_max as usize;
    let mut left = usize::try_from(request.response_partition_limit).unwrap_or(0).clamp(1, bound.max(1));
    let all = request.topics.is_empty();
    let names: BTreeSet<Str> = match all {
        true => image.topics().map(|t| (&t.name).into()).collect(),
        false => request.topics.into_iter().map(|t| t.name).collect(),
    };
    let (from, mut skip) = match &request.cursor {
        None => (Str::new(), 0),
        Some(cursor) => (cursor.topic_name.clone(), usize::try_from(cursor.partition_index).unwrap_or(0)),
    };
    let mut response = DescribeTopicPartitionsResponse::default();
    if request.cursor.is_some() && !all && !names.contains(&from) {
        response.topics.push(missing(from, ErrorCode::InvalidRequest));
        return response;
    }
    for name in names.range(from.clone()..) {
        let first = if *name == from { std::mem::take(&mut skip) } else { 0 };
        if left == 0 {
            response.next_cursor = Some(next(name, first));
            break;
        }
        let Some(topic) = image.topic(name) else {
            response.topics.push(missing(name.clone(), ErrorCode::UnknownTopicOrPartition));
            continue;
        };
        let described = metadata::describe(&cx, topic);
        let count = described.partitions.len().saturating_sub(first).min(left);
        left -= count;
        let partitions = described
            .partitions
            .into_iter()
            .skip(first)
            .take(count)
            .map(|p| DescribeTopicPartitionsResponsePartition {
                error_code: p.error_code,
                partition_index: p.partition_index,
                leader_id: p.leader_id,
                leader_epoch: p.leader_epoch,
                replica_nodes: p.replica_nodes,
                isr_nodes: p.isr_nodes,
                eligible_leader_replicas: Some(Vec::new()),
                last_known_elr: Some(Vec::new()),
                offline_replicas: p.offline_replicas,
            })
            .collect();
        response.topics.push(DescribeTopicPartitionsResponseTopic {
            error_code: 0,
            name: described.name,
            topic_id: described.topic_id,
            is_internal: described.is_internal,
            partitions,
            topic_authorized_operations: metadata::TOPIC_OPERATIONS,
        });
        if first + count < topic.partitions.len() {
            response.next_cursor = Some(next(name, first + count));
            break;
        }
    }
    response
}

fn missing(name: Str, code: ErrorCode) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic { error_code: code as i16, name: Some(name), ..Default::default() }
}

fn next(name: &Str, partition: usize) -> ouzel_wire::describe_topic_partitions::NextCursor {
    ouzel_wire::describe_topic_partitions::NextCursor { topic_name: name.clone(), partition_index: partition as i32 }
}
