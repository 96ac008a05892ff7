//! The header of an entry, 32 bytes (format): who it is and where it belongs.
//!
//! `header_crc` also covers the log id, which isn't stored, so a sibling's entry or a misdirected write never passes.

use ouzel_model::{Index, Offset, Term};

use crate::codec::{Put, Reader};

/// Names a log. Opaque here; Ouzel uses the topic id (16 bytes) and the partition (4 bytes, big-endian).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId(pub [u8; 20]);

impl std::fmt::Debug for LogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl std::fmt::Display for LogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// What an entry is. Only a batch takes offsets; the other kinds take an index alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A Kafka record batch v2.
    Batch,
    /// Nothing: the first entry of a leader's term. No payload.
    Blank,
    /// A replica set.
    Membership,
    /// A command to the partition itself: log start moved, tiered pointer.
    Control,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Kind::Batch => 1,
            Kind::Blank => 2,
            Kind::Membership => 3,
            Kind::Control => 4,
        }
    }

    fn from_code(code: u8) -> Option<Kind> {
        match code {
            1 => Some(Kind::Batch),
            2 => Some(Kind::Blank),
            3 => Some(Kind::Membership),
            4 => Some(Kind::Control),
            _ => None,
        }
    }
}

/// An entry's header. Encoded little-endian:
/// `payload_len u32 · header_crc u32 · index u64 · term u32 · base_offset u64 · kind u8 · flags u8 · reserved u16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryHeader {
    /// Bytes of payload.
    pub payload_len: u32,
    /// Place in the Raft log.
    pub index: Index,
    /// Term of the leader that wrote it.
    pub term: Term,
    /// First offset of a batch; of other kinds the offset that the next batch gets.
    pub base_offset: Offset,
    /// What it is.
    pub kind: Kind,
    /// Reserved, 0.
    pub flags: u8,
}

/// Bytes of an encoded [`EntryHeader`].
pub const ENTRY_HEADER_BYTES: usize = 32;

/// Why bytes aren't the entry that belongs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    /// Shorter than its header says.
    #[error("entry is cut off")]
    Short,
    /// Kind, flags or reserved bytes of no known format.
    #[error("entry header has unknown fields")]
    Unknown,
    /// The header's checksum (log id, header, small payload) doesn't hold.
    #[error("entry header fails its checksum")]
    HeaderCrc,
    /// Base offset, leader epoch or length inside the batch differ from the header's.
    #[error("batch and entry header disagree")]
    Stamp,
    /// The batch's own checksum doesn't hold.
    #[error("batch fails its checksum")]
    BatchCrc,
}

impl EntryHeader {
    /// Encodes it for `log`. `payload` counts for kinds other than Batch only: a batch has its own checksum.
    pub fn encode(&self, log: &LogId, payload: &[u8]) -> [u8; ENTRY_HEADER_BYTES] {
        let mut bytes = [0; ENTRY_HEADER_BYTES];
        let mut filler = crate::codec::Filler { out: &mut bytes, at: 0 };
        filler.u32(self.payload_len);
        filler.u32(0);
        filler.u64(self.index.0);
        filler.u32(self.term.0);
        filler.i64(self.base_offset.0);
        filler.u8(self.kind.code());
        filler.u8(self.flags);
        filler.u16(0);
        let crc = header_crc(log, &bytes, self.kind, payload);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header without its checksum; the payload isn't needed.
    pub fn decode(bytes: &[u8; ENTRY_HEADER_BYTES]) -> Result<EntryHeader, BadEntry> {
        let mut r = Reader(bytes);
        let fields = (|| {
            let payload_len = r.u32()?;
            let _crc = r.u32()?;
            let header = EntryHeader {
                payload_len,
                index: Index(r.u64()?),
                term: Term(r.u32()?),
                base_offset: Offset(r.i64()?),
                kind: Kind::from_code(r.u8()?)?,
                flags: r.u8()?,
            };
            (r.u16()? == 0 && header.flags == 0).then_some(header)
        })();
        fields.ok_or(BadEntry::Unknown)
    }

    /// Reads a header and checks that it is an entry of `log` with this payload. The batch's own checksum is left to
    /// [`check_batch`], for a journal block's checksum has covered the same bytes already.
    pub fn decode_checked(
        log: &LogId,
        bytes: &[u8; ENTRY_HEADER_BYTES],
        payload: &[u8],
    ) -> Result<EntryHeader, BadEntry> {
        let header = EntryHeader::decode(bytes)?;
        if payload.len() != header.payload_len as usize {
            return Err(BadEntry::Short);
        }
        let crc = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        if crc != header_crc(log, bytes, header.kind, payload) {
            return Err(BadEntry::HeaderCrc);
        }
        if header.kind == Kind::Batch && !Stamp::of(payload).is_some_and(|s| s.fits(&header)) {
            return Err(BadEntry::Stamp);
        }
        Ok(header)
    }
}

fn header_crc(log: &LogId, bytes: &[u8; ENTRY_HEADER_BYTES], kind: Kind, payload: &[u8]) -> u32 {
    let mut crc = crc32c::crc32c(&log.0);
    crc = crc32c::crc32c_append(crc, &bytes[..4]);
    crc = crc32c::crc32c_append(crc, &bytes[8..]);
    if kind == Kind::Batch { crc } else { crc32c::crc32c_append(crc, payload) }
}

/// Smallest record batch: its fixed fields.
pub(crate) const BATCH_BYTES_MIN: usize = 61;

/// The fields of a record batch that this crate looks at. Source: Kafka's record batch, magic 2 (KIP-98).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) base_offset: i64,
    pub(crate) length: i32,
    pub(crate) leader_epoch: i32,
    pub(crate) last_offset_delta: i32,
    pub(crate) max_timestamp: i64,
}

