//! Fetch requests: one broker, several partitions.

use std::time::Duration;

use ouzel_wire::Records;
use ouzel_wire::fetch::{AbortedTransaction, FetchPartition, FetchRequest, FetchTopic};

use crate::cluster::{Client, Lane, Place};
use crate::error::{ClientError, refused};

/// 12 is the last that names topics by name.
const FETCH: (i16, i16) = (7, 12);

/// What to read of a partition.
pub(crate) struct FetchFrom {
    pub(crate) place: Place,
    /// First offset wanted.
    pub(crate) offset: i64,
}

/// Bounds of a fetch.
#[derive(Clone, Copy)]
pub(crate) struct FetchLimits {
    /// How long the broker may wait for the first byte.
    pub(crate) wait: Duration,
    /// Bytes of all partitions, save that the first batch always comes whole.
    pub(crate) bytes_max: usize,
    /// Bytes of one partition.
    pub(crate) partition_bytes_max: usize,
    /// Only what committed transactions wrote.
    pub(crate) committed: bool,
}

/// What came of a partition.
pub(crate) struct Fetched {
    pub(crate) place: Place,
    pub(crate) error_code: i16,
    pub(crate) high_watermark: i64,
    pub(crate) last_stable: i64,
    pub(crate) log_start: i64,
    pub(crate) aborted: Vec<AbortedTransaction>,
    pub(crate) records: Records,
}

impl Client {
    /// One fetch from one broker, without a session. `from` is sorted by topic.
    pub(crate) async fn fetch(
        &self,
        node: i32,
        from: &[FetchFrom],
        limits: FetchLimits,
    ) -> Result<Vec<Fetched>, ClientError> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for FetchFrom { place, offset } in from {
            let partition = FetchPartition {
                partition: place.partition,
                fetch_offset: *offset,
                partition_max_bytes: bounded(limits.partition_bytes_max),
                ..FetchPartition::default()
            };
            match topics.last_mut().filter(|topic| topic.topic == *place.topic) {
                Some(topic) => topic.partitions.push(partition),
                None => topics.push(FetchTopic {
                    topic: (&*place.topic).into(),
                    partitions: vec![partition],
                    ..FetchTopic::default()
                }),
            }
        }
        let ask = FetchRequest {
            max_wait_ms: i32::try_from(limits.wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: 1,
            max_bytes: bounded(limits.bytes_max),
            isolation_level: i8::from(limits.committed),
            topics,
            ..FetchRequest::default()
        };
        let reply = self.ask_node(node, Lane::Fetch, &ask, FETCH, limits.wait).await?;
        refused("fetch", reply.error_code, None)?;
        let mut fetched = Vec::new();
        for topic in reply.responses {
            for partition in topic.partitions {
                fetched.push(Fetched {
                    place: Place::new(&topic.topic, partition.partition_index),
                    error_code: partition.error_code,
                    high_watermark: partition.high_watermark,
                    last_stable: partition.last_stable_offset,
                    log_start: partition.log_start_offset,
                    aborted: partition.aborted_transactions.unwrap_or_default(),
                    records: partition.records.unwrap_or_default(),
                });
            }
        }
        Ok(fetched)
    }
}

fn bounded(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
