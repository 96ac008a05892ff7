//! Appending: a client's batch is judged once, stamped, and handed to log and group in one turn.

use bytes::Bytes;
use ouzel_log::{AppendMode, AppendRefused, Kind, NewEntry};
use ouzel_model::config::{CompressionType, TimestampType, TopicConfig};
use ouzel_model::{Offset, Timestamp, reached};
use ouzel_raft::{Input, Role};
use ouzel_records::check::{Zstd, admit, one_batch, walk};
use ouzel_records::{Admitted, Batch, Codec, HEADER_BYTES, Refusal, Rules};
use ouzel_runtime::sync::oneshot;
use smallvec::{SmallVec, smallvec};

use crate::control::Control;
use crate::partition::{Effect, Lost, Partition, State, Unavailable, Uncommitted, millis};
use crate::producers::{Check, ProducerBatch, ProducerError};

/// Who appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A client, by Produce.
    Client,
    /// This broker's own coordinators, to internal topics.
    Coordinator,
}

/// An append that was taken.
pub struct Appended {
    /// Offset of the batch's first record.
    pub base_offset: Offset,
    /// The broker's stamp under LogAppendTime; for a duplicate, when its first copy came.
    pub append_time: Option<Timestamp>,
    /// The partition's log start.
    pub log_start: Offset,
    committed: Option<oneshot::Receiver<()>>,
}

impl Appended {
    /// Waits until the batch is committed: durable and visible. Cancel-safe; the batch is in the log either way.
    pub async fn committed(self) -> Result<(), Lost> {
        match self.committed {
            None => Ok(()),
            Some(receiver) => receiver.await.map_err(|_| Lost),
        }
    }
}

