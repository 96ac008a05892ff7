//! The rows: each one bounded run that ends in lines of the table.

mod compared;
mod footprint;
mod instructions;
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
pub const ROWS: [(&str, &str); 19] = [
    ("produce-1k-64k-durable", "1 KiB records in 64 KiB batches, acks=all, synced; 4 connections of depth 4"),
    ("produce-1k-64k-cached", "the same with write caching"),
    ("single-record-durable", "one record of 100 B a request, one connection of depth 1, synced"),
    ("single-50conn-durable", "one keyed record of 100 B a request, 50 connections of depth 1, synced"),
    ("single-record-cached", "one record of 100 B a request, one connection of depth 1, with write caching"),
    ("single-50conn-cached", "one keyed record of 100 B a request, 50 connections of depth 1, with write caching"),
    ("open-1000", "1,000 records a second, open loop, one tailing reader, synced"),
    ("drain-memory", "4 connections read a topic of 128 MiB again and again"),
    ("drain-disk", "4 connections read a topic of 2 GiB once that no cache holds"),
    ("partitions-10k", "10,000 partitions by 16, at the same total rate"),
    ("backlog", "produce while 10 GB are drained, by produce alone"),
    ("retention", "produce while retention deletes, by produce alone"),
    ("start-empty", "process start to first acknowledged produce, topic made meanwhile"),
    ("start-1000p", "the same with 1,000 partitions that are there"),
    ("restart-10g", "kill -9 to every partition acknowledging: 10 GiB in one partition"),
    ("restart-1000p", "the same: 1,000 partitions of 10 segments of 1 MiB"),
    ("idle", "memory, CPU and descriptors: empty, with 1,000 partitions, with idle connections"),
    ("instructions", "instructions per record of the produce path, by callgrind"),
    ("binary-size", "bytes of the binary"),
];

/// Runs a row.
pub fn run(name: &str, run: &Run) -> Result<Vec<Line>> {
    match name {
        "start-empty" => footprint::start(name, run, None),
        "start-1000p" => footprint::start(name, run, Some(1_000)),
        "restart-10g" => footprint::restart(name, run, 1),
        "restart-1000p" => footprint::restart(name, run, 1_000),
        "instructions" => instructions::count(name, run),
        "idle" => footprint::idle(name, run),
        "binary-size" => footprint::binary_size(name, run),
        _ => match (paired::plan(name, run), compared::Beside::of(name)) {
            (Some(plan), _) => paired::measure(name, &plan, run),
            (None, Some(beside)) => compared::measure(name, beside, run),
            (None, None) => bail!("no row `{name}`"),
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
