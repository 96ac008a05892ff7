//! The store against the real disk, in temporary directories.

mod common;

use common::batch;
use ouzel_log::*;
use ouzel_model::{Index, Offset, ShardId, Term, Timestamp};
use ouzel_runtime::{Runtime, testing};

const ID: LogId = LogId(*b"topic-id-16bytes\0\0\0\x01");

fn config(dir: &testing::TempDir) -> StoreConfig {
    let mut config = StoreConfig::new(dir.path().to_owned(), ShardId(0), [7; 16]);
    config.journal_file_bytes = 256 << 10;
    config.journal_files = 6;
    config.storage_min_free = Some(0);
    config
}

fn options(n: u8) -> LogOptions {
    LogOptions { dir: format!("topics/t/{n}"), name: format!("t/{n}"), segment_bytes: 64 << 10, segment_ms: 1 << 40 }
}

fn entry(log: &Log, term: u32, records: i32, body: &[u8]) -> NewEntry {
    let base = log.log_end();
    NewEntry {
        index: log.last_index().next(),
        term: Term(term),
        base_offset: base,
        last_offset: Offset(base.0 + i64::from(records) - 1),
        kind: Kind::Batch,
        payload: Parts::from_elem(batch(records, base.0, body), 1),
        max_timestamp: Timestamp(base.0),
    }
}

fn blank(log: &Log, term: u32) -> NewEntry {
    let base = log.log_end();
    NewEntry {
        index: log.last_index().next(),
        term: Term(term),
        base_offset: base,
        last_offset: Offset(base.0 - 1),
        kind: Kind::Blank,
        payload: Parts::new(),
        max_timestamp: Timestamp(i64::MIN),
    }
}

async fn settled(store: &Store, log: &Log, ticket: Ticket) {
    while log.returned() < ticket {
        store.durable().await;
    }
}

async fn read_all(log: &Log) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = log.log_start();
    while at < log.log_end() {
        let limit = ReadLimit { max_bytes: 100_000, end: log.log_end(), at_least_one: true };
        let read = log.read(at, limit).await.unwrap();
        read.slices.iter().for_each(|s| out.extend_from_slice(s));
        assert!(read.next.unwrap() > at);
        at = read.next.unwrap();
    }
    out
}

async fn open(rt: &Runtime, config: &StoreConfig) -> (Store, Vec<Recovered>) {
    Store::open(rt, config.clone()).await.unwrap()
}

#[test]
fn what_was_acknowledged_is_there_after_a_start() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let config = config(&dir);
        let (store, _) = open(&rt, &config).await;
        let log = store.create(ID, options(1), 9);
        let vote = log.set_state(1, b"vote".to_vec());
        assert_eq!(log.append(vec![blank(&log, 1)], AppendMode::Synced).unwrap(), Ticket(vote.0 + 1));
        let mut last = vote;
        for n in 0..20u8 {
            last = log.append(vec![entry(&log, 1, 3, &[n; 100])], AppendMode::Synced).unwrap();
        }
        settled(&store, &log, last).await;
        let bytes = read_all(&log).await;
        assert_eq!(log.log_end(), Offset(60));
        // No close: as after a kill.
        drop((store, log));
        let (store, mut recovered) = open(&rt, &config).await;
        let log = recovered.pop().unwrap().log;
        assert_eq!((log.id(), log.last_index(), log.log_end()), (ID, Index(21), Offset(60)));
        assert_eq!(log.state(1).as_deref(), Some(&b"vote"[..]));
        assert_eq!(read_all(&log).await, bytes);
        assert_eq!(log.term_at(Index(1)), Some(Term(1)));
        store.attach(&log, 5, options(1));
        let cut = log.truncate(Index(10));
        settled(&store, &log, cut).await;
        let again = log.append(vec![entry(&log, 2, 1, b"new")], AppendMode::Synced).unwrap();
        settled(&store, &log, again).await;
        store.close().await;
        let (_store, mut recovered) = open(&rt, &config).await;
        let log = recovered.pop().unwrap().log;
        assert_eq!((log.last_index(), log.last_term(), log.log_end()), (Index(10), Term(2), Offset(25)));
        assert_eq!(log.term_table().len(), 2);
    });
}

