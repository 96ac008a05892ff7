//! The cluster as a client sees it: which brokers there are, who leads what, and what to do when that changes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use ouzel_model::TopicId;
use ouzel_runtime::Runtime;
use ouzel_wire::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use ouzel_wire::{ErrorCode, Request};

use crate::conn::{Address, Conn};
use crate::error::{ClientError, ConnError, refused};

/// Version 12 is the last that all brokers since Kafka 3.1 have; 9 is where null can mean "all topics" with ids absent.
const METADATA: (i16, i16) = (9, 12);
/// How often something that may be tried again is tried, the first time included: about 3 s of pauses in all.
const ATTEMPTS_MAX: u32 = 9;
/// First pause between attempts; it doubles up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_LONGEST: Duration = Duration::from_millis(640);
/// Pause between rounds over the given addresses.
const PAUSE_BOOTSTRAP: Duration = Duration::from_millis(100);

/// How to connect.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses to begin with; the cluster names the others.
    pub brokers: Vec<Address>,
    /// What the client calls itself.
    pub client_id: String,
    /// For how long the given addresses are tried again when all refuse: a broker may be starting.
    pub patience: Duration,
    /// Longest wait for a connection to open, name lookup included.
    pub connect_timeout: Duration,
    /// Longest wait for a reply, besides what the request itself asks the broker to wait.
    pub request_timeout: Duration,
}

impl Options {
    /// The defaults: 1 s of patience, 5 s to connect, 30 s for a reply.
    pub fn to(brokers: &[Address]) -> Options {
        Options {
            brokers: brokers.to_vec(),
            client_id: "ouzel".to_owned(),
            patience: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
        }
    }
}

/// A partition's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The topic.
    pub topic: Rc<str>,
    /// The partition.
    pub partition: i32,
}

impl Place {
    /// Of a topic and a partition.
    pub fn new(topic: &str, partition: i32) -> Place {
        Place { topic: topic.into(), partition }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: i32,
    /// What it advertises.
    pub address: Address,
    /// Where it stands, if it says so.
    pub rack: Option<String>,
}

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub index: i32,
    /// Who leads it, if anybody.
    pub leader: Option<i32>,
    /// The leader's epoch, -1 if the broker doesn't say.
    pub leader_epoch: i32,
    /// Where its copies are, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those that are in sync.
    pub in_sync: Vec<i32>,
    /// Those on brokers that are down.
    pub offline: Vec<i32>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: Rc<str>,
    /// Its id; zero if the broker has none.
    pub id: TopicId,
    /// Whether a broker keeps state of its own in it.
    pub internal: bool,
    /// Its partitions, by number.
    pub partitions: Vec<Partition>,
}

impl Topic {
    /// The names of its partitions.
    pub fn partitions_of(&self) -> Vec<Place> {
        self.partitions.iter().map(|p| Place { topic: self.name.clone(), partition: p.index }).collect()
    }
}

/// The cluster, without its topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Its id, if it has one.
    pub cluster_id: Option<String>,
    /// The broker that takes admin requests.
    pub controller: Option<i32>,
    /// Its brokers, by id.
    pub nodes: Vec<Node>,
}

/// What a connection is for: a long wait on one mustn't hold up another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// Quick questions, and produce.
    Requests,
    /// Fetches that wait for records.
    Fetch,
    /// Group membership, where joins wait for others.
    Group,
}

/// A client of one cluster. Cheap to clone; stays on its core.
#[derive(Clone)]
pub struct Client {
    shared: Rc<Shared>,
}

struct Shared {
    rt: Runtime,
    options: Options,
    conns: RefCell<BTreeMap<(Address, Lane), Rc<Conn>>>,
    view: RefCell<View>,
}

/// What was last heard of the cluster.
#[derive(Default)]
struct View {
    nodes: BTreeMap<i32, Node>,
    topics: BTreeMap<Rc<str>, Topic>,
}

impl Client {
    /// Reaches one of the given addresses and asks for the brokers.
    pub async fn connect(rt: &Runtime, options: Options) -> Result<Client, ClientError> {
        let shared = Shared { rt: rt.clone(), options, conns: RefCell::default(), view: RefCell::default() };
        let client = Client { shared: Rc::new(shared) };
        client.bootstrap().await?;
        client.overview().await?;
        Ok(client)
    }

    /// The runtime it was made with.
    pub fn runtime(&self) -> &Runtime {
        &self.shared.rt
    }

    pub(crate) fn options(&self) -> &Options {
        &self.shared.options
    }

    /// The cluster's brokers.
    pub async fn overview(&self) -> Result<Overview, ClientError> {
        let reply = self.metadata(Some(Vec::new()), false).await?;
        Ok(Overview {
            cluster_id: reply.cluster_id.as_ref().map(|id| id.to_string()),
            controller: Some(reply.controller_id).filter(|id| *id >= 0),
            nodes: self.shared.view.borrow().nodes.values().cloned().collect(),
        })
    }

