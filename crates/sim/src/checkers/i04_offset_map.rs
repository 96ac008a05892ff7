//! I4 offset-map: the offsets a reader gets begin where it asked and leave no gap.

use std::collections::BTreeSet;

use super::Violation;
use crate::history::{Event, Partition, Seen};

const LAW: &str = "I4 offset-map";

/// What a damaged disk refused to show; else each answer is judged by itself.
#[derive(Default)]
pub struct OffsetMap {
    lost: BTreeSet<(Partition, u64, u64)>,
}

impl OffsetMap {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Lost { partition, from, to } => {
                self.lost.insert((*partition, *from, *to));
            }
            Event::Read { partition, from, records, .. } => self.dense(*partition, *from, records, found),
            Event::Scan { partition, records } => {
                let from = records.first().map_or(0, |s| s.offset);
                self.dense(*partition, from, records, found);
            }
            _ => {}
        }
    }

    fn dense(&self, partition: Partition, from: u64, records: &[Seen], found: &mut Vec<Violation>) {
        let mut expected = from;
        for seen in records {
            if seen.offset != expected && !self.lost.contains(&(partition, expected, seen.offset)) {
                let text = format!("asked from {from}, expected offset {expected}, got {}", seen.offset);
                found.push(Violation { law: LAW, partition: Some(partition), text });
                return;
            }
            expected = seen.offset + 1;
        }
    }
}
