//! Work that nobody asked for: offsets that are too old, and the rewrite of the live state.

use std::collections::BTreeSet;
use std::mem;
use std::ops::Bound;

use ouzel_model::reached;

use crate::Groups;
use crate::api::{Effect, Now, Record};
use crate::classic::Turn;
use crate::group::GroupId;
use crate::machine::{Then, Work};
use crate::offsets::record_bytes;

/// Groups looked at in one call, so that it stays short.
const GROUPS_PER_TURN: usize = 256;

/// The walk over all groups in search of old offsets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expiry {
    at: u64,
    /// The last group looked at in this walk.
    cursor: Option<GroupId>,
}

impl Expiry {
    pub fn starting(at: u64) -> Expiry {
        Expiry { at, cursor: None }
    }

    /// When to go on.
    pub fn at(&self) -> u64 {
        self.at
    }
}

/// A rewrite under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compaction {
    /// Groups that are still to be written.
    groups: BTreeSet<GroupId>,
    /// The last group looked at in this walk over them.
    cursor: Option<GroupId>,
    /// Appends on their way.
    appends: usize,
    /// One of them was refused.
    failed: bool,
    /// Groups that start no write until they are rewritten.
    held: usize,
    /// When to look again at groups with open transactions.
    retry_at: Option<u64>,
}

impl Compaction {
    pub fn retry_at(&self) -> Option<u64> {
        self.retry_at
    }
}

impl Groups {
    /// Looks at the next groups if a check is due.
    pub(crate) fn go_on_expiring(&mut self, now: Now, out: &mut Vec<Effect>) {
        if self.expiry.at > now.mono_ms {
            return;
        }
        let from = self.expiry.cursor.take().map_or(Bound::Unbounded, Bound::Excluded);
        let ids: Vec<GroupId> =
            self.groups.range((from, Bound::Unbounded)).take(GROUPS_PER_TURN).map(|(id, _)| id.clone()).collect();
        for id in &ids {
            let group = &self.groups[id];
            // A group in the middle of something isn't idle; its old offsets can wait for the next check.
            if group.is_free(true) && group.queue.is_empty() {
                let records = group.expired_records(&Turn { config: &self.config, now, out }, id);
                self.bury(id, records, Then::Expire, out);
                self.settle(now, id, out);
            }
        }
        if ids.len() == GROUPS_PER_TURN {
            self.expiry.cursor = ids.last().cloned();
        } else {
            self.expiry.at = now.mono_ms.saturating_add(self.config.offsets_retention_check_ms);
        }
    }

    /// Starts to write the live state anew, behind what is in the log, so that the log's prefix can be trimmed.
    /// When an [`Effect::Compacted`] comes, everything the log held when this was called is superseded, but for open
    /// transactions: trim to the log's end at that time, or to the last stable offset if that is less.
    /// The coordinator serves on meanwhile. A failed append ends the rewrite without that effect: try again later.
    /// Does nothing while loading or when a rewrite is under way.
    pub fn compact(&mut self, now: Now) -> Vec<Effect> {
        let mut out = Vec::new();
        if !self.is_serving() || self.compaction.is_some() {
            return out;
        }
        let mut compaction = Compaction { groups: self.groups.keys().cloned().collect(), ..Compaction::default() };
        let opaque = self.opaque.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        for records in batches(opaque, self.config.append_bytes_max) {
            compaction.appends += 1;
            self.append(records, None, Work::Compact, &mut out);
        }
        self.compaction = Some(compaction);
        self.go_on_compacting(now, &mut out);
        out
    }

    /// Whether a rewrite is under way.
    pub fn is_compacting(&self) -> bool {
        self.compaction.is_some()
    }

    /// Writes the next groups once those before are stored. A group is rewritten while no write of it is on its way,
    /// for a rewrite behind that write in the log would undo it; what comes later supersedes the rewrite, as it should.
    pub(crate) fn go_on_compacting(&mut self, now: Now, out: &mut Vec<Effect>) {
        let Some(mut compaction) = self.compaction.take() else { return };
        let early = compaction.held == 0 && compaction.retry_at.is_some_and(|at| at > now.mono_ms);
        if compaction.appends > 0 || early {
            self.compaction = Some(compaction);
            return;
        }
        let (records, released) = self.collect_rewrites(&mut compaction);
        if records.is_empty() && compaction.groups.is_empty() {
            out.push(Effect::Compacted);
        } else {
            // With nothing to write the walk goes on at once, or after a while if it found open transactions only.
            let wait_ms = if compaction.cursor.is_some() { 0 } else { self.config.retry_ms };
            compaction.retry_at = records.is_empty().then(|| now.mono_ms.saturating_add(wait_ms));
            let batches = batches(records, self.config.append_bytes_max);
            compaction.appends = batches.len();
            self.compaction = Some(compaction);
            for records in batches {
                self.append(records, None, Work::Compact, out);
            }
        }
        for id in &released {
            self.settle(now, id, out);
        }
    }

    /// The records of some groups that are free now, about one append's worth, and the groups that aren't held anymore.
    fn collect_rewrites(&mut self, compaction: &mut Compaction) -> (Vec<Record>, Vec<GroupId>) {
        let mut records = Vec::new();
        let mut released = Vec::new();
        let mut bytes = 0;
        let from = compaction.cursor.take().map_or(Bound::Unbounded, Bound::Excluded);
        let visit = compaction.groups.range((from, Bound::Unbounded)).take(GROUPS_PER_TURN);
        let visit: Vec<GroupId> = visit.cloned().collect();
        if visit.len() == GROUPS_PER_TURN {
            compaction.cursor = visit.last().cloned();
        }
        for id in visit {
            if bytes >= self.config.append_bytes_max {
                compaction.cursor = None;
                break;
            }
            let Some(group) = self.groups.get_mut(&id) else {
                compaction.groups.remove(&id);
                continue;
            };
            if group.busy || group.writes_in_flight > 0 {
                reached!("groups: rewrite holds a busy group");
                compaction.held += usize::from(!mem::replace(&mut group.hold, true));
                continue;
            }
            if mem::take(&mut group.hold) {
                compaction.held -= 1;
                released.push(id.clone());
            }
            // A rewrite behind a transaction's record would win over it when the transaction commits.
            if group.durable.pending.is_empty() {
                let own = group.durable.records(&id);
                bytes += own.iter().map(record_bytes).sum::<usize>();
                records.extend(own);
                compaction.groups.remove(&id);
            }
        }
        (records, released)
    }

    /// A batch of the rewrite was stored or not; after a failure it ends when no other batch is on its way.
    pub(crate) fn compacted(&mut self, now: Now, stored: bool, out: &mut Vec<Effect>) {
        let compaction = self.compaction.as_mut().expect("a rewrite lasts until its appends are confirmed");
        compaction.appends -= 1;
        compaction.failed |= !stored;
        if compaction.failed && compaction.appends == 0 {
            let groups = mem::take(&mut compaction.groups);
            self.compaction = None;
            for id in groups {
                if self.groups.get_mut(&id).is_some_and(|group| mem::take(&mut group.hold)) {
                    self.settle(now, &id, out);
                }
            }
        }
    }
}

/// Splits records into batches of at most `bytes_max`, keeping their order. A record larger than that goes alone.
pub(crate) fn batches(records: Vec<Record>, bytes_max: usize) -> Vec<Vec<Record>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for record in records {
        let own = record_bytes(&record);
        if bytes + own > bytes_max && !batch.is_empty() {
            batches.push(mem::take(&mut batch));
            bytes = 0;
        }
        bytes += own;
        batch.push(record);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}
