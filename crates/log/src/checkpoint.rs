//! `state.ckpt` (format): the small state of every log of a shard, in two slots written in turn.
//!
//! A start reads the newer valid slot and the journal from [`Checkpoint::replay_from`] on. It is written before a journal
//! file is reused, so nothing lives in a reused file alone. Described in `docs/formats/state-checkpoint.md`.

use std::path::{Path, PathBuf};

use ouzel_model::{Index, Offset, Term, Timestamp, planted};
use ouzel_runtime::{Durability, Open, Runtime};

use crate::block::{LogNumber, Seed};
use crate::codec::{Put, Reader, align};
use crate::entry::{ENTRY_HEADER_BYTES, EntryHeader, LogId};
use crate::footer::{TermRow, put_term, take_term};
use crate::log::Inner;
use crate::store::Closed;

const MAGIC: u32 = u32::from_le_bytes(*b"OUZC");
const FORMAT: u16 = 1;
const HEADER_BYTES: usize = 64;
/// Upper bound on a slot: nothing is read on the word of a larger file.
const CHECKPOINT_BYTES_MAX: u64 = 1 << 30;
const CLOSED: u8 = 1;
const GARBAGE: u8 = 2;

/// State of a shard as of one block.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Checkpoint {
    /// Grows by one with every checkpoint; the larger valid slot counts.
    pub(crate) sequence: u64,
    /// Holds all State, Open and Close records up to this block (inclusive), which was durable before this was written.
    pub(crate) block: u64,
    /// Oldest block that any log still needs: replay begins there, and all blocks from it on must be readable.
    pub(crate) replay_from: u64,
    /// Highest file epoch begun so far.
    pub(crate) epoch: u64,
    pub(crate) next_number: u32,
    pub(crate) logs: Vec<LogState>,
}

/// One log in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogState {
    pub(crate) number: LogNumber,
    pub(crate) id: LogId,
    /// Removed: its directory is still to be deleted.
    pub(crate) closed: bool,
    /// Segment files below the origin may be left, or any when `segments` is empty.
    pub(crate) garbage: bool,
    /// Below the data directory.
    pub(crate) dir: String,
    pub(crate) log_start: Offset,
    /// The position before the first entry that is left: last index and term that are gone, next offset.
    pub(crate) origin: Origin,
    pub(crate) terms: Vec<TermRow>,
    /// Synced segments, oldest first. Their last one's end is where the journal takes over.
    pub(crate) segments: Vec<SegmentRow>,
    /// Headers of entries without payload that follow the segments and stand in no segment.
    pub(crate) blanks: Vec<EntryHeader>,
    pub(crate) states: Vec<(u8, Vec<u8>)>,
}

/// A position that a log begins behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Last index that isn't there; the log's first entry is the next one.
    pub index: Index,
    /// Its term.
    pub term: Term,
    /// The offset that the first batch behind it has.
    pub offset: Offset,
}

impl Origin {
    /// Of a log that begins empty: index 0, term 0, offset 0.
    pub const ZERO: Origin = Origin { index: Index(0), term: Term(0), offset: Offset(0) };
}

/// A segment in a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentRow {
    pub(crate) base_index: Index,
    pub(crate) base_offset: Offset,
    /// Exclusive.
    pub(crate) end_index: Index,
    /// Exclusive.
    pub(crate) end_offset: Offset,
    /// Where the next run goes: all below is data or footers, all above is nothing.
    pub(crate) end_position: u64,
    pub(crate) footer_position: u64,
    pub(crate) footer_length: u32,
    pub(crate) sealed: bool,
    pub(crate) last_term: Term,
    pub(crate) max_timestamp: Timestamp,
    /// When the first and the last of its entries were appended here, wall clock.
    pub(crate) append_time_min: Timestamp,
    pub(crate) append_time_max: Timestamp,
}

