//! Laws of the machine: loading, whose turn it is, appends, rewrites.

mod support;

use ouzel_groups::*;
use ouzel_model::{PartitionId, ProducerEpoch, ProducerId};
use support::*;

#[test]
fn nothing_is_served_before_all_is_loaded() {
    let mut groups = Groups::new(Config::dev());
    let now = Now { mono_ms: 0, wall: ouzel_model::Timestamp(0) };
    assert_eq!(groups.next_deadline(), None);
    let all = [
        GroupRequest::Join(join("g", "", "a")),
        GroupRequest::Sync(sync("g", "m", 1)),
        leave("g", &["m"]),
        set_offset("g", "t", 1),
        fetch("g", &[("t", 0)]),
        GroupRequest::DeleteOffsets(DeleteOffsets { group: "g".into(), partitions: Vec::new() }),
        GroupRequest::List(ListGroups::default()),
        GroupRequest::Describe(DescribeGroup { group: "g".into() }),
        delete("g"),
    ];
    for request in all {
        let expect = request.refused(Unavailable::Loading);
        assert!(format!("{expect:?}").contains("Loading"), "{expect:?}");
        assert_eq!(groups.handle(now, ReplyId(1), request), [Effect::Reply(ReplyId(1), expect)]);
    }
    // A member isn't told that the coordinator moved: it might join anew for nothing.
    let alive = Effect::Reply(ReplyId(1), GroupResponse::Heartbeat(Ok(())));
    assert_eq!(groups.handle(now, ReplyId(1), heartbeat("g", "m", 1)), [alive]);
}

#[test]
fn a_change_takes_effect_when_it_is_stored() {
    let mut world = World::quick();
    world.prompt = false;
    let call = world.ask(set_offset("g", "t", 1));
    assert!(world.is_held(call));
    assert_eq!((world.offset("g", "t", 0), world.state("g")), (None, "Dead"));
    world.commit_all();
    assert_eq!(world.answer(call), committed_ok(1));
    assert_eq!(world.offset("g", "t", 0), Some(1));
    let call = world.ask(set_offset("g", "t", 2));
    world.refuse();
    let why = CommitError::Unavailable(Unavailable::NotStored);
    assert_eq!(world.answer(call), GroupResponse::CommitOffsets(Err(why)));
    assert_eq!(world.offset("g", "t", 0), Some(1));
}

#[test]
fn group_looks_empty_once_its_last_member_has_left() {
    let mut world = World::quick();
    let (ids, _) = world.form("g", &["a"]);
    world.prompt = false;
    world.check(leave("g", &[&ids[0]]), GroupResponse::Leave(Ok(vec![Ok(())])));
    assert_eq!((world.open.len(), world.state("g")), (1, "Empty"));
    // Who comes now waits for the record and finds a group that is.
    let call = world.ask(set_offset("g", "t", 1));
    assert!(world.is_held(call));
    world.commit_all();
    assert_eq!(world.answer(call), committed_ok(1));
}

#[test]
fn commits_are_on_their_way_together_and_end_in_log_order() {
    let mut world = World::quick();
    world.prompt = false;
    let calls = [1, 2, 3].map(|offset| world.ask(set_offset("g", "t", offset)));
    assert_eq!(world.open.len(), 3);
    // The results come in another order than the log's.
    for place in [2, 0, 0] {
        let append = world.open.remove(place).unwrap();
        let effects = world.groups.appended(world.now(), append.id, Ok(()));
        world.take(effects);
    }
    for call in calls {
        assert_eq!(world.answer(call), committed_ok(1));
    }
    assert_eq!(world.offset("g", "t", 0), Some(3));
}

#[test]
fn calls_wait_while_a_change_of_their_group_is_on_its_way() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    world.prompt = false;
    let joining = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    let committing = world.ask(commit("g", &ids[0], generation, &[("t", 0, 1)]));
    let leaving = world.ask(leave("g", &[&ids[0]]));
    assert_eq!(world.open.len(), 1);
    // Who only reads, or lives on, doesn't wait, nor does another group.
    let answer = world.call(heartbeat("g", &ids[0], generation));
    assert_eq!(answer, GroupResponse::Heartbeat(Err(HeartbeatError::RebalanceInProgress)));
    assert_eq!(world.offset("g", "t", 0), None);
    world.ask(set_offset("h", "t", 1));
    assert_eq!(world.open.len(), 2);
    let append = world.open.pop_front().unwrap();
    world.commit_one(append);
    // The commit was overtaken by the generation, and the leaver's change waits for the log in its turn.
    assert_eq!(world.joined(joining).generation, generation + 1);
    let why = CommitError::IllegalGeneration;
    assert_eq!(world.answer(committing), GroupResponse::CommitOffsets(Err(why)));
    assert_eq!(world.answer(leaving), GroupResponse::Leave(Ok(vec![Ok(())])));
    world.commit_all();
    assert_eq!(world.state("g"), "Empty");
}

