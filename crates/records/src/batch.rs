//! The 61-byte header of a record batch v2, and a view over a whole batch. Source: KIP-98.

use ouzel_model::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

use crate::codec::Codec;

/// Bytes in front of the records.
pub const HEADER_BYTES: usize = 61;

/// Bytes of base offset and length, which the length field doesn't count.
pub const LENGTH_OVERHEAD: usize = 12;

/// The only format version this crate reads and writes.
pub const MAGIC: i8 = 2;

/// Smallest length field of a batch of this version.
const LENGTH_MIN: i32 = (HEADER_BYTES - LENGTH_OVERHEAD) as i32;

/// Smallest length field Kafka takes for a batch of any version: below it the bytes are corrupt, not just foreign.
const LENGTH_MIN_ANY_VERSION: i32 = 14;

/// First byte under the CRC; it reaches to the batch's end.
const CRC_FROM: usize = 21;

const BASE_OFFSET: usize = 0;
const LENGTH: usize = 8;
const LEADER_EPOCH: usize = 12;
const MAGIC_AT: usize = 16;
const MAGIC_END: usize = 17;
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;
const LAST_OFFSET_DELTA: usize = 23;
const BASE_TIMESTAMP: usize = 27;
const MAX_TIMESTAMP: usize = 35;
const PRODUCER_ID: usize = 43;
const PRODUCER_EPOCH: usize = 51;
const BASE_SEQUENCE: usize = 53;
const COUNT: usize = 57;

// The fields follow each other without a gap, up to the records.
const _: () = assert!(COUNT + size_of::<i32>() == HEADER_BYTES);
const _: () = assert!(CRC + size_of::<u32>() == CRC_FROM && CRC_FROM == ATTRIBUTES);

type HeaderBytes = [u8; HEADER_BYTES];

/// `N` bytes of the header at a constant place; the checks vanish when inlined.
#[inline(always)]
fn field<const N: usize>(header: &HeaderBytes, at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&header[at..at + N]);
    bytes
}

/// Who set a batch's timestamps. Source: KIP-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The client, record by record.
    CreateTime,
    /// The leader that appended the batch: every record has the batch's maximum timestamp.
    LogAppendTime,
}

/// The attribute bits of a batch. Bits without a meaning are kept as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub i16);

impl Attributes {
    const CODEC: i16 = 0b111;
    const LOG_APPEND_TIME: i16 = 1 << 3;
    const TRANSACTIONAL: i16 = 1 << 4;
    const CONTROL: i16 = 1 << 5;
    const DELETE_HORIZON: i16 = 1 << 6;

    /// The codec's number, 0 to 7; 5 and above name none.
    pub fn codec_number(self) -> u8 {
        (self.0 & Self::CODEC) as u8
    }

    /// How the records are compressed; `None` for a number without a codec.
    pub fn codec(self) -> Option<Codec> {
        Codec::from_number(self.codec_number())
    }

    /// Who set the timestamps.
    pub fn timestamp_type(self) -> TimestampType {
        match self.0 & Self::LOG_APPEND_TIME {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }

    /// Part of a transaction. Source: KIP-98.
    pub fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Holds a marker, not data. Source: KIP-98.
    pub fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// The base timestamp is a delete horizon, set by compaction. Source: KIP-534.
    pub fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }

    /// The same bits with another codec.
    pub fn with_codec(self, codec: Codec) -> Attributes {
        Attributes(self.0 & !Self::CODEC | codec.number() as i16)
    }

    /// The same bits with another timestamp type.
    pub fn with_timestamp_type(self, kind: TimestampType) -> Attributes {
        self.with(Self::LOG_APPEND_TIME, kind == TimestampType::LogAppendTime)
    }

    /// The same bits, with or without the transactional one.
    pub fn with_transactional(self, on: bool) -> Attributes {
        self.with(Self::TRANSACTIONAL, on)
    }

    /// The same bits, with or without the control one.
    pub fn with_control(self, on: bool) -> Attributes {
        self.with(Self::CONTROL, on)
    }

