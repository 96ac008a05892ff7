//! Records as clients write and read them: each says who wrote it.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{BrokerId, FetchRequest, ProduceRequest};
use kafka_protocol::records::{
    Compression, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use ouzel_runtime::Runtime;
use ouzel_runtime::sim::stream::mix;

use super::client::Cluster;
use super::session::Session;
use super::topics::{Place, wire_id};
use crate::history::{Event, RecordId, Seen};

/// Hash that stands for a record's value.
pub fn value(record: RecordId) -> u64 {
    mix(u64::from(record.client) << 32 ^ record.number)
}

/// Bytes behind a record's identity: few records are large, so that journals and segments fill.
fn padding(value: u64) -> usize {
    if value.is_multiple_of(8) { (value >> 8) as usize % 6_000 } else { 0 }
}

/// A batch whose records say who wrote them, stamped `ahead` ms before their time.
pub fn batch(rt: &Runtime, records: &[(RecordId, u64)], producer: Option<(i64, i16, i32)>, ahead: i64) -> Bytes {
    let now = rt.wall_clock().0 + ahead;
    let (producer_id, producer_epoch, sequence) = producer.unwrap_or((-1, -1, -1));
    let records: Vec<Record> = (0..)
        .zip(records)
        .map(|(i, (record, value))| {
            let mut bytes = BytesMut::with_capacity(20);
            bytes.extend_from_slice(&record.client.to_be_bytes());
            bytes.extend_from_slice(&record.number.to_be_bytes());
            bytes.extend_from_slice(&value.to_be_bytes());
            bytes.resize(bytes.len() + padding(*value), *value as u8);
            Record {
                transactional: false,
                control: false,
                partition_leader_epoch: -1,
                producer_id,
                producer_epoch,
                timestamp_type: TimestampType::Creation,
                offset: i,
                sequence: if producer.is_some() { sequence + i as i32 } else { -1 },
                timestamp: now,
                key: None,
                value: Some(bytes.freeze()),
                headers: Default::default(),
                delete_horizon: false,
            }
        })
        .collect();
    let mut out = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut out, &records, &options).expect("a batch can be encoded");
    out.freeze()
}

/// Error code and base offset; `None` when nobody knows.
pub async fn send(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    place: &Place,
    acks: i16,
    bytes: Bytes,
) -> Option<(i16, i64)> {
    let data = PartitionProduceData::default().with_index(place.number).with_records(Some(bytes));
    let topic = TopicProduceData::default().with_partition_data(vec![data]);
    let (version, topic) = match place.id() {
        Some(id) => (13, topic.with_topic_id(wire_id(id))),
        None => (9, topic.with_name(place.topic.clone())),
    };
    let request = ProduceRequest::default().with_acks(acks).with_timeout_ms(5_000).with_topic_data(vec![topic]);
    let asked = cluster.asked(place);
    let answer = session.ask(rt, version, &request).await?;
    let partition = &answer.responses[0].partition_responses[0];
    cluster.note_there(place, asked, partition.error_code);
    Some((partition.error_code, partition.base_offset))
}

/// Reads from `from` on: what came, with the high watermark, or the error code; `None` when the connection is of no more use.
/// `known` is what the reader is entitled to see.
pub async fn read(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    reader: u32,
    place: &Place,
    (from, known): (u64, u64),
    wait_ms: i32,
) -> Option<Result<(Vec<Seen>, u64), i16>> {
    let partition = place.partition;
    let told = cluster.history.high_watermark(partition);
    let began = cluster.history.log_start(partition);
    // Seldom much at once: what was read before is judged again each time.
    let bytes_max = match rt.rng().below(10) {
        0..3 => 1,
        3..9 => 4 << 10,
        _ => 1 << 20,
    };
    let wanted = FetchPartition::default()
        .with_partition(place.number)
        .with_fetch_offset(from as i64)
        .with_partition_max_bytes(bytes_max);
    let topic = FetchTopic::default().with_partitions(vec![wanted]);
    let (version, topic) = match place.id() {
        Some(id) => (13, topic.with_topic_id(wire_id(id))),
        None => (11, topic.with_topic(place.topic.clone())),
    };
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    let asked = cluster.asked(place);
    let answer = session.ask(rt, version, &request).await?;
    let row = &answer.responses[0].partitions[0];
    cluster.note_there(place, asked, row.error_code);
    if row.error_code != 0 {
        return Some(Err(row.error_code));
    }
    let Some(records) = decoded(row.records.clone().unwrap_or_default(), from) else {
        cluster.history.record(Event::Garbage { partition, from });
        return None;
    };
    let end = row.high_watermark as u64;
    if cluster.churn.holds(place) {
        cluster.history.record(Event::HighWatermark { partition, known: told, end });
        cluster.note_time(rt, place);
        cluster.history.record(Event::LogStart { partition, known: began, start: row.log_start_offset as u64 });
        // A batch that doesn't fit the limit isn't the log's end.
        let short = records.last().map_or(from, |s| s.offset + 1);
        let end = if records.is_empty() { end } else { short.max(known) };
        cluster.history.record(Event::Read { partition, reader, from, known, records: records.clone(), end });
    }
    Some(Ok((records, end)))
}

/// The records from an offset on; `None` when that isn't what anybody wrote.
fn decoded(mut bytes: Bytes, from: u64) -> Option<Vec<Seen>> {
    let sets = RecordBatchDecoder::decode_all(&mut bytes).ok()?;
    // Whole batches come, the first may begin before the offset asked for.
    sets.iter().flat_map(|set| &set.records).filter(|r| r.offset as u64 >= from).map(seen).collect()
}

fn seen(record: &Record) -> Option<Seen> {
    let value = record.value.as_ref()?;
    let (client, rest) = value.split_first_chunk::<4>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (value, rest) = rest.split_first_chunk::<8>()?;
    let value = u64::from_be_bytes(*value);
    let whole = rest.len() == padding(value) && rest.iter().all(|byte| *byte == value as u8);
    // Another value than was written is what the checkers look for.
    let value = if whole { value } else { !value };
    let id = RecordId { client: u32::from_be_bytes(*client), number: u64::from_be_bytes(*number) };
    Some(Seen { offset: record.offset as u64, record: id, value })
}
