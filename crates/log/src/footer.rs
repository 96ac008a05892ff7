//! A segment's footer (format): where its runs stand, its terms, and the sections that the log's owner gave.
//!
//! A *running* footer closes each write-back; `state.ckpt` names the newest. It holds only the rows since the footer it
//! names as previous, so its size follows what was written, not what the segment holds. The *sealed* footer holds all.

use ouzel_model::{Index, Offset, Term, Timestamp};

use crate::codec::{Put, Reader};
use crate::entry::LogId;

const MAGIC: u32 = u32::from_le_bytes(*b"OUZF");
const FORMAT: u16 = 1;
const SEALED: u16 = 1;
/// Bytes of the fixed part.
pub(crate) const FOOTER_HEADER_BYTES: usize = 64;
/// Upper bound on a footer's length: nothing is read on the word of a larger one.
pub(crate) const FOOTER_BYTES_MAX: u32 = 256 << 20;

/// One run of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunRow {
    pub(crate) first_index: Index,
    /// Offset of its first entry, or the next offset where it holds no batch.
    pub(crate) base_offset: Offset,
    /// Where it begins in the file, bytes; a multiple of 4 KiB.
    pub(crate) position: u64,
    /// Bytes without padding.
    pub(crate) length: u32,
    pub(crate) entries: u32,
    /// Largest timestamp of its batches; `i64::MIN` without one.
    pub(crate) max_timestamp: Timestamp,
}

/// A term of the log: entries from `index` on, up to the next row, were written by its leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermRow {
    /// The term.
    pub term: Term,
    /// Index of its first entry.
    pub index: Index,
    /// Offset of its first batch, or the next offset where none has come yet.
    pub offset: Offset,
}

/// A footer in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) sealed: bool,
    /// Position of the footer that holds the rows before these; 0: these are all.
    pub(crate) previous: u64,
    pub(crate) previous_length: u32,
    /// End of the entries it covers (exclusive).
    pub(crate) end_index: Index,
    pub(crate) end_offset: Offset,
    pub(crate) rows: Vec<RunRow>,
    pub(crate) terms: Vec<TermRow>,
    pub(crate) sections: Vec<(u8, Vec<u8>)>,
}

