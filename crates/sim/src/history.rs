//! What clients did and saw, in the order of world time: the one input of every checker.
//!
//! An operation is invoked and then ends as ok, refused (it definitely did not happen) or unknown. Offsets are the log's;
//! a record's identity is (client, number), its value a hash.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ouzel_runtime::sim::stream::mix;

use crate::checkers::{Checkers, Violation};

/// A partition, numbered in the order of first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition(pub u32);

/// A topic that comes and goes, numbered in the order of first use: two of one name are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic(pub u32);

/// What retention may let go of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What stays has at least so many bytes.
    pub bytes: Option<u64>,
    /// What stays is at least so old, milliseconds.
    pub millis: Option<u64>,
    /// Records carry the broker's time, not the client's.
    pub append_time: bool,
}

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
    /// A damaged disk refuses to show these records.
    Lost {
        /// Where.
        partition: Partition,
        /// First offset.
        from: u64,
        /// Exclusive.
        to: u64,
    },
    /// Bytes were served that aren't what anybody wrote.
    Garbage {
        /// Where.
        partition: Partition,
        /// Offset asked for.
        from: u64,
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
    /// A partition of a topic that comes and goes, at its first use.
    Incarnation {
        /// The partition.
        partition: Partition,
        /// What all of its name and number share: records sent by name are sent there.
        anchor: Partition,
    },
    /// A topic has been created, or grown.
    Created {
        /// Which.
        topic: Topic,
        /// Partitions that it has.
        partitions: u32,
    },
    /// A topic may be deleted from here on.
    Deleting {
        /// Which.
        topic: Topic,
    },
    /// A topic has been deleted.
    Ended {
        /// Which.
        topic: Topic,
    },
    /// A topic was said to be there.
    There {
        /// Which.
        topic: Topic,
        /// Whether it had been deleted when that was asked.
        ended: bool,
    },
    /// A topic, or a partition of it, was said not to be there.
    Gone {
        /// Which.
        topic: Topic,
        /// Whether it had been created when that was asked.
        known: bool,
    },
    /// Retention acts on a partition.
    Retained {
        /// Which.
        partition: Partition,
        /// The broker that it is on.
        node: usize,
        /// What it may let go.
        policy: Policy,
    },
    /// What time it is, for what follows.
    Time {
        /// Milliseconds since some moment before the run.
        ms: u64,
    },
    /// A broker's wall clock was put forward.
    Forward {
        /// Which broker's.
        node: usize,
        /// By how much.
        ms: u64,
    },
    /// A partition's log start and size in one life of its broker.
    Kept {
        /// Which.
        partition: Partition,
        /// Leader epoch, before and after.
        epoch: i32,
        /// The log start.
        start: u64,
        /// Its size after that was told.
        bytes: u64,
    },
    /// Retention has had the time to let go of what is too old.
    Due {
        /// Where.
        partition: Partition,
        /// All below this offset was too old.
        before: u64,
        /// The log start.
        start: u64,
    },
    /// A producer writes to a partition of a topic that comes and goes.
    Wrote {
        /// Where.
        partition: Partition,
        /// Its id.
        producer: i64,
    },
    /// A partition of such a topic remembers a producer.
    Remembered {
        /// Where.
        partition: Partition,
        /// Its id.
        producer: i64,
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
    /// Numbers of partitions by name, and of topics by id.
    numbers: BTreeMap<String, u32>,
    topics: Vec<(String, u128)>,
    topic_numbers: BTreeMap<u128, u32>,
    /// Nodes and partitions whose disk was damaged.
    damaged: BTreeSet<String>,
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
        if let Some(number) = inner.numbers.get(name) {
            return Partition(*number);
        }
        let number = inner.names.len() as u32;
        inner.names.push(name.to_owned());
        inner.numbers.insert(name.to_owned(), number);
        Partition(number)
    }

    /// The partition's name.
    pub fn name(&self, partition: Partition) -> String {
        self.inner.borrow().names[partition.0 as usize].clone()
    }

    /// The topic of this name and id.
    pub fn topic(&self, name: &str, id: u128) -> Topic {
        let mut inner = self.inner.borrow_mut();
        let next = inner.topics.len() as u32;
        let number = *inner.topic_numbers.entry(id).or_insert(next);
        if number == next {
            inner.topics.push((name.to_owned(), id));
        }
        Topic(number)
    }

    /// A partition of a topic that comes and goes.
    pub fn incarnation_of(&self, topic: Topic, number: i32) -> Partition {
        let (name, id) = self.inner.borrow().topics[topic.0 as usize].clone();
        let before = self.inner.borrow().names.len();
        let partition = self.partition(&format!("{name}@{id:032x}/{number}"));
        if partition.0 as usize >= before {
            let anchor = self.partition(&format!("{name}/{number}"));
            self.record(Event::Incarnation { partition, anchor });
        }
        partition
    }

    /// Says that retention acts on a partition, at its first use.
    pub fn retained(&self, partition: Partition, node: usize, policy: Policy) {
        if !self.inner.borrow().checkers.retention.acts_on(partition) {
            self.record(Event::Retained { partition, node, policy });
        }
    }

    /// Whether a broker's wall clock was never put forward.
    pub fn is_steady(&self, node: usize) -> bool {
        self.inner.borrow().checkers.retention.forward(node) == 0
    }

    /// What all partitions of its name and number share.
    pub fn anchor(&self, partition: Partition) -> Partition {
        self.inner.borrow().checkers.topic_id.anchor(partition)
    }

    /// Whether this partition of the topic has been created.
    pub fn is_known(&self, topic: Topic, number: i32) -> bool {
        self.inner.borrow().checkers.topic_id.is_known(topic, number)
    }

    /// Whether the topic has been deleted.
    pub fn is_ended(&self, topic: Topic) -> bool {
        self.inner.borrow().checkers.topic_id.ended().contains(&topic)
    }

    /// Topics that have been deleted.
    pub fn ended(&self) -> BTreeSet<Topic> {
        self.inner.borrow().checkers.topic_id.ended().clone()
    }

    /// A node's disk was damaged, and what of it may be refused from now on: all (`n1`) or a partition (`n1/t0/2`).
    pub fn damaged(&self, scope: &str) {
        self.inner.borrow_mut().damaged.insert(scope.to_owned());
    }

    /// Whether what is named, or something that it is a part of, was damaged.
    pub fn is_damaged(&self, name: &str) -> bool {
        let damaged = &self.inner.borrow().damaged;
        // A topic that comes and goes has its id in the history's name for it, and not on the disk.
        let mut parts: Vec<&str> = name.split('/').filter_map(|part| part.split('@').next()).collect();
        while !parts.is_empty() {
            if damaged.contains(&parts.join("/")) {
                return true;
            }
            parts.pop();
        }
        false
    }

    /// Whether anything that the named is made of was damaged.
    pub fn is_damaged_within(&self, name: &str) -> bool {
        self.is_damaged(name) || self.inner.borrow().damaged.iter().any(|d| d.starts_with(&format!("{name}/")))
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
    let of_topic = |kind: u64, t: &Topic| kind << 48 | u64::from(t.0);
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
        Event::Lost { partition, from, to } => place(30, partition) ^ mix(*from) ^ mix(*to).rotate_left(9),
        Event::Garbage { partition, from } => place(31, partition) ^ mix(*from),
        Event::LogStart { partition, known, start } => place(11, partition) ^ mix(*start) ^ mix(*known).rotate_left(9),
        Event::HighWatermark { partition, known, end } => place(12, partition) ^ mix(*end) ^ mix(*known).rotate_left(9),
        Event::Incarnation { partition, anchor } => place(13, partition) ^ mix(u64::from(anchor.0)),
        Event::Created { topic, partitions } => of_topic(14, topic) ^ mix(u64::from(*partitions)),
        Event::Deleting { topic } => of_topic(15, topic),
        Event::Ended { topic } => of_topic(16, topic),
        Event::There { topic, ended } => of_topic(17, topic) ^ mix(u64::from(*ended)),
        Event::Gone { topic, known } => of_topic(18, topic) ^ mix(u64::from(*known)),
        Event::Wrote { partition, producer } => place(19, partition) ^ mix(*producer as u64),
        Event::Remembered { partition, producer } => place(20, partition) ^ mix(*producer as u64),
        Event::Retained { partition, node, .. } => place(21, partition) ^ mix(*node as u64),
        Event::Time { ms } => 22 << 48 ^ mix(*ms),
        Event::Forward { node, ms } => 23 << 48 ^ mix(*ms) ^ *node as u64,
        Event::Kept { partition, epoch, start, bytes } => {
            place(24, partition) ^ mix(*epoch as u64) ^ mix(*start).rotate_left(9) ^ mix(*bytes).rotate_left(18)
        }
        Event::Due { partition, before, start } => place(25, partition) ^ mix(*before) ^ mix(*start).rotate_left(9),
    }
}
