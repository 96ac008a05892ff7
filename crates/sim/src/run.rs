//! One run: build the world, load it under faults, heal it, audit it, stop it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use ouzel_runtime::Runtime;
use ouzel_runtime::sim::{Event as WorldEvent, HostId, HostSpec, Sink, World, WorldOptions};
use ouzel_runtime::sync::Latch;

use crate::checkers::{Violation, i22_accounting, i23_nothing_left};
use crate::faults::Nemesis;
use crate::history::{Event, History};
use crate::plan::Kind;
use crate::scenario::{Scenario, Subject};
use crate::{broker, specimen};

/// World time in which a healed cluster must serve again.
const HEAL: Duration = Duration::from_secs(60);
/// World time in which a process must end when it is asked to.
const STOP: Duration = Duration::from_secs(10);

/// What a run came to.
pub struct Outcome {
    /// Promises broken; empty is good.
    pub violations: Vec<Violation>,
    /// World time at its end.
    pub world_time: Duration,
    /// Hash over every event of the world.
    pub trace_hash: u64,
    /// Hash over all disks.
    pub disks_hash: u64,
    /// Hash over the clients' history.
    pub history_hash: u64,
    /// Events of the world.
    pub events: u64,
    /// Polls of tasks.
    pub polls: u64,
    /// Records acknowledged.
    pub acked: u64,
    /// Faults carried out.
    pub faults: BTreeMap<Kind, u64>,
    /// Pieces that power cuts dropped or tore.
    pub pieces_lost: u64,
    /// Marks passed.
    pub reached: Vec<&'static str>,
    /// The state of each host, a line each.
    pub hosts: Vec<String>,
    /// The last events.
    pub tail: Vec<WorldEvent>,
}

impl Outcome {
    /// One number that two runs of a seed must share.
    pub fn fingerprint(&self) -> u64 {
        use ouzel_runtime::sim::stream::mix;
        mix(mix(self.trace_hash ^ self.disks_hash.rotate_left(1)) ^ self.history_hash)
    }
}

/// Runs the scenario; `sink` gets every event of the world.
pub fn run(scenario: &Scenario, sink: Option<Sink>) -> Outcome {
    let options =
        WorldOptions { seed: scenario.seed, policy: None, buggify: true, planted: scenario.planted.clone(), sink };
    let world = World::new(options);
    let mut run = Run::new(scenario, &world);
    run.load();
    run.audit();
    run.stop();
    run.outcome()
}

/// The clients of a subject.
#[derive(Clone)]
enum Cluster {
    Specimen(specimen::client::Cluster),
    Broker(broker::client::Cluster),
}

impl Cluster {
    async fn load(self, rt: Runtime, clients: u16, stop: Latch) {
        match self {
            Cluster::Specimen(cluster) => specimen::client::load(rt, cluster, clients, stop).await,
            Cluster::Broker(cluster) => broker::client::load(rt, cluster, clients, stop).await,
        }
    }

    async fn audit(self, rt: Runtime, done: Rc<Cell<bool>>) {
        match self {
            Cluster::Specimen(cluster) => specimen::client::audit(rt, cluster, done).await,
            Cluster::Broker(cluster) => broker::audit::audit(rt, cluster, done).await,
        }
    }
}

struct Run<'a> {
    scenario: &'a Scenario,
    world: &'a World,
    hosts: Vec<HostId>,
    clients: HostId,
    cluster: Cluster,
    history: History,
    nemesis: Nemesis,
    found: Vec<Violation>,
    ends: u64,
    /// The process of each node whose end was judged last.
    judged: Vec<u32>,
}

