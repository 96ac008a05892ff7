//! What a connection may make the broker hold: four times the bytes it sent, and 64 KiB. Counted by the allocator of this process, in
//! which the broker runs.
// Tests are outside the seam.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod raw;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ouzel_broker::Broker;
use ouzel_model::Timestamp;
use ouzel_records::{BatchBuilder, Codec};
use ouzel_wire::ErrorCode;
use ouzel_wire::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use ouzel_wire::fetch::{FetchPartition, FetchRequest, FetchTopic};
use ouzel_wire::metadata::MetadataRequest;
use ouzel_wire::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use peak_alloc::PeakAlloc;
use raw::{Client, Dir, start};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The heap is the process': one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const FACTOR: usize = 4;
const FREE: usize = 64 << 10;

/// A request's frame with the body that `more` makes.
fn frame(key: i16, version: i16, flexible: bool, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = vec![0; 4];
    frame.extend(key.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend([0, 0, 0, 1, 0xff, 0xff]);
    if flexible {
        frame.push(0);
    }
    body(&mut frame);
    let size = (frame.len() - 4) as u32;
    frame[..4].copy_from_slice(&size.to_be_bytes());
    frame
}

fn count(n: usize) -> [u8; 4] {
    (n as u32).to_be_bytes()
}

/// Three letters, different for each number.
fn name(n: usize) -> [u8; 3] {
    let letter = |n: usize| b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[n % 64];
    [letter(n), letter(n / 64), letter(n / 4096)]
}

fn metadata(n: usize) -> Vec<u8> {
    frame(3, 4, false, |b| {
        b.extend(count(n));
        for i in 0..n {
            b.extend([0, 3]);
            b.extend(name(i));
        }
        b.push(0);
    })
}

fn create_topics(n: usize) -> Vec<u8> {
    frame(19, 2, false, |b| {
        b.extend(count(n));
        for i in 0..n {
            b.extend([0, 3]);
            b.extend(name(i));
            // No partitions: refused, each for itself.
            b.extend([0, 0, 0, 0, 0, 1]);
            b.extend([count(0), count(0)].concat());
        }
        b.extend(count(1_000));
        b.push(0);
    })
}

fn offset_fetch(n: usize) -> Vec<u8> {
    frame(9, 8, true, |b| {
        varint(b, n + 1);
        for i in 0..n {
            b.push(4);
            b.extend(name(i));
            b.extend([1, 0]);
        }
        b.extend([0, 0]);
    })
}

fn varint(b: &mut Vec<u8>, mut n: usize) {
    while n >= 128 {
        b.push(n as u8 | 128);
        n >>= 7;
    }
    b.push(n as u8);
}

/// Version 11 without a session.
fn fetch(n: usize, wait_ms: usize) -> Vec<u8> {
    frame(1, 11, false, |b| {
        b.extend((-1i32).to_be_bytes());
        b.extend([count(wait_ms), count(1), count(1 << 20)].concat());
        b.push(0);
        b.extend([count(0), [0xff; 4]].concat());
        b.extend(count(1));
        b.extend([0, 1, b't']);
        b.extend(count(n));
        for i in 0..n {
            b.extend([count(i), [0xff; 4]].concat());
            b.extend([0; 16]);
            b.extend(count(1 << 20));
        }
        b.extend(count(0));
        b.extend([0, 0]);
    })
}

fn produce(n: usize) -> Vec<u8> {
    frame(0, 9, true, |b| {
        b.extend([0, 0xff, 0xff]);
        b.extend(count(1_000));
        b.extend([2, 2, b't']);
        varint(b, n + 1);
        for i in 0..n {
            b.extend(count(i));
            b.extend([0, 0]);
        }
        b.extend([0, 0]);
    })
}

fn describe_configs(n: usize) -> Vec<u8> {
    frame(32, 1, false, |b| {
        b.extend(count(n));
        for i in 0..n {
            b.extend([2, 0, 3]);
            b.extend(name(i));
            b.extend(count(0));
        }
        b.push(0);
    })
}

fn api_versions(n: usize) -> Vec<u8> {
    let one = frame(18, 0, false, |_| {});
    one.repeat(n)
}

/// What handling requests may take for moments, whoever sent them: of each of the two cores.
const MOMENTS: usize = 2 * (24 << 20);

struct Room<'a> {
    broker: &'a Broker,
    /// So many that both cores serve some: whoever is answered knows that its core isn't busy with others' requests.
    honest: Vec<Client>,
    base: usize,
}

