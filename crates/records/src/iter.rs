//! Records of a batch, one by one, without copying.
//!
//! The records come as a separate slice: [`Batch::records`] when the batch isn't compressed, else what
//! [`decompress`](crate::decompress) made of it. A hostile slice ends the iteration with an error; lengths and counts
//! never reach past its end and nothing is allocated.

use ouzel_model::{Offset, Timestamp};

use crate::batch::{Batch, TimestampType};

/// Least bytes of a record: one each for length, attributes, both deltas, key, value and header count.
pub const RECORD_BYTES_MIN: usize = 7;

/// Least bytes of a record's header: its two lengths.
const HEADER_BYTES_MIN: usize = 2;

/// Why a record can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end inside a record, or fewer records are there than declared.
    #[error("the records end before the declared count")]
    Cut,
    /// Bytes follow the last declared record.
    #[error("bytes follow the last declared record")]
    Trailing,
    /// A variable-length number is longer than its type, or sets bits outside of it.
    #[error("a variable-length number overflows")]
    Varint,
    /// A length is negative, points past its record's end, or a record isn't as long as it says.
    #[error("a length inside the record doesn't fit it")]
    Length,
    /// More headers declared than bytes are left, or a negative number of them.
    #[error("the record's header count doesn't fit it")]
    HeaderCount,
    /// The timestamp or the offset leaves 64 bits.
    #[error("the record's timestamp or offset overflows")]
    Overflow,
}

/// One record. Slices live as long as the bytes they were read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its place in the partition.
    pub offset: Offset,
    /// Its place in the batch, from 0; with holes after compaction.
    pub offset_delta: i32,
    /// When the client made it, or the batch's append time.
    pub timestamp: Timestamp,
    /// Attribute bits, all without a meaning so far.
    pub attributes: u8,
    /// The key, if it has one.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Its headers, in order; keys may repeat.
    pub headers: Headers<'a>,
}

/// One header of a record. The key should be UTF-8, but nobody checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name.
    pub key: &'a [u8],
    /// Its value.
    pub value: Option<&'a [u8]>,
}

/// The headers of a record; they were walked once when the record was read, so reading them can't fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    left: u32,
}

impl<'a> Headers<'a> {
    /// The bytes as stored, without the count in front.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.left = self.left.checked_sub(1)?;
        let mut cursor = Cursor { bytes: self.bytes, at: 0 };
        let key = cursor.nullable().ok()??;
        let value = cursor.nullable().ok()?;
        self.bytes = &self.bytes[cursor.at..];
        Some(Header { key, value })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Headers<'_> {}

/// Iterates over `bytes`, the uncompressed records of `batch`. Ends after the first error; a count that doesn't fit the
/// bytes is an error too.
pub fn records<'a>(batch: &Batch<'_>, bytes: &'a [u8]) -> Records<'a> {
    Records {
        rest: bytes,
        left: batch.count().max(0),
        base_offset: batch.base_offset(),
        base_timestamp: batch.base_timestamp(),
        append_time: match batch.attributes().timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(batch.max_timestamp()),
        },
    }
}

/// See [`records`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    left: i32,
    base_offset: Offset,
    base_timestamp: Timestamp,
    append_time: Option<Timestamp>,
}

impl<'a> Records<'a> {
    fn step(&mut self) -> Result<Option<Record<'a>>, RecordError> {
        if self.left == 0 {
            return if self.rest.is_empty() { Ok(None) } else { Err(RecordError::Trailing) };
        }
        let (raw, behind) = split_record(self.rest)?;
        (self.rest, self.left) = (behind, self.left - 1);
        let offset = self.base_offset.0.checked_add(raw.offset_delta() as i64).ok_or(RecordError::Overflow)?;
        let timestamp = match self.append_time {
            Some(time) => time,
            None => Timestamp(self.base_timestamp.0.checked_add(raw.timestamp_delta).ok_or(RecordError::Overflow)?),
        };
        Ok(Some(Record {
            offset: Offset(offset),
            offset_delta: raw.offset_delta(),
            timestamp,
            attributes: raw.attributes,
            key: raw.key,
            value: raw.value,
            headers: raw.headers,
        }))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step().transpose();
        if matches!(step, Some(Err(_))) {
            (self.rest, self.left) = (&[], 0);
        }
        step
    }
}

/// A record as it is stored, its deltas still relative to the batch.
pub(crate) struct Raw<'a> {
    pub attributes: u8,
    pub timestamp_delta: i64,
    /// The offset delta, its zigzag not undone: to compare it, zigzag the other side.
    pub offset_zigzag: u32,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
    /// Bytes behind the length field.
    pub bytes: usize,
}

