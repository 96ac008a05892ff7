//! The nouns that every room of Ouzel shares. Knows no I/O, no async, no Kafka request bytes.
//!
//! ```
//! use ouzel_model::{Offset, TopicName};
//! let name = TopicName::new("orders").unwrap();
//! assert_eq!(name.as_str(), "orders");
//! assert_eq!(Offset(7).next(), Offset(8));
//! ```
//!
//! Invariants: ends are exclusive unless a doc says otherwise; an unknown offset is `None`, never 0.

// For the thread-local hooks of the simulator's marks.
#![allow(clippy::disallowed_macros)]

pub mod config;
pub mod hooks;
pub mod id;
pub mod offset;
pub mod time;
pub mod topic;

pub use id::{
    ClusterId, LeaderEpoch, NodeId, PartitionId, ProducerEpoch, ProducerId, ShardId, TopicId, TopicPartition,
};
pub use offset::{Index, Offset, Term};
pub use time::Timestamp;
pub use topic::{TopicName, TopicNameError};
