//! Rows under load: windows of both brokers in the order A B B A, with controls before each.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::{Arm, Run};
use crate::batches::Shape;
use crate::conn::create_topic;
use crate::control::{self, Control};
use crate::load::{self, Edge, Mode, Options, Report};
use crate::machine::{self, Cpu};
use crate::report::Line;
use crate::server::{Home, Server};
use crate::stats::{median, median_ratio};

/// Bytes a topic has that is read again and again from memory, and of one that is read once from disk.
const DRAINED_BYTES: u64 = 128 << 20;
const DRAINED_FROM_DISK: u64 = 2 << 30;
/// Waiting cores in the last 10 s, percent, above which a window isn't admitted.
const PRESSURE_MAX: f64 = 15.0;
/// Time the host took, share, above which a window is dropped.
const STEAL_MAX: f64 = 0.01;
/// How far a window's control may lie off the run's median.
const CONTROL_DRIFT_MAX: f64 = 0.25;
/// How long a window waits for a quiet machine.
const QUIET_WAIT_MAX: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
enum Metric {
    CpuPerGb,
    MbPerS,
    CpuUsPerRequest,
    RequestsPerS,
    P50,
    P99,
    BehindAck,
}

impl Metric {
    fn name(self) -> &'static str {
        match self {
            Metric::CpuPerGb => "broker CPU-s/GB",
            Metric::MbPerS => "MB/s",
            Metric::CpuUsPerRequest => "broker CPU-us/request",
            Metric::RequestsPerS => "requests/s",
            Metric::P50 => "answer p50, us",
            Metric::P99 => "answer p99, us",
            Metric::BehindAck => "end to end p50 - answer p50, us",
        }
    }

    fn of(self, report: &Report, cpu: f64) -> f64 {
        match self {
            Metric::CpuPerGb => cpu / (report.bytes as f64 / 1e9),
            Metric::MbPerS => report.mb_per_s(),
            Metric::CpuUsPerRequest => cpu * 1e6 / report.requests as f64,
            Metric::RequestsPerS => report.per_s(),
            Metric::P50 => report.answer.value_at_quantile(0.5) as f64,
            Metric::P99 => report.answer.value_at_quantile(0.99) as f64,
            Metric::BehindAck => {
                report.end_to_end.value_at_quantile(0.5) as f64 - report.answer.value_at_quantile(0.5) as f64
            }
        }
    }
}

/// A row under load.
#[derive(Clone, Copy)]
pub struct Plan {
    mode: Mode,
    durable: bool,
    /// Broker on core 0 with one shard, generator on core 1.
    apart: bool,
    /// What is read comes from the disk, once a window.
    cold: bool,
    /// Open loop, requests per second.
    rate: Option<f64>,
    partitions: i32,
    connections: usize,
    depth: usize,
    shape: Shape,
    metrics: &'static [Metric],
}

/// The plan of a row under load.
pub fn plan(name: &str, _: &Run) -> Option<Plan> {
    use Metric::*;
    // 63 of them and their headers fill 64 KiB.
    let large = Shape { records: 63, value_bytes: 1024, keyed: false };
    let single = Shape { records: 1, value_bytes: 100, keyed: true };
    let produce = Plan {
        mode: Mode::Produce,
        durable: true,
        apart: false,
        cold: false,
        rate: None,
        partitions: 4,
        connections: 4,
        depth: 4,
        shape: large,
        metrics: &[CpuPerGb, MbPerS, P50, P99],
    };
    let alone = Plan {
        apart: true,
        partitions: 1,
        connections: 1,
        depth: 1,
        shape: single,
        metrics: &[CpuUsPerRequest, P50, P99],
        ..produce
    };
    let crowd = Plan {
        connections: 50,
        depth: 1,
        shape: single,
        metrics: &[CpuUsPerRequest, RequestsPerS, P50, P99],
        ..produce
    };
    let drain = Plan { mode: Mode::Fetch, durable: false, depth: 1, metrics: &[CpuPerGb, MbPerS, P99], ..produce };
    Some(match name {
        "produce-1k-64k-durable" => produce,
        "produce-1k-64k-cached" => Plan { durable: false, ..produce },
        "single-record-durable" => alone,
        "single-record-cached" => Plan { durable: false, ..alone },
        "single-50conn-durable" => crowd,
        "single-50conn-cached" => Plan { durable: false, ..crowd },
        "open-1000" => {
            Plan { mode: Mode::Mixed, rate: Some(1_000.0), metrics: &[P50, P99, BehindAck, CpuUsPerRequest], ..alone }
        }
        "drain-memory" => drain,
        "drain-disk" => Plan { cold: true, ..drain },
        _ => return None,
    })
}

