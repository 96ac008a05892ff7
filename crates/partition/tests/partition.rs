//! A partition over a real store in a temporary directory: append, read, look up, trim, close, open again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::rc::Rc;

use bytes::Bytes;
use ouzel_log::{Log, LogId, LogOptions, Store, StoreConfig};
use ouzel_model::config::{NO_LAYERS, TopicConfig};
use ouzel_model::{
    LeaderEpoch, NodeId, Offset, PartitionId, ProducerEpoch, ProducerId, ShardId, Timestamp, TopicId, TopicName,
};
use ouzel_partition::{
    AppendError, LogPlace, OffsetSpec, Partition, PartitionOptions, ProducerError, ReadError, Source, Zstd,
};
use ouzel_records::{BatchBuilder, Codec, Producer};
use ouzel_runtime::testing::{self, TempDir};
use ouzel_runtime::{Class, Runtime};

const ID: LogId = LogId([3; 20]);

/// One life of a store with one partition.
struct Life {
    rt: Runtime,
    store: Store,
    partition: Rc<Partition>,
    driver: ouzel_runtime::Task,
}

impl Life {
    async fn open(rt: &Runtime, dir: &Path, settings: &[(&str, &str)]) -> Life {
        let mut config = StoreConfig::new(dir.to_owned(), ShardId(0), [9; 16]);
        (config.journal_file_bytes, config.storage_min_free) = (1 << 20, Some(1 << 20));
        let (store, recovered) = Store::open(rt, config).await.unwrap();
        let found = recovered.into_iter().find(|r| r.id == ID).map(|r| r.log);
        let held: Rc<RefCell<Option<Rc<Partition>>>> = Rc::default();
        let driver = rt.spawn(Class::Serve, drive(store.clone(), held.clone()));
        let partition = open(rt, &store, found, settings).await;
        *held.borrow_mut() = Some(partition.clone());
        partition.serving().await;
        Life { rt: rt.clone(), store, partition, driver }
    }

    async fn close(self) {
        self.partition.close();
        self.store.close().await;
        self.driver.abort();
    }

    /// As after `kill -9`: whatever isn't acknowledged may be gone.
    fn kill(self) {
        self.driver.abort();
        drop((self.store, self.partition));
    }

    async fn append(&self, batch: Vec<u8>) -> Result<i64, AppendError> {
        let appended = self.partition.append(Bytes::from(batch), Zstd::Allowed, Source::Client, true)?;
        let offset = appended.base_offset.0;
        appended.committed().await.unwrap();
        Ok(offset)
    }

    async fn values(&self, from: i64) -> Vec<String> {
        let read = self.partition.read(Offset(from), 1 << 20, true).await.unwrap();
        let mut values = Vec::new();
        for slice in &read.slices {
            for batch in ouzel_records::batches(slice) {
                let batch = batch.unwrap();
                for record in ouzel_records::records(&batch, batch.records()) {
                    let record = record.unwrap();
                    values.push(format!("{}={}", record.offset, String::from_utf8_lossy(record.value.unwrap())));
                }
            }
        }
        values
    }
}

async fn drive(store: Store, held: Rc<RefCell<Option<Rc<Partition>>>>) {
    loop {
        for (_, ticket) in store.durable().await {
            let partition = held.borrow().clone();
            partition.expect("it is there before anything is durable").durable(ticket);
        }
    }
}

async fn open(rt: &Runtime, store: &Store, found: Option<Log>, settings: &[(&str, &str)]) -> Rc<Partition> {
    let own: BTreeMap<String, String> = settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let options =
        LogOptions { dir: "topics/t/0".into(), name: "t/0".into(), segment_bytes: 1 << 20, segment_ms: 1 << 40 };
    let place = LogPlace { id: ID, found, token: 5, options };
    let options = PartitionOptions {
        topic: TopicName::new("t").unwrap(),
        topic_id: TopicId([1; 16]),
        partition: PartitionId(0),
        node: NodeId(1),
        config: Rc::new(TopicConfig::resolve(&own, NO_LAYERS)),
        producer_expiration_ms: 86_400_000,
    };
    Partition::open(rt, store, place, options).await.unwrap()
}

fn batch(values: &[&str], time: i64) -> Vec<u8> {
    built(BatchBuilder::new(), values, time, Codec::None)
}

fn built(mut builder: BatchBuilder, values: &[&str], time: i64, codec: Codec) -> Vec<u8> {
    for (i, value) in (0..).zip(values) {
        builder.push(Timestamp(time + i), None, Some(value.as_bytes()), &[]);
    }
    builder.build(codec)
}

fn idempotent(sequence: i32, values: &[&str]) -> Vec<u8> {
    let producer = Producer { id: ProducerId(7), epoch: ProducerEpoch(0), base_sequence: sequence };
    built(BatchBuilder::new().producer(producer), values, 1_000, Codec::None)
}

/// Runs a test on a shard of its own with a directory of its own.
fn check<F: Future<Output = ()>>(test: impl FnOnce(Runtime, Rc<TempDir>) -> F + 'static) {
    testing::run(|rt| async move { test(rt, Rc::new(TempDir::new())).await });
}