    /// The same bits, with or without the delete horizon.
    pub fn with_delete_horizon(self, on: bool) -> Attributes {
        self.with(Self::DELETE_HORIZON, on)
    }

    fn with(self, bit: i16, on: bool) -> Attributes {
        Attributes(if on { self.0 | bit } else { self.0 & !bit })
    }
}

/// An idempotent producer's mark on a batch. Source: KIP-98.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Its id, not negative.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// Sequence number of the batch's first record; 2^31-1 wraps to 0, -1 in a control batch.
    pub base_sequence: i32,
}

/// What a batch's header says. Length, magic and CRC aren't here: they follow from the rest, and
/// [`encode`](BatchHeader::encode) works them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record, even if compaction took that record away.
    pub base_offset: Offset,
    /// Epoch of the leader that appended the batch; -1 from a client.
    pub leader_epoch: LeaderEpoch,
    /// Codec and flags.
    pub attributes: Attributes,
    /// The last offset (inclusive) less the base offset.
    pub last_offset_delta: i32,
    /// What the records' timestamp deltas count from; or the delete horizon.
    pub base_timestamp: Timestamp,
    /// Largest timestamp of a record, or the append time.
    pub max_timestamp: Timestamp,
    /// Producer id, -1 for none.
    pub producer_id: i64,
    /// Producer epoch, -1 for none.
    pub producer_epoch: i16,
    /// Sequence number of the first record, -1 for none.
    pub base_sequence: i32,
    /// How many records follow.
    pub count: i32,
}

impl BatchHeader {
    /// The header's bytes in front of `records` (as they are stored: compressed if the attributes say so), with
    /// length, magic and CRC. Panics when the batch would be over 2 GiB: callers bound what they build.
    pub fn encode(&self, records: &[u8]) -> [u8; HEADER_BYTES] {
        let mut to = [0; HEADER_BYTES];
        let length = i32::try_from(HEADER_BYTES - LENGTH_OVERHEAD + records.len()).expect("a batch is under 2 GiB");
        to[BASE_OFFSET..LENGTH].copy_from_slice(&self.base_offset.0.to_be_bytes());
        to[LENGTH..LEADER_EPOCH].copy_from_slice(&length.to_be_bytes());
        to[LEADER_EPOCH..MAGIC_AT].copy_from_slice(&self.leader_epoch.0.to_be_bytes());
        to[MAGIC_AT] = MAGIC as u8;
        to[ATTRIBUTES..LAST_OFFSET_DELTA].copy_from_slice(&self.attributes.0.to_be_bytes());
        to[LAST_OFFSET_DELTA..BASE_TIMESTAMP].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        to[BASE_TIMESTAMP..MAX_TIMESTAMP].copy_from_slice(&self.base_timestamp.0.to_be_bytes());
        to[MAX_TIMESTAMP..PRODUCER_ID].copy_from_slice(&self.max_timestamp.0.to_be_bytes());
        to[PRODUCER_ID..PRODUCER_EPOCH].copy_from_slice(&self.producer_id.to_be_bytes());
        to[PRODUCER_EPOCH..BASE_SEQUENCE].copy_from_slice(&self.producer_epoch.to_be_bytes());
        to[BASE_SEQUENCE..COUNT].copy_from_slice(&self.base_sequence.to_be_bytes());
        to[COUNT..HEADER_BYTES].copy_from_slice(&self.count.to_be_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&to[CRC_FROM..]), records);
        to[CRC..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
        to
    }

    /// Header and `records` in one buffer; see [`encode`](BatchHeader::encode).
    pub fn assemble(&self, records: &[u8]) -> Vec<u8> {
        let mut batch = Vec::with_capacity(HEADER_BYTES + records.len());
        batch.extend_from_slice(&self.encode(records));
        batch.extend_from_slice(records);
        batch
    }
}

