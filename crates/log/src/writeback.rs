//! Moves committed entries from memory into segments, in large unsynced pieces, and frees journal files.
//!
//! One task does it all, so segments change in one place only. A round syncs the segments it wrote, copies forward what
//! can't be written back, writes the checkpoint that names it all, and only then gives journal files back to the ring.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use bytes::Bytes;
use ouzel_model::{Index, Offset, Term, Timestamp, planted, reached};
use ouzel_runtime::sync::{Latch, Notify, Semaphore};
use ouzel_runtime::{Durability, Duration, File, Open, select};

use crate::block::LogNumber;
use crate::checkpoint::{Checkpoint, LogState, SegmentRow, slot_path, write_slot};
use crate::codec::align;
use crate::entry::EntryHeader;
use crate::footer::{Footer, RunRow};
use crate::journal::file_path;
use crate::log::{Segment, Shared};
use crate::recovery::NO_TIMESTAMP;
use crate::ring::{FreeFile, Ring, RingFile, is_pinned};
use crate::segment::{RUN_BYTES_MAX, RunSize, SEGMENT_HEADER_BYTES, SegmentHeader, file_name, put_run};
use crate::store::Core;

/// A log without appends for this long gives its memory back.
const IDLE_AFTER: Duration = Duration::from_secs(10);
/// How often memory is looked at while any is held.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After an error that may pass, such as a full disk.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// More files than this become durable by one syncfs.
const SYNC_EACH_MAX: usize = 32;
/// A running footer holds all rows after this many that hold only the new ones.
const FOOTER_CHAIN_MAX: u32 = 16;

pub(crate) struct Writeback {
    /// There is work.
    pub(crate) wanted: Notify,
    /// A round has ended.
    pub(crate) rounds: Notify,
    /// A round couldn't free what it wanted: the next commit calls again.
    pub(crate) starved: Cell<bool>,
    /// Of the newest checkpoint.
    sequence: Cell<u64>,
    /// Segments written since the last sync, and directories that got a name.
    unsynced: RefCell<BTreeMap<(LogNumber, i64), File>>,
    dirs: RefCell<BTreeSet<PathBuf>>,
    /// Held by who writes segments or the checkpoint.
    pub(crate) busy: Semaphore,
    stop: Latch,
    /// Ring epoch at the last round for reuse.
    epoch: Cell<u64>,
    /// Take all older journal files out of use: one of them holds a bad block.
    pub(crate) renew: Cell<bool>,
    /// Files wait to be deleted until a record is durable.
    pub(crate) garbage: Cell<bool>,
    /// The disk had no room for what would free the journal, at the last try.
    pub(crate) no_room: Cell<bool>,
}

impl Writeback {
    pub(crate) fn new(sequence: u64) -> Writeback {
        Writeback {
            wanted: Notify::new(),
            rounds: Notify::new(),
            starved: Cell::new(false),
            sequence: Cell::new(sequence),
            unsynced: RefCell::default(),
            dirs: RefCell::default(),
            busy: Semaphore::new(1),
            stop: Latch::new(),
            epoch: Cell::new(0),
            renew: Cell::new(false),
            garbage: Cell::new(false),
            no_room: Cell::new(false),
        }
    }
}

impl Writeback {
    /// Drops what waits for a sync of a log that is gone.
    pub(crate) fn forget(&self, log: LogNumber, dir: &std::path::Path) {
        self.unsynced.borrow_mut().retain(|(number, _), _| *number != log);
        self.dirs.borrow_mut().retain(|d| !d.starts_with(dir));
    }

    /// Lets go of a segment that is deleted.
    pub(crate) fn forget_segment(&self, key: (LogNumber, i64)) {
        self.unsynced.borrow_mut().remove(&key);
    }
}

impl Core {
    /// Calls write-back when the ring is half full and has begun a file since the last round.
    pub(crate) fn watch_ring(&self) {
        let ring = self.journal.ring.borrow();
        if ring.half_full() && self.writeback.epoch.replace(ring.epoch) != ring.epoch {
            self.writeback.wanted.notify_one();
        }
    }

