//! `sweep`: many seeds of one revision, each in a process of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::child::{Answer, ask, broken, spread};
use super::{Args, run, seed_of};

#[derive(Default)]
struct Sum {
    seeds: u64,
    world_ms: u64,
    cpu_ms: u64,
    acked: u64,
    cuts: u64,
    reached: BTreeSet<String>,
    broken: BTreeMap<u64, Answer>,
}

/// The `sweep` command.
pub fn sweep(args: &Args) -> Result<ExitCode> {
    if args.has("kept") {
        return super::kept::sweep(args);
    }
    let base = args.get("base").map_or_else(run::commit, str::to_owned);
    let (count, jobs) = (args.number("count", 60)?, args.number("jobs", 2)?);
    let budget = args.time("budget")?.unwrap_or(Duration::MAX);
    let start = Instant::now();
    let sum = Mutex::new(Sum::default());
    let failed = Mutex::new(None);
    spread(jobs, count, |n| {
        if start.elapsed() > budget {
            return false;
        }
        let seed = seed_of(&base, n);
        match ask(args, seed, 0) {
            Ok(answer) => add(&mut sum.lock().expect("no thread panicked"), seed, answer, args),
            Err(error) => {
                *failed.lock().expect("no thread panicked") = Some(error);
                return false;
            }
        }
        true
    });
    if let Some(error) = failed.into_inner().expect("no thread panicked") {
        return Err(error);
    }
    let sum = sum.into_inner().expect("no thread panicked");
    let speed = sum.world_ms as f64 / sum.cpu_ms.max(1) as f64;
    println!(
        "{} of {count} seeds of {base}: {:.2} simulated h in {:.0} s of CPU (x{speed:.0}), {} acked, {} power cuts, {} broken",
        sum.seeds,
        sum.world_ms as f64 / 3_600_000.0,
        sum.cpu_ms as f64 / 1_000.0,
        sum.acked,
        sum.cuts,
        sum.broken.len(),
    );
    let marks = marks_in_sources(Path::new("crates"));
    let missed: Vec<&String> = marks.difference(&sum.reached).collect();
    println!(
        "marks reached: {} of {}{}",
        marks.len() - missed.len(),
        marks.len(),
        if missed.is_empty() { "" } else { "; never:" }
    );
    missed.iter().for_each(|mark| println!("  {mark}"));
    if let Some(file) = args.get("ledger") {
        append(file, &base, &sum)?;
    }
    Ok(match () {
        () if !sum.broken.is_empty() => broken(),
        () if sum.seeds < count => ExitCode::from(3),
        () => ExitCode::SUCCESS,
    })
}

fn add(sum: &mut Sum, seed: u64, answer: Answer, args: &Args) {
    sum.seeds += 1;
    sum.world_ms += answer.world_ms;
    sum.cpu_ms += answer.cpu_ms;
    sum.acked += answer.acked;
    sum.cuts += answer.cuts;
    sum.reached.extend(answer.reached.iter().cloned());
    if !answer.law.is_empty() {
        println!(
            "FAIL {}   seed {seed:#x}   cargo xtask sim run --seed {seed:#x} {}",
            answer.law,
            args.shaping().join(" ")
        );
        if !answer.text.is_empty() {
            println!("{}", answer.text);
        }
        sum.broken.insert(seed, answer);
    }
}

fn append(file: &str, base: &str, sum: &Sum) -> Result<()> {
    let mut ledger = std::fs::OpenOptions::new().create(true).append(true).open(file).context("the ledger")?;
    writeln!(
        ledger,
        "{base}\t{}\t{:.3}\t{:.1}\t{}\t{}\t{}\t{}",
        sum.seeds,
        sum.world_ms as f64 / 3_600_000.0,
        sum.cpu_ms as f64 / 1_000.0,
        sum.broken.len(),
        sum.acked,
        sum.cuts,
        sum.reached.len()
    )
    .context("the ledger")
}

/// Names of all `reached!` marks in the sources, where the sweep runs inside the tree.
fn marks_in_sources(dir: &Path) -> BTreeSet<String> {
    let mut marks = BTreeSet::new();
    let Ok(entries) = std::fs::read_dir(dir) else { return marks };
    for path in entries.filter_map(|e| Some(e.ok()?.path())) {
        if path.is_dir() {
            marks.extend(marks_in_sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let code = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            let found = code.split("reached!(\"").skip(1).filter_map(|rest| rest.split('"').next());
            marks.extend(found.filter(|name| !name.contains('{')).map(str::to_owned));
        }
    }
    marks
}
