//! The group: its state, its one entry point, and what every role shares.

use ouzel_model::{Index, NodeId, Term, planted, reached};
use smallvec::SmallVec;

use crate::config::Config;
use crate::contract::{Input, NEVER, Output, Outputs, Role, Source, Ticket};
use crate::message::{Body, Message, Position};
use crate::progress::Peer;
use crate::sizes::Sizes;
use crate::stored::{BadStored, Stored};
use crate::terms::Terms;
use crate::tickets::Tickets;

/// One replica of one group. At most 1 KiB while idle, with three members; see the crate's first page for its contract.
#[derive(Clone, Debug, Hash)]
pub struct Group {
    pub(crate) config: Config,
    pub(crate) me: NodeId,
    /// The other members.
    pub(crate) peers: SmallVec<[Peer; 2]>,
    pub(crate) term: Term,
    pub(crate) vote: Option<NodeId>,
    pub(crate) state: State,
    pub(crate) log: Terms,
    pub(crate) commit: Index,
    /// Our last entry that is on disk and is still the one that was written.
    pub(crate) durable: Index,
    pub(crate) tickets: Tickets,
    pub(crate) sizes: Sizes,
    /// The election timeout last drawn.
    pub(crate) timeout_ms: u32,
    /// When the timer has work to do.
    pub(crate) due: u64,
    /// When the driver will call. Never later than `due`; it may be earlier, so that a follower needn't move its timer
    /// with every message.
    armed: u64,
}

/// A role's own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Follower {
        leader: Option<NodeId>,
        /// Up to here our log is known to equal that of this term's leader. At least the committed index: a leader
        /// holds all that was committed before it.
        matched: Index,
    },
    Candidate,
    Leader {
        first: Index,
    },
}

impl Group {
    /// Builds the replica `me` of the group `members` from what its disk holds. All of `stored` is durable.
    ///
    /// The driver then arms a timer for [`deadline`](Group::deadline). It is at once when this replica is the only
    /// member, or the first one named of a new group. `random` is any uniformly distributed number.
    pub fn new(
        now_ms: u64,
        config: Config,
        me: NodeId,
        members: &[NodeId],
        stored: &Stored,
        random: u64,
    ) -> Result<Group, BadStored> {
        let peers: SmallVec<[Peer; 2]> = members.iter().filter(|&&id| id != me).map(|&id| Peer::new(id)).collect();
        if peers.len() + 1 != members.len() {
            return Err(BadStored::NotAMember(me));
        }
        if let Some(twice) = peers.iter().enumerate().find(|(n, peer)| peers[..*n].iter().any(|p| p.id == peer.id)) {
            return Err(BadStored::NotAMember(twice.1.id));
        }
        let log = Terms::new(stored)?;
        let last = log.last_position();
        if stored.term < last.term || stored.term > Term::MAX {
            return Err(BadStored::Term { saved: stored.term, last: last.term });
        }
        let timeout_ms = config.election_ms(random);
        let new = stored.term == Term(0) && last.index == Index(0);
        let at_once = peers.is_empty() || (new && members[0] == me);
        let due = if at_once { now_ms } else { now_ms + u64::from(timeout_ms) };
        Ok(Group {
            config,
            me,
            peers,
            term: stored.term,
            vote: stored.vote,
            state: State::Follower { leader: None, matched: stored.commit },
            log,
            commit: stored.commit,
            durable: stored.last,
            tickets: Tickets::default(),
            sizes: Sizes::default(),
            timeout_ms,
            due,
            armed: due,
        })
    }

    /// Takes one input and adds what must be done about it to `out`, which the caller empties between steps.
    /// `now_ms` is monotonic.
    pub fn step(&mut self, now_ms: u64, input: Input<'_>, out: &mut Outputs) {
        match input {
            Input::Propose { first, term, bytes } => self.propose(first, term, bytes, out),
            Input::Message { from, message } => self.message(now_ms, from, message, out),
            Input::Durable(ticket) => self.durable(now_ms, ticket, out),
            Input::TimerFired { random } => self.timer_fired(now_ms, random, out),
            Input::PeerLost(peer) => self.peer_lost(peer),
            Input::Trimmed(upto) => {
                assert!(upto <= self.commit, "trimmed up to {upto}, committed only {}", self.commit);
                self.log.trim(upto);
            }
        }
        if self.due < self.armed {
            self.armed = self.due;
            out.push(Output::Deadline(self.due));
        }
    }

    /// When the driver should call with [`Input::TimerFired`], ms; [`NEVER`] for a group that has nothing to wait for.
    pub fn deadline(&self) -> u64 {
        self.armed
    }

    /// The current term.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Who this replica voted for in the current term.
    pub fn vote(&self) -> Option<NodeId> {
        self.vote
    }

    /// What this replica is.
    pub fn role(&self) -> Role {
        let term = self.term;
        match self.state {
            State::Follower { leader, .. } => Role::Follower { term, leader },
            State::Candidate => Role::Candidate { term },
            State::Leader { first } => Role::Leader { term, first },
        }
    }

    /// The leader of the current term, when known; this replica itself when it leads.
    pub fn leader(&self) -> Option<NodeId> {
        match self.state {
            State::Follower { leader, .. } => leader,
            State::Candidate => None,
            State::Leader { .. } => Some(self.me),
        }
    }

    /// Index and term of the next proposal's first entry; none unless this replica leads.
    pub fn next_entry(&self) -> Option<(Index, Term)> {
        matches!(self.state, State::Leader { .. }).then(|| (self.log.last().next(), self.term))
    }

