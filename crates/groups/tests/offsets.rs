//! Laws of committed offsets: who may commit, what is seen, what goes and when.

mod support;

use std::collections::BTreeSet;

use ouzel_groups::*;
use ouzel_model::{PartitionId, ProducerEpoch, ProducerId, Timestamp, TopicId};
use support::*;

fn refused(why: CommitError) -> GroupResponse {
    GroupResponse::CommitOffsets(Err(why))
}

const DAY: u64 = 24 * 3_600_000;

#[test]
fn member_commits_in_its_generation() {
    let mut world = World::quick();
    world.check(commit("g", "m", 1, &[("t", 0, 1)]), refused(CommitError::GroupNotFound));
    let (ids, generation) = world.form("g", &["a"]);
    let id = &ids[0];
    world.check(commit("g", id, generation, &[("t", 0, 5), ("t", 1, 6)]), committed_ok(2));
    assert_eq!((world.offset("g", "t", 0), world.offset("g", "t", 1)), (Some(5), Some(6)));
    world.check(commit("g", id, generation - 1, &[("t", 0, 1)]), refused(CommitError::IllegalGeneration));
    world.check(commit("g", id, generation + 1, &[("t", 0, 1)]), refused(CommitError::IllegalGeneration));
    world.check(commit("g", "m", generation, &[("t", 0, 1)]), refused(CommitError::UnknownMember));
    world.check(commit("g", "", -1, &[("t", 0, 1)]), refused(CommitError::UnknownMember));
    assert_eq!(world.offset("g", "t", 0), Some(5));
    world.check(commit("g", id, generation, &[]), committed_ok(0));
}

#[test]
fn commit_counts_while_the_others_join_but_not_before_the_assignment() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    let newcomer = world.ask(GroupRequest::Join(join("g", "", "b")));
    assert_eq!(world.state("g"), "PreparingRebalance");
    world.check(commit("g", &ids[0], generation, &[("t", 0, 7)]), committed_ok(1));
    let joined = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    let generation = world.joined(joined).generation;
    world.joined(newcomer);
    world.check(commit("g", &ids[0], generation, &[("t", 0, 8)]), refused(CommitError::RebalanceInProgress));
    assert_eq!(world.offset("g", "t", 0), Some(7));
}

#[test]
fn commit_renews_the_session() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    for _ in 0..3 {
        world.advance(9_999);
        world.check(commit("g", &ids[0], generation, &[("t", 0, 7)]), committed_ok(1));
    }
    assert_eq!(world.state("g"), "Stable");
}

#[test]
fn who_is_no_member_commits_to_groups_without_members_only() {
    let mut world = World::quick();
    world.check(set_offset("g", "t", 3), committed_ok(1));
    world.check(set_offset("", "t", 4), committed_ok(1));
    assert_eq!((world.offset("g", "t", 0), world.offset("", "t", 0)), (Some(3), Some(4)));
    assert_eq!((world.state("g"), &*world.describe("g").protocol_type), ("Empty", ""));
    let (ids, _) = world.form("g", &["a"]);
    world.check(set_offset("g", "t", 5), refused(CommitError::UnknownMember));
    world.call(leave("g", &[&ids[0]]));
    world.check(set_offset("g", "t", 6), committed_ok(1));
    assert_eq!(world.offset("g", "t", 0), Some(6));
}

#[test]
fn what_is_too_long_is_refused_alone() {
    let mut world = World::new(Config { offsets_max: 2, ..Config::dev() });
    let mut request = commit_request("g", "", -1, &[("t", 0, 1), ("t", 1, 2), ("t", 2, 3), ("t", 3, 4)]);
    // Kafka counts UTF-16 units.
    request.offsets[0].metadata = "é".repeat(4_096);
    request.offsets[1].metadata = "x".repeat(4_097);
    let long = Err(CommitOffsetError::MetadataTooLarge);
    let many = Err(CommitOffsetError::TooManyOffsets);
    world.check(
        GroupRequest::CommitOffsets(request),
        GroupResponse::CommitOffsets(Ok(vec![Ok(()), long, Ok(()), many])),
    );
    // An offset that is there can move on.
    world.check(commit("g", "", -1, &[("t", 2, 9)]), committed_ok(1));
    let name = "g".repeat(world.config.name_bytes_max + 1);
    world.check(set_offset(&name, "t", 1), refused(CommitError::InvalidGroupId));
}

