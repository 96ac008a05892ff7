//! Clients of brokers: producers, plain and idempotent, readers, and the auditor, who reads everything in the end.
//!
//! A plain producer never sends a record twice; an idempotent one repeats a batch until it knows what became of it. So no record may
//! be in a log twice (I10). An error counts as "not written" only if its code is on the proven list (`is_definite`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, FetchRequest, InitProducerIdRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use ouzel_runtime::sim::stream::mix;
use ouzel_runtime::sync::Latch;
use ouzel_runtime::{Class, Rng, Runtime, Task};

use super::session::Session;
use super::upkeep::{self, EARLIEST, LATEST};
use crate::history::{Event, History, Partition, RecordId, Seen};

/// Topics of each broker, and partitions of each topic.
const TOPICS: u64 = 2;
const PARTITIONS: i32 = 3;
/// The topic that takes records of any time, so that clocks which differ by years don't stop all writing.
const ANY_TIME: u64 = 1;
/// The auditor's number among the clients.
const AUDITOR: u32 = u32::MAX;
/// Groups that the auditor asks for: as many as there are clients at most.
const CLIENTS_MAX: u32 = 6;
/// Records of a batch at most.
const BATCH_MAX: u64 = 3;
/// Times that an idempotent producer repeats a batch before it takes a new id.
const REPEATS: u32 = 20;

/// What clients know of the cluster.
#[derive(Clone)]
pub struct Cluster {
    /// Names of the nodes.
    pub nodes: Rc<Vec<String>>,
    /// Typical pause between two operations.
    pub pace: Duration,
    /// Where all is written down.
    pub history: History,
    /// What the auditor was last refused.
    pub refused: Rc<RefCell<String>>,
}

/// A partition and where it is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub node: usize,
    pub topic: u64,
    pub partition: i32,
}

impl Place {
    pub fn topic(&self) -> TopicName {
        TopicName(StrBytes::from_string(format!("t{}", self.topic)))
    }
}

impl Cluster {
    pub(super) fn partition(&self, place: Place) -> Partition {
        self.history.partition(&format!("{}/t{}/{}", self.nodes[place.node], place.topic, place.partition))
    }
}

/// Runs `clients` clients until `stop` is set and each has ended its operation.
pub async fn load(rt: Runtime, cluster: Cluster, clients: u16, stop: Latch) {
    let spawn = |id: u16| {
        let client = Client {
            rt: rt.clone(),
            cluster: cluster.clone(),
            id: u32::from(id),
            number: 0,
            idempotent: id % 2 == 1,
            producers: BTreeMap::new(),
            sequences: BTreeMap::new(),
        };
        rt.spawn(Class::Serve, client.run(stop.clone()))
    };
    let tasks: Vec<Task> = (0..clients).map(spawn).collect();
    for task in tasks {
        task.await;
    }
}

/// A code that proves that nothing was written, ever.
fn is_definite(code: i16) -> bool {
    // UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, MESSAGE_TOO_LARGE, NOT_ENOUGH_REPLICAS, KAFKA_STORAGE_ERROR,
    // OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TIMESTAMP: each is given before the append.
    matches!(code, 3 | 6 | 10 | 19 | 32 | 45 | 56)
}

struct Client {
    rt: Runtime,
    cluster: Cluster,
    id: u32,
    number: u64,
    idempotent: bool,
    /// Id and epoch at each node: every one is a cluster of its own and gives ids of its own.
    producers: BTreeMap<usize, (i64, i16)>,
    /// Next sequence of each partition, by node.
    sequences: BTreeMap<(usize, Partition), i32>,
}

impl Client {
    async fn run(mut self, stop: Latch) {
        let rng = self.rt.rng();
        while !stop.is_set() {
            let node = rng.below(self.cluster.nodes.len() as u64) as usize;
            let Some(mut session) = self.ready(node).await else {
                pause(&self.rt, &rng, self.cluster.pace * 10).await;
                continue;
            };
            for _ in 0..rng.below(200) {
                if stop.is_set() || !self.operate(node, &mut session, &stop).await {
                    break;
                }
                pause(&self.rt, &rng, self.cluster.pace).await;
            }
        }
    }

    /// A connection to a broker that has the topics.
    async fn ready(&self, node: usize) -> Option<Session> {
        let mut session = Session::open(&self.rt, &self.cluster.nodes[node]).await?;
        create_topics(&self.rt, &mut session).await.then_some(session)
    }

