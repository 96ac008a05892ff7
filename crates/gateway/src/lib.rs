//! Every HTTP door of a broker; today the admin one, with readiness and metrics.
//!
//! Knows no Kafka requests, holds no data and decides nothing about any: it asks the shards by message and puts their answers into
//! words. It lives on a thread of its own, outside the simulator, whose brokers have no HTTP door.
//!
//! ```
//! use ouzel_gateway::{Admin, AdminOptions};
//!
//! // Bound before the broker opens its data; says `booting` until it is told the shards' inboxes.
//! let options = AdminOptions { addr: "127.0.0.1:0".parse().unwrap(), may_move: false, partition_detail: true };
//! let admin = Admin::start(options).unwrap();
//! assert_ne!(admin.addr().port(), 0);
//! ```
//!
//! Invariants: a shard is reached by its inbox alone, and waited for no longer than a deadline; a metric is given whole or not at
//! all, for a sum that lacks a shard would look like a restart; dropping an [`Admin`] ends its thread and its connections; on a
//! loopback address only requests meant for loopback are answered.

// The service thread lives on tokio, outside the simulator; see clippy.toml.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod admin;
mod conn;
mod gather;
mod guard;
mod metrics;

pub use admin::{Admin, AdminOptions};
