//! Listeners, and what all connections of a shard share.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ouzel_runtime::metrics::{Counter, Gauge, Histogram, Metric, Registry};
use ouzel_runtime::sync::{Permit, Semaphore};
use ouzel_runtime::{Class, Conn, Instant, Listener, Runtime};
use ouzel_shard::Shard;
use ouzel_wire::ApiKey;
use tracing::{debug, info, warn};

use crate::session::Sessions;
use crate::{conn, dispatch};

/// Connections are looked at for idleness this often, and at least four times in the time that they may be idle.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
const SWEEP_EVERY_MIN: Duration = Duration::from_millis(50);
/// Rest after an accept that failed, which mostly means that the process has no descriptor left.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// Requests under way may hold this much of a shard's memory, KiB.
const REQUEST_KIB_MAX: usize = 256 << 10;
/// Records in answers that their consumers haven't taken yet, KiB of a shard.
const ANSWER_KIB_MAX: usize = 64 << 10;
/// What a fetch may bring although others hold all of that, bytes.
const ANSWER_BYTES_MIN: usize = 64 << 10;

/// How this broker's Kafka door works.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// Where clients are told to connect.
    pub advertised_host: String,
    /// The port beside it.
    pub advertised_port: u16,
    /// This broker's rack.
    pub rack: Option<String>,
    /// How many may be connected; the same for all shards.
    pub limits: Arc<ConnectionLimits>,
    /// A connection without a request for this long is closed. Setting `connections.max.idle.ms`.
    pub idle_max: Duration,
}

/// Who is connected to a broker, on whichever shard, and how many may be.
#[derive(Debug)]
pub struct ConnectionLimits {
    max: usize,
    per_ip_max: usize,
    /// In all, and by address.
    open: Mutex<(usize, BTreeMap<IpAddr, usize>)>,
}

impl ConnectionLimits {
    /// At most `max` connections, and `per_ip_max` of one address. Settings `max.connections` and `max.connections.per.ip`.
    pub fn new(max: usize, per_ip_max: usize) -> ConnectionLimits {
        ConnectionLimits { max, per_ip_max, open: Mutex::default() }
    }

    /// Counts a connection in, or says which setting is against it.
    fn enter(&self, ip: IpAddr) -> Result<(), &'static str> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, by_ip) = &mut *open;
        if *all >= self.max {
            return Err("max.connections");
        }
        if by_ip.get(&ip).copied().unwrap_or_default() >= self.per_ip_max {
            return Err("max.connections.per.ip");
        }
        *by_ip.entry(ip).or_default() += 1;
        *all += 1;
        Ok(())
    }

    fn leave(&self, ip: IpAddr) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, by_ip) = &mut *open;
        *all -= 1;
        match by_ip.get_mut(&ip) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                by_ip.remove(&ip);
            }
        }
    }
}

/// One shard's share of the Kafka door.
pub struct Kafka {
    pub(crate) shard: Rc<Shard>,
    pub(crate) options: KafkaOptions,
    pub(crate) sessions: RefCell<Sessions>,
    /// KiB of requests under way, of all connections.
    pub(crate) memory: Semaphore,
    /// KiB of decoded requests that are over their connections' share.
    pub(crate) dear: Semaphore,
    /// KiB of records in answers that haven't left.
    answers: Semaphore,
    /// Where first bytes are read to; no connection holds a buffer while it is idle.
    pub(crate) scratch: RefCell<Vec<u8>>,
    open: RefCell<BTreeMap<u64, Rc<Open>>>,
    next: Cell<u64>,
    pub(crate) metrics: Metrics,
}

/// A connection as the sweeper sees it.
pub(crate) struct Open {
    pub conn: Conn,
    pub last_request: Cell<Instant>,
    /// Requests read and not yet answered.
    pub under_way: Cell<usize>,
    /// Since when the client hasn't taken the next piece of an answer.
    pub writing: Cell<Option<Instant>>,
}

/// A bound listener that isn't served yet.
pub struct Listening(Listener);

impl Listening {
    /// Binds; several shards may bind one address.
    pub fn bind(rt: &Runtime, addr: SocketAddr) -> io::Result<Listening> {
        rt.net().listen(addr).map(Listening)
    }

