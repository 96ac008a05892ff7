//! Laws of classic groups: joining, syncing, sessions, static members.

mod support;

use bytes::Bytes;
use ouzel_groups::*;
use support::*;

fn join_err(why: JoinError) -> GroupResponse {
    GroupResponse::Join(Err(why))
}

fn beat_err(why: HeartbeatError) -> GroupResponse {
    GroupResponse::Heartbeat(Err(why))
}

const ALIVE: GroupResponse = GroupResponse::Heartbeat(Ok(()));

#[test]
fn newcomer_gets_its_id_first_and_joins_with_it() {
    let mut world = World::quick();
    let id = world.reserve("g", "app");
    assert!(id.starts_with("app-") && id.len() == "app-".len() + 36, "{id}");
    assert_eq!(world.state("g"), "Empty");
    let joined = world.ask(GroupRequest::Join(join("g", &id, "app")));
    let joined = world.joined(joined);
    assert_eq!((joined.generation, &joined.leader, &joined.member_id), (1, &id, &id));
    assert_eq!(world.state("g"), "CompletingRebalance");
}

#[test]
fn reserved_id_is_void_after_the_session_timeout() {
    let mut world = World::quick();
    let id = world.reserve("g", "app");
    world.advance(9_999);
    assert_eq!(world.state("g"), "Empty");
    world.advance(1);
    assert_eq!(world.state("g"), "Dead");
    world.check(GroupRequest::Join(join("g", &id, "app")), join_err(JoinError::UnknownMember));
}

#[test]
fn first_rebalance_waits_and_joiners_draw_it_out_up_to_the_rebalance_timeout() {
    let mut world = World::new(Config::default());
    let joins: Vec<u64> = (0..7)
        .map(|n| {
            let id = world.ask(GroupRequest::Join(join("g", "", &format!("c{n}"))));
            world.advance(2_900);
            id
        })
        .collect();
    // 3 s, drawn out in steps of 3 s while someone joins, until 20 s are over.
    assert_eq!(world.state("g"), "CompletingRebalance");
    let first = world.joined(joins[0]);
    assert_eq!(first.generation, 1);
    assert_eq!(first.members.len(), 7, "joined after {} ms", world.now_ms);

    let mut world = World::new(Config::default());
    let alone = world.ask(GroupRequest::Join(join("g", "", "c")));
    world.advance(2_999);
    assert!(world.is_held(alone));
    world.advance(1);
    assert_eq!(world.joined(alone).generation, 1);
}

#[test]
fn only_the_leader_gets_the_members() {
    let mut world = World::new(Config::default());
    let calls = [
        world.ask(GroupRequest::Join(join("g", "", "a"))),
        world.ask(GroupRequest::Join(join("g", "", "b"))),
        world.ask(GroupRequest::Join(static_join("g", "", "s", 1))),
    ];
    world.advance(6_000);
    let joined = calls.map(|call| world.joined(call));
    let leader = &joined[0];
    assert_eq!(leader.leader, leader.member_id);
    let told: Vec<(&str, Option<&str>)> =
        leader.members.iter().map(|m| (&*m.member_id, m.instance_id.as_deref())).collect();
    let mut all: Vec<_> = joined.iter().map(|j| (&*j.member_id, None)).collect();
    all[2].1 = Some("s");
    all.sort();
    assert_eq!(told, all);
    assert!(leader.members.iter().all(|m| m.metadata == subscription(&["t"])));
    for other in &joined[1..] {
        assert_eq!((other.generation, &other.leader, other.members.len()), (1, &leader.member_id, 0));
    }
}

#[test]
fn later_rebalance_waits_for_all_members() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a", "b"]);
    let newcomer = world.ask(GroupRequest::Join(join("g", "", "c")));
    assert_eq!(world.state("g"), "PreparingRebalance");
    for id in &ids {
        world.check(heartbeat("g", id, generation), beat_err(HeartbeatError::RebalanceInProgress));
    }
    let first = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    assert!(world.is_held(newcomer) && world.is_held(first));
    let second = world.ask(GroupRequest::Join(join("g", &ids[1], "b")));
    for call in [newcomer, first, second] {
        assert_eq!(world.joined(call).generation, generation + 1);
    }
}