    pub(crate) async fn writeback_loop(self: Rc<Core>) {
        while !self.writeback.stop.is_set() {
            let pause = if self.memory.bytes() > 0 { LOOK_EVERY } else { self.next_seal() };
            select! {
                () = self.writeback.stop.wait() => return,
                () = self.writeback.wanted.notified() => {},
                () = self.rt.sleep(pause) => {},
            }
            let busy = self.writeback.busy.acquire(1).await;
            self.metrics.chunk_bytes.set(self.memory.bytes() as i64);
            self.metrics.uncommitted_bytes.set(self.uncommitted_bytes.get() as i64);
            let round = self.round().await;
            drop(busy);
            self.writeback.rounds.notify_all();
            match round {
                Ok(()) => self.writeback.no_room.set(false),
                Err(error) => {
                    self.judge(error).await;
                    self.rt.sleep(RETRY_AFTER).await;
                    self.writeback.wanted.notify_one();
                }
            }
        }
    }

    /// A full disk passes; any other error of a write or sync that durability rests on ends the broker.
    async fn judge(&self, error: io::Error) {
        if error.kind() == io::ErrorKind::StorageFull {
            reached!("write-back on a full disk");
            tracing::warn!(%error, "write-back waits for space");
            self.lacks_room();
        } else {
            self.fail(format!("write-back failed: {error}")).await;
        }
    }

    /// The disk is too full for what would free the journal.
    pub(crate) fn lacks_room(&self) {
        self.writeback.no_room.set(true);
        self.journal.progress.notify_all();
    }

    /// Resolves when the disk has no room for what would free the journal, and no block is on its way.
    pub(crate) async fn jammed(&self) {
        while !self.writeback.no_room.get() || !self.journal.ring.borrow().in_flight.is_empty() {
            self.journal.progress.notified().await;
        }
    }

    /// Waits for the round that runs, and lets no other begin.
    pub(crate) async fn stop_writeback(&self) {
        self.writeback.stop.set();
        drop(self.writeback.busy.acquire(1).await);
    }

    async fn round(self: &Rc<Core>) -> io::Result<()> {
        // What makes room comes before what takes it.
        self.collect_garbage().await?;
        self.trim_all();
        self.relieve_memory().await?;
        self.seal_due().await?;
        self.trim_all();
        self.keep_sections().await?;
        let mut looks = 0;
        while self.journal.ring.borrow().half_full() && looks < 4 {
            looks += 1;
            if !self.free_files(false).await? {
                break;
            }
        }
        if self.may_pass() && self.writeback.renew.take() {
            reached!("journal renewed after damage");
            self.free_files(true).await?;
        }
        self.release_idle().await?;
        self.memory.tidy(&self.logs.borrow());
        Ok(())
    }

    fn all_logs(&self) -> Vec<Rc<Shared>> {
        self.logs.borrow().values().cloned().collect()
    }

