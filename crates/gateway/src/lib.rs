//! The HTTP doors: readiness and metrics.

// The service thread lives on tokio, outside the simulator; see clippy.toml.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]