#[test]
fn dynamic_absentees_are_dropped_at_the_rebalance_timeout() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a", "b"]);
    let newcomer = world.ask(GroupRequest::Join(join("g", "", "c")));
    let first = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    for _ in 0..4 {
        world.advance(4_999);
        world.check(heartbeat("g", &ids[1], generation), beat_err(HeartbeatError::RebalanceInProgress));
    }
    assert!(world.is_held(first));
    world.advance(4);
    assert_eq!(world.joined(first).generation, generation + 1);
    assert_eq!(world.joined(newcomer).generation, generation + 1);
    world.check(heartbeat("g", &ids[1], generation), beat_err(HeartbeatError::UnknownMember));
}

#[test]
fn reserved_id_holds_a_rebalance_until_it_joins_or_lapses() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    world.reserve("g", "b");
    // The leader joins again; the newcomer may come any moment.
    let first = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    assert!(world.is_held(first));
    world.advance(9_999);
    assert!(world.is_held(first));
    world.advance(1);
    assert_eq!(world.joined(first).generation, generation + 1);
}

#[test]
fn leader_rejoin_rebalances_and_an_unchanged_follower_gets_its_generation() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a", "b"]);
    let client = |id: &str| if id.starts_with('a') { "a" } else { "b" };
    let follower = world.ask(GroupRequest::Join(join("g", &ids[1], client(&ids[1]))));
    let answer = world.joined(follower);
    assert_eq!((answer.generation, answer.members.len()), (generation, 0));
    assert_eq!(world.state("g"), "Stable");
    let mut changed = join("g", &ids[1], client(&ids[1]));
    changed.protocols[0].metadata = subscription(&["t", "u"]);
    let changed = world.ask(GroupRequest::Join(changed));
    assert!(world.is_held(changed));
    assert_eq!(world.state("g"), "PreparingRebalance");
    let leader = world.ask(GroupRequest::Join(join("g", &ids[0], client(&ids[0]))));
    assert_eq!(world.joined(leader).members[..].len(), 2);

    let mut world = World::quick();
    let (ids, _) = world.form("g", &["a", "b"]);
    let leader = world.ask(GroupRequest::Join(join("g", &ids[0], client(&ids[0]))));
    assert!(world.is_held(leader));
    assert_eq!(world.state("g"), "PreparingRebalance");
}

#[test]
fn lost_answer_to_a_join_is_given_again() {
    let mut world = World::quick();
    let id = world.reserve("g", "a");
    let first = world.ask(GroupRequest::Join(join("g", &id, "a")));
    let again = world.ask(GroupRequest::Join(join("g", &id, "a")));
    assert_eq!(world.joined(first), world.joined(again));
}

#[test]
fn newer_join_of_a_member_takes_the_place_of_the_held_one() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a", "b"]);
    let first = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    let again = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    assert_eq!(world.answer(first), join_err(JoinError::RebalanceInProgress));
    let other = world.ask(GroupRequest::Join(join("g", &ids[1], "b")));
    assert_eq!(world.joined(again).generation, generation + 1);
    assert_eq!(world.joined(other).generation, generation + 1);
}

#[test]
fn members_share_a_protocol_and_votes_choose_it() {
    let mut world = World::new(Config::default());
    let with = |client: &str, names: &str| JoinGroup { protocols: protocols(names, b""), ..join("g", "", client) };
    let calls = [("a", "range sticky"), ("b", "sticky range"), ("c", "x sticky")]
        .map(|(client, names)| world.ask(GroupRequest::Join(with(client, names))));
    let inconsistent = join_err(JoinError::InconsistentProtocol);
    world.check(GroupRequest::Join(with("d", "range")), inconsistent.clone());
    world.check(GroupRequest::Join(with("d", "")), inconsistent.clone());
    let connect = JoinGroup { protocol_type: "connect".into(), ..with("d", "sticky") };
    world.check(GroupRequest::Join(connect), inconsistent);
    world.advance(6_000);
    for call in calls {
        assert_eq!(world.joined(call).protocol, "sticky");
    }
}

