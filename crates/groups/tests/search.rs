//! Every history of a few steps, from a stable group of three members: what random ones may miss is found here.

mod support;

use ouzel_groups::Config;
use support::history::{Phase, Sim};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Client(usize),
    Commit(usize),
    Zombie(usize),
    Rebalance(usize),
    Restart(usize),
    Store,
    Refuse,
    FailOver,
    Silence,
}

const ACTS: [Act; 13] = [
    Act::Client(0),
    Act::Client(1),
    Act::Client(2),
    Act::Commit(0),
    Act::Commit(1),
    Act::Zombie(1),
    Act::Rebalance(0),
    Act::Restart(1),
    Act::Restart(2),
    Act::Store,
    Act::Refuse,
    Act::FailOver,
    Act::Silence,
];

/// Whether the step would change anything that another one doesn't.
fn is_open(sim: &Sim, act: Act) -> bool {
    match act {
        Act::Client(place) => matches!(sim.clients[place].phase, Phase::Out | Phase::Joined | Phase::In),
        Act::Commit(place) => sim.clients[place].generation >= 0,
        Act::Zombie(place) => sim.clients[place].is_zombie(),
        Act::Rebalance(place) | Act::Restart(place) => sim.clients[place].phase != Phase::Out,
        Act::Store | Act::Refuse => !sim.world.open.is_empty(),
        Act::FailOver | Act::Silence => true,
    }
}

fn act(sim: &mut Sim, act: Act) -> Result<(), String> {
    match act {
        Act::Client(place) => sim.step_client(place),
        Act::Commit(place) => sim.commit(place, false),
        Act::Zombie(place) => sim.commit(place, true),
        Act::Rebalance(place) => {
            sim.change_subscription(place);
            sim.step_client(place)
        }
        Act::Restart(place) => {
            sim.restart(place);
            sim.step_client(place)
        }
        Act::Store => sim.decide(true).and_then(|()| sim.deliver()),
        Act::Refuse => sim.decide(false).and_then(|()| sim.deliver()),
        Act::FailOver => sim.fail_over(),
        Act::Silence => sim.advance(10_000),
    }
}

fn explore(sim: &Sim, depth: usize, path: &mut Vec<Act>, seen: &mut usize) {
    for next in ACTS {
        if !is_open(sim, next) {
            continue;
        }
        let mut after = sim.clone();
        path.push(next);
        act(&mut after, next).unwrap_or_else(|why| panic!("{path:?}: {why}"));
        if depth > 1 {
            explore(&after, depth - 1, path, seen);
        } else {
            *seen += 1;
            after.drain().and_then(|()| after.check_applied()).unwrap_or_else(|why| panic!("{path:?}: {why}"));
        }
        path.pop();
    }
}

#[test]
fn no_short_history_breaks_the_law_of_group_offsets() {
    let config = Config { initial_rebalance_delay_ms: 0, ..Config::default() };
    let mut sim = Sim::new(1, config, &[("g", false), ("g", true), ("g", false)]);
    for _ in 0..12 {
        for place in 0..3 {
            sim.step_client(place).expect("no fault yet");
            sim.drain().expect("no fault yet");
        }
    }
    assert!(sim.clients.iter().all(|client| client.phase == Phase::In), "the group isn't stable");
    let mut seen = 0;
    explore(&sim, 4, &mut Vec::new(), &mut seen);
    assert!(seen > 5_000, "only {seen} histories");
}
