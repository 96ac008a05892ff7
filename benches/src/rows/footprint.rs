//! Rows without load: start, idle, size.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Arm, Run};
use crate::batches::Shape;
use crate::conn::{create_topic, create_topic_with};
use crate::load::{self, Edge, Mode, Options};
use crate::machine::{self, Cpu};
use crate::report::Line;
use crate::server::{Home, Server, file_bytes};
use crate::stats::{median, median_ratio};

const PARTITIONS: i32 = 1_000;
const CONNECTIONS: usize = 1_000;

/// Milliseconds from process start to the first acknowledged produce, A B B A.
pub fn start(name: &str, run: &Run, partitions: Option<i32>) -> Result<Vec<Line>> {
    let arms = run.arms();
    let mut homes = Vec::new();
    if let Some(partitions) = partitions {
        for &arm in &arms {
            let home = home(arm, run, "full")?;
            let mut server = home.start()?;
            server.first_ack("first", true, 0)?;
            create_topic(server.addr, "many", partitions)?;
            server.stop()?;
            homes.push(home);
        }
    }
    let mut seen: Vec<(Arm, f64)> = Vec::new();
    for n in 0..run.pairs * arms.len() {
        let at = if arms.len() == 2 { [0, 1, 1, 0][n % 4] } else { 0 };
        let fresh;
        let (home, topic, make, partition) = match partitions {
            Some(partitions) => (&homes[at], "many", false, partitions - 1),
            None => {
                fresh = home(arms[at], run, &format!("empty-{n}"))?;
                (&fresh, "first", true, 0)
            }
        };
        let begin = Instant::now();
        let mut server = home.start()?;
        server.first_ack(topic, make, partition)?;
        let ms = begin.elapsed().as_secs_f64() * 1e3;
        println!("start {n} {} {ms:.0} ms", arms[at].name());
        seen.push((arms[at], ms));
        server.stop()?;
    }
    let of = |arm| median(&seen.iter().filter(|(a, _)| *a == arm).map(|(_, ms)| *ms).collect::<Vec<_>>());
    let pairs: Vec<(f64, f64)> = seen
        .chunks_exact(arms.len())
        .filter(|pair| pair.len() == 2)
        .map(|pair| if pair[0].0 == Arm::Ouzel { (pair[0].1, pair[1].1) } else { (pair[1].1, pair[0].1) })
        .collect();
    Ok(vec![Line {
        row: name.into(),
        metric: "start to first acknowledged produce, ms".into(),
        ouzel: of(Arm::Ouzel),
        kafka: of(Arm::Kafka),
        ratio: median_ratio(&pairs),
        notes: "after an orderly stop; files in the page cache".into(),
    }])
}

/// Bytes that a restarted broker holds.
const HELD_BYTES: u64 = 10 << 30;
/// Restarts of each broker: one takes Kafka up to half a minute.
const RESTARTS: usize = 3;

/// Milliseconds from the start after a kill -9 until every partition acknowledges.
pub fn restart(name: &str, run: &Run, partitions: i32) -> Result<Vec<Line>> {
    let arms = run.arms();
    let (partitions, bytes) = if run.smoke { (partitions.min(20), 32 << 20) } else { (partitions, HELD_BYTES) };
    let needed = arms.len() as u64 * (bytes / 4 * 5) + (4 << 30);
    ensure!(machine::disk_free(&run.work)? >= needed, "the row needs {} GiB of disk", needed >> 30);
    let mut medians = Vec::new();
    for &arm in &arms {
        // Synced while it's filled would take Kafka long and changes nothing here.
        let home =
            Home::prepare(run.kind(arm, false, &[])?, run.work.join(format!("{arm:?}-held").to_lowercase()), &[])?;
        let mut server = home.start()?;
        server.first_ack("first", true, 0)?;
        let segments: &[(&str, &str)] = if partitions > 1 { &[("segment.bytes", "1048576")] } else { &[] };
        create_topic_with(server.addr, "held", partitions, segments)?;
        let fill = Options {
            partitions,
            spread: true,
            connections: partitions.min(4) as usize,
            depth: 4,
            shape: Shape { records: 63, value_bytes: 1024, keyed: false },
            warm: Duration::ZERO,
            window: Duration::from_secs(300),
            bytes_max: bytes,
            ..Options::new(server.addr, "held")
        };
        let filled = load::run(&fill, &mut |_| ())?;
        println!("{} holds {:.1} GB", arm.name(), filled.bytes as f64 / 1e9);
        let mut times = Vec::new();
        for n in 0..if run.smoke { 1 } else { RESTARTS } {
            server.all_ack("held", partitions)?;
            server.kill()?;
            let begin = Instant::now();
            server = home.start()?;
            server.all_ack("held", partitions)?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
            println!("restart {n} {} {:.0} ms", arm.name(), times[n]);
        }
        server.kill()?;
        medians.push(median(&times));
    }
    Ok(vec![Line {
        row: name.into(),
        metric: "kill -9 and start to an acknowledged produce in every partition, ms".into(),
        ouzel: medians[0],
        kafka: medians.get(1).copied().flatten(),
        ratio: None,
        notes: format!("median of {RESTARTS}; files in the page cache as the kernel left them"),
    }])
}

