//! A broker in this process and a client of plain sockets, for tests that say exactly which bytes go out.
// Tests are outside the seam, and not each of them uses all of this.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, dead_code)]

use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use ouzel_broker::{Broker, Config};
use ouzel_model::Timestamp;
use ouzel_records::{BatchBuilder, Codec};
use ouzel_wire::create_topics::{CreatableTopic, CreateTopicsRequest};
use ouzel_wire::fetch::{FetchPartition, FetchRequest, FetchTopic};
use ouzel_wire::offset_commit::{OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use ouzel_wire::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use ouzel_wire::{Decoder, Message, Request, decode_response_header, encode_request};

/// Runs a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A directory that goes with its owner.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new(name: &str) -> Dir {
        let dir = std::env::temp_dir().join(format!("ouzel-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Dir(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A broker on free ports.
pub fn start(dir: &Dir, change: impl FnOnce(&mut Config)) -> Broker {
    ouzel_broker::logging::to_stderr("info");
    let mut config = Config::dev().data_dir(&dir.0).any_port();
    (config.admin, config.pin, config.cores) = (None, false, 2);
    change(&mut config);
    block_on(Broker::start(config)).expect("the broker starts")
}

/// A connection.
pub struct Client {
    pub stream: TcpStream,
    next: i32,
}

impl Client {
    pub fn new(broker: &Broker) -> Client {
        Client::at(broker.kafka_addr())
    }

    pub fn at(addr: SocketAddr) -> Client {
        let stream = TcpStream::connect(addr).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, next: 1 }
    }

    pub fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        let correlation = self.next;
        self.next += 1;
        for part in encode_request(version, correlation, Some("test"), request).expect("it can be said") {
            self.stream.write_all(&part).unwrap();
        }
        correlation
    }

    pub fn receive<R: Request>(&mut self, version: i16, correlation: i32) -> R::Response {
        let frame = self.frame().expect("an answer");
        let mut d = Decoder::new(&frame, 1 << 30);
        assert_eq!(decode_response_header(&mut d, R::KEY, version).unwrap(), correlation, "answers come in order");
        R::Response::decode(&mut d, version).expect("a good answer")
    }

    pub fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let correlation = self.send(version, request);
        self.receive::<R>(version, correlation)
    }

    /// The next frame; `None` when the broker closed the connection.
    pub fn frame(&mut self) -> Option<Bytes> {
        let mut size = [0; 4];
        self.stream.read_exact(&mut size).ok()?;
        let mut frame = vec![0; u32::from_be_bytes(size) as usize];
        self.stream.read_exact(&mut frame).ok()?;
        Some(frame.into())
    }
}

/// Creates a topic.
pub fn create(client: &mut Client, name: &str, partitions: i32) {
    let request = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: -1,
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(client.call(7, &request).topics[0].error_code, 0);
}

/// Writes a batch of records, each `value`.
pub fn produce(client: &mut Client, topic: &str, index: i32, records: usize) {
    let mut builder = BatchBuilder::new();
    (0..records).for_each(|_| builder.push(Timestamp(1_000), None, Some(b"value"), &[]));
    let records = Some(builder.build(Codec::None).into());
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: topic.into(),
            partition_data: vec![PartitionProduceData { index, records }],
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(client.call(9, &request).responses[0].partition_responses[0].error_code, 0);
}

/// Reads a partition from its start, once; returns what came.
pub fn fetch(client: &mut Client, topic: &str, partition: i32) -> Vec<u8> {
    let partitions = vec![FetchPartition { partition, partition_max_bytes: 1 << 20, ..Default::default() }];
    let request = FetchRequest {
        min_bytes: 1,
        max_wait_ms: 10_000,
        topics: vec![FetchTopic { topic: topic.into(), partitions, ..Default::default() }],
        ..Default::default()
    };
    let answer = client.call(11, &request).responses.remove(0).partitions.remove(0);
    assert_eq!(answer.error_code, 0);
    answer.records.unwrap_or_default().0.concat()
}

/// Commits by hand, again while the coordinator comes up.
pub fn commit(client: &mut Client, group: &str, topic: &str, offsets: &[(i32, i64)]) {
    let partition = |&(partition_index, committed_offset)| OffsetCommitRequestPartition {
        partition_index,
        committed_offset,
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: group.into(),
        topics: vec![OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: offsets.iter().map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let find = ouzel_wire::find_coordinator::FindCoordinatorRequest { key: group.into(), ..Default::default() };
    for _ in 0..10_000 {
        client.call(1, &find);
        if client.call(8, &request).topics[0].partitions.iter().all(|p| p.error_code == 0) {
            return;
        }
    }
    panic!("the coordinator never comes up");
}

/// CRC-32C, bit by bit.
pub fn crc(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| (crc >> 1) ^ ((crc & 1) * 0x82f6_3b78);
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), bit))
}

/// A frame of whatever key, version and body, with correlation id 1 and a null client id.
pub fn frame(key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = ((10 + body.len()) as u32).to_be_bytes().to_vec();
    frame.extend(key.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend([0, 0, 0, 1, 0xff, 0xff]);
    frame.extend(body);
    frame
}
