//! What `test`, `ci` and `long` are made of.
//!
//! Everything is built twice: with the profile `ci` (optimised, assertions on) and, for the README's walk, as a release.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{Counts, cargo, counted, root, step};
use crate::{tidy, walk};

/// Seeds of the simulator in one `test`, and how long they may take.
const SEEDS: &str = "60";
const SEEDS_BUDGET: &str = "90s";
/// Seeds that must give the same run twice.
const META_SEEDS: &str = "10";
/// Seeds in `long`, and how long they may take.
const LONG_SEEDS: &str = "2000";
const LONG_SEEDS_BUDGET: &str = "60m";
/// Kills of the broker while librdkafka writes, in `long`; see the suite for those in `test`.
const LONG_KILLS: &str = "20";
/// `ouzel-sim sweep` says this when the budget ended before the seeds did: fine on a busy machine.
const BUDGET_SPENT: i32 = 3;

/// Suites of foreign clients that every `test` runs, and those of which the commit chooses one family.
const ALWAYS: [&str; 2] = ["kcat", "confluent"];
const BY_TURNS: [&[&str]; 4] = [&["java"], &["go"], &["node"], &["kafka-python", "aiokafka"]];

/// `cargo xtask test`.
pub fn test() -> Result<()> {
    let mut counts = Counts::default();
    unit_tests(&mut counts)?;
    counted("kept seeds", simulator().args(["sweep", "--kept"]), &[0], &mut counts)?;
    let mut twice = simulator();
    counted("seeds repeat", twice.args(["meta", "--count", META_SEEDS, "--load", "30s"]), &[0], &mut counts)?;
    seeds(&mut counts, SEEDS, SEEDS_BUDGET)?;
    let turn = BY_TURNS[turn(&revision()) % BY_TURNS.len()];
    clients(&mut counts, &[&ALWAYS, turn].concat())?;
    closing(counts)
}

/// `cargo xtask long`.
pub fn long() -> Result<()> {
    let mut counts = Counts::default();
    unit_tests(&mut counts)?;
    let mut all = suites();
    counted("clients", all.env("OUZEL_KILLS", LONG_KILLS), &[0], &mut counts)?;
    seeds(&mut counts, LONG_SEEDS, LONG_SEEDS_BUDGET)?;
    let sim = |words: &[&str]| {
        let mut command = simulator();
        command.args(words);
        command
    };
    counted("seeds repeat", &mut sim(&["meta", "--count", "20"]), &[0], &mut counts)?;
    counted("planted bugs are caught", &mut sim(&["plant"]), &[0], &mut counts)?;
    closing(counts)
}

/// `cargo xtask ci`.
pub fn ci() -> Result<()> {
    step("format", &mut cargo(&["fmt", "--all", "--", "--check"]))?;
    println!("==> tidy");
    tidy::run(&root())?;
    println!("==> generated code");
    crate::codegen::run(true)?;
    step("lints", &mut cargo(&["clippy", "--workspace", "--all-targets", "--profile", "ci", "--", "-D", "warnings"]))?;
    let mut doc = cargo(&["doc", "--workspace", "--lib", "--no-deps", "--profile", "ci", "--quiet"]);
    step("documentation", doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    println!("==> README's walk");
    walk::run()
}

/// `cargo xtask conformance ...`.
pub fn conformance(args: &[String]) -> Result<()> {
    step("clients", suites().args(args))
}

/// `cargo xtask sim ...`.
pub fn sim(args: &[String]) -> Result<()> {
    step("simulator", simulator().args(args))
}

/// The program that runs suites of foreign clients.
pub fn suites() -> Command {
    cargo(&["run", "-q", "--profile", "ci", "--package", "ouzel-conformance", "--", "run"])
}

fn simulator() -> Command {
    cargo(&["run", "-q", "--profile", "ci", "--package", "ouzel-sim", "--"])
}

fn unit_tests(counts: &mut Counts) -> Result<()> {
    let mut all = cargo(&["test", "--workspace", "--profile", "ci", "--no-fail-fast", "-q"]);
    counted("unit and integration tests", &mut all, &[0], counts)
}

fn seeds(counts: &mut Counts, seeds: &str, budget: &str) -> Result<()> {
    let mut sweep = simulator();
    sweep.args(["sweep", "--base", &revision(), "--count", seeds, "--budget", budget]);
    counted("simulator", &mut sweep, &[0, BUDGET_SPENT], counts)
}

fn clients(counts: &mut Counts, names: &[&str]) -> Result<()> {
    let mut command = suites();
    for name in names {
        command.args(["--suite", name]);
    }
    counted("clients", &mut command, &[0], counts)
}

fn closing(counts: Counts) -> Result<()> {
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    if counts.failed > 0 {
        bail!("tests failed");
    }
    Ok(())
}

/// The commit under test; a tree without git has always the same seeds and turn.
fn revision() -> String {
    let said = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root()).output().context("git");
    match said {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_string(),
        _ => "0".to_string(),
    }
}

/// Whose turn it is at this commit.
fn turn(revision: &str) -> usize {
    revision.get(..4).and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or(0)
}
