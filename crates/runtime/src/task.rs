//! Tasks and their classes. The executors (the system's, the simulator's) hold task cells; users hold [`Task`]s.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// What a task is for. On each core a class gets CPU time by its share while others want it too, all of it otherwise;
/// inside a class tasks run first in, first out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Produce, Raft, coordinators: what a client waits for.
    Serve,
    /// Fetches at the end of a log.
    Tail,
    /// Fetches far behind, recovery of others.
    CatchUp,
    /// Compaction, offload, zeroing.
    Background,
}

impl Class {
    /// All classes, the most urgent first.
    pub const ALL: [Class; 4] = [Class::Serve, Class::Tail, Class::CatchUp, Class::Background];

    /// Share of CPU time against the other classes.
    pub const fn share(self) -> u64 {
        match self {
            Class::Serve => 16,
            Class::Tail => 8,
            Class::CatchUp => 3,
            Class::Background => 1,
        }
    }

    /// The class's name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Serve => "serve",
            Class::Tail => "tail",
            Class::CatchUp => "catch_up",
            Class::Background => "background",
        }
    }
}

type Future_ = Pin<Box<dyn Future<Output = ()>>>;

/// A spawned future and what its executor and its handle need to share.
pub(crate) struct TaskCell {
    pub(crate) class: Class,
    future: RefCell<Option<Future_>>,
    aborted: Cell<bool>,
    ended: Cell<bool>,
    joiner: RefCell<Option<Waker>>,
    /// Queues the task at its executor.
    waker: Waker,
}

impl TaskCell {
    /// `waker` queues the task at its executor.
    pub(crate) fn new(class: Class, future: impl Future<Output = ()> + 'static, waker: Waker) -> Rc<TaskCell> {
        Rc::new(TaskCell {
            class,
            future: RefCell::new(Some(Box::pin(future))),
            aborted: Cell::new(false),
            ended: Cell::new(false),
            joiner: RefCell::new(None),
            waker,
        })
    }

    /// Runs the future once. True when the task has ended, by itself or by an abort; its executor then forgets it.
    /// A panic of the future passes through; the task counts as ended then, too.
    pub(crate) fn poll(&self) -> bool {
        // The future is out of its cell while it runs, so that it may abort itself, and so that a panic drops it.
        let Some(mut future) = self.future.borrow_mut().take() else { return true };
        if !self.aborted.get() {
            let guard = EndOnPanic(self);
            let polled = future.as_mut().poll(&mut Context::from_waker(&self.waker));
            std::mem::forget(guard);
            if polled.is_pending() && !self.aborted.get() {
                *self.future.borrow_mut() = Some(future);
                return false;
            }
        }
        drop(future);
        self.end();
        true
    }

    /// Drops the future without running it: the executor stops.
    pub(crate) fn discard(&self) {
        let future = self.future.borrow_mut().take();
        drop(future);
        self.end();
    }

    fn end(&self) {
        self.ended.set(true);
        let joiner = self.joiner.borrow_mut().take();
        if let Some(waker) = joiner {
            waker.wake();
        }
    }
}

struct EndOnPanic<'a>(&'a TaskCell);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Handle of a spawned task and a future of its end. Dropping it lets the task run on.
pub struct Task {
    pub(crate) cell: Rc<TaskCell>,
}

impl Task {
    /// Asks for the task's end: its future is dropped at the task's next turn, not inside this call.
    /// The handle resolves once that has happened.
    pub fn abort(&self) {
        if !self.cell.ended.get() && !self.cell.aborted.replace(true) {
            self.cell.waker.wake_by_ref();
        }
    }

    /// Whether the task has ended.
    pub fn is_ended(&self) -> bool {
        self.cell.ended.get()
    }
}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.cell.ended.get() {
            return Poll::Ready(());
        }
        *self.cell.joiner.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task({:?}, {})", self.cell.class, if self.is_ended() { "ended" } else { "alive" })
    }
}
