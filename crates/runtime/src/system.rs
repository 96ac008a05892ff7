//! The system home: one thread per shard, each with its executor, reactor, ring and pools.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use ouzel_model::ShardId;

use crate::Runtime;
use crate::disk::probe::{self, DiskKind};
use crate::disk::{Disk, Pool, Ring, WatchedRing};
use crate::executor::{Executor, Remote, panic_message};
use crate::metrics::{Metric, Registry};
use crate::net::Net;
use crate::rng::Rng;
use crate::runtime;
use crate::task::{Class, Task};

pub use crate::disk::probe::DiskChoice;

/// Threads for blocking calls, per shard: with the pool as the disk home, and beside a ring.
const POOL_THREADS: usize = 4;
const POOL_THREADS_BESIDE_RING: usize = 2;

static SHARD_STALL: Metric = Metric::new(
    "shard_stall_seconds",
    "seconds",
    "Time for which one task kept all others of its shard waiting; from 5 ms on.",
);

/// How to start shards.
#[derive(Clone, Debug)]
pub struct SystemOptions {
    /// Shards, one thread each, > 0.
    pub cores: u16,
    /// Which disk home.
    pub disk: DiskChoice,
    /// Where to try direct I/O at start; made if absent. Without it nothing is tried.
    pub disk_dir: Option<PathBuf>,
    /// Pin each thread to a core of those this process may use.
    pub pin: bool,
    /// Seed of `Runtime::rng`; each shard's stream depends on it and on the shard. Random without it.
    pub seed: Option<u64>,
}

impl Default for SystemOptions {
    /// One core, not pinned, the disk home by probe.
    fn default() -> SystemOptions {
        SystemOptions { cores: 1, disk: DiskChoice::Auto, disk_dir: None, pin: false, seed: None }
    }
}

/// Cores this process may use, at least 1.
pub fn allowed_cores() -> u16 {
    let cores = core_affinity::get_core_ids().map_or(1, |ids| ids.len());
    u16::try_from(cores).unwrap_or(u16::MAX).max(1)
}

/// What the shards of one broker share: how it ends.
pub(crate) struct Control {
    failed: AtomicBool,
    stopping: AtomicBool,
    reason: Mutex<Option<String>>,
    shards: Vec<Arc<Remote>>,
}

impl Control {
    fn new(cores: u16) -> Arc<Control> {
        Arc::new(Control {
            failed: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            reason: Mutex::new(None),
            shards: (0..cores).map(|_| Remote::new()).collect(),
        })
    }

    fn fail(&self, reason: String) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.failed.store(true, Ordering::Release);
        self.shards.iter().for_each(|shard| shard.unpark());
    }

    fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.shards.iter().for_each(|shard| shard.unpark());
    }

    fn result(&self) -> Result<(), String> {
        match self.reason.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(reason) => Err(reason),
            None => Ok(()),
        }
    }
}

/// The system's part of a [`Runtime`].
pub(crate) struct Home {
    executor: Rc<Executor>,
    control: Arc<Control>,
    boot_id: [u8; 16],
}

impl Home {
    pub(crate) fn executor(&self) -> &Executor {
        &self.executor
    }

    pub(crate) fn boot_id(&self) -> [u8; 16] {
        self.boot_id
    }

    pub(crate) fn fail(&self, reason: String) {
        tracing::error!(%reason, "the broker ends");
        self.executor.halt();
        self.control.fail(reason);
    }

    pub(crate) fn stop(&self) {
        self.control.stop();
    }
}

/// The running shards of one broker.
pub struct Shards {
    threads: Vec<JoinHandle<()>>,
    control: Arc<Control>,
}

/// A handle to stop shards from any thread.
#[derive(Clone)]
pub struct Stopper {
    control: Arc<Control>,
}

impl Shards {
    /// Waits for the end: `Ok` when all root futures ended, else the first reason given to [`Runtime::fail`] or the message
    /// of the first panic.
    pub fn join(self) -> Result<(), String> {
        for thread in self.threads {
            if let Err(payload) = thread.join() {
                self.control.fail(panic_message(&*payload));
            }
        }
        self.control.result()
    }

