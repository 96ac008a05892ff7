//! What measures Ouzel: a load generator, rows of `docs/benchmarks.md` with controls and peers.
//!
//! Knows nothing of the broker's inside: it starts processes, speaks the wire protocol over loopback and reads `/proc`.
//!
//! ```
//! use ouzel_benches::stats;
//!
//! let ratio = stats::median_ratio(&[(1.0, 2.0), (1.1, 2.0), (0.9, 2.0)]).unwrap();
//! assert!(ratio.low <= ratio.median && ratio.median <= ratio.high);
//! ```
//!
//! Invariants:
//! - Every window is bounded in seconds and in bytes, every wait has an end.
//! - Only processes that were started here are ended, by their id.
//! - A figure that wasn't measured is absent; a dropped window is named.
#![forbid(unsafe_code)]
// A harness talks to the machine itself; see clippy.toml.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod batches;
pub mod conn;
pub mod control;
pub mod kafka;
pub mod load;
pub mod machine;
pub mod report;
pub mod rows;
pub mod server;
pub mod stats;
