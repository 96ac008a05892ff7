//! A small server with a journal file, and its clients: what proves the world, the disk model and the checkers. Each shard
//! of each node is one partition; a record is acknowledged when its block is durable. Nothing is replicated.
//!
//! Planted bugs, each a class that real systems had: `specimen-early-ack` (before the sync), `specimen-trusts-reading`
//! (what recovery read counts as durable), `specimen-no-dir-sync` (a new file's name is not synced).

pub mod client;
mod journal;
mod protocol;
pub mod server;

/// Names of the planted bugs.
pub const PLANTS: [&str; 3] = ["specimen-early-ack", "specimen-trusts-reading", "specimen-no-dir-sync"];

/// Where a specimen listens.
pub const PORT: u16 = 9_092;