impl<'a> Room<'a> {
    fn new(broker: &'a Broker) -> Room<'a> {
        let honest = (0..12).map(|_| Client::new(broker)).collect();
        let mut room = Room { broker, honest, base: 0 };
        room.settle();
        room
    }

    /// Heap bytes once nothing changes any more. Honest clients are served all the while.
    fn settle(&mut self) -> usize {
        let (mut last, mut same) = (0, 0);
        for _ in 0..100_000 {
            let asked = MetadataRequest { topics: Some(vec![]), ..Default::default() };
            for honest in &mut self.honest {
                assert_eq!(honest.call(3, &asked).brokers.len(), 1);
            }
            let now = HEAP.current_usage();
            // Queues and histograms move by a little.
            same = if now.abs_diff(last) < 4_096 { same + 1 } else { 0 };
            last = now;
            if same == 15 {
                return now;
            }
        }
        panic!("the heap never settles");
    }

    /// Sends this on so many connections and closes them: what partitions keep for the next who waits for them is no connection's.
    fn warm(&mut self, bytes: &[u8], connections: usize) {
        let streams: Vec<TcpStream> = (0..connections)
            .map(|_| {
                let mut stream = TcpStream::connect(self.broker.kafka_addr()).unwrap();
                stream.write_all(bytes).unwrap();
                stream
            })
            .collect();
        self.settle();
        drop(streams);
        self.settle();
    }

    /// Sends this on so many connections, none of which takes an answer, and holds the broker to the law. `moments`: what handling may
    /// take besides, for a while.
    fn check(&mut self, what: &str, bytes: &[u8], connections: usize, moments: usize) {
        self.base = self.settle();
        HEAP.reset_peak_usage();
        let mut streams: Vec<TcpStream> =
            (0..connections).map(|_| TcpStream::connect(self.broker.kafka_addr()).unwrap()).collect();
        let mut sent = 0;
        for stream in &mut streams {
            // Some are closed while they send, and some aren't read from any more.
            stream.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
            let mut rest = bytes;
            while let Ok(n @ 1..) = stream.write(rest) {
                rest = &rest[n..];
            }
            sent += bytes.len() - rest.len();
        }
        let held = self.settle().saturating_sub(self.base);
        let peak = HEAP.peak_usage().saturating_sub(self.base);
        let allowed = FACTOR * sent + FREE * connections;
        assert!(held <= allowed, "{what}: {connections} connections sent {sent} bytes and hold {held}");
        assert!(peak <= allowed + moments, "{what}: {connections} connections sent {sent} bytes and took {peak}");
        drop(streams);
        // Who has more requests under way than are read ahead is missed when the first of them is answered.
        let gone = (0..1_000).any(|_| self.settle().saturating_sub(self.base) <= FREE);
        assert!(gone, "{what}: {} bytes stay when the connections have gone", HEAP.current_usage() - self.base);
    }
}

#[test]
fn what_a_connection_makes_the_broker_hold_is_bounded_by_what_it_sent() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = Dir::new("memory");
    let broker = start(&dir, |config| {
        config.set("auto.create.topics.enable", "false").expect("a setting");
    });
    let mut client = Client::new(&broker);
    let created = client.call(7, &many_partitions("t", 2_000));
    assert_eq!(created.topics[0].error_code, 0);
    let mut room = Room::new(&broker);

