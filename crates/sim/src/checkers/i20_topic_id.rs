//! I20 topic-id: the topic id decides. Of a topic that was deleted nothing is seen in one of the same name that comes later: no record, no
//! committed offset, no producer (and no log start: I8). A deletion that was acknowledged lasts, and so does a creation. Source: KIP-516.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::history::{Event, Partition, RecordId, Seen, Topic};

const LAW: &str = "I20 topic-id";

/// Topics that come and go, and what was sent to which of them.
#[derive(Default)]
pub struct TopicId {
    anchors: BTreeMap<Partition, Partition>,
    /// Partitions that a topic was said to have at its creation, or later.
    created: BTreeMap<Topic, u32>,
    deleting: BTreeSet<Topic>,
    ended: BTreeSet<Topic>,
    sent: BTreeMap<RecordId, Partition>,
    commits: BTreeMap<(u32, u64), Partition>,
    wrote: BTreeSet<(Partition, i64)>,
}

impl TopicId {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        let mut broken = |partition: Option<Partition>, text| found.push(Violation { law: LAW, partition, text });
        match event {
            Event::Incarnation { partition, anchor } => {
                self.anchors.insert(*partition, *anchor);
            }
            Event::Created { topic, partitions } => {
                let known = self.created.entry(*topic).or_default();
                *known = (*known).max(*partitions);
            }
            Event::Deleting { topic } => {
                self.deleting.insert(*topic);
            }
            Event::Ended { topic } => {
                self.deleting.insert(*topic);
                self.ended.insert(*topic);
            }
            Event::There { topic, ended: true } => {
                broken(None, format!("{topic:?} had been deleted, and is there"));
            }
            Event::Gone { topic, known: true } if !self.deleting.contains(topic) => {
                broken(None, format!("{topic:?} or a partition of it had been created and never deleted, and is gone"));
            }
            Event::Produce { partition, record, .. } if self.anchors.contains_key(partition) => {
                self.sent.insert(*record, *partition);
            }
            Event::Commit { partition, group, offset } if self.anchors.contains_key(partition) => {
                self.commits.insert((*group, *offset), *partition);
            }
            Event::CommitRead { partition, group, offset: Some(offset) }
                if self.crossed(*partition, self.commits.get(&(*group, *offset))) =>
            {
                broken(Some(*partition), format!("group {group} has offset {offset} of an earlier topic's"));
            }
            Event::Wrote { partition, producer } => {
                self.wrote.insert((*partition, *producer));
            }
            Event::Remembered { partition, producer } if !self.wrote.contains(&(*partition, *producer)) => {
                broken(Some(*partition), format!("producer {producer} is remembered, which never wrote there"));
            }
            Event::Read { partition, records, .. } | Event::Scan { partition, records } => {
                let strange = |s: &&Seen| self.crossed(*partition, self.sent.get(&s.record));
                if let Some(seen) = records.iter().find(strange) {
                    let text =
                        format!("offset {} holds {:?}, sent to another topic of that name", seen.offset, seen.record);
                    broken(Some(*partition), text);
                }
            }
            _ => {}
        }
    }

    /// Whether something that belongs to `home` was seen in another incarnation of it.
    fn crossed(&self, seen_in: Partition, home: Option<&Partition>) -> bool {
        home.is_some_and(|home| *home != seen_in && self.anchors.get(home) == self.anchors.get(&seen_in))
    }

    /// What all partitions of its name and number share; itself where there is but one.
    pub fn anchor(&self, partition: Partition) -> Partition {
        self.anchors.get(&partition).copied().unwrap_or(partition)
    }

    /// Whether this partition of the topic has been created.
    pub fn is_known(&self, topic: Topic, number: i32) -> bool {
        self.created.get(&topic).is_some_and(|count| u32::try_from(number).is_ok_and(|n| n < *count))
    }

    /// Topics that have been deleted.
    pub fn ended(&self) -> &BTreeSet<Topic> {
        &self.ended
    }
}
