//! Synchronisation between tasks of one shard: `!Send`, fair, first in first out. A wake only queues the task, so nothing
//! of another task runs inside a call of this module, and the order of wakes depends on the order of waiting alone.

pub mod channel;
pub mod latch;
pub mod notify;
pub mod oneshot;
pub mod semaphore;
mod waiters;
pub mod watch;

pub use channel::{Receiver, Sender, channel};
pub use latch::Latch;
pub use notify::Notify;
pub use oneshot::oneshot;
pub use semaphore::{Permit, Semaphore};
pub use watch::watch;

/// The other end is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other end is gone")]
pub struct Gone;

/// Why a value could not be queued now; it comes back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrySendError<T> {
    /// The queue is at its bound: retry later.
    #[error("the queue is full")]
    Full(T),
    /// The receiver is gone.
    #[error("the receiver is gone")]
    Gone(T),
}
