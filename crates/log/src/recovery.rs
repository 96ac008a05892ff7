//! What a start reads: the checkpoint, then the journal from the oldest block that any log needs.
//!
//! - At a block that doesn't verify the scan goes on. A valid block behind it whose `durable_up_to` covers the bad one makes
//!   it corruption: the logs are marked damaged. Else it is the torn end.
//! - Reading proves nothing durable. All that lies above the largest mark is written again, as **one** block of a fresh file
//!   and a higher epoch, and synced before anything of it counts. That block takes the place of all it repeats: when it
//!   is torn, its checksum fails and the old blocks, still there, count.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ouzel_model::{Index, Offset, Timestamp, planted, reached};
use ouzel_runtime::{Buf, Durability, File, Open, Runtime};

use crate::block::{BLOCK_HEADER_BYTES, BlockHeader, Entries, LogNumber, Record, Seed, records};
use crate::cache::meta_of;
use crate::checkpoint::{Checkpoint, Origin, SegmentRow, read_slots, slot_path, write_slot};
use crate::codec::{PAGE, align};
use crate::entry::{EntryHeader, LogId};
use crate::footer::TermRow;
use crate::journal::{FreeFile, Ring, RingFile, file_path, make_file};
use crate::log::{Inner, KEY_DAMAGE, KEY_LOG_START, KEY_RESET, KEY_TRIM, LogOptions, Segment};
use crate::store::{Closed, StoreConfig};

/// Why a store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk failed.
    #[error("storage of {dir}: {source}")]
    Io {
        /// Data directory.
        dir: String,
        /// What the disk said.
        source: std::io::Error,
    },
    /// Neither slot of the checkpoint is valid though there is one: what the logs are is unknown. Nothing was changed.
    #[error("both slots of {path}/state.ckpt are damaged; restore one, or take this node's replicas out and in again")]
    CheckpointLost {
        /// Directory of the shard.
        path: String,
    },
}

/// What [`recover`] found and made.
pub(crate) struct Recovery {
    pub(crate) ring: Ring,
    pub(crate) logs: Vec<RecoveredLog>,
    pub(crate) next_number: u32,
    pub(crate) closed: BTreeMap<LogNumber, Closed>,
    pub(crate) checkpoint_sequence: u64,
    /// Blocks below the durable mark couldn't be read.
    pub(crate) damaged: bool,
}

pub(crate) struct RecoveredLog {
    pub(crate) number: LogNumber,
    pub(crate) id: LogId,
    pub(crate) inner: Inner,
}

/// A valid block on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) header: BlockHeader,
    /// Which of the files that were scanned.
    pub(crate) file: usize,
    pub(crate) position: u64,
}

/// Which blocks make the journal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// In order; contiguous but for what `missing` names.
    pub(crate) chain: Vec<Found>,
    /// Sequences at or below the mark that no valid block has: corruption.
    pub(crate) missing: Vec<u64>,
    /// All blocks up to here were durable.
    pub(crate) mark: u64,
    /// Highest epoch seen.
    pub(crate) epoch: u64,
}

/// Chooses among the valid blocks. Pure; the heart of recovery.
pub(crate) fn choose(found: &[Found], replay_from: u64, durable: u64, epoch: u64) -> Choice {
    // A file of a higher epoch ends all lower ones at the sequence it begins with.
    let mut firsts: BTreeMap<u64, u64> = BTreeMap::new();
    for f in found {
        let first = firsts.entry(f.header.epoch).or_insert(f.header.sequence);
        *first = f.header.sequence.min(*first);
    }
    let (mut ends, mut end) = (BTreeMap::new(), u64::MAX);
    for (epoch, first) in firsts.iter().rev() {
        ends.insert(*epoch, end);
        end = end.min(*first);
    }
    let mut live: Vec<Found> = found
        .iter()
        .filter(|f| f.header.sequence >= replay_from)
        .filter(|f| planted!("D1", true, f.header.sequence < ends[&f.header.epoch]))
        .copied()
        .collect();
    live.sort_by_key(|f| (f.header.sequence, f.header.epoch));
    let mark = live.iter().map(|f| f.header.durable_up_to).max().unwrap_or(0).max(durable);
    let mut choice = Choice {
        chain: Vec::new(),
        missing: Vec::new(),
        mark,
        epoch: firsts.keys().next_back().copied().unwrap_or(0).max(epoch),
    };
    let mut next = replay_from;
    for f in live {
        let sequence = f.header.sequence;
        let follows = choice.chain.last().is_none_or(|last: &Found| {
            last.header.sequence + 1 != sequence || last.header.crc == f.header.previous_crc
        });
        if !follows && mark >= sequence {
            // The block before isn't the one that this one followed: an old copy in its place.
            reached!("stale block below the mark");
            choice.chain.pop();
            choice.missing.push(sequence - 1);
        } else if !follows {
            break;
        }
        if sequence > next {
            if planted!("D21", true, mark < next) {
                reached!("torn end of the journal");
                break;
            }
            reached!("corruption in the journal");
            choice.missing.extend((next..sequence).take_while(|s| *s <= mark));
            if next.max(mark + 1) < sequence {
                next = next.max(mark + 1);
                break;
            }
        }
        choice.chain.push(f);
        next = sequence + 1;
    }
    if planted!("D21", false, next <= mark) {
        choice.missing.extend(next..=mark);
    }
    choice
}

