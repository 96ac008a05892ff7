//! Record batches and the requests around them.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use bytes::Bytes;
use ouzel_model::Timestamp;
use ouzel_records::{BatchBuilder, Codec};
use ouzel_wire::fetch::{FetchPartition, FetchRequest, FetchTopic};
use ouzel_wire::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};

use crate::conn::encode;

/// Produce's version here: topics by name.
pub const PRODUCE: i16 = 9;
/// Fetch's version here: topics by name, no session.
pub const FETCH: i16 = 12;
/// Where a request's correlation id stands in its frame.
pub const CORRELATION_ID: Range<usize> = 8..12;

/// What a batch is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Records in a batch, > 0.
    pub records: usize,
    /// Bytes of a record's value, at least 8.
    pub value_bytes: usize,
    /// Whether each record has a key of 8 bytes.
    pub keyed: bool,
}

/// Now, for records' timestamps.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis() as i64)
}

/// A batch. The first 8 bytes of each value are `mark`, the rest doesn't compress well.
pub fn batch(shape: Shape, mark: u64) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    let now = wall_clock();
    let mut value = vec![0; shape.value_bytes.max(8)];
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for byte in &mut value {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = (state >> 56) as u8;
    }
    value[..8].copy_from_slice(&mark.to_be_bytes());
    for n in 0..shape.records as u64 {
        let key = n.to_be_bytes();
        builder.push(now, shape.keyed.then_some(&key[..]), Some(&value), &[]);
    }
    builder.build(Codec::None)
}

/// A Produce request's frame with one batch.
pub fn produce(topic: &str, partition: i32, acks: i16, batch: Vec<u8>) -> Result<Vec<u8>> {
    produce_to(topic, partition..partition + 1, acks, &batch)
}

/// A Produce request's frame with the same batch for each of the partitions.
pub fn produce_to(topic: &str, partitions: Range<i32>, acks: i16, batch: &[u8]) -> Result<Vec<u8>> {
    let batch = Bytes::copy_from_slice(batch);
    let partition_data = partitions.map(|index| PartitionProduceData { index, records: Some(batch.clone()) }).collect();
    let topic = TopicProduceData { name: topic.into(), partition_data, ..Default::default() };
    let request = ProduceRequest { transactional_id: None, acks, timeout_ms: 30_000, topic_data: vec![topic] };
    encode(PRODUCE, 0, &request)
}

/// A Fetch request's frame for one partition, at most 1 MiB, waiting at most 500 ms for a byte.
pub fn fetch(topic: &str, partition: i32, offset: i64, id: i32) -> Result<Vec<u8>> {
    let partition =
        FetchPartition { partition, fetch_offset: offset, partition_max_bytes: 1 << 20, ..Default::default() };
    let topic = FetchTopic { topic: topic.into(), partitions: vec![partition], ..Default::default() };
    let request =
        FetchRequest { max_wait_ms: 500, min_bytes: 1, max_bytes: 1 << 20, topics: vec![topic], ..Default::default() };
    encode(FETCH, id, &request)
}
