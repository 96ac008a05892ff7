//! I6 definite-failure: a record that was definitely refused, or that nobody sent, never appears in the log.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Event, Partition, RecordId, Seen};

const LAW: &str = "I6 definite-failure";

/// Records sent, and whether they were refused.
#[derive(Default)]
pub struct DefiniteFailure {
    refused: BTreeMap<(Partition, RecordId), bool>,
}

impl DefiniteFailure {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Produce { partition, record, .. } => {
                self.refused.insert((*partition, *record), false);
            }
            Event::Refused { partition, record } => {
                self.refused.insert((*partition, *record), true);
            }
            Event::Read { partition, records, .. } | Event::Scan { partition, records } => {
                records.iter().for_each(|seen| self.look(*partition, seen, found));
            }
            _ => {}
        }
    }

    fn look(&self, partition: Partition, seen: &Seen, found: &mut Vec<Violation>) {
        let what = match self.refused.get(&(partition, seen.record)) {
            Some(false) => return,
            Some(true) => "was refused",
            None => "was never sent there",
        };
        let text = format!("offset {} holds {:?}, which {what}", seen.offset, seen.record);
        found.push(Violation { law: LAW, partition: Some(partition), text });
    }
}
