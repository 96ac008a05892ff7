//! The seam to the world: disk, network, clock, randomness, tasks, mailboxes, buffers. Knows no Kafka, no Raft and no format
//! of a file; and nothing above it knows a thread, a socket, a file descriptor or a clock but through it.
//!
//! ```
//! use ouzel_runtime::{Class, Durability, Open, testing};
//!
//! testing::run(|rt| async move {
//!     let dir = testing::TempDir::new();
//!     let file = rt.disk().open(&dir.path().join("a"), Open { create: true, ..Open::default() }).await.unwrap();
//!     let mut buf = rt.buffers().take(5);
//!     buf.copy_from_slice(b"ouzel");
//!     let (written, _buf) = file.write_at(buf, 0, Durability::Sync).await;
//!     written.unwrap();
//!     rt.spawn(Class::Background, async move { drop(file) }).await;
//! });
//! ```
//!
//! Invariants:
//! - A shard's tasks run on one thread; what they share is `Rc`, and a wake only queues a task.
//! - A disk operation is submitted when it is called and owns its buffer until it has happened, whoever waits for it.
//! - Every I/O buffer starts at a multiple of 4 KiB.
//! - A panic of a task, or [`Runtime::fail`], ends all shards of its broker with the reason.
//! - Homes are closed enums inside [`Runtime`], [`disk::Disk`], [`net::Net`] and [`clock::Sleep`]; no type of this crate has a
//!   parameter for one.

// The room that names what the others may not: see clippy.toml.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod buf;
pub mod clock;
pub mod disk;
mod executor;
pub mod mailbox;
pub mod map;
pub mod metrics;
pub mod net;
pub mod rng;
mod runtime;
#[doc(hidden)]
pub mod select;
#[cfg(feature = "sim")]
pub mod sim;
pub mod sync;
pub mod system;
pub mod task;
pub mod testing;

pub use std::time::Duration;

pub use buf::{Buf, BufPool, Chunk};
pub use clock::{Instant, Sleep};
pub use disk::{Disk, Durability, Entry, File, Lock, Open, Space};
pub use mailbox::mailbox;
pub use net::{Conn, Listener, Net};
pub use rng::Rng;
pub use runtime::Runtime;
pub use task::{Class, Task};
