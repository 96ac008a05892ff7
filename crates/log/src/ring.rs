//! The ring of journal files, and the block that is built next: what stands in it and where it goes. No I/O.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;

use ouzel_model::{Index, reached};
use ouzel_runtime::sync::oneshot;
use ouzel_runtime::{Buf, BufPool, Durability, File, Instant};

use crate::block::{
    BLOCK_HEADER_BYTES, BlockHeader, Carry, LogNumber, RECORD_HEADER_BYTES, Seed, put_close, put_entries, put_open,
    put_state, put_truncate, touched,
};
use crate::checkpoint::Checkpoint;
use crate::codec::{Filler, PAGE, Put, align};
use crate::entry::{ENTRY_HEADER_BYTES, LogId};
use crate::log::{Inner, Shared, Ticket};
use crate::store::Core;

/// Files that only State and Again records may begin: without them a full ring could not free itself.
const RESERVED_FILES: usize = 2;
/// A file in use.
pub(crate) struct RingFile {
    pub(crate) name: u32,
    pub(crate) file: File,
    pub(crate) bytes: u64,
    pub(crate) epoch: u64,
    /// Where the next block goes.
    pub(crate) position: u64,
    /// Sequence of its last block.
    pub(crate) last: u64,
    /// Newest of its blocks that its own write didn't sync and no flush has covered; 0: none.
    pub(crate) unsynced: u64,
    /// Made for one large entry; unlinked after use.
    pub(crate) own: bool,
    /// Holds a bad block: set aside instead of reused.
    pub(crate) keep: bool,
}

/// A file that may be begun anew; it was written to its end before.
pub(crate) struct FreeFile {
    pub(crate) name: u32,
    pub(crate) file: File,
    pub(crate) bytes: u64,
    /// Made for one large entry; unlinked after use.
    pub(crate) own: bool,
}

/// How a block becomes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sync {
    /// By its own write.
    Write,
    /// By a datasync behind its write, which covers the unsynced blocks before it too.
    Flush,
    /// Later: its tickets come back when it is written.
    Cached,
}

pub(crate) struct InFlight {
    pub(crate) sequence: u64,
    bytes: u64,
    sync: Sync,
    built: Instant,
    pub(crate) written: bool,
    pub(crate) tickets: Vec<(Rc<Shared>, Ticket)>,
}

pub(crate) struct Ring {
    pub(crate) dir: PathBuf,
    pub(crate) seed: Seed,
    pub(crate) layout: u32,
    pub(crate) file_bytes: u64,
    pub(crate) files_max: usize,
    pub(crate) block_bytes_max: u64,
    pub(crate) depth: usize,
    pub(crate) flush_bytes: u64,
    pub(crate) flush_ms: u64,
    /// Files in use, oldest first; the last one is written to.
    pub(crate) files: VecDeque<RingFile>,
    pub(crate) free: VecDeque<FreeFile>,
    pub(crate) next_name: u32,
    pub(crate) epoch: u64,
    /// Of the last block built.
    pub(crate) sequence: u64,
    pub(crate) previous_crc: u32,
    /// Which logs the last block built is about; 0: unknown.
    pub(crate) touched: u64,
    /// All blocks up to here are durable.
    pub(crate) durable: u64,
    /// All blocks up to here are written.
    pub(crate) written: u64,
    /// `durable_up_to` in the newest block.
    pub(crate) marked: u64,
    /// Newest block that isn't bare.
    pub(crate) content: u64,
    pub(crate) in_flight: VecDeque<InFlight>,
    pub(crate) queue: VecDeque<Rc<Shared>>,
    /// Logs whose entries in blocks up to a sequence are to be copied forward.
    pub(crate) again: VecDeque<(Rc<Shared>, u64)>,
    pub(crate) bare_wanted: bool,
    pub(crate) bare_armed: bool,
    pub(crate) capture: Option<oneshot::Sender<Checkpoint>>,
    /// Bytes a file must have for the entry at the head of the queue; 0: an ordinary file.
    pub(crate) oversize_wanted: u64,
    pub(crate) making: bool,
    /// No file is left for what would free the others.
    pub(crate) stuck: bool,
    pub(crate) unsynced_bytes: u64,
    pub(crate) flush_armed: bool,
    pub(crate) flushing: bool,
}

