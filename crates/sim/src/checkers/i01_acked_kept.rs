//! I1 acked-kept: no record acknowledged under acks=all is lost or changed, but by DeleteRecords; the offset and its value are fixed at the ack.
//! Source: Kafka's documentation of `acks`; KIP-101 for what broke it.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Event, Partition, RecordId, Seen};

const LAW: &str = "I1 acked-kept";

/// What was acknowledged.
#[derive(Default)]
pub struct AckedKept {
    sent: BTreeMap<(Partition, RecordId), u64>,
    acked: BTreeMap<(Partition, u64), (RecordId, u64)>,
    deleted: BTreeMap<Partition, u64>,
}

impl AckedKept {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        let mut broken =
            |partition: Partition, text| found.push(Violation { law: LAW, partition: Some(partition), text });
        match event {
            Event::Produce { partition, record, value } => {
                self.sent.insert((*partition, *record), *value);
            }
            Event::Acked { partition, record, offset } => {
                let value = self.sent.remove(&(*partition, *record)).unwrap_or(0);
                if let Some((other, _)) = self.acked.insert((*partition, *offset), (*record, value)) {
                    broken(*partition, format!("offset {offset} acked to {other:?} and again to {record:?}"));
                }
            }
            Event::Delete { partition, before } => {
                let deleted = self.deleted.entry(*partition).or_default();
                *deleted = (*deleted).max(*before);
            }
            // What a damaged disk refuses isn't kept; I16 sees to it that nothing else is refused.
            Event::Lost { partition, from, to } => {
                self.acked.retain(|(p, offset), _| p != partition || !(from..to).contains(&offset));
            }
            Event::Refused { partition, record } | Event::Unknown { partition, record } => {
                self.sent.remove(&(*partition, *record));
            }
            Event::Read { partition, records, .. } => {
                for seen in records {
                    if let Some(text) = self.differs(*partition, seen) {
                        broken(*partition, text);
                    }
                }
            }
            Event::Scan { partition, records } => {
                let kept = self.deleted.get(partition).copied().unwrap_or(0);
                let have: BTreeMap<u64, &Seen> = records.iter().map(|s| (s.offset, s)).collect();
                for ((_, offset), (record, _)) in self.acked.range((*partition, kept)..=(*partition, u64::MAX)) {
                    match have.get(offset) {
                        None => broken(*partition, format!("offset {offset} acked to {record:?} is gone")),
                        Some(seen) => {
                            if let Some(text) = self.differs(*partition, seen) {
                                broken(*partition, text);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn differs(&self, partition: Partition, seen: &Seen) -> Option<String> {
        let (record, value) = self.acked.get(&(partition, seen.offset))?;
        if (*record, *value) == (seen.record, seen.value) {
            return None;
        }
        let offset = seen.offset;
        Some(format!(
            "offset {offset} acked to {record:?} with {value:x}; served {:?} with {:x}",
            seen.record, seen.value
        ))
    }
}
