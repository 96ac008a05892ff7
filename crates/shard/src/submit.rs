//! The hop to another core: work goes to where the data is, its result comes back.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use ouzel_model::ShardId;
use ouzel_runtime::Class;
use ouzel_runtime::mailbox::{self, Receiver, Reply};
use ouzel_runtime::sync::Gone;

use crate::Shard;

/// Messages taken from the inbox in one turn.
const TURN_MAX: usize = 256;

type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// A message between shards: called on the target in the order of sending; what it returns runs there as a task.
pub type Job = Box<dyn FnOnce(&Rc<Shard>) -> LocalFuture<()> + Send>;

/// Work under way, here or on another shard. `Gone` when that shard has stopped.
pub enum Submitted<T> {
    /// On this shard.
    Here(LocalFuture<T>),
    /// On another one.
    There(Reply<T>),
    /// The other one has stopped.
    Gone,
}

impl<T: Send> Future for Submitted<T> {
    type Output = Result<T, Gone>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Submitted::Here(work) => work.as_mut().poll(cx).map(Ok),
            Submitted::There(reply) => Pin::new(reply).poll(cx),
            Submitted::Gone => Poll::Ready(Err(Gone)),
        }
    }
}

/// Work under way on several shards; see [`Shard::scatter`].
pub struct Scattered<T> {
    len: usize,
    running: Vec<(Vec<usize>, Submitted<Vec<T>>)>,
}

impl<T: Send> Scattered<T> {
    /// The results in the order of the items; `None` where the shard has stopped.
    pub async fn gather(self) -> Vec<Option<T>> {
        let mut results: Vec<Option<T>> = Vec::with_capacity(self.len);
        results.resize_with(self.len, || None);
        for (places, submitted) in self.running {
            if let Ok(part) = submitted.await {
                assert!(part.len() == places.len(), "one result for each item");
                for (place, result) in places.into_iter().zip(part) {
                    results[place] = Some(result);
                }
            }
        }
        results
    }

    /// Waits for the first shard to be done and drops the rest.
    pub async fn first(mut self) {
        std::future::poll_fn(|cx| {
            let done = self.running.iter_mut().any(|(_, submitted)| Pin::new(submitted).poll(cx).is_ready());
            if done || self.running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await
    }
}

impl Shard {
    /// Gives `work` to shard `to`: called there in the order of the submissions, what it returns runs as a task, to its end although
    /// whoever asked may be gone. The await ends when the work is in that shard's inbox (it waits while that is full); the result is
    /// awaited on what it returns.
    pub async fn submit<T, F>(
        self: &Rc<Self>,
        to: ShardId,
        work: impl FnOnce(&Rc<Shard>) -> F + Send + 'static,
    ) -> Submitted<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        self.hand_over(to, work, true).await
    }

    /// As [`Shard::submit`]; unless `to_its_end`, what runs is dropped when nobody waits for its result any more, as it would be here.
    async fn hand_over<T, F>(
        self: &Rc<Self>,
        to: ShardId,
        work: impl FnOnce(&Rc<Shard>) -> F + Send + 'static,
        to_its_end: bool,
    ) -> Submitted<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + 'static,
    {
        if to == self.id() {
            return Submitted::Here(Box::pin(work(self)));
        }
        let (mut answer, reply) = mailbox::reply::<T>();
        let job: Job = Box::new(move |shard| {
            let running = work(shard);
            Box::pin(async move {
                if to_its_end {
                    return answer.send(running.await);
                }
                let result = ouzel_runtime::select! {
                    result = running => Some(result),
                    () = answer.closed() => None,
                };
                if let Some(result) = result {
                    answer.send(result);
                }
            })
        });
        match self.inbox_of(to).send(job).await {
            Ok(()) => Submitted::There(reply),
            Err(Gone) => Submitted::Gone,
        }
    }

    /// Sends each item to its shard, all of one shard in one message: `work` is called there in the order of the submissions. Returns
    /// when all messages are under way; [`Scattered::gather`] waits for the results. What still runs is dropped with the [`Scattered`].
    pub async fn scatter<I, T, F>(
        self: &Rc<Self>,
        items: Vec<(ShardId, I)>,
        work: fn(&Rc<Shard>, Vec<I>) -> F,
    ) -> Scattered<T>
    where
        I: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Vec<T>> + 'static,
    {
        let mut parts: BTreeMap<ShardId, (Vec<usize>, Vec<I>)> = BTreeMap::new();
        let len = items.len();
        for (place, (shard, item)) in items.into_iter().enumerate() {
            let (places, items) = parts.entry(shard).or_default();
            places.push(place);
            items.push(item);
        }
        let mut running = Vec::with_capacity(parts.len());
        for (shard, (places, items)) in parts {
            running.push((places, self.hand_over(shard, move |shard| work(shard, items), false).await));
        }
        Scattered { len, running }
    }

    /// Takes work from the inbox until the shard stops.
    pub async fn serve_inbox(self: Rc<Self>, mut inbox: Receiver<Job>) {
        let mut jobs = Vec::with_capacity(TURN_MAX);
        while inbox.recv_many(&mut jobs, TURN_MAX).await > 0 {
            for job in jobs.drain(..) {
                let running = job(&self);
                self.runtime().spawn(Class::Serve, running);
            }
        }
    }
}