/// Why a batch isn't appended. All of these are definite: nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Not the leader.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Only coordinators write internal topics.
    #[error("{0} is internal: only the broker writes it")]
    Internal(ouzel_model::TopicName),
    /// The bytes aren't one good batch, or break the topic's rules.
    #[error(transparent)]
    Batch(#[from] Refusal),
    /// What a compressed batch holds can't be read, and the topic's settings ask for it.
    #[error("the batch can't be decompressed: {0}")]
    Decompress(#[from] ouzel_records::DecompressError),
    /// Over `segment.bytes`.
    #[error("the batch has {got} bytes and doesn't fit a segment of {max}")]
    OverSegment {
        /// Size of the batch.
        got: usize,
        /// The limit.
        max: u64,
    },
    /// Transactions aren't offered.
    #[error("this broker doesn't serve transactions yet")]
    Transactional,
    /// More replicas are asked for than there are.
    #[error("min.insync.replicas of {topic} is {wanted}, the partition has 1 replica")]
    NotEnoughReplicas {
        /// The topic.
        topic: ouzel_model::TopicName,
        /// The setting.
        wanted: u32,
    },
    /// Out of the producer's order.
    #[error(transparent)]
    Producer(#[from] ProducerError),
    /// No room on disk, or in the journal.
    #[error(transparent)]
    Refused(#[from] AppendRefused),
}

impl Partition {
    /// Appends one record batch as it came from a client (`acks_all` asks for `min.insync.replicas`). Returns at once; the batch is
    /// acknowledged by [`Appended::committed`]. Batches are taken in the order of the calls.
    pub fn append(&self, bytes: Bytes, zstd: Zstd, source: Source, acks_all: bool) -> Result<Appended, AppendError> {
        let mut state = self.state.borrow_mut();
        let config = state.config.clone();
        let batch = one_batch(&bytes, zstd)?;
        if source == Source::Client && self.topic().is_internal() {
            return Err(AppendError::Internal(self.topic().clone()));
        }
        if !state.serves() {
            return Err(Unavailable.into());
        }
        if acks_all && config.min_insync_replicas > 1 && source == Source::Client {
            return Err(AppendError::NotEnoughReplicas {
                topic: self.topic().clone(),
                wanted: config.min_insync_replicas,
            });
        }
        let now = self.rt.wall_clock();
        let mut rules = rules(&config, now);
        if source == Source::Coordinator {
            // It bounds its batches itself; a setting that is meant for clients must not stop it.
            rules.batch_bytes_max = usize::MAX;
        }
        let admitted = admit(&batch, &rules)?;
        if batch.attributes().is_transactional() {
            return Err(AppendError::Transactional);
        }
        let payload = store_as(&bytes, &batch, &admitted, &config, &rules)?;
        let size: usize = payload.iter().map(Bytes::len).sum();
        if size as u64 > config.segment_bytes {
            return Err(AppendError::OverSegment { got: size, max: config.segment_bytes });
        }
        let producer = ProducerBatch::of(&batch);
        if let Some(producer) = &producer
            && let Check::Duplicate { base_offset, at, pending } =
                state.producers.check(producer, millis(&self.rt), state.producer_expiration_ms)?
        {
            let committed = pending.and_then(|index| {
                let entry = state.uncommitted.iter_mut().find(|e| e.index == index)?;
                let (sender, receiver) = oneshot::oneshot();
                entry.waiters.push(sender);
                Some(receiver)
            });
            return Ok(Appended { base_offset, append_time: Some(at), log_start: self.log.log_start(), committed });
        }
        let base_offset = self.log.log_end();
        let last_offset = Offset(base_offset.0 + i64::from(batch.last_offset_delta()));
        let new = |index, term| NewEntry {
            index,
            term,
            kind: Kind::Batch,
            base_offset,
            last_offset,
            payload,
            max_timestamp: admitted.max_timestamp,
        };
        let noted = producer.as_ref().map(|p| (p, now));
        let committed = self.propose(&mut state, new, Effect::Batch(last_offset.next()), noted)?;
        let append_time = (config.timestamp_type == TimestampType::LogAppendTime).then_some(now);
        Ok(Appended { base_offset, append_time, log_start: self.log.log_start(), committed: Some(committed) })
    }

    /// Moves the log start to `offset`; committed when the receiver fires. `offset` was checked by the caller.
    pub(crate) fn propose_log_start(
        &self,
        state: &mut State,
        offset: Offset,
    ) -> Result<oneshot::Receiver<()>, AppendRefused> {
        let control = Control::LogStart(offset);
        let base_offset = self.log.log_end();
        let payload = Bytes::from(control.encode());
        self.propose(
            state,
            |index, term| crate::partition::entry(index, term, Kind::Control, base_offset, payload),
            Effect::Control(control),
            None,
        )
    }

    /// Hands an entry to the log and to the group. The log comes first: it may refuse, and then nothing has happened.
    fn propose(
        &self,
        state: &mut State,
        entry: impl FnOnce(ouzel_model::Index, ouzel_model::Term) -> NewEntry,
        effect: Effect,
        producer: Option<(&ProducerBatch, Timestamp)>,
    ) -> Result<oneshot::Receiver<()>, AppendRefused> {
        let Role::Leader { term, .. } = state.role else { unreachable!("only a serving leader proposes") };
        let index = self.log.last_index().next();
        let entry = entry(index, term);
        let (bytes, base_offset) = (entry.payload.iter().map(Bytes::len).sum::<usize>(), entry.base_offset);
        let mode = if state.config.write_caching { AppendMode::Cached } else { AppendMode::Synced };
        state.proposed = Some(self.log.append(vec![entry], mode)?);
        let (sender, receiver) = oneshot::oneshot();
        let waiters: SmallVec<[_; 1]> = smallvec![sender];
        state.uncommitted.push_back(Uncommitted { index, effect, waiters });
        if let Some((producer, now)) = producer {
            state.producers.append(index, producer, base_offset, now, millis(&self.rt));
        }
        reached!("partition: an entry is proposed");
        self.step(state, Input::Propose { first: index, term, bytes: &[bytes as u32] });
        Ok(receiver)
    }
}

impl ProducerBatch {
    /// The producer's part of a header; `None` for a plain batch.
    pub(crate) fn of(batch: &Batch<'_>) -> Option<ProducerBatch> {
        let producer = batch.producer()?;
        Some(ProducerBatch {
            id: producer.id,
            epoch: producer.epoch,
            first_sequence: producer.base_sequence,
            last_delta: batch.last_offset_delta(),
        })
    }
}

fn rules(config: &TopicConfig, now: Timestamp) -> Rules {
    let millis = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    Rules {
        timestamp_type: match config.timestamp_type {
            TimestampType::CreateTime => ouzel_records::TimestampType::CreateTime,
            TimestampType::LogAppendTime => ouzel_records::TimestampType::LogAppendTime,
        },
        before_max_ms: millis(config.timestamp_before_max_ms),
        after_max_ms: millis(config.timestamp_after_max_ms),
        keys_required: config.cleanup_policy.compact,
        batch_bytes_max: config.max_message_bytes as usize,
        ..Rules::at(now)
    }
}

/// The bytes that go into the log: as they came, unless the topic asks for another codec or time stands in the header.
fn store_as(
    bytes: &Bytes,
    batch: &Batch<'_>,
    admitted: &Admitted,
    config: &TopicConfig,
    rules: &Rules,
) -> Result<SmallVec<[Bytes; 1]>, AppendError> {
    let own = batch.attributes().codec().unwrap_or(Codec::None);
    let wanted = match config.compression_type {
        CompressionType::Producer => own,
        CompressionType::Uncompressed => Codec::None,
        CompressionType::Gzip => Codec::Gzip,
        CompressionType::Snappy => Codec::Snappy,
        CompressionType::Lz4 => Codec::Lz4,
        CompressionType::Zstd => Codec::Zstd,
    };
    if wanted != own {
        reached!("partition: a batch is recompressed");
        let mut records = Vec::new();
        let recompressed = ouzel_records::recompress(batch, wanted, None, rules.inflate, &mut records)?;
        if own != Codec::None {
            walk(batch, &records, rules)?;
        }
        let (batch, _) = Batch::split_first(&recompressed).expect("just built");
        let head = batch.restamped(rules.timestamp_type, admitted.max_timestamp);
        return Ok(smallvec![Bytes::from([&head, &recompressed[HEADER_BYTES..]].concat())]);
    }
    if admitted.open {
        let mut records = Vec::new();
        ouzel_records::decompress(own, batch.records(), rules.inflate, &mut records)?;
        walk(batch, &records, rules)?;
    }
    if admitted.restamp {
        reached!("partition: a batch is restamped");
        let head = batch.restamped(rules.timestamp_type, admitted.max_timestamp);
        return Ok(smallvec![Bytes::copy_from_slice(&head), bytes.slice(HEADER_BYTES..)]);
    }
    Ok(smallvec![bytes.clone()])
}