impl Stamp {
    pub(crate) fn of(batch: &[u8]) -> Option<Stamp> {
        let be32 = |at: usize| Some(i32::from_be_bytes(*batch.get(at..)?.first_chunk()?));
        let be64 = |at: usize| Some(i64::from_be_bytes(*batch.get(at..)?.first_chunk()?));
        if batch.len() < BATCH_BYTES_MIN || batch[16] != 2 {
            return None;
        }
        Some(Stamp {
            base_offset: be64(0)?,
            length: be32(8)?,
            leader_epoch: be32(12)?,
            last_offset_delta: be32(23)?,
            max_timestamp: be64(35)?,
        })
    }

    pub(crate) fn last_offset(&self) -> Offset {
        Offset(self.base_offset.saturating_add(i64::from(self.last_offset_delta.max(0))))
    }

    fn fits(&self, header: &EntryHeader) -> bool {
        self.base_offset == header.base_offset.0
            && self.leader_epoch as u32 == header.term.0
            && i64::from(self.length) + 12 == i64::from(header.payload_len)
            && self.last_offset_delta >= 0
    }
}

/// Checks a batch's own checksum, which covers everything from its attributes on.
pub fn check_batch(batch: &[u8]) -> Result<(), BadEntry> {
    let stored = batch.get(17..21).and_then(|b| b.first_chunk()).ok_or(BadEntry::Short)?;
    if u32::from_be_bytes(*stored) == crc32c::crc32c(&batch[21..]) { Ok(()) } else { Err(BadEntry::BatchCrc) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A record batch with an opaque body: the fields this crate reads, and a checksum that holds.
    pub(crate) fn batch(base: i64, epoch: i32, records: i32, timestamp: i64, body: &[u8]) -> Vec<u8> {
        let mut b = Vec::new();
        b.extend_from_slice(&base.to_be_bytes());
        b.extend_from_slice(&((BATCH_BYTES_MIN - 12 + body.len()) as i32).to_be_bytes());
        b.extend_from_slice(&epoch.to_be_bytes());
        b.push(2);
        b.extend_from_slice(&[0; 4]);
        b.extend_from_slice(&[0; 2]);
        b.extend_from_slice(&(records - 1).to_be_bytes());
        b.extend_from_slice(&timestamp.to_be_bytes());
        b.extend_from_slice(&timestamp.to_be_bytes());
        b.extend_from_slice(&[0xff; 14]);
        b.extend_from_slice(&records.to_be_bytes());
        b.extend_from_slice(body);
        let crc = crc32c::crc32c(&b[21..]);
        b[17..21].copy_from_slice(&crc.to_be_bytes());
        b
    }

    const LOG: LogId = LogId(*b"0123456789abcdef\0\0\0\x07");

    fn header(payload: &[u8]) -> EntryHeader {
        EntryHeader {
            payload_len: payload.len() as u32,
            index: Index(9),
            term: Term(3),
            base_offset: Offset(40),
            kind: Kind::Batch,
            flags: 0,
        }
    }

    #[test]
    fn an_entry_header_has_its_golden_bytes() {
        let payload = batch(40, 3, 2, 1000, b"hello");
        let bytes = header(&payload).encode(&LOG, &payload);
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, GOLDEN);
        assert_eq!(EntryHeader::decode_checked(&LOG, &bytes, &payload), Ok(header(&payload)));
        assert_eq!(check_batch(&payload), Ok(()));
    }
    const GOLDEN: &str = "42000000c2889bdb090000000000000003000000280000000000000001000000";

    #[test]
    fn an_entry_of_another_log_or_with_any_changed_bit_is_refused() {
        let payload = batch(40, 3, 2, 1000, b"hello");
        let bytes = header(&payload).encode(&LOG, &payload);
        let mut sibling = LOG;
        sibling.0[19] = 8;
        assert_eq!(EntryHeader::decode_checked(&sibling, &bytes, &payload), Err(BadEntry::HeaderCrc));
        for bit in 0..ENTRY_HEADER_BYTES * 8 {
            let mut bad = bytes;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(EntryHeader::decode_checked(&LOG, &bad, &payload).is_err(), "bit {bit}");
        }
        for byte in 0..payload.len() {
            let mut bad = payload.clone();
            bad[byte] ^= 0x40;
            let header = EntryHeader::decode_checked(&LOG, &bytes, &bad);
            assert!(header.is_err() || check_batch(&bad).is_err(), "byte {byte}");
        }
    }

    #[test]
    fn the_payload_of_a_small_kind_is_covered_by_the_header() {
        let h = EntryHeader { kind: Kind::Membership, payload_len: 3, ..header(b"") };
        let bytes = h.encode(&LOG, b"abc");
        assert_eq!(EntryHeader::decode_checked(&LOG, &bytes, b"abc"), Ok(h));
        assert_eq!(EntryHeader::decode_checked(&LOG, &bytes, b"abd"), Err(BadEntry::HeaderCrc));
    }
}