/// A block on its way to the disk.
pub(crate) struct Built {
    pub(crate) file: File,
    pub(crate) buf: Buf,
    pub(crate) position: u64,
    pub(crate) durability: Durability,
    pub(crate) sequence: u64,
}

/// What a log has to say in the block that is planned.
struct Part {
    log: Rc<Shared>,
    carry: Carry,
    small: bool,
    first: Index,
    /// Exclusive.
    end: Index,
    entry_bytes: usize,
}

impl Ring {
    pub(crate) fn new(dir: PathBuf, seed: Seed, pool: &crate::StoreConfig) -> Ring {
        let file_bytes = align(pool.journal_file_bytes.max(16 * PAGE as u64));
        Ring {
            dir,
            seed,
            layout: pool.layout,
            file_bytes,
            files_max: pool.journal_files.max(RESERVED_FILES + 3),
            // Groups end at 2 MiB: buffers up to that size are recycled.
            block_bytes_max: (file_bytes / 2).min(2 << 20) & !(PAGE as u64 - 1),
            depth: pool.journal_depth.max(1),
            flush_bytes: pool.flush_bytes,
            flush_ms: pool.flush_ms,
            files: VecDeque::new(),
            free: VecDeque::new(),
            next_name: 1,
            epoch: 0,
            sequence: 0,
            previous_crc: 0,
            touched: 0,
            durable: 0,
            written: 0,
            marked: 0,
            content: 0,
            in_flight: VecDeque::new(),
            queue: VecDeque::new(),
            again: VecDeque::new(),
            bare_wanted: false,
            bare_armed: false,
            capture: None,
            oversize_wanted: 0,
            making: false,
            stuck: false,
            unsynced_bytes: 0,
            flush_armed: false,
            flushing: false,
        }
    }

    /// Bytes left in the file that is written to.
    fn room(&self) -> u64 {
        self.files.back().map_or(0, |f| f.bytes - f.position)
    }

    /// Files in use, against the ring's size: write-back for reuse starts at half.
    pub(crate) fn half_full(&self) -> bool {
        2 * self.files.len() >= self.files_max
    }

    /// Whether a file is to be zeroed for the ring.
    pub(crate) fn lacks_files(&self) -> bool {
        self.files.len() + self.free.len() < self.files_max
    }

    pub(crate) fn ordinary_free(&self) -> usize {
        self.free.iter().filter(|f| !f.own).count()
    }

    /// Plans and writes the next block, if there is something to say and room to say it.
    pub(crate) fn build(&mut self, pool: &BufPool, core: &Core) -> Option<Built> {
        let writing = self.in_flight.iter().filter(|b| !b.written).count();
        if writing >= self.depth {
            return None;
        }
        let anything = !self.queue.is_empty() || !self.again.is_empty();
        if !anything && !self.bare_wanted && self.capture.is_none() {
            return None;
        }
        let (parts, length) = self.plan();
        if parts.is_empty() && !self.bare_wanted && self.capture.is_none() {
            return None;
        }
        let padded = align(length as u64);
        if (padded > self.room() || padded > self.block_bytes_max) && !self.begin_file(padded) {
            reached!("journal full");
            // What frees the others can't wait for them: better a larger ring than a stuck one.
            let frees = !self.again.is_empty() || self.capture.is_some();
            self.stuck = frees && padded <= self.block_bytes_max && self.ordinary_free() == 0;
            return None;
        }
        Some(self.write(pool, core, parts, length))
    }

    /// Bytes that the next block may have: in total, and if it holds new entries.
    fn budgets(&self) -> (u64, u64) {
        let free = self.ordinary_free();
        let allowed = |enough: bool| if enough { self.block_bytes_max } else { self.room().min(self.block_bytes_max) };
        (allowed(free > 0), allowed(free > RESERVED_FILES))
    }

