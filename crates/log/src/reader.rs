//! Reading: from the tail in memory, else from segments by way of a bounded cache of runs.
//!
//! A run is read and checked as a whole, once per load, however many fetches it serves. Catch-up readers have their own
//! cache, read-ahead and direct I/O on sealed segments, so they don't push out the tail.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::rc::Rc;

use bytes::Bytes;
use ouzel_model::{Index, Offset, Term, Timestamp, planted, reached};
use ouzel_runtime::{Class, File, Open, Runtime};

use crate::block::LogNumber;
use crate::checkpoint::SegmentRow;
use crate::codec::{PAGE, align};
use crate::entry::Kind;
use crate::footer::{Footer, RunRow};
use crate::log::{Log, Shared};
use crate::segment::{RUN_HEADER_BYTES, Run, RunHeader, SEGMENT_HEADER_BYTES, file_name};
use crate::store::{Core, StoreConfig};

/// Bounds of a read.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimit {
    /// Bytes of batches.
    pub max_bytes: usize,
    /// Exclusive: no batch that reaches to or over this offset.
    pub end: Offset,
    /// Give the first batch even if it is larger than `max_bytes`.
    pub at_least_one: bool,
}

/// Whole batches, as they were appended.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The bytes, one slice per contiguous run.
    pub slices: Vec<Bytes>,
    /// Base offset of the first batch, at or below the offset asked for; `None` when there is none.
    pub first: Option<Offset>,
    /// The offset to go on from (exclusive end of what was read); the one asked for when nothing was.
    pub next: Option<Offset>,
    /// Bytes in all.
    pub bytes: usize,
}

/// An entry of any kind.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Place in the log.
    pub index: Index,
    /// Term of its leader.
    pub term: Term,
    /// What it is.
    pub kind: Kind,
    /// First offset of a batch; of other kinds the next batch's.
    pub base_offset: Offset,
    /// Last offset of a batch (inclusive); `base_offset - 1` of other kinds.
    pub last_offset: Offset,
    /// The payload.
    pub payload: Bytes,
}

/// A batch that answers a question about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeHit {
    /// Largest timestamp of its records.
    pub max_timestamp: Timestamp,
    /// Its first offset.
    pub base_offset: Offset,
    /// Its last offset (inclusive).
    pub last_offset: Offset,
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Below the log start or behind the log end.
    #[error("offset {from} is outside {start} to {end}")]
    OutOfRange {
        /// Asked for.
        from: Offset,
        /// Log start.
        start: Offset,
        /// Log end (exclusive).
        end: Offset,
    },
    /// The entries are no longer there: they lie at or below the origin.
    #[error("index {from} is trimmed, the log begins behind {origin}")]
    Trimmed {
        /// Asked for.
        from: Index,
        /// Last index that is gone.
        origin: Index,
    },
    /// What stands on disk fails its checksum or isn't what belongs there. Nothing of it was served.
    #[error("{} at {position}: {reason}", path.display())]
    Bad {
        /// The segment file.
        path: PathBuf,
        /// Byte position.
        position: u64,
        /// What is wrong.
        reason: String,
    },
    /// The disk failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The segment file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}

type RunKey = (LogNumber, i64, u64);
/// A segment's end position when its rows were read, and the rows.
type Table = (u64, Rc<Vec<RunRow>>);

/// Caches of everything that is read from segments.
pub(crate) struct Reads {
    runs: RefCell<Lru<RunKey, Rc<Run>>>,
    tables: RefCell<Lru<(LogNumber, i64), Table>>,
    pub(crate) files: RefCell<Lru<(LogNumber, i64, bool), File>>,
    loading: RefCell<BTreeSet<RunKey>>,
}

/// Rows of run tables that stay in memory.
const TABLE_ROWS_MAX: u64 = 256 << 10;

