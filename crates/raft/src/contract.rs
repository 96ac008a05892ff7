//! What goes into [`Group::step`](crate::Group::step) and what comes out of it.

use ouzel_model::{Index, NodeId, Term};

use crate::message::Message;

/// No deadline: the group waits for an input other than the timer.
pub const NEVER: u64 = u64::MAX;

/// Names one write of one group. A counter: the first write of a [`Group`](crate::Group) is 1, each further one the
/// next number. It lives as long as the `Group` value and means nothing after a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Something that happened to a group.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The leader's driver has new entries, one per length. Carried out only when this replica leads at `term` and
    /// `first` is the index behind its last one, as [`Group::next_entry`](crate::Group::next_entry) says; else the
    /// answer is [`Output::Refused`] and nothing changes. The payload may be handed to storage before or after the
    /// step, but within the same turn.
    Propose {
        /// Index of the first entry.
        first: Index,
        /// Term stamped into the entries.
        term: Term,
        /// Payload length of each entry, bytes. Not empty.
        bytes: &'a [u32],
    },
    /// A peer said something. The driver has checked that exactly the entries named came with it, with these indexes
    /// and this term. A driver that can't write (a full disk, say) drops a message that brings entries
    /// instead of stepping it: a lost message never does harm.
    Message {
        /// The peer, known by its connection. Ignored when it isn't a member.
        from: NodeId,
        /// What it said.
        message: Message,
    },
    /// This write, and every one with a lower ticket, is durable (with write caching: written).
    Durable(Ticket),
    /// The time last named by [`Output::Deadline`] has come. A call before that time does nothing.
    TimerFired {
        /// Any uniformly distributed number; the next election timeout is drawn from it.
        random: u64,
    },
    /// The connection to this peer broke: what was in flight is lost. Also sent by the driver when a catch-up copy
    /// failed: it is asked for again at a later heartbeat.
    PeerLost(NodeId),
    /// Entries up to this one (inclusive) were freed. Committed entries only.
    Trimmed(Index),
}

/// What `step` fills: cleared or drained by the caller, so that it is allocated once.
pub type Outputs = Vec<Output>;

/// Something the driver must do. Outputs are carried out in the order given, over all steps of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write term and vote; they replace the ones before.
    SaveVote {
        /// The current term.
        term: Term,
        /// Who got this replica's vote in it.
        vote: Option<NodeId>,
        /// Given back by [`Input::Durable`].
        ticket: Ticket,
    },
    /// Write entries `first` to `last`, all of one term.
    Append {
        /// Index of the first entry to write.
        first: Index,
        /// Index of the last one, inclusive.
        last: Index,
        /// Their term.
        term: Term,
        /// Where the payload comes from.
        source: Source,
        /// Drop this entry and all behind it first, in the same write. Always equals `first`; never committed.
        truncate_from: Option<Index>,
        /// Given back by [`Input::Durable`].
        ticket: Ticket,
    },
    /// Send a message. It may be lost, doubled, late.
    Send {
        /// The peer.
        to: NodeId,
        /// What to say. For a [`Body::Append`](crate::Body::Append) with entries the driver adds their payload from
        /// the log, in this turn; it may leave out entries at the end ([`Message::shorten`]) when a frame would grow
        /// too large.
        message: Message,
        /// Hold it back until this ticket is durable.
        after: Option<Ticket>,
    },
    /// All entries up to this one (inclusive) are committed. Grows only.
    Commit(Index),
    /// The role, the term or the known leader changed.
    Role(Role),
    /// A follower needs entries that were trimmed: copy segments from `from` on to it. Seldom said
    /// twice; see [`Input::PeerLost`] for asking again.
    CatchUp {
        /// The follower.
        peer: NodeId,
        /// First index it has not committed.
        from: Index,
    },
    /// Call with [`Input::TimerFired`] at this time, ms. Replaces the deadline before. Never [`NEVER`].
    Deadline(u64),
    /// The proposal wasn't taken: not the leader, another term, or not the next index. A definite failure.
    Refused {
        /// As proposed.
        first: Index,
        /// As proposed.
        term: Term,
    },
    /// A leader's message contradicts a committed entry of this replica; the message was ignored. One of the two has
    /// lost durable data: report it.
    Conflict {
        /// The leader.
        leader: NodeId,
        /// The first index known to differ.
        index: Index,
    },
}

/// Where the payload of an [`Output::Append`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// From the proposal just stepped.
    Proposed,
    /// From the message just stepped. Its entries before `first` are here already.
    Received,
    /// None: the one Blank entry a leader writes at the start of its term.
    Blank,
}

/// What a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Takes entries from a leader.
    Follower {
        /// The current term.
        term: Term,
        /// Its leader, once heard of.
        leader: Option<NodeId>,
    },
    /// Asks for votes.
    Candidate {
        /// The term asked for.
        term: Term,
    },
    /// Takes proposals. It serves reads and acknowledges nothing before `first` is committed and applied.
    Leader {
        /// The term it leads.
        term: Term,
        /// Index of its Blank, the first entry of the term.
        first: Index,
    },
}
