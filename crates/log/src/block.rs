//! A journal block (format): one group commit. A header of 64 bytes, then records, padded to 4 KiB.
//!
//! The checksum is seeded with the node's uuid and the shard, so that a block of another node or core, or of an earlier
//! life of a recycled file (older epoch and sequence), is never taken for data. Described in `docs/formats/journal.md`.

use ouzel_model::{Index, ShardId};

use crate::codec::{Filler, Put, Reader, align};
use crate::entry::{ENTRY_HEADER_BYTES, EntryHeader, LogId};

/// Bytes of a block's header.
pub(crate) const BLOCK_HEADER_BYTES: usize = 64;
/// Bytes of a record's header.
pub(crate) const RECORD_HEADER_BYTES: usize = 16;
const MAGIC: u32 = u32::from_le_bytes(*b"OUZJ");
const FORMAT: u16 = 1;

/// What seeds every checksum of a shard's journal and checkpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed {
    pub(crate) node_uuid: [u8; 16],
    pub(crate) shard: ShardId,
}

impl Seed {
    pub(crate) fn crc(&self, parts: &[&[u8]]) -> u32 {
        let start = crc32c::crc32c_append(crc32c::crc32c(&self.node_uuid), &self.shard.0.to_le_bytes());
        parts.iter().fold(start, |crc, part| crc32c::crc32c_append(crc, part))
    }
}

/// Number of a log within its shard's journal: never used twice there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LogNumber(pub(crate) u32);

/// Logs as bits: 0 to 62 for numbers modulo 63, and the highest for "these and no others". What a block can't say itself when it
/// can't be read, the next one says for it: damage then stays with the logs that it may have been about.
pub(crate) fn touched(logs: impl Iterator<Item = LogNumber>) -> u64 {
    logs.fold(TOUCHED_KNOWN, |set, log| set | touched_bit(log))
}

/// A log's bit in [`touched`].
pub(crate) fn touched_bit(log: LogNumber) -> u64 {
    1 << (log.0 % 63)
}

const TOUCHED_KNOWN: u64 = 1 << 63;

/// A block's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    /// Grows by one with every file that is begun; all blocks of a file carry its epoch.
    pub(crate) epoch: u64,
    /// Grows by one with every block; recovery may begin again above the last durable one, in a higher epoch.
    pub(crate) sequence: u64,
    /// All blocks up to this sequence were durable when this one was built (inclusive).
    pub(crate) durable_up_to: u64,
    /// Checksum of the block before it.
    pub(crate) previous_crc: u32,
    /// Which logs the block before it is about: [`touched`]; 0: unknown.
    pub(crate) touched_before: u64,
    /// Layout generation of the data directory: which number of cores it was laid out for.
    pub(crate) layout: u32,
    /// Bytes, header included, padding not.
    pub(crate) length: u32,
    /// Records.
    pub(crate) count: u32,
    /// Checksum of all of it.
    pub(crate) crc: u32,
}

impl BlockHeader {
    /// Bytes on disk.
    pub(crate) fn padded(&self) -> u64 {
        align(u64::from(self.length))
    }

    /// Writes the header of a block whose records stand in `block[64..length]`, and zeroes the padding. Returns the
    /// checksum, which the next block names.
    pub(crate) fn seal(mut self, seed: &Seed, block: &mut [u8]) -> BlockHeader {
        let length = self.length as usize;
        block[length..align(length as u64) as usize].fill(0);
        let mut f = Filler { out: block, at: 0 };
        f.u32(MAGIC);
        f.u16(FORMAT);
        f.u16(seed.shard.0);
        f.u64(self.epoch);
        f.u64(self.sequence);
        f.u64(self.durable_up_to);
        f.u32(self.previous_crc);
        f.u32(self.length);
        f.u32(self.count);
        f.u32(self.layout);
        f.u64(self.touched_before);
        f.u32(0);
        self.crc = seed.crc(&[&block[..60], &block[BLOCK_HEADER_BYTES..length]]);
        block[60..64].copy_from_slice(&self.crc.to_le_bytes());
        self
    }