impl Footer {
    /// `magic u32 · crc u32 · format u16 · flags u16 · length u32 · previous u64 · previous length u32 · rows u32 ·
    /// terms u32 · sections u32 · end index u64 · end offset i64 · reserved u64`, rows, terms, sections.
    pub(crate) fn encode(&self, log: &LogId) -> Vec<u8> {
        let mut out = Vec::with_capacity(FOOTER_HEADER_BYTES + self.rows.len() * 40 + self.terms.len() * 20);
        out.u32(MAGIC);
        out.u32(0);
        out.u16(FORMAT);
        out.u16(if self.sealed { SEALED } else { 0 });
        out.u32(0);
        out.u64(self.previous);
        out.u32(self.previous_length);
        out.u32(self.rows.len() as u32);
        out.u32(self.terms.len() as u32);
        out.u32(self.sections.len() as u32);
        out.u64(self.end_index.0);
        out.i64(self.end_offset.0);
        out.u64(0);
        for row in &self.rows {
            out.u64(row.first_index.0);
            out.i64(row.base_offset.0);
            out.u64(row.position);
            out.u32(row.length);
            out.u32(row.entries);
            out.i64(row.max_timestamp.0);
        }
        self.terms.iter().for_each(|row| put_term(&mut out, row));
        for (key, value) in &self.sections {
            out.u8(*key);
            out.u32(value.len() as u32);
            out.bytes(value);
        }
        let length = u32::try_from(out.len()).expect("a footer is smaller than 4 GiB");
        out[12..16].copy_from_slice(&length.to_le_bytes());
        let crc = footer_crc(log, &out);
        out[4..8].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Length in bytes of the footer that begins here, unchecked; `None` when none does.
    pub(crate) fn peek_length(bytes: &[u8]) -> Option<u32> {
        let mut r = Reader(bytes);
        let (magic, _crc, format, _flags, length) = (r.u32()?, r.u32()?, r.u16()?, r.u16()?, r.u32()?);
        (magic == MAGIC && format == FORMAT && (FOOTER_HEADER_BYTES as u32..=FOOTER_BYTES_MAX).contains(&length))
            .then_some(length)
    }

    /// `None` when the checksum doesn't hold for `log`.
    pub(crate) fn decode(log: &LogId, bytes: &[u8]) -> Option<Footer> {
        let length = Footer::peek_length(bytes)?;
        let bytes = bytes.get(..length as usize)?;
        let mut r = Reader(bytes);
        let (_magic, crc, _format, flags, _length) = (r.u32()?, r.u32()?, r.u16()?, r.u16()?, r.u32()?);
        if crc != footer_crc(log, bytes) {
            return None;
        }
        let (previous, previous_length) = (r.u64()?, r.u32()?);
        let (rows, terms, sections) = (r.u32()?, r.u32()?, r.u32()?);
        let mut footer = Footer {
            sealed: flags & SEALED != 0,
            previous,
            previous_length,
            end_index: Index(r.u64()?),
            end_offset: Offset(r.i64()?),
            rows: Vec::new(),
            terms: Vec::new(),
            sections: Vec::new(),
        };
        r.u64()?;
        for _ in 0..rows {
            footer.rows.push(RunRow {
                first_index: Index(r.u64()?),
                base_offset: Offset(r.i64()?),
                position: r.u64()?,
                length: r.u32()?,
                entries: r.u32()?,
                max_timestamp: Timestamp(r.i64()?),
            });
        }
        for _ in 0..terms {
            footer.terms.push(take_term(&mut r)?);
        }
        for _ in 0..sections {
            let (key, length) = (r.u8()?, r.u32()?);
            footer.sections.push((key, r.take(length as usize)?.to_vec()));
        }
        r.0.is_empty().then_some(footer)
    }
}

pub(crate) fn put_term(out: &mut impl Put, row: &TermRow) {
    out.u32(row.term.0);
    out.u64(row.index.0);
    out.i64(row.offset.0);
}

pub(crate) fn take_term(r: &mut Reader<'_>) -> Option<TermRow> {
    Some(TermRow { term: Term(r.u32()?), index: Index(r.u64()?), offset: Offset(r.i64()?) })
}

fn footer_crc(log: &LogId, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&log.0), &bytes[8..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogId = LogId(*b"0123456789abcdef\0\0\0\x07");

    fn sample() -> Footer {
        Footer {
            sealed: true,
            previous: 8192,
            previous_length: 100,
            end_index: Index(13),
            end_offset: Offset(43),
            rows: vec![RunRow {
                first_index: Index(9),
                base_offset: Offset(40),
                position: 4096,
                length: 300,
                entries: 4,
                max_timestamp: Timestamp(1000),
            }],
            terms: vec![TermRow { term: Term(3), index: Index(9), offset: Offset(40) }],
            sections: vec![(1, b"producers".to_vec()), (2, Vec::new())],
        }
    }

    #[test]
    fn a_footer_reads_back_and_has_its_golden_bytes() {
        let bytes = sample().encode(&LOG);
        assert_eq!(Footer::decode(&LOG, &bytes), Some(sample()));
        let hex: String = bytes[..FOOTER_HEADER_BYTES].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, GOLDEN);
    }
    const GOLDEN: &str = "4f555a468d97cb2e010001008f0000000020000000000000640000000100000001000000020000000d000000000000002b000000000000000000000000000000";

    #[test]
    fn a_footer_with_any_changed_byte_or_of_another_log_is_refused() {
        let bytes = sample().encode(&LOG);
        assert_eq!(Footer::decode(&LogId([1; 20]), &bytes), None);
        for byte in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[byte] ^= 0x08;
            assert_eq!(Footer::decode(&LOG, &bad), None, "byte {byte}");
        }
        assert_eq!(Footer::decode(&LOG, &bytes[..bytes.len() - 1]), None);
    }
}
