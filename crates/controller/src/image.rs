//! The cluster's metadata as of one command.

use std::collections::BTreeMap;
use std::sync::Arc;

use ouzel_model::config::{ClusterConfig, GroupConfig, Layers, NO_VALUES, TopicConfig, Values};
use ouzel_model::{ClusterId, NodeId, PartitionId, ShardId, TopicId, TopicName};

use crate::command::{Command, ConfigResource, Node, Partition};
use crate::sorted::Sorted;

/// A topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// Its name.
    pub name: TopicName,
    /// Its id for ever.
    pub id: TopicId,
    /// Its partitions by number.
    pub partitions: Vec<Partition>,
    /// Its own settings, canonical.
    pub config: Values,
}

impl Topic {
    /// The partition of this number.
    pub fn partition(&self, number: PartitionId) -> Option<&Partition> {
        self.partitions.get(usize::try_from(number.0).ok()?)
    }
}

/// What this process adds to the cluster's settings: who it is, and what its command line, environment and file say.
#[derive(Clone, Copy, Debug)]
pub struct Local<'a> {
    /// This broker.
    pub node: NodeId,
    /// Set for this process: all node settings, and cluster settings given by `--set`; canonical.
    pub process: &'a Values,
}

/// The cluster's metadata, immutable once published. A clone shares all that doesn't change.
///
/// Two images of the same version are equal, on every node and after every restart.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    version: u64,
    cluster_id: ClusterId,
    features: Arc<BTreeMap<String, i16>>,
    nodes: Arc<BTreeMap<NodeId, Node>>,
    topics: Sorted<TopicName, Arc<Topic>>,
    names: Sorted<TopicId, TopicName>,
    /// Names with a dot or underscore by what they collide on.
    collisions: Sorted<String, TopicName>,
    cluster_values: Arc<Values>,
    broker_values: Arc<BTreeMap<NodeId, Values>>,
    group_values: Sorted<String, Arc<Values>>,
    next_producer_id: i64,
    /// Replicas on each core. Derived.
    loads: Arc<BTreeMap<(NodeId, ShardId), u32>>,
    /// Partitions of all topics. Derived.
    partitions: usize,
}

impl Default for Image {
    /// Before the cluster was founded.
    fn default() -> Image {
        Image {
            version: 0,
            cluster_id: ClusterId([0; 16]),
            features: Arc::default(),
            nodes: Arc::default(),
            topics: Sorted::default(),
            names: Sorted::default(),
            collisions: Sorted::default(),
            cluster_values: Arc::default(),
            broker_values: Arc::default(),
            group_values: Sorted::default(),
            next_producer_id: 0,
            loads: Arc::default(),
            partitions: 0,
        }
    }
}

impl Image {
    /// How many commands led here; the index of the last one in the controller's log.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether the cluster was founded: everything but the first command presumes it.
    pub fn is_founded(&self) -> bool {
        self.cluster_id != ClusterId([0; 16])
    }

    /// The cluster's id; all zeros before it was founded.
    pub fn cluster_id(&self) -> ClusterId {
        self.cluster_id
    }

    /// Finalised levels of features, by Kafka's names.
    pub fn features(&self) -> &BTreeMap<String, i16> {
        &self.features
    }

    /// The brokers, by id.
    pub fn nodes(&self) -> &BTreeMap<NodeId, Node> {
        &self.nodes
    }

