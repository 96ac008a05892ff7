//! The simulator's marks. In a normal build each is empty; `cfg(feature = "sim")` stands here and in `runtime` alone.
//!
//! - `reached!("name")` marks a branch that matters; a sweep lists the marks never reached.
//! - `buggify!(odds, value, otherwise)` takes `value` in a random subset of simulated runs.
//! - `planted!(22, wrong, right)` is a known bug, off until the run names it.
//!
//! The simulator runs one world at a time per process thread, and installs its hooks for it with [`install`].

/// What the simulator answers; see [`install`].
#[cfg(any(feature = "sim", feature = "plants"))]
pub trait Hooks {
    /// A mark was passed.
    fn reached(&self, name: &'static str);
    /// Whether a random small limit or rare path is taken here, with probability `odds` of 1.
    fn buggify(&self, name: &'static str, odds: f64) -> bool;
    /// Whether the planted bug of this name is switched on.
    fn planted(&self, name: &'static str) -> bool;
}

// One simulated world runs per thread.
#[cfg(any(feature = "sim", feature = "plants"))]
// The marks are bare macros, so the hooks they reach must be the thread's (the lint is allowed at the crate's root, where it
// looks for macros that make items).
mod state {
    use super::Hooks;
    use std::cell::RefCell;
    use std::rc::Rc;
    std::thread_local! {
        static HOOKS: RefCell<Option<Rc<dyn Hooks>>> = const { RefCell::new(None) };
    }

    /// Sets this thread's hooks; `None` takes them away.
    pub fn install(hooks: Option<Rc<dyn Hooks>>) {
        HOOKS.with(|h| *h.borrow_mut() = hooks);
    }

    fn with<R>(default: R, f: impl FnOnce(&dyn Hooks) -> R) -> R {
        let hooks = HOOKS.with(|h| h.borrow().clone());
        hooks.map_or(default, |h| f(&*h))
    }

    #[doc(hidden)]
    pub fn reached(name: &'static str) {
        with((), |h| h.reached(name))
    }
    #[doc(hidden)]
    pub fn buggify(name: &'static str, odds: f64) -> bool {
        with(false, |h| h.buggify(name, odds))
    }
    #[doc(hidden)]
    pub fn planted(name: &'static str) -> bool {
        with(false, |h| h.planted(name))
    }
}
#[cfg(any(feature = "sim", feature = "plants"))]
pub use state::*;

#[doc(hidden)]
#[cfg(not(any(feature = "sim", feature = "plants")))]
#[inline(always)]
pub fn reached(_: &'static str) {}
#[doc(hidden)]
#[cfg(not(any(feature = "sim", feature = "plants")))]
#[inline(always)]
pub fn buggify(_: &'static str, _: f64) -> bool {
    false
}
#[doc(hidden)]
#[cfg(not(any(feature = "sim", feature = "plants")))]
#[inline(always)]
pub fn planted(_: &'static str) -> bool {
    false
}

/// Marks a branch that matters; the simulator's sweep must pass it.
#[macro_export]
macro_rules! reached {
    ($name:literal) => {
        $crate::hooks::reached($name)
    };
}

/// `buggify!("name", 0.1, small, usual)`: `small` in a random subset of simulated runs, else `usual`.
#[macro_export]
macro_rules! buggify {
    ($name:literal, $odds:expr, $small:expr, $usual:expr) => {
        if $crate::hooks::buggify($name, $odds) { $small } else { $usual }
    };
}

/// `planted!("D20", wrong, right)`: a known bug that a simulated run can switch on by name.
#[macro_export]
macro_rules! planted {
    ($name:literal, $wrong:expr, $right:expr) => {
        if $crate::hooks::planted($name) { $wrong } else { $right }
    };
}
