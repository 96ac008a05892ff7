//! The load generator: N connections, a closed loop by depth or an open loop by intended send times.
//!
//! In an open loop a request's latency counts from when it should have been sent, so that a broker that stalls isn't spared the
//! requests that a waiting generator would have held back (no coordinated omission).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use ouzel_records::{batches, records};
use ouzel_wire::fetch::FetchResponse;

use crate::batches::{CORRELATION_ID, FETCH, Shape, batch, fetch, produce};
use crate::conn::{Conn, acknowledged, check, decode, leaders};

/// Requests of an open loop that were sent and not answered, per connection, at most.
const OPEN_LOOP_UNANSWERED_MAX: usize = 100_000;
/// Below this a sender spins instead of sleeping: a sleep ends up to 60 us late.
const SPIN: Duration = Duration::from_micros(80);

/// What the connections do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write one pre-encoded batch over and over.
    Produce,
    /// Read a topic from its start, again when its end is reached.
    Fetch,
    /// Write, and one reader per partition that tails. The topic must be new.
    Mixed,
    /// Ask once, then hold still.
    Idle,
}

/// What to do and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// The broker; it must lead all partitions.
    pub addr: SocketAddr,
    /// A topic that exists.
    pub topic: String,
    /// Its partitions, > 0; connection n uses partition n modulo this.
    pub partitions: i32,
    /// What to do.
    pub mode: Mode,
    /// Connections don't stay with one partition but write to all of theirs (n, n + connections, ...) in turn.
    pub spread: bool,
    /// Connections (and threads), > 0.
    pub connections: usize,
    /// Closed loop: requests sent and not answered, per connection, > 0.
    pub depth: usize,
    /// Open loop: requests per second over all connections. Closed without.
    pub rate: Option<f64>,
    /// What is written.
    pub shape: Shape,
    /// -1 or 1.
    pub acks: i16,
    /// Before the window.
    pub warm: Duration,
    /// Longest window.
    pub window: Duration,
    /// Bytes of batches after which the window ends; warming up ends after a quarter of them.
    pub bytes_max: u64,
}

impl Options {
    /// One connection, one request at a time, one record of 100 bytes, acks=all.
    pub fn new(addr: SocketAddr, topic: &str) -> Options {
        Options {
            addr,
            topic: topic.into(),
            partitions: 1,
            spread: false,
            mode: Mode::Produce,
            connections: 1,
            depth: 1,
            rate: None,
            shape: Shape { records: 1, value_bytes: 100, keyed: true },
            acks: -1,
            warm: Duration::from_secs(1),
            window: Duration::from_secs(8),
            bytes_max: 1 << 30,
        }
    }
}

/// An end of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Counting begins.
    Begin,
    /// Counting has ended.
    End,
}

/// What one window showed.
#[derive(Clone, Debug)]
pub struct Report {
    /// Length of the window.
    pub seconds: f64,
    /// Answers in it (open loop: of requests due in it).
    pub requests: u64,
    /// Bytes of batches written or read in it.
    pub bytes: u64,
    /// Requests due in it that weren't even sent: the broker couldn't keep up.
    pub unsent: u64,
    /// Request to answer, us.
    pub answer: Histogram<u64>,
    /// Before the write to behind the read, us; mixed mode only.
    pub end_to_end: Histogram<u64>,
}

impl Report {
    /// 10^6 bytes per second.
    pub fn mb_per_s(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.seconds
    }

    /// Answers per second.
    pub fn per_s(&self) -> f64 {
        self.requests as f64 / self.seconds
    }
}

/// From a microsecond to two minutes, three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).expect("these bounds are good")
}

#[derive(Debug)]
struct Tally {
    requests: u64,
    bytes: u64,
    unsent: u64,
    answer: Histogram<u64>,
    end_to_end: Histogram<u64>,
}

impl Tally {
    fn new() -> Tally {
        Tally { requests: 0, bytes: 0, unsent: 0, answer: histogram(), end_to_end: histogram() }
    }