#[test]
fn what_was_committed_is_read_after_a_kill_under_a_new_epoch() {
    check(|rt, dir| async move {
        let life = Life::open(&rt, dir.path(), &[]).await;
        assert_eq!(life.append(batch(&["a", "b"], 1_000)).await.unwrap(), 0);
        assert_eq!(life.append(batch(&["c"], 2_000)).await.unwrap(), 2);
        assert_eq!(life.values(0).await, ["0=a", "1=b", "2=c"]);
        assert_eq!(life.values(2).await, ["2=c"]);
        let epoch = life.partition.leader_epoch();
        life.kill();
        let life = Life::open(&rt, dir.path(), &[]).await;
        assert_eq!(life.partition.high_watermark(), Offset(3));
        assert_eq!(life.values(0).await, ["0=a", "1=b", "2=c"]);
        assert_eq!(life.append(batch(&["d"], 3_000)).await.unwrap(), 3);
        assert_eq!(life.partition.leader_epoch(), LeaderEpoch(epoch.0 + 1));
        assert_eq!(life.partition.epoch_end(epoch).unwrap(), Some((epoch, Offset(3))));
        life.close().await;
    });
}

#[test]
fn a_sequence_is_stored_once_over_a_restart() {
    check(|rt, dir| async move {
        let life = Life::open(&rt, dir.path(), &[]).await;
        assert_eq!(life.append(idempotent(0, &["a"])).await.unwrap(), 0);
        assert_eq!(life.append(idempotent(1, &["b", "c"])).await.unwrap(), 1);
        assert_eq!(life.append(idempotent(1, &["b", "c"])).await.unwrap(), 1);
        life.close().await;
        let life = Life::open(&rt, dir.path(), &[]).await;
        assert_eq!(life.append(idempotent(1, &["b", "c"])).await.unwrap(), 1);
        let gap = life.append(idempotent(9, &["x"])).await;
        assert!(matches!(gap, Err(AppendError::Producer(ProducerError::OutOfOrder { last: 2, got: 9, .. }))));
        assert_eq!(life.append(idempotent(3, &["d"])).await.unwrap(), 3);
        assert_eq!(life.values(0).await.len(), 4);
        life.close().await;
    });
}

#[test]
fn offsets_are_found_by_time_record_exact() {
    check(|rt, dir| async move {
        let life = Life::open(&rt, dir.path(), &[]).await;
        life.append(batch(&["a", "b", "c"], 1_000)).await.unwrap();
        life.append(built(BatchBuilder::new(), &["d", "e"], 2_000, Codec::Lz4)).await.unwrap();
        for (spec, expect) in [
            (OffsetSpec::Earliest, Some((0, None))),
            (OffsetSpec::Latest, Some((5, None))),
            (OffsetSpec::MaxTimestamp, Some((4, Some(2_001)))),
            (OffsetSpec::At(Timestamp(0)), Some((0, Some(1_000)))),
            (OffsetSpec::At(Timestamp(1_001)), Some((1, Some(1_001)))),
            (OffsetSpec::At(Timestamp(1_003)), Some((3, Some(2_000)))),
            (OffsetSpec::At(Timestamp(2_001)), Some((4, Some(2_001)))),
            (OffsetSpec::At(Timestamp(2_002)), None),
        ] {
            let found = life.partition.lookup(spec).await.unwrap();
            assert_eq!(found.map(|f| (f.offset.0, f.timestamp.map(|t| t.0))), expect, "{spec:?}");
        }
        life.close().await;
    });
}

#[test]
fn the_log_start_moves_forward_only_and_survives() {
    check(|rt, dir| async move {
        let life = Life::open(&rt, dir.path(), &[]).await;
        life.append(batch(&["a", "b", "c"], 1_000)).await.unwrap();
        assert_eq!(life.partition.delete_records(Some(Offset(2))).await.unwrap(), Offset(2));
        assert_eq!(life.partition.delete_records(Some(Offset(1))).await.unwrap(), Offset(2));
        assert!(life.partition.delete_records(Some(Offset(4))).await.is_err());
        let below = life.partition.read(Offset(1), 1 << 20, true).await;
        assert!(matches!(below, Err(ReadError::OutOfRange { log_start: Offset(2), .. })));
        life.kill();
        let life = Life::open(&rt, dir.path(), &[]).await;
        assert_eq!(life.partition.log().log_start(), Offset(2));
        assert_eq!(life.partition.delete_records(None).await.unwrap(), Offset(3));
        assert_eq!(life.append(batch(&["d"], 1_000)).await.unwrap(), 3);
        life.close().await;
    });
}

#[test]
fn topic_settings_judge_and_rewrite_batches() {
    check(|rt, dir| async move {
        let settings =
            [("message.timestamp.type", "LogAppendTime"), ("compression.type", "zstd"), ("max.message.bytes", "300")];
        let life = Life::open(&rt, dir.path(), &settings).await;
        let before = life.rt.wall_clock();
        life.append(batch(&["a", "b"], 1_000)).await.unwrap();
        let read = life.partition.read(Offset(0), 1 << 20, true).await.unwrap();
        let (stored, _) = ouzel_records::Batch::split_first(&read.slices[0]).unwrap();
        assert!(stored.crc_holds() && stored.max_timestamp() >= before);
        assert_eq!(stored.attributes().codec(), Some(Codec::Zstd));
        let large = life.append(batch(&["x".repeat(400).as_str()], 1_000)).await;
        assert!(matches!(large, Err(AppendError::Batch(ouzel_records::Refusal::TooLarge { .. }))));
        life.close().await;
    });
}
