//! The handle.

use std::convert::Infallible;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use ouzel_model::{ShardId, Timestamp};

use crate::buf::BufPool;
use crate::clock::{Instant, Sleep, system_now, system_wall_clock};
use crate::disk::Disk;
use crate::executor;
use crate::map::{Keyed, Map, Set};
use crate::metrics::Registry;
use crate::net::Net;
use crate::rng::Rng;
use crate::sync::Latch;
use crate::system;
use crate::task::{Class, Task};

/// One shard's handle to the world: cheap to clone, never leaves its thread, has no type parameter.
#[derive(Clone)]
pub struct Runtime {
    inner: Rc<Inner>,
}

struct Inner {
    shard: ShardId,
    disk: Disk,
    net: Net,
    buffers: BufPool,
    rng: Rng,
    hash_key: Keyed,
    metrics: Registry,
    stopping: Latch,
    home: Home,
}

/// Where tasks run and time comes from.
pub(crate) enum Home {
    System(system::Home),
    #[cfg(feature = "sim")]
    Sim(crate::sim::Place),
}

impl Runtime {
    /// Used by the homes; `entropy` gives the key of the maps.
    pub(crate) fn new(
        shard: ShardId,
        disk: Disk,
        net: Net,
        rng: Rng,
        hash_key: [u8; 16],
        metrics: Registry,
        home: Home,
    ) -> Runtime {
        Runtime {
            inner: Rc::new(Inner {
                shard,
                disk,
                net,
                buffers: BufPool::default(),
                rng,
                hash_key: Keyed::new(hash_key),
                metrics,
                stopping: Latch::new(),
                home,
            }),
        }
    }

    /// Which core this is.
    pub fn shard(&self) -> ShardId {
        self.inner.shard
    }

    /// The monotonic clock.
    pub fn now(&self) -> Instant {
        match &self.inner.home {
            Home::System(_) => system_now(),
            #[cfg(feature = "sim")]
            Home::Sim(place) => place.now(),
        }
    }

    /// The wall clock: leaders stamp with it; it may jump. Never for deadlines, Raft or leases.
    pub fn wall_clock(&self) -> Timestamp {
        match &self.inner.home {
            Home::System(_) => system_wall_clock(),
            #[cfg(feature = "sim")]
            Home::Sim(place) => place.wall_clock(),
        }
    }

    /// An id of the machine's present boot: unlike after a restart of the machine, equal after one of the process. Random
    /// where the system has none, so that a process restart then counts as a machine's.
    pub fn boot_id(&self) -> [u8; 16] {
        match &self.inner.home {
            Home::System(home) => home.boot_id(),
            #[cfg(feature = "sim")]
            Home::Sim(place) => place.boot_id(),
        }
    }

    /// This shard's stream of pseudo-random numbers.
    pub fn rng(&self) -> Rng {
        self.inner.rng.clone()
    }

    /// Fills the buffer with random bytes fit for ids, nonces and keys.
    pub fn entropy(&self, buf: &mut [u8]) {
        match &self.inner.home {
            Home::System(_) => system::entropy(buf),
            #[cfg(feature = "sim")]
            Home::Sim(place) => place.entropy(buf),
        }
    }

    /// Runs a future on this core. Dropping the handle lets it run on; a panic in it ends the broker.
    pub fn spawn(&self, class: Class, task: impl Future<Output = ()> + 'static) -> Task {
        match &self.inner.home {
            Home::System(home) => home.executor().spawn(class, task),
            #[cfg(feature = "sim")]
            Home::Sim(place) => place.spawn(class, task),
        }
    }

    /// Resolves after `d`, not before.
    pub fn sleep(&self, d: Duration) -> Sleep {
        self.sleep_until(self.now() + d)
    }

    /// Resolves at `at`, not before; at once if it has passed.
    pub fn sleep_until(&self, at: Instant) -> Sleep {
        match &self.inner.home {
            Home::System(_) => Sleep::system(at),
            #[cfg(feature = "sim")]
            Home::Sim(place) => Sleep::sim(place.sleep_until(at)),
        }
    }

    /// Lets the other ready tasks of the class run first. Slices between yields are at most 500 us.
    pub async fn yield_now(&self) {
        executor::yield_once().await;
    }

    /// The disk.
    pub fn disk(&self) -> &Disk {
        &self.inner.disk
    }

    /// The network.
    pub fn net(&self) -> &Net {
        &self.inner.net
    }

    /// This core's I/O buffers.
    pub fn buffers(&self) -> &BufPool {
        &self.inner.buffers
    }

    /// This core's counters, gauges and histograms.
    pub fn metrics(&self) -> &Registry {
        &self.inner.metrics
    }

    /// An empty map with this shard's hash key.
    pub fn map<K, V>(&self) -> Map<K, V> {
        Map::with_hasher(self.inner.hash_key)
    }

    /// An empty set with this shard's hash key.
    pub fn set<T>(&self) -> Set<T> {
        Set::with_hasher(self.inner.hash_key)
    }

    /// The hash key of this shard's maps.
    pub fn hash_key(&self) -> Keyed {
        self.inner.hash_key
    }

    /// CPU time that tasks of the class have used on this core.
    pub fn busy(&self, class: Class) -> Duration {
        match &self.inner.home {
            Home::System(home) => home.executor().busy(class),
            #[cfg(feature = "sim")]
            Home::Sim(place) => place.busy(class),
        }
    }

    /// Ends this broker, all its shards, with the reason: a failed write or sync, a broken promise of the disk. Never resolves.
    /// The first reason is the one that `Shards::join` returns.
    pub async fn fail(&self, reason: String) -> Infallible {
        match &self.inner.home {
            Home::System(home) => home.fail(reason),
            #[cfg(feature = "sim")]
            Home::Sim(place) => place.fail(reason),
        }
        std::future::pending().await
    }

    /// Set when this broker was asked to stop in an orderly way: root futures then end by themselves.
    pub fn stopping(&self) -> &Latch {
        &self.inner.stopping
    }

    /// Asks all shards of this broker to stop in an orderly way.
    pub fn stop(&self) {
        match &self.inner.home {
            Home::System(home) => home.stop(),
            #[cfg(feature = "sim")]
            Home::Sim(place) => place.stop(),
        }
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Runtime(shard {})", self.inner.shard.0)
    }
}