    fn plan(&mut self) -> (Vec<Part>, usize) {
        let (total, with_entries) = self.budgets();
        let mut length = BLOCK_HEADER_BYTES;
        let mut parts: Vec<Part> = Vec::new();
        let mut wanted = 0;
        // What was written back, truncated or removed meanwhile has nothing to copy.
        self.again.retain(|(log, upto)| is_pinned(log, *upto));
        for (log, upto) in &self.again {
            let inner = log.inner.borrow();
            let from = inner.written().next();
            let mut part = Part::new(log, Carry::Again, false, from);
            let mut full = false;
            for (index, meta) in inner.tail.iter_from(from) {
                // Entries without payload stand in the checkpoint: they come along behind others, and ask for no block themselves.
                let held = meta.block > 0 && index <= inner.journaled;
                let along = meta.payload_len() == 0;
                let pinned = held && if along { part.first < part.end } else { meta.block <= *upto };
                if !pinned && part.first < part.end {
                    break;
                }
                if !pinned {
                    part.first = index.next();
                    part.end = index.next();
                    continue;
                }
                let bytes = ENTRY_HEADER_BYTES + meta.payload_len();
                let block = align((length + RECORD_HEADER_BYTES + part.entry_bytes + bytes) as u64);
                if block > total {
                    let alone = parts.is_empty() && part.first == part.end;
                    let own = align((BLOCK_HEADER_BYTES + RECORD_HEADER_BYTES + bytes) as u64);
                    if alone && own > self.block_bytes_max && !self.has_own_file(own) {
                        wanted = own;
                    } else if alone && own > self.block_bytes_max {
                        part.entry_bytes = bytes;
                        part.end = index.next();
                    }
                    full = true;
                    break;
                }
                part.entry_bytes += bytes;
                part.end = index.next();
            }
            if part.first < part.end {
                length += RECORD_HEADER_BYTES + part.entry_bytes;
                parts.push(part);
            }
            if full {
                break;
            }
        }
        let again = parts.len();
        for log in &self.queue {
            let inner = log.inner.borrow();
            let small = small_bytes(&inner);
            if (length + small) as u64 > total && !parts.is_empty() {
                break;
            }
            let from = inner.journaled.next();
            let mut part = Part::new(log, Carry::Append, inner.has_small(), from);
            let base = length + small + RECORD_HEADER_BYTES;
            for (index, meta) in inner.tail.iter_from(from) {
                let bytes = ENTRY_HEADER_BYTES + meta.payload_len();
                let block = align((base + part.entry_bytes + bytes) as u64);
                if block > with_entries {
                    let alone = parts.is_empty() && part.first == part.end;
                    let own = align((BLOCK_HEADER_BYTES + small + RECORD_HEADER_BYTES + bytes) as u64);
                    if alone && own > self.block_bytes_max && !self.has_own_file(own) {
                        wanted = own;
                    } else if alone && own > self.block_bytes_max {
                        reached!("oversized entry");
                        part.entry_bytes = bytes;
                        part.end = index.next();
                    }
                    break;
                }
                part.entry_bytes += bytes;
                part.end = index.next();
            }
            let entries = part.first < part.end;
            if part.small || entries || inner.tickets_pending.front().is_some_and(|(_, last)| *last <= inner.journaled)
            {
                length += small + if entries { RECORD_HEADER_BYTES + part.entry_bytes } else { 0 };
                parts.push(part);
            }
            if length as u64 > self.block_bytes_max {
                break;
            }
        }
        self.oversize_wanted = self.oversize_wanted.max(wanted);
        if again > 0 {
            reached!("entries copied forward");
        }
        (parts, length)
    }

    pub(crate) fn has_own_file(&self, bytes: u64) -> bool {
        self.free.iter().any(|f| f.own && f.bytes >= bytes)
    }

    /// Begins a free file of enough bytes; false when there is none.
    fn begin_file(&mut self, bytes: u64) -> bool {
        let large = bytes > self.block_bytes_max;
        let wanted = |f: &FreeFile| f.own == large && f.bytes >= bytes;
        let Some(at) = self.free.iter().position(wanted) else { return false };
        let free = self.free.remove(at).expect("found above");
        self.begin(free);
        true
    }

    pub(crate) fn begin(&mut self, free: FreeFile) {
        self.epoch += 1;
        if free.own {
            self.oversize_wanted = 0;
        }
        self.files.push_back(RingFile {
            name: free.name,
            file: free.file,
            bytes: free.bytes,
            epoch: self.epoch,
            position: 0,
            last: 0,
            unsynced: 0,
            own: free.own,
            keep: false,
        });
    }