    /// One operation; false when the connection is of no more use.
    async fn operate(&mut self, node: usize, session: &mut Session, stop: &Latch) -> bool {
        let rng = self.rt.rng();
        let place = Place { node, topic: rng.below(TOPICS), partition: rng.below(PARTITIONS as u64) as i32 };
        if rng.chance(0.3) {
            let partition = self.cluster.partition(place);
            let known = self.cluster.history.read_end(partition);
            let kept = self.cluster.history.kept_from(partition).min(known);
            let from = kept + rng.below(known - kept + 1);
            let wait = if rng.chance(0.3) { rng.below(300) as i32 } else { 0 };
            return read(&self.rt, &self.cluster, session, self.id, place, (from, known), wait).await.is_some();
        }
        if rng.chance(0.15) {
            return self.upkeep(place, session).await.is_some();
        }
        if self.idempotent { self.produce_once(place, session, stop).await } else { self.produce(place, session).await }
    }

    /// Commits an offset, reads what is committed, or moves a log's start.
    async fn upkeep(&mut self, place: Place, session: &mut Session) -> Option<()> {
        let (rt, cluster) = (&self.rt, &self.cluster);
        let rng = rt.rng();
        match rng.below(5) {
            0 => {
                let partition = cluster.partition(place);
                let (kept, known) = (cluster.history.kept_from(partition), cluster.history.read_end(partition));
                let before = kept + rng.below(known.saturating_sub(kept) / 2 + 1);
                upkeep::delete_records(rt, cluster, session, place, before).await
            }
            1 | 2 => {
                self.number += 1;
                upkeep::coordinator(rt, session, self.id).await?;
                upkeep::commit(rt, cluster, session, self.id, place, self.number).await
            }
            _ => upkeep::committed(rt, cluster, session, self.id, place).await.map(|_| ()),
        }
    }

    fn records(&mut self, partition: Partition) -> Vec<(RecordId, u64)> {
        let count = 1 + self.rt.rng().below(BATCH_MAX);
        (0..count)
            .map(|_| {
                self.number += 1;
                let record = RecordId { client: self.id, number: self.number };
                let value = value(record);
                self.cluster.history.record(Event::Produce { partition, record, value });
                (record, value)
            })
            .collect()
    }

    async fn produce(&mut self, place: Place, session: &mut Session) -> bool {
        let partition = self.cluster.partition(place);
        let records = self.records(partition);
        let acks = if self.rt.rng().chance(0.2) { 1 } else { -1 };
        let answer = send(&self.rt, session, place, acks, batch(&self.rt, &records, None)).await;
        self.note(partition, &records, answer);
        answer.is_some()
    }

    /// Sends a batch until its fate is known.
    async fn produce_once(&mut self, place: Place, session: &mut Session, stop: &Latch) -> bool {
        let Some(producer) = self.producer(place.node, session).await else { return false };
        let partition = self.cluster.partition(place);
        let sequence = *self.sequences.entry((place.node, partition)).or_insert(0);
        let records = self.records(partition);
        let bytes = batch(&self.rt, &records, Some((producer.0, producer.1, sequence)));
        let mut own = None;
        let mut answer = None;
        for _ in 0..REPEATS {
            answer = send(&self.rt, own.as_mut().unwrap_or(session), place, -1, bytes.clone()).await;
            match answer {
                Some((0, _)) => break,
                // Retriable, and the fate of an earlier try stays open: go on with the same batch.
                Some(_) => pause(&self.rt, &self.rt.rng(), Duration::from_millis(50)).await,
                None => {
                    own = Session::open(&self.rt, &self.cluster.nodes[place.node]).await;
                    while own.is_none() && !stop.is_set() {
                        pause(&self.rt, &self.rt.rng(), Duration::from_millis(200)).await;
                        own = Session::open(&self.rt, &self.cluster.nodes[place.node]).await;
                    }
                    if own.is_none() {
                        break;
                    }
                }
            }
        }
        match answer {
            Some((0, base)) => {
                self.note(partition, &records, Some((0, base)));
                self.sequences.insert((place.node, partition), sequence + records.len() as i32);
            }
            _ => {
                self.note(partition, &records, None);
                // The fate of the batch is open, so its sequence can't be used: go on under a new id.
                self.producers.remove(&place.node);
                self.sequences.retain(|(node, _), _| *node != place.node);
            }
        }
        own.is_none() && answer.is_some()
    }

