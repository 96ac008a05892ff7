//! Reads partitions from given offsets on: fetches, opens batches, leaves out what the reader may not see.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use ouzel_model::{Offset, Timestamp};
use ouzel_records::{Attributes, Batch, BatchError, Codec, Limits, Marker, batches, decompress, read_marker, records};
use ouzel_runtime::Instant;
use ouzel_wire::ErrorCode;

use crate::cluster::{Client, Place};
use crate::error::{ClientError, Refused};
use crate::fetch::{FetchFrom, FetchLimits, Fetched};

/// Bytes of one reply and of one partition in it: what one poll may hold in memory, before decompression.
const FETCH_BYTES: usize = 16 << 20;
const PARTITION_BYTES: usize = 1 << 20;
/// How long fetches may fail, one after the other, before the error stands, and the pause between them.
const FAILING_MAX: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);
/// Longest wait at one of several brokers, so that the others' records don't wait long.
const WAIT_SHARED: Duration = Duration::from_millis(100);

/// Which transactional records a reader sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// All.
    #[default]
    Uncommitted,
    /// Those of committed transactions.
    Committed,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Where it came from.
    pub place: Place,
    /// Its offset.
    pub offset: Offset,
    /// Epoch of the leader that appended it, -1 if unknown.
    pub leader_epoch: i32,
    /// Its timestamp.
    pub timestamp: Timestamp,
    /// What its batch says: codec, who stamped it, whether it is control data or part of a transaction.
    pub attributes: Attributes,
    /// Its producer, -1 without one.
    pub producer_id: i64,
    /// Its producer's epoch, -1 without one.
    pub producer_epoch: i16,
    /// The key.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// The headers; their names should be text, but nobody checks.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

/// A partition's bounds, as of the last fetch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// First offset there is.
    pub log_start: i64,
    /// Behind the last record of a finished transaction.
    pub last_stable: i64,
    /// Behind the last record that all in sync have.
    pub high_watermark: i64,
}

/// What a poll brought.
#[derive(Debug, Default)]
pub struct Poll {
    /// The records, each partition's in order.
    pub messages: Vec<Message>,
    /// Partitions whose offset is no longer there, with the offset that reading went on from.
    pub jumped: Vec<(Place, i64)>,
}

/// Reads a set of partitions.
#[derive(Debug)]
pub struct Reader {
    client: Client,
    isolation: Isolation,
    control: bool,
    positions: BTreeMap<Place, i64>,
    reach: BTreeMap<Place, Reach>,
    /// Since when every fetch has failed, if the last one did.
    failing_since: Option<Instant>,
}

impl Reader {
    /// A reader of no partitions yet. With `control` it shows control records too.
    pub fn new(client: &Client, isolation: Isolation, control: bool) -> Reader {
        Reader {
            client: client.clone(),
            isolation,
            control,
            positions: BTreeMap::new(),
            reach: BTreeMap::new(),
            failing_since: None,
        }
    }

    /// Reads a partition from an offset on.
    pub fn assign(&mut self, place: Place, offset: Offset) {
        self.positions.insert(place, offset.0);
    }

    /// Stops reading a partition.
    pub fn drop_place(&mut self, place: &Place) {
        self.positions.remove(place);
        self.reach.remove(place);
    }

    /// Next offset of each partition that is read.
    pub fn positions(&self) -> &BTreeMap<Place, i64> {
        &self.positions
    }

    /// A partition's bounds, once a fetch has said them.
    pub fn reach(&self, place: &Place) -> Option<Reach> {
        self.reach.get(place).copied()
    }

    /// Waits at most `wait` for records. Empty when none came.
    pub async fn poll(&mut self, wait: Duration) -> Result<Poll, ClientError> {
        let until = self.client.runtime().now() + wait;
        loop {
            let left = until.duration_since(self.client.runtime().now());
            let polled = match self.round(left).await {
                // A broker that is restarted refuses for a while.
                Err(error)
                    if (error.is_retriable() || matches!(error, ClientError::Unreachable { .. }))
                        && self.has_patience() =>
                {
                    for place in self.positions.keys() {
                        self.client.forget(&place.topic);
                    }
                    self.client.runtime().sleep(PAUSE).await;
                    Poll::default()
                }
                Err(error) => return Err(error),
                Ok(polled) => {
                    self.failing_since = None;
                    polled
                }
            };
            let over = self.client.runtime().now() >= until;
            if over || !polled.messages.is_empty() || !polled.jumped.is_empty() {
                return Ok(polled);
            }
            if self.positions.is_empty() {
                self.client.runtime().sleep_until(until).await;
            }
        }
    }

