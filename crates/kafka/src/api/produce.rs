//! Produce (0), 3-13; advertised from 0, because librdkafka takes the absence of 0-2 as "no compression" (KAFKA-18659).
//!
//! - v5 (KIP-207): log start; v7 (KIP-110): zstd; v8 (KIP-467): record errors; v9: flexible; v10 (KIP-951): leader hints;
//!   v13 (KIP-516): topic ids.
//! - Batches are handed to their partitions before the next request of the connection is read, so pipelined sequences stay in order.
//! - acks=0 gets no reply; an error then closes the connection. The timeout bounds the wait, not the outcome.

use std::rc::Rc;

use bytes::Bytes;
use ouzel_model::{PartitionId, ShardId, TopicId};
use ouzel_partition::{AppendError, Appended, Source, Zstd};
use ouzel_runtime::Duration;
use ouzel_shard::Shard;
use ouzel_wire::produce::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use ouzel_wire::{Decoder, ErrorCode, Message, RequestHeader};

use crate::conn::{Outcome, Reply};
use crate::dispatch::{Cx, encoded, malformed};
use crate::error;

/// What a decoded request may cost, bytes of memory: a batch is longer than what says whose it is.
const DECODE_RATIO: usize = 2;
const DECODE_FREE: usize = 8 << 10;
/// Longest wait for acknowledgements, whatever the request says.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// One partition's batch on its way to its shard.
struct Item {
    topic: TopicId,
    partition: PartitionId,
    batch: Bytes,
    zstd: Zstd,
    acks_all: bool,
}

/// What became of it.
type Result = std::result::Result<Stored, Refused>;

struct Stored {
    records: u32,
    base_offset: i64,
    append_time: i64,
    log_start: i64,
}

enum Refused {
    Absent(ErrorCode),
    Append(AppendError),
    Lost,
}

/// Where a row of the reply comes from.
enum Row {
    Refused(ErrorCode),
    Sent(usize),
}

pub(crate) async fn start(cx: Cx, header: &RequestHeader, body: &Bytes) -> std::result::Result<Reply, String> {
    let mut d = Decoder::new(body, body.len() * DECODE_RATIO + DECODE_FREE);
    let request = ProduceRequest::decode(&mut d, cx.version).map_err(|e| malformed(header, e))?;
    let zstd = if cx.version >= 7 { Zstd::Allowed } else { Zstd::TooEarly };
    let image = cx.kafka.shard.image();
    let mut items: Vec<(ShardId, Item)> = Vec::new();
    let mut rows = Vec::with_capacity(request.topic_data.len());
    let (mut bytes, acks) = (0u64, request.acks);
    for topic in request.topic_data {
        let found = if cx.version >= 13 { image.topic_by_id(topic.topic_id) } else { image.topic(&topic.name) };
        let unknown = if cx.version >= 13 { ErrorCode::UnknownTopicId } else { ErrorCode::UnknownTopicOrPartition };
        let mut partitions = Vec::with_capacity(topic.partition_data.len());
        for data in topic.partition_data {
            let number = PartitionId(data.index);
            let place = found.and_then(|t| Some((t.id, t.partition(number)?.shard_on(cx.kafka.shard.node())?)));
            let row = match (place, found) {
                (_, None) => Row::Refused(unknown),
                (None, Some(_)) => Row::Refused(ErrorCode::UnknownTopicOrPartition),
                _ if !matches!(acks, -1..=1) => Row::Refused(ErrorCode::InvalidRequiredAcks),
                (Some((topic, shard)), Some(_)) => {
                    let batch = data.records.unwrap_or_default();
                    bytes += batch.len() as u64;
                    items.push((shard, Item { topic, partition: number, batch, zstd, acks_all: acks == -1 }));
                    Row::Sent(items.len() - 1)
                }
            };
            partitions.push((data.index, row));
        }
        rows.push((topic.name, topic.topic_id, partitions));
    }
    let appending = cx.kafka.shard.scatter(items, append).await;
    let (version, correlation_id) = (header.version, header.correlation_id);
    let wait = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0)).min(WAIT_MAX);
    Ok(Reply::Begun(Box::pin(async move {
        let rt = cx.kafka.shard.runtime();
        let results = ouzel_runtime::select! {
            results = appending.gather() => Some(results),
            _ = rt.sleep(wait) => None,
        };
        if let Some(results) = &results {
            let records = results.iter().flatten().flatten().map(|stored| u64::from(stored.records)).sum();
            cx.kafka.metrics.produced_bytes.add(bytes);
            cx.kafka.metrics.produced_records.add(records);
        }
        let mut results = results.unwrap_or_default();
        let mut failed = false;
        let responses = rows
            .into_iter()
            .map(|(name, topic_id, partitions)| TopicProduceResponse {
                name,
                topic_id,
                partition_responses: partitions
                    .into_iter()
                    .map(|(index, row)| {
                        let response = match row {
                            Row::Refused(code) => failure(index, code, None),
                            Row::Sent(place) => match results.get_mut(place) {
                                None => failure(index, ErrorCode::RequestTimedOut, None),
                                Some(result) => answer(index, result.take()),
                            },
                        };
                        failed |= response.error_code != 0;
                        response
                    })
                    .collect(),
            })
            .collect();
        match acks {
            0 if failed => Outcome::Close("a produce request with acks=0 failed".into()),
            0 => Outcome::Nothing,
            _ => encoded(version, correlation_id, &ProduceResponse { responses, ..Default::default() }),
        }
    })))
}

