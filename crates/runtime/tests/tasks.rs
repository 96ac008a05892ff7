//! Tasks on one shard of the system home.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use ouzel_runtime::metrics::Value;
use ouzel_runtime::sync::{Latch, oneshot};
use ouzel_runtime::system::{SystemOptions, run_here};
use ouzel_runtime::testing::run;
use ouzel_runtime::{Class, Runtime, select};

fn ended(main: impl AsyncFnOnce(Runtime) + 'static) -> Result<(), String> {
    run_here(SystemOptions::default(), move |rt| async move { main(rt).await })
}

#[test]
fn tasks_of_a_class_run_first_in_first_out() {
    let order = run(|rt| async move {
        let order = Rc::new(RefCell::new(Vec::new()));
        let tasks: Vec<_> = (0..100)
            .map(|i| {
                let (rt, order) = (rt.clone(), order.clone());
                rt.clone().spawn(Class::Serve, async move {
                    order.borrow_mut().push(i);
                    rt.yield_now().await;
                    order.borrow_mut().push(100 + i);
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        order.take()
    });
    assert_eq!(order, (0..200).collect::<Vec<_>>());
}

#[test]
fn every_class_gets_on_while_all_stay_ready() {
    run(|rt| async move {
        let stop = Latch::new();
        let counts: Rc<[Cell<u64>; 4]> = Rc::default();
        for class in Class::ALL {
            let (rt, stop, counts) = (rt.clone(), stop.clone(), counts.clone());
            rt.clone().spawn(class, async move {
                while !stop.is_set() {
                    counts[class as usize].set(counts[class as usize].get() + 1);
                    rt.yield_now().await;
                }
            });
        }
        // By polls, not by the clock: the least class has come to its turn a hundred times.
        while counts.iter().any(|count| count.get() < 100) {
            rt.yield_now().await;
        }
        stop.set();
        let counts: Vec<u64> = counts.iter().map(Cell::get).collect();
        assert!(counts[1] > counts[2] && counts[2] > counts[3], "shares follow the order of classes: {counts:?}");
    });
}

#[test]
fn an_abort_drops_the_future_at_its_next_turn_and_the_handle_resolves() {
    run(|rt| async move {
        let (alive, dropped) = oneshot::<()>();
        let task = rt.spawn(Class::Tail, async move {
            let _alive = alive;
            pending::<()>().await;
        });
        rt.yield_now().await;
        assert!(!task.is_ended());
        task.abort();
        assert!(!task.is_ended(), "nothing of another task runs inside abort");
        task.await;
        assert!(dropped.await.is_err());
    });
}

#[test]
fn a_task_may_abort_itself_and_one_that_has_ended() {
    run(|rt| async move {
        let handle: Rc<RefCell<Option<ouzel_runtime::Task>>> = Rc::default();
        let inner = handle.clone();
        let task = rt.spawn(Class::Serve, async move {
            if let Some(me) = &*inner.borrow() {
                me.abort();
            }
            pending::<()>().await;
        });
        *handle.borrow_mut() = Some(task);
        while !handle.borrow().as_ref().is_some_and(|task| task.is_ended()) {
            rt.yield_now().await;
        }
        handle.borrow().as_ref().expect("set above").abort();
    });
}

#[test]
fn a_detached_task_runs_on_until_the_root_ends() {
    let (done, mut last) = (Rc::new(Cell::new(false)), oneshot::<()>());
    let flag = done.clone();
    run(move |rt| async move {
        let (first, ran) = oneshot();
        drop(rt.spawn(Class::Background, async move {
            let _kept = last.0;
            first.send(()).expect("the root waits");
            pending::<()>().await;
        }));
        ran.await.expect("it ran");
        assert!(last.1.try_recv().is_none());
        flag.set(true);
    });
    assert!(done.get());
}

#[test]
fn a_panic_ends_the_shard_with_its_message() {
    let reason = ended(async |rt: Runtime| {
        rt.spawn(Class::Serve, async { panic!("gap at {}", 7) });
        pending::<()>().await;
    });
    assert_eq!(reason, Err("gap at 7".into()));
    assert_eq!(ended(async |_| panic!("in the root")), Err("in the root".into()));
}

#[test]
fn a_failure_ends_the_shard_with_its_reason_and_no_task_runs_after_it() {
    let after = Rc::new(Cell::new(0));
    let count = after.clone();
    let reason = ended(async move |rt: Runtime| {
        let failing = rt.clone();
        rt.spawn(Class::Serve, async move {
            failing.fail("journal: input/output error".into()).await;
        });
        for _ in 0..10 {
            let count = count.clone();
            rt.spawn(Class::Serve, async move { count.set(count.get() + 1) });
        }
        pending::<()>().await;
    });
    assert_eq!(reason, Err("journal: input/output error".into()));
    assert_eq!(after.get(), 0);
}

#[test]
fn destructors_may_use_the_runtime_while_the_shard_ends() {
    struct Spawns(Runtime);
    impl Drop for Spawns {
        fn drop(&mut self) {
            self.0.spawn(Class::Background, pending());
            drop(self.0.sleep(Duration::from_secs(1)));
            drop(self.0.buffers().take(1));
        }
    }
    run(|rt| async move {
        let spawns = Spawns(rt.clone());
        rt.spawn(Class::Serve, async move {
            let _spawns = spawns;
            pending::<()>().await;
        });
        rt.yield_now().await;
    });
}

#[test]
fn a_sleep_never_ends_early_and_may_be_dropped() {
    run(|rt| async move {
        for ms in [0, 1, 3] {
            let end = rt.now() + Duration::from_millis(ms);
            rt.sleep_until(end).await;
            assert!(rt.now() >= end);
        }
        let long = rt.sleep(Duration::MAX);
        select! {
            () = long => panic!("for ever has passed"),
            () = rt.sleep(Duration::from_millis(1)) => {},
        }
        rt.sleep_until(ouzel_runtime::Instant::from_nanos(0)).await;
    });
}

#[test]
fn a_wake_from_another_thread_reaches_a_parked_shard() {
    run(|_rt| async move {
        for _ in 0..100 {
            let (answer, reply) = ouzel_runtime::mailbox::reply();
            let thread = std::thread::spawn(move || answer.send(42));
            assert_eq!(reply.await, Ok(42));
            thread.join().expect("no panic");
        }
    });
}

#[test]
fn what_differs_per_start_differs_and_what_is_the_machines_does_not() {
    let facts = || {
        run(|rt| async move {
            let (mut a, mut b) = ([0; 32], [0; 32]);
            rt.entropy(&mut a);
            rt.entropy(&mut b);
            assert_ne!(a, b);
            let mut map = rt.map();
            map.insert("a", 1);
            assert_eq!(map.get("a"), Some(&1));
            (rt.boot_id(), std::hash::BuildHasher::hash_one(&rt.hash_key(), 1))
        })
    };
    let (first, second) = (facts(), facts());
    assert_eq!(first.0, second.0);
    assert_ne!(first.1, second.1);
}

#[test]
fn select_is_biased_and_drops_the_losers() {
    run(|_| async move {
        let mut dropped = Vec::new();
        for _ in 0..100 {
            let (kept, loser) = oneshot::<()>();
            let won = select! {
                n = async { 1 } => n,
                n = async { 2 } => n,
                _ = async move { let _kept = kept; pending::<()>().await } => 3,
            };
            assert_eq!(won, 1);
            dropped.push(loser.await.is_err());
        }
        assert!(dropped.iter().all(|d| *d));
        let fourth = select! {
            () = pending() => 1,
            () = pending() => 2,
            () = pending() => 3,
            n = async { 4 } => n,
        };
        assert_eq!(fourth, 4);
    });
}

#[test]
fn a_task_that_keeps_its_shard_from_others_is_counted_as_a_stall() {
    let stalls = run(|rt| async move {
        let begin = rt.now();
        rt.spawn(Class::Serve, {
            let rt = rt.clone();
            async move { while rt.now() - begin < Duration::from_millis(6) {} }
        })
        .await;
        rt.yield_now().await;
        let snapshot = rt.metrics().snapshot();
        let found = snapshot.iter().find(|(metric, ..)| metric.name == "shard_stall_seconds");
        match found.expect("it is declared").2 {
            Value::Histogram(stalls) => (stalls.count(), stalls.sum()),
            _ => panic!("a histogram"),
        }
    });
    assert!(stalls.0 >= 1 && stalls.1 >= 6_000_000, "{stalls:?}");
}
