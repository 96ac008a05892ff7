//! What `test`, `ci` and `long` are made of.
//!
//! Everything is built twice: with the profile `ci` (optimised, assertions on) and, for the README's walk, as a release.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{Counts, cargo, counted, root, step};
use crate::{tidy, walk};

/// Fresh seeds of the simulator, derived from the commit: the first of them run in `test`, the rest in `ci`, each within its budget.
const TEST_SEEDS: u64 = 50;
const TEST_BUDGET: &str = "90s";
const CI_SEEDS: u64 = 150;
const CI_BUDGET: &str = "240s";
/// Seeds of `ci` that must give the same run twice, under a quarter of the usual load.
const META_SEEDS: &str = "10";
const META_LOAD: &str = "30s";
/// The same in `long`, which tells the ledger.
const LONG_SEEDS: u64 = 5_000;
const LONG_BUDGET: &str = "90m";
const LONG_META_SEEDS: &str = "50";
const LONG_PLANT_SEEDS: &str = "500";
const LEDGER: &str = "docs/ledger/simulator.md";
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
    kept_seeds(&mut counts)?;
    seeds(&mut counts, 0, TEST_SEEDS, TEST_BUDGET, None)?;
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
    kept_seeds(&mut counts)?;
    seeds(&mut counts, 0, LONG_SEEDS, LONG_BUDGET, Some(LEDGER))?;
    counted("seeds repeat", simulator().args(["meta", "--count", LONG_META_SEEDS]), &[0], &mut counts)?;
    let mut plants = simulator();
    counted("planted bugs are caught", plants.args(["plant", "--seeds", LONG_PLANT_SEEDS]), &[0], &mut counts)?;
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
    walk::run()?;
    let mut counts = Counts::default();
    seeds(&mut counts, TEST_SEEDS, CI_SEEDS, CI_BUDGET, None)?;
    let mut twice = simulator();
    counted("seeds repeat", twice.args(["meta", "--count", META_SEEDS, "--load", META_LOAD]), &[0], &mut counts)?;
    closing(counts)
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

fn kept_seeds(counts: &mut Counts) -> Result<()> {
    counted("kept seeds", simulator().args(["sweep", "--kept"]), &[0], counts)
}

/// The commit's seeds behind its first `skip`.
fn seeds(counts: &mut Counts, skip: u64, count: u64, budget: &str, ledger: Option<&str>) -> Result<()> {
    let mut sweep = simulator();
    sweep.args(["sweep", "--base", &revision(), "--skip", &skip.to_string(), "--count", &count.to_string()]);
    sweep.args(["--budget", budget]).args(ledger.iter().flat_map(|file| ["--ledger", file]));
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
