//! Connections as such: idle ones, too many of them, those that end badly, and the broker's own end.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod raw;

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use bytes::Bytes;
use ouzel_broker::Broker;
use ouzel_model::Timestamp;
use ouzel_records::{BatchBuilder, Codec};
use ouzel_wire::fetch::{FetchPartition, FetchRequest, FetchTopic};
use ouzel_wire::metadata::MetadataRequest;
use ouzel_wire::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use raw::{Client, Dir, block_on, start};

/// Round trips until something must have happened.
const TRIES: usize = 200_000;

fn ask(client: &mut Client) {
    assert_eq!(client.call(12, &MetadataRequest::default()).brokers.len(), 1);
}

/// Whether the broker has closed the connection; waits a moment for that.
fn is_closed(client: &mut Client) -> bool {
    client.stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let read = client.stream.read(&mut [0; 1]);
    client.stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    match read {
        Ok(0) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        Ok(_) => panic!("nobody asked"),
    }
}

fn produce(acks: i16, value: &[u8]) -> ProduceRequest {
    let mut batch = BatchBuilder::new();
    batch.push(Timestamp(1_000), None, Some(value), &[]);
    let records = Some(Bytes::from(batch.build(Codec::None)));
    let partition_data = vec![PartitionProduceData { index: 0, records }];
    let topic_data = vec![TopicProduceData { name: "t".into(), partition_data, ..Default::default() }];
    ProduceRequest { acks, timeout_ms: 30_000, topic_data, ..Default::default() }
}

fn fetch(topic: &'static str, offset: i64, max_wait_ms: i32) -> FetchRequest {
    let partitions = vec![FetchPartition {
        fetch_offset: offset,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        partition_max_bytes: i32::MAX,
        ..Default::default()
    }];
    let topics = vec![FetchTopic { topic: topic.into(), partitions, ..Default::default() }];
    FetchRequest { max_wait_ms, min_bytes: 1, max_bytes: i32::MAX, topics, session_epoch: -1, ..Default::default() }
}

#[test]
fn idle_and_half_open_connections_are_closed_and_busy_ones_stay() {
    let dir = Dir::new("idle");
    let broker = start(&dir, |config| config.set("connections.max.idle.ms", "300").expect("a setting"));
    let mut busy = Client::new(&broker);
    let (mut silent, mut asked, mut half) = (Client::new(&broker), Client::new(&broker), Client::new(&broker));
    ask(&mut asked);
    half.stream.write_all(&[0, 0, 1, 0, 0]).unwrap();
    for idle in [&mut silent, &mut asked, &mut half] {
        let closed = (0..TRIES).any(|_| {
            ask(&mut busy);
            is_closed(idle)
        });
        assert!(closed, "it has asked nothing for the longest time");
    }
    // A request under way isn't idleness, however long it waits.
    let made = busy.call(7, &topic("t", &[]));
    assert_eq!(made.topics[0].error_code, 0);
    let waiting = asked_for(&broker, 2_000);
    assert!(waiting, "a fetch waits for longer than a connection may be idle, and is answered");
    block_on(broker.stop()).unwrap();
}

fn asked_for(broker: &Broker, wait_ms: i32) -> bool {
    let response = Client::new(broker).call(11, &fetch("t", 0, wait_ms));
    response.responses.iter().all(|t| t.partitions.iter().all(|p| p.error_code == 0))
}

fn topic(name: &str, configs: &[(&str, &str)]) -> ouzel_wire::create_topics::CreateTopicsRequest {
    use ouzel_wire::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
    let config = |(k, v): &(&str, &str)| CreatableTopicConfig { name: (*k).into(), value: Some((*v).into()) };
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: 1,
        replication_factor: -1,
        configs: configs.iter().map(config).collect(),
        ..Default::default()
    };
    CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() }
}

/// `allowed` connections are served, the next is closed; one that goes makes room for another. The cap is the broker's, on whichever
/// core connections end up.
fn check_cap(setting: &str, allowed: usize) {
    let dir = Dir::new(setting);
    let broker = start(&dir, |config| config.set(setting, &allowed.to_string()).expect("a setting"));
    let mut clients: Vec<Client> = (0..allowed).map(|_| Client::new(&broker)).collect();
    clients.iter_mut().for_each(ask);
    for _ in 0..8 {
        let mut one_more = Client::new(&broker);
        assert!((0..TRIES).any(|_| is_closed(&mut one_more)), "{setting}");
    }
    clients.iter_mut().for_each(ask);
    drop(clients.pop());
    let served = (0..TRIES).any(|_| {
        let mut client = Client::new(&broker);
        client.send(12, &MetadataRequest::default());
        client.frame().is_some()
    });
    assert!(served, "{setting}: there is room again");
    drop(clients);
    block_on(broker.stop()).unwrap();
}

