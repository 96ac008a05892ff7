//! Batches made here: by producers of our own, coordinators, transforms, compaction and tests. The same calls give the
//! same bytes.

use ouzel_model::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

use crate::batch::{Attributes, Batch, BatchHeader, Producer};
use crate::codec::{Codec, DecompressError, Limits, compress, decompress};

/// Collects records and makes a batch of them. See the crate's example.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    header: BatchHeader,
    records: Vec<u8>,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch as a producer sends it: base offset 0, no leader epoch, no producer id.
    pub fn new() -> BatchBuilder {
        BatchBuilder {
            header: BatchHeader {
                base_offset: Offset(0),
                leader_epoch: LeaderEpoch(-1),
                attributes: Attributes::default(),
                last_offset_delta: -1,
                base_timestamp: Timestamp(-1),
                max_timestamp: Timestamp(-1),
                producer_id: -1,
                producer_epoch: -1,
                base_sequence: -1,
                count: 0,
            },
            records: Vec::new(),
        }
    }

    /// Sets the first record's offset.
    pub fn base_offset(mut self, offset: Offset) -> BatchBuilder {
        self.header.base_offset = offset;
        self
    }

    /// Marks the batch as an idempotent producer's.
    pub fn producer(mut self, producer: Producer) -> BatchBuilder {
        self.header.producer_id = producer.id.0;
        self.header.producer_epoch = producer.epoch.0;
        self.header.base_sequence = producer.base_sequence;
        self
    }

    /// Marks the batch as part of its producer's transaction.
    pub fn transactional(mut self) -> BatchBuilder {
        self.header.attributes = self.header.attributes.with_transactional(true);
        self
    }

    /// Marks the batch as control data.
    pub fn control(mut self) -> BatchBuilder {
        self.header.attributes = self.header.attributes.with_control(true);
        self
    }

    /// Adds a record behind the last one. Panics beyond 2^31-1 records, or when the records pass 2 GiB: callers bound
    /// what they build.
    pub fn push(
        &mut self,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) {
        let delta = self.header.last_offset_delta.checked_add(1).expect("a batch has under 2^31 records");
        self.push_at(delta, timestamp, key, value, headers);
    }

    /// Adds a record with an offset delta of its own, above the last one's: compaction leaves holes. Panics as
    /// [`push`](BatchBuilder::push) does, and when the delta doesn't rise.
    pub fn push_at(
        &mut self,
        offset_delta: i32,
        timestamp: Timestamp,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) {
        assert!(offset_delta > self.header.last_offset_delta, "offset deltas rise");
        if self.header.count == 0 {
            self.header.base_timestamp = timestamp;
            self.header.max_timestamp = timestamp;
        }
        let timestamp_delta = timestamp.0.wrapping_sub(self.header.base_timestamp.0);
        let headers_len: usize =
            headers.iter().map(|(key, value)| bytes_len(Some(key.as_bytes())) + bytes_len(*value)).sum();
        // The attribute byte, and the rest.
        let body = 1
            + varlong_len(timestamp_delta)
            + varint_len(offset_delta)
            + bytes_len(key)
            + bytes_len(value)
            + varint_len(length(headers.len()))
            + headers_len;
        let to = &mut self.records;
        put_varint(to, length(body));
        to.push(0);
        put_varlong(to, timestamp_delta);
        put_varint(to, offset_delta);
        put_bytes(to, key);
        put_bytes(to, value);
        put_varint(to, length(headers.len()));
        for (key, value) in headers {
            put_bytes(to, Some(key.as_bytes()));
            put_bytes(to, *value);
        }
        self.header.last_offset_delta = offset_delta;
        self.header.count += 1;
        self.header.max_timestamp = self.header.max_timestamp.max(timestamp);
    }

    /// Records so far.
    pub fn count(&self) -> i32 {
        self.header.count
    }

    /// Bytes of the records so far, not compressed, header not included.
    pub fn record_bytes(&self) -> usize {
        self.records.len()
    }

    /// The batch's bytes, compressed at the codec's default level. Panics when no record was pushed: an empty batch is
    /// [`BatchHeader::assemble`]'s.
    pub fn build(&self, codec: Codec) -> Vec<u8> {
        assert!(self.header.count > 0, "a batch holds a record");
        let header = BatchHeader { attributes: self.header.attributes.with_codec(codec), ..self.header };
        match codec {
            Codec::None => header.assemble(&self.records),
            codec => header.assemble(&compress(codec, None, &self.records)),
        }
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// Its records don't count.
    Abort,
    /// Its records count.
    Commit,
}

impl Marker {
    /// The type in a control record's key.
    pub fn number(self) -> i16 {
        match self {
            Marker::Abort => 0,
            Marker::Commit => 1,
        }
    }
}

/// The control batch that ends a producer's transaction in one partition. Source: KIP-98.
pub fn marker_batch(
    marker: Marker,
    id: ProducerId,
    epoch: ProducerEpoch,
    coordinator_epoch: i32,
    now: Timestamp,
) -> Vec<u8> {
    // Key: version 0, type. Value: version 0, coordinator epoch.
    let mut key = [0; 4];
    key[2..].copy_from_slice(&marker.number().to_be_bytes());
    let mut value = [0; 6];
    value[2..].copy_from_slice(&coordinator_epoch.to_be_bytes());
    let producer = Producer { id, epoch, base_sequence: -1 };
    let mut builder = BatchBuilder::new().producer(producer).transactional().control();
    builder.push(now, Some(&key), Some(&value), &[]);
    builder.build(Codec::None)
}

/// The same batch with another codec (topic setting `compression.type`). `scratch` is left holding the records,
/// uncompressed, so that they can be [walked](crate::check::walk).
pub fn recompress(
    batch: &Batch<'_>,
    codec: Codec,
    level: Option<i32>,
    limits: Limits,
    scratch: &mut Vec<u8>,
) -> Result<Vec<u8>, DecompressError> {
    let number = batch.attributes().codec_number();
    let from = batch.attributes().codec().ok_or(DecompressError::UnknownCodec(number))?;
    decompress(from, batch.records(), limits, scratch)?;
    let header = batch.header();
    let header = BatchHeader { attributes: header.attributes.with_codec(codec), ..header };
    Ok(match codec {
        Codec::None => header.assemble(scratch),
        codec => header.assemble(&compress(codec, level, scratch)),
    })
}

fn length(of: usize) -> i32 {
    i32::try_from(of).expect("a record is under 2 GiB")
}

fn zigzag32(number: i32) -> u32 {
    (number as u32) << 1 ^ (number >> 31) as u32
}

fn zigzag64(number: i64) -> u64 {
    (number as u64) << 1 ^ (number >> 63) as u64
}

/// Bytes that hold a number's bits, seven in each.
fn base128_len(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

fn varint_len(number: i32) -> usize {
    base128_len(zigzag32(number) as u64)
}

fn varlong_len(number: i64) -> usize {
    base128_len(zigzag64(number))
}

fn bytes_len(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint_len(length(bytes.len())) + bytes.len())
}

fn put_base128(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

pub(crate) fn put_varint(to: &mut Vec<u8>, number: i32) {
    put_base128(to, zigzag32(number) as u64);
}

pub(crate) fn put_varlong(to: &mut Vec<u8>, number: i64) {
    put_base128(to, zigzag64(number));
}

/// Bytes behind their length; null is -1.
fn put_bytes(to: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => put_varint(to, -1),
        Some(bytes) => {
            put_varint(to, length(bytes.len()));
            to.extend_from_slice(bytes);
        }
    }
}