/// Appends on the shard of the partitions; what it returns waits until all are committed.
fn append(shard: &Rc<Shard>, items: Vec<Item>) -> impl Future<Output = Vec<Result>> + use<> {
    let appended: Vec<std::result::Result<(Appended, u32), Refused>> = items
        .into_iter()
        .map(|item| {
            let partition = shard
                .partition(item.topic, item.partition)
                .ok_or_else(|| Refused::Absent(error::absent(shard, item.topic, item.partition)))?;
            let records = records(&item.batch);
            let appended = partition.append(item.batch, item.zstd, Source::Client, item.acks_all);
            appended.map(|appended| (appended, records)).map_err(Refused::Append)
        })
        .collect();
    async move {
        let mut results = Vec::with_capacity(appended.len());
        for one in appended {
            results.push(match one {
                Err(refused) => Err(refused),
                Ok((appended, records)) => {
                    let stored = Stored {
                        records,
                        base_offset: appended.base_offset.0,
                        append_time: appended.append_time.map_or(-1, |t| t.0),
                        log_start: appended.log_start.0,
                    };
                    appended.committed().await.map(|()| stored).map_err(|_| Refused::Lost)
                }
            });
        }
        results
    }
}

/// Records of a batch, as its header has it; appending checks that.
fn records(batch: &Bytes) -> u32 {
    ouzel_records::Batch::split_first(batch).map_or(0, |(batch, _)| batch.count().max(0) as u32)
}

fn answer(index: i32, result: Option<Result>) -> PartitionProduceResponse {
    match result {
        Some(Ok(stored)) => PartitionProduceResponse {
            index,
            base_offset: stored.base_offset,
            log_append_time_ms: stored.append_time,
            log_start_offset: stored.log_start,
            ..Default::default()
        },
        Some(Err(Refused::Absent(code))) => failure(index, code, None),
        Some(Err(Refused::Append(error))) => failure(index, error::append(&error), Some(&error)),
        // The outcome is open: a retriable code that doesn't say "not written".
        Some(Err(Refused::Lost)) | None => failure(index, ErrorCode::RequestTimedOut, None),
    }
}

fn failure(index: i32, code: ErrorCode, why: Option<&AppendError>) -> PartitionProduceResponse {
    let record = match why {
        Some(AppendError::Batch(refusal)) => refusal.record(),
        _ => None,
    };
    PartitionProduceResponse {
        index,
        error_code: code as i16,
        base_offset: -1,
        error_message: why.map(|w| w.to_string().into()),
        record_errors: record
            .map(|batch_index| BatchIndexAndErrorMessage {
                batch_index,
                batch_index_error_message: why.map(|w| w.to_string().into()),
            })
            .into_iter()
            .collect(),
        ..Default::default()
    }
}