/// One log while the journal is replayed.
struct Replay {
    id: LogId,
    dir: String,
    origin: Origin,
    log_start: Offset,
    terms: Vec<TermRow>,
    segments: Vec<SegmentRow>,
    states: BTreeMap<u8, Vec<u8>>,
    /// By index: an entry may be absent for a while, when an Again record brings it later.
    tail: BTreeMap<Index, Held>,
    damage: Option<String>,
    /// Segment files below this offset may still be there.
    garbage_below: Option<Offset>,
}

struct Held {
    header: EntryHeader,
    payload: Bytes,
    block: u64,
}

impl Replay {
    fn new(id: LogId, dir: String) -> Replay {
        Replay {
            id,
            dir,
            origin: Origin::ZERO,
            log_start: Offset(0),
            terms: Vec::new(),
            segments: Vec::new(),
            states: BTreeMap::new(),
            tail: BTreeMap::new(),
            damage: None,
            garbage_below: None,
        }
    }

    fn written(&self) -> Index {
        self.segments.last().map_or(self.origin.index, |s| Index(s.end_index.0 - 1))
    }

    fn cut(&mut self, from: Index) {
        self.tail.split_off(&from);
    }

    fn entries(&mut self, entries: &Entries<'_>, again: bool, block: &Bytes, sequence: u64) {
        let written = self.written();
        let mut first = true;
        for item in entries.iter() {
            let checked = item.and_then(|(raw, payload)| {
                EntryHeader::decode_checked(&self.id, raw, payload).ok().map(|header| (header, payload))
            });
            let Some((header, payload)) = checked else {
                // The block's checksum held, so this was written so: a bug of ours, or memory that lied.
                reached!("bad entry in a good block");
                self.damage.get_or_insert_with(|| format!("block {sequence} holds an entry that isn't valid"));
                return;
            };
            let replaces = planted!("D23", true, !again);
            if first && replaces {
                self.cut(header.index);
            }
            first = false;
            if planted!("D16", false, header.index <= written) {
                reached!("replay over newer segments");
                continue;
            }
            let payload = block.slice_ref(payload);
            match self.tail.get_mut(&header.index) {
                Some(held) if again && held.header != header => {
                    reached!("copied-forward entry differs");
                    self.damage.get_or_insert_with(|| format!("entry {} differs from its copy", header.index));
                }
                Some(held) if again => held.block = sequence,
                _ => {
                    self.tail.insert(header.index, Held { header, payload, block: sequence });
                }
            }
        }
    }

    fn state(&mut self, key: u8, value: &[u8]) {
        match key {
            KEY_LOG_START => {
                if let Some(bytes) = value.first_chunk() {
                    self.log_start = self.log_start.max(Offset(i64::from_le_bytes(*bytes)));
                }
            }
            KEY_TRIM => self.trim(value, false),
            KEY_RESET => self.trim(value, true),
            _ => {}
        }
        self.states.insert(key, value.to_vec());
    }

    fn trim(&mut self, value: &[u8], all: bool) {
        let Some(origin) = Origin::decode(value) else { return };
        if all {
            self.segments.clear();
            self.tail.clear();
            self.terms.clear();
            self.log_start = origin.offset;
        } else if origin.index <= self.origin.index {
            return;
        }
        if origin.index > self.written() {
            // The segments that the rows in between come from were made after the checkpoint.
            self.terms.clear();
        }
        self.segments.retain(|s| s.end_index.0 > origin.index.0 + 1);
        self.tail = self.tail.split_off(&origin.index.next());
        self.garbage_below = Some(if all { Offset(i64::MAX) } else { origin.offset });
        self.origin = origin;
    }

