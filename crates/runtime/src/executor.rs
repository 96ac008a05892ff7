//! The system's executor: one per shard thread, run as the root future of a tokio current-thread runtime, which adds only
//! epoll and timers.
//!
//! A **turn** polls ready tasks for at most [`TURN_POLLS`] polls or [`TURN_TIME`], the class that has had the least CPU time
//! for its share first, then hands the core to the reactor once. A wake on the shard's own thread pushes to its queues; a
//! wake from elsewhere goes by a locked list and unparks the thread.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use slab::Slab;

use crate::clock::{Instant, system_now};
use crate::metrics::Histogram;
use crate::task::{Class, Task, TaskCell};

/// Polls per turn; the reactor must come to its right between them.
const TURN_POLLS: usize = 64;
/// CPU time per turn: the longest slice between two looks at the sockets (a single poll may overrun it).
const TURN_TIME: Duration = Duration::from_micros(500);
/// A poll as long as this kept everybody else on its core waiting.
const STALL: Duration = Duration::from_millis(5);
/// How much CPU time a class that was idle may claim back at once, over its share.
const CREDIT_NANOS: u64 = 1_000_000;

std::thread_local! {
    // The one ambient value of this crate: a wake must find out whether it happens on its executor's own thread.
    static HERE: RefCell<Option<Rc<Executor>>> = const { RefCell::new(None) };
}

/// A place in the task table; `id` tells a task from an earlier one in the same slot.
#[derive(Clone, Copy)]
struct TaskRef {
    slot: usize,
    id: u64,
    class: Class,
}

/// What other threads may touch.
pub(crate) struct Remote {
    woken: Mutex<Woken>,
}

#[derive(Default)]
struct Woken {
    tasks: Vec<TaskRef>,
    root: Option<Waker>,
}

