//! Bytes of commands and snapshots. The formats stand in `docs/formats/controller.md`; golden files in the tests hold them.
//!
//! A field's number is never used again. A reader refuses a version it doesn't know: a command that isn't understood can't
//! be skipped, or the images would differ.

use std::collections::BTreeMap;

use ouzel_model::config::Values;
use ouzel_model::{ClusterId, Index, NodeId, PartitionId, ShardId, Term, TopicId, TopicName};
use prost::Message;

use crate::Topic;
use crate::command::{Command, ConfigResource, Node, Partition, Replica};
use crate::image::{Image, Parts};

/// Version that commands are written with.
pub const COMMAND_VERSION: u32 = 1;
/// Version that snapshots are written with.
pub const SNAPSHOT_VERSION: u32 = 1;
/// Largest snapshot that is read, bytes: 100,000 partitions take about 3 MiB.
pub const SNAPSHOT_BYTES_MAX: u64 = 1 << 30;

/// Why bytes aren't a command or a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBytes {
    /// Written by a newer Ouzel.
    #[error("written in version {got} of the format, this broker reads up to {known}")]
    Newer {
        /// Version in the bytes.
        got: u32,
        /// Newest version known here.
        known: u32,
    },
    /// Not what was written.
    #[error("damaged: {0}")]
    Damaged(String),
}

fn damaged(what: &str) -> BadBytes {
    BadBytes::Damaged(what.to_string())
}

impl From<prost::DecodeError> for BadBytes {
    fn from(error: prost::DecodeError) -> BadBytes {
        BadBytes::Damaged(error.to_string())
    }
}

