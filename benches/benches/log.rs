//! One log on the real disk: an append that is synced, one that is cached, a read of what is in memory.
#![allow(missing_docs, clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ouzel_benches::batches::{Shape, batch};
use ouzel_log::{AppendMode, Kind, Log, LogId, LogOptions, NewEntry, Parts, ReadLimit, Store, StoreConfig, Ticket};
use ouzel_model::{Offset, ShardId, Term, Timestamp};
use ouzel_runtime::testing;

const RECORDS: i64 = 63;

/// Appends `count` batches, each waited for, and returns how long that took; at the end, how long one read of them takes.
fn appends(count: u64, mode: AppendMode) -> (Duration, Duration) {
    testing::run(move |rt| async move {
        let dir = testing::TempDir::new();
        let mut config = StoreConfig::new(dir.path().to_owned(), ShardId(0), [7; 16]);
        config.storage_min_free = Some(0);
        let (store, _) = Store::open(&rt, config).await.expect("an empty store opens");
        let options =
            LogOptions { dir: "topics/t/0".into(), name: "t/0".into(), segment_bytes: 1 << 30, segment_ms: 1 << 40 };
        let log = store.create(LogId([1; 20]), options, 1);
        let bytes = Bytes::from(batch(Shape { records: RECORDS as usize, value_bytes: 1024, keyed: false }, 0));
        let begin = Instant::now();
        for _ in 0..count {
            let ticket = log.append(vec![entry(&log, &bytes)], mode).expect("the disk has room");
            returned(&store, &log, ticket).await;
            log.committed(log.last_index());
        }
        let appended = begin.elapsed();
        let begin = Instant::now();
        let from = Offset((log.log_end().0 - RECORDS).max(0));
        let limit = ReadLimit { max_bytes: 1 << 20, end: log.log_end(), at_least_one: true };
        for _ in 0..count {
            log.read(from, limit).await.expect("what was appended can be read");
        }
        let read = begin.elapsed();
        store.close().await;
        (appended, read)
    })
}

async fn returned(store: &Store, log: &Log, ticket: Ticket) {
    while log.returned() < ticket {
        store.durable().await;
    }
}

fn entry(log: &Log, bytes: &Bytes) -> NewEntry {
    let base = log.log_end();
    NewEntry {
        index: log.last_index().next(),
        term: Term(1),
        base_offset: base,
        last_offset: Offset(base.0 + RECORDS - 1),
        kind: Kind::Batch,
        payload: Parts::from_elem(bytes.clone(), 1),
        max_timestamp: Timestamp(1),
    }
}

fn log(c: &mut Criterion) {
    let mut group = c.benchmark_group("log");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    group.throughput(Throughput::Bytes(65_140));
    group.bench_function("append-synced-63x1024", |b| b.iter_custom(|n| appends(n, AppendMode::Synced).0));
    group.bench_function("append-cached-63x1024", |b| b.iter_custom(|n| appends(n, AppendMode::Cached).0));
    group.bench_function("read-tail-63x1024", |b| b.iter_custom(|n| appends(n, AppendMode::Cached).1));
    group.finish();
}

criterion_group!(benches, log);
criterion_main!(benches);
