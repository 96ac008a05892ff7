//! I15 retention: it lets go only of what its policy allows on the server's clock, and of all that is too old. By size: what stays holds the
//! limit. By time: nothing goes whose append and whose stamp are younger than the limit; a stamp of the future keeps nothing longer than
//! its append does. Source: Kafka's retention.bytes and retention.ms.
//!
//! All by what clients are told. Put forward by `f` since a record was sent, a broker's clock makes it `f` older, never more; so does a
//! clock that was ahead when the client stamped it.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Event, Partition, Policy, RecordId};

const LAW: &str = "I15 retention";

/// How far a broker's clock may be ahead of a client's from the start, and how much faster it may run, milliseconds.
const SKEW_MS: u64 = 1_100;

/// Partitions that retention acts on, and when their records were sent.
#[derive(Default)]
pub struct Retention {
    now_ms: u64,
    /// By how much each broker's clock was put forward so far.
    forward: BTreeMap<usize, u64>,
    partitions: BTreeMap<Partition, Retained>,
}

struct Retained {
    node: usize,
    policy: Policy,
    /// When each record was sent, and how far the clock had been put forward then.
    sent: BTreeMap<RecordId, (u64, u64)>,
    acked: BTreeMap<u64, (u64, u64)>,
    /// Log start and leader epoch as told last.
    told: Option<(u64, i32)>,
    /// The leader epoch in which retention moved the log start.
    moved_in: Option<i32>,
}

impl Retention {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        let now = self.now_ms;
        match event {
            Event::Time { ms } => self.now_ms = *ms,
            Event::Forward { node, ms } => *self.forward.entry(*node).or_default() += ms,
            Event::Retained { partition, node, policy } => {
                let (sent, acked) = (BTreeMap::new(), BTreeMap::new());
                let retained = Retained { node: *node, policy: *policy, sent, acked, told: None, moved_in: None };
                self.partitions.insert(*partition, retained);
            }
            Event::Produce { partition, record, .. } => {
                if let Some(p) = self.partitions.get_mut(partition) {
                    let forward = self.forward.get(&p.node).copied().unwrap_or(0);
                    p.sent.insert(*record, (now, forward));
                }
            }
            Event::Acked { partition, record, offset } => {
                if let Some(p) = self.partitions.get_mut(partition)
                    && let Some(sent) = p.sent.remove(record)
                {
                    p.acked.insert(*offset, sent);
                }
            }
            Event::LogStart { partition, start, .. } => {
                if let Some(p) = self.partitions.get_mut(partition) {
                    let forward = self.forward.get(&p.node).copied().unwrap_or(0);
                    let gone = p.let_go(*start, now, forward);
                    found.extend(gone.map(|text| Violation { law: LAW, partition: Some(*partition), text }));
                }
            }
            Event::Kept { partition, epoch, start, bytes } => {
                if let Some(p) = self.partitions.get_mut(partition) {
                    let small = p.keeps(*epoch, *start, *bytes);
                    found.extend(small.map(|text| Violation { law: LAW, partition: Some(*partition), text }));
                }
            }
            Event::Due { partition, before, start } if start < before => {
                let text = format!("all below {before} is too old, and the log still begins at {start}");
                found.push(Violation { law: LAW, partition: Some(*partition), text });
            }
            _ => {}
        }
    }

    /// Whether retention acts on the partition.
    pub fn acts_on(&self, partition: Partition) -> bool {
        self.partitions.contains_key(&partition)
    }

    /// By how much a broker's clock was put forward, milliseconds.
    pub fn forward(&self, node: usize) -> u64 {
        self.forward.get(&node).copied().unwrap_or(0)
    }
}

impl Retained {
    /// What went below `start` and mustn't have.
    fn let_go(&mut self, start: u64, now: u64, forward: u64) -> Option<String> {
        let kept = self.acked.split_off(&start);
        let gone = std::mem::replace(&mut self.acked, kept);
        let limit = self.policy.millis?;
        let (offset, age) = gone
            .into_iter()
            .map(|(offset, (sent, was_forward))| {
                let before = if self.policy.append_time { was_forward } else { 0 };
                (offset, (now - sent) + (forward - before) + SKEW_MS)
            })
            .min_by_key(|(_, age)| *age)?;
        (age <= limit).then(|| format!("offset {offset} went at an age of at most {age} ms, the limit is {limit}"))
    }

    /// What stays, when retention moved the log start in this leader epoch, holds the limit: it only grows until the next move.
    fn keeps(&mut self, epoch: i32, start: u64, bytes: u64) -> Option<String> {
        let limit = self.policy.bytes?;
        if self.told.is_some_and(|(told, since)| since == epoch && start > told) {
            self.moved_in = Some(epoch);
        }
        self.told = Some((start, epoch));
        let wrong = self.moved_in == Some(epoch) && bytes < limit;
        wrong.then(|| format!("{bytes} bytes are left behind log start {start}, the limit is {limit}"))
    }
}