    /// All topics, by name.
    pub async fn all_topics(&self) -> Result<Vec<Topic>, ClientError> {
        let reply = self.metadata(None, false).await?;
        let mut topics = Vec::new();
        for topic in &reply.topics {
            // One that is being deleted while we ask is none.
            topics.extend(topic.name.as_ref().filter(|_| topic.error_code == 0).and_then(|name| self.topic_seen(name)));
        }
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// The named topics, in the order asked. `Refused` with UNKNOWN_TOPIC_OR_PARTITION for one that isn't there.
    pub async fn topics(&self, names: &[String]) -> Result<Vec<Topic>, ClientError> {
        let reply = self.metadata(Some(names.to_vec()), false).await?;
        let mut topics = Vec::new();
        for name in names {
            let said = reply.topics.iter().find(|topic| topic.name.as_deref() == Some(name));
            let code = said.map_or(ErrorCode::UnknownTopicOrPartition as i16, |topic| topic.error_code);
            refused(&format!("topic \"{name}\""), code, None)?;
            let topic = self.topic_seen(name);
            topics.push(topic.ok_or_else(|| unknown_topic(name))?);
        }
        Ok(topics)
    }

    /// As [`topics`](Client::topics) for one, but waits a moment for a topic that isn't there yet; with `create` the
    /// broker may make it, if it does so for clients.
    pub async fn topic(&self, name: &str, create: bool) -> Result<Topic, ClientError> {
        self.with_retries(async || {
            if let Some(topic) = self.topic_seen(name) {
                return Ok(topic);
            }
            let reply = self.metadata(Some(vec![name.to_owned()]), create).await?;
            let code = reply.topics.first().map_or(ErrorCode::UnknownTopicOrPartition as i16, |topic| topic.error_code);
            refused(&format!("topic \"{name}\""), code, None)?;
            self.topic_seen(name).ok_or_else(|| unknown_topic(name))
        })
        .await
    }

    /// Forgets who leads a topic, after a broker said it doesn't.
    pub(crate) fn forget(&self, topic: &str) {
        self.shared.view.borrow_mut().topics.remove(topic);
    }

    /// Who leads a partition; asks if that isn't known.
    pub(crate) async fn leader(&self, place: &Place) -> Result<i32, ClientError> {
        let topic = self.topic(&place.topic, false).await?;
        let partition = topic.partitions.iter().find(|p| p.index == place.partition);
        let partition = partition.ok_or_else(|| ClientError::NoPartition {
            topic: place.topic.to_string(),
            partition: place.partition,
            count: topic.partitions.len(),
        })?;
        partition.leader.ok_or_else(|| {
            self.forget(&place.topic);
            let code = ErrorCode::LeaderNotAvailable as i16;
            refused(&place.to_string(), code, Some("the partition has no leader")).expect_err("it has a code").into()
        })
    }

    /// Sends a request to any broker.
    pub(crate) async fn ask<R: Request>(&self, body: &R, versions: (i16, i16)) -> Result<R::Response, ClientError> {
        self.with_retries(async || {
            let conn = self.any().await?;
            Ok(conn.call(body, versions, self.options().request_timeout).await?)
        })
        .await
    }

    /// Sends a request to one broker, once.
    pub(crate) async fn ask_node<R: Request>(
        &self,
        node: i32,
        lane: Lane,
        body: &R,
        versions: (i16, i16),
        extra_wait: Duration,
    ) -> Result<R::Response, ClientError> {
        let conn = self.conn_to(node, lane).await?;
        Ok(conn.call(body, versions, self.options().request_timeout + extra_wait).await?)
    }

    /// A connection to a broker of the cluster.
    pub(crate) async fn conn_to(&self, node: i32, lane: Lane) -> Result<Rc<Conn>, ClientError> {
        if !self.shared.view.borrow().nodes.contains_key(&node) {
            self.overview().await?;
        }
        let address = self.shared.view.borrow().nodes.get(&node).map(|node| node.address.clone());
        let Some(address) = address else {
            let code = ErrorCode::LeaderNotAvailable as i16;
            let gone = refused(&format!("broker {node}"), code, Some("it isn't part of the cluster now"));
            return Err(gone.expect_err("it has a code").into());
        };
        // An address that has answered before is no wrong one: its broker is gone.
        let answered = self.shared.conns.borrow().keys().any(|(known, _)| *known == address);
        self.conn(&address, lane).await.map_err(|error| match error.is_unreachable() && !answered {
            true => ClientError::Advertised { node, source: Box::new(error) },
            false => error.into(),
        })
    }

    /// Learns a broker's address, as a coordinator's.
    pub(crate) fn note_node(&self, id: i32, host: &str, port: i32) {
        if let Some(address) = address_of(host, port) {
            self.shared.view.borrow_mut().nodes.entry(id).or_insert(Node { id, address, rack: None });
        }
    }

    /// Ids of the brokers last heard of.
    pub(crate) fn node_ids(&self) -> Vec<i32> {
        self.shared.view.borrow().nodes.keys().copied().collect()
    }

    /// Tries again what may be tried again, with pauses, until it works, stands, or has taken a reply's longest wait.
    pub(crate) async fn with_retries<T>(
        &self,
        mut attempt: impl AsyncFnMut() -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut pause = PAUSE_FIRST;
        // Attempts that each wait their full time for a reply don't add up.
        let until = self.shared.rt.now() + self.shared.options.request_timeout;
        for _ in 1..ATTEMPTS_MAX {
            match attempt().await {
                Err(error) if error.is_retriable() && self.shared.rt.now() < until => self.shared.rt.sleep(pause).await,
                done => return done,
            }
            pause = (pause * 2).min(PAUSE_LONGEST);
        }
        attempt().await
    }

    fn topic_seen(&self, name: &str) -> Option<Topic> {
        self.shared.view.borrow().topics.get(name).cloned()
    }

    async fn any(&self) -> Result<Rc<Conn>, ClientError> {
        let mut addresses: Vec<Address> =
            self.shared.view.borrow().nodes.values().map(|node| node.address.clone()).collect();
        addresses.retain(|address| self.is_open(address));
        match addresses.first() {
            Some(address) => Ok(self.conn(address, Lane::Requests).await?),
            None => self.bootstrap().await,
        }
    }

    fn is_open(&self, address: &Address) -> bool {
        let conns = self.shared.conns.borrow();
        conns.get(&(address.clone(), Lane::Requests)).is_some_and(|conn| !conn.is_spoilt())
    }

    /// A connection to one of the given addresses.
    async fn bootstrap(&self) -> Result<Rc<Conn>, ClientError> {
        let options = &self.shared.options;
        let start = self.shared.rt.now();
        loop {
            let mut last = None;
            for address in &options.brokers {
                match self.conn(address, Lane::Requests).await {
                    Ok(conn) => return Ok(conn),
                    Err(error) if error.is_unreachable() => last = Some(error),
                    // Somebody is there but doesn't speak as a broker does: that is worth telling at once.
                    Err(error) => return Err(error.into()),
                }
            }
            let waited = self.shared.rt.now().duration_since(start);
            let source = Box::new(last.expect("at least one address is given"));
            if waited >= options.patience {
                return Err(ClientError::Unreachable { tried: options.brokers.clone(), waited, source });
            }
            self.shared.rt.sleep(PAUSE_BOOTSTRAP).await;
        }
    }

    async fn conn(&self, address: &Address, lane: Lane) -> Result<Rc<Conn>, ConnError> {
        let key = (address.clone(), lane);
        let open = self.shared.conns.borrow().get(&key).filter(|conn| !conn.is_spoilt()).cloned();
        if let Some(conn) = open {
            return Ok(conn);
        }
        let options = &self.shared.options;
        let conn = Conn::open(&self.shared.rt, address, &options.client_id, options.connect_timeout).await?;
        let conn = Rc::new(conn);
        self.shared.conns.borrow_mut().insert(key, conn.clone());
        Ok(conn)
    }

    /// Asks for topics (all with `None`) and remembers what comes back.
    async fn metadata(&self, names: Option<Vec<String>>, create: bool) -> Result<MetadataResponse, ClientError> {
        let topic = |name: &String| MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
        let ask = MetadataRequest {
            topics: names.map(|names| names.iter().map(topic).collect()),
            allow_auto_topic_creation: create,
            ..MetadataRequest::default()
        };
        let reply = self.ask(&ask, METADATA).await?;
        self.remember(&reply);
        Ok(reply)
    }

    fn remember(&self, reply: &MetadataResponse) {
        let mut view = self.shared.view.borrow_mut();
        if !reply.brokers.is_empty() {
            view.nodes.clear();
        }
        for broker in &reply.brokers {
            if let Some(address) = address_of(&broker.host, broker.port) {
                let rack = broker.rack.as_ref().map(|rack| rack.to_string());
                view.nodes.insert(broker.node_id, Node { id: broker.node_id, address, rack });
            }
        }
        for topic in &reply.topics {
            let Some(name) = &topic.name else { continue };
            let name: Rc<str> = name.as_str().into();
            if topic.error_code != 0 {
                view.topics.remove(&name);
                continue;
            }
            let mut partitions: Vec<Partition> = topic
                .partitions
                .iter()
                .map(|p| Partition {
                    index: p.partition_index,
                    leader: Some(p.leader_id).filter(|id| *id >= 0),
                    leader_epoch: p.leader_epoch,
                    replicas: p.replica_nodes.clone(),
                    in_sync: p.isr_nodes.clone(),
                    offline: p.offline_replicas.clone(),
                })
                .collect();
            partitions.sort_by_key(|p| p.index);
            let topic = Topic { name: name.clone(), id: topic.topic_id, internal: topic.is_internal, partitions };
            view.topics.insert(name, topic);
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", self.shared.options.brokers)
    }
}

fn address_of(host: &str, port: i32) -> Option<Address> {
    let port = u16::try_from(port).ok().filter(|port| *port > 0)?;
    if host.is_empty() { None } else { Some(Address { host: host.to_owned(), port }) }
}

pub(crate) fn unknown_topic(name: &str) -> ClientError {
    let code = ErrorCode::UnknownTopicOrPartition as i16;
    refused(&format!("topic \"{name}\""), code, None).expect_err("it has a code").into()
}
