//! Kills and power cuts on the simulated disk: nothing that was acknowledged is lost, nothing that was cut comes back.
//!
//! A model holds, per log, the state that the last acknowledged ticket stands for and every operation since. What a start
//! recovers must be the state after one of them.

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use common::batch;
use ouzel_log::*;
use ouzel_model::{Index, Offset, ShardId, Term, Timestamp};
use ouzel_runtime::sim::{Damage, DiskFaults, Drive, Ended, HostSpec, Stream, World, WorldOptions};
use ouzel_runtime::{Class, Runtime};

const LOGS: u8 = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
struct E {
    term: u32,
    kind: Kind,
    base: i64,
    last: i64,
    payload: Vec<u8>,
}

/// A log's state: entries by index, values, log start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    entries: BTreeMap<u64, E>,
    states: BTreeMap<u8, Vec<u8>>,
    start: i64,
    exists: bool,
}

#[derive(Clone, Debug)]
struct Op {
    ticket: u64,
    synced: bool,
    cut: Option<u64>,
    append: Vec<(u64, E)>,
    state: Option<(u8, Vec<u8>)>,
    start: Option<i64>,
    reset: Option<Origin>,
}

impl Op {
    fn new(ticket: Ticket) -> Op {
        Op { ticket: ticket.0, synced: true, cut: None, append: Vec::new(), state: None, start: None, reset: None }
    }
    fn apply(&self, s: &mut State) {
        s.exists = true;
        if let Some(origin) = self.reset {
            s.entries.clear();
            s.start = origin.offset.0;
        }
        if let Some(from) = self.cut {
            s.entries.split_off(&from);
        }
        s.entries.extend(self.append.iter().cloned());
        s.states.extend(self.state.clone());
        s.start = self.start.unwrap_or(s.start).max(s.start);
    }
}

/// One log as the test knows it.
#[derive(Clone, Default)]
struct Model {
    /// Durable when this process began.
    base: State,
    ops: Vec<Op>,
    now: State,
    committed: u64,
    acked: u64,
    token: u64,
    /// Its removal was begun: it may be gone.
    removing: bool,
}

impl Model {
    fn note(&mut self, op: Op) {
        op.apply(&mut self.now);
        self.ops.push(op);
    }

    /// What must have survived: the state after the last acknowledged operation, and the operations behind it.
    fn survivors(&self, power_cut: bool) -> (State, Vec<Op>) {
        let sure = |op: &&Op| op.ticket <= self.acked && (op.synced || !power_cut);
        let upto = self.ops.iter().rev().find(sure).map_or(0, |op| op.ticket);
        let mut state = self.base.clone();
        self.ops.iter().filter(|op| op.ticket <= upto).for_each(|op| op.apply(&mut state));
        (state, self.ops.iter().filter(|op| op.ticket > upto).cloned().collect())
    }
}

/// What a start can say that is not "all is well".
enum Verdict {
    /// It serves something else than it should: always a failure.
    Wrong(String),
    /// It says itself that bytes are bad: right where they are.
    Reported(String),
}

impl From<ReadError> for Verdict {
    fn from(error: ReadError) -> Verdict {
        Verdict::Reported(error.to_string())
    }
}

struct Shared {
    logs: Vec<Model>,
    dice: Stream,
    power_cut: bool,
    /// No new operations: what was taken becomes durable and is marked so.
    quiet: bool,
    /// End cleanly.
    close: bool,
    wrong: Option<String>,
    reported: Option<String>,
    recoveries: u32,
    /// How many shards the next process has, each with its journal; `None`: one that never changes.
    shards: Option<u16>,
    /// Changes of their number.
    handed_over: u32,
}

type Model1 = Rc<RefCell<Shared>>;

fn id(n: u8) -> LogId {
    LogId([n; 20])
}

fn options(n: u8) -> LogOptions {
    LogOptions { dir: format!("topics/t/{n}"), name: format!("t/{n}"), segment_bytes: 48 << 10, segment_ms: 1 << 40 }
}

