//! A segment file (format): a header of 4 KiB, then runs, footers between and behind them, all 4 KiB-aligned.
//!
//! A run holds the payloads of consecutive batches back to back, so a fetch takes one slice of it, and their headers in a
//! table behind them. Entries of other kinds stand in the table alone. Described in `docs/formats/segment.md`.

use std::ops::Range;

use bytes::Bytes;
use ouzel_model::{Index, Offset, Term, Timestamp};

use crate::codec::{Filler, PAGE, Put, Reader, align};
use crate::entry::{BadEntry, ENTRY_HEADER_BYTES, EntryHeader, Kind, LogId, Stamp, check_batch};

/// Bytes of a segment's header.
pub(crate) const SEGMENT_HEADER_BYTES: usize = PAGE;
/// Bytes of a run's preamble.
pub(crate) const RUN_HEADER_BYTES: usize = 32;
/// Payload bytes of a run, unless a single entry is larger.
pub(crate) const RUN_BYTES_MAX: usize = 1 << 20;
/// Longest name in a segment's header; longer ones are cut.
const NAME_BYTES_MAX: usize = 1024;

const SEGMENT_MAGIC: u32 = u32::from_le_bytes(*b"OUZS");
const RUN_MAGIC: u32 = u32::from_le_bytes(*b"OUZR");
const FORMAT: u16 = 1;

/// The header of a segment file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) log: LogId,
    pub(crate) base_index: Index,
    pub(crate) base_offset: Offset,
    pub(crate) first_term: Term,
    /// When the file was made, for people.
    pub(crate) created: Timestamp,
    /// Topic and partition, for people.
    pub(crate) name: String,
}

impl SegmentHeader {
    /// Fills 4 KiB: `magic u32 · crc u32 · format u16 · flags u16 · log id 20 · base index u64 · base offset i64 ·
    /// first term u32 · created i64 · name length u16 · name`, zeros behind.
    pub(crate) fn encode(&self, out: &mut [u8]) {
        let out = &mut out[..SEGMENT_HEADER_BYTES];
        out.fill(0);
        let mut cut = self.name.len().min(NAME_BYTES_MAX);
        while !self.name.is_char_boundary(cut) {
            cut -= 1;
        }
        let mut f = Filler { out, at: 0 };
        f.u32(SEGMENT_MAGIC);
        f.u32(0);
        f.u16(FORMAT);
        f.u16(0);
        f.bytes(&self.log.0);
        f.u64(self.base_index.0);
        f.i64(self.base_offset.0);
        f.u32(self.first_term.0);
        f.i64(self.created.0);
        f.u16(cut as u16);
        f.bytes(&self.name.as_bytes()[..cut]);
        let crc = crc32c::crc32c(&f.out[8..]);
        f.out[4..8].copy_from_slice(&crc.to_le_bytes());
    }

    /// `None` when the checksum doesn't hold or the format is unknown.
    pub(crate) fn decode(bytes: &[u8]) -> Option<SegmentHeader> {
        let bytes = bytes.get(..SEGMENT_HEADER_BYTES)?;
        let mut r = Reader(bytes);
        let (magic, crc, format, _flags) = (r.u32()?, r.u32()?, r.u16()?, r.u16()?);
        if magic != SEGMENT_MAGIC || format != FORMAT || crc != crc32c::crc32c(&bytes[8..]) {
            return None;
        }
        Some(SegmentHeader {
            log: LogId(r.array()?),
            base_index: Index(r.u64()?),
            base_offset: Offset(r.i64()?),
            first_term: Term(r.u32()?),
            created: Timestamp(r.i64()?),
            name: {
                let length = r.u16()?;
                String::from_utf8(r.take(usize::from(length))?.to_vec()).ok()?
            },
        })
    }
}

/// The name of the segment file that begins at `base`.
pub(crate) fn file_name(base: Offset) -> String {
    format!("{:020}.log", base.0)
}

/// The base offset in a segment file's name.
pub(crate) fn base_of_file_name(name: &str) -> Option<Offset> {
    let digits = name.strip_suffix(".log")?;
    if digits.len() != 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().map(Offset)
}

/// A run's preamble: `magic u32 · crc u32 · payload bytes u32 · table bytes u32 · entries u32 · flags u32 · first index
/// u64`. The checksum covers log id, preamble and table; a batch has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunHeader {
    pub(crate) crc: u32,
    pub(crate) payload_bytes: u32,
    pub(crate) table_bytes: u32,
    pub(crate) entries: u32,
    pub(crate) first_index: Index,
}