    /// After a failed fetch: whether to try again.
    fn has_patience(&mut self) -> bool {
        let now = self.client.runtime().now();
        now.duration_since(*self.failing_since.get_or_insert(now)) < FAILING_MAX
    }

    /// Asks each leader once.
    async fn round(&mut self, wait: Duration) -> Result<Poll, ClientError> {
        let places: Vec<Place> = self.positions.keys().cloned().collect();
        let by_leader = self.client.by_leader(&places).await?;
        let limits = FetchLimits {
            wait: if by_leader.len() > 1 { wait.min(WAIT_SHARED) } else { wait },
            bytes_max: FETCH_BYTES,
            partition_bytes_max: PARTITION_BYTES,
            committed: self.isolation == Isolation::Committed,
        };
        let mut polled = Poll::default();
        for (node, mut places) in by_leader {
            // Another partition comes first each time: a busy one can't keep the others out of a full reply.
            let first = self.client.runtime().rng().below(places.len() as u64) as usize;
            places.rotate_left(first);
            let from: Vec<FetchFrom> = places
                .into_iter()
                .filter_map(|place| Some(FetchFrom { offset: *self.positions.get(&place)?, place }))
                .collect();
            let limits = match polled.messages.is_empty() {
                true => limits,
                false => FetchLimits { wait: Duration::ZERO, ..limits },
            };
            for fetched in self.client.fetch(node, &from, limits).await? {
                self.take(fetched, &mut polled).await?;
            }
        }
        Ok(polled)
    }

    async fn take(&mut self, fetched: Fetched, polled: &mut Poll) -> Result<(), ClientError> {
        let place = fetched.place.clone();
        let Some(position) = self.positions.get(&place).copied() else { return Ok(()) };
        match ErrorCode::from_code(fetched.error_code) {
            ErrorCode::None => {}
            ErrorCode::OffsetOutOfRange => {
                // Retention took the records away, or the log was cut: go on where there is something.
                let start = self.client.list_offsets(std::slice::from_ref(&place), crate::Ends::Start).await?;
                let end = self.client.list_offsets(std::slice::from_ref(&place), crate::Ends::End).await?;
                let (Some(start), Some(end)) = (start.first(), end.first()) else { return Ok(()) };
                let next = position.clamp(start.offset.0, end.offset.0.max(start.offset.0));
                self.positions.insert(place.clone(), next);
                polled.jumped.push((place, next));
                return Ok(());
            }
            _ => {
                self.client.forget(&place.topic);
                return Err(Refused::new(place.to_string(), fetched.error_code, None).into());
            }
        }
        self.reach.insert(
            place.clone(),
            Reach {
                log_start: fetched.log_start,
                last_stable: fetched.last_stable,
                high_watermark: fetched.high_watermark,
            },
        );
        let mut aborted = Aborted::new(&fetched);
        let mut next = position;
        let bytes = match fetched.records.0.as_slice() {
            [one] => one.clone(),
            many => many.concat().into(),
        };
        for batch in batches(&bytes) {
            let batch = match batch {
                Ok(batch) => batch,
                // A reply may end inside a batch.
                Err(BatchError::Cut { .. }) => break,
                Err(error) => return Err(unreadable(&place, next, error)),
            };
            if !batch.crc_holds() {
                return Err(unreadable(&place, next, "its checksum is wrong"));
            }
            let hidden = aborted.hides(&batch) && self.isolation == Isolation::Committed;
            if !hidden && (self.control || !batch.attributes().is_control()) {
                open(&place, &batch, &bytes, position, &mut polled.messages)?;
            }
            next = next.max(batch.next_offset().0);
        }
        self.positions.insert(place, next);
        Ok(())
    }
}

fn unreadable(place: &Place, offset: i64, reason: impl ToString) -> ClientError {
    ClientError::Records { place: place.to_string(), offset, reason: reason.to_string() }
}

/// Adds a batch's records from `position` on.
fn open(
    place: &Place,
    batch: &Batch<'_>,
    frame: &Bytes,
    position: i64,
    into: &mut Vec<Message>,
) -> Result<(), ClientError> {
    let attributes = batch.attributes();
    let base = batch.base_offset().0;
    let codec = attributes.codec().ok_or_else(|| unreadable(place, base, "an unknown codec"))?;
    // Slices of what holds the records: the reply itself, or what decompression made.
    let bytes = match codec {
        Codec::None => frame.slice_ref(batch.records()),
        codec => {
            let mut out = Vec::new();
            decompress(codec, batch.records(), Limits::default(), &mut out)
                .map_err(|error| unreadable(place, base, error))?;
            out.into()
        }
    };
    let slice = |part: Option<&[u8]>| part.map(|part| bytes.slice_ref(part));
    let producer = batch.producer();
    for record in records(batch, &bytes) {
        let record = record.map_err(|error| unreadable(place, base, error))?;
        if record.offset.0 < position {
            continue;
        }
        into.push(Message {
            place: place.clone(),
            offset: record.offset,
            leader_epoch: batch.leader_epoch().0,
            timestamp: record.timestamp,
            attributes,
            producer_id: producer.map_or(-1, |producer| producer.id.0),
            producer_epoch: producer.map_or(-1, |producer| producer.epoch.0),
            key: slice(record.key),
            value: slice(record.value),
            headers: record.headers.map(|header| (bytes.slice_ref(header.key), slice(header.value))).collect(),
        });
    }
    Ok(())
}

