//! Consumer group coordination as state machines. Knows no clock, no randomness, no sockets, no log and no request
//! bytes: time and random bytes come in with the calls, answers and records go out as [`Effect`]s.
//!
//! A [`Groups`] coordinates the groups of one partition of `__consumer_offsets`.
//!
//! Invariants:
//! - Durable state changes only in [`Groups::replay`] and when [`Groups::appended`] confirms: nothing is rolled back.
//! - Calls on one group are taken one at a time: while the records of one are on their way to the log, the next waits.
//!   Offset commits are blind writes and may be on their way together; a call that only reads waits for nothing.
//! - Generations of a group never repeat and never fall, over failovers too: each is durable before a member hears of it.
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