impl RunHeader {
    /// Bytes of the run without padding.
    pub(crate) fn length(&self) -> u64 {
        RUN_HEADER_BYTES as u64 + u64::from(self.payload_bytes) + u64::from(self.table_bytes)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<RunHeader> {
        let mut r = Reader(bytes);
        if r.u32()? != RUN_MAGIC {
            return None;
        }
        let (crc, payload_bytes, table_bytes, entries, flags) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?, r.u32()?);
        let fits = flags == 0 && table_bytes as usize / ENTRY_HEADER_BYTES >= entries as usize;
        fits.then_some(RunHeader { crc, payload_bytes, table_bytes, entries, first_index: Index(r.u64()?) })
    }
}

/// Sizes of a run that is being gathered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RunSize {
    pub(crate) payload_bytes: usize,
    pub(crate) table_bytes: usize,
}

impl RunSize {
    pub(crate) fn add(&mut self, kind: Kind, payload_len: usize) {
        self.table_bytes += ENTRY_HEADER_BYTES;
        match kind {
            Kind::Batch => self.payload_bytes += payload_len,
            _ => self.table_bytes += payload_len,
        }
    }
    /// Bytes of the run, padded to 4 KiB.
    pub(crate) fn padded(&self) -> usize {
        align((RUN_HEADER_BYTES + self.payload_bytes + self.table_bytes) as u64) as usize
    }
}

/// Writes a run of `entries` into `out`, which has [`RunSize::padded`] bytes.
pub(crate) fn put_run(out: &mut [u8], log: &LogId, size: RunSize, entries: &[(EntryHeader, Bytes)]) {
    let first = entries.first().expect("a run has entries").0.index;
    let (payload_end, end) =
        (RUN_HEADER_BYTES + size.payload_bytes, RUN_HEADER_BYTES + size.payload_bytes + size.table_bytes);
    let (mut payload_at, mut table) = (RUN_HEADER_BYTES, Vec::with_capacity(size.table_bytes));
    for (header, payload) in entries {
        table.bytes(&header.encode(log, payload));
        if header.kind == Kind::Batch {
            out[payload_at..payload_at + payload.len()].copy_from_slice(payload);
            payload_at += payload.len();
        } else {
            table.bytes(payload);
        }
    }
    assert_eq!((payload_at, table.len()), (payload_end, size.table_bytes), "a run has the size it was planned with");
    out[payload_end..end].copy_from_slice(&table);
    out[end..].fill(0);
    let mut f = Filler { out, at: 0 };
    f.u32(RUN_MAGIC);
    f.u32(0);
    f.u32(size.payload_bytes as u32);
    f.u32(size.table_bytes as u32);
    f.u32(entries.len() as u32);
    f.u32(0);
    f.u64(first.0);
    let crc = run_crc(log, &f.out[8..RUN_HEADER_BYTES], &table);
    f.out[4..8].copy_from_slice(&crc.to_le_bytes());
}

fn run_crc(log: &LogId, preamble: &[u8], table: &[u8]) -> u32 {
    [preamble, table].iter().fold(crc32c::crc32c(&log.0), |crc, part| crc32c::crc32c_append(crc, part))
}

/// An entry of a loaded run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunEntry {
    pub(crate) header: EntryHeader,
    /// Its payload within the run.
    pub(crate) payload: Range<usize>,
    /// Last offset (inclusive); the one before its base for kinds that take none.
    pub(crate) last_offset: Offset,
    /// Largest timestamp of a batch.
    pub(crate) max_timestamp: Timestamp,
}

/// A run in memory; every byte passed its checksum.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) bytes: Bytes,
    pub(crate) entries: Vec<RunEntry>,
}

impl Run {
    /// Checks the bytes of a run of `log`, padding allowed behind them. "Every byte served from disk passed its CRC."
    pub(crate) fn check(log: &LogId, bytes: Bytes) -> Result<Run, BadRun> {
        let header = RunHeader::decode(&bytes).ok_or(BadRun::Preamble)?;
        let length = usize::try_from(header.length()).map_err(|_| BadRun::Preamble)?;
        let payload_end = RUN_HEADER_BYTES + header.payload_bytes as usize;
        let table = bytes.get(payload_end..length).ok_or(BadRun::Preamble)?;
        if run_crc(log, &bytes[8..RUN_HEADER_BYTES], table) != header.crc {
            return Err(BadRun::Table);
        }
        let mut entries = Vec::with_capacity(header.entries as usize);
        let (mut reader, mut at, mut next) = (Reader(table), RUN_HEADER_BYTES, header.first_index);
        for _ in 0..header.entries {
            let raw: [u8; ENTRY_HEADER_BYTES] = reader.array().ok_or(BadRun::Table)?;
            let entry = EntryHeader::decode(&raw)?;
            let len = entry.payload_len as usize;
            let range = if entry.kind == Kind::Batch {
                at..at.saturating_add(len)
            } else {
                let start = length - reader.0.len();
                reader.take(len).ok_or(BadRun::Table)?;
                start..start + len
            };
            let payload = bytes.get(range.clone()).ok_or(BadRun::Table)?;
            EntryHeader::decode_checked(log, &raw, payload)?;
            if entry.index < next {
                return Err(BadRun::Order);
            }
            next = entry.index.next();
            let (last_offset, max_timestamp) = if entry.kind == Kind::Batch {
                check_batch(payload)?;
                at = range.end;
                let stamp = Stamp::of(payload).ok_or(BadEntry::Short)?;
                (stamp.last_offset(), Timestamp(stamp.max_timestamp))
            } else {
                (Offset(entry.base_offset.0 - 1), Timestamp(i64::MIN))
            };
            entries.push(RunEntry { header: entry, payload: range, last_offset, max_timestamp });
        }
        if at != payload_end || !reader.0.is_empty() || entries.is_empty() {
            return Err(BadRun::Table);
        }
        Ok(Run { bytes: bytes.slice(..length), entries })
    }
}

