//! One life of a cluster, drawn from a seed.

use std::collections::BTreeMap;
use std::rc::Rc;

use ouzel_model::Index;

use super::cluster::{Cluster, Event, Packet, Payload};
use super::disk::DiskFault;
use super::laws::{Broken, law};
use super::rng::Rng;
use crate::{Body, Config, Entries, NEVER};

/// How long a healed cluster may take to agree, simulated ms: some forty election timeouts.
pub const HEAL_MS: u64 = 20_000;

/// What a life is made of, beside its seed.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Replicas, 1 to 7.
    pub nodes: usize,
    /// Simulated ms under faults.
    pub fault_ms: u64,
    /// A planted fault of every disk.
    pub disk: DiskFault,
    /// Look only at laws whose breach a client would see: to show that a planted bug does harm.
    pub outcomes_only: bool,
    /// Keep a line of text for every event.
    pub trace: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { nodes: 3, fault_ms: 3000, disk: DiskFault::None, outcomes_only: false, trace: false }
    }
}

/// What happened in a life.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// Entries committed.
    pub committed: usize,
    /// Events stepped.
    pub events: usize,
    /// The highest term reached.
    pub terms: u32,
    /// Copies sent to followers behind a trimmed log.
    pub copies: usize,
    /// One line per event, when asked for.
    pub trace: Vec<String>,
}

enum Happening {
    Arrive(Packet),
    /// A node's timer, of this incarnation.
    Timer(usize, u32),
    /// Some writes become durable.
    Sync(usize, u32),
    /// The disk says so.
    Notice(usize, u32),
    Restart(usize),
    /// The sender of a catch-up copy sees that it failed.
    CopyLost(usize, usize),
    Propose,
    Trouble,
    Heal,
}

/// The odds of this life.
struct Odds {
    loss: u64,
    double: u64,
    delay_ms: u64,
    sync_ms: u64,
    trouble_ms: u64,
    propose_ms: u64,
}

struct World {
    rng: Rng,
    odds: Odds,
    now: u64,
    agenda: BTreeMap<(u64, u64), Happening>,
    count: u64,
    cluster: Cluster,
    incarnations: Vec<u32>,
    /// When each node's timer is set.
    timers: Vec<u64>,
    syncing: Vec<bool>,
    /// One-way cuts, from and to.
    cuts: Vec<(usize, usize)>,
    healed: bool,
    value: u64,
    life: Life,
    trace: bool,
}

/// Lives one life. The error is the first law broken; `life.trace` then tells the way there.
pub fn run(seed: u64, options: Options) -> (Life, Result<(), Broken>) {
    let mut rng = Rng::new(seed);
    let config = Config {
        election_ms_min: 200,
        election_ms_max: 400,
        heartbeat_ms: 50,
        frame_bytes_max: rng.pick(&[0, 20, 1000]),
        frame_entries_max: rng.pick(&[1, 2, 5, 100]),
        window_bytes_max: rng.pick(&[1, 50, 1000]),
        window_entries_max: rng.pick(&[1, 3, 50]),
    };
    let odds = Odds {
        loss: rng.pick(&[0, 0, 2, 20]),
        double: rng.pick(&[0, 5, 20]),
        delay_ms: rng.pick(&[2, 10, 60, 250]),
        sync_ms: rng.pick(&[2, 10, 60, 250]),
        trouble_ms: rng.pick(&[100, 300, 1000]),
        propose_ms: rng.pick(&[3, 20, 100]),
    };
    let mut cluster = match Cluster::new(config, options.nodes, options.disk) {
        Ok(cluster) => cluster,
        Err(broken) => return (Life::default(), Err(broken)),
    };
    Rc::make_mut(&mut cluster.laws).outcomes_only = options.outcomes_only;
    if rng.chance(30) {
        cluster.frame_entries_max = 2;
    }
    let mut world = World {
        rng,
        odds,
        now: 0,
        agenda: BTreeMap::new(),
        count: 0,
        cluster,
        incarnations: vec![0; options.nodes],
        timers: vec![NEVER; options.nodes],
        syncing: vec![false; options.nodes],
        cuts: Vec::new(),
        healed: false,
        value: 0,
        life: Life::default(),
        trace: options.trace,
    };
    let result = world.live(options.fault_ms);
    world.life.committed = world.cluster.laws.committed.len();
    world.life.terms = world.cluster.nodes.iter().map(|node| node.disk.view.term.0).max().unwrap_or(0);
    (world.life, result)
}

