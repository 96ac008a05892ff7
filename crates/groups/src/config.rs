//! What a coordinator is told once, and its bounds.

/// Settings of a coordinator. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Smallest session timeout a member may ask for. Setting `group.min.session.timeout.ms`.
    pub session_timeout_ms_min: i32,
    /// Largest session timeout a member may ask for. Setting `group.max.session.timeout.ms`.
    pub session_timeout_ms_max: i32,
    /// How long an empty group waits for company after the first join. Setting `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay_ms: u64,
    /// How long a newcomer's join is held at most: it doesn't know its id yet, so it has no session to lose.
    pub newcomer_timeout_ms: u64,
    /// Age at which offsets go. Setting `offsets.retention.minutes`.
    pub offsets_retention_ms: i64,
    /// How often ages are looked at. Setting `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_ms: u64,
    /// How long to wait before records that nobody waits for are tried again.
    pub retry_ms: u64,
    /// Members of a group, newcomers with a reserved id included. Setting `group.max.size`.
    pub members_max: usize,
    /// Groups of this coordinator.
    pub groups_max: usize,
    /// Offsets of a group.
    pub offsets_max: usize,
    /// Characters (UTF-16, as Kafka counts) of an offset's metadata, at most [`Config::OFFSET_METADATA_MAX`]. Setting
    /// `offset.metadata.max.bytes`.
    pub offset_metadata_max: usize,
    /// Bytes of a group id, client id, instance id, protocol type or protocol name.
    pub name_bytes_max: usize,
    /// Protocols of a member.
    pub protocols_max: usize,
    /// Bytes of all protocols' metadata of one member.
    pub member_metadata_bytes_max: usize,
    /// Bytes of a group's record: its members with their chosen metadata and assignments. With a few names less than
    /// `append_bytes_max`.
    pub group_bytes_max: usize,
    /// Bytes of one append: keys and values, and 20 for each record as a batch frames it.
    pub append_bytes_max: usize,
    /// Calls that wait for one group.
    pub queue_max: usize,
    /// Offset commits of one group on their way to the log.
    pub commits_in_flight_max: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            session_timeout_ms_min: 6_000,
            session_timeout_ms_max: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            newcomer_timeout_ms: 300_000,
            offsets_retention_ms: 7 * 24 * 3_600_000,
            offsets_retention_check_ms: 600_000,
            retry_ms: 1_000,
            members_max: 10_000,
            groups_max: 100_000,
            offsets_max: 100_000,
            offset_metadata_max: 4_096,
            // Beside a 36-byte id it must fit the i16 length of Kafka's old strings.
            name_bytes_max: 8_192,
            protocols_max: 64,
            member_metadata_bytes_max: 256 << 10,
            // A batch of an internal topic holds 1 MiB by default; leave room for its frame.
            group_bytes_max: 900_000,
            append_bytes_max: 1_000_000,
            // Two calls of each member of a large group, and some.
            queue_max: 4_096,
            commits_in_flight_max: 1_024,
        }
    }
}

impl Config {
    /// Largest `offset_metadata_max`: three bytes for each character must fit Kafka's old length field.
    pub const OFFSET_METADATA_MAX: usize = i16::MAX as usize / 3;

    pub(crate) fn check(&self) {
        assert!(self.name_bytes_max + 37 <= i16::MAX as usize, "member ids must fit their length field");
        assert!(self.offset_metadata_max <= Config::OFFSET_METADATA_MAX, "metadata must fit its length field");
        assert!(self.group_bytes_max < self.append_bytes_max, "a group's record must fit an append");
    }

    /// Settings of a broker on a developer's machine: a group forms at once.
    pub fn dev() -> Config {
        Config { initial_rebalance_delay_ms: 0, ..Config::default() }
    }
}
