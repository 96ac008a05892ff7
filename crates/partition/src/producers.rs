//! What a partition remembers of its idempotent producers. Source: KIP-98.
//!
//! Two layers: *committed*, moved by commit alone, and the *pending* batches of entries that aren't committed yet. Checks read
//! both; a truncation drops pending batches and nothing else, so nothing is ever rolled back.

use std::collections::{BTreeMap, VecDeque};

use ouzel_model::{Index, Offset, ProducerEpoch, ProducerId, Timestamp, planted, reached};

/// Batches remembered per producer: a client may have five requests in flight.
const BATCHES_MAX: usize = 5;
/// Producer ids remembered per partition; beyond it the one that was silent longest goes.
pub const PRODUCERS_MAX: usize = 100_000;
const SNAPSHOT_VERSION: u8 = 1;
const SNAPSHOT_BATCH_BYTES: usize = 8 + 2 + 4 + 4 + 8 + 8;

/// The producer's part of a batch's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerBatch {
    /// Who wrote it.
    pub id: ProducerId,
    /// In which of its lives.
    pub epoch: ProducerEpoch,
    /// Sequence of its first record, not negative.
    pub first_sequence: i32,
    /// Records in the batch less one, not negative.
    pub last_delta: i32,
}

impl ProducerBatch {
    /// Sequence of its last record; sequences wrap from `i32::MAX` to 0.
    pub fn last_sequence(&self) -> i32 {
        ((i64::from(self.first_sequence) + i64::from(self.last_delta)) % (1 << 31)) as i32
    }
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Append it.
    New,
    /// It is in the log already.
    Duplicate {
        /// Offset of the first copy's first record.
        base_offset: Offset,
        /// When the first copy was appended.
        at: Timestamp,
        /// Entry of the first copy while that isn't committed; the duplicate is answered with it, and fails with it.
        pending: Option<Index>,
    },
}

/// Why a batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProducerError {
    /// A producer with a newer epoch has written here.
    #[error("producer {} is at epoch {} here, the batch has the older epoch {}", id.0, current.0, got.0)]
    InvalidEpoch {
        /// Whose.
        id: ProducerId,
        /// The newest seen.
        current: ProducerEpoch,
        /// The batch's.
        got: ProducerEpoch,
    },
    /// A gap, or a duplicate older than the batches remembered.
    #[error("producer {}: sequence {got} doesn't follow {last}", id.0)]
    OutOfOrder {
        /// Whose.
        id: ProducerId,
        /// Last sequence known; -1 at the start of an epoch.
        last: i32,
        /// The batch's first.
        got: i32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Batch {
    epoch: ProducerEpoch,
    first_sequence: i32,
    last_sequence: i32,
    base_offset: Offset,
    at: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Producer {
    /// Newest last, at most `BATCHES_MAX`, all of the newest one's epoch.
    committed: VecDeque<Batch>,
    /// Not yet committed, in index order.
    pending: VecDeque<(Index, Batch)>,
    /// When its last batch came, milliseconds of this process's monotonic clock; for one found at the start, the start. A step of the wall
    /// clock must not make a producer unknown: its next retry would stand twice.
    seen_ms: u64,
}

impl Producer {
    fn newest(&self) -> Option<&Batch> {
        self.pending.back().map(|(_, b)| b).or(self.committed.back())
    }
}

/// A producer as `DescribeProducers` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveProducer {
    /// Who.
    pub id: ProducerId,
    /// Its newest epoch.
    pub epoch: ProducerEpoch,
    /// Its last committed sequence.
    pub last_sequence: i32,
    /// When its last batch was appended.
    pub last_timestamp: Timestamp,
}

/// The producers of one partition. Owner shard only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Producers {
    known: BTreeMap<ProducerId, Producer>,
    /// Pending batches of all producers in index order.
    pending: VecDeque<(Index, ProducerId)>,
    /// Last index whose effect the committed layer holds.
    committed: Index,
}

