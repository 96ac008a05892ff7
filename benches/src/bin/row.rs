//! `ouzel-row ROW`: one row of docs/benchmarks.md. Called by `cargo xtask bench ROW`, which builds what it needs.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use ouzel_benches::kafka::{self, Kafka};
use ouzel_benches::rows::{self, ROWS, Run};
use ouzel_benches::{machine, report};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (mut root, mut ouzel, mut work, mut row) = (PathBuf::from("."), None, std::env::temp_dir(), None);
    let (mut smoke, mut peer, mut keep, mut pairs, mut mib) = (false, true, false, None, None);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--root" => root = value()?.into(),
            "--ouzel" => ouzel = Some(PathBuf::from(value()?)),
            "--work" => work = value()?.into(),
            "--pairs" => pairs = Some(value()?.parse::<usize>().context("--pairs")?),
            "--mib" => mib = Some(value()?.parse::<u64>().context("--mib")?),
            "--smoke" => smoke = true,
            "--no-peer" => peer = false,
            "--keep" => keep = true,
            _ if !arg.starts_with('-') && row.is_none() => row = Some(arg),
            _ => bail!("what is `{arg}`?\n{}", help()),
        }
    }
    let Some(row) = row.filter(|row| ROWS.iter().any(|(name, _)| name == row)) else {
        println!("{}", help());
        return Ok(());
    };
    let pairs = pairs.unwrap_or(if smoke { 1 } else { 6 });
    let mib = mib.unwrap_or(if smoke { 64 } else { 2048 });
    ensure!(pairs > 0 && (1..=2048).contains(&mib), "at least one pair, 1 to 2048 MiB a window");

    // One run at a time on a machine.
    let lock = File::create(std::env::temp_dir().join("ouzel-bench.lock"))?;
    lock.try_lock().context("another row runs on this machine")?;

    let mut peer_found = None;
    if peer && row != "binary-size" {
        match Kafka::set_up(&root, &cache()?) {
            Ok(kafka) => peer_found = Some(kafka),
            Err(error) => println!("skip: {}: {error:#}", kafka::NAME),
        }
    }
    let work = work.join(format!("ouzel-bench-{}", std::process::id()));
    fs::create_dir_all(&work)?;
    let ouzel = ouzel.context("--ouzel says where the broker is")?;
    let run = Run { ouzel, work: work.clone(), kafka: peer_found, smoke, pairs, window_bytes: mib << 20 };
    println!(
        "{row}: {} cores, {} MiB of memory, data in {}",
        machine::cores(),
        machine::memory("MemTotal") >> 20,
        work.display()
    );
    let lines = rows::run(&row, &run);
    if !keep && lines.is_ok() {
        fs::remove_dir_all(&work)?;
    } else {
        println!("kept: {}", work.display());
    }
    report::publish(&root, &lines?, !smoke)
}

fn help() -> String {
    let rows: String = ROWS.iter().map(|(name, what)| format!("  {name:<24}{what}\n")).collect();
    format!(
        "cargo xtask bench ROW [--pairs N] [--mib N a window] [--no-peer] [--work DIR] [--keep] [--smoke]\n{rows}\
         --smoke shows that a row works: dev profile, one pair of short windows, nothing goes into the table."
    )
}

/// Where peers are kept: outside the tree.
fn cache() -> Result<PathBuf> {
    let base = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache"),
        (None, None) => bail!("neither XDG_CACHE_HOME nor HOME is set"),
    };
    Ok(base.join("ouzel-bench"))
}
