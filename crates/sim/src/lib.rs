//! Whole brokers under a deterministic simulation, from one seed.
