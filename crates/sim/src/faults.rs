//! Carries a plan out: begins each fault at its time and ends it when its time is over.

use std::collections::BTreeMap;
use std::time::Duration;

use ouzel_runtime::sim::{DiskFaults, DiskProfile, Ended, HostId, Image, Link, Stream, World};

use crate::history::History;
use crate::plan::{Fault, Kind};
use crate::rot::Rot;

/// How long after a disk fault a process may still end because of it.
const EXCUSE: Duration = Duration::from_secs(10);
/// What a fault waits for a write in flight.
const WRITING: Duration = Duration::from_millis(100);

/// The end of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undo {
    Start(u16),
    Resume(u16),
    Unhang(u16),
    Disk(u16),
    Open(HostId, HostId),
    Accept(u16),
    Thaw(u16),
    Space(u16),
    /// The node's disk as it was, by place in `old`; the fault's `amount`.
    Stale(u16, usize, i64),
}

/// Carries out the faults of one run.
pub struct Nemesis {
    hosts: Vec<HostId>,
    clients: HostId,
    undo: BTreeMap<(Duration, u64), Undo>,
    order: u64,
    dice: Stream,
    /// Until when a process may end because of its disk, by node.
    excused: Vec<Excuses>,
    rot: Rot,
    /// Disks as they were when a block began to fall behind.
    old: Vec<Image>,
    history: History,
    /// Bytes of each disk, in health.
    capacity: Vec<u64>,
    restarts: Vec<Option<Duration>>,
    /// How many shards the next process of each node has.
    pub shards: Vec<u16>,
    /// Steps of the wall clocks so far, ms.
    stepped: Vec<i64>,
    stopping: bool,
    /// Faults carried out, by kind.
    pub counts: BTreeMap<Kind, u64>,
    /// Pieces dropped or torn by power cuts.
    pub pieces_lost: u64,
}

impl Nemesis {
    /// Over the brokers `hosts`, which begin with `shards` each; `clients` is where the clients run.
    pub fn new(
        seed: u64,
        world: &World,
        (hosts, shards): (Vec<HostId>, u16),
        clients: HostId,
        history: History,
    ) -> Nemesis {
        let nodes = hosts.len();
        Nemesis {
            rot: Rot::default(),
            old: Vec::new(),
            history,
            capacity: hosts.iter().map(|&host| world.disk(host, |d| d.image.capacity())).collect(),
            hosts,
            clients,
            undo: BTreeMap::new(),
            order: 0,
            dice: Stream::new(seed, "nemesis"),
            excused: vec![Excuses::default(); nodes],
            restarts: vec![None; nodes],
            shards: vec![shards; nodes],
            stepped: vec![0; nodes],
            stopping: false,
            counts: BTreeMap::new(),
            pieces_lost: 0,
        }
    }

    fn later(&mut self, at: Duration, undo: Undo) {
        self.order += 1;
        self.undo.insert((at, self.order), undo);
    }

    /// When the next fault ends.
    pub fn next_end(&self) -> Option<Duration> {
        self.undo.first_key_value().map(|((at, _), _)| *at)
    }

    /// Ends the faults that are over; nodes to be started come back.
    pub fn end_due(&mut self, world: &World) -> Vec<u16> {
        let mut start = Vec::new();
        while let Some(entry) = self.undo.first_entry()
            && entry.key().0 <= world.now()
        {
            let undo = entry.remove();
            start.extend(self.end(world, undo));
        }
        start
    }

    /// Ends all faults and sets the clocks right; every node that is down is to be started.
    pub fn heal(&mut self, world: &World) -> Vec<u16> {
        let mut all: Vec<Undo> = std::mem::take(&mut self.undo).into_values().collect();
        all.retain(|undo| !matches!(undo, Undo::Stale(..)));
        for undo in all {
            let _ = self.end(world, undo);
        }
        for (host, stepped) in self.hosts.iter().zip(&mut self.stepped) {
            world.clock(*host, |clock, _| clock.wall_offset_ms -= std::mem::take(stepped));
        }
        let nodes = 0..self.hosts.len() as u16;
        nodes.filter(|&node| !world.is_up(self.hosts[usize::from(node)])).collect()
    }