    /// Where it listens, with the port the system chose if none was asked for.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

pub(crate) struct Metrics {
    pub connections: Gauge,
    pub connections_total: Counter,
    pub closed_abnormally: Counter,
    pub requests: Counter,
    pub received_bytes: Counter,
    pub sent_bytes: Counter,
    pub produced_bytes: Counter,
    pub fetched_bytes: Counter,
    pub produced_records: Counter,
    pub fetched_records: Counter,
    /// Requests that their connection ended with.
    pub request_errors: Counter,
    produce_latency: Histogram,
    consume_latency: Histogram,
    /// Of the other APIs, each from its first request on.
    handler_latency: RefCell<BTreeMap<i16, Histogram>>,
    registry: Registry,
}

static RPC_ACTIVE_CONNECTIONS: Metric =
    Metric::new("rpc_active_connections", "connections", "Connections that are open.");
static RPC_CONNECTIONS: Metric = Metric::new("rpc_connections_total", "connections", "Connections accepted.");
static RPC_CLOSED_ABNORMALLY: Metric = Metric::new(
    "rpc_connections_closed_abnormally_total",
    "connections",
    "Connections closed for a cause that stands in the log.",
);
static KAFKA_REQUESTS: Metric = Metric::new("kafka_requests_total", "requests", "Kafka requests read.");
static RPC_RECEIVED_BYTES: Metric = Metric::new("rpc_received_bytes", "bytes", "Bytes of Kafka requests.");
static RPC_SENT_BYTES: Metric = Metric::new("rpc_sent_bytes", "bytes", "Bytes of Kafka replies.");
static KAFKA_REQUEST_BYTES: Metric =
    Metric::new("kafka_request_bytes_total", "bytes", "Bytes of record batches, by request.");
static KAFKA_RECORDS_PRODUCED: Metric =
    Metric::new("kafka_records_produced_total", "records", "Records of clients that were appended.");
static KAFKA_RECORDS_FETCHED: Metric =
    Metric::new("kafka_records_fetched_total", "records", "Records of the batches that were sent to clients.");
static KAFKA_REQUEST_LATENCY: Metric = Metric::new(
    "kafka_request_latency_seconds",
    "seconds",
    "Time from a request's last byte to its reply's, by request; a consumer's wait for records is part of it.",
);
static KAFKA_HANDLER_LATENCY: Metric = Metric::new(
    "kafka_handler_latency_seconds",
    "seconds",
    "Time from a request's last byte to its reply's, by API, of APIs other than Produce and Fetch.",
);
static RPC_REQUEST_ERRORS: Metric = Metric::new(
    "rpc_request_errors_total",
    "requests",
    "Requests without a reply that end their connection: malformed, unknown, or failed with acks=0.",
);

impl Metrics {
    fn new(rt: &Runtime) -> Metrics {
        let m = rt.metrics();
        let server = || vec![("ouzel_server", "kafka".to_string())];
        let request = |kind: &str| vec![("ouzel_request", kind.to_string())];
        Metrics {
            connections: m.gauge(&RPC_ACTIVE_CONNECTIONS, server()),
            connections_total: m.counter(&RPC_CONNECTIONS, server()),
            closed_abnormally: m.counter(&RPC_CLOSED_ABNORMALLY, server()),
            requests: m.counter(&KAFKA_REQUESTS, vec![]),
            received_bytes: m.counter(&RPC_RECEIVED_BYTES, server()),
            sent_bytes: m.counter(&RPC_SENT_BYTES, server()),
            produced_bytes: m.counter(&KAFKA_REQUEST_BYTES, request("produce")),
            fetched_bytes: m.counter(&KAFKA_REQUEST_BYTES, request("consume")),
            produced_records: m.counter(&KAFKA_RECORDS_PRODUCED, vec![]),
            fetched_records: m.counter(&KAFKA_RECORDS_FETCHED, vec![]),
            request_errors: m.counter(&RPC_REQUEST_ERRORS, server()),
            produce_latency: m.histogram(&KAFKA_REQUEST_LATENCY, request("produce")),
            consume_latency: m.histogram(&KAFKA_REQUEST_LATENCY, request("consume")),
            handler_latency: RefCell::default(),
            registry: m.clone(),
        }
    }