#[test]
fn waiting_calls_are_bounded() {
    let config = Config { queue_max: 2, commits_in_flight_max: 3, ..Config::dev() };
    let mut world = World::new(config);
    let (ids, _) = world.form("g", &["a"]);
    world.prompt = false;
    world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    let waiting = [0, 1].map(|_| world.ask(leave("g", &["m"])));
    let busy = GroupResponse::Leave(Err(LeaveError::Unavailable(Unavailable::Busy)));
    world.check(leave("g", &["m"]), busy);
    assert!(waiting.iter().all(|call| world.is_held(*call)));
    let flying = [0, 1, 2].map(|_| world.ask(set_offset("h", "t", 1)));
    let busy = GroupResponse::CommitOffsets(Err(CommitError::Unavailable(Unavailable::Busy)));
    world.check(set_offset("h", "t", 1), busy);
    world.commit_all();
    for call in flying {
        assert_eq!(world.answer(call), committed_ok(1));
    }
    for call in waiting {
        assert_eq!(world.answer(call), GroupResponse::Leave(Ok(vec![Err(LeaverError::UnknownMember)])));
    }
}

#[test]
fn deletion_sees_the_commits_on_their_way() {
    let mut world = World::quick();
    world.call(set_offset("g", "t", 1));
    world.prompt = false;
    let early = world.ask(commit("g", "", -1, &[("t", 1, 2)]));
    let deleting = world.ask(delete("g"));
    let late = world.ask(commit("g", "", -1, &[("t", 2, 3)]));
    assert_eq!(world.open.len(), 1);
    world.commit_all();
    assert_eq!((world.answer(early), world.answer(late)), (committed_ok(1), committed_ok(1)));
    assert_eq!(world.answer(deleting), GroupResponse::Delete(Ok(())));
    assert_eq!([0, 1, 2].map(|partition| world.offset("g", "t", partition)), [None, None, Some(3)]);
}

#[test]
fn resigning_answers_every_call() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    let second = world.ask(GroupRequest::Join(join("g", "", "b")));
    world.prompt = false;
    let mut calls = vec![second];
    calls.push(world.ask(GroupRequest::Join(join("g", &ids[0], "a"))));
    calls.push(world.ask(commit("g", &ids[0], generation, &[("t", 0, 1)])));
    calls.push(world.ask(set_offset("h", "t", 1)));
    calls.push(world.ask(delete("h")));
    let effects = world.groups.resign();
    world.take(effects);
    for call in calls {
        let answer = format!("{:?}", world.answer(call));
        assert!(answer.contains("NotCoordinator"), "{answer}");
    }
    world.check(heartbeat("g", &ids[0], generation), {
        GroupResponse::Heartbeat(Err(HeartbeatError::Unavailable(Unavailable::NotCoordinator)))
    });
    assert_eq!(world.groups.next_deadline(), None);
    // What was on its way may still be committed: then it counts here too, without an answer.
    world.commit_all();
    let effects = world.groups.loaded(world.now());
    world.take(effects);
    assert_eq!(world.offset("h", "t", 0), Some(1));
    assert_eq!(world.state("g"), "CompletingRebalance");
}

#[test]
fn offsets_are_spread_over_partitions_by_javas_hash() {
    assert_eq!(partition_for("polygenelubricants", 50), PartitionId(0));
    assert_eq!(partition_for("hello", 50), PartitionId(22));
}

#[test]
fn rewrite_reproduces_the_state() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a", "b"]);
    world.check(commit("g", &ids[0], generation, &[("t", 0, 5), ("t", 1, 6)]), committed_ok(2));
    world.call(set_offset("h", "t", 1));
    world.call(set_offset("gone", "t", 1));
    world.call(delete("gone"));
    let before = world.log.len();
    let whole = live_records(replayed(&world.config, &world.log));
    let effects = world.groups.compact(world.now());
    world.take(effects);
    assert_eq!(world.compacted, 1);
    let bytes: usize = whole.iter().map(|(key, value)| key.len() + value.as_ref().unwrap().len()).sum();
    assert_eq!(world.groups.live_bytes(), bytes as u64);
    // The log's prefix can go.
    world.log.drain(..before);
    assert_eq!(live_records(replayed(&world.config, &world.log)), whole);
    world.fail_over();
    assert_eq!((world.offset("g", "t", 1), world.state("g"), world.state("gone")), (Some(6), "Stable", "Dead"));
    world.check(heartbeat("g", &ids[1], generation), GroupResponse::Heartbeat(Ok(())));
}

#[test]
fn rewrite_never_undoes_a_commit_on_its_way() {
    let mut world = World::quick();
    world.call(set_offset("g", "t", 1));
    world.call(set_offset("h", "t", 1));
    world.prompt = false;
    let early = world.ask(set_offset("g", "t", 2));
    let before = world.log.len();
    let effects = world.groups.compact(world.now());
    world.take(effects);
    assert!(world.groups.is_compacting());
    // Calls on the group wait for its rewrite, the others don't.
    let late = world.ask(commit("g", "", -1, &[("t", 1, 3)]));
    let other = world.ask(set_offset("h", "t", 4));
    assert_eq!(world.open.len(), 3);
    world.commit_all();
    assert_eq!(world.compacted, 1);
    for call in [early, late, other] {
        assert_eq!(world.answer(call), committed_ok(1));
    }
    world.log.drain(..before);
    world.prompt = true;
    world.fail_over();
    assert_eq!((world.offset("g", "t", 0), world.offset("g", "t", 1)), (Some(2), Some(3)));
    assert_eq!(world.offset("h", "t", 0), Some(4));
}