/// Why bytes aren't a batch. The CRC is a question of its own: [`Batch::crc_holds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the batch does; at the end of a fetch that is normal.
    #[error("the batch is cut: {have} of {need} bytes")]
    Cut {
        /// Bytes the batch needs, as far as is known.
        need: usize,
        /// Bytes there are.
        have: usize,
    },
    /// The length field is too small to hold a header.
    #[error("a batch can't have length {0}")]
    Length(i32),
    /// Another format version than 2.
    #[error("Invalid magic found in record: {0}")]
    Magic(i8),
}

/// A view over the bytes of one whole batch: its magic is 2 and its length field is true. Nothing else is known to
/// be right until [`check`](crate::check) says so.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Batch<'a> {
    bytes: &'a [u8],
    header: &'a HeaderBytes,
}

impl<'a> Batch<'a> {
    /// Takes the first batch off `bytes` and returns it with what follows.
    pub fn split_first(bytes: &'a [u8]) -> Result<(Batch<'a>, &'a [u8]), BatchError> {
        let have = bytes.len();
        let Some(front) = bytes.first_chunk::<MAGIC_END>() else {
            return Err(BatchError::Cut { need: HEADER_BYTES, have });
        };
        // As Kafka judges: a length no version could have, then the version, then whether all of it is there.
        let length = i32::from_be_bytes([front[8], front[9], front[10], front[11]]);
        let magic = front[MAGIC_AT] as i8;
        if length < LENGTH_MIN_ANY_VERSION {
            return Err(BatchError::Length(length));
        }
        if magic != MAGIC {
            return Err(BatchError::Magic(magic));
        }
        if length < LENGTH_MIN {
            return Err(BatchError::Length(length));
        }
        let need = length as usize + LENGTH_OVERHEAD;
        let Some((batch, rest)) = bytes.split_at_checked(need) else {
            return Err(BatchError::Cut { need, have });
        };
        let header = batch.first_chunk().expect("the length leaves room for a header");
        Ok((Batch { bytes: batch, header }, rest))
    }

    /// All bytes, header included.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The header's bytes.
    pub fn header_bytes(&self) -> &'a [u8; HEADER_BYTES] {
        self.header
    }

    /// What follows the header, as stored: one compressed block unless the codec is none.
    pub fn records(&self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// Every field but length, magic and CRC.
    pub fn header(&self) -> BatchHeader {
        BatchHeader {
            base_offset: self.base_offset(),
            leader_epoch: self.leader_epoch(),
            attributes: self.attributes(),
            last_offset_delta: self.last_offset_delta(),
            base_timestamp: self.base_timestamp(),
            max_timestamp: self.max_timestamp(),
            producer_id: i64::from_be_bytes(field(self.header, PRODUCER_ID)),
            producer_epoch: i16::from_be_bytes(field(self.header, PRODUCER_EPOCH)),
            base_sequence: i32::from_be_bytes(field(self.header, BASE_SEQUENCE)),
            count: self.count(),
        }
    }

    /// Offset of the first record.
    pub fn base_offset(&self) -> Offset {
        Offset(i64::from_be_bytes(field(self.header, BASE_OFFSET)))
    }

    /// Offset of the last record, inclusive. Saturates on a hostile header.
    pub fn last_offset(&self) -> Offset {
        Offset(self.base_offset().0.saturating_add(self.last_offset_delta() as i64))
    }

    /// First offset behind the batch (exclusive end). Saturates on a hostile header.
    pub fn next_offset(&self) -> Offset {
        Offset(self.last_offset().0.saturating_add(1))
    }

    /// Epoch of the leader that appended the batch.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(i32::from_be_bytes(field(self.header, LEADER_EPOCH)))
    }

    /// CRC-32C as the header has it.
    pub fn crc(&self) -> u32 {
        u32::from_be_bytes(field(self.header, CRC))
    }

    /// Whether the header's CRC is that of the bytes. Reads the whole batch.
    pub fn crc_holds(&self) -> bool {
        crc32c::crc32c(&self.bytes[CRC_FROM..]) == self.crc()
    }

    /// Codec and flags.
    pub fn attributes(&self) -> Attributes {
        Attributes(i16::from_be_bytes(field(self.header, ATTRIBUTES)))
    }

    /// The last offset (inclusive) less the base offset.
    pub fn last_offset_delta(&self) -> i32 {
        i32::from_be_bytes(field(self.header, LAST_OFFSET_DELTA))
    }

    /// What the records' timestamp deltas count from; or the delete horizon.
    pub fn base_timestamp(&self) -> Timestamp {
        Timestamp(i64::from_be_bytes(field(self.header, BASE_TIMESTAMP)))
    }

    /// Largest timestamp of a record, or the append time.
    pub fn max_timestamp(&self) -> Timestamp {
        Timestamp(i64::from_be_bytes(field(self.header, MAX_TIMESTAMP)))
    }

    /// The idempotent producer that sent it; `None` when the id is negative.
    pub fn producer(&self) -> Option<Producer> {
        let id = i64::from_be_bytes(field(self.header, PRODUCER_ID));
        (id >= 0).then(|| Producer {
            id: ProducerId(id),
            epoch: ProducerEpoch(i16::from_be_bytes(field(self.header, PRODUCER_EPOCH))),
            base_sequence: i32::from_be_bytes(field(self.header, BASE_SEQUENCE)),
        })
    }

    /// How many records the header declares; may be negative or a lie until checked.
    pub fn count(&self) -> i32 {
        i32::from_be_bytes(field(self.header, COUNT))
    }

    /// A header for the same records with these timestamps and a fresh CRC: for LogAppendTime (`max_timestamp` is
    /// the append time), or to put right a client's wrong maximum. Reads the whole batch once.
    pub fn restamped(&self, kind: TimestampType, max_timestamp: Timestamp) -> [u8; HEADER_BYTES] {
        let header = self.header();
        let attributes = header.attributes.with_timestamp_type(kind);
        BatchHeader { attributes, max_timestamp, ..header }.encode(self.records())
    }
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("bytes", &self.bytes.len()).field("header", &self.header()).finish()
    }
}

