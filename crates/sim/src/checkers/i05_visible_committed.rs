//! I5 visible-committed: what one reader saw every later reader sees; visible is never truncated.
//! Source: KAFKA-14704, KAFKA-9491 for what broke it.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Event, Partition, RecordId, Seen};

const LAW: &str = "I5 visible-committed";

/// What was read.
#[derive(Default)]
pub struct Visible {
    seen: BTreeMap<(Partition, u64), (RecordId, u64)>,
    deleted: BTreeMap<Partition, u64>,
}

impl Visible {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Read { partition, from, known, records, end, .. } => {
                self.take(*partition, records, found);
                if end < known {
                    let text =
                        format!("all below {known} was visible; a read from {from} sent after that ends at {end}");
                    found.push(Violation { law: LAW, partition: Some(*partition), text });
                }
            }
            Event::Scan { partition, records } => {
                self.take(*partition, records, found);
                let kept = self.deleted.get(partition).copied().unwrap_or(0);
                let have: BTreeMap<u64, ()> = records.iter().map(|s| (s.offset, ())).collect();
                let seen = self.seen.range((*partition, kept)..=(*partition, u64::MAX));
                if let Some(((_, offset), (record, _))) = seen.into_iter().find(|((_, o), _)| !have.contains_key(o)) {
                    let text = format!("offset {offset} was read as {record:?} and is gone");
                    found.push(Violation { law: LAW, partition: Some(*partition), text });
                }
            }
            Event::Lost { partition, from, to } => {
                self.seen.retain(|(p, offset), _| p != partition || !(from..to).contains(&offset));
            }
            Event::Delete { partition, before } => {
                let deleted = self.deleted.entry(*partition).or_default();
                *deleted = (*deleted).max(*before);
            }
            _ => {}
        }
    }

    /// First offset that nobody has read yet.
    pub fn end(&self, partition: Partition) -> u64 {
        let last = self.seen.range((partition, 0)..=(partition, u64::MAX)).next_back();
        last.map_or(0, |((_, offset), _)| offset + 1)
    }

    fn take(&mut self, partition: Partition, records: &[Seen], found: &mut Vec<Violation>) {
        for s in records {
            let before = *self.seen.entry((partition, s.offset)).or_insert((s.record, s.value));
            if before != (s.record, s.value) {
                let text = format!("offset {} was read as {:?}, now as {:?}", s.offset, before.0, s.record);
                found.push(Violation { law: LAW, partition: Some(partition), text });
            }
        }
    }
}