impl<'a> Run<'a> {
    fn new(scenario: &'a Scenario, world: &'a World) -> Run<'a> {
        let names: Vec<String> = (1..=scenario.nodes).map(|n| format!("n{n}")).collect();
        let add = |name: &String| world.add_host(HostSpec { clock_skew: true, ..HostSpec::named(name) });
        let hosts: Vec<HostId> = names.iter().map(add).collect();
        let clients = world.add_host(HostSpec::named("clients"));
        let history = History::default();
        let (nodes, pace) = (Rc::new(names), scenario.pace);
        let cluster = match scenario.subject {
            Subject::Specimen => Cluster::Specimen(specimen::client::Cluster {
                nodes,
                shards: scenario.shards,
                pace,
                history: history.clone(),
            }),
            Subject::Broker => Cluster::Broker(broker::client::Cluster {
                nodes,
                pace,
                history: history.clone(),
                churn: broker::churn::Churn::default(),
                refused: Rc::default(),
            }),
        };
        let nemesis = Nemesis::new(scenario.seed, world, (hosts.clone(), scenario.shards), clients, history.clone());
        let judged = vec![0; hosts.len()];
        let (found, ends) = (Vec::new(), world.ends());
        Run { scenario, world, hosts, clients, cluster, history, nemesis, found, ends, judged }
    }

    /// Starts a node that two faults may have wanted up again.
    fn start(&self, node: u16) {
        if self.world.is_up(self.hosts[usize::from(node)]) {
            return;
        }
        let shards = self.nemesis.shards[usize::from(node)];
        match self.scenario.subject {
            Subject::Specimen => {
                self.world.start(self.hosts[usize::from(node)], shards, specimen::server::process(shards));
            }
            Subject::Broker => self.world.start(self.hosts[usize::from(node)], shards, broker::process(shards)),
        }
    }

    fn broken(&self) -> bool {
        !self.found.is_empty() || self.history.violated() || !self.world.violations().is_empty()
    }

    fn load(&mut self) {
        (0..self.scenario.nodes).for_each(|node| self.start(node));
        let stop = Latch::new();
        let (cluster, clients, stopping) = (self.cluster.clone(), self.scenario.clients, stop.clone());
        self.world.start(self.clients, 1, move |rt| Box::pin(cluster.clone().load(rt, clients, stopping.clone())));
        let mut plan = self.scenario.plan.iter().peekable();
        while self.world.now() < self.scenario.load && !self.broken() {
            let fault = plan.peek().map_or(Duration::MAX, |f| f.at());
            self.until(fault.min(self.scenario.load), |_| false);
            if let Some(fault) = plan.next_if(|f| f.at() <= self.world.now()) {
                let walls = self.walls();
                self.nemesis.begin(self.world, fault);
                self.note_forward(&walls);
            }
        }
        stop.set();
        let walls = self.walls();
        for node in self.nemesis.heal(self.world) {
            self.start(node);
        }
        self.note_forward(&walls);
    }

    /// The wall clock of each node, milliseconds.
    fn walls(&self) -> Vec<i64> {
        let wall = |host: &HostId| self.world.clock(*host, |clock, now| clock.wall_ms(now));
        self.hosts.iter().map(wall).collect()
    }

    /// Writes down which of them were put forward since.
    fn note_forward(&self, before: &[i64]) {
        for (node, (before, now)) in before.iter().zip(self.walls()).enumerate() {
            if let Some(ms) = u64::try_from(now - before).ok().filter(|ms| *ms > 0) {
                self.history.record(Event::Forward { node, ms });
            }
        }
    }

    /// Runs until then, or until something is done or broken. Meanwhile faults end, nodes start again, and processes that
    /// end are looked at. Whether it was done.
    fn until(&mut self, deadline: Duration, done: impl Fn(&World) -> bool) -> bool {
        loop {
            let end = self.nemesis.next_end().unwrap_or(Duration::MAX);
            let stop = end.min(self.world.now() + Duration::from_secs(1)).min(deadline);
            let (ends, history) = (self.ends, self.history.clone());
            self.world.run_until(stop, |w| w.ends() != ends || history.violated() || done(w));
            self.look_at_ends();
            let walls = self.walls();
            let back = self.nemesis.end_due(self.world);
            self.note_forward(&walls);
            for node in back {
                self.start(node);
            }
            if self.broken() || self.world.now() >= deadline && !done(self.world) {
                return false;
            }
            if done(self.world) {
                return true;
            }
        }
    }

    fn look_at_ends(&mut self) {
        for (node, &host) in (0..).zip(&self.hosts) {
            i22_accounting::running(self.world, host, &mut self.found);
            if self.ends == self.world.ends() {
                continue;
            }
            let Some(how) = self.world.ended(host) else { continue };
            let life = self.world.life(host);
            if std::mem::replace(&mut self.judged[usize::from(node)], life) == life {
                continue;
            }
            if how == ouzel_runtime::sim::Ended::Stopped {
                i22_accounting::stopped(self.world, host, &mut self.found);
                i23_nothing_left::stopped(self.world, host, &mut self.found);
            }
            if let Err(text) = self.nemesis.ended(self.world, node, &how) {
                self.found.push(Violation { law: "process", partition: None, text });
            }
        }
        self.ends = self.world.ends();
    }

    fn audit(&mut self) {
        if self.broken() {
            return;
        }
        let deadline = self.world.now() + HEAL;
        let clients = self.clients;
        self.until(deadline, |w| !w.is_up(clients));
        let done = Rc::new(Cell::new(false));
        let (cluster, flag) = (self.cluster.clone(), done.clone());
        if !self.world.is_up(clients) {
            self.world.start(clients, 1, move |rt| Box::pin(cluster.clone().audit(rt, flag.clone())));
        }
        let audited = self.until(deadline, |w| done.get() && !w.is_up(clients));
        if !audited && !self.broken() {
            let mut text = format!("{} s after healing, not every partition took and showed a record", HEAL.as_secs());
            let mut law = "L1 serves-again";
            if let Cluster::Broker(cluster) = &self.cluster {
                let refused = cluster.refused.borrow();
                text = format!("{text}; {refused}");
                // There is room again.
                law = if refused.ends_with(broker::audit::STORAGE_REFUSES) { "L6 writes-resume" } else { law };
            }
            self.found.push(Violation { law, partition: None, text });
        }
        self.await_retention();
    }

    /// What is too old goes.
    fn await_retention(&mut self) {
        let Cluster::Broker(cluster) = &self.cluster else { return };
        if self.broken() {
            return;
        }
        let deadline = self.world.now() + broker::retained::PATIENCE + HEAL;
        let (cluster, clients, done) = (cluster.clone(), self.clients, Rc::new(Cell::new(false)));
        let flag = done.clone();
        self.world.start(clients, 1, move |rt| Box::pin(broker::retained::audit(rt, cluster.clone(), flag.clone())));
        if !self.until(deadline, |w| done.get() && !w.is_up(clients)) && !self.broken() {
            let text = "where the logs that retention acts on begin isn't told".to_owned();
            self.found.push(Violation { law: "L1 serves-again", partition: None, text });
        }
    }

    fn stop(&mut self) {
        if self.broken() {
            return;
        }
        self.nemesis.expect_stop();
        self.hosts.iter().for_each(|&host| self.world.stop(host));
        let (deadline, hosts) = (self.world.now() + STOP, self.hosts.clone());
        let stopped = self.until(deadline, |w| hosts.iter().all(|h| !w.is_up(*h)));
        if !stopped && !self.broken() {
            let text = format!("{} s after being asked, not every process had stopped", STOP.as_secs());
            self.found.push(Violation { law: "L7 stops", partition: None, text });
        }
    }

    fn outcome(self) -> Outcome {
        let misuse = self.world.violations().into_iter();
        let mut violations: Vec<Violation> =
            misuse.map(|text| Violation { law: "world", partition: None, text }).collect();
        violations.extend(self.history.violations());
        violations.extend(self.found);
        let (_, acked) = self.history.counts();
        Outcome {
            violations,
            world_time: self.world.now(),
            trace_hash: self.world.trace_hash(),
            disks_hash: self.world.disks_hash(),
            history_hash: self.history.hash(),
            events: self.world.events(),
            polls: self.world.polls(),
            acked,
            faults: self.nemesis.counts,
            pieces_lost: self.nemesis.pieces_lost,
            reached: self.world.reached(),
            hosts: self.hosts.iter().map(|&host| describe(self.world, host)).collect(),
            tail: self.world.tail(),
        }
    }
}

fn describe(world: &World, host: HostId) -> String {
    let state = match world.ended(host) {
        None if world.is_up(host) => "up".to_owned(),
        None => "new".to_owned(),
        Some(how) => format!("down ({how:?})"),
    };
    let (pending, flying, hung) = world.disk(host, |d| (d.image.pending(), d.in_flight(), d.is_hung()));
    let hung = if hung { ", hung" } else { "" };
    let name = world.name(host);
    format!(
        "{name} {state}  disk {pending} pending, {flying} in flight{hung}  files {}  sockets {}",
        world.open_files(host),
        world.open_sockets(host)
    )
}
