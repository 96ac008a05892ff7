//! Messages between shards: two lanes, so that two full inboxes can't deadlock.
//!
//! Requests go by a bounded [`mailbox`]: the sender waits or gets [`Busy`]. Replies go by [`reply`]: one slot per request,
//! so they are bounded by the requests outstanding and never wait. Ends are `Send`; a hop costs a wake (an eventfd write and
//! a poll return), the queue hardly anything, so put everything bound for one shard into one message.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};

pub use crate::sync::Gone;

/// Why a message was not queued; it comes back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy<M> {
    /// The inbox is at its bound: retry after the next poll, or refuse upwards.
    #[error("the inbox is full")]
    Full(M),
    /// The receiver is gone, for good.
    #[error("the receiver is gone")]
    Gone(M),
}

/// The sending end of a mailbox; any shard or thread.
pub struct Sender<M> {
    inner: mpsc::Sender<M>,
}

/// The receiving end of a mailbox; move it to the shard that owns it.
pub struct Receiver<M> {
    inner: mpsc::Receiver<M>,
}

/// A mailbox of at most `bound` messages, `bound` > 0.
pub fn mailbox<M: Send>(bound: usize) -> (Sender<M>, Receiver<M>) {
    let (tx, rx) = mpsc::channel(bound);
    (Sender { inner: tx }, Receiver { inner: rx })
}

impl<M: Send> Sender<M> {
    /// Queues the message now, or gives it back.
    pub fn try_send(&self, message: M) -> Result<(), Busy<M>> {
        self.inner.try_send(message).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(message) => Busy::Full(message),
            mpsc::error::TrySendError::Closed(message) => Busy::Gone(message),
        })
    }

    /// Queues the message, waiting in line for room. Cancel-safe: a dropped future has not queued it.
    pub async fn send(&self, message: M) -> Result<(), Gone> {
        self.inner.send(message).await.map_err(|_| Gone)
    }

    /// Messages that wait; any moment's count, for metrics.
    pub fn depth(&self) -> usize {
        self.inner.max_capacity() - self.inner.capacity()
    }

    /// Whether the receiver is gone.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
}

impl<M> Clone for Sender<M> {
    fn clone(&self) -> Self {
        Sender { inner: self.inner.clone() }
    }
}

impl<M: Send> Receiver<M> {
    /// The next message; `None` when the mailbox is empty and all senders are gone. Cancel-safe.
    pub async fn recv(&mut self) -> Option<M> {
        self.inner.recv().await
    }

    /// The next message if one is there.
    pub fn try_recv(&mut self) -> Option<M> {
        self.inner.try_recv().ok()
    }

    /// Appends up to `max` messages to `into`, waiting for the first; 0 when all senders are gone. Cancel-safe.
    pub async fn recv_many(&mut self, into: &mut Vec<M>, max: usize) -> usize {
        self.inner.recv_many(into, max).await
    }

    /// As [`recv`](Self::recv), for futures written by hand.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<M>> {
        self.inner.poll_recv(cx)
    }
}

/// The end that answers one request; dropping it unanswered tells the asker [`Gone`].
pub struct ReplyTo<T> {
    inner: oneshot::Sender<T>,
}

/// A future of one answer.
pub struct Reply<T> {
    inner: oneshot::Receiver<T>,
}

/// The reply lane of one request.
pub fn reply<T: Send>() -> (ReplyTo<T>, Reply<T>) {
    let (tx, rx) = oneshot::channel();
    (ReplyTo { inner: tx }, Reply { inner: rx })
}

impl<T: Send> ReplyTo<T> {
    /// Answers; never waits. An asker that went away is no error: the answer is dropped.
    pub fn send(self, answer: T) {
        let _ = self.inner.send(answer);
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Resolves when nobody waits for the answer any more. Cancel-safe.
    pub async fn closed(&mut self) {
        self.inner.closed().await;
    }
}

impl<T> Future for Reply<T> {
    type Output = Result<T, Gone>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.inner).poll(cx).map(|answer| answer.map_err(|_| Gone))
    }
}
