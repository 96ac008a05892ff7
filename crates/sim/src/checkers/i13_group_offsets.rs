//! I13 group-offsets: a group's offset is the one of its last acknowledged commit, or of one whose fate nobody knows. Source: Kafka's
//! OffsetCommit; a coordinator that answers before it has loaded breaks it. One client commits in a group, one commit at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::history::{Event, Partition};

const LAW: &str = "I13 group-offsets";

/// What was committed, by group and partition.
#[derive(Default)]
pub struct GroupOffsets {
    places: BTreeMap<(u32, Partition), Commits>,
}

#[derive(Default)]
struct Commits {
    acked: Option<u64>,
    /// Commits that weren't acknowledged: each may come about late, from a connection that is long given up.
    open: BTreeSet<u64>,
}

impl GroupOffsets {
    /// Takes an event in.
    pub fn judge(&mut self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Commit { partition, group, offset } => {
                self.places.entry((*group, *partition)).or_default().open.insert(*offset);
            }
            Event::Committed { partition, group, offset } => {
                let commits = self.places.entry((*group, *partition)).or_default();
                commits.open.remove(offset);
                commits.acked = Some(*offset);
            }
            Event::CommitRead { partition, group, offset } => {
                let commits = self.places.entry((*group, *partition)).or_default();
                let open = offset.is_some_and(|o| commits.open.contains(&o));
                if *offset != commits.acked && !open {
                    let text = format!("group {group} committed {:?}, and reads {offset:?}", commits.acked);
                    found.push(Violation { law: LAW, partition: Some(*partition), text });
                }
            }
            _ => {}
        }
    }
}
