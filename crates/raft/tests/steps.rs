//! The contract, one step at a time.

use ouzel_model::{Index, NodeId, Term};
use ouzel_raft::{
    BadStored, Body, Config, Entries, Group, Input, Message, NEVER, Output, Position, Role, Source, Stored, Ticket,
};

const MEMBERS: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

fn position(term: u32, index: u64) -> Position {
    Position { term: Term(term), index: Index(index) }
}

/// What a replica with this log reads: rows of (term, first index).
fn stored(rows: &[(u32, u64)], last: u64) -> Stored {
    let terms: Vec<_> = rows.iter().map(|row| (Term(row.0), Index(row.1))).collect();
    let term = terms.last().map_or(Term(0), |row| row.0);
    Stored { term, last: Index(last), terms, ..Stored::default() }
}

/// A replica and what its last step gave out.
struct Replica {
    group: Group,
    out: Vec<Output>,
}

impl Replica {
    fn new(config: Config, me: i32, members: &[NodeId], stored: &Stored) -> Replica {
        Replica { group: Group::new(0, config, NodeId(me), members, stored, 0).unwrap(), out: Vec::new() }
    }

    fn step(&mut self, input: Input<'_>) -> &[Output] {
        self.out.clear();
        self.group.step(self.group.deadline().min(1_000_000), input, &mut self.out);
        &self.out
    }

    fn hear(&mut self, from: i32, term: u32, body: Body) -> &[Output] {
        self.step(Input::Message { from: NodeId(from), message: Message { term: Term(term), body } })
    }

    fn propose(&mut self, bytes: &[u32]) -> &[Output] {
        let (first, term) = self.group.next_entry().unwrap();
        self.step(Input::Propose { first, term, bytes })
    }

    /// Fires the timer until it says something: a timer may be early, and a follower spoken to gets no heartbeat.
    fn heartbeat(&mut self) {
        for _ in 0..3 {
            if self.sent().is_empty() {
                self.step(Input::TimerFired { random: 0 });
            }
        }
        assert!(!self.sent().is_empty());
    }

    /// (to, body, after) of what was sent.
    fn sent(&self) -> Vec<(i32, Body, Option<u64>)> {
        self.out
            .iter()
            .filter_map(|output| match output {
                Output::Send { to, message, after } => Some((to.0, message.body, after.map(|ticket| ticket.0))),
                _ => None,
            })
            .collect()
    }

    /// (prev, last) of each `Append` sent to this follower.
    fn frames(&self, follower: i32) -> Vec<(u64, u64)> {
        let frame = |body| match body {
            Body::Append(entries) => Some((entries.prev.index.0, entries.last.0)),
            _ => None,
        };
        self.sent().into_iter().filter(|sent| sent.0 == follower).filter_map(|sent| frame(sent.1)).collect()
    }
}

/// Replica 1 of three as the leader of the term after its log's, each follower's end known.
fn leader(config: Config, stored: &Stored) -> Replica {
    let mut replica = Replica::new(config, 1, &MEMBERS, stored);
    replica.step(Input::TimerFired { random: 0 });
    replica.step(Input::Durable(Ticket(1)));
    let term = replica.group.term().0;
    replica.hear(2, term, Body::Voted { granted: true });
    assert!(matches!(replica.group.role(), Role::Leader { .. }));
    replica
}

fn settled(config: Config) -> Replica {
    let mut replica = leader(config, &Stored::default());
    replica.step(Input::Durable(Ticket(2)));
    for follower in [2, 3] {
        replica.hear(follower, 1, Body::Appended { matched: Index(1) });
    }
    replica
}

