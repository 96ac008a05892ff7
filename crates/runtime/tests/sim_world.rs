//! The simulated world seen through the public API: what a process may rely on, and what a scenario may do to it.
#![cfg(feature = "sim")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use ouzel_runtime::sim::{DiskFaults, Ended, HostId, HostSpec, Link, Policy, Stream, World, WorldOptions};
use ouzel_runtime::{Class, Durability, Open, Runtime, mailbox};

const MS: Duration = Duration::from_millis(1);
const SEC: Duration = Duration::from_secs(1);

fn world(seed: u64) -> World {
    World::new(WorldOptions::seeded(seed))
}

fn one_host(seed: u64) -> (World, HostId) {
    let world = world(seed);
    let host = world.add_host(HostSpec::named("n1"));
    (world, host)
}

fn addr(world: &World, host: HostId, port: u16) -> SocketAddr {
    SocketAddr::from((world.ip(host), port))
}

/// Runs a process of one shard to its end.
fn run<F: Future<Output = ()> + 'static>(world: &World, host: HostId, main: impl Fn(Runtime) -> F + 'static) {
    world.start(host, 1, move |rt| Box::pin(main(rt)));
    world.run_until(world.now() + 3600 * SEC, |w| !w.is_up(host));
    assert_eq!(world.ended(host), Some(Ended::Stopped), "violations {:?}", world.violations());
}

async fn echo(rt: Runtime, port: u16) {
    let listener = rt.net().listen(SocketAddr::from(([0, 0, 0, 0], port))).unwrap();
    loop {
        let Ok(conn) = listener.accept().await else { continue };
        rt.spawn(Class::Serve, async move {
            let mut buf = vec![0; 4096];
            while let Ok(n @ 1..) = conn.read(&mut buf).await {
                let mut out = VecDeque::from([Bytes::copy_from_slice(&buf[..n])]);
                if conn.write_all_bytes(&mut out).await.is_err() {
                    break;
                }
            }
        });
    }
}

#[test]
fn time_jumps_and_sleeps_end_in_their_order() {
    let (world, host) = one_host(1);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = seen.clone();
    run(&world, host, move |rt| {
        let log = log.clone();
        async move {
            let start = rt.now();
            let tasks: Vec<_> = [30, 10, 20]
                .map(|s| {
                    let (rt2, log) = (rt.clone(), log.clone());
                    rt.spawn(Class::Serve, async move {
                        rt2.sleep(s * SEC).await;
                        log.borrow_mut().push(s);
                    })
                })
                .into();
            for task in tasks {
                task.await;
            }
            assert!(rt.now() - start >= 30 * SEC);
        }
    });
    assert_eq!(*seen.borrow(), [10, 20, 30]);
    assert!(world.now() >= 30 * SEC && world.now() < 31 * SEC);
}

#[test]
fn bytes_arrive_whole_and_in_order_however_they_are_cut() {
    for seed in 0..20 {
        let world = world(seed);
        let (server, client) = (world.add_host(HostSpec::named("s")), world.add_host(HostSpec::named("c")));
        world.start(server, 2, |rt| Box::pin(echo(rt, 9092)));
        run(&world, client, move |rt| async move {
            let to = rt.net().resolve("s", 9092).await.unwrap()[0];
            let conn = Rc::new(loop {
                match rt.net().connect(to).await {
                    Ok(conn) => break conn,
                    // Before the server listens.
                    Err(_) => rt.sleep(MS).await,
                }
            });
            let sent: Vec<u8> = (0..600_000u32).map(|i| (i % 251) as u8).collect();
            let (writer, payload) = (conn.clone(), Bytes::from(sent.clone()));
            rt.spawn(Class::Serve, async move {
                writer.write_all_bytes(&mut VecDeque::from([payload])).await.unwrap();
            });
            let mut got = Vec::new();
            let mut buf = vec![0; 10_000];
            while got.len() < sent.len() {
                let n = conn.read(&mut buf).await.unwrap();
                assert!(n > 0, "the echo ended early");
                got.extend_from_slice(&buf[..n]);
            }
            assert!(got == sent);
        });
    }
}

