//! Waiting tasks in the order they came.

use std::collections::BTreeMap;
use std::task::Waker;

/// A queue of wakers by ticket. A dropped future removes its ticket, so the queue holds live waiters only.
#[derive(Default)]
pub(super) struct Waiters {
    next: u64,
    queue: BTreeMap<u64, Waker>,
}

impl Waiters {
    /// Queues the waker behind all others, or renews it at its place when `ticket` is already held.
    pub(super) fn wait(&mut self, ticket: &mut Option<u64>, waker: &Waker) {
        let ticket = *ticket.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        match self.queue.get_mut(&ticket) {
            Some(held) => held.clone_from(waker),
            None => {
                self.queue.insert(ticket, waker.clone());
            }
        }
    }

    /// Takes a ticket out; false when it was woken before.
    pub(super) fn remove(&mut self, ticket: u64) -> bool {
        self.queue.remove(&ticket).is_some()
    }

    /// Takes out the first waiter, to be woken by the caller; its ticket comes with it.
    pub(super) fn pop(&mut self) -> Option<(u64, Waker)> {
        self.queue.pop_first()
    }

    /// Takes out all waiters in order, to be woken by the caller.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.queue).into_values()
    }
}