    async fn producer(&mut self, node: usize, session: &mut Session) -> Option<(i64, i16)> {
        if !self.producers.contains_key(&node) {
            let request = InitProducerIdRequest::default()
                .with_transactional_id(None)
                .with_transaction_timeout_ms(60_000)
                .with_producer_id((-1).into())
                .with_producer_epoch(-1);
            let answer = session.ask(&self.rt, 4, &request).await?;
            if answer.error_code != 0 {
                return None;
            }
            self.producers.insert(node, (answer.producer_id.0, answer.producer_epoch));
        }
        self.producers.get(&node).copied()
    }

    fn note(&self, partition: Partition, records: &[(RecordId, u64)], answer: Option<(i16, i64)>) {
        for (offset, &(record, _)) in (0..).zip(records) {
            self.cluster.history.record(match answer {
                Some((0, base)) => Event::Acked { partition, record, offset: base as u64 + offset },
                Some((code, _)) if is_definite(code) => Event::Refused { partition, record },
                _ => Event::Unknown { partition, record },
            });
        }
    }
}

fn value(record: RecordId) -> u64 {
    mix(u64::from(record.client) << 32 ^ record.number)
}

async fn pause(rt: &Runtime, rng: &Rng, typical: Duration) {
    let micros = typical.as_micros() as u64;
    rt.sleep(Duration::from_micros(micros / 2 + rng.below(micros.max(1)))).await;
}

async fn create_topics(rt: &Runtime, session: &mut Session) -> bool {
    // Clocks jump by years: nothing may age out.
    const KEPT: (&str, &str) = ("retention.ms", "-1");
    const ANY: (&str, &str) = ("message.timestamp.after.max.ms", "9223372036854775807");
    let config = |(name, value)| {
        let (name, value) = (StrBytes::from_static_str(name), StrBytes::from_static_str(value));
        CreatableTopicConfig::default().with_name(name).with_value(Some(value))
    };
    let topics = (0..TOPICS)
        .map(|topic| {
            CreatableTopic::default()
                .with_name(Place { node: 0, topic, partition: 0 }.topic())
                .with_num_partitions(PARTITIONS)
                .with_replication_factor(1)
                .with_configs(if topic == ANY_TIME { vec![config(KEPT), config(ANY)] } else { vec![config(KEPT)] })
        })
        .collect();
    let request = CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(5_000);
    let Some(answer) = session.ask(rt, 5, &request).await else { return false };
    // TOPIC_ALREADY_EXISTS is as good.
    answer.topics.iter().all(|t| matches!(t.error_code, 0 | 36))
}

