//! A broker's life on each shard: open what the disk holds, publish it, serve, stop. The same code runs on the kernel and in the
//! simulator.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use ouzel_controller::{CONTROLLER_LOG, Command, Controller, ControllerOptions, Image, Node, Plan};
use ouzel_kafka::{ConnectionLimits, Kafka, KafkaOptions, Listening};
use ouzel_log::{HandOverError, LogId, OpenError, Store, StoreConfig};
use ouzel_model::config::Values;
use ouzel_model::{ClusterId, NodeId, PartitionId, ShardId, TopicId};
use ouzel_runtime::mailbox::{self, Receiver, ReplyTo, Sender, mailbox};
use ouzel_runtime::{Class, Duration, Lock, Runtime};
use ouzel_shard::{CONTROLLER_TOKEN, Job, Shard, ShardOptions, Unpublished, partition_of};
use tracing::{info, warn};

use crate::config::Config;
use crate::cores::{self, CoresChanged};
use crate::node::{self, NodeError, NodeFile};

/// Messages that wait for a shard.
const INBOX: usize = 1_024;
/// Ports tried after a default one that is taken.
const PORTS_TRIED: u16 = 100;
/// The feature that is finalised when a cluster is founded. Level 33 is what Apache Kafka 4.4 finalises.
const METADATA_VERSION: &str = "metadata.version";
const METADATA_LEVEL: i16 = 33;

/// A broker is up.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The cluster's id.
    pub cluster_id: String,
    /// Kafka listeners, as bound.
    pub kafka: Vec<SocketAddr>,
    /// What clients are told.
    pub advertised: (String, u16),
    /// The first wanted port that was taken, if it had to move.
    pub kafka_taken: Option<u16>,
    /// The admin door, as bound.
    pub admin: Option<SocketAddr>,
    /// As `kafka_taken`.
    pub admin_taken: Option<u16>,
    /// Topics and partitions found.
    pub topics: usize,
    /// Partitions found.
    pub partitions: usize,
    /// What was done because the data directory was laid out for another number of cores.
    pub cores_changed: Option<CoresChanged>,
    /// Inboxes of the shards, for the HTTP doors.
    pub inboxes: Inboxes,
}

/// The shards' inboxes.
#[derive(Clone)]
pub struct Inboxes(pub Vec<Sender<Job>>);

impl std::fmt::Debug for Inboxes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} shards", self.0.len())
    }
}

/// Why a broker doesn't come up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The journals in the data directory aren't those of its layout.
    #[error(transparent)]
    Layout(HandOverError),
    /// The data directory can't be laid out for another number of cores.
    #[error("can't change from {from} to {to} cores: {source}; nothing was changed, --cores {from} starts as before")]
    Cores {
        /// Cores that it is laid out for.
        from: u16,
        /// Cores that were asked for.
        to: u16,
        /// Why not.
        source: HandOverError,
    },
    /// It was asked to stop while it started.
    #[error("asked to stop while it started")]
    Stopped,
    /// A shard's storage.
    #[error("shard {}: {reason}", shard.0)]
    Storage {
        /// Which shard.
        shard: ShardId,
        /// What was found.
        reason: String,
    },
    /// The cluster's metadata.
    #[error("cluster metadata: {0}")]
    Controller(String),
    /// A listener.
    #[error("can't listen on {addr}: {source}")]
    Listen {
        /// Where.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A shard ended before the broker was up.
    #[error("a shard ended: {0}")]
    Ended(String),
}

impl StartError {
    pub(crate) fn cores(from: u16, to: u16, source: HandOverError) -> StartError {
        match source {
            HandOverError::Stopped => StartError::Stopped,
            source => StartError::Cores { from, to, source },
        }
    }
}

/// Where a shard sits among the others; moves to its thread.
pub struct Seat {
    inbox: Receiver<Job>,
    inboxes: Vec<Sender<Job>>,
    role: Role,
}

enum Role {
    /// Shard 0 leads the start.
    First {
        others: Vec<Sender<Boot>>,
        reports: Receiver<Report>,
        ready: ReplyTo<Result<Ready, StartError>>,
    },
    Other {
        boot: Receiver<Boot>,
        report: Sender<Report>,
    },
}

/// From shard 0 to the others, in this order.
enum Boot {
    Open { file: Arc<NodeFile>, process: Arc<Values> },
    Serve { addrs: Vec<SocketAddr>, options: KafkaOptions },
    Close,
}