impl Raw<'_> {
    pub fn offset_delta(&self) -> i32 {
        unzigzag(self.offset_zigzag)
    }
}

/// 0, -1, 1, -2, … from 0, 1, 2, 3, … .
#[inline(always)]
fn unzigzag(zigzag: u32) -> i32 {
    (zigzag >> 1) as i32 ^ -((zigzag & 1) as i32)
}

/// Takes one record off the front of `bytes`, headers walked, and returns it with what follows.
///
/// Every record a client sends passes here, so all of it is inlined into its two callers and keeps its place in a
/// register: the [walk](crate::check::walk) takes about 120 instructions for a record without headers.
#[inline(always)]
pub(crate) fn split_record(bytes: &[u8]) -> Result<(Raw<'_>, &[u8]), RecordError> {
    let mut front = Cursor { bytes, at: 0 };
    let length = front.length()?.ok_or(RecordError::Length)?;
    let end = front.at + length;
    let body = bytes.get(front.at..end).ok_or(RecordError::Cut)?;
    // From here on a missing byte means that the record's own length is wrong.
    let raw = read_body(body).map_err(|e| if e == RecordError::Cut { RecordError::Length } else { e })?;
    Ok((raw, &bytes[end..]))
}

#[inline(always)]
fn read_body(body: &[u8]) -> Result<Raw<'_>, RecordError> {
    let mut body = Cursor { bytes: body, at: 0 };
    let attributes = body.byte()?;
    let timestamp_delta = body.varlong()?;
    let offset_zigzag = body.number32()?;
    let key = body.nullable()?;
    let value = body.nullable()?;
    let count = body.length()?.ok_or(RecordError::HeaderCount)?;
    let mut headers: &[u8] = &[];
    if count > 0 {
        headers = &body.bytes[body.at..];
        if count > headers.len() / HEADER_BYTES_MIN {
            return Err(RecordError::HeaderCount);
        }
        for _ in 0..count {
            body.nullable()?.ok_or(RecordError::Length)?;
            body.nullable()?;
        }
    }
    if body.at != body.bytes.len() {
        return Err(RecordError::Length);
    }
    let headers = Headers { bytes: headers, left: count as u32 };
    Ok(Raw { attributes, timestamp_delta, offset_zigzag, key, value, headers, bytes: body.bytes.len() })
}

/// A place in bytes: never past their end.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    fn byte(&mut self) -> Result<u8, RecordError> {
        let byte = *self.bytes.get(self.at).ok_or(RecordError::Cut)?;
        self.at += 1;
        Ok(byte)
    }

    /// A number of so many bits, seven in a byte, lowest first. One and two bytes, as usual, are read in line.
    #[inline(always)]
    fn number(&mut self, bits: u32) -> Result<u64, RecordError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(first as u64);
        }
        let second = self.byte()?;
        if second < 0x80 {
            return Ok((first & 0x7f) as u64 | (second as u64) << 7);
        }
        let (number, at) = long_number(self.bytes, self.at - 2, bits)?;
        self.at = at;
        Ok(number)
    }

    /// A number of 32 bits, zigzag not yet undone; at most 5 bytes.
    #[inline(always)]
    fn number32(&mut self) -> Result<u32, RecordError> {
        Ok(self.number(32)? as u32)
    }

    /// A zigzag number of 64 bits, at most 10 bytes.
    #[inline(always)]
    fn varlong(&mut self) -> Result<i64, RecordError> {
        let raw = self.number(64)?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// A length or count; -1 is none.
    #[inline(always)]
    fn length(&mut self) -> Result<Option<usize>, RecordError> {
        match self.number32()? {
            raw if raw & 1 == 0 => Ok(Some((raw >> 1) as usize)),
            1 => Ok(None),
            _ => Err(RecordError::Length),
        }
    }

    /// Bytes behind their length; -1 is null.
    #[inline(always)]
    fn nullable(&mut self) -> Result<Option<&'a [u8]>, RecordError> {
        let Some(length) = self.length()? else { return Ok(None) };
        let bytes = self.bytes.get(self.at..self.at + length).ok_or(RecordError::Length)?;
        self.at += length;
        Ok(Some(bytes))
    }
}

