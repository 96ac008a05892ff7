//! `node.toml`: who owns a data directory, and how it is laid out (docs/formats/node.md).

use std::path::{Path, PathBuf};

use ouzel_log::Layout;
use ouzel_model::{ClusterId, NodeId, planted};
use ouzel_runtime::{Lock, Runtime};
use serde::{Deserialize, Serialize};

/// Newest format of a data directory: 2 since shards' directories are named by their layout generation, which a version of format 1
/// would not find.
const FORMAT: u32 = 2;
/// Format of a directory whose generation is 0.
const FORMAT_PLAIN: u32 = 1;
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
    /// Shards that the journals are written for; another number of cores has all logs handed over.
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
    /// It isn't a broker's.
    #[error("{path} is missing: no broker has used this directory", path = path.display())]
    Absent {
        /// `node.toml`.
        path: PathBuf,
    },
}

impl NodeFile {
    /// What `node.toml` of this directory says.
    pub async fn read(rt: &Runtime, dir: &Path) -> Result<NodeFile, NodeError> {
        let io = |source| NodeError::Io { path: dir.to_path_buf(), source };
        let path = dir.join(FILE);
        if !rt.disk().exists(&path).await.map_err(io)? {
            return Err(NodeError::Absent { path });
        }
        let bytes = rt.disk().read(&path, FILE_BYTES_MAX).await.map_err(io)?;
        parse(dir, &path, &bytes)
    }

    /// What the journals are laid out for.
    pub fn layout(&self) -> Layout {
        Layout { shards: self.cores, generation: self.layout }
    }

    /// The uuid's bytes.
    pub fn uuid(&self) -> [u8; 16] {
        u128::from_str_radix(&self.node_uuid, 16).map_or([0; 16], u128::to_be_bytes)
    }

    /// The cluster's id.
    pub fn cluster(&self) -> ClusterId {
        self.cluster_id.parse().unwrap_or(ClusterId([0; 16]))
    }
}

/// Takes the directory for this process, makes it if absent, and reads or writes its `node.toml`. A new one is laid out for `cores`.
pub(crate) async fn open(rt: &Runtime, dir: &Path, node: NodeId, cores: u16) -> Result<(NodeFile, Lock), NodeError> {
    let io = |source| NodeError::Io { path: dir.to_path_buf(), source };
    let disk = rt.disk();
    disk.create_dir_all(dir).await.map_err(io)?;
    let lock = disk.lock(&dir.join("LOCK")).await.map_err(io)?;
    match NodeFile::read(rt, dir).await {
        Ok(file) if file.node_id != node.0 => {
            return Err(NodeError::OtherNode { path: dir.to_path_buf(), found: file.node_id, asked: node.0 });
        }
        Ok(file) => return Ok((file, lock)),
        Err(NodeError::Absent { .. }) => {}
        Err(error) => return Err(error),
    }
    if !planted!("25", true, false) {
        sync_names(rt, dir).await.map_err(io)?;
    }
    let mut random = [0; 32];
    rt.entropy(&mut random);
    let (cluster, uuid) = random.split_at(16);
    let file = NodeFile {
        format: FORMAT_PLAIN,
        cluster_id: ClusterId(cluster.try_into().expect("sixteen bytes")).to_string(),
        node_id: node.0,
        node_uuid: uuid.iter().map(|b| format!("{b:02x}")).collect(),
        cores,
        layout: 0,
    };
    write(rt, dir, &file).await?;
    Ok((file, lock))
}

/// Makes the directory one of this layout, whose journals must be durable. On return it is, whatever happens.
pub(crate) async fn set_layout(rt: &Runtime, dir: &Path, file: &NodeFile, to: Layout) -> Result<NodeFile, NodeError> {
    let file = NodeFile { format: FORMAT, cores: to.shards, layout: to.generation, ..file.clone() };
    write(rt, dir, &file).await?;
    Ok(file)
}

async fn write(rt: &Runtime, dir: &Path, file: &NodeFile) -> Result<(), NodeError> {
    let path = dir.join(FILE);
    let text = toml::to_string(file).map_err(|e| NodeError::Damaged { path: path.clone(), why: e.to_string() })?;
    let written = rt.disk().write_atomic(&path, text.into_bytes()).await;
    written.map_err(|source| NodeError::Io { path: dir.to_path_buf(), source })
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

fn parse(dir: &Path, path: &Path, bytes: &[u8]) -> Result<NodeFile, NodeError> {
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
    if file.cores == 0 {
        return Err(damaged("cores is 0".into()));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_or_newer_file_is_refused() {
        let good = "format = 1\ncluster_id = 'MDEyMzQ1Njc4OWFiY2RlZg'\nnode_id = 1\nnode_uuid = '0123456789abcdef0123456789abcdef'\ncores = 2\nlayout = 0\n";
        let read = |text: &str| parse(Path::new("d"), Path::new("d/node.toml"), text.as_bytes());
        assert_eq!(read(good).unwrap().uuid()[..4], [0x01, 0x23, 0x45, 0x67]);
        assert_eq!(read(good).unwrap().layout(), Layout { shards: 2, generation: 0 });
        assert!(matches!(read(&good.replace("format = 1", "format = 9")), Err(NodeError::Newer { found: 9, .. })));
        let bad = |from: &str, to: &str| good.replace(from, to);
        let cases =
            [bad("0123456789abcdef", "zz"), bad("MDEy", "????"), bad("cores = 2", "cores = 0"), bad("cores", "core")];
        for bad in ["", "format = 1"].into_iter().chain(cases.iter().map(String::as_str)) {
            assert!(matches!(read(bad), Err(NodeError::Damaged { .. })), "{bad}");
        }
    }
}