/// From the others to shard 0.
enum Report {
    /// With the shard, and the logs that it holds.
    Opened(Result<(ShardId, Vec<LogId>), StartError>),
    Serving(Result<(), StartError>),
    Drained,
}

/// Seats for the shards of one broker, and what shard 0 says when all serve.
pub fn seats(cores: u16) -> (Vec<Seat>, mailbox::Reply<Result<Ready, StartError>>) {
    let (ready, reply) = mailbox::reply();
    let (inboxes, receivers): (Vec<_>, Vec<_>) = (0..cores).map(|_| mailbox(INBOX)).unzip();
    let (report, reports) = mailbox(usize::from(cores).max(1));
    let (others, boots): (Vec<_>, Vec<_>) = (1..cores).map(|_| mailbox(4)).unzip();
    let roles = std::iter::once(Role::First { others, reports, ready })
        .chain(boots.into_iter().map(|boot| Role::Other { boot, report: report.clone() }));
    let seats =
        receivers.into_iter().zip(roles).map(|(inbox, role)| Seat { inbox, inboxes: inboxes.clone(), role }).collect();
    (seats, reply)
}

impl Seat {
    /// Runs this shard from its start to its end. `dir` is the data directory.
    pub async fn run(self, rt: Runtime, config: Arc<Config>, dir: PathBuf) {
        match self.role {
            Role::First { others, reports, ready } => {
                let first = First { rt, config, dir, others, reports, drained: 0, shard: None, lock: None };
                first.run(self.inbox, self.inboxes, ready).await;
            }
            Role::Other { mut boot, report } => {
                let Some(Boot::Open { file, process }) = boot.recv().await else { return };
                let shard = match open(&rt, &config, &dir, &file, process, self.inboxes).await {
                    Ok((shard, held)) => {
                        shard.own(Class::Serve, shard.clone().serve_inbox(self.inbox));
                        let _ = report.send(Report::Opened(Ok((shard.id(), held)))).await;
                        shard
                    }
                    Err(error) => {
                        let _ = report.send(Report::Opened(Err(error))).await;
                        return;
                    }
                };
                if let Some(Boot::Serve { addrs, options }) = boot.recv().await {
                    let kafka = Kafka::new(shard.clone(), options);
                    let served = listen(&rt, &addrs).map(|listening| serve(&shard, &kafka, listening));
                    if report.send(Report::Serving(served)).await.is_ok() {
                        rt.stopping().wait().await;
                        drain(&rt, &kafka, &shard, config.shutdown_timeout).await;
                        let _ = report.send(Report::Drained).await;
                        // Others may still need this shard's partitions: it ends when all connections have ended.
                        let _ = boot.recv().await;
                    }
                }
                close(&shard).await;
            }
        }
    }
}

/// Shard 0 at the start.
struct First {
    rt: Runtime,
    config: Arc<Config>,
    dir: PathBuf,
    others: Vec<Sender<Boot>>,
    reports: Receiver<Report>,
    /// Others that have drained.
    drained: usize,
    /// Once its storage is open.
    shard: Option<Rc<Shard>>,
    /// Of the data directory, to the end.
    lock: Option<Lock>,
}

impl First {
    async fn run(mut self, inbox: Receiver<Job>, inboxes: Vec<Sender<Job>>, ready: ReplyTo<Result<Ready, StartError>>) {
        let begin = self.rt.now();
        let up = self.start(inbox, inboxes).await;
        let kafka = match up {
            Ok((kafka, up)) => {
                info!(
                    ms = self.rt.now().duration_since(begin).as_millis() as u64,
                    topics = up.topics,
                    partitions = up.partitions,
                    cluster = up.cluster_id,
                    "ready"
                );
                ready.send(Ok(up));
                Some(kafka)
            }
            Err(StartError::Stopped) => {
                info!("asked to stop while it started");
                ready.send(Err(StartError::Stopped));
                None
            }
            Err(error) => {
                // The reason goes to whoever starts the broker, and ends what runs of it.
                let reason = error.to_string();
                ready.send(Err(error));
                match self.rt.fail(reason).await {}
            }
        };
        if let (Some(kafka), Some(shard)) = (kafka, &self.shard) {
            self.rt.stopping().wait().await;
            drain(&self.rt, &kafka, shard, self.config.shutdown_timeout).await;
            for _ in self.drained..self.others.len() {
                if self.reports.recv().await.is_none() {
                    break;
                }
            }
        }
        for other in &self.others {
            let _ = other.send(Boot::Close).await;
        }
        if let Some(shard) = &self.shard {
            if let Some(controller) = shard.hosted_controller() {
                controller.close().await;
            }
            close(shard).await;
        }
        info!("stopped");
    }