#[derive(Clone, PartialEq, Message)]
struct CommandBytes {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(oneof = "Body", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10")]
    body: Option<Body>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Body {
    #[prost(message, tag = "2")]
    FoundCluster(FoundCluster),
    #[prost(message, tag = "3")]
    RegisterNode(NodeBytes),
    #[prost(message, tag = "4")]
    CreateTopic(TopicBytes),
    #[prost(message, tag = "5")]
    DeleteTopic(DeleteTopic),
    #[prost(message, tag = "6")]
    CreatePartitions(CreatePartitions),
    #[prost(message, tag = "7")]
    AlterConfig(AlterConfig),
    #[prost(message, tag = "8")]
    AllocateProducerIds(AllocateProducerIds),
    #[prost(message, tag = "9")]
    SetFeature(SetFeature),
    #[prost(message, tag = "10")]
    PlaceReplicas(PlaceReplicas),
}

#[derive(Clone, PartialEq, Message)]
struct FoundCluster {
    #[prost(bytes = "vec", tag = "1")]
    cluster_id: Vec<u8>,
    #[prost(btree_map = "string, sint32", tag = "2")]
    features: BTreeMap<String, i32>,
}

#[derive(Clone, PartialEq, Message)]
struct NodeBytes {
    #[prost(sint32, tag = "1")]
    id: i32,
    #[prost(bytes = "vec", tag = "2")]
    uuid: Vec<u8>,
    #[prost(uint32, tag = "3")]
    shards: u32,
    #[prost(string, optional, tag = "4")]
    rack: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct TopicBytes {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "3")]
    partitions: Vec<PartitionBytes>,
    #[prost(btree_map = "string, string", tag = "4")]
    config: Values,
}

/// Nodes and cores of the replicas, in pairs by position.
#[derive(Clone, PartialEq, Message)]
struct PartitionBytes {
    #[prost(sint32, repeated, tag = "1")]
    nodes: Vec<i32>,
    #[prost(uint32, repeated, tag = "2")]
    shards: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct DeleteTopic {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct CreatePartitions {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(uint32, tag = "2")]
    first: u32,
    #[prost(message, repeated, tag = "3")]
    partitions: Vec<PartitionBytes>,
}

#[derive(Clone, PartialEq, Message)]
struct AlterConfig {
    #[prost(oneof = "ResourceBytes", tags = "1, 2, 3, 4")]
    resource: Option<ResourceBytes>,
    #[prost(btree_map = "string, string", tag = "5")]
    set: Values,
    #[prost(string, repeated, tag = "6")]
    remove: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum ResourceBytes {
    #[prost(bytes = "vec", tag = "1")]
    Topic(Vec<u8>),
    #[prost(message, tag = "2")]
    Cluster(()),
    #[prost(sint32, tag = "3")]
    Broker(i32),
    #[prost(string, tag = "4")]
    Group(String),
}

#[derive(Clone, PartialEq, Message)]
struct AllocateProducerIds {
    #[prost(int64, tag = "1")]
    first: i64,
    #[prost(uint32, tag = "2")]
    count: u32,
}

#[derive(Clone, PartialEq, Message)]
struct SetFeature {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(sint32, tag = "2")]
    level: i32,
}

#[derive(Clone, PartialEq, Message)]
struct PlaceReplicas {
    #[prost(sint32, tag = "1")]
    node: i32,
    #[prost(message, repeated, tag = "2")]
    places: Vec<PlaceBytes>,
}

#[derive(Clone, PartialEq, Message)]
struct PlaceBytes {
    #[prost(bytes = "vec", tag = "1")]
    topic: Vec<u8>,
    #[prost(uint32, tag = "2")]
    partition: u32,
    #[prost(uint32, tag = "3")]
    shard: u32,
}

/// The bytes of a command.
pub fn encode_command(command: &Command) -> Vec<u8> {
    let body = match command {
        Command::FoundCluster { cluster_id, features } => Body::FoundCluster(FoundCluster {
            cluster_id: cluster_id.0.to_vec(),
            features: features.iter().map(|(name, level)| (name.clone(), i32::from(*level))).collect(),
        }),
        Command::RegisterNode { node, registration } => Body::RegisterNode(node_bytes(*node, registration)),
        Command::CreateTopic { id, name, partitions, config } => {
            Body::CreateTopic(topic_bytes(*id, name, partitions, config))
        }
        Command::DeleteTopic { id } => Body::DeleteTopic(DeleteTopic { id: id.0.to_vec() }),
        Command::CreatePartitions { id, first, partitions } => Body::CreatePartitions(CreatePartitions {
            id: id.0.to_vec(),
            first: first.0 as u32,
            partitions: partitions.iter().map(partition_bytes).collect(),
        }),
        Command::AlterConfig { resource, set, remove } => Body::AlterConfig(AlterConfig {
            resource: Some(match resource {
                ConfigResource::Topic(id) => ResourceBytes::Topic(id.0.to_vec()),
                ConfigResource::Cluster => ResourceBytes::Cluster(()),
                ConfigResource::Broker(node) => ResourceBytes::Broker(node.0),
                ConfigResource::Group(group) => ResourceBytes::Group(group.clone()),
            }),
            set: set.clone(),
            remove: remove.iter().cloned().collect(),
        }),
        Command::AllocateProducerIds { first, count } => {
            Body::AllocateProducerIds(AllocateProducerIds { first: *first, count: *count })
        }
        Command::SetFeature { name, level } => {
            Body::SetFeature(SetFeature { name: name.clone(), level: i32::from(*level) })
        }
        Command::PlaceReplicas { node, places } => {
            let place = |&(topic, partition, shard): &(TopicId, PartitionId, ShardId)| PlaceBytes {
                topic: topic.0.to_vec(),
                partition: partition.0 as u32,
                shard: u32::from(shard.0),
            };
            Body::PlaceReplicas(PlaceReplicas { node: node.0, places: places.iter().map(place).collect() })
        }
    };
    CommandBytes { version: COMMAND_VERSION, body: Some(body) }.encode_to_vec()
}

/// The command that bytes stand for.
pub fn decode_command(bytes: &[u8]) -> Result<Command, BadBytes> {
    let CommandBytes { version, body } = CommandBytes::decode(bytes)?;
    check_version(version, COMMAND_VERSION)?;
    Ok(match body.ok_or_else(|| damaged("no command"))? {
        Body::FoundCluster(found) => Command::FoundCluster {
            cluster_id: ClusterId(sixteen(&found.cluster_id)?),
            features: levels(found.features)?,
        },
        Body::RegisterNode(node) => {
            let (node, registration) = read_node(node)?;
            Command::RegisterNode { node, registration }
        }
        Body::CreateTopic(topic) => {
            let Topic { name, id, partitions, config } = read_topic(topic)?;
            Command::CreateTopic { id, name, partitions, config }
        }
        Body::DeleteTopic(delete) => Command::DeleteTopic { id: TopicId(sixteen(&delete.id)?) },
        Body::CreatePartitions(grow) => Command::CreatePartitions {
            id: TopicId(sixteen(&grow.id)?),
            first: partition_id(grow.first)?,
            partitions: read_partitions(grow.partitions)?,
        },
        Body::AlterConfig(alter) => Command::AlterConfig {
            resource: match alter.resource.ok_or_else(|| damaged("no resource"))? {
                ResourceBytes::Topic(id) => ConfigResource::Topic(TopicId(sixteen(&id)?)),
                ResourceBytes::Cluster(()) => ConfigResource::Cluster,
                ResourceBytes::Broker(node) => ConfigResource::Broker(NodeId(node)),
                ResourceBytes::Group(group) => ConfigResource::Group(group),
            },
            set: alter.set,
            remove: alter.remove.into_iter().collect(),
        },
        Body::AllocateProducerIds(block) => Command::AllocateProducerIds { first: block.first, count: block.count },
        Body::SetFeature(feature) => Command::SetFeature { level: level(feature.level)?, name: feature.name },
        Body::PlaceReplicas(moved) => {
            let place = |place: PlaceBytes| {
                Ok((TopicId(sixteen(&place.topic)?), partition_id(place.partition)?, shard_id(place.shard)?))
            };
            let places = moved.places.into_iter().map(place).collect::<Result<_, BadBytes>>()?;
            Command::PlaceReplicas { node: NodeId(moved.node), places }
        }
    })
}

/// The image up to an entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Index of the last entry it covers (inclusive).
    pub index: Index,
    /// That entry's term.
    pub term: Term,
    /// What the entries up to it lead to.
    pub image: Image,
}

#[derive(Clone, PartialEq, Message)]
struct ImageBytes {
    #[prost(uint64, tag = "1")]
    version: u64,
    #[prost(bytes = "vec", tag = "2")]
    cluster_id: Vec<u8>,
    #[prost(btree_map = "string, sint32", tag = "3")]
    features: BTreeMap<String, i32>,
    #[prost(message, repeated, tag = "4")]
    nodes: Vec<NodeBytes>,
    #[prost(message, repeated, tag = "5")]
    topics: Vec<TopicBytes>,
    #[prost(message, repeated, tag = "6")]
    configs: Vec<AlterConfig>,
    #[prost(int64, tag = "7")]
    next_producer_id: i64,
}

const SNAPSHOT_MAGIC: &[u8; 8] = b"OUZELIMG";
/// Magic, CRC, version, index, term.
const SNAPSHOT_HEADER_BYTES: usize = 8 + 4 + 4 + 8 + 4;
/// What the CRC covers begins here and goes to the end.
const CRC_END: usize = 12;

/// The bytes of a snapshot's file.
pub fn encode_snapshot(snapshot: &Snapshot) -> Vec<u8> {
    let mut encoder = SnapshotEncoder::new(snapshot);
    snapshot.image.topics().for_each(|topic| encoder.topic(topic));
    encoder.finish(snapshot)
}

/// Makes a snapshot's bytes topic by topic, so that its caller can let others run in between. Concatenated messages of
/// protocol buffers are one message, so each part is a message of its own.
pub(crate) struct SnapshotEncoder {
    bytes: Vec<u8>,
}

impl SnapshotEncoder {
    pub(crate) fn new(snapshot: &Snapshot) -> SnapshotEncoder {
        let image = &snapshot.image;
        let mut bytes = Vec::new();
        bytes.extend_from_slice(SNAPSHOT_MAGIC);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&SNAPSHOT_VERSION.to_be_bytes());
        bytes.extend_from_slice(&snapshot.index.0.to_be_bytes());
        bytes.extend_from_slice(&snapshot.term.0.to_be_bytes());
        let mut encoder = SnapshotEncoder { bytes };
        encoder.push(ImageBytes {
            version: image.version(),
            cluster_id: image.cluster_id().0.to_vec(),
            features: image.features().iter().map(|(name, level)| (name.clone(), i32::from(*level))).collect(),
            nodes: image.nodes().iter().map(|(id, node)| node_bytes(*id, node)).collect(),
            ..ImageBytes::default()
        });
        encoder
    }

