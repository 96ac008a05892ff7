//! What the store counts.

use ouzel_runtime::Runtime;
use ouzel_runtime::metrics::{Counter, Gauge, Histogram, Metric};

macro_rules! metric {
    ($name:ident, $text:literal, $unit:literal, $help:literal) => {
        #[doc = $help]
        pub static $name: Metric = Metric::new($text, $unit, $help);
    };
}

metric!(APPEND_BYTES, "log_append_bytes_total", "bytes", "Payload bytes appended to logs.");
metric!(APPENDS_REFUSED, "log_appends_refused_total", "appends", "Appends refused: full disk, memory or journal.");
metric!(COMMIT_GROUPS, "log_commit_groups_total", "groups", "Group commits: one journal block each.");
metric!(GROUP_BYTES, "log_group_bytes", "bytes", "Size of a group commit's journal block.");
metric!(COMMIT, "log_commit_seconds", "seconds", "Time from building a group commit's block to its acknowledgement.");
metric!(JOURNAL_FILES, "journal_files_used", "files", "Journal files that hold what no segment has yet.");
metric!(CHUNK_BYTES, "log_chunk_bytes", "bytes", "Memory of log tails.");
metric!(UNCOMMITTED_BYTES, "log_uncommitted_bytes", "bytes", "Appended bytes that wait for a majority.");
metric!(WRITEBACK_BYTES, "log_writeback_bytes_total", "bytes", "Bytes written to segments.");
metric!(SEGMENT_READ_BYTES, "log_segment_read_bytes_total", "bytes", "Bytes read from segments.");
metric!(BAD_READS, "log_bad_reads_total", "reads", "Reads from segments that failed their checksum or place.");
metric!(CHECKPOINTS, "log_checkpoints_total", "checkpoints", "Checkpoints written.");

/// A shard's cells.
pub(crate) struct Metrics {
    pub(crate) append_bytes: Counter,
    pub(crate) appends_refused: Counter,
    pub(crate) commit_groups: Counter,
    pub(crate) group_bytes: Histogram,
    pub(crate) commit: Histogram,
    pub(crate) journal_files: Gauge,
    pub(crate) chunk_bytes: Gauge,
    pub(crate) uncommitted_bytes: Gauge,
    pub(crate) writeback_bytes: Counter,
    pub(crate) segment_read_bytes: Counter,
    pub(crate) bad_reads: Counter,
    pub(crate) checkpoints: Counter,
}

impl Metrics {
    pub(crate) fn new(rt: &Runtime) -> Metrics {
        let registry = rt.metrics();
        let counter = |metric| registry.counter(metric, Vec::new());
        // Cores differ in how fast they commit: told per core.
        let shard = || vec![("shard", rt.shard().0.to_string())];
        let gauge = |metric| registry.gauge(metric, Vec::new());
        Metrics {
            append_bytes: counter(&APPEND_BYTES),
            appends_refused: counter(&APPENDS_REFUSED),
            commit_groups: registry.counter(&COMMIT_GROUPS, shard()),
            group_bytes: registry.histogram(&GROUP_BYTES, shard()),
            commit: registry.histogram(&COMMIT, shard()),
            journal_files: gauge(&JOURNAL_FILES),
            chunk_bytes: gauge(&CHUNK_BYTES),
            uncommitted_bytes: gauge(&UNCOMMITTED_BYTES),
            writeback_bytes: counter(&WRITEBACK_BYTES),
            segment_read_bytes: counter(&SEGMENT_READ_BYTES),
            bad_reads: counter(&BAD_READS),
            checkpoints: counter(&CHECKPOINTS),
        }
    }
}
