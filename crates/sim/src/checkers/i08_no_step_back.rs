//! I8 no-step-back: a log's start and its high watermark never move back, as clients see them; the start never lies beyond what they had
//! deleted, the high watermark never below what was acknowledged. Source: KIP-107, KAFKA-9491.

use std::collections::BTreeMap;

use super::Violation;
use crate::history::{Event, Partition};

const LAW: &str = "I8 no-step-back";

/// Positions that were told, and deletions that were asked for.
#[derive(Default)]
pub struct NoStepBack {
    told: BTreeMap<Partition, u64>,
    asked: BTreeMap<Partition, u64>,
    visible: BTreeMap<Partition, u64>,
}

impl NoStepBack {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        let mut broken =
            |partition: Partition, text| found.push(Violation { law: LAW, partition: Some(partition), text });
        match event {
            Event::Delete { partition, before } => raise(&mut self.asked, *partition, *before),
            Event::Acked { partition, offset, .. } => raise(&mut self.visible, *partition, offset + 1),
            Event::LogStart { partition, known, start } => {
                raise(&mut self.told, *partition, *start);
                let asked = self.asked(*partition);
                if start < known {
                    broken(*partition, format!("the log began at {known} and now at {start}"));
                } else if *start > asked {
                    broken(*partition, format!("the log begins at {start}, only below {asked} was deleted"));
                }
            }
            Event::HighWatermark { partition, known, end } => {
                raise(&mut self.visible, *partition, *end);
                if end < known {
                    broken(*partition, format!("all below {known} was committed, and the high watermark is {end}"));
                }
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

    /// The least high watermark that an answer to a question asked now may tell.
    pub fn high_watermark(&self, partition: Partition) -> u64 {
        self.visible.get(&partition).copied().unwrap_or(0)
    }
}

fn raise(positions: &mut BTreeMap<Partition, u64>, partition: Partition, to: u64) {
    let position = positions.entry(partition).or_default();
    *position = (*position).max(to);
}