    /// Judges whether the tail is whole, and makes the log's state of it.
    fn finish(mut self, rt: &Runtime, config: &StoreConfig, mark: u64) -> Inner {
        let options = LogOptions {
            dir: std::mem::take(&mut self.dir),
            name: String::new(),
            segment_bytes: config.segment_bytes,
            segment_ms: config.segment_ms,
        };
        let mut inner = Inner::new(options, self.origin, rt.now());
        inner.log_start = self.log_start;
        inner.terms = self.terms;
        inner.segments = self.segments.into_iter().map(|row| Segment { row, fresh: Vec::new(), chained: 1 }).collect();
        let (written, offset) = (inner.written(), inner.written_offset());
        inner.committed = written;
        inner.log_end = offset;
        inner.tail = crate::cache::Tail::new(written.next());
        inner.terms.retain(|row| row.index <= written);
        let mut left: usize = self.tail.values().map(|held| held.payload.len()).sum();
        for (index, held) in self.tail {
            let h = held.header;
            if index != inner.last_index().next() || h.base_offset != inner.log_end || h.term < inner.last_term() {
                self.damage.get_or_insert_with(|| {
                    format!("entries between {} and {index} are missing from the journal", inner.last_index())
                });
                break;
            }
            inner.note_term(h.term, index, h.base_offset);
            let block = if held.block > mark { mark + 1 } else { held.block };
            let meta = meta_of(&h, &held.payload, block);
            inner.log_end = meta.last_offset.next();
            if inner.tail.room() < held.payload.len() {
                inner.tail.add_chunk(rt.buffers().chunk(left.min(1 << 20).max(held.payload.len())));
            }
            left -= held.payload.len();
            inner.uncommitted_bytes += held.payload.len() as u64;
            inner.tail.push(meta, &[held.payload]);
        }
        inner.journaled = inner.last_index();
        if inner.log_start > inner.log_end {
            // A State record may overtake entries of its log that didn't fit into the same block.
            reached!("log start behind the recovered end");
            inner.log_start = inner.log_end;
        }
        inner.trim_terms();
        let recorded = self.states.get(&KEY_DAMAGE).filter(|text| !text.is_empty());
        inner.damage = self.damage.or_else(|| recorded.map(|text| String::from_utf8_lossy(text).into_owned()));
        if let Some(damage) = &inner.damage {
            tracing::error!(log = %self.id, %damage, "log is damaged");
            self.states.insert(KEY_DAMAGE, damage.clone().into_bytes());
        }
        inner.states = self.states.into_iter().collect();
        inner.garbage_below = self.garbage_below;
        inner.garbage_due = self.garbage_below == Some(Offset(i64::MAX));
        inner
    }
}

/// All logs while the journal is replayed.
#[derive(Default)]
struct Replays {
    logs: BTreeMap<LogNumber, Replay>,
    closed: BTreeMap<LogNumber, Closed>,
    next_number: u32,
}

impl Replays {
    fn of(checkpoint: &Checkpoint) -> Replays {
        let mut out = Replays { next_number: checkpoint.next_number, ..Replays::default() };
        for log in &checkpoint.logs {
            if log.closed {
                out.closed.insert(log.number, Closed { id: log.id, dir: log.dir.clone(), durable: true });
                continue;
            }
            let replay = Replay {
                origin: log.origin,
                log_start: log.log_start,
                terms: log.terms.clone(),
                segments: log.segments.clone(),
                states: log.states.iter().cloned().collect(),
                ..Replay::new(log.id, log.dir.clone())
            };
            out.logs.insert(log.number, replay);
        }
        out
    }

    /// Entries without payload that the checkpoint holds; they fill what the journal no longer has.
    fn fill_blanks(&mut self, checkpoint: &Checkpoint) {
        for log in &checkpoint.logs {
            let Some(replay) = self.logs.get_mut(&log.number) else { continue };
            for header in &log.blanks {
                let held = Held { header: *header, payload: Bytes::new(), block: checkpoint.block };
                replay.tail.entry(header.index).or_insert(held);
            }
        }
    }