#[test]
fn a_killed_server_resets_or_ends_its_connections_and_a_port_without_listener_refuses() {
    let world = world(3);
    let (server, client) = (world.add_host(HostSpec::named("s")), world.add_host(HostSpec::named("c")));
    world.start(server, 1, |rt| Box::pin(echo(rt, 9092)));
    world.advance(10 * MS);
    let to = addr(&world, server, 9092);
    let state = Rc::new(Cell::new(0));
    let seen = state.clone();
    world.start(client, 1, move |rt| {
        let seen = seen.clone();
        Box::pin(async move {
            let conn = rt.net().connect(to).await.unwrap();
            seen.set(1);
            let mut buf = [0; 16];
            assert!(matches!(conn.read(&mut buf).await, Ok(0) | Err(_)));
            let again = rt.net().connect(to).await;
            assert_eq!(again.err().map(|e| e.kind()), Some(ErrorKind::ConnectionRefused));
            seen.set(2);
        })
    });
    assert!(world.run_until(SEC, |_| state.get() == 1));
    world.kill(server);
    assert_eq!(world.open_sockets(server), 0);
    assert!(world.run_until(2 * SEC, |_| state.get() == 2));
}

#[test]
fn a_blocked_link_holds_bytes_and_gives_them_back_when_it_heals() {
    let world = world(4);
    let (server, client) = (world.add_host(HostSpec::named("s")), world.add_host(HostSpec::named("c")));
    world.start(server, 1, |rt| Box::pin(echo(rt, 9092)));
    world.advance(10 * MS);
    let to = addr(&world, server, 9092);
    let state = Rc::new(Cell::new(0));
    let seen = state.clone();
    world.start(client, 1, move |rt| {
        let seen = seen.clone();
        Box::pin(async move {
            let conn = rt.net().connect(to).await.unwrap();
            seen.set(1);
            rt.sleep(100 * MS).await;
            conn.write_all_bytes(&mut VecDeque::from([Bytes::from_static(b"ping")])).await.unwrap();
            let mut buf = [0; 16];
            let n = conn.read(&mut buf).await.unwrap();
            assert!(n > 0);
            seen.set(2);
        })
    });
    assert!(world.run_until(SEC, |_| state.get() == 1));
    world.block(server, client, true);
    assert!(!world.run_until(20 * SEC, |_| state.get() == 2));
    world.block(server, client, false);
    assert!(world.run_until(30 * SEC, |_| state.get() == 2));
}

#[test]
fn a_power_cut_leaves_peers_half_open_until_they_send_and_the_machine_is_back() {
    let world = world(5);
    let (server, client) = (world.add_host(HostSpec::named("s")), world.add_host(HostSpec::named("c")));
    world.start(server, 1, |rt| Box::pin(echo(rt, 9092)));
    world.advance(10 * MS);
    let to = addr(&world, server, 9092);
    let state = Rc::new(Cell::new(0));
    let seen = state.clone();
    world.start(client, 1, move |rt| {
        let seen = seen.clone();
        Box::pin(async move {
            let conn = rt.net().connect(to).await.unwrap();
            seen.set(1);
            let mut buf = [0; 16];
            let quiet = ouzel_runtime::select! {
                _ = conn.read(&mut buf) => false,
                _ = rt.sleep(50 * SEC) => true,
            };
            assert!(quiet, "a dead machine sends nothing");
            conn.write_all_bytes(&mut VecDeque::from([Bytes::from_static(b"ping")])).await.unwrap();
            seen.set(2);
            assert!(conn.read(&mut buf).await.is_err());
            seen.set(3);
        })
    });
    assert!(world.run_until(SEC, |_| state.get() == 1));
    world.power_cut(server);
    assert!(world.run_until(60 * SEC, |_| state.get() == 2));
    world.start(server, 1, |rt| Box::pin(echo(rt, 9092)));
    assert!(world.run_until(70 * SEC, |_| state.get() == 3));
}

#[test]
fn synced_bytes_survive_power_cuts_and_a_kill_leaves_the_rest_readable() {
    let mut lost = 0;
    for seed in 0..40 {
        let (world, host) = one_host(seed);
        run(&world, host, |rt| async move {
            let disk = rt.disk();
            disk.create_dir_all(Path::new("d")).await.unwrap();
            let file =
                disk.open(Path::new("d/f"), Open { create: true, direct: true, ..Open::default() }).await.unwrap();
            assert!(file.is_direct());
            for dir in ["d", "/"] {
                disk.sync_dir(Path::new(dir)).await.unwrap();
            }
            for (page, durability) in [(0, Durability::Sync), (1, Durability::None), (2, Durability::Sync)] {
                let mut buf = rt.buffers().take(4096);
                buf.fill(page as u8 + 1);
                file.write_at(buf, page * 4096, durability).await.0.unwrap();
            }
        });
        let read = Rc::new(RefCell::new(Vec::new()));
        let into = read.clone();
        let reader = move |rt: Runtime| {
            let into = into.clone();
            async move { *into.borrow_mut() = rt.disk().read(Path::new("d/f"), 1 << 20).await.unwrap() }
        };
        run(&world, host, reader.clone());
        assert_eq!((read.borrow()[0], read.borrow()[4096], read.borrow()[8192]), (1, 2, 3));
        world.power_cut(host);
        run(&world, host, reader);
        let bytes = read.borrow();
        assert!(bytes[..4096].iter().all(|b| *b == 1) && bytes[8192..].iter().all(|b| *b == 3));
        lost += u32::from(bytes[4096..8192].contains(&0));
    }
    assert!(lost > 5, "an unsynced write must be lost sometimes: {lost}");
}