fn config() -> StoreConfig {
    let mut config = StoreConfig::new("/data".into(), ShardId(0), [7; 16]);
    config.journal_file_bytes = 64 << 10;
    config.journal_files = 6;
    config.chunk_bytes_max = 192 << 10;
    config.block_cache_bytes_max = 64 << 10;
    config.files_open_max = 3;
    config.flush_bytes = 32 << 10;
    config.flush_ms = 20;
    config.storage_min_free = Some(0);
    config
}

/// Shards and layout generation that the directory is for: what `node.toml` is to a broker.
const LAYOUT: &str = "/data/layout";

async fn layout(rt: &Runtime) -> std::io::Result<Layout> {
    if !rt.disk().exists(LAYOUT.as_ref()).await? {
        return Ok(Layout { shards: 1, generation: 0 });
    }
    let bytes = rt.disk().read(LAYOUT.as_ref(), 4096).await?;
    let [a, b, c, d, e, f] = bytes[..] else { panic!("a file of six bytes, written at once") };
    Ok(Layout { shards: u16::from_le_bytes([a, b]), generation: u32::from_le_bytes([c, d, e, f]) })
}

async fn set_layout(rt: &Runtime, layout: Layout) -> std::io::Result<()> {
    let bytes = [&layout.shards.to_le_bytes()[..], &layout.generation.to_le_bytes()].concat();
    rt.disk().write_atomic(LAYOUT.as_ref(), bytes).await
}

/// The stores of all shards, over as many as the run wants now.
async fn open_all(rt: &Runtime, shared: &Model1) -> Result<Vec<(Store, Vec<Recovered>)>, Verdict> {
    let reported = |error: &dyn std::fmt::Display| Verdict::Reported(error.to_string());
    let Some(wanted) = shared.borrow().shards else {
        return Ok(vec![Store::open(rt, config()).await.map_err(|e| reported(&e))?]);
    };
    rt.disk().create_dir_all("/data".as_ref()).await.map_err(|e| reported(&e))?;
    rt.disk().sync_dir("/".as_ref()).await.map_err(|e| reported(&e))?;
    let mut current = layout(rt).await.map_err(|e| reported(&e))?;
    free_layouts(rt, "/data".as_ref(), current).await.map_err(|e| reported(&e))?;
    if current.shards != wanted {
        let round_robin = |ids: &[LogId]| (0..ids.len()).map(|n| ShardId(n as u16 % wanted)).collect();
        let handed = hand_over(rt, &config(), current, wanted, round_robin).await;
        (current, _) = handed.map_err(|e| reported(&e))?;
        set_layout(rt, current).await.map_err(|e| reported(&e))?;
        free_layouts(rt, "/data".as_ref(), current).await.map_err(|e| reported(&e))?;
        shared.borrow_mut().handed_over += 1;
    }
    let mut stores = Vec::new();
    for shard in (0..current.shards).map(ShardId) {
        let config = StoreConfig { shard, layout: current.generation, ..config() };
        stores.push(Store::open(rt, config).await.map_err(|e| reported(&e))?);
    }
    Ok(stores)
}

/// All entries that a log holds.
async fn held(log: &Log) -> Result<BTreeMap<u64, E>, Verdict> {
    let mut out = BTreeMap::new();
    let mut at = log.first_index();
    while at <= log.last_index() {
        let some = log.entries(at, log.last_index().next(), 10_000).await?;
        let Some(last) = some.last() else { return Err(Verdict::Wrong(format!("no entry at {at}"))) };
        let next = last.index.next();
        for e in some {
            if e.index != at {
                return Err(Verdict::Wrong(format!("entry {} in the place of {at}", e.index)));
            }
            at = at.next();
            let payload = e.payload.to_vec();
            out.insert(
                e.index.0,
                E { term: e.term.0, kind: e.kind, base: e.base_offset.0, last: e.last_offset.0, payload },
            );
        }
        at = next;
    }
    Ok(out)
}