    /// Every topic of the image, by name order.
    pub(crate) fn topic(&mut self, topic: &Topic) {
        let topic = topic_bytes(topic.id, &topic.name, &topic.partitions, &topic.config);
        self.push(ImageBytes { topics: vec![topic], ..ImageBytes::default() });
    }

    pub(crate) fn finish(mut self, snapshot: &Snapshot) -> Vec<u8> {
        let image = &snapshot.image;
        let config =
            |resource, values: &Values| AlterConfig { resource: Some(resource), set: values.clone(), remove: vec![] };
        let broker = |node: NodeId| config(ResourceBytes::Broker(node.0), image.broker_values(node));
        let group = |group: &str| config(ResourceBytes::Group(group.to_string()), image.group_values(group));
        let mut configs = vec![config(ResourceBytes::Cluster(()), image.cluster_values())];
        configs.extend(image.configured_brokers().map(broker));
        configs.extend(image.configured_groups().map(group));
        let next_producer_id = image.next_producer_id();
        self.push(ImageBytes { configs, next_producer_id, ..ImageBytes::default() });
        let crc = crc32c::crc32c(&self.bytes[CRC_END..]);
        self.bytes[CRC_END - 4..CRC_END].copy_from_slice(&crc.to_be_bytes());
        self.bytes
    }

