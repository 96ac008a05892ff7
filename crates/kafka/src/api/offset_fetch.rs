//! OffsetFetch (9), 1-10: a group's committed offsets.
//!
//! - v2 (KIP-88): null topics are all, an error of the whole; v3: throttle time; v4: quota before throttling (KIP-219); v5 (KIP-320):
//!   leader epochs; v6: flexible; v7 (KIP-447): `require_stable`; v8 (KIP-709): many groups; v9 (KIP-848): member and epoch, which
//!   classic groups don't look at; v10 (KIP-848): topics by id, an unknown one is UNKNOWN_TOPIC_ID.
//! - No offset, no partition, no topic by that name, no group: offset -1 and no error. So is an offset that was committed for another
//!   topic of the same name.
//! - In version 1 an error stands on every partition that was asked for.

use std::sync::Arc;

use ouzel_controller::{Image, Topic};
use ouzel_groups::{FetchError, FetchOffset, FetchOffsets, FetchedOffset, GroupRequest, GroupResponse};
use ouzel_model::{PartitionId, TopicId, TopicName};
use ouzel_wire::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use ouzel_wire::{ErrorCode, Str};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

/// A topic of the request, and for each partition its place among what the coordinator is asked, if it is.
struct Row {
    topic: OffsetFetchRequestTopics,
    sent: Result<Vec<Option<usize>>, ErrorCode>,
}

pub(crate) async fn handle(cx: Cx, request: OffsetFetchRequest) -> OffsetFetchResponse {
    let image = cx.kafka.shard.image();
    let stable = request.require_stable;
    let asked = if cx.version >= 8 { request.groups } else { vec![as_group(request)] };
    let mut calls = Vec::with_capacity(asked.len());
    let mut groups = Vec::with_capacity(asked.len());
    for group in asked {
        let mut partitions = Vec::new();
        let rows = group.topics.map(|topics| {
            topics.into_iter().map(|topic| look_up(&image, cx.version, topic, &mut partitions)).collect::<Vec<_>>()
        });
        calls.push(GroupRequest::FetchOffsets(FetchOffsets {
            group: group.group_id.as_str().into(),
            partitions: rows.is_some().then_some(partitions),
            require_stable: stable,
        }));
        groups.push((group.group_id, rows));
    }
    let results = groups::call_all(&cx, calls).await;
    let groups = groups.into_iter().zip(results).map(|((group, rows), response)| {
        let GroupResponse::FetchOffsets(result) = response else { unreachable!("an answer is of its request's kind") };
        respond(&image, cx.version, group, rows, result)
    });
    let mut groups: Vec<_> = groups.collect();
    if cx.version >= 8 {
        return OffsetFetchResponse { groups, ..Default::default() };
    }
    let only = groups.pop().unwrap_or_default();
    OffsetFetchResponse {
        error_code: only.error_code,
        topics: only.topics.into_iter().map(old).collect(),
        ..Default::default()
    }
}

/// The one group of versions 1 to 7.
fn as_group(request: OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        });
        topics.collect()
    });
    OffsetFetchRequestGroup { group_id: request.group_id, topics, ..Default::default() }
}

fn old(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic
            .partitions
            .into_iter()
            .map(|p| OffsetFetchResponsePartition {
                partition_index: p.partition_index,
                committed_offset: p.committed_offset,
                committed_leader_epoch: p.committed_leader_epoch,
                metadata: p.metadata,
                error_code: p.error_code,
            })
            .collect(),
    }
}

/// Puts what the coordinator can know of a topic into `partitions`.
fn look_up(image: &Image, version: i16, topic: OffsetFetchRequestTopics, partitions: &mut Vec<FetchOffset>) -> Row {
    let found: Option<&Arc<Topic>> =
        if version >= 10 { image.topic_by_id(topic.topic_id) } else { image.topic(&topic.name) };
    let name = match found {
        Some(found) => Some(found.name.clone()),
        None if version >= 10 => return Row { topic, sent: Err(ErrorCode::UnknownTopicId) },
        // Offsets of a topic that was just deleted can still be seen; under an illegal name there are none.
        None => TopicName::new(&topic.name).ok(),
    };
    let mut sent = Vec::with_capacity(topic.partition_indexes.len());
    for &index in &topic.partition_indexes {
        sent.push(name.clone().map(|name| {
            partitions.push(FetchOffset { topic: name, topic_id: found.map(|t| t.id), partition: PartitionId(index) });
            partitions.len() - 1
        }));
    }
    Row { topic, sent: Ok(sent) }
}

fn respond(
    image: &Image,
    version: i16,
    group_id: Str,
    rows: Option<Vec<Row>>,
    result: Result<Vec<FetchedOffset>, FetchError>,
) -> OffsetFetchResponseGroup {
    let code = result.as_ref().map_or_else(error::fetch_offsets, |_| ErrorCode::None);
    if code != ErrorCode::None && version >= 2 {
        return OffsetFetchResponseGroup { group_id, error_code: code as i16, ..Default::default() };
    }
    let fetched = result.unwrap_or_default();
    let topics = match rows {
        Some(rows) => rows.into_iter().map(|row| answer(row, &fetched, code)).collect(),
        None => everything(image, version, fetched),
    };
    OffsetFetchResponseGroup { group_id, topics, ..Default::default() }
}