    /// Reads a header, unchecked: a candidate whose length says how much to read for the check.
    pub(crate) fn peek(seed: &Seed, bytes: &[u8]) -> Option<BlockHeader> {
        let mut r = Reader(bytes);
        if r.u32()? != MAGIC || r.u16()? != FORMAT || r.u16()? != seed.shard.0 {
            return None;
        }
        let (epoch, sequence, durable_up_to) = (r.u64()?, r.u64()?, r.u64()?);
        let (previous_crc, length, count, layout) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?);
        let (touched_before, _, crc) = (r.u64()?, r.u32()?, r.u32()?);
        let header =
            BlockHeader { epoch, sequence, durable_up_to, previous_crc, touched_before, layout, length, count, crc };
        (length as usize >= BLOCK_HEADER_BYTES && durable_up_to < sequence).then_some(header)
    }

    /// Whether `block`, of at least `length` bytes, passes its checksum.
    pub(crate) fn holds(&self, seed: &Seed, block: &[u8]) -> bool {
        let length = self.length as usize;
        block.len() >= length && seed.crc(&[&block[..60], &block[BLOCK_HEADER_BYTES..length]]) == self.crc
    }
}

/// One record of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    /// Entries that replace all from the first one's index on.
    Append(LogNumber, Entries<'a>),
    /// Cuts all entries from this index on (inclusive).
    Truncate(LogNumber, Index),
    /// A small value; the latest of a key counts.
    State(LogNumber, u8, &'a [u8]),
    /// Gives a number to a log, with its directory below the data directory.
    Open(LogNumber, LogId, &'a str),
    /// The log was removed: its number is dead and its directory may go.
    Close(LogNumber),
    /// Entries copied forward: each fills an absent index, else it equals what is there.
    Again(LogNumber, Entries<'a>),
    /// Entries that stand in a segment only. Reserved: format 1 reads it, nothing writes it yet.
    Extern(LogNumber, Extern),
}

impl Record<'_> {
    /// The log that it is about.
    pub(crate) fn number(&self) -> LogNumber {
        match self {
            Record::Append(number, _)
            | Record::Truncate(number, _)
            | Record::State(number, ..)
            | Record::Open(number, ..)
            | Record::Close(number)
            | Record::Again(number, _)
            | Record::Extern(number, _) => *number,
        }
    }
}

/// Where the entries of an Extern record stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extern {
    pub(crate) first: Index,
    pub(crate) last: Index,
    /// Base offset that names the segment file.
    pub(crate) segment: i64,
    pub(crate) position: u64,
    pub(crate) length: u32,
    /// CRC-32C of the bytes there.
    pub(crate) crc: u32,
}

/// Entries of an Append or Again record: all headers, then all payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entries<'a> {
    headers: &'a [u8],
    payloads: &'a [u8],
}

impl<'a> Entries<'a> {
    /// Each header with its bytes and its payload; `None` in the middle when the lengths don't add up.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<(&'a [u8; ENTRY_HEADER_BYTES], &'a [u8])>> + use<'a> {
        let mut payloads = Reader(self.payloads);
        self.headers.as_chunks::<ENTRY_HEADER_BYTES>().0.iter().map(move |bytes| {
            let header = EntryHeader::decode(bytes).ok()?;
            Some((bytes, payloads.take(header.payload_len as usize)?))
        })
    }
}

const APPEND: u8 = 1;
const TRUNCATE: u8 = 2;
const STATE: u8 = 3;
const OPEN: u8 = 4;
const CLOSE: u8 = 5;
const AGAIN: u8 = 6;
const EXTERN: u8 = 7;

/// Which of the two records that carry entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carry {
    Append,
    Again,
}

/// Writes a record's header; `length` bytes of body follow.
fn record_header(out: &mut impl Put, kind: u8, key: u8, log: LogNumber, count: u32, length: usize) {
    out.u8(kind);
    out.u8(key);
    out.u16(0);
    out.u32(log.0);
    out.u32(count);
    out.u32(u32::try_from(length).expect("a block is smaller than 4 GiB"));
}

