//! The latest value of something, and a wake when it changes.

use std::cell::{Ref, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::Gone;
use super::waiters::Waiters;

struct Shared<T> {
    value: T,
    version: u64,
    sender_gone: bool,
    waiters: Waiters,
}

/// The end that sets the value.
pub struct Sender<T> {
    shared: Rc<RefCell<Shared<T>>>,
}

/// An end that sees the value; clones watch on their own from the version the original had seen.
pub struct Receiver<T> {
    shared: Rc<RefCell<Shared<T>>>,
    seen: u64,
}

/// A watched value; the first value counts as seen.
pub fn watch<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Shared { value, version: 0, sender_gone: false, waiters: Waiters::default() };
    let shared = Rc::new(RefCell::new(shared));
    (Sender { shared: shared.clone() }, Receiver { shared, seen: 0 })
}

impl<T> Sender<T> {
    /// Replaces the value and wakes all that wait.
    pub fn send(&self, value: T) {
        self.modify(|held| *held = value);
    }

    /// Changes the value in place and wakes all that wait.
    pub fn modify(&self, change: impl FnOnce(&mut T)) {
        let waiting = {
            let mut shared = self.shared.borrow_mut();
            change(&mut shared.value);
            shared.version += 1;
            shared.waiters.take_all()
        };
        waiting.for_each(|waker| waker.wake());
    }

    /// The value; not to be held across an await.
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref::map(self.shared.borrow(), |shared| &shared.value)
    }

    /// Another receiver, which has seen the present value.
    pub fn subscribe(&self) -> Receiver<T> {
        let seen = self.shared.borrow().version;
        Receiver { shared: self.shared.clone(), seen }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waiting = {
            let mut shared = self.shared.borrow_mut();
            shared.sender_gone = true;
            shared.waiters.take_all()
        };
        waiting.for_each(|waker| waker.wake());
    }
}

impl<T> Receiver<T> {
    /// The value, without marking it seen; not to be held across an await.
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref::map(self.shared.borrow(), |shared| &shared.value)
    }

    /// The value, marked seen; not to be held across an await.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        self.seen = self.shared.borrow().version;
        self.borrow()
    }

    /// Resolves when the value is newer than the one last seen, and marks it seen; `Gone` when no newer one can come.
    /// Cancel-safe.
    pub async fn changed(&mut self) -> Result<(), Gone> {
        let mut wait = Waiting { shared: &self.shared, ticket: None };
        let version = poll_fn(|cx| {
            let mut shared = wait.shared.borrow_mut();
            if shared.version != self.seen {
                return Poll::Ready(Ok(shared.version));
            }
            if shared.sender_gone {
                return Poll::Ready(Err(Gone));
            }
            shared.waiters.wait(&mut wait.ticket, cx.waker());
            Poll::Pending
        })
        .await?;
        drop(wait);
        self.seen = version;
        Ok(())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver { shared: self.shared.clone(), seen: self.seen }
    }
}

struct Waiting<'a, T> {
    shared: &'a Rc<RefCell<Shared<T>>>,
    ticket: Option<u64>,
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.borrow_mut().waiters.remove(ticket);
        }
    }
}
