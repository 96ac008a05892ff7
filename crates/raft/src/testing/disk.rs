//! A replica's disk: what it wrote, and what of that survives.

use std::collections::VecDeque;

use ouzel_model::{Index, NodeId, Term};

use crate::{Position, Stored, Ticket};

/// An entry: its payload is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    pub term: Term,
    pub value: u64,
}

/// The content of a disk.
#[derive(Clone, Debug, Default, Hash)]
pub struct Image {
    pub term: Term,
    pub vote: Option<NodeId>,
    pub commit: Index,
    pub trimmed: Position,
    /// The entries behind `trimmed`.
    pub entries: Vec<Entry>,
}

/// One write.
#[derive(Clone, Debug, Hash)]
pub enum Write {
    Vote {
        term: Term,
        vote: Option<NodeId>,
    },
    /// Replaces everything from `first` on.
    Append {
        first: Index,
        entries: Vec<Entry>,
    },
    /// A commit hint.
    Commit(Index),
}

impl Image {
    pub fn last(&self) -> Index {
        Index(self.trimmed.index.0 + self.entries.len() as u64)
    }

    pub fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.trimmed.index {
            return Some(self.trimmed.term);
        }
        self.entry(index).map(|entry| entry.term)
    }

    pub fn entry(&self, index: Index) -> Option<Entry> {
        let place = index.0.checked_sub(self.trimmed.index.0 + 1)?;
        self.entries.get(place as usize).copied()
    }

    /// Entries behind `after` up to `last`, all of them here.
    pub fn slice(&self, after: Index, last: Index) -> Vec<Entry> {
        let base = self.trimmed.index.0;
        self.entries[(after.0 - base) as usize..(last.0 - base) as usize].to_vec()
    }

    pub fn apply(&mut self, write: &Write) {
        match write {
            Write::Vote { term, vote } => (self.term, self.vote) = (*term, *vote),
            Write::Append { first, entries } => {
                self.entries.truncate((first.0 - self.trimmed.index.0 - 1) as usize);
                self.entries.extend_from_slice(entries);
            }
            Write::Commit(index) => self.commit = *index,
        }
    }

    pub fn trim(&mut self, upto: Index) {
        if let Some(term) = self.term_at(upto) {
            self.entries.drain(..(upto.0 - self.trimmed.index.0) as usize);
            self.trimmed = Position { term, index: upto };
        }
    }

    pub fn stored(&self) -> Stored {
        let mut terms: Vec<(Term, Index)> = Vec::new();
        for (place, entry) in self.entries.iter().enumerate() {
            if terms.last().is_none_or(|row| row.0 != entry.term) {
                terms.push((entry.term, Index(self.trimmed.index.0 + 1 + place as u64)));
            }
        }
        Stored {
            term: self.term,
            vote: self.vote,
            trimmed: self.trimmed,
            last: self.last(),
            terms,
            commit: self.commit,
        }
    }
}

/// A disk that breaks its promise, to show that the laws notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DiskFault {
    /// It keeps it.
    #[default]
    None,
    /// Appends pass votes: a vote becomes durable one sync later than reported.
    VotesLate,
    /// Writes are reported durable when they are begun.
    ReportsEarly,
}

/// A disk with a queue of writes.
#[derive(Clone, Debug, Default, Hash)]
pub struct Disk {
    /// What would be there after a power cut now.
    pub image: Image,
    /// What is there with all writes done.
    pub view: Image,
    queue: VecDeque<(Ticket, Write)>,
    fault: DiskFault,
    late: Vec<Write>,
    /// The newest ticket whose write is in the image.
    pub synced: Ticket,
}

impl Disk {
    pub fn new(fault: DiskFault) -> Disk {
        Disk { fault, ..Disk::default() }
    }

    pub fn write(&mut self, ticket: Ticket, write: Write) {
        self.view.apply(&write);
        if self.fault == DiskFault::ReportsEarly {
            self.synced = self.synced.max(ticket);
        }
        self.queue.push_back((ticket, write));
    }

    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Makes the oldest `count` writes durable.
    pub fn sync(&mut self, count: usize) {
        for write in self.late.drain(..) {
            self.image.apply(&write);
        }
        for (ticket, write) in self.queue.drain(..count) {
            self.synced = self.synced.max(ticket);
            match write {
                Write::Vote { .. } if self.fault == DiskFault::VotesLate => self.late.push(write),
                _ => self.image.apply(&write),
            }
        }
    }

    /// A power cut: all but the oldest `kept` writes are gone, and tickets begin anew.
    pub fn cut(&mut self, kept: usize) {
        for (_, write) in self.queue.drain(..).take(kept) {
            self.image.apply(&write);
        }
        self.late.clear();
        self.begin();
    }

    /// What a start reads.
    pub fn begin(&mut self) {
        self.view = self.image.clone();
        self.synced = Ticket(0);
    }
}
