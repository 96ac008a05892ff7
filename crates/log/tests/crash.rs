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
use ouzel_runtime::sim::{Ended, HostSpec, Stream, World, WorldOptions};
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

impl State {
    fn end(&self) -> i64 {
        self.entries.values().next_back().map_or(0, |e| e.last + 1)
    }
}

#[derive(Clone, Debug)]
struct Op {
    ticket: u64,
    synced: bool,
    cut: Option<u64>,
    append: Vec<(u64, E)>,
    state: Option<(u8, Vec<u8>)>,
    start: Option<i64>,
}

impl Op {
    fn new(ticket: Ticket) -> Op {
        Op { ticket: ticket.0, synced: true, cut: None, append: Vec::new(), state: None, start: None }
    }
    fn apply(&self, s: &mut State) {
        s.exists = true;
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

struct Shared {
    logs: Vec<Model>,
    dice: Stream,
    power_cut: bool,
    failure: Option<String>,
    recoveries: u32,
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

/// All entries that a log holds.
async fn held(log: &Log) -> Result<BTreeMap<u64, E>, String> {
    let mut out = BTreeMap::new();
    let mut at = log.first_index();
    while at <= log.last_index() {
        let some = log.entries(at, log.last_index().next(), 10_000).await.map_err(|e| e.to_string())?;
        let Some(last) = some.last() else { return Err(format!("no entry at {at}")) };
        let next = last.index.next();
        for e in some {
            if e.index != at {
                return Err(format!("entry {} in the place of {at}", e.index));
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
async fn judge(model: &Model, log: &Log, power_cut: bool) -> Result<State, String> {
    if let Some(damage) = log.damage() {
        return Err(format!("damaged: {damage}"));
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
        return Err(format!(
            "holds {:?}..{:?} (first {first}), acknowledged {:?}..{:?}, in memory ..{:?}, {} operations behind it",
            entries.keys().next(),
            entries.keys().next_back(),
            sure.entries.keys().next(),
            sure.entries.keys().next_back(),
            model.now.entries.keys().next_back(),
            rest.len(),
        ));
    }
    if let Some((key, _)) = value_ok.iter().find(|(_, ok)| !**ok) {
        return Err(format!("value {key} is older than acknowledged: {:?} start {}", log.state(*key), log.log_start()));
    }
    if log.log_start().0 < entries.values().next().map_or(0, |e| e.base) {
        return Err(format!("log start {} below the first entry", log.log_start()));
    }
    if log.commit_index().0 > model.committed {
        return Err(format!("commit index {} was never reached", log.commit_index()));
    }
    let mut now = State { entries, start: log.log_start().0, exists: true, states: BTreeMap::new() };
    now.states.extend((1..3).filter_map(|key| Some((key, log.state(key)?))));
    Ok(now)
}

async fn node(rt: Runtime, model: Model1) {
    if let Err(failure) = run_node(rt, model.clone()).await {
        model.borrow_mut().failure.get_or_insert(failure);
    }
}

async fn run_node(rt: Runtime, shared: Model1) -> Result<(), String> {
    let (store, recovered) = Store::open(&rt, config()).await.map_err(|e| e.to_string())?;
    let mut logs = Vec::new();
    for n in 0..LOGS {
        let power_cut = shared.borrow().power_cut;
        let found = recovered.iter().find(|r| r.id == id(n));
        let mut model = shared.borrow().logs[n as usize].clone();
        let log = match found {
            Some(found) => {
                let state = judge(&model, &found.log, power_cut).await.map_err(|e| format!("log {n}: {e}"))?;
                store.attach(&found.log, n.into(), options(n));
                // What lies below the log start is committed, and the consensus above would know it.
                let below = state.entries.iter().filter(|(_, e)| e.base < state.start).map(|(i, _)| *i).max();
                let committed = found.log.commit_index().0.max(below.unwrap_or(0));
                found.log.committed(Index(committed));
                model = Model { now: state.clone(), base: state, committed, ..Model::default() };
                found.log.clone()
            }
            None if model.survivors(power_cut).0.exists => return Err(format!("log {n} is gone")),
            None => {
                model = Model::default();
                let log = store.create(id(n), options(n), n.into());
                model.note(Op::new(Ticket(1)));
                log
            }
        };
        shared.borrow_mut().logs[n as usize] = model;
        logs.push(log);
    }
    shared.borrow_mut().recoveries += 1;
    let (driver, acks) = (store.clone(), shared.clone());
    rt.spawn(Class::Serve, async move {
        loop {
            for (token, ticket) in driver.durable().await {
                let mut shared = acks.borrow_mut();
                let model = &mut shared.logs[token as usize];
                assert!(ticket.0 > model.acked, "tickets come back in order");
                model.acked = ticket.0;
            }
        }
    });
    loop {
        let n = shared.borrow_mut().dice.below(LOGS.into()) as usize;
        step(&rt, &shared, n, &logs[n]).await?;
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

async fn step(rt: &Runtime, shared: &Model1, n: usize, log: &Log) -> Result<(), String> {
    let mut guard = shared.borrow_mut();
    let Shared { logs, dice, .. } = &mut *guard;
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
                Err(refused) => return Err(refused.to_string()),
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
        _ => {
            let (start, end) = (log.log_start().0, log.log_end().0);
            let from = start + dice.below((end - start).max(0) as u64 + 1) as i64;
            let max_bytes = dice.below(20_000) as usize;
            drop(guard);
            let limit = ReadLimit { max_bytes, end: Offset(end), at_least_one: true };
            let read = match log.read(Offset(from), limit).await {
                Ok(read) => read,
                Err(ReadError::OutOfRange { .. }) => return Ok(()),
                Err(error) => return Err(error.to_string()),
            };
            let mut bytes: Vec<u8> = read.slices.iter().flatten().copied().collect();
            let shared = shared.borrow();
            for e in shared.logs[n].now.entries.values().filter(|e| e.kind == Kind::Batch && e.last >= from) {
                if bytes.is_empty() {
                    break;
                }
                // What was truncated while the read ran isn't judged.
                if bytes.len() < e.payload.len() || bytes[..e.payload.len()] != e.payload[..] {
                    if e.base as u64 >= shared.logs[n].now.end() as u64 || log.log_end().0 != end {
                        break;
                    }
                    return Err(format!("log {n}: offset {} reads other bytes", e.base));
                }
                bytes.drain(..e.payload.len());
            }
        }
    }
    let _ = rt;
    Ok(())
}

/// Runs one seed; the marks reached, or what went wrong.
fn run_seed(seed: u64, planted: &[&str]) -> Result<Vec<&'static str>, String> {
    let mut options = WorldOptions::seeded(seed);
    options.planted = planted.iter().map(|name| (*name).to_owned()).collect();
    let world = World::new(options);
    let host = world.add_host(HostSpec::named("n1"));
    let mut faults = Stream::new(seed, "crashes");
    let shared = Rc::new(RefCell::new(Shared {
        logs: (0..LOGS).map(|_| Model::default()).collect(),
        dice: Stream::new(seed, "workload"),
        power_cut: false,
        failure: None,
        recoveries: 0,
    }));
    for _ in 0..12 {
        let model = shared.clone();
        world.start(host, 1, move |rt| Box::pin(node(rt, model.clone())));
        // Sometimes the next start is cut short too.
        let millis = if faults.chance(0.3) { faults.below(12) } else { 20 + faults.below(400) };
        let until = world.now() + Duration::from_nanos(millis * 1_000_000 + faults.below(1_000_000));
        world.run_until(until, |_| shared.borrow().failure.is_some());
        let power_cut = faults.chance(0.6);
        let at = |what: &str| format!("seed {seed}, {what}, at {:?}", world.now());
        if let Some(failure) = shared.borrow().failure.clone() {
            return Err(at(&failure));
        }
        if let Some(Ended::Panicked(reason) | Ended::Failed(reason)) = world.ended(host) {
            return Err(at(&reason));
        }
        if !world.violations().is_empty() {
            return Err(at(&world.violations().join("; ")));
        }
        if power_cut {
            world.power_cut(host);
        } else {
            world.kill(host);
        }
        // A process that was killed before it judged leaves the question open, and a later cut makes it harder.
        let mut shared = shared.borrow_mut();
        shared.power_cut = power_cut || (shared.power_cut && shared.recoveries == 0);
        shared.recoveries = 0;
    }
    Ok(world.reached())
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_cut_returns() {
    let seeds: u64 = std::env::var("OUZEL_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(25);
    let first: u64 = std::env::var("OUZEL_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let mut reached = std::collections::BTreeSet::new();
    let failures: Vec<String> = (first..first + seeds)
        .filter_map(|seed| match run_seed(seed, &[]) {
            Ok(marks) => {
                reached.extend(marks);
                None
            }
            Err(failure) => Some(failure),
        })
        .collect();
    assert!(failures.is_empty(), "{} of {seeds} seeds failed:\n{}", failures.len(), failures.join("\n"));
    if std::env::var_os("OUZEL_MARKS").is_some() {
        println!("reached: {reached:?}");
    }
}
