//! Committed offsets of a group: what may be committed, what is seen, what goes with age.

use std::collections::BTreeSet;

use ouzel_model::{Timestamp, TopicName, planted, reached};

use crate::api::{
    CommitError, CommitOffsetError, CommitOffsets, Committed, DeleteOffsetError, DeleteOffsets, DeleteOffsetsError,
    FetchOffset, FetchOffsets, FetchedOffset, GroupState, Record, UnstableOffset,
};
use crate::classic::Turn;
use crate::config::Config;
use crate::durable::{Partition, Stored};
use crate::group::Group;
use crate::record;
use crate::subscription::CONSUMER;

/// Records to append, and what to answer once they are stored.
pub(crate) struct Checked<E> {
    pub records: Vec<Record>,
    pub results: Vec<Result<(), E>>,
    /// Offsets that weren't there before.
    pub new: usize,
}

impl Group {
    /// Checks a commit, renews the member's session and makes its records.
    pub fn commit(
        &mut self,
        turn: &mut Turn<'_>,
        request: &CommitOffsets,
    ) -> Result<Checked<CommitOffsetError>, CommitError> {
        if !self.exists() && request.generation >= 0 {
            return Err(CommitError::GroupNotFound);
        }
        let member = (&*request.member_id, request.instance_id.as_deref(), request.generation);
        let allowed = self.live.check_commit(turn, member.0, member.1, member.2, request.transaction.is_some());
        let zombie = planted!("42", request.generation >= 0, false);
        if !zombie {
            allowed?;
        }
        let config = turn.config;
        let commit_time = turn.now.wall;
        let expire_time = request.retention_ms.map(|ms| Timestamp(commit_time.0.saturating_add(ms)));
        let mut checked = Checked { records: Vec::new(), results: Vec::new(), new: 0 };
        let mut bytes = 0;
        let kept = self.durable.count() + self.offsets_in_flight;
        for offset in &request.offsets {
            let partition = (offset.topic.clone(), offset.partition);
            let new = !self.durable.holds(&partition, request.transaction.map(|t| t.producer));
            let count = kept + checked.new;
            if is_longer(&offset.metadata, config.offset_metadata_max) {
                checked.results.push(Err(CommitOffsetError::MetadataTooLarge));
            } else if new && count >= config.offsets_max {
                checked.results.push(Err(CommitOffsetError::TooManyOffsets));
            } else {
                let committed = Committed {
                    offset: offset.offset,
                    leader_epoch: offset.leader_epoch,
                    metadata: offset.metadata.clone(),
                    commit_time,
                    expire_time,
                    topic_id: offset.topic_id,
                };
                let record = record::offset_record(&request.group, &partition.0, partition.1, &committed);
                bytes += record_bytes(&record);
                checked.records.push(record);
                checked.results.push(Ok(()));
                checked.new += usize::from(new);
            }
            if bytes > config.append_bytes_max {
                return Err(CommitError::TooLarge);
            }
        }
        Ok(checked)
    }

    pub fn fetch(&self, request: &FetchOffsets) -> Vec<FetchedOffset> {
        let stable = request.require_stable;
        match &request.partitions {
            Some(asked) => asked.iter().map(|asked| self.fetch_one(asked, stable)).collect(),
            None => {
                // What is only in open transactions isn't committed, but not stable either.
                let all = self.durable.partitions().into_iter();
                let all = all.filter(|key| stable || self.durable.offsets.contains_key(*key));
                let asked = |(topic, partition): &Partition| FetchOffset {
                    topic: topic.clone(),
                    topic_id: None,
                    partition: *partition,
                };
                all.map(|partition| self.fetch_one(&asked(partition), stable)).collect()
            }
        }
    }

    fn fetch_one(&self, asked: &FetchOffset, require_stable: bool) -> FetchedOffset {
        let key = (asked.topic.clone(), asked.partition);
        let result = if require_stable && self.durable.is_unstable(&key) {
            Err(UnstableOffset)
        } else {
            let found = self.durable.offsets.get(&key).map(|stored| &stored.committed);
            // A topic deleted and created anew has other offsets.
            let same =
                |c: &&Committed| asked.topic_id.is_none() || c.topic_id.is_none() || c.topic_id == asked.topic_id;
            Ok(found.filter(same).cloned())
        };
        FetchedOffset { topic: key.0, partition: key.1, result }
    }

