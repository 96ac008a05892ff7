//! OffsetCommit (8), 2-10: a group's next offsets.
//!
//! - v2-4: a retention time of the client's; v3: throttle time; v4: quota before throttling (KIP-219); v5 (KIP-211): no retention time
//!   any more; v6 (KIP-320): leader epochs; v7 (KIP-345): static members; v8: flexible; v9 (KIP-848): GROUP_ID_NOT_FOUND instead of
//!   ILLEGAL_GENERATION for a member's commit to a group that isn't there; v10 (KIP-848): topics by id.
//! - A topic or partition that isn't there: UNKNOWN_TOPIC_OR_PARTITION, by id UNKNOWN_TOPIC_ID. There is no error but a partition's:
//!   what fails as a whole fails on each.
//! - An offset is kept with its topic's id, so a topic of the same name that comes later doesn't start there.

use ouzel_groups::{CommitError, CommitOffset, CommitOffsetError, CommitOffsets, GroupRequest, GroupResponse};
use ouzel_model::PartitionId;
use ouzel_wire::ErrorCode;
use ouzel_wire::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

/// A partition of the request: its error, or its place among what is committed.
type Row = (i32, Result<usize, ErrorCode>);

pub(crate) async fn handle(cx: Cx, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let image = cx.kafka.shard.image();
    let mut offsets = Vec::new();
    let mut rows: Vec<(OffsetCommitResponseTopic, Vec<Row>)> = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let (found, missing) = if cx.version >= 10 {
            (image.topic_by_id(topic.topic_id), ErrorCode::UnknownTopicId)
        } else {
            (image.topic(&topic.name), ErrorCode::UnknownTopicOrPartition)
        };
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for p in topic.partitions {
            let row = match found {
                None => Err(missing),
                Some(found) if found.partition(PartitionId(p.partition_index)).is_none() => {
                    Err(ErrorCode::UnknownTopicOrPartition)
                }
                Some(found) => {
                    offsets.push((found.name.clone(), found.id, p.clone()));
                    Ok(offsets.len() - 1)
                }
            };
            partitions.push((p.partition_index, row));
        }
        let answer = OffsetCommitResponseTopic { name: topic.name, topic_id: topic.topic_id, partitions: Vec::new() };
        rows.push((answer, partitions));
    }
    if offsets.is_empty() {
        return respond(cx.version, rows, Ok(Vec::new()));
    }
    let commit = CommitOffsets {
        group: request.group_id.into(),
        member_id: request.member_id.into(),
        instance_id: request.group_instance_id.map(String::from),
        generation: request.generation_id_or_member_epoch,
        retention_ms: (request.retention_time_ms >= 0).then_some(request.retention_time_ms),
        transaction: None,
        offsets: offsets
            .into_iter()
            .map(|(name, id, p): (_, _, OffsetCommitRequestPartition)| CommitOffset {
                topic: name,
                topic_id: Some(id),
                partition: PartitionId(p.partition_index),
                offset: p.committed_offset,
                leader_epoch: (p.committed_leader_epoch >= 0).then_some(p.committed_leader_epoch),
                metadata: p.committed_metadata.map(String::from).unwrap_or_default(),
            })
            .collect(),
    };
    let GroupResponse::CommitOffsets(result) = groups::call(&cx, GroupRequest::CommitOffsets(commit)).await else {
        unreachable!("an answer is of its request's kind")
    };
    respond(cx.version, rows, result)
}

fn respond(
    version: i16,
    rows: Vec<(OffsetCommitResponseTopic, Vec<Row>)>,
    result: Result<Vec<Result<(), CommitOffsetError>>, CommitError>,
) -> OffsetCommitResponse {
    let code = |row: Result<usize, ErrorCode>| match (row, &result) {
        (Err(code), _) => code,
        (Ok(_), Err(why)) => error::commit(why, version),
        (Ok(place), Ok(results)) => results[place].map_or_else(|why| error::commit_offset(&why), |()| ErrorCode::None),
    };
    let topics = rows.into_iter().map(|(topic, partitions)| OffsetCommitResponseTopic {
        partitions: partitions
            .into_iter()
            .map(|(partition_index, row)| OffsetCommitResponsePartition {
                partition_index,
                error_code: code(row) as i16,
            })
            .collect(),
        ..topic
    });
    OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: i16, result: Result<Vec<Result<(), CommitOffsetError>>, CommitError>, expect: [ErrorCode; 3]) {
        let rows = vec![(0, Ok(0)), (1, Err(ErrorCode::UnknownTopicOrPartition)), (2, Ok(1))];
        let response = respond(version, vec![(OffsetCommitResponseTopic::default(), rows)], result);
        let codes: Vec<i16> = response.topics[0].partitions.iter().map(|p| p.error_code).collect();
        assert_eq!(codes, expect.map(|c| c as i16), "version {version}");
    }

    #[test]
    fn errors_stand_beside_their_partitions() {
        use ErrorCode as E;
        let large = vec![Ok(()), Err(CommitOffsetError::MetadataTooLarge)];
        for version in 2..=10 {
            check(version, Ok(large.clone()), [E::None, E::UnknownTopicOrPartition, E::OffsetMetadataTooLarge]);
            let missing = if version >= 9 { E::GroupIdNotFound } else { E::IllegalGeneration };
            check(version, Err(CommitError::GroupNotFound), [missing, E::UnknownTopicOrPartition, missing]);
        }
    }
}
