//! Topics that come and go under the clients' hands: created, grown, deleted, and created anew under the same name.
//!
//! The topic id decides (I20), so the history knows a partition of such a topic by its incarnation. Clients keep an id for a while, as
//! real ones do, and ask by it; what is asked by name counts only if no change of the topic was under way from the question to the answer.
//! One change of a name is under way at a time. A change that nobody knows the outcome of may come about late: a deletion by id is repeated
//! until it is answered; after a deletion or a DeleteRecords by name, the name is given up.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use ouzel_runtime::Runtime;

use super::client::Cluster;
use super::session::Session;
use super::topics::{ANY_TIME, KEPT, Place, wanted, wire_id};
use super::upkeep;
use crate::history::{Event, Topic};

/// Names of each broker that topics come and go under.
pub const SLOTS: u32 = 2;
/// Partitions of such a topic at most.
const PARTITIONS_MAX: i32 = 4;

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const TOPIC_ALREADY_EXISTS: i16 = 36;
const UNKNOWN_TOPIC_ID: i16 = 100;

/// A topic as a client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incarnation {
    id: u128,
    /// Partitions it was said to have.
    pub partitions: i32,
    topic: Topic,
}

#[derive(Default)]
struct Slot {
    /// Names given up so far.
    life: u32,
    /// Grows when a change begins and when it ends.
    turn: u64,
    changing: bool,
    current: Option<Incarnation>,
    /// A deletion of the current one was asked for, and nobody knows whether it comes about.
    doubtful: bool,
    /// A deletion by name is under way: it takes whatever has the name.
    deleting_name: bool,
    /// A request that changes whatever has the name may come about late: another name is taken when this change ends.
    abandoned: bool,
    /// Left behind under names that were given up.
    litter: Vec<Incarnation>,
}

/// What all clients know of the topics that come and go. Clones are one.
#[derive(Clone, Default)]
pub struct Churn {
    slots: Rc<RefCell<BTreeMap<(usize, u32), Slot>>>,
    /// Clients that committed an offset under a name without being told for which incarnation it counts.
    muted: Rc<RefCell<BTreeSet<(u32, TopicName)>>>,
}

/// Asked by name: the answer counts if the topic wasn't changed meanwhile.
#[derive(Clone, Copy)]
pub struct ByName {
    slot: u32,
    turn: u64,
}

impl Churn {
    fn with<T>(&self, node: usize, slot: u32, f: impl FnOnce(&mut Slot) -> T) -> T {
        f(self.slots.borrow_mut().entry((node, slot)).or_default())
    }

    fn name(&self, node: usize, slot: u32) -> TopicName {
        let life = self.with(node, slot, |s| s.life);
        TopicName(StrBytes::from_string(format!("c{slot}-{life}")))
    }

    /// The topic of that name now, as far as anybody was told.
    pub fn current(&self, node: usize, slot: u32) -> Option<Incarnation> {
        self.with(node, slot, |s| s.current)
    }

    /// Whether what was answered about a place is about that place.
    pub fn holds(&self, place: &Place) -> bool {
        let Some(by_name) = place.by_name else { return true };
        self.with(place.node, by_name.slot, |s| !s.changing && s.turn == by_name.turn)
    }

    /// The client doesn't know for which incarnation its commit counts: it commits and asks no more under this name.
    pub fn mute(&self, client: u32, place: &Place) {
        if place.by_name.is_some() {
            self.muted.borrow_mut().insert((client, place.topic.clone()));
        }
    }

    /// Whether the client has lost track of what it committed.
    pub fn is_muted(&self, client: u32, place: &Place) -> bool {
        self.muted.borrow().contains(&(client, place.topic.clone()))
    }
}

impl Cluster {
    /// A partition of a topic by its id.
    pub fn by_id(&self, node: usize, slot: u32, topic: Incarnation, number: i32) -> Place {
        let name = self.churn.name(node, slot);
        let partition = self.history.incarnation_of(topic.topic, number);
        Place {
            node,
            topic: name,
            number,
            partition,
            incarnation: Some((topic.id, topic.topic)),
            by_name: None,
            policy: None,
        }
    }

    /// A partition of the topic that has the name now; `None` when nobody can say which that is.
    pub fn by_name(&self, node: usize, slot: u32, number: i32) -> Option<Place> {
        let (topic, turn) = self.churn.with(node, slot, |s| {
            let sure = !s.changing && !s.doubtful;
            s.current.filter(|_| sure).map(|topic| (topic, s.turn))
        })?;
        let number = number % topic.partitions;
        Some(Place { by_name: Some(ByName { slot, turn }), ..self.by_id(node, slot, topic, number) })
    }

    /// Which incarnation an id is, at its first use a new one.
    fn incarnation(&self, node: usize, slot: u32, id: u128, partitions: i32) -> Incarnation {
        let name = format!("{}/{}", self.nodes[node], self.churn.name(node, slot).as_str());
        let topic = self.history.topic(&name, id);
        if self.churn.with(node, slot, |s| s.deleting_name) {
            self.history.record(Event::Deleting { topic });
        }
        Incarnation { id, partitions, topic }
    }

