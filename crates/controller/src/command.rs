//! What may happen to the cluster's metadata. A command is made by a `plan_*` function, which checks it against an
//! image; [`crate::Image::apply`] carries it out. Its bytes are in [`crate::encoding`].

use std::collections::{BTreeMap, BTreeSet};

use ouzel_model::config::Values;
use ouzel_model::{ClusterId, NodeId, PartitionId, ShardId, TopicId, TopicName};

/// One change of the metadata. Applying one that doesn't fit the image (any more) changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The cluster begins. Fits only an image without cluster.
    FoundCluster {
        /// The cluster's id for ever.
        cluster_id: ClusterId,
        /// Finalised feature levels, such as `metadata.version`.
        features: BTreeMap<String, i16>,
    },
    /// A broker joins, or is as it says now.
    RegisterNode {
        /// Its id.
        node: NodeId,
        /// What it is now.
        registration: Node,
    },
    /// A topic begins. Fits only when neither name nor id is in use and the name collides with none.
    CreateTopic {
        /// Its id for ever.
        id: TopicId,
        /// Its name.
        name: TopicName,
        /// Its partitions, from number 0; not empty.
        partitions: Vec<Partition>,
        /// Its own settings, canonical.
        config: Values,
    },
    /// A topic ends, and its data may be freed.
    DeleteTopic {
        /// Which.
        id: TopicId,
    },
    /// A topic grows.
    CreatePartitions {
        /// Which topic.
        id: TopicId,
        /// Number of the first new partition: fits only when the topic has so many.
        first: PartitionId,
        /// The new partitions.
        partitions: Vec<Partition>,
    },
    /// Settings change.
    AlterConfig {
        /// Of what.
        resource: ConfigResource,
        /// Names and canonical values to set.
        set: Values,
        /// Names to take away.
        remove: BTreeSet<String>,
    },
    /// A block of producer ids is given out: `first` (inclusive) to `first + count` (exclusive). Fits only when none of
    /// them was given out before.
    AllocateProducerIds {
        /// First id.
        first: i64,
        /// How many, at least 1.
        count: u32,
    },
    /// A feature's finalised level changes; 0 takes it away.
    SetFeature {
        /// Kafka's name of the feature.
        name: String,
        /// Level, not negative.
        level: i16,
    },
    /// Replicas on one node move to other cores of it.
    PlaceReplicas {
        /// The node.
        node: NodeId,
        /// Topic, partition, and the core it shall be on.
        places: Vec<(TopicId, PartitionId, ShardId)>,
    },
}

/// Whose settings change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigResource {
    /// A topic's.
    Topic(TopicId),
    /// The cluster's.
    Cluster,
    /// One broker's.
    Broker(NodeId),
    /// A group's, not empty.
    Group(String),
}

/// A broker as the metadata knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Random bytes made with its data directory: a wiped node with an old id is another one.
    pub uuid: [u8; 16],
    /// Its cores, at least 1.
    pub shards: u16,
    /// Its rack.
    pub rack: Option<String>,
}

/// A partition's replicas; the first is the preferred leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Not empty, no node twice.
    pub replicas: Vec<Replica>,
}

impl Partition {
    /// The core that a node keeps its replica on; `None` when it has none.
    pub fn shard_on(&self, node: NodeId) -> Option<ShardId> {
        self.replicas.iter().find(|replica| replica.node == node).map(|replica| replica.shard)
    }
}

/// One replica of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The node that keeps it.
    pub node: NodeId,
    /// The core of that node.
    pub shard: ShardId,
}
