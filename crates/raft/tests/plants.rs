//! Each law can fail: known bugs, switched on one at a time, are caught within some seeds.

use std::rc::Rc;

use ouzel_model::hooks::{Hooks, install};
use ouzel_raft::testing::{Budget, DiskFault, Options, run, search};

struct Plant(&'static str);

impl Hooks for Plant {
    fn reached(&self, _: &'static str) {}
    fn buggify(&self, _: &'static str, _: f64) -> bool {
        false
    }
    fn planted(&self, name: &'static str) -> bool {
        name == self.0
    }
}

/// Runs seeds until a law breaks, and returns which.
fn caught(plant: &'static str, options: Options) -> Option<&'static str> {
    install(Some(Rc::new(Plant(plant))));
    let law = (0..2000).find_map(|seed| run(seed, options).1.err().map(|broken| broken.law));
    install(None);
    law
}

/// A bug breaks a promise between the parts first; with those laws out of the way, it does harm that clients see.
#[test]
fn every_planted_bug_is_caught_by_its_promise_and_by_its_harm() {
    let usual = Options::default();
    for (plant, options, promise, harm) in [
        // A vote and an append reordered on disk: a restarted replica doesn't know the term of its own entries.
        ("", Options { disk: DiskFault::VotesLate, ..usual }, "term-durable", "restartable"),
        ("", Options { disk: DiskFault::ReportsEarly, ..usual }, "term-durable", "liveness"),
        ("raft-own-vote-early", Options { nodes: 1, ..usual }, "one-leader", "one-leader"),
        ("raft-vote-not-awaited", usual, "term-durable", "one-leader"),
        // Figure 8 of the Raft paper.
        ("raft-commit-older-term", usual, "leader-complete", "leader-complete"),
        ("raft-ticket-of-truncated", usual, "position-order", "liveness"),
        ("raft-truncate-committed", usual, "committed-kept", "no-conflict"),
    ] {
        let planted = format!("{plant} {:?}", options.disk);
        assert_eq!(caught(plant, options), Some(promise), "{planted}");
        assert_eq!(caught(plant, Options { outcomes_only: true, ..options }), Some(harm), "{planted}");
    }
}

#[test]
fn the_search_finds_a_planted_bug() {
    let budget =
        Budget { elections: 1, heartbeats: 0, proposals: 1, crashes: 0, doubles: 1, depth: 99, states: 100_000 };
    for plant in ["raft-truncate-committed", "raft-vote-not-awaited"] {
        install(Some(Rc::new(Plant(plant))));
        let (_, result) = search(budget);
        install(None);
        assert!(result.is_err(), "{plant}");
    }
}
