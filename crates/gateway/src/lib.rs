//! The HTTP doors: readiness and metrics.