#[test]
fn commit_larger_than_an_append_is_refused() {
    let mut world = World::new(Config { append_bytes_max: 1_000, group_bytes_max: 500, ..Config::dev() });
    let offsets: Vec<(&str, i32, i64)> = (0..100).map(|partition| ("t", partition, 1)).collect();
    world.check(commit("g", "", -1, &offsets), refused(CommitError::TooLarge));
    assert_eq!(world.state("g"), "Dead");
}

#[test]
fn missing_offsets_are_no_error() {
    let mut world = World::quick();
    let none = |partition| FetchedOffset { topic: topic("t"), partition: PartitionId(partition), result: Ok(None) };
    world.check(fetch("g", &[("t", 0), ("t", 1)]), GroupResponse::FetchOffsets(Ok(vec![none(0), none(1)])));
    world.call(set_offset("g", "t", 3));
    let GroupResponse::FetchOffsets(Ok(found)) = world.call(fetch("g", &[("t", 1), ("t", 0)])) else { panic!() };
    assert_eq!(found[0], none(1));
    assert_eq!(found[1].result.as_ref().unwrap().as_ref().unwrap().offset, 3);
}

#[test]
fn fetch_of_all_tells_what_was_committed() {
    let mut world = World::quick();
    let mut request = commit_request("g", "", -1, &[("u", 0, 1), ("t", 1, 2), ("t", 0, i64::MAX)]);
    request.offsets[0].leader_epoch = Some(4);
    request.offsets[0].metadata = "note".into();
    world.call(GroupRequest::CommitOffsets(request));
    let all = GroupRequest::FetchOffsets(FetchOffsets { group: "g".into(), partitions: None, require_stable: false });
    let at = Timestamp(EPOCH + 1_000);
    let found = |name: &str, partition, offset, leader_epoch, metadata: &str| FetchedOffset {
        topic: topic(name),
        partition: PartitionId(partition),
        result: Ok(Some(Committed {
            offset,
            leader_epoch,
            metadata: metadata.into(),
            commit_time: at,
            expire_time: None,
            topic_id: None,
        })),
    };
    let expect = vec![found("t", 0, i64::MAX, None, ""), found("t", 1, 2, None, ""), found("u", 0, 1, Some(4), "note")];
    world.check(all.clone(), GroupResponse::FetchOffsets(Ok(expect.clone())));
    world.fail_over();
    world.check(all, GroupResponse::FetchOffsets(Ok(expect)));
    let told: Vec<(String, i32, i64)> =
        world.groups.committed("g").map(|(t, p, c)| (t.to_string(), p.0, c.offset)).collect();
    assert_eq!(told, [("t".into(), 0, i64::MAX), ("t".into(), 1, 2), ("u".into(), 0, 1)]);
    assert_eq!(world.groups.topics(), BTreeSet::from([topic("t"), topic("u")]));
}

#[test]
fn offset_of_an_earlier_topic_of_that_name_is_not_seen() {
    let mut world = World::quick();
    let (old, new) = (TopicId([1; 16]), TopicId([2; 16]));
    let mut request = commit_request("g", "", -1, &[("t", 0, 7)]);
    request.offsets[0].topic_id = Some(old);
    world.call(GroupRequest::CommitOffsets(request));
    for _ in 0..2 {
        for (asked, expect) in [(Some(old), Some(7)), (Some(new), None), (None, Some(7))] {
            let one = FetchOffset { topic: topic("t"), topic_id: asked, partition: PartitionId(0) };
            let request = FetchOffsets { group: "g".into(), partitions: Some(vec![one]), require_stable: false };
            let GroupResponse::FetchOffsets(Ok(found)) = world.call(GroupRequest::FetchOffsets(request)) else {
                panic!()
            };
            assert_eq!(found[0].result.as_ref().unwrap().as_ref().map(|c| c.offset), expect);
        }
        world.fail_over();
    }
}