fn home(arm: Arm, run: &Run, what: &str) -> Result<Home> {
    Home::prepare(run.kind(arm, true, &[])?, run.work.join(format!("{arm:?}-{what}").to_lowercase()), &[])
}

/// One broker at rest.
#[derive(Clone, Copy)]
struct Rest {
    rss: f64,
    cpu_percent: f64,
    descriptors: f64,
}

fn rest(server: &Server, run: &Run) -> Result<Rest> {
    let pid = server.pid();
    std::thread::sleep(run.seconds(5));
    let (before, begin) = (Cpu::of(pid)?, Instant::now());
    std::thread::sleep(run.seconds(20));
    let cpu = Cpu::of(pid)?.since(&before);
    Ok(Rest {
        rss: machine::resident(pid)? as f64,
        cpu_percent: cpu / begin.elapsed().as_secs_f64() * 100.0,
        descriptors: machine::descriptors(pid)? as f64,
    })
}

/// Memory, CPU and descriptors at rest.
pub fn idle(name: &str, run: &Run) -> Result<Vec<Line>> {
    let mut columns = Vec::new();
    for arm in run.arms() {
        columns.push(idle_of(arm, run).with_context(|| arm.name())?);
    }
    let metrics = columns[0].iter().map(|(metric, _)| *metric);
    Ok(metrics
        .enumerate()
        .map(|(n, metric)| Line {
            row: name.into(),
            metric: metric.into(),
            ouzel: Some(columns[0][n].1),
            kafka: columns.get(1).map(|column| column[n].1),
            ratio: None,
            notes: "one sample; CPU over 20 s".into(),
        })
        .collect())
}

fn idle_of(arm: Arm, run: &Run) -> Result<Vec<(&'static str, f64)>> {
    let started = |what| -> Result<Server> {
        let mut server = home(arm, run, what)?.start()?;
        server.first_ack("first", true, 0)?;
        Ok(server)
    };
    // A broker for each, so that memory let go by one thing can't hide what another takes.
    let server = started("partitions")?;
    let empty = rest(&server, run)?;
    let count = if run.smoke { 50 } else { PARTITIONS };
    create_topic(server.addr, "many", count)?;
    let full = rest(&server, run)?;
    server.stop()?;

    let server = started("connections")?;
    let alone = rest(&server, run)?;
    let connections = if run.smoke { 20 } else { CONNECTIONS.min(machine::descriptors_max().saturating_sub(200)) };
    let hold = Options {
        mode: Mode::Idle,
        connections,
        warm: run.seconds(3),
        window: Duration::ZERO,
        ..Options::new(server.addr, "first")
    };
    let mut connected = None;
    load::run(&hold, &mut |edge| {
        if edge == Edge::Begin {
            connected = Some(rest(&server, run));
        }
    })?;
    let connected = connected.context("nothing was held")??;
    server.stop()?;
    let per = |a: f64, b: f64, n: f64| (b - a) / n;
    Ok(vec![
        ("RSS empty, MB", empty.rss / 1e6),
        ("CPU empty, % of a core", empty.cpu_percent),
        ("RSS per idle partition of 1,000, KiB", per(empty.rss, full.rss, f64::from(count)) / 1024.0),
        ("descriptors per idle partition", per(empty.descriptors, full.descriptors, f64::from(count))),
        ("CPU with 1,000 partitions, % of a core", full.cpu_percent),
        ("RSS per idle connection of up to 1,000, KiB", per(alone.rss, connected.rss, connections as f64) / 1024.0),
        ("CPU with the connections, % of a core", connected.cpu_percent),
    ])
}

/// The binary's size.
pub fn binary_size(name: &str, run: &Run) -> Result<Vec<Line>> {
    let bytes = file_bytes(&run.ouzel)?;
    let text = fs::canonicalize(&run.ouzel)?;
    println!("{}: {bytes} bytes", text.display());
    Ok(vec![Line {
        row: name.into(),
        metric: "binary, MB".into(),
        ouzel: Some(bytes as f64 / 1e6),
        notes: "release profile, stripped".into(),
        ..Line::default()
    }])
}