impl Plan {
    /// Bytes of the topic that is read.
    fn drained(&self, run: &Run) -> u64 {
        match (run.smoke, self.cold) {
            (true, _) => 8 << 20,
            (false, true) => DRAINED_FROM_DISK,
            (false, false) => DRAINED_BYTES,
        }
    }
}

struct Broker {
    arm: Arm,
    home: Home,
    server: Server,
}

struct Window {
    arm: Arm,
    values: Vec<f64>,
    control: Control,
    dropped: Option<String>,
}

/// Measures it.
pub fn measure(name: &str, plan: &Plan, run: &Run) -> Result<Vec<Line>> {
    let arms = run.arms();
    let windows = run.pairs * arms.len();
    room_on_disk(plan, run, windows)?;
    let filled = if run.smoke { 0 } else { control::fill_page_cache(&run.work, u64::MAX)? };
    let plain = control::plain_write(&run.work, if run.smoke { 16 << 20 } else { 256 << 20 })?;
    println!("page cache filled with {} MiB; plain writes take {plain:.2} CPU-s/GB", filled >> 20);
    let mut brokers = Vec::new();
    for &arm in &arms {
        brokers.push(broker(arm, plan, run)?);
    }
    let mut seen: Vec<Window> = Vec::with_capacity(windows);
    for n in 0..windows {
        // A B B A A B B A
        let broker = &brokers[if brokers.len() == 2 { [0, 1, 1, 0][n % 4] } else { 0 }];
        seen.push(window(n, broker, plan, run)?);
    }
    for broker in brokers {
        broker.server.stop()?;
    }
    judge_controls(plan, run, &mut seen);
    for window in &seen {
        if let Some(why) = &window.dropped {
            println!("dropped: a window of {}: {why}", window.arm.name());
        }
    }
    let notes = notes(plan, plain, &seen);
    Ok(plan.metrics.iter().enumerate().map(|(n, metric)| line(name, *metric, n, &arms, &seen, &notes)).collect())
}

/// A window's bytes at most: small requests can't write much, and their rows needn't have the disk for it.
fn window_bytes(plan: &Plan, run: &Run) -> u64 {
    if plan.shape.records == 1 { run.window_bytes.min(256 << 20) } else { run.window_bytes }
}

/// What the row may write must fit beside what others need.
fn room_on_disk(plan: &Plan, run: &Run, windows: usize) -> Result<()> {
    let written = if plan.mode == Mode::Fetch {
        2 * plan.drained(run)
    } else {
        window_bytes(plan, run) / 4 * 5 * (windows as u64 + 2)
    };
    let (needed, free) = (written + (8 << 30), machine::disk_free(&run.work)?);
    ensure!(run.smoke || free >= needed, "the row needs {} GiB of disk, {} are free", needed >> 30, free >> 30);
    ensure!(!plan.apart || machine::cores() > 1, "broker and generator apart need two cores");
    ensure!(written <= 40 << 30, "a row writes 40 GiB at most: fewer --pairs or --mib");
    Ok(())
}

