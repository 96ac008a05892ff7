//! The leader's side: what each follower has, what is on its way there, and what is committed.

use ouzel_model::{Index, NodeId, Term, planted, reached};
use smallvec::SmallVec;

use crate::contract::{Output, Outputs, Source};
use crate::group::{Group, State};
use crate::message::{Body, Entries, Position};

/// Another member as a candidate or leader sees it.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Peer {
    pub id: NodeId,
    /// Up to here its log is ours and durable.
    pub matched: Index,
    /// First index not sent yet; while probing, the first one of the frame sent.
    next: Index,
    mode: Mode,
    /// Nothing was sent since the last heartbeat.
    quiet: bool,
    /// It voted for this candidate.
    pub voted: bool,
}

/// How entries go to a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mode {
    /// Where its log leaves ours isn't known, or how long the entries are: one frame at a time. `sent` is the last
    /// index of the frame that waits for its answer, which may have been shortened on its way.
    Probe { sent: Option<Index> },
    /// Its log is a prefix of ours: a window of frames on their way.
    Stream,
    /// What it needs was trimmed: the driver copies segments, once the follower said where it stands.
    CatchUp { told: bool },
}

impl Peer {
    pub fn new(id: NodeId) -> Peer {
        Peer { id, matched: Index(0), next: Index(1), mode: Mode::Probe { sent: None }, quiet: false, voted: false }
    }

    /// A new leader knows nothing of its followers.
    pub fn reset(&mut self, next: Index) {
        *self = Peer { next, ..Peer::new(self.id) };
    }
}

impl Group {
    pub(crate) fn propose(&mut self, first: Index, term: Term, bytes: &[u32], out: &mut Outputs) {
        if self.next_entry() != Some((first, term)) || bytes.is_empty() {
            return out.push(Output::Refused { first, term });
        }
        let last = Index(first.0 + bytes.len() as u64 - 1);
        self.append(term, last, Source::Proposed, None, out);
        if !self.peers.is_empty() {
            for &bytes in bytes {
                self.sizes.push(bytes, self.config.window_entries_max);
            }
            self.replicate_all(out);
        }
    }

    pub(crate) fn replicate_all(&mut self, out: &mut Outputs) {
        for place in 0..self.peers.len() {
            self.replicate(place, out);
        }
    }

    /// Sends what the follower's window has room for.
    fn replicate(&mut self, place: usize, out: &mut Outputs) {
        loop {
            let peer = &mut self.peers[place];
            if peer.mode == Mode::Stream && peer.next == peer.matched.next() && !self.sizes.knows(peer.next) {
                reached!("raft: lengths unknown");
                peer.mode = Mode::Probe { sent: None };
            }
            let peer = *peer;
            if peer.next > self.log.last() {
                return;
            }
            if !self.has_room(&peer) {
                return reached!("raft: window full");
            }
            self.send_frame(place, out);
        }
    }

    fn has_room(&self, peer: &Peer) -> bool {
        match peer.mode {
            Mode::Probe { sent } => sent.is_none(),
            Mode::CatchUp { .. } => false,
            Mode::Stream => {
                let sent = Index(peer.next.0 - 1);
                self.sizes.knows(peer.next)
                    && sent.0 - peer.matched.0 < u64::from(self.config.window_entries_max)
                    && self.sizes.between(peer.matched, sent) < u64::from(self.config.window_bytes_max)
            }
        }
    }

    /// Sends one frame from `next` on, empty when there is no more.
    fn send_frame(&mut self, place: usize, out: &mut Outputs) {
        let prev = Index(self.peers[place].next.0 - 1);
        if prev < self.log.trimmed().index {
            return self.find_end(place, out);
        }
        let last = self.frame_end(prev);
        self.send_entries(place, prev, last, out);
        match &mut self.peers[place].mode {
            Mode::Probe { sent } => *sent = Some(last),
            _ => self.peers[place].next = last.next(),
        }
    }

    /// The follower's answer to this says where a copy must begin.
    fn find_end(&mut self, place: usize, out: &mut Outputs) {
        if !matches!(self.peers[place].mode, Mode::CatchUp { .. }) {
            self.peers[place].mode = Mode::CatchUp { told: false };
        }
        self.send_empty(place, self.log.trimmed().index, out);
    }

    /// The last entry of a frame that begins behind `prev`: one term, and within the limits of a frame.
    fn frame_end(&self, prev: Index) -> Index {
        let first = prev.next();
        if first > self.log.last() {
            return prev;
        }
        let last = self.log.run_end(first).min(Index(prev.0 + u64::from(self.config.frame_entries_max.max(1))));
        match self.sizes.knows(first) {
            true => self.sizes.cut(prev, last, self.config.frame_bytes_max),
            false => last,
        }
    }

    fn send_entries(&mut self, place: usize, prev: Index, last: Index, out: &mut Outputs) {
        let (prev, term) = (self.position(prev), self.position(last).term);
        self.peers[place].quiet = false;
        self.send(self.peers[place].id, Body::Append(Entries { prev, term, last, commit: self.commit }), out);
    }

