//! I6 definite-failure: a record that was definitely refused, or that nobody sent, never appears in the log.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Event, Partition, RecordId, Seen};

const LAW: &str = "I6 definite-failure";

/// Records sent, and whether they were refused.
#[derive(Default)]
pub struct DefiniteFailure {
    refused: BTreeMap<(Partition, RecordId), bool>,
    /// Where a record that was sent by name may be instead.
    anchors: BTreeMap<Partition, Partition>,
}

impl DefiniteFailure {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Incarnation { partition, anchor } => {
                self.anchors.insert(*partition, *anchor);
            }
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
        let sent = |to: Partition| self.refused.get(&(to, seen.record));
        let what = match sent(partition).or_else(|| sent(*self.anchors.get(&partition)?)) {
            Some(false) => return,
            Some(true) => "was refused",
            None => "was never sent there",
        };
        let text = format!("offset {} holds {:?}, which {what}", seen.offset, seen.record);
        found.push(Violation { law: LAW, partition: Some(partition), text });
    }
}
