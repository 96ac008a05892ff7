//! Running other programs, and counting what their tests said.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The workspace's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}

/// Tests passed, failed and skipped so far.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests or suites that were skipped, each with a line that says why.
    pub skipped: u64,
}

impl Counts {
    /// Adds what one line of a test runner's output says: libtest's `test result:` or our own `N passed, N failed`.
    fn note(&mut self, line: &str) {
        let line = line.strip_prefix("test result: ").unwrap_or(line);
        for part in line.split(['.', ';', ',']).map(str::trim) {
            let Some((number, word)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "skipped" | "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

/// Announces and runs a command in the workspace's folder; an exit code other than 0 is an error.
pub fn step(what: &str, command: &mut Command) -> Result<()> {
    println!("==> {what}");
    let begin = Instant::now();
    let status = command.current_dir(root()).status().with_context(|| format!("{command:?}"))?;
    println!("<== {what}: {:.0} s", begin.elapsed().as_secs_f64());
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    Ok(())
}

/// As [`step`], and adds up the tests its output tells of.
pub fn counted(what: &str, command: &mut Command, counts: &mut Counts) -> Result<()> {
    println!("==> {what}");
    let begin = Instant::now();
    let mut child =
        command.current_dir(root()).stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?}"))?;
    let output = child.stdout.take().context("its output is piped")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        if line.starts_with("test result: ") || line.contains(" passed, ") {
            counts.note(line.trim());
        }
        println!("{line}");
    }
    let status = child.wait()?;
    println!("<== {what}: {:.0} s", begin.elapsed().as_secs_f64());
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    Ok(())
}

/// `cargo` with these words.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    command
}