/// Whether the recovered log is the state after the last acknowledged operation or one behind it.
async fn judge(model: &Model, log: &Log, power_cut: bool) -> Result<State, Verdict> {
    if let Some(damage) = log.damage() {
        return Err(Verdict::Reported(format!("damaged: {damage}")));
    }
    let entries = held(log).await?;
    let (mut state, rest) = model.survivors(power_cut);
    let first = log.first_index().0;
    let matches = |s: &State| {
        let want: BTreeMap<u64, E> = s.entries.range(first..).map(|(i, e)| (*i, e.clone())).collect();
        want == entries
    };
    let mut value_ok: BTreeMap<u8, bool> = BTreeMap::new();
    let check_values = |s: &State, ok: &mut BTreeMap<u8, bool>| {
        for key in 1..3u8 {
            *ok.entry(key).or_default() |= s.states.get(&key).cloned() == log.state(key);
        }
        *ok.entry(0).or_default() |= s.start.min(log.log_end().0) == log.log_start().0;
    };
    let mut found = matches(&state);
    check_values(&state, &mut value_ok);
    for op in &rest {
        let mut partial = Op { append: Vec::new(), ..op.clone() };
        partial.apply(&mut state);
        found |= matches(&state);
        for (index, e) in &op.append {
            state.entries.insert(*index, e.clone());
            found |= matches(&state);
        }
        partial = op.clone();
        partial.apply(&mut state);
        check_values(&state, &mut value_ok);
    }
    if !found {
        let (sure, _) = model.survivors(power_cut);
        return Err(Verdict::Wrong(format!(
            "holds {:?}..{:?} (first {first}), acknowledged {:?}..{:?}, in memory ..{:?}, {} operations behind it",
            entries.keys().next(),
            entries.keys().next_back(),
            sure.entries.keys().next(),
            sure.entries.keys().next_back(),
            model.now.entries.keys().next_back(),
            rest.len(),
        )));
    }
    if let Some((key, _)) = value_ok.iter().find(|(_, ok)| !**ok) {
        return Err(Verdict::Wrong(format!(
            "value {key} is older than acknowledged: {:?} start {}",
            log.state(*key),
            log.log_start()
        )));
    }
    if log.log_start().0 < entries.values().next().map_or(0, |e| e.base) {
        return Err(Verdict::Wrong(format!("log start {} below the first entry", log.log_start())));
    }
    if log.commit_index().0 > model.committed {
        return Err(Verdict::Wrong(format!("commit index {} was never reached", log.commit_index())));
    }
    let mut now = State { entries, start: log.log_start().0, exists: true, states: BTreeMap::new() };
    now.states.extend((1..3).filter_map(|key| Some((key, log.state(key)?))));
    Ok(now)
}

async fn node(rt: Runtime, shared: Model1) {
    match run_node(rt, shared.clone()).await {
        Ok(()) => {}
        Err(Verdict::Wrong(wrong)) => drop(shared.borrow_mut().wrong.get_or_insert(wrong)),
        Err(Verdict::Reported(reported)) => drop(shared.borrow_mut().reported.get_or_insert(reported)),
    }
}

