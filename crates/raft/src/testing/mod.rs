//! Proof by search: groups on simulated disks and a simulated network, and the laws they must keep.
//!
//! It needs no runtime: time, loss, crashes and the order of events come from a seed ([`run`]), or are tried one after
//! the other ([`search`]). A broken law is an error that names it.
//!
//! - [`run`]: one life of a cluster. Messages are lost, doubled, late and out of order, shortened; writes become
//!   durable in pieces, replicas crash with a part of them, links are cut, logs are trimmed. Then all heals, and
//!   every replica must hold the same log within [`HEAL_MS`] of simulated time.
//! - [`search`]: every order of events of three replicas within a budget of elections, proposals and crashes.
//!
//! Fault limits: a crash keeps a prefix of the writes; what was reported durable stays; no byte rots.

pub mod direct;

mod cluster;
mod disk;
mod laws;
mod rng;
mod search;
mod world;

pub use disk::DiskFault;
pub use laws::Broken;
pub use search::{Budget, Found, search};
pub use world::{HEAL_MS, Life, Options, run};
