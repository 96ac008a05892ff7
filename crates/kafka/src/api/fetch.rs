//! Fetch (1), 4-18: record batches from given offsets on, waiting for more if there are too few.
//!
//! - v5 (KIP-107): log start; v7 (KIP-227): sessions; v9 (KIP-320): leader epochs; v11 (KIP-392): rack; v12: flexible, diverging
//!   epochs; v13 (KIP-516): topic ids; v15 (KIP-903): replica state; v16 (KIP-951): leader hints; v17 (KIP-853), v18 (KIP-1166).
//! - The first partition in request order that has data gives at least one whole batch, whatever the limits; others what fits.
//! - Only consumers are served here: a replica id asks for what is between brokers, and gets CLUSTER_AUTHORIZATION_FAILED.

use std::rc::Rc;

use bytes::Bytes;
use ouzel_model::{LeaderEpoch, Offset, PartitionId, ShardId, TopicId};
use ouzel_partition::ReadError;
use ouzel_runtime::sync::{Notify, Permit};
use ouzel_runtime::{Duration, Instant};
use ouzel_shard::Shard;
use ouzel_wire::fetch::{
    EpochEndOffset, FetchPartition, FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData,
};
use ouzel_wire::{DecodeError, Decoder, ErrorCode, Message, RequestHeader, Str};

use crate::conn::{Handling, Outcome};
use crate::dispatch::{Cx, encoded};
use crate::error;
use crate::session::{Context, Key, Named, PARTITIONS_MAX, Told, Wanted};

/// Longest wait for records, whatever the request says.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// A read on its way to a shard.
#[derive(Clone)]
struct Item {
    topic: TopicId,
    partition: PartitionId,
    offset: Offset,
    epoch: i32,
    last_fetched_epoch: i32,
    bytes_max: usize,
    /// What the whole request may bring.
    request_bytes_max: usize,
}

/// What it brought.
struct Part {
    code: ErrorCode,
    high_watermark: i64,
    log_start: i64,
    slices: Vec<Bytes>,
    bytes: usize,
    diverging: Option<(i32, i64)>,
}

impl Part {
    fn failed(code: ErrorCode) -> Part {
        Part { code, high_watermark: -1, log_start: -1, slices: Vec::new(), bytes: 0, diverging: None }
    }

    /// Whether the consumer must hear of it at once.
    fn is_urgent(&self) -> bool {
        self.code != ErrorCode::None || self.diverging.is_some()
    }
}

pub(crate) fn begin(cx: Cx, header: &RequestHeader, d: &mut Decoder<'_>) -> Result<Handling, DecodeError> {
    let request = FetchRequest::decode(d, header.version)?;
    let (version, correlation_id) = (header.version, header.correlation_id);
    Ok(Box::pin(async move {
        let (response, room) = handle(cx, request).await;
        match encoded(version, correlation_id, &response) {
            Outcome::Send(bytes, _) => Outcome::Send(bytes, room),
            other => other,
        }
    }))
}

