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
