//! I16 checksums: each byte served passed its checksum, so it is what somebody wrote; what a disk spoiled is refused, and nothing
//! else is. Source: CORDS ("Redundancy Does Not Imply Fault Tolerance", FAST'17). Without replicas nobody repairs: refuse, never lie.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Event, Partition, RecordId, Seen};

const LAW: &str = "I16 checksums";

/// The value of each record as it was written.
#[derive(Default)]
pub struct Checksums {
    written: BTreeMap<(Partition, RecordId), u64>,
}

impl Checksums {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Produce { partition, record, value } => {
                self.written.insert((*partition, *record), *value);
            }
            Event::Read { partition, records, .. } | Event::Scan { partition, records } => {
                found.extend(records.iter().filter_map(|seen| self.differs(*partition, seen)));
            }
            Event::Garbage { partition, from } => {
                let text = format!("a read from {from} was answered with bytes that fail their checksum");
                found.push(Violation { law: LAW, partition: Some(*partition), text });
            }
            _ => {}
        }
    }

    fn differs(&self, partition: Partition, seen: &Seen) -> Option<Violation> {
        let written = self.written.get(&(partition, seen.record))?;
        let text = format!("offset {}: {:?} was written with {written:x}", seen.offset, seen.record);
        let text = format!("{text}, served with {:x}", seen.value);
        (*written != seen.value).then_some(Violation { law: LAW, partition: Some(partition), text })
    }
}