#[test]
fn empty_group_takes_any_protocol_type() {
    let mut world = World::quick();
    let (ids, _) = world.form("g", &["a"]);
    world.check(leave("g", &[&ids[0]]), GroupResponse::Leave(Ok(vec![Ok(())])));
    let connect = JoinGroup { protocol_type: "connect".into(), ..join("g", "", "w") };
    let joined = world.ask(GroupRequest::Join(connect));
    assert_eq!(world.joined(joined).protocol_type, "connect");
    let nothing = JoinGroup { protocol_type: "".into(), ..join("h", "", "w") };
    world.check(GroupRequest::Join(nothing), join_err(JoinError::InconsistentProtocol));
    assert_eq!(world.state("h"), "Dead");
}

#[test]
fn joins_out_of_bounds_are_refused() {
    let mut world = World::new(Config { members_max: 2, protocols_max: 2, ..Config::dev() });
    let bound = world.config.name_bytes_max;
    world.check(GroupRequest::Join(join("", "", "a")), join_err(JoinError::InvalidGroupId(bound)));
    world.check(GroupRequest::Join(join(&"g".repeat(bound + 1), "", "a")), join_err(JoinError::InvalidGroupId(bound)));
    for session in [5_999, 1_800_001, -1] {
        let request = JoinGroup { session_timeout_ms: session, ..join("g", "", "a") };
        let why = JoinError::InvalidSessionTimeout { min: 6_000, max: 1_800_000 };
        world.check(GroupRequest::Join(request), join_err(why));
    }
    let request = JoinGroup { protocols: protocols("a b c", b""), ..join("g", "", "a") };
    world.check(GroupRequest::Join(request), join_err(JoinError::TooLarge("protocol metadata")));
    let mut request = join("g", "", "a");
    request.protocols[0].metadata = Bytes::from(vec![0; world.config.member_metadata_bytes_max + 1]);
    world.check(GroupRequest::Join(request), join_err(JoinError::TooLarge("protocol metadata")));
    let request = join("g", "", &"c".repeat(bound + 1));
    world.check(GroupRequest::Join(request), join_err(JoinError::TooLarge("client id")));
    world.check(GroupRequest::Join(join("g", "stranger", "a")), join_err(JoinError::UnknownMember));

    let (ids, _) = world.form("g", &["a", "b"]);
    world.check(GroupRequest::Join(join("g", "", "c")), join_err(JoinError::GroupFull));
    assert_eq!(world.state("g"), "Stable");
    // In a rebalance the places belong to who joins first.
    let a = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    let c = world.ask(GroupRequest::Join(join("g", "", "c")));
    world.check(GroupRequest::Join(join("g", &ids[1], "b")), join_err(JoinError::GroupFull));
    world.advance(20_000);
    assert_eq!(world.joined(a).generation, world.joined(c).generation);
}

#[test]
fn group_of_too_many_bytes_takes_no_more_members() {
    let mut world = World::new(Config { group_bytes_max: 1_000, append_bytes_max: 2_000, ..Config::dev() });
    let big = |client: &str| JoinGroup {
        protocols: vec![Protocol { name: "range".into(), metadata: Bytes::from(vec![0; 600]) }],
        ..join("g", "", client)
    };
    let first = world.ask(GroupRequest::Join(big("a")));
    let first = world.joined(first);
    world.check(GroupRequest::Join(big("b")), join_err(JoinError::GroupFull));
    let mut request = sync("g", &first.member_id, 1);
    request.assignments = vec![(first.member_id.clone(), Bytes::from(vec![0; 600]))];
    world.check(GroupRequest::Sync(request), GroupResponse::Sync(Err(SyncError::TooLarge)));
}

#[test]
fn coordinator_has_room_for_so_many_groups() {
    let mut world = World::new(Config { groups_max: 1, ..Config::dev() });
    world.form("g", &["a"]);
    world.check(GroupRequest::Join(join("h", "", "a")), join_err(JoinError::TooManyGroups));
    world.check(set_offset("h", "t", 1), GroupResponse::CommitOffsets(Err(CommitError::TooManyGroups)));
}

