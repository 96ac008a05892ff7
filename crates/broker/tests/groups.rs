//! Classic groups and their offsets over plain sockets: what members see of each other, and what outlives the broker.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod raw;

use bytes::Bytes;
use ouzel_broker::Broker;
use ouzel_model::TopicId;
use ouzel_wire::create_topics::{CreatableTopic, CreateTopicsRequest};
use ouzel_wire::delete_groups::DeleteGroupsRequest;
use ouzel_wire::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use ouzel_wire::describe_groups::{DescribeGroupsRequest, DescribedGroup};
use ouzel_wire::find_coordinator::FindCoordinatorRequest;
use ouzel_wire::heartbeat::HeartbeatRequest;
use ouzel_wire::incremental_alter_configs::{AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest};
use ouzel_wire::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use ouzel_wire::leave_group::{LeaveGroupRequest, MemberIdentity};
use ouzel_wire::list_groups::ListGroupsRequest;
use ouzel_wire::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use ouzel_wire::offset_commit::{OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use ouzel_wire::offset_delete::{OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use ouzel_wire::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use ouzel_wire::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use ouzel_wire::{ApiKey, ErrorCode};
use raw::{Client, Dir, block_on, start};

const JOIN: i16 = 9;
const SYNC: i16 = 5;
/// Round trips until something must have happened.
const TRIES: usize = 200_000;

fn code(code: i16) -> ErrorCode {
    ErrorCode::from_code(code)
}

/// Creates topic `t`, and `__consumer_offsets` by looking for the group.
fn prepare(client: &mut Client, partitions: i32) -> TopicId {
    let topic =
        CreatableTopic { name: "t".into(), num_partitions: partitions, replication_factor: -1, ..Default::default() };
    let created = client.call(7, &CreateTopicsRequest { topics: vec![topic], ..Default::default() });
    assert_eq!(code(created.topics[0].error_code), ErrorCode::None);
    let find = FindCoordinatorRequest { coordinator_keys: vec!["g".into()], ..Default::default() };
    let found = (0..TRIES).any(|_| client.call(6, &find).coordinators[0].error_code == 0);
    assert!(found, "the coordinator stands");
    created.topics[0].topic_id
}

fn join(member: &str, session_timeout_ms: i32) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms,
        rebalance_timeout_ms: 60_000,
        member_id: member.into(),
        protocol_type: "consumer".into(),
        // Version 0 of a subscription: topic t.
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from_static(b"\x00\x00\x00\x00\x00\x01\x00\x01t\xff\xff\xff\xff"),
        }],
        ..Default::default()
    }
}

/// A newcomer's id.
fn new_id(client: &mut Client) -> String {
    let first = client.call(JOIN, &join("", 60_000));
    assert_eq!(code(first.error_code), ErrorCode::MemberIdRequired);
    first.member_id.into()
}