    /// Writes the planned block into a buffer and books it.
    fn write(&mut self, pool: &BufPool, core: &Core, parts: Vec<Part>, length: usize) -> Built {
        self.sequence += 1;
        let mut buf = pool.take(align(length as u64) as usize);
        let mut out = Filler { out: &mut buf, at: BLOCK_HEADER_BYTES };
        let (mut count, mut tickets, mut synced) = (0, Vec::with_capacity(parts.len()), parts.is_empty());
        for part in &parts {
            let mut inner = part.log.inner.borrow_mut();
            let inner = &mut *inner;
            let number = part.log.number;
            if part.carry == Carry::Append {
                count += put_small(&mut out, inner, &part.log);
                inner.journaled = inner.journaled.max(Index(part.end.0 - 1));
                synced |= inner.wants_sync;
                let mut highest = None;
                while inner.tickets_pending.front().is_some_and(|(_, last)| *last <= inner.journaled) {
                    highest = inner.tickets_pending.pop_front().map(|(ticket, _)| ticket);
                }
                tickets.extend(highest.map(|ticket| (part.log.clone(), ticket)));
            } else {
                synced = true;
            }
            if part.first < part.end {
                count += 1;
                let log = (number, &part.log.id);
                put_range(&mut out, part.carry, log, inner, part.first..part.end, part.entry_bytes);
                for index in part.first.0..part.end.0 {
                    inner.tail.set_block(Index(index), self.sequence);
                }
            }
        }
        assert_eq!(out.at, length, "a block has the size it was planned with");
        self.retire(&parts);
        let sync = self.sync_of(synced);
        let (sequence, durable_up_to) = (self.sequence, self.durable);
        let file = self.files.back_mut().expect("a file was begun");
        let header = BlockHeader {
            epoch: file.epoch,
            sequence,
            durable_up_to,
            previous_crc: self.previous_crc,
            touched_before: self.touched,
            layout: self.layout,
            length: length as u32,
            count,
            crc: 0,
        };
        self.previous_crc = header.seal(&self.seed, &mut buf).crc;
        self.touched = touched(parts.iter().map(|part| part.log.number));
        let position = file.position;
        file.position += buf.len() as u64;
        file.last = sequence;
        if sync != Sync::Write {
            file.unsynced = sequence;
        }
        self.marked = durable_up_to;
        if count > 0 {
            self.content = sequence;
        }
        self.bare_wanted = false;
        let (built, bytes) = (core.rt.now(), buf.len() as u64);
        self.in_flight.push_back(InFlight { sequence, bytes, sync, built, written: false, tickets });
        core.metrics.commit_groups.add(1);
        core.metrics.group_bytes.record(bytes);
        core.metrics.journal_files.set(self.files.len() as i64);
        if self.capture.is_some()
            && !self.queue.iter().any(|log| log.inner.borrow().has_small())
            && let Some(capture) = self.capture.take()
        {
            let _ = capture.send(core.snapshot(self));
        }
        let durability = if sync == Sync::Write { Durability::Sync } else { Durability::None };
        Built { file: file_of(&self.files), buf, position, durability, sequence }
    }

    /// Takes logs out of the lines whose say is said; what is left goes to the end.
    fn retire(&mut self, parts: &[Part]) {
        for part in parts {
            match part.carry {
                Carry::Append => {
                    let Some(at) = self.queue.iter().position(|log| Rc::ptr_eq(log, &part.log)) else { continue };
                    let log = self.queue.remove(at).expect("found above");
                    let mut inner = log.inner.borrow_mut();
                    if inner.tail.end() > inner.journaled.next() || !inner.tickets_pending.is_empty() {
                        drop(inner);
                        self.queue.push_back(log);
                    } else {
                        inner.queued = false;
                        inner.wants_sync = false;
                    }
                }
                Carry::Again => {
                    self.again.retain(|(log, upto)| !Rc::ptr_eq(log, &part.log) || is_pinned(log, *upto));
                }
            }
        }
    }