#[test]
fn committed_entries_go_to_segments_and_the_ring_goes_round() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let config = config(&dir);
        let (store, _) = open(&rt, &config).await;
        let log = store.create(ID, options(1), 9);
        let mut expect = Vec::new();
        // About ten laps of the ring.
        for n in 0..1500u32 {
            let new = entry(&log, 1 + n / 500, 2, &[n as u8; 10_000]);
            let ticket = loop {
                match log.append(vec![new.clone()], AppendMode::Synced) {
                    Ok(ticket) => break ticket,
                    Err(AppendRefused::Busy { .. } | AppendRefused::Pinned { .. }) => rt.yield_now().await,
                    Err(refused) => panic!("{refused}"),
                }
            };
            settled(&store, &log, ticket).await;
            log.committed(log.last_index());
            expect.push(n as u8);
        }
        assert!(log.segments().len() > 100, "{}", log.segments().len());
        let check = |bytes: Vec<u8>| {
            assert_eq!(bytes.len(), 1500 * 10_061);
            for (n, b) in bytes.chunks(10_061).enumerate() {
                assert_eq!((b[7], b[6], b[100]), ((2 * n) as u8, ((2 * n) >> 8) as u8, n as u8));
                assert_eq!(b[15], 1 + (n / 500) as u8);
            }
        };
        check(read_all(&log).await);
        drop((store, log));
        let (store, mut recovered) = open(&rt, &config).await;
        let log = recovered.pop().unwrap().log;
        assert_eq!(log.damage(), None);
        assert_eq!(log.log_end(), Offset(3000));
        check(read_all(&log).await);
        store.attach(&log, 1, options(1));
        let hit = log.offset_for_time(Timestamp(1001), Offset(3000)).await.unwrap().unwrap();
        assert_eq!((hit.base_offset, hit.max_timestamp), (Offset(1002), Timestamp(1002)));
        assert_eq!(log.max_timestamp(Offset(2000)).await.unwrap().unwrap().base_offset, Offset(1998));
        let ticket = log.set_log_start(Offset(1501));
        settled(&store, &log, ticket).await;
        assert!(log.first_index() > Index(600), "{}", log.first_index());
        assert!(matches!(
            log.read(Offset(7), ReadLimit { max_bytes: 1, end: Offset(9), at_least_one: true }).await,
            Err(ReadError::OutOfRange { .. })
        ));
        store.close().await;
        let (_store, mut recovered) = open(&rt, &config).await;
        let log = recovered.pop().unwrap().log;
        assert_eq!(log.log_start(), Offset(1501));
        assert_eq!(read_all(&log).await.len(), 750 * 10_061);
    });
}

/// Appends and waits until it is durable.
async fn put(store: &Store, log: &Log, new: NewEntry) {
    let ticket = log.append(vec![new], AppendMode::Synced).unwrap();
    settled(store, log, ticket).await;
}

#[test]
fn an_entry_larger_than_a_journal_file_gets_a_file_of_its_own_and_larger_ones_are_refused() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let mut config = config(&dir);
        config.journal_entry_bytes_max = 1 << 20;
        let (store, _) = open(&rt, &config).await;
        let log = store.create(ID, options(1), 9);
        put(&store, &log, entry(&log, 1, 1, b"small")).await;
        log.committed(Index(1));
        put(&store, &log, entry(&log, 1, 1, &vec![7; 600_000])).await;
        log.committed(Index(2));
        put(&store, &log, entry(&log, 1, 1, b"small")).await;
        let refused = log.append(vec![entry(&log, 1, 1, &vec![7; 1 << 20])], AppendMode::Synced);
        assert!(matches!(refused, Err(AppendRefused::TooLarge { max: 1_048_576, .. })), "{refused:?}");
        let bytes = read_all(&log).await;
        drop((store, log));
        let (store, mut recovered) = open(&rt, &config).await;
        let log = recovered.pop().unwrap().log;
        assert_eq!(read_all(&log).await, bytes);
        store.attach(&log, 1, options(1));
        log.committed(log.last_index());
        log.seal().await;
        store.close().await;
        assert!(verify(&rt, &config).await.unwrap().is_clean());
    });
}

#[test]
fn a_removed_log_takes_its_directory_along_and_its_id_may_return() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let config = config(&dir);
        let (store, _) = open(&rt, &config).await;
        let log = store.create(ID, options(1), 9);
        for _ in 0..10 {
            put(&store, &log, entry(&log, 1, 1, &[1; 5000])).await;
        }
        log.committed(log.last_index());
        log.seal().await;
        assert!(dir.path().join("topics/t/1").exists());
        store.remove(ID).await.unwrap();
        assert!(!dir.path().join("topics/t/1").exists());
        assert_eq!(log.append(vec![entry(&log, 1, 1, b"x")], AppendMode::Synced), Err(AppendRefused::Closed));
        let again = store.create(ID, options(1), 10);
        assert_eq!((again.last_index(), again.log_end()), (Index(0), Offset(0)));
        put(&store, &again, entry(&again, 1, 1, b"new life")).await;
        drop((store, log, again));
        let (_store, mut recovered) = open(&rt, &config).await;
        assert_eq!(recovered.len(), 1);
        assert_eq!(recovered.pop().unwrap().log.log_end(), Offset(1));
    });
}

