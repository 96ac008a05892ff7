//! Rows that hold Ouzel against itself: windows with and without something beside the load, in the order A B B A.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::{Arm, Run};
use crate::batches::Shape;
use crate::conn::{create_topic, create_topic_with};
use crate::control;
use crate::load::{self, Edge, Mode, Options, Report};
use crate::machine::{self, Cpu};
use crate::report::Line;
use crate::server::{Home, Server};
use crate::stats::{median, median_ratio};

/// What is there or isn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// 10,000 partitions instead of 16, at the same total rate.
    Partitions,
    /// Consumers that drain 10 GB.
    Backlog,
    /// Retention that deletes what is older than 64 MiB.
    Retention,
}

/// Bytes of batches per second in every window.
const RATE: f64 = 32e6;
const FEW: i32 = 16;
const MANY: i32 = 10_000;
const BACKLOG_BYTES: u64 = 10_000_000_000;

impl Beside {
    /// What a row's name says.
    pub fn of(name: &str) -> Option<Beside> {
        Some(match name {
            "partitions-10k" => Beside::Partitions,
            "backlog" => Beside::Backlog,
            "retention" => Beside::Retention,
            _ => return None,
        })
    }

    fn note(self) -> &'static str {
        match self {
            Beside::Partitions => "10,000 partitions by 16; 4 connections, batches of 4 KiB in turn",
            Beside::Backlog => "with 4 consumers that drain 10 GB by without; batches of 64 KiB",
            Beside::Retention => "with retention.bytes=64 MiB, segments of 16 MiB by without; batches of 64 KiB",
        }
    }

    /// 1 KiB records.
    fn records(self) -> usize {
        if self == Beside::Partitions { 3 } else { 63 }
    }
}

/// CPU-seconds per GB and p99.
type Seen = [f64; 2];

/// Measures it.
pub fn measure(name: &str, beside: Beside, run: &Run) -> Result<Vec<Line>> {
    let needed = (BACKLOG_BYTES * 5 / 4) + (8 << 30);
    ensure!(run.smoke || machine::disk_free(&run.work)? >= needed, "the row needs {} GiB of disk", needed >> 30);
    if !run.smoke {
        control::fill_page_cache(&run.work, u64::MAX)?;
    }
    let often = ["--set", "log.retention.check.interval.ms=500"];
    let home = Home::prepare(run.kind(Arm::Ouzel, true, &often)?, run.work.join("ouzel"), &[])?;
    let mut server = home.start()?;
    server.first_ack("first", true, 0)?;
    prepare(beside, &server, run)?;
    let mut pairs: Vec<(Seen, Seen)> = Vec::new();
    let mut half: Option<(bool, Seen)> = None;
    for n in 0..run.pairs * 2 {
        let with = [true, false, false, true][n % 4];
        let seen = window(n, with, beside, &server, run)?;
        match (half.take(), seen) {
            (None, Some(seen)) if n % 2 == 0 => half = Some((with, seen)),
            (Some((true, a)), Some(b)) => pairs.push((a, b)),
            (Some((false, b)), Some(a)) => pairs.push((a, b)),
            _ => println!("dropped: a pair, for the window before or behind"),
        }
    }
    server.stop()?;
    let line = |(n, metric): (usize, &str)| {
        let of = |side: fn(&(Seen, Seen)) -> Seen| median(&pairs.iter().map(|p| side(p)[n]).collect::<Vec<_>>());
        let without = of(|p| p.1).unwrap_or_default();
        Line {
            row: name.into(),
            metric: metric.into(),
            ouzel: of(|p| p.0),
            kafka: None,
            ratio: median_ratio(&pairs.iter().map(|(a, b)| (a[n], b[n])).collect::<Vec<_>>()),
            notes: format!("{}; {:.0} MB/s, synced; without: {without:.3}", beside.note(), RATE / 1e6),
        }
    };
    Ok(["broker CPU-s/GB", "answer p99, us"].into_iter().enumerate().map(line).collect())
}

