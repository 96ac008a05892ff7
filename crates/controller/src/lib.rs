//! Cluster metadata: commands, the image they build, and where they are stored.
//!
//! Knows no Kafka request bytes, no error codes, no sockets and no partitions' data. Requests are checked by pure `plan_*`
//! functions against an [`Image`]; what they allow becomes [`Command`]s; [`Image::apply`] carries those out.
//!
//! ```
//! use ouzel_controller::{Command, Image, Local, NewTopic, Node, plan_create_topics, plan_register_node};
//! use ouzel_model::config::NO_VALUES;
//! use ouzel_model::{NodeId, TopicId};
//!
//! let mut image = Image::default();
//! let node = Node { uuid: [1; 16], shards: 2, rack: None };
//! let held = Default::default();
//! plan_register_node(&image, NodeId(1), node, &held).iter().for_each(|command| assert!(image.apply(command)));
//!
//! let local = Local { node: NodeId(1), process: &NO_VALUES };
//! let mut ids = (1..).map(|n| TopicId([n; 16]));
//! let plan = plan_create_topics(&image, local, &[NewTopic::named("orders")], false, &mut || ids.next().unwrap());
//! plan.commands.iter().for_each(|command| assert!(image.apply(command)));
//! assert_eq!(image.topic("orders").unwrap().partitions.len(), 1);
//! ```
//!
//! Invariants: an image of a version is the same on every node and after every restart, for applying reads nothing but the
//! command; a command that doesn't fit changes nothing; a topic's id is never used again; a producer id is given out once.

mod command;
mod configs;
mod controller;
pub mod encoding;
mod error;
mod image;
mod placement;
mod replica;
mod snapshots;
mod sorted;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod topics;

pub use command::{Command, ConfigResource, Node, Partition, Replica};
pub use configs::{
    ConfigStep, Operation, Resource, WholeConfig, describe_configs, describe_topic_configs, plan_alter,
    plan_incremental_alter,
};
pub use controller::{CONTROLLER_LOG, Controller, ControllerOptions, OpenError, ProposeError};
pub use error::AdminError;
pub use image::{Image, Local, Topic};
pub use placement::plan_register_node;
pub use topics::{
    Growth, NewTopic, PARTITIONS_PER_REQUEST_MAX, TopicRef, offsets_topic, plan_create_partitions, plan_create_topic,
    plan_create_topics, plan_delete_topics, plan_producer_ids,
};

/// What a request leads to: commands to propose together and in order, and what to answer once they are applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<T> {
    /// In order; empty when nothing changes.
    pub commands: Vec<Command>,
    /// The answer.
    pub outcome: T,
}