/// The answer, and the room that its records have.
async fn handle(cx: Cx, request: FetchRequest) -> (FetchResponse, Option<Permit>) {
    let shard = &cx.kafka.shard;
    let rt = shard.runtime();
    let refused = |code: ErrorCode| (FetchResponse { error_code: code as i16, ..Default::default() }, None);
    if request.replica_id >= 0 || request.replica_state.replica_id >= 0 {
        return refused(ErrorCode::ClusterAuthorizationFailed);
    }
    let by_id = cx.version >= 13;
    let wanted = wanted(&request);
    if wanted.len() > PARTITIONS_MAX {
        return refused(ErrorCode::InvalidRequest);
    }
    let forgotten: Vec<Key> = request
        .forgotten_topics_data
        .iter()
        .flat_map(|t| {
            let topic = named(&t.topic, t.topic_id);
            t.partitions.iter().map(move |&partition| Key { topic: topic.clone(), partition })
        })
        .collect();
    let session = if cx.version >= 7 { (request.session_id, request.session_epoch) } else { (0, -1) };
    let begun = cx.kafka.sessions.borrow_mut().begin(rt.now(), &rt.rng(), session, by_id, wanted, &forgotten);
    let (context, wanted) = match begun {
        Ok(begun) => begun,
        Err(code) => return refused(code),
    };

    let bytes_max = (request.max_bytes.max(0) as usize).min(shard.cluster_config().fetch_max_bytes as usize);
    let wait = Duration::from_millis(request.max_wait_ms.max(0) as u64).min(WAIT_MAX);
    let deadline = rt.now() + wait;
    let bytes_min = request.min_bytes.max(0) as usize;
    // What waits holds what it waits for, and not its request besides.
    drop((request, forgotten));
    let (parts, room) = loop {
        let (bytes_room, mut room) = cx.kafka.answer_room(bytes_max);
        let parts = read(&cx, &wanted, by_id, bytes_room).await;
        let bytes: usize = parts.iter().map(|p| p.bytes).sum();
        // Where there is less room than was asked for, half of it is enough.
        let wish = if bytes_room < bytes_max { bytes_min.min(bytes_room / 2) } else { bytes_min };
        let enough = bytes >= wish || parts.iter().any(Part::is_urgent);
        if enough || wanted.is_empty() && bytes_min == 0 || rt.now() >= deadline || rt.stopping().is_set() {
            if let Some(room) = &mut room {
                room.shrink_to(bytes.div_ceil(1024).min(room.count()));
            }
            break (parts, room);
        }
        drop(room);
        let items = watched(&cx, &wanted, &parts, by_id, deadline);
        drop(parts);
        wait_for_more(&cx, items, deadline).await;
    };
    let sent: usize = parts.iter().map(|p| p.bytes).sum();
    cx.kafka.metrics.fetched_bytes.add(sent as u64);
    let slices = parts.iter().flat_map(|p| &p.slices);
    let batches = slices.flat_map(|slice| ouzel_records::batches(slice).flatten());
    cx.kafka.metrics.fetched_records.add(batches.map(|batch| batch.count().max(0) as u64).sum());
    (respond(&cx, context, wanted, parts), room)
}

fn wanted(request: &FetchRequest) -> Vec<Wanted> {
    request
        .topics
        .iter()
        .flat_map(|t| {
            let topic = named(&t.topic, t.topic_id);
            t.partitions.iter().map(move |p: &FetchPartition| Wanted {
                key: Key { topic: topic.clone(), partition: p.partition },
                current_leader_epoch: p.current_leader_epoch,
                offset: p.fetch_offset,
                last_fetched_epoch: p.last_fetched_epoch,
                bytes_max: p.partition_max_bytes,
            })
        })
        .collect()
}

fn named(name: &Str, id: TopicId) -> Rc<Named> {
    Rc::new(Named { name: name.detach(), id })
}

/// Where a partition is, or why it can't be read.
fn place(cx: &Cx, wanted: &Wanted, by_id: bool) -> Result<(ShardId, TopicId), ErrorCode> {
    let image = cx.kafka.shard.image();
    let topic = match by_id {
        true => image.topic_by_id(wanted.key.topic.id).ok_or(ErrorCode::UnknownTopicId)?,
        false => image.topic(&wanted.key.topic.name).ok_or(ErrorCode::UnknownTopicOrPartition)?,
    };
    let partition = topic.partition(PartitionId(wanted.key.partition)).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let shard = partition.shard_on(cx.kafka.shard.node()).ok_or(ErrorCode::NotLeaderOrFollower)?;
    Ok((shard, topic.id))
}