/// Which batches belong to aborted transactions. Source: KIP-98.
struct Aborted {
    /// Transactions that begin ahead, the next one last.
    ahead: Vec<(i64, i64)>,
    /// Producers whose transaction here was aborted.
    open: BTreeSet<i64>,
}

impl Aborted {
    fn new(fetched: &Fetched) -> Aborted {
        let mut ahead: Vec<(i64, i64)> = fetched.aborted.iter().map(|t| (t.first_offset, t.producer_id)).collect();
        ahead.sort_by(|a, b| b.cmp(a));
        Aborted { ahead, open: BTreeSet::new() }
    }

    /// Whether a batch's records were aborted. Batches come in order.
    fn hides(&mut self, batch: &Batch<'_>) -> bool {
        while let Some((first, producer)) = self.ahead.last().copied()
            && first <= batch.last_offset().0
        {
            self.open.insert(producer);
            self.ahead.pop();
        }
        let Some(producer) = batch.producer().filter(|_| batch.attributes().is_transactional()) else { return false };
        if batch.attributes().is_control() {
            // Only an abort marker ends what was aborted.
            let marker = records(batch, batch.records()).next().and_then(|record| read_marker(record.ok()?.key?));
            if marker == Some(Marker::Abort.number()) {
                self.open.remove(&producer.id.0);
            }
            return false;
        }
        self.open.contains(&producer.id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ouzel_model::{ProducerEpoch, ProducerId};
    use ouzel_records::{BatchBuilder, Producer, marker_batch, stamp};
    use ouzel_wire::fetch::AbortedTransaction;

    /// Batches at offsets 0, 1, 2, …: the producer, and a marker or nothing for a record of its transaction.
    fn hidden(batches: &[(i64, Option<Marker>)], aborted: &[(i64, i64)]) -> Vec<usize> {
        let transaction = |(producer_id, first_offset): &(i64, i64)| AbortedTransaction {
            producer_id: *producer_id,
            first_offset: *first_offset,
        };
        let fetched = Fetched {
            place: Place::new("t", 0),
            error_code: 0,
            high_watermark: 0,
            last_stable: 0,
            log_start: 0,
            aborted: aborted.iter().map(transaction).collect(),
            records: Default::default(),
        };
        let mut judge = Aborted::new(&fetched);
        let mut hidden = Vec::new();
        for (offset, (id, marker)) in batches.iter().enumerate() {
            let (id, epoch) = (ProducerId(*id), ProducerEpoch(0));
            let mut bytes = match marker {
                Some(marker) => marker_batch(*marker, id, epoch, 0, Timestamp(0)),
                None => {
                    let producer = Producer { id, epoch, base_sequence: 0 };
                    let mut builder = BatchBuilder::new().producer(producer).transactional();
                    builder.push(Timestamp(0), None, Some(b"v"), &[]);
                    builder.build(Codec::None)
                }
            };
            stamp(&mut bytes, Offset(offset as i64), ouzel_model::LeaderEpoch(0));
            if judge.hides(&Batch::split_first(&bytes).unwrap().0) {
                hidden.push(offset);
            }
        }
        hidden
    }

    #[test]
    fn only_records_of_aborted_transactions_are_hidden() {
        let (abort, commit) = (Some(Marker::Abort), Some(Marker::Commit));
        // Two producers at once; the first aborts, then commits another transaction.
        let batches = [(1, None), (2, None), (1, None), (1, abort), (2, None), (2, commit), (1, None), (1, commit)];
        assert_eq!(hidden(&batches, &[(1, 0)]), [0, 2]);
        assert_eq!(hidden(&batches, &[]), [] as [usize; 0]);
        // Both of one producer's transactions aborted, named in any order.
        let batches = [(1, None), (1, abort), (1, None), (2, None), (1, abort), (2, commit)];
        assert_eq!(hidden(&batches, &[(1, 2), (1, 0)]), [0, 2]);
    }
}
