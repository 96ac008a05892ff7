//! Whole clusters under a deterministic simulation, from one 64-bit seed. Knows no clock, socket or file of the real world
//! (its binary does), and nothing of a broker's inside but what its clients and its disk show.
//!
//! ```
//! use std::time::Duration;
//! use ouzel_sim::scenario::{Scenario, Subject};
//!
//! let scenario = Scenario::new(7, Subject::Specimen, Duration::from_secs(5));
//! let outcome = ouzel_sim::run::run(&scenario, None);
//! assert!(outcome.violations.is_empty(), "{:?}", outcome.violations);
//! assert_eq!(outcome.fingerprint(), ouzel_sim::run::run(&scenario, None).fingerprint());
//! ```
//!
//! Invariants:
//! - A run is a function of its [`Scenario`](scenario::Scenario): equal scenarios give equal fingerprints, in any process.
//! - Faults are an explicit [`plan`]; taking one out moves no other and leaves the load's own choices alone.
//! - Every checker is caught lying by a planted bug or a control (see `tests/`).

pub mod broker;
pub mod checkers;
pub mod faults;
pub mod history;
pub mod plan;
pub mod rot;
pub mod run;
pub mod scenario;
pub mod specimen;