fn sync(member: &str, generation_id: i32, assignments: &[(&str, &'static [u8])]) -> SyncGroupRequest {
    SyncGroupRequest {
        group_id: "g".into(),
        generation_id,
        member_id: member.into(),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: assignments
            .iter()
            .map(|(member, bytes)| SyncGroupRequestAssignment {
                member_id: (*member).into(),
                assignment: Bytes::from_static(bytes),
            })
            .collect(),
        ..Default::default()
    }
}

fn heartbeat(client: &mut Client, member: &str, generation_id: i32) -> ErrorCode {
    let beat = HeartbeatRequest { group_id: "g".into(), generation_id, member_id: member.into(), ..Default::default() };
    code(client.call(4, &beat).error_code)
}

fn until_rebalance(client: &mut Client, member: &str, generation: i32) {
    let told = (0..TRIES).any(|_| heartbeat(client, member, generation) == ErrorCode::RebalanceInProgress);
    assert!(told, "a member hears of the rebalance");
}

fn commit(
    member: &str,
    generation: i32,
    partitions: impl Iterator<Item = (i32, i64)>,
    note: &str,
) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: generation,
        member_id: member.into(),
        topics: vec![OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: partitions
                .map(|(partition_index, committed_offset)| OffsetCommitRequestPartition {
                    partition_index,
                    committed_offset,
                    committed_metadata: Some(note.into()),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn committed(client: &mut Client, request: &OffsetCommitRequest) -> Vec<ErrorCode> {
    let response = client.call(8, request);
    response.topics[0].partitions.iter().map(|p| code(p.error_code)).collect()
}

/// All offsets of the group, when its coordinator has loaded.
fn all_offsets(client: &mut Client) -> Vec<(i32, i64)> {
    let group = OffsetFetchRequestGroup { group_id: "g".into(), topics: None, ..Default::default() };
    let fetch = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    for _ in 0..TRIES {
        let group = client.call(9, &fetch).groups.remove(0);
        match code(group.error_code) {
            ErrorCode::CoordinatorLoadInProgress => continue,
            ErrorCode::None => {
                let partitions = group.topics.iter().flat_map(|t| &t.partitions);
                return partitions.map(|p| (p.partition_index, p.committed_offset)).collect();
            }
            other => panic!("{other}"),
        }
    }
    panic!("it loads for ever")
}

fn describe(client: &mut Client) -> DescribedGroup {
    let describe = DescribeGroupsRequest { groups: vec!["g".into()], ..Default::default() };
    let loaded = (0..TRIES).find_map(|_| {
        let group = client.call(6, &describe).groups.remove(0);
        (code(group.error_code) != ErrorCode::CoordinatorLoadInProgress).then_some(group)
    });
    loaded.expect("it loads")
}

fn delete(client: &mut Client) -> ErrorCode {
    code(client.call(3, &DeleteGroupsRequest { groups_names: vec!["g".into()] }).results[0].error_code)
}

fn leave(client: &mut Client, member: &str) -> ErrorCode {
    let members = vec![MemberIdentity { member_id: member.into(), ..Default::default() }];
    let left = client.call(5, &LeaveGroupRequest { group_id: "g".into(), members, ..Default::default() });
    code(left.members[0].error_code)
}

/// One member, alone in generation 1.
fn alone(client: &mut Client) -> String {
    let id = new_id(client);
    let joined = client.call(JOIN, &join(&id, 60_000));
    assert_eq!((code(joined.error_code), joined.generation_id), (ErrorCode::None, 1));
    assert_eq!((&*joined.leader, joined.members.len()), (&*id, 1));
    let synced = client.call(SYNC, &sync(&id, 1, &[(&id, b"all")]));
    assert_eq!((code(synced.error_code), &synced.assignment[..]), (ErrorCode::None, &b"all"[..]));
    id
}

/// Two members in generation 2; the first leads.
fn pair(a: &mut Client, b: &mut Client) -> (String, String) {
    let first = alone(a);
    let second = new_id(b);
    let held = b.send(JOIN, &join(&second, 60_000));
    until_rebalance(a, &first, 1);
    let leader = a.call(JOIN, &join(&first, 60_000));
    let follower: JoinGroupResponse = b.receive::<JoinGroupRequest>(JOIN, held);
    assert_eq!((leader.generation_id, follower.generation_id), (2, 2));
    assert_eq!((leader.members.len(), follower.members.len()), (2, 0), "only the leader learns who is there");
    let held = b.send(SYNC, &sync(&second, 2, &[]));
    let synced = a.call(SYNC, &sync(&first, 2, &[(&first, b"one"), (&second, b"two")]));
    assert_eq!(&synced.assignment[..], b"one");
    assert_eq!(&b.receive::<SyncGroupRequest>(SYNC, held).assignment[..], b"two");
    (first, second)
}

fn restart(broker: Broker, dir: &Dir) -> Broker {
    block_on(broker.stop()).expect("it stops");
    start(dir, |_| {})
}

#[test]
fn a_group_and_its_offsets_outlive_the_broker() {
    let dir = Dir::new("groups-restart");
    let broker = start(&dir, |_| {});
    let (mut a, mut b) = (Client::new(&broker), Client::new(&broker));
    let id = prepare(&mut a, 2);
    let (first, second) = pair(&mut a, &mut b);

    assert_eq!(
        committed(&mut a, &commit(&first, 2, [(0, 10), (7, 1)].into_iter(), "n")),
        [ErrorCode::None, ErrorCode::UnknownTopicOrPartition]
    );
    assert_eq!(committed(&mut b, &commit(&second, 2, [(1, 20)].into_iter(), "n")), [ErrorCode::None]);
    assert_eq!(committed(&mut b, &commit(&second, 1, [(1, 30)].into_iter(), "n")), [ErrorCode::IllegalGeneration]);
    assert_eq!(committed(&mut b, &commit("", -1, [(1, 30)].into_iter(), "n")), [ErrorCode::UnknownMemberId]);

    let broker = restart(broker, &dir);
    let (mut a, mut b) = (Client::new(&broker), Client::new(&broker));
    assert_eq!(all_offsets(&mut a), [(0, 10), (1, 20)]);
    let by_id = OffsetFetchRequestTopics { topic_id: id, partition_indexes: vec![1, 5], ..Default::default() };
    let group = OffsetFetchRequestGroup { group_id: "g".into(), topics: Some(vec![by_id]), ..Default::default() };
    let fetched = a.call(10, &OffsetFetchRequest { groups: vec![group], ..Default::default() });
    let partitions = &fetched.groups[0].topics[0].partitions;
    assert_eq!((partitions[0].committed_offset, partitions[0].metadata.as_deref()), (20, Some("n")));
    assert_eq!((partitions[1].committed_offset, partitions[1].error_code), (-1, 0), "nothing, and no error");

    let described = describe(&mut a);
    assert_eq!((&*described.group_state, described.members.len()), ("Stable", 2));
    let assignments: Vec<_> = described.members.iter().map(|m| &m.member_assignment[..]).collect();
    assert!(assignments.contains(&&b"one"[..]) && assignments.contains(&&b"two"[..]));
    assert_eq!(heartbeat(&mut a, &first, 2), ErrorCode::None, "its session is fresh");
    let listed = a.call(5, &ListGroupsRequest { states_filter: vec!["stable".into()], ..Default::default() });
    assert_eq!((listed.groups.len(), &*listed.groups[0].group_id), (1, "g"));

    assert_eq!(leave(&mut b, &second), ErrorCode::None);
    until_rebalance(&mut a, &first, 2);
    assert_eq!(delete(&mut a), ErrorCode::NonEmptyGroup);
    assert_eq!(leave(&mut a, &first), ErrorCode::None);
    assert_eq!(leave(&mut a, &first), ErrorCode::UnknownMemberId);
    assert_eq!(delete(&mut a), ErrorCode::None);
    assert_eq!(delete(&mut a), ErrorCode::GroupIdNotFound);
    assert_eq!(code(describe(&mut a).error_code), ErrorCode::GroupIdNotFound);

    let broker = restart(broker, &dir);
    assert_eq!(all_offsets(&mut Client::new(&broker)), [], "what was deleted stays deleted");
}

#[test]
fn a_held_join_blocks_nobody_and_ends_with_the_broker() {
    let dir = Dir::new("groups-held");
    let broker = start(&dir, |_| {});
    let (mut a, mut b, mut c) = (Client::new(&broker), Client::new(&broker), Client::new(&broker));
    prepare(&mut a, 1);
    let first = alone(&mut a);
    let second = new_id(&mut b);
    let held = b.send(JOIN, &join(&second, 60_000));
    let third = new_id(&mut c);
    c.send(JOIN, &join(&third, 60_000));
    until_rebalance(&mut a, &first, 1);
    // One who waits leaves without a word; the others don't notice.
    drop(c);
    assert_eq!(heartbeat(&mut a, &first, 1), ErrorCode::RebalanceInProgress);
    assert_eq!(all_offsets(&mut a), []);
    block_on(broker.stop()).expect("it stops");
    let told = b.receive::<JoinGroupRequest>(JOIN, held);
    assert_eq!((code(told.error_code), &*told.member_id), (ErrorCode::NotCoordinator, &*second));
}

#[test]
fn a_large_log_is_rewritten_and_trimmed() {
    let dir = Dir::new("groups-rewrite");
    let change = |config: &mut ouzel_broker::Config| config.set("offsets.topic.num.partitions", "1").unwrap();
    let broker = start(&dir, change);
    let mut client = Client::new(&broker);
    prepare(&mut client, 64);
    let note = "x".repeat(4_000);
    for offset in 0..12 {
        let codes = committed(&mut client, &commit("", -1, (0..64).map(|p| (p, offset)), &note));
        assert!(codes.iter().all(|c| *c == ErrorCode::None), "{codes:?}");
    }
    let earliest = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: "__consumer_offsets".into(),
            partitions: vec![ListOffsetsPartition { partition_index: 0, timestamp: -2, ..Default::default() }],
        }],
        ..Default::default()
    };
    let trimmed = (0..TRIES).any(|_| client.call(7, &earliest).topics[0].partitions[0].offset >= 5 * 64);
    assert!(trimmed, "what the state doesn't need goes");
    let expect: Vec<(i32, i64)> = (0..64).map(|p| (p, 11)).collect();
    assert_eq!(all_offsets(&mut client), expect);
    block_on(broker.stop()).expect("it stops");
    let broker = start(&dir, change);
    assert_eq!(all_offsets(&mut Client::new(&broker)), expect);
}

#[test]
fn the_limit_of_clients_batches_is_not_the_coordinators() {
    let dir = Dir::new("groups-limit");
    let broker = start(&dir, |config| config.set("message.max.bytes", "20000").unwrap());
    let mut client = Client::new(&broker);
    prepare(&mut client, 16);
    let codes = committed(&mut client, &commit("", -1, (0..16).map(|p| (p, 1)), &"x".repeat(4_000)));
    assert!(codes.iter().all(|c| *c == ErrorCode::None), "64 KB in one commit: {codes:?}");
}

#[test]
fn offsets_go_with_their_topic() {
    let dir = Dir::new("groups-topic");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    prepare(&mut client, 1);
    assert_eq!(committed(&mut client, &commit("", -1, [(0, 5)].into_iter(), "")), [ErrorCode::None]);
    let topic = DeleteTopicState { name: Some("t".into()), ..Default::default() };
    let deleted = client.call(6, &DeleteTopicsRequest { topics: vec![topic], ..Default::default() });
    assert_eq!(code(deleted.responses[0].error_code), ErrorCode::None);
    let missing = committed(&mut client, &commit("", -1, [(0, 5)].into_iter(), ""));
    assert_eq!(missing, [ErrorCode::UnknownTopicOrPartition]);
    prepare(&mut client, 1);
    let fetch = OffsetFetchRequest {
        group_id: "g".into(),
        topics: Some(vec![OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0] }]),
        ..Default::default()
    };
    assert_eq!(client.call(5, &fetch).topics[0].partitions[0].committed_offset, -1, "the new topic starts anew");
    assert!((0..TRIES).any(|_| all_offsets(&mut client).is_empty()), "the old one's offsets go");
}