#[test]
fn rewrite_waits_for_open_transactions_but_blocks_nobody() {
    let mut world = World::quick();
    world.call(set_offset("g", "t", 1));
    let transaction = Some(Transaction { producer: ProducerId(7), epoch: ProducerEpoch(0) });
    let request = CommitOffsets { transaction, ..commit_request("g", "", -1, &[("t", 0, 2)]) };
    world.check(GroupRequest::CommitOffsets(request), committed_ok(1));
    let effects = world.groups.compact(world.now());
    world.take(effects);
    world.check(commit("g", "", -1, &[("t", 1, 9)]), committed_ok(1));
    world.advance(5_000);
    assert_eq!(world.compacted, 0);
    world.end_transaction(7, true);
    world.advance(1_000);
    assert_eq!(world.compacted, 1);
    world.fail_over();
    assert_eq!((world.offset("g", "t", 0), world.offset("g", "t", 1)), (Some(2), Some(9)));
}

#[test]
fn failed_rewrite_ends_and_frees_the_groups() {
    let mut world = World::new(Config { append_bytes_max: 1_000, group_bytes_max: 500, ..Config::dev() });
    for group in 0..40 {
        world.call(set_offset(&format!("g{group}"), "t", 1));
    }
    world.prompt = false;
    let early = world.ask(set_offset("g1", "t", 2));
    let effects = world.groups.compact(world.now());
    world.take(effects);
    let late = world.ask(set_offset("g1", "t", 3));
    assert_eq!(world.open.len(), 3);
    let append = world.open.pop_front().unwrap();
    world.commit_one(append);
    world.refuse();
    assert!(world.groups.is_compacting() && world.is_held(late));
    world.commit_all();
    assert_eq!((world.answer(early), world.answer(late)), (committed_ok(1), committed_ok(1)));
    assert!(!world.groups.is_compacting() && world.compacted == 0);
    let effects = world.groups.compact(world.now());
    world.take(effects);
    world.commit_all();
    assert_eq!(world.compacted, 1);
}

#[test]
fn records_of_other_kinds_are_kept() {
    let mut world = World::quick();
    // A consumer group's epoch (kind 3), a key that isn't one, and a group record that can't be read.
    let odd: [(&[u8], &[u8]); 3] =
        [(b"\0\x03\x02g", b"\0\0\0\0\0\x05\0"), (b"\0", b"x"), (b"\0\x02\0\x01g", b"\0\x63")];
    let mut groups = Groups::new(Config::dev());
    let results = odd.map(|(key, value)| groups.replay(key, Some(value), None).is_ok());
    assert_eq!(results, [true, false, false]);
    assert_eq!(groups.live_bytes(), odd.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>());
    let kept: Vec<(Vec<u8>, Option<Vec<u8>>)> = live_records(groups);
    let mut expect: Vec<_> = odd.iter().map(|(key, value)| (key.to_vec(), Some(value.to_vec()))).collect();
    expect.sort();
    assert_eq!(kept, expect);
    world.groups = Groups::new(Config::dev());
    world.groups.replay(odd[2].0, Some(odd[2].1), None).unwrap_err();
    world.groups.replay(odd[2].0, None, None).unwrap();
    assert_eq!(world.groups.live_bytes(), 0);
}

#[test]
fn hostile_records_do_no_harm() {
    let (key, value) = {
        let mut world = World::quick();
        world.form("g", &["a"]);
        let Entry::Record((key, value), _) = world.log.pop().unwrap() else { panic!() };
        (key, value.unwrap())
    };
    // Every cut, and every byte set to odd values.
    let mut tried = 0;
    for place in 0..value.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bent = value.clone();
            bent[place] = byte;
            for value in [&value[..place], &bent] {
                let mut groups = Groups::new(Config::dev());
                let _ = groups.replay(&key, Some(value), None);
                groups.loaded(Now { mono_ms: 0, wall: ouzel_model::Timestamp(0) });
                let _ = groups.timer(Now { mono_ms: u64::MAX / 2, wall: ouzel_model::Timestamp(i64::MAX) });
                tried += 1;
            }
        }
    }
    assert!(tried > 1_000);
}

#[test]
fn metrics_see_groups_members_and_offsets() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a", "b"]);
    world.check(commit("g", &ids[0], generation, &[("t", 0, 5)]), committed_ok(1));
    assert_eq!(world.groups.ids().collect::<Vec<_>>(), ["g"]);
    assert_eq!((world.groups.members("g"), world.groups.members("x")), (2, 0));
    assert_eq!(world.groups.committed("g").map(|(_, p, c)| (p.0, c.offset)).collect::<Vec<_>>(), [(0, 5)]);
}
