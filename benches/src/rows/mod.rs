//! The rows: each one bounded run that ends in lines of the table.

mod footprint;
mod paired;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::kafka::{self, Kafka};
use crate::report::Line;
use crate::server::Kind;

/// What all rows are told.
#[derive(Debug)]
pub struct Run {
    /// The broker.
    pub ouzel: PathBuf,
    /// An empty folder for data, on a real disk.
    pub work: PathBuf,
    /// The peer, if it is there.
    pub kafka: Option<Kafka>,
    /// Show that it works: one pair of short windows, nothing waits, nothing is measured.
    pub smoke: bool,
    /// Pairs of windows.
    pub pairs: usize,
    /// Bytes of batches in a window at most.
    pub window_bytes: u64,
}

/// The rows and what they are.
pub const ROWS: [(&str, &str); 9] = [
    ("produce-1k-64k-durable", "1 KiB records in 64 KiB batches, acks=all, synced; 4 connections of depth 4"),
    ("produce-1k-64k-cached", "the same with write caching"),
    ("single-record-durable", "one record of 100 B a request, one connection of depth 1, synced"),
    ("single-50conn-durable", "one keyed record of 100 B a request, 50 connections of depth 1, synced"),
    ("drain-memory", "4 connections read a topic of 128 MiB again and again"),
    ("start-empty", "process start to first acknowledged produce, topic made meanwhile"),
    ("start-1000p", "the same with 1,000 partitions that are there"),
    ("idle", "memory, CPU and descriptors: empty, with 1,000 partitions, with idle connections"),
    ("binary-size", "bytes of the binary"),
];

/// Runs a row.
pub fn run(name: &str, run: &Run) -> Result<Vec<Line>> {
    match name {
        "start-empty" => footprint::start(name, run, None),
        "start-1000p" => footprint::start(name, run, Some(1_000)),
        "idle" => footprint::idle(name, run),
        "binary-size" => footprint::binary_size(name, run),
        _ => match paired::plan(name, run) {
            Some(plan) => paired::measure(name, &plan, run),
            None => bail!("no row `{name}`"),
        },
    }
}

/// Whose figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arm {
    Ouzel,
    Kafka,
}

impl Arm {
    fn name(self) -> &'static str {
        match self {
            Arm::Ouzel => "Ouzel",
            Arm::Kafka => kafka::NAME,
        }
    }
}

impl Run {
    fn arms(&self) -> Vec<Arm> {
        if self.kafka.is_some() { vec![Arm::Ouzel, Arm::Kafka] } else { vec![Arm::Ouzel] }
    }

    /// A broker's kind; `words` are ours alone.
    fn kind(&self, arm: Arm, durable: bool, words: &[&str]) -> Result<Kind> {
        Ok(match (arm, &self.kafka) {
            (Arm::Ouzel, _) => {
                let words = words.iter().map(|word| (*word).to_owned()).collect();
                Kind::Ouzel { binary: self.ouzel.clone(), words }
            }
            (Arm::Kafka, Some(kafka)) => Kind::Kafka { kafka: kafka.clone(), durable },
            (Arm::Kafka, None) => bail!("there is no peer"),
        })
    }

    /// Seconds, or a moment in a smoke run.
    fn seconds(&self, seconds: u64) -> Duration {
        if self.smoke { Duration::from_millis(500) } else { Duration::from_secs(seconds) }
    }
}
