//! A log's handle, and what it knows about itself in memory.
//!
//! Every change is made in memory at once and joins the next group commit; its [`Ticket`] comes back from
//! [`Store::durable`](crate::Store::durable) when it is durable (write-cached: written).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::{Rc, Weak};

use bytes::Bytes;
use ouzel_model::{Index, Offset, Term, Timestamp, buggify, planted};
use smallvec::SmallVec;

use crate::block::LogNumber;
use crate::cache::{Meta, NewMeta, Tail};
use crate::checkpoint::{Origin, SegmentRow};
use crate::codec::{Put, Reader};
use crate::entry::{BATCH_BYTES_MIN, Kind, LogId};
use crate::footer::{RunRow, TermRow};
use crate::store::Core;

/// A change of a log that joins a group commit: a counter of the log, from 1. They become durable in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// When an append's ticket comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendMode {
    /// When it is durable.
    Synced,
    /// When it is written; synced at `flush_bytes` or `flush_ms`. Source: `write.caching`.
    Cached,
}

/// The bytes of a payload, in parts that stand one behind the other.
pub type Parts = SmallVec<[Bytes; 1]>;

/// An entry to append.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The index behind the last one.
    pub index: Index,
    /// At least the term of the entry before.
    pub term: Term,
    /// The log's end: also for kinds that take no offset.
    pub base_offset: Offset,
    /// Last offset of a batch (inclusive); `base_offset - 1` for other kinds.
    pub last_offset: Offset,
    /// What it is.
    pub kind: Kind,
    /// The payload. A batch's base offset and leader epoch are stamped while it is copied.
    pub payload: Parts,
    /// Largest timestamp of a batch.
    pub max_timestamp: Timestamp,
}

/// Why an append was refused. Nothing of it was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendRefused {
    /// The disk is nearly full; resumes by itself.
    #[error("disk of {} has {free} bytes free, less than storage_min_free {threshold}", path.display())]
    Full {
        /// Data directory.
        path: PathBuf,
        /// Bytes free.
        free: u64,
        /// The limit below which appends are refused, bytes.
        threshold: u64,
    },
    /// An entry is larger than `journal_entry_bytes_max`.
    #[error("entry of {bytes} bytes is larger than journal_entry_bytes_max {max}")]
    TooLarge {
        /// Bytes of the entry.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// Too many bytes wait for a majority: they can't leave the journal.
    #[error("{bytes} uncommitted bytes, limit journal_pinned_max {max}")]
    Pinned {
        /// Bytes that wait.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// More bytes wait for write-back than memory may hold; retry later.
    #[error("{bytes} bytes in memory wait for write-back, limit {max}")]
    Busy {
        /// Bytes held.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// The log was removed or the store is closing.
    #[error("log is closed")]
    Closed,
}

/// Settings of a log. A recovered log has the store's until [`Store::attach`](crate::Store::attach).
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Below the data directory: `topics/<topic id>/<partition>`. Fixed when the log is created.
    pub dir: String,
    /// For the segment headers, for people: topic and partition.
    pub name: String,
    /// Segment roll size, bytes. Topic setting `segment.bytes`.
    pub segment_bytes: u64,
    /// Age at which the active segment is sealed, milliseconds. Topic setting `segment.ms`.
    pub segment_ms: i64,
}

impl LogOptions {
    /// Small segments in a random subset of simulated runs.
    pub(crate) fn shaken(mut self) -> LogOptions {
        self.segment_bytes = buggify!("segment 48 KiB", 0.4, self.segment_bytes.min(48 << 10), self.segment_bytes);
        self
    }
}

/// Gives the sections of a footer: key and bytes. Asked in the turn that builds the footer; each must say in its own bytes
/// up to which committed index it holds, and replay begins behind that.
pub type Sections = Rc<dyn Fn() -> Vec<(u8, Vec<u8>)>>;

/// A log of a store. Clones are one log. Owner shard only.
#[derive(Clone)]
pub struct Log(pub(crate) Rc<Shared>);

pub(crate) struct Shared {
    pub(crate) core: Weak<Core>,
    pub(crate) number: LogNumber,
    pub(crate) id: LogId,
    pub(crate) inner: RefCell<Inner>,
}

/// Keys of State records from here on are this crate's own.
pub(crate) const KEY_RESERVED: u8 = 0xf0;
/// The log start, i64.
pub(crate) const KEY_LOG_START: u8 = 0xf0;
/// The origin: everything up to it is gone.
pub(crate) const KEY_TRIM: u8 = 0xf1;
/// The origin after a restart elsewhere: everything the log held before is gone.
pub(crate) const KEY_RESET: u8 = 0xf2;
/// Text of the damage; empty: healed.
pub(crate) const KEY_DAMAGE: u8 = 0xf3;
/// Entries of this size that aren't batches are never refused.
const SMALL_BYTES_MAX: u64 = 64 << 10;
/// Largest value of a State record: states are rewritten in every checkpoint.
pub const STATE_BYTES_MAX: usize = 64 << 10;

/// A segment, as far as memory holds it.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) row: SegmentRow,
    /// Runs written since the newest footer.
    pub(crate) fresh: Vec<RunRow>,
    /// Running footers since the last that held all rows.
    pub(crate) chained: u32,
}