#[test]
fn a_group_of_one_leads_and_commits_after_one_sync() {
    let mut replica = Replica::new(Config::default(), 1, &[NodeId(1)], &stored(&[(4, 1)], 9));
    assert_eq!(replica.group.deadline(), 0);
    let (term, me) = (Term(5), Some(NodeId(1)));
    let blank = Output::Append {
        first: Index(10),
        last: Index(10),
        term,
        source: Source::Blank,
        truncate_from: None,
        ticket: Ticket(2),
    };
    assert_eq!(
        replica.step(Input::TimerFired { random: 0 }),
        [Output::Role(Role::Candidate { term }), Output::SaveVote { term, vote: me, ticket: Ticket(1) }, blank]
    );
    let leads = Output::Role(Role::Leader { term, first: Index(10) });
    assert_eq!(replica.step(Input::Durable(Ticket(2))), [leads, Output::Commit(Index(10))]);
    assert!(replica.group.is_ready());
    assert_eq!(replica.group.deadline(), NEVER);
    // From here on a proposal is two steps: write, commit.
    assert_eq!(replica.propose(&[100]).len(), 1);
    assert_eq!(replica.step(Input::Durable(Ticket(3))), [Output::Commit(Index(11))]);
}

#[test]
fn only_the_first_named_replica_of_a_new_group_campaigns_at_once() {
    let deadline = |me, stored: &Stored| Replica::new(Config::default(), me, &MEMBERS, stored).group.deadline();
    assert_eq!(deadline(1, &Stored::default()), 0);
    assert_eq!(deadline(2, &Stored::default()), 1000);
    assert_eq!(deadline(1, &stored(&[(1, 1)], 1)), 1000);
}

#[test]
fn a_vote_leaves_after_it_is_durable_and_is_given_once() {
    let mut replica = Replica::new(Config::default(), 2, &MEMBERS, &stored(&[(1, 1)], 5));
    replica.hear(1, 3, Body::Vote { last: position(1, 5) });
    assert_eq!(replica.sent(), [(1, Body::Voted { granted: true }, Some(1))]);
    replica.hear(3, 3, Body::Vote { last: position(1, 9) });
    assert_eq!(replica.sent(), [(3, Body::Voted { granted: false }, Some(1))]);
    replica.step(Input::Durable(Ticket(1)));
    replica.hear(1, 3, Body::Vote { last: position(1, 5) });
    assert_eq!(replica.sent(), [(1, Body::Voted { granted: true }, None)]);
}

#[test]
fn a_shorter_log_gets_no_vote() {
    for (last, granted) in [((2, 4), false), ((1, 9), false), ((2, 5), true), ((3, 1), true)] {
        let mut replica = Replica::new(Config::default(), 2, &MEMBERS, &stored(&[(1, 1), (2, 4)], 5));
        replica.hear(1, 9, Body::Vote { last: position(last.0, last.1) });
        assert_eq!(replica.sent(), [(1, Body::Voted { granted }, Some(1))], "{last:?}");
    }
}

#[test]
fn nobody_campaigns_in_the_last_term() {
    let last = Stored { term: Term::MAX, ..Stored::default() };
    let mut replica = Replica::new(Config::default(), 2, &MEMBERS, &last);
    assert_eq!(replica.step(Input::TimerFired { random: 0 }), [Output::Deadline(2000)]);
    assert_eq!(replica.group.term(), Term::MAX);
    assert_eq!(replica.hear(1, Term::MAX.0 + 1, Body::Vote { last: position(0, 0) }), []);
    let mut replica = Replica::new(Config::default(), 1, &[NodeId(1)], &last);
    assert_eq!(replica.step(Input::TimerFired { random: 0 }), []);
    assert_eq!(replica.group.deadline(), NEVER);
}

#[test]
fn entries_leave_before_they_are_durable_and_commit_by_durable_positions_only() {
    let mut replica = settled(Config::default());
    replica.propose(&[10]);
    assert_eq!((replica.frames(2), replica.frames(3)), (vec![(1, 2)], vec![(1, 2)]));
    assert!(replica.sent().iter().all(|sent| sent.2.is_none()));
    // One follower isn't a majority, and the leader's own copy counts only when its disk says so.
    assert_eq!(replica.hear(2, 1, Body::Appended { matched: Index(2) }), []);
    assert_eq!(replica.step(Input::Durable(Ticket(3))), [Output::Commit(Index(2))]);
    // Two followers are one, whatever the leader's disk does.
    replica.propose(&[10]);
    replica.hear(2, 1, Body::Appended { matched: Index(3) });
    assert_eq!(replica.hear(3, 1, Body::Appended { matched: Index(3) }), [Output::Commit(Index(3))]);
}