    /// Whether this replica leads and the first entry of its term is committed. Once that is applied too, it may serve.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Leader { first } if first <= self.commit)
    }

    /// The last entry, durable or not.
    pub fn last(&self) -> Position {
        self.log.last_position()
    }

    /// The last entry freed; zeros when none was.
    pub fn trimmed(&self) -> Position {
        self.log.trimmed()
    }

    /// The committed index, inclusive.
    pub fn committed(&self) -> Index {
        self.commit
    }

    /// Index of the last entry that is durable here, inclusive.
    pub fn durable_index(&self) -> Index {
        self.durable
    }

    /// Term of the entry at `index`; none when it was trimmed (but for the last one trimmed) or isn't there yet.
    pub fn term_at(&self, index: Index) -> Option<Term> {
        self.log.term_at(index)
    }

    /// For a leader: up to which index (inclusive) each other member is known to hold the log durably.
    pub fn followers(&self) -> impl Iterator<Item = (NodeId, Index)> {
        let leads = matches!(self.state, State::Leader { .. });
        self.peers.iter().filter(move |_| leads).map(|peer| (peer.id, peer.matched))
    }

    /// Memory this replica takes, bytes: its own size and what it holds on the heap.
    pub fn memory_bytes(&self) -> usize {
        let peers = if self.peers.spilled() { self.peers.capacity() * size_of::<Peer>() } else { 0 };
        size_of::<Group>() + peers + self.log.heap_bytes() + self.tickets.heap_bytes() + self.sizes.heap_bytes()
    }

    /// The number of members that is more than half of them.
    pub(crate) fn majority(&self) -> usize {
        self.peers.len().div_ceil(2) + 1
    }

    /// Where this member stands among the others.
    pub(crate) fn peer(&self, id: NodeId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.id == id)
    }

    pub(crate) fn position(&self, index: Index) -> Position {
        let term = self.log.term_at(index).expect("the index is within the log");
        Position { term, index }
    }

    /// The only way out for messages. Whatever carries a term or a vote leaves after these are durable.
    pub(crate) fn send(&self, to: NodeId, body: Body, out: &mut Outputs) {
        let message = Message { term: self.term, body };
        let after = self.tickets.vote_waiting().filter(|_| planted!("raft-vote-not-awaited", false, true));
        out.push(Output::Send { to, message, after });
    }

    pub(crate) fn save_vote(&mut self, out: &mut Outputs) {
        let ticket = self.tickets.give_vote();
        out.push(Output::SaveVote { term: self.term, vote: self.vote, ticket });
    }

    /// Adds entries of one term up to `last`.
    pub(crate) fn append(
        &mut self,
        term: Term,
        last: Index,
        source: Source,
        truncate_from: Option<Index>,
        out: &mut Outputs,
    ) {
        let first = self.log.last().next();
        self.log.append(term, last);
        let ticket = self.tickets.give_append(last);
        out.push(Output::Append { first, last, term, source, truncate_from, ticket });
    }

    pub(crate) fn commit_to(&mut self, index: Index, out: &mut Outputs) {
        if index > self.commit {
            assert!(index <= self.log.last(), "committed {index}, the log ends at {}", self.log.last());
            self.commit = index;
            out.push(Output::Commit(index));
        }
    }

    pub(crate) fn set_state(&mut self, state: State, out: &mut Outputs) {
        self.state = state;
        out.push(Output::Role(self.role()));
    }

    /// Starts waiting for a leader, from now on.
    pub(crate) fn wait_for_leader(&mut self, now: u64) {
        self.due = now.saturating_add(u64::from(self.timeout_ms));
    }

    fn message(&mut self, now: u64, from: NodeId, message: Message, out: &mut Outputs) {
        let Some(peer) = self.peer(from).filter(|_| message.term <= Term::MAX) else {
            return reached!("raft: message of no member or no term");
        };
        if message.term < self.term {
            if matches!(message.body, Body::Vote { .. } | Body::Append(_)) {
                self.send(from, Body::Outdated, out);
            }
            return;
        }
        let newer = message.term > self.term;
        if newer {
            self.term = message.term;
            self.vote = None;
            self.sizes = Sizes::default();
            self.wait_for_leader(now);
            self.set_state(State::Follower { leader: None, matched: self.commit }, out);
        }
        // A vote request saves the new term together with its vote.
        if let Body::Vote { last } = message.body {
            return self.vote_asked(now, from, last, newer, out);
        }
        if newer {
            self.save_vote(out);
        }
        match message.body {
            Body::Vote { .. } | Body::Outdated => {}
            Body::Voted { granted } => self.voted(now, peer, granted, out),
            Body::Append(entries) => self.entries_received(now, from, entries, out),
            Body::Appended { matched } => self.appended(peer, matched, out),
            Body::Refused { asked, hint, committed } => self.refused(peer, asked, hint, committed, out),
        }
    }

    fn durable(&mut self, now: u64, ticket: Ticket, out: &mut Outputs) {
        let before = self.durable;
        self.durable = before.max(self.tickets.done(ticket));
        if self.state == State::Candidate {
            self.count_votes(now, out);
        }
        match self.state {
            State::Follower { leader: Some(leader), matched } if before < matched.min(self.durable) => {
                self.send(leader, Body::Appended { matched: matched.min(self.durable) }, out);
            }
            State::Leader { .. } => self.advance_commit(out),
            _ => {}
        }
    }

    fn timer_fired(&mut self, now: u64, random: u64, out: &mut Outputs) {
        self.armed = NEVER;
        self.timeout_ms = self.config.election_ms(random);
        if now < self.due {
            return;
        }
        if matches!(self.state, State::Leader { .. }) {
            self.heartbeat(now, out);
        } else {
            self.campaign(now, out);
        }
    }
}
