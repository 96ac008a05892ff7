//! Damage to bytes at rest, behind every check that the device makes: bits flip, blocks are lost, land elsewhere, or fall back to
//! what they held before. Each is bounded, so that it is known what a broker without replicas may refuse from then on; what it
//! serves must be right all the same.
//!
//! A journal block is damaged only below the durable mark, and one of a shard at most: the newest block without a mark, or two
//! blocks of which one carries the mark of the other, look like the torn end of a journal, and no journal could tell.

use std::collections::BTreeSet;

use ouzel_log::testing::{BlockPlace, marked_blocks};
use ouzel_model::ShardId;
use ouzel_runtime::sim::{Damage, Image, Stream};

const PAGE: u64 = 4096;
/// Blocks at the end of a journal that are hit more often than others.
const NEWEST: u64 = 5;

/// Damage done so far.
#[derive(Default)]
pub struct Rot {
    hit: BTreeSet<String>,
}

/// A file on a disk: its path, number and bytes.
type Found = (String, u32, u64);

impl Rot {
    /// Damages one block of a file of the node, drawn by `seed`. `old` is the disk as it was a while ago: given, a journal block falls
    /// back to what it held then, as after a lost write behind a good sync. What the node may refuse from now on, if that is
    /// more than before: all of it (`n1`), or a partition (`n1/t0/2`).
    pub fn strike(&mut self, image: &mut Image, node: &str, seed: u64, old: Option<&Image>) -> Option<String> {
        let mut dice = Stream::new(seed, "rot");
        let files = image.files();
        let with = |part: &str| -> Vec<Found> { files.iter().filter(|f| f.0.contains(part)).cloned().collect() };
        if old.is_some() {
            return self.journal(image, &files, node, &mut dice, old);
        }
        match dice.below(20) {
            0..=9 => segment(image, &with(".log"), node, &mut dice),
            10..=14 => self.journal(image, &files, node, &mut dice, None),
            15 | 16 => any(image, &with("/state.ckpt."), &mut dice).map(|_| node.to_owned()),
            // One snapshot's loss is made up for by the one before it and the log behind that.
            17 | 18 => {
                let hit = any(image, &with("/controller/snapshot-"), &mut dice)?;
                let again = !self.hit.insert(format!("{node} snapshot"));
                (again || hit.ends_with(".tmp")).then(|| node.to_owned())
            }
            _ => any(image, &with("/node.toml"), &mut dice).map(|_| node.to_owned()),
        }
    }

    fn journal(
        &mut self,
        image: &mut Image,
        files: &[Found],
        node: &str,
        dice: &mut Stream,
        old: Option<&Image>,
    ) -> Option<String> {
        let (uuid, layout) = identity(image, files)?;
        let journals: Vec<&Found> = files.iter().filter(|f| f.0.ends_with(".j")).collect();
        let any = journals.get(dice.below(journals.len() as u64) as usize)?;
        let (shard_dir, _) = any.0.split_once("/journal/")?;
        // `shard-<n>`, or with the layout's generation `shard-<n>.<g>`.
        let shard = ShardId(shard_dir.rsplit_once("shard-")?.1.split('.').next()?.parse().ok()?);
        let of_shard: Vec<&Found> = journals.iter().copied().filter(|f| f.0.starts_with(shard_dir)).collect();
        let slots = files.iter().filter(|f| f.0.starts_with(&format!("{shard_dir}/state.ckpt.")));
        let slots: Vec<Vec<u8>> = slots.map(|f| content(image, f)).collect();
        let contents: Vec<Vec<u8>> = of_shard.iter().map(|f| content(image, f)).collect();
        let blocks = marked_blocks(uuid, shard, layout, &slots, &contents);
        let ino = |block: &BlockPlace| of_shard[block.file].1;
        let before = |block: &BlockPlace| old.map(|o| o.platter(ino(block), (block.position / PAGE) as u32));
        let blocks: Vec<BlockPlace> = match old {
            None => blocks,
            // What was there is another block, not the zeros of a new file.
            Some(_) => {
                let now = |b: &BlockPlace| &contents[b.file][b.position as usize..][..PAGE as usize];
                let stale = |b: &&BlockPlace| before(b).is_some_and(|p| p.starts_with(b"OUZJ") && p[..] != *now(b));
                blocks.iter().filter(stale).copied().collect()
            }
        };
        let back = if dice.chance(0.6) { NEWEST.min(blocks.len() as u64) } else { blocks.len() as u64 };
        let block = blocks.len().checked_sub(1 + dice.below(back) as usize).map(|at| blocks[at])?;
        if !self.hit.insert(format!("{node} {shard_dir}")) {
            return None;
        }
        match before(&block) {
            Some(page) => image.set_platter(ino(&block), (block.position / PAGE) as u32, &page),
            None => {
                let page = block.position / PAGE + if dice.chance(0.5) { 0 } else { dice.below(block.bytes / PAGE) };
                let damage = way(dice, 0);
                image.damage(ino(&block), page as u32, damage, dice);
            }
        }
        Some(node.to_owned())
    }
}