impl Producers {
    /// Judges a batch by all that was appended so far. A producer silent for longer than `expiration_ms` is unknown, and an unknown
    /// one may begin with any sequence, as in Kafka. `now_ms` is monotonic.
    pub fn check(&self, batch: &ProducerBatch, now_ms: u64, expiration_ms: u64) -> Result<Check, ProducerError> {
        let Some(producer) = self.known.get(&batch.id) else { return Ok(Check::New) };
        let Some(newest) = producer.newest() else { return Ok(Check::New) };
        if producer.pending.is_empty() && now_ms.saturating_sub(producer.seen_ms) > expiration_ms {
            return Ok(Check::New);
        }
        if batch.epoch < newest.epoch {
            return Err(ProducerError::InvalidEpoch { id: batch.id, current: newest.epoch, got: batch.epoch });
        }
        if batch.epoch > newest.epoch {
            return match batch.first_sequence {
                0 => Ok(Check::New),
                got => Err(ProducerError::OutOfOrder { id: batch.id, last: -1, got }),
            };
        }
        let last_sequence = batch.last_sequence();
        let same = |b: &Batch| {
            b.epoch == batch.epoch && (b.first_sequence, b.last_sequence) == (batch.first_sequence, last_sequence)
        };
        if !planted!("30", true, false) {
            if let Some((index, b)) = producer.pending.iter().find(|(_, b)| same(b)) {
                reached!("producers: duplicate of a pending batch");
                return Ok(Check::Duplicate { base_offset: b.base_offset, at: b.at, pending: Some(*index) });
            }
            if let Some(b) = producer.committed.iter().find(|b| same(b)) {
                reached!("producers: duplicate of a committed batch");
                return Ok(Check::Duplicate { base_offset: b.base_offset, at: b.at, pending: None });
            }
        }
        let expected = if newest.last_sequence == i32::MAX { 0 } else { newest.last_sequence + 1 };
        if batch.first_sequence != expected {
            if planted!("30", true, false) {
                return Ok(Check::New);
            }
            return Err(ProducerError::OutOfOrder {
                id: batch.id,
                last: newest.last_sequence,
                got: batch.first_sequence,
            });
        }
        Ok(Check::New)
    }

    /// Takes note of an entry that was appended, in index order, at wall clock `at`; `now_ms` is monotonic.
    pub fn append(&mut self, index: Index, batch: &ProducerBatch, base_offset: Offset, at: Timestamp, now_ms: u64) {
        assert!(self.pending.back().is_none_or(|(last, _)| *last < index), "entries come in index order");
        let noted = Batch {
            epoch: batch.epoch,
            first_sequence: batch.first_sequence,
            last_sequence: batch.last_sequence(),
            base_offset,
            at,
        };
        let producer = self.known.entry(batch.id).or_default();
        producer.pending.push_back((index, noted));
        producer.seen_ms = now_ms;
        self.pending.push_back((index, batch.id));
    }

    /// Moves the effects of entries up to `index`, inclusive, into the committed layer.
    pub fn commit(&mut self, index: Index) {
        while let Some(&(first, id)) = self.pending.front() {
            if first > index {
                break;
            }
            self.pending.pop_front();
            let producer = self.known.get_mut(&id).expect("a pending batch has its producer");
            let (noted, batch) = producer.pending.pop_front().expect("pending batches are listed twice");
            assert!(noted == first, "both lists run in index order");
            if producer.committed.back().is_some_and(|b| b.epoch != batch.epoch) {
                producer.committed.clear();
            }
            if producer.committed.len() == BATCHES_MAX {
                producer.committed.pop_front();
            }
            producer.committed.push_back(batch);
        }
        self.committed = self.committed.max(index);
        if self.known.len() > PRODUCERS_MAX {
            self.forget_oldest();
        }
    }

    /// Drops the effects of entries from `from` on, which were truncated.
    pub fn truncate(&mut self, from: Index) {
        assert!(from > self.committed, "committed entries are never truncated");
        while let Some(&(index, id)) = self.pending.back() {
            if index < from {
                break;
            }
            self.pending.pop_back();
            let producer = self.known.get_mut(&id).expect("a pending batch has its producer");
            producer.pending.pop_back();
            if producer.pending.is_empty() && producer.committed.is_empty() {
                self.known.remove(&id);
            }
        }
    }

