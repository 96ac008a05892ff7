//! A run as the seed makes it: the cluster, its load, and the swarm of faults (a random subset of all kinds, after
//! Groce et al., "Swarm testing", ISSTA'12).

use std::time::Duration;

use ouzel_runtime::sim::{Planted, Stream};

use crate::plan::{Fault, KINDS, Kind};

/// What runs in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A small server with a journal: the proof of the world, the disk model and the checkers themselves.
    Specimen,
    /// Brokers, each for itself.
    Broker,
}

/// All that a run depends on.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// What runs.
    pub subject: Subject,
    /// Brokers.
    pub nodes: u16,
    /// Shards of each.
    pub shards: u16,
    /// Clients, each a task.
    pub clients: u16,
    /// Typical pause of a client between two operations.
    pub pace: Duration,
    /// World time under load and faults; healing and shutdown come on top.
    pub load: Duration,
    /// Planted bugs switched on.
    pub planted: Planted,
    /// Faults in order of time.
    pub plan: Vec<Fault>,
}

/// World time under load, unless told otherwise.
pub const LOAD: Duration = Duration::from_secs(120);
/// Power cuts a run has at least, when they are in its swarm.
const CUTS_MIN: u64 = 10;

impl Scenario {
    /// The scenario of a seed.
    pub fn new(seed: u64, subject: Subject, load: Duration) -> Scenario {
        let mut dice = Stream::new(seed, "scenario");
        let nodes = dice.between(1, 3) as u16;
        let shards = dice.between(1, 3) as u16;
        let clients = dice.between(2, 6) as u16;
        let pace = Duration::from_millis([5, 20, 100][dice.below(3) as usize]);
        let plan = swarm(seed, subject, nodes, load);
        Scenario { seed, subject, nodes, shards, clients, pace, load, planted: Planted::new(), plan }
    }

    /// Kinds of faults in the plan, for a failure's print.
    pub fn kinds(&self) -> Vec<&'static str> {
        let used = |kind: Kind| self.plan.iter().any(|f| f.kind == kind);
        KINDS.iter().filter(|(kind, _)| used(*kind)).map(|(_, name)| *name).collect()
    }
}

/// Faults that the subject can't be asked to survive.
fn beyond(subject: Subject, kind: Kind) -> bool {
    match subject {
        // Without replicas a read error at start is final, and it has no retention that frees space.
        // Its shards hand nothing over.
        Subject::Specimen => {
            matches!(kind, Kind::ReadError | Kind::DiskFull | Kind::Cores | Kind::Rot | Kind::Stale)
        }
        Subject::Broker => false,
    }
}

fn swarm(seed: u64, subject: Subject, nodes: u16, load: Duration) -> Vec<Fault> {
    let mut dice = Stream::new(seed, "faults");
    let load_ms = load.as_millis() as u64;
    let mut plan = Vec::new();
    for (kind, _) in KINDS {
        // A stream per kind: leaving one out moves no other.
        let own = dice.next_u64();
        let mut dice = dice.child(own);
        let cut = kind == Kind::PowerCut;
        // What a damage touches may be refused from then on: it is rare, so that the other promises are tested.
        let rots = matches!(kind, Kind::Rot | Kind::Stale);
        let odds = if cut {
            0.9
        } else if rots {
            0.2
        } else {
            0.4
        };
        if !dice.chance(odds) || beyond(subject, kind) {
            continue;
        }
        let every_ms = dice.between(1_500, 20_000);
        let count = if rots { dice.between(1, 3) } else { (load_ms / every_ms).max(if cut { CUTS_MIN } else { 1 }) };
        for _ in 0..count {
            let fault = draw(kind, nodes, load_ms, &mut dice);
            if kind == Kind::Cores && dice.chance(0.7) {
                plan.push(cut_behind(&fault, &mut dice));
            }
            plan.push(fault);
        }
    }
    plan.sort_by_key(|f| (f.at_ms, f.kind, f.node, f.to));
    plan
}

/// The start that follows is cut short, or what comes soon after it: few other faults meet it, for it takes some milliseconds.
fn cut_behind(fault: &Fault, dice: &mut Stream) -> Fault {
    let kind = if dice.chance(0.7) { Kind::PowerCut } else { Kind::Kill };
    let within = if dice.chance(0.7) { 40 } else { 400 };
    let at_ms = fault.at_ms + fault.for_ms + dice.below(within);
    Fault { at_ms, kind, for_ms: dice.between(20, 2_000), amount: 0, writing: dice.chance(0.7), ..fault.clone() }
}

fn draw(kind: Kind, nodes: u16, load_ms: u64, dice: &mut Stream) -> Fault {
    let node = dice.below(u64::from(nodes)) as u16;
    let to = dice.below(u64::from(nodes)) as u16;
    let short = dice.between(20, 2_000);
    let long = if dice.chance(0.1) { dice.between(5_000, 30_000) } else { dice.between(100, 5_000) };
    let (for_ms, amount) = match kind {
        Kind::Kill | Kind::PowerCut | Kind::PowerCutAll => (if dice.chance(0.8) { short } else { long }, 0),
        Kind::Restart => (short, 0),
        Kind::Cores => (short, dice.between(1, 4) as i64),
        Kind::Pause | Kind::DiskHang | Kind::Isolate | Kind::OneWay | Kind::Cut => (long, 0),
        Kind::Stall => (long, dice.below(4) as i64),
        Kind::DiskSlow => (long, 1 << dice.between(2, 9)),
        Kind::SyncError | Kind::ReadError => (long, dice.between(2, 50) as i64),
        Kind::DiskFull => (long, if dice.chance(0.5) { 0 } else { 1 << dice.between(12, 22) }),
        Kind::AcceptError | Kind::WallFreeze => (long, 0),
        Kind::Rot => (0, dice.next_u64() as i64 >> 1),
        Kind::Stale => (long, dice.next_u64() as i64 >> 1),
        Kind::Loss => (long, dice.between(1, 300) as i64),
        Kind::Resets => (0, 0),
        Kind::WallStep => {
            let step = 1_000i64 * [1, 60, 86_400, 315_360_000][dice.below(4) as usize];
            (0, if dice.chance(0.5) { step } else { -step })
        }
    };
    let writing = match kind {
        Kind::Kill | Kind::PowerCut | Kind::PowerCutAll => dice.chance(0.9),
        Kind::Cores => dice.chance(0.5),
        _ => false,
    };
    Fault { at_ms: dice.below(load_ms.max(1)), kind, node, to, for_ms, amount, writing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_scenario_and_seeds_differ_in_their_swarm() {
        let plan = |seed| Scenario::new(seed, Subject::Specimen, LOAD).plan;
        assert_eq!(plan(1), plan(1));
        let kinds: std::collections::BTreeSet<_> =
            (0..20).map(|seed| Scenario::new(seed, Subject::Specimen, LOAD).kinds()).collect();
        assert!(kinds.len() > 15);
    }

    #[test]
    fn power_cuts_come_in_tens() {
        let cuts = |seed| {
            let plan = Scenario::new(seed, Subject::Specimen, LOAD).plan;
            plan.iter().filter(|f| f.kind == Kind::PowerCut).count()
        };
        assert!((0..50).filter(|&seed| cuts(seed) >= CUTS_MIN as usize).count() >= 40);
    }
}
