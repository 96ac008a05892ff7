//! OffsetDelete (47), 0: forgets a group's offsets (KIP-496).
//!
//! - A partition that isn't there: UNKNOWN_TOPIC_OR_PARTITION; one that a member reads: GROUP_SUBSCRIBED_TO_TOPIC. A group of another
//!   protocol type with members: NON_EMPTY_GROUP.
//! - An error of the whole comes without partitions.

use ouzel_groups::{DeleteOffsets, GroupRequest, GroupResponse};
use ouzel_model::PartitionId;
use ouzel_wire::ErrorCode;
use ouzel_wire::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let image = cx.kafka.shard.image();
    let mut partitions = Vec::new();
    let mut rows = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let found = image.topic(&topic.name);
        let mut places = Vec::with_capacity(topic.partitions.len());
        for p in topic.partitions {
            let number = PartitionId(p.partition_index);
            let place = found.filter(|t| t.partition(number).is_some()).map(|t| {
                partitions.push((t.name.clone(), number));
                partitions.len() - 1
            });
            places.push((p.partition_index, place));
        }
        rows.push((topic.name, places));
    }
    let mut results = Vec::new();
    if !partitions.is_empty() {
        let delete = GroupRequest::DeleteOffsets(DeleteOffsets { group: request.group_id.into(), partitions });
        let GroupResponse::DeleteOffsets(result) = groups::call(&cx, delete).await else {
            unreachable!("an answer is of its request's kind")
        };
        match result {
            Ok(all) => results = all,
            Err(why) => {
                return OffsetDeleteResponse { error_code: error::delete_offsets(&why) as i16, ..Default::default() };
            }
        }
    }
    let code = |place: Option<usize>| match place {
        None => ErrorCode::UnknownTopicOrPartition,
        Some(place) => results[place].map_or_else(|why| error::delete_offset(&why), |()| ErrorCode::None),
    };
    let topics = rows.into_iter().map(|(name, places)| OffsetDeleteResponseTopic {
        name,
        partitions: places
            .into_iter()
            .map(|(partition_index, place)| OffsetDeleteResponsePartition {
                partition_index,
                error_code: code(place) as i16,
            })
            .collect(),
    });
    OffsetDeleteResponse { topics: topics.collect(), ..Default::default() }
}