#[test]
fn held_join_of_a_newcomer_ends_after_five_minutes() {
    let mut world = World::new(Config { newcomer_timeout_ms: 300_000, ..Config::dev() });
    let slow = JoinGroup { rebalance_timeout_ms: 600_000, session_timeout_ms: 700_000, ..join("g", "", "a") };
    let a = world.ask(GroupRequest::Join(slow.clone()));
    let a = world.joined(a);
    let newcomer = world.ask(GroupRequest::Join(join("g", "", "b")));
    world.advance(299_999);
    assert!(world.is_held(newcomer));
    world.advance(1);
    assert_eq!(world.answer(newcomer), join_err(JoinError::UnknownMember));
    assert_eq!(world.describe("g").members[0].member_id, a.member_id);
}

#[test]
fn sync_waits_for_the_leader_and_strangers_get_nothing() {
    let mut world = World::new(Config::default());
    let calls = ["a", "b", "c"].map(|client| world.ask(GroupRequest::Join(join("g", "", client))));
    world.advance(6_000);
    let [a, b, c] = calls.map(|call| world.joined(call));
    let waiting = world.ask(GroupRequest::Sync(sync("g", &b.member_id, 1)));
    assert!(world.is_held(waiting));
    world.check(heartbeat("g", &b.member_id, 1), ALIVE);
    let mut request = sync("g", &a.member_id, 1);
    request.assignments = vec![
        (b.member_id.clone(), Bytes::from_static(b"for b")),
        ("stranger".into(), Bytes::from_static(b"for nobody")),
    ];
    let synced = |assignment: &'static [u8]| {
        GroupResponse::Sync(Ok(Synced {
            protocol_type: "consumer".into(),
            protocol: "range".into(),
            assignment: Bytes::from_static(assignment),
        }))
    };
    world.check(GroupRequest::Sync(request), synced(b""));
    assert_eq!(world.answer(waiting), synced(b"for b"));
    world.check(GroupRequest::Sync(sync("g", &c.member_id, 1)), synced(b""));
    world.check(GroupRequest::Sync(sync("g", &b.member_id, 1)), synced(b"for b"));
}

#[test]
fn sync_checks_member_generation_and_protocol() {
    let mut world = World::quick();
    let err = |why| GroupResponse::Sync(Err(why));
    world.check(GroupRequest::Sync(sync("g", "m", 1)), err(SyncError::UnknownMember));
    world.check(GroupRequest::Sync(sync("", "m", 1)), err(SyncError::InvalidGroupId));
    let (ids, generation) = world.form("g", &["a", "b"]);
    let of = |generation| sync("g", &ids[0], generation);
    world.check(GroupRequest::Sync(sync("g", "m", generation)), err(SyncError::UnknownMember));
    world.check(GroupRequest::Sync(of(generation - 1)), err(SyncError::IllegalGeneration));
    let request = SyncGroup { protocol: Some("sticky".into()), ..of(generation) };
    world.check(GroupRequest::Sync(request), err(SyncError::InconsistentProtocol));
    let request = SyncGroup { protocol_type: Some("connect".into()), ..of(generation) };
    world.check(GroupRequest::Sync(request), err(SyncError::InconsistentProtocol));
    let (kind, protocol) = (Some("consumer".into()), Some("range".into()));
    let request = SyncGroup { protocol_type: kind, protocol, ..of(generation) };
    assert!(matches!(world.call(GroupRequest::Sync(request)), GroupResponse::Sync(Ok(_))));
    world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    world.check(GroupRequest::Sync(of(generation)), err(SyncError::RebalanceInProgress));
}

#[test]
fn rebalance_ends_held_syncs() {
    let mut world = World::new(Config::default());
    let calls = ["a", "b"].map(|client| world.ask(GroupRequest::Join(join("g", "", client))));
    world.advance(6_000);
    let [_, b] = calls.map(|call| world.joined(call));
    let waiting = world.ask(GroupRequest::Sync(sync("g", &b.member_id, 1)));
    world.ask(GroupRequest::Join(join("g", "", "c")));
    assert_eq!(world.answer(waiting), GroupResponse::Sync(Err(SyncError::RebalanceInProgress)));
}

