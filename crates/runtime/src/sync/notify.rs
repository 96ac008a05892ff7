//! Wake-ups without a value.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::waiters::Waiters;

/// Wakes tasks that wait for "something changed". Clones are one.
#[derive(Clone, Default)]
pub struct Notify {
    inner: Rc<Inner>,
}

#[derive(Default)]
struct Inner {
    stored: Cell<bool>,
    waiters: RefCell<Waiters>,
    granted: RefCell<BTreeSet<u64>>,
}

impl Notify {
    /// A notifier with nothing stored.
    pub fn new() -> Notify {
        Notify::default()
    }

    /// Wakes the first waiter; without one the next to wait passes at once (one such wake is stored, not more).
    pub fn notify_one(&self) {
        let first = self.inner.waiters.borrow_mut().pop();
        match first {
            Some((ticket, waker)) => {
                self.inner.granted.borrow_mut().insert(ticket);
                waker.wake();
            }
            None => self.inner.stored.set(true),
        }
    }

    /// Wakes all that wait now, in order, and stores nothing.
    pub fn notify_all(&self) {
        while let Some((ticket, waker)) = { self.inner.waiters.borrow_mut().pop() } {
            self.inner.granted.borrow_mut().insert(ticket);
            waker.wake();
        }
    }

    /// Resolves at the next notification. Its place in the queue is taken at the first poll. Cancel-safe: a wake given to a
    /// dropped future passes on to the next waiter.
    pub async fn notified(&self) {
        let mut wait = Waiting { notify: self, ticket: None };
        poll_fn(|cx| match wait.ticket {
            Some(ticket) if self.inner.granted.borrow_mut().remove(&ticket) => {
                wait.ticket = None;
                Poll::Ready(())
            }
            None if self.inner.stored.replace(false) => Poll::Ready(()),
            _ => {
                self.inner.waiters.borrow_mut().wait(&mut wait.ticket, cx.waker());
                Poll::Pending
            }
        })
        .await
    }
}

struct Waiting<'a> {
    notify: &'a Notify,
    ticket: Option<u64>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        if self.notify.inner.granted.borrow_mut().remove(&ticket) {
            self.notify.notify_one();
        } else {
            self.notify.inner.waiters.borrow_mut().remove(ticket);
        }
    }
}
