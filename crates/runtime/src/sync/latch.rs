//! A signal that is set once and stays set.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::waiters::Waiters;

/// A stop signal. Clones are one latch; once set it stays set.
#[derive(Clone, Default)]
pub struct Latch {
    inner: Rc<Inner>,
}

#[derive(Default)]
struct Inner {
    set: Cell<bool>,
    waiters: RefCell<Waiters>,
}

impl Latch {
    /// A latch that is not set.
    pub fn new() -> Latch {
        Latch::default()
    }

    /// Sets the latch and wakes all waiters in order; again has no effect.
    pub fn set(&self) {
        if self.inner.set.replace(true) {
            return;
        }
        let waiting = self.inner.waiters.borrow_mut().take_all();
        waiting.for_each(|waker| waker.wake());
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.inner.set.get()
    }

    /// Resolves when the latch is set, at once if it was. Cancel-safe.
    pub async fn wait(&self) {
        let mut ticket = Ticket { latch: self, held: None };
        poll_fn(|cx| {
            if self.is_set() {
                return Poll::Ready(());
            }
            self.inner.waiters.borrow_mut().wait(&mut ticket.held, cx.waker());
            Poll::Pending
        })
        .await
    }
}

struct Ticket<'a> {
    latch: &'a Latch,
    held: Option<u64>,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.held {
            self.latch.inner.waiters.borrow_mut().remove(ticket);
        }
    }
}
