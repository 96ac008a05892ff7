//! `ouzel verify DIR`: reads every checksum of a data directory that no broker has open, and changes nothing.

use std::path::{Path, PathBuf};

use ouzel_log::{LogReport, StoreConfig, Verified, verify};
use ouzel_model::ShardId;
use ouzel_runtime::Runtime;
use serde::Serialize;

use crate::args::{Format, Global, Verify};
use crate::failure::{Done, Failure};
use crate::{output, session};

/// Largest `node.toml`, bytes.
const NODE_FILE_BYTES_MAX: u64 = 64 << 10;
/// Problems that are printed of one shard or log; the count says how many there are.
const PROBLEMS_SHOWN: usize = 20;

#[derive(Serialize)]
struct Report {
    clean: bool,
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

/// What `node.toml` says of the layout (docs/formats/node.md).
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    uuid: [u8; 16],
    cores: u16,
    layout: u32,
}

pub fn run(global: &Global, args: Verify) -> Done {
    let format = global.format;
    session::run(async move |rt| check(&rt, args.dir, format).await)?
}

async fn check(rt: &Runtime, dir: PathBuf, format: Format) -> Done {
    let unusable =
        |why: String| Failure::new("E-DATA-DIR", format!("can't check data directory {}", dir.display())).why(why);
    let layout = read_layout(rt, &dir).await.map_err(unusable)?;
    // Held until the end: a broker that writes meanwhile would look like damage.
    let lock = rt.disk().lock(&dir.join("LOCK")).await;
    let _lock = lock.map_err(|error| unusable(error.to_string()).next("stop the broker that has it"))?;
    let mut shards = Vec::new();
    for shard in 0..layout.cores {
        let config =
            StoreConfig { layout: layout.layout, ..StoreConfig::new(dir.clone(), ShardId(shard), layout.uuid) };
        let verified = verify(rt, &config).await.map_err(|error| unusable(error.to_string()))?;
        shards.push(report(shard, verified));
    }
    let sound = |shard: &ShardReport| shard.problems.is_empty() && shard.logs.iter().all(|log| log.problems.is_empty());
    let report = Report { clean: shards.iter().all(sound), shards };
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

async fn read_layout(rt: &Runtime, dir: &Path) -> Result<Layout, String> {
    let path = dir.join("node.toml");
    let bytes = rt.disk().read(&path, NODE_FILE_BYTES_MAX).await;
    let bytes = bytes.map_err(|error| format!("{}: {error}", path.display()))?;
    layout_of(&String::from_utf8_lossy(&bytes)).ok_or_else(|| format!("{} is damaged", path.display()))
}

/// The three values that the check needs, each on a line of its own as the broker writes them.
fn layout_of(text: &str) -> Option<Layout> {
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim().trim_matches(['"', '\'']))
    };
    let uuid = value("node_uuid").filter(|digits| digits.len() == 32)?;
    Some(Layout {
        uuid: u128::from_str_radix(uuid, 16).ok()?.to_be_bytes(),
        cores: value("cores")?.parse().ok()?,
        layout: value("layout")?.parse().ok()?,
    })
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
        "{}{problems}{verdict}: {} shards, {blocks} journal blocks, {} logs\n",
        output::table(&header, &numbers, &rows),
        report.shards.len(),
        rows.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_read_as_the_broker_writes_it() {
        let text =
            "format = 1\ncluster_id = \"x\"\nnode_uuid = \"0123456789abcdef0123456789abcdef\"\ncores = 2\nlayout = 3\n";
        let layout = layout_of(text).unwrap();
        assert_eq!((layout.cores, layout.layout, layout.uuid[1]), (2, 3, 0x23));
        for bad in ["", "cores = 2", &text.replace("cores = 2", "cores = x"), &text.replace("0123", "zz")] {
            assert_eq!(layout_of(bad), None, "{bad}");
        }
    }
}
