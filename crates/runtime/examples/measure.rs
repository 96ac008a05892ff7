//! What the seam costs on this machine: `cargo run --release -p ouzel-runtime --example measure [directory]`.
//!
//! Medians of direct, synced 4 KiB and 128 KiB writes into blocks written before, by ring and by pool, interleaved; of a mailbox
//! round trip between two shards; and of a wake and yield within one.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use ouzel_runtime::mailbox::{self, ReplyTo, mailbox};
use ouzel_runtime::metrics::Histogram;
use ouzel_runtime::system::{DiskChoice, SystemOptions, start};
use ouzel_runtime::testing::{TempDir, run, run_on};
use ouzel_runtime::{Class, Durability, Open};

const WRITES: u64 = 300;
const HOPS: u64 = 50_000;

fn main() {
    let base = std::env::args_os().nth(1).map(PathBuf::from);
    for round in 0..3 {
        for len in [4 << 10, 128 << 10] {
            for choice in [DiskChoice::Ring, DiskChoice::Pool] {
                writes(choice, len, base.clone(), round);
            }
        }
    }
    hops();
    yields();
}

fn writes(choice: DiskChoice, len: usize, base: Option<PathBuf>, round: u64) {
    run_on(choice, move |rt| async move {
        let own = TempDir::new();
        let dir = base.as_deref().unwrap_or(own.path());
        let path = dir.join("measure");
        let open = Open { create: true, direct: true, ..Open::default() };
        let file = rt.disk().open(&path, open).await.expect("a file can be made");
        let blocks = (8 << 20) / len as u64;
        let mut buf = rt.buffers().take(len);
        for block in 0..blocks {
            let (written, back) = file.write_at(buf, block * len as u64, Durability::Sync).await;
            written.expect("written");
            buf = back;
        }
        let latency = Histogram::default();
        for i in 0..WRITES {
            let before = rt.now();
            let (written, back) = file.write_at(buf, i % blocks * len as u64, Durability::Sync).await;
            written.expect("written");
            latency.record_duration(rt.now() - before);
            buf = back;
        }
        let d = latency.distribution();
        println!(
            "write {:>3} KiB {} direct={} round {round}: p50 {} us, p99 {} us",
            len >> 10,
            rt.disk().home_name(),
            file.is_direct(),
            d.quantile(0.5) / 1000,
            d.quantile(0.99) / 1000
        );
        rt.disk().remove_file(&path).await.expect("removed");
    });
}

fn hops() {
    let (sender, receiver) = mailbox::<ReplyTo<()>>(16);
    let ends = Arc::new(Mutex::new((Some(sender), Some(receiver))));
    let options = SystemOptions { cores: 2, pin: true, ..SystemOptions::default() };
    let shards = start(options, move |rt| -> Pin<Box<dyn Future<Output = ()>>> {
        let ends = ends.clone();
        Box::pin(async move {
            if rt.shard().0 == 0 {
                let sender = ends.lock().expect("no panic").0.take().expect("mine");
                let latency = Histogram::default();
                let start = rt.now();
                for _ in 0..HOPS {
                    let before = rt.now();
                    let (answer, reply) = mailbox::reply();
                    sender.send(answer).await.expect("the other shard is there");
                    reply.await.expect("answered");
                    latency.record_duration(rt.now() - before);
                }
                let d = latency.distribution();
                let mean = (rt.now() - start).as_nanos() as u64 / HOPS;
                println!("mailbox round trip: p50 {} ns, p99 {} ns, mean {mean} ns", d.quantile(0.5), d.quantile(0.99));
            } else {
                let mut receiver = ends.lock().expect("no panic").1.take().expect("mine");
                let mut batch = Vec::new();
                while receiver.recv_many(&mut batch, 256).await > 0 {
                    batch.drain(..).for_each(|answer| answer.send(()));
                }
            }
        })
    });
    shards.expect("shards start").join().expect("no failure");
}

fn yields() {
    run(|rt| async move {
        const TASKS: u64 = 8;
        const YIELDS: u64 = 100_000;
        let start = rt.now();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let rt = rt.clone();
                rt.clone().spawn(Class::Serve, async move {
                    for _ in 0..YIELDS {
                        rt.yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        println!("wake and poll of a ready task: {} ns", (rt.now() - start).as_nanos() as u64 / (TASKS * YIELDS));
    });
}
