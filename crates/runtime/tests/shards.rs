//! Several shards of the system home.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use ouzel_runtime::mailbox::{self, Busy, ReplyTo, mailbox};
use ouzel_runtime::system::{Shards, SystemOptions, allowed_cores, start};
use ouzel_runtime::{Class, Runtime};

fn shards(cores: u16, main: impl AsyncFn(Runtime) + Copy + Send + Sync + 'static) -> Shards {
    let options = SystemOptions { cores, pin: true, ..SystemOptions::default() };
    start(options, move |rt| -> Pin<Box<dyn Future<Output = ()>>> { Box::pin(async move { main(rt).await }) })
        .expect("shards start")
}

#[test]
fn join_returns_when_all_roots_have_ended() {
    assert!(allowed_cores() >= 1);
    assert_eq!(shards(3, async |_| {}).join(), Ok(()));
}

#[test]
fn a_failure_of_one_shard_ends_all() {
    let ended = shards(3, async |rt| {
        if rt.shard().0 == 1 {
            rt.fail("disk gone".into()).await;
        }
        pending::<()>().await;
    });
    assert_eq!(ended.join(), Err("disk gone".into()));
}

#[test]
fn a_panic_on_one_shard_ends_all() {
    let ended = shards(2, async |rt| {
        if rt.shard().0 == 1 {
            rt.spawn(Class::Serve, async { panic!("broken invariant") }).await;
        }
        pending::<()>().await;
    });
    assert_eq!(ended.join(), Err("broken invariant".into()));
}

#[test]
fn a_stop_reaches_every_shard_whoever_asks() {
    let waiting = shards(2, async |rt| rt.stopping().wait().await);
    let stopper = waiting.stopper();
    std::thread::spawn(move || stopper.stop()).join().expect("no panic");
    assert_eq!(waiting.join(), Ok(()));

    let from_inside = shards(2, async |rt| {
        if rt.shard().0 == 1 {
            rt.stop();
        }
        rt.stopping().wait().await;
    });
    assert_eq!(from_inside.join(), Ok(()));
}

#[test]
fn requests_cross_by_mailbox_and_answers_come_back() {
    type Message = (u64, ReplyTo<u64>);
    let (sender, receiver) = mailbox::<Message>(4);
    let ends = Arc::new(Mutex::new((Some(sender), Some(receiver))));
    let options = SystemOptions { cores: 2, ..SystemOptions::default() };
    let shards = start(options, move |rt| {
        let ends = ends.clone();
        Box::pin(async move {
            if rt.shard().0 == 0 {
                let sender = ends.lock().expect("no panic").0.take().expect("the first shard takes it");
                let mut replies = Vec::new();
                for n in 0..1000 {
                    let (answer, reply) = mailbox::reply();
                    sender.send((n, answer)).await.expect("the other shard is there");
                    replies.push(reply);
                }
                for (n, reply) in (0..).zip(replies) {
                    assert_eq!(reply.await, Ok(n * 2));
                }
            } else {
                let mut receiver = ends.lock().expect("no panic").1.take().expect("the second shard takes it");
                let mut batch = Vec::new();
                while receiver.recv_many(&mut batch, 3).await > 0 {
                    assert!(batch.len() <= 3);
                    batch.drain(..).for_each(|(n, answer)| answer.send(n * 2));
                }
            }
        })
    });
    assert_eq!(shards.expect("shards start").join(), Ok(()));
}

#[test]
fn a_full_inbox_gives_the_message_back_and_a_gone_one_says_so() {
    let (sender, mut receiver) = mailbox(2);
    assert_eq!((sender.try_send(1), sender.try_send(2)), (Ok(()), Ok(())));
    assert_eq!(sender.try_send(3), Err(Busy::Full(3)));
    assert_eq!(receiver.try_recv(), Some(1));
    assert_eq!(sender.try_send(3), Ok(()));
    drop(receiver);
    assert!(sender.is_closed());
    assert_eq!(sender.try_send(4), Err(Busy::Gone(4)));
}

#[test]
fn an_unanswered_request_is_gone_and_an_unwanted_answer_is_dropped() {
    ouzel_runtime::testing::run(|_| async {
        let (answer, reply) = mailbox::reply::<u32>();
        drop(answer);
        assert!(reply.await.is_err());
        let (answer, reply) = mailbox::reply();
        drop(reply);
        assert!(answer.is_closed());
        answer.send(1);
    });
}
