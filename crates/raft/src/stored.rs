//! What a replica reads back at its start.

use ouzel_model::{Index, NodeId, Term};

use crate::message::Position;

/// The durable state of one replica. `Stored::default()` is a new group's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stored {
    /// Term of the last vote saved.
    pub term: Term,
    /// The vote in it.
    pub vote: Option<NodeId>,
    /// The last entry freed; zeros when none was.
    pub trimmed: Position,
    /// Index of the last entry; that of `trimmed` when the log is empty.
    pub last: Index,
    /// First index of each term that has entries, ascending. Terms wholly below `trimmed` may be left out.
    pub terms: Vec<(Term, Index)>,
    /// A committed index (inclusive), as of some moment. Any older one does.
    pub commit: Index,
}

/// Why a replica can't be built: its storage is damaged, or was written by something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadStored {
    /// This node isn't a member of the group, or a member is named twice.
    #[error("node {0:?} must be a member of its group exactly once, as every member")]
    NotAMember(NodeId),
    /// Trimmed, committed and last index out of order.
    #[error("trimmed {trimmed}, committed {commit} and last index {last} are out of order")]
    Positions {
        /// Last index freed.
        trimmed: Index,
        /// Committed index.
        commit: Index,
        /// Last index.
        last: Index,
    },
    /// The term table isn't ascending, doesn't cover the log or leaves it.
    #[error("the term table doesn't fit the log at term {term}, index {index}")]
    Terms {
        /// Term of the row.
        term: Term,
        /// First index of the row.
        index: Index,
    },
    /// The log holds a term above the one saved with the vote, or the term is above [`Term::MAX`].
    #[error("saved term {saved}, but the log ends in term {last}")]
    Term {
        /// Term of the vote.
        saved: Term,
        /// Term of the last entry.
        last: Term,
    },
}
