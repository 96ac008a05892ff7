//! Reading: whole batches below the high watermark, as slices of what lies in memory or on disk.

use std::rc::Rc;

use bytes::Bytes;
use ouzel_log::ReadLimit;
use ouzel_model::Offset;
use ouzel_runtime::sync::Notify;

use crate::partition::{Partition, Unavailable};

/// What a read brought.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Whole batches, one slice per contiguous run; the first may begin before the offset asked for.
    pub slices: Vec<Bytes>,
    /// Their size, bytes.
    pub bytes: usize,
    /// End of what readers may see, exclusive.
    pub high_watermark: Offset,
    /// End of what read_committed readers may see; without transactions the high watermark.
    pub last_stable_offset: Offset,
    /// First offset there is.
    pub log_start: Offset,
}

/// Why a read brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not the leader.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The offset lies outside what is there.
    #[error("offset {asked} is outside [{log_start}, {high_watermark}]")]
    OutOfRange {
        /// As asked.
        asked: Offset,
        /// First offset there is.
        log_start: Offset,
        /// End of what readers may see.
        high_watermark: Offset,
    },
    /// The bytes on disk are damaged or unreadable.
    #[error(transparent)]
    Log(#[from] ouzel_log::ReadError),
}

impl Partition {
    /// Reads from `offset` on, at most `bytes_max` bytes, but a first batch whatever its size if `at_least_one`. Empty when `offset` is
    /// the high watermark. Cancel-safe.
    pub async fn read(&self, offset: Offset, bytes_max: usize, at_least_one: bool) -> Result<Fetched, ReadError> {
        let high_watermark = {
            let state = self.state.borrow();
            if !state.serves() {
                return Err(Unavailable.into());
            }
            state.high_watermark
        };
        let log_start = self.log.log_start();
        if offset < log_start || offset > high_watermark {
            return Err(ReadError::OutOfRange { asked: offset, log_start, high_watermark });
        }
        let mut fetched =
            Fetched { slices: Vec::new(), bytes: 0, high_watermark, last_stable_offset: high_watermark, log_start };
        if offset == high_watermark || (bytes_max == 0 && !at_least_one) {
            return Ok(fetched);
        }
        let limit = ReadLimit { max_bytes: bytes_max, end: high_watermark, at_least_one };
        let read = match self.log.read(offset, limit).await {
            // The log was trimmed past the offset while the read waited for the disk.
            Err(ouzel_log::ReadError::OutOfRange { start: log_start, .. }) => {
                return Err(ReadError::OutOfRange { asked: offset, log_start, high_watermark });
            }
            read => read?,
        };
        fetched.bytes = read.bytes;
        fetched.slices = read.slices;
        Ok(fetched)
    }

    /// Has `notify` woken at each change, until the guard is dropped. One notifier may watch many partitions.
    pub fn watch(self: &Rc<Self>, notify: &Notify) -> Watch {
        Watch { key: self.watchers.borrow_mut().insert(notify.clone()), partition: self.clone() }
    }

    /// Whether a reader at `offset` has something to learn: records, or an error.
    pub fn is_readable(&self, offset: Offset) -> bool {
        let state = self.state.borrow();
        !state.serves() || state.high_watermark != offset
    }
}

/// Ends a watch when it is dropped.
pub struct Watch {
    partition: Rc<Partition>,
    key: usize,
}

impl Watch {
    /// What is watched.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.partition.watchers.borrow_mut().remove(self.key);
    }
}
