//! What a broker is started with.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ouzel_model::NodeId;
use ouzel_model::config::{Scope, SettingError, Values, check};
use ouzel_runtime::system::{self, DiskChoice};
use serde::Deserialize;

/// Kafka's port.
pub const KAFKA_PORT: u16 = 9092;
/// The port of the admin door.
pub const ADMIN_PORT: u16 = 9644;

/// Memory of a broker that isn't told, bytes.
const MEMORY: u64 = 1 << 30;
/// A core's ring of journal files is no shorter.
const JOURNAL_FILES_MIN: u64 = 8;
const JOURNAL_FILE_BYTES_MIN: u64 = 1 << 20;

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
    /// Size of a journal file, bytes; smaller where `journal_bytes_max` has no room for eight of each core.
    pub journal_file_bytes: u64,
    /// Bytes of the journals of all cores.
    pub journal_bytes_max: u64,
    /// Blocks of one core's journal that may be written at once.
    pub journal_depth: usize,
    /// Free disk below which appends are refused, bytes; `None`: the larger of 5 % and 1 GiB.
    pub storage_min_free: Option<u64>,
    /// How long a stop waits for clients to be answered, before their connections are cut.
    pub shutdown_timeout: Duration,
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
        (config.journal_file_bytes, config.journal_bytes_max) = (8 << 20, 128 << 20);
        config.storage_min_free = Some(64 << 20);
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
            memory: MEMORY,
            disk: DiskChoice::Auto,
            settings: Arc::default(),
            journal_file_bytes: 64 << 20,
            journal_bytes_max: 1 << 30,
            journal_depth: 2,
            storage_min_free: None,
            shutdown_timeout: Duration::from_secs(10),
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

    /// Least severity of what is logged, as the setting says.
    pub fn log_level(&self) -> &str {
        self.settings.get("log.level").map_or("info", String::as_str)
    }

    /// Whether a listener that others can reach may be open to everybody, as the setting says.
    pub fn insecure(&self) -> bool {
        self.settings.get("node.insecure").is_some_and(|value| value == "true")
    }

    /// Sets a node or cluster setting for this process.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let (name, value) = check(Scope::Broker, name, value)?;
        self.heed(&name, &value).map_err(|why| SettingError::Invalid {
            name: name.clone(),
            value: value.clone(),
            why,
        })?;
        Arc::make_mut(&mut self.settings).insert(name, value);
        Ok(())
    }

    /// Takes over a canonical setting that is a field here.
    fn heed(&mut self, name: &str, value: &str) -> Result<(), String> {
        // A number within the setting's bounds; below zero stands for the default.
        let number = || value.parse::<u64>().ok();
        match name {
            "node.id" => self.node = NodeId(value.parse().map_err(|_| "no id of a node")?),
            "node.cores" => {
                let cores = number().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
                self.cores = cores.unwrap_or_else(system::allowed_cores);
            }
            "node.memory.bytes" => self.memory = number().filter(|n| *n > 0).unwrap_or(MEMORY),
            "log.dirs" if value.contains(',') => return Err("there is one data directory".into()),
            "log.dirs" => self.data = DataDir::At(value.into()),
            "listeners" => self.kafka = addresses(value)?,
            "admin.listeners" => {
                let all = addresses(value)?;
                match all[..] {
                    [one] => self.admin = Some(one),
                    _ => return Err("there is one admin address".into()),
                }
            }
            "advertised.listeners" => {
                let text = value.rsplit_once("://").map_or(value, |(_, text)| text);
                self.advertised = (!text.is_empty()).then(|| host_port(text));
            }
            "journal.file.bytes" => self.journal_file_bytes = number().unwrap_or(self.journal_file_bytes),
            "journal.bytes.max" => self.journal_bytes_max = number().unwrap_or(self.journal_bytes_max),
            "journal.depth" => self.journal_depth = number().map_or(self.journal_depth, |n| n as usize),
            "storage.min.free.bytes" => self.storage_min_free = number(),
            "shutdown.timeout.ms" => {
                self.shutdown_timeout = number().map_or(self.shutdown_timeout, Duration::from_millis);
            }
            _ => {}
        }
        Ok(())
    }

    /// Size of a core's journal files, and how many there are.
    pub(crate) fn journal(&self) -> (u64, usize) {
        let share = self.journal_bytes_max / u64::from(self.cores.max(1));
        let bytes = self.journal_file_bytes.min(share / JOURNAL_FILES_MIN).max(JOURNAL_FILE_BYTES_MIN) >> 20 << 20;
        (bytes, (share / bytes).max(1) as usize)
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

/// `PLAINTEXT://host:port,...`, the name may be left out; a host without digits is `localhost`, and none is every address.
fn addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    let one = |text: &str| {
        let text = text.trim();
        let (name, addr) = text.rsplit_once("://").unwrap_or(("PLAINTEXT", text));
        if name != "PLAINTEXT" {
            return Err(format!("listener {name}: there is PLAINTEXT alone"));
        }
        let addr = match addr.rsplit_once(':') {
            Some(("", port)) => format!("0.0.0.0:{port}"),
            Some(("localhost", port)) => format!("127.0.0.1:{port}"),
            _ => addr.to_string(),
        };
        addr.parse().map_err(|_| format!("`{addr}` isn't an IP address with a port"))
    };
    text.split(',').map(one).collect()
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
    fn a_setting_of_the_process_acts() {
        let mut config = Config::start(DataDir::Temporary);
        let pairs = [
            "node.id=7",
            "node.cores=3",
            "node.memory.bytes=4096",
            "listeners=PLAINTEXT://:1,PLAINTEXT://[::1]:2",
            "advertised.listeners=PLAINTEXT://kafka.local:3",
            "admin.listeners=127.0.0.1:4",
            "log.dirs=/d",
            "journal.depth=5",
            "storage.min.free.bytes=6",
            "shutdown.timeout.ms=8",
        ];
        for pair in pairs {
            config.set_pair(pair).unwrap();
        }
        assert_eq!((config.node, config.cores, config.memory), (NodeId(7), 3, 4096));
        assert_eq!(config.kafka, ["0.0.0.0:1".parse().unwrap(), "[::1]:2".parse().unwrap()]);
        assert_eq!(config.advertised, Some(("kafka.local".into(), Some(3))));
        assert_eq!(config.admin, Some("127.0.0.1:4".parse().unwrap()));
        assert_eq!(config.data, DataDir::At("/d".into()));
        assert_eq!((config.journal_depth, config.storage_min_free), (5, Some(6)));
        assert_eq!(config.shutdown_timeout, Duration::from_millis(8));
        for bad in ["listeners=SSL://:1", "listeners=nobody:1", "log.dirs=/a,/b"] {
            assert!(config.set_pair(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_journals_of_all_cores_keep_to_their_bound() {
        let mut config = Config::start(DataDir::Temporary);
        for (cores, bytes, files) in [(1, 64 << 20, 16), (2, 64 << 20, 8), (16, 8 << 20, 8), (512, 1 << 20, 2)] {
            config.cores = cores;
            assert_eq!(config.journal(), (bytes, files), "{cores} cores");
        }
    }

    #[test]
    fn addresses_split_at_the_last_colon() {
        assert_eq!(host_port("a:1"), ("a".into(), Some(1)));
        assert_eq!(host_port("a"), ("a".into(), None));
        assert_eq!(host_port("[::1]:9"), ("::1".into(), Some(9)));
        assert_eq!(host_port("::1"), ("::1".into(), None));
    }
}