/// The number of at most `bits` bits at `at`, and the place behind it.
#[cold]
#[inline(never)]
fn long_number(bytes: &[u8], at: usize, bits: u32) -> Result<(u64, usize), RecordError> {
    let mut number = 0u64;
    for place in 0..bits.div_ceil(7) {
        let next = *bytes.get(at + place as usize).ok_or(RecordError::Cut)?;
        let part = (next & 0x7f) as u64;
        let room = bits - 7 * place;
        if room < 7 && part >> room != 0 {
            return Err(RecordError::Varint);
        }
        number |= part << (7 * place);
        if next < 0x80 {
            return Ok((number, at + place as usize + 1));
        }
    }
    Err(RecordError::Varint)
}

/// What the marker of a control record says: its type (0 abort, 1 commit, others are Kafka's own). `None` when the key
/// isn't a marker's. Source: KIP-98.
pub fn read_marker(key: &[u8]) -> Option<i16> {
    match *key {
        [_, _, high, low, ..] => Some(i16::from_be_bytes([high, low])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{put_varint, put_varlong};

    fn check_varint(bytes: &[u8], expect: Result<i32, RecordError>) {
        let mut cursor = Cursor { bytes, at: 0 };
        assert_eq!(cursor.number32().map(unzigzag), expect, "{bytes:x?}");
        assert!(expect.is_err() || cursor.at == bytes.len(), "{bytes:x?}");
    }

    #[test]
    fn numbers_are_zigzag_and_bounded() {
        check_varint(&[0], Ok(0));
        check_varint(&[1], Ok(-1));
        check_varint(&[0x7e], Ok(63));
        check_varint(&[0x80, 0x01], Ok(64));
        check_varint(&[0xff, 0xff, 0xff, 0xff, 0x0f], Ok(i32::MIN));
        check_varint(&[0xfe, 0xff, 0xff, 0xff, 0x0f], Ok(i32::MAX));
        check_varint(&[0xff, 0xff, 0xff, 0xff, 0x1f], Err(RecordError::Varint));
        check_varint(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], Err(RecordError::Varint));
        check_varint(&[0x80, 0x80], Err(RecordError::Cut));
        check_varint(&[], Err(RecordError::Cut));

        let long = |bytes: &[u8]| Cursor { bytes, at: 0 }.varlong();
        assert_eq!(long(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Ok(i64::MIN));
        assert_eq!(long(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03]), Err(RecordError::Varint));
        assert_eq!(long(&[0x80; 11]), Err(RecordError::Varint));
    }

    #[test]
    fn numbers_survive_a_round_trip() {
        for shift in 0..64 {
            for number in [1i64 << shift, -(1i64 << shift.min(62)), (1i64 << shift).wrapping_sub(1)] {
                let mut bytes = Vec::new();
                put_varlong(&mut bytes, number);
                assert_eq!(Cursor { bytes: &bytes, at: 0 }.varlong(), Ok(number));
                let mut bytes = Vec::new();
                put_varint(&mut bytes, number as i32);
                assert_eq!(Cursor { bytes: &bytes, at: 0 }.number32().map(unzigzag), Ok(number as i32));
            }
        }
    }

    fn check_record(bytes: &[u8], expect: Result<usize, RecordError>) {
        let got = split_record(bytes).map(|(raw, _)| raw.headers.len());
        assert_eq!(got, expect, "{bytes:?}");
    }

    #[test]
    fn a_record_is_exactly_as_long_as_it_says() {
        // length, attributes, timestamp delta, offset delta, key -1, value -1, no headers
        check_record(&[12, 0, 0, 0, 1, 1, 0], Ok(0));
        check_record(&[14, 0, 0, 0, 1, 1, 0, 0], Err(RecordError::Length));
        check_record(&[10, 0, 0, 0, 1, 1, 0], Err(RecordError::Length));
        check_record(&[16, 0, 0, 0, 1, 1, 0], Err(RecordError::Cut));
        check_record(&[1, 0, 0, 0, 1, 1, 0], Err(RecordError::Length));
        // key of length -2, key past the record's end
        check_record(&[12, 0, 0, 0, 3, 1, 0], Err(RecordError::Length));
        check_record(&[12, 0, 0, 0, 8, 1, 0], Err(RecordError::Length));
        // one header with an empty key and no value; then with a null key; then none there
        check_record(&[16, 0, 0, 0, 1, 1, 2, 0, 1], Ok(1));
        check_record(&[16, 0, 0, 0, 1, 1, 2, 1, 1], Err(RecordError::Length));
        check_record(&[12, 0, 0, 0, 1, 1, 2], Err(RecordError::HeaderCount));
        check_record(&[12, 0, 0, 0, 1, 1, 1], Err(RecordError::HeaderCount));
        check_record(&[20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f], Err(RecordError::HeaderCount));
    }
}
