//! Wall-clock time as Kafka counts it.

/// Milliseconds since the Unix epoch, UTC. Negative values are legal in record batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds from `earlier` to this time; negative when this is the earlier one. Saturates.
    pub fn millis_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