    /// Notes what an answer says about a topic's being there; `asked` is what was known when it was asked for.
    pub fn note_there(&self, place: &Place, asked: Asked, code: i16) {
        let Some((_, topic)) = place.incarnation.filter(|_| self.churn.holds(place)) else { return };
        match code {
            UNKNOWN_TOPIC_ID | UNKNOWN_TOPIC_OR_PARTITION => {
                self.history.record(Event::Gone { topic, known: asked.known });
            }
            0 => self.history.record(Event::There { topic, ended: asked.ended }),
            _ => {}
        }
    }

    /// What is known of a place's topic now.
    pub fn asked(&self, place: &Place) -> Asked {
        place.incarnation.map_or(Asked::default(), |(_, topic)| Asked {
            known: self.history.is_known(topic, place.number),
            ended: self.history.is_ended(topic),
        })
    }
}

/// Whether a code says that there is no such topic or partition.
pub fn is_gone(code: i16) -> bool {
    matches!(code, UNKNOWN_TOPIC_ID | UNKNOWN_TOPIC_OR_PARTITION)
}

/// What was known of a topic when a question was asked.
#[derive(Clone, Copy, Default)]
pub struct Asked {
    known: bool,
    ended: bool,
}

/// Changes the topic of a slot, or finds out how it stands. `None` when the connection is of no more use.
pub async fn change(rt: &Runtime, cluster: &Cluster, session: &mut Session, node: usize, slot: u32) -> Option<()> {
    let begun = cluster.churn.with(node, slot, |s| {
        let free = !s.changing;
        s.changing = true;
        s.turn += u64::from(free);
        free
    });
    if !begun {
        return Some(());
    }
    let done = carry_out(rt, cluster, session, node, slot).await;
    cluster.churn.with(node, slot, |s| {
        s.changing = false;
        s.turn += 1;
        if std::mem::take(&mut s.abandoned) {
            s.litter.extend(s.current.take());
            s.life += 1;
            s.doubtful = false;
        }
    });
    done
}

async fn carry_out(rt: &Runtime, cluster: &Cluster, session: &mut Session, node: usize, slot: u32) -> Option<()> {
    let (current, doubtful, litter) =
        cluster.churn.with(node, slot, |s| (s.current, s.doubtful, s.litter.last().copied()));
    if let Some(left) = litter {
        cluster.history.record(Event::Deleting { topic: left.topic });
        let row = DeleteTopicState::default().with_name(None).with_topic_id(wire_id(left.id));
        delete_request(rt, session, row).await?;
        cluster.churn.with(node, slot, |s| s.litter.retain(|l| l.id != left.id));
    }
    match current {
        None => create(rt, cluster, session, node, slot).await,
        Some(topic) if doubtful => delete(rt, cluster, session, node, slot, topic, false).await,
        Some(topic) => match rt.rng().below(10) {
            0 => look(rt, cluster, session, node, slot).await,
            1 => truncate(rt, cluster, session, node, slot, topic).await,
            2 => grow(rt, cluster, session, node, slot, topic).await,
            3 => delete(rt, cluster, session, node, slot, topic, true).await,
            4..=6 => delete(rt, cluster, session, node, slot, topic, false).await,
            // At once anew, so that what is left of the old is still about.
            _ => {
                delete(rt, cluster, session, node, slot, topic, false).await?;
                match cluster.churn.current(node, slot) {
                    None => create(rt, cluster, session, node, slot).await,
                    Some(_) => Some(()),
                }
            }
        },
    }
}

async fn create(rt: &Runtime, cluster: &Cluster, session: &mut Session, node: usize, slot: u32) -> Option<()> {
    let count = 1 + rt.rng().below(3) as i32;
    let topic = wanted(cluster.churn.name(node, slot), count, &[KEPT, ANY_TIME]);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5_000);
    let answer = session.ask(rt, 7, &request).await?;
    let row = &answer.topics[0];
    match row.error_code {
        0 => {
            let made = cluster.incarnation(node, slot, row.topic_id.as_u128(), row.num_partitions);
            cluster.history.record(Event::Created { topic: made.topic, partitions: made.partitions as u32 });
            cluster.churn.with(node, slot, |s| s.current = Some(made));
            Some(())
        }
        // An earlier request that was given up came about.
        TOPIC_ALREADY_EXISTS => look(rt, cluster, session, node, slot).await,
        _ => Some(()),
    }
}

