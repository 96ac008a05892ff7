//! I8 no-step-back: a log's start never moves back, as clients see it, nor beyond what they had deleted. Source: KIP-107.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Event, Partition};

const LAW: &str = "I8 no-step-back";

/// Starts that were told, and deletions that were asked for.
#[derive(Default)]
pub struct NoStepBack {
    told: BTreeMap<Partition, u64>,
    asked: BTreeMap<Partition, u64>,
}

impl NoStepBack {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Delete { partition, before } => {
                let asked = self.asked.entry(*partition).or_default();
                *asked = (*asked).max(*before);
            }
            Event::LogStart { partition, known, start } => {
                let told = self.told.entry(*partition).or_default();
                *told = (*told).max(*start);
                let asked = self.asked(*partition);
                let wrong = match () {
                    () if start < known => Some(format!("the log began at {known} and now at {start}")),
                    () if *start > asked => Some(format!("the log begins at {start}, only below {asked} was deleted")),
                    () => None,
                };
                found.extend(wrong.map(|text| Violation { law: LAW, partition: Some(*partition), text }));
            }
            _ => {}
        }
    }

    /// The highest start that a client was told.
    pub fn told(&self, partition: Partition) -> u64 {
        self.told.get(&partition).copied().unwrap_or(0)
    }

    /// Records below it may be gone.
    pub fn asked(&self, partition: Partition) -> u64 {
        self.asked.get(&partition).copied().unwrap_or(0)
    }
}