#[test]
fn proposals_that_do_not_fit_are_refused() {
    let mut replica = settled(Config::default());
    for (first, term, bytes) in [(3, 1, &[1][..]), (2, 2, &[1]), (2, 1, &[])] {
        let (first, term) = (Index(first), Term(term));
        assert_eq!(replica.step(Input::Propose { first, term, bytes }), [Output::Refused { first, term }]);
    }
    replica.hear(2, 7, Body::Outdated);
    let (first, term) = (Index(2), Term(1));
    assert_eq!(replica.step(Input::Propose { first, term, bytes: &[1] }), [Output::Refused { first, term }]);
}

#[test]
fn the_window_is_bounded_by_bytes_and_by_entries() {
    let small = Config { frame_bytes_max: 100, window_bytes_max: 200, window_entries_max: 5, ..Config::default() };
    let mut replica = settled(small);
    replica.propose(&[60, 60, 30, 90]);
    assert_eq!(replica.frames(2), [(1, 2), (2, 4), (4, 5)]);
    replica.propose(&[1]);
    assert_eq!(replica.frames(2), []);
    replica.hear(2, 1, Body::Appended { matched: Index(2) });
    assert_eq!(replica.frames(2), [(5, 6)]);

    let mut replica = settled(small);
    replica.propose(&[1; 3]);
    replica.propose(&[1; 3]);
    replica.propose(&[1]);
    assert_eq!(replica.frames(2), []);
    replica.hear(2, 1, Body::Appended { matched: Index(4) });
    assert_eq!(replica.frames(2), [(7, 8)]);
}

#[test]
fn a_diverged_log_is_found_in_one_step_per_term() {
    // The follower has a thousand entries of a lost term 2 behind entry 500, the leader others of term 3.
    let mut replica = leader(Config::default(), &stored(&[(1, 1), (3, 501)], 2000));
    let mut follower = Replica::new(Config::default(), 2, &MEMBERS, &stored(&[(1, 1), (2, 501)], 1500));
    let mut frames =
        vec![Body::Append(Entries { prev: position(3, 2000), term: Term(4), last: Index(2001), commit: Index(0) })];
    for round in 0.. {
        assert!(round < 3, "too many rounds");
        follower.hear(1, 4, frames[0]);
        if follower.out.iter().any(|output| matches!(output, Output::Append { .. })) {
            break;
        }
        let answer = follower.sent()[0].1;
        replica.hear(2, 4, answer);
        frames = replica.sent().into_iter().map(|sent| sent.1).collect();
    }
    let Some(Output::Append { first, truncate_from, .. }) =
        follower.out.iter().find(|output| matches!(output, Output::Append { .. }))
    else {
        panic!("nothing was appended")
    };
    assert_eq!((*first, *truncate_from), (Index(501), Some(Index(501))));
}

#[test]
fn a_ticket_does_not_speak_for_an_entry_written_twice() {
    let mut replica = Replica::new(Config::default(), 2, &MEMBERS, &Stored::default());
    let entry = |term, commit| {
        Body::Append(Entries { prev: position(0, 0), term: Term(term), last: Index(1), commit: Index(commit) })
    };
    replica.hear(1, 1, entry(1, 0)); // tickets 1 (term) and 2 (entry 1 of term 1)
    replica.hear(3, 2, entry(2, 0)); // 3 and 4: entry 1 of term 2 replaces it
    replica.hear(1, 3, entry(1, 0)); // 5 and 6: and entry 1 of term 1 comes back
    replica.step(Input::Durable(Ticket(4)));
    assert_eq!((replica.group.durable_index(), replica.sent()), (Index(0), vec![]));
    replica.step(Input::Durable(Ticket(6)));
    assert_eq!(replica.sent(), [(1, Body::Appended { matched: Index(1) }, None)]);
}

