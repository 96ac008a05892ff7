//! What clients did and saw, in the order of world time: the one input of every checker.
//!
//! An operation is invoked and then ends as ok, refused (it definitely did not happen) or unknown. Offsets are the log's;
//! a record's identity is (client, number), its value a hash.

use std::cell::RefCell;
use std::rc::Rc;

use ouzel_runtime::sim::stream::mix;

use crate::checkers::{Checkers, Violation};

/// A partition, numbered in the order of first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition(pub u32);

/// A record as its writer named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId {
    /// The client that wrote it.
    pub client: u32,
    /// The client's own count.
    pub number: u64,
}

/// A record as a reader saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its offset.
    pub offset: u64,
    /// Its identity.
    pub record: RecordId,
    /// Hash of its value.
    pub value: u64,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A client sends a record.
    Produce {
        /// Where to.
        partition: Partition,
        /// Which.
        record: RecordId,
        /// Hash of its value.
        value: u64,
    },
    /// The record is acknowledged: durable at this offset.
    Acked {
        /// Where.
        partition: Partition,
        /// Which.
        record: RecordId,
        /// Its offset.
        offset: u64,
    },
    /// The record was refused: it is in no log and never will be.
    Refused {
        /// Where.
        partition: Partition,
        /// Which.
        record: RecordId,
    },
    /// Nobody knows whether the record was written.
    Unknown {
        /// Where.
        partition: Partition,
        /// Which.
        record: RecordId,
    },
    /// A read of consecutive records was answered.
    Read {
        /// Where.
        partition: Partition,
        /// Who read.
        reader: u32,
        /// First offset asked for.
        from: u64,
        /// End that the reader was entitled to when it asked: an answer that ends below it is stale.
        known: u64,
        /// The records, from `from` on.
        records: Vec<Seen>,
        /// First offset that is not visible yet (exclusive).
        end: u64,
    },
    /// After the run, in a healthy cluster: all records of the partition.
    Scan {
        /// Where.
        partition: Partition,
        /// The records, from the log's start on.
        records: Vec<Seen>,
    },
    /// A group is to commit an offset.
    Commit {
        /// Where.
        partition: Partition,
        /// Which group.
        group: u32,
        /// The offset.
        offset: u64,
    },
    /// The commit is acknowledged.
    Committed {
        /// Where.
        partition: Partition,
        /// Which group.
        group: u32,
        /// The offset.
        offset: u64,
    },
    /// What a group has committed was read.
    CommitRead {
        /// Where.
        partition: Partition,
        /// Which group.
        group: u32,
        /// The offset, if there is one.
        offset: Option<u64>,
    },
    /// All records below an offset are to be deleted.
    Delete {
        /// Where.
        partition: Partition,
        /// First offset that stays.
        before: u64,
    },
    /// A log's start was told.
    LogStart {
        /// Where.
        partition: Partition,
        /// The start that whoever asked was entitled to.
        known: u64,
        /// The start.
        start: u64,
    },
    /// A log's high watermark was told.
    HighWatermark {
        /// Where.
        partition: Partition,
        /// The end that whoever asked was entitled to.
        known: u64,
        /// First offset that isn't visible yet (exclusive end).
        end: u64,
    },
}

/// The history of one run. Clones are one history.
#[derive(Clone, Default)]
pub struct History {
    inner: Rc<RefCell<Inner>>,
}

#[derive(Default)]
struct Inner {
    names: Vec<String>,
    checkers: Checkers,
    violations: Vec<Violation>,
    hash: u64,
    events: u64,
    acked: u64,
}

impl History {
    /// The partition of this name.
    pub fn partition(&self, name: &str) -> Partition {
        let mut inner = self.inner.borrow_mut();
        let known = inner.names.iter().position(|n| n == name);
        let number = known.unwrap_or_else(|| {
            inner.names.push(name.to_owned());
            inner.names.len() - 1
        });
        Partition(number as u32)
    }