fn prepare(beside: Beside, server: &Server, run: &Run) -> Result<()> {
    match beside {
        Beside::Partitions => {
            create_topic(server.addr, "few", FEW)?;
            create_topic(server.addr, "many", if run.smoke { 200 } else { MANY })
        }
        Beside::Backlog => {
            create_topic(server.addr, "backlog", 4)?;
            let fill = Options {
                partitions: 4,
                connections: 4,
                depth: 4,
                shape: Shape { records: 63, value_bytes: 1024, keyed: false },
                warm: Duration::ZERO,
                window: Duration::from_secs(300),
                bytes_max: if run.smoke { 8 << 20 } else { BACKLOG_BYTES },
                ..Options::new(server.addr, "backlog")
            };
            load::run(&fill, &mut |_| ()).map(drop)
        }
        Beside::Retention => Ok(()),
    }
}

/// One window; `None` when the machine was too busy for it.
fn window(n: usize, with: bool, beside: Beside, server: &Server, run: &Run) -> Result<Option<Seen>> {
    let dropped = if run.smoke { None } else { super::paired::quiet() };
    let (topic, partitions) = match (beside, with) {
        (Beside::Partitions, true) => ("many".to_owned(), if run.smoke { 200 } else { MANY }),
        (Beside::Partitions, false) => ("few".to_owned(), FEW),
        _ => (format!("window-{n}"), 4),
    };
    match beside {
        Beside::Partitions => {}
        Beside::Retention if with => {
            let short = [("retention.bytes", "67108864"), ("segment.bytes", "16777216")];
            create_topic_with(server.addr, &topic, partitions, &short)?;
        }
        _ => create_topic(server.addr, &topic, partitions)?,
    }
    let shape = Shape { records: beside.records(), value_bytes: 1024, keyed: false };
    let options = Options {
        partitions,
        connections: 4,
        spread: beside == Beside::Partitions,
        rate: Some(RATE / (shape.records * shape.value_bytes) as f64),
        shape,
        warm: run.seconds(2),
        window: run.seconds(8),
        ..Options::new(server.addr, &topic)
    };
    let (report, cpu) = if beside == Beside::Backlog && with {
        let drain = Options {
            mode: Mode::Fetch,
            partitions: 4,
            connections: 4,
            warm: run.seconds(1),
            window: run.seconds(10),
            bytes_max: u64::MAX,
            ..Options::new(server.addr, "backlog")
        };
        let draining = thread::spawn(move || load::run(&drain, &mut |_| ()));
        let loaded = load(&options, server)?;
        let drained = draining.join().map_err(|_| anyhow!("the drain panicked"))??;
        print!("drained at {:.0} MB/s beside: ", drained.mb_per_s());
        loaded
    } else {
        load(&options, server)?
    };
    let seen = [cpu / (report.bytes as f64 / 1e9), report.answer.value_at_quantile(0.99) as f64];
    let which = if with { "with" } else { "without" };
    println!("window {n} {which}: {:.3} CPU-s/GB, p99 {:.0} us, unsent {}", seen[0], seen[1], report.unsent);
    if let Some(pressure) = dropped {
        println!("dropped: window {n}: cores were waited for {pressure:.0} % of the time before it");
    }
    Ok(dropped.is_none().then_some(seen))
}

fn load(options: &Options, server: &Server) -> Result<(Report, f64)> {
    let pid = server.pid();
    let mut cpu = [None, None];
    let report = load::run(options, &mut |edge| cpu[usize::from(edge == Edge::End)] = Some(Cpu::of(pid)))?;
    ensure!(report.requests > 0, "nothing was answered in a window");
    let [Some(before), Some(after)] = cpu else { bail!("a window without ends") };
    Ok((report, after.context("its end")?.since(&before.context("its begin")?)))
}
