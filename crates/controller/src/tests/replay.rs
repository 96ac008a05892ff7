//! Commands and snapshots as bytes, and what is left of the image when one stands in for the other.

use super::*;
use crate::encoding::{BadBytes, Snapshot, decode_command, decode_snapshot, encode_command, encode_snapshot};
use crate::testing::Random;
use ouzel_model::{Index, PartitionId, ShardId, Term, TopicName};

fn partition(places: &[(i32, u16)]) -> Partition {
    let replica = |&(node, shard): &(i32, u16)| Replica { node: NodeId(node), shard: ShardId(shard) };
    Partition { replicas: places.iter().map(replica).collect() }
}

fn values(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// One of each kind, in an order in which each fits.
fn one_of_each() -> Vec<Command> {
    let (id, other) = (TopicId(*b"0123456789abcdef"), TopicId(*b"fedcba9876543210"));
    let node = Node { uuid: [5; 16], shards: 4, rack: Some("r1".into()) };
    let topic = |id, name| Command::CreateTopic {
        id,
        name: TopicName::new(name).unwrap(),
        partitions: vec![partition(&[(1, 0)]), partition(&[(1, 3), (2, 1)])],
        config: values(&[("cleanup.policy", "compact"), ("retention.ms", "-1")]),
    };
    let alter = |resource, set: &[(&str, &str)], remove: &[&str]| Command::AlterConfig {
        resource,
        set: values(set),
        remove: remove.iter().map(|name| name.to_string()).collect(),
    };
    vec![
        Command::FoundCluster { cluster_id: ClusterId([7; 16]), features: [("metadata.version".into(), 33)].into() },
        Command::RegisterNode { node: NodeId(1), registration: node.clone() },
        Command::RegisterNode { node: NodeId(2), registration: Node { rack: None, ..node } },
        topic(id, "orders"),
        topic(other, "__consumer_offsets"),
        Command::CreatePartitions { id, first: PartitionId(2), partitions: vec![partition(&[(2, 2)])] },
        alter(ConfigResource::Topic(id), &[("retention.ms", "5")], &["cleanup.policy"]),
        alter(ConfigResource::Cluster, &[("num.partitions", "3")], &[]),
        alter(ConfigResource::Broker(NodeId(2)), &[("log.retention.ms", "9")], &[]),
        alter(ConfigResource::Group("g".into()), &[("consumer.session.timeout.ms", "50000")], &[]),
        Command::AllocateProducerIds { first: 0, count: 1000 },
        Command::SetFeature { name: "transaction.version".into(), level: 2 },
        Command::PlaceReplicas { node: NodeId(1), places: vec![(id, PartitionId(1), ShardId(2))] },
        Command::DeleteTopic { id: other },
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that were written once must be read for ever.
#[test]
fn commands_and_snapshots_keep_their_bytes() {
    let mut image = Image::default();
    let mut lines = Vec::new();
    for command in one_of_each() {
        let bytes = encode_command(&command);
        assert_eq!(decode_command(&bytes), Ok(command.clone()));
        assert!(image.apply(&command), "{command:?}");
        lines.push(hex(&bytes));
    }
    let snapshot = Snapshot { index: Index(20), term: Term(3), image };
    let bytes = encode_snapshot(&snapshot);
    assert_eq!(decode_snapshot(&bytes).as_ref(), Ok(&snapshot));
    lines.push(hex(&bytes));
    let golden: Vec<&str> = include_str!("../../tests/golden/version-1.txt").lines().collect();
    assert_eq!(lines, golden, "all:\n{}\n", lines.join("\n"));
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let mut bytes = encode_command(&one_of_each()[0]);
    bytes[1] = 2;
    assert_eq!(decode_command(&bytes), Err(BadBytes::Newer { got: 2, known: 1 }));
    let mut bytes = encode_snapshot(&Snapshot { index: Index(1), term: Term(1), image: cluster(1, 1) });
    bytes[15] = 2;
    let crc = crc32c::crc32c(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(decode_snapshot(&bytes).err(), Some(BadBytes::Newer { got: 2, known: 1 }));
    // A kind of command that isn't known: what it does can't be skipped.
    assert!(decode_command(&[0x08, 1, 0xfa, 0x01, 0]).is_err());
}

#[test]
fn a_snapshot_with_any_bit_turned_is_damaged() {
    let bytes = encode_snapshot(&Snapshot { index: Index(1), term: Term(1), image: cluster(2, 1) });
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut turned = bytes.clone();
            turned[place] ^= 1 << bit;
            assert!(decode_snapshot(&turned).is_err(), "byte {place}, bit {bit}");
        }
        assert!(decode_snapshot(&bytes[..place]).is_err(), "cut at {place}");
    }
}

#[test]
fn bytes_that_are_no_command_are_refused_without_harm() {
    let mut random = Random(3);
    let good: Vec<Vec<u8>> = one_of_each().iter().map(encode_command).collect();
    for round in 0..5000 {
        let mut bytes = good[round % good.len()].clone();
        for _ in 0..1 + random.below(3) {
            let place = random.below(bytes.len() as u64) as usize;
            bytes[place] = random.next() as u8;
        }
        if let Ok(command) = decode_command(&bytes) {
            // Whatever it says now, applying it is total.
            cluster(1, 1).apply(&command);
        }
    }
}

/// A command that may or may not fit: few names and ids, so that many don't.
fn random_command(random: &mut Random, image: &Image) -> Command {
    let id = TopicId([1 + random.below(12) as u8; 16]);
    let name = ["a", "b", "a.b", "a_b", "c.d.e", "__consumer_offsets"][random.below(6) as usize];
    let node = NodeId(random.below(3) as i32);
    let some = |random: &mut Random| partition(&[(random.below(3) as i32, random.below(4) as u16)]);
    let partitions: Vec<Partition> = (0..1 + random.below(4)).map(|_| some(random)).collect();
    let present = image.topic_by_id(id).map_or(0, |topic| topic.partitions.len() as i32);
    let set = values(&[(["x", "y", "z"][random.below(3) as usize], "1")]);
    match random.below(12) {
        0 => Command::FoundCluster { cluster_id: ClusterId([9; 16]), features: Default::default() },
        1 => {
            let registration =
                Node { uuid: [random.below(9) as u8; 16], shards: 1 + random.below(4) as u16, rack: None };
            Command::RegisterNode { node, registration }
        }
        2..=4 => Command::CreateTopic { id, name: TopicName::new(name).unwrap(), partitions, config: set },
        5 => Command::DeleteTopic { id },
        6 => {
            let first = PartitionId(present + (random.below(4) == 0) as i32);
            Command::CreatePartitions { id, first, partitions }
        }
        7 | 8 => {
            let resource = match random.below(4) {
                0 => ConfigResource::Topic(id),
                1 => ConfigResource::Cluster,
                2 => ConfigResource::Broker(node),
                _ => ConfigResource::Group(name.into()),
            };
            let remove = ["x", "y", "z"].iter().filter(|_| random.below(2) == 0).map(|name| name.to_string()).collect();
            Command::AlterConfig { resource, set, remove }
        }
        9 => {
            let first = image.next_producer_id() - random.below(2) as i64;
            Command::AllocateProducerIds { first, count: 1 + random.below(10) as u32 }
        }
        10 => Command::SetFeature { name: name.into(), level: random.below(3) as i16 },
        _ => {
            let place = (id, PartitionId(random.below(6) as i32), ShardId(random.below(4) as u16));
            Command::PlaceReplicas { node, places: vec![place, place] }
        }
    }
}

/// What the derived parts must say, counted anew.
fn check_derived(image: &Image) {
    let mut loads = std::collections::BTreeMap::new();
    let mut partitions = 0;
    for topic in image.topics() {
        assert_eq!(image.topic_by_id(topic.id).map(|found| &found.name), Some(&topic.name));
        partitions += topic.partitions.len();
        for replica in topic.partitions.iter().flat_map(|partition| &partition.replicas) {
            *loads.entry((replica.node, replica.shard)).or_insert(0) += 1;
        }
    }
    assert_eq!((image.loads(), image.partition_count()), (&loads, partitions));
}

/// Whether a start reads a snapshot taken at any point and the commands behind it, or all commands, the image is the same.
#[test]
fn replay_from_any_snapshot_gives_the_same_image() {
    for seed in 0..30 {
        let mut random = Random(seed);
        let mut image = Image::default();
        let mut log: Vec<Vec<u8>> = Vec::new();
        let mut snapshots: Vec<(usize, Vec<u8>)> = Vec::new();
        let mut fits = 0;
        for _ in 0..200 {
            if random.below(20) == 0 {
                let index = Index(log.len() as u64);
                let snapshot = Snapshot { index, term: Term(1), image: image.clone() };
                snapshots.push((log.len(), encode_snapshot(&snapshot)));
            }
            let command = random_command(&mut random, &image);
            log.push(encode_command(&command));
            fits += usize::from(image.apply(&command));
        }
        check_derived(&image);
        assert!((60..200).contains(&fits), "{fits} commands fit: the test must see both kinds");
        snapshots.push((0, encode_snapshot(&Snapshot { index: Index(0), term: Term(0), image: Image::default() })));
        for (from, bytes) in snapshots {
            let mut replayed = decode_snapshot(&bytes).unwrap().image;
            for bytes in &log[from..] {
                replayed.apply(&decode_command(bytes).unwrap());
            }
            assert_eq!(replayed, image, "seed {seed}, snapshot at {from}");
        }
    }
}