#[test]
fn truncation_never_passes_the_committed_index() {
    let mut replica =
        Replica::new(Config::default(), 2, &MEMBERS, &Stored { commit: Index(3), ..stored(&[(1, 1)], 5) });
    let append = |prev, last| Body::Append(Entries { prev, term: Term(2), last: Index(last), commit: Index(0) });
    replica.hear(1, 2, append(position(1, 2), 3));
    assert!(replica.out.contains(&Output::Conflict { leader: NodeId(1), index: Index(3) }));
    replica.hear(1, 2, append(position(2, 3), 4));
    assert!(replica.out.contains(&Output::Conflict { leader: NodeId(1), index: Index(3) }));
    replica.hear(1, 2, append(position(1, 3), 4));
    assert!(replica.out.iter().any(|output| matches!(output, Output::Append { first: Index(4), .. })));
}

#[test]
fn a_follower_behind_the_trimmed_log_is_caught_up_once() {
    let mut replica = settled(Config::default());
    replica.propose(&[1; 9]);
    replica.step(Input::Durable(Ticket(3)));
    replica.hear(2, 1, Body::Appended { matched: Index(10) });
    replica.step(Input::Trimmed(Index(8)));
    let refused = Body::Refused { asked: Index(10), hint: position(1, 3), committed: Index(2) };
    let wanted = Output::CatchUp { peer: NodeId(3), from: Index(3) };
    assert_eq!(replica.hear(3, 1, refused), [wanted]);
    assert_eq!(replica.hear(3, 1, refused), []);
    // The driver says that the copy failed: the next answer asks for it again.
    assert_eq!(replica.step(Input::PeerLost(NodeId(3))), []);
    assert_eq!(replica.hear(3, 1, refused), [wanted]);
    // Heartbeats go on, and the first one accepted ends the copy.
    replica.out.clear();
    replica.heartbeat();
    assert_eq!(replica.frames(3), [(8, 8)]);
    replica.hear(3, 1, Body::Appended { matched: Index(8) });
    assert_eq!(replica.frames(3), [(8, 10)]);
}

#[test]
fn a_lost_peer_gets_no_frames_until_it_answers() {
    let mut replica = settled(Config::default());
    replica.propose(&[1]);
    replica.step(Input::PeerLost(NodeId(2)));
    replica.propose(&[1]);
    assert_eq!((replica.frames(2), replica.frames(3)), (vec![], vec![(2, 3)]));
    replica.out.clear();
    replica.heartbeat();
    assert_eq!(replica.frames(2), [(1, 1)]);
    replica.hear(2, 1, Body::Appended { matched: Index(1) });
    assert_eq!(replica.frames(2), [(1, 3)]);
}

#[test]
fn a_shortened_frame_goes_on_where_it_ended() {
    let mut replica = leader(Config::default(), &stored(&[(1, 1)], 100));
    // Lengths of entries from before this term aren't known: one frame at a time.
    replica.hear(2, 2, Body::Refused { asked: Index(100), hint: position(1, 10), committed: Index(0) });
    assert_eq!(replica.frames(2), [(10, 100)]);
    replica.hear(2, 2, Body::Appended { matched: Index(40) });
    assert_eq!(replica.frames(2), [(40, 100)]);
    replica.hear(2, 2, Body::Appended { matched: Index(100) });
    assert_eq!(replica.frames(2), [(100, 101)]);
}

#[test]
fn broken_messages_of_a_peer_do_no_harm() {
    let mut replica = settled(Config::default());
    let (end, far) = (Index(u64::MAX), position(9, u64::MAX));
    let bodies = [
        Body::Appended { matched: end },
        Body::Refused { asked: end, hint: far, committed: end },
        Body::Refused { asked: Index(1), hint: far, committed: Index(0) },
        Body::Append(Entries { prev: far, term: Term(1), last: end, commit: end }),
        Body::Vote { last: far },
        Body::Voted { granted: true },
        Body::Outdated,
    ];
    for term in [1, 2, 3, Term::MAX.0 - 1] {
        for body in bodies {
            replica.hear(2, term, body);
            replica.hear(77, term, body);
            assert_eq!(replica.group.committed(), Index(1));
            assert_eq!(replica.group.last().index, Index(1));
        }
    }
}

