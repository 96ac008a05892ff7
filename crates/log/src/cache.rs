//! A log's entries in memory: the tail cache. Payloads lie in chunks, one behind the other; a table says what they are.
//!
//! The same bytes serve the journal, write-back and consumers at the end of the log: they are copied once, on append.
//! Chunks go from the front, when their entries stand in segments; an idle log holds none.

use std::collections::VecDeque;

use bytes::Bytes;
use ouzel_model::{Index, Offset, Term, Timestamp};
use ouzel_runtime::Chunk;

use crate::entry::{EntryHeader, Kind, Stamp};

/// One entry in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) term: Term,
    pub(crate) kind: Kind,
    pub(crate) base_offset: Offset,
    /// Inclusive; `base_offset - 1` for kinds that take no offset.
    pub(crate) last_offset: Offset,
    pub(crate) max_timestamp: Timestamp,
    /// Newest journal block that holds it; 0: none yet.
    pub(crate) block: u64,
    len: u32,
    at: u32,
    /// Serial of its chunk; without payload the chunk of the entry before it.
    chunk: u32,
}

impl Meta {
    pub(crate) fn header(&self, index: Index) -> EntryHeader {
        EntryHeader {
            payload_len: self.len,
            index,
            term: self.term,
            base_offset: self.base_offset,
            kind: self.kind,
            flags: 0,
        }
    }

    pub(crate) fn payload_len(&self) -> usize {
        self.len as usize
    }
}

/// What is appended.
pub(crate) struct NewMeta {
    pub(crate) index: Index,
    pub(crate) term: Term,
    pub(crate) kind: Kind,
    pub(crate) base_offset: Offset,
    pub(crate) last_offset: Offset,
    pub(crate) max_timestamp: Timestamp,
    pub(crate) block: u64,
}

/// See the module. Entries are contiguous: `first`, `first + 1`, ...
pub(crate) struct Tail {
    first: Index,
    entries: VecDeque<Meta>,
    chunks: VecDeque<Chunk>,
    /// Serial of `chunks[0]`.
    serial: u32,
}

impl Tail {
    /// Holds nothing; the first entry to come has index `next`.
    pub(crate) fn new(next: Index) -> Tail {
        Tail { first: next, entries: VecDeque::new(), chunks: VecDeque::new(), serial: 0 }
    }

    /// Index of the first entry held, or of the next to come.
    pub(crate) fn first(&self) -> Index {
        self.first
    }

    /// Index behind the last entry held (exclusive).
    pub(crate) fn end(&self) -> Index {
        Index(self.first.0 + self.entries.len() as u64)
    }

