//! What fault injection has to know of a shard's files.

use ouzel_model::ShardId;

use crate::block::{BlockHeader, Seed};
use crate::checkpoint::Checkpoint;
use crate::codec::PAGE;
use crate::replay::{Found, choose};

/// Where a journal block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPlace {
    /// Which of the files.
    pub file: usize,
    /// Byte position in it, a multiple of 4 KiB.
    pub position: u64,
    /// Bytes, padding included.
    pub bytes: u64,
}

/// Journal blocks that a start needs and that lie at or below the durable mark, in order: damage to one of them is corruption and
/// never a torn end. `slots` and `files` are the contents of the shard's `state.ckpt.*` and journal files. Empty when such a
/// block can't be read already.
pub fn marked_blocks(
    node_uuid: [u8; 16],
    shard: ShardId,
    layout: u32,
    slots: &[Vec<u8>],
    files: &[Vec<u8>],
) -> Vec<BlockPlace> {
    let seed = Seed { node_uuid, shard };
    let slots = slots.iter().filter_map(|bytes| Checkpoint::decode(&seed, layout, bytes));
    let newest = slots.max_by_key(|c| c.sequence);
    let checkpoint = newest.unwrap_or(Checkpoint { replay_from: 1, ..Checkpoint::default() });
    let mut found = Vec::new();
    for (file, bytes) in files.iter().enumerate() {
        let mut at = 0;
        while at + PAGE <= bytes.len() {
            let left = &bytes[at..];
            let header = BlockHeader::peek(&seed, left)
                .filter(|h| h.layout == layout && h.padded() <= left.len() as u64 && h.holds(&seed, left));
            found.extend(header.map(|header| Found { header, file, position: at as u64 }));
            at += header.map_or(PAGE, |h| h.padded() as usize);
        }
    }
    let choice = choose(&found, checkpoint.replay_from, checkpoint.block, checkpoint.epoch);
    if !choice.missing.is_empty() {
        return Vec::new();
    }
    let marked = choice.chain.iter().filter(|f| f.header.sequence <= choice.mark);
    marked.map(|f| BlockPlace { file: f.file, position: f.position, bytes: f.header.padded() }).collect()
}