    // Half-sent, whatever it will be: nothing is decoded.
    for n in [1_000, 300_000] {
        for whole in [metadata(n), create_topics(n), offset_fetch(n), fetch(n, 0), produce(n)] {
            room.check("half a request", &whole[..whole.len() / 2], 8, 0);
        }
    }
    room.check("a few bytes of a large frame", &[6, 0, 0, 0, 0, 0, 0, 9], 64, 0);
    // Sent in one go and waiting for its turn behind a fetch that waits.
    let parked = fetch(1, 60_000);
    for (n, times) in [(10, 60), (3_000, 60), (100_000, 3)] {
        for one in [metadata(n), create_topics(n), offset_fetch(n), describe_configs(n)] {
            room.check("behind a parked fetch", &[&parked[..], &one.repeat(times)].concat(), 4, 0);
        }
    }
    room.check("small ones behind a parked fetch", &[fetch(1, 2_000), api_versions(5_000)].concat(), 4, 0);
    // Parked itself, with all partitions there are.
    let parked = fetch(2_000, 60_000);
    room.warm(&parked, 8);
    room.check("a parked fetch", &parked, 8, MOMENTS);
    // Answers that nobody takes, and what it takes to make them.
    for n in [300, 20_000, 300_000] {
        for connections in [1, 16] {
            room.check("metadata", &metadata(n).repeat(4), connections, MOMENTS);
            room.check("create topics", &create_topics(n), connections, MOMENTS);
            room.check("offset fetch", &offset_fetch(n), connections, MOMENTS);
            room.check("describe configs", &describe_configs(n), connections, MOMENTS);
            room.check("fetch", &fetch(n, 0), connections, MOMENTS);
            room.check("produce", &produce(n), connections, MOMENTS);
        }
    }
    room.check("api versions", &api_versions(20_000), 8, 0);
    // Tags nobody knows are skipped.
    room.check("500,000 tags", &unknown_tags(500_000), 4, 0);
    let mut tagged = TcpStream::connect(broker.kafka_addr()).unwrap();
    tagged.write_all(&unknown_tags(500_000)).unwrap();
    assert!(tagged.read(&mut [0; 4]).is_ok_and(|n| n == 4), "and answered");
    drop((room, client));
    raw::block_on(broker.stop()).unwrap();
}

fn unknown_tags(n: usize) -> Vec<u8> {
    frame(3, 9, true, |b| {
        // No topics, three flags.
        b.extend([1, 0, 0, 0]);
        varint(b, n);
        for tag in 0..n {
            varint(b, tag + 10);
            b.push(0);
        }
    })
}

fn many_partitions(name: &str, partitions: i32) -> CreateTopicsRequest {
    let topic =
        CreatableTopic { name: name.into(), num_partitions: partitions, replication_factor: 1, ..Default::default() };
    CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() }
}

/// One record batch of `value` for partition `partition` of a topic.
fn stored(client: &mut Client, topic: &str, partition: i32, batch: Vec<u8>) -> i16 {
    let partition_data = vec![PartitionProduceData { index: partition, records: Some(batch.into()) }];
    let topic_data = vec![TopicProduceData { name: topic.into(), partition_data, ..Default::default() }];
    let request = ProduceRequest { acks: -1, timeout_ms: 30_000, topic_data, ..Default::default() };
    // The memory for what isn't in segments yet may be used up for a moment.
    let codes = (0..100_000).map(|_| client.call(9, &request).responses[0].partition_responses[0].error_code);
    codes.into_iter().find(|code| *code != ErrorCode::NotEnoughReplicas as i16).expect("room, sooner or later")
}

fn batch(value: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp(1_000), None, Some(value), &[]);
    builder.build(Codec::None)
}

