//! Another number of shards: every log of a data directory is handed over to a shard of the new layout before anything is served.
//!
//! The journals of a layout lie in directories that name its generation, so both layouts stand side by side until `node.toml`,
//! which is the broker's, names the new one:
//!
//! 1. The old journals are read, and nothing of them is changed.
//! 2. Each new shard gets a checkpoint, which holds all that is small, and one journal file of just the size it needs with all
//!    entries that stand in no segment. Segments stay where they are: their rows go into the checkpoint.
//! 3. All of it is synced. Only then may `node.toml` take the new generation.
//! 4. Only then are the old journals freed ([`free_layouts`]).
//!
//! A start that finds the old generation in `node.toml` frees what a hand-over left unfinished and begins anew.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ouzel_model::{Index, ShardId, planted, reached};
use ouzel_runtime::{Durability, File, Open, Runtime};

use crate::block::{BLOCK_HEADER_BYTES, BlockHeader, Carry, LogNumber, RECORD_HEADER_BYTES, touched};
use crate::checkpoint::{Checkpoint, LogState, slot_path, write_slot};
use crate::codec::{Filler, align};
use crate::entry::{ENTRY_HEADER_BYTES, LogId};
use crate::journal::file_path;
use crate::log::Inner;
use crate::recovery::{OpenError, ReadOnly, go_on, read_only};
use crate::ring::put_range;
use crate::store::{Closed, StoreConfig};

/// Bytes of a block, unless a single entry is larger.
const BLOCK_BYTES_MAX: usize = 1 << 20;
/// The first block: not 1, by which a start would take a journal for one that needs no checkpoint.
const FIRST_BLOCK: u64 = 2;

/// What the journals of a data directory are laid out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Shards.
    pub shards: u16,
    /// Grows by one with every hand-over.
    pub generation: u32,
}

/// What [`hand_over`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// Logs that have a new owner.
    pub logs: usize,
    /// Bytes written for them.
    pub bytes: u64,
}

