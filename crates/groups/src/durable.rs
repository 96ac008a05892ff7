//! What the log says of a group: its metadata and its offsets. Changed by replay alone, and by nothing but the record:
//! no clock, no settings.

use std::collections::{BTreeMap, BTreeSet};

use ouzel_model::{PartitionId, ProducerId, TopicName};

use crate::api::{Committed, Record};
use crate::record::{self, GroupRecord};

/// A partition whose offset is kept.
pub(crate) type Partition = (TopicName, PartitionId);

/// A group as its committed records leave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Durable {
    pub record: Option<GroupRecord>,
    record_bytes: u64,
    pub offsets: BTreeMap<Partition, Stored>,
    /// Offsets of open transactions.
    pub pending: BTreeMap<ProducerId, BTreeMap<Partition, Stored>>,
    bytes: u64,
}

/// A committed offset and its place among all records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub committed: Committed,
    /// Place of its record among those replayed: of two offsets of a partition the later record counts, even if the
    /// earlier one belongs to a transaction that ends last.
    place: u64,
    bytes: u64,
}

impl Durable {
    pub fn is_empty(&self) -> bool {
        self.record.is_none() && self.offsets.is_empty() && self.pending.is_empty()
    }

    /// Bytes of keys and values that a rewrite takes.
    pub fn bytes(&self) -> u64 {
        self.record_bytes + self.bytes
    }

    pub fn put_record(&mut self, record: Option<GroupRecord>, bytes: u64) {
        self.record_bytes = if record.is_some() { bytes } else { 0 };
        self.record = record;
    }

    pub fn put_offset(&mut self, partition: Partition, committed: Committed, bytes: u64, place: u64) {
        self.insert(partition, Stored { committed, place, bytes });
    }

    /// A transaction's offset waits for the transaction's end.
    pub fn put_pending(
        &mut self,
        producer: ProducerId,
        partition: Partition,
        committed: Committed,
        bytes: u64,
        place: u64,
    ) {
        self.pending.entry(producer).or_default().insert(partition, Stored { committed, place, bytes });
    }

    /// A tombstone takes what open transactions hold of the partition too: their records lie before it.
    pub fn remove_offset(&mut self, partition: &Partition) {
        if let Some(old) = self.offsets.remove(partition) {
            self.bytes -= old.bytes;
        }
        self.pending.retain(|_, offsets| {
            offsets.remove(partition);
            !offsets.is_empty()
        });
    }

    pub fn end_transaction(&mut self, producer: ProducerId, committed: bool) {
        let Some(offsets) = self.pending.remove(&producer) else { return };
        for (partition, stored) in offsets {
            let newer = self.offsets.get(&partition).is_none_or(|old| old.place < stored.place);
            if committed && newer {
                self.insert(partition, stored);
            }
        }
    }

    /// Offsets kept, those of open transactions too.
    pub fn count(&self) -> usize {
        self.offsets.len() + self.pending.values().map(BTreeMap::len).sum::<usize>()
    }

    /// Every partition with an offset, those of open transactions too, in order.
    pub fn partitions(&self) -> BTreeSet<&Partition> {
        self.offsets.keys().chain(self.pending.values().flat_map(BTreeMap::keys)).collect()
    }

    /// Whether a commit of this partition takes the place of another.
    pub fn holds(&self, partition: &Partition, transaction: Option<ProducerId>) -> bool {
        match transaction {
            None => self.offsets.contains_key(partition),
            Some(producer) => self.pending.get(&producer).is_some_and(|offsets| offsets.contains_key(partition)),
        }
    }

    /// Whether an open transaction holds an offset of this partition.
    pub fn is_unstable(&self, partition: &Partition) -> bool {
        self.pending.values().any(|offsets| offsets.contains_key(partition))
    }

    /// The group's live records.
    pub fn records(&self, group: &str) -> Vec<Record> {
        let offsets = self
            .offsets
            .iter()
            .map(|((topic, partition), stored)| record::offset_record(group, topic, *partition, &stored.committed));
        self.record.iter().map(|record| record::group_record(group, record)).chain(offsets).collect()
    }

    fn insert(&mut self, partition: Partition, stored: Stored) {
        self.bytes += stored.bytes;
        if let Some(old) = self.offsets.insert(partition, stored) {
            self.bytes -= old.bytes;
        }
    }
}
