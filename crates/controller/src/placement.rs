//! Which nodes and cores new replicas go to. Chosen once, when a partition is created, and remembered in the image.

use std::collections::BTreeMap;

use ouzel_model::{NodeId, PartitionId, ShardId, TopicId};

use crate::Image;
use crate::command::{Command, Node, Partition, Replica};

/// Most replicas moved by one command; a start with another number of cores makes several.
const PLACES_PER_COMMAND_MAX: usize = 10_000;

/// Hands out places for the partitions of one topic: a topic's partitions spread over all nodes and cores, and of equally
/// good places the one with the fewest replicas is taken, then the lowest.
pub(crate) struct Placement {
    /// Replicas of this topic, then of all topics, by core.
    loads: BTreeMap<(NodeId, ShardId), (u32, u32)>,
}

impl Placement {
    /// Over all cores of all nodes; `partitions` are those that the topic has.
    pub(crate) fn new(image: &Image, partitions: &[Partition]) -> Placement {
        let mut loads = BTreeMap::new();
        for (&node, registration) in image.nodes() {
            for shard in (0..registration.shards).map(ShardId) {
                let total = image.loads().get(&(node, shard)).copied().unwrap_or(0);
                loads.insert((node, shard), (0, total));
            }
        }
        let mut placement = Placement { loads };
        for replica in partitions.iter().flat_map(|partition| &partition.replicas) {
            if let Some(load) = placement.loads.get_mut(&(replica.node, replica.shard)) {
                load.0 += 1;
            }
        }
        placement
    }

    /// A partition with so many replicas, at most one per node.
    pub(crate) fn place(&mut self, replication_factor: usize) -> Partition {
        let mut by_node: BTreeMap<NodeId, (u32, u32)> = BTreeMap::new();
        for (&(node, _), load) in &self.loads {
            let sum = by_node.entry(node).or_default();
            *sum = (sum.0 + load.0, sum.1 + load.1);
        }
        let mut nodes: Vec<NodeId> = by_node.keys().copied().collect();
        assert!(replication_factor <= nodes.len(), "{replication_factor} replicas on {} nodes", nodes.len());
        nodes.sort_by_key(|node| by_node[node]);
        nodes.truncate(replication_factor);
        self.place_on(&nodes)
    }

    /// A partition on these nodes, all of them registered; the core of each is chosen.
    pub(crate) fn place_on(&mut self, nodes: &[NodeId]) -> Partition {
        let replicas = nodes.iter().map(|&node| {
            let shards = self.loads.range_mut((node, ShardId(0))..=(node, ShardId(u16::MAX)));
            let (&(_, shard), load) = shards.min_by_key(|(_, load)| **load).expect("a registered node has cores");
            *load = (load.0 + 1, load.1 + 1);
            Replica { node, shard }
        });
        Partition { replicas: replicas.collect() }
    }
}

/// A broker says what it is, and which of its shards hold which logs: they are right, for a hand-over to another number of cores
/// moves logs without asking. Replicas without a log whose core is missing are given another. Nothing to do when the image knows
/// it all.
pub fn plan_register_node(
    image: &Image,
    node: NodeId,
    registration: Node,
    held: &BTreeMap<(TopicId, PartitionId), ShardId>,
) -> Vec<Command> {
    let mut commands = Vec::new();
    let shards = registration.shards;
    assert!(shards > 0, "a node has at least one core");
    assert!(held.values().all(|shard| shard.0 < shards), "a log is held by a shard that is there");
    if image.nodes().get(&node) != Some(&registration) {
        commands.push(Command::RegisterNode { node, registration });
    }
    let mut loads = vec![0u32; usize::from(shards)];
    let mut places: Vec<(TopicId, PartitionId, ShardId)> = Vec::new();
    let mut homeless = Vec::new();
    for topic in image.topics() {
        for (number, partition) in (0..).map(PartitionId).zip(&topic.partitions) {
            let Some(placed) = partition.shard_on(node) else { continue };
            let shard = held.get(&(topic.id, number)).copied().unwrap_or(placed);
            match loads.get_mut(usize::from(shard.0)) {
                Some(load) => *load += 1,
                None => homeless.push((topic.id, number)),
            }
            if shard != placed {
                places.push((topic.id, number, shard));
            }
        }
    }
    for (topic, number) in homeless {
        let shard = (0..shards).min_by_key(|&shard| loads[usize::from(shard)]).expect("shards is not 0");
        loads[usize::from(shard)] += 1;
        places.push((topic, number, ShardId(shard)));
    }
    let chunks = places.chunks(PLACES_PER_COMMAND_MAX);
    commands.extend(chunks.map(|places| Command::PlaceReplicas { node, places: places.to_vec() }));
    commands
}
