//! What the kernel says of processes and of the machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// What the kernel has counted of a process's CPU time.
#[derive(Clone, Debug)]
pub struct Cpu {
    /// Nanoseconds of each thread there is.
    threads: BTreeMap<String, u64>,
    /// Seconds of the process with its ended threads, in ticks of 10 ms.
    process: f64,
}

/// How coarse the process's own count is, seconds: a tick for user time and one for kernel time.
const TICKS: f64 = 0.02;

impl Cpu {
    /// Reads it.
    pub fn of(pid: u32) -> Result<Cpu> {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{pid}/task")).context("the server's threads")? {
            let task = task?;
            // A thread may end meanwhile.
            if let Ok(text) = fs::read_to_string(task.path().join("schedstat")) {
                threads.insert(task.file_name().to_string_lossy().into_owned(), first_number(&text));
            }
        }
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server's times")?;
        // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field behind it.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
        Ok(Cpu { threads, process: ticks as f64 / 100.0 })
    }

    /// CPU-seconds, user and kernel, from `before` to this. Exact unless a thread ended meanwhile: workers of a ring do when
    /// they have nothing to do. Then the coarser count of the process wins.
    pub fn since(&self, before: &Cpu) -> f64 {
        let of = |(thread, now): (&String, &u64)| now.saturating_sub(before.threads.get(thread).copied().unwrap_or(0));
        let nanos: u64 = self.threads.iter().map(of).sum();
        (nanos as f64 / 1e9).max(self.process - before.process - TICKS)
    }
}

/// CPU-seconds of the calling thread.
pub fn own_cpu_seconds() -> f64 {
    fs::read_to_string("/proc/thread-self/schedstat").map_or(0.0, |text| first_number(&text) as f64 / 1e9)
}

fn first_number(text: &str) -> u64 {
    text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Resident memory of a process, bytes: counted page by page, since the sum in `/proc/PID/status` lags by hundreds of KiB.
pub fn resident(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).context("the server's memory")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).context("no Rss in smaps_rollup")?;
    Ok(first_number(line) * 1024)
}

/// Open descriptors of a process.
pub fn descriptors(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// A field of `/proc/meminfo`, bytes.
pub fn memory(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.map_or(0, |line| first_number(line) * 1024)
}

/// How many descriptors this process may open.
pub fn descriptors_max() -> usize {
    let text = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.map_or(1024, |line| first_number(line) as usize)
}

/// Share of time in the last 10 s in which somebody waited for a core, percent; `None`: the kernel doesn't say.
pub fn cpu_pressure() -> Option<f64> {
    let text = fs::read_to_string("/proc/pressure/cpu").ok()?;
    let line = text.lines().find(|line| line.starts_with("some"))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?.parse().ok()
}

/// Ticks so far: all, and those the host took.
pub fn ticks() -> (u64, u64) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let Some(line) = text.lines().next() else { return (0, 0) };
    let numbers: Vec<u64> = line.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    // guest time is part of user time
    (numbers.iter().take(8).sum(), numbers.get(7).copied().unwrap_or(0))
}

/// Bytes free for us on the disk of `dir`.
pub fn disk_free(dir: &Path) -> Result<u64> {
    let text = said(Command::new("df").args(["-B1", "--output=avail"]).arg(dir))?;
    text.lines().last().and_then(|line| line.trim().parse().ok()).context("df says nothing")
}

/// Has the kernel write out and forget what it keeps in memory of the files below `dir`.
pub fn forget_files(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let (path, kind) = entry.and_then(|e| Ok((e.path(), e.file_type()?)))?;
        if kind.is_dir() {
            forget_files(&path)?;
        } else if kind.is_file() {
            // The coreutils' own way to drop a whole file from the cache.
            let mut of = std::ffi::OsString::from("of=");
            of.push(&path);
            said(Command::new("dd").arg(of).args([
                "oflag=nocache",
                "conv=notrunc,fdatasync",
                "count=0",
                "status=none",
            ]))?;
        }
    }
    Ok(())
}

/// What a command prints; an exit code other than 0 is an error.
pub fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    anyhow::ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Cores this process may use, at least 1.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Which core this thread and those it starts may use, by `taskset`.
pub fn pin_self(cores: &str) -> Result<()> {
    let thread = fs::read_link("/proc/thread-self")?;
    let thread = thread.file_name().and_then(|name| name.to_str()).context("a thread id")?.to_owned();
    said(Command::new("taskset").args(["-p", "-c", cores, &thread])).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ended_takes_no_time_away() {
        let cpu = |threads: &[(&str, u64)], process| Cpu {
            threads: threads.iter().map(|(thread, nanos)| ((*thread).to_owned(), *nanos)).collect(),
            process,
        };
        let before = cpu(&[("1", 1_000_000_000), ("2", 5_000_000_000)], 6.0);
        assert_eq!(cpu(&[("1", 1_500_000_000), ("3", 250_000_000)], 6.75).since(&before), 0.75);
        // Thread 2 worked for another second before it ended.
        assert_eq!(cpu(&[("1", 1_500_000_000)], 7.5).since(&before), 1.5 - TICKS);
    }
}