#[test]
fn offsets_go_seven_days_after_the_group_turned_empty() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    world.check(commit("g", &ids[0], generation, &[("t", 0, 5)]), committed_ok(1));
    world.advance(9_000);
    world.call(leave("g", &[&ids[0]]));
    world.advance(DAY);
    world.fail_over();
    world.advance(6 * DAY - 700_000);
    assert_eq!(world.offset("g", "t", 0), Some(5));
    world.advance(1_400_000);
    assert_eq!(world.offset("g", "t", 0), None);
    assert_eq!(world.state("g"), "Dead");
    world.fail_over();
    assert_eq!(world.state("g"), "Dead");
    assert_eq!(world.groups.live_bytes(), 0);
}

#[test]
fn offsets_of_a_live_group_stay_unless_nobody_reads_the_topic() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    world.check(commit("g", &ids[0], generation, &[("t", 0, 5), ("u", 0, 6)]), committed_ok(2));
    let beat = |world: &mut World, ms: u64| {
        for _ in 0..ms / 9_000 {
            world.advance(9_000);
            world.call(heartbeat("g", &ids[0], generation));
        }
    };
    beat(&mut world, 6 * DAY + DAY / 2);
    assert_eq!((world.offset("g", "t", 0), world.offset("g", "u", 0)), (Some(5), Some(6)));
    beat(&mut world, DAY);
    assert_eq!((world.offset("g", "t", 0), world.offset("g", "u", 0)), (Some(5), None));
}

#[test]
fn offsets_of_an_opaque_protocol_stay_while_it_has_members() {
    let mut world =
        World::new(Config { offsets_retention_ms: 60_000, offsets_retention_check_ms: 1_000, ..Config::dev() });
    let connect = JoinGroup { protocol_type: "connect".into(), ..join("g", "", "w") };
    let joined = world.ask(GroupRequest::Join(connect));
    let id = world.joined(joined).member_id;
    world.call(assign("g", &id, 1, &[&id]));
    world.check(commit("g", &id, 1, &[("t", 0, 5)]), committed_ok(1));
    for _ in 0..20 {
        world.advance(9_000);
        world.call(heartbeat("g", &id, 1));
    }
    assert_eq!(world.offset("g", "t", 0), Some(5));
}

#[test]
fn offsets_do_not_age_out_in_a_rebalance() {
    let mut world =
        World::new(Config { offsets_retention_ms: 60_000, offsets_retention_check_ms: 1_000, ..Config::dev() });
    let slow = JoinGroup { rebalance_timeout_ms: 600_000, session_timeout_ms: 1_000_000, ..join("g", "", "a") };
    let joined = world.ask(GroupRequest::Join(slow));
    let id = world.joined(joined).member_id;
    world.call(assign("g", &id, 1, &[&id]));
    world.check(commit("g", &id, 1, &[("t", 0, 5)]), committed_ok(1));
    world.ask(GroupRequest::Join(join("g", "", "b")));
    world.advance(200_000);
    assert_eq!(world.state("g"), "PreparingRebalance");
    assert_eq!(world.offset("g", "t", 0), Some(5));
}

#[test]
fn offsets_without_a_group_age_from_their_commit() {
    let mut world = World::quick();
    world.call(set_offset("g", "t", 1));
    world.advance(4 * DAY);
    world.call(set_offset("g", "u", 2));
    world.advance(4 * DAY);
    assert_eq!((world.offset("g", "t", 0), world.offset("g", "u", 0)), (None, Some(2)));
    world.advance(4 * DAY);
    assert_eq!(world.state("g"), "Dead");
}

#[test]
fn retention_of_the_client_counts_instead_of_the_brokers() {
    let mut world = World::quick();
    for (name, retention) in [("short", 3_600_000), ("long", 30 * DAY as i64)] {
        let request = CommitOffsets { retention_ms: Some(retention), ..commit_request("g", "", -1, &[(name, 0, 1)]) };
        world.check(GroupRequest::CommitOffsets(request), committed_ok(1));
    }
    world.fail_over();
    world.advance(DAY / 2);
    assert_eq!((world.offset("g", "short", 0), world.offset("g", "long", 0)), (None, Some(1)));
    world.advance(29 * DAY);
    assert_eq!(world.offset("g", "long", 0), Some(1));
    world.advance(DAY);
    assert_eq!(world.offset("g", "long", 0), None);
}

