//! `run`: one seed, in this process.

use std::cell::RefCell;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use ouzel_runtime::sim::Sink;
use ouzel_sim::plan;
use ouzel_sim::run::{Outcome, run as run_scenario};

use super::child::{cpu_ms, limit_cpu};
use super::{Args, report};

/// The `run` command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let scenario = args.scenario(args.seed()?)?;
    if args.has("log") {
        ouzel_broker::logging::to_stderr("info");
    }
    limit_cpu(args.number("cpu", 0)?);
    let noise = make_noise(args.number("noise", 0)?);
    let trace = args.get("trace").map(|file| open_trace(args, file)).transpose()?;
    let (sink, writer) = trace.map_or((None, None), |(sink, writer)| (Some(sink), Some(writer)));
    let before = cpu_ms();
    let outcome = run_scenario(&scenario, sink);
    let spent = cpu_ms().saturating_sub(before);
    drop(noise);
    if let Some(writer) = writer {
        writer.borrow_mut().flush().context("the trace can't be written")?;
    }
    if args.has("line") {
        println!("{}", report::line(&scenario, &outcome, spent));
    } else if outcome.violations.is_empty() {
        println!("{}", report::good(&scenario, &outcome, spent));
    } else {
        let tail = write_tail(scenario.seed, &outcome).unwrap_or_else(|error| format!("not written: {error}"));
        let again = [vec!["--seed".into(), format!("{:#x}", scenario.seed)], args.shaping()].concat().join(" ");
        println!("{}", report::failure(&scenario, &outcome, &commit(), &tail, &again));
    }
    Ok(if outcome.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The `plan` command.
pub fn plan(args: &Args) -> Result<ExitCode> {
    print!("{}", plan::write(&args.scenario(args.seed()?)?.plan));
    Ok(ExitCode::SUCCESS)
}

type Writer = Rc<RefCell<BufWriter<std::fs::File>>>;

fn open_trace(args: &Args, file: &str) -> Result<(Sink, Writer)> {
    let nanos = |time: Option<Duration>, otherwise| time.map_or(otherwise, |t| t.as_nanos() as u64);
    let (from, until) = (nanos(args.time("from")?, 0), nanos(args.time("until")?, u64::MAX));
    let created = std::fs::File::create(file).with_context(|| format!("can't write {file}"))?;
    let writer: Writer = Rc::new(RefCell::new(BufWriter::new(created)));
    let into = writer.clone();
    let sink: Sink = Box::new(move |event| {
        if (from..=until).contains(&event.at) {
            // A full disk shows when the writer is flushed at the end.
            let _ = writeln!(into.borrow_mut(), "{}", event.json());
        }
    });
    Ok((sink, writer))
}

/// Allocations that shift the addresses of all that follow.
fn make_noise(seed: u64) -> Vec<Vec<u8>> {
    let mut dice = ouzel_runtime::sim::Stream::new(seed, "noise");
    let count = if seed == 0 { 0 } else { dice.between(100, 5_000) };
    let mut kept: Vec<Vec<u8>> = (0..count).map(|_| vec![1; dice.between(1, 4_000) as usize]).collect();
    kept.retain(|_| dice.chance(0.5));
    kept
}

fn write_tail(seed: u64, outcome: &Outcome) -> Result<String> {
    let dir = PathBuf::from(format!("target/sim/{seed:#x}"));
    std::fs::create_dir_all(&dir)?;
    let path = dir.join("tail.txt");
    let lines: String = outcome.tail.iter().map(|event| event.json() + "\n").collect();
    std::fs::write(&path, lines)?;
    Ok(path.display().to_string())
}

/// The revision of the working tree, short.
pub fn commit() -> String {
    let asked = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    asked
        .ok()
        .filter(|o| o.status.success())
        .map_or("unknown".into(), |o| String::from_utf8_lossy(&o.stdout).trim().into())
}
