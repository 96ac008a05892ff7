//! What `test` and `ci` are made of.

use anyhow::Result;

use crate::run::{Counts, cargo, counted, root, step};
use crate::tidy;

/// `cargo xtask test`.
pub fn test() -> Result<()> {
    let mut counts = Counts::default();
    counted("unit and integration tests", cargo(&["test", "--workspace", "--profile", "ci"]).arg("-q"), &mut counts)?;
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    Ok(())
}

/// `cargo xtask ci`.
pub fn ci() -> Result<()> {
    step("format", &mut cargo(&["fmt", "--all", "--", "--check"]))?;
    println!("==> tidy");
    tidy::run(&root())?;
    println!("==> generated code");
    crate::codegen::run(true)?;
    step("lints", &mut cargo(&["clippy", "--workspace", "--all-targets", "--profile", "ci", "--", "-D", "warnings"]))?;
    Ok(())
}

/// `cargo xtask sim ...`.
pub fn sim(args: &[String]) -> Result<()> {
    step("simulator", cargo(&["run", "-q", "--profile", "ci", "--package", "ouzel-sim", "--"]).args(args))
}
