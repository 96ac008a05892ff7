//! What a broker is started with.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ouzel_model::NodeId;
use ouzel_model::config::{Scope, SettingError, Values, check};
use ouzel_runtime::system::{self, DiskChoice};
use serde::Deserialize;

/// Kafka's port.
pub const KAFKA_PORT: u16 = 9092;
/// The port of the admin door.
pub const ADMIN_PORT: u16 = 9644;

/// Where a broker keeps its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataDir {
    /// Here; made if absent.
    At(PathBuf),
    /// In a new directory that is removed when the broker stops.
    Temporary,
}

/// Everything a broker is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the data is.
    pub data: DataDir,
    /// This broker's id.
    pub node: NodeId,
    /// Kafka listeners; port 0 takes a free one.
    pub kafka: Vec<SocketAddr>,
    /// Whether a Kafka port that is taken moves to the next free one.
    pub kafka_may_move: bool,
    /// Host and port that clients are told; the first listener's if `None`.
    pub advertised: Option<(String, Option<u16>)>,
    /// The admin door; `None`: there is none.
    pub admin: Option<SocketAddr>,
    /// As `kafka_may_move`.
    pub admin_may_move: bool,
    /// Shards.
    pub cores: u16,
    /// Pin each shard's thread to a core.
    pub pin: bool,
    /// Memory for all shards, bytes.
    pub memory: u64,
    /// How files are written.
    pub disk: DiskChoice,
    /// Settings for this process, canonical; they win over stored ones.
    pub settings: Arc<Values>,
    /// Size of a journal file, bytes.
    pub journal_file_bytes: u64,
    /// Free disk below which appends are refused, bytes; `None`: the larger of 5 % and 1 GiB.
    pub storage_min_free: Option<u64>,
}

/// Why a configuration isn't one.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting of `--set` or the file.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// `--set` without `=`.
    #[error("`{0}` isn't of the form name=value")]
    NoValue(String),
    /// The file can't be read.
    #[error("can't read {path}: {source}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file isn't good TOML, or has an unknown key.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
}

/// `ouzel.toml`: node settings under `[node]`, cluster settings under `[cluster]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    node: NodeSection,
    #[serde(default)]
    cluster: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeSection {
    data_dir: Option<PathBuf>,
    node_id: Option<i32>,
    kafka_addr: Option<SocketAddr>,
    advertised_kafka_addr: Option<String>,
    admin_addr: Option<SocketAddr>,
    cores: Option<u16>,
    memory: Option<u64>,
}