/// What was asked for; `code` is the error of the whole in version 1.
fn answer(row: Row, fetched: &[FetchedOffset], code: ErrorCode) -> OffsetFetchResponseTopics {
    let partition = |(at, &index): (usize, &i32)| match &row.sent {
        Err(code) => nothing(index, *code),
        Ok(_) if code != ErrorCode::None => nothing(index, code),
        Ok(sent) => sent[at].map_or_else(|| nothing(index, ErrorCode::None), |place| one(&fetched[place])),
    };
    let partitions = row.topic.partition_indexes.iter().enumerate().map(partition).collect();
    OffsetFetchResponseTopics { name: row.topic.name, topic_id: row.topic.topic_id, partitions }
}

/// All offsets of the group, by topic.
fn everything(image: &Image, version: i16, fetched: Vec<FetchedOffset>) -> Vec<OffsetFetchResponseTopics> {
    let mut topics: Vec<OffsetFetchResponseTopics> = Vec::new();
    for offset in fetched {
        let now = image.topic(offset.topic.as_str()).map(|topic| topic.id);
        let then = offset.result.as_ref().ok().and_then(|committed| committed.as_ref()?.topic_id);
        let of_another = now.zip(then).is_some_and(|(now, then)| now != then);
        let id = now.or(then).unwrap_or(TopicId::ZERO);
        // Where topics are named by id, one without an id has no name.
        if of_another || (version >= 10 && id.is_zero()) {
            continue;
        }
        match topics.last_mut() {
            Some(last) if *last.name == *offset.topic.as_str() => last.partitions.push(one(&offset)),
            _ => topics.push(OffsetFetchResponseTopics {
                name: (&offset.topic).into(),
                topic_id: id,
                partitions: vec![one(&offset)],
            }),
        }
    }
    topics
}

fn one(fetched: &FetchedOffset) -> OffsetFetchResponsePartitions {
    let index = fetched.partition.0;
    match &fetched.result {
        Err(unstable) => nothing(index, error::unstable(unstable)),
        Ok(None) => nothing(index, ErrorCode::None),
        Ok(Some(committed)) => OffsetFetchResponsePartitions {
            partition_index: index,
            committed_offset: committed.offset,
            committed_leader_epoch: committed.leader_epoch.unwrap_or(-1),
            metadata: Some(committed.metadata.as_str().into()),
            error_code: ErrorCode::None as i16,
        },
    }
}

fn nothing(partition_index: i32, code: ErrorCode) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(Str::new()),
        error_code: code as i16,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ouzel_groups::{Committed, Unavailable, UnstableOffset};
    use ouzel_model::Timestamp;

    fn fetched(partition: i32, result: Result<Option<i64>, UnstableOffset>) -> FetchedOffset {
        let committed = |offset| Committed {
            offset,
            leader_epoch: None,
            metadata: "note".into(),
            commit_time: Timestamp(1),
            expire_time: None,
            topic_id: Some(TopicId([7; 16])),
        };
        FetchedOffset {
            topic: TopicName::new("t").unwrap(),
            partition: PartitionId(partition),
            result: result.map(|found| found.map(committed)),
        }
    }

    fn row(version: i16, image: &Image, partitions: &mut Vec<FetchOffset>) -> Row {
        let topic = OffsetFetchRequestTopics { name: "t".into(), partition_indexes: vec![0, 1], ..Default::default() };
        look_up(image, version, topic, partitions)
    }

    /// Codes and offsets of a group's answer.
    fn check(version: i16, result: Result<Vec<FetchedOffset>, FetchError>, expect: (ErrorCode, &[(ErrorCode, i64)])) {
        let image = Image::default();
        let rows = vec![row(version, &image, &mut Vec::new())];
        let answer = respond(&image, version, "g".into(), Some(rows), result);
        let partitions: Vec<_> = answer
            .topics
            .iter()
            .flat_map(|t| t.partitions.iter().map(|p| (ErrorCode::from_code(p.error_code), p.committed_offset)))
            .collect();
        assert_eq!(ErrorCode::from_code(answer.error_code), expect.0, "version {version}");
        assert_eq!(partitions, expect.1, "version {version}");
    }

    #[test]
    fn an_error_of_the_whole_has_its_place_in_each_version() {
        use ErrorCode as E;
        let loading = || Err(FetchError::from(Unavailable::Loading));
        let code = E::CoordinatorLoadInProgress;
        check(1, loading(), (E::None, &[(code, -1), (code, -1)]));
        for version in 2..=9 {
            check(version, loading(), (code, &[]));
            let some = vec![fetched(0, Ok(Some(5))), fetched(1, Err(UnstableOffset))];
            check(version, Ok(some), (E::None, &[(E::None, 5), (E::UnstableOffsetCommit, -1)]));
        }
        check(10, Ok(vec![]), (E::None, &[(E::UnknownTopicId, -1), (E::UnknownTopicId, -1)]));
    }

    #[test]
    fn an_illegal_topic_name_has_no_offsets() {
        let mut partitions = Vec::new();
        let topic = OffsetFetchRequestTopics { name: "a b".into(), partition_indexes: vec![0], ..Default::default() };
        let row = look_up(&Image::default(), 9, topic, &mut partitions);
        assert!(partitions.is_empty());
        assert_eq!(answer(row, &[], ErrorCode::None).partitions[0], nothing(0, ErrorCode::None));
    }

    #[test]
    fn all_offsets_come_by_topic() {
        let all = vec![fetched(0, Ok(Some(5))), fetched(2, Ok(Some(6)))];
        let topics = everything(&Image::default(), 10, all);
        assert_eq!((topics.len(), topics[0].topic_id, topics[0].partitions.len()), (1, TopicId([7; 16]), 2));
    }
}
