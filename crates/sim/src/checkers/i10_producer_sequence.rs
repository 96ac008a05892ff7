//! I10 producer-sequence: a record is in its log once. Source: KIP-98; clients here never send a record twice but under one
//! sequence.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Event, Partition, RecordId};

const LAW: &str = "I10 producer-sequence";

/// Where each record was seen.
#[derive(Default)]
pub struct ProducerSequence {
    places: BTreeMap<(Partition, RecordId), u64>,
}

impl ProducerSequence {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        let (Event::Read { partition, records, .. } | Event::Scan { partition, records }) = event else { return };
        for s in records {
            let first = *self.places.entry((*partition, s.record)).or_insert(s.offset);
            if first != s.offset {
                let text = format!("{:?} stands at offset {first} and again at {}", s.record, s.offset);
                found.push(Violation { law: LAW, partition: Some(*partition), text });
            }
        }
    }
}
