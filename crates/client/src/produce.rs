//! Records into batches, batches to leaders.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use ouzel_model::{Offset, Timestamp};
use ouzel_records::{BatchBuilder, Codec, partition_of_key};
use ouzel_wire::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};

use crate::cluster::{Client, Lane, Place, Topic};
use crate::error::{ClientError, Refused};

/// 7 is the first with zstd; 13 names topics by id, which needs fresh ones.
const PRODUCE: (i16, i16) = (7, 12);
/// A batch is closed before its records pass this, bytes: below the brokers' default `max.message.bytes` of 1,048,588
/// with room for the header.
const BATCH_BYTES: usize = 1_000_000;
/// A batch is closed at this many records.
const BATCH_RECORDS: usize = 10_000;
/// Largest record, key, value and headers together, bytes. What a topic allows is the broker's to say.
const RECORD_BYTES_MAX: usize = 64 << 20;
/// A request is closed when its batches reach this, bytes, so it ends below the brokers' 100 MiB.
const REQUEST_BYTES: usize = 16 << 20;
/// What a record costs besides key, value and headers, bytes, at most.
const RECORD_OVERHEAD: usize = 32;
/// How long a leader may wait for its followers.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// How often a batch is sent, the first time included, and the pause before each further time: 3 s in all.
const ATTEMPTS_MAX: u32 = 9;
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_LONGEST: Duration = Duration::from_millis(640);

/// When a record counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acks {
    /// Nobody says: offsets aren't known.
    None,
    /// The leader has it.
    Leader,
    /// All replicas in sync have it.
    #[default]
    All,
}

/// How a producer works.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// When a record counts as written.
    pub acks: Acks,
    /// How batches are compressed.
    pub codec: Codec,
    /// Whether the broker may make the topic.
    pub create: bool,
}

impl Default for Rules {
    /// All in sync, not compressed, topics may be made.
    fn default() -> Rules {
        Rules { acks: Acks::All, codec: Codec::None, create: true }
    }
}

/// A record to write.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// The key; decides the partition when none is given.
    pub key: Option<Bytes>,
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// The headers.
    pub headers: Vec<(String, Option<Bytes>)>,
    /// When it was made; now without it.
    pub timestamp: Option<Timestamp>,
    /// The partition, if it isn't for the key to say.
    pub partition: Option<i32>,
}

impl Outgoing {
    fn bytes(&self) -> usize {
        let len = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        let headers: usize = self.headers.iter().map(|(key, value)| key.len() + len(value) + RECORD_OVERHEAD).sum();
        len(&self.key) + len(&self.value) + headers + RECORD_OVERHEAD
    }
}

/// Where a record was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The partition.
    pub partition: i32,
    /// The offset; -1 with acks 0.
    pub offset: Offset,
    /// The timestamp it has now.
    pub timestamp: Timestamp,
}

/// Writes records to topics. Records with a key go where Kafka's own clients put that key; those without go to one
/// partition per call of [`send`](Producer::send), the next one each time.
#[derive(Debug)]
pub struct Producer {
    client: Client,
    rules: Rules,
    turn: u32,
}

/// Records of one partition that go together, by their place in the caller's list.
struct Batch {
    records: Vec<usize>,
    bytes: Bytes,
}

impl Producer {
    /// A producer; nothing is sent yet.
    pub fn new(client: &Client, rules: Rules) -> Producer {
        let turn = client.runtime().rng().below(1 << 16) as u32;
        Producer { client: client.clone(), rules, turn }
    }

