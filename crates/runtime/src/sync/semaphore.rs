//! Counted permits, given in the order they were asked for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::Gone;

/// A fair semaphore: a large request is not overtaken by small ones. Clones are one.
#[derive(Clone)]
pub struct Semaphore {
    state: Rc<RefCell<State>>,
}

struct State {
    free: usize,
    closed: bool,
    next: u64,
    waiting: BTreeMap<u64, Waiter>,
}

struct Waiter {
    want: usize,
    granted: bool,
    waker: Waker,
}

/// Permits held; given back on drop.
pub struct Permit {
    semaphore: Semaphore,
    count: usize,
}

impl Semaphore {
    /// A semaphore with `permits` free.
    pub fn new(permits: usize) -> Semaphore {
        let state = State { free: permits, closed: false, next: 0, waiting: BTreeMap::new() };
        Semaphore { state: Rc::new(RefCell::new(state)) }
    }

    /// Permits that are free now and not promised to a waiter.
    pub fn available(&self) -> usize {
        self.state.borrow().free
    }

    /// Takes `count` permits if they are free and nobody waits.
    pub fn try_acquire(&self, count: usize) -> Option<Permit> {
        let mut state = self.state.borrow_mut();
        if state.closed || state.free < count || state.waiting.values().any(|w| !w.granted) {
            return None;
        }
        state.free -= count;
        Some(Permit { semaphore: self.clone(), count })
    }

    /// Waits for `count` permits in line; `Gone` once the semaphore is closed. Cancel-safe.
    pub async fn acquire(&self, count: usize) -> Result<Permit, Gone> {
        let mut line = Line { semaphore: self, ticket: None, want: count };
        poll_fn(|cx| {
            if let Some(ticket) = line.ticket {
                let mut state = self.state.borrow_mut();
                if let Some(waiter) = state.waiting.get_mut(&ticket)
                    && !waiter.granted
                    && !state.closed
                {
                    state.waiting.get_mut(&ticket).expect("held above").waker.clone_from(cx.waker());
                    return Poll::Pending;
                }
                let granted = state.waiting.remove(&ticket).is_some_and(|w| w.granted);
                line.ticket = None;
                return Poll::Ready(if granted { Ok(self.permit(count)) } else { Err(Gone) });
            }
            if self.state.borrow().closed {
                return Poll::Ready(Err(Gone));
            }
            if let Some(permit) = self.try_acquire(count) {
                return Poll::Ready(Ok(permit));
            }
            let mut state = self.state.borrow_mut();
            state.next += 1;
            let ticket = state.next;
            state.waiting.insert(ticket, Waiter { want: count, granted: false, waker: cx.waker().clone() });
            line.ticket = Some(ticket);
            Poll::Pending
        })
        .await
    }

    /// Adds permits.
    pub fn release(&self, count: usize) {
        self.state.borrow_mut().free += count;
        self.grant();
    }

    /// Ends it: waiters and later callers get `Gone`.
    pub fn close(&self) {
        let wakers: Vec<Waker> = {
            let mut state = self.state.borrow_mut();
            state.closed = true;
            state.waiting.values().map(|w| w.waker.clone()).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    fn permit(&self, count: usize) -> Permit {
        Permit { semaphore: self.clone(), count }
    }

    fn grant(&self) {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        if state.closed {
            return;
        }
        for waiter in state.waiting.values_mut().filter(|w| !w.granted) {
            if waiter.want > state.free {
                break;
            }
            state.free -= waiter.want;
            waiter.granted = true;
            // Only queues the task: no code of the waiter runs under this borrow.
            waiter.waker.wake_by_ref();
        }
    }
}

impl Permit {
    /// Permits in it.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Keeps the permits taken for good; [`Semaphore::release`] may give them back later.
    pub fn forget(mut self) {
        self.count = 0;
    }

    /// Gives back all but `count` permits now.
    pub fn shrink_to(&mut self, count: usize) {
        assert!(count <= self.count, "shrink {} to {count}", self.count);
        let over = self.count - count;
        self.count = count;
        self.semaphore.release(over);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.count > 0 {
            self.semaphore.release(self.count);
        }
    }
}

struct Line<'a> {
    semaphore: &'a Semaphore,
    ticket: Option<u64>,
    want: usize,
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let granted = {
            let mut state = self.semaphore.state.borrow_mut();
            state.waiting.remove(&ticket).is_some_and(|w| w.granted)
        };
        // Also when it was not granted: the one behind it may be smaller.
        self.semaphore.release(if granted { self.want } else { 0 });
    }
}