/// The state of a log in memory.
pub(crate) struct Inner {
    /// What its tickets carry; none before it is attached.
    pub(crate) token: Option<u64>,
    pub(crate) attached: bool,
    pub(crate) closed: bool,
    pub(crate) reserve: bool,
    pub(crate) options: LogOptions,
    pub(crate) sections: Option<Sections>,
    /// First index of the segment whose footer the durable checkpoint names: a start reads the sections there.
    pub(crate) sections_from: Index,
    pub(crate) origin: Origin,
    pub(crate) log_start: Offset,
    pub(crate) log_end: Offset,
    pub(crate) terms: Vec<TermRow>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) tail: Tail,
    pub(crate) committed: Index,
    /// Bytes of entries above `committed`.
    pub(crate) uncommitted_bytes: u64,
    pub(crate) states: Vec<(u8, Vec<u8>)>,
    pub(crate) damage: Option<String>,
    /// Last entry that stands in a block, built or older.
    pub(crate) journaled: Index,
    // What the next block has to say.
    pub(crate) queued: bool,
    pub(crate) wants_sync: bool,
    pub(crate) open_pending: bool,
    pub(crate) close_pending: bool,
    pub(crate) truncate_pending: Option<Index>,
    pub(crate) states_pending: SmallVec<[u8; 4]>,
    /// Changes that stand in no block yet: the ticket, and the last index that its block, or one before, must hold.
    pub(crate) tickets_pending: VecDeque<(Ticket, Index)>,
    pub(crate) next_ticket: u64,
    /// Highest ticket that came back and wasn't fetched; 0: none.
    pub(crate) ready: u64,
    /// Highest ticket that came back ever.
    pub(crate) returned: u64,
    pub(crate) last_append: ouzel_runtime::Instant,
    /// Segments to seal at the next write-back, asked for by retention or offload.
    pub(crate) seal_wanted: bool,
    /// Runs were written behind the newest footer.
    pub(crate) footer_due: bool,
    /// Grows when segments change outside write-back: a reset or a removal.
    pub(crate) generation: u64,
    /// Segment files below this offset go when the ticket `garbage_after` has come back.
    pub(crate) garbage_below: Option<Offset>,
    pub(crate) garbage_after: u64,
    /// Nothing is written back before that.
    pub(crate) garbage_due: bool,
}

impl Inner {
    pub(crate) fn last_index(&self) -> Index {
        Index(self.tail.end().0 - 1)
    }

    pub(crate) fn last_term(&self) -> Term {
        self.terms.last().map_or(self.origin.term, |row| row.term)
    }

    /// Last index that stands in a segment, or the origin.
    pub(crate) fn written(&self) -> Index {
        self.segments.last().map_or(self.origin.index, |s| Index(s.row.end_index.0 - 1))
    }

    /// End offset of the segments (exclusive).
    pub(crate) fn written_offset(&self) -> Offset {
        self.segments.last().map_or(self.origin.offset, |s| s.row.end_offset)
    }