impl LogState {
    /// As of now.
    pub(crate) fn of(number: LogNumber, id: LogId, inner: &Inner) -> LogState {
        let unwritten = inner.tail.iter_from(inner.written().next());
        let blanks = unwritten.filter(|(_, m)| m.block > 0 && m.payload_len() == 0);
        LogState {
            number,
            id,
            closed: false,
            garbage: inner.garbage_below.is_some(),
            dir: inner.options.dir.clone(),
            log_start: planted!("47", inner.origin.offset, inner.log_start),
            origin: inner.origin,
            terms: inner.terms.iter().filter(|row| row.index <= inner.written()).copied().collect(),
            segments: inner.segments.iter().map(|s| s.row).collect(),
            blanks: blanks.map(|(index, meta)| meta.header(index)).collect(),
            states: inner.states.clone(),
        }
    }

    /// A removed log.
    pub(crate) fn closed(number: LogNumber, closed: &Closed) -> LogState {
        LogState {
            number,
            id: closed.id,
            closed: true,
            garbage: false,
            dir: closed.dir.clone(),
            log_start: Offset(0),
            origin: Origin::ZERO,
            terms: Vec::new(),
            segments: Vec::new(),
            blanks: Vec::new(),
            states: Vec::new(),
        }
    }
}

impl Checkpoint {
    pub(crate) fn encode(&self, seed: &Seed, layout: u32) -> Vec<u8> {
        let mut out = vec![0; HEADER_BYTES];
        self.logs.iter().for_each(|log| put_log(&mut out, log));
        let body = (out.len() - HEADER_BYTES) as u64;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.u32(MAGIC);
        header.u16(FORMAT);
        header.u16(seed.shard.0);
        header.u64(self.sequence);
        header.u64(self.block);
        header.u64(self.replay_from);
        header.u64(self.epoch);
        header.u64(body);
        header.u32(self.next_number);
        header.u32(self.logs.len() as u32);
        header.u32(layout);
        out[..60].copy_from_slice(&header);
        let crc = seed.crc(&[&out[..60], &out[HEADER_BYTES..]]);
        out[60..64].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// `None` when the checksum doesn't hold, or for another layout.
    pub(crate) fn decode(seed: &Seed, layout: u32, bytes: &[u8]) -> Option<Checkpoint> {
        let mut r = Reader(bytes);
        if r.u32()? != MAGIC || r.u16()? != FORMAT || r.u16()? != seed.shard.0 {
            return None;
        }
        let (sequence, block, replay_from, epoch, body) = (r.u64()?, r.u64()?, r.u64()?, r.u64()?, r.u64()?);
        let (next_number, count, of_layout, crc) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?);
        let body = r.take(usize::try_from(body).ok()?)?;
        if of_layout != layout || crc != seed.crc(&[&bytes[..60], body]) {
            return None;
        }
        let mut r = Reader(body);
        let mut logs = Vec::new();
        for _ in 0..count {
            logs.push(take_log(&mut r)?);
        }
        Some(Checkpoint { sequence, block, replay_from, epoch, next_number, logs })
    }
}

fn put_log(out: &mut Vec<u8>, log: &LogState) {
    out.u32(log.number.0);
    out.u8(if log.closed { CLOSED } else { 0 } | if log.garbage { GARBAGE } else { 0 });
    out.u8(0);
    out.u16(log.dir.len() as u16);
    out.bytes(&log.id.0);
    out.bytes(log.dir.as_bytes());
    out.i64(log.log_start.0);
    out.u64(log.origin.index.0);
    out.u32(log.origin.term.0);
    out.i64(log.origin.offset.0);
    out.u32(log.terms.len() as u32);
    out.u32(log.segments.len() as u32);
    out.u32(log.blanks.len() as u32);
    out.u32(log.states.len() as u32);
    log.terms.iter().for_each(|row| put_term(out, row));
    for s in &log.segments {
        out.u64(s.base_index.0);
        out.i64(s.base_offset.0);
        out.u64(s.end_index.0);
        out.i64(s.end_offset.0);
        out.u64(s.end_position);
        out.u64(s.footer_position);
        out.u32(s.footer_length);
        out.u32(u32::from(s.sealed));
        out.u32(s.last_term.0);
        out.i64(s.max_timestamp.0);
        out.i64(s.append_time_min.0);
        out.i64(s.append_time_max.0);
    }
    log.blanks.iter().for_each(|header| out.bytes(&header.encode(&log.id, &[])));
    for (key, value) in &log.states {
        out.u8(*key);
        out.u32(value.len() as u32);
        out.bytes(value);
    }
}