#[test]
fn consumers_that_take_nothing_hold_no_more_than_their_budget() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    const SLOW: usize = 500;
    const BATCH: usize = 1 << 20;
    let dir = Dir::new("slow-fetchers");
    let broker = start(&dir, |config| config.memory = 96 << 20);
    let mut client = Client::new(&broker);
    assert_eq!(client.call(7, &many_partitions("t", 8)).topics[0].error_code, 0);
    let value = vec![7; BATCH - 200];
    for _ in 0..10 {
        for partition in 0..8 {
            assert_eq!(stored(&mut client, "t", partition, batch(&value)), 0);
        }
    }
    let mut room = Room::new(&broker);
    let base = room.settle();
    // Each begins elsewhere, takes all it may, and reads nothing.
    let slow: Vec<Client> = (0..SLOW)
        .map(|n| {
            let mut client = Client::new(&broker);
            client.send(11, &fetch_all((n % 8) as i32, (n / 8 % 10) as i64));
            client
        })
        .collect();
    let held = room.settle().saturating_sub(base);
    // Both cores' room for answers, and one batch of each consumer that came when that was full.
    let allowed = 2 * (64 << 20) + SLOW * (BATCH + FREE);
    assert!(held <= allowed, "{SLOW} consumers hold {held} bytes");
    // Others read and write.
    assert_eq!(stored(&mut room.honest[0], "t", 3, batch(b"more")), 0);
    let read = room.honest[0].call(11, &fetch_all(3, 0));
    let records = read.responses[0].partitions[0].records.as_ref().map_or(0, |r| r.len());
    assert!(records >= BATCH - 200, "{records}");
    drop((slow, read));
    let freed = (0..1_000).any(|_| room.settle() <= base + (64 << 20));
    assert!(freed, "what they held comes back");
    drop((room, client));
    raw::block_on(broker.stop()).unwrap();
}

fn fetch_all(partition: i32, fetch_offset: i64) -> FetchRequest {
    let partitions = vec![FetchPartition {
        partition,
        fetch_offset,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        partition_max_bytes: i32::MAX,
        ..Default::default()
    }];
    let topics = vec![FetchTopic { topic: "t".into(), partitions, ..Default::default() }];
    FetchRequest { min_bytes: 1, max_bytes: i32::MAX, topics, session_epoch: -1, ..Default::default() }
}

/// A batch of one record by its header, and these bytes, compressed by `codec`.
fn packed(codec: u8, records: &[u8]) -> Vec<u8> {
    let mut batch = batch(b"v")[..61].to_vec();
    batch.extend(records);
    let len = (batch.len() - 12) as u32;
    batch[8..12].copy_from_slice(&len.to_be_bytes());
    batch[22] = codec;
    let crc = raw::crc(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}

/// 32 KiB of zstd that become a gibibyte of zeros: a window of 2 MiB, no size declared, blocks of one byte repeated 128 Ki times.
fn zstd_bomb() -> Vec<u8> {
    let block = |last: u32| {
        let header = (128u32 << 10) << 3 | 1 << 1 | last;
        [header as u8, (header >> 8) as u8, (header >> 16) as u8, 0]
    };
    [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 11 << 3][..], &block(0).repeat(8 * 1024 - 1), &block(1)].concat()
}

#[test]
fn a_bomb_is_refused_where_it_would_be_opened_and_kept_where_not() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = Dir::new("bombs");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    // Raw snappy whose first bytes claim 4 GiB.
    let snappy = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, b'x'];
    for compression in ["producer", "lz4", "uncompressed"] {
        let mut create = many_partitions(compression, 1);
        create.topics[0].configs =
            vec![CreatableTopicConfig { name: "compression.type".into(), value: Some(compression.into()) }];
        assert_eq!(client.call(7, &create).topics[0].error_code, 0);
        for (what, bomb) in [("zstd", packed(4, &zstd_bomb())), ("snappy", packed(2, &snappy))] {
            let base = HEAP.current_usage();
            HEAP.reset_peak_usage();
            let code = stored(&mut client, compression, 0, bomb);
            let took = HEAP.peak_usage().saturating_sub(base);
            match compression {
                "producer" => assert!([0, 87].contains(&code), "{what}: {code}"),
                _ => assert_eq!(code, ErrorCode::InvalidRecord as i16, "{what} to {compression}"),
            }
            assert!(took <= 48 << 20, "{what} to {compression} took {took}");
        }
        assert_eq!(stored(&mut client, compression, 0, batch(b"fine")), 0, "the connection stays");
    }
    raw::block_on(broker.stop()).unwrap();
}
