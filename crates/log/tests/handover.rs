//! Another number of shards: what stands in the new journals, and what is refused. Crashes in between are in `crash.rs`.
// Tests look at files directly.
#![allow(clippy::disallowed_methods)]

mod common;

use std::path::Path;

use common::batch;
use ouzel_log::*;
use ouzel_model::{Index, Offset, ShardId, Term, Timestamp};
use ouzel_runtime::{Runtime, testing};

const LOGS: u8 = 5;
const OLD: Layout = Layout { shards: 2, generation: 0 };

fn config(dir: &Path, shard: u16, layout: u32) -> StoreConfig {
    let mut config = StoreConfig::new(dir.to_owned(), ShardId(shard), [7; 16]);
    (config.journal_file_bytes, config.journal_files, config.layout) = (64 << 10, 5, layout);
    config.storage_min_free = Some(0);
    config
}

fn round_robin(shards: u16) -> impl FnOnce(&[LogId]) -> Vec<ShardId> {
    move |ids| (0..ids.len()).map(|n| ShardId(n as u16 % shards)).collect()
}

/// Two shards with five logs between them; each holds three batches, a blank and a value, and the first also a segment.
async fn lay_out(rt: &Runtime, dir: &Path) {
    for shard in 0..OLD.shards {
        let (store, _) = Store::open(rt, config(dir, shard, 0)).await.unwrap();
        for n in (0..LOGS).filter(|n| u16::from(*n) % OLD.shards == shard) {
            let options = LogOptions {
                dir: format!("topics/t/{n}"),
                name: format!("t/{n}"),
                segment_bytes: 1 << 20,
                segment_ms: 1 << 40,
            };
            let log = store.create(LogId([n; 20]), options, u64::from(n));
            for at in 0..4 {
                let (kind, end) = if at == 3 { (Kind::Blank, 3) } else { (Kind::Batch, at + 1) };
                let payload = if at == 3 { Parts::new() } else { Parts::from_elem(batch(1, at, &[n; 300]), 1) };
                let entry = NewEntry {
                    index: Index(at as u64 + 1),
                    term: Term(1),
                    base_offset: Offset(at),
                    last_offset: Offset(end - 1),
                    kind,
                    payload,
                    max_timestamp: Timestamp(at),
                };
                log.append(vec![entry], AppendMode::Synced).unwrap();
            }
            let ticket = log.set_state(1, vec![n; 4]);
            while log.returned() < ticket {
                store.durable().await;
            }
        }
        store.close().await;
    }
}

async fn check(rt: &Runtime, dir: &Path, layout: Layout) {
    let mut seen = Vec::new();
    for shard in 0..layout.shards {
        let (store, found) = Store::open(rt, config(dir, shard, layout.generation)).await.unwrap();
        for Recovered { id, log, .. } in found {
            seen.push(id.0[0]);
            assert_eq!(log.state(1), Some(vec![id.0[0]; 4]));
            assert_eq!((log.last_index(), log.last_term(), log.log_end()), (Index(4), Term(1), Offset(3)));
            let entries = log.entries(Index(1), Index(5), 1 << 20).await.unwrap();
            assert_eq!(entries.len(), 4);
            assert!(entries[..3].iter().all(|e| e.payload[61..] == [id.0[0]; 300]));
        }
        store.close().await;
        assert!(verify(rt, &config(dir, shard, layout.generation)).await.unwrap().is_clean());
    }
    seen.sort();
    assert_eq!(seen, (0..LOGS).collect::<Vec<_>>());
}