fn broker(arm: Arm, plan: &Plan, run: &Run) -> Result<Broker> {
    let caching: &[&str] = if plan.durable { &[] } else { &["--set", "log.write.caching=true"] };
    let cores: &[&str] = if plan.apart { &["--cores", "1"] } else { &[] };
    let kind = run.kind(arm, plan.durable, &[caching, cores].concat())?;
    let under: &[&str] = if plan.apart { &["taskset", "-c", "0"] } else { &[] };
    let home = Home::prepare(kind, run.work.join(format!("{arm:?}").to_lowercase()), under)?;
    let mut server = home.start()?;
    server.first_ack("first", true, 0)?;
    if plan.mode == Mode::Fetch {
        create_topic(server.addr, "drained", plan.partitions)?;
        let fill = Options {
            mode: Mode::Produce,
            bytes_max: plan.drained(run),
            warm: Duration::ZERO,
            window: Duration::from_secs(120),
            ..options(plan, &server, "drained")
        };
        load::run(&fill, &mut |_| ())?;
    }
    let broker = Broker { arm, home, server };
    warm_up(&broker, plan, run)?;
    Ok(broker)
}

fn options(plan: &Plan, server: &Server, topic: &str) -> Options {
    Options {
        partitions: plan.partitions,
        mode: plan.mode,
        connections: plan.connections,
        depth: plan.depth,
        rate: plan.rate,
        shape: plan.shape,
        ..Options::new(server.addr, topic)
    }
}

/// A JVM needs a minute and two million records to compile what it runs; spread over that minute, so that it stays within a
/// window's bytes. Small requests can't give so many in bounded time.
fn warm_up(broker: &Broker, plan: &Plan, run: &Run) -> Result<()> {
    let (window, bytes_max) = match (broker.arm, plan.mode) {
        (Arm::Kafka, Mode::Fetch) => (run.seconds(60), u64::MAX),
        (Arm::Kafka, _) => (run.seconds(60), 2_200 << 20),
        (Arm::Ouzel, _) => (run.seconds(3), window_bytes(plan, run)),
    };
    let mut topic = "drained";
    if plan.mode != Mode::Fetch {
        topic = "warm-up";
        create_topic(broker.server.addr, topic, plan.partitions)?;
    }
    let batch = plan.shape.records * plan.shape.value_bytes;
    let rate = match broker.arm {
        Arm::Kafka if plan.mode == Mode::Produce && plan.shape.records > 1 && !run.smoke => {
            Some((2_200u64 << 20) as f64 / batch as f64 / 60.0)
        }
        _ => plan.rate,
    };
    let warm = Options { warm: Duration::ZERO, window, bytes_max, rate, ..options(plan, &broker.server, topic) };
    load::run(&warm, &mut |_| ()).map(drop)
}

fn window(n: usize, broker: &Broker, plan: &Plan, run: &Run) -> Result<Window> {
    let control = control::run(&run.work, if run.smoke { Duration::from_millis(200) } else { Duration::from_secs(2) })?;
    let mut dropped = None;
    if !run.smoke
        && let Some(pressure) = quiet()
    {
        dropped = Some(format!("cores were waited for {pressure:.0} % of the time before it"));
    }
    let mut topic = "drained".to_owned();
    if plan.cold {
        machine::forget_files(broker.home.dir())?;
    }
    if plan.mode != Mode::Fetch {
        // Fresh for each window; nothing is deleted before the end.
        topic = format!("window-{n}");
        create_topic(broker.server.addr, &topic, plan.partitions)?;
    }
    let options = Options {
        warm: if plan.cold { Duration::ZERO } else { run.seconds(1) },
        window: run.seconds(8),
        bytes_max: if plan.cold { plan.drained(run) } else { window_bytes(plan, run) },
        ..options(plan, &broker.server, &topic)
    };
    let pid = broker.server.pid();
    let (mut cpu, mut ticks) = ([None, None], [(0, 0); 2]);
    if plan.apart {
        machine::pin_self("1")?;
    }
    let report = load::run(&options, &mut |edge| {
        let n = usize::from(edge == Edge::End);
        (cpu[n], ticks[n]) = (Some(Cpu::of(pid)), machine::ticks());
    });
    if plan.apart {
        // Controls have the whole machine.
        machine::pin_self(&format!("0-{}", machine::cores() - 1))?;
    }
    let report = report?;
    ensure!(report.requests > 0, "{} answered nothing in a window", broker.arm.name());
    let [Some(before), Some(after)] = cpu else { bail!("a window without ends") };
    let cpu = after?.since(&before?);
    let steal = (ticks[1].1 - ticks[0].1) as f64 / (ticks[1].0 - ticks[0].0).max(1) as f64;
    if steal > STEAL_MAX {
        dropped.get_or_insert(format!("the host took {:.1} % of the time", steal * 100.0));
    }
    let values: Vec<f64> = plan.metrics.iter().map(|metric| metric.of(&report, cpu)).collect();
    print!("window {n} {} {:.1} s", broker.arm.name(), report.seconds);
    plan.metrics.iter().zip(&values).for_each(|(metric, value)| print!(" · {} {value:.2}", metric.name()));
    println!();
    Ok(Window { arm: broker.arm, values, control, dropped })
}