    /// Writes back and evicts until the tails fit into their memory: oldest chunks first.
    async fn relieve_memory(self: &Rc<Core>) -> io::Result<()> {
        if self.memory.bytes() <= self.config.chunk_bytes_max / 8 * 7 {
            return Ok(());
        }
        reached!("write-back for memory");
        let order = self.memory.oldest_first();
        let (mut seen, before) = (BTreeSet::new(), self.memory.bytes());
        for number in order {
            if self.memory.bytes() <= self.config.chunk_bytes_max / 4 * 3 {
                break;
            }
            let log = self.logs.borrow().get(&number).cloned();
            if let Some(log) = log.filter(|_| seen.insert(number)) {
                self.write_back(&log, false).await?;
                self.evict_log(&log, false);
            }
        }
        if self.memory.bytes() >= before {
            // All of it waits for a majority: don't look again at every append.
            self.writeback.starved.set(true);
            self.rt.sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Where segments are to go: has the checkpoint name a footer behind them, for it keeps the sections, such as the producers, of all that
    /// was before it. Where none is left behind them, an empty segment is begun.
    async fn keep_sections(self: &Rc<Core>) -> io::Result<()> {
        let mut due = false;
        for log in self.all_logs() {
            let (first, generation) = {
                let inner = log.inner.borrow();
                let (below, gone) = inner.below_start();
                if below == gone || !inner.attached {
                    continue;
                }
                due = true;
                let last = inner.segments.last().filter(|_| below == inner.segments.len()).map(|s| s.row);
                (last.map(|row| (row.end_index, row.end_offset, row.last_term)), inner.generation)
            };
            if let Some(first) = first {
                reached!("empty segment keeps the sections");
                self.create_segment(&log, first, generation, self.rt.wall_clock()).await?;
                let mut inner = log.inner.borrow_mut();
                inner.footer_due |= inner.generation == generation;
            }
        }
        if due {
            self.checkpoint().await;
            self.trim_all();
        }
        Ok(())
    }

    /// Gives back the memory of logs that were idle for a while.
    async fn release_idle(self: &Rc<Core>) -> io::Result<()> {
        let now = self.rt.now();
        for log in self.all_logs() {
            let idle = {
                let inner = log.inner.borrow();
                inner.tail.chunk_count() > 0 && now.duration_since(inner.last_append) >= IDLE_AFTER
            };
            if idle {
                self.write_back(&log, true).await?;
                self.evict_log(&log, true);
            }
        }
        Ok(())
    }

    /// One lap's work: takes the oldest files out of use, or all older ones. False when nothing could be freed.
    async fn free_files(self: &Rc<Core>, all: bool) -> io::Result<bool> {
        let upto = {
            let ring = self.journal.ring.borrow();
            // All but the one that is written to, or enough to fall below half.
            let others = ring.files.len().saturating_sub(1);
            let half = (ring.files.len() + 1).saturating_sub(ring.files_max / 2).clamp(1, others.max(1));
            let spare = if all { others } else { half };
            match spare.checked_sub(1).and_then(|at| ring.files.get(at)).filter(|_| others > 0) {
                Some(file) => file.last,
                None => return Ok(false),
            }
        };
        reached!("write-back for reuse");
        let mut pinned = false;
        for log in self.all_logs().into_iter().filter(|log| is_pinned(log, upto)) {
            self.write_back(&log, false).await?;
            if is_pinned(&log, upto) {
                pinned = true;
                self.journal.copy_forward(log.clone(), upto);
            }
            self.rt.yield_now().await;
        }
        if pinned {
            self.journal.copied_forward().await;
        }
        self.writeback.starved.set(pinned);
        Ok(self.checkpoint().await > 0)
    }

    /// Makes what was written to segments durable, writes the checkpoint that names it, and frees the journal files that
    /// nobody needs any more. Returns how many.
    pub(crate) async fn checkpoint(self: &Rc<Core>) -> usize {
        match self.try_checkpoint().await {
            Ok(freed) => freed,
            Err(error) => {
                self.judge(error).await;
                0
            }
        }
    }

    async fn try_checkpoint(self: &Rc<Core>) -> io::Result<usize> {
        if !self.may_pass() {
            return Ok(0);
        }
        for log in self.all_logs() {
            self.write_footer(&log, false).await?;
        }
        planted!("D2", (), self.sync_segments().await?);
        let Some(mut checkpoint) = self.journal.capture().await else { return Ok(0) };
        self.journal.durable(self, checkpoint.block).await;
        checkpoint.sequence = self.writeback.sequence.get() + 1;
        let bytes = checkpoint.encode(&self.config.seed(), self.config.layout);
        let path = slot_path(&self.config.shard_dir(), checkpoint.sequence);
        planted!("D4", (), write_slot(&self.rt, &path, bytes).await?);
        self.writeback.sequence.set(checkpoint.sequence);
        for state in &checkpoint.logs {
            let named = state.segments.iter().rev().find(|row| row.footer_length > 0);
            if let (Some(row), Some(log)) = (named, self.logs.borrow().get(&state.number)) {
                log.inner.borrow_mut().sections_from = row.base_index;
            }
        }
        self.metrics.checkpoints.add(1);
        self.metrics.journal_files.set(self.journal.ring.borrow().files.len() as i64);
        let files = self.journal.ring.borrow_mut().take_unneeded(checkpoint.replay_from);
        let freed = files.len();
        let mut given_back = Ok(());
        for file in files {
            // One that can't be set aside or unlinked mustn't take the others along.
            given_back = given_back.and(self.free_file(file).await);
        }
        self.journal.wake.notify_one();
        given_back.map(|()| freed)
    }

    async fn free_file(&self, file: RingFile) -> io::Result<()> {
        let dir = self.journal.ring.borrow().dir.clone();
        let path = file_path(&dir, file.name);
        if file.keep {
            let aside = dir.join(format!("bad-{:06}-{}", file.name, self.rt.wall_clock().0));
            self.rt.disk().rename(&path, &aside).await?;
            self.rt.disk().sync_dir(&dir).await?;
            tracing::error!(path = %aside.display(), "journal file with bad blocks was set aside");
            return Ok(());
        }
        let surplus = {
            let ring = self.journal.ring.borrow();
            ring.files.len() + ring.free.len() >= ring.files_max
        };
        if file.own || surplus {
            drop(file.file);
            return self.rt.disk().remove_file(&path).await;
        }
        let free = FreeFile { name: file.name, file: file.file, bytes: file.bytes, own: false };
        self.journal.ring.borrow_mut().free.push_back(free);
        Ok(())
    }

    async fn sync_segments(&self) -> io::Result<()> {
        let files = std::mem::take(&mut *self.writeback.unsynced.borrow_mut());
        let dirs = std::mem::take(&mut *self.writeback.dirs.borrow_mut());
        if files.len() + dirs.len() > SYNC_EACH_MAX {
            // Names too: it covers all that was completed before.
            reached!("one syncfs for many segments");
            return self.rt.disk().sync_all(&self.config.dir).await.map_err(fatal);
        }
        for file in files.values() {
            file.datasync().await.map_err(fatal)?;
        }
        for dir in planted!("25", BTreeSet::new(), dirs) {
            self.rt.disk().sync_dir(&dir).await.map_err(fatal)?;
        }
        Ok(())
    }

    /// Writes all committed entries of a log that stand in a block into its active segment, unsynced. Entries without
    /// payload alone aren't worth a block of the disk, unless they keep a chunk (`blanks_too`).
    pub(crate) async fn write_back(self: &Rc<Core>, log: &Rc<Shared>, blanks_too: bool) -> io::Result<()> {
        loop {
            let Some(run) = gather(log, blanks_too) else { return Ok(()) };
            self.roll(log, &run).await?;
            self.write_run(log, run).await?;
            if self.writeback.unsynced.borrow().len() > (self.config.files_open_max / 2).max(SYNC_EACH_MAX) {
                self.sync_segments().await?;
            }
            self.rt.yield_now().await;
        }
    }

    /// Begins a segment when there is none, or when the active one is full, too old, or to be sealed.
    async fn roll(self: &Rc<Core>, log: &Rc<Shared>, run: &Gathered) -> io::Result<()> {
        let now = self.rt.wall_clock();
        let full = {
            let inner = log.inner.borrow();
            match inner.segments.last() {
                None => true,
                Some(active) if active.row.sealed => true,
                Some(active) => {
                    let too_large = active.row.end_position + run.size.padded() as u64 > inner.options.segment_bytes;
                    let too_old = now.millis_since(active.row.append_time_min) >= inner.options.segment_ms;
                    // A segment's name is its base offset: one without a batch can't have a successor.
                    active.row.end_offset > active.row.base_offset && (too_large || too_old || inner.seal_wanted)
                }
            }
        };
        if !full {
            return Ok(());
        }
        self.seal(log).await?;
        let first = run.entries[0].0;
        self.create_segment(log, (first.index, first.base_offset, first.term), run.generation, now).await
    }

    /// Begins a segment at an index, an offset and a term, unless the log was reset since.
    async fn create_segment(
        &self,
        log: &Rc<Shared>,
        (base_index, base_offset, term): (Index, Offset, Term),
        generation: u64,
        now: Timestamp,
    ) -> io::Result<()> {
        let (dir, name) = {
            let inner = log.inner.borrow();
            if inner.generation != generation {
                return Ok(());
            }
            (self.config.dir.join(&inner.options.dir), inner.options.name.clone())
        };
        self.rt.disk().create_dir_all(&dir).await?;
        let path = dir.join(file_name(base_offset));
        let file = self.rt.disk().open(&path, Open { create: true, ..Open::default() }).await?;
        let header = SegmentHeader { log: log.id, base_index, base_offset, first_term: term, created: now, name };
        let mut buf = self.rt.buffers().take(SEGMENT_HEADER_BYTES);
        header.encode(&mut buf);
        file.write_at(buf, 0, Durability::None).await.0?;
        let mut parent = Some(dir.as_path());
        while let Some(dir) = parent.filter(|d| d.starts_with(&self.config.dir)) {
            self.writeback.dirs.borrow_mut().insert(dir.to_owned());
            parent = dir.parent();
        }
        let mut inner = log.inner.borrow_mut();
        if inner.generation != generation {
            return Ok(());
        }
        let key = (log.number, base_offset.0);
        self.writeback.unsynced.borrow_mut().insert(key, file.clone());
        self.reads.files.borrow_mut().put((key.0, key.1, false), file, 1);
        let row = SegmentRow {
            base_index,
            base_offset,
            end_index: base_index,
            end_offset: base_offset,
            end_position: SEGMENT_HEADER_BYTES as u64,
            footer_position: 0,
            footer_length: 0,
            sealed: false,
            last_term: term,
            max_timestamp: NO_TIMESTAMP,
            append_time_min: now,
            append_time_max: now,
        };
        inner.segments.push(Segment { row, fresh: Vec::new(), chained: 0 });
        Ok(())
    }

    /// The descriptor that a segment is written with, kept until it is synced.
    async fn writer(&self, log: &Shared, base: Offset) -> io::Result<File> {
        let held = self.writeback.unsynced.borrow().get(&(log.number, base.0)).cloned();
        if let Some(file) = held {
            return Ok(file);
        }
        let file = self.segment_file(log, base, false).await.map_err(io::Error::other)?;
        self.writeback.unsynced.borrow_mut().insert((log.number, base.0), file.clone());
        Ok(file)
    }

    async fn write_run(self: &Rc<Core>, log: &Rc<Shared>, run: Gathered) -> io::Result<()> {
        let Some((base, position)) = ({
            let inner = log.inner.borrow();
            let active = inner.segments.last().filter(|_| inner.generation == run.generation);
            active.map(|s| (s.row.base_offset, s.row.end_position))
        }) else {
            return Ok(());
        };
        let mut buf = self.rt.buffers().take(run.size.padded());
        put_run(&mut buf, &log.id, run.size, &run.entries);
        let file = self.writer(log, base).await?;
        let padded = buf.len() as u64;
        let written = file.write_at(buf, position, Durability::None).await.0;
        planted!("53-lost", (), written?);
        self.metrics.writeback_bytes.add(padded);
        let now = self.rt.wall_clock();
        let mut inner = log.inner.borrow_mut();
        if inner.generation != run.generation {
            reached!("log was reset during write-back");
            return Ok(());
        }
        inner.footer_due = true;
        let active = inner.segments.last_mut().expect("the same segment as before");
        let (first, last) = (run.entries[0].0, run.entries[run.entries.len() - 1].0);
        active.fresh.push(RunRow {
            first_index: first.index,
            base_offset: first.base_offset,
            position,
            length: (crate::segment::RUN_HEADER_BYTES + run.size.payload_bytes + run.size.table_bytes) as u32,
            entries: run.entries.len() as u32,
            max_timestamp: run.max_timestamp,
        });
        if active.row.end_index == active.row.base_index {
            active.row.append_time_min = now;
        }
        active.row.end_index = last.index.next();
        active.row.end_offset = run.end_offset;
        active.row.end_position = position + padded;
        active.row.last_term = last.term;
        active.row.max_timestamp = active.row.max_timestamp.max(run.max_timestamp);
        active.row.append_time_max = now;
        Ok(())
    }

    /// Writes a footer behind the runs that have none. The sealed one holds all rows; a running one those since the last.
    async fn write_footer(self: &Rc<Core>, log: &Rc<Shared>, seal: bool) -> io::Result<()> {
        let Some((segment, generation)) = ({
            let inner = log.inner.borrow();
            let due = inner.footer_due || seal;
            inner.segments.last().filter(|s| due && !s.row.sealed).map(|s| (s.clone(), inner.generation))
        }) else {
            return Ok(());
        };
        let wanted = seal || segment.chained >= FOOTER_CHAIN_MAX || segment.row.footer_length == 0;
        let table = if wanted { self.table(log, &segment.row).await.ok() } else { None };
        // Where older footers can't be read, the new one points to them: it needn't hold what they say.
        let whole = table.is_some();
        if wanted && !whole {
            reached!("footer chained to what can't be read");
        }
        let rows = table.map_or_else(|| segment.fresh.clone(), |rows| rows.as_ref().clone());
        let sections = log.inner.borrow().sections.clone();
        let sections = sections.map_or_else(Vec::new, |give| give());
        let row = segment.row;
        let terms = {
            let inner = log.inner.borrow();
            let below = inner.terms.partition_point(|t| t.index < row.end_index);
            let first = inner.terms.partition_point(|t| t.index <= row.base_index).saturating_sub(1);
            inner.terms[first.min(below)..below].to_vec()
        };
        let footer = Footer {
            sealed: seal,
            previous: if whole { 0 } else { row.footer_position },
            previous_length: if whole { 0 } else { row.footer_length },
            end_index: row.end_index,
            end_offset: row.end_offset,
            rows,
            terms,
            sections,
        };
        let bytes = footer.encode(&log.id);
        let length = bytes.len();
        let mut buf = self.rt.buffers().take(align(length as u64) as usize);
        buf[..length].copy_from_slice(&bytes);
        buf[length..].fill(0);
        let padded = buf.len() as u64;
        let file = self.writer(log, row.base_offset).await?;
        file.write_at(buf, row.end_position, Durability::None).await.0?;
        let mut inner = log.inner.borrow_mut();
        if inner.generation != generation {
            return Ok(());
        }
        inner.footer_due = false;
        let active = inner.segments.last_mut().expect("the same segment as before");
        active.row.footer_position = row.end_position;
        active.row.footer_length = length as u32;
        active.row.end_position = row.end_position + padded;
        active.row.sealed = seal;
        active.fresh = Vec::new();
        active.chained = if whole { 1 } else { active.chained + 1 };
        if seal {
            inner.seal_wanted = false;
            // What was read of it so far came through another descriptor and an older table.
            self.reads.files.borrow_mut().remove((log.number, row.base_offset.0, false));
        }
        Ok(())
    }

    /// Seals the active segment, if it holds a batch.
    pub(crate) async fn seal(self: &Rc<Core>, log: &Rc<Shared>) -> io::Result<()> {
        let holds = {
            let inner = log.inner.borrow();
            inner.segments.last().is_some_and(|s| !s.row.sealed && s.row.end_offset > s.row.base_offset)
        };
        if holds {
            reached!("segment sealed");
            self.write_footer(log, true).await?;
        }
        Ok(())
    }

    /// Seals what is too old or was asked for, in idle logs too.
    async fn seal_due(self: &Rc<Core>) -> io::Result<()> {
        let now = self.rt.wall_clock();
        for log in self.all_logs() {
            let (asked, old) = {
                let inner = log.inner.borrow();
                let active = inner.segments.last().filter(|s| !s.row.sealed);
                let age = active.map(|s| now.millis_since(s.row.append_time_min));
                (inner.seal_wanted, inner.attached && age.is_some_and(|age| age >= inner.options.segment_ms))
            };
            if asked || old {
                self.write_back(&log, false).await?;
                self.seal(&log).await?;
                log.inner.borrow_mut().seal_wanted = false;
            }
        }
        Ok(())
    }

    /// Time until the next active segment is too old.
    fn next_seal(&self) -> Duration {
        let now = self.rt.wall_clock();
        let logs = self.logs.borrow();
        let due = logs.values().filter_map(|log| {
            let inner = log.inner.borrow();
            let active = inner.segments.last().filter(|s| inner.attached && !s.row.sealed)?;
            (active.row.end_offset > active.row.base_offset)
                .then(|| active.row.append_time_min.0.saturating_add(inner.options.segment_ms))
        });
        let wait = due.min().map_or(i64::MAX, |at| at.saturating_sub(now.0));
        // A clock that jumps is noticed within an hour.
        Duration::from_millis(wait.clamp(1000, 3_600_000) as u64)
    }

    /// All logs' state as of the block that was just built; see [`Checkpoint`].
    pub(crate) fn snapshot(&self, ring: &Ring) -> Checkpoint {
        let mut replay_from = ring.sequence + 1;
        let mut logs = Vec::new();
        for (number, closed) in self.closed.borrow().iter() {
            logs.push(LogState::closed(*number, closed));
        }
        for log in self.logs.borrow().values() {
            let inner = log.inner.borrow();
            replay_from = inner.needs_journal().map(|(_, m)| m.block).min().unwrap_or(u64::MAX).min(replay_from);
            logs.push(LogState::of(log.number, log.id, &inner));
        }
        let epoch = ring.epoch;
        Checkpoint { sequence: 0, block: ring.sequence, replay_from, epoch, next_number: self.next_number.get(), logs }
    }
}

/// An error after which nothing is known about what was written: never retried, whatever its kind.
fn fatal(error: io::Error) -> io::Error {
    io::Error::other(error)
}

/// Entries that become one run.
struct Gathered {
    entries: Vec<(EntryHeader, Bytes)>,
    /// Of the log when they were gathered.
    generation: u64,
    size: RunSize,
    end_offset: Offset,
    max_timestamp: Timestamp,
}

fn gather(log: &Shared, blanks_too: bool) -> Option<Gathered> {
    let inner = log.inner.borrow();
    if !inner.attached || inner.closed || inner.garbage_due {
        return None;
    }
    let upto = inner.committed.min(inner.journaled);
    let mut run = Gathered {
        entries: Vec::new(),
        generation: inner.generation,
        size: RunSize::default(),
        end_offset: inner.written_offset(),
        max_timestamp: NO_TIMESTAMP,
    };
    let mut payload = false;
    // A run fits into what the active segment has left, or into one of its own.
    let segment_bytes = inner.options.segment_bytes.saturating_sub(SEGMENT_HEADER_BYTES as u64);
    let left = inner.segments.last().filter(|s| !s.row.sealed && !inner.seal_wanted).map_or(segment_bytes, |s| {
        let left = inner.options.segment_bytes.saturating_sub(s.row.end_position);
        if left < 2 * SEGMENT_HEADER_BYTES as u64 { segment_bytes } else { left }
    });
    let bytes_max = RUN_BYTES_MAX.min(left as usize);
    for (index, meta) in inner.tail.iter_from(inner.written().next()).take_while(|(index, _)| *index <= upto) {
        let mut grown = run.size;
        grown.add(meta.kind, meta.payload_len());
        if grown.padded() > bytes_max && !run.entries.is_empty() {
            break;
        }
        run.size = grown;
        run.entries.push((meta.header(index), inner.tail.payload(meta)));
        run.end_offset = run.end_offset.max(meta.last_offset.next());
        run.max_timestamp = run.max_timestamp.max(meta.max_timestamp);
        payload |= meta.payload_len() > 0;
    }
    let keeps_chunk = blanks_too && inner.tail.chunk_count() > 0;
    (!run.entries.is_empty() && (payload || keeps_chunk)).then_some(run)
}