/// Why bytes aren't a run of this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRun {
    /// No run begins here.
    #[error("no run begins here")]
    Preamble,
    /// The table fails its checksum or doesn't add up.
    #[error("the run's table fails its checksum")]
    Table,
    /// Indexes don't grow.
    #[error("the run's indexes don't grow")]
    Order,
    /// An entry isn't valid.
    #[error(transparent)]
    Entry(#[from] BadEntry),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::batch;

    const LOG: LogId = LogId(*b"0123456789abcdef\0\0\0\x07");

    fn entries() -> Vec<(EntryHeader, Bytes)> {
        let entry = |index, base, kind, payload: &[u8]| {
            let header = EntryHeader {
                payload_len: payload.len() as u32,
                index: Index(index),
                term: Term(3),
                base_offset: Offset(base),
                kind,
                flags: 0,
            };
            (header, Bytes::copy_from_slice(payload))
        };
        vec![
            entry(9, 40, Kind::Batch, &batch(40, 3, 2, 1000, b"hello")),
            entry(10, 42, Kind::Membership, b"members"),
            entry(11, 42, Kind::Blank, b""),
            entry(12, 42, Kind::Batch, &batch(42, 3, 1, 900, b"world!")),
        ]
    }

    fn encoded(entries: &[(EntryHeader, Bytes)]) -> Vec<u8> {
        let mut size = RunSize::default();
        entries.iter().for_each(|(h, p)| size.add(h.kind, p.len()));
        let mut out = vec![0xee; size.padded()];
        put_run(&mut out, &LOG, size, entries);
        out
    }

    #[test]
    fn a_run_reads_back_with_its_batches_back_to_back() {
        let bytes = encoded(&entries());
        let run = Run::check(&LOG, Bytes::from(bytes)).unwrap();
        let back: Vec<_> = run.entries.iter().map(|e| (e.header, run.bytes.slice(e.payload.clone()))).collect();
        assert_eq!(back, entries());
        assert_eq!(run.entries[0].payload.end, run.entries[3].payload.start);
        assert_eq!(run.entries[0].last_offset, Offset(41));
        assert_eq!(run.entries[3].max_timestamp, Timestamp(900));
    }

    #[test]
    fn a_run_with_any_changed_byte_or_of_another_log_is_refused() {
        let bytes = encoded(&entries());
        let length = RunHeader::decode(&bytes).unwrap().length() as usize;
        for byte in 0..length {
            let mut bad = bytes.clone();
            bad[byte] ^= 0x20;
            assert!(Run::check(&LOG, Bytes::from(bad)).is_err(), "byte {byte}");
        }
        assert!(Run::check(&LogId([7; 20]), Bytes::from(bytes)).is_err());
    }

    #[test]
    fn run_and_segment_header_have_their_golden_bytes() {
        let run = encoded(&entries());
        assert_eq!(crc32c::crc32c(&run), GOLDEN_RUN, "{:#x}", crc32c::crc32c(&run));
        let header = SegmentHeader {
            log: LOG,
            base_index: Index(9),
            base_offset: Offset(40),
            first_term: Term(3),
            created: Timestamp(1_700_000_000_000),
            name: "orders/7".into(),
        };
        let mut bytes = vec![1; 4096];
        header.encode(&mut bytes);
        let hex: String = bytes[..80].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, GOLDEN_HEADER);
        assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        bytes[4000] ^= 1;
        assert_eq!(SegmentHeader::decode(&bytes), None);
    }
    const GOLDEN_RUN: u32 = 0x4257_1086;
    const GOLDEN_HEADER: &str = "4f555a53f0f4130001000000303132333435363738396162636465660000000709000000000000002800000000000000030000000068e5cf8b01000008006f72646572732f3700000000000000000000";

    #[test]
    fn segment_files_are_named_by_their_base_offset() {
        assert_eq!(file_name(Offset(42)), "00000000000000000042.log");
        assert_eq!(base_of_file_name("00000000000000000042.log"), Some(Offset(42)));
        assert_eq!(base_of_file_name("42.log"), None);
        assert_eq!(base_of_file_name("start"), None);
    }
}
