//! Memory for I/O: aligned buffers that are recycled per core, and chunks that grow while others read them.
//!
//! This module may use unsafe code. Every block starts at a multiple of [`ALIGN`], because misaligned copies measured 2 to 50
//! times slower on common CPUs and because direct I/O demands it.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::mm::Advice;

/// Alignment of every block, and the unit of every capacity, bytes.
pub const ALIGN: usize = 4096;

/// The largest buffer that is kept for reuse, bytes.
const KEPT_BUFFER_MAX: usize = 2 << 20;
/// Bytes kept for reuse in each size class; 10 classes from 4 KiB to 2 MiB, so at most 40 MiB a core, and only what was used.
const KEPT_CLASS_BYTES_MAX: usize = 4 << 20;

/// Blocks from this size on are cut from [`HUGE`] regions: a direct write of many 4 KiB pages costs one scatter entry each
/// (128 KiB from 4 KiB pages measured 494 us, from a huge page 274 us).
const CUT_MIN: usize = 128 << 10;
/// Size and alignment of a huge page, bytes.
const HUGE: usize = 2 << 20;

/// Memory from the allocator, zero-initialised. The pointer is the only one to it.
struct Region {
    start: NonNull<u8>,
    layout: Layout,
}

impl Region {
    /// `len` bytes, not 0; from huge pages where they fill at least one.
    fn new(len: usize) -> Region {
        let align = if len >= HUGE { HUGE } else { ALIGN };
        let layout = Layout::from_size_align(len, align).expect("a region fits the address space");
        assert!(len > 0, "empty region");
        // SAFETY: the layout's size is not zero.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        if len >= HUGE {
            // SAFETY: the range was just allocated; the advice changes which pages back it, not its content. Asked before the
            // first touch. Refused where huge pages are off, which costs speed only.
            let _ = unsafe { rustix::mm::madvise(start.as_ptr().cast(), len, Advice::LinuxHugepage) };
        }
        // SAFETY: the range was just allocated with this length, and nobody else knows it.
        unsafe { start.as_ptr().write_bytes(0, len) };
        Region { start, layout }
    }
}

// SAFETY: a region owns its memory and nothing in it is tied to a thread.
unsafe impl Send for Region {}
// SAFETY: `&Region` gives out the address only; access to the bytes is governed by `Buf` and `Chunk`.
unsafe impl Sync for Region {}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with the same layout; nobody else frees it.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}

/// A part of a region that nobody else has, from a multiple of [`ALIGN`] on.
struct Block {
    region: Arc<Region>,
    offset: usize,
    /// A multiple of `ALIGN`, not 0.
    capacity: usize,
}

impl Block {
    fn new(capacity: usize) -> Block {
        Block::cut(&Arc::new(Region::new(capacity)), 0, capacity)
    }

    fn cut(region: &Arc<Region>, offset: usize, capacity: usize) -> Block {
        assert!(
            capacity > 0 && capacity.is_multiple_of(ALIGN) && offset.is_multiple_of(ALIGN),
            "{capacity} at {offset}"
        );
        assert!(offset + capacity <= region.layout.size(), "{capacity} at {offset} of {}", region.layout.size());
        Block { region: region.clone(), offset, capacity }
    }

    fn start(&self) -> *mut u8 {
        // SAFETY: `cut` checked that the offset lies within the region.
        unsafe { self.region.start.as_ptr().add(self.offset) }
    }
}

/// Rounds up to the size that is allocated: whole 4 KiB, and powers of two up to 2 MiB, so that blocks can be reused.
fn rounded(len: usize) -> usize {
    let pages = len.max(1).next_multiple_of(ALIGN);
    if pages <= KEPT_BUFFER_MAX { pages.next_power_of_two() } else { pages }
}

/// One core's buffers. Clones are one pool.
#[derive(Clone, Default)]
pub struct BufPool {
    free: Arc<Free>,
}

