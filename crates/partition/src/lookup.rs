//! Questions about positions: by time, by epoch, by special name; and the two ways in which a log's start moves.

use ouzel_log::ReadLimit;
use ouzel_model::{LeaderEpoch, Offset, Term, Timestamp};
use ouzel_records::{Batch, Codec, Limits};

use crate::append::AppendError;
use crate::partition::{Lost, Partition, Unavailable};
use crate::producers::ActiveProducer;
use crate::retention::{self, Candidate};

/// Bytes a compressed batch may unfold to when it is searched by time.
const SEARCH_BYTES_MAX: usize = 64 << 20;

/// Which offset `ListOffsets` asks for. Source: KIP-79, KIP-405, KIP-734.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The log start (-2), also the local one (-4): nothing lies elsewhere.
    Earliest,
    /// The high watermark (-1).
    Latest,
    /// The record with the largest timestamp (-3).
    MaxTimestamp,
    /// The first record at or after this time.
    At(Timestamp),
}

/// A position found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The offset.
    pub offset: Offset,
    /// Timestamp of the record there, where one was looked for.
    pub timestamp: Option<Timestamp>,
    /// Epoch of the entry there, if there is one.
    pub leader_epoch: Option<LeaderEpoch>,
}

/// Why a question isn't answered.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// Not the leader.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The batch that holds the answer is unreadable.
    #[error(transparent)]
    Log(#[from] ouzel_log::ReadError),
}

/// Why a log start didn't move.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// Not taken.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// Taken, its outcome unknown.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// Above the high watermark, or negative.
    #[error("offset {asked} is outside [0, {high_watermark}]")]
    OutOfRange {
        /// As asked.
        asked: Offset,
        /// The largest that can be.
        high_watermark: Offset,
    },
}

impl Partition {
    /// Finds an offset; `None` when no record is that new.
    pub async fn lookup(&self, spec: OffsetSpec) -> Result<Option<Found>, LookupError> {
        if !self.serves() {
            return Err(Unavailable.into());
        }
        let end = self.high_watermark();
        let plain = |offset| Found { offset, timestamp: None, leader_epoch: self.epoch_at(offset) };
        match spec {
            OffsetSpec::Earliest => Ok(Some(plain(self.log.log_start()))),
            OffsetSpec::Latest => Ok(Some(plain(end))),
            OffsetSpec::MaxTimestamp => match self.log.max_timestamp(end).await? {
                Some(newest) => self.search(newest.max_timestamp, end).await,
                None => Ok(None),
            },
            OffsetSpec::At(time) => self.search(time, end).await,
        }
    }

    /// First record below `end` at or after `time`, record-exact.
    async fn search(&self, time: Timestamp, end: Offset) -> Result<Option<Found>, LookupError> {
        let Some(hit) = self.log.offset_for_time(time, end).await? else { return Ok(None) };
        let limit = ReadLimit { max_bytes: 0, end, at_least_one: true };
        // The batch may hold such a record below the log start only; then one of the next batches has the first.
        let mut next = hit.base_offset.max(self.log.log_start());
        while next < end {
            let read = self.log.read(next, limit).await?;
            let Some(bytes) = read.slices.first() else { return Ok(None) };
            let Ok((batch, _)) = Batch::split_first(bytes) else { return Ok(None) };
            let leader_epoch = Some(batch.leader_epoch());
            match first_record_at(&batch, time, self.log.log_start()) {
                Ok(Some((offset, timestamp))) => {
                    return Ok(Some(Found { offset, timestamp: Some(timestamp), leader_epoch }));
                }
                Ok(None) => next = batch.next_offset(),
                // A batch that can't be opened is answered as a whole.
                Err(()) if batch.max_timestamp() >= time => {
                    let offset = batch.base_offset().max(self.log.log_start());
                    return Ok(Some(Found { offset, timestamp: Some(batch.max_timestamp()), leader_epoch }));
                }
                Err(()) => next = batch.next_offset(),
            }
        }
        Ok(None)
    }

