//! Automation for the workspace: `cargo xtask <command>`.

// Automation talks to the machine itself; see clippy.toml.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod bench;
mod codegen;
mod run;
mod suites;
mod tidy;
mod walk;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask <command>
  test                    unit and integration tests, simulator seeds, conformance suites whose toolchain is there
  ci                      what .ci/run does after `test`: format, lints, tidy, generated code, docs, the README walk,
                          the rest of the commit's seeds, and seeds that run twice
  long                    all suites of clients, thousands of seeds with their row in the ledger, planted bugs
  walk                    the README's walk: release build, ready block, clients across a kill
  tidy                    house rules: arrows between rooms, owners of foreign crates, no stubs
  codegen [--check]       generate crates/wire/src/schema from crates/wire/schema
  sim ...                 run the simulator: run, sweep, meta, plant (see `cargo xtask sim help`)
  conformance ...         foreign clients: [--suite S]... [--bootstrap A | --ouzel PATH]
  bench ROW               one row of docs/benchmarks.md";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("test") => suites::test(),
        Some("ci") => suites::ci(),
        Some("long") => suites::long(),
        Some("walk") => walk::run(),
        Some("conformance") => suites::conformance(rest),
        Some("bench") => bench::run(rest),
        Some("tidy") => tidy::run(&run::root()),
        Some("codegen") => codegen::run(rest.iter().any(|arg| arg == "--check")),
        Some("sim") => suites::sim(rest),
        None | Some("help" | "--help" | "-h") => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => bail!("no command `{other}`\n{HELP}"),
    }
}