impl Remote {
    pub(crate) fn new() -> Arc<Remote> {
        Arc::new(Remote { woken: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Woken> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the executor take a turn.
    pub(crate) fn unpark(&self) {
        let root = self.lock().root.clone();
        if let Some(root) = root {
            root.wake();
        }
    }

    fn push(&self, task: TaskRef) {
        let root = {
            let mut woken = self.lock();
            woken.tasks.push(task);
            // The first one unparks; until the executor has taken the list, the others ride along.
            if woken.tasks.len() == 1 { woken.root.clone() } else { None }
        };
        if let Some(root) = root {
            root.wake();
        }
    }
}

struct TaskWaker {
    task: TaskRef,
    queued: AtomicBool,
    remote: Arc<Remote>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let local = HERE.try_with(|here| match &*here.borrow() {
            Some(executor) if Arc::ptr_eq(&executor.remote, &self.remote) => {
                executor.push(self.task);
                true
            }
            _ => false,
        });
        if !local.unwrap_or(false) {
            self.remote.push(self.task);
        }
    }
}

struct Entry {
    id: u64,
    cell: Rc<TaskCell>,
    waker: Arc<TaskWaker>,
}

#[derive(Default)]
struct ClassQueue {
    ready: VecDeque<TaskRef>,
    /// CPU nanoseconds used, divided by the class's share.
    virtual_nanos: u64,
    busy_nanos: u64,
}

/// One shard's tasks and queues.
pub(crate) struct Executor {
    remote: Arc<Remote>,
    tasks: RefCell<Slab<Entry>>,
    queues: RefCell<[ClassQueue; 4]>,
    next_id: Cell<u64>,
    /// The root future's waker, while the executor is not in a turn and has not been woken.
    parked: RefCell<Option<Waker>>,
    halted: Cell<bool>,
    /// Virtual time of the class that ran last; never goes back. A class that wakes starts from here.
    floor: Cell<u64>,
    /// Emptied by each turn; kept for its capacity.
    taken: RefCell<Vec<TaskRef>>,
    /// Where polls of [`STALL`] and more are counted.
    stalls: Histogram,
}

impl Executor {
    pub(crate) fn new(remote: Arc<Remote>, stalls: Histogram) -> Rc<Executor> {
        Rc::new(Executor {
            remote,
            tasks: RefCell::default(),
            queues: RefCell::default(),
            next_id: Cell::new(0),
            parked: RefCell::default(),
            halted: Cell::new(false),
            floor: Cell::new(0),
            taken: RefCell::default(),
            stalls,
        })
    }

    /// Makes this the executor of the current thread until the guard is dropped.
    pub(crate) fn enter(self: &Rc<Self>) -> Entered {
        let before = HERE.with(|here| here.borrow_mut().replace(self.clone()));
        assert!(before.is_none(), "a shard already runs on this thread");
        Entered
    }

    pub(crate) fn spawn(&self, class: Class, future: impl Future<Output = ()> + 'static) -> Task {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let mut tasks = self.tasks.borrow_mut();
        let vacant = tasks.vacant_entry();
        let task = TaskRef { slot: vacant.key(), id, class };
        let waker = Arc::new(TaskWaker { task, queued: AtomicBool::new(true), remote: self.remote.clone() });
        let cell = TaskCell::new(class, future, Waker::from(waker.clone()));
        vacant.insert(Entry { id, cell: cell.clone(), waker });
        drop(tasks);
        self.push(task);
        Task { cell }
    }

    /// CPU time that tasks of the class have used.
    pub(crate) fn busy(&self, class: Class) -> Duration {
        Duration::from_nanos(self.queues.borrow()[class as usize].busy_nanos)
    }

    fn push(&self, task: TaskRef) {
        let mut queues = self.queues.borrow_mut();
        let queue = &mut queues[task.class as usize];
        if queue.ready.is_empty() {
            // A class that slept must not claim back all the time that it did not want.
            let start = self.floor.get().saturating_sub(CREDIT_NANOS / task.class.share());
            queue.virtual_nanos = queue.virtual_nanos.max(start);
        }
        queue.ready.push_back(task);
        drop(queues);
        let parked = self.parked.borrow_mut().take();
        if let Some(root) = parked {
            root.wake();
        }
    }

    /// The next task: first of the class that is furthest behind its share, the more urgent one at a tie.
    fn pop(&self) -> Option<TaskRef> {
        let mut queues = self.queues.borrow_mut();
        let behind = queues.iter_mut().filter(|q| !q.ready.is_empty()).min_by_key(|q| q.virtual_nanos)?;
        self.floor.set(self.floor.get().max(behind.virtual_nanos));
        behind.ready.pop_front()
    }

    /// Begins a turn: takes over what other threads woke. From here on a wake by another thread wakes the task of `cx`.
    pub(crate) fn begin(&self, cx: &mut Context<'_>) {
        // This thread's wakes need not wake the root until the turn's end.
        self.parked.borrow_mut().take();
        let mut taken = self.taken.borrow_mut();
        {
            let mut woken = self.remote.lock();
            if !woken.root.as_ref().is_some_and(|root| root.will_wake(cx.waker())) {
                woken.root = Some(cx.waker().clone());
            }
            std::mem::swap(&mut woken.tasks, &mut taken);
        }
        taken.drain(..).for_each(|task| self.push(task));
    }

    /// Runs ready tasks within the turn's bounds. The error is the message of a panic in a task.
    pub(crate) fn run(&self) -> Result<(), String> {
        let start = system_now();
        let mut now = start;
        for _ in 0..TURN_POLLS {
            if self.halted.get() || now - start >= TURN_TIME {
                break;
            }
            let Some(task) = self.pop() else { break };
            self.poll(task)?;
            let end = system_now();
            self.charge(task.class, now, end);
            now = end;
        }
        Ok(())
    }

    /// Ends a turn: asks for the next one at once if tasks are ready, else at the next wake.
    pub(crate) fn end(&self, cx: &mut Context<'_>) {
        if self.queues.borrow().iter().any(|q| !q.ready.is_empty()) {
            // The reactor polls without waiting, and the next turn follows.
            cx.waker().wake_by_ref();
        } else {
            *self.parked.borrow_mut() = Some(cx.waker().clone());
        }
    }

    /// Polls no task any more: what failed must not be built upon by those that are ready.
    pub(crate) fn halt(&self) {
        self.halted.set(true);
    }

    fn charge(&self, class: Class, from: Instant, to: Instant) {
        let nanos = (to - from).as_nanos() as u64;
        if to - from >= STALL {
            self.stalls.record(nanos);
        }
        let queue = &mut self.queues.borrow_mut()[class as usize];
        queue.busy_nanos += nanos;
        // At least one, or polls too short for the clock would never count.
        queue.virtual_nanos += (nanos / class.share()).max(1);
    }

    fn poll(&self, task: TaskRef) -> Result<(), String> {
        let cell = {
            let tasks = self.tasks.borrow();
            match tasks.get(task.slot) {
                Some(entry) if entry.id == task.id => {
                    // Cleared before the poll: a wake during the poll queues the task again.
                    entry.waker.queued.store(false, Ordering::Release);
                    entry.cell.clone()
                }
                // It ended after this wake was queued.
                _ => return Ok(()),
            }
        };
        let ended = catch_unwind(AssertUnwindSafe(|| cell.poll()));
        if !matches!(ended, Ok(false)) {
            let entry = self.tasks.borrow_mut().try_remove(task.slot);
            drop(entry);
        }
        ended.map(drop).map_err(|payload| panic_message(&*payload))
    }

    /// Drops all tasks that are left, those spawned by destructors too.
    pub(crate) fn clear(&self) {
        loop {
            let entries: Vec<Entry> = self.tasks.borrow_mut().drain().collect();
            if entries.is_empty() {
                return;
            }
            for entry in entries {
                // A destructor that panics while the shard ends must not keep the other tasks from being dropped.
                let _ = catch_unwind(AssertUnwindSafe(|| entry.cell.discard()));
            }
        }
    }
}

/// The text of a panic's payload.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| s.to_string()).or_else(|| payload.downcast_ref().cloned());
    text.unwrap_or_else(|| "panic without a message".into())
}

/// Takes the executor off the thread when dropped.
pub(crate) struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        HERE.with(|here| here.borrow_mut().take());
    }
}

/// Gives way once: back to the end of its class's queue.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
