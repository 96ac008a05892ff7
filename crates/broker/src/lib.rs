//! A whole broker: configuration, shards wired to cores, start and stop.
//!
//! Builds and connects the rooms below and decides nothing about data.
//!
//! ```no_run
//! # async fn example(dir: std::path::PathBuf) -> Result<(), Box<dyn std::error::Error>> {
//! use ouzel_broker::{Broker, Config};
//! let broker = Broker::start(Config::dev().data_dir(dir).any_port()).await?;
//! println!("{}", broker.kafka_addr());
//! broker.stop().await?;
//! # Ok(()) }
//! ```
//!
//! Invariants: a data directory has one owner; no listener answers before every partition found was opened; a failed shard ends all
//! shards of its broker, and nothing else in the process.

mod broker;
mod config;
mod cores;
pub mod logging;
mod node;
mod run;

pub use broker::{Broker, BrokerError};
pub use config::{Config, ConfigError, DataDir};
pub use cores::CoresChanged;
pub use node::{NodeError, NodeFile};
pub use run::{Ready, Seat, StartError, seats};
