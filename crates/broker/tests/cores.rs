//! A broker that starts with another number of cores: all it held is there, on shards that there are.
// Tests are outside the seam.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod raw;

use ouzel_broker::{Broker, BrokerError, Config, StartError};
use ouzel_wire::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use ouzel_wire::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use raw::{Client, Dir, block_on, commit, create, fetch, produce, start};

const PARTITIONS: i32 = 7;

fn offsets(client: &mut Client, group: &str) -> Vec<(i32, i64)> {
    let group = OffsetFetchRequestGroup { group_id: group.to_string().into(), topics: None, ..Default::default() };
    let fetch = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    for _ in 0..200_000 {
        let group = client.call(9, &fetch).groups.remove(0);
        // The coordinator may still read what was committed.
        if group.error_code == 0 {
            let partitions = group.topics.iter().flat_map(|t| &t.partitions);
            return partitions.map(|p| (p.partition_index, p.committed_offset)).collect();
        }
    }
    panic!("the coordinator never comes up");
}

/// Bytes of all partitions.
fn read_all(client: &mut Client) -> Vec<Vec<u8>> {
    (0..PARTITIONS).map(|partition| fetch(client, "t", partition)).collect()
}

fn with(dir: &Dir, cores: u16) -> Broker {
    start(dir, |config| config.cores = cores)
}

/// What the broker says of itself.
fn cores_of(client: &mut Client) -> Option<String> {
    let resource = DescribeConfigsResource { resource_type: 4, resource_name: "1".into(), ..Default::default() };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    let settings = client.call(4, &request).results.remove(0).configs;
    settings.into_iter().find(|c| c.name == "node.cores")?.value.map(|v| v.to_string())
}

#[test]
fn another_number_of_cores_finds_all_that_was_written() {
    let dir = Dir::new("cores");
    let broker = with(&dir, 1);
    let mut client = Client::new(&broker);
    create(&mut client, "t", PARTITIONS);
    (0..PARTITIONS).for_each(|partition| produce(&mut client, "t", partition, 10 + partition as usize));
    commit(&mut client, "g", "t", &[(0, 3), (6, 1)]);
    let mut written = read_all(&mut client);
    assert!(written.iter().all(|bytes| !bytes.is_empty()));
    assert_eq!(broker.ready().cores_changed, None);
    block_on(broker.stop()).unwrap();

    for (from, to) in [(1, 3), (3, 2), (2, 5), (5, 1)] {
        let broker = with(&dir, to);
        let changed = broker.ready().cores_changed.expect("it says what it did");
        // The topic's partitions, the controller's log, and the coordinators' three.
        assert_eq!((changed.from, changed.to, changed.logs), (from, to, PARTITIONS as usize + 4));
        let mut client = Client::new(&broker);
        assert_eq!(cores_of(&mut client), Some(to.to_string()));
        assert_eq!(read_all(&mut client), written, "{from} to {to} cores");
        assert_eq!(offsets(&mut client, "g"), [(0, 3), (6, i64::from(from))]);
        (0..PARTITIONS).for_each(|partition| produce(&mut client, "t", partition, 2));
        commit(&mut client, "g", "t", &[(6, i64::from(to))]);
        written = read_all(&mut client);
        block_on(broker.stop()).unwrap();
        // The same again is no change.
        let broker = with(&dir, to);
        assert_eq!(broker.ready().cores_changed, None);
        assert_eq!(read_all(&mut Client::new(&broker)), written);
        block_on(broker.stop()).unwrap();
    }
}

#[test]
fn without_room_for_both_layouts_the_old_one_is_kept_and_named() {
    let dir = Dir::new("cores-room");
    let broker = with(&dir, 1);
    let mut client = Client::new(&broker);
    create(&mut client, "t", PARTITIONS);
    produce(&mut client, "t", 0, 5);
    block_on(broker.stop()).unwrap();
    let mut config = Config::dev().data_dir(&dir.0).any_port();
    (config.admin, config.pin, config.cores) = (None, false, 2);
    (config.journal_file_bytes, config.journal_bytes_max) = (1 << 58, 1 << 62);
    let refused = block_on(Broker::start(config)).err().expect("no disk is so large");
    assert!(matches!(&refused, BrokerError::Start(StartError::Cores { from: 1, to: 2, .. })), "{refused}");
    assert!(refused.to_string().contains(" bytes free, ") && refused.to_string().contains("--cores 1"), "{refused}");
    let broker = with(&dir, 1);
    assert!(!fetch(&mut Client::new(&broker), "t", 0).is_empty());
    block_on(broker.stop()).unwrap();
}
