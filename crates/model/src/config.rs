//! Settings: one declared list, and what follows from it.
//!
//! The list ([`TOPIC`], [`GROUP`], [`CLUSTER`], [`NODE`]) feeds files, command line, AlterConfigs, DescribeConfigs and
//! the reference page. Values are kept as canonical text ([`check`] makes it) under canonical names and are read through
//! [`TopicConfig`], [`ClusterConfig`] and [`GroupConfig`].
//!
//! Invariants: a row is `Honoured` exactly when a typed view (or, for a node, the broker's start) reads it; no name or
//! alias is used twice in a scope; every default is legal and canonical.

mod cluster;
mod group;
mod layers;
mod list;
mod nearest;
mod setting;
mod topic;
mod value;

#[cfg(test)]
mod tests;

pub use cluster::ClusterConfig;
pub use group::GroupConfig;
pub use layers::{
    ConfigEntry, Layers, NO_LAYERS, NO_VALUES, Source, Synonym, Values, describe_broker, describe_group, describe_topic,
};
pub use list::{CLUSTER, Found, GROUP, NODE, Scope, TOPIC, all, find};
pub use nearest::nearest;
pub use setting::{Alias, Bounds, Effect, Kind, Setting, Unit, ValueType};
pub use topic::{CleanupPolicy, CompressionType, TimestampType, TopicConfig, check_topic};
pub use value::{SettingError, VALUE_BYTES_MAX, Value, check, parse, unknown, words};