#[test]
fn who_does_not_sync_in_time_is_removed() {
    let mut world = World::new(Config::default());
    let calls = ["a", "b"].map(|client| world.ask(GroupRequest::Join(join("g", "", client))));
    world.advance(6_000);
    let [a, b] = calls.map(|call| world.joined(call));
    let held = world.ask(assign("g", &a.member_id, 1, &[&a.member_id]));
    assert!(!world.is_held(held));
    for _ in 0..4 {
        world.check(heartbeat("g", &a.member_id, 1), ALIVE);
        world.check(heartbeat("g", &b.member_id, 1), ALIVE);
        assert_eq!(world.state("g"), "Stable");
        world.advance(5_000);
    }
    assert_eq!(world.state("g"), "PreparingRebalance");
    world.check(heartbeat("g", &b.member_id, 1), beat_err(HeartbeatError::UnknownMember));
    world.check(heartbeat("g", &a.member_id, 1), beat_err(HeartbeatError::RebalanceInProgress));
}

#[test]
fn silent_member_is_gone_after_its_session() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a", "b"]);
    world.advance(6_000);
    world.check(heartbeat("g", &ids[0], generation), ALIVE);
    world.advance(3_999);
    world.check(heartbeat("g", &ids[0], generation), ALIVE);
    world.advance(1);
    world.check(heartbeat("g", &ids[0], generation), beat_err(HeartbeatError::RebalanceInProgress));
    world.check(heartbeat("g", &ids[1], generation), beat_err(HeartbeatError::UnknownMember));
    world.advance(10_000);
    assert_eq!(world.state("g"), "Empty");
    assert_eq!(world.describe("g").protocol_type, "consumer");
}

#[test]
fn heartbeat_checks_who_it_is() {
    let mut world = World::quick();
    world.check(heartbeat("", "m", 1), beat_err(HeartbeatError::InvalidGroupId));
    world.check(heartbeat("g", "m", 1), beat_err(HeartbeatError::UnknownMember));
    let (ids, generation) = world.form("g", &["a"]);
    world.check(heartbeat("g", &ids[0], generation), ALIVE);
    world.check(heartbeat("g", &ids[0], generation + 1), beat_err(HeartbeatError::IllegalGeneration));
    world.check(heartbeat("g", "m", generation), beat_err(HeartbeatError::UnknownMember));
}

#[test]
fn leaving_answers_for_each_and_rebalances_once() {
    let mut world = World::quick();
    world.check(leave("g", &["m"]), GroupResponse::Leave(Err(LeaveError::UnknownMember)));
    world.check(leave("", &["m"]), GroupResponse::Leave(Err(LeaveError::InvalidGroupId)));
    let (ids, generation) = world.form("g", &["a", "b", "c"]);
    let reserved = world.reserve("g", "d");
    let unknown = Err(LeaverError::UnknownMember);
    world.check(
        leave("g", &[&ids[1], "m", &ids[2], &ids[1], &reserved]),
        GroupResponse::Leave(Ok(vec![Ok(()), unknown, Ok(()), unknown, Ok(())])),
    );
    assert_eq!(world.state("g"), "PreparingRebalance");
    let last = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    let last = world.joined(last);
    assert_eq!((last.generation, last.members.len()), (generation + 1, 1));
    world.check(leave("g", &[&ids[0]]), GroupResponse::Leave(Ok(vec![Ok(())])));
    assert_eq!(world.state("g"), "Empty");
}

#[test]
fn leaving_ends_the_held_calls_of_the_leaver() {
    let mut world = World::quick();
    let (ids, _) = world.form("g", &["a", "b"]);
    let held = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    world.check(leave("g", &[&ids[0]]), GroupResponse::Leave(Ok(vec![Ok(())])));
    assert_eq!(world.answer(held), join_err(JoinError::UnknownMember));
}

/// A stable group of a static leader `s1` and a static follower `s2`, in generation 1 or 2.
fn static_group(world: &mut World) -> (String, String, i32) {
    let first = world.ask(GroupRequest::Join(static_join("g", "", "s1", 1)));
    let first = world.joined(first);
    let second = world.ask(GroupRequest::Join(static_join("g", "", "s2", 2)));
    let again = world.ask(GroupRequest::Join(static_join("g", &first.member_id, "s1", 1)));
    let (second, first) = (world.joined(second), world.joined(again));
    let generation = first.generation;
    let members = [&*first.member_id, &*second.member_id];
    world.call(assign("g", &first.leader, generation, &members));
    world.call(GroupRequest::Sync(sync("g", &second.member_id, generation)));
    assert_eq!(first.leader, first.member_id);
    (first.member_id, second.member_id, generation)
}

