//! Foreign clients and tools against a broker that is killed and started again: `ouzel-conformance run [--suite S]... [--bootstrap A]`.
//!
//! Knows nothing about the broker's inside: it starts one in a process of its own, as a user would, and believes only what clients say.
//!
//! A suite is a program under `suites/`. It gets the broker's address in `OUZEL_BOOTSTRAP`, says on standard output `ok NAME`,
//! `FAILED NAME: why` or `skip NAME: why`, and ends. To have the broker killed (no farewell, as by a power cut of the process) and
//! started again on its data it says `@restart` and waits for a line on standard input: `ok`, or `no` when the broker isn't ours.
//! Everything else it prints is shown when it failed.

// It runs programs and kills them; see clippy.toml.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod broker;
mod control;
mod serve;
mod suite;
mod toolchain;
mod transcript;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use control::Which;

const HELP: &str = "\
ouzel-conformance <command>
  run [--suite S]...                    suites by name or by family; all without a name
      [--bootstrap HOST:PORT]             against this broker, which is never killed
      [--ouzel PATH]                      against the broker of this binary, as `PATH dev` starts it
  list                                  the suites and their families
  serve --data DIR --kafka-addr ADDR    the broker the suites talk to otherwise
Variables: OUZEL_REQUIRE=java,go,…  a suite that can't run is a failure for these toolchains
           OUZEL_CACHE=DIR          where client libraries are kept (~/.cache/ouzel)";

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (mut suites, mut broker, mut data, mut addr) = (Vec::new(), Which::Own, None, None);
    let mut rest = args.iter().skip(1);
    while let Some(flag) = rest.next() {
        let value = rest.next().with_context(|| format!("{flag} needs a value"))?.clone();
        match flag.as_str() {
            "--suite" => suites.push(value),
            "--bootstrap" => broker = Which::Foreign(value),
            "--ouzel" => broker = Which::Built(value.into()),
            "--data" => data = Some(value),
            "--kafka-addr" => addr = Some(value),
            other => bail!("no flag `{other}`\n{HELP}"),
        }
    }
    let well = match args.first().map(String::as_str) {
        Some("run") => suite::run(&suites, &broker)?,
        Some("list") => {
            suite::SUITES.iter().for_each(|suite| println!("{:14} {}", suite.name, suite.family));
            true
        }
        Some("serve") => {
            serve::serve(data.context("--data DIR")?.into(), addr.context("--kafka-addr ADDR")?.parse()?)?;
            true
        }
        _ => {
            println!("{HELP}");
            true
        }
    };
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