    /// Applies the records of a block. Those of State, Open and Close that the checkpoint holds already are skipped.
    fn apply(&mut self, body: &Bytes, sequence: u64, covered: bool) {
        for record in records(body) {
            let Ok(record) = record else {
                tracing::error!(block = sequence, "journal block holds a record of no known format");
                self.damage_all(&format!("block {sequence} holds a record of no known format"));
                return;
            };
            self.record(record, body, sequence, covered);
        }
    }

    fn record(&mut self, record: Record<'_>, body: &Bytes, sequence: u64, covered: bool) {
        match record {
            Record::Open(number, id, dir) => {
                self.next_number = self.next_number.max(number.0 + 1);
                if !covered && !self.closed.contains_key(&number) {
                    self.logs.entry(number).or_insert_with(|| Replay::new(id, dir.into()));
                }
            }
            Record::Close(number) => {
                if !covered && let Some(log) = self.logs.remove(&number) {
                    self.closed.insert(number, Closed { id: log.id, dir: log.dir, durable: true });
                }
            }
            Record::State(number, key, value) => {
                if !covered && let Some(log) = self.logs.get_mut(&number) {
                    log.state(key, value);
                }
            }
            Record::Truncate(number, from) => {
                if let Some(log) = self.logs.get_mut(&number) {
                    log.cut(from);
                }
            }
            Record::Append(number, entries) | Record::Again(number, entries) => {
                let again = matches!(record, Record::Again(..));
                if let Some(log) = self.logs.get_mut(&number) {
                    log.entries(&entries, again, body, sequence);
                }
            }
            Record::Extern(number, place) => {
                // Written by a later version only: without its entries the log ends here, and says so.
                if let Some(log) = self.logs.get_mut(&number)
                    && place.last > log.written()
                {
                    log.cut(place.first);
                    log.damage.get_or_insert_with(|| {
                        format!(
                            "entries {} to {} stand in a segment that this version can't read",
                            place.first, place.last
                        )
                    });
                }
            }
        }
    }

    fn damage_all(&mut self, why: &str) {
        for log in self.logs.values_mut() {
            log.damage.get_or_insert_with(|| why.to_owned());
        }
    }
}

/// A journal file as it was found.
struct Scanned {
    name: u32,
    file: File,
    bytes: u64,
}

