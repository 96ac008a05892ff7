//! `sweep`: many seeds of one revision, each in a process of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::child::{Answer, ask, broken, spread};
use super::{Args, ledger, run, seed_of};

/// Failing seeds after which a sweep ends: more say nothing new.
const BROKEN_MAX: usize = 20;
/// How often a sweep says how far it is.
const PROGRESS: Duration = Duration::from_secs(30);

/// What the seeds of a sweep came to.
#[derive(Default)]
pub struct Sum {
    /// Seeds run.
    pub seeds: u64,
    /// World time, ms.
    pub world_ms: u64,
    /// CPU time, ms.
    pub cpu_ms: u64,
    /// Records acknowledged.
    pub acked: u64,
    /// Faults carried out, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Marks passed.
    pub reached: BTreeSet<String>,
    /// Seeds that failed, and the law each broke first.
    pub broken: BTreeMap<u64, String>,
    /// When progress was told last.
    pub progress: Duration,
}

impl Sum {
    /// Power cuts, of one node and of all.
    pub fn cuts(&self) -> u64 {
        self.faults.iter().filter(|(kind, _)| kind.starts_with("power-cut")).map(|(_, n)| n).sum()
    }

    /// Simulated hours.
    pub fn hours(&self) -> f64 {
        self.world_ms as f64 / 3_600_000.0
    }

    fn add(&mut self, seed: u64, answer: Answer, args: &Args) {
        self.seeds += 1;
        self.world_ms += answer.world_ms;
        self.cpu_ms += answer.cpu_ms;
        self.acked += answer.acked;
        for (kind, count) in answer.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        self.reached.extend(answer.reached);
        if !answer.law.is_empty() {
            println!("{}", failure(seed, &answer.law, args));
            if !answer.text.is_empty() {
                println!("{}", answer.text);
            }
            self.broken.insert(seed, answer.law);
        }
    }
}

/// The `sweep` command.
pub fn sweep(args: &Args) -> Result<ExitCode> {
    if args.has("kept") {
        return super::kept::sweep(args);
    }
    let base = args.get("base").map_or_else(run::commit, str::to_owned);
    let (skip, count, jobs) = (args.number("skip", 0)?, args.number("count", 60)?, args.number("jobs", 2)?);
    let budget = args.time("budget")?.unwrap_or(Duration::MAX);
    let start = Instant::now();
    let sum = Mutex::new(Sum::default());
    let failed = Mutex::new(None);
    spread(jobs, count, |n| {
        if start.elapsed() > budget {
            return false;
        }
        let seed = seed_of(&base, skip + n);
        match ask(args, seed, 0) {
            Ok(answer) => {
                let mut sum = sum.lock().expect("no thread panicked");
                sum.add(seed, answer, args);
                if start.elapsed() >= sum.progress + PROGRESS {
                    sum.progress = start.elapsed();
                    let (seconds, broken) = (sum.progress.as_secs(), sum.broken.len());
                    println!("... {} of {count} seeds after {seconds} s, {broken} failed so far", sum.seeds);
                }
                sum.broken.len() < BROKEN_MAX
            }
            Err(error) => {
                *failed.lock().expect("no thread panicked") = Some(error);
                false
            }
        }
    });
    if let Some(error) = failed.into_inner().expect("no thread panicked") {
        return Err(error);
    }
    let sum = sum.into_inner().expect("no thread panicked");
    let mut marks = marks_in_sources(Path::new(CRATES));
    // The specimen has marks of its own, and is no part of a broker.
    let specimen = args.get("subject") == Some("specimen");
    marks.retain(|mark| mark.starts_with("specimen-") == specimen);
    let missed: Vec<&String> = marks.difference(&sum.reached).collect();
    println!(
        "marks reached: {} of {}{}",
        marks.len() - missed.len(),
        marks.len(),
        if missed.is_empty() { "" } else { "; never:" }
    );
    missed.iter().for_each(|mark| println!("  {mark}"));
    if !sum.broken.is_empty() {
        println!("failing seeds:");
        sum.broken.iter().for_each(|(seed, law)| println!("  {}", failure(*seed, law, args)));
    }
    let speed = sum.world_ms as f64 / sum.cpu_ms.max(1) as f64;
    println!(
        "{} of {count} seeds of {base}: {:.2} simulated h in {:.0} s of CPU (x{speed:.0}), {} acked, {} power cuts, {} broken",
        sum.seeds,
        sum.hours(),
        sum.cpu_ms as f64 / 1_000.0,
        sum.acked,
        sum.cuts(),
        sum.broken.len(),
    );
    if let Some(file) = args.get("ledger") {
        ledger::append(file, &base, &sum, &missed)?;
    }
    Ok(match () {
        () if !sum.broken.is_empty() => broken(),
        () if sum.seeds < count => ExitCode::from(3),
        () => ExitCode::SUCCESS,
    })
}

/// What is needed to run a failing seed again.
fn failure(seed: u64, law: &str, args: &Args) -> String {
    format!("FAIL {law}   seed {seed:#x}   cargo xtask sim run --seed {seed:#x} {}", args.shaping().join(" "))
}

/// Where the sources were that this was built from.
const CRATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Names of all `reached!` marks in the sources; none where they have gone since.
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
