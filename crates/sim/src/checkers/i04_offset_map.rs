//! I4 offset-map: the offsets a reader gets begin where it asked and leave no gap.

use super::Violation;
use crate::history::{Event, Partition, Seen};

const LAW: &str = "I4 offset-map";

/// Needs no memory: each answer is judged by itself.
#[derive(Default)]
pub struct OffsetMap;

impl OffsetMap {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Read { partition, from, records, .. } => dense(*partition, *from, records, found),
            Event::Scan { partition, records } => {
                let from = records.first().map_or(0, |s| s.offset);
                dense(*partition, from, records, found);
            }
            _ => {}
        }
    }
}

fn dense(partition: Partition, from: u64, records: &[Seen], found: &mut Vec<Violation>) {
    for (expected, seen) in (from..).zip(records) {
        if seen.offset != expected {
            let text = format!("asked from {from}, expected offset {expected}, got {}", seen.offset);
            found.push(Violation { law: LAW, partition: Some(partition), text });
            return;
        }
    }
}