/// Opens a shard's files and replays them. Everything that the result holds is durable.
pub(crate) async fn recover(rt: &Runtime, config: &StoreConfig) -> Result<Recovery, OpenError> {
    let io = |source| OpenError::Io { dir: config.dir.display().to_string(), source };
    let shard_dir = config.shard_dir();
    let journal_dir = shard_dir.join("journal");
    rt.disk().create_dir_all(&journal_dir).await.map_err(io)?;
    for dir in [Some(shard_dir.as_path()), Some(&config.dir), config.dir.parent().filter(|d| !d.as_os_str().is_empty())]
        .into_iter()
        .flatten()
    {
        rt.disk().sync_dir(dir).await.map_err(io)?;
    }
    let seed = config.seed();
    let slots = read_slots(rt, &seed, config.layout, &shard_dir).await.map_err(io)?;
    if let Some(newest) = &slots.newest {
        // A process that was killed may have left it, and names of files, where a power cut can still take them.
        let bytes = newest.encode(&seed, config.layout);
        write_slot(rt, &slot_path(&shard_dir, newest.sequence), bytes).await.map_err(io)?;
    }
    rt.disk().sync_dir(&journal_dir).await.map_err(io)?;
    let (mut ring, files, found) = scan(rt, config, journal_dir).await.map_err(io)?;
    if slots.newest.is_none() && slots.bad > 0 && found.iter().all(|f| f.header.sequence != 1) {
        return Err(OpenError::CheckpointLost { path: shard_dir.display().to_string() });
    }
    let checkpoint = slots.newest.unwrap_or(Checkpoint { replay_from: 1, ..Checkpoint::default() });
    let choice = choose(&found, checkpoint.replay_from, checkpoint.block, checkpoint.epoch);

    let mut replays = Replays::of(&checkpoint);
    let mut rewritten = Vec::new();
    let mut rewritten_count = 0;
    let mut filled = false;
    for block in &choice.chain {
        let sequence = block.header.sequence;
        if sequence > checkpoint.block && !std::mem::replace(&mut filled, true) {
            replays.fill_blanks(&checkpoint);
        }
        let bytes = read_block(rt, &files[block.file].file, block).await.map_err(io)?;
        let body = bytes.slice(BLOCK_HEADER_BYTES..block.header.length as usize);
        replays.apply(&body, sequence, sequence <= checkpoint.block);
        if sequence > choice.mark {
            rewritten.extend_from_slice(&body);
            rewritten_count += block.header.count;
        }
    }
    if !filled {
        replays.fill_blanks(&checkpoint);
    }
    let missing = planted!("22", &[][..], &choice.missing);
    if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
        tracing::error!(first, last, "journal blocks below the durable mark can't be read");
        replays.damage_all(&format!("journal blocks {first} to {last} can't be read"));
    }

    ring.epoch = choice.epoch;
    ring.next_name = files.iter().map(|f| f.name + 1).max().unwrap_or(1);
    let needed: BTreeSet<usize> = choice.chain.iter().map(|f| f.file).collect();
    let kept = kept_files(&choice, &found);
    let mut fresh = None;
    let mut old = Vec::new();
    for (at, scanned) in files.into_iter().enumerate() {
        let ordinary = scanned.bytes == ring.file_bytes;
        if needed.contains(&at) || kept.contains(&at) {
            let of_file = || choice.chain.iter().filter(move |f| f.file == at);
            let last = of_file().map(|f| f.header.sequence).filter(|s| *s <= choice.mark).max().unwrap_or(0);
            old.push(RingFile {
                name: scanned.name,
                file: scanned.file,
                bytes: scanned.bytes,
                epoch: of_file().map(|f| f.header.epoch).max().unwrap_or(0),
                position: scanned.bytes,
                last,
                unsynced: 0,
                own: !ordinary,
                keep: kept.contains(&at),
            });
        } else if ordinary {
            ring.free.push_back(FreeFile { name: scanned.name, file: scanned.file, bytes: scanned.bytes, own: false });
        } else {
            drop(scanned.file);
            rt.disk().remove_file(&file_path(&ring.dir, scanned.name)).await.map_err(io)?;
        }
    }
    old.sort_by_key(|f| (f.last, f.epoch));
    ring.files.extend(old);
    let length = BLOCK_HEADER_BYTES + rewritten.len();
    let padded = align(length as u64);
    if padded <= ring.file_bytes {
        fresh = ring.free.pop_front();
    }
    let fresh = match fresh {
        Some(file) => file,
        None => {
            let name = ring.next_name;
            ring.next_name += 1;
            let bytes = padded.max(ring.file_bytes);
            let made = make_file(rt, &ring.dir, name, bytes).await.map_err(io)?;
            FreeFile { own: bytes != ring.file_bytes, ..made }
        }
    };
    ring.begin(fresh);
    rewrite(rt, &seed, &mut ring, &choice, rewritten, rewritten_count).await.map_err(io)?;

    let mut logs = Vec::new();
    for (number, replay) in replays.logs {
        let id = replay.id;
        logs.push(RecoveredLog { number, id, inner: replay.finish(rt, config, choice.mark) });
    }
    Ok(Recovery {
        ring,
        logs,
        next_number: replays.next_number.max(1),
        closed: replays.closed,
        checkpoint_sequence: checkpoint.sequence,
        damaged: !choice.missing.is_empty(),
    })
}

/// Files that hold, or lie beside, a block that can't be read: set aside when the ring would reuse them.
fn kept_files(choice: &Choice, found: &[Found]) -> BTreeSet<usize> {
    let mut kept = BTreeSet::new();
    for missing in &choice.missing {
        let before = found.iter().filter(|f| f.header.sequence < *missing).max_by_key(|f| f.header.sequence);
        let after = found.iter().filter(|f| f.header.sequence > *missing).min_by_key(|f| f.header.sequence);
        kept.extend(before.into_iter().chain(after).map(|f| f.file));
    }
    kept
}