    /// Largest epoch that has records and isn't above `asked`, and where it ends (exclusive). For the current epoch always the
    /// high watermark. `None` when all epochs are newer. Source: KIP-101, KIP-320.
    pub fn epoch_end(&self, asked: LeaderEpoch) -> Result<Option<(LeaderEpoch, Offset)>, Unavailable> {
        if !self.serves() {
            return Err(Unavailable);
        }
        let current = self.leader_epoch();
        if asked == current {
            return Ok(Some((current, self.high_watermark())));
        }
        let Ok(asked) = u32::try_from(asked.0) else { return Ok(None) };
        let table = self.log.term_table();
        // A term without a batch leaves no row in the view of clients: rows that begin at the same offset as the next are empty.
        let mut rows = table.iter().map(|r| (r.term, r.offset)).chain([(Term::MAX, self.high_watermark())]).peekable();
        let mut found = None;
        while let Some((term, first)) = rows.next() {
            let Some(&(_, end)) = rows.peek() else { break };
            if term.0 <= asked && end > first {
                found = Some((term.leader_epoch(), end));
            }
        }
        Ok(found)
    }

    /// The idempotent producers with committed batches, by id.
    pub fn producers(&self) -> Result<Vec<ActiveProducer>, Unavailable> {
        let state = self.state.borrow();
        if !state.serves() {
            return Err(Unavailable);
        }
        Ok(state.producers.active().collect())
    }

    fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let table = self.log.term_table();
        let row = table.iter().rev().find(|row| row.offset <= offset)?;
        Some(row.term.leader_epoch())
    }

    /// Moves the log start up to `offset`, the high watermark if `None`; returns the log start once that is committed. It never moves
    /// back: a lower offset than the present start changes nothing.
    pub async fn delete_records(&self, offset: Option<Offset>) -> Result<Offset, DeleteError> {
        let committed = {
            let mut state = self.state.borrow_mut();
            if !state.serves() {
                return Err(AppendError::from(Unavailable).into());
            }
            let high_watermark = state.high_watermark;
            let asked = offset.unwrap_or(high_watermark);
            if asked.0 < 0 || asked > high_watermark {
                return Err(DeleteError::OutOfRange { asked, high_watermark });
            }
            if asked <= self.log.log_start() {
                return Ok(self.log.log_start());
            }
            self.propose_log_start(&mut state, asked).map_err(AppendError::from)?
        };
        committed.await.map_err(|_| Lost)?;
        Ok(self.log.log_start())
    }

    /// One round of retention; returns the new log start if it moves.
    pub async fn retain(&self, now: Timestamp) -> Result<Option<Offset>, DeleteError> {
        let config = self.config();
        {
            let state = &mut *self.state.borrow_mut();
            state.producers.expire(crate::partition::millis(&self.rt), state.producer_expiration_ms);
        }
        if !config.cleanup_policy.delete || !self.serves() {
            return Ok(None);
        }
        let limits = retention::Limits {
            millis: config.retention_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)),
            bytes: config.retention_bytes,
        };
        let candidates: Vec<Candidate> = self
            .log
            .segments()
            .iter()
            // One without records has nothing to let go.
            .filter(|s| s.end_offset > s.base_offset)
            .map(|s| Candidate {
                end_offset: s.end_offset,
                bytes: s.bytes,
                max_timestamp: s.max_timestamp,
                append_time_max: Some(s.append_time_max),
            })
            .collect();
        let Some(start) = retention::plan(&candidates, limits, now) else { return Ok(None) };
        if self.log.segments().iter().any(|s| !s.sealed && s.base_offset < s.end_offset && s.end_offset <= start) {
            // An open segment can't be freed; once it is sealed the next round does.
            self.log.seal_active();
        }
        if start <= self.log.log_start() {
            // Freed now, if its segments were sealed since.
            self.log.set_log_start(self.log.log_start());
            return Ok(None);
        }
        let start = start.min(self.high_watermark());
        self.delete_records(Some(start)).await.map(Some)
    }
}

/// First record of a batch at or after `time` and not below `start`. The error: it can't be opened.
fn first_record_at(batch: &Batch<'_>, time: Timestamp, start: Offset) -> Result<Option<(Offset, Timestamp)>, ()> {
    let mut unfolded = Vec::new();
    let bytes = match batch.attributes().codec().ok_or(())? {
        Codec::None => batch.records(),
        codec => {
            let limits = Limits { output_max: SEARCH_BYTES_MAX, ..Limits::default() };
            ouzel_records::decompress(codec, batch.records(), limits, &mut unfolded).map_err(|_| ())?;
            &unfolded
        }
    };
    for record in ouzel_records::records(batch, bytes) {
        let record = record.map_err(|_| ())?;
        if record.timestamp >= time && record.offset >= start {
            return Ok(Some((record.offset, record.timestamp)));
        }
    }
    Ok(None)
}
