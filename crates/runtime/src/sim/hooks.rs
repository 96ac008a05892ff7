//! What the simulator answers to the marks of `ouzel_model::hooks`.

use std::cell::RefCell;
use std::collections::BTreeSet;

use ouzel_model::hooks::Hooks;

use super::stream::{hash_bytes, mix};

/// The hooks of one world.
pub(crate) struct Marks {
    seed: u64,
    buggify: bool,
    planted: BTreeSet<String>,
    reached: RefCell<BTreeSet<&'static str>>,
}

impl Marks {
    pub fn new(seed: u64, buggify: bool, planted: BTreeSet<String>) -> Marks {
        Marks { seed, buggify, planted, reached: RefCell::default() }
    }

    /// Names of the marks passed so far.
    pub fn reached(&self) -> Vec<&'static str> {
        self.reached.borrow().iter().copied().collect()
    }
}

impl Hooks for Marks {
    fn reached(&self, name: &'static str) {
        self.reached.borrow_mut().insert(name);
    }

    /// Decided once per world and name, by the seed alone: the order of calls does not matter.
    fn buggify(&self, name: &'static str, odds: f64) -> bool {
        if !self.buggify {
            return false;
        }
        let drawn = mix(self.seed ^ hash_bytes(name.as_bytes()));
        ((drawn >> 11) as f64) < odds * (1u64 << 53) as f64
    }

    fn planted(&self, name: &'static str) -> bool {
        !self.planted.is_empty() && self.planted.contains(name)
    }
}