#[test]
fn a_reset_log_begins_anew_and_nothing_old_returns() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let config = config(&dir);
        let (store, _) = open(&rt, &config).await;
        let log = store.create(ID, options(1), 9);
        for _ in 0..10 {
            put(&store, &log, entry(&log, 1, 1, &[1; 5000])).await;
        }
        log.committed(Index(5));
        log.seal().await;
        let origin = Origin { index: Index(7), term: Term(3), offset: Offset(100) };
        let ticket = log.reset(origin);
        settled(&store, &log, ticket).await;
        assert_eq!((log.first_index(), log.last_term(), log.log_end()), (Index(8), Term(3), Offset(100)));
        put(&store, &log, entry(&log, 4, 2, b"behind it")).await;
        drop((store, log));
        for _ in 0..2 {
            let (store, mut recovered) = open(&rt, &config).await;
            let log = recovered.pop().unwrap().log;
            assert_eq!((log.origin(), log.log_start(), log.last_index()), (origin, Offset(100), Index(8)));
            assert_eq!(log.log_end(), Offset(102));
            store.attach(&log, 1, options(1));
            log.committed(Index(8));
            log.seal().await;
            store.close().await;
        }
        let files = rt.disk().read_dir(&dir.path().join("topics/t/1")).await.unwrap();
        assert_eq!(files.len(), 1, "{files:?}");
    });
}

#[test]
fn write_cached_tickets_come_back_before_the_sync_and_a_synced_one_takes_them_along() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let mut config = config(&dir);
        config.flush_ms = 1 << 40;
        config.flush_bytes = 1 << 40;
        let (store, _) = open(&rt, &config).await;
        let log = store.create(ID, options(1), 9);
        for _ in 0..5 {
            let ticket = log.append(vec![entry(&log, 1, 1, b"cached")], AppendMode::Cached).unwrap();
            settled(&store, &log, ticket).await;
        }
        put(&store, &log, entry(&log, 1, 1, b"synced")).await;
        store.close().await;
        let (_store, mut recovered) = open(&rt, &config).await;
        assert_eq!(recovered.pop().unwrap().log.log_end(), Offset(6));
    });
}

#[test]
fn below_storage_min_free_appends_are_refused_with_figures_until_there_is_room() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let mut config = config(&dir);
        config.storage_min_free = Some(u64::MAX);
        let (store, _) = open(&rt, &config).await;
        let log = store.create(ID, options(1), 9);
        let refused = log.append(vec![entry(&log, 1, 1, b"x")], AppendMode::Synced).unwrap_err();
        assert!(matches!(&refused, AppendRefused::Full { path, .. } if path == dir.path()), "{refused}");
        assert!(store.health().refuses());
        // Votes go on.
        let vote = log.set_state(1, b"vote".to_vec());
        settled(&store, &log, vote).await;
    });
}

/// Section 3 of the log's footers holds its commit index.
fn tell_commits(log: &Log) {
    let source = log.clone();
    log.set_sections(std::rc::Rc::new(move || vec![(3, source.commit_index().0.to_le_bytes().to_vec())]));
}

#[test]
fn sections_come_back_with_the_newest_footer() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let config = config(&dir);
        let (store, _) = open(&rt, &config).await;
        let log = store.create(ID, options(1), 9);
        tell_commits(&log);
        assert!(log.recovered_sections().await.unwrap().is_empty());
        for n in 0..4 {
            put(&store, &log, entry(&log, 1, 1, &[1; 100])).await;
            log.committed(Index(n + 1));
            log.seal().await;
            assert_eq!(log.segments().len() as u64, n + 1);
        }
        store.close().await;
        let (_store, mut recovered) = open(&rt, &config).await;
        let log = recovered.pop().unwrap().log;
        assert_eq!(log.recovered_sections().await.unwrap(), vec![(3, 4u64.to_le_bytes().to_vec())]);
    });
}

