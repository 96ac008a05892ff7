//! A running broker, for the command line, tests and applications.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ouzel_gateway::{Admin, AdminOptions};
use ouzel_runtime::system::{self, Shards, SystemOptions};

use crate::config::{Config, DataDir};
use crate::run::{self, Ready, Seat, StartError};

/// A broker in this process. Dropping it stops it without waiting; see [`Broker::stop`].
pub struct Broker {
    shards: Option<Shards>,
    /// Held: it answers until the shards have ended.
    _admin: Option<Admin>,
    ready: Ready,
    dir: PathBuf,
    temporary: Option<Temporary>,
}

/// Why a broker doesn't run.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// It doesn't come up.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Its threads can't be started.
    #[error("can't start the shards: {0}")]
    Threads(#[from] std::io::Error),
    /// It ended: a failed write, a broken invariant.
    #[error("the broker ended: {0}")]
    Failed(String),
}

impl Broker {
    /// Starts a broker; resolves when it serves. Needs no particular async runtime.
    pub async fn start(mut config: Config) -> Result<Broker, BrokerError> {
        let wanted = config.admin;
        let admin = admin(&mut config)?;
        let temporary = match &config.data {
            DataDir::At(_) => None,
            DataDir::Temporary => Some(Temporary::new()?),
        };
        let dir = match (&config.data, &temporary) {
            (DataDir::At(dir), _) => dir.clone(),
            (DataDir::Temporary, Some(temporary)) => temporary.0.clone(),
            (DataDir::Temporary, None) => unreachable!("just made"),
        };
        let (seats, ready) = run::seats(config.cores);
        let seats: Vec<Mutex<Option<Seat>>> = seats.into_iter().map(|s| Mutex::new(Some(s))).collect();
        let options = SystemOptions {
            cores: config.cores,
            disk: config.disk,
            disk_dir: Some(dir.clone()),
            pin: config.pin,
            seed: None,
        };
        let (config, data) = (Arc::new(config), dir.clone());
        let shards = system::start(options, move |rt| {
            let seat = &seats[usize::from(rt.shard().0)];
            let seat = seat.lock().unwrap_or_else(PoisonError::into_inner).take();
            let (config, dir) = (config.clone(), data.clone());
            Box::pin(async move {
                if let Some(seat) = seat {
                    seat.run(rt, config, dir).await;
                }
            })
        })?;
        match ready.await {
            Ok(Ok(mut ready)) => {
                if let (Some(admin), Some(wanted)) = (&admin, wanted) {
                    admin.ready(ready.inboxes.0.clone());
                    ready.admin = Some(admin.addr());
                    ready.admin_taken = Some(wanted.port()).filter(|port| *port != 0 && *port != admin.addr().port());
                }
                Ok(Broker { shards: Some(shards), _admin: admin, ready, dir, temporary })
            }
            Ok(Err(error)) => {
                // The data directory is free again on return.
                shards.stop();
                let _ = shards.join();
                Err(error.into())
            }
            Err(_) => {
                let reason = shards.join().err().unwrap_or_else(|| "a shard ended early".into());
                Err(BrokerError::Failed(reason))
            }
        }
    }

    /// What it said when it came up.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The first Kafka listener.
    pub fn kafka_addr(&self) -> SocketAddr {
        self.ready.kafka[0]
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        &self.dir
    }

    /// A handle that stops it from another thread.
    pub fn stopper(&self) -> Option<system::Stopper> {
        self.shards.as_ref().map(Shards::stopper)
    }

    /// Stops it in an orderly way: produce requests under way are answered, connections closed, data synced. Blocks the thread until
    /// all shards have ended, at most about ten seconds.
    pub async fn stop(mut self) -> Result<(), BrokerError> {
        let Some(shards) = self.shards.take() else { return Ok(()) };
        shards.stop();
        shards.join().map_err(BrokerError::Failed)
    }

    /// Waits until it ends by itself or by a [`stopper`](Broker::stopper). Blocks the thread.
    pub fn wait(mut self) -> Result<(), BrokerError> {
        let Some(shards) = self.shards.take() else { return Ok(()) };
        let ended = shards.join().map_err(BrokerError::Failed);
        drop(self.temporary.take());
        ended
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(shards) = self.shards.take() {
            shards.stop();
            let _ = shards.join();
        }
    }
}

/// Opens the admin door, if there is to be one, and notes where it is: before anything else, so that its port is known and probes
/// hear that the broker is booting.
fn admin(config: &mut Config) -> Result<Option<Admin>, StartError> {
    let Some(addr) = config.admin else { return Ok(None) };
    let partition_detail = config.settings.get("metrics.partition_detail").is_none_or(|value| value == "true");
    let options = AdminOptions { addr, may_move: config.admin_may_move, partition_detail };
    let admin = Admin::start(options).map_err(|source| StartError::Listen { addr, source })?;
    config.admin = Some(admin.addr());
    Ok(Some(admin))
}

/// A directory that goes when the broker does.
struct Temporary(PathBuf);

impl Temporary {
    // Made before there is a runtime, removed after it.
    #[allow(clippy::disallowed_methods)]
    fn new() -> std::io::Result<Temporary> {
        let base = std::env::temp_dir();
        for number in 0..1_000u32 {
            let dir = base.join(format!("ouzel-{}-{number}", std::process::id()));
            match std::fs::create_dir(&dir) {
                Ok(()) => return Ok(Temporary(dir)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(std::io::Error::other("no free name for a temporary directory"))
    }
}

impl Drop for Temporary {
    #[allow(clippy::disallowed_methods)]
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
