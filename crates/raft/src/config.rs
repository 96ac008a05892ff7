//! Settings of a group.

/// Times and windows. One value serves every group of a shard; all replicas may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// Shortest election timeout, ms.
    pub election_ms_min: u32,
    /// Longest election timeout, ms, inclusive. Not below the shortest.
    pub election_ms_max: u32,
    /// A follower that heard nothing for this long gets a heartbeat, ms; in the worst case after twice as long.
    pub heartbeat_ms: u32,
    /// Most payload bytes in one `Append`, but for a single larger entry.
    pub frame_bytes_max: u32,
    /// Most entries in one `Append`. At least 1.
    pub frame_entries_max: u32,
    /// Payload bytes sent to a follower and not yet durable there at which the leader stops sending. The frame that
    /// passes the limit still goes.
    pub window_bytes_max: u32,
    /// The same in entries, at least 1; also how many entries' lengths a leader remembers (8 bytes each).
    pub window_entries_max: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            election_ms_min: 1000,
            election_ms_max: 1500,
            heartbeat_ms: 150,
            frame_bytes_max: 1 << 20,
            frame_entries_max: 1024,
            // Four frames in flight hide a round trip behind the follower's sync.
            window_bytes_max: 4 << 20,
            window_entries_max: 1024,
        }
    }
}

impl Config {
    /// An election timeout, ms, drawn from a uniformly distributed number.
    pub(crate) fn election_ms(&self, random: u64) -> u32 {
        let spread = u64::from(self.election_ms_max.saturating_sub(self.election_ms_min)) + 1;
        self.election_ms_min + (random % spread) as u32
    }
}
