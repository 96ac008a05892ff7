//! The follower's side: a leader's entries against our own.

use ouzel_model::{Index, NodeId, Term, planted, reached};

use crate::contract::{Output, Outputs, Source};
use crate::group::{Group, State};
use crate::message::{Body, Entries, Position};

/// A message that names an index from here on is broken: no log gets this long, and sums below can't overflow.
const INDEX_END: Index = Index(1 << 62);

impl Group {
    /// Takes a leader's entries apart into those that are here, those that contradict ours, and those that are new.
    pub(crate) fn entries_received(&mut self, now: u64, leader: NodeId, entries: Entries, out: &mut Outputs) {
        let Entries { prev, term, last, commit } = entries;
        let matched = match self.state {
            State::Follower { leader: Some(known), matched } if known == leader => matched,
            State::Follower { leader: None, matched } => matched,
            State::Candidate => self.commit,
            // Two leaders in one term: not from our own kind.
            _ => return reached!("raft: second leader in a term"),
        };
        let ordered = prev.index <= last && last < INDEX_END && prev.term <= term && term <= self.term;
        if !ordered {
            return reached!("raft: malformed append");
        }
        if self.leader().is_none() {
            self.set_state(State::Follower { leader: Some(leader), matched }, out);
        }
        self.wait_for_leader(now);

        // What was trimmed was committed, so it is the same over there; its last entry shows it.
        let trimmed = self.log.trimmed();
        let below = prev.index < trimmed.index;
        if below && trimmed.index <= last && trimmed.term != term {
            return out.push(Output::Conflict { leader, index: trimmed.index });
        }
        if !below && self.log.term_at(prev.index) != Some(prev.term) {
            return self.refuse(leader, prev, out);
        }
        let known = prev.index.max(trimmed.index);
        let first = if last <= known { last.next() } else { self.first_new(known.next(), last, term) };
        if first <= last {
            let truncate_from = (first <= self.log.last()).then_some(first);
            if let Some(from) = truncate_from {
                if from <= matched.max(self.commit) && planted!("raft-truncate-committed", false, true) {
                    return out.push(Output::Conflict { leader, index: from });
                }
                self.truncate(from);
            }
            self.append(term, last, Source::Received, truncate_from, out);
        }
        let matched = matched.max(last);
        self.state = State::Follower { leader: Some(leader), matched };
        self.commit_to(commit.min(matched), out);
        if last < first {
            // Nothing to write: say what is durable now. Else the write's ticket brings the answer.
            self.send(leader, Body::Appended { matched: matched.min(self.durable) }, out);
        }
    }

    /// The first index of `from ..= last` that isn't here with this term; behind `last` when all are.
    fn first_new(&self, from: Index, last: Index, term: Term) -> Index {
        if self.log.term_at(from) != Some(term) || planted!("raft-truncate-committed", true, false) {
            return from;
        }
        self.log.run_end(from).min(last).next()
    }

    fn truncate(&mut self, from: Index) {
        reached!("raft: truncated");
        let kept = Index(from.0 - 1);
        self.log.truncate(from);
        planted!("raft-ticket-of-truncated", (), {
            self.durable = self.durable.min(kept);
            self.tickets.cut(kept);
        });
    }

    fn refuse(&mut self, leader: NodeId, prev: Position, out: &mut Outputs) {
        if prev.index <= self.commit {
            return out.push(Output::Conflict { leader, index: prev.index });
        }
        let committed = self.position(self.commit);
        let hint = self.log.floor(prev).map_or(committed, |at| if at.index > self.commit { at } else { committed });
        self.send(leader, Body::Refused { asked: prev.index, hint, committed: self.commit }, out);
    }
}
