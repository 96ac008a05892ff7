//! Synchronisation within a shard: fairness, cancellation, ends that go away.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ouzel_runtime::sync::{Gone, Latch, Notify, Semaphore, TrySendError, channel, oneshot, watch};

/// Counts wakes; nothing here needs an executor.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll<F: Future + Unpin>(future: &mut F, wakes: &Arc<Wakes>) -> Poll<F::Output> {
    let waker = Waker::from(wakes.clone());
    std::pin::Pin::new(future).poll(&mut Context::from_waker(&waker))
}

macro_rules! boxed {
    ($future:expr) => {
        Box::pin($future)
    };
}

#[test]
fn a_latch_wakes_all_and_stays_set() {
    let (latch, wakes) = (Latch::new(), Arc::new(Wakes::default()));
    let (mut a, mut b) = (boxed!(latch.wait()), boxed!(latch.wait()));
    assert!(poll(&mut a, &wakes).is_pending() && poll(&mut b, &wakes).is_pending());
    latch.set();
    latch.set();
    assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
    assert!(poll(&mut a, &wakes).is_ready() && poll(&mut b, &wakes).is_ready());
    assert!(latch.is_set() && poll(&mut boxed!(latch.wait()), &wakes).is_ready());
}

#[test]
fn notify_one_wakes_in_order_stores_one_and_passes_on_what_was_dropped() {
    let (notify, wakes) = (Notify::new(), Arc::new(Wakes::default()));
    notify.notify_one();
    notify.notify_one();
    assert!(poll(&mut boxed!(notify.notified()), &wakes).is_ready());
    let (mut a, mut b, mut c) = (boxed!(notify.notified()), boxed!(notify.notified()), boxed!(notify.notified()));
    for waiting in [&mut a, &mut b, &mut c] {
        assert!(poll(waiting, &wakes).is_pending(), "one wake was stored, not two");
    }
    notify.notify_one();
    assert!(poll(&mut b, &wakes).is_pending());
    drop(a);
    assert!(poll(&mut b, &wakes).is_ready(), "the first dropped its wake, the second has it");
    notify.notify_all();
    assert!(poll(&mut c, &wakes).is_ready());
    assert!(poll(&mut boxed!(notify.notified()), &wakes).is_pending(), "notify_all stores nothing");
}

#[test]
fn a_oneshot_gives_its_value_once_or_tells_that_the_other_end_is_gone() {
    let wakes = Arc::new(Wakes::default());
    let (tx, mut rx) = oneshot();
    assert!(poll(&mut rx, &wakes).is_pending());
    assert_eq!(tx.send(5), Ok(()));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(poll(&mut rx, &wakes), Poll::Ready(Ok(5)));
    let (tx, mut rx) = oneshot::<u8>();
    drop(tx);
    assert_eq!(poll(&mut rx, &wakes), Poll::Ready(Err(Gone)));
    let (tx, rx) = oneshot();
    drop(rx);
    assert!(tx.is_closed());
    assert_eq!(tx.send(6), Err(6));
}

#[test]
fn a_large_request_of_a_semaphore_is_not_overtaken() {
    let (semaphore, wakes) = (Semaphore::new(3), Arc::new(Wakes::default()));
    let held = semaphore.try_acquire(2).expect("free");
    let (mut large, mut small) = (boxed!(semaphore.acquire(3)), boxed!(semaphore.acquire(1)));
    assert!(poll(&mut large, &wakes).is_pending() && poll(&mut small, &wakes).is_pending());
    assert!(semaphore.try_acquire(1).is_none(), "others wait");
    drop(held);
    assert!(poll(&mut small, &wakes).is_pending());
    let Poll::Ready(Ok(large)) = poll(&mut large, &wakes) else { panic!("three are free") };
    drop(large);
    assert!(poll(&mut small, &wakes).is_ready());
    assert_eq!(semaphore.available(), 3, "the small permit was dropped by the comparison");
}

#[test]
fn a_dropped_waiter_gives_its_grant_or_its_place_to_the_next() {
    let (semaphore, wakes) = (Semaphore::new(1), Arc::new(Wakes::default()));
    let held = semaphore.try_acquire(1).expect("free");
    let (mut first, mut second) = (boxed!(semaphore.acquire(1)), boxed!(semaphore.acquire(1)));
    assert!(poll(&mut first, &wakes).is_pending() && poll(&mut second, &wakes).is_pending());
    drop(held);
    drop(first);
    assert!(poll(&mut second, &wakes).is_ready(), "the grant of the first went on");

    let mut held = semaphore.try_acquire(1).expect("free");
    let (mut large, mut small) = (boxed!(semaphore.acquire(2)), boxed!(semaphore.acquire(1)));
    assert!(poll(&mut large, &wakes).is_pending() && poll(&mut small, &wakes).is_pending());
    held.shrink_to(0);
    assert!(poll(&mut small, &wakes).is_pending());
    drop(large);
    assert!(poll(&mut small, &wakes).is_ready(), "nobody larger waits before it any more");
}

