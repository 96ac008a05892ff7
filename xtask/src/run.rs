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
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests or suites that were skipped, each with a line that says why.
    pub skipped: u64,
}

impl Counts {
    /// Adds what one line of a test runner's output says: libtest's `test result:`, our own `N passed, N failed`, the simulator's
    /// `N of M seeds of …, N broken`, `N of M kept seeds hold` and the like.
    fn note(&mut self, line: &str) {
        let line = line.trim();
        let number = |word: &str| word.parse::<u64>().ok();
        if let Some((done, rest)) = line.split_once(" of ").and_then(|(done, rest)| Some((number(done)?, rest))) {
            let (all, what) = rest.split_once(' ').unwrap_or_default();
            let failed = match (number(all), what) {
                (Some(all), "kept seeds hold" | "seeds gave the same run twice" | "planted bugs caught") => {
                    self.passed += done;
                    self.failed += all.saturating_sub(done);
                    return;
                }
                _ => what.strip_suffix(" broken").and_then(|what| number(what.rsplit(' ').next()?)),
            };
            if let Some(failed) = failed {
                self.passed += done.saturating_sub(failed);
                self.failed += failed;
            }
            return;
        }
        if !(line.starts_with("test result: ") || line.contains(" passed, ")) {
            return;
        }
        let line = line.strip_prefix("test result: ").unwrap_or(line);
        for part in line.split(['.', ';', ',']).map(str::trim) {
            match part.split_once(' ').map(|(count, word)| (number(count), word)) {
                Some((Some(count), "passed")) => self.passed += count,
                Some((Some(count), "failed")) => self.failed += count,
                Some((Some(count), "skipped" | "ignored")) => self.skipped += count,
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

/// Runs a command in the workspace's folder and adds up the tests its output tells of. An exit code that isn't among `fine` counts as
/// a failure even if no test said so.
pub fn counted(what: &str, command: &mut Command, fine: &[i32], counts: &mut Counts) -> Result<()> {
    println!("==> {what}");
    let begin = Instant::now();
    let mut child =
        command.current_dir(root()).stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?}"))?;
    let output = child.stdout.take().context("its output is piped")?;
    let before = counts.failed;
    for line in BufReader::new(output).lines() {
        let line = line?;
        counts.note(&line);
        println!("{line}");
    }
    let status = child.wait()?;
    println!("<== {what}: {:.0} s", begin.elapsed().as_secs_f64());
    if !status.code().is_some_and(|code| fine.contains(&code)) && counts.failed == before {
        println!("{what} failed ({status})");
        counts.failed += 1;
    }
    Ok(())
}

/// `cargo` with these words.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_what_runners_say() {
        let mut counts = Counts::default();
        let mut check = |line: &str, passed, failed, skipped| {
            counts.note(line);
            assert_eq!(counts, Counts { passed, failed, skipped }, "{line}");
        };
        check(
            "test result: ok. 38 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            38,
            0,
            1,
        );
        check("14 passed, 1 failed", 52, 1, 1);
        check("0 passed, 0 failed, 1 skipped", 52, 1, 2);
        check(
            "20 of 40 seeds of 1f2e: 0.50 simulated h in 9 s of CPU (x200), 77 acked, 3 power cuts, 2 broken",
            70,
            3,
            2,
        );
        check("3 of the topics are broken", 70, 3, 2);
        check("8 of 8 kept seeds hold", 78, 3, 2);
        check("9 of 10 seeds gave the same run twice", 87, 4, 2);
        check("ready in 41 ms", 87, 4, 2);
    }
}