/// Iterates over several batches one behind the other. Ends after the first error.
pub fn batches(bytes: &[u8]) -> Batches<'_> {
    Batches { rest: bytes }
}

/// See [`batches`].
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
}

impl<'a> Batches<'a> {
    /// What hasn't been read yet; after an error, from the batch that has it.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match Batch::split_first(self.rest) {
            Ok((batch, rest)) => {
                self.rest = rest;
                Some(Ok(batch))
            }
            Err(error) => {
                self.rest = &[];
                Some(Err(error))
            }
        }
    }
}

/// Bytes of a batch that [`stamp`] needs.
pub const STAMP_BYTES: usize = 16;

/// Writes base offset and leader epoch into the first bytes of a batch. Both lie outside the CRC. Panics with fewer
/// than [`STAMP_BYTES`] bytes.
pub fn stamp(batch: &mut [u8], base_offset: Offset, epoch: LeaderEpoch) {
    batch[BASE_OFFSET..LENGTH].copy_from_slice(&base_offset.0.to_be_bytes());
    batch[LEADER_EPOCH..STAMP_BYTES].copy_from_slice(&epoch.0.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> BatchHeader {
        BatchHeader {
            base_offset: Offset(0x0102_0304_0506_0708),
            leader_epoch: LeaderEpoch(0x1112_1314),
            attributes: Attributes(0x7152),
            last_offset_delta: 0x2122_2324,
            base_timestamp: Timestamp(0x3132_3334_3536_3738),
            max_timestamp: Timestamp(0x4142_4344_4546_4748),
            producer_id: 0x5152_5354_5556_5758,
            producer_epoch: 0x6162,
            base_sequence: 0x7172_7374,
            count: 0x0182_8384,
        }
    }

    #[test]
    fn every_field_has_its_place() {
        let bytes = header().assemble(b"records");
        #[rustfmt::skip]
        let expect = [
            1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 56, 0x11, 0x12, 0x13, 0x14, 2,
            // 17..21 is the CRC
            0, 0, 0, 0, 0x71, 0x52, 0x21, 0x22, 0x23, 0x24, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,
            0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
            0x61, 0x62, 0x71, 0x72, 0x73, 0x74, 0x01, 0x82, 0x83, 0x84,
        ];
        assert_eq!(bytes[..17], expect[..17]);
        assert_eq!(bytes[21..61], expect[21..]);
        let (batch, rest) = Batch::split_first(&bytes).unwrap();
        assert!(rest.is_empty());
        assert_eq!(batch.header(), header());
        assert_eq!(batch.records(), b"records");
        assert_eq!(batch.crc(), crc32c::crc32c(&bytes[21..]));
        assert!(batch.crc_holds());
        assert_eq!(batch.attributes().codec(), Some(Codec::Snappy));
        assert!(batch.attributes().is_transactional() && batch.attributes().has_delete_horizon());
        assert!(!batch.attributes().is_control());
    }

    #[test]
    fn stamping_leaves_the_crc_alone_and_restamping_renews_it() {
        let mut bytes = header().assemble(b"records");
        stamp(&mut bytes, Offset(99), LeaderEpoch(7));
        let (batch, _) = Batch::split_first(&bytes).unwrap();
        assert_eq!((batch.base_offset(), batch.leader_epoch()), (Offset(99), LeaderEpoch(7)));
        assert!(batch.crc_holds());

        let fresh = batch.restamped(TimestampType::LogAppendTime, Timestamp(5));
        let mut whole = bytes.clone();
        whole[..HEADER_BYTES].copy_from_slice(&fresh);
        let (restamped, _) = Batch::split_first(&whole).unwrap();
        assert!(restamped.crc_holds());
        let attributes = header().attributes.with_timestamp_type(TimestampType::LogAppendTime);
        assert_eq!(restamped.header(), BatchHeader { attributes, max_timestamp: Timestamp(5), ..batch.header() });
    }

    #[test]
    fn a_flip_anywhere_under_the_crc_breaks_it() {
        let bytes = header().assemble(b"records");
        for at in 17..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(!Batch::split_first(&bad).unwrap().0.crc_holds(), "byte {at}");
        }
    }

    #[test]
    fn cut_and_foreign_bytes_are_errors() {
        let bytes = header().assemble(b"records");
        for have in 0..bytes.len() {
            let need = if have < MAGIC_END { HEADER_BYTES } else { bytes.len() };
            assert_eq!(Batch::split_first(&bytes[..have]), Err(BatchError::Cut { need, have }));
        }
        let mut old = bytes.clone();
        old[16] = 1;
        assert_eq!(Batch::split_first(&old), Err(BatchError::Magic(1)));
        for length in [48, 0, -1, i32::MIN] {
            let mut bad = bytes.clone();
            bad[8..12].copy_from_slice(&i32::to_be_bytes(length));
            assert_eq!(Batch::split_first(&bad), Err(BatchError::Length(length)));
        }
        let mut huge = bytes.clone();
        huge[8..12].copy_from_slice(&i32::MAX.to_be_bytes());
        assert!(matches!(Batch::split_first(&huge), Err(BatchError::Cut { .. })));
    }

    #[test]
    fn batches_come_one_by_one_until_the_first_error() {
        let mut bytes = header().assemble(b"one");
        bytes.extend(header().assemble(b"second"));
        let seen: Vec<_> = batches(&bytes).map(|b| b.unwrap().records().to_vec()).collect();
        assert_eq!(seen, [b"one".to_vec(), b"second".to_vec()]);
        bytes.extend(&header().assemble(b"third")[..63]);
        let mut cut = batches(&bytes);
        assert!(cut.next().unwrap().is_ok() && cut.next().unwrap().is_ok());
        assert_eq!(cut.rest().len(), 63);
        assert_eq!(cut.next(), Some(Err(BatchError::Cut { need: 66, have: 63 })));
        assert_eq!(cut.next(), None);
    }

    #[test]
    fn hostile_offsets_saturate() {
        let header = BatchHeader { base_offset: Offset(i64::MAX), last_offset_delta: i32::MAX, ..header() };
        let bytes = header.assemble(b"");
        let (batch, _) = Batch::split_first(&bytes).unwrap();
        assert_eq!(batch.next_offset(), Offset(i64::MAX));
    }
}