/// Writes all that lies above the mark as one block of the fresh file, and syncs it.
async fn rewrite(
    rt: &Runtime,
    seed: &Seed,
    ring: &mut Ring,
    choice: &Choice,
    body: Vec<u8>,
    count: u32,
) -> std::io::Result<()> {
    if count > 0 {
        reached!("recovery rewrites above the mark");
    }
    let length = BLOCK_HEADER_BYTES + body.len();
    let mut buf = rt.buffers().take(align(length as u64) as usize);
    buf[BLOCK_HEADER_BYTES..length].copy_from_slice(&body);
    let at_mark = choice.chain.iter().rfind(|f| f.header.sequence == choice.mark);
    let header = BlockHeader {
        epoch: ring.epoch,
        sequence: choice.mark + 1,
        durable_up_to: choice.mark,
        previous_crc: at_mark.map_or(0, |f| f.header.crc),
        layout: ring.layout,
        length: u32::try_from(length).map_err(|_| std::io::ErrorKind::FileTooLarge)?,
        count,
        crc: 0,
    };
    ring.previous_crc = header.seal(seed, &mut buf).crc;
    let bytes = buf.len() as u64;
    let file = ring.files.back_mut().expect("a fresh file was begun");
    let durability = planted!("D20", Durability::None, Durability::Sync);
    file.file.write_at(buf, 0, durability).await.0?;
    file.position = bytes;
    file.last = header.sequence;
    ring.sequence = header.sequence;
    ring.durable = header.sequence;
    ring.written = header.sequence;
    ring.marked = choice.mark;
    ring.content = if count > 0 { header.sequence } else { 0 };
    Ok(())
}

async fn read_block(rt: &Runtime, file: &File, block: &Found) -> std::io::Result<Bytes> {
    let buf = rt.buffers().take(block.header.padded() as usize);
    let (read, buf) = file.read_at(buf, block.position).await;
    if read? < block.header.length as usize {
        return Err(std::io::Error::other("a journal block that was read before is gone"));
    }
    Ok(buf.into_bytes())
}

/// Bytes read at once.
const WINDOW: u64 = 1 << 20;

/// Opens all journal files and finds the valid blocks in them.
async fn scan(
    rt: &Runtime,
    config: &StoreConfig,
    dir: std::path::PathBuf,
) -> std::io::Result<(Ring, Vec<Scanned>, Vec<Found>)> {
    let ring = Ring::new(dir, config.seed(), config);
    let (mut files, mut found) = (Vec::new(), Vec::new());
    for entry in rt.disk().read_dir(&ring.dir).await? {
        let name = entry.name.strip_suffix(".j").filter(|stem| stem.len() == 6).and_then(|stem| stem.parse().ok());
        let Some(name) = name else { continue };
        let file = rt.disk().open(&file_path(&ring.dir, name), Open { direct: true, ..Open::default() }).await?;
        let bytes = file.len().await? & !(PAGE as u64 - 1);
        scan_file(rt, &ring.seed, ring.layout, &file, bytes, files.len(), &mut found).await?;
        files.push(Scanned { name, file, bytes });
    }
    Ok((ring, files, found))
}

/// Finds the valid blocks of one file, in steps of 4 KiB where there is none.
pub(crate) async fn scan_file(
    rt: &Runtime,
    seed: &Seed,
    layout: u32,
    file: &File,
    bytes: u64,
    number: usize,
    found: &mut Vec<Found>,
) -> std::io::Result<()> {
    let (mut at, mut start, mut window) = (0, 0, rt.buffers().take(0));
    while at < bytes {
        if at + PAGE as u64 > start + window.len() as u64 {
            (start, window) = (at, read_window(rt, file, at, WINDOW.min(bytes - at)).await?);
        }
        let candidate = BlockHeader::peek(seed, &window[(at - start) as usize..])
            .filter(|h| h.layout == layout && h.padded() <= bytes - at);
        if let Some(header) = candidate {
            if at + header.padded() > start + window.len() as u64 {
                let len = header.padded().max(WINDOW.min(bytes - at));
                (start, window) = (at, read_window(rt, file, at, len).await?);
            }
            if header.holds(seed, &window[(at - start) as usize..]) {
                found.push(Found { header, file: number, position: at });
                at += header.padded();
                continue;
            }
        }
        at += PAGE as u64;
    }
    Ok(())
}

async fn read_window(rt: &Runtime, file: &File, at: u64, len: u64) -> std::io::Result<Buf> {
    let mut buf = rt.buffers().take(len as usize);
    buf.fill(0);
    let (read, mut buf) = file.read_at(buf, at).await;
    let read = read?;
    buf[read..].fill(0);
    Ok(buf)
}

/// The largest timestamp of nothing.
pub(crate) const NO_TIMESTAMP: Timestamp = Timestamp(i64::MIN);
