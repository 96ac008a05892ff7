//! The admin door: its thread, its routes, and the broker's state as it tells it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ouzel_runtime::mailbox::Sender;
use ouzel_shard::Job;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tracing::{error, info};

use crate::conn::Bounded;
use crate::gather::{self, ask};
use crate::{guard, metrics};

/// Ports tried after a default one that is taken.
const PORTS_TRIED: u16 = 100;
/// Longest wait for the shards' answers. Scrapers give up after 10 s.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(5);
/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How the admin door works.
#[derive(Clone, Copy, Debug)]
pub struct AdminOptions {
    /// Where; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Whether a port that is taken moves to the next free one, of the next 100.
    pub may_move: bool,
    /// Whether partitions and groups have series of their own. Setting `metrics.partition_detail`.
    pub partition_detail: bool,
}

/// The admin door of one broker. Dropping it ends its thread and cuts its connections.
pub struct Admin {
    addr: SocketAddr,
    door: Arc<Door>,
    service: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the handlers share.
struct Door {
    state: Mutex<Broker>,
    started: Instant,
    partition_detail: bool,
    /// Held by the scrape that is under way: shards answer one at a time.
    scraping: tokio::sync::Mutex<()>,
}

/// The broker as far as it has come.
#[derive(Clone)]
enum Broker {
    Booting,
    /// All listeners answer. The shards' inboxes, in order.
    Ready(Arc<[Sender<Job>]>),
    Stopping,
}

impl Admin {
    /// Binds and begins to answer, from a thread of its own.
    pub fn start(options: AdminOptions) -> io::Result<Admin> {
        let listener = bind(options.addr, options.may_move)?;
        let addr = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let door = Arc::new(Door {
            state: Mutex::new(Broker::Booting),
            started: Instant::now(),
            partition_detail: options.partition_detail,
            scraping: tokio::sync::Mutex::new(()),
        });
        let service = Builder::new_current_thread().enable_io().enable_time().max_blocking_threads(1).build()?;
        let handle = service.handle().clone();
        let listener = {
            let _in_service = service.enter();
            Bounded::new(tokio::net::TcpListener::from_std(listener)?)
        };
        let (stop, stopped) = oneshot::channel();
        let router = router(door.clone(), addr.ip().to_canonical().is_loopback());
        let run = move || {
            service.block_on(async move {
                tokio::select! {
                    biased;
                    _ = stopped => {}
                    Err(error) = async { axum::serve(listener, router).await } => error!(%error, "the admin door ended"),
                }
            });
        };
        let thread = std::thread::Builder::new().name("ouzel-service".into()).spawn(run)?;
        info!(%addr, "admin door answers");
        Ok(Admin { addr, door, service: handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The broker serves: `inboxes` are those of its shards, in order. From here on it says `ready`, and `stopping` when shard 0 stops.
    pub fn ready(&self, inboxes: Vec<Sender<Job>>) {
        let Some(first) = inboxes.first().cloned() else { return };
        self.door.set(Broker::Ready(inboxes.into()));
        let door = self.door.clone();
        self.service.spawn(async move {
            // Either way it is the end: the answer comes when the shard stops, and is lost when the shard is.
            let _ = ask(&first, |shard| async move { shard.runtime().stopping().wait().await }).await;
            door.set(Broker::Stopping);
        });
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was logged and harms nobody here.
            let _ = thread.join();
        }
    }
}

impl Door {
    fn set(&self, state: Broker) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn state(&self) -> Broker {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn bind(wanted: SocketAddr, may_move: bool) -> io::Result<TcpListener> {
    let mut addr = wanted;
    loop {
        match TcpListener::bind(addr) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && may_move && wanted.port() != 0 => {
                match addr.port().checked_add(1) {
                    Some(next) if next - wanted.port() <= PORTS_TRIED => addr.set_port(next),
                    _ => return Err(error),
                }
            }
            bound => return bound,
        }
    }
}

fn router(door: Arc<Door>, loopback: bool) -> Router {
    let router = Router::new()
        .route("/v1/status/ready", get(status_ready))
        .route("/metrics", get(scrape))
        .route("/public_metrics", get(scrape))
        .with_state(door);
    if loopback { router.layer(middleware::from_fn(guard::loopback_only)) } else { router }
}

async fn status_ready(State(door): State<Arc<Door>>) -> Response {
    let (code, status) = match door.state() {
        Broker::Ready(_) => (StatusCode::OK, "ready"),
        Broker::Booting => (StatusCode::SERVICE_UNAVAILABLE, "booting"),
        Broker::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
    };
    (code, [(header::CONTENT_TYPE, "application/json")], format!("{{\"status\":\"{status}\"}}")).into_response()
}

async fn scrape(State(door): State<Arc<Door>>) -> Response {
    let inboxes = match door.state() {
        Broker::Ready(inboxes) => inboxes,
        Broker::Booting => return unavailable("the broker is booting"),
        Broker::Stopping => return unavailable("the broker is stopping"),
    };
    let gathered = tokio::time::timeout(ANSWER_WAIT_MAX, async {
        let _turn = door.scraping.lock().await;
        gather::all(&inboxes).await
    });
    match gathered.await {
        Ok(Some(answers)) => {
            let depths: Vec<usize> = inboxes.iter().map(Sender::depth).collect();
            let text = metrics::render(&answers, &depths, door.started.elapsed(), door.partition_detail);
            ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response()
        }
        Ok(None) => unavailable("the broker is stopping"),
        Err(_) => unavailable("a shard didn't answer within 5 s"),
    }
}

fn unavailable(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn start() -> Admin {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        Admin::start(AdminOptions { addr, may_move: false, partition_detail: true }).expect("a free port")
    }

    /// The status code that a request, given by its first line and its headers, is answered with, and the whole answer.
    fn check(admin: &Admin, head: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(admin.addr()).expect("it listens");
        write!(stream, "{head}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
        (code, answer)
    }

    #[test]
    fn before_the_broker_is_ready_it_says_so() {
        let admin = start();
        let (code, answer) = check(&admin, "GET /v1/status/ready HTTP/1.1\r\nHost: localhost");
        assert_eq!(code, 503);
        assert!(answer.ends_with("{\"status\":\"booting\"}"), "{answer}");
        assert_eq!(check(&admin, "GET /metrics HTTP/1.1\r\nHost: localhost").0, 503);
    }

    #[test]
    fn nothing_else_is_there() {
        let admin = start();
        for path in ["/", "/v1", "/v1/status", "/v1/status/ready/", "/metrics/x", "//metrics", "/../metrics"] {
            assert_eq!(check(&admin, &format!("GET {path} HTTP/1.1\r\nHost: localhost")).0, 404, "{path}");
        }
        assert_eq!(check(&admin, "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0").0, 405);
    }

    #[test]
    fn a_page_of_another_name_gets_nothing() {
        let admin = start();
        let get = "GET /v1/status/ready HTTP/1.1\r\nHost: ";
        assert_eq!(check(&admin, &format!("{get}evil.example:{}", admin.addr().port())).0, 403);
        assert_eq!(check(&admin, &format!("{get}localhost\r\nHost: evil.example")).0, 403);
        assert_eq!(check(&admin, &format!("{get}127.0.0.1:{}", admin.addr().port())).0, 503);
        let post = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nOrigin: ";
        assert_eq!(check(&admin, &format!("{post}https://evil.example")).0, 403);
        assert_eq!(check(&admin, &format!("{post}http://localhost:8080")).0, 405);
    }

    #[test]
    fn a_taken_port_moves_only_if_it_may() {
        let first = start();
        let options = |may_move| AdminOptions { addr: first.addr(), may_move, partition_detail: true };
        let refused = Admin::start(options(false)).err().expect("the port is taken");
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        let second = Admin::start(options(true)).expect("one of the next hundred is free");
        assert!(second.addr().port() > first.addr().port());
    }

    #[test]
    fn dropping_it_cuts_connections() {
        let admin = start();
        let mut idle = TcpStream::connect(admin.addr()).expect("it listens");
        drop(admin);
        assert_eq!(idle.read(&mut [0]).unwrap_or(0), 0);
    }
}