    fn push(&mut self, part: ImageBytes) {
        part.encode(&mut self.bytes).expect("a vector grows");
    }
}

/// The snapshot that a file's bytes stand for.
pub fn decode_snapshot(bytes: &[u8]) -> Result<Snapshot, BadBytes> {
    let header = bytes.first_chunk::<SNAPSHOT_HEADER_BYTES>().ok_or_else(|| damaged("cut short"))?;
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if &header[..8] != SNAPSHOT_MAGIC {
        return Err(damaged("not a snapshot"));
    }
    if crc32c::crc32c(&bytes[CRC_END..]) != number(CRC_END - 4) {
        return Err(damaged("wrong checksum"));
    }
    check_version(number(CRC_END), SNAPSHOT_VERSION)?;
    let index = Index(u64::from(number(16)) << 32 | u64::from(number(20)));
    let body = ImageBytes::decode(&bytes[SNAPSHOT_HEADER_BYTES..])?;
    let mut parts = Parts {
        version: body.version,
        cluster_id: ClusterId(sixteen(&body.cluster_id)?),
        features: levels(body.features)?,
        nodes: body.nodes.into_iter().map(read_node).collect::<Result<_, _>>()?,
        topics: body.topics.into_iter().map(read_topic).collect::<Result<_, _>>()?,
        cluster_values: Values::new(),
        broker_values: BTreeMap::new(),
        group_values: BTreeMap::new(),
        next_producer_id: body.next_producer_id,
    };
    for config in body.configs {
        match config.resource.ok_or_else(|| damaged("no resource"))? {
            ResourceBytes::Cluster(()) => parts.cluster_values = config.set,
            ResourceBytes::Broker(node) => drop(parts.broker_values.insert(NodeId(node), config.set)),
            ResourceBytes::Group(group) => drop(parts.group_values.insert(group, config.set)),
            ResourceBytes::Topic(_) => return Err(damaged("a topic's settings stand with the topic")),
        }
    }
    let image = Image::restore(parts).ok_or_else(|| damaged("a topic twice"))?;
    Ok(Snapshot { index, term: Term(number(24)), image })
}