    fn answered(&mut self, bytes: u64, since: Duration) {
        self.requests += 1;
        self.bytes += bytes;
        self.answer.saturating_record(micros(since));
    }

    fn add(&mut self, other: &Tally) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.unsent += other.unsent;
        // Same bounds everywhere.
        let _ = self.answer.add(&other.answer);
        let _ = self.end_to_end.add(&other.end_to_end);
    }
}

fn micros(d: Duration) -> u64 {
    d.as_micros() as u64
}

struct Shared {
    options: Options,
    measuring: AtomicBool,
    stop: AtomicBool,
    bytes: AtomicU64,
    connected: Barrier,
    start: OnceLock<Instant>,
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn measuring(&self) -> bool {
        self.measuring.load(Ordering::Relaxed)
    }

    /// When all connections stood.
    fn start(&self) -> Instant {
        *self.start.get_or_init(Instant::now)
    }

    /// Whether an intended time lies in the window; the end is exclusive.
    fn due_in_window(&self, at: Instant) -> bool {
        let begin = self.start() + self.options.warm;
        begin <= at && at < begin + self.options.window
    }
}

/// Runs one window. `edge` is called on the calling thread at both ends of it.
pub fn run(options: &Options, edge: &mut dyn FnMut(Edge)) -> Result<Report> {
    ensure!(options.connections > 0 && options.depth > 0 && options.partitions > 0, "nothing to do");
    ensure!(options.acks == -1 || options.acks == 1, "acks {}: an answer is needed", options.acks);
    let readers = if options.mode == Mode::Mixed { options.partitions as usize } else { 0 };
    let shared = Arc::new(Shared {
        options: options.clone(),
        measuring: AtomicBool::new(false),
        stop: AtomicBool::new(false),
        bytes: AtomicU64::new(0),
        connected: Barrier::new(options.connections + readers + 1),
        start: OnceLock::new(),
    });
    // Connected here, so that no thread can leave the others waiting at the barrier.
    let mut conns = Vec::with_capacity(options.connections + readers);
    for n in 0..options.connections + readers {
        conns.push(Conn::open(options.addr).with_context(|| format!("connection {n}"))?);
    }
    let mut workers = Vec::new();
    for (n, conn) in conns.into_iter().enumerate() {
        let shared = shared.clone();
        let reader = n >= options.connections;
        let work = move || {
            let done = work(n, conn, reader, &shared);
            if done.is_err() {
                shared.stop.store(true, Ordering::Relaxed);
            }
            done
        };
        // Idle connections can be many: their threads need no deep stack.
        workers.push(thread::Builder::new().stack_size(512 << 10).spawn(work)?);
    }
    shared.connected.wait();
    let begin = shared.start() + options.warm;
    let over = |bytes_max| shared.stopped() || shared.bytes.load(Ordering::Relaxed) >= bytes_max;
    while Instant::now() < begin && !over(options.bytes_max / 4) {
        thread::sleep(Duration::from_millis(2).min(begin.saturating_duration_since(Instant::now())));
    }
    edge(Edge::Begin);
    shared.bytes.store(0, Ordering::Relaxed);
    shared.measuring.store(true, Ordering::Relaxed);
    let opened = Instant::now();
    while opened.elapsed() < options.window && !over(options.bytes_max) {
        thread::sleep(Duration::from_millis(2));
    }
    shared.measuring.store(false, Ordering::Relaxed);
    let seconds = opened.elapsed().as_secs_f64();
    edge(Edge::End);
    shared.stop.store(true, Ordering::Relaxed);
    let mut all = Tally::new();
    for worker in workers {
        all.add(&worker.join().map_err(|_| anyhow!("a connection's thread panicked"))??);
    }
    let Tally { requests, bytes, unsent, answer, end_to_end } = all;
    Ok(Report { seconds, requests, bytes, unsent, answer, end_to_end })
}