#[test]
fn entries_over_the_trimmed_part_must_agree_with_its_end() {
    let trimmed = Stored { trimmed: position(3, 5), commit: Index(6), ..stored(&[(3, 1)], 8) };
    for (term, last, writes) in [(3, 9, Some(9)), (3, 8, None), (3, 4, None), (2, 4, None)] {
        let mut replica = Replica::new(Config::default(), 2, &MEMBERS, &trimmed);
        let entries = Entries { prev: position(2, 2), term: Term(term), last: Index(last), commit: Index(6) };
        replica.hear(1, 4, Body::Append(entries));
        let first = replica.out.iter().find_map(|output| match output {
            Output::Append { first, .. } => Some(first.0),
            _ => None,
        });
        assert_eq!(first, writes);
        assert!(!replica.out.iter().any(|output| matches!(output, Output::Conflict { .. })), "{entries:?}");
    }
    let mut replica = Replica::new(Config::default(), 2, &MEMBERS, &trimmed);
    let entries = Entries { prev: position(2, 2), term: Term(2), last: Index(9), commit: Index(9) };
    replica.hear(1, 4, Body::Append(entries));
    assert!(replica.out.contains(&Output::Conflict { leader: NodeId(1), index: Index(5) }));
}

#[test]
fn damaged_state_is_refused() {
    let new = |members: &[NodeId], stored: &Stored| {
        Group::new(0, Config::default(), NodeId(1), members, stored, 0).map(|_| ())
    };
    let good = stored(&[(1, 1)], 5);
    assert_eq!(new(&MEMBERS, &good), Ok(()));
    assert_eq!(new(&MEMBERS[1..], &good), Err(BadStored::NotAMember(NodeId(1))));
    let twice = [NodeId(1), NodeId(2), NodeId(2)];
    assert_eq!(new(&twice, &good), Err(BadStored::NotAMember(NodeId(2))));
    let old_vote = Stored { term: Term(0), ..good.clone() };
    assert_eq!(new(&MEMBERS, &old_vote), Err(BadStored::Term { saved: Term(0), last: Term(1) }));
    let short = Stored { commit: Index(6), ..good };
    assert!(matches!(new(&MEMBERS, &short), Err(BadStored::Positions { .. })));
}

#[test]
fn an_idle_replica_takes_at_most_a_kibibyte() {
    let mut replica = settled(Config::default());
    for _ in 0..5000 {
        replica.propose(&[1]);
    }
    assert!(replica.group.memory_bytes() > 8192, "the test must fill something");
    replica.step(Input::Durable(Ticket(5002)));
    for follower in [2, 3] {
        while let Some(&(_, last)) = replica.frames(follower).last() {
            replica.hear(follower, 1, Body::Appended { matched: Index(last) });
        }
        replica.hear(follower, 1, Body::Appended { matched: Index(5001) });
    }
    for _ in 0..4 {
        replica.step(Input::TimerFired { random: 0 });
    }
    assert_eq!(replica.group.committed(), Index(5001));
    assert!(replica.group.memory_bytes() <= 1024, "{} bytes", replica.group.memory_bytes());

    let mut follower = Replica::new(Config::default(), 2, &MEMBERS, &Stored::default());
    for index in 0..100 {
        let prev = position(u32::from(index > 0), index);
        let entries = Entries { prev, term: Term(1), last: Index(index + 1), commit: Index(index) };
        follower.hear(1, 1, Body::Append(entries));
    }
    assert!(follower.group.memory_bytes() > 1024, "the test must fill something");
    follower.step(Input::Durable(Ticket(101)));
    assert!(follower.group.memory_bytes() <= 1024, "{} bytes", follower.group.memory_bytes());
    eprintln!("leader {} follower {}", replica.group.memory_bytes(), follower.group.memory_bytes());
}
