//! What a start reads: the checkpoint, then the journal from the oldest block that any log needs.
//!
//! - At a block that doesn't verify the scan goes on. A valid block behind it whose `durable_up_to` covers the bad one makes
//!   it corruption: the logs are marked damaged. Else it is the torn end.
//! - Reading proves nothing durable. All that lies above the largest mark is written again, as **one** block of a fresh file
//!   and a higher epoch, and synced before anything of it counts. That block takes the place of all it repeats: when it
//!   is torn, its checksum fails and the old blocks, still there, count.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ouzel_model::{Timestamp, planted, reached};
use ouzel_runtime::{Buf, Durability, File, Open, Runtime};

use crate::block::{BLOCK_HEADER_BYTES, BlockHeader, LogNumber, Seed, records, touched};
use crate::checkpoint::{Checkpoint, read_slots, slot_path, write_slot};
use crate::codec::{PAGE, align};
use crate::entry::LogId;
use crate::journal::{file_path, make_file};
use crate::log::Inner;
use crate::replay::{Choice, Found, Replays, choose};
use crate::ring::{FreeFile, Ring, RingFile};
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
    /// The broker was asked to stop while the journal was read.
    #[error("asked to stop while it started")]
    Stopped,
}

impl OpenError {
    pub(crate) fn io(rt: &Runtime, config: &StoreConfig, source: std::io::Error) -> OpenError {
        if source.kind() == std::io::ErrorKind::Interrupted && rt.stopping().is_set() {
            return OpenError::Stopped;
        }
        OpenError::Io { dir: config.dir.display().to_string(), source }
    }
}

/// An error once the broker was asked to stop: a start that reads for long ends where it is.
pub(crate) fn go_on(rt: &Runtime) -> std::io::Result<()> {
    if rt.stopping().is_set() {
        reached!("stopped while a journal was read");
        return Err(std::io::ErrorKind::Interrupted.into());
    }
    Ok(())
}

/// What [`recover`] found and made.
pub(crate) struct Recovery {
    pub(crate) ring: Ring,
    pub(crate) logs: Vec<RecoveredLog>,
    pub(crate) next_number: u32,
    pub(crate) closed: BTreeMap<LogNumber, Closed>,
    pub(crate) checkpoint_sequence: u64,
    /// Blocks below the durable mark that couldn't be read: first and last.
    pub(crate) missing: Option<(u64, u64)>,
}

pub(crate) struct RecoveredLog {
    pub(crate) number: LogNumber,
    pub(crate) id: LogId,
    pub(crate) inner: Inner,
}

/// A journal file as it was found.
pub(crate) struct Scanned {
    pub(crate) name: u32,
    pub(crate) file: File,
    pub(crate) bytes: u64,
}

/// Opens a shard's files and replays them. Everything that the result holds is durable.
pub(crate) async fn recover(rt: &Runtime, config: &StoreConfig) -> Result<Recovery, OpenError> {
    let io = |source| OpenError::io(rt, config, source);
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
    let replay_from = slots.newest.as_ref().map_or(1, |newest| newest.replay_from);
    let (mut ring, files, found) = scan(rt, config, journal_dir, replay_from, false).await.map_err(io)?;
    if slots.newest.is_none() && slots.bad > 0 && found.iter().all(|f| f.header.sequence != 1) {
        return Err(OpenError::CheckpointLost { path: shard_dir.display().to_string() });
    }
    let checkpoint = slots.newest.unwrap_or(Checkpoint { replay_from: 1, ..Checkpoint::default() });
    let choice = choose(&found, checkpoint.replay_from, checkpoint.block, checkpoint.epoch);

    let mut rewritten = Rewritten { body: Vec::new(), count: 0 };
    let replays = replay(rt, &files, &choice, &checkpoint, Some(&mut rewritten)).await.map_err(io)?;

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
    let length = BLOCK_HEADER_BYTES + rewritten.body.len();
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
    rewrite(rt, &seed, &mut ring, &choice, rewritten).await.map_err(io)?;

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
        missing: choice.missing.first().copied().zip(choice.missing.last().copied()),
    })
}

/// What a shard's files say, read without changing any of them.
pub(crate) struct ReadOnly {
    /// Slots of the checkpoint that exist and aren't valid.
    pub(crate) bad_slots: usize,
    pub(crate) choice: Choice,
    pub(crate) replays: Replays,
}

/// Reads a shard's files as a start would. What lies above the choice's mark may be gone after a power cut.
pub(crate) async fn read_only(rt: &Runtime, config: &StoreConfig) -> Result<ReadOnly, OpenError> {
    let io = |source| OpenError::io(rt, config, source);
    let shard_dir = config.shard_dir();
    let slots = read_slots(rt, &config.seed(), config.layout, &shard_dir).await.map_err(io)?;
    let from = slots.newest.as_ref().map_or(1, |newest| newest.replay_from);
    let (_, files, found) = scan(rt, config, shard_dir.join("journal"), from, true).await.map_err(io)?;
    if slots.newest.is_none() && slots.bad > 0 && found.iter().all(|f| f.header.sequence != 1) {
        return Err(OpenError::CheckpointLost { path: shard_dir.display().to_string() });
    }
    let checkpoint = slots.newest.unwrap_or(Checkpoint { replay_from: 1, ..Checkpoint::default() });
    let choice = choose(&found, checkpoint.replay_from, checkpoint.block, checkpoint.epoch);
    let replays = replay(rt, &files, &choice, &checkpoint, None).await.map_err(io)?;
    Ok(ReadOnly { bad_slots: slots.bad, choice, replays })
}

