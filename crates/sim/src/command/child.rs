//! One seed per process: starts `run --line` and reads its answer.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use super::Args;

/// CPU seconds one seed may use.
pub const CPU_MAX_S: u64 = 60;

/// What a child answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The law that was broken first; empty when all was good, `crash` when the process ended without an answer.
    pub law: String,
    /// What two runs of a seed must share.
    pub fingerprint: String,
    /// World time, ms.
    pub world_ms: u64,
    /// CPU time, ms.
    pub cpu_ms: u64,
    /// Records acknowledged.
    pub acked: u64,
    /// Faults carried out, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Marks passed.
    pub reached: Vec<String>,
    /// What it printed, when it ended without an answer.
    pub text: String,
}

/// Runs a seed in a process of its own. `noise` other than 0 shifts its environment and allocations.
pub fn ask(args: &Args, seed: u64, noise: u64) -> Result<Answer> {
    let mut command = Command::new(std::env::current_exe().context("where is this program?")?);
    command.args(["run", "--line", "--seed", &format!("{seed:#x}"), "--cpu", &CPU_MAX_S.to_string()]);
    command.args(args.shaping()).stdin(Stdio::null());
    if noise != 0 {
        command.args(["--noise", &noise.to_string()]).env("OUZEL_SIM_NOISE", "x".repeat(noise as usize % 3_000));
    }
    let output = command.output().context("a child process can't be started")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|l| l.starts_with("RESULT\t"));
    Ok(line.map_or_else(
        || {
            let said = format!("{}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
            Answer { law: "crash".into(), text: said, ..Answer::default() }
        },
        parse,
    ))
}

fn parse(line: &str) -> Answer {
    let get = |name: &str| {
        let words = line.split('\t').filter_map(|w| w.split_once('='));
        words.into_iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value)
    };
    let number = |name: &str| get(name).parse().unwrap_or(0);
    let count = |word: &str| word.split_once(':').and_then(|(kind, n)| Some((kind.to_owned(), n.parse().ok()?)));
    Answer {
        law: get("law").into(),
        fingerprint: get("fingerprint").into(),
        world_ms: number("world_ms"),
        cpu_ms: number("cpu_ms"),
        acked: number("acked"),
        faults: get("faults").split(',').filter_map(count).collect(),
        reached: get("reached").split(',').filter(|r| !r.is_empty()).map(str::to_owned).collect(),
        text: String::new(),
    }
}

/// Calls `each` for 0, 1, ... on `jobs` threads until `count` or until it returns false.
pub fn spread(jobs: u64, count: u64, each: impl Fn(u64) -> bool + Sync) {
    let next = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if n >= count || !each(n) {
                        return;
                    }
                }
            });
        }
    });
}

/// CPU time of this process so far, ms; 10 ms grain.
pub fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields behind the name, which may hold spaces: utime and stime are the 14th and 15th of all, in 1/100 s.
    let behind = stat.rsplit(')').next().unwrap_or("");
    let ticks = behind.split_whitespace().skip(11).take(2).filter_map(|f| f.parse::<u64>().ok());
    ticks.sum::<u64>() * 10
}

/// Ends this process with exit code 1 once it has used `seconds` of CPU; 0 is no limit.
pub fn limit_cpu(seconds: u64) {
    if seconds == 0 {
        return;
    }
    std::thread::spawn(move || {
        while cpu_ms() < seconds * 1_000 {
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        eprintln!("more than {seconds} s of CPU");
        std::process::exit(1);
    });
}

/// The exit code for "a promise was broken".
pub fn broken() -> ExitCode {
    ExitCode::from(1)
}