fn check_version(got: u32, known: u32) -> Result<(), BadBytes> {
    match got {
        0 => Err(damaged("no version")),
        _ if got > known => Err(BadBytes::Newer { got, known }),
        _ => Ok(()),
    }
}

fn node_bytes(id: NodeId, node: &Node) -> NodeBytes {
    NodeBytes { id: id.0, uuid: node.uuid.to_vec(), shards: u32::from(node.shards), rack: node.rack.clone() }
}

fn read_node(node: NodeBytes) -> Result<(NodeId, Node), BadBytes> {
    let shards =
        u16::try_from(node.shards).ok().filter(|&shards| shards > 0).ok_or_else(|| damaged("number of cores"))?;
    Ok((NodeId(node.id), Node { uuid: sixteen(&node.uuid)?, shards, rack: node.rack }))
}

fn topic_bytes(id: TopicId, name: &TopicName, partitions: &[Partition], config: &Values) -> TopicBytes {
    TopicBytes {
        id: id.0.to_vec(),
        name: name.to_string(),
        partitions: partitions.iter().map(partition_bytes).collect(),
        config: config.clone(),
    }
}

fn read_topic(topic: TopicBytes) -> Result<Topic, BadBytes> {
    Ok(Topic {
        id: TopicId(sixteen(&topic.id)?),
        name: TopicName::new(&topic.name).map_err(|error| BadBytes::Damaged(error.to_string()))?,
        partitions: read_partitions(topic.partitions)?,
        config: topic.config,
    })
}

fn partition_bytes(partition: &Partition) -> PartitionBytes {
    PartitionBytes {
        nodes: partition.replicas.iter().map(|replica| replica.node.0).collect(),
        shards: partition.replicas.iter().map(|replica| u32::from(replica.shard.0)).collect(),
    }
}

fn read_partitions(partitions: Vec<PartitionBytes>) -> Result<Vec<Partition>, BadBytes> {
    let read = |partition: PartitionBytes| {
        let PartitionBytes { nodes, shards } = partition;
        if nodes.is_empty() || nodes.len() != shards.len() {
            return Err(damaged("replicas of a partition"));
        }
        let pairs = nodes.into_iter().zip(shards);
        let replicas = pairs.map(|(node, shard)| Ok(Replica { node: NodeId(node), shard: shard_id(shard)? }));
        Ok(Partition { replicas: replicas.collect::<Result<_, BadBytes>>()? })
    };
    partitions.into_iter().map(read).collect()
}

fn sixteen(bytes: &[u8]) -> Result<[u8; 16], BadBytes> {
    bytes.try_into().map_err(|_| damaged("an id isn't 16 bytes long"))
}

fn partition_id(number: u32) -> Result<PartitionId, BadBytes> {
    i32::try_from(number).map(PartitionId).map_err(|_| damaged("number of a partition"))
}

fn shard_id(number: u32) -> Result<ShardId, BadBytes> {
    u16::try_from(number).map(ShardId).map_err(|_| damaged("number of a core"))
}

fn level(level: i32) -> Result<i16, BadBytes> {
    i16::try_from(level).map_err(|_| damaged("level of a feature"))
}

fn levels(levels: BTreeMap<String, i32>) -> Result<BTreeMap<String, i16>, BadBytes> {
    levels.into_iter().map(|(name, number)| Ok((name, level(number)?))).collect()
}
