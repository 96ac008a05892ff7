//! Consumer group coordination as state machines. Knows no clock, no randomness, no sockets, no log and no request
//! bytes: time and random bytes come in with the calls, answers and records go out as [`Effect`]s.
//!
//! A [`Groups`] coordinates the groups of one partition of `__consumer_offsets`.
//!
//! ```
//! use ouzel_groups::*;
//! use ouzel_model::{PartitionId, Timestamp, TopicName};
//!
//! let mut groups = Groups::new(Config::default());
//! // Here the partition's committed records are replayed. Then this node serves.
//! let now = Now { mono_ms: 0, wall: Timestamp(1_700_000_000_000) };
//! assert!(groups.loaded(now).is_empty());
//!
//! let offset = CommitOffset {
//!     topic: TopicName::new("orders").unwrap(),
//!     topic_id: None,
//!     partition: PartitionId(0),
//!     offset: 42,
//!     leader_epoch: None,
//!     metadata: String::new(),
//! };
//! let commit = CommitOffsets {
//!     group: "billing".into(),
//!     member_id: String::new(),
//!     instance_id: None,
//!     generation: -1,
//!     retention_ms: None,
//!     transaction: None,
//!     offsets: vec![offset],
//! };
//! // A call turns into records first ...
//! let effects = groups.handle(now, ReplyId(1), GroupRequest::CommitOffsets(commit));
//! let [Effect::Append(append)] = &effects[..] else { panic!() };
//! assert_eq!(groups.committed("billing").count(), 0);
//! // ... and counts, and is answered, when they are committed.
//! let effects = groups.appended(now, append.id, Ok(()));
//! assert_eq!(effects, [Effect::Reply(ReplyId(1), GroupResponse::CommitOffsets(Ok(vec![Ok(())])))]);
//! assert_eq!(groups.committed("billing").next().unwrap().2.offset, 42);
//! ```
//!
//! Invariants:
//! - Durable state changes only in [`Groups::replay`] and when [`Groups::appended`] confirms: nothing is rolled back.
//! - Calls on one group are taken one at a time: while the records of one are on their way to the log, the next waits.
//!   Offset commits are blind writes and may be on their way together; a call that only reads waits for nothing.
//! - While a group is there its generations only grow, over failovers too: each is durable before a member hears of it.
//! - Every call is answered exactly once, at the latest by [`Groups::resign`].

mod api;
mod classic;
mod config;
mod durable;
mod group;
mod hash;
mod machine;
mod offsets;
mod record;
mod subscription;
mod upkeep;

pub use api::*;
pub use config::Config;
pub use hash::{java_hash, partition_for};
pub use machine::{Groups, UnreadableRecord};