#[test]
fn every_log_has_one_new_owner_and_all_it_held() {
    testing::run(|rt| async move {
        let temp = testing::TempDir::new();
        let dir = temp.path();
        lay_out(&rt, dir).await;
        let mut layout = OLD;
        for shards in [1, 3, 2, 8] {
            let (next, done) = hand_over(&rt, &config(dir, 0, 0), layout, shards, round_robin(shards)).await.unwrap();
            assert_eq!((next.shards, next.generation, done.logs), (shards, layout.generation + 1, usize::from(LOGS)));
            // Until the new one is named, the old one is as it was.
            check(&rt, dir, layout).await;
            let (again, _) = hand_over(&rt, &config(dir, 0, 0), layout, shards, round_robin(shards)).await.unwrap();
            assert_eq!(again, next);
            free_layouts(&rt, dir, next).await.unwrap();
            assert!(other_layouts(&rt, dir, next.generation).await.unwrap().is_empty());
            check(&rt, dir, next).await;
            layout = next;
        }
    });
}

#[test]
fn a_new_journal_has_its_golden_bytes() {
    testing::run(|rt| async move {
        let temp = testing::TempDir::new();
        let dir = temp.path();
        lay_out(&rt, dir).await;
        hand_over(&rt, &config(dir, 0, 0), OLD, 1, round_robin(1)).await.unwrap();
        let read = |name: &str| std::fs::read(dir.join("shard-0.1").join(name)).unwrap();
        let (journal, slots) = (read("journal/000001.j"), [read("state.ckpt.0"), read("state.ckpt.1")]);
        assert_eq!((journal.len(), slots[0].len()), (8192, 4096));
        let crcs = [crc32c::crc32c(&journal), crc32c::crc32c(&slots[0]), crc32c::crc32c(&slots[1])];
        assert_eq!(crcs, GOLDEN, "{crcs:#x?}");
    });
}
const GOLDEN: [u32; 3] = [0x5060_cd40, 0x809d_4cad, 0xfe53_ca85];

#[test]
fn without_room_nothing_is_begun_and_the_figures_are_told() {
    testing::run(|rt| async move {
        let temp = testing::TempDir::new();
        let dir = temp.path();
        lay_out(&rt, dir).await;
        let huge = StoreConfig { journal_file_bytes: 1 << 60, ..config(dir, 0, 0) };
        let refused = hand_over(&rt, &huge, OLD, 3, round_robin(3)).await.unwrap_err();
        let HandOverError::NoRoom { needed, free, .. } = &refused else { panic!("{refused}") };
        assert!(*needed >= 3 << 60 && *free > 0, "{refused}");
        assert!(other_layouts(&rt, dir, 0).await.unwrap().is_empty());
        check(&rt, dir, OLD).await;
    });
}

#[test]
fn nothing_is_freed_when_a_journal_of_the_layout_that_counts_is_missing() {
    testing::run(|rt| async move {
        let temp = testing::TempDir::new();
        let dir = temp.path();
        lay_out(&rt, dir).await;
        let (new, _) = hand_over(&rt, &config(dir, 0, 0), OLD, 3, round_robin(3)).await.unwrap();
        std::fs::rename(dir.join("shard-2.1"), dir.join("elsewhere")).unwrap();
        let missing = |layout| {
            let rt = rt.clone();
            async move { matches!(free_layouts(&rt, dir, layout).await, Err(HandOverError::Missing { .. })) }
        };
        assert!(missing(new).await);
        std::fs::remove_dir_all(dir.join("shard-1")).unwrap();
        assert!(missing(OLD).await);
        assert_eq!(other_layouts(&rt, dir, 0).await.unwrap(), ["shard-0.1", "shard-1.1"]);
        assert!(dir.join("shard-0").exists());
    });
}

#[test]
fn a_journal_with_bad_blocks_isnt_handed_over() {
    testing::run(|rt| async move {
        let temp = testing::TempDir::new();
        let dir = temp.path();
        lay_out(&rt, dir).await;
        // The second block is the first log's.
        let path = dir.join("shard-1/journal/000001.j");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4096 + 100] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let refused = hand_over(&rt, &config(dir, 0, 0), OLD, 1, round_robin(1)).await.unwrap_err();
        assert!(matches!(refused, HandOverError::Unreadable { shard: ShardId(1), .. }), "{refused}");
        assert!(other_layouts(&rt, dir, 0).await.unwrap().is_empty());
    });
}