/// Begins a record with entries: `count` headers and then the payloads follow, `length` bytes in all.
pub(crate) fn put_entries(out: &mut impl Put, carry: Carry, log: LogNumber, count: u32, length: usize) {
    let kind = match carry {
        Carry::Append => APPEND,
        Carry::Again => AGAIN,
    };
    record_header(out, kind, 0, log, count, length);
}

pub(crate) fn put_truncate(out: &mut impl Put, log: LogNumber, from: Index) {
    record_header(out, TRUNCATE, 0, log, 0, 8);
    out.u64(from.0);
}

pub(crate) fn put_state(out: &mut impl Put, log: LogNumber, key: u8, value: &[u8]) {
    record_header(out, STATE, key, log, 0, value.len());
    out.bytes(value);
}

pub(crate) fn put_open(out: &mut impl Put, log: LogNumber, id: &LogId, dir: &str) {
    record_header(out, OPEN, 0, log, 0, 20 + dir.len());
    out.bytes(&id.0);
    out.bytes(dir.as_bytes());
}

pub(crate) fn put_close(out: &mut impl Put, log: LogNumber) {
    record_header(out, CLOSE, 0, log, 0, 0);
}

/// The records of a block whose checksum holds, in order. A record that doesn't parse ends it with `Err`: written by a
/// newer version, or by a bug.
pub(crate) fn records(block: &[u8]) -> impl Iterator<Item = Result<Record<'_>, BadRecord>> {
    let mut r = Reader(block);
    let mut failed = false;
    std::iter::from_fn(move || {
        if r.0.is_empty() || failed {
            return None;
        }
        let record = record(&mut r).ok_or(BadRecord);
        failed = record.is_err();
        Some(record)
    })
}

/// A record of no known format in a block whose checksum holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of no known format")]
pub(crate) struct BadRecord;