    /// Number of topics, internal ones included.
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// Number of partitions of all topics.
    pub fn partition_count(&self) -> usize {
        self.partitions
    }

    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topics.get(name)
    }

    /// The topic of this id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<Topic>> {
        self.topics.get(self.names.get(&id)?)
    }

    /// All topics by name order.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.iter().map(|(_, topic)| topic)
    }

    /// The topics from a name (inclusive, it need not exist) on, by name order.
    pub fn topics_from(&self, name: &str) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.iter_from(name).map(|(_, topic)| topic)
    }

    /// The topic whose name collides with this one (`a.b` with `a_b`), if one does; a name doesn't with itself.
    pub fn colliding(&self, name: &TopicName) -> Option<&TopicName> {
        self.collisions.get(&name.collision_key()).filter(|other| *other != name)
    }

    /// The core of `node` that a partition is on.
    pub fn shard_of(&self, topic: &str, partition: PartitionId, node: NodeId) -> Option<ShardId> {
        self.topic(topic)?.partition(partition)?.shard_on(node)
    }

    /// Replicas on each core that has any.
    pub fn loads(&self) -> &BTreeMap<(NodeId, ShardId), u32> {
        &self.loads
    }

    /// First producer id that no block holds yet.
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// The cluster's own settings, canonical.
    pub fn cluster_values(&self) -> &Values {
        &self.cluster_values
    }

    /// One broker's own settings, canonical.
    pub fn broker_values(&self, node: NodeId) -> &Values {
        self.broker_values.get(&node).unwrap_or(&NO_VALUES)
    }

    /// A group's own settings, canonical.
    pub fn group_values(&self, group: &str) -> &Values {
        self.group_values.get(group).map_or(&NO_VALUES, |values| values)
    }

    /// The groups that have settings of their own, by name order.
    pub fn configured_groups(&self) -> impl Iterator<Item = &str> {
        self.group_values.iter().map(|(group, _)| group.as_str())
    }

    /// The brokers that have settings of their own, by id.
    pub fn configured_brokers(&self) -> impl Iterator<Item = NodeId> {
        self.broker_values.keys().copied()
    }

    /// The settings at broker level, as they count for a process.
    pub fn layers<'a>(&'a self, local: Local<'a>) -> Layers<'a> {
        Layers { process: local.process, broker: self.broker_values(local.node), cluster: &self.cluster_values }
    }

    /// The cluster's settings, typed.
    pub fn cluster_config(&self, local: Local<'_>) -> ClusterConfig {
        ClusterConfig::resolve(self.layers(local))
    }

    /// A topic's settings, typed.
    pub fn topic_config(&self, topic: &Topic, local: Local<'_>) -> TopicConfig {
        TopicConfig::resolve(&topic.config, self.layers(local))
    }

    /// A group's settings, typed.
    pub fn group_config(&self, group: &str, local: Local<'_>) -> GroupConfig {
        GroupConfig::resolve(self.group_values(group), self.layers(local))
    }

    /// Carries out one command and moves the version. Reads nothing but the command and the image, so every node and
    /// every replay gets the same. False: the command didn't fit and only the version moved.
    pub fn apply(&mut self, command: &Command) -> bool {
        self.version += 1;
        match command {
            Command::FoundCluster { cluster_id, features } => {
                let fits = !self.is_founded();
                if fits {
                    self.cluster_id = *cluster_id;
                    self.features = Arc::new(features.clone());
                }
                fits
            }
            Command::RegisterNode { node, registration } => {
                Arc::make_mut(&mut self.nodes).insert(*node, registration.clone());
                true
            }
            Command::CreateTopic { id, name, partitions, config } => {
                let (partitions, config) = (partitions.clone(), config.clone());
                self.create_topic(Topic { name: name.clone(), id: *id, partitions, config })
            }
            Command::DeleteTopic { id } => self.delete_topic(*id),
            Command::CreatePartitions { id, first, partitions } => {
                let fits = self.topic_by_id(*id).is_some_and(|topic| topic.partitions.len() as i64 == first.0 as i64);
                if fits {
                    self.change_topic(*id, |topic| topic.partitions.extend_from_slice(partitions));
                    self.count(partitions, 1);
                }
                fits
            }
            Command::AlterConfig { resource, set, remove } => self.alter_config(resource, |values| {
                values.retain(|name, _| !remove.contains(name));
                values.extend(set.clone());
            }),
            Command::AllocateProducerIds { first, count } => {
                let fits = *first >= self.next_producer_id;
                if fits {
                    self.next_producer_id = first.saturating_add(i64::from(*count));
                }
                fits
            }
            Command::SetFeature { name, level } => {
                let features = Arc::make_mut(&mut self.features);
                if *level > 0 {
                    features.insert(name.clone(), *level);
                } else {
                    features.remove(name);
                }
                true
            }
            Command::PlaceReplicas { node, places } => self.place_replicas(*node, places),
        }
    }

    fn create_topic(&mut self, topic: Topic) -> bool {
        let taken = self.topics.get(&topic.name).is_some() || self.names.get(&topic.id).is_some();
        if taken || self.colliding(&topic.name).is_some() {
            return false;
        }
        if may_collide(&topic.name) {
            self.collisions.insert(topic.name.collision_key(), topic.name.clone());
        }
        self.count(&topic.partitions, 1);
        self.names.insert(topic.id, topic.name.clone());
        self.topics.insert(topic.name.clone(), Arc::new(topic));
        true
    }

    fn delete_topic(&mut self, id: TopicId) -> bool {
        let Some(name) = self.names.remove(&id) else { return false };
        let topic = self.topics.remove(&name).expect("a topic's id and name are kept together");
        if may_collide(&name) {
            self.collisions.remove(&name.collision_key());
        }
        self.count(&topic.partitions, -1);
        true
    }

    fn change_topic(&mut self, id: TopicId, change: impl FnOnce(&mut Topic)) -> bool {
        let Some(topic) = self.topic_by_id(id) else { return false };
        let mut topic = Topic::clone(topic);
        change(&mut topic);
        self.topics.insert(topic.name.clone(), Arc::new(topic));
        true
    }

    fn alter_config(&mut self, resource: &ConfigResource, change: impl FnOnce(&mut Values)) -> bool {
        match resource {
            ConfigResource::Topic(id) => return self.change_topic(*id, |topic| change(&mut topic.config)),
            ConfigResource::Cluster => change(Arc::make_mut(&mut self.cluster_values)),
            ConfigResource::Broker(node) => {
                let brokers = Arc::make_mut(&mut self.broker_values);
                let mut values = brokers.remove(node).unwrap_or_default();
                change(&mut values);
                if !values.is_empty() {
                    brokers.insert(*node, values);
                }
            }
            ConfigResource::Group(group) => {
                let mut values = self.group_values(group).clone();
                change(&mut values);
                if values.is_empty() {
                    self.group_values.remove(group);
                } else {
                    self.group_values.insert(group.clone(), Arc::new(values));
                }
            }
        }
        true
    }

    fn place_replicas(&mut self, node: NodeId, places: &[(TopicId, PartitionId, ShardId)]) -> bool {
        let mut fits = false;
        for &(id, partition, shard) in places {
            let Some(topic) = self.topic_by_id(id) else { continue };
            let Some(old) = topic.partition(partition).filter(|found| found.shard_on(node).is_some()).cloned() else {
                continue;
            };
            let mut new = old.clone();
            new.replicas.iter_mut().filter(|replica| replica.node == node).for_each(|replica| replica.shard = shard);
            self.count(&[old], -1);
            self.count(std::slice::from_ref(&new), 1);
            self.change_topic(id, |topic| topic.partitions[partition.0 as usize] = new);
            fits = true;
        }
        fits
    }

    /// Keeps the derived sums: `sign` is 1 for partitions that come, -1 for those that go.
    fn count(&mut self, partitions: &[Partition], sign: i32) {
        let loads = Arc::make_mut(&mut self.loads);
        for replica in partitions.iter().flat_map(|partition| &partition.replicas) {
            let load = loads.entry((replica.node, replica.shard)).or_default();
            *load = load.checked_add_signed(sign).expect("a replica that goes was counted when it came");
            if *load == 0 {
                loads.remove(&(replica.node, replica.shard));
            }
        }
        self.partitions = self
            .partitions
            .checked_add_signed(partitions.len() as isize * sign as isize)
            .expect("a partition that goes was counted when it came");
    }

    /// Puts an image together from a snapshot's parts; the derived parts follow from them.
    pub(crate) fn restore(parts: Parts) -> Option<Image> {
        let mut image = Image {
            cluster_id: parts.cluster_id,
            features: Arc::new(parts.features),
            nodes: Arc::new(parts.nodes),
            cluster_values: Arc::new(parts.cluster_values),
            broker_values: Arc::new(parts.broker_values),
            next_producer_id: parts.next_producer_id,
            ..Image::default()
        };
        for (group, values) in parts.group_values {
            image.group_values.insert(group, Arc::new(values));
        }
        for topic in parts.topics {
            if !image.create_topic(topic) {
                return None;
            }
        }
        image.version = parts.version;
        Some(image)
    }
}

/// What a snapshot holds of an image.
pub(crate) struct Parts {
    pub(crate) version: u64,
    pub(crate) cluster_id: ClusterId,
    pub(crate) features: BTreeMap<String, i16>,
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) cluster_values: Values,
    pub(crate) broker_values: BTreeMap<NodeId, Values>,
    pub(crate) group_values: BTreeMap<String, Values>,
    pub(crate) next_producer_id: i64,
}

fn may_collide(name: &TopicName) -> bool {
    name.as_str().contains(['.', '_'])
}