#[test]
fn offset_delete_takes_what_no_member_reads() {
    let mut world = World::quick();
    let request = |group: &str, names: &[&str]| {
        let partitions = names.iter().map(|name| (topic(name), PartitionId(0))).collect();
        GroupRequest::DeleteOffsets(DeleteOffsets { group: group.into(), partitions })
    };
    let err = |why| GroupResponse::DeleteOffsets(Err(why));
    world.check(request("g", &["t"]), err(DeleteOffsetsError::GroupNotFound));
    world.check(request("", &["t"]), err(DeleteOffsetsError::InvalidGroupId));
    let (ids, generation) = world.form("g", &["a"]);
    world.check(commit("g", &ids[0], generation, &[("t", 0, 5), ("u", 0, 6)]), committed_ok(2));
    let reads = Err(DeleteOffsetError::SubscribedToTopic);
    world.check(request("g", &["t", "u", "x"]), GroupResponse::DeleteOffsets(Ok(vec![reads, Ok(()), Ok(())])));
    assert_eq!((world.offset("g", "t", 0), world.offset("g", "u", 0)), (Some(5), None));
    world.call(leave("g", &[&ids[0]]));
    world.check(request("g", &["t"]), GroupResponse::DeleteOffsets(Ok(vec![Ok(())])));
    assert_eq!(world.offset("g", "t", 0), None);

    let connect = JoinGroup { protocol_type: "connect".into(), ..join("c", "", "w") };
    world.ask(GroupRequest::Join(connect));
    world.check(request("c", &["t"]), err(DeleteOffsetsError::NonEmptyGroup));
}

#[test]
fn unreadable_subscription_protects_every_topic() {
    let mut world = World::quick();
    let odd = JoinGroup { protocols: protocols("range", b"?"), ..join("g", "", "a") };
    world.ask(GroupRequest::Join(odd));
    let request = DeleteOffsets { group: "g".into(), partitions: vec![(topic("t"), PartitionId(0))] };
    let reads = Err(DeleteOffsetError::SubscribedToTopic);
    world.check(GroupRequest::DeleteOffsets(request), GroupResponse::DeleteOffsets(Ok(vec![reads])));
}

#[test]
fn deleted_group_is_gone_with_its_offsets() {
    let mut world = World::quick();
    let err = |why| GroupResponse::Delete(Err(why));
    world.check(delete("g"), err(DeleteGroupError::GroupNotFound));
    let (ids, generation) = world.form("g", &["a"]);
    world.check(commit("g", &ids[0], generation, &[("t", 0, 5)]), committed_ok(1));
    world.check(delete("g"), err(DeleteGroupError::NonEmptyGroup));
    world.call(leave("g", &[&ids[0]]));
    world.check(delete("g"), GroupResponse::Delete(Ok(())));
    assert_eq!((world.state("g"), world.offset("g", "t", 0)), ("Dead", None));
    assert_eq!(world.groups.live_bytes(), 0);
    world.fail_over();
    assert_eq!((world.state("g"), world.offset("g", "t", 0)), ("Dead", None));
    world.check(delete("g"), err(DeleteGroupError::GroupNotFound));
}

#[test]
fn large_group_is_deleted_in_several_appends() {
    let mut world = World::new(Config { append_bytes_max: 1_000, group_bytes_max: 500, ..Config::dev() });
    for partition in 0..200 {
        world.check(commit("g", "", -1, &[("t", partition, 1)]), committed_ok(1));
    }
    world.prompt = false;
    let first = world.ask(delete("g"));
    let append = world.open.pop_front().unwrap();
    assert!(append.records.iter().map(|(key, _)| key.len()).sum::<usize>() <= 1_000);
    world.commit_one(append);
    world.refuse();
    assert_eq!(world.answer(first), GroupResponse::Delete(Err(DeleteGroupError::Unavailable(Unavailable::NotStored))));
    assert_eq!((world.offset("g", "t", 0), world.offset("g", "t", 199)), (None, Some(1)));
    world.prompt = true;
    world.check(delete("g"), GroupResponse::Delete(Ok(())));
    assert_eq!(world.state("g"), "Dead");
}