async fn grow(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    node: usize,
    slot: u32,
    topic: Incarnation,
) -> Option<()> {
    let count = topic.partitions + 1;
    if count > PARTITIONS_MAX {
        return Some(());
    }
    let row = CreatePartitionsTopic::default()
        .with_name(cluster.churn.name(node, slot))
        .with_count(count)
        .with_assignments(None);
    let request = CreatePartitionsRequest::default().with_topics(vec![row]).with_timeout_ms(5_000);
    let answer = session.ask(rt, 2, &request).await?;
    if answer.results[0].error_code == 0 {
        let grown = Incarnation { partitions: count, ..topic };
        cluster.history.record(Event::Created { topic: topic.topic, partitions: count as u32 });
        cluster.churn.with(node, slot, |s| s.current = Some(grown));
        return Some(());
    }
    // It may have been grown by a request that was given up.
    look(rt, cluster, session, node, slot).await
}

async fn delete(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    node: usize,
    slot: u32,
    topic: Incarnation,
    by_name: bool,
) -> Option<()> {
    let name = cluster.churn.name(node, slot);
    cluster.history.record(Event::Deleting { topic: topic.topic });
    let row = match by_name {
        true => DeleteTopicState::default().with_name(Some(name)),
        false => DeleteTopicState::default().with_name(None).with_topic_id(wire_id(topic.id)),
    };
    cluster.churn.with(node, slot, |s| (s.doubtful, s.deleting_name) = (true, by_name));
    let answer = delete_request(rt, session, row).await;
    cluster.churn.with(node, slot, |s| s.deleting_name = false);
    match answer {
        Some((0, id)) => {
            let ended = cluster.incarnation(node, slot, id, 0);
            cluster.history.record(Event::Ended { topic: ended.topic });
            // By name it took another one only if this one had gone before.
            cluster.history.record(Event::Ended { topic: topic.topic });
        }
        // An earlier request took it.
        Some((UNKNOWN_TOPIC_ID | UNKNOWN_TOPIC_OR_PARTITION, _)) => {
            cluster.history.record(Event::Ended { topic: topic.topic });
        }
        answer => {
            cluster.churn.with(node, slot, |s| s.abandoned |= by_name);
            return answer.map(|_| ());
        }
    }
    cluster.churn.with(node, slot, |s| (s.current, s.doubtful) = (None, false));
    Some(())
}

/// Has records of a partition deleted, by name as the protocol has it.
async fn truncate(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    node: usize,
    slot: u32,
    topic: Incarnation,
) -> Option<()> {
    let place = cluster.by_id(node, slot, topic, rt.rng().below(topic.partitions as u64) as i32);
    let end = cluster.history.read_end(place.partition);
    let done = upkeep::delete_records(rt, cluster, session, &place, rt.rng().below(end + 1)).await;
    cluster.churn.with(node, slot, |s| s.abandoned |= done.is_none());
    done
}

/// Error code and id.
async fn delete_request(rt: &Runtime, session: &mut Session, row: DeleteTopicState) -> Option<(i16, u128)> {
    let request = DeleteTopicsRequest::default().with_topics(vec![row]).with_timeout_ms(5_000);
    let answer = session.ask(rt, 6, &request).await?;
    let row = &answer.responses[0];
    Some((row.error_code, row.topic_id.as_u128()))
}

/// Asks which topic has the name, and takes over what it is told.
async fn look(rt: &Runtime, cluster: &Cluster, session: &mut Session, node: usize, slot: u32) -> Option<()> {
    let name = cluster.churn.name(node, slot);
    let current = cluster.churn.current(node, slot);
    let known = current.is_some_and(|c| cluster.history.is_known(c.topic, 0));
    let ended = cluster.history.ended();
    let request = MetadataRequest::default()
        .with_topics(Some(vec![MetadataRequestTopic::default().with_name(Some(name))]))
        .with_allow_auto_topic_creation(false);
    let answer = session.ask(rt, 12, &request).await?;
    let row = &answer.topics[0];
    let now = match row.error_code {
        0 => {
            let seen = cluster.incarnation(node, slot, row.topic_id.as_u128(), row.partitions.len() as i32);
            cluster.history.record(Event::There { topic: seen.topic, ended: ended.contains(&seen.topic) });
            Some(seen)
        }
        UNKNOWN_TOPIC_OR_PARTITION => None,
        _ => return Some(()),
    };
    if let Some(before) = current.filter(|c| now.is_none_or(|n| n.id != c.id)) {
        cluster.history.record(Event::Gone { topic: before.topic, known });
    }
    cluster.churn.with(node, slot, |s| s.current = now);
    Some(())
}

/// In a healthy cluster: has every slot hold a topic whose partitions all clients agree on.
pub async fn settle(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    node: usize,
    slot: u32,
) -> Option<Incarnation> {
    let doubtful = cluster.churn.with(node, slot, |s| s.doubtful.then_some(s.current).flatten());
    if let Some(topic) = doubtful {
        delete(rt, cluster, session, node, slot, topic, false).await?;
    }
    look(rt, cluster, session, node, slot).await?;
    if cluster.churn.current(node, slot).is_none() {
        create(rt, cluster, session, node, slot).await?;
    }
    cluster.churn.current(node, slot)
}