    /// Forgets producers that were silent for longer than `expiration_ms`.
    pub fn expire(&mut self, now_ms: u64, expiration_ms: u64) {
        self.known.retain(|_, p| !p.pending.is_empty() || now_ms.saturating_sub(p.seen_ms) <= expiration_ms);
    }

    /// The producers with committed batches, by id.
    pub fn active(&self) -> impl Iterator<Item = ActiveProducer> {
        self.known.iter().filter_map(|(&id, p)| {
            let newest = p.committed.back()?;
            Some(ActiveProducer {
                id,
                epoch: newest.epoch,
                last_sequence: newest.last_sequence,
                last_timestamp: newest.at,
            })
        })
    }

    /// Last index whose effect the committed layer holds.
    pub fn committed_index(&self) -> Index {
        self.committed
    }

    /// The committed layer as bytes: version, index, then each batch (docs/formats/producers.md).
    pub fn snapshot(&self) -> Vec<u8> {
        let batches: usize = self.known.values().map(|p| p.committed.len()).sum();
        let mut out = Vec::with_capacity(9 + batches * SNAPSHOT_BATCH_BYTES);
        out.push(SNAPSHOT_VERSION);
        out.extend(self.committed.0.to_le_bytes());
        for (id, producer) in &self.known {
            for b in &producer.committed {
                out.extend(id.0.to_le_bytes());
                out.extend(b.epoch.0.to_le_bytes());
                out.extend(b.first_sequence.to_le_bytes());
                out.extend(b.last_sequence.to_le_bytes());
                out.extend(b.base_offset.0.to_le_bytes());
                out.extend(b.at.0.to_le_bytes());
            }
        }
        out
    }

    /// Reads a snapshot; `None` when it isn't one. The silence of its producers counts from `now_ms`, monotonic.
    pub fn restore(bytes: &[u8], now_ms: u64) -> Option<Producers> {
        let (&version, rest) = bytes.split_first()?;
        let (index, rest) = rest.split_first_chunk::<8>()?;
        if version != SNAPSHOT_VERSION || rest.len() % SNAPSHOT_BATCH_BYTES != 0 {
            return None;
        }
        let mut producers = Producers { committed: Index(u64::from_le_bytes(*index)), ..Producers::default() };
        for row in rest.chunks_exact(SNAPSHOT_BATCH_BYTES) {
            let (id, row) = row.split_first_chunk()?;
            let (epoch, row) = row.split_first_chunk()?;
            let (first, row) = row.split_first_chunk()?;
            let (last, row) = row.split_first_chunk()?;
            let (base, row) = row.split_first_chunk()?;
            let (at, _) = row.split_first_chunk()?;
            let batch = Batch {
                epoch: ProducerEpoch(i16::from_le_bytes(*epoch)),
                first_sequence: i32::from_le_bytes(*first),
                last_sequence: i32::from_le_bytes(*last),
                base_offset: Offset(i64::from_le_bytes(*base)),
                at: Timestamp(i64::from_le_bytes(*at)),
            };
            let producer = producers.known.entry(ProducerId(i64::from_le_bytes(*id))).or_default();
            if producer.committed.len() == BATCHES_MAX {
                return None;
            }
            producer.committed.push_back(batch);
            producer.seen_ms = now_ms;
        }
        Some(producers)
    }