impl Reads {
    pub(crate) fn new(_rt: &Runtime, config: &StoreConfig) -> Reads {
        Reads {
            runs: RefCell::new(Lru::new(config.block_cache_bytes_max)),
            tables: RefCell::new(Lru::new(TABLE_ROWS_MAX)),
            files: RefCell::new(Lru::new(config.files_open_max.max(1) as u64)),
            loading: RefCell::default(),
        }
    }

    /// Forgets everything about a log's segments.
    pub(crate) fn forget(&self, log: LogNumber) {
        self.runs.borrow_mut().retain(|key| key.0 != log);
        self.tables.borrow_mut().retain(|key| key.0 != log);
        self.files.borrow_mut().retain(|key| key.0 != log);
    }
}

/// A map that drops what was used longest ago when it weighs more than it may.
pub(crate) struct Lru<K, V> {
    held: BTreeMap<K, (V, u64, u64)>,
    by_use: BTreeMap<u64, K>,
    clock: u64,
    weight: u64,
    max: u64,
}

impl<K: Ord + Copy, V: Clone> Lru<K, V> {
    fn new(max: u64) -> Lru<K, V> {
        Lru { held: BTreeMap::new(), by_use: BTreeMap::new(), clock: 0, weight: 0, max }
    }

    pub(crate) fn get(&mut self, key: K) -> Option<V> {
        let (value, used, _) = self.held.get_mut(&key)?;
        self.clock += 1;
        self.by_use.remove(used);
        *used = self.clock;
        self.by_use.insert(self.clock, key);
        Some(value.clone())
    }

    pub(crate) fn put(&mut self, key: K, value: V, weight: u64) {
        self.remove(key);
        if weight > self.max {
            return;
        }
        self.clock += 1;
        self.weight += weight;
        self.held.insert(key, (value, self.clock, weight));
        self.by_use.insert(self.clock, key);
        while self.weight > self.max {
            let Some((_, oldest)) = self.by_use.pop_first() else { return };
            if let Some((_, _, weight)) = self.held.remove(&oldest) {
                self.weight -= weight;
            }
        }
    }

    pub(crate) fn remove(&mut self, key: K) {
        if let Some((_, used, weight)) = self.held.remove(&key) {
            self.by_use.remove(&used);
            self.weight -= weight;
        }
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        let gone: Vec<K> = self.held.keys().filter(|key| !keep(key)).copied().collect();
        gone.into_iter().for_each(|key| self.remove(key));
    }

    fn contains(&self, key: &K) -> bool {
        self.held.contains_key(key)
    }
}

impl Log {
    /// What memory alone can answer: `None` when segments are needed. An offset at the log's end reads nothing.
    pub fn read_cached(&self, from: Offset, limit: ReadLimit) -> Result<Option<Read>, ReadError> {
        let inner = self.0.inner.borrow();
        if from < inner.log_start || from > inner.log_end {
            return Err(ReadError::OutOfRange { from, start: inner.log_start, end: inner.log_end });
        }
        if from == inner.log_end {
            return Ok(Some(Read { next: Some(from), ..Read::default() }));
        }
        if inner.tail.first_offset().is_none_or(|first| from < first) {
            return Ok(None);
        }
        let at = inner.tail.find(from);
        let found = inner.tail.slices(at, limit.max_bytes, limit.end, limit.at_least_one);
        let next = found.next.or(Some(from));
        Ok(Some(Read { slices: found.slices, first: found.first, next, bytes: found.bytes }))
    }

    /// Whole batches from the one that holds `from` on. It may give less than it could: go on from `next`.
    pub async fn read(&self, from: Offset, limit: ReadLimit) -> Result<Read, ReadError> {
        if let Some(read) = self.read_cached(from, limit)? {
            return Ok(read);
        }
        let core = self.0.core();
        let Some(segment) = self.segment_of(|s| s.end_offset > from) else {
            return Ok(Read { next: Some(from), ..Read::default() });
        };
        let read = core.read_segment(&self.0, &segment, from, limit).await;
        match read {
            // The segment was trimmed while it was read.
            Err(_) if self.log_start() > from => {
                Err(ReadError::OutOfRange { from, start: self.log_start(), end: self.log_end() })
            }
            read => read,
        }
    }