/// The records above the mark, to be written again.
pub(crate) struct Rewritten {
    body: Vec<u8>,
    count: u32,
}

/// Reads the chosen blocks and applies them in order.
pub(crate) async fn replay(
    rt: &Runtime,
    files: &[Scanned],
    choice: &Choice,
    checkpoint: &Checkpoint,
    mut rewritten: Option<&mut Rewritten>,
) -> std::io::Result<Replays> {
    let mut replays = Replays::of(checkpoint);
    let mut filled = false;
    for block in &choice.chain {
        let sequence = block.header.sequence;
        if sequence > checkpoint.block && !std::mem::replace(&mut filled, true) {
            replays.fill_blanks(checkpoint);
        }
        go_on(rt)?;
        let bytes = read_block(rt, &files[block.file].file, block).await?;
        let body = bytes.slice(BLOCK_HEADER_BYTES..block.header.length as usize);
        replays.apply(&body, sequence, sequence <= checkpoint.block);
        if let Some(rewritten) = rewritten.as_mut().filter(|_| sequence > choice.mark) {
            rewritten.body.extend_from_slice(&body);
            rewritten.count += block.header.count;
        }
    }
    if !filled {
        replays.fill_blanks(checkpoint);
    }
    let missing = planted!("22", &[][..], &choice.missing);
    if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
        tracing::error!(first, last, "journal blocks below the durable mark can't be read");
        replays.damage(choice.spoiled, &format!("journal blocks {first} to {last} can't be read"));
    }
    Ok(replays)
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
    Rewritten { body, count }: Rewritten,
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
        touched_before: 0,
        layout: ring.layout,
        length: u32::try_from(length).map_err(|_| std::io::ErrorKind::FileTooLarge)?,
        count,
        crc: 0,
    };
    ring.previous_crc = header.seal(seed, &mut buf).crc;
    ring.touched = touched(records(&body).flatten().map(|record| record.number()));
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

/// Opens all journal files and finds the valid blocks in them from `replay_from` on. A file is left unread behind its first two
/// blocks when a newer file begins at or below that: one block may be what a lost write left of an earlier life, with a newer
/// life behind it.
pub(crate) async fn scan(
    rt: &Runtime,
    config: &StoreConfig,
    dir: std::path::PathBuf,
    replay_from: u64,
    read_only: bool,
) -> std::io::Result<(Ring, Vec<Scanned>, Vec<Found>)> {
    let ring = Ring::new(dir, config.seed(), config);
    let (mut files, mut firsts, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for entry in rt.disk().read_dir(&ring.dir).await? {
        let name = entry.name.strip_suffix(".j").filter(|stem| stem.len() == 6).and_then(|stem| stem.parse().ok());
        let Some(name) = name else { continue };
        let file =
            rt.disk().open(&file_path(&ring.dir, name), Open { direct: true, read_only, ..Open::default() }).await?;
        let bytes = file.len().await? & !(PAGE as u64 - 1);
        let place = Place { file: files.len(), position: 0, bytes };
        firsts.extend(block_at(rt, &ring, &file, place).await?);
        files.push(Scanned { name, file, bytes });
    }
    for (number, scanned) in files.iter().enumerate() {
        let first = firsts.iter().find(|f| f.file == number);
        let passed =
            |f: &Found| firsts.iter().any(|g| g.header.epoch > f.header.epoch && g.header.sequence <= replay_from);
        let mut old = None;
        if let Some(first) = first.filter(|f| passed(f)) {
            let place = Place { file: number, position: first.header.padded(), bytes: scanned.bytes };
            let second = block_at(rt, &ring, &scanned.file, place).await?;
            let follows = |second: &Found| second.header.previous_crc == first.header.crc;
            old = second.filter(follows).map(|second| [*first, second]);
        }
        match old {
            Some(both) => found.extend(both),
            None => scan_file(rt, &ring.seed, ring.layout, &scanned.file, scanned.bytes, number, &mut found).await?,
        }
    }
    Ok((ring, files, found))
}

/// Where a block may stand: in which file, of how many bytes.
struct Place {
    file: usize,
    position: u64,
    bytes: u64,
}

/// The block at a place, if it is valid.
async fn block_at(rt: &Runtime, ring: &Ring, file: &File, place: Place) -> std::io::Result<Option<Found>> {
    let Place { file: number, position, bytes } = place;
    if position >= bytes {
        return Ok(None);
    }
    let head = read_window(rt, file, position, PAGE as u64).await?;
    let left = bytes - position;
    let header = BlockHeader::peek(&ring.seed, &head).filter(|h| h.layout == ring.layout && h.padded() <= left);
    let Some(header) = header else { return Ok(None) };
    let block = read_window(rt, file, position, header.padded()).await?;
    Ok(header.holds(&ring.seed, &block).then_some(Found { header, file: number, position }))
}

/// Finds the valid blocks of one file, in steps of 4 KiB where there is none.
async fn scan_file(
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
            go_on(rt)?;
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