    fn forget_oldest(&mut self) {
        let oldest = self
            .known
            .iter()
            .filter(|(_, p)| p.pending.is_empty())
            .min_by_key(|(id, p)| (p.seen_ms, **id))
            .map(|(id, _)| *id);
        if let Some(id) = oldest {
            self.known.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    fn batch(epoch: i16, first: i32, count: i32) -> ProducerBatch {
        ProducerBatch { id: ProducerId(7), epoch: ProducerEpoch(epoch), first_sequence: first, last_delta: count - 1 }
    }

    /// Appends batches at index and offset 1, 2, …, commits the first `committed` of them, then checks one more.
    fn check(appended: &[ProducerBatch], committed: u64, next: ProducerBatch, expect: Result<Check, ProducerError>) {
        let mut producers = Producers::default();
        for (i, b) in (1..).zip(appended) {
            assert_eq!(producers.check(b, 0, DAY), Ok(Check::New), "{b:?}");
            producers.append(Index(i), b, Offset(i as i64), Timestamp(0), 0);
        }
        producers.commit(Index(committed));
        assert_eq!(producers.check(&next, 0, DAY), expect);
        let restored = Producers::restore(&producers.snapshot(), 0).unwrap();
        producers.truncate(Index(committed + 1));
        assert_eq!(restored, producers, "a snapshot holds the committed layer");
    }

    fn duplicate(offset: i64, pending: Option<u64>) -> Result<Check, ProducerError> {
        Ok(Check::Duplicate { base_offset: Offset(offset), at: Timestamp(0), pending: pending.map(Index) })
    }

    fn gap(last: i32, got: i32) -> Result<Check, ProducerError> {
        Err(ProducerError::OutOfOrder { id: ProducerId(7), last, got })
    }

    #[test]
    fn sequences_follow_one_another_and_wrap_to_zero() {
        check(&[], 0, batch(0, 3, 1), Ok(Check::New));
        check(&[batch(0, 0, 2)], 1, batch(0, 2, 5), Ok(Check::New));
        check(&[batch(0, 0, 2)], 0, batch(0, 3, 1), gap(1, 3));
        check(&[batch(0, i32::MAX, 1)], 1, batch(0, 0, 1), Ok(Check::New));
        check(&[batch(0, i32::MAX - 1, 4)], 1, batch(0, 2, 1), Ok(Check::New));
    }

    #[test]
    fn a_repeated_batch_gets_its_old_offset() {
        check(&[batch(0, 0, 2), batch(0, 2, 3)], 1, batch(0, 0, 2), duplicate(1, None));
        check(&[batch(0, 0, 2), batch(0, 2, 3)], 1, batch(0, 2, 3), duplicate(2, Some(2)));
        check(&[batch(0, 0, 2), batch(0, 2, 3)], 1, batch(0, 2, 2), gap(4, 2));
    }

    #[test]
    fn five_batches_are_remembered_and_an_older_one_is_out_of_order() {
        let six: Vec<_> = (0..6).map(|i| batch(0, i, 1)).collect();
        check(&six, 6, batch(0, 1, 1), duplicate(2, None));
        check(&six, 6, batch(0, 0, 1), gap(5, 0));
    }

    #[test]
    fn a_new_epoch_starts_at_zero_and_fences_the_old_one() {
        check(&[batch(1, 0, 1)], 1, batch(2, 0, 1), Ok(Check::New));
        check(&[batch(1, 0, 1)], 1, batch(2, 1, 1), gap(-1, 1));
        let old = ProducerError::InvalidEpoch { id: ProducerId(7), current: ProducerEpoch(1), got: ProducerEpoch(0) };
        check(&[batch(1, 0, 1)], 0, batch(0, 1, 1), Err(old));
    }

    #[test]
    fn a_silent_producer_expires() {
        let mut producers = Producers::default();
        producers.append(Index(1), &batch(0, 0, 1), Offset(0), Timestamp(0), 0);
        producers.commit(Index(1));
        assert!(producers.check(&batch(0, 9, 1), DAY, DAY).is_err());
        assert_eq!(producers.check(&batch(0, 9, 1), DAY + 1, DAY), Ok(Check::New));
        producers.expire(DAY + 1, DAY);
        assert_eq!(producers.active().count(), 0);
    }

    #[test]
    fn a_snapshot_that_is_cut_or_of_another_version_is_refused() {
        let mut producers = Producers::default();
        producers.append(Index(1), &batch(0, 0, 1), Offset(0), Timestamp(0), 0);
        producers.commit(Index(1));
        let bytes = producers.snapshot();
        assert!(Producers::restore(&bytes[..bytes.len() - 1], 0).is_none());
        assert!(Producers::restore(&[&[9], &bytes[1..]].concat(), 0).is_none());
        assert!(Producers::restore(&[], 0).is_none());
    }
}
