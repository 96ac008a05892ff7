//! The `ouzel` binary: a broker for development, a broker, and the command line for any Kafka cluster. Knows no protocol and
//! no file format: it parses words, calls the rooms below, and prints what they say.

// The binary talks to the machine itself; see clippy.toml.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod args;
mod cmd;
mod failure;
mod output;
mod percent;
mod place;
mod record;
mod session;
mod text;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use args::{Cli, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let started = Instant::now();
    let Cli { global, command } = Cli::parse();
    let format = global.format;
    let done = match command {
        Command::Dev(args) => cmd::dev::run(&global, args, started),
        Command::Start(args) => cmd::start::run(args),
        Command::Topic(topic) => cmd::topic::run(global, topic),
        Command::Group(group) => cmd::group::run(global, group),
        Command::Cluster(cluster) => cmd::cluster::run(global, cluster),
        Command::Verify(args) => cmd::verify::run(&global, args),
        Command::Version => cmd::version::run(format),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failures) => {
            failures.0.iter().for_each(|failure| failure.print(format));
            ExitCode::from(failures.exit() as u8)
        }
    }
}