    pub(crate) fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.origin.index {
            return Some(self.origin.term);
        }
        if index < self.origin.index || index > self.last_index() {
            return None;
        }
        let row = self.terms.partition_point(|row| row.index <= index).checked_sub(1)?;
        Some(self.terms[row].term)
    }

    /// Notes an entry's term in the table.
    pub(crate) fn note_term(&mut self, term: Term, index: Index, offset: Offset) {
        let last = self.last_term();
        assert!(term >= last, "term {term} of index {index} after term {last}");
        if term > last || self.terms.is_empty() {
            self.terms.push(TermRow { term, index, offset });
        }
    }

    /// How many segments lie wholly below the log start, and how many of them may go: with sections only those before the one whose
    /// footer keeps what is known of all of them.
    pub(crate) fn below_start(&self) -> (usize, usize) {
        let below = self.segments.partition_point(|s| s.row.sealed && s.row.end_offset <= self.log_start);
        let kept = self.segments.partition_point(|s| s.row.base_index < self.sections_from);
        (below, if self.sections.is_some() { below.min(kept) } else { below })
    }

    /// Entries that stand in the journal alone. Those without payload don't: the checkpoint holds them.
    pub(crate) fn needs_journal(&self) -> impl Iterator<Item = (Index, &Meta)> {
        self.tail.iter_from(self.written().next()).filter(|(_, m)| m.block > 0 && m.payload_len() > 0)
    }

    /// Whether the next block has something to say besides entries.
    pub(crate) fn has_small(&self) -> bool {
        self.open_pending || self.close_pending || self.truncate_pending.is_some() || !self.states_pending.is_empty()
    }

    pub(crate) fn state(&self, key: u8) -> Option<&[u8]> {
        self.states.iter().find(|(k, _)| *k == key).map(|(_, v)| &v[..])
    }

    pub(crate) fn put_state(&mut self, key: u8, value: Vec<u8>) {
        match self.states.iter_mut().find(|(k, _)| *k == key) {
            Some((_, held)) => *held = value,
            None => self.states.push((key, value)),
        }
    }

    /// Drops rows of terms that lie wholly below the first entry left.
    pub(crate) fn trim_terms(&mut self) {
        let first = self.origin.index.next();
        while self.terms.len() > 1 && self.terms[1].index <= first {
            self.terms.remove(0);
        }
    }
}

impl Origin {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(20);
        out.u64(self.index.0);
        out.u32(self.term.0);
        out.i64(self.offset.0);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Origin> {
        let mut r = Reader(bytes);
        Some(Origin { index: Index(r.u64()?), term: Term(r.u32()?), offset: Offset(r.i64()?) })
    }
}

impl Shared {
    pub(crate) fn core(&self) -> Rc<Core> {
        self.core.upgrade().expect("the store outlives its logs")
    }
}

impl Log {
    /// Whether appends go on below `storage_min_free`: for small internal logs, such as committed offsets.
    pub fn set_reserve(&self, reserve: bool) {
        self.0.inner.borrow_mut().reserve = reserve;
    }

    /// The id it was created with.
    pub fn id(&self) -> LogId {
        self.0.id
    }

    /// Appends entries behind the last one: copies the payloads into the log's chunk and joins the next group commit.
    /// At least one entry; indexes, terms and offsets must follow (asserted). Only batches, and what is larger than 64 KiB,
    /// are ever refused, but by a log that was removed.
    pub fn append(&self, entries: Vec<NewEntry>, mode: AppendMode) -> Result<Ticket, AppendRefused> {
        assert!(!entries.is_empty(), "an append has entries");
        let core = self.0.core();
        let mut inner = self.0.inner.borrow_mut();
        let bytes: u64 = entries.iter().flat_map(|e| &e.payload).map(|p| p.len() as u64).sum();
        if let Err(refused) = self.admit(&core, &inner, &entries, bytes) {
            core.metrics.appends_refused.add(1);
            return Err(refused);
        }
        core.metrics.append_bytes.add(bytes);
        for entry in entries {
            let len: usize = entry.payload.iter().map(Bytes::len).sum();
            assert_eq!(entry.index, inner.last_index().next(), "index of an append to {}", self.0.id);
            assert_eq!(entry.base_offset, inner.log_end, "base offset of an append to {}", self.0.id);
            let takes = entry.kind == Kind::Batch;
            assert!(!takes || (len >= BATCH_BYTES_MIN && entry.last_offset >= entry.base_offset), "a whole batch");
            assert!(entry.kind != Kind::Blank || len == 0, "a blank has no payload");
            inner.note_term(entry.term, entry.index, entry.base_offset);
            core.make_room(&self.0, &mut inner, len);
            let last_offset = if takes { entry.last_offset } else { Offset(entry.base_offset.0 - 1) };
            let new = NewMeta {
                index: entry.index,
                term: entry.term,
                kind: entry.kind,
                base_offset: entry.base_offset,
                last_offset,
                max_timestamp: if takes { entry.max_timestamp } else { Timestamp(i64::MIN) },
                block: 0,
            };
            inner.tail.push(new, &entry.payload);
            inner.log_end = last_offset.next();
        }
        inner.uncommitted_bytes += bytes;
        core.uncommitted_bytes.set(core.uncommitted_bytes.get() + bytes);
        inner.last_append = core.rt.now();
        Ok(self.change(&core, &mut inner, mode == AppendMode::Synced))
    }