#[derive(Default)]
struct Free {
    // Behind a lock because a buffer may be dropped on another core (a slice that a foreign connection sent); on the
    // owner's core the lock is free, and it is taken once per buffer, not per record.
    classes: Mutex<[Vec<Block>; CLASSES]>,
}

const CLASSES: usize = (KEPT_BUFFER_MAX / ALIGN).trailing_zeros() as usize + 1;

fn class_of(capacity: usize) -> Option<usize> {
    (capacity <= KEPT_BUFFER_MAX && capacity.is_power_of_two()).then(|| (capacity / ALIGN).trailing_zeros() as usize)
}

impl BufPool {
    /// A buffer of `len` bytes with unspecified content; its capacity is `len` rounded up, at least 4 KiB.
    pub fn take(&self, len: usize) -> Buf {
        Buf { block: Some(self.block(len)), len, pool: Some(self.free.clone()) }
    }

    /// A chunk of at least `capacity` bytes from recycled memory; it returns to this pool when the last reader is done.
    pub fn chunk(&self, capacity: usize) -> Chunk {
        Chunk::over(self.block(capacity), Some(self.free.clone()))
    }

    /// Bytes kept for reuse now.
    pub fn kept_bytes(&self) -> usize {
        let classes = self.free.classes.lock().unwrap_or_else(PoisonError::into_inner);
        classes.iter().flatten().map(|block| block.capacity).sum()
    }

    fn block(&self, len: usize) -> Block {
        let capacity = rounded(len);
        let Some(class) = class_of(capacity) else { return Block::new(capacity) };
        if let Some(kept) = self.free.lock()[class].pop() {
            return kept;
        }
        if capacity < CUT_MIN {
            return Block::new(capacity);
        }
        let region = Arc::new(Region::new(HUGE));
        let mut parts = (0..HUGE).step_by(capacity).map(|offset| Block::cut(&region, offset, capacity));
        let first = parts.next().expect("a region holds at least one block");
        self.free.lock()[class].extend(parts);
        first
    }
}

impl Free {
    fn lock(&self) -> std::sync::MutexGuard<'_, [Vec<Block>; CLASSES]> {
        self.classes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, block: Block) {
        let Some(class) = class_of(block.capacity) else { return };
        let mut classes = self.lock();
        if (classes[class].len() + 1) * block.capacity <= KEPT_CLASS_BYTES_MAX {
            classes[class].push(block);
        }
    }
}

impl fmt::Debug for BufPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BufPool({} bytes kept)", self.kept_bytes())
    }
}

/// An owned buffer, 4 KiB-aligned and initialised, that I/O takes by value and gives back. Returns to its pool when dropped,
/// on whatever core that is.
pub struct Buf {
    /// `None` only while dropping.
    block: Option<Block>,
    len: usize,
    pool: Option<Arc<Free>>,
}

impl Buf {
    /// A buffer of `len` zeros that belongs to no pool.
    pub fn zeroed(len: usize) -> Buf {
        Buf { block: Some(Block::new(len.max(1).next_multiple_of(ALIGN))), len, pool: None }
    }

    /// Bytes it can hold; a multiple of 4 KiB.
    pub fn capacity(&self) -> usize {
        self.held().capacity
    }

    /// Sets the length, at most the capacity. Bytes beyond the old length have unspecified content.
    pub fn set_len(&mut self, len: usize) {
        assert!(len <= self.capacity(), "{len} bytes in a buffer of {}", self.capacity());
        self.len = len;
    }

    /// The bytes, counted; the memory returns to its pool with the last slice.
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }

    fn held(&self) -> &Block {
        self.block.as_ref().expect("a live buffer has its block")
    }
}

impl Drop for Buf {
    fn drop(&mut self) {
        if let (Some(block), Some(pool)) = (self.block.take(), self.pool.take()) {
            pool.put(block);
        }
    }
}

