//! Clients of brokers: producers, plain and idempotent, readers, and the auditor, who reads everything in the end.
//!
//! A plain producer never sends a record twice; an idempotent one repeats a batch until it knows what became of it. So no record may
//! be in a log twice (I10). An error counts as "not written" only if its code is on the proven list (`is_definite`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use kafka_protocol::messages::InitProducerIdRequest;
use ouzel_runtime::sync::Latch;
use ouzel_runtime::{Class, Rng, Runtime, Task};

use super::churn::{self, Churn, Incarnation, SLOTS};
use super::records::{batch, read, send, value};
use super::retained;
use super::session::Session;
use super::topics::{self, Place};
use super::upkeep::{self, EARLIEST, LATEST};
use crate::history::{Event, History, Partition, RecordId};

/// Clients there are at most; each has a group.
pub const CLIENTS_MAX: u32 = 6;
const OFFSET_OUT_OF_RANGE: i16 = 1;
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
    /// Topics that come and go.
    pub churn: Churn,
    /// What the auditor was last refused.
    pub refused: Rc<RefCell<String>>,
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
            remembered: BTreeMap::new(),
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
    // UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER, MESSAGE_TOO_LARGE, NOT_ENOUGH_REPLICAS, KAFKA_STORAGE_ERROR,
    // OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TIMESTAMP: each is given before the append.
    matches!(code, 3 | 6 | 10 | 19 | 32 | 45 | 56 | 100)
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
    /// Topics that come and go as this client saw them last.
    remembered: BTreeMap<(usize, u32), Incarnation>,
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
        topics::create(&self.rt, &mut session).await.then_some(session)
    }

    /// One operation; false when the connection is of no more use.
    async fn operate(&mut self, node: usize, session: &mut Session, stop: &Latch) -> bool {
        let rng = self.rt.rng();
        if rng.chance(0.2) {
            return self.operate_churn(node, session, stop).await.is_some();
        }
        let place = self.cluster.any_place(node, &rng);
        if rng.chance(0.3) {
            return match self.read(&place, session).await {
                Some(OFFSET_OUT_OF_RANGE) if place.policy.is_some() => {
                    upkeep::list_offset(&self.rt, &self.cluster, session, &place, EARLIEST).await.is_some()
                }
                // A partition that isn't open yet: the client comes again.
                code => code == Some(0),
            };
        }
        if rng.chance(0.15) {
            return self.upkeep(&place, session).await.is_some();
        }
        if self.idempotent {
            self.produce_once(&place, session, stop).await
        } else {
            self.produce(&place, session).await.is_some()
        }
    }

    /// One operation on a topic that comes and goes; `None` when the connection is of no more use.
    async fn operate_churn(&mut self, node: usize, session: &mut Session, stop: &Latch) -> Option<()> {
        let rng = self.rt.rng();
        let slot = rng.below(u64::from(SLOTS)) as u32;
        if rng.chance(0.1) {
            return churn::change(&self.rt, &self.cluster, session, node, slot).await;
        }
        if rng.chance(0.4) {
            let place = self.cluster.by_name(node, slot, rng.below(8) as i32);
            return match place {
                Some(place) => self.operate_by_name(&place, session).await,
                None => Some(()),
            };
        }
        let current = self.cluster.churn.current(node, slot);
        if let Some(topic) = current.filter(|_| rng.chance(0.1)) {
            self.remembered.insert((node, slot), topic);
        }
        let Some(topic) = self.remembered.get(&(node, slot)).copied().or(current) else { return Some(()) };
        self.remembered.insert((node, slot), topic);
        let place = self.cluster.by_id(node, slot, topic, rng.below(topic.partitions.max(1) as u64) as i32);
        let code = if rng.chance(0.4) {
            self.read(&place, session).await?
        } else if self.idempotent {
            return self.produce_once(&place, session, stop).await.then_some(());
        } else {
            self.produce(&place, session).await?
        };
        if churn::is_gone(code) {
            self.remembered.remove(&(node, slot));
        }
        Some(())
    }

    async fn operate_by_name(&mut self, place: &Place, session: &mut Session) -> Option<()> {
        let (rt, cluster) = (self.rt.clone(), self.cluster.clone());
        let muted = cluster.churn.is_muted(self.id, place);
        match rt.rng().below(8) {
            0 => upkeep::list_offset(&rt, &cluster, session, place, LATEST).await.map(|_| ()),
            1 => upkeep::list_offset(&rt, &cluster, session, place, EARLIEST).await.map(|_| ()),
            2 => upkeep::producers(&rt, &cluster, session, place).await,
            3 if !muted => {
                self.number += 1;
                upkeep::coordinator(&rt, session, self.id).await?;
                upkeep::commit(&rt, &cluster, session, self.id, place, self.number).await
            }
            4 | 5 if !muted => upkeep::committed(&rt, &cluster, session, self.id, place).await.map(|_| ()),
            6 => self.produce(place, session).await.map(|_| ()),
            _ => self.read(place, session).await.map(|_| ()),
        }
    }

    /// Reads from somewhere on; the error code.
    async fn read(&self, place: &Place, session: &mut Session) -> Option<i16> {
        let (history, rng) = (&self.cluster.history, self.rt.rng());
        let known = history.read_end(place.partition);
        let kept = history.kept_from(place.partition).min(known);
        let from = kept + rng.below(known - kept + 1);
        let wait = if rng.chance(0.3) { rng.below(300) as i32 } else { 0 };
        let read = read(&self.rt, &self.cluster, session, self.id, place, (from, known), wait).await?;
        Some(read.err().unwrap_or(0))
    }

    /// Commits an offset, reads what is committed, or moves a log's start.
    async fn upkeep(&mut self, place: &Place, session: &mut Session) -> Option<()> {
        let (rt, cluster) = (&self.rt, &self.cluster);
        let rng = rt.rng();
        match rng.below(5) {
            0 if place.policy.is_some() => retained::look(rt, cluster, session, place).await,
            0 => {
                let partition = place.partition;
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

    /// How far ahead of its time a client stamps a batch, ms: now and then by a year, which must not keep it from going (I15).
    fn ahead(&self, place: &Place) -> i64 {
        let stamped = place.policy.is_some_and(|p| p.millis.is_some());
        if stamped && self.rt.rng().chance(0.1) { 365 * 86_400_000 } else { 0 }
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

    /// Sends a batch once; the error code.
    async fn produce(&mut self, place: &Place, session: &mut Session) -> Option<i16> {
        // By name it may come to another topic of that name.
        let partition = match place.by_name {
            Some(_) => self.cluster.history.anchor(place.partition),
            None => place.partition,
        };
        self.cluster.note_time(&self.rt, place);
        let records = self.records(partition);
        let acks = if self.rt.rng().chance(0.2) { 1 } else { -1 };
        let answer =
            send(&self.rt, &self.cluster, session, place, acks, batch(&self.rt, &records, None, self.ahead(place)))
                .await;
        let holds = self.cluster.churn.holds(place);
        if matches!(answer, Some((0, _))) && holds {
            for &(record, value) in records.iter().filter(|_| partition != place.partition) {
                self.cluster.history.record(Event::Produce { partition: place.partition, record, value });
            }
            self.note(place.partition, &records, answer);
        } else {
            self.note(partition, &records, answer.filter(|(code, _)| *code != 0));
        }
        answer.map(|(code, _)| code)
    }

    /// Sends a batch until its fate is known.
    async fn produce_once(&mut self, place: &Place, session: &mut Session, stop: &Latch) -> bool {
        let Some(producer) = self.producer(place.node, session).await else { return false };
        let partition = place.partition;
        let sequence = *self.sequences.entry((place.node, partition)).or_insert(0);
        self.cluster.note_time(&self.rt, place);
        let records = self.records(partition);
        self.cluster.history.record(Event::Wrote { partition, producer: producer.0 });
        let bytes = batch(&self.rt, &records, Some((producer.0, producer.1, sequence)), self.ahead(place));
        let mut own = None;
        let mut answer = None;
        for _ in 0..REPEATS {
            let connection = own.as_mut().unwrap_or(session);
            answer = send(&self.rt, &self.cluster, connection, place, -1, bytes.clone()).await;
            match answer {
                Some((0, _)) => break,
                Some((code, _)) if place.incarnation.is_some() && churn::is_gone(code) => break,
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

async fn pause(rt: &Runtime, rng: &Rng, typical: Duration) {
    let micros = typical.as_micros() as u64;
    rt.sleep(Duration::from_micros(micros / 2 + rng.below(micros.max(1)))).await;
}