/// A batch whose records say who wrote them.
fn batch(rt: &Runtime, records: &[(RecordId, u64)], producer: Option<(i64, i16, i32)>) -> Bytes {
    let now = rt.wall_clock().0;
    let (producer_id, producer_epoch, sequence) = producer.unwrap_or((-1, -1, -1));
    let records: Vec<Record> = (0..)
        .zip(records)
        .map(|(i, (record, value))| {
            let mut bytes = BytesMut::with_capacity(20);
            bytes.extend_from_slice(&record.client.to_be_bytes());
            bytes.extend_from_slice(&record.number.to_be_bytes());
            bytes.extend_from_slice(&value.to_be_bytes());
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
async fn send(rt: &Runtime, session: &mut Session, place: Place, acks: i16, bytes: Bytes) -> Option<(i16, i64)> {
    let data = PartitionProduceData::default().with_index(place.partition).with_records(Some(bytes));
    let topic = TopicProduceData::default().with_name(place.topic()).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(acks).with_timeout_ms(5_000).with_topic_data(vec![topic]);
    let answer = session.ask(rt, 9, &request).await?;
    let partition = &answer.responses[0].partition_responses[0];
    Some((partition.error_code, partition.base_offset))
}

/// Reads from `from` on; what came, with the high watermark. `known` is what the reader is entitled to see.
async fn read(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    reader: u32,
    place: Place,
    (from, known): (u64, u64),
    wait_ms: i32,
) -> Option<(Vec<Seen>, u64)> {
    let partition = cluster.partition(place);
    let wanted = FetchPartition::default()
        .with_partition(place.partition)
        .with_fetch_offset(from as i64)
        .with_partition_max_bytes(if rt.rng().chance(0.3) { 1 } else { 1 << 20 });
    let topic = FetchTopic::default().with_topic(place.topic()).with_partitions(vec![wanted]);
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    let answer = session.ask(rt, 11, &request).await?;
    let row = &answer.responses[0].partitions[0];
    if row.error_code != 0 {
        // Not open yet; the caller comes again.
        return None;
    }
    let mut records = Vec::new();
    let mut bytes = row.records.clone().unwrap_or_default();
    for set in RecordBatchDecoder::decode_all(&mut bytes).expect("batches that were written") {
        for record in set.records {
            // Whole batches come, the first may begin before the offset asked for.
            if record.offset as u64 >= from {
                records.push(seen(&record)?);
            }
        }
    }
    let end = row.high_watermark as u64;
    // A batch that doesn't fit the limit isn't the log's end.
    let short = records.last().map_or(from, |s| s.offset + 1);
    let end_seen = if records.is_empty() { end } else { short.max(known) };
    cluster.history.record(Event::Read { partition, reader, from, known, records: records.clone(), end: end_seen });
    Some((records, end))
}

fn seen(record: &Record) -> Option<Seen> {
    let value = record.value.as_ref()?;
    let (client, rest) = value.split_first_chunk::<4>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let value = u64::from_be_bytes(rest.try_into().ok()?);
    let id = RecordId { client: u32::from_be_bytes(*client), number: u64::from_be_bytes(*number) };
    Some(Seen { offset: record.offset as u64, record: id, value })
}

/// In a healthy cluster every partition takes one more record and then shows all it has. Sets `done` when all did.
pub async fn audit(rt: Runtime, cluster: Cluster, done: Rc<Cell<bool>>) {
    let mut number = 0;
    for node in 0..cluster.nodes.len() {
        for topic in 0..TOPICS {
            for partition in 0..PARTITIONS {
                let place = Place { node, topic, partition };
                while let Err(refused) = audit_one(&rt, &cluster, place, &mut number).await {
                    *cluster.refused.borrow_mut() =
                        format!("{} {}/{partition}: {refused}", cluster.nodes[node], place.topic().as_str());
                    rt.sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    done.set(true);
}

async fn audit_one(rt: &Runtime, cluster: &Cluster, place: Place, number: &mut u64) -> Result<(), String> {
    let Some(mut session) = Session::open(rt, &cluster.nodes[place.node]).await else {
        return Err("no connection".into());
    };
    if !create_topics(rt, &mut session).await {
        return Err("topics can't be created".into());
    }
    let partition = cluster.partition(place);
    *number += 1;
    let record = RecordId { client: AUDITOR, number: *number };
    let value = value(record);
    cluster.history.record(Event::Produce { partition, record, value });
    let answer = send(rt, &mut session, place, -1, batch(rt, &[(record, value)], None)).await;
    let Some((0, offset)) = answer else {
        cluster.history.record(Event::Unknown { partition, record });
        return Err(format!("a record isn't taken: {answer:?}"));
    };
    cluster.history.record(Event::Acked { partition, record, offset: offset as u64 });
    let Some(end) = upkeep::list_offset(rt, cluster, &mut session, place, LATEST).await else {
        return Err("its end isn't told".into());
    };
    assert!(end > offset as u64, "the log's end lies behind what was just acknowledged");
    let Some(start) = upkeep::list_offset(rt, cluster, &mut session, place, EARLIEST).await else {
        return Err("its start isn't told".into());
    };
    for client in 0..CLIENTS_MAX {
        if upkeep::coordinator(rt, &mut session, client).await != Some(true)
            || upkeep::committed(rt, cluster, &mut session, client, place).await != Some(true)
        {
            return Err(format!("what group {client} committed isn't told"));
        }
    }
    let mut all: Vec<Seen> = Vec::new();
    loop {
        let known = cluster.history.read_end(partition);
        let from = start + all.len() as u64;
        let Some((records, end)) = read(rt, cluster, &mut session, AUDITOR, place, (from, known), 0).await else {
            return Err(format!("no read from {from}"));
        };
        let stuck = records.is_empty() && from < end;
        all.extend(records);
        if start + all.len() as u64 >= end || stuck {
            cluster.history.record(Event::Scan { partition, records: all });
            return Ok(());
        }
    }
}
