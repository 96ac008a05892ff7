//! Transcripts: command lines and what they must print, as one would see them in a terminal.
//!
//! A file of `suites/kcat/` is one case. A line `$ COMMAND` runs by bash, where `kcat` knows the broker; the lines below it, up to the
//! next command, are what it must print on standard output, and it must exit 0. `@restart` kills the broker and starts it again. Lines
//! that begin with `#` say why.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::control::{Tally, Target};
use crate::toolchain::folder;

/// No command of a transcript takes longer.
const COMMAND_MAX_S: u32 = 60;

enum Step<'a> {
    Command { line: &'a str, expect: Vec<&'a str> },
    Restart,
}

/// Plays all transcripts.
pub fn run(target: &mut Target, tally: &mut Tally) -> Result<()> {
    let mut files: Vec<_> = std::fs::read_dir(folder("kcat"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    for path in files {
        let name = path.file_stem().and_then(|s| s.to_str()).context("a UTF-8 name")?;
        let text = std::fs::read_to_string(&path)?;
        match play(&text, &path, target) {
            Ok(Played::Passed) => tally.take(&format!("ok {name}")),
            Ok(Played::NotOurs) => tally.take(&format!("skip {name}: the broker isn't ours to kill")),
            Err(error) => {
                tally.fail(format!("{name}: {error:#}"));
                true
            }
        };
    }
    Ok(())
}

enum Played {
    Passed,
    NotOurs,
}

fn play(text: &str, path: &Path, target: &mut Target) -> Result<Played> {
    for step in steps(text) {
        match step {
            Step::Restart => {
                if !target.restart()? {
                    return Ok(Played::NotOurs);
                }
            }
            Step::Command { line, expect } => {
                let script = format!(
                    "set -o pipefail; kcat() {{ command kcat -b {} -X fetch.wait.max.ms=20 \"$@\"; }}; {line}",
                    target.bootstrap()
                );
                let output = Command::new("timeout")
                    .args([&COMMAND_MAX_S.to_string(), "bash", "-c", &script])
                    .current_dir(path.parent().context("a folder")?)
                    .stdin(Stdio::null())
                    .output()?;
                let got = String::from_utf8_lossy(&output.stdout);
                let got: Vec<&str> = got.lines().collect();
                let errors = String::from_utf8_lossy(&output.stderr);
                anyhow::ensure!(
                    got == expect && output.status.success(),
                    "$ {line}\n    expected {expect:?}\n    got      {:?} ({})\n    {}",
                    &got[..got.len().min(20)],
                    output.status,
                    errors.trim().lines().take(5).collect::<Vec<_>>().join("\n    ")
                );
            }
        }
    }
    Ok(Played::Passed)
}

fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("$ ") {
            steps.push(Step::Command { line, expect: Vec::new() });
        } else if line == "@restart" {
            steps.push(Step::Restart);
        } else if let (Some(Step::Command { expect, .. }), false) = (steps.last_mut(), line.starts_with('#')) {
            expect.push(line);
        }
    }
    // Blank lines between commands are for the reader.
    for step in &mut steps {
        if let Step::Command { expect, .. } = step {
            while expect.last().is_some_and(|line| line.is_empty()) {
                expect.pop();
            }
        }
    }
    steps
}
