//! A group's settings, typed.

use super::layers::{Layers, NO_LAYERS, NO_VALUES, Reader, Values};
use super::list::GROUP;

/// What the broker acts on of a group's settings. Source: KIP-848.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `consumer.heartbeat.interval.ms`.
    pub consumer_heartbeat_interval_ms: u64,
    /// `consumer.session.timeout.ms`.
    pub consumer_session_timeout_ms: u64,
}

impl GroupConfig {
    /// What counts, given the group's own values and those at broker level.
    pub fn resolve(own: &Values, layers: Layers<'_>) -> GroupConfig {
        let read = Reader { rows: GROUP, own, layers };
        GroupConfig {
            consumer_heartbeat_interval_ms: read.count("consumer.heartbeat.interval.ms"),
            consumer_session_timeout_ms: read.count("consumer.session.timeout.ms"),
        }
    }
}

impl Default for GroupConfig {
    /// The built-in values.
    fn default() -> GroupConfig {
        GroupConfig::resolve(&NO_VALUES, NO_LAYERS)
    }
}