    fn admit(&self, core: &Rc<Core>, inner: &Inner, entries: &[NewEntry], bytes: u64) -> Result<(), AppendRefused> {
        if inner.closed {
            return Err(AppendRefused::Closed);
        }
        // What keeps the group itself alive isn't held back: it is small and rare.
        if bytes <= SMALL_BYTES_MAX && entries.iter().all(|e| e.kind != Kind::Batch) {
            return Ok(());
        }
        if core.closing.get() {
            return Err(AppendRefused::Closed);
        }
        if !inner.reserve {
            core.admit_space(bytes)?;
        }
        let max = core.config.journal_entry_bytes_max;
        for entry in entries {
            let bytes = entry.payload.iter().map(|p| p.len() as u64).sum();
            if bytes > max {
                return Err(AppendRefused::TooLarge { bytes, max });
            }
        }
        core.admit_pinned(inner.uncommitted_bytes, bytes)?;
        core.admit_memory()
    }

    /// Gives a ticket to the change just made in memory and puts the log in line for the next block.
    pub(crate) fn change(&self, core: &Core, inner: &mut Inner, sync: bool) -> Ticket {
        inner.next_ticket += 1;
        let ticket = Ticket(inner.next_ticket);
        let last = inner.last_index();
        inner.tickets_pending.push_back((ticket, last));
        inner.wants_sync |= sync;
        core.journal.enqueue(&self.0, inner);
        ticket
    }

    /// Drops the suffix from `from` on (inclusive), which must not be committed (asserted).
    pub fn truncate(&self, from: Index) -> Ticket {
        let core = self.0.core();
        let mut inner = self.0.inner.borrow_mut();
        let inner = &mut *inner;
        assert!(from > inner.committed, "truncation from {from} at or below commit index {}", inner.committed);
        assert!(from > inner.written(), "truncation from {from} into a segment");
        if from <= inner.last_index() {
            let gone: u64 = inner.tail.iter_from(from).map(|(_, m)| m.payload_len() as u64).sum();
            if let Some(meta) = inner.tail.get(from) {
                inner.log_end = meta.base_offset;
            }
            inner.tail.truncate(from);
            while inner.terms.last().is_some_and(|row| row.index >= from) {
                inner.terms.pop();
            }
            inner.uncommitted_bytes -= gone;
            core.uncommitted_bytes.set(core.uncommitted_bytes.get() - gone);
            for (_, last) in &mut inner.tickets_pending {
                *last = planted!("26", *last, (*last).min(Index(from.0 - 1)));
            }
            if from <= inner.journaled {
                inner.journaled = Index(from.0 - 1);
                let cut = inner.truncate_pending.map_or(from, |earlier| earlier.min(from));
                inner.truncate_pending = Some(cut);
            }
        }
        self.change(&core, inner, true)
    }

    /// Sets a small value, e.g. a vote or a commit hint; the latest of each key is kept. `key` is below 0xf0 and the value
    /// at most [`STATE_BYTES_MAX`] (asserted). It may become durable before entries that were appended before it.
    pub fn set_state(&self, key: u8, value: Vec<u8>) -> Ticket {
        assert!(key < KEY_RESERVED, "state key {key:#x} is reserved");
        self.put_state(key, value)
    }

