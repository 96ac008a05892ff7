//! What a leader judges before it appends a client's batch: the rules of Kafka 4.4, and where Ouzel is stricter the
//! variant's doc says so.
//!
//! Two steps, because a broker has rules of its own between them (is this the leader, are enough replicas there):
//! [`one_batch`] looks at the frame alone, [`admit`] reads all bytes once for the CRC and walks uncompressed records
//! once. Neither copies nor allocates. A compressed batch is judged by its header; where a topic's rules reach into
//! records, [`Admitted::open`] asks the caller to decompress it and call [`walk`].

use ouzel_model::Timestamp;

use crate::batch::{Batch, BatchError, Producer, TimestampType};
use crate::codec::{Codec, Limits};
use crate::iter::{RECORD_BYTES_MIN, RecordError, split_record};

/// A record without a time has this. Any bound lets it pass.
const NO_TIMESTAMP: i64 = -1;

/// Why a batch is refused. Each variant names the Kafka error it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No whole batch: no bytes, or they end before the batch does. INVALID_RECORD.
    #[error("Produce requests must have at least one record batch per partition")]
    NoBatch,
    /// Bytes follow the batch. INVALID_RECORD. (Kafka cuts a tail off that isn't a whole batch.)
    #[error("Produce requests are only allowed to contain exactly one record batch per partition")]
    NotOneBatch,
    /// Magic 0 or 1. INVALID_RECORD.
    #[error("Produce requests are only allowed to contain record batches with magic version 2, not {0}")]
    OldMagic(i8),
    /// A magic nobody knows. CORRUPT_MESSAGE.
    #[error("Invalid magic found in record: {0}")]
    UnknownMagic(i8),
    /// The length field is below any header's. CORRUPT_MESSAGE.
    #[error("Record size {0} is less than the minimum record overhead")]
    Length(i32),
    /// A codec number without a codec. UNSUPPORTED_COMPRESSION_TYPE. (Kafka: UNKNOWN_SERVER_ERROR.)
    #[error("Unknown compression type id: {0}")]
    UnknownCodec(u8),
    /// Zstd in a Produce request below version 7. UNSUPPORTED_COMPRESSION_TYPE. Source: KIP-110.
    #[error("Produce requests before version 7 are not allowed to use ZStandard compression")]
    ZstdTooEarly,
    /// The base offset isn't 0. INVALID_RECORD.
    #[error("The baseOffset of the record batch in the append should be 0, but it is {0}")]
    BaseOffset(i64),
    /// More bytes than `max.message.bytes`. MESSAGE_TOO_LARGE.
    #[error("The record batch size in the append is {bytes} bytes which exceeds the maximum configured value of {max}")]
    TooLarge {
        /// Bytes of the batch, header included.
        bytes: usize,
        /// The bound, inclusive.
        max: usize,
    },
    /// The CRC doesn't hold. CORRUPT_MESSAGE.
    #[error("Record is corrupt (stored crc = {stored})")]
    Crc {
        /// CRC-32C in the header.
        stored: u32,
    },
    /// Count and last offset delta disagree, or the count isn't positive, or is more than the bytes can hold.
    /// INVALID_RECORD.
    #[error("Inconsistent batch: {count} records and a last offset delta of {last_offset_delta}")]
    Count {
        /// Records the header declares.
        count: i32,
        /// Last offset delta the header declares.
        last_offset_delta: i32,
    },
    /// A control batch from a client. INVALID_RECORD.
    #[error("Clients are not allowed to write control records")]
    Control,
    /// A delete horizon from a client: it would make compaction drop tombstones early. INVALID_RECORD. (Kafka takes it.)
    #[error("Clients are not allowed to set a delete horizon")]
    DeleteHorizon,
    /// A producer id without a sequence number. INVALID_RECORD.
    #[error("Invalid sequence number {sequence} in record batch with producerId {producer_id}")]
    Sequence {
        /// The batch's base sequence.
        sequence: i32,
        /// The batch's producer id.
        producer_id: i64,
    },
    /// Compressed bytes that don't start as their codec's do. INVALID_RECORD. (Kafka: UNKNOWN_SERVER_ERROR.)
    #[error("the records are marked as {codec:?} but aren't")]
    NotCompressed {
        /// The codec the attributes name.
        codec: Codec,
    },
    /// A record that can't be read. INVALID_RECORD.
    #[error("record {index}: {error}")]
    Record {
        /// Its place in the batch, from 0.
        index: i32,
        /// What is wrong with it.
        error: RecordError,
    },
    /// Offset deltas must be 0, 1, 2, … . INVALID_RECORD. (Kafka rewrites a compressed batch and keeps others.)
    #[error("record {index} has offset delta {offset_delta}")]
    OffsetDelta {
        /// Its place in the batch, from 0.
        index: i32,
        /// The delta it has instead.
        offset_delta: i32,
    },
    /// A record over `max.decompressed.message.bytes`. INVALID_RECORD.
    #[error("record {index} has {bytes} bytes, over the maximum of {max}")]
    RecordTooLarge {
        /// Its place in the batch, from 0.
        index: i32,
        /// Its bytes.
        bytes: usize,
        /// The bound, inclusive.
        max: usize,
    },
    /// No key, and the topic is compacted. INVALID_RECORD, with a record error.
    #[error("Compacted topic cannot accept message without key")]
    NoKey {
        /// The record's place in the batch, from 0.
        index: i32,
    },
    /// A timestamp outside the topic's bounds. INVALID_TIMESTAMP, with a record error.
    #[error("Timestamp {timestamp} is out of range. The timestamp should be within [{from}, {to}]")]
    Timestamp {
        /// The record's place in the batch, from 0. In a compressed batch that wasn't opened: 0.
        index: i32,
        /// Its time, milliseconds.
        timestamp: i64,
        /// Earliest time allowed, inclusive.
        from: i64,
        /// Latest time allowed, inclusive.
        to: i64,
    },
    /// The client set LogAppendTime itself. INVALID_TIMESTAMP. (Kafka lets it pass for topics with CreateTime.)
    #[error("Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime")]
    TimestampType,
}