#[test]
fn errors_hangs_and_full_disks_reach_the_caller() {
    let (world, host) = one_host(7);
    world.disk(host, |d| d.faults = DiskFaults { sync_error: 1.0, ..DiskFaults::default() });
    run(&world, host, |rt| async move {
        let file = rt.disk().open(Path::new("f"), Open { create: true, ..Open::default() }).await.unwrap();
        let (done, buf) = file.write_at(rt.buffers().take(100), 0, Durability::None).await;
        done.unwrap();
        assert!(file.datasync().await.is_err());
        assert!(file.write_at(buf, 0, Durability::Sync).await.0.is_err());
    });
    world.disk(host, |d| {
        d.faults = DiskFaults::default();
        d.image.set_capacity(8192);
    });
    run(&world, host, |rt| async move {
        let file = rt.disk().open(Path::new("f"), Open::default()).await.unwrap();
        assert_eq!(file.allocate(1 << 20).await.unwrap_err().kind(), ErrorKind::StorageFull);
        let lock = rt.disk().lock(Path::new("LOCK")).await.unwrap();
        assert_eq!(rt.disk().lock(Path::new("LOCK")).await.err().unwrap().kind(), ErrorKind::ResourceBusy);
        drop(lock);
        rt.disk().lock(Path::new("LOCK")).await.unwrap();
        rt.disk().write_atomic(Path::new("x"), b"new".to_vec()).await.unwrap();
        assert_eq!(rt.disk().read(Path::new("x"), 10).await.unwrap(), b"new");
    });
    world.hang_disk(host, true);
    world.start(host, 1, |rt| Box::pin(async move { drop(rt.disk().exists(Path::new("f")).await) }));
    world.advance(600 * SEC);
    assert!(world.is_up(host));
    world.hang_disk(host, false);
    world.advance(SEC);
    assert_eq!(world.ended(host), Some(Ended::Stopped));
    assert_eq!((world.open_files(host), world.open_sockets(host)), (0, 0));
}

#[test]
fn the_disk_obeys_the_law_of_all_disk_homes() {
    for seed in 0..3 {
        let (world, host) = one_host(seed);
        // The suite writes one block twice at once, which a home must bear and a broker must not do.
        world.disk(host, |d| d.finds_misuse = false);
        run(&world, host, |rt| async move {
            rt.disk().create_dir_all(Path::new("suite")).await.unwrap();
            ouzel_runtime::testing::disk_suite(&rt, Path::new("suite")).await;
        });
    }
}

#[test]
fn two_writes_in_flight_on_one_block_fail_the_run() {
    let (world, host) = one_host(8);
    world.start(host, 1, |rt| {
        Box::pin(async move {
            let file = rt.disk().open(Path::new("f"), Open { create: true, ..Open::default() }).await.unwrap();
            let one = file.write_at(rt.buffers().take(100), 0, Durability::None);
            let other = file.write_at(rt.buffers().take(100), 200, Durability::None);
            one.await.0.unwrap();
            other.await.0.unwrap();
        })
    });
    world.advance(SEC);
    assert_eq!(world.violations().len(), 1);
}

#[test]
fn more_writes_in_flight_on_a_core_than_the_kernel_takes_fail_the_run() {
    for (shards, writes, expect) in [(1, 64_u64, 0), (2, 64, 0), (1, 65, 1)] {
        let (world, host) = one_host(8);
        world.start(host, shards, move |rt| {
            Box::pin(async move {
                let path = format!("f{}", rt.shard().0);
                let file = rt.disk().open(Path::new(&path), Open { create: true, ..Open::default() }).await.unwrap();
                let write = |n| file.write_at(rt.buffers().take(4096), 4096 * n, Durability::None);
                let all: Vec<_> = (0..writes).map(write).collect();
                for one in all {
                    one.await.0.unwrap();
                }
            })
        });
        world.advance(SEC);
        assert_eq!(world.violations().len(), expect, "{writes} writes on each of {shards}");
    }
}