    fn segment_of(&self, wanted: impl Fn(&SegmentRow) -> bool) -> Option<SegmentRow> {
        let inner = self.0.inner.borrow();
        let at = inner.segments.partition_point(|s| !wanted(&s.row));
        inner.segments.get(at).map(|s| s.row)
    }

    /// Entries of every kind from `from` (inclusive) to `to` (exclusive), at least one if there is one, about `max_bytes`
    /// of payload. May give less than it could: go on behind the last.
    pub async fn entries(&self, from: Index, to: Index, max_bytes: usize) -> Result<Vec<Entry>, ReadError> {
        {
            let inner = self.0.inner.borrow();
            if from <= inner.origin.index {
                return Err(ReadError::Trimmed { from, origin: inner.origin.index });
            }
            if from >= inner.tail.first() {
                let (mut out, mut bytes) = (Vec::new(), 0);
                for (index, meta) in inner.tail.iter_from(from).take_while(|(index, _)| *index < to) {
                    bytes += meta.payload_len();
                    if bytes > max_bytes && !out.is_empty() {
                        break;
                    }
                    out.push(Entry {
                        index,
                        term: meta.term,
                        kind: meta.kind,
                        base_offset: meta.base_offset,
                        last_offset: meta.last_offset,
                        payload: inner.tail.payload(meta),
                    });
                }
                return Ok(out);
            }
        }
        let core = self.0.core();
        let Some(segment) = self.segment_of(|s| s.end_index > from) else { return Ok(Vec::new()) };
        let rows = core.table(&self.0, &segment).await?;
        let at = rows.partition_point(|row| row.first_index <= from).saturating_sub(1);
        let Some(row) = rows.get(at) else { return Ok(Vec::new()) };
        let run = core.run(&self.0, &segment, row).await?;
        let (mut out, mut bytes) = (Vec::new(), 0);
        for entry in run.entries.iter().filter(|e| e.header.index >= from && e.header.index < to) {
            bytes += entry.payload.len();
            if bytes > max_bytes && !out.is_empty() {
                break;
            }
            out.push(Entry {
                index: entry.header.index,
                term: entry.header.term,
                kind: entry.header.kind,
                base_offset: entry.header.base_offset,
                last_offset: entry.last_offset,
                payload: run.bytes.slice(entry.payload.clone()),
            });
        }
        Ok(out)
    }

    /// The first batch whose largest timestamp is at or behind `time`, among batches that end below `end` (exclusive).
    pub async fn offset_for_time(&self, time: Timestamp, end: Offset) -> Result<Option<TimeHit>, ReadError> {
        self.scan_time(end, |max| max >= time, |hit, best| best.is_none() && hit.max_timestamp >= time).await
    }

    /// The batch with the largest timestamp, the first of equals, among batches that end below `end` (exclusive).
    pub async fn max_timestamp(&self, end: Offset) -> Result<Option<TimeHit>, ReadError> {
        let highest = std::cell::Cell::new(crate::recovery::NO_TIMESTAMP);
        let better = |hit: &TimeHit, best: Option<&TimeHit>| {
            let better = best.is_none_or(|b| hit.max_timestamp > b.max_timestamp);
            if better {
                highest.set(hit.max_timestamp);
            }
            better
        };
        self.scan_time(end, |max| max > highest.get(), better).await
    }