#[test]
fn sections_outlive_the_segments_they_tell_of() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let config = config(&dir);
        let (store, _) = open(&rt, &config).await;
        let log = store.create(ID, options(1), 9);
        tell_commits(&log);
        for n in 0..3 {
            put(&store, &log, entry(&log, 1, 1, &[1; 100])).await;
            log.committed(Index(n + 1));
            log.seal().await;
        }
        let ticket = log.set_log_start(Offset(3));
        settled(&store, &log, ticket).await;
        while !log.segments().iter().all(|s| s.end_offset == s.base_offset) {
            store.relieved().await;
        }
        assert_eq!(log.origin().offset, Offset(3));
        let behind = log.set_state(1, b"behind the trim".to_vec());
        settled(&store, &log, behind).await;
        // No clean end: what is known must be on the disk already.
        drop((log, store));
        let (store, mut recovered) = open(&rt, &config).await;
        let log = recovered.pop().unwrap().log;
        assert_eq!((log.log_start(), log.log_end()), (Offset(3), Offset(3)));
        assert_eq!(log.recovered_sections().await.unwrap(), vec![(3, 3u64.to_le_bytes().to_vec())]);
        // The empty segment takes what comes next.
        store.attach(&log, 9, options(1));
        put(&store, &log, entry(&log, 1, 1, &[2; 100])).await;
        log.committed(Index(4));
        log.seal().await;
        assert!(log.segments().iter().any(|s| s.sealed));
        let bytes = read_all(&log).await;
        store.close().await;
        assert!(verify(&rt, &config).await.unwrap().is_clean());
        let (_store, mut recovered) = open(&rt, &config).await;
        assert_eq!(read_all(&recovered.pop().unwrap().log).await, bytes);
    });
}

#[test]
fn only_a_log_that_was_taken_up_gives_its_tickets_to_a_token() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let config = config(&dir);
        let other = LogId([2; 20]);
        let (store, _) = open(&rt, &config).await;
        for (n, id) in [(1, ID), (2, other)] {
            let log = store.create(id, options(n), u64::from(n));
            put(&store, &log, entry(&log, 1, 1, b"x")).await;
        }
        store.close().await;
        let (store, _) = open(&rt, &config).await;
        // As of a topic that was deleted before the start: the driver must take its record for nobody else's.
        store.remove(other).await.unwrap();
        assert_eq!(store.take_durable(), []);
        let log = store.log(ID).unwrap();
        store.attach(&log, 7, options(1));
        let vote = log.set_state(1, b"vote".to_vec());
        assert_eq!(store.durable().await, [(7, vote)]);
    });
}

#[test]
fn directories_that_no_log_knows_are_moved_aside() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        for name in ["topics/a/0", "topics/a/1"] {
            rt.disk().create_dir_all(&dir.path().join(name)).await.unwrap();
            rt.disk().write_atomic(&dir.path().join(name).join("x"), b"kept".to_vec()).await.unwrap();
        }
        let known = ["topics/a/1".to_owned()].into();
        let moved = quarantine_unknown(&rt, dir.path(), &known).await.unwrap();
        assert_eq!(moved, ["topics/a/0"]);
        assert!(dir.path().join("topics/a/1/x").exists());
        let found = rt.disk().read_dir(&dir.path().join("lost+found")).await.unwrap();
        assert_eq!(found.len(), 1);
    });
}

#[test]
fn many_logs_share_one_journal_and_a_small_memory() {
    testing::run(|rt| async move {
        let dir = testing::TempDir::new();
        let mut config = config(&dir);
        config.chunk_bytes_max = 512 << 10;
        let (store, _) = open(&rt, &config).await;
        let logs: Vec<Log> = (0..100).map(|n| store.create(LogId([n; 20]), options(n), n.into())).collect();
        for round in 0..20u8 {
            let mut tickets = Vec::new();
            for log in &logs {
                let new = entry(log, 1, 1, &[round; 2000]);
                tickets.push(loop {
                    match log.append(vec![new.clone()], AppendMode::Synced) {
                        Ok(ticket) => break ticket,
                        Err(AppendRefused::Busy { .. }) => store.relieved().await,
                        Err(refused) => panic!("{refused}"),
                    }
                });
            }
            for (log, ticket) in logs.iter().zip(tickets) {
                settled(&store, log, ticket).await;
                log.committed(log.last_index());
            }
        }
        store.close().await;
        assert!(verify(&rt, &config).await.unwrap().is_clean());
        let (_store, recovered) = open(&rt, &config).await;
        assert_eq!(recovered.len(), 100);
        for found in recovered {
            let bytes = read_all(&found.log).await;
            assert_eq!(bytes.len(), 20 * 2061);
            assert!(bytes.chunks(2061).enumerate().all(|(round, b)| b[61..].iter().all(|x| *x == round as u8)));
        }
    });
}