fn work(n: usize, mut conn: Conn, reader: bool, shared: &Arc<Shared>) -> Result<Tally> {
    let options = &shared.options;
    let partition = (n % options.partitions as usize) as i32;
    if options.mode == Mode::Idle {
        let asked = leaders(&mut conn, &options.topic);
        shared.connected.wait();
        asked?;
        while !shared.stopped() {
            thread::sleep(Duration::from_millis(50));
        }
        return Ok(Tally::new());
    }
    shared.connected.wait();
    match (options.mode, options.rate) {
        (Mode::Fetch, _) => read(conn, partition, true, shared),
        (Mode::Mixed, _) if reader => {
            read(conn, ((n - options.connections) % options.partitions as usize) as i32, false, shared)
        }
        (_, Some(rate)) => write_open(n, conn, partition, rate, shared),
        (_, None) => write_closed(conn, partition, shared),
    }
}

/// A Produce request that is sent over and over.
struct Template {
    frame: Vec<u8>,
    batch_bytes: u64,
    partition: i32,
    /// Where the partition's number stands in the frame.
    place: usize,
    id: i32,
}

impl Template {
    fn new(partition: i32, shared: &Shared) -> Result<Template> {
        let options = &shared.options;
        let batch = batch(options.shape, mark(shared, Instant::now()));
        let batch_bytes = batch.len() as u64;
        // All bits of the number differ from those of the other one.
        let other = produce(&options.topic, !partition, options.acks, batch.clone())?;
        let frame = produce(&options.topic, partition, options.acks, batch)?;
        let place = frame.iter().zip(&other).position(|(a, b)| a != b).context("no partition in a request")?;
        Ok(Template { frame, batch_bytes, partition, place, id: 0 })
    }

    /// The next request's frame, with its correlation id. In mixed mode its records carry when it was due.
    fn next(&mut self, due: Instant, shared: &Shared) -> Result<(&[u8], i32)> {
        let options = &shared.options;
        if options.mode == Mode::Mixed {
            let batch = batch(options.shape, mark(shared, due));
            self.frame = produce(&options.topic, self.partition, options.acks, batch)?;
        }
        self.id = self.id.wrapping_add(1);
        if options.spread {
            let partition = self.partition.to_be_bytes();
            self.frame[self.place..self.place + partition.len()].copy_from_slice(&partition);
            let step = options.connections as i32;
            self.partition =
                if self.partition + step < options.partitions { self.partition + step } else { self.partition % step };
        }
        self.frame[CORRELATION_ID].copy_from_slice(&self.id.to_be_bytes());
        Ok((&self.frame, self.id))
    }
}

/// Nanoseconds from the start, which all threads share.
fn mark(shared: &Shared, at: Instant) -> u64 {
    at.saturating_duration_since(shared.start()).as_nanos() as u64
}

fn write_closed(mut conn: Conn, partition: i32, shared: &Shared) -> Result<Tally> {
    let mut tally = Tally::new();
    let mut template = Template::new(partition, shared)?;
    let mut sent = VecDeque::new();
    loop {
        while sent.len() < shared.options.depth && !shared.stopped() {
            let now = Instant::now();
            let (frame, id) = template.next(now, shared)?;
            conn.send(frame)?;
            sent.push_back((id, now));
        }
        let Some((id, at)) = sent.pop_front() else { return Ok(tally) };
        conn.receive(|frame| acknowledged(frame, id))?;
        let since = at.elapsed();
        shared.bytes.fetch_add(template.batch_bytes, Ordering::Relaxed);
        if shared.measuring() {
            tally.answered(template.batch_bytes, since);
        }
    }
}

