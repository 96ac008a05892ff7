//! `ouzel verify DIR`: reads every checksum of a data directory that no broker has open, and changes nothing.

use std::path::PathBuf;

use ouzel_broker::NodeFile;
use ouzel_log::{LogReport, StoreConfig, Verified, other_layouts, verify};
use ouzel_model::ShardId;
use ouzel_runtime::Runtime;
use serde::Serialize;

use crate::args::{Format, Global, Verify};
use crate::failure::{Done, Failure};
use crate::{output, session};

/// Problems that are printed of one shard or log; the count says how many there are.
const PROBLEMS_SHOWN: usize = 20;

#[derive(Serialize)]
struct Report {
    clean: bool,
    /// Layout generation: how often the number of cores has changed.
    layout: u32,
    /// Journals of other generations, left by a change of cores that was cut off; the next start frees them.
    left: Vec<String>,
    shards: Vec<ShardReport>,
}

#[derive(Serialize)]
struct ShardReport {
    shard: u16,
    journal_blocks: u64,
    problems: Vec<String>,
    logs: Vec<LogRow>,
}

#[derive(Serialize)]
struct LogRow {
    log: String,
    log_start_offset: i64,
    end_offset: i64,
    segments: usize,
    segment_bytes: u64,
    segment_entries: u64,
    journal_entries: u64,
    problems: Vec<String>,
}

pub fn run(global: &Global, args: Verify) -> Done {
    let format = global.format;
    session::run(async move |rt| check(&rt, args.dir, format).await)?
}

async fn check(rt: &Runtime, dir: PathBuf, format: Format) -> Done {
    let unusable =
        |why: String| Failure::new("E-DATA-DIR", format!("can't check data directory {}", dir.display())).why(why);
    let node = NodeFile::read(rt, &dir).await.map_err(|error| unusable(error.to_string()))?;
    // Held until the end: a broker that writes meanwhile would look like damage.
    let lock = rt.disk().lock(&dir.join("LOCK")).await;
    let _lock = lock.map_err(|error| unusable(error.to_string()).next("stop the broker that has it"))?;
    let layout = node.layout();
    let left = other_layouts(rt, &dir, layout.generation).await.map_err(|error| unusable(error.to_string()))?;
    let mut shards = Vec::new();
    for shard in 0..layout.shards {
        let config =
            StoreConfig { layout: layout.generation, ..StoreConfig::new(dir.clone(), ShardId(shard), node.uuid()) };
        let verified = verify(rt, &config).await.map_err(|error| unusable(error.to_string()))?;
        shards.push(report(shard, verified));
    }
    let sound = |shard: &ShardReport| shard.problems.is_empty() && shard.logs.iter().all(|log| log.problems.is_empty());
    let report = Report { clean: shards.iter().all(sound), layout: layout.generation, left, shards };
    match format {
        Format::Json => output::json(&report),
        Format::Text => output::print(&text(&report)),
    }
    if report.clean {
        return Ok(());
    }
    let failure = Failure::new("E-DAMAGED", format!("data directory {} is damaged", dir.display()));
    Err(failure.next("copy it before anything else; replicas on other brokers are the way back").into())
}

fn report(shard: u16, verified: Verified) -> ShardReport {
    let row = |log: LogReport| LogRow {
        log: log.dir,
        log_start_offset: log.log_start.0,
        end_offset: log.log_end.0,
        segments: log.segments,
        segment_bytes: log.segment_bytes,
        segment_entries: log.segment_entries,
        journal_entries: log.journal_entries,
        problems: log.problems,
    };
    ShardReport {
        shard,
        journal_blocks: verified.blocks,
        problems: verified.problems,
        logs: verified.logs.into_iter().map(row).collect(),
    }
}

fn text(report: &Report) -> String {
    let mut rows = Vec::new();
    let mut problems = String::new();
    let mut say = |place: &str, found: &[String]| {
        for problem in found.iter().take(PROBLEMS_SHOWN) {
            problems += &format!("{place}: {problem}\n");
        }
        if found.len() > PROBLEMS_SHOWN {
            problems += &format!("{place}: {} problems in all\n", found.len());
        }
    };
    let notes: String = report
        .left
        .iter()
        .map(|name| format!("note: {name} is of another layout; the next start frees it\n"))
        .collect();
    for shard in &report.shards {
        say(&format!("shard {}", shard.shard), &shard.problems);
        for log in &shard.logs {
            say(&log.log, &log.problems);
            rows.push(vec![
                shard.shard.to_string(),
                log.log.clone(),
                log.log_start_offset.to_string(),
                log.end_offset.to_string(),
                log.segments.to_string(),
                log.segment_entries.to_string(),
                log.journal_entries.to_string(),
                if log.problems.is_empty() { "good" } else { "damaged" }.to_owned(),
            ]);
        }
    }
    let header = ["SHARD", "LOG", "LOG-START", "END", "SEGMENTS", "IN-SEGMENTS", "IN-JOURNAL", "STATE"];
    let numbers = ["SHARD", "LOG-START", "END", "SEGMENTS", "IN-SEGMENTS", "IN-JOURNAL"];
    let blocks: u64 = report.shards.iter().map(|shard| shard.journal_blocks).sum();
    let verdict = if report.clean { "nothing is wrong" } else { "damage was found" };
    format!(
        "{}{notes}{problems}{verdict}: {} shards, {blocks} journal blocks, {} logs\n",
        output::table(&header, &numbers, &rows),
        report.shards.len(),
        rows.len()
    )
}