#[test]
fn stored_settings_reach_coordinators_that_run() {
    let dir = Dir::new("groups-settings");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    prepare(&mut client, 1);
    let short = join("", 3_000);
    assert_eq!(code(client.call(JOIN, &short).error_code), ErrorCode::InvalidSessionTimeout);
    let alter = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: 4,
            configs: vec![AlterableConfig {
                name: "group.min.session.timeout.ms".into(),
                config_operation: 0,
                value: Some("1000".into()),
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(code(client.call(1, &alter).responses[0].error_code), ErrorCode::None);
    assert_eq!(code(client.call(JOIN, &short).error_code), ErrorCode::MemberIdRequired);
    let broker = restart(broker, &dir);
    let mut client = Client::new(&broker);
    all_offsets(&mut client);
    assert_eq!(code(client.call(JOIN, &short).error_code), ErrorCode::MemberIdRequired);
}

/// Calls in every version; `$check` sees each answer.
macro_rules! every_version {
    ($client:expr, $key:ident, |$version:ident| $request:expr, |$response:ident| $check:expr) => {{
        let (min, max) = ApiKey::$key.versions();
        for $version in min..=max {
            let $response = $client.call($version, &$request);
            assert!($check, "{} {}: {:?}", ApiKey::$key, $version, $response);
        }
    }};
}

#[test]
fn every_version_says_that_a_group_is_missing() {
    let dir = Dir::new("groups-versions");
    let broker = start(&dir, |_| {});
    let mut c = Client::new(&broker);
    let id = prepare(&mut c, 1);
    all_offsets(&mut c);
    let unknown = ErrorCode::UnknownMemberId as i16;
    every_version!(
        c,
        JoinGroup,
        |v| JoinGroupRequest {
            reason: (v >= 8).then(|| "r".into()),
            rebalance_timeout_ms: if v == 0 { -1 } else { 10_000 },
            ..join("stranger", 10_000)
        },
        |r| r.error_code == unknown && &*r.member_id == "stranger" && r.generation_id == -1
    );
    every_version!(
        c,
        SyncGroup,
        |v| SyncGroupRequest {
            protocol_type: (v >= 5).then(|| "consumer".into()),
            protocol_name: (v >= 5).then(|| "range".into()),
            ..sync("stranger", 1, &[])
        },
        |r| r.error_code == unknown && r.assignment.is_empty()
    );
    every_version!(
        c,
        Heartbeat,
        |_v| HeartbeatRequest {
            group_id: "g".into(),
            generation_id: 1,
            member_id: "stranger".into(),
            ..Default::default()
        },
        |r| r.error_code == unknown
    );
    every_version!(
        c,
        LeaveGroup,
        |v| LeaveGroupRequest {
            group_id: "g".into(),
            member_id: if v < 3 { "stranger".into() } else { Default::default() },
            members: if v < 3 {
                vec![]
            } else {
                vec![MemberIdentity { member_id: "stranger".into(), ..Default::default() }]
            },
        },
        |r| if r.members.is_empty() {
            r.error_code == unknown
        } else {
            r.error_code == 0 && r.members[0].error_code == unknown
        }
    );
    every_version!(
        c,
        OffsetCommit,
        |v| {
            let mut request = commit("stranger", 3, [(0, 1)].into_iter(), "");
            if v >= 10 {
                request.topics[0].name = Default::default();
                request.topics[0].topic_id = id;
            }
            request
        },
        |r| {
            let code = code(r.topics[0].partitions[0].error_code);
            code == ErrorCode::IllegalGeneration || code == ErrorCode::GroupIdNotFound
        }
    );
    every_version!(
        c,
        OffsetFetch,
        |v| {
            let (name, topic_id) = if v >= 10 { (Default::default(), id) } else { ("t".into(), TopicId::ZERO) };
            let topics = OffsetFetchRequestTopics { name, topic_id, partition_indexes: vec![0] };
            let group =
                OffsetFetchRequestGroup { group_id: "g".into(), topics: Some(vec![topics]), ..Default::default() };
            if v >= 8 {
                OffsetFetchRequest { groups: vec![group], ..Default::default() }
            } else {
                let topics = vec![OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0] }];
                OffsetFetchRequest { group_id: "g".into(), topics: Some(topics), ..Default::default() }
            }
        },
        |r| {
            let new = r.groups.iter().flat_map(|g| &g.topics).flat_map(|t| &t.partitions);
            let new = new.map(|p| (p.committed_offset, p.error_code));
            let old = r.topics.iter().flat_map(|t| &t.partitions).map(|p| (p.committed_offset, p.error_code));
            new.chain(old).collect::<Vec<_>>() == [(-1, 0)]
        }
    );
    every_version!(
        c,
        OffsetDelete,
        |_v| OffsetDeleteRequest {
            group_id: "g".into(),
            topics: vec![OffsetDeleteRequestTopic {
                name: "t".into(),
                partitions: vec![OffsetDeleteRequestPartition { partition_index: 0 }],
            }],
        },
        |r| r.error_code == ErrorCode::GroupIdNotFound as i16
    );
    every_version!(c, ListGroups, |_v| ListGroupsRequest::default(), |r| r.error_code == 0 && r.groups.is_empty());
    every_version!(
        c,
        DescribeGroups,
        |_v| DescribeGroupsRequest { groups: vec!["g".into()], ..Default::default() },
        |r| &*r.groups[0].group_state == "Dead" && r.groups[0].authorized_operations == i32::MIN
    );
    every_version!(c, DeleteGroups, |_v| DeleteGroupsRequest { groups_names: vec!["g".into(), "g".into()] }, |r| r
        .results
        .len()
        == 1
        && r.results[0].error_code == ErrorCode::GroupIdNotFound as i16);
}
