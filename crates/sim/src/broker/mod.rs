//! Whole brokers as the subject: each node is a broker of its own, spoken to in real request bytes by clients that encode and decode
//! with an independent codec (crate `kafka-protocol`), so that each call checks ours.

pub mod audit;
pub mod churn;
pub mod client;
mod records;
pub mod retained;
mod session;
mod topics;
mod upkeep;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use ouzel_broker::{Config, Seat};
use ouzel_model::buggify;
use ouzel_runtime::Runtime;

/// Where a broker listens.
pub const PORT: u16 = 9_092;
/// Planted bugs of the broker's rooms, each caught by the sweep within a few hundred seeds.
pub const PLANTS: [&str; 13] = ["21", "25", "30", "46", "47", "48", "53", "D16", "D2", "D20", "D21", "D22", "D4"];

type Root = Pin<Box<dyn Future<Output = ()>>>;

/// What makes the root futures of one process of `cores` shards.
pub fn process(cores: u16) -> impl Fn(Runtime) -> Root + 'static {
    let (seats, _ready) = ouzel_broker::seats(cores);
    let seats = RefCell::new(seats.into_iter().map(Some).collect::<Vec<Option<Seat>>>());
    let config = Arc::new(config(cores));
    move |rt| {
        let seat = seats.borrow_mut()[usize::from(rt.shard().0)].take().expect("each shard starts once");
        Box::pin(seat.run(rt, config.clone(), PathBuf::from("data")))
    }
}

fn config(cores: u16) -> Config {
    let mut config = Config::dev();
    config.kafka = vec![SocketAddr::from(([0, 0, 0, 0], PORT))];
    config.kafka_may_move = false;
    config.admin = None;
    config.cores = cores;
    config.memory = u64::from(cores) * buggify!("memory of 8 MiB", 0.3, 8 << 20, 256 << 20);
    config.journal_file_bytes = 1 << 20;
    config.storage_min_free = buggify!("storage_min_free 128 KiB", 0.5, Some(128 << 10), config.storage_min_free);
    // Clocks jump by years: what a group committed must not age out.
    Arc::make_mut(&mut config.settings).insert("offsets.retention.minutes".into(), i32::MAX.to_string());
    config
}
