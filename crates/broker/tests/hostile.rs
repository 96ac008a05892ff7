//! What hostile or broken peers send: a close or the protocol's error, and nobody else is harmed.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod raw;

use std::io::Write;

use bytes::Bytes;
use ouzel_model::Timestamp;
use ouzel_records::{BatchBuilder, Codec};
use ouzel_wire::ErrorCode;
use ouzel_wire::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use ouzel_wire::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use ouzel_wire::fetch::{FetchPartition, FetchRequest, FetchTopic};
use ouzel_wire::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use ouzel_wire::metadata::{MetadataRequest, MetadataRequestTopic};
use ouzel_wire::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use raw::{Client, Dir, frame, start};

fn topic(name: &str, partitions: i32, configs: &[(&str, &str)]) -> CreateTopicsRequest {
    CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: -1,
            configs: configs
                .iter()
                .map(|(k, v)| CreatableTopicConfig { name: (*k).into(), value: Some((*v).into()) })
                .collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn batch(value: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp(1_000), None, Some(value), &[]);
    builder.build(Codec::None)
}

fn produce(acks: i16, records: Option<Bytes>) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: "t".into(),
            partition_data: vec![PartitionProduceData { index: 0, records }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn produced(client: &mut Client, acks: i16, records: Vec<u8>) -> (i16, i64) {
    let response = client.call(9, &produce(acks, Some(records.into())));
    let partition = &response.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

#[test]
fn a_broken_peer_is_cut_off_and_others_go_on() {
    let dir = Dir::new("hostile");
    let broker = start(&dir, |_| {});
    let mut honest = Client::new(&broker);
    assert_eq!(honest.call(7, &topic("t", 1, &[])).topics[0].error_code, 0);

    let cut: &[(&str, Vec<u8>)] = &[
        ("an HTTP request", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("a TLS hello", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0]),
        ("a negative size", (-5i32).to_be_bytes().to_vec()),
        ("a size over all limits", i32::MAX.to_be_bytes().to_vec()),
        ("a size below any header", vec![0, 0, 0, 3, 0, 3, 0]),
        ("a size over Kafka's own limit", [&(100 * 1024 * 1024 + 1i32).to_be_bytes()[..], &[0, 0]].concat()),
        ("nine bytes", vec![0, 0, 0, 9, 0, 18, 0, 0, 0, 0, 0, 1, 0]),
        ("8 MiB and one of metadata", [&(8 * 1024 * 1024 + 1i32).to_be_bytes()[..], &[0, 3]].concat()),
        ("an unknown key", frame(999, 0, &[])),
        ("a key that only controllers serve", frame(52, 0, &[])),
        ("a key that isn't offered", frame(24, 0, &[])),
        ("transactions in the name of brokers", frame(24, 4, &[])),
        ("transaction markers", frame(27, 1, &[])),
        ("share groups' state", frame(83, 0, &[])),
        ("share groups' state, read", frame(84, 0, &[])),
        ("share groups' state, written", frame(85, 1, &[])),
        ("share groups' state, deleted", frame(86, 0, &[])),
        ("share groups' state, summed up", frame(87, 1, &[])),
        ("a produce version of long ago", frame(0, 2, &[])),
        ("a version of the future", frame(3, 99, &[])),
        ("2^31-1 topics in four bytes", frame(3, 4, &[0x7f, 0xff, 0xff, 0xff])),
        ("a topic name that isn't text", frame(3, 1, &[0, 0, 0, 1, 0, 2, 0xff, 0xfe])),
        ("a body that ends early", frame(3, 4, &[0, 0, 0, 2, 0, 1])),
        ("a null where none is legal", frame(3, 1, &[0, 0, 0, 1, 0xff, 0xff])),
        ("a length of -2", frame(3, 1, &[0, 0, 0, 1, 0xff, 0xfe])),
        ("an array of -2", frame(3, 1, &[0xff, 0xff, 0xff, 0xfe])),
        ("a null array where none is legal", frame(19, 2, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0])),
        ("a varint of six bytes", frame(3, 9, &[0, 0x81, 0x80, 0x80, 0x80, 0x80, 0])),
        ("a varint over 32 bits", frame(3, 9, &[0, 0x81, 0x80, 0x80, 0x80, 0x10])),
        ("a tag past the end", frame(3, 9, &[0, 1, 1, 0, 0, 1, 7, 100])),
        ("a tag twice", frame(3, 9, &[0, 1, 1, 0, 0, 2, 7, 0, 7, 0])),
        ("a header's tag twice", frame(3, 9, &[2, 7, 0, 7, 0])),
        ("a compact length that overflows", frame(3, 9, &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
    ];
    for (what, bytes) in cut {
        let mut client = Client::new(&broker);
        client.stream.write_all(bytes).unwrap();
        assert!(client.frame().is_none(), "{what}: the connection is closed without an answer");
        assert_eq!(produced(&mut honest, -1, batch(b"fine")).0, 0, "{what}: others go on");
    }
    raw::block_on(broker.stop()).unwrap();
}

#[test]
fn bad_batches_get_their_code_and_the_connection_stays() {
    let dir = Dir::new("bad-batches");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    assert_eq!(client.call(7, &topic("t", 1, &[])).topics[0].error_code, 0);
    let good = batch(b"v");
    let with = |at: usize, bytes: &[u8]| {
        let mut batch = good.clone();
        batch[at..at + bytes.len()].copy_from_slice(bytes);
        batch
    };
    use ErrorCode as E;
    for (what, acks, records, code) in [
        ("good", -1, good.clone(), E::None),
        ("good, acks=1", 1, good.clone(), E::None),
        ("acks=2", 2, good.clone(), E::InvalidRequiredAcks),
        ("wrong CRC", -1, with(17, &[1, 2, 3, 4]), E::CorruptMessage),
        ("magic 1", -1, with(16, &[1]), E::InvalidRecord),
        ("magic 3", -1, with(16, &[3]), E::CorruptMessage),
        ("base offset 5", -1, with(7, &[5]), E::InvalidRecord),
        ("two batches", -1, [good.clone(), good.clone()].concat(), E::InvalidRecord),
        ("cut", -1, good[..good.len() - 1].to_vec(), E::InvalidRecord),
        ("empty", -1, Vec::new(), E::InvalidRecord),
        ("over max.message.bytes", -1, batch(&vec![7; 1_048_588]), E::MessageTooLarge),
    ] {
        assert_eq!(produced(&mut client, acks, records).0, code as i16, "{what}");
    }
    // acks=0: no answer to a good one, a close for a bad one.
    client.send(9, &produce(0, Some(good.into())));
    assert_eq!(produced(&mut client, -1, batch(b"w")), (0, 3));
    client.send(9, &produce(0, Some(Bytes::from_static(b"junk"))));
    assert!(client.frame().is_none(), "the only way to tell");
    raw::block_on(broker.stop()).unwrap();
}

/// A batch with these records, that many of them by its header, and all else as it should be.
fn batch_of(count: i32, records: &[u8]) -> Vec<u8> {
    let mut batch = batch(b"v")[..61].to_vec();
    batch.extend(records);
    let len = (batch.len() - 12) as u32;
    batch[8..12].copy_from_slice(&len.to_be_bytes());
    batch[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    batch[57..61].copy_from_slice(&count.to_be_bytes());
    let crc = raw::crc(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}

#[test]
fn a_batch_that_lies_about_its_records_is_refused() {
    let dir = Dir::new("lying");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    assert_eq!(client.call(7, &topic("t", 1, &[])).topics[0].error_code, 0);
    let record = &batch(b"v")[61..];
    assert_eq!(produced(&mut client, -1, batch_of(1, record)), (0, 0), "the control");
    let (huge, one) = ([0xfe, 0xff, 0xff, 0xff, 0x0f], [1, 0, 0, 0, 1, 2, b'v']);
    for (what, count, records) in [
        ("two records, one there", 2, record.to_vec()),
        ("one record, two there", 1, [record, record].concat()),
        ("none", 0, Vec::new()),
        ("2^31-1 records", i32::MAX, record.to_vec()),
        ("a negative count", -3, record.to_vec()),
        ("2^31-1 headers", 1, [&[24][..], &one[1..], &huge].concat()),
        ("a record of 2^31-1 bytes", 1, [&huge[..], &one[1..], &[0]].concat()),
        ("a record past the end", 1, [&[18][..], &one[1..], &[0]].concat()),
        ("a value past its record", 1, [&[16][..], &[0, 0, 0, 1, 40, b'v', 0, 0]].concat()),
        ("a negative value length", 1, [&[14][..], &[0, 0, 0, 1, 5, b'v', 0]].concat()),
    ] {
        let (code, offset) = produced(&mut client, -1, batch_of(count, &records));
        let refused = [ErrorCode::InvalidRecord as i16, ErrorCode::CorruptMessage as i16].contains(&code);
        assert!(refused && offset == -1, "{what}: {code}, {offset}");
    }
    assert_eq!(produced(&mut client, -1, batch(b"w")), (0, 1), "nothing of it was stored, and the connection stays");
    raw::block_on(broker.stop()).unwrap();
}

#[test]
fn nobody_is_served_as_a_replica() {
    let dir = Dir::new("replica");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    assert_eq!(client.call(7, &topic("t", 1, &[])).topics[0].error_code, 0);
    let refused = ErrorCode::ClusterAuthorizationFailed as i16;
    for replica in [0, 1, 7] {
        let old = FetchRequest { replica_id: replica, ..Default::default() };
        assert_eq!(client.call(12, &old).error_code, refused);
        let mut new = FetchRequest::default();
        new.replica_state.replica_id = replica;
        assert_eq!(client.call(15, &new).error_code, refused);
        let topics = vec![ListOffsetsTopic {
            name: "t".into(),
            partitions: vec![ListOffsetsPartition { timestamp: -1, ..Default::default() }],
        }];
        let lists = ListOffsetsRequest { replica_id: replica, topics, ..Default::default() };
        assert_eq!(client.call(7, &lists).topics[0].partitions[0].error_code, refused);
    }
    raw::block_on(broker.stop()).unwrap();
}

#[test]
fn api_versions_answers_every_version() {
    let dir = Dir::new("api-versions");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    let named = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1.0".into(),
        ..Default::default()
    };
    for version in 0..=5 {
        let response: ApiVersionsResponse = client.call(version, &named);
        assert_eq!(response.error_code, 0, "version {version}");
        assert!(response.api_keys.iter().any(|k| (k.api_key, k.min_version, k.max_version) == (0, 0, 13)));
    }
    let unnamed = ApiVersionsRequest { client_software_name: "bad name!".into(), ..named };
    assert_eq!(client.call(3, &unnamed).error_code, ErrorCode::InvalidRequest as i16);
    // A version of the future is answered in version 0.
    client.stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 99, 0, 0, 0, 7, 0xff, 0xff]).unwrap();
    let frame = client.frame().expect("an answer");
    assert_eq!(frame[..6], [0, 0, 0, 7, 0, 35]);
    raw::block_on(broker.stop()).unwrap();
}

#[test]
fn large_records_and_many_partitions_fit() {
    let dir = Dir::new("large");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    assert_eq!(client.call(7, &topic("t", 1, &[("max.message.bytes", "11000000")])).topics[0].error_code, 0);
    let value = vec![b'x'; 10_000_000];
    assert_eq!(produced(&mut client, -1, batch(&value)), (0, 0));
    let create = CreateTopicsRequest {
        topics: (0..5_000)
            .map(|n| CreatableTopic {
                name: format!("many-{n}").into(),
                num_partitions: 2,
                replication_factor: 1,
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    assert!(client.call(7, &create).topics.iter().all(|t| t.error_code == 0));
    let all = client.call(12, &MetadataRequest { topics: None, ..Default::default() });
    assert_eq!(all.topics.len(), 5_001);
    assert!(all.topics.iter().flat_map(|t| &t.partitions).all(|p| p.error_code == 0 && p.leader_id == 1));
    let fetch = FetchRequest {
        max_bytes: i32::MAX,
        topics: (0..5_000)
            .map(|n| (format!("many-{n}"), 2))
            .chain([("t".to_string(), 1)])
            .map(|(topic, count)| FetchTopic {
                topic: topic.into(),
                partitions: (0..count)
                    .map(|partition| FetchPartition { partition, partition_max_bytes: 1 << 20, ..Default::default() })
                    .collect(),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    };
    let fetched = client.call(12, &fetch);
    let partitions: Vec<_> = fetched.responses.iter().flat_map(|t| &t.partitions).collect();
    assert_eq!(partitions.len(), 10_001);
    assert!(partitions.iter().all(|p| p.error_code == 0));
    let bytes: usize = partitions.iter().map(|p| p.records.as_ref().map_or(0, |r| r.len())).sum();
    assert!(bytes > value.len(), "the first partition with data gives a whole batch, whatever the limits");
    raw::block_on(broker.stop()).unwrap();
}

#[test]
fn a_recreated_topic_has_nothing_of_the_old_one() {
    let dir = Dir::new("recreate");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    let mut ids = Vec::new();
    for round in 0..5 {
        assert_eq!(client.call(7, &topic("t", 1, &[])).topics[0].error_code, 0, "round {round}");
        assert_eq!(produced(&mut client, -1, batch(b"v")), (0, 0), "round {round}");
        let asked = MetadataRequestTopic { name: Some("t".into()), ..Default::default() };
        let found = client.call(12, &MetadataRequest { topics: Some(vec![asked]), ..Default::default() });
        assert!(!ids.contains(&found.topics[0].topic_id));
        ids.push(found.topics[0].topic_id);
        let delete = ouzel_wire::delete_topics::DeleteTopicsRequest {
            topic_names: vec!["t".into()],
            timeout_ms: 5_000,
            ..Default::default()
        };
        assert_eq!(client.call(5, &delete).responses[0].error_code, 0, "round {round}");
    }
    raw::block_on(broker.stop()).unwrap();
}