    async fn start(
        &mut self,
        inbox: Receiver<Job>,
        inboxes: Vec<Sender<Job>>,
    ) -> Result<(Rc<Kafka>, Ready), StartError> {
        let (rt, config) = (self.rt.clone(), self.config.clone());
        let (file, lock) = node::open(&rt, &self.dir, config.node, config.cores).await?;
        self.lock = Some(lock);
        // Bound before anything is opened, so that a taken port is told at once; nobody is answered before all is open.
        let (listening, addrs, kafka_taken) = bind(&rt, &config).await?;
        let (file, cores_changed) = cores::fit(&rt, &config, &self.dir, file).await?;
        let file = Arc::new(file);
        let advertised = advertised(&config, &addrs);
        let process = Arc::new(process_values(&config, &self.dir, &addrs, &advertised));
        for other in &self.others {
            let _ = other.send(Boot::Open { file: file.clone(), process: process.clone() }).await;
        }
        let (shard, own) = open(&rt, &config, &self.dir, &file, process, inboxes.clone()).await?;
        self.shard = Some(shard.clone());
        let mut held: BTreeMap<_, _> = own.into_iter().map(|id| (partition_of(id), shard.id())).collect();
        for _ in &self.others {
            match self.reports.recv().await {
                Some(Report::Opened(opened)) => {
                    let (of, logs) = opened?;
                    held.extend(logs.into_iter().map(|id| (partition_of(id), of)));
                }
                _ => return Err(StartError::Ended("while it opened its storage".into())),
            }
        }
        let options = ControllerOptions::new(self.dir.clone(), config.node, CONTROLLER_TOKEN);
        let controller =
            Controller::open(&rt, shard.store(), options).await.map_err(|e| StartError::Controller(e.to_string()))?;
        shard.host_controller(controller.clone());
        shard.own(Class::Serve, shard.clone().serve_inbox(inbox));
        shard.start();
        let node = Node { uuid: file.uuid(), shards: config.cores, rack: None };
        let (id, cluster) = (config.node, file.cluster());
        let registered = controller.change(|image| register(image, id, node, cluster, &held)).await;
        let (image, ()) = registered.map_err(|e| StartError::Controller(e.to_string()))?;
        shard.publish(image.clone()).await.map_err(|unpublished| match unpublished {
            Unpublished::Stopping => StartError::Stopped,
            Unpublished::Gone => StartError::Ended("while partitions were opened".into()),
        })?;
        self.tidy_up(&shard).await?;

        let cluster = image.cluster_config(shard.local());
        let options = KafkaOptions {
            advertised_host: advertised.0.clone(),
            advertised_port: advertised.1,
            rack: None,
            limits: Arc::new(ConnectionLimits::new(
                usize::try_from(cluster.connections_max).unwrap_or(usize::MAX),
                usize::try_from(cluster.connections_per_ip_max).unwrap_or(usize::MAX),
            )),
            idle_max: cluster.connections_idle_max_ms.map_or(Duration::MAX, Duration::from_millis),
        };
        let kafka = Kafka::new(shard.clone(), options.clone());
        for other in &self.others {
            let _ = other.send(Boot::Serve { addrs: addrs.clone(), options: options.clone() }).await;
        }
        let mut serving = 0;
        while serving < self.others.len() {
            match self.reports.recv().await {
                Some(Report::Serving(served)) => {
                    served?;
                    serving += 1;
                }
                // The broker was asked to stop meanwhile, and who serves already has done so.
                Some(Report::Drained) => self.drained += 1,
                _ => return Err(StartError::Ended("while it began to listen".into())),
            }
        }
        serve(&shard, &kafka, listening);
        let ready = Ready {
            cluster_id: file.cluster_id.clone(),
            kafka: addrs,
            advertised,
            kafka_taken,
            // The door isn't the shards'.
            admin: None,
            admin_taken: None,
            topics: image.topic_count(),
            partitions: image.partition_count(),
            cores_changed,
            inboxes: Inboxes(inboxes),
        };
        Ok((kafka, ready))
    }
}