async fn run_node(rt: Runtime, shared: Model1) -> Result<(), Verdict> {
    let stores = open_all(&rt, &shared).await?;
    let (mut logs, mut owners) = (Vec::new(), Vec::new());
    for n in 0..LOGS {
        let power_cut = shared.borrow().power_cut;
        let mut holders = stores.iter().filter_map(|(s, logs)| Some((s, logs.iter().find(|r| r.id == id(n))?)));
        let (found, other) = (holders.next(), holders.next());
        if other.is_some() {
            return Err(Verdict::Wrong(format!("log {n} has two owners")));
        }
        let (store, found) = match found {
            Some((store, found)) => (store, Some(found)),
            None => (&stores[usize::from(n) % stores.len()].0, None),
        };
        owners.push(store.clone());
        let mut model = shared.borrow().logs[n as usize].clone();
        let log = match found {
            Some(found) => {
                let state = judge(&model, &found.log, power_cut).await?;
                store.attach(&found.log, n.into(), options(n));
                // What lies below the log start is committed, and the consensus above would know it.
                let below = state.entries.iter().filter(|(_, e)| e.base < state.start).map(|(i, _)| *i).max();
                let committed = found.log.commit_index().0.max(below.unwrap_or(0));
                found.log.committed(Index(committed));
                model = Model { now: state.clone(), base: state, committed, token: n.into(), ..Model::default() };
                found.log.clone()
            }
            None if stores.iter().any(|(store, _)| store.damage().is_some()) => {
                let damage = stores.iter().find_map(|(store, _)| store.damage());
                return Err(Verdict::Reported(damage.unwrap_or_default()));
            }
            None if model.survivors(power_cut).0.exists && !model.removing => {
                return Err(Verdict::Wrong(format!("log {n} is gone")));
            }
            None => {
                model = Model { token: n.into(), ..Model::default() };
                let log = store.create(id(n), options(n), n.into());
                model.note(Op::new(Ticket(1)));
                log
            }
        };
        shared.borrow_mut().logs[n as usize] = model;
        logs.push(log);
    }
    // A bad block may have been about none of these logs: then all goes on.
    stores.iter().for_each(|(store, _)| store.damage_noted());
    shared.borrow_mut().recoveries += 1;
    for (driver, _) in &stores {
        let (driver, acks) = (driver.clone(), shared.clone());
        rt.spawn(Class::Serve, async move {
            loop {
                for (token, ticket) in driver.durable().await {
                    let mut shared = acks.borrow_mut();
                    let Some(model) = shared.logs.iter_mut().find(|m| m.token == token) else { continue };
                    assert!(ticket.0 > model.acked, "tickets come back in order");
                    model.acked = ticket.0;
                }
            }
        });
    }
    loop {
        if shared.borrow().close {
            for (store, _) in &stores {
                store.close().await;
            }
            for model in &mut shared.borrow_mut().logs {
                model.acked = u64::MAX;
                model.ops.iter_mut().for_each(|op| op.synced = true);
            }
            return Ok(());
        }
        while shared.borrow().quiet {
            rt.sleep(Duration::from_millis(5)).await;
        }
        let n = shared.borrow_mut().dice.below(LOGS.into()) as usize;
        if shared.borrow_mut().dice.chance(0.002) {
            shared.borrow_mut().logs[n].removing = true;
            owners[n].remove(id(n as u8)).await.map_err(|e| Verdict::Reported(e.to_string()))?;
            let token = shared.borrow().logs[n].token + u64::from(LOGS);
            logs[n] = owners[n].create(id(n as u8), options(n as u8), token);
            let mut model = Model { token, ..Model::default() };
            model.note(Op::new(Ticket(1)));
            shared.borrow_mut().logs[n] = model;
        }
        let read = change(&mut shared.borrow_mut(), n, &logs[n])?;
        if let Some((from, limit)) = read {
            check_read(&shared, n, &logs[n], from, limit).await?;
        }
        let pause = {
            let dice = &mut shared.borrow_mut().dice;
            if dice.chance(0.3) { dice.below(3_000_000) } else { 0 }
        };
        if pause > 0 {
            rt.sleep(Duration::from_nanos(pause)).await;
        } else {
            rt.yield_now().await;
        }
    }
}

