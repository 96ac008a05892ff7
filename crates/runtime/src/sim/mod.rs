//! The simulator's homes of everything in this crate: a whole world on one thread, from one 64-bit seed.
//!
//! [`World`] owns virtual time, machines with disks that survive their processes, and a network between them. Code under
//! test gets an ordinary [`Runtime`](crate::Runtime) and can't tell. Nothing here reads a clock, an address or a
//! randomly hashed map: two runs of one seed give the same [`World::trace_hash`].
//!
//! ```
//! use std::time::Duration;
//! use ouzel_runtime::sim::{HostSpec, World, WorldOptions};
//!
//! let world = World::new(WorldOptions::seeded(7));
//! let host = world.add_host(HostSpec::named("n1"));
//! world.start(host, 1, |rt| Box::pin(async move { rt.sleep(Duration::from_secs(3600)).await }));
//! assert!(world.run_until(Duration::from_secs(7200), |w| w.ended(host).is_some()));
//! assert!(world.now() < Duration::from_secs(3601));
//! ```
//!
//! Invariants:
//! - A task sees its own host's clocks, disk and sockets, and only while its process lives.
//! - What a disk promised (see [`image`]) survives every power cut; what it didn't may.
//! - Streams of random numbers are salted and independent (see [`stream`]).

mod agenda;
pub mod clock;
pub(crate) mod core;
pub mod drive;
mod hooks;
pub mod image;
pub mod pages;
pub mod schedule;
pub mod stream;
pub(crate) mod tcp;
pub mod trace;
mod world;

pub(crate) use self::core::Place;
pub use self::core::{Ended, Leftover, Planted};
pub use clock::Clock;
pub use drive::{DiskFaults, DiskProfile, Drive};
pub use image::{Damage, Image};
pub use pages::CutReport;
pub use schedule::Policy;
pub use stream::Stream;
pub use tcp::Link;
pub use trace::{Event, Sink, What};
pub use world::{HostId, HostSpec, World, WorldOptions};