/// Reads all partitions once, one message per shard.
async fn read(cx: &Cx, wanted: &[Wanted], by_id: bool, bytes_max: usize) -> Vec<Part> {
    let mut parts: Vec<Option<Part>> = Vec::with_capacity(wanted.len());
    let mut items = Vec::with_capacity(wanted.len());
    for w in wanted {
        match place(cx, w, by_id) {
            Err(code) => parts.push(Some(Part::failed(code))),
            Ok((shard, topic)) => {
                parts.push(None);
                items.push((
                    shard,
                    Item {
                        topic,
                        partition: PartitionId(w.key.partition),
                        offset: Offset(w.offset),
                        epoch: w.current_leader_epoch,
                        last_fetched_epoch: w.last_fetched_epoch,
                        bytes_max: w.bytes_max.max(0) as usize,
                        request_bytes_max: bytes_max,
                    },
                ));
            }
        }
    }
    let mut read = cx.kafka.shard.scatter(items, read_here).await.gather().await.into_iter();
    let mut left = bytes_max;
    let mut any = false;
    parts
        .into_iter()
        .map(|part| {
            let mut part = part.unwrap_or_else(|| {
                read.next().flatten().unwrap_or_else(|| Part::failed(ErrorCode::NotLeaderOrFollower))
            });
            // Shards can't know of each other's bytes: what they brought beyond the limit waits for the next fetch.
            if part.bytes > left && any {
                part.slices.clear();
                part.bytes = 0;
            }
            any |= part.bytes > 0;
            left = left.saturating_sub(part.bytes);
            part
        })
        .collect()
}

fn read_here(shard: &Rc<Shard>, items: Vec<Item>) -> impl Future<Output = Vec<Part>> + use<> {
    let shard = shard.clone();
    async move {
        let mut parts = Vec::with_capacity(items.len());
        let mut left = items.first().map_or(0, |i| i.request_bytes_max);
        let mut any = false;
        for item in items {
            let part = read_one(&shard, &item, left, !any).await;
            any |= part.bytes > 0;
            left = left.saturating_sub(part.bytes);
            parts.push(part);
        }
        parts
    }
}

async fn read_one(shard: &Rc<Shard>, item: &Item, left: usize, at_least_one: bool) -> Part {
    let Some(partition) = shard.partition(item.topic, item.partition) else {
        return Part::failed(error::absent(shard, item.topic, item.partition));
    };
    if let Some(code) = epoch_error(item.epoch, partition.leader_epoch()) {
        return Part::failed(code);
    }
    if item.last_fetched_epoch >= 0
        && let Ok(end) = partition.epoch_end(LeaderEpoch(item.last_fetched_epoch))
    {
        // What the consumer read last isn't in this log: it must go back to where the logs part.
        let (epoch, offset) = end.map_or((-1, -1), |(e, o)| (e.0, o.0));
        if epoch < item.last_fetched_epoch || offset < item.offset.0 {
            return Part {
                diverging: Some((epoch, offset)),
                high_watermark: partition.high_watermark().0,
                log_start: partition.log().log_start().0,
                ..Part::failed(ErrorCode::None)
            };
        }
    }
    match partition.read(item.offset, item.bytes_max.min(left), at_least_one).await {
        Ok(read) => Part {
            code: ErrorCode::None,
            high_watermark: read.high_watermark.0,
            log_start: read.log_start.0,
            slices: read.slices,
            bytes: read.bytes,
            diverging: None,
        },
        Err(ReadError::OutOfRange { high_watermark, .. }) => {
            Part { high_watermark: high_watermark.0, ..Part::failed(ErrorCode::OffsetOutOfRange) }
        }
        Err(error) => Part::failed(error::read(&error)),
    }
}

/// What a request's idea of the leader epoch means. Source: KIP-320.
pub(crate) fn epoch_error(asked: i32, current: LeaderEpoch) -> Option<ErrorCode> {
    match asked {
        -1 => None,
        asked if asked < current.0 => Some(ErrorCode::FencedLeaderEpoch),
        asked if asked > current.0 => Some(ErrorCode::UnknownLeaderEpoch),
        _ => None,
    }
}

/// A partition to be watched: from where on it has news, and until when.
type Watched = (ShardId, (TopicId, PartitionId, Offset, Instant));

