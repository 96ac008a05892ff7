//! Random consumers, failures and failovers against the law of group offsets (I13).

mod support;

use support::history::run_seed;

#[test]
fn group_offsets_hold_over_random_histories() {
    let mut acked = 0;
    for seed in 0..150 {
        acked += run_seed(seed, 600).unwrap_or_else(|why| panic!("{why}"));
    }
    assert!(acked > 3_000, "the histories hardly commit: {acked}");
}