    /// Asks all shards to stop in an orderly way: sets [`Runtime::stopping`] on each.
    pub fn stop(&self) {
        self.control.stop();
    }

    /// A handle for [`stop`](Self::stop) that can be kept elsewhere.
    pub fn stopper(&self) -> Stopper {
        Stopper { control: self.control.clone() }
    }

    /// Whether all threads have ended, so that [`join`](Self::join) won't wait.
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(|thread| thread.is_finished())
    }
}

impl Stopper {
    /// As [`Shards::stop`].
    pub fn stop(&self) {
        self.control.stop();
    }
}

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shards({})", self.threads.len())
    }
}

/// Starts one thread per shard and builds each shard's root future inside it with `main`. A shard ends with its root future,
/// whose tasks are dropped then; a failure of one ends all. Returns once all shards run, or why one can't.
pub fn start(
    options: SystemOptions,
    main: impl Fn(Runtime) -> Pin<Box<dyn Future<Output = ()>>> + Send + Sync + 'static,
) -> io::Result<Shards> {
    assert!(options.cores > 0, "a broker needs a core");
    let kind = probe::choose(options.disk, options.disk_dir.as_deref())?;
    let control = Control::new(options.cores);
    let main = Arc::new(main);
    let seed = options.seed.unwrap_or_else(random_seed);
    let cores = if options.pin { core_affinity::get_core_ids().unwrap_or_default() } else { Vec::new() };
    let (started, starts) = mpsc::channel();
    let mut shards = Shards { threads: Vec::new(), control: control.clone() };
    for index in 0..options.cores {
        let (control, main, answer) = (control.clone(), main.clone(), started.clone());
        let core = if cores.is_empty() { None } else { Some(cores[usize::from(index) % cores.len()]) };
        let run = move || {
            // Before anything of the shard is built, so that its memory is first touched on its core.
            if let Some(core) = core
                && !core_affinity::set_for_current(core)
            {
                tracing::warn!(core = core.id, "thread can't be pinned");
            }
            match Shard::new(ShardId(index), kind, seed, &control) {
                Ok(shard) => {
                    let _ = answer.send(Ok(()));
                    // `start` waits until every sender is gone, whether it answered or its thread panicked.
                    drop(answer);
                    // Outside of tasks a panic is ours, too, and the other shards must hear of it.
                    let ended = catch_unwind(AssertUnwindSafe(|| shard.run(move |rt| main(rt))));
                    if let Err(payload) = ended {
                        control.fail(panic_message(&*payload));
                    }
                }
                Err(error) => {
                    let _ = answer.send(Err(error));
                }
            }
        };
        match std::thread::Builder::new().name(format!("ouzel-shard-{index}")).spawn(run) {
            Ok(thread) => shards.threads.push(thread),
            Err(error) => {
                let _ = started.send(Err(error));
                break;
            }
        }
    }
    drop(started);
    // Ends when all threads have answered.
    for answer in starts {
        if let Err(error) = answer {
            control.fail(format!("a shard can't start: {error}"));
            let _ = shards.join();
            return Err(error);
        }
    }
    Ok(shards)
}

/// Runs one shard on the calling thread until its root future ends. The error is the reason given to [`Runtime::fail`] or the
/// message of a panic. For tests and tools that have no other shard.
pub fn run_here<F: Future<Output = ()> + 'static>(
    options: SystemOptions,
    main: impl FnOnce(Runtime) -> F + 'static,
) -> Result<(), String> {
    let built = probe::choose(options.disk, options.disk_dir.as_deref()).and_then(|kind| {
        let control = Control::new(1);
        Ok((Shard::new(ShardId(0), kind, options.seed.unwrap_or_else(random_seed), &control)?, control))
    });
    let (shard, control) = built.map_err(|error| format!("the shard can't start: {error}"))?;
    shard.run(main);
    control.result()
}

/// All that one thread owns.
struct Shard {
    reactor: tokio::runtime::Runtime,
    executor: Rc<Executor>,
    ring: Option<Ring>,
    runtime: Runtime,
    control: Arc<Control>,
}