/// One operation on a log; or what to read from it.
fn change(shared: &mut Shared, n: usize, log: &Log) -> Result<Option<(Offset, ReadLimit)>, Verdict> {
    let Shared { logs, dice, .. } = shared;
    let model = &mut logs[n];
    match dice.below(20) {
        0..=8 => {
            let (mut new, mut want) = (Vec::new(), Vec::new());
            let (mut index, mut base) = (log.last_index().0, log.log_end().0);
            let term = log.last_term().0 + u32::from(dice.chance(0.1));
            for _ in 0..1 + dice.below(3) {
                index += 1;
                let kind = [Kind::Batch, Kind::Batch, Kind::Batch, Kind::Batch, Kind::Blank, Kind::Control]
                    [dice.below(6) as usize];
                let size = if dice.chance(0.02) { 50_000 } else { dice.below(4000) } as usize;
                let fill = vec![dice.next_u64() as u8; size];
                let records = 1 + dice.below(3) as i64;
                let (payload, last) = match kind {
                    Kind::Batch => (batch(records as i32, base, &fill).to_vec(), base + records - 1),
                    Kind::Blank => (Vec::new(), base - 1),
                    _ => (fill, base - 1),
                };
                new.push(NewEntry {
                    index: Index(index),
                    term: Term(term),
                    base_offset: Offset(base),
                    last_offset: Offset(last),
                    kind,
                    payload: if payload.is_empty() {
                        Parts::new()
                    } else {
                        Parts::from_elem(payload.clone().into(), 1)
                    },
                    max_timestamp: Timestamp(base),
                });
                let mut stamped = payload;
                if kind == Kind::Batch {
                    stamped[..8].copy_from_slice(&base.to_be_bytes());
                    stamped[12..16].copy_from_slice(&(term as i32).to_be_bytes());
                }
                want.push((index, E { term, kind, base, last, payload: stamped }));
                base = last + 1;
            }
            let cached = n == 0 && dice.chance(0.7);
            let mode = if cached { AppendMode::Cached } else { AppendMode::Synced };
            match log.append(new, mode) {
                Ok(ticket) => model.note(Op { append: want, synced: !cached, ..Op::new(ticket) }),
                Err(AppendRefused::Busy { .. } | AppendRefused::Pinned { .. }) => {}
                Err(refused) => return Err(Verdict::Wrong(refused.to_string())),
            }
        }
        9 if log.last_index().0 > model.committed => {
            let above = log.last_index().0 - model.committed;
            let from = model.committed + 1 + dice.below(above);
            let ticket = log.truncate(Index(from));
            model.note(Op { cut: Some(from), ..Op::new(ticket) });
        }
        10 => {
            let (key, value) = (1 + dice.below(2) as u8, dice.next_u64().to_le_bytes().to_vec());
            let ticket = log.set_state(key, value.clone());
            model.note(Op { state: Some((key, value)), ..Op::new(ticket) });
        }
        11..=14 if log.last_index().0 > model.committed => {
            let above = log.last_index().0 - model.committed;
            // One log has no majority most of the time: its entries are copied forward.
            if n != 1 || dice.chance(0.05) {
                model.committed += 1 + dice.below(above);
                log.committed(Index(model.committed));
            }
        }
        15 if dice.chance(0.2) => {
            let committed = model.now.entries.get(&model.committed).map_or(model.now.start, |e| e.last + 1);
            let start = model.now.start + dice.below((committed - model.now.start).max(0) as u64 + 1) as i64;
            let ticket = log.set_log_start(Offset(start));
            model.note(Op { start: Some(start), ..Op::new(ticket) });
        }
        16 if dice.chance(0.1) => log.seal_active(),
        17 if dice.chance(0.03) => {
            let index = model.committed + 1 + dice.below(log.last_index().0 - model.committed + 4);
            let offset = Offset(log.log_end().0 + dice.below(5) as i64);
            let origin = Origin { index: Index(index), term: Term(log.last_term().0 + 1), offset };
            let ticket = log.reset(origin);
            model.note(Op { reset: Some(origin), ..Op::new(ticket) });
            model.committed = index;
        }
        _ => {
            let (start, end) = (log.log_start().0, log.log_end().0);
            let from = start + dice.below((end - start).max(0) as u64 + 1) as i64;
            let max_bytes = dice.below(20_000) as usize;
            return Ok(Some((Offset(from), ReadLimit { max_bytes, end: Offset(end), at_least_one: true })));
        }
    }
    Ok(None)
}