impl World {
    fn live(&mut self, fault_ms: u64) -> Result<(), Broken> {
        for at in 0..self.cluster.nodes.len() {
            self.watch(at);
        }
        self.after(1, Happening::Propose);
        self.after(self.odds.trouble_ms, Happening::Trouble);
        self.after(fault_ms, Happening::Heal);
        let mut agreed_at = usize::MAX;
        while let Some(((now, _), happening)) = self.agenda.pop_first() {
            self.now = now;
            self.life.events += 1;
            if matches!(happening, Happening::Heal) {
                // What is committed from here on shows that the cluster goes on.
                agreed_at = self.cluster.laws.committed.len() + 3;
            }
            self.happen(happening)?;
            if self.healed && self.agrees(agreed_at) {
                return Ok(());
            }
            law!("liveness", now < fault_ms + HEAL_MS, "no agreement {HEAL_MS} ms after all has healed");
        }
        Ok(())
    }

    /// Whether every replica has committed all that is committed, and at least this much.
    fn agrees(&self, least: usize) -> bool {
        let end = Index(self.cluster.laws.committed.len() as u64);
        end.0 >= least as u64
            && self.cluster.nodes.iter().all(|node| node.group.as_ref().is_some_and(|group| group.committed() == end))
    }

    fn after(&mut self, ms: u64, happening: Happening) {
        self.count += 1;
        self.agenda.insert((self.now + ms, self.count), happening);
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Broken> {
        match happening {
            Happening::Arrive(packet) => {
                let to = packet.to;
                if self.cluster.group(to).is_none() {
                    self.lost(packet);
                } else {
                    self.step(to, Event::Arrives(packet))?;
                }
            }
            Happening::CopyLost(from, to) => self.step(from, Event::PeerLost(to))?,
            Happening::Timer(at, incarnation) => {
                if self.incarnations[at] == incarnation && self.timers[at] <= self.now {
                    self.timers[at] = NEVER;
                    let random = self.rng.next();
                    self.step(at, Event::Timer { random })?;
                }
            }
            Happening::Sync(at, incarnation) => {
                if self.incarnations[at] == incarnation {
                    let waiting = self.cluster.nodes[at].disk.waiting() as u64;
                    let count = if self.rng.chance(50) { waiting } else { 1 + self.rng.below(waiting) };
                    Rc::make_mut(&mut self.cluster.nodes[at]).disk.sync(count as usize);
                    self.line(|| format!("{at} synced {count} of {waiting} writes"));
                    let ms = self.rng.below(self.odds.sync_ms);
                    self.after(ms, Happening::Notice(at, incarnation));
                }
            }
            Happening::Notice(at, incarnation) => {
                if self.incarnations[at] == incarnation {
                    self.syncing[at] = false;
                    let packets = self.cluster.notice(at, self.now)?;
                    self.line(|| format!("{at} durable"));
                    self.transmit(packets);
                    self.watch(at);
                }
            }
            Happening::Restart(at) => {
                if self.cluster.group(at).is_none() {
                    let random = self.rng.next();
                    self.cluster.start(at, self.now, random)?;
                    self.line(|| format!("{at} restarts"));
                    self.timers[at] = NEVER;
                    self.watch(at);
                }
            }
            Happening::Propose => {
                self.propose()?;
                let ms = if self.healed { 200 } else { self.odds.propose_ms };
                self.after(ms, Happening::Propose);
            }
            Happening::Trouble => {
                if !self.healed {
                    self.trouble()?;
                    let ms = 1 + self.rng.below(self.odds.trouble_ms);
                    self.after(ms, Happening::Trouble);
                }
            }
            Happening::Heal => {
                self.line(|| "all heals".to_string());
                self.healed = true;
                self.cuts.clear();
                self.odds = Odds { loss: 0, double: 0, delay_ms: 5, sync_ms: 5, ..self.odds };
                for at in 0..self.cluster.nodes.len() {
                    self.happen(Happening::Restart(at))?;
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, at: usize, event: Event) -> Result<(), Broken> {
        if self.trace {
            let text = describe(&event);
            let before = self.cluster.group(at).map(|group| (group.role(), group.last(), group.committed()));
            self.line(|| format!("{at} {before:?} <- {text}"));
        }
        let (commits, restarted) = (
            self.cluster.laws.committed.len(),
            matches!(&event, Event::Arrives(p) if matches!(p.what, Payload::Copy(..))),
        );
        let packets = self.cluster.step(at, self.now, event)?;
        if restarted {
            // The copy may have made the group anew; old timers are harmless.
            self.incarnations[at] += 1;
            self.timers[at] = NEVER;
            self.syncing[at] = false;
            self.life.copies += 1;
        }
        if self.cluster.laws.committed.len() > commits {
            self.line(|| format!("{at} commits"));
        }
        self.transmit(packets);
        self.watch(at);
        Ok(())
    }

    fn line(&mut self, text: impl FnOnce() -> String) {
        if self.trace {
            let line = format!("{:6} {}", self.now, text());
            self.life.trace.push(line);
        }
    }

    /// Sets the timer, and starts the disk when it has something to do.
    fn watch(&mut self, at: usize) {
        let Some(deadline) = self.cluster.group(at).map(|group| group.deadline()) else { return };
        if deadline != NEVER && deadline != self.timers[at] {
            self.timers[at] = deadline;
            let late = self.rng.below(3);
            self.after(deadline.saturating_sub(self.now) + late, Happening::Timer(at, self.incarnations[at]));
        }
        if self.cluster.nodes[at].disk.waiting() > 0 && !self.syncing[at] {
            self.syncing[at] = true;
            let ms = self.rng.below(self.odds.sync_ms);
            self.after(ms, Happening::Sync(at, self.incarnations[at]));
        }
    }

    fn transmit(&mut self, packets: Vec<Packet>) {
        for packet in packets {
            if self.cuts.contains(&(packet.from, packet.to)) || self.rng.chance(self.odds.loss) {
                self.lost(packet);
                continue;
            }
            if self.rng.chance(self.odds.double) {
                let ms = self.rng.below(4 * self.odds.delay_ms);
                self.after(ms, Happening::Arrive(packet.clone()));
            }
            let ms = self.rng.below(self.odds.delay_ms);
            self.after(ms, Happening::Arrive(packet));
        }
    }

    /// Nobody hears of a lost message; that a copy failed, its sender sees.
    fn lost(&mut self, packet: Packet) {
        if matches!(packet.what, Payload::Copy(..)) {
            self.after(100, Happening::CopyLost(packet.from, packet.to));
        }
    }

    /// Every replica is asked; leaders of old terms take proposals, too.
    fn propose(&mut self) -> Result<(), Broken> {
        for at in 0..self.cluster.nodes.len() {
            if self.cluster.group(at).is_some_and(|group| group.next_entry().is_some()) {
                let count = 1 + self.rng.below(3);
                let values = (self.value + 1..=self.value + count).collect();
                let bytes = (0..count).map(|_| self.rng.below(30) as u32).collect();
                self.value += count;
                self.step(at, Event::Propose { values, bytes })?;
            }
        }
        Ok(())
    }

    fn trouble(&mut self) -> Result<(), Broken> {
        let count = self.cluster.nodes.len() as u64;
        let at = self.rng.below(count) as usize;
        match self.rng.below(8) {
            // Crash: more often than not the one that leads.
            0..=2 => {
                let leader = (0..count as usize)
                    .find(|&at| self.cluster.group(at).is_some_and(|group| group.next_entry().is_some()));
                let at = if self.rng.chance(50) { leader.unwrap_or(at) } else { at };
                if self.cluster.group(at).is_some() {
                    let kept = self.rng.below(self.cluster.nodes[at].disk.waiting() as u64 + 1) as usize;
                    self.line(|| format!("{at} crashes, {kept} more writes kept"));
                    self.incarnations[at] += 1;
                    self.syncing[at] = false;
                    self.cluster.crash(at, kept)?;
                    let ms = self.rng.below(600);
                    self.after(ms, Happening::Restart(at));
                    if self.rng.chance(50) {
                        for other in (0..count as usize).filter(|&other| other != at) {
                            self.step(other, Event::PeerLost(at))?;
                        }
                    }
                }
            }
            // One node is cut off, both ways or one.
            3 => {
                let ways = self.rng.below(3);
                for other in (0..count as usize).filter(|&other| other != at) {
                    if ways != 1 {
                        self.cuts.push((at, other));
                    }
                    if ways != 2 {
                        self.cuts.push((other, at));
                    }
                }
                self.line(|| format!("{at} is cut off, {ways}"));
            }
            4 => {
                let other = self.rng.below(count) as usize;
                self.cuts.push((at, other));
            }
            5 => self.cuts.clear(),
            6 => self.step(at, Event::PeerLost(self.rng.clone().below(count) as usize))?,
            _ => {
                let upto = self.cluster.group(at).map_or(Index(0), |group| group.committed());
                self.step(at, Event::Trimmed(upto))?;
            }
        }
        Ok(())
    }
}

fn describe(event: &Event) -> String {
    match event {
        Event::Propose { values, .. } => format!("propose {values:?}"),
        Event::Arrives(Packet { from, what: Payload::Message(message, _), .. }) => match message.body {
            Body::Append(Entries { prev, term, last, commit }) => format!(
                "{from} t{}: append behind {}/{} to {}/{}, commit {commit}",
                message.term, prev.term, prev.index, term, last
            ),
            body => format!("{from} t{}: {body:?}", message.term),
        },
        Event::Arrives(Packet { from, what: Payload::Copy(start, entries), .. }) => {
            format!("{from}: copy behind {start:?}, {} entries", entries.len())
        }
        Event::Timer { .. } => "timer".to_string(),
        Event::PeerLost(peer) => format!("lost {peer}"),
        Event::Trimmed(upto) => format!("trim {upto}"),
    }
}
