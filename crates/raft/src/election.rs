//! Terms and votes. Source: Raft thesis 3.4, 3.6.1.

use ouzel_model::{NodeId, Term, planted, reached};

use crate::contract::{NEVER, Outputs, Source};
use crate::group::{Group, State};
use crate::message::{Body, Position};

impl Group {
    /// Asks for a new term, unless there is none left.
    pub(crate) fn campaign(&mut self, now: u64, out: &mut Outputs) {
        self.wait_for_leader(now);
        if self.term >= Term::MAX {
            reached!("raft: out of terms");
            if self.peers.is_empty() {
                self.due = NEVER;
            }
            return;
        }
        self.term = Term(self.term.0 + 1);
        self.vote = Some(self.me);
        self.set_state(State::Candidate, out);
        self.save_vote(out);
        let last = self.log.last_position();
        for place in 0..self.peers.len() {
            self.peers[place].voted = false;
            self.send(self.peers[place].id, Body::Vote { last }, out);
        }
        if self.peers.is_empty() {
            // Nobody else can win this term, so its Blank shares the vote's group commit: one sync instead of two.
            // It stands behind the vote on disk, and nobody sees it before both are durable.
            self.append_blank(out);
            self.due = NEVER;
        }
        if planted!("raft-own-vote-early", true, false) {
            self.count_votes(now, out);
        }
    }

    /// `newer`: the request brought a term that isn't saved yet.
    pub(crate) fn vote_asked(&mut self, now: u64, from: NodeId, last: Position, newer: bool, out: &mut Outputs) {
        let free = self.vote.is_none() || self.vote == Some(from);
        let granted = free && matches!(self.state, State::Follower { .. }) && last >= self.log.last_position();
        let first_time = granted && self.vote.is_none();
        if first_time {
            self.vote = Some(from);
        }
        if newer || first_time {
            self.save_vote(out);
        }
        if granted {
            self.wait_for_leader(now);
        }
        self.send(from, Body::Voted { granted }, out);
    }

    pub(crate) fn voted(&mut self, now: u64, peer: usize, granted: bool, out: &mut Outputs) {
        if granted && self.state == State::Candidate {
            self.peers[peer].voted = true;
            self.count_votes(now, out);
        }
    }

    /// Leads when a majority voted for this candidate. Its own vote counts once it is durable.
    pub(crate) fn count_votes(&mut self, now: u64, out: &mut Outputs) {
        let own = self.tickets.vote_waiting().is_none() || planted!("raft-own-vote-early", true, false);
        let votes = usize::from(own) + self.peers.iter().filter(|peer| peer.voted).count();
        if votes >= self.majority() {
            self.lead(now, out);
        }
    }

    fn lead(&mut self, now: u64, out: &mut Outputs) {
        let last = self.log.last();
        if self.peers.is_empty() {
            return self.set_state(State::Leader { first: last }, out);
        }
        self.set_state(State::Leader { first: last.next() }, out);
        self.sizes.reset(last);
        for peer in &mut self.peers {
            peer.reset(last.next());
        }
        self.append_blank(out);
        self.sizes.push(0, self.config.window_entries_max);
        self.replicate_all(out);
        self.due = now.saturating_add(u64::from(self.config.heartbeat_ms));
    }

    fn append_blank(&mut self, out: &mut Outputs) {
        self.append(self.term, self.log.last().next(), Source::Blank, None, out);
    }
}