fn watched(cx: &Cx, wanted: &[Wanted], parts: &[Part], by_id: bool, deadline: Instant) -> Vec<Watched> {
    let each = wanted.iter().zip(parts).filter_map(|(w, part)| {
        let (shard, topic) = place(cx, w, by_id).ok()?;
        // Where something was read already, only what comes behind it is news.
        let seen = if part.bytes > 0 { part.high_watermark } else { w.offset };
        Some((shard, (topic, PartitionId(w.key.partition), Offset(seen), deadline)))
    });
    each.collect()
}

/// Waits until any partition has news, or the deadline.
async fn wait_for_more(cx: &Cx, items: Vec<Watched>, deadline: Instant) {
    let rt = cx.kafka.shard.runtime();
    if items.is_empty() {
        ouzel_runtime::select! {
            _ = rt.stopping().wait() => {},
            _ = rt.sleep_until(deadline) => {},
        }
        return;
    }
    cx.kafka.shard.scatter(items, watch_here).await.first().await;
}

fn watch_here(
    shard: &Rc<Shard>,
    items: Vec<(TopicId, PartitionId, Offset, Instant)>,
) -> impl Future<Output = Vec<()>> + use<> {
    let rt = shard.runtime().clone();
    let notify = Notify::new();
    let count = items.len();
    let deadline = items.first().map_or(rt.now(), |i| i.3);
    let watches: Vec<_> = items
        .into_iter()
        .filter_map(|(topic, partition, offset, _)| Some((shard.partition(topic, partition)?.watch(&notify), offset)))
        .collect();
    async move {
        while !watches.iter().any(|(watch, offset)| watch.partition().is_readable(*offset)) {
            let woken = ouzel_runtime::select! {
                _ = rt.stopping().wait() => false,
                _ = notify.notified() => true,
                _ = rt.sleep_until(deadline) => false,
            };
            if !woken {
                break;
            }
        }
        drop(watches);
        vec![(); count]
    }
}

fn respond(cx: &Cx, context: Context, wanted: Vec<Wanted>, parts: Vec<Part>) -> FetchResponse {
    let mut sessions = cx.kafka.sessions.borrow_mut();
    let (session_id, incremental) = match context {
        Context::Sessionless => (0, false),
        Context::Full(id) => (id, false),
        Context::Incremental(id) => (id, true),
    };
    let mut served = Vec::new();
    let mut responses: Vec<FetchableTopicResponse> = Vec::new();
    for (w, part) in wanted.into_iter().zip(parts) {
        let told = Told { high_watermark: part.high_watermark, log_start: part.log_start };
        let news = session_id == 0 || sessions.tell(session_id, &w.key, told, part.bytes > 0);
        if incremental && !news && !part.is_urgent() {
            continue;
        }
        if part.bytes > 0 && session_id != 0 {
            served.push(w.key.clone());
        }
        let code = match part.code {
            // Old clients don't know it.
            ErrorCode::KafkaStorageError if cx.version <= 5 => ErrorCode::NotLeaderOrFollower,
            code => code,
        };
        let row = PartitionData {
            partition_index: w.key.partition,
            error_code: code as i16,
            high_watermark: part.high_watermark,
            last_stable_offset: part.high_watermark,
            log_start_offset: part.log_start,
            diverging_epoch: part
                .diverging
                .map(|(epoch, end_offset)| EpochEndOffset { epoch, end_offset })
                .unwrap_or_default(),
            aborted_transactions: None,
            records: Some(part.slices.into()),
            ..Default::default()
        };
        match responses.last_mut() {
            Some(last) if last.topic == w.key.topic.name && last.topic_id == w.key.topic.id => {
                last.partitions.push(row)
            }
            _ => {
                let Named { name, id } = &*w.key.topic;
                responses.push(FetchableTopicResponse { topic: name.clone(), topic_id: *id, partitions: vec![row] })
            }
        }
    }
    sessions.rotate(session_id, &served);
    FetchResponse { session_id, responses, ..Default::default() }
}