#[test]
fn failures_panics_and_leftovers_are_reported() {
    let (world, host) = one_host(9);
    world.start(host, 2, |rt| {
        Box::pin(async move {
            if rt.shard().0 == 1 {
                rt.sleep(SEC).await;
                rt.fail("a failed sync".into()).await;
            }
            std::future::pending().await
        })
    });
    world.advance(2 * SEC);
    assert_eq!(world.ended(host), Some(Ended::Failed("a failed sync".into())));
    world.start(host, 1, |rt| {
        Box::pin(async move {
            rt.spawn(Class::Background, std::future::pending());
            rt.stopping().wait().await;
        })
    });
    world.advance(SEC);
    world.stop(host);
    world.advance(SEC);
    assert_eq!(world.ended(host), Some(Ended::Stopped));
    assert_eq!(world.leftovers(host).len(), 1);
    world.start(host, 1, |_| Box::pin(async { panic!("broken invariant") }));
    world.advance(SEC);
    assert_eq!(world.ended(host), Some(Ended::Panicked("broken invariant".into())));
}

#[test]
fn messages_between_shards_arrive_and_a_pause_stops_polls_but_not_time() {
    let (world, host) = one_host(10);
    let count = Rc::new(Cell::new(0));
    let (to, from) = mailbox::mailbox::<u32>(4);
    let (seen, from) = (count.clone(), Rc::new(RefCell::new(Some(from))));
    world.start(host, 2, move |rt| {
        let (to, seen, from) = (to.clone(), seen.clone(), from.clone());
        Box::pin(async move {
            if rt.shard().0 == 0 {
                for n in 0.. {
                    to.send(n).await.unwrap();
                    rt.sleep(MS).await;
                }
            }
            let mut from = from.take().unwrap();
            while let Some(n) = from.recv().await {
                assert_eq!(n, seen.get());
                seen.set(n + 1);
            }
        })
    });
    world.advance(SEC);
    let before = count.get();
    assert!(before > 500);
    world.pause(host);
    world.advance(10 * SEC);
    assert_eq!(count.get(), before);
    world.resume(host);
    world.advance(SEC);
    assert!(count.get() > before + 500);
}

#[test]
fn a_seed_repeats_exactly_and_another_differs() {
    let history = |seed: u64, policy| {
        let world = World::new(WorldOptions { policy, ..WorldOptions::seeded(seed) });
        let (server, client) = (world.add_host(HostSpec::named("s")), world.add_host(HostSpec::named("c")));
        world.start(server, 2, |rt| Box::pin(echo(rt, 9092)));
        let to = addr(&world, server, 9092);
        world.set_link(client, server, Link { loss: 0.05, ..Link::default() });
        world.start(client, 1, move |rt| {
            Box::pin(async move {
                let rng = rt.rng();
                loop {
                    let Ok(conn) = rt.net().connect(to).await else {
                        rt.sleep(MS).await;
                        continue;
                    };
                    for _ in 0..rng.below(20) {
                        let part = Bytes::from(vec![1; 1 + rng.below(3000) as usize]);
                        if conn.write_all_bytes(&mut VecDeque::from([part])).await.is_err() {
                            break;
                        }
                        let mut buf = [0; 100];
                        if conn.read(&mut buf).await.is_err() {
                            break;
                        }
                    }
                }
            })
        });
        let mut dice = Stream::new(seed, "faults");
        for _ in 0..20 {
            world.advance(dice.between(1, 200) as u32 * MS);
            match dice.below(3) {
                0 => drop(world.reset_connections(server, 0.5, &mut dice)),
                1 => {
                    world.kill(server);
                    world.start(server, 2, |rt| Box::pin(echo(rt, 9092)));
                }
                _ => {
                    world.power_cut(server);
                    world.start(server, 2, |rt| Box::pin(echo(rt, 9092)));
                }
            }
        }
        assert!(world.events() > 1_000);
        (world.trace_hash(), world.disks_hash())
    };
    for policy in [None, Some(Policy::Uniform), Some(Policy::Priorities), Some(Policy::Fifo)] {
        assert_eq!(history(1, policy), history(1, policy));
    }
    assert_ne!(history(1, None), history(2, None));
}