/// Reads, and compares with what was appended.
async fn check_read(shared: &Model1, n: usize, log: &Log, from: Offset, limit: ReadLimit) -> Result<(), Verdict> {
    let read = match log.read(from, limit).await {
        Ok(read) => read,
        Err(ReadError::OutOfRange { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut bytes: Vec<u8> = read.slices.iter().flatten().copied().collect();
    let shared = shared.borrow();
    for e in shared.logs[n].now.entries.values().filter(|e| e.kind == Kind::Batch && e.last >= from.0) {
        // What was truncated while the read ran isn't judged.
        if bytes.is_empty() || log.log_end() != limit.end {
            break;
        }
        if bytes.len() < e.payload.len() || bytes[..e.payload.len()] != e.payload[..] {
            return Err(Verdict::Wrong(format!("log {n}: offset {} reads other bytes", e.base)));
        }
        bytes.drain(..e.payload.len());
    }
    Ok(())
}

/// What a seed's world suffers besides kills and power cuts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Crashes,
    /// Writes and syncs fail.
    Errors,
    /// A page of a file goes bad while the process is down.
    Rot,
    /// The number of shards changes.
    Cores,
}

struct Outcome {
    reached: Vec<&'static str>,
    /// Bad bytes were reported.
    reported: bool,
    /// A failed write or sync ended the process.
    failed: bool,
    /// Changes of the number of shards.
    handed_over: u32,
}

/// Runs one seed; `Err` says what went wrong.
fn run_seed(seed: u64, mode: Mode, planted: &[&str]) -> Result<Outcome, String> {
    let mut options = WorldOptions::seeded(seed);
    options.buggify = seed.is_multiple_of(2);
    options.planted = planted.iter().map(|name| (*name).to_owned()).collect();
    let world = World::new(options);
    let host = world.add_host(HostSpec::named("n1"));
    let mut faults = Stream::new(seed, "crashes");
    let shared = Rc::new(RefCell::new(Shared {
        logs: (0..LOGS).map(|_| Model::default()).collect(),
        dice: Stream::new(seed, "workload"),
        power_cut: false,
        quiet: false,
        close: false,
        wrong: None,
        reported: None,
        recoveries: 0,
        shards: (mode == Mode::Cores).then_some(1),
        handed_over: 0,
    }));
    let mut failed = false;
    for _ in 0..12 {
        let model = shared.clone();
        if mode == Mode::Cores && faults.chance(0.7) {
            shared.borrow_mut().shards = Some(1 + faults.below(3) as u16);
        }
        let odds = if mode == Mode::Errors && faults.chance(0.5) { 0.003 } else { 0.0 };
        world.disk(host, |d| d.faults = DiskFaults { write_error: odds, sync_error: odds, ..DiskFaults::default() });
        world.start(host, 1, move |rt| Box::pin(node(rt, model.clone())));
        // Sometimes the next start is cut short too.
        let millis = if faults.chance(0.3) { faults.below(12) } else { 20 + faults.below(400) };
        let until = world.now() + Duration::from_nanos(millis * 1_000_000 + faults.below(1_000_000));
        let over = |w: &World| {
            let shared = shared.borrow();
            shared.wrong.is_some() || shared.reported.is_some() || w.ended(host).is_some()
        };
        world.run_until(until, over);
        if mode == Mode::Rot || (mode != Mode::Errors && faults.chance(0.2)) {
            // What was acknowledged within the last 100 ms may be taken for torn: let it pass below the mark. And whatever
            // was taken must be acknowledged by then.
            let running = shared.borrow().recoveries > 0;
            shared.borrow_mut().quiet = true;
            world.run_until(world.now() + Duration::from_millis(400), over);
            let mut shared = shared.borrow_mut();
            shared.quiet = false;
            let stuck = shared.logs.iter().find(|m| !m.removing && m.ops.last().is_some_and(|op| op.ticket > m.acked));
            if let Some(stuck) = stuck.filter(|_| running && world.ended(host).is_none()) {
                let wrong = format!("log {} waits for ticket {:?}", stuck.token, stuck.ops.last());
                shared.wrong.get_or_insert(wrong);
            }
        }
        let closed = faults.chance(0.15);
        if closed {
            shared.borrow_mut().close = true;
            world.run_until(world.now() + Duration::from_millis(faults.below(300)), over);
            shared.borrow_mut().close = false;
        }
        let at = |what: &str| format!("seed {seed}, {what}, at {:?}", world.now());
        if let Some(wrong) = shared.borrow().wrong.clone() {
            return Err(at(&wrong));
        }
        if !world.violations().is_empty() {
            return Err(at(&world.violations().join("; ")));
        }
        let reported = shared.borrow_mut().reported.take();
        let outcome = |failed| Outcome { reached: world.reached(), reported: true, failed, handed_over: 0 };
        match (world.ended(host), reported, mode) {
            (Some(Ended::Panicked(reason)), _, _) => return Err(at(&reason)),
            (Some(Ended::Failed(reason)), _, _) if odds == 0.0 => return Err(at(&reason)),
            (_, Some(_), Mode::Rot) => return Ok(outcome(failed)),
            (_, Some(reason), _) if odds == 0.0 => return Err(at(&reason)),
            (ended, ..) => failed |= matches!(ended, Some(Ended::Failed(_))),
        }
        // After a failed sync the kernel may have dropped any page that wasn't durable.
        let lost_pages = matches!(world.ended(host), Some(Ended::Failed(_)));
        let power_cut = faults.chance(0.6);
        if power_cut {
            world.power_cut(host);
        } else {
            world.kill(host);
        }
        if mode == Mode::Rot && faults.chance(0.6) {
            world.disk(host, |drive| rot(drive, &mut faults));
        }
        // A process that was killed before it judged leaves the question open, and a later cut makes it harder.
        let mut shared = shared.borrow_mut();
        shared.power_cut = power_cut || lost_pages || (shared.power_cut && shared.recoveries == 0);
        shared.recoveries = 0;
    }
    // What no fault has touched, the offline check finds clean.
    if matches!(mode, Mode::Crashes | Mode::Cores) {
        let found = Rc::new(RefCell::new(Vec::new()));
        let slot = found.clone();
        world.start(host, 1, move |rt| {
            let slot = slot.clone();
            Box::pin(async move {
                let current = layout(&rt).await.expect("the layout is readable");
                for shard in (0..current.shards).map(ShardId) {
                    let config = StoreConfig { shard, layout: current.generation, ..config() };
                    let verified = verify(&rt, &config).await.map_err(|e| e.to_string());
                    slot.borrow_mut().push(verified);
                }
            })
        });
        world.run_until(world.now() + Duration::from_secs(60), |w| w.ended(host).is_some());
        let found = found.take();
        // A power cut may have torn the slot that was being written; the other one counts.
        let torn = |problem: &String| problem.starts_with("one slot of state.ckpt isn't valid");
        let sound = |v: &Verified| v.problems.iter().all(torn) && v.logs.iter().all(|log| log.problems.is_empty());
        if found.is_empty() || !found.iter().all(|v| v.as_ref().is_ok_and(sound)) {
            return Err(format!("seed {seed}, the offline check found {found:?}"));
        }
    }
    let handed_over = shared.borrow().handed_over;
    Ok(Outcome { reached: world.reached(), reported: false, failed, handed_over })
}

/// Damages one page of one file of the store.
fn rot(drive: &mut Drive, dice: &mut Stream) {
    let mut files = Vec::new();
    let mut dirs = vec![std::path::PathBuf::from("/data")];
    while let Some(dir) = dirs.pop() {
        for entry in drive.image.list(&dir).unwrap_or_default() {
            let path = dir.join(&entry.name);
            if entry.is_dir { dirs.push(path) } else { files.push((path, entry.len)) }
        }
    }
    files.retain(|(_, len)| *len > 0);
    if files.is_empty() {
        return;
    }
    let (path, len) = files[dice.below(files.len() as u64) as usize].clone();
    let page = dice.below(len.div_ceil(4096)) as u32;
    let damage = match dice.below(3) {
        0 => Damage::Zero,
        1 => Damage::Scramble,
        _ => Damage::Flip { bit: dice.below(32768) as u32 },
    };
    let ino = drive.image.lookup(&path).expect("listed");
    drive.image.damage(ino, page, damage, dice);
}

#[allow(clippy::disallowed_methods)] // A test's own knobs.
fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|s| s.parse().ok()).unwrap_or(usual)
}

