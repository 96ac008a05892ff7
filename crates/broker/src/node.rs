//! `node.toml`: who owns a data directory, and how it is laid out (docs/formats/node.md).

use std::path::{Path, PathBuf};

use ouzel_model::{ClusterId, NodeId, planted};
use ouzel_runtime::{Lock, Runtime};
use serde::{Deserialize, Serialize};

/// Format of a data directory.
const FORMAT: u32 = 1;
const FILE: &str = "node.toml";
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What `node.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFile {
    /// Format of the directory.
    pub format: u32,
    /// The cluster it belongs to.
    pub cluster_id: String,
    /// The node that owns it.
    pub node_id: i32,
    /// Made with the directory: another directory is another node, whatever its id. 32 hexadecimal digits.
    pub node_uuid: String,
    /// Shards that the journals are written for.
    pub cores: u16,
    /// Counts changes of `cores`.
    pub layout: u32,
}

/// Why a data directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// It can't be read or written.
    #[error("can't use data directory {path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A newer version wrote it.
    #[error("data directory {path} has format {found}, this version knows up to {FORMAT}: use the version that wrote it", path = path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// `node.toml` isn't readable text.
    #[error("{path} is damaged: {why}", path = path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It is another node's.
    #[error("data directory {path} belongs to node {found}, this is node {asked}: give --node-id {found} or another --data", path = path.display())]
    OtherNode {
        /// Which.
        path: PathBuf,
        /// Whose.
        found: i32,
        /// Who asks.
        asked: i32,
    },
    /// The journals are written for another number of cores.
    #[error("data directory {path} is laid out for {found} cores, not {asked}: start with --cores {found}", path = path.display())]
    OtherCores {
        /// Which.
        path: PathBuf,
        /// For how many.
        found: u16,
        /// How many are asked for.
        asked: u16,
    },
}

impl NodeFile {
    /// The uuid's bytes.
    pub fn uuid(&self) -> [u8; 16] {
        u128::from_str_radix(&self.node_uuid, 16).map_or([0; 16], u128::to_be_bytes)
    }

    /// The cluster's id.
    pub fn cluster(&self) -> ClusterId {
        self.cluster_id.parse().unwrap_or(ClusterId([0; 16]))
    }
}

/// Takes the directory for this process, makes it if absent, and reads or writes its `node.toml`.
pub(crate) async fn open(rt: &Runtime, dir: &Path, node: NodeId, cores: u16) -> Result<(NodeFile, Lock), NodeError> {
    let io = |source| NodeError::Io { path: dir.to_path_buf(), source };
    let disk = rt.disk();
    disk.create_dir_all(dir).await.map_err(io)?;
    let lock = disk.lock(&dir.join("LOCK")).await.map_err(io)?;
    let path = dir.join(FILE);
    if disk.exists(&path).await.map_err(io)? {
        let bytes = disk.read(&path, FILE_BYTES_MAX).await.map_err(io)?;
        return check(dir, &path, &bytes, node, cores).map(|file| (file, lock));
    }
    if !planted!("25", true, false) {
        sync_names(rt, dir).await.map_err(io)?;
    }
    let mut random = [0; 32];
    rt.entropy(&mut random);
    let (cluster, uuid) = random.split_at(16);
    let file = NodeFile {
        format: FORMAT,
        cluster_id: ClusterId(cluster.try_into().expect("sixteen bytes")).to_string(),
        node_id: node.0,
        node_uuid: uuid.iter().map(|b| format!("{b:02x}")).collect(),
        cores,
        layout: 0,
    };
    let text = toml::to_string(&file).map_err(|e| NodeError::Damaged { path: path.clone(), why: e.to_string() })?;
    disk.write_atomic(&path, text.into_bytes()).await.map_err(io)?;
    Ok((file, lock))
}

/// Makes the names of a new data directory durable, up to the root: a directory's own name lies in the one above it, and whoever made it
/// may not have synced that. Without it a power cut takes all that was acknowledged along with the name.
async fn sync_names(rt: &Runtime, dir: &Path) -> std::io::Result<()> {
    let here = Path::new(".");
    for made in dir.ancestors().filter(|a| !a.as_os_str().is_empty()) {
        let Some(parent) = made.parent() else { break };
        let parent = if parent.as_os_str().is_empty() { here } else { parent };
        match rt.disk().sync_dir(parent).await {
            // Not ours, so not made by us.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => break,
            synced => synced?,
        }
    }
    Ok(())
}

fn check(dir: &Path, path: &Path, bytes: &[u8], node: NodeId, cores: u16) -> Result<NodeFile, NodeError> {
    let damaged = |why: String| NodeError::Damaged { path: path.to_path_buf(), why };
    let text = std::str::from_utf8(bytes).map_err(|e| damaged(e.to_string()))?;
    let file: NodeFile = toml::from_str(text).map_err(|e| damaged(e.message().to_string()))?;
    if file.format > FORMAT {
        return Err(NodeError::Newer { path: dir.to_path_buf(), found: file.format });
    }
    if file.node_uuid.len() != 32 || file.uuid() == [0; 16] {
        return Err(damaged("node_uuid isn't 32 hexadecimal digits".into()));
    }
    if file.cluster_id.parse::<ClusterId>().is_err() {
        return Err(damaged("cluster_id isn't 22 characters of base64".into()));
    }
    if file.node_id != node.0 {
        return Err(NodeError::OtherNode { path: dir.to_path_buf(), found: file.node_id, asked: node.0 });
    }
    if file.cores != cores {
        return Err(NodeError::OtherCores { path: dir.to_path_buf(), found: file.cores, asked: cores });
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_directory_is_refused_by_name() {
        let good = "format = 1\ncluster_id = 'MDEyMzQ1Njc4OWFiY2RlZg'\nnode_id = 1\nnode_uuid = '0123456789abcdef0123456789abcdef'\ncores = 2\nlayout = 0\n";
        let read = |text: &str, node, cores| {
            check(Path::new("d"), Path::new("d/node.toml"), text.as_bytes(), NodeId(node), cores)
        };
        assert_eq!(read(good, 1, 2).unwrap().uuid()[..4], [0x01, 0x23, 0x45, 0x67]);
        assert!(matches!(read(good, 2, 2), Err(NodeError::OtherNode { found: 1, .. })));
        assert!(matches!(read(good, 1, 3), Err(NodeError::OtherCores { found: 2, .. })));
        assert!(matches!(
            read(&good.replace("format = 1", "format = 9"), 1, 2),
            Err(NodeError::Newer { found: 9, .. })
        ));
        for bad in ["", "format = 1", &good.replace("0123456789abcdef", "zz"), &good.replace("MDEy", "????")] {
            assert!(matches!(read(bad, 1, 2), Err(NodeError::Damaged { .. })), "{bad}");
        }
    }
}
