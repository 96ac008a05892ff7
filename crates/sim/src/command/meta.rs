//! `meta`: the simulator's own test. Each seed runs twice, in two processes with other environments, address layouts and
//! allocations; all that it hashes must be equal.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode};
use std::sync::Mutex;

use anyhow::{Context, Result};

use super::child::{ask, spread};
use super::{Args, run, seed_of};

/// The `meta` command.
pub fn meta(args: &Args) -> Result<ExitCode> {
    if args.has("bisect") {
        return bisect(args);
    }
    let base = args.get("base").map_or_else(run::commit, str::to_owned);
    let count = args.number("count", 50)?;
    let differ = Mutex::new(Vec::new());
    let failed = Mutex::new(None);
    spread(args.number("jobs", 2)?, count, |n| {
        let seed = seed_of(&base, n);
        let twice = ask(args, seed, 0)
            .and_then(|one| Ok((one, ask(args, seed, 1 + n * 7_919 + u64::from(std::process::id()))?)));
        match twice {
            Ok((one, other)) => {
                if one.fingerprint != other.fingerprint || one.law != other.law || one.law == "crash" {
                    println!(
                        "DIFFERS seed {seed:#x}: {:?} {} and {:?} {}",
                        one.law, one.fingerprint, other.law, other.fingerprint
                    );
                    differ.lock().expect("no thread panicked").push(seed);
                }
                true
            }
            Err(error) => {
                *failed.lock().expect("no thread panicked") = Some(error);
                false
            }
        }
    });
    if let Some(error) = failed.into_inner().expect("no thread panicked") {
        return Err(error);
    }
    let differ = differ.into_inner().expect("no thread panicked");
    println!("{} of {count} seeds gave the same run twice", count - differ.len() as u64);
    if let Some(seed) = differ.first() {
        println!("  cargo xtask sim meta --bisect --seed {seed:#x} {}", args.shaping().join(" "));
        return Ok(ExitCode::from(4));
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares the traces of two runs line by line.
fn bisect(args: &Args) -> Result<ExitCode> {
    let seed = args.seed()?;
    let dir = std::env::temp_dir().join(format!("ouzel-sim-bisect-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let mut traces = Vec::new();
    for noise in [0, 12_345] {
        let file = dir.join(format!("{noise}.jsonl"));
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["run", "--line", "--seed", &format!("{seed:#x}"), "--noise", &noise.to_string(), "--trace"]);
        command.arg(&file).args(args.shaping()).output().context("a child process can't be started")?;
        traces.push(BufReader::new(std::fs::File::open(&file)?).lines());
    }
    let (mut other, one) = (traces.pop().context("two traces")?, traces.pop().context("two traces")?);
    let mut before = String::new();
    let mut code = ExitCode::SUCCESS;
    for (number, line) in (1..).zip(one.map(Some).chain(std::iter::repeat_with(|| None))) {
        let (line, twin) = (line.transpose()?.unwrap_or_default(), other.next().transpose()?.unwrap_or_default());
        if line != twin {
            println!("event {number} differs; the one before:\n  {before}\nthen\n  {line}\n  {twin}");
            code = ExitCode::from(4);
            break;
        }
        if line.is_empty() {
            println!("{} events, all equal", number - 1);
            break;
        }
        before = line;
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(code)
}