    /// Looks at batches in order, skipping segments and runs whose largest timestamp can't matter.
    async fn scan_time(
        &self,
        end: Offset,
        may_matter: impl Fn(Timestamp) -> bool,
        better: impl Fn(&TimeHit, Option<&TimeHit>) -> bool,
    ) -> Result<Option<TimeHit>, ReadError> {
        let core = self.0.core();
        let mut best: Option<TimeHit> = None;
        let (start, segments): (Offset, Vec<SegmentRow>) = {
            let inner = self.0.inner.borrow();
            (inner.log_start, inner.segments.iter().map(|s| s.row).collect())
        };
        let mut seen = start;
        for segment in segments.iter().filter(|s| s.end_offset > start && s.base_offset < end) {
            seen = segment.end_offset;
            if !may_matter(segment.max_timestamp) {
                continue;
            }
            for row in core.table(&self.0, segment).await?.iter() {
                if row.base_offset >= end || !may_matter(row.max_timestamp) {
                    continue;
                }
                let run = core.run(&self.0, segment, row).await?;
                for entry in run.entries.iter().filter(|e| e.header.kind == Kind::Batch) {
                    let hit = TimeHit {
                        max_timestamp: entry.max_timestamp,
                        base_offset: entry.header.base_offset,
                        last_offset: entry.last_offset,
                    };
                    if hit.last_offset >= start && hit.last_offset < end && better(&hit, best.as_ref()) {
                        best = Some(hit);
                    }
                }
            }
        }
        let inner = self.0.inner.borrow();
        for (_, meta) in inner.tail.iter_from(inner.tail.first()).filter(|(_, m)| m.kind == Kind::Batch) {
            let hit = TimeHit {
                max_timestamp: meta.max_timestamp,
                base_offset: meta.base_offset,
                last_offset: meta.last_offset,
            };
            if meta.base_offset >= seen
                && hit.last_offset >= start
                && hit.last_offset < end
                && better(&hit, best.as_ref())
            {
                best = Some(hit);
            }
        }
        Ok(best)
    }

    /// Sections of the newest footer: what [`Log::set_sections`] gave at the last write-back. Empty without one.
    pub async fn recovered_sections(&self) -> Result<Vec<(u8, Vec<u8>)>, ReadError> {
        let core = self.0.core();
        let last = self.0.inner.borrow().segments.iter().rev().map(|s| s.row).find(|row| row.footer_length > 0);
        let Some(segment) = last else { return Ok(Vec::new()) };
        let footer = core.footer(&self.0, &segment, segment.footer_position, segment.footer_length).await?;
        match footer {
            Some(footer) => Ok(footer.sections),
            None => Err(core.bad(&self.0, &segment, segment.footer_position, "the footer fails its checksum".into())),
        }
    }
}

impl Core {
    /// The path of a log's file.
    pub(crate) fn log_dir(&self, log: &Shared) -> PathBuf {
        self.config.dir.join(&log.inner.borrow().options.dir)
    }

    fn segment_path(&self, log: &Shared, base: Offset) -> PathBuf {
        self.log_dir(log).join(file_name(base))
    }

    fn bad(&self, log: &Shared, segment: &SegmentRow, position: u64, reason: String) -> ReadError {
        reached!("bad bytes in a segment");
        self.metrics.bad_reads.add(1);
        let path = self.segment_path(log, segment.base_offset);
        tracing::error!(path = %path.display(), position, %reason, "segment can't be read");
        ReadError::Bad { path, position, reason }
    }

    /// An open descriptor of a segment; past the page cache for sealed ones.
    pub(crate) async fn segment_file(&self, log: &Shared, base: Offset, direct: bool) -> Result<File, ReadError> {
        let key = (log.number, base.0, direct);
        let held = self.reads.files.borrow_mut().get(key);
        if let Some(file) = held {
            return Ok(file);
        }
        let path = self.segment_path(log, base);
        let how = Open { direct, ..Open::default() };
        let file = self.rt.disk().open(&path, how).await.map_err(|source| ReadError::Io { path, source })?;
        self.reads.files.borrow_mut().put(key, file.clone(), 1);
        Ok(file)
    }