impl Refusal {
    /// The record it is about, for Produce's record errors.
    pub fn record(&self) -> Option<i32> {
        match *self {
            Refusal::Record { index, .. }
            | Refusal::OffsetDelta { index, .. }
            | Refusal::RecordTooLarge { index, .. }
            | Refusal::NoKey { index }
            | Refusal::Timestamp { index, .. } => Some(index),
            _ => None,
        }
    }
}

/// Whether the request's version may carry zstd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zstd {
    /// Produce version 7 and above.
    Allowed,
    /// Below.
    TooEarly,
}

/// The one batch a partition's bytes in a Produce request must be, with a known codec. Reads the header alone.
pub fn one_batch(bytes: &[u8], zstd: Zstd) -> Result<Batch<'_>, Refusal> {
    let (batch, rest) = Batch::split_first(bytes).map_err(|error| match error {
        BatchError::Cut { .. } => Refusal::NoBatch,
        BatchError::Length(length) => Refusal::Length(length),
        BatchError::Magic(magic @ 0..=1) => Refusal::OldMagic(magic),
        BatchError::Magic(magic) => Refusal::UnknownMagic(magic),
    })?;
    let number = batch.attributes().codec_number();
    match batch.attributes().codec() {
        None => return Err(Refusal::UnknownCodec(number)),
        Some(Codec::Zstd) if zstd == Zstd::TooEarly => return Err(Refusal::ZstdTooEarly),
        Some(_) => {}
    }
    if !rest.is_empty() {
        return Err(Refusal::NotOneBatch);
    }
    Ok(batch)
}

/// A topic's rules for what is appended, and the time.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The leader's clock.
    pub now: Timestamp,
    /// Topic setting `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// How much older than `now` a record may be, ms, inclusive. Topic setting `message.timestamp.before.max.ms`.
    pub before_max_ms: i64,
    /// How far ahead of `now` a record may be, ms, inclusive. Topic setting `message.timestamp.after.max.ms`.
    pub after_max_ms: i64,
    /// Every record needs a key: the topic is compacted.
    pub keys_required: bool,
    /// Largest batch, bytes with header, inclusive. Topic setting `max.message.bytes`.
    pub batch_bytes_max: usize,
    /// Largest record, bytes, inclusive. Topic setting `max.decompressed.message.bytes`.
    pub record_bytes_max: usize,
    /// How far a compressed batch may be opened; bounds the count it may declare, too.
    pub inflate: Limits,
}

impl Rules {
    /// A topic's rules by default, at `now`.
    pub fn at(now: Timestamp) -> Rules {
        Rules {
            now,
            timestamp_type: TimestampType::CreateTime,
            before_max_ms: i64::MAX,
            after_max_ms: 3_600_000,
            keys_required: false,
            batch_bytes_max: 1_048_588,
            record_bytes_max: 2_147_483_639,
            inflate: Limits::default(),
        }
    }

    /// Whether these rules can't be judged by a header: keys, or a bound on the oldest time.
    fn reach_into_records(&self) -> bool {
        self.keys_required || (self.before_max_ms < i64::MAX && self.timestamp_type == TimestampType::CreateTime)
    }

    /// Earliest and latest time allowed, both inclusive.
    fn times(&self) -> (i64, i64) {
        match self.timestamp_type {
            TimestampType::CreateTime => {
                (self.now.0.saturating_sub(self.before_max_ms), self.now.0.saturating_add(self.after_max_ms))
            }
            TimestampType::LogAppendTime => (i64::MIN, i64::MAX),
        }
    }
}

/// What [`admit`] found out about a batch that may be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The largest timestamp the stored header must have: the append time, or the largest of the records. Of a
    /// compressed batch, what its header says.
    pub max_timestamp: Timestamp,
    /// The header says something else: append it with [`Batch::restamped`].
    pub restamp: bool,
    /// The topic's rules reach into records and this batch is compressed: decompress it within
    /// [`Rules::inflate`] and [`walk`] it before it is appended.
    pub open: bool,
    /// The producer's mark.
    pub producer: Option<Producer>,
}