/// Damages a segment; what it may refuse then. Its header says whose it is, and is read by people only.
fn segment(image: &mut Image, files: &[Found], node: &str, dice: &mut Stream) -> Option<String> {
    let (path, ino, len) = files.get(dice.below(files.len() as u64) as usize)?;
    let header = image.platter(*ino, 0);
    let length = u16::from_le_bytes([header[60], header[61]]);
    let name = std::str::from_utf8(header.get(62..62 + usize::from(length))?).ok()?.to_owned();
    let pages = len.div_ceil(PAGE);
    if !header.starts_with(b"OUZS") || pages < 2 {
        return None;
    }
    let page = dice.between(1, pages - 1) as u32;
    let damage = way(dice, pages);
    image.damage(*ino, page, damage, dice);
    Some(if path.contains("/controller/") { node.to_owned() } else { format!("{node}/{name}") })
}

/// Damages one of the files; its path.
fn any(image: &mut Image, files: &[Found], dice: &mut Stream) -> Option<String> {
    let (path, ino, len) = files.get(dice.below(files.len() as u64) as usize)?;
    let page = dice.below(len.div_ceil(PAGE).max(1));
    let damage = match way(dice, 0) {
        // Within the file, however short.
        Damage::Flip { bit } => Damage::Flip { bit: bit % (8 * (len - page * PAGE).clamp(1, PAGE)) as u32 },
        other => other,
    };
    image.damage(*ino, page as u32, damage, dice);
    Some(path.clone())
}

/// How; in a segment of so many pages also by changing places with another one.
fn way(dice: &mut Stream, pages: u64) -> Damage {
    match dice.below(5) {
        0 if pages > 0 => Damage::Swap { with: dice.between(1, pages - 1) as u32 },
        0 | 1 => Damage::Zero,
        2 => Damage::Scramble,
        _ => Damage::Flip { bit: dice.below(8 * PAGE) as u32 },
    }
}

/// The bytes of a file on the platter.
fn content(image: &Image, (_, ino, len): &Found) -> Vec<u8> {
    (0..len.div_ceil(PAGE)).flat_map(|page| image.platter(*ino, page as u32)).collect()
}

/// The node's uuid and layout, from its `node.toml`.
fn identity(image: &Image, files: &[Found]) -> Option<([u8; 16], u32)> {
    let file = files.iter().find(|f| f.0.ends_with("/node.toml"))?;
    let mut bytes = content(image, file);
    bytes.truncate(file.2 as usize);
    let text = String::from_utf8(bytes).ok()?;
    let value = |key: &str| {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        lines.into_iter().find(|(k, _)| k.trim() == key).map(|(_, v)| v.trim().trim_matches('"').to_owned())
    };
    let uuid = u128::from_str_radix(&value("node_uuid")?, 16).ok()?;
    Some((uuid.to_be_bytes(), value("layout")?.parse().ok()?))
}