    /// Reads from a segment, zero-filled where the file ends early.
    async fn read_range(
        &self,
        log: &Shared,
        segment: &SegmentRow,
        position: u64,
        length: u64,
    ) -> Result<Bytes, ReadError> {
        let file = self.segment_file(log, segment.base_offset, segment.sealed).await?;
        let mut buf = self.rt.buffers().take(align(length) as usize);
        let len = buf.len();
        buf[..].fill(0);
        let (read, mut buf) = file.read_at(buf, position).await;
        let read = read.map_err(|source| {
            if source.kind() == ErrorKind::NotFound {
                reached!("segment gone while reading");
            }
            ReadError::Io { path: self.segment_path(log, segment.base_offset), source }
        })?;
        buf[read..len].fill(0);
        self.metrics.segment_read_bytes.add(read as u64);
        Ok(buf.into_bytes())
    }

    pub(crate) async fn footer(
        &self,
        log: &Shared,
        segment: &SegmentRow,
        position: u64,
        length: u32,
    ) -> Result<Option<Footer>, ReadError> {
        let bytes = self.read_range(log, segment, position, u64::from(length)).await?;
        Ok(Footer::decode(&log.id, &bytes))
    }

    /// The run table of a segment: by its chain of footers; where one is bad, by a scan of the runs.
    pub(crate) async fn table(&self, log: &Shared, segment: &SegmentRow) -> Result<Rc<Vec<RunRow>>, ReadError> {
        let key = (log.number, segment.base_offset.0);
        let held = self.reads.tables.borrow_mut().get(key).filter(|(end, _)| *end == segment.end_position);
        if let Some((_, rows)) = held {
            return Ok(rows);
        }
        let fresh = {
            let inner = log.inner.borrow();
            let at = inner.segments.iter().find(|s| s.row.base_offset == segment.base_offset);
            at.map_or_else(Vec::new, |s| s.fresh.clone())
        };
        let (mut parts, mut position, mut length) = (vec![fresh], segment.footer_position, segment.footer_length);
        while length > 0 {
            let Some(footer) = self.footer(log, segment, position, length).await? else {
                reached!("footer rebuilt by a scan");
                tracing::warn!(log = %log.id, position, "segment footer fails its checksum, scanning its runs");
                parts = vec![self.scan_runs(log, segment).await?];
                break;
            };
            if footer.previous >= position && footer.previous_length > 0 {
                return Err(self.bad(log, segment, position, "footers don't point backwards".into()));
            }
            (position, length) = (footer.previous, footer.previous_length);
            parts.push(footer.rows);
        }
        let rows: Vec<RunRow> =
            parts.into_iter().rev().flatten().filter(|r| r.position < segment.end_position).collect();
        let rows = Rc::new(rows);
        let weight = rows.len() as u64 + 1;
        self.reads.tables.borrow_mut().put(key, (segment.end_position, rows.clone()), weight);
        Ok(rows)
    }

    /// Builds the run table anew: an uncompacted segment's footer is derived. What is neither a run nor follows the one before
    /// is stepped over, and the runs that are left must make the segment: else a bad one would be missing without a word.
    pub(crate) async fn scan_runs(&self, log: &Shared, segment: &SegmentRow) -> Result<Vec<RunRow>, ReadError> {
        let (mut rows, mut position, mut next) = (Vec::new(), SEGMENT_HEADER_BYTES as u64, segment.base_index);
        while position < segment.end_position {
            let head = self.read_range(log, segment, position, PAGE as u64).await?;
            let left = segment.end_position - position;
            let header = RunHeader::decode(&head[..RUN_HEADER_BYTES])
                .filter(|header| header.length() <= left && header.first_index == next);
            let run = match header {
                Some(header) => {
                    Run::check(&log.id, self.read_range(log, segment, position, header.length()).await?).ok()
                }
                None => None,
            };
            let Some((header, run)) = header.zip(run) else {
                position += PAGE as u64;
                continue;
            };
            next = run.entries[run.entries.len() - 1].header.index.next();
            rows.push(row_of(&run, position, header.length() as u32));
            position += align(header.length());
        }
        if next != segment.end_index {
            let reason = format!("entries from {next} on, of {}, can't be found", segment.end_index);
            return Err(self.bad(log, segment, rows.last().map_or(0, |r| r.position), reason));
        }
        Ok(rows)
    }

