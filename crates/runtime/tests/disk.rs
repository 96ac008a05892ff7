//! The law of disk homes, for those of the system.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use ouzel_runtime::system::{DiskChoice, SystemOptions, run_here};
use ouzel_runtime::testing::{self, TempDir};

fn obeys(choice: DiskChoice) {
    testing::run_on(choice, move |rt| async move {
        let dir = TempDir::new();
        testing::disk_suite(&rt, dir.path()).await;
    });
}

#[test]
fn the_pool_obeys_the_law() {
    obeys(DiskChoice::Pool);
}

#[test]
fn the_ring_obeys_the_law() {
    let options = SystemOptions { disk: DiskChoice::Ring, ..SystemOptions::default() };
    if let Err(reason) = run_here(options, |_| async {}) {
        assert!(std::env::var_os("OUZEL_REQUIRE").is_none_or(|r| !r.to_string_lossy().contains("ring")), "{reason}");
        println!("skipped: {reason}");
        return;
    }
    testing::run_on(DiskChoice::Ring, |rt| async move { assert_eq!(rt.disk().home_name(), "ring") });
    obeys(DiskChoice::Ring);
}

#[test]
fn the_probe_leaves_nothing_behind_and_makes_its_directory() {
    let dir = TempDir::new();
    let inside = dir.path().join("data");
    let options = SystemOptions { disk_dir: Some(inside.clone()), ..SystemOptions::default() };
    run_here(options, |_| async {}).expect("a shard runs");
    assert_eq!(std::fs::read_dir(inside).expect("made").count(), 0);
}

#[test]
fn operations_begun_happen_though_the_shard_ends() {
    for choice in [DiskChoice::Pool, DiskChoice::Auto] {
        let dir = TempDir::new();
        let path = dir.path().join("last");
        let inside = path.clone();
        testing::run_on(choice, move |rt| async move {
            use ouzel_runtime::{Durability, Open};
            // A handle that is never given back must not keep the shard from its duty.
            std::mem::forget(rt.clone());
            let open = Open { create: true, direct: true, ..Open::default() };
            let file = rt.disk().open(&inside, open).await.expect("opened");
            for i in 0..100 {
                let mut buf = rt.buffers().take(4096);
                buf.fill(i as u8 + 1);
                drop(file.write_at(buf, i * 4096, Durability::None));
            }
        });
        let bytes = std::fs::read(path).expect("read");
        assert!((0..100).all(|i| bytes[i * 4096..][..4096].iter().all(|b| *b == i as u8 + 1)), "{choice:?}");
    }
}