    /// Damages a block of the node's disk, and notes what it may refuse from now on.
    fn strike(&mut self, world: &World, node: u16, amount: i64, old: Option<usize>) {
        let host = self.hosts[usize::from(node)];
        let (name, old) = (world.name(host), old.map(|at| &self.old[at]));
        let refuses = world.disk(host, |d| self.rot.strike(&mut d.image, &name, amount.unsigned_abs(), old));
        if let Some(scope) = refuses {
            self.history.damaged(&scope);
        }
    }

    fn end(&mut self, world: &World, undo: Undo) -> Option<u16> {
        let hosts = self.hosts.clone();
        let host = |node: u16| hosts[usize::from(node)];
        match undo {
            Undo::Start(node) => return (!world.is_up(host(node))).then_some(node),
            Undo::Resume(node) => world.resume(host(node)),
            Undo::Unhang(node) => world.hang_disk(host(node), false),
            Undo::Disk(node) => world.disk(host(node), |d| {
                d.faults = DiskFaults::default();
                d.profile = DiskProfile::default();
            }),
            Undo::Open(from, to) => world.set_link(from, to, Link::default()),
            Undo::Accept(node) => world.set_accept_error(host(node), 0.0),
            Undo::Thaw(node) => world.clock(host(node), |clock, now| clock.freeze(now, false)),
            Undo::Stale(node, old, amount) => self.strike(world, node, amount, Some(old)),
            Undo::Space(node) => {
                let bytes = self.capacity[usize::from(node)];
                world.disk(host(node), |d| d.image.set_capacity(bytes));
            }
        }
        None
    }

    /// From now on every process may stop.
    pub fn expect_stop(&mut self) {
        self.stopping = true;
        self.restarts.fill(None);
    }

    /// A process ended: whether that was to be expected. If so it starts again after a while.
    pub fn ended(&mut self, world: &World, node: u16, how: &Ended) -> Result<(), String> {
        let place = usize::from(node);
        let name = world.name(self.hosts[place]);
        match how {
            // The fault that did it starts it again.
            Ended::Killed | Ended::PowerCut => Ok(()),
            Ended::Panicked(text) => Err(format!("{name} panicked: {text}")),
            Ended::Failed(reason)
                if !(self.excused[place].cover(world.now(), reason)
                    || self.history.is_damaged(&name) && at_start(reason)) =>
            {
                Err(format!("{name} failed without a fault of its disk: {reason}"))
            }
            Ended::Failed(_) => {
                let wait = Duration::from_millis(self.dice.between(50, 2_000));
                self.later(world.now() + wait, Undo::Start(node));
                Ok(())
            }
            Ended::Stopped => match self.restarts[place].take() {
                Some(wait) => {
                    self.later(world.now() + wait, Undo::Start(node));
                    Ok(())
                }
                None if self.stopping => Ok(()),
                None => Err(format!("{name} stopped without being asked")),
            },
        }
    }

