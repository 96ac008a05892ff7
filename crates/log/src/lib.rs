//! One core's storage engine: a journal with group commit, segments per log.
//!
//! Knows no Raft, no topics and no Kafka requests: log ids, directory names, State values and footer sections are bytes that
//! its owner gives it. Of a record batch it reads the few fields that lie outside the records.
//!
//! ```
//! # use ouzel_log::*; use ouzel_model::*; use ouzel_runtime::testing;
//! testing::run(|rt| async move {
//!     let dir = testing::TempDir::new();
//!     let mut config = StoreConfig::new(dir.path().to_owned(), ShardId(0), [7; 16]);
//!     config.journal_file_bytes = 256 << 10;
//!     let (store, recovered) = Store::open(&rt, config).await.unwrap();
//!     assert!(recovered.is_empty());
//!     let options = LogOptions { dir: "topics/t/0".into(), name: "t/0".into(), segment_bytes: 1 << 20, segment_ms: 1 << 40 };
//!     let log = store.create(LogId([1; 20]), options, 42);
//!     let ticket = log.set_state(1, b"vote".to_vec());
//!     while log.returned() < ticket {
//!         store.durable().await; // (42, ticket), once it is durable
//!     }
//!     store.close().await;
//! });
//! ```
//!
//! Invariants:
//! - A ticket comes back in order of its log, and only when all before it is durable (write-cached: written).
//! - `origin < first index <= committed + 1`, and segments hold committed entries only; nothing at or below the commit index
//!   is truncated.
//! - A journal file is reused only after a durable checkpoint says that nobody needs it.
//! - Every byte read from disk passed its checksum and stands where it belongs, or isn't served.
//! - Nothing is deleted because a record of it is missing.

mod block;
mod cache;
mod checkpoint;
mod codec;
mod entry;
mod footer;
mod handover;
mod health;
mod journal;
mod log;
mod memory;
pub mod metrics;
mod reader;
mod recovery;
mod replay;
mod retention;
mod ring;
mod segment;
mod store;
pub mod testing;
mod verify;
mod writeback;

pub use checkpoint::Origin;
pub use entry::{BadEntry, ENTRY_HEADER_BYTES, EntryHeader, Kind, LogId, check_batch};
pub use footer::TermRow;
pub use handover::{HandOverError, HandedOver, Layout, free_layouts, hand_over, other_layouts};
pub use health::SpaceState;
pub use log::{AppendMode, AppendRefused, Log, LogOptions, NewEntry, Parts, STATE_BYTES_MAX, Sections, Ticket};
pub use reader::{Entry, Read, ReadError, ReadLimit, TimeHit};
pub use recovery::OpenError;
pub use retention::{SegmentInfo, quarantine_unknown};
pub use segment::BadRun;
pub use store::{Recovered, Store, StoreConfig};
pub use verify::{LogReport, Verified, verify};