    /// The partition's name.
    pub fn name(&self, partition: Partition) -> String {
        self.inner.borrow().names[partition.0 as usize].clone()
    }

    /// Takes an event in and lets every checker judge it.
    pub fn record(&self, event: Event) {
        let mut inner = self.inner.borrow_mut();
        inner.events += 1;
        inner.acked += u64::from(matches!(event, Event::Acked { .. }));
        inner.hash = mix(inner.hash ^ fingerprint(&event));
        let found = inner.checkers.judge(&event);
        inner.violations.extend(found);
    }

    /// First offset of the partition that nobody has read yet.
    pub fn read_end(&self, partition: Partition) -> u64 {
        self.inner.borrow().checkers.read_end(partition)
    }

    /// The highest start of the partition's log that a client was told.
    pub fn log_start(&self, partition: Partition) -> u64 {
        self.inner.borrow().checkers.log_start(partition)
    }

    /// The least high watermark that an answer to a question asked now may tell.
    pub fn high_watermark(&self, partition: Partition) -> u64 {
        self.inner.borrow().checkers.high_watermark(partition)
    }

    /// First offset of the partition that nobody has asked to delete.
    pub fn kept_from(&self, partition: Partition) -> u64 {
        self.inner.borrow().checkers.kept_from(partition)
    }

    /// What the checkers found so far, the partition's name put in front.
    pub fn violations(&self) -> Vec<Violation> {
        let inner = self.inner.borrow();
        let named = inner.violations.iter().cloned().map(|mut v| {
            if let Some(partition) = v.partition {
                v.text = format!("{}: {}", inner.names[partition.0 as usize], v.text);
            }
            v
        });
        named.collect()
    }

    /// Whether a checker found something.
    pub fn violated(&self) -> bool {
        !self.inner.borrow().violations.is_empty()
    }

    /// Hash over all events in order.
    pub fn hash(&self) -> u64 {
        self.inner.borrow().hash
    }

    /// Events so far, and how many of them acknowledged a record.
    pub fn counts(&self) -> (u64, u64) {
        let inner = self.inner.borrow();
        (inner.events, inner.acked)
    }
}

fn fingerprint(event: &Event) -> u64 {
    let place = |kind: u64, p: &Partition| kind << 48 | u64::from(p.0);
    let record = |r: &RecordId| mix(u64::from(r.client) << 40 ^ r.number);
    let seen = |records: &[Seen]| records.iter().fold(0, |h, s| mix(h ^ s.offset ^ record(&s.record) ^ s.value));
    match event {
        Event::Produce { partition, record: r, value } => place(1, partition) ^ record(r) ^ value,
        Event::Acked { partition, record: r, offset } => place(2, partition) ^ record(r) ^ mix(*offset),
        Event::Refused { partition, record: r } => place(3, partition) ^ record(r),
        Event::Unknown { partition, record: r } => place(4, partition) ^ record(r),
        Event::Read { partition, reader, from, known, records, end } => {
            let ends = mix(*end).rotate_left(9) ^ mix(*known).rotate_left(18);
            place(5, partition) ^ mix(u64::from(*reader)) ^ mix(*from) ^ seen(records) ^ ends
        }
        Event::Scan { partition, records } => place(6, partition) ^ seen(records),
        Event::Commit { partition, group, offset } => place(7, partition) ^ mix(u64::from(*group) << 40 ^ offset),
        Event::Committed { partition, group, offset } => place(8, partition) ^ mix(u64::from(*group) << 40 ^ offset),
        Event::CommitRead { partition, group, offset } => {
            place(9, partition) ^ mix(u64::from(*group) << 40 ^ offset.map_or(0, |o| o + 1))
        }
        Event::Delete { partition, before } => place(10, partition) ^ mix(*before),
        Event::LogStart { partition, known, start } => place(11, partition) ^ mix(*start) ^ mix(*known).rotate_left(9),
        Event::HighWatermark { partition, known, end } => place(12, partition) ^ mix(*end) ^ mix(*known).rotate_left(9),
    }
}