fn take_log(r: &mut Reader<'_>) -> Option<LogState> {
    let (number, flags, _reserved, dir_len) = (LogNumber(r.u32()?), r.u8()?, r.u8()?, r.u16()?);
    let id = LogId(r.array()?);
    let dir = String::from_utf8(r.take(usize::from(dir_len))?.to_vec()).ok()?;
    let log_start = Offset(r.i64()?);
    let origin = Origin { index: Index(r.u64()?), term: Term(r.u32()?), offset: Offset(r.i64()?) };
    let (terms, segments, blanks, states) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?);
    let mut log = LogState {
        number,
        id,
        closed: flags & CLOSED != 0,
        garbage: flags & GARBAGE != 0,
        dir,
        log_start,
        origin,
        terms: Vec::new(),
        segments: Vec::new(),
        blanks: Vec::new(),
        states: Vec::new(),
    };
    for _ in 0..terms {
        log.terms.push(take_term(r)?);
    }
    for _ in 0..segments {
        log.segments.push(SegmentRow {
            base_index: Index(r.u64()?),
            base_offset: Offset(r.i64()?),
            end_index: Index(r.u64()?),
            end_offset: Offset(r.i64()?),
            end_position: r.u64()?,
            footer_position: r.u64()?,
            footer_length: r.u32()?,
            sealed: r.u32()? != 0,
            last_term: Term(r.u32()?),
            max_timestamp: Timestamp(r.i64()?),
            append_time_min: Timestamp(r.i64()?),
            append_time_max: Timestamp(r.i64()?),
        });
    }
    for _ in 0..blanks {
        let raw: [u8; ENTRY_HEADER_BYTES] = r.array()?;
        log.blanks.push(EntryHeader::decode_checked(&log.id, &raw, &[]).ok()?);
    }
    for _ in 0..states {
        let (key, len) = (r.u8()?, r.u32()?);
        log.states.push((key, r.take(len as usize)?.to_vec()));
    }
    Some(log)
}

/// The two slots of a shard directory.
pub(crate) fn slot_path(shard_dir: &Path, sequence: u64) -> PathBuf {
    shard_dir.join(format!("state.ckpt.{}", sequence % 2))
}

/// What the slots hold.
pub(crate) struct Slots {
    /// The newer valid one.
    pub(crate) newest: Option<Checkpoint>,
    /// Slots that exist and aren't valid.
    pub(crate) bad: usize,
}

/// Reads both slots.
pub(crate) async fn read_slots(rt: &Runtime, seed: &Seed, layout: u32, shard_dir: &Path) -> std::io::Result<Slots> {
    let mut slots = Slots { newest: None, bad: 0 };
    for slot in 0..2 {
        let path = slot_path(shard_dir, slot);
        if !rt.disk().exists(&path).await? {
            continue;
        }
        let bytes = rt.disk().read(&path, CHECKPOINT_BYTES_MAX).await?;
        match Checkpoint::decode(seed, layout, &bytes) {
            Some(found) if slots.newest.as_ref().is_none_or(|n| n.sequence < found.sequence) => {
                slots.newest = Some(found);
            }
            Some(_) => {}
            None => slots.bad += 1,
        }
    }
    Ok(slots)
}

