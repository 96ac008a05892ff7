//! Another number of cores: which steps a start takes so that a data directory fits the shards there are.

use std::path::Path;

use ouzel_controller::CONTROLLER_LOG;
use ouzel_log::{LogId, StoreConfig, free_layouts, hand_over};
use ouzel_model::ShardId;
use ouzel_runtime::Runtime;
use tracing::info;

use crate::config::Config;
use crate::node::{self, NodeFile};
use crate::run::StartError;

/// What a start with another number of cores did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoresChanged {
    /// Cores before.
    pub from: u16,
    /// Cores now.
    pub to: u16,
    /// Logs that have a new owner: partitions, and the controller's.
    pub logs: usize,
    /// Bytes written for it.
    pub bytes: u64,
    /// Time it took, milliseconds.
    pub ms: u64,
}

/// Hands all logs over if the directory is laid out for another number of cores, and frees journals that don't count: in this order,
/// so that wherever it is cut, the next start finds either the old layout or the new one whole.
pub(crate) async fn fit(
    rt: &Runtime,
    config: &Config,
    dir: &Path,
    file: NodeFile,
) -> Result<(NodeFile, Option<CoresChanged>), StartError> {
    let (from, to) = (file.layout(), config.cores);
    free_layouts(rt, dir, from).await.map_err(StartError::Layout)?;
    if from.shards == to {
        return Ok((file, None));
    }
    let begin = rt.now();
    info!(from = from.shards, to, "another number of cores: logs are handed over");
    let storage = StoreConfig {
        journal_file_bytes: config.journal().0,
        ..StoreConfig::new(dir.to_path_buf(), ShardId(0), file.uuid())
    };
    let handed = hand_over(rt, &storage, from, to, |ids| places(ids, to)).await;
    let (layout, done) = handed.map_err(|source| StartError::cores(from.shards, to, source))?;
    let file = node::set_layout(rt, dir, &file, layout).await?;
    free_layouts(rt, dir, layout).await.map_err(StartError::Layout)?;
    let ms = rt.now().duration_since(begin).as_millis() as u64;
    let changed = CoresChanged { from: from.shards, to, logs: done.logs, bytes: done.bytes, ms };
    info!(from = changed.from, to, logs = done.logs, bytes = done.bytes, ms, "cores changed");
    Ok((file, Some(changed)))
}

/// The controller's log to the shard it lives on, the others dealt out one by one: ids of a topic's partitions stand side by side.
fn places(ids: &[LogId], shards: u16) -> Vec<ShardId> {
    let mut next = (0..shards).map(ShardId).cycle();
    let mut place = |id: &LogId| if *id == CONTROLLER_LOG { Some(ShardId(0)) } else { next.next() };
    ids.iter().map(|id| place(id).expect("a broker has a core")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topics_partitions_spread_over_all_shards_and_the_controllers_log_is_on_shard_0() {
        let mut ids: Vec<LogId> = (1..=7).map(|n| LogId([n; 20])).collect();
        ids.push(CONTROLLER_LOG);
        ids.sort();
        let placed = places(&ids, 3);
        let controller = ids.iter().position(|id| *id == CONTROLLER_LOG).unwrap();
        assert_eq!(placed[controller], ShardId(0));
        let mut others = placed;
        others.remove(controller);
        assert_eq!(others.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2, 0]);
    }
}