/// Judges a client's batch by the rules of its topic. Reads all bytes once for the CRC and walks uncompressed records
/// once.
pub fn admit(batch: &Batch<'_>, rules: &Rules) -> Result<Admitted, Refusal> {
    let bytes = batch.bytes().len();
    if batch.base_offset().0 != 0 {
        return Err(Refusal::BaseOffset(batch.base_offset().0));
    }
    if bytes > rules.batch_bytes_max {
        return Err(Refusal::TooLarge { bytes, max: rules.batch_bytes_max });
    }
    if !batch.crc_holds() {
        return Err(Refusal::Crc { stored: batch.crc() });
    }
    let (count, last_offset_delta) = (batch.count(), batch.last_offset_delta());
    if count <= 0 || last_offset_delta != count - 1 {
        return Err(Refusal::Count { count, last_offset_delta });
    }
    if batch.attributes().is_control() {
        return Err(Refusal::Control);
    }
    if batch.attributes().has_delete_horizon() {
        return Err(Refusal::DeleteHorizon);
    }
    let producer = batch.producer();
    if let Some(Producer { id, base_sequence: sequence, .. }) = producer
        && sequence < 0
    {
        return Err(Refusal::Sequence { sequence, producer_id: id.0 });
    }
    let number = batch.attributes().codec_number();
    let codec = batch.attributes().codec().ok_or(Refusal::UnknownCodec(number))?;
    let (found, open) = match codec {
        Codec::None => (walk(batch, batch.records(), rules)?, false),
        codec => (judge_compressed(batch, codec, rules)?, rules.reach_into_records()),
    };
    let max_timestamp = match rules.timestamp_type {
        TimestampType::CreateTime => found,
        TimestampType::LogAppendTime => rules.now,
    };
    let restamp = max_timestamp != batch.max_timestamp() || rules.timestamp_type != batch.attributes().timestamp_type();
    Ok(Admitted { max_timestamp, restamp, open, producer })
}

/// A compressed batch by its header: starts as its codec does, no more records than could come out of it, and its
/// largest timestamp within the bound.
fn judge_compressed(batch: &Batch<'_>, codec: Codec, rules: &Rules) -> Result<Timestamp, Refusal> {
    let records = batch.records();
    if !codec.starts(records) {
        return Err(Refusal::NotCompressed { codec });
    }
    let count = batch.count();
    if count as usize > rules.inflate.allowed(records.len()) / RECORD_BYTES_MIN {
        return Err(Refusal::Count { count, last_offset_delta: batch.last_offset_delta() });
    }
    if batch.attributes().timestamp_type() == TimestampType::LogAppendTime {
        return Err(Refusal::TimestampType);
    }
    let (_, to) = rules.times();
    let timestamp = batch.max_timestamp().0;
    if timestamp > to {
        return Err(Refusal::Timestamp { index: 0, timestamp, from: rules.times().0, to });
    }
    Ok(batch.max_timestamp())
}

/// Walks `records`, the uncompressed records of `batch`, once by the topic's rules: lengths, offset deltas counting
/// up from 0, keys, timestamps. Returns the largest timestamp, -1 when none is larger.
pub fn walk(batch: &Batch<'_>, records: &[u8], rules: &Rules) -> Result<Timestamp, Refusal> {
    let base = batch.base_timestamp().0;
    let (from, to) = rules.times();
    // Unsigned distance from the earliest time: one comparison finds both too early and too late.
    let span = to.wrapping_sub(from) as u64;
    let mut largest = NO_TIMESTAMP;
    let mut rest = records;
    let count = batch.count();
    for index in 0..count {
        let (raw, behind) = split_record(rest).map_err(|error| unreadable(index, error))?;
        rest = behind;
        if raw.offset_zigzag != (index as u32) << 1 {
            return Err(Refusal::OffsetDelta { index, offset_delta: raw.offset_delta() });
        }
        if raw.bytes > rules.record_bytes_max {
            return Err(Refusal::RecordTooLarge { index, bytes: raw.bytes, max: rules.record_bytes_max });
        }
        if raw.key.is_none() && rules.keys_required {
            return Err(Refusal::NoKey { index });
        }
        let Some(timestamp) = base.checked_add(raw.timestamp_delta) else {
            return Err(unreadable(index, RecordError::Overflow));
        };
        if timestamp.wrapping_sub(from) as u64 > span && timestamp != NO_TIMESTAMP {
            return Err(Refusal::Timestamp { index, timestamp, from, to });
        }
        largest = largest.max(timestamp);
    }
    if !rest.is_empty() {
        return Err(Refusal::Record { index: count, error: RecordError::Trailing });
    }
    if batch.attributes().timestamp_type() == TimestampType::LogAppendTime {
        return Err(Refusal::TimestampType);
    }
    Ok(Timestamp(largest))
}

/// Out of line: else the walk keeps a half-built error in a register for each record.
#[cold]
#[inline(never)]
fn unreadable(index: i32, error: RecordError) -> Refusal {
    Refusal::Record { index, error }
}