/// Writes a checkpoint into its slot; durable on return. The other slot stays as it is.
pub(crate) async fn write_slot(rt: &Runtime, path: &Path, bytes: Vec<u8>) -> std::io::Result<()> {
    let new = !rt.disk().exists(path).await?;
    let file = rt.disk().open(path, Open { create: true, ..Open::default() }).await?;
    let mut buf = rt.buffers().take(align(bytes.len() as u64) as usize);
    buf[..bytes.len()].copy_from_slice(&bytes);
    buf[bytes.len()..].fill(0);
    file.write_at(buf, 0, Durability::Sync).await.0?;
    if new {
        let dir = path.parent().expect("a slot lies in a directory");
        rt.disk().sync_dir(dir).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Kind;
    use ouzel_model::ShardId;

    const SEED: Seed = Seed { node_uuid: *b"uuid of the node", shard: ShardId(3) };

    fn sample() -> Checkpoint {
        let blank = EntryHeader {
            payload_len: 0,
            index: Index(12),
            term: Term(4),
            base_offset: Offset(43),
            kind: Kind::Blank,
            flags: 0,
        };
        let segment = SegmentRow {
            base_index: Index(9),
            base_offset: Offset(40),
            end_index: Index(12),
            end_offset: Offset(43),
            end_position: 12288,
            footer_position: 8192,
            footer_length: 200,
            sealed: false,
            last_term: Term(3),
            max_timestamp: Timestamp(1000),
            append_time_min: Timestamp(5),
            append_time_max: Timestamp(6),
        };
        let log = LogState {
            number: LogNumber(5),
            id: LogId(*b"0123456789abcdef\0\0\0\x07"),
            closed: false,
            garbage: false,
            dir: "topics/t/7".into(),
            log_start: Offset(41),
            origin: Origin { index: Index(8), term: Term(2), offset: Offset(40) },
            terms: vec![TermRow { term: Term(3), index: Index(9), offset: Offset(40) }],
            segments: vec![segment],
            blanks: vec![blank],
            states: vec![(1, b"vote".to_vec()), (0xf0, vec![0; 8])],
        };
        Checkpoint { sequence: 6, block: 70, replay_from: 60, epoch: 4, next_number: 6, logs: vec![log] }
    }

    #[test]
    fn a_checkpoint_reads_back_and_has_its_golden_bytes() {
        let bytes = sample().encode(&SEED, 1);
        assert_eq!(Checkpoint::decode(&SEED, 1, &bytes), Some(sample()));
        assert_eq!(Checkpoint::decode(&SEED, 2, &bytes), None, "another layout");
        let hex: String = bytes[..HEADER_BYTES].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, GOLDEN);
        assert_eq!(crc32c::crc32c(&bytes), GOLDEN_CRC, "{:#x}", crc32c::crc32c(&bytes));
    }
    const GOLDEN: &str = "4f555a4301000300060000000000000046000000000000003c000000000000000400000000000000f000000000000000060000000100000001000000c2be1559";
    const GOLDEN_CRC: u32 = 0xaae1_c9d9;

    #[test]
    fn a_logs_flags_have_their_golden_bytes() {
        let flags = |closed, garbage| {
            let log = LogState { closed, garbage, ..sample().logs.remove(0) };
            let bytes = Checkpoint { logs: vec![log.clone()], ..sample() }.encode(&SEED, 1);
            assert_eq!(Checkpoint::decode(&SEED, 1, &bytes).unwrap().logs, [log]);
            bytes[HEADER_BYTES + 4]
        };
        assert_eq!([flags(false, false), flags(true, false), flags(false, true), flags(true, true)], [0, 1, 2, 3]);
    }

    #[test]
    fn a_checkpoint_with_any_changed_byte_is_refused() {
        let bytes = sample().encode(&SEED, 1);
        for byte in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[byte] ^= 0x04;
            assert_eq!(Checkpoint::decode(&SEED, 1, &bad), None, "byte {byte}");
        }
    }
}