    /// OffsetDelete takes what no member reads. Source: KIP-496.
    pub fn delete_offsets(
        &self,
        config: &Config,
        request: &DeleteOffsets,
    ) -> Result<Checked<DeleteOffsetError>, DeleteOffsetsError> {
        if !self.exists() {
            return Err(DeleteOffsetsError::GroupNotFound);
        }
        if self.live.state() != GroupState::Empty && self.live.protocol_type() != CONSUMER {
            return Err(DeleteOffsetsError::NonEmptyGroup);
        }
        let mut checked = Checked { records: Vec::new(), results: Vec::new(), new: 0 };
        let mut bytes = 0;
        for (topic, partition) in &request.partitions {
            let key = (topic.clone(), *partition);
            if self.live.may_read(topic) {
                checked.results.push(Err(DeleteOffsetError::SubscribedToTopic));
                continue;
            }
            checked.results.push(Ok(()));
            if self.durable.offsets.contains_key(&key) || self.durable.is_unstable(&key) || self.writes_in_flight > 0 {
                let record = record::offset_tombstone(&request.group, topic, *partition);
                bytes += record_bytes(&record);
                checked.records.push(record);
            }
            if bytes > config.append_bytes_max {
                return Err(DeleteOffsetsError::TooLarge);
            }
        }
        Ok(checked)
    }

    /// Tombstones for every offset of these topics.
    pub fn forget_records(&self, group: &str, topics: &BTreeSet<TopicName>) -> Vec<Record> {
        self.tombstones(group, |(topic, _)| topics.contains(topic))
    }

    /// Tombstones for all there is of the group.
    pub fn delete_records(&self, group: &str) -> Vec<Record> {
        let mut records = self.tombstones(group, |_| true);
        if self.durable.record.is_some() {
            records.push(record::group_tombstone(group));
        }
        records
    }

    fn tombstones(&self, group: &str, which: impl Fn(&Partition) -> bool) -> Vec<Record> {
        let all = self.durable.partitions().into_iter().filter(|partition| which(partition));
        all.map(|(topic, partition)| record::offset_tombstone(group, topic, *partition)).collect()
    }

    /// Tombstones for what is too old, as many as fit one append, and for the group when nothing of it is left.
    pub fn expired_records(&self, turn: &Turn<'_>, group: &str) -> Vec<Record> {
        let mut records = Vec::new();
        let mut bytes = 0;
        for (partition, stored) in &self.durable.offsets {
            if !self.is_expired(turn, partition, stored) {
                continue;
            }
            reached!("groups: offset aged out");
            let record = record::offset_tombstone(group, &partition.0, partition.1);
            bytes += record_bytes(&record);
            // Room for the group's own tombstone; the rest waits for the next check.
            if bytes + group.len() + 16 > turn.config.append_bytes_max {
                return records;
            }
            records.push(record);
        }
        let nothing_left = records.len() == self.durable.offsets.len() && self.durable.pending.is_empty();
        if nothing_left && self.live.is_idle() && self.durable.record.is_some() {
            records.push(record::group_tombstone(group));
        }
        records
    }

    fn is_expired(&self, turn: &Turn<'_>, partition: &Partition, stored: &Stored) -> bool {
        let Some(since) = self.idle_since(partition, &stored.committed) else { return false };
        if self.durable.is_unstable(partition) {
            return false;
        }
        match stored.committed.expire_time {
            Some(at) => turn.now.wall >= at,
            None => turn.now.wall.millis_since(since) >= turn.config.offsets_retention_ms,
        }
    }

    /// Since when nobody needs this offset; `None` while somebody may.
    fn idle_since(&self, (topic, _): &Partition, committed: &Committed) -> Option<Timestamp> {
        let commit_time = committed.commit_time;
        if self.live.protocol_type().is_empty() {
            return Some(commit_time);
        }
        match self.live.state() {
            // An offset set by hand in an empty group lives as long as one that was there when it turned empty.
            GroupState::Empty => {
                let since = self.durable.record.as_ref().and_then(|record| record.since);
                Some(since.map_or(commit_time, |since| since.max(commit_time)))
            }
            GroupState::Stable if self.live.protocol_type() == CONSUMER && !self.live.may_read(topic) => {
                Some(commit_time)
            }
            // In a rebalance the members' topics aren't known. Source: KAFKA-13636.
            _ => planted!("41", Some(commit_time), None),
        }
    }
}

/// Bytes of a record in its batch, at most.
pub(crate) fn record_bytes((key, value): &Record) -> usize {
    key.len() + value.as_ref().map_or(0, Vec::len) + RECORD_FRAME_BYTES
}

/// Lengths of record, key and value, attributes, deltas of time and offset, and a count of headers, as a batch has them.
const RECORD_FRAME_BYTES: usize = 20;

/// Whether a text has more UTF-16 units than `max`, which is how Kafka counts.
fn is_longer(text: &str, max: usize) -> bool {
    text.len() > max && text.encode_utf16().count() > max
}