fn write_open(n: usize, conn: Conn, partition: i32, rate: f64, shared: &Arc<Shared>) -> Result<Tally> {
    ensure!(rate > 0.0, "a rate of {rate}");
    let mut template = Template::new(partition, shared)?;
    let batch_bytes = template.batch_bytes;
    let (due, answers) = mpsc::sync_channel::<(i32, Instant)>(OPEN_LOOP_UNANSWERED_MAX);
    let mut receiver = conn.split()?;
    let listener = {
        let shared = shared.clone();
        move || -> Result<Tally> {
            let mut tally = Tally::new();
            for (id, at) in answers {
                receiver.receive(|frame| acknowledged(frame, id))?;
                shared.bytes.fetch_add(batch_bytes, Ordering::Relaxed);
                if shared.due_in_window(at) {
                    tally.answered(batch_bytes, at.elapsed());
                }
            }
            Ok(tally)
        }
    };
    let listener = thread::Builder::new().stack_size(512 << 10).spawn(listener)?;
    let every = Duration::from_secs_f64(shared.options.connections as f64 / rate);
    // Connections take turns.
    let mut at = shared.start() + every.mul_f64(n as f64 / shared.options.connections as f64);
    let sent = send_on_time(conn, &mut template, &mut at, every, &due, shared);
    drop(due);
    let mut tally = listener.join().map_err(|_| anyhow!("a listener panicked"))??;
    sent?;
    let end = Instant::now();
    while at < end {
        tally.unsent += u64::from(shared.due_in_window(at));
        at += every;
    }
    Ok(tally)
}

fn send_on_time(
    mut conn: Conn,
    template: &mut Template,
    at: &mut Instant,
    every: Duration,
    due: &mpsc::SyncSender<(i32, Instant)>,
    shared: &Shared,
) -> Result<()> {
    loop {
        while let Some(left) = at.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if shared.stopped() {
                return Ok(());
            }
            if left > SPIN {
                thread::sleep((left - SPIN).min(Duration::from_millis(20)));
            } else {
                std::hint::spin_loop();
            }
        }
        if shared.stopped() {
            return Ok(());
        }
        let (frame, id) = template.next(*at, shared)?;
        conn.send(frame)?;
        if due.send((id, *at)).is_err() {
            // The listener has ended, with its error.
            return Ok(());
        }
        *at += every;
    }
}

fn read(mut conn: Conn, partition: i32, again: bool, shared: &Shared) -> Result<Tally> {
    let mut tally = Tally::new();
    let (mut offset, mut id) = (0, 0);
    while !shared.stopped() {
        id += 1;
        let sent = Instant::now();
        conn.send(&fetch(&shared.options.topic, partition, offset, id)?)?;
        let seen = conn.receive(|frame| look(frame, id, offset, shared, (!again).then_some(&mut tally.end_to_end)))?;
        let since = sent.elapsed();
        if again && seen.bytes == 0 && offset == 0 {
            bail!("nothing to read in partition {partition}");
        }
        offset = if again && seen.at_end { 0 } else { seen.next };
        if again {
            shared.bytes.fetch_add(seen.bytes, Ordering::Relaxed);
            if shared.measuring() {
                tally.answered(seen.bytes, since);
            }
        }
    }
    Ok(tally)
}

struct Seen {
    bytes: u64,
    next: i64,
    at_end: bool,
}

/// What an answer to a fetch holds, from `offset` on.
fn look(frame: &Bytes, id: i32, offset: i64, shared: &Shared, mut marks: Option<&mut Histogram<u64>>) -> Result<Seen> {
    let answer: FetchResponse = decode(frame, FETCH, id)?;
    check(answer.error_code, "fetch")?;
    let mut seen = Seen { bytes: 0, next: offset, at_end: true };
    for partition in answer.responses.iter().flat_map(|topic| &topic.partitions) {
        check(partition.error_code, "fetch")?;
        for slice in partition.records.iter().flat_map(|records| &records.0) {
            seen.bytes += slice.len() as u64;
            // The last batch may be cut off, as the protocol allows.
            for batch in batches(slice).map_while(Result::ok) {
                seen.next = batch.next_offset().0;
                let Some(histogram) = marks.as_deref_mut() else { continue };
                let Some(Ok(record)) = records(&batch, batch.records()).next() else { continue };
                let Some(mark) = record.value.and_then(|value| value.first_chunk::<8>()) else { continue };
                let due = shared.start() + Duration::from_nanos(u64::from_be_bytes(*mark));
                if shared.due_in_window(due) {
                    histogram.saturating_record(micros(due.elapsed()));
                }
            }
        }
        seen.at_end = seen.next >= partition.high_watermark;
    }
    Ok(seen)
}