impl Config {
    /// A developer's broker: loopback only, topics on demand, groups form at once, free disk of 64 MiB is enough.
    pub fn dev() -> Config {
        let mut config = Config::start(DataDir::At("ouzel-data".into()));
        config.kafka.push(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), KAFKA_PORT));
        (config.kafka_may_move, config.admin_may_move) = (true, true);
        (config.journal_file_bytes, config.storage_min_free) = (8 << 20, Some(64 << 20));
        let settings = [
            ("auto.create.topics.enable", "true"),
            ("group.initial.rebalance.delay.ms", "0"),
            ("offsets.topic.num.partitions", "3"),
        ];
        config.settings = Arc::new(settings.map(|(k, v)| (k.to_string(), v.to_string())).into());
        config
    }

    /// A broker by its defaults, on loopback.
    pub fn start(data: DataDir) -> Config {
        Config {
            data,
            node: NodeId(1),
            kafka: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), KAFKA_PORT)],
            kafka_may_move: false,
            advertised: None,
            admin: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), ADMIN_PORT)),
            admin_may_move: false,
            cores: system::allowed_cores(),
            pin: true,
            memory: 1 << 30,
            disk: DiskChoice::Auto,
            settings: Arc::default(),
            journal_file_bytes: 64 << 20,
            storage_min_free: None,
        }
    }

    /// With its data in this directory.
    pub fn data_dir(mut self, dir: impl Into<PathBuf>) -> Config {
        self.data = DataDir::At(dir.into());
        self
    }

    /// With free ports: for tests, several at a time.
    pub fn any_port(mut self) -> Config {
        self.kafka = vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)];
        self.admin = self.admin.map(|_| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0));
        self
    }

    /// Sets a node or cluster setting for this process.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let (name, value) = check(Scope::Broker, name, value)?;
        Arc::make_mut(&mut self.settings).insert(name, value);
        Ok(())
    }

    /// As [`Config::set`], from `name=value`.
    pub fn set_pair(&mut self, pair: &str) -> Result<(), ConfigError> {
        let (name, value) = pair.split_once('=').ok_or_else(|| ConfigError::NoValue(pair.into()))?;
        self.set(name.trim(), value)
    }

    /// Takes what `ouzel.toml` at `path` says.
    pub fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        // The configuration is read before there is a runtime.
        #[allow(clippy::disallowed_methods)]
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })?;
        self.take(&text).map_err(|error| match error {
            FileError::Toml(source) => ConfigError::File { path: path.to_path_buf(), source },
            FileError::Config(error) => error,
        })
    }

    fn take(&mut self, text: &str) -> Result<(), FileError> {
        let file: File = toml::from_str(text).map_err(|e| FileError::Toml(Box::new(e)))?;
        let node = file.node;
        if let Some(dir) = node.data_dir {
            self.data = DataDir::At(dir);
        }
        if let Some(id) = node.node_id {
            self.node = NodeId(id);
        }
        if let Some(addr) = node.kafka_addr {
            self.kafka = vec![addr];
        }
        if let Some(addr) = node.advertised_kafka_addr {
            self.advertised = Some(host_port(&addr));
        }
        if let Some(addr) = node.admin_addr {
            self.admin = Some(addr);
        }
        self.cores = node.cores.unwrap_or(self.cores);
        self.memory = node.memory.unwrap_or(self.memory);
        for (name, value) in file.cluster {
            let value = match value {
                toml::Value::String(text) => text,
                other => other.to_string(),
            };
            self.set(&name, &value).map_err(FileError::Config)?;
        }
        Ok(())
    }
}

enum FileError {
    Toml(Box<toml::de::Error>),
    Config(ConfigError),
}

/// `host` or `host:port`; an IPv6 host stands in brackets.
pub fn host_port(text: &str) -> (String, Option<u16>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => match port.parse() {
            Ok(port) => (host.trim_matches(['[', ']']).to_string(), Some(port)),
            Err(_) => (text.to_string(), None),
        },
        _ => (text.trim_matches(['[', ']']).to_string(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_sets_node_and_cluster() {
        let mut config = Config::dev();
        let text = "[node]\nnode_id = 7\ncores = 3\nadvertised_kafka_addr = 'kafka.local:19092'\n[cluster]\n'num.partitions' = 4\n";
        assert!(config.take(text).is_ok());
        assert_eq!((config.node, config.cores), (NodeId(7), 3));
        assert_eq!(config.advertised, Some(("kafka.local".into(), Some(19092))));
        assert_eq!(config.settings.get("num.partitions").map(String::as_str), Some("4"));
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        for bad in [
            "[node]\nnode_idd = 1",
            "[cluster]\n'num.partitionss' = 4",
            "[nodes]\n",
            "[cluster]\n'num.partitions' = 'x'",
        ] {
            assert!(Config::dev().take(bad).is_err(), "{bad}");
        }
        assert!(Config::dev().set_pair("num.partitions").is_err());
    }

    #[test]
    fn addresses_split_at_the_last_colon() {
        assert_eq!(host_port("a:1"), ("a".into(), Some(1)));
        assert_eq!(host_port("a"), ("a".into(), None));
        assert_eq!(host_port("[::1]:9"), ("::1".into(), Some(9)));
        assert_eq!(host_port("::1"), ("::1".into(), None));
    }
}
