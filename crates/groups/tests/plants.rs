//! The random histories are worth something: each planted bug breaks their law.
#![cfg(feature = "plants")]

mod support;

use std::rc::Rc;

use ouzel_model::hooks::{Hooks, install};
use support::history::run_seed;

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

fn check(plant: &'static str, laws: &[&str]) {
    install(Some(Rc::new(Plant(plant))));
    let broken = (0..60).find_map(|seed| run_seed(seed, 600).err());
    install(None);
    let why = broken.unwrap_or_else(|| panic!("plant {plant} went unseen"));
    assert!(laws.iter().any(|law| why.contains(law)), "plant {plant} broke another law: {why}");
}

#[test]
fn offsets_served_before_load_ends_are_seen() {
    check("40", &["served before all was loaded"]);
}

#[test]
fn offsets_expired_in_a_rebalance_are_seen() {
    check("41", &["a member's offset aged out"]);
}

#[test]
fn zombie_commit_is_seen() {
    check("42", &["committed in", "isn't in generation"]);
}
