//! A small pool of threads for blocking calls: the disk home where io_uring is denied, and beside the ring for what a ring
//! does badly (open, unlink, allocate, directories). Threads start when first needed.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Op;

type Job = Box<dyn FnOnce() + Send>;

/// How long the end of a shard waits for the operations it has begun. A disk that hangs must not hang the stop.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// Threads end after this long without work, so that an idle broker has none.
const IDLE: Duration = Duration::from_secs(30);

/// One shard's threads; clones are one pool. The last clone waits for the operations begun.
#[derive(Clone)]
pub(crate) struct Pool {
    owner: Rc<Owner>,
}

struct Owner {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    ended: Condvar,
    threads_max: usize,
}

#[derive(Default)]
struct State {
    /// One per operation begun: bounded by the callers, who hold a future or a buffer for each.
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closing: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// At most `threads_max` threads, > 0.
    pub(crate) fn new(threads_max: usize) -> Pool {
        assert!(threads_max > 0, "a pool needs a thread");
        let state = Mutex::default();
        let shared = Shared { state, work: Condvar::new(), ended: Condvar::new(), threads_max };
        Pool { owner: Rc::new(Owner { shared: Arc::new(shared) }) }
    }

    /// Runs the job on a thread of the pool, whether or not somebody waits for its result.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Op<T> {
        let (reply, result) = oneshot::channel();
        self.submit(Box::new(move || {
            let _ = reply.send(job());
        }));
        Op::Remote(result)
    }

    /// Waits for the operations begun, a few seconds at most: the shard ends.
    pub(super) fn close(&self) {
        self.owner.close();
    }

    fn submit(&self, job: Job) {
        let shared = &self.owner.shared;
        let mut state = shared.lock();
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() || state.threads >= shared.threads_max {
            drop(state);
            shared.work.notify_one();
            return;
        }
        let worker = shared.clone();
        let spawned =
            std::thread::Builder::new().name("ouzel-disk".into()).stack_size(256 << 10).spawn(move || work(&worker));
        match spawned {
            Ok(_) => state.threads += 1,
            // The threads there are will come to it; without any there is nobody, which is an end like an OOM.
            Err(error) => assert!(state.threads > 0, "no thread for disk operations: {error}"),
        }
    }
}

fn work(shared: &Shared) {
    let mut state = shared.lock();
    loop {
        if let Some(job) = state.jobs.pop_front() {
            drop(state);
            job();
            state = shared.lock();
            continue;
        }
        if state.closing {
            break;
        }
        state.idle += 1;
        let (woken, waited) = shared.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
        state = woken;
        state.idle -= 1;
        if waited.timed_out() && state.jobs.is_empty() {
            break;
        }
    }
    state.threads -= 1;
    shared.ended.notify_all();
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.close();
    }
}

impl Owner {
    /// No thread waits for jobs any more; waits for those that run and are queued.
    fn close(&self) {
        let mut state = self.shared.lock();
        state.closing = true;
        self.shared.work.notify_all();
        let wait = self.shared.ended.wait_timeout_while(state, CLOSE_WAIT, |state| state.threads > 0);
        let (state, waited) = wait.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            tracing::warn!(threads = state.threads, "disk operations still running at the end of the shard");
        }
    }
}

/// A file whose every operation runs on the pool.
pub(super) struct PoolFile {
    pub(super) fd: Option<Arc<OwnedFd>>,
    pub(super) pool: Pool,
}

impl PoolFile {
    /// Runs a blocking call on the file.
    pub(super) fn run<T: Send + 'static>(&self, call: impl FnOnce(&OwnedFd) -> T + Send + 'static) -> Op<T> {
        let fd = self.fd.clone().expect("an open file has its descriptor");
        self.pool.run(move || call(&fd))
    }
}

impl Drop for PoolFile {
    fn drop(&mut self) {
        // The last close of an unlinked file frees its blocks, which takes milliseconds: not on the shard.
        if let Some(fd) = self.fd.take() {
            let _detached: Op<io::Result<()>> = self.pool.run(move || {
                drop(fd);
                Ok(())
            });
        }
    }
}
