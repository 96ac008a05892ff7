//! DescribeLogDirs (35), 1-5: what lies where on this broker's disk. Source: KIP-113.
//!
//! - v3: top-level error; v4 (KIP-827): size of the disk; v5 (KIP-1066): cordoned directories, of which there are none.

use std::collections::BTreeMap;
use std::rc::Rc;

use ouzel_model::ShardId;
use ouzel_shard::Shard;
use ouzel_wire::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult,
    DescribeLogDirsTopic,
};
use ouzel_wire::{ErrorCode, Str};

use crate::dispatch::Cx;

pub(crate) async fn handle(cx: Cx, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
    let shard = &cx.kafka.shard;
    let wanted: Option<BTreeMap<Str, Vec<i32>>> =
        request.topics.map(|topics| topics.into_iter().map(|t| (t.topic, t.partitions)).collect());
    let everywhere = (0..shard.shards()).map(|s| (ShardId(s), ())).collect();
    let mut topics: BTreeMap<Str, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
    for (name, partition, bytes) in
        shard.scatter(everywhere, sizes).await.gather().await.into_iter().flatten().flatten()
    {
        let name = Str::from(name);
        if wanted.as_ref().is_none_or(|w| w.get(&name).is_some_and(|numbers| numbers.contains(&partition))) {
            topics.entry(name).or_default().push(DescribeLogDirsPartition {
                partition_index: partition,
                partition_size: bytes,
                ..Default::default()
            });
        }
    }
    for partitions in topics.values_mut() {
        partitions.sort_by_key(|p| p.partition_index);
    }
    let space = shard.runtime().disk().space(shard.data_dir()).await;
    let results = vec![DescribeLogDirsResult {
        error_code: space.as_ref().map_or(ErrorCode::KafkaStorageError, |_| ErrorCode::None) as i16,
        log_dir: shard.data_dir().display().to_string().into(),
        topics: topics.into_iter().map(|(name, partitions)| DescribeLogDirsTopic { name, partitions }).collect(),
        total_bytes: space.as_ref().map_or(-1, |s| s.total as i64),
        usable_bytes: space.as_ref().map_or(-1, |s| s.free as i64),
        ..Default::default()
    }];
    DescribeLogDirsResponse { results, ..Default::default() }
}

/// Name, number and bytes of each partition of a shard.
fn sizes(shard: &Rc<Shard>, items: Vec<()>) -> impl Future<Output = Vec<Vec<(String, i32, i64)>>> + use<> {
    let all: Vec<_> =
        shard.all_partitions().iter().map(|p| (p.topic().to_string(), p.id().0, p.log().size_bytes() as i64)).collect();
    async move { items.into_iter().map(|()| all.clone()).collect() }
}