    /// First offset that can be read here; `None` when nothing is held.
    pub(crate) fn first_offset(&self) -> Option<Offset> {
        self.entries.front().map(|m| m.base_offset)
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    pub(crate) fn chunk_bytes(&self) -> u64 {
        self.chunks.iter().map(|c| c.capacity() as u64).sum()
    }

    pub(crate) fn get(&self, index: Index) -> Option<&Meta> {
        self.entries.get(usize::try_from(index.0.checked_sub(self.first.0)?).ok()?)
    }

    /// Entries from `from` on, each with its index.
    pub(crate) fn iter_from(&self, from: Index) -> impl Iterator<Item = (Index, &Meta)> {
        let skip = from.0.saturating_sub(self.first.0).min(self.entries.len() as u64);
        let first = self.first.0 + skip;
        self.entries.range(skip as usize..).enumerate().map(move |(i, m)| (Index(first + i as u64), m))
    }

    /// Says in which block an entry stands now.
    pub(crate) fn set_block(&mut self, index: Index, block: u64) {
        let at = (index.0 - self.first.0) as usize;
        self.entries[at].block = block;
    }

    /// Bytes that still fit into the newest chunk.
    pub(crate) fn room(&self) -> usize {
        self.chunks.back().map_or(0, Chunk::remaining)
    }

    /// Adds an empty chunk for what is appended next.
    pub(crate) fn add_chunk(&mut self, chunk: Chunk) {
        self.chunks.push_back(chunk);
    }

    /// Appends an entry whose payload fits ([`room`](Self::room)). A batch is stamped with base offset and leader epoch,
    /// which lie in its first 16 bytes, outside its checksum.
    pub(crate) fn push(&mut self, new: NewMeta, parts: &[Bytes]) {
        assert_eq!(new.index, self.end(), "entries are appended in order");
        let len: usize = parts.iter().map(Bytes::len).sum();
        let range = if len == 0 {
            0..0
        } else {
            let chunk = self.chunks.back().expect("room was made");
            if new.kind == Kind::Batch { append_stamped(chunk, &new, parts) } else { append_parts(chunk, parts) }
        };
        self.entries.push_back(Meta {
            term: new.term,
            kind: new.kind,
            base_offset: new.base_offset,
            last_offset: new.last_offset,
            max_timestamp: new.max_timestamp,
            block: new.block,
            len: len as u32,
            at: range.start as u32,
            chunk: self.serial.wrapping_add((self.chunks.len() as u32).saturating_sub(1)),
        });
    }

    /// Drops all entries from `from` on (inclusive). Their bytes stay until the chunk goes.
    pub(crate) fn truncate(&mut self, from: Index) {
        let keep = from.0.saturating_sub(self.first.0);
        self.entries.truncate(usize::try_from(keep).unwrap_or(usize::MAX));
    }

    /// Drops the oldest chunk and its entries when all of them lie at or below `written`. Returns the chunk's bytes.
    pub(crate) fn evict_front(&mut self, written: Index) -> Option<u64> {
        let chunk = self.chunks.front()?;
        let bytes = chunk.capacity() as u64;
        let count = self.entries.iter().take_while(|m| m.chunk == self.serial).count() as u64;
        // The newest chunk is still appended to, but a log without anything unwritten may give it up too.
        if self.first.0 + count > written.0 + 1 || (self.chunks.len() == 1 && self.end().0 > written.0 + 1) {
            return None;
        }
        self.entries.drain(..count as usize);
        self.first = Index(self.first.0 + count);
        self.chunks.pop_front();
        self.serial = self.serial.wrapping_add(1);
        if self.chunks.is_empty() {
            self.entries.shrink_to(4);
            self.chunks.shrink_to_fit();
        }
        Some(bytes)
    }

    /// The payload of an entry held, a counted slice without a copy.
    pub(crate) fn payload(&self, meta: &Meta) -> Bytes {
        if meta.len == 0 {
            return Bytes::new();
        }
        self.chunk(meta.chunk).bytes(meta.at as usize..meta.at as usize + meta.len as usize)
    }

    /// The same, borrowed.
    pub(crate) fn payload_slice(&self, meta: &Meta) -> &[u8] {
        if meta.len == 0 {
            return &[];
        }
        self.chunk(meta.chunk).slice(meta.at as usize..meta.at as usize + meta.len as usize)
    }

    fn chunk(&self, serial: u32) -> &Chunk {
        &self.chunks[serial.wrapping_sub(self.serial) as usize]
    }

    /// Index of the first batch whose last offset is at or behind `offset`; the end when there is none.
    pub(crate) fn find(&self, offset: Offset) -> Index {
        Index(self.first.0 + self.entries.partition_point(|m| m.last_offset < offset) as u64)
    }

    /// Batches from `from` on as slices, one per contiguous run, up to `max_bytes` and to offset `end` (exclusive).
    pub(crate) fn slices(&self, from: Index, max_bytes: usize, end: Offset, at_least_one: bool) -> Slices {
        let mut out = Slices { slices: Vec::new(), first: None, next: None, bytes: 0 };
        let mut run: Option<(u32, std::ops::Range<usize>)> = None;
        for (_, meta) in self.iter_from(from) {
            if meta.kind != Kind::Batch {
                continue;
            }
            let fits = out.bytes + meta.payload_len() <= max_bytes || (at_least_one && out.first.is_none());
            if meta.last_offset >= end || !fits {
                break;
            }
            let range = meta.at as usize..meta.at as usize + meta.payload_len();
            run = Some(match run.take() {
                Some((chunk, r)) if chunk == meta.chunk && r.end == range.start => (chunk, r.start..range.end),
                Some((chunk, r)) => {
                    out.slices.push(self.chunk(chunk).bytes(r));
                    (meta.chunk, range)
                }
                None => (meta.chunk, range),
            });
            out.first.get_or_insert(meta.base_offset);
            out.next = Some(meta.last_offset.next());
            out.bytes += meta.payload_len();
        }
        if let Some((chunk, range)) = run {
            out.slices.push(self.chunk(chunk).bytes(range));
        }
        out
    }
}

/// What [`Tail::slices`] found.
pub(crate) struct Slices {
    pub(crate) slices: Vec<Bytes>,
    pub(crate) first: Option<Offset>,
    pub(crate) next: Option<Offset>,
    pub(crate) bytes: usize,
}

/// Bytes of a batch in front of its leader epoch's end.
const STAMPED_BYTES: usize = 16;

fn append_stamped(chunk: &Chunk, new: &NewMeta, parts: &[Bytes]) -> std::ops::Range<usize> {
    let mut head = [0; STAMPED_BYTES];
    let (mut have, mut rest) = (0, smallvec::SmallVec::<[&[u8]; 4]>::new());
    rest.push(&[]);
    for part in parts {
        let taken = part.len().min(STAMPED_BYTES - have);
        head[have..have + taken].copy_from_slice(&part[..taken]);
        have += taken;
        rest.push(&part[taken..]);
    }
    assert_eq!(have, STAMPED_BYTES, "a batch is longer than its stamp");
    head[..8].copy_from_slice(&new.base_offset.0.to_be_bytes());
    head[12..].copy_from_slice(&(new.term.0 as i32).to_be_bytes());
    rest[0] = &head;
    chunk.append(&rest)
}

fn append_parts(chunk: &Chunk, parts: &[Bytes]) -> std::ops::Range<usize> {
    let parts: smallvec::SmallVec<[&[u8]; 4]> = parts.iter().map(|p| &p[..]).collect();
    chunk.append(&parts)
}

/// What recovery needs of an entry it read: its table row.
pub(crate) fn meta_of(header: &EntryHeader, payload: &[u8], block: u64) -> NewMeta {
    let stamp = if header.kind == Kind::Batch { Stamp::of(payload) } else { None };
    NewMeta {
        index: header.index,
        term: header.term,
        kind: header.kind,
        base_offset: header.base_offset,
        last_offset: stamp.map_or(Offset(header.base_offset.0 - 1), |s| s.last_offset()),
        max_timestamp: Timestamp(stamp.map_or(i64::MIN, |s| s.max_timestamp)),
        block,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::batch;

    fn push(tail: &mut Tail, index: u64, base: i64, records: i32, body: &[u8]) {
        let payload = Bytes::from(batch(-1, -1, records, 5, body));
        if tail.room() < payload.len() {
            tail.add_chunk(Chunk::new(4096));
        }
        let new = NewMeta {
            index: Index(index),
            term: Term(2),
            kind: Kind::Batch,
            base_offset: Offset(base),
            last_offset: Offset(base + i64::from(records) - 1),
            max_timestamp: Timestamp(5),
            block: 0,
        };
        tail.push(new, &[payload.slice(..7), payload.slice(7..)]);
    }

    #[test]
    fn a_batch_is_stamped_while_it_is_copied() {
        let mut tail = Tail::new(Index(1));
        push(&mut tail, 1, 10, 3, b"body");
        let meta = tail.get(Index(1)).copied().unwrap();
        assert_eq!(&tail.payload(&meta)[..], &batch(10, 2, 3, 5, b"body")[..]);
    }

    #[test]
    fn contiguous_batches_come_as_one_slice_and_chunks_go_from_the_front() {
        let mut tail = Tail::new(Index(1));
        push(&mut tail, 1, 0, 1, &[1; 1900]);
        push(&mut tail, 2, 1, 2, &[2; 1900]);
        push(&mut tail, 3, 3, 1, &[3; 1900]);
        assert_eq!(tail.chunk_count(), 2);
        let all = tail.slices(Index(1), usize::MAX, Offset(100), false);
        assert_eq!((all.slices.len(), all.first, all.next), (2, Some(Offset(0)), Some(Offset(4))));
        assert_eq!(tail.slices(Index(1), usize::MAX, Offset(3), false).next, Some(Offset(3)));
        assert_eq!(tail.slices(Index(1), usize::MAX, Offset(2), false).next, Some(Offset(1)), "whole batches only");
        assert_eq!(tail.slices(Index(2), 10, Offset(100), true).next, Some(Offset(3)));
        assert_eq!(tail.slices(Index(2), 10, Offset(100), false).bytes, 0);
        assert_eq!(tail.find(Offset(2)), Index(2));
        assert_eq!(tail.evict_front(Index(1)), None);
        assert_eq!(tail.evict_front(Index(2)), Some(4096));
        assert_eq!((tail.first(), tail.first_offset()), (Index(3), Some(Offset(3))));
        assert_eq!(tail.evict_front(Index(3)), Some(4096));
        assert_eq!(tail.chunk_count(), 0);
        assert_eq!(tail.end(), Index(4));
    }

    #[test]
    fn a_truncated_suffix_is_gone_and_its_indexes_are_given_anew() {
        let mut tail = Tail::new(Index(1));
        push(&mut tail, 1, 0, 1, b"a");
        push(&mut tail, 2, 1, 1, b"b");
        tail.truncate(Index(2));
        push(&mut tail, 2, 1, 1, b"c");
        let read = tail.slices(Index(1), usize::MAX, Offset(9), false);
        let text: Vec<u8> = read.slices.iter().flatten().copied().collect();
        assert_eq!(text, [batch(0, 2, 1, 5, b"a"), batch(1, 2, 1, 5, b"c")].concat());
    }
}
