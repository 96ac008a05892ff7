//! The simulator's own proof: a sound server passes every seed, each planted bug is caught, a seed repeats.

use std::time::Duration;

use ouzel_sim::run::{Outcome, run};
use ouzel_sim::scenario::{Scenario, Subject};
use ouzel_sim::specimen::PLANTS;

const LOAD: Duration = Duration::from_secs(30);

fn outcome(seed: u64, plant: Option<&str>) -> Outcome {
    let mut scenario = Scenario::new(seed, Subject::Specimen, LOAD);
    scenario.planted.extend(plant.map(str::to_owned));
    run(&scenario, None)
}

#[test]
fn a_sound_server_passes_under_every_fault() {
    let (mut acked, mut lost, mut reached) = (0, 0, std::collections::BTreeSet::new());
    for seed in 0..40 {
        let outcome = outcome(seed, None);
        assert!(outcome.violations.is_empty(), "seed {seed}: {:#?} {:#?}", outcome.violations, outcome.hosts);
        acked += outcome.acked;
        lost += outcome.pieces_lost;
        reached.extend(outcome.reached);
    }
    // A check that saw nothing proves nothing.
    assert!(acked > 5_000, "{acked}");
    assert!(lost > 20, "{lost}");
    assert_eq!(
        reached.into_iter().collect::<Vec<_>>(),
        ["specimen-group-commit", "specimen-recovered", "specimen-torn-block"]
    );
}

#[test]
fn each_planted_bug_is_caught() {
    for plant in PLANTS {
        let caught =
            (0..200).find_map(|seed| outcome(seed, Some(plant)).violations.first().cloned().map(|v| (seed, v)));
        let (seed, violation) = caught.unwrap_or_else(|| panic!("{plant} was not caught"));
        assert!(violation.law.starts_with("I1 ") || violation.law.starts_with("I5 "), "{plant} {seed}: {violation:?}");
    }
}

#[test]
fn a_seed_repeats_and_its_neighbour_differs() {
    let prints: Vec<u64> = (0..6).map(|seed| outcome(seed, None).fingerprint()).collect();
    let again: Vec<u64> = (0..6).map(|seed| outcome(seed, None).fingerprint()).collect();
    assert_eq!(prints, again);
    assert!(prints.windows(2).all(|pair| pair[0] != pair[1]));
}