fn sweep(mode: Mode, usual: u64) -> Vec<Outcome> {
    let (first, seeds) = (number("OUZEL_SEED", 1), number("OUZEL_SEEDS", usual));
    let results: Vec<_> = (first..first + seeds).map(|seed| run_seed(seed, mode, &[])).collect();
    let failures: Vec<&String> = results.iter().filter_map(|r| r.as_ref().err()).collect();
    assert!(failures.is_empty(), "{} of {seeds} seeds failed:\n{failures:#?}", failures.len());
    let outcomes: Vec<Outcome> = results.into_iter().flatten().collect();
    if number("OUZEL_MARKS", 0) > 0 {
        let marks: std::collections::BTreeSet<_> = outcomes.iter().flat_map(|o| &o.reached).collect();
        println!("reached: {marks:?}");
    }
    outcomes
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_cut_returns() {
    sweep(Mode::Crashes, 25);
}

#[test]
fn a_failed_write_or_sync_ends_the_broker_and_loses_nothing() {
    let outcomes = sweep(Mode::Errors, 15);
    assert!(outcomes.iter().any(|o| o.failed), "no sync failed in any seed");
}

#[test]
fn rotten_bytes_are_reported_and_never_served() {
    let outcomes = sweep(Mode::Rot, 20);
    assert!(outcomes.iter().any(|o| o.reported), "no rot was met in any seed");
}

#[test]
fn another_number_of_shards_loses_nothing_wherever_the_hand_over_is_cut() {
    let outcomes = sweep(Mode::Cores, 40);
    assert!(outcomes.iter().map(|o| o.handed_over).sum::<u32>() > 2 * outcomes.len() as u32, "few hand-overs");
    let freed = |o: &Outcome| o.reached.contains(&"journals of another layout freed");
    assert!(outcomes.iter().any(freed), "no journal was freed");
}

/// Each known bug, switched on, is caught from its seed on.
#[test]
fn planted_bugs_are_caught() {
    for (name, mode, first) in PLANTED {
        let tries = number("OUZEL_TRIES", 60);
        let caught = (first..first + tries).find_map(|seed| run_seed(seed, mode, &[name]).err());
        if number("OUZEL_MARKS", 0) > 0 {
            println!("{name}: {caught:?}");
        }
        assert!(caught.is_some(), "planted bug {name} passed {tries} seeds from {first}");
    }
}

const PLANTED: [(&str, Mode, u64); 14] = [
    ("D1", Mode::Crashes, 1),
    ("D2", Mode::Crashes, 1),
    ("D3", Mode::Crashes, 1),
    ("D4", Mode::Crashes, 1),
    ("D5", Mode::Crashes, 1),
    ("D16", Mode::Crashes, 1),
    ("D20", Mode::Crashes, 1),
    ("D21", Mode::Rot, 80),
    ("D22", Mode::Cores, 1),
    ("D23", Mode::Crashes, 1),
    ("21", Mode::Errors, 1),
    ("22", Mode::Rot, 70),
    ("25", Mode::Crashes, 1),
    ("26", Mode::Crashes, 6),
];
