//! `ouzel-sim`: runs the simulator from the command line, one seed per process.
//!
//! Exit codes: 0 all good, 1 a promise was broken, 2 wrong usage, 3 a sweep fell short of its count, 4 a seed did not repeat.

// The simulator's own tools live in the real world: files, processes, a clock for budgets.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod command;

use std::process::ExitCode;

const HELP: &str = "\
usage: ouzel-sim COMMAND [options]

  run --seed S            one seed; prints what broke and how to run it again
      --plan FILE           this plan of faults instead of the seed's own
      --trace FILE          every event as a line of JSON; --from 83.2s and --until 84s narrow it
      --log                 what the brokers log, to standard error; OUZEL_LOG=debug for more
      --line                one line for machines instead of a report
  sweep --base REV        seeds derived from the revision, so that each landing explores new ones
      --count N             how many (60); it goes on after a failure, up to 20 of them
      --skip N              leaves the revision's first N seeds out
      --kept                the kept seeds instead, each of which once caught something, and planted bugs that they catch
      --jobs J              processes at a time (2)
      --budget DUR          stop after this long; short of the count is exit code 3
      --ledger FILE         append the sums as a row of this table (docs/ledger/simulator.md)
  meta --count N          each seed twice, in two processes with other environments and allocations: equal or exit code 4
      --bisect --seed S     the first event in which two runs of one seed differ
  plant [NAME ...]        each planted bug (or all) must be caught within --seeds N (500)
  shrink --seed S         the smallest plan found that breaks the same law; --out FILE
  plan --seed S           prints the seed's plan of faults

everywhere: --subject broker|specimen   --load 120s   --plant NAME (switches a planted bug on)
times: 90s, 250ms, 12m; seeds: 0x5eed or decimal
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let args = match command::Args::parse(words) {
        Ok(args) => args,
        Err(error) => return wrong(&error),
    };
    let result = match command.as_str() {
        "run" => command::run::run(&args),
        "sweep" => command::sweep::sweep(&args),
        "meta" => command::meta::meta(&args),
        "plant" => command::plant::plant(&args),
        "shrink" => command::shrink::shrink(&args),
        "plan" => command::run::plan(&args),
        "help" | "--help" | "" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => return wrong(&anyhow::anyhow!("no such command: {other}")),
    };
    result.unwrap_or_else(|error| wrong(&error))
}

fn wrong(error: &anyhow::Error) -> ExitCode {
    eprintln!("ouzel-sim: {error:#}\n\n{HELP}");
    ExitCode::from(2)
}