#[test]
fn static_member_returns_under_a_new_id_without_a_rebalance() {
    let mut world = World::quick();
    let (leader, old, generation) = static_group(&mut world);
    let back = world.ask(GroupRequest::Join(static_join("g", "", "s2", 3)));
    let back = world.joined(back);
    assert_ne!(back.member_id, old);
    assert_eq!((back.generation, &back.leader, back.skip_assignment), (generation, &leader, false));
    assert_eq!(world.state("g"), "Stable");
    // It keeps what its predecessor was assigned.
    let GroupResponse::Sync(Ok(synced)) = world.call(GroupRequest::Sync(sync("g", &back.member_id, generation))) else {
        panic!("not synced")
    };
    assert_eq!(synced.assignment, old.as_bytes());
    // The predecessor is fenced wherever it names itself, unknown where it doesn't.
    let named = Some("s2".to_string());
    let fenced = Heartbeat { group: "g".into(), member_id: old.clone(), instance_id: named.clone(), generation };
    world.check(GroupRequest::Heartbeat(fenced), beat_err(HeartbeatError::FencedInstance));
    let fenced = SyncGroup { instance_id: named.clone(), ..sync("g", &old, generation) };
    world.check(GroupRequest::Sync(fenced), GroupResponse::Sync(Err(SyncError::FencedInstance)));
    let fenced = CommitOffsets { instance_id: named.clone(), ..commit_request("g", &old, generation, &[("t", 0, 1)]) };
    world.check(GroupRequest::CommitOffsets(fenced), GroupResponse::CommitOffsets(Err(CommitError::FencedInstance)));
    let fenced = Leaver { member_id: old.clone(), instance_id: named };
    world.check(
        GroupRequest::Leave(LeaveGroup { group: "g".into(), leavers: vec![fenced] }),
        GroupResponse::Leave(Ok(vec![Err(LeaverError::FencedInstance)])),
    );
    world.check(GroupRequest::Join(static_join("g", &old, "s2", 9)), join_err(JoinError::FencedInstance));
    world.check(GroupRequest::Join(static_join("g", &old, "s9", 9)), join_err(JoinError::UnknownMember));
    world.check(heartbeat("g", &old, generation), beat_err(HeartbeatError::UnknownMember));
    world.check(
        commit("g", &old, generation, &[("t", 0, 1)]),
        GroupResponse::CommitOffsets(Err(CommitError::UnknownMember)),
    );
}

#[test]
fn static_replacement_outlives_a_failover() {
    let mut world = World::quick();
    let (leader, old, generation) = static_group(&mut world);
    let back = world.ask(GroupRequest::Join(static_join("g", "", "s2", 3)));
    let back = world.joined(back);
    world.fail_over();
    assert_eq!(world.state("g"), "Stable");
    world.check(heartbeat("g", &back.member_id, generation), ALIVE);
    world.check(heartbeat("g", &leader, generation), ALIVE);
    let fenced = Heartbeat { group: "g".into(), member_id: old, instance_id: Some("s2".into()), generation };
    world.check(GroupRequest::Heartbeat(fenced), beat_err(HeartbeatError::FencedInstance));
}

#[test]
fn static_replacement_that_is_not_stored_changes_nothing() {
    let mut world = World::quick();
    let (_, old, generation) = static_group(&mut world);
    world.prompt = false;
    let back = world.ask(GroupRequest::Join(static_join("g", "", "s2", 3)));
    world.refuse();
    assert_eq!(world.answer(back), join_err(JoinError::Unavailable(Unavailable::NotStored)));
    world.check(heartbeat("g", &old, generation), ALIVE);
}

#[test]
fn returning_static_leader_skips_the_assignment_or_believes_to_follow() {
    let mut world = World::quick();
    let (leader, _, generation) = static_group(&mut world);
    let request = JoinGroup { can_skip_assignment: true, ..static_join("g", "", "s1", 3) };
    let back = world.ask(GroupRequest::Join(request));
    let back = world.joined(back);
    assert_eq!((back.generation, &back.leader), (generation, &back.member_id));
    assert!(back.skip_assignment && back.members.len() == 2);
    // An older client must not think that it leads: it would assign.
    let again = world.ask(GroupRequest::Join(static_join("g", "", "s1", 4)));
    let again = world.joined(again);
    assert_eq!((&again.leader, again.skip_assignment, again.members.len()), (&back.member_id, false, 0));
    assert_ne!(again.member_id, leader);
    assert_eq!(world.state("g"), "Stable");
}