    pub(crate) fn put_state(&self, key: u8, value: Vec<u8>) -> Ticket {
        assert!(value.len() <= STATE_BYTES_MAX, "state value of {} bytes", value.len());
        let core = self.0.core();
        let mut inner = self.0.inner.borrow_mut();
        inner.put_state(key, value);
        if !inner.states_pending.contains(&key) {
            inner.states_pending.push(key);
        }
        self.change(&core, &mut inner, true)
    }

    /// The latest value of a key, durable or not.
    pub fn state(&self, key: u8) -> Option<Vec<u8>> {
        self.0.inner.borrow().state(key).map(<[u8]>::to_vec)
    }

    /// Says that entries up to `index` (inclusive) are committed: write-back may take them. Never moves back; at most the
    /// last index (asserted).
    pub fn committed(&self, index: Index) {
        let core = self.0.core();
        let mut inner = self.0.inner.borrow_mut();
        let inner = &mut *inner;
        assert!(index <= inner.last_index(), "commit index {index} behind the last index {}", inner.last_index());
        if index <= inner.committed {
            return;
        }
        let moved: u64 = inner
            .tail
            .iter_from(inner.committed.next())
            .take_while(|(i, _)| *i <= index)
            .map(|(_, m)| m.payload_len() as u64)
            .sum();
        inner.committed = index;
        inner.uncommitted_bytes -= moved;
        core.uncommitted_bytes.set(core.uncommitted_bytes.get() - moved);
        core.commit_moved();
    }

    /// Index of the first entry that is left; the next index of an empty log.
    pub fn first_index(&self) -> Index {
        self.0.inner.borrow().origin.index.next()
    }

    /// Index of the last entry; the one before the first in an empty log.
    pub fn last_index(&self) -> Index {
        self.0.inner.borrow().last_index()
    }

    /// Term of the last entry; of the last one that is gone in an empty log.
    pub fn last_term(&self) -> Term {
        self.0.inner.borrow().last_term()
    }

    /// Term of an entry, also of the last one that is gone; `None` below it and behind the end.
    pub fn term_at(&self, index: Index) -> Option<Term> {
        self.0.inner.borrow().term_at(index)
    }

    /// Commit index as told by [`committed`](Self::committed) (inclusive); after a start, the end of the segments.
    pub fn commit_index(&self) -> Index {
        self.0.inner.borrow().committed
    }

    /// First offset that may be read.
    pub fn log_start(&self) -> Offset {
        self.0.inner.borrow().log_start
    }

    /// Offset of the next record (exclusive end).
    pub fn log_end(&self) -> Offset {
        self.0.inner.borrow().log_end
    }

    /// The position that the log begins behind: what a start marker carries.
    pub fn origin(&self) -> Origin {
        self.0.inner.borrow().origin
    }

    /// Terms of the entries that are left, oldest first, with terms that have no batch.
    pub fn term_table(&self) -> Vec<TermRow> {
        self.0.inner.borrow().terms.clone()
    }

    /// Why this log may be incomplete below its end: a replica of it doesn't vote until it was healed. `None`: whole.
    pub fn damage(&self) -> Option<String> {
        self.0.inner.borrow().damage.clone()
    }

    /// Marks the log damaged (`Some`), or healed (`None`); kept over restarts.
    pub fn set_damage(&self, damage: Option<String>) -> Ticket {
        self.0.inner.borrow_mut().damage = damage.clone();
        self.put_state(KEY_DAMAGE, damage.unwrap_or_default().into_bytes())
    }

    /// The footer sections' source. Set it in the turn that attaches or creates the log, before it awaits.
    pub fn set_sections(&self, sections: Sections) {
        self.0.inner.borrow_mut().sections = Some(sections);
    }

    /// Highest ticket that came back.
    pub fn returned(&self) -> Ticket {
        Ticket(self.0.inner.borrow().returned)
    }

    /// Bytes of it on disk and in memory, payload only where it stands in memory alone.
    pub fn size_bytes(&self) -> u64 {
        let inner = self.0.inner.borrow();
        let segments: u64 = inner.segments.iter().map(|s| s.row.end_position).sum();
        let tail: u64 = inner.tail.iter_from(inner.written().next()).map(|(_, m)| m.payload_len() as u64).sum();
        segments + tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_log_fits_into_a_kibibyte() {
        let segment = size_of::<Segment>();
        let log = size_of::<Shared>();
        assert!(log + segment + size_of::<TermRow>() <= 1024, "{log} + {segment}");
    }
}