    /// A run, checked, from the cache or the disk.
    pub(crate) async fn run(&self, log: &Shared, segment: &SegmentRow, row: &RunRow) -> Result<Rc<Run>, ReadError> {
        let key = (log.number, segment.base_offset.0, row.position);
        let held = self.reads.runs.borrow_mut().get(key);
        if let Some(run) = held {
            return Ok(run);
        }
        let bytes = self.read_range(log, segment, row.position, u64::from(row.length)).await?;
        let run =
            Run::check(&log.id, bytes).map_err(|error| self.bad(log, segment, row.position, error.to_string()))?;
        let first = &run.entries[0].header;
        let elsewhere = first.index != row.first_index || first.base_offset != row.base_offset;
        if planted!("27", false, elsewhere) {
            return Err(self.bad(log, segment, row.position, "another run stands here".into()));
        }
        let run = Rc::new(run);
        self.reads.runs.borrow_mut().put(key, run.clone(), u64::from(row.length));
        Ok(run)
    }

    async fn read_segment(
        self: &Rc<Core>,
        log: &Rc<Shared>,
        segment: &SegmentRow,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Read, ReadError> {
        let rows = self.table(log, segment).await?;
        let mut at = rows.partition_point(|row| row.base_offset <= from).saturating_sub(1);
        // A run without a batch has the base offset of the batch behind it: begin at the first of equals.
        while at > 0 && rows[at - 1].base_offset == rows[at].base_offset {
            at -= 1;
        }
        let mut out = Read::default();
        while let Some(row) = rows.get(at) {
            let run = self.run(log, segment, row).await?;
            let (mut slice, mut full) = (None::<std::ops::Range<usize>>, false);
            for entry in run.entries.iter().filter(|e| e.header.kind == Kind::Batch && e.last_offset >= from) {
                let len = entry.payload.len();
                let fits = out.bytes + len <= limit.max_bytes || (limit.at_least_one && out.first.is_none());
                if entry.last_offset >= limit.end || !fits {
                    full = true;
                    break;
                }
                let start = slice.map_or(entry.payload.start, |r| r.start);
                slice = Some(start..entry.payload.end);
                out.first.get_or_insert(entry.header.base_offset);
                out.next = Some(entry.last_offset.next());
                out.bytes += len;
            }
            let past_middle = slice.as_ref().is_some_and(|r| 2 * r.end > run.bytes.len());
            out.slices.extend(slice.map(|range| run.bytes.slice(range)));
            if past_middle && let Some(next) = rows.get(at + 1) {
                self.read_ahead(log, segment, next);
            }
            if full {
                break;
            }
            at += 1;
        }
        out.next = out.next.or(Some(from));
        Ok(out)
    }

    /// Loads a run in the background, for the reader that comes for it next.
    fn read_ahead(self: &Rc<Core>, log: &Rc<Shared>, segment: &SegmentRow, row: &RunRow) {
        let key = (log.number, segment.base_offset.0, row.position);
        let fits = u64::from(row.length) <= self.config.block_cache_bytes_max / 4;
        if !fits || self.reads.runs.borrow().contains(&key) || !self.reads.loading.borrow_mut().insert(key) {
            return;
        }
        let (core, log, segment, row) = (self.clone(), log.clone(), *segment, *row);
        self.spawn_beside(Class::CatchUp, async move {
            // An error is told to the reader that asks for the run itself.
            let _ = core.run(&log, &segment, &row).await;
            core.reads.loading.borrow_mut().remove(&key);
        });
    }
}

/// The table row of a run.
pub(crate) fn row_of(run: &Run, position: u64, length: u32) -> RunRow {
    let first = &run.entries[0].header;
    RunRow {
        first_index: first.index,
        base_offset: first.base_offset,
        position,
        length,
        entries: run.entries.len() as u32,
        max_timestamp: run.entries.iter().map(|e| e.max_timestamp).max().unwrap_or(crate::recovery::NO_TIMESTAMP),
    }
}
