//! The ouzel binary.

// The binary talks to the machine itself; see clippy.toml.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

fn main() {}
