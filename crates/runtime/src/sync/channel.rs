//! A bounded queue between tasks of one shard.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::{Gone, Semaphore, TrySendError};

struct Queue<T> {
    items: VecDeque<T>,
    senders: usize,
    receiver_gone: bool,
    waker: Option<Waker>,
}

/// The sending end; clones share the bound.
pub struct Sender<T> {
    queue: Rc<RefCell<Queue<T>>>,
    room: Semaphore,
}

/// The receiving end.
pub struct Receiver<T> {
    queue: Rc<RefCell<Queue<T>>>,
    room: Semaphore,
}

/// A queue of at most `bound` items, `bound` > 0.
pub fn channel<T>(bound: usize) -> (Sender<T>, Receiver<T>) {
    assert!(bound > 0, "a channel needs room for one item");
    let queue = Queue { items: VecDeque::new(), senders: 1, receiver_gone: false, waker: None };
    let queue = Rc::new(RefCell::new(queue));
    let room = Semaphore::new(bound);
    (Sender { queue: queue.clone(), room: room.clone() }, Receiver { queue, room })
}

impl<T> Sender<T> {
    /// Queues the item now, or gives it back.
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        if self.queue.borrow().receiver_gone {
            return Err(TrySendError::Gone(item));
        }
        match self.room.try_acquire(1) {
            Some(permit) => {
                permit.forget();
                self.push(item);
                Ok(())
            }
            None => Err(TrySendError::Full(item)),
        }
    }

    /// Queues the item, waiting in line for room. Cancel-safe: a dropped future has not queued it.
    pub async fn send(&self, item: T) -> Result<(), Gone> {
        self.room.acquire(1).await?.forget();
        self.push(item);
        Ok(())
    }

    /// Whether the receiver is gone.
    pub fn is_closed(&self) -> bool {
        self.queue.borrow().receiver_gone
    }

    fn push(&self, item: T) {
        let waker = {
            let mut queue = self.queue.borrow_mut();
            queue.items.push_back(item);
            queue.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.queue.borrow_mut().senders += 1;
        Sender { queue: self.queue.clone(), room: self.room.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waker = {
            let mut queue = self.queue.borrow_mut();
            queue.senders -= 1;
            if queue.senders == 0 { queue.waker.take() } else { None }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Receiver<T> {
    /// The next item if one is there.
    pub fn try_recv(&mut self) -> Option<T> {
        let item = self.queue.borrow_mut().items.pop_front()?;
        self.room.release(1);
        Some(item)
    }

    /// The next item; `None` when the queue is empty and all senders are gone. Cancel-safe.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`recv`](Self::recv), for futures written by hand.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if let Some(item) = self.try_recv() {
            return Poll::Ready(Some(item));
        }
        let mut queue = self.queue.borrow_mut();
        if queue.senders == 0 {
            return Poll::Ready(None);
        }
        queue.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Appends up to `max` items to `into`, waiting for the first; 0 when all senders are gone. Cancel-safe.
    pub async fn recv_many(&mut self, into: &mut Vec<T>, max: usize) -> usize {
        let Some(first) = self.recv().await else { return 0 };
        into.push(first);
        let mut count = 1;
        while count < max
            && let Some(item) = self.try_recv()
        {
            into.push(item);
            count += 1;
        }
        count
    }

    /// Items queued.
    pub fn len(&self) -> usize {
        self.queue.borrow().items.len()
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let items = {
            let mut queue = self.queue.borrow_mut();
            queue.receiver_gone = true;
            std::mem::take(&mut queue.items)
        };
        self.room.close();
        drop(items);
    }
}