impl Deref for Buf {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the block is initialised over its capacity, `len` is at most that, and `&self` keeps writers out.
        unsafe { std::slice::from_raw_parts(self.held().start(), self.len) }
    }
}

impl DerefMut for Buf {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; `&mut self` is the only way to these bytes.
        unsafe { std::slice::from_raw_parts_mut(self.held().start(), self.len) }
    }
}

impl AsRef<[u8]> for Buf {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Buf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buf({} of {} bytes)", self.len, self.capacity())
    }
}

/// Memory that is appended to by one owner while any number of readers, on any core, hold slices of what was appended.
/// Bytes once appended never change.
pub struct Chunk {
    memory: Arc<Memory>,
    /// Bytes appended; all of them initialised by `append`, none of them written again.
    len: Cell<usize>,
}

struct Memory {
    block: Option<Block>,
    pool: Option<Arc<Free>>,
}

impl Memory {
    fn start(&self) -> *mut u8 {
        self.block.as_ref().expect("live memory has its block").start()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let (Some(block), Some(pool)) = (self.block.take(), self.pool.take()) {
            pool.put(block);
        }
    }
}

impl Chunk {
    /// An empty chunk of at least `capacity` bytes, rounded up to 4 KiB, that belongs to no pool.
    pub fn new(capacity: usize) -> Chunk {
        Chunk::over(Block::new(capacity.max(1).next_multiple_of(ALIGN)), None)
    }

    fn over(block: Block, pool: Option<Arc<Free>>) -> Chunk {
        Chunk { memory: Arc::new(Memory { block: Some(block), pool }), len: Cell::new(0) }
    }

    /// Bytes it can hold.
    pub fn capacity(&self) -> usize {
        self.memory.block.as_ref().expect("live memory has its block").capacity
    }