fn record<'a>(r: &mut Reader<'a>) -> Option<Record<'a>> {
    let (kind, key, _reserved) = (r.u8()?, r.u8()?, r.u16()?);
    let (log, count, length) = (LogNumber(r.u32()?), r.u32()?, r.u32()?);
    let mut body = Reader(r.take(length as usize)?);
    let entries = |body: &mut Reader<'a>| {
        let headers = body.take((count as usize).checked_mul(ENTRY_HEADER_BYTES)?)?;
        Some(Entries { headers, payloads: body.0 })
    };
    Some(match kind {
        APPEND => Record::Append(log, entries(&mut body)?),
        AGAIN => Record::Again(log, entries(&mut body)?),
        TRUNCATE => Record::Truncate(log, Index(body.u64()?)),
        STATE => Record::State(log, key, body.0),
        OPEN => Record::Open(log, LogId(body.array()?), std::str::from_utf8(body.0).ok()?),
        CLOSE => Record::Close(log),
        EXTERN => Record::Extern(
            log,
            Extern {
                first: Index(body.u64()?),
                last: Index(body.u64()?),
                segment: body.i64()?,
                position: body.u64()?,
                length: body.u32()?,
                crc: body.u32()?,
            },
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Kind, tests::batch};
    use ouzel_model::{Offset, Term};

    const LOG: LogId = LogId(*b"0123456789abcdef\0\0\0\x07");
    const SEED: Seed = Seed { node_uuid: *b"uuid of the node", shard: ShardId(3) };

    fn sample() -> (BlockHeader, Vec<u8>) {
        let payload = batch(40, 3, 2, 1000, b"hello");
        let entry = EntryHeader {
            payload_len: payload.len() as u32,
            index: Index(9),
            term: Term(3),
            base_offset: Offset(40),
            kind: Kind::Batch,
            flags: 0,
        };
        let mut block = vec![0; BLOCK_HEADER_BYTES];
        put_open(&mut block, LogNumber(5), &LOG, "topics/t/0");
        put_truncate(&mut block, LogNumber(5), Index(9));
        put_entries(&mut block, Carry::Append, LogNumber(5), 1, ENTRY_HEADER_BYTES + payload.len());
        block.bytes(&entry.encode(&LOG, &payload));
        block.bytes(&payload);
        put_state(&mut block, LogNumber(5), 1, b"vote");
        put_close(&mut block, LogNumber(4));
        let length = block.len() as u32;
        block.resize(align(u64::from(length)) as usize, 0xee);
        let header = BlockHeader {
            epoch: 2,
            sequence: 77,
            durable_up_to: 75,
            previous_crc: 0xabcd,
            touched_before: 0,
            layout: 1,
            length,
            count: 5,
            crc: 0,
        };
        (header.seal(&SEED, &mut block), block)
    }

    #[test]
    fn a_block_reads_back_as_it_was_written() {
        let (header, block) = sample();
        assert_eq!(BlockHeader::peek(&SEED, &block), Some(header));
        assert!(header.holds(&SEED, &block));
        let read: Vec<_> = records(&block[BLOCK_HEADER_BYTES..header.length as usize]).map(Result::unwrap).collect();
        assert_eq!(read.len(), 5);
        assert_eq!(read[0], Record::Open(LogNumber(5), LOG, "topics/t/0"));
        assert_eq!(read[1], Record::Truncate(LogNumber(5), Index(9)));
        let Record::Append(LogNumber(5), entries) = &read[2] else { panic!("{:?}", read[2]) };
        let (bytes, payload) = entries.iter().next().unwrap().unwrap();
        assert!(EntryHeader::decode_checked(&LOG, bytes, payload).is_ok());
        assert_eq!(read[3], Record::State(LogNumber(5), 1, b"vote"));
        assert_eq!(read[4], Record::Close(LogNumber(4)));
    }

    #[test]
    fn a_block_has_its_golden_bytes() {
        let (header, block) = sample();
        let hex: String = block[..BLOCK_HEADER_BYTES].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, GOLDEN_HEADER);
        assert_eq!(crc32c::crc32c(&block), GOLDEN_CRC, "{:#x}", crc32c::crc32c(&block));
        assert_eq!(header.padded(), 4096);
    }
    const GOLDEN_HEADER: &str = "4f555a4a0100030002000000000000004d000000000000004b00000000000000cdab00001c010000050000000100000000000000000000000000000036f9559b";
    const GOLDEN_CRC: u32 = 0x6f8d_faa7;

    #[test]
    fn a_block_of_another_node_or_core_or_with_any_changed_byte_is_refused() {
        let (header, block) = sample();
        let other = Seed { node_uuid: *b"uuid of another!", ..SEED };
        assert!(!header.holds(&other, &block));
        assert_eq!(BlockHeader::peek(&Seed { shard: ShardId(4), ..SEED }, &block), None);
        for byte in 0..header.length as usize {
            let mut bad = block.clone();
            bad[byte] ^= 0x10;
            let holds = BlockHeader::peek(&SEED, &bad).is_some_and(|h| h.holds(&SEED, &bad));
            assert!(!holds, "byte {byte}");
        }
    }

    #[test]
    fn an_extern_record_is_understood_from_format_1_on() {
        let mut bytes = Vec::new();
        record_header(&mut bytes, EXTERN, 0, LogNumber(2), 0, 40);
        let place = Extern { first: Index(4), last: Index(6), segment: 100, position: 8192, length: 77, crc: 5 };
        bytes.u64(place.first.0);
        bytes.u64(place.last.0);
        bytes.i64(place.segment);
        bytes.u64(place.position);
        bytes.u32(place.length);
        bytes.u32(place.crc);
        assert_eq!(records(&bytes).next(), Some(Ok(Record::Extern(LogNumber(2), place))));
    }

    #[test]
    fn a_record_that_runs_over_its_block_ends_the_reading() {
        let mut bytes = Vec::new();
        put_state(&mut bytes, LogNumber(2), 1, b"value");
        bytes.pop();
        assert_eq!(records(&bytes).collect::<Vec<_>>(), vec![Err(BadRecord)]);
    }
}
