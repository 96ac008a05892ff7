//! The memory of all tails together: who may have a chunk, and whose goes first.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use ouzel_model::{planted, reached};

use crate::block::LogNumber;
use crate::cache::Tail;
use crate::log::{AppendRefused, Inner, Shared};
use crate::store::Core;

/// Chunks of a log are this large to begin with, and double from one to the next.
const CHUNK_BYTES_MIN: u64 = 4 << 10;
/// Largest chunk, unless one entry is larger.
const CHUNK_BYTES_MAX: u64 = 1 << 20;
/// Chunks looked at for eviction when one is made: an append doesn't wait for a long search.
const LOOKS_MAX: usize = 64;

/// Accounts of a shard's chunks.
#[derive(Default)]
pub(crate) struct Memory {
    bytes: Cell<u64>,
    /// Bytes that the shard took over at its start: more than it may hold, if there were more shards before.
    taken_over: Cell<u64>,
    chunks: Cell<usize>,
    /// The chunks' logs in the order they were made; some may be gone.
    order: RefCell<VecDeque<LogNumber>>,
}

impl Memory {
    /// Bytes of all chunks.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Books chunks that a tail came with.
    pub(crate) fn adopt(&self, log: LogNumber, tail: &Tail) {
        self.bytes.set(self.bytes.get() + tail.chunk_bytes());
        self.taken_over.set(self.taken_over.get() + tail.chunk_bytes());
        self.chunks.set(self.chunks.get() + tail.chunk_count());
        self.order.borrow_mut().extend(std::iter::repeat_n(log, tail.chunk_count()));
    }

    /// Books that a tail goes with all its chunks.
    pub(crate) fn release(&self, tail: &Tail) {
        self.bytes.set(self.bytes.get() - tail.chunk_bytes());
        self.chunks.set(self.chunks.get() - tail.chunk_count());
    }

    fn evicted(&self, bytes: u64) {
        self.bytes.set(self.bytes.get() - bytes);
        self.chunks.set(self.chunks.get() - 1);
    }

    /// Logs with chunks, the oldest chunk's first; a log may come more than once.
    pub(crate) fn oldest_first(&self) -> Vec<LogNumber> {
        self.order.borrow().iter().copied().collect()
    }

    /// Forgets the places of chunks that are gone, when they are many.
    pub(crate) fn tidy(&self, logs: &BTreeMap<LogNumber, Rc<Shared>>) {
        let mut order = self.order.borrow_mut();
        if order.len() <= 2 * self.chunks.get() + LOOKS_MAX {
            return;
        }
        let mut left: BTreeMap<LogNumber, usize> =
            logs.iter().map(|(number, log)| (*number, log.inner.borrow().tail.chunk_count())).collect();
        let mut kept: VecDeque<LogNumber> = VecDeque::new();
        // A log's newest chunks are the ones that are left.
        for number in order.iter().rev() {
            if let Some(count) = left.get_mut(number).filter(|count| **count > 0) {
                *count -= 1;
                kept.push_front(*number);
            }
        }
        *order = kept;
    }
}

impl Core {
    pub(crate) fn admit_memory(&self) -> Result<(), AppendRefused> {
        // What a start took over must not keep it from its own first entries.
        let (bytes, max) = (self.memory.bytes(), 2 * self.config.chunk_bytes_max.max(self.memory.taken_over.get()));
        if bytes > max {
            reached!("append refused for memory");
            self.writeback.wanted.notify_one();
            return Err(AppendRefused::Busy { bytes, max });
        }
        Ok(())
    }

    /// Makes room for a payload in the log's newest chunk. Evicts the oldest chunks whose entries stand in segments.
    pub(crate) fn make_room(&self, log: &Rc<Shared>, inner: &mut Inner, len: usize) {
        if len == 0 || inner.tail.room() >= len {
            return;
        }
        let size = self.chunk_size(inner).max(len);
        self.evict_chunks(size as u64, log.number, inner);
        let chunk = self.rt.buffers().chunk(size);
        if self.memory.bytes() == 0 {
            // Write-back looks at memory only while some is held.
            self.writeback.wanted.notify_one();
        }
        self.memory.bytes.set(self.memory.bytes.get() + chunk.capacity() as u64);
        self.memory.chunks.set(self.memory.chunks.get() + 1);
        self.memory.order.borrow_mut().push_back(log.number);
        inner.tail.add_chunk(chunk);
    }

    /// Small for a log's first chunk, doubling up to a chunk's share of the memory.
    fn chunk_size(&self, inner: &Inner) -> usize {
        let share = self.config.chunk_bytes_max / self.memory.chunks.get().max(1) as u64;
        let begun = CHUNK_BYTES_MIN << inner.tail.chunk_count().min(8);
        begun.min(share.clamp(CHUNK_BYTES_MIN, CHUNK_BYTES_MAX)).next_power_of_two() as usize
    }

    /// Evicts written-back chunks, oldest first, until `more` bytes fit. The state of log `number` is borrowed: `held`.
    fn evict_chunks(&self, more: u64, number: LogNumber, held: &mut Inner) {
        let max = self.config.chunk_bytes_max;
        let mut order = self.memory.order.borrow_mut();
        let logs = self.logs.borrow();
        // What can't go now goes to the end of the line.
        for _ in 0..order.len().min(LOOKS_MAX) {
            if self.memory.bytes() + more <= max {
                return;
            }
            let Some(oldest) = order.pop_front() else { return };
            let stays = if oldest == number {
                self.evict_oldest(held)
            } else {
                logs.get(&oldest).is_some_and(|log| self.evict_oldest(&mut log.inner.borrow_mut()))
            };
            if stays {
                order.push_back(oldest);
            }
        }
        if self.memory.bytes() + more > max {
            self.writeback.wanted.notify_one();
        }
    }

    /// Evicts a log's oldest chunk if its entries stand in segments; whether there is one that must stay.
    fn evict_oldest(&self, inner: &mut Inner) -> bool {
        let written = planted!("D5", inner.journaled, inner.written());
        match inner.tail.evict_front(written) {
            Some(bytes) => {
                self.memory.evicted(bytes);
                false
            }
            None => inner.tail.chunk_count() > 0,
        }
    }

    /// Evicts all chunks of a log whose entries stand in segments, but the newest (`newest_too`: that as well).
    pub(crate) fn evict_log(&self, log: &Shared, newest_too: bool) {
        let mut inner = log.inner.borrow_mut();
        let written = inner.written();
        while inner.tail.chunk_count() > usize::from(!newest_too) {
            let Some(bytes) = inner.tail.evict_front(written) else { return };
            self.memory.evicted(bytes);
        }
    }
}