    /// Begins a fault.
    pub fn begin(&mut self, world: &World, fault: &Fault) {
        let node = fault.node % self.hosts.len() as u16;
        let host = self.hosts[usize::from(node)];
        let other =
            if fault.to == fault.node { self.clients } else { self.hosts[usize::from(fault.to) % self.hosts.len()] };
        if fault.writing {
            let limit = world.now() + WRITING;
            world.run_until(limit, |w| w.disk(host, |d| d.writes_in_flight() > 0));
        }
        let (now, time) = (world.now(), Duration::from_millis(fault.for_ms));
        let end = now + time;
        *self.counts.entry(fault.kind).or_default() += 1;
        match fault.kind {
            Kind::Kill => {
                if world.is_up(host) {
                    world.kill(host);
                    self.later(end, Undo::Start(node));
                }
            }
            Kind::PowerCut => self.cut(world, node, end),
            Kind::PowerCutAll => (0..self.hosts.len() as u16).for_each(|node| self.cut(world, node, end)),
            Kind::Restart => {
                if world.is_up(host) {
                    self.restarts[usize::from(node)] = Some(time);
                    world.stop(host);
                }
            }
            Kind::Cores => {
                self.shards[usize::from(node)] = fault.amount.clamp(1, 64) as u16;
                if world.is_up(host) && fault.writing {
                    world.kill(host);
                    self.later(end, Undo::Start(node));
                } else if world.is_up(host) {
                    self.restarts[usize::from(node)] = Some(time);
                    world.stop(host);
                }
            }
            Kind::Pause => {
                world.pause(host);
                self.later(end, Undo::Resume(node));
            }
            Kind::Stall => world.stall(host, fault.amount.unsigned_abs() as u16, time),
            Kind::DiskHang => {
                world.hang_disk(host, true);
                self.later(end, Undo::Unhang(node));
            }
            Kind::DiskSlow => {
                world.disk(host, |d| d.profile.slow = fault.amount.unsigned_abs().max(1));
                self.later(end, Undo::Disk(node));
            }
            Kind::SyncError | Kind::ReadError => {
                let odds = 1.0 / fault.amount.max(1) as f64;
                world.disk(host, |d| match fault.kind {
                    Kind::ReadError => d.faults.read_error = odds,
                    _ => d.faults.sync_error = odds,
                });
                let excuses = &mut self.excused[usize::from(node)];
                let any_time = if fault.kind == Kind::ReadError { &mut excuses.start } else { &mut excuses.any_time };
                *any_time = end.max(*any_time);
                self.later(end, Undo::Disk(node));
            }
            Kind::DiskFull => {
                // Some room is left now and then, so that the load fills it up.
                let left = fault.amount.unsigned_abs();
                world.disk(host, |d| d.image.set_capacity(d.image.capacity() - d.image.free() + left));
                let start = &mut self.excused[usize::from(node)].start;
                *start = end.max(*start);
                self.later(end, Undo::Space(node));
            }
            Kind::Isolate => {
                let others: Vec<HostId> =
                    self.hosts.iter().copied().chain([self.clients]).filter(|h| *h != host).collect();
                for other in others {
                    self.block(world, host, other, end);
                    self.block(world, other, host, end);
                }
            }
            Kind::OneWay => self.block(world, host, other, end),
            Kind::Cut => {
                self.block(world, host, other, end);
                self.block(world, other, host, end);
            }
            Kind::Loss => {
                for (from, to) in [(host, other), (other, host)] {
                    let loss = fault.amount.clamp(0, 1_000) as f64 / 1_000.0;
                    world.set_link(from, to, Link { loss, ..world.link(from, to) });
                    self.later(end, Undo::Open(from, to));
                }
            }
            Kind::Resets => {
                world.reset_connections(host, 0.5, &mut self.dice);
            }
            Kind::AcceptError => {
                world.set_accept_error(host, 0.5);
                self.later(end, Undo::Accept(node));
            }
            Kind::Rot => self.strike(world, node, fault.amount, None),
            Kind::Stale => {
                let old = world.disk(host, |d| d.image.clone());
                self.old.push(old);
                self.later(end, Undo::Stale(node, self.old.len() - 1, fault.amount));
            }
            Kind::WallStep => {
                world.clock(host, |clock, _| clock.wall_offset_ms += fault.amount);
                self.stepped[usize::from(node)] += fault.amount;
            }
            Kind::WallFreeze => {
                world.clock(host, |clock, now| clock.freeze(now, true));
                self.later(end, Undo::Thaw(node));
            }
        }
    }

    fn cut(&mut self, world: &World, node: u16, end: Duration) {
        let host = self.hosts[usize::from(node)];
        if world.ended(host) == Some(Ended::PowerCut) {
            return;
        }
        let report = world.power_cut(host);
        self.pieces_lost += report.dropped + report.torn;
        self.restarts[usize::from(node)] = None;
        self.later(end, Undo::Start(node));
    }

    fn block(&mut self, world: &World, from: HostId, to: HostId, end: Duration) {
        if from != to {
            world.set_link(from, to, Link { blocked: true, ..world.link(from, to) });
            self.later(end, Undo::Open(from, to));
        }
    }
}

/// Until when a node's process may end because of its disk.
#[derive(Clone, Copy, Debug, Default)]
struct Excuses {
    /// For whatever reason its storage gives: it can't know what is durable.
    any_time: Duration,
    /// At its start only. Once it runs, a full disk stops writing and a bad read is answered with an error.
    start: Duration,
}

impl Excuses {
    fn cover(&self, now: Duration, reason: &str) -> bool {
        now <= self.any_time + EXCUSE || now <= self.start + EXCUSE && at_start(reason)
    }
}

/// Whether a broker gives this reason when it doesn't come up: so `ouzel_broker::StartError` begins.
fn at_start(reason: &str) -> bool {
    ["shard ", "cluster metadata", "can't use data directory", "can't change from", "data/node.toml"]
        .iter()
        .any(|begin| reason.starts_with(begin))
}
