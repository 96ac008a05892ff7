//! What replicas say to each other. Fixed size: entries' payloads travel beside the message.

use ouzel_model::{Index, Term};

/// An entry's name: no two entries of one group share it. Ordered by term, then index, which is also "how complete a
/// log that ends here is". Source: Raft thesis 3.6.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Term of the leader that wrote it.
    pub term: Term,
    /// Its place.
    pub index: Index,
}

/// One message of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message {
    /// The sender's term. Above [`Term::MAX`] the message is ignored.
    pub term: Term,
    /// What it says.
    pub body: Body,
}

/// Entries `prev.index + 1 ..= last`, all of one term; none when `last` is `prev.index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entries {
    /// The entry before the first one sent.
    pub prev: Position,
    /// Their term; that of `prev` when there are none.
    pub term: Term,
    /// Index of the last entry sent, inclusive.
    pub last: Index,
    /// The leader's committed index.
    pub commit: Index,
}

/// The kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Body {
    /// A candidate asks for a vote.
    Vote {
        /// End of the candidate's log.
        last: Position,
    },
    /// Answer to `Vote`.
    Voted {
        /// Whether the vote was given. It was durable before this left.
        granted: bool,
    },
    /// A leader's entries, or none: a heartbeat.
    Append(Entries),
    /// Answer to `Append`, and sent again whenever more became durable.
    Appended {
        /// Up to here (inclusive) the follower's log equals the leader's and is durable.
        matched: Index,
    },
    /// Answer to `Append` when `prev` isn't in the follower's log.
    Refused {
        /// Index of the `prev` refused.
        asked: Index,
        /// The follower's last entry that the leader may have too, judged by its term table.
        hint: Position,
        /// The follower's committed index.
        committed: Index,
    },
    /// Answer to a request of an older term: only its term counts.
    Outdated,
}

impl Message {
    /// Leaves out the entries of an `Append` behind `last`; at least one entry stays. Other messages stay as they are.
    pub fn shorten(&mut self, last: Index) {
        if let Body::Append(entries) = &mut self.body
            && entries.prev.index < entries.last
        {
            entries.last = last.max(entries.prev.index.next()).min(entries.last);
        }
    }
}

// A frame carries thousands of these: no vector, no box.
const _: () = assert!(size_of::<Message>() <= 56);