    /// Where the time of a request is counted; `frame` begins with its API key. `None` for an API there isn't.
    pub fn latency(&self, frame: &[u8]) -> Option<Histogram> {
        let key = i16::from_be_bytes(*frame.first_chunk()?);
        let api = ApiKey::from_i16(key)?;
        Some(match api {
            ApiKey::Produce => self.produce_latency.clone(),
            ApiKey::Fetch => self.consume_latency.clone(),
            _ => {
                let mut handlers = self.handler_latency.borrow_mut();
                let labels = || vec![("ouzel_handler", api.to_string())];
                handlers.entry(key).or_insert_with(|| self.registry.histogram(&KAFKA_HANDLER_LATENCY, labels())).clone()
            }
        })
    }
}

impl Kafka {
    /// The door of this shard.
    pub fn new(shard: Rc<Shard>, options: KafkaOptions) -> Rc<Kafka> {
        Rc::new(Kafka {
            metrics: Metrics::new(shard.runtime()),
            sessions: RefCell::new(Sessions::new(shard.id())),
            memory: Semaphore::new(REQUEST_KIB_MAX),
            dear: Semaphore::new(dispatch::DEAR_KIB_MAX),
            answers: Semaphore::new(ANSWER_KIB_MAX),
            scratch: RefCell::new(vec![0; conn::SCRATCH_BYTES]),
            open: RefCell::default(),
            next: Cell::new(0),
            shard,
            options,
        })
    }

    /// Takes connections until the broker stops.
    pub async fn serve(self: Rc<Self>, listening: Listening) {
        let rt = self.shard.runtime().clone();
        while !rt.stopping().is_set() {
            let accepted = ouzel_runtime::select! {
                _ = rt.stopping().wait() => break,
                accepted = listening.0.accept() => accepted,
            };
            match accepted {
                Ok(conn) => {
                    let ip = conn.peer_addr().ip();
                    if let Err(setting) = self.options.limits.enter(ip) {
                        self.metrics.closed_abnormally.add(1);
                        warn!(peer = %conn.peer_addr(), "connection refused: {setting} is reached");
                        continue;
                    }
                    let number = self.next.get();
                    self.next.set(number + 1);
                    let open = Rc::new(Open {
                        conn,
                        last_request: Cell::new(rt.now()),
                        under_way: Cell::new(0),
                        writing: Cell::new(None),
                    });
                    self.open.borrow_mut().insert(number, open.clone());
                    self.metrics.connections_total.add(1);
                    self.metrics.connections.set(self.open.borrow().len() as i64);
                    let kafka = self.clone();
                    self.shard.own(Class::Serve, async move {
                        conn::serve(&kafka, &open).await;
                        kafka.options.limits.leave(ip);
                        kafka.open.borrow_mut().remove(&number);
                        kafka.metrics.connections.set(kafka.open.borrow().len() as i64);
                    });
                }
                Err(error) => {
                    warn!(%error, "can't accept a connection; trying again");
                    rt.sleep(ACCEPT_REST).await;
                }
            }
        }
    }

    /// Closes idle connections, and those whose client takes no answer, until the broker stops.
    pub async fn sweep(self: Rc<Self>) {
        let rt = self.shard.runtime();
        let idle_max = self.options.idle_max;
        let every = (idle_max / 4).clamp(SWEEP_EVERY_MIN, SWEEP_EVERY);
        while !rt.stopping().is_set() {
            rt.sleep(every).await;
            let now = rt.now();
            let is_over = |since: Instant| now.duration_since(since) > idle_max;
            for open in self.open.borrow().values() {
                if open.writing.get().is_some_and(is_over) {
                    self.metrics.closed_abnormally.add(1);
                    info!(peer = %open.conn.peer_addr(), cause = "an answer isn't taken", "connection closed");
                    open.conn.shutdown();
                } else if open.under_way.get() == 0 && is_over(open.last_request.get()) {
                    debug!(peer = %open.conn.peer_addr(), "idle connection closed");
                    open.conn.shutdown();
                }
            }
        }
    }

    /// Room for the records of one answer, of which `wanted` bytes are asked: a quarter of what is left, so that consumers who don't
    /// take theirs leave some to the others. Returns how many bytes it is; the permit goes with the answer.
    pub(crate) fn answer_room(&self, wanted: usize) -> (usize, Option<Permit>) {
        let bytes = wanted.min((self.answers.available() * 1024 / 4).max(ANSWER_BYTES_MIN));
        (bytes, self.answers.try_acquire(bytes.div_ceil(1024)))
    }

    /// Closes all connections, whatever is under way on them.
    pub fn cut(&self) {
        self.open.borrow().values().for_each(|open| open.conn.shutdown());
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.open.borrow().len()
    }
}
