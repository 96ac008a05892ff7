//! Snapshot files: `controller/snapshot-<index, 20 digits>` in the data directory.

use std::io;
use std::path::{Path, PathBuf};

use ouzel_model::{Index, planted};
use ouzel_runtime::{Disk, Runtime};

use crate::OpenError;
use crate::encoding::{BadBytes, SNAPSHOT_BYTES_MAX, Snapshot, SnapshotEncoder, decode_snapshot};

const PREFIX: &str = "snapshot-";
/// Topics written in one turn. A turn is at most 500 us; a topic of few partitions takes a few.
const TOPICS_PER_SLICE: usize = 128;

/// The directory of the controller's files.
pub(crate) fn directory(data: &Path) -> PathBuf {
    data.join("controller")
}

/// All snapshots that verify, newest first. Damaged ones are reported and left where they are.
pub(crate) async fn load(disk: &Disk, data: &Path) -> Result<Vec<Snapshot>, OpenError> {
    let mut snapshots = Vec::new();
    for index in indexes(disk, data).await?.into_iter().rev() {
        let path = file(data, index);
        let bytes = disk.read(&path, SNAPSHOT_BYTES_MAX).await?;
        match decode_snapshot(&bytes) {
            Ok(snapshot) if snapshot.index == index => snapshots.push(snapshot),
            Ok(snapshot) => {
                let (path, index) = (path.display(), snapshot.index.0);
                tracing::error!(%path, index, "snapshot of the metadata holds another index than its name says");
            }
            Err(reason @ BadBytes::Newer { .. }) => return Err(OpenError::NewerSnapshot { path, reason }),
            Err(damaged) => tracing::error!(path = %path.display(), %damaged, "snapshot of the metadata is damaged"),
        }
    }
    Ok(snapshots)
}

/// Writes a snapshot; durable when this returns.
pub(crate) async fn save(rt: &Runtime, data: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let mut encoder = SnapshotEncoder::new(snapshot);
    for (number, topic) in snapshot.image.topics().enumerate() {
        encoder.topic(topic);
        if number % TOPICS_PER_SLICE == TOPICS_PER_SLICE - 1 {
            rt.yield_now().await;
        }
    }
    rt.disk().create_dir_all(&directory(data)).await?;
    // Without its name in there a power cut takes the directory, and the log is trimmed for what it held.
    if !planted!("25", true, false) {
        rt.disk().sync_dir(data).await?;
    }
    rt.disk().write_atomic(&file(data, snapshot.index), encoder.finish(snapshot)).await
}

/// Deletes all snapshots older than this one.
pub(crate) async fn drop_older(disk: &Disk, data: &Path, oldest_kept: Index) -> io::Result<()> {
    for index in indexes(disk, data).await?.into_iter().filter(|&index| index < oldest_kept) {
        disk.remove_file(&file(data, index)).await?;
    }
    Ok(())
}

fn file(data: &Path, index: Index) -> PathBuf {
    directory(data).join(format!("{PREFIX}{:020}", index.0))
}

/// Indexes in the files' names, ascending.
async fn indexes(disk: &Disk, data: &Path) -> io::Result<Vec<Index>> {
    let directory = directory(data);
    if !disk.exists(&directory).await? {
        return Ok(Vec::new());
    }
    let entries = disk.read_dir(&directory).await?;
    let mut indexes: Vec<Index> = entries
        .iter()
        .filter_map(|entry| entry.name.strip_prefix(PREFIX).filter(|digits| digits.len() == 20)?.parse().ok())
        .map(Index)
        .collect();
    indexes.sort();
    Ok(indexes)
}