    /// Bytes appended.
    pub fn len(&self) -> usize {
        self.len.get()
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that still fit.
    pub fn remaining(&self) -> usize {
        self.capacity() - self.len()
    }

    /// Copies the parts behind one another and says where they lie. Panics past the capacity: ask [`remaining`](Self::remaining).
    pub fn append(&self, parts: &[&[u8]]) -> Range<usize> {
        let start = self.len.get();
        let total: usize = parts.iter().map(|part| part.len()).sum();
        assert!(total <= self.remaining(), "append of {total} bytes, {} remain", self.remaining());
        let mut at = start;
        for part in parts {
            // SAFETY: `at..at + part.len()` lies within the block (asserted above) and above `len`, where no reader has a
            // slice (`bytes` and `slice` stop at `len`) and where only this writer is: `Chunk` is `!Sync` and not `Clone`. The part
            // can't overlap it, since nobody holds a reference to bytes above `len`.
            unsafe {
                std::ptr::copy_nonoverlapping(part.as_ptr(), self.memory.start().add(at), part.len());
            }
            at += part.len();
        }
        self.len.set(at);
        start..at
    }

    /// A counted slice of appended bytes, without a copy; `Send`, and it keeps the memory alive.
    pub fn bytes(&self, range: Range<usize>) -> Bytes {
        self.check(&range);
        Bytes::from_owner(Slice { memory: self.memory.clone(), range })
    }

    /// Appended bytes, borrowed.
    pub fn slice(&self, range: Range<usize>) -> &[u8] {
        self.check(&range);
        // SAFETY: the range lies below `len`: initialised by `append`, never written again, and alive with `self`.
        unsafe { std::slice::from_raw_parts(self.memory.start().add(range.start), range.len()) }
    }

    fn check(&self, range: &Range<usize>) {
        assert!(range.start <= range.end && range.end <= self.len(), "{range:?} of {} appended bytes", self.len());
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({} of {} bytes)", self.len(), self.capacity())
    }
}

struct Slice {
    memory: Arc<Memory>,
    range: Range<usize>,
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `Chunk::bytes` checked the range against the appended length; those bytes are never written again, and the
        // slice was sent to this thread after they were written. `memory` keeps them alive.
        unsafe { std::slice::from_raw_parts(self.memory.start().add(self.range.start), self.range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(start: *const u8) -> bool {
        (start as usize).is_multiple_of(ALIGN)
    }

    #[test]
    fn every_block_is_aligned_and_every_capacity_whole() {
        let pool = BufPool::default();
        for len in [0, 1, 17, 4096, 4097, 65_536, 100_000, 200_000, 1 << 20, (2 << 20) + 1, 5 << 20] {
            let (buf, chunk) = (pool.take(len), pool.chunk(len));
            let (plain, plain_chunk) = (Buf::zeroed(len), Chunk::new(len));
            for start in [buf.as_ptr(), plain.as_ptr(), chunk.slice(0..0).as_ptr(), plain_chunk.slice(0..0).as_ptr()] {
                assert!(aligned(start), "{len}: {start:?}");
            }
            for capacity in [buf.capacity(), plain.capacity(), chunk.capacity(), plain_chunk.capacity()] {
                assert!(capacity >= len && capacity.is_multiple_of(ALIGN), "{len}: {capacity}");
            }
            assert_eq!((buf.len(), plain.len()), (len, len));
        }
    }

    #[test]
    fn buffers_are_recycled_and_the_free_list_is_bounded() {
        let pool = BufPool::default();
        let first = pool.take(8192);
        let start = first.as_ptr();
        drop(first);
        assert_eq!(pool.take(5000).as_ptr(), start);
        let many: Vec<Buf> = (0..20).map(|_| pool.take(1 << 20)).collect();
        drop(many);
        assert_eq!(pool.kept_bytes(), 8192 + KEPT_CLASS_BYTES_MAX);
    }

    #[test]
    fn blocks_cut_from_one_region_never_overlap() {
        let pool = BufPool::default();
        let mut bufs: Vec<Buf> = (0..40).map(|_| pool.take(128 << 10)).collect();
        for (i, buf) in bufs.iter_mut().enumerate() {
            buf.fill(i as u8);
        }
        assert!((0..).zip(&bufs).all(|(i, buf)| buf.iter().all(|byte| *byte == i)));
        drop(bufs);
        assert_eq!(pool.kept_bytes(), KEPT_CLASS_BYTES_MAX);
    }

    #[test]
    fn a_buffer_dropped_elsewhere_returns_to_its_pool() {
        let pool = BufPool::default();
        let bytes = pool.take(4096).into_bytes();
        std::thread::spawn(move || drop(bytes)).join().expect("no panic");
        assert_eq!(pool.kept_bytes(), 4096);
    }

    #[test]
    fn slices_of_a_chunk_stay_while_it_grows_and_after_it_is_gone() {
        let chunk = BufPool::default().chunk(4096);
        let first = chunk.append(&[b"one", b"two"]);
        let bytes = chunk.bytes(first.clone());
        let reader = std::thread::spawn(move || bytes.to_vec());
        let second = chunk.append(&[b"three"]);
        assert_eq!((first, second.clone()), (0..6, 6..11));
        assert_eq!(reader.join().expect("no panic"), b"onetwo");
        let bytes = chunk.bytes(second);
        drop(chunk);
        assert_eq!(&bytes[..], b"three");
    }

    #[test]
    #[should_panic(expected = "remain")]
    fn a_chunk_never_grows_past_its_capacity() {
        Chunk::new(4096).append(&[&[0; 4096], b"x"]);
    }

    #[test]
    #[should_panic(expected = "appended bytes")]
    fn nobody_reads_above_the_appended_length() {
        Chunk::new(4096).bytes(0..1);
    }

    #[test]
    #[should_panic(expected = "in a buffer of")]
    fn a_length_never_passes_the_capacity() {
        BufPool::default().take(1).set_len(4097);
    }
}