    /// A heartbeat that asks whether the follower's log holds the entry at `at`.
    fn send_empty(&mut self, place: usize, at: Index, out: &mut Outputs) {
        if at < self.log.trimmed().index {
            return self.find_end(place, out);
        }
        self.send_entries(place, at, at, out);
    }

    pub(crate) fn heartbeat(&mut self, now: u64, out: &mut Outputs) {
        let mut idle = true;
        for place in 0..self.peers.len() {
            let peer = &mut self.peers[place];
            idle &= peer.quiet && peer.matched == self.log.last();
            if !std::mem::replace(&mut peer.quiet, true) {
                continue;
            }
            let next = peer.next;
            match peer.mode {
                Mode::Probe { sent: None } => self.send_frame(place, out),
                // If what was sent is lost, this is refused, and that says from where to send again.
                Mode::Probe { sent: Some(sent) } => self.send_empty(place, sent, out),
                Mode::Stream => self.send_empty(place, Index(next.0 - 1), out),
                Mode::CatchUp { .. } => self.find_end(place, out),
            }
            self.peers[place].quiet = true;
        }
        if idle {
            self.sizes.shrink();
        }
        self.due = now.saturating_add(u64::from(self.config.heartbeat_ms));
    }

    pub(crate) fn appended(&mut self, place: usize, matched: Index, out: &mut Outputs) {
        if !matches!(self.state, State::Leader { .. }) || matched > self.log.last() {
            return;
        }
        let trimmed = self.log.trimmed().index;
        let peer = &mut self.peers[place];
        peer.matched = peer.matched.max(matched);
        match peer.mode {
            // An answer that says no more than was known may be one to a heartbeat, with the frame still being written.
            Mode::Probe { sent } if matched >= peer.next || (matched.next() == peer.next && sent <= Some(matched)) => {
                peer.mode = Mode::Stream;
                peer.next = peer.matched.next();
            }
            Mode::Stream => peer.next = peer.next.max(peer.matched.next()),
            Mode::CatchUp { .. } if peer.matched >= trimmed => {
                peer.mode = Mode::Stream;
                peer.next = peer.matched.next();
            }
            Mode::Probe { .. } | Mode::CatchUp { .. } => {}
        }
        if let Some(least) = self.peers.iter().map(|peer| peer.matched).min() {
            self.sizes.forget(least);
        }
        self.advance_commit(out);
        self.replicate(place, out);
    }

    pub(crate) fn refused(&mut self, place: usize, asked: Index, hint: Position, committed: Index, out: &mut Outputs) {
        let end = self.log.last();
        if !matches!(self.state, State::Leader { .. }) || asked > end || committed > end {
            return;
        }
        let peer = self.peers[place];
        let current = match peer.mode {
            Mode::Probe { sent } => asked.next() == peer.next || sent == Some(asked),
            Mode::Stream => asked < peer.next,
            Mode::CatchUp { .. } => true,
        };
        // A late answer: what it refused has been accepted or asked for otherwise since.
        if !current || asked <= peer.matched {
            return reached!("raft: late answer");
        }
        match self.log.floor(hint) {
            Some(at) => {
                let peer = &mut self.peers[place];
                peer.next = at.index.max(peer.matched).next();
                peer.mode = Mode::Probe { sent: None };
                self.send_frame(place, out);
            }
            None => {
                self.peers[place].mode = Mode::CatchUp { told: true };
                if peer.mode != (Mode::CatchUp { told: true }) {
                    reached!("raft: catch up");
                    out.push(Output::CatchUp { peer: peer.id, from: committed.next() });
                }
            }
        }
    }

    pub(crate) fn peer_lost(&mut self, id: NodeId) {
        let Some(place) = self.peer(id) else { return };
        let peer = &mut self.peers[place];
        // It is probed at heartbeats until it answers: no frames are built for a dead peer.
        match peer.mode {
            Mode::Stream => {
                peer.next = peer.matched.next();
                peer.mode = Mode::Probe { sent: Some(peer.matched) };
            }
            Mode::Probe { .. } => peer.mode = Mode::Probe { sent: Some(Index(peer.next.0 - 1)) },
            Mode::CatchUp { .. } => peer.mode = Mode::CatchUp { told: false },
        }
    }

    /// Commits what a majority holds durably, this replica included, if it is of this term. Source: Raft thesis 3.6.2.
    pub(crate) fn advance_commit(&mut self, out: &mut Outputs) {
        let State::Leader { first } = self.state else { return };
        let mut durable: SmallVec<[Index; 5]> = self.peers.iter().map(|peer| peer.matched).collect();
        durable.push(self.durable);
        durable.sort_unstable_by(|a, b| b.cmp(a));
        let index = durable[self.majority() - 1];
        if index <= self.commit {
            return;
        }
        // An older term's entry on a majority can still be overwritten; one of our own term commits all before it.
        if index < first && planted!("raft-commit-older-term", false, true) {
            return reached!("raft: older term waits for our own");
        }
        self.commit_to(index, out);
    }
}