/// Why logs can't be handed over. The old layout is as it was.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// The journal of a shard can't be read.
    #[error("shard {}: {source}", shard.0)]
    Open {
        /// Which.
        shard: ShardId,
        /// Why.
        source: OpenError,
    },
    /// Blocks of a journal are bad: which logs they hold isn't known, so nobody else may own what is left.
    #[error("journal blocks {first} to {last} of shard {} can't be read", shard.0)]
    Unreadable {
        /// Whose journal.
        shard: ShardId,
        /// The first block.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// Two shards hold one log.
    #[error("log {id} stands in the journals of two shards")]
    Twice {
        /// Which.
        id: LogId,
    },
    /// The disk is too full for both layouts at once.
    #[error("{} has {free} bytes free, {needed} are needed", path.display())]
    NoRoom {
        /// Data directory.
        path: PathBuf,
        /// Bytes that the new journals take.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The journal of a shard isn't there, though its layout is the one that counts.
    #[error("{} is missing: the journal of shard {}", path.display(), shard.0)]
    Missing {
        /// Which shard.
        shard: ShardId,
        /// Where it should be.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("storage of {}: {source}", path.display())]
    Io {
        /// Data directory.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// The broker was asked to stop meanwhile.
    #[error("asked to stop while it started")]
    Stopped,
}

/// The name of a shard's directory. Generation 0, that of a new data directory, has the plain one.
pub(crate) fn dir_name(shard: ShardId, generation: u32) -> String {
    match generation {
        0 => format!("shard-{}", shard.0),
        _ => format!("shard-{}.{generation}", shard.0),
    }
}

/// The generation in the name of a shard's directory.
fn generation_of(name: &str) -> Option<u32> {
    let (shard, generation) = match name.strip_prefix("shard-")?.split_once('.') {
        Some((shard, generation)) => (shard, generation.parse().ok()?),
        None => (name.strip_prefix("shard-")?, 0),
    };
    let shard = ShardId(shard.parse().ok()?);
    (dir_name(shard, generation) == name).then_some(generation)
}

/// Directories of shards below `data` whose generation isn't `generation`: freed at the next start.
pub async fn other_layouts(rt: &Runtime, data: &Path, generation: u32) -> io::Result<Vec<String>> {
    let names = rt.disk().read_dir(data).await?.into_iter().filter(|e| e.is_dir).map(|e| e.name);
    Ok(names.filter(|name| generation_of(name).is_some_and(|found| found != generation)).collect())
}

/// Frees the journals of all layouts but `current`, which is the one that `node.toml` names, durably: older ones were handed over,
/// newer ones are what an unfinished hand-over left. Nothing is freed when a journal of `current` itself isn't there.
pub async fn free_layouts(rt: &Runtime, data: &Path, current: Layout) -> Result<(), HandOverError> {
    let io = |source| HandOverError::Io { path: data.to_path_buf(), source };
    let others = other_layouts(rt, data, current.generation).await.map_err(io)?;
    if others.is_empty() && current.generation == 0 {
        // The first start made none yet, or not all.
        return Ok(());
    }
    for shard in (0..current.shards).map(ShardId) {
        let path = data.join(dir_name(shard, current.generation));
        if !rt.disk().exists(&path).await.map_err(io)? {
            return Err(HandOverError::Missing { shard, path });
        }
    }
    for name in &others {
        reached!("journals of another layout freed");
        rt.disk().remove_dir_all(&data.join(name)).await.map_err(io)?;
    }
    if !others.is_empty() {
        rt.disk().sync_dir(data).await.map_err(io)?;
    }
    Ok(())
}

/// Hands all logs of the layout `from` over to `to_shards` shards of the next generation; all of it is durable on return, and
/// counts for nothing until `node.toml` says so. `config` names the data directory, the node's uuid and the size of journal files;
/// `place` says, for the ids of all logs in order, which shard each belongs to (below `to_shards`, asserted). No store may be open.
/// Dropping the future, or an error, leaves the old layout as it was.
pub async fn hand_over(
    rt: &Runtime,
    config: &StoreConfig,
    from: Layout,
    to_shards: u16,
    place: impl FnOnce(&[LogId]) -> Vec<ShardId>,
) -> Result<(Layout, HandedOver), HandOverError> {
    let to = Layout { shards: to_shards, generation: from.generation + 1 };
    free_layouts(rt, &config.dir, from).await?;
    let mut logs = BTreeMap::new();
    let mut shares: Vec<Share> = (0..to.shards).map(|_| Share::default()).collect();
    for shard in (0..from.shards).map(ShardId) {
        let config = StoreConfig { shard, layout: from.generation, ..config.clone() };
        read(rt, &config, &mut logs, &mut shares[usize::from(shard.0 % to.shards)].closed).await?;
    }
    let count = logs.len();
    let ids: Vec<LogId> = logs.keys().copied().collect();
    let places = place(&ids);
    assert_eq!(places.len(), count, "each log has a place");
    for ((id, inner), shard) in logs.into_iter().zip(places) {
        assert!(shard.0 < to.shards, "log {id} has no place on shard {}", shard.0);
        shares[usize::from(shard.0)].logs.push((id, inner));
    }
    let bytes = check_room(rt, config, &shares).await?;
    for (shard, share) in (0..).map(ShardId).zip(&shares) {
        let config = StoreConfig { shard, layout: to.generation, ..config.clone() };
        write(rt, &config, share).await.map_err(|source| match OpenError::io(rt, &config, source) {
            OpenError::Stopped => HandOverError::Stopped,
            source => HandOverError::Open { shard, source },
        })?;
    }
    reached!("logs handed over");
    Ok((to, HandedOver { logs: count, bytes }))
}

/// What a new shard takes over.
#[derive(Default)]
struct Share {
    logs: Vec<(LogId, Inner)>,
    /// Removed logs whose directory is still to be deleted.
    closed: Vec<Closed>,
}

/// Reads one old shard.
async fn read(
    rt: &Runtime,
    config: &StoreConfig,
    logs: &mut BTreeMap<LogId, Inner>,
    closed: &mut Vec<Closed>,
) -> Result<(), HandOverError> {
    let shard = config.shard;
    let failed = |source| match source {
        OpenError::Stopped => HandOverError::Stopped,
        source => HandOverError::Open { shard, source },
    };
    let io = |source| failed(OpenError::io(rt, config, source));
    let journal = config.shard_dir().join("journal");
    if !rt.disk().exists(&journal).await.map_err(io)? {
        // The first start ended before it was made. From here on it counts as there.
        rt.disk().create_dir_all(&journal).await.map_err(io)?;
        rt.disk().sync_dir(&config.dir).await.map_err(io)?;
    }
    let ReadOnly { choice, replays, .. } = read_only(rt, config).await.map_err(failed)?;
    if let (Some(&first), Some(&last)) = (choice.missing.first(), choice.missing.last()) {
        return Err(HandOverError::Unreadable { shard, first, last });
    }
    closed.extend(replays.closed.into_values());
    for replay in replays.logs.into_values() {
        let id = replay.id;
        if logs.insert(id, replay.finish(rt, config, choice.mark)).is_some() {
            return Err(HandOverError::Twice { id });
        }
    }
    Ok(())
}

/// Bytes that are to be written, if the disk has room for them and for the first file of each ring.
async fn check_room(rt: &Runtime, config: &StoreConfig, shares: &[Share]) -> Result<u64, HandOverError> {
    let journals: u64 =
        shares.iter().flat_map(|share| blocks(&share.logs)).map(|block| align(block.length as u64)).sum();
    let slots: u64 = shares.iter().map(|s| 2 * align(checkpoint(s, 1).encode(&config.seed(), 0).len() as u64)).sum();
    let needed = journals + slots + shares.len() as u64 * config.journal_file_bytes;
    let space = rt.disk().space(&config.dir).await;
    let space = space.map_err(|source| HandOverError::Io { path: config.dir.clone(), source })?;
    if space.free < needed {
        return Err(HandOverError::NoRoom { path: config.dir.clone(), needed, free: space.free });
    }
    Ok(journals + slots)
}

/// A block to be written: of each log a range of entries.
struct Block {
    parts: Vec<Part>,
    /// Bytes, header included, padding not.
    length: usize,
}

struct Part {
    /// Which of the share's logs.
    log: usize,
    first: Index,
    /// Exclusive.
    end: Index,
    /// Of headers and payloads.
    bytes: usize,
}

/// Divides all entries that stand in no segment into blocks.
fn blocks(logs: &[(LogId, Inner)]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (log, (_, inner)) in logs.iter().enumerate() {
        for (index, meta) in inner.tail.iter_from(inner.written().next()) {
            let bytes = ENTRY_HEADER_BYTES + meta.payload_len();
            let fits = |b: &&mut Block| b.length + RECORD_HEADER_BYTES + bytes <= BLOCK_BYTES_MAX;
            let block = match blocks.last_mut().filter(fits) {
                Some(block) => block,
                None => {
                    blocks.push(Block { parts: Vec::new(), length: BLOCK_HEADER_BYTES });
                    blocks.last_mut().expect("just pushed")
                }
            };
            match block.parts.last_mut().filter(|part| part.log == log) {
                Some(part) => {
                    part.end = index.next();
                    part.bytes += bytes;
                }
                None => {
                    block.length += RECORD_HEADER_BYTES;
                    block.parts.push(Part { log, first: index, end: index.next(), bytes });
                }
            }
            block.length += bytes;
        }
    }
    blocks
}

/// The share's state as of its last block.
fn checkpoint(share: &Share, block: u64) -> Checkpoint {
    let mut logs = Vec::with_capacity(share.closed.len() + share.logs.len());
    let mut numbers = (1..).map(LogNumber);
    logs.extend(share.logs.iter().zip(&mut numbers).map(|((id, inner), number)| LogState::of(number, *id, inner)));
    logs.extend(share.closed.iter().zip(&mut numbers).map(|(closed, number)| LogState::closed(number, closed)));
    let next_number = logs.len() as u32 + 1;
    Checkpoint { sequence: 0, block, replay_from: FIRST_BLOCK, epoch: 1, next_number, logs }
}

/// Writes a new shard's journal and checkpoint; durable on return, names included.
async fn write(rt: &Runtime, config: &StoreConfig, share: &Share) -> io::Result<()> {
    let shard_dir = config.shard_dir();
    let journal_dir = shard_dir.join("journal");
    rt.disk().create_dir_all(&journal_dir).await?;
    let blocks = blocks(&share.logs);
    let last = FIRST_BLOCK - 1 + blocks.len() as u64;
    if !blocks.is_empty() {
        // Of another size than the ring's files: a start reads it and unlinks it when nobody needs it any more.
        let how = Open { create_new: true, direct: true, ..Open::default() };
        let file = rt.disk().open(&file_path(&journal_dir, 1), how).await?;
        write_blocks(rt, config, &file, &share.logs, &blocks).await?;
        planted!("D22", (), file.datasync().await?);
    }
    // Both slots: there is no journal yet that would make up for one.
    for sequence in 1..=2 {
        let state = Checkpoint { sequence, ..checkpoint(share, last) };
        let bytes = state.encode(&config.seed(), config.layout);
        write_slot(rt, &slot_path(&shard_dir, sequence), bytes).await?;
    }
    for dir in [&journal_dir, &shard_dir, &config.dir] {
        rt.disk().sync_dir(dir).await?;
    }
    Ok(())
}

async fn write_blocks(
    rt: &Runtime,
    config: &StoreConfig,
    file: &File,
    logs: &[(LogId, Inner)],
    blocks: &[Block],
) -> io::Result<()> {
    file.allocate(blocks.iter().map(|block| align(block.length as u64)).sum()).await?;
    let (mut position, mut previous_crc, mut touched_before) = (0, 0, touched([].into_iter()));
    for (sequence, block) in (FIRST_BLOCK..).zip(blocks) {
        go_on(rt)?;
        let mut buf = rt.buffers().take(align(block.length as u64) as usize);
        let mut out = Filler { out: &mut buf, at: BLOCK_HEADER_BYTES };
        for part in &block.parts {
            let (id, inner) = &logs[part.log];
            let log = (LogNumber(part.log as u32 + 1), id);
            put_range(&mut out, Carry::Append, log, inner, part.first..part.end, part.bytes);
        }
        assert_eq!(out.at, block.length, "a block has the size it was planned with");
        let header = BlockHeader {
            epoch: 1,
            sequence,
            // By the time this layout counts.
            durable_up_to: sequence - 1,
            previous_crc,
            touched_before,
            layout: config.layout,
            length: u32::try_from(block.length).map_err(|_| io::ErrorKind::FileTooLarge)?,
            count: block.parts.len() as u32,
            crc: 0,
        };
        previous_crc = header.seal(&config.seed(), &mut buf).crc;
        touched_before = touched(block.parts.iter().map(|part| LogNumber(part.log as u32 + 1)));
        let bytes = buf.len() as u64;
        file.write_at(buf, position, Durability::None).await.0?;
        position += bytes;
        rt.yield_now().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shards_directory_names_its_generation() {
        for (shard, generation, name) in [(0, 0, "shard-0"), (12, 0, "shard-12"), (3, 7, "shard-3.7")] {
            assert_eq!(dir_name(ShardId(shard), generation), name);
            assert_eq!(generation_of(name), Some(generation));
        }
        for other in ["shard-", "shard-x", "shard-1.", "shard-1.0", "shard-01", "shard-1.01", "shard-1.2.3", "shards-1"]
        {
            assert_eq!(generation_of(other), None, "{other}");
        }
    }
}
