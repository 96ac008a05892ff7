//! The suites, and how one runs.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::control::{Tally, Target, Which};
use crate::toolchain;
use crate::transcript;

/// A suite that takes longer is ended: five times what it may take on an idle machine.
const SUITE_MAX: Duration = Duration::from_secs(300);
/// Lines of other output kept, to be shown after a failure.
const NOISE_MAX: usize = 60;

/// One suite.
pub struct Suite {
    /// As `--suite` takes it.
    pub name: &'static str,
    /// Its toolchain, as `OUZEL_REQUIRE` takes it; `--suite` takes it too, for all suites of the family.
    pub family: &'static str,
    /// How to get the program that runs it.
    kind: Kind,
}

enum Kind {
    Transcripts,
    Program(fn(&str) -> Result<Command>),
}

/// All suites, in the order they run.
pub const SUITES: &[Suite] = &[
    Suite { name: "kcat", family: "kcat", kind: Kind::Transcripts },
    Suite { name: "confluent", family: "python", kind: Kind::Program(toolchain::python) },
    Suite { name: "kafka-python", family: "python", kind: Kind::Program(toolchain::python) },
    Suite { name: "aiokafka", family: "python", kind: Kind::Program(toolchain::python) },
    Suite { name: "kafkajs", family: "node", kind: Kind::Program(toolchain::node) },
    Suite { name: "platformatic", family: "node", kind: Kind::Program(toolchain::node) },
    Suite { name: "franz", family: "go", kind: Kind::Program(toolchain::go) },
    Suite { name: "sarama", family: "go", kind: Kind::Program(toolchain::go) },
    Suite { name: "java-client", family: "java", kind: Kind::Program(toolchain::java) },
    Suite { name: "java-tools", family: "java", kind: Kind::Program(toolchain::java) },
];

/// Runs the suites named, each with a broker of its own unless it is somebody's; `false` if anything failed.
pub fn run(names: &[String], broker: &Which) -> Result<bool> {
    for name in names {
        if !SUITES.iter().any(|s| s.name == name || s.family == name) {
            let known: Vec<&str> = SUITES.iter().map(|s| s.name).collect();
            bail!("no suite `{name}`; there are {}", known.join(", "));
        }
    }
    let mut failed = Vec::new();
    for suite in SUITES {
        if names.is_empty() || names.iter().any(|n| n == suite.name || n == suite.family) {
            let begin = Instant::now();
            println!("{}:", suite.name);
            let tally = suite.run(broker);
            println!("{} took {:.0} s", suite.name, begin.elapsed().as_secs_f64());
            tally.close();
            failed.extend(tally.failed.into_iter().map(|f| format!("{}: {f}", suite.name)));
        }
    }
    failed.iter().for_each(|what| eprintln!("FAILED {what}"));
    Ok(failed.is_empty())
}

impl Suite {
    fn run(&self, broker: &Which) -> Tally {
        let mut tally = Tally::default();
        let command = match &self.kind {
            Kind::Transcripts => toolchain::kcat().map(|()| None),
            Kind::Program(prepare) => prepare(self.name).map(Some),
        };
        let command = match command {
            Ok(command) => command,
            Err(error) if required(self.family) => {
                tally.fail(format!("toolchain: {error:#}"));
                return tally;
            }
            Err(error) => {
                let reason = format!("{error:#}").replace('\n', " ");
                tally.take(&format!("skip {}: {reason}", self.name));
                return tally;
            }
        };
        let started = Target::new(broker).map(|mut target| {
            let ran = match command {
                None => transcript::run(&mut target, &mut tally),
                Some(command) => program(command, &mut target, &mut tally),
            };
            if let Err(error) = ran {
                tally.fail(format!("suite: {error:#}"));
            }
            if tally.passed == 0 && tally.failed.is_empty() && tally.skipped == 0 {
                tally.fail("suite: it says nothing".into());
            }
            if !tally.failed.is_empty() {
                println!("{}", target.autopsy());
            }
        });
        if let Err(error) = started {
            tally.fail(format!("broker: {error:#}"));
        }
        tally
    }
}

/// Whether a suite of this toolchain must run.
fn required(family: &str) -> bool {
    std::env::var("OUZEL_REQUIRE").is_ok_and(|list| list.split(',').any(|name| name.trim() == family))
}

/// Runs a suite's program to its end and counts what it says.
fn program(mut command: Command, target: &mut Target, tally: &mut Tally) -> Result<()> {
    let mut child = Group::spawn(
        command
            .env("OUZEL_BOOTSTRAP", target.bootstrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped()),
    )?;
    let mut stdin = child.0.stdin.take().context("its input is piped")?;
    let (tell, lines) = mpsc::sync_channel(1_000);
    let (out, err) = (child.0.stdout.take().context("piped")?, child.0.stderr.take().context("piped")?);
    let also = tell.clone();
    std::thread::spawn(move || {
        BufReader::new(out).lines().map_while(Result::ok).try_for_each(|l| tell.send((true, l)))
    });
    std::thread::spawn(move || {
        BufReader::new(err).lines().map_while(Result::ok).try_for_each(|l| also.send((false, l)))
    });
    let deadline = Instant::now() + SUITE_MAX;
    let mut noise = VecDeque::new();
    let cut = loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((true, line)) if line == "@restart" => {
                let answer = if target.restart()? { "ok" } else { "no" };
                writeln!(stdin, "{answer}")?;
                stdin.flush()?;
            }
            Ok((true, line)) if tally.take(&line) => {}
            Ok((_, line)) => {
                noise.push_back(line);
                if noise.len() > NOISE_MAX {
                    noise.pop_front();
                }
            }
            Err(RecvTimeoutError::Disconnected) => break false,
            Err(RecvTimeoutError::Timeout) => break true,
        }
    };
    if cut {
        child.kill();
    }
    let status = child.0.wait()?;
    if cut || !status.success() || !tally.failed.is_empty() {
        noise.iter().for_each(|line| println!("  | {line}"));
    }
    if cut {
        bail!("not done after {} s", SUITE_MAX.as_secs());
    }
    if !status.success() && tally.failed.is_empty() {
        bail!("it ended with {status}");
    }
    Ok(())
}

/// A child and everything it starts, in a process group of its own.
struct Group(Child);

impl Group {
    fn spawn(command: &mut Command) -> Result<Group> {
        let child = command.process_group(0).spawn().with_context(|| format!("{command:?}"))?;
        Ok(Group(child))
    }

    fn kill(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.kill();
            let _ = self.0.wait();
        }
    }
}
