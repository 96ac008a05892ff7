//! Consumer group coordination as state machines.
