//! A whole broker: configuration, wiring of shards to cores, start and stop.