impl Shard {
    fn new(shard: ShardId, kind: DiskKind, seed: u64, control: &Arc<Control>) -> io::Result<Shard> {
        let reactor = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // Name resolution only; tokio's default is 512.
            .max_blocking_threads(2)
            .build()?;
        let metrics = Registry::default();
        let stalls = metrics.histogram(&SHARD_STALL, vec![("shard", shard.0.to_string())]);
        let executor = Executor::new(control.shards[usize::from(shard.0)].clone(), stalls);
        let (disk, ring) = match kind {
            DiskKind::Ring => {
                let ring = Ring::new()?;
                (Disk::on_ring(ring.clone(), Pool::new(POOL_THREADS_BESIDE_RING)), Some(ring))
            }
            DiskKind::Pool => (Disk::on_pool(Pool::new(POOL_THREADS)), None),
        };
        let home = Home { executor: executor.clone(), control: control.clone(), boot_id: boot_id() };
        let rng = Rng::seeded(seed ^ (u64::from(shard.0) << 48));
        let mut hash_key = [0; 16];
        entropy(&mut hash_key);
        let runtime = Runtime::new(shard, disk, Net::tokio(), rng, hash_key, metrics, runtime::Home::System(home));
        Ok(Shard { reactor, executor, ring, runtime, control: control.clone() })
    }

    fn run<F: Future<Output = ()> + 'static>(self, main: impl FnOnce(Runtime) -> F + 'static) {
        let Shard { reactor, executor, ring, runtime, control } = self;
        let entered = executor.enter();
        let root = async {
            let ring = ring.map(WatchedRing::new).transpose()?;
            let rt = runtime.clone();
            // Built inside the root task, so that a panic while building is caught like any other.
            let main_task = runtime.spawn(Class::Serve, async move { main(rt).await });
            poll_fn(|cx| turn(cx, &executor, ring.as_ref(), &control, &runtime, &main_task)).await
        };
        // Our turns are bounded themselves; tokio's own budget would only make sockets look not ready in the middle of one.
        let ended: io::Result<()> = reactor.block_on(tokio::task::unconstrained(root));
        if let Err(error) = ended {
            control.fail(format!("the shard's reactor: {error}"));
        }
        // Tasks hold runtimes and those hold the executor: dropping the tasks breaks the circle. Sockets want the reactor.
        let in_reactor = reactor.enter();
        executor.clear();
        runtime.disk().close();
        drop(runtime);
        drop(in_reactor);
        // Not waiting for a name server that doesn't answer.
        reactor.shutdown_background();
        drop(entered);
    }
}

/// One poll of the root future: what completed, what is ready, what must reach the kernel.
fn turn(
    cx: &mut Context<'_>,
    executor: &Executor,
    ring: Option<&WatchedRing>,
    control: &Control,
    runtime: &Runtime,
    main: &Task,
) -> Poll<io::Result<()>> {
    executor.begin(cx);
    // Read after `begin`: what is set later wakes this task.
    if control.failed.load(Ordering::Acquire) {
        return Poll::Ready(Ok(()));
    }
    if control.stopping.load(Ordering::Acquire) {
        runtime.stopping().set();
    }
    if let Some(ring) = ring {
        ring.reap();
    }
    if let Err(panic) = executor.run() {
        control.fail(panic);
        return Poll::Ready(Ok(()));
    }
    if let Some(ring) = ring {
        ring.flush();
        ring.poll(cx)?;
    }
    executor.end(cx);
    if main.is_ended() { Poll::Ready(Ok(())) } else { Poll::Pending }
}

/// Bytes of the kernel's random generator.
pub(crate) fn entropy(buf: &mut [u8]) {
    let mut filled = 0;
    while filled < buf.len() {
        match rustix::rand::getrandom(&mut buf[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(n) => filled += n,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("the kernel gives no random bytes: {error}"),
        }
    }
}

fn random_seed() -> u64 {
    let mut seed = [0; 8];
    entropy(&mut seed);
    u64::from_le_bytes(seed)
}

/// Linux's boot id, a UUID in text.
fn boot_id() -> [u8; 16] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    match u128::from_str_radix(&digits, 16) {
        Ok(id) if digits.len() == 32 => id.to_be_bytes(),
        _ => {
            let mut id = [0; 16];
            entropy(&mut id);
            id
        }
    }
}