    fn sync_of(&self, synced: bool) -> Sync {
        let behind = self.files.iter().any(|f| f.unsynced > 0) || self.in_flight.iter().any(|b| b.sync != Sync::Write);
        match (synced, behind) {
            (false, _) => Sync::Cached,
            (true, false) => Sync::Write,
            (true, true) => Sync::Flush,
        }
    }

    /// Acknowledges from the front of the line, in order. Returns whether a flush is needed for the block there.
    pub(crate) fn acknowledge(&mut self, core: &Core) -> bool {
        while let Some(front) = self.in_flight.front() {
            if !front.written {
                return false;
            }
            self.written = self.written.max(front.sequence);
            match front.sync {
                Sync::Write => self.durable = self.durable.max(front.sequence),
                Sync::Flush if self.durable < front.sequence => return true,
                Sync::Flush => {}
                Sync::Cached => self.unsynced_bytes += front.bytes,
            }
            let block = self.in_flight.pop_front().expect("the front is there");
            core.metrics.commit.record_duration(core.rt.now().duration_since(block.built));
            block.tickets.into_iter().for_each(|(log, ticket)| core.give_back(log, ticket));
        }
        false
    }

    /// Takes the files out of use whose blocks no log needs any more.
    pub(crate) fn take_unneeded(&mut self, replay_from: u64) -> Vec<RingFile> {
        let mut out = Vec::new();
        while self.files.len() > 1 && self.files[0].last < replay_from {
            out.extend(self.files.pop_front());
        }
        out
    }
}

fn file_of(files: &VecDeque<RingFile>) -> File {
    files.back().expect("a file was begun").file.clone()
}

impl Part {
    fn new(log: &Rc<Shared>, carry: Carry, small: bool, from: Index) -> Part {
        Part { log: log.clone(), carry, small, first: from, end: from, entry_bytes: 0 }
    }
}

/// Whether entries in blocks up to `upto` stand in no segment and no newer block.
pub(crate) fn is_pinned(log: &Shared, upto: u64) -> bool {
    let inner = log.inner.borrow();
    inner.needs_journal().any(|(_, m)| m.block <= upto)
}

fn small_bytes(inner: &Inner) -> usize {
    let mut bytes = 0;
    if inner.open_pending {
        bytes += RECORD_HEADER_BYTES + 20 + inner.options.dir.len();
    }
    if inner.truncate_pending.is_some() {
        bytes += RECORD_HEADER_BYTES + 8;
    }
    for key in &inner.states_pending {
        bytes += RECORD_HEADER_BYTES + inner.state(*key).map_or(0, <[u8]>::len);
    }
    if inner.close_pending {
        bytes += RECORD_HEADER_BYTES;
    }
    bytes
}

/// Writes what a log has to say besides entries; returns the records.
fn put_small(out: &mut Filler<'_>, inner: &mut Inner, log: &Shared) -> u32 {
    let mut count = 0;
    if std::mem::take(&mut inner.open_pending) {
        put_open(out, log.number, &log.id, &inner.options.dir);
        count += 1;
    }
    if let Some(from) = inner.truncate_pending.take() {
        put_truncate(out, log.number, from);
        count += 1;
    }
    for key in std::mem::take(&mut inner.states_pending) {
        put_state(out, log.number, key, inner.state(key).unwrap_or_default());
        count += 1;
    }
    if std::mem::take(&mut inner.close_pending) {
        put_close(out, log.number);
        count += 1;
    }
    count
}

/// Writes a record with the entries from `range.start` to `range.end` (exclusive), headers and payloads of `bytes` in all.
pub(crate) fn put_range(
    out: &mut Filler<'_>,
    carry: Carry,
    (number, id): (LogNumber, &LogId),
    inner: &Inner,
    range: Range<Index>,
    bytes: usize,
) {
    let entries = || inner.tail.iter_from(range.start).take_while(|(index, _)| *index < range.end);
    put_entries(out, carry, number, (range.end.0 - range.start.0) as u32, bytes);
    for (index, meta) in entries() {
        out.bytes(&meta.header(index).encode(id, inner.tail.payload_slice(meta)));
    }
    for (_, meta) in entries() {
        out.bytes(inner.tail.payload_slice(meta));
    }
}