impl First {
    /// What the data directory holds beyond the partitions that were opened: logs of deleted topics go, directories that no log knows are
    /// set aside.
    async fn tidy_up(&self, shard: &Rc<Shard>) -> Result<(), StartError> {
        let mut known = BTreeSet::new();
        for to in (0..self.config.cores).map(ShardId) {
            let removing = shard.submit(to, |shard| {
                let (owner, shard, dirs) = (shard.clone(), shard.clone(), shard.store().dirs());
                owner.own(Class::Background, async move { shard.remove_unclaimed().await });
                async { dirs }
            });
            known.extend(removing.await.await.map_err(|_| StartError::Ended("while partitions were opened".into()))?);
        }
        match ouzel_log::quarantine_unknown(&self.rt, &self.dir, &known).await {
            Ok(moved) => {
                for dir in moved {
                    warn!(dir, "a directory that no log knows was moved to lost+found");
                }
            }
            Err(error) => warn!(%error, "unknown directories can't be set aside"),
        }
        Ok(())
    }
}

/// Founds the cluster at its first start, and says what this node is and which shard holds which partition's log.
fn register(
    image: &Image,
    id: NodeId,
    node: Node,
    cluster_id: ClusterId,
    held: &BTreeMap<(TopicId, PartitionId), ShardId>,
) -> Plan<()> {
    let mut commands = Vec::new();
    if !image.is_founded() {
        let features = [(METADATA_VERSION.to_string(), METADATA_LEVEL)].into();
        commands.push(Command::FoundCluster { cluster_id, features });
    }
    commands.extend(ouzel_controller::plan_register_node(image, id, node, held));
    Plan { commands, outcome: () }
}

/// Opens a shard's storage. Returns the logs that it holds, but for the controller's.
async fn open(
    rt: &Runtime,
    config: &Config,
    dir: &Path,
    file: &NodeFile,
    process: Arc<Values>,
    inboxes: Vec<Sender<Job>>,
) -> Result<(Rc<Shard>, Vec<LogId>), StartError> {
    let id = rt.shard();
    let share = config.memory / u64::from(config.cores);
    let (journal_file_bytes, journal_files) = config.journal();
    let storage = StoreConfig {
        layout: file.layout,
        journal_file_bytes,
        journal_files,
        journal_depth: config.journal_depth,
        storage_min_free: config.storage_min_free,
        // The defaults of topic settings flush.bytes and flush.ms: the journal is synced for all topics of a core at once.
        flush_bytes: 256 << 10,
        flush_ms: 100,
        // Append chunks 15 % of the shard's memory, cache of cold reads 10 %.
        chunk_bytes_max: share / 100 * 15,
        block_cache_bytes_max: share / 100 * 10,
        ..StoreConfig::new(dir.to_path_buf(), id, file.uuid())
    };
    let (store, recovered) = Store::open(rt, storage).await.map_err(|error| match error {
        OpenError::Stopped => StartError::Stopped,
        error => StartError::Storage { shard: id, reason: error.to_string() },
    })?;
    let recovered: BTreeMap<_, _> =
        recovered.into_iter().map(|r| (r.id, r.log)).filter(|(id, _)| *id != CONTROLLER_LOG).collect();
    let held = recovered.keys().copied().collect();
    let options = ShardOptions { node: config.node, process, dir: dir.to_path_buf(), store, inboxes };
    let shard = Shard::new(rt.clone(), options, recovered);
    if id != ShardId(0) {
        shard.start();
    }
    Ok((shard, held))
}

/// What this process was told, for DescribeConfigs: the settings given to it, and how it runs.
fn process_values(config: &Config, dir: &Path, addrs: &[SocketAddr], advertised: &(String, u16)) -> Values {
    let mut values = Values::clone(&config.settings);
    let listeners: Vec<String> = addrs.iter().map(|a| format!("PLAINTEXT://{a}")).collect();
    values.insert("node.id".into(), config.node.0.to_string());
    values.insert("listeners".into(), listeners.join(","));
    values.insert("advertised.listeners".into(), format!("PLAINTEXT://{}:{}", advertised.0, advertised.1));
    if let Some(admin) = config.admin {
        values.insert("admin.listeners".into(), admin.to_string());
    }
    values.insert("log.dirs".into(), dir.display().to_string());
    values.insert("node.cores".into(), config.cores.to_string());
    values.insert("node.memory.bytes".into(), config.memory.to_string());
    values
}