#[test]
fn static_member_that_changes_the_protocol_choice_rebalances() {
    let mut world = World::quick();
    let both = |instance: &str, names: &str, salt| JoinGroup {
        protocols: protocols(names, b""),
        ..static_join("g", "", instance, salt)
    };
    let first = world.ask(GroupRequest::Join(both("s1", "a b", 1)));
    let first = world.joined(first);
    world.call(assign("g", &first.member_id, 1, &[&first.member_id]));
    let same = world.ask(GroupRequest::Join(both("s1", "a c", 2)));
    assert_eq!(world.joined(same).generation, 1);
    assert_eq!(world.state("g"), "Stable");
    let other = world.ask(GroupRequest::Join(both("s1", "c a", 3)));
    assert_eq!((world.joined(other).generation, world.state("g")), (2, "CompletingRebalance"));
}

#[test]
fn static_return_in_a_rebalance_fences_the_held_call() {
    let mut world = World::quick();
    let (_, old, generation) = static_group(&mut world);
    let held = world.ask(GroupRequest::Join(JoinGroup {
        protocols: vec![Protocol { name: "range".into(), metadata: subscription(&["t", "u"]) }],
        ..static_join("g", &old, "s2", 2)
    }));
    assert!(world.is_held(held));
    let back = world.ask(GroupRequest::Join(static_join("g", "", "s2", 3)));
    assert_eq!(world.answer(held), join_err(JoinError::FencedInstance));
    assert!(world.is_held(back));
    world.advance(20_000);
    // The static leader did not join, but keeps its place while its session lasts; it was silent for too long.
    assert_eq!(world.joined(back).generation, generation + 1);
}

#[test]
fn static_absentee_keeps_its_place_until_its_session_ends() {
    let mut world = World::quick();
    let (leader, follower, generation) = static_group(&mut world);
    for round in 1..=2 {
        let joined = world.ask(GroupRequest::Join(static_join("g", &leader, "s1", 1)));
        for _ in 0..4 {
            assert!(world.is_held(joined), "round {round}");
            let beat = Heartbeat {
                group: "g".into(),
                member_id: follower.clone(),
                instance_id: None,
                generation: generation + round - 1,
            };
            world.check(GroupRequest::Heartbeat(beat), beat_err(HeartbeatError::RebalanceInProgress));
            world.advance(5_000);
        }
        let joined = world.joined(joined);
        assert_eq!((joined.generation, joined.members.len()), (generation + round, 2));
        world.call(assign("g", &leader, joined.generation, &[&leader]));
    }
}

#[test]
fn generation_that_is_not_stored_never_was() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    world.prompt = false;
    let held = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    world.refuse();
    assert_eq!(world.answer(held), join_err(JoinError::Unavailable(Unavailable::NotStored)));
    world.check(heartbeat("g", &ids[0], generation), beat_err(HeartbeatError::RebalanceInProgress));
    world.prompt = true;
    let again = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    assert_eq!(world.joined(again).generation, generation + 1);
}

#[test]
fn assignment_that_is_not_stored_is_brought_again() {
    let mut world = World::new(Config::default());
    let calls = ["a", "b"].map(|client| world.ask(GroupRequest::Join(join("g", "", client))));
    world.advance(6_000);
    let [a, b] = calls.map(|call| world.joined(call).member_id);
    let waiting = world.ask(GroupRequest::Sync(sync("g", &b, 1)));
    world.prompt = false;
    let leading = world.ask(assign("g", &a, 1, &[&a, &b]));
    assert!(world.is_held(leading) && world.is_held(waiting));
    world.refuse();
    for call in [leading, waiting] {
        let why = SyncError::Unavailable(Unavailable::NotStored);
        assert_eq!(world.answer(call), GroupResponse::Sync(Err(why)));
    }
    assert_eq!(world.state("g"), "CompletingRebalance");
    world.prompt = true;
    assert!(matches!(world.call(assign("g", &a, 1, &[&a, &b])), GroupResponse::Sync(Ok(_))));
    assert!(matches!(world.call(GroupRequest::Sync(sync("g", &b, 1))), GroupResponse::Sync(Ok(_))));
}