    /// Writes records and waits until they count as written; answers stand in the order of the records, which a
    /// partition keeps. After an error some of them may have been written.
    pub async fn send(&mut self, topic: &str, records: &[Outgoing]) -> Result<Vec<Placed>, ClientError> {
        if let Some(bytes) = records.iter().map(Outgoing::bytes).find(|bytes| *bytes > RECORD_BYTES_MAX) {
            return Err(ClientError::TooLarge { bytes, limit: RECORD_BYTES_MAX });
        }
        let topic = self.client.topic(topic, self.rules.create).await?;
        let now = self.client.runtime().wall_clock();
        let nowhere = Placed { partition: -1, offset: Offset(-1), timestamp: now };
        let mut placed = vec![nowhere; records.len()];
        for (place, record) in placed.iter_mut().zip(records) {
            place.partition = self.partition_of(&topic, record)?;
            place.timestamp = record.timestamp.unwrap_or(now);
        }
        self.turn = self.turn.wrapping_add(1);

        let mut waiting = self.batches(records, &placed);
        let (mut attempt, mut pause) = (1, PAUSE_FIRST);
        let rt = self.client.runtime().clone();
        let mut until = rt.now() + self.client.options().request_timeout;
        while !waiting.is_empty() {
            match self.round(&topic, &mut waiting, &mut placed).await {
                Ok(()) => {
                    (attempt, pause) = (1, PAUSE_FIRST);
                    until = rt.now() + self.client.options().request_timeout;
                }
                Err(error) if error.is_retriable() && attempt < ATTEMPTS_MAX && rt.now() < until => {
                    self.client.forget(&topic.name);
                    rt.sleep(pause).await;
                    (attempt, pause) = (attempt + 1, (pause * 2).min(PAUSE_LONGEST));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(placed)
    }

    fn partition_of(&self, topic: &Topic, record: &Outgoing) -> Result<i32, ClientError> {
        let count = topic.partitions.len();
        let index = match (&record.key, record.partition) {
            (_, Some(partition)) => usize::try_from(partition).ok().filter(|index| *index < count),
            _ if count == 0 => None,
            (Some(key), None) => Some(partition_of_key(key, count as u32) as usize),
            (None, None) => Some(self.turn as usize % count),
        };
        let partition = index.and_then(|index| topic.partitions.get(index)).map(|partition| partition.index);
        partition.ok_or_else(|| ClientError::NoPartition {
            topic: topic.name.to_string(),
            partition: record.partition.unwrap_or(0),
            count,
        })
    }

    fn batches(&self, records: &[Outgoing], placed: &[Placed]) -> BTreeMap<i32, VecDeque<Batch>> {
        let mut lists: BTreeMap<i32, Vec<Vec<usize>>> = BTreeMap::new();
        let mut open: BTreeMap<i32, usize> = BTreeMap::new();
        for (index, record) in records.iter().enumerate() {
            let partition = placed[index].partition;
            let list = lists.entry(partition).or_default();
            let bytes = open.entry(partition).or_default();
            match list.last_mut().filter(|batch| batch.len() < BATCH_RECORDS && *bytes + record.bytes() <= BATCH_BYTES)
            {
                Some(batch) => batch.push(index),
                None => {
                    list.push(vec![index]);
                    *bytes = 0;
                }
            }
            *bytes += record.bytes();
        }
        let build = |indexes: Vec<usize>| {
            let mut builder = BatchBuilder::new();
            for index in &indexes {
                let record = &records[*index];
                let headers: Vec<(&str, Option<&[u8]>)> =
                    record.headers.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
                builder.push(placed[*index].timestamp, record.key.as_deref(), record.value.as_deref(), &headers);
            }
            Batch { records: indexes, bytes: builder.build(self.rules.codec).into() }
        };
        lists.into_iter().map(|(partition, list)| (partition, list.into_iter().map(build).collect())).collect()
    }

    /// Sends the first waiting batch of each partition and takes those away that were written.
    async fn round(
        &self,
        topic: &Topic,
        waiting: &mut BTreeMap<i32, VecDeque<Batch>>,
        placed: &mut [Placed],
    ) -> Result<(), ClientError> {
        let mut places = Vec::new();
        let mut bytes = 0;
        for (partition, batches) in waiting.iter() {
            if bytes < REQUEST_BYTES
                && let Some(batch) = batches.front()
            {
                bytes += batch.bytes.len();
                places.push(Place { topic: topic.name.clone(), partition: *partition });
            }
        }
        for (node, places) in self.client.by_leader(&places).await? {
            let data = places.iter().filter_map(|place| {
                let batch = waiting.get(&place.partition)?.front()?;
                Some(PartitionProduceData { index: place.partition, records: Some(batch.bytes.clone()) })
            });
            let ask = ProduceRequest {
                acks: match self.rules.acks {
                    Acks::None => 0,
                    Acks::Leader => 1,
                    Acks::All => -1,
                },
                timeout_ms: ACK_WAIT.as_millis() as i32,
                topic_data: vec![TopicProduceData {
                    name: (&*topic.name).into(),
                    partition_data: data.collect(),
                    ..Default::default()
                }],
                ..Default::default()
            };
            if self.rules.acks == Acks::None {
                let conn = self.client.conn_to(node, Lane::Requests).await?;
                conn.tell(&ask, PRODUCE, self.client.options().request_timeout).await?;
                for place in &places {
                    written(waiting, place.partition);
                }
                continue;
            }
            let reply = self.client.ask_node(node, Lane::Requests, &ask, PRODUCE, ACK_WAIT).await?;
            let answers = reply.responses.iter().flat_map(|topic| &topic.partition_responses);
            let mut refusal = None;
            for answer in answers {
                if answer.error_code != 0 {
                    let place = Place { topic: topic.name.clone(), partition: answer.index };
                    refusal = Some(Refused::new(place.to_string(), answer.error_code, answer.error_message.as_deref()));
                    continue;
                }
                let Some(batch) = written(waiting, answer.index) else { continue };
                for (at, index) in batch.records.iter().enumerate() {
                    let place = &mut placed[*index];
                    place.offset = Offset(answer.base_offset.saturating_add(at as i64));
                    if answer.log_append_time_ms >= 0 {
                        place.timestamp = Timestamp(answer.log_append_time_ms);
                    }
                }
            }
            if let Some(refusal) = refusal {
                return Err(refusal.into());
            }
            // A reply that leaves a partition out would have us ask for ever.
            if let Some(place) = places.iter().find(|place| {
                waiting.get(&place.partition).is_some_and(|batches| !batches.is_empty())
                    && !reply
                        .responses
                        .iter()
                        .any(|topic| topic.partition_responses.iter().any(|answer| answer.index == place.partition))
            }) {
                let missing = Some("the reply doesn't name it");
                return Err(
                    Refused::new(place.to_string(), ouzel_wire::ErrorCode::UnknownServerError as i16, missing).into()
                );
            }
        }
        Ok(())
    }
}

/// Takes a partition's first batch away.
fn written(waiting: &mut BTreeMap<i32, VecDeque<Batch>>, partition: i32) -> Option<Batch> {
    let batches = waiting.get_mut(&partition)?;
    let batch = batches.pop_front();
    if batches.is_empty() {
        waiting.remove(&partition);
    }
    batch
}