/// Binds all listeners on shard 0; those that may move go on to the next free port together.
async fn bind(rt: &Runtime, config: &Config) -> Result<(Vec<Listening>, Vec<SocketAddr>, Option<u16>), StartError> {
    let wanted = config.kafka.first().map_or(0, SocketAddr::port);
    let mut port = wanted;
    loop {
        // A port on which somebody answers isn't shared with them, although SO_REUSEPORT would allow it.
        let mut addrs: Vec<SocketAddr> = config
            .kafka
            .iter()
            .map(|a| SocketAddr::new(a.ip(), if a.port() == wanted { port } else { a.port() }))
            .collect();
        let mut taken = None;
        for addr in addrs.iter().filter(|a| a.port() != 0) {
            if rt.net().connect(*addr).await.is_ok() {
                taken = Some(*addr);
            }
        }
        let bound = match taken {
            Some(addr) => Err((addr, std::io::Error::from(std::io::ErrorKind::AddrInUse))),
            None => bind_all(rt, &mut addrs),
        };
        match bound {
            Ok(listening) => return Ok((listening, addrs, (port != wanted).then_some(wanted))),
            Err((_, error))
                if config.kafka_may_move
                    && error.kind() == std::io::ErrorKind::AddrInUse
                    && port < wanted + PORTS_TRIED =>
            {
                port += 1;
            }
            Err((addr, source)) => return Err(StartError::Listen { addr, source }),
        }
    }
}

fn bind_all(rt: &Runtime, addrs: &mut [SocketAddr]) -> Result<Vec<Listening>, (SocketAddr, std::io::Error)> {
    let mut all = Vec::with_capacity(addrs.len());
    for addr in addrs {
        match Listening::bind(rt, *addr) {
            Ok(listening) => {
                if let Ok(bound) = listening.local_addr() {
                    *addr = bound;
                }
                all.push(listening);
            }
            // A machine without IPv6 does without that listener.
            Err(error) if addr.is_ipv6() && error.kind() == std::io::ErrorKind::AddrNotAvailable => {
                warn!(%addr, "no IPv6 here: listening on IPv4 only");
            }
            Err(error) => return Err((*addr, error)),
        }
    }
    Ok(all)
}

fn listen(rt: &Runtime, addrs: &[SocketAddr]) -> Result<Vec<Listening>, StartError> {
    bind_all(rt, &mut addrs.to_vec()).map_err(|(addr, source)| StartError::Listen { addr, source })
}

fn advertised(config: &Config, addrs: &[SocketAddr]) -> (String, u16) {
    let first = addrs.first().copied();
    let port = first.map_or(0, |a| a.port());
    match &config.advertised {
        Some((host, own)) => (host.clone(), own.unwrap_or(port)),
        None => (first.map_or_else(String::new, |a| a.ip().to_string()), port),
    }
}

fn serve(shard: &Shard, kafka: &Rc<Kafka>, listening: Vec<Listening>) {
    for one in listening {
        shard.own(Class::Serve, kafka.clone().serve(one));
    }
    shard.own(Class::Background, kafka.clone().sweep());
}

/// Waits until all connections have been answered and closed, for so long at most.
async fn drain(rt: &Runtime, kafka: &Rc<Kafka>, shard: &Rc<Shard>, wait: Duration) {
    // Members whose joins are held are told at once to look elsewhere.
    for coordinator in shard.all_coordinators() {
        coordinator.resign();
    }
    // A fifth of the time is for what comes behind: syncs, and the end of tasks.
    let deadline = rt.now() + wait / 5 * 4;
    while kafka.connections() > 0 && rt.now() < deadline {
        rt.sleep(Duration::from_millis(5)).await;
    }
    if kafka.connections() > 0 {
        warn!(connections = kafka.connections(), "connections are cut: the time to stop is over");
        kafka.cut();
        // One may wait for a disk that hangs, and so does the stop then.
        while kafka.connections() > 0 {
            rt.sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn close(shard: &Rc<Shard>) {
    for partition in shard.all_partitions() {
        partition.close();
    }
    for coordinator in shard.all_coordinators() {
        coordinator.close();
    }
    shard.store().close().await;
    shard.end_tasks().await;
}
