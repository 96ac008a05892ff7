//! One core's storage engine: a journal with group commit, segments per log.