#[test]
fn rebalance_goes_on_over_a_failover_between_join_and_sync() {
    let mut world = World::new(Config::default());
    let calls = ["a", "b"].map(|client| world.ask(GroupRequest::Join(join("g", "", client))));
    world.advance(6_000);
    let [a, b] = calls.map(|call| world.joined(call).member_id);
    world.fail_over();
    assert_eq!(world.state("g"), "CompletingRebalance");
    let waiting = world.ask(GroupRequest::Sync(sync("g", &b, 1)));
    assert!(matches!(world.call(assign("g", &a, 1, &[&a, &b])), GroupResponse::Sync(Ok(_))));
    assert!(matches!(world.answer(waiting), GroupResponse::Sync(Ok(_))));
}

#[test]
fn generation_never_falls_over_a_failover() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    // Two rebalances without an assignment in between.
    for step in 1..=2 {
        let mut changed = join("g", &ids[0], "a");
        changed.protocols[0].metadata = Bytes::from(vec![step]);
        let joined = world.ask(GroupRequest::Join(changed));
        assert_eq!(world.joined(joined).generation, generation + i32::from(step));
    }
    world.fail_over();
    let joined = world.ask(GroupRequest::Join(join("g", &ids[0], "a")));
    assert_eq!(world.joined(joined).generation, generation + 3);
}

#[test]
fn every_member_has_a_fresh_session_after_a_failover() {
    let mut world = World::quick();
    let (ids, generation) = world.form("g", &["a"]);
    world.advance(9_000);
    world.fail_over();
    world.advance(9_999);
    world.check(heartbeat("g", &ids[0], generation), ALIVE);
    world.advance(10_000);
    world.check(heartbeat("g", &ids[0], generation), beat_err(HeartbeatError::UnknownMember));
}

#[test]
fn description_shows_metadata_and_assignments_while_stable() {
    let mut world = World::quick();
    assert_eq!(world.describe("g"), Description::dead());
    let (ids, _) = world.form("g", &["a"]);
    let member = |metadata: Bytes, assignment: Bytes| DescribedMember {
        member_id: ids[0].clone(),
        instance_id: None,
        client_id: "a".into(),
        client_host: "/127.0.0.1".into(),
        metadata,
        assignment,
    };
    let stable = Description {
        state: GroupState::Stable,
        protocol_type: "consumer".into(),
        protocol: "range".into(),
        members: vec![member(subscription(&["t"]), ids[0].clone().into())],
    };
    assert_eq!(world.describe("g"), stable);
    world.ask(GroupRequest::Join(join("g", "", "b")));
    let preparing = world.describe("g");
    assert_eq!((preparing.state, &*preparing.protocol), (GroupState::PreparingRebalance, ""));
    assert!(preparing.members.contains(&member(Bytes::new(), Bytes::new())));
}

#[test]
fn list_filters_without_case() {
    let mut world = World::quick();
    world.form("b", &["x"]);
    world.call(set_offset("a", "t", 1));
    let mut check = |states: &[&str], types: &[&str], expect: &[&str]| {
        let filter = ListGroups {
            states: states.iter().map(|s| s.to_string()).collect(),
            types: types.iter().map(|s| s.to_string()).collect(),
        };
        let GroupResponse::List(Ok(listed)) = world.call(GroupRequest::List(filter)) else { panic!("no list") };
        let listed: Vec<String> =
            listed.into_iter().map(|g| format!("{} {} {}", g.group, g.state.name(), g.protocol_type)).collect();
        assert_eq!(listed, expect);
    };
    check(&[], &[], &["a Empty ", "b Stable consumer"]);
    check(&["sTABLE"], &["CLASSIC"], &["b Stable consumer"]);
    check(&["empty", "Dead"], &[], &["a Empty "]);
    check(&["nonsense"], &[], &[]);
    check(&[], &["consumer"], &[]);
}