#[test]
fn a_closed_semaphore_wakes_its_waiters_and_keeps_what_was_granted() {
    let (semaphore, wakes) = (Semaphore::new(0), Arc::new(Wakes::default()));
    let (mut granted, mut waiting) = (boxed!(semaphore.acquire(1)), boxed!(semaphore.acquire(1)));
    assert!(poll(&mut granted, &wakes).is_pending() && poll(&mut waiting, &wakes).is_pending());
    semaphore.release(1);
    semaphore.close();
    assert!(matches!(poll(&mut granted, &wakes), Poll::Ready(Ok(_))));
    assert!(matches!(poll(&mut waiting, &wakes), Poll::Ready(Err(Gone))));
    assert!(matches!(poll(&mut boxed!(semaphore.acquire(1)), &wakes), Poll::Ready(Err(Gone))));
}

#[test]
fn a_channel_is_bounded_fair_and_loses_nothing() {
    let wakes = Arc::new(Wakes::default());
    let (tx, mut rx) = channel(2);
    assert!(tx.try_send(1).is_ok() && tx.try_send(2).is_ok());
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    let other = tx.clone();
    let (mut a, mut b) = (boxed!(tx.send(4)), boxed!(other.send(5)));
    assert!(poll(&mut a, &wakes).is_pending() && poll(&mut b, &wakes).is_pending());
    assert_eq!(rx.try_recv(), Some(1));
    assert_eq!(tx.try_send(6), Err(TrySendError::Full(6)), "the room is promised to the first that waits");
    assert!(poll(&mut b, &wakes).is_pending());
    assert_eq!(poll(&mut a, &wakes), Poll::Ready(Ok(())));
    let mut many = Vec::new();
    assert_eq!(poll(&mut boxed!(rx.recv_many(&mut many, 10)), &wakes), Poll::Ready(2));
    assert_eq!(many, [2, 4]);
    assert_eq!(poll(&mut b, &wakes), Poll::Ready(Ok(())));
    drop((a, b));
    drop(tx);
    assert_eq!(rx.try_recv(), Some(5));
    assert!(poll(&mut boxed!(rx.recv()), &wakes).is_pending(), "one sender is left");
    drop(other);
    assert_eq!(poll(&mut boxed!(rx.recv()), &wakes), Poll::Ready(None));
}

#[test]
fn a_channel_without_receiver_refuses_and_wakes_senders() {
    let wakes = Arc::new(Wakes::default());
    let (tx, rx) = channel(1);
    tx.try_send(1).expect("room");
    let mut waiting = boxed!(tx.send(2));
    assert!(poll(&mut waiting, &wakes).is_pending());
    drop(rx);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(poll(&mut waiting, &wakes), Poll::Ready(Err(Gone)));
    assert_eq!(tx.try_send(3), Err(TrySendError::Gone(3)));
}

#[test]
fn a_watch_shows_the_latest_value_and_each_receiver_its_changes() {
    let wakes = Arc::new(Wakes::default());
    let (tx, mut a) = watch(0);
    let mut b = a.clone();
    assert!(poll(&mut boxed!(a.changed()), &wakes).is_pending());
    tx.send(1);
    tx.modify(|value| *value += 1);
    assert_eq!(poll(&mut boxed!(a.changed()), &wakes), Poll::Ready(Ok(())));
    assert_eq!(*a.borrow(), 2);
    assert!(poll(&mut boxed!(a.changed()), &wakes).is_pending(), "two changes, seen as one");
    assert_eq!(*b.borrow_and_update(), 2);
    assert!(poll(&mut boxed!(b.changed()), &wakes).is_pending());
    let mut late = tx.subscribe();
    assert!(poll(&mut boxed!(late.changed()), &wakes).is_pending());
    drop(tx);
    assert_eq!(poll(&mut boxed!(late.changed()), &wakes), Poll::Ready(Err(Gone)));
}

#[test]
fn wakes_come_in_the_order_of_waiting() {
    struct Named(usize, Arc<std::sync::Mutex<Vec<usize>>>);
    impl Wake for Named {
        fn wake(self: Arc<Self>) {
            self.1.lock().expect("no panic").push(self.0);
        }
    }
    let order = Arc::default();
    let notify = Notify::new();
    let waiting: Rc<RefCell<Vec<_>>> = Rc::default();
    for i in 0..10 {
        let mut future = boxed!(notify.notified());
        let waker = Waker::from(Arc::new(Named(i, Arc::clone(&order))));
        assert!(pin!(&mut future).poll(&mut Context::from_waker(&waker)).is_pending());
        waiting.borrow_mut().push(future);
    }
    notify.notify_all();
    assert_eq!(*order.lock().expect("no panic"), (0..10).collect::<Vec<_>>());
}
