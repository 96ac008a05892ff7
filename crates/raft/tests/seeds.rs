//! Lives of clusters, seed by seed, and every order of events of small ones.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use ouzel_model::hooks::{Hooks, install};
use ouzel_raft::testing::{Budget, Life, Options, run, search};

/// Runs these seeds; a broken law prints the way there.
fn check(seeds: std::ops::Range<u64>, options: Options) -> Vec<Life> {
    seeds
        .map(|seed| {
            let (life, result) = run(seed, options);
            if let Err(broken) = result {
                let (life, _) = run(seed, Options { trace: true, ..options });
                let tail = life.trace.len().saturating_sub(100);
                panic!("seed {seed} of {} nodes: {broken}\n{}", options.nodes, life.trace[tail..].join("\n"));
            }
            life
        })
        .collect()
}

#[derive(Default)]
struct Marks(RefCell<BTreeSet<&'static str>>);

impl Hooks for Marks {
    fn reached(&self, name: &'static str) {
        self.0.borrow_mut().insert(name);
    }
    fn buggify(&self, _: &'static str, _: f64) -> bool {
        false
    }
    fn planted(&self, _: &'static str) -> bool {
        false
    }
}

#[test]
fn three_replicas_keep_every_law() {
    let marks = Rc::new(Marks::default());
    install(Some(marks.clone()));
    let lives = check(0..2000, Options::default());
    install(None);
    // The faults leave room for work, and the rare paths are walked.
    let sum = |of: fn(&Life) -> usize| lives.iter().map(of).sum::<usize>();
    assert!(sum(|life| life.committed) > 50 * lives.len());
    assert!(sum(|life| life.terms as usize) > 5 * lives.len());
    assert!(sum(|life| life.copies) > lives.len() / 20);
    for mark in [
        "raft: truncated",
        "raft: older term waits for our own",
        "raft: catch up",
        "raft: late answer",
        "raft: lengths unknown",
        "raft: window full",
    ] {
        assert!(marks.0.borrow().contains(mark), "no seed walked {mark:?}");
    }
}

#[test]
fn any_number_of_replicas_keeps_every_law() {
    for (nodes, seeds) in [(1, 100), (2, 200), (4, 100), (5, 300), (7, 50)] {
        check(10_000..10_000 + seeds, Options { nodes, ..Options::default() });
    }
}

#[test]
fn a_seed_is_one_life() {
    let options = Options { nodes: 5, trace: true, ..Options::default() };
    assert_eq!(run(7, options).0.trace, run(7, options).0.trace);
    assert_ne!(run(7, options).0.trace, run(8, options).0.trace);
}

#[test]
fn every_order_of_events_keeps_every_law() {
    let none = Budget { elections: 0, heartbeats: 0, proposals: 0, crashes: 0, doubles: 0, depth: 99, states: 100_000 };
    for (budget, whole) in [
        (Budget { elections: 1, proposals: 1, crashes: 1, ..none }, true),
        (Budget { elections: 1, proposals: 1, doubles: 1, ..none }, true),
        (Budget { elections: 2, ..none }, true),
        (Budget { elections: 2, proposals: 1, crashes: 1, states: 30_000, ..none }, false),
    ] {
        let (found, result) = search(budget);
        assert_eq!(result, Ok(()), "{budget:?}");
        assert_eq!(found.complete, whole, "{budget:?}: {found:?}");
        assert!(found.committed > 0, "{budget:?}: {found:?}");
    }
}