#[test]
fn deleted_topics_take_their_offsets_along() {
    let mut world = World::quick();
    for group in ["g", "h"] {
        world.call(commit(group, "", -1, &[("t", 0, 1), ("u", 0, 2)]));
    }
    world.call(set_offset("only", "t", 1));
    world.prompt = false;
    // A commit is on its way already, one more waits.
    let early = world.ask(commit("g", "", -1, &[("t", 5, 9)]));
    let effects = world.groups.topics_deleted(world.now(), &BTreeSet::from([topic("t")]));
    world.take(effects);
    let late = world.ask(commit("g", "", -1, &[("u", 0, 3)]));
    // The tombstones of `h` and `only` are refused at first.
    let append = world.open.pop_front().unwrap();
    world.commit_one(append);
    world.refuse();
    world.refuse();
    world.prompt = true;
    world.commit_all();
    assert_eq!((world.answer(early), world.answer(late)), (committed_ok(1), committed_ok(1)));
    assert_eq!(world.offset("h", "t", 0), Some(1));
    world.advance(1_000);
    for group in ["g", "h"] {
        assert_eq!((world.offset(group, "t", 0), world.offset(group, "t", 5)), (None, None));
    }
    assert_eq!((world.offset("g", "u", 0), world.offset("h", "u", 0)), (Some(3), Some(2)));
    assert_eq!(world.state("only"), "Dead");
    assert_eq!(world.groups.topics(), BTreeSet::from([topic("u")]));
}

fn transactional(producer: i64, member_id: &str, generation: i32, offset: i64) -> GroupRequest {
    let transaction = Some(Transaction { producer: ProducerId(producer), epoch: ProducerEpoch(0) });
    GroupRequest::CommitOffsets(CommitOffsets {
        transaction,
        ..commit_request("g", member_id, generation, &[("t", 0, offset)])
    })
}

fn fetch_stable(world: &mut World) -> Result<Option<i64>, UnstableOffset> {
    let one = FetchOffset { topic: topic("t"), topic_id: None, partition: PartitionId(0) };
    let request = FetchOffsets { group: "g".into(), partitions: Some(vec![one]), require_stable: true };
    let GroupResponse::FetchOffsets(Ok(found)) = world.call(GroupRequest::FetchOffsets(request)) else { panic!() };
    found[0].result.clone().map(|found| found.map(|committed| committed.offset))
}

#[test]
fn transactions_offsets_show_when_it_commits() {
    let mut world = World::quick();
    world.call(set_offset("g", "t", 1));
    for (committed, expect) in [(false, 1), (true, 2)] {
        world.check(transactional(7, "", -1, 2), committed_ok(1));
        world.fail_over();
        assert_eq!(world.offset("g", "t", 0), Some(1));
        assert_eq!(fetch_stable(&mut world), Err(UnstableOffset));
        world.end_transaction(7, committed);
        assert_eq!(fetch_stable(&mut world), Ok(Some(expect)));
    }
}

#[test]
fn transactional_commit_checks_a_member_that_names_itself() {
    let mut world = World::quick();
    world.check(transactional(7, "m", 1, 2), refused(CommitError::GroupNotFound));
    let (ids, generation) = world.form("g", &["a"]);
    world.check(transactional(7, "", -1, 2), committed_ok(1));
    world.check(transactional(7, &ids[0], generation, 2), committed_ok(1));
    world.check(transactional(7, &ids[0], generation - 1, 2), refused(CommitError::IllegalGeneration));
    world.check(transactional(7, "m", generation, 2), refused(CommitError::UnknownMember));
}

#[test]
fn later_commit_beats_the_offset_of_a_transaction_that_ends_after_it() {
    let mut world = World::quick();
    world.check(transactional(7, "", -1, 2), committed_ok(1));
    world.call(set_offset("g", "t", 3));
    world.end_transaction(7, true);
    assert_eq!(world.offset("g", "t", 0), Some(3));
}

#[test]
fn open_transaction_keeps_offsets_and_group_from_aging_out() {
    let mut world = World::quick();
    world.call(set_offset("g", "t", 1));
    world.check(transactional(7, "", -1, 2), committed_ok(1));
    world.advance(8 * DAY);
    assert_eq!(world.offset("g", "t", 0), Some(1));
    world.end_transaction(7, false);
    world.advance(1_000_000);
    assert_eq!(world.state("g"), "Dead");
}

#[test]
fn deleting_a_group_takes_what_its_transactions_hold() {
    let mut world = World::quick();
    world.check(transactional(7, "", -1, 2), committed_ok(1));
    world.check(delete("g"), GroupResponse::Delete(Ok(())));
    world.end_transaction(7, true);
    assert_eq!((world.offset("g", "t", 0), world.state("g")), (None, "Dead"));
}