#[test]
fn connections_are_capped_for_the_broker() {
    check_cap("max.connections", 5);
}

#[test]
fn connections_are_capped_for_an_address() {
    check_cap("max.connections.per.ip", 5);
}

#[test]
fn an_address_at_its_cap_leaves_room_for_others() {
    let dir = Dir::new("per-ip-others");
    let broker = start(&dir, |config| {
        config.kafka.push("[::1]:0".parse().unwrap());
        config.set("max.connections.per.ip", "1").expect("a setting");
    });
    let other = broker.ready().kafka[1];
    assert!(other.is_ipv6());
    let (mut first, mut of_other) = (Client::new(&broker), Client::at(other));
    ask(&mut first);
    ask(&mut of_other);
    block_on(broker.stop()).unwrap();
}

#[test]
fn who_takes_no_answer_is_closed_and_others_are_served() {
    let dir = Dir::new("untaken");
    let broker = start(&dir, |config| config.set("connections.max.idle.ms", "400").expect("a setting"));
    let mut honest = Client::new(&broker);
    assert_eq!(honest.call(7, &topic("t", &[("max.message.bytes", "60000000")])).topics[0].error_code, 0);
    // More than socket buffers take.
    let stored = honest.call(9, &produce(-1, &vec![7; 50_000_000]));
    assert_eq!(stored.responses[0].partition_responses[0].error_code, 0);
    let mut slow = Client::new(&broker);
    slow.send(11, &fetch("t", 0, 0));
    let closed = (0..TRIES).any(|_| {
        ask(&mut honest);
        // An error, or the end, behind what fits the buffers: looked at without taking anything.
        let broken = slow.stream.take_error().unwrap().is_some();
        broken || slow.stream.write_all(&[0]).is_err()
    });
    assert!(closed);
    block_on(broker.stop()).unwrap();
}

#[test]
fn a_stop_answers_what_is_under_way_and_waits_for_nobody() {
    let dir = Dir::new("stop");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    assert_eq!(client.call(7, &topic("t", &[("max.message.bytes", "60000000")])).topics[0].error_code, 0);
    assert_eq!(client.call(9, &produce(-1, &vec![7; 50_000_000])).responses[0].partition_responses[0].error_code, 0);
    // A parked fetch, a client that takes no answer, one that sends half a request, and producers.
    let mut parked = Client::new(&broker);
    assert_eq!(client.call(7, &topic("u", &[])).topics[0].error_code, 0);
    let correlation = parked.send(11, &fetch("u", 0, 300_000));
    let mut slow = Client::new(&broker);
    slow.send(11, &fetch("t", 0, 0));
    let mut half = Client::new(&broker);
    half.stream.write_all(&[0, 0, 1, 0, 0]).unwrap();
    ask(&mut client);
    let mut producers: Vec<(Client, Vec<i32>)> = (0..8).map(|_| (Client::new(&broker), Vec::new())).collect();
    for _ in 0..20 {
        for (client, sent) in &mut producers {
            sent.push(client.send(9, &produce(-1, b"v")));
        }
    }
    let began = std::time::Instant::now();
    let stopping = broker.stopper().unwrap();
    stopping.stop();
    // What was read before the stop is answered, in order, with success; then the connection ends.
    let mut acknowledged = 0;
    for (client, sent) in &mut producers {
        for &correlation in sent.iter() {
            let Some(frame) = client.frame() else { break };
            assert_eq!(frame[..4], correlation.to_be_bytes());
            acknowledged += 1;
        }
        assert!(client.frame().is_none());
    }
    let response = parked.receive::<FetchRequest>(11, correlation);
    assert_eq!(response.responses[0].partitions[0].error_code, 0, "a parked fetch ends with what there is");
    assert!(half.frame().is_none());
    broker.wait().unwrap();
    // The bound is the product's, not a measurement: the slow client alone would have waited for ever.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let broker = start(&dir, |_| {});
    let found = Client::new(&broker).call(11, &fetch("t", 1, 0));
    let end = found.responses[0].partitions[0].high_watermark;
    assert!(end > acknowledged, "{acknowledged} were acknowledged, the log ends at {end}");
    block_on(broker.stop()).unwrap();
}
