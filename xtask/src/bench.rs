//! `cargo xtask bench ROW`: builds the broker and the harness, then runs one row of docs/benchmarks.md.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{cargo, root, step};

/// Runs what `ouzel-row` is told. `--smoke` takes the dev profile: it shows that a row works and measures nothing.
pub fn run(args: &[String]) -> Result<()> {
    let smoke = args.iter().any(|arg| arg == "--smoke");
    let profile = if smoke { "dev" } else { "release" };
    // Each on its own, so that the harness can't switch on features of the broker's crates.
    for package in ["ouzel-cli", "ouzel-benches"] {
        step(package, &mut cargo(&["build", "--profile", profile, "--package", package, "--bins"]))?;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let built = root().join(target).join(if smoke { "debug" } else { "release" });
    let mut row = Command::new(built.join("ouzel-row"));
    row.arg("--root").arg(root()).arg("--ouzel").arg(built.join("ouzel")).args(args);
    step("row", &mut row).context("the row")
}