/// Waits for a quiet machine; the pressure if it doesn't come.
pub(super) fn quiet() -> Option<f64> {
    let end = Instant::now() + QUIET_WAIT_MAX;
    loop {
        let pressure = machine::cpu_pressure().filter(|p| *p > PRESSURE_MAX)?;
        if Instant::now() >= end {
            return Some(pressure);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// The control that a row depends on most.
fn denominator(plan: &Plan, control: &Control) -> f64 {
    if plan.durable { control.sync_p50 } else { control.copy_mb_per_s }
}

fn judge_controls(plan: &Plan, run: &Run, seen: &mut [Window]) {
    let all: Vec<f64> = seen.iter().map(|window| denominator(plan, &window.control)).collect();
    let Some(middle) = median(&all) else { return };
    for (window, value) in seen.iter_mut().zip(all) {
        if !run.smoke && (value / middle - 1.0).abs() > CONTROL_DRIFT_MAX {
            window.dropped.get_or_insert(format!("its control gave {value:.0}, the run's median is {middle:.0}"));
        }
    }
}

fn notes(plan: &Plan, plain: f64, seen: &[Window]) -> String {
    let over = |of: fn(&Control) -> f64| {
        median(&seen.iter().map(|window| of(&window.control)).collect::<Vec<_>>()).unwrap_or_default()
    };
    let arm = match (plan.mode, plan.durable) {
        (Mode::Fetch, _) if plan.cold => "from disk, one pass a window",
        (Mode::Fetch, _) => "from memory",
        (_, true) => "synced",
        (_, false) => "cached",
    };
    let place = if plan.apart { "pinned apart, 1 shard" } else { "unpinned" };
    format!(
        "{arm}, {place}; RAW sync p50 {:.0} p99 {:.0} us, echo {:.0} us, loopback {:.0} MB/s {:.2} CPU-s/GB, plain write {plain:.2} CPU-s/GB{}",
        over(|c| c.sync_p50),
        over(|c| c.sync_p99),
        over(|c| c.echo_p50),
        over(|c| c.copy_mb_per_s),
        over(|c| c.copy_cpu_per_gb),
        if plain > 0.3 { " (page cache not filled)" } else { "" }
    )
}

fn line(name: &str, metric: Metric, n: usize, arms: &[Arm], seen: &[Window], notes: &str) -> Line {
    let fine = |window: &&Window| window.dropped.is_none();
    let of =
        |arm: Arm| median(&seen.iter().filter(fine).filter(|w| w.arm == arm).map(|w| w.values[n]).collect::<Vec<_>>());
    let pairs: Vec<(f64, f64)> = seen
        .chunks_exact(arms.len())
        .filter(|pair| pair.len() == 2 && pair.iter().all(|window| window.dropped.is_none()))
        .map(|pair| match pair[0].arm {
            Arm::Ouzel => (pair[0].values[n], pair[1].values[n]),
            Arm::Kafka => (pair[1].values[n], pair[0].values[n]),
        })
        .collect();
    Line {
        row: name.into(),
        metric: metric.name().into(),
        ouzel: of(Arm::Ouzel),
        kafka: of(Arm::Kafka),
        ratio: median_ratio(&pairs),
        notes: notes.into(),
    }
}
