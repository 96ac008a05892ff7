//! What a client learns of topics, over a plain socket.
// Tests are outside the seam.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod raw;

use ouzel_wire::ErrorCode;
use ouzel_wire::create_topics::{CreatableTopic, CreateTopicsRequest};
use ouzel_wire::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponseTopic};
use raw::{Client, Dir, start};

fn ask(client: &mut Client, name: &str, create: bool) -> MetadataResponseTopic {
    let topics = Some(vec![MetadataRequestTopic { name: Some(name.to_string().into()), ..Default::default() }]);
    let request = MetadataRequest { topics, allow_auto_topic_creation: create, ..Default::default() };
    client.call(12, &request).topics.remove(0)
}

#[test]
fn topic_on_demand_is_in_the_answer_to_the_request_that_creates_it() {
    let dir = Dir::new("on-demand");
    let broker = start(&dir, |_| {});
    let mut client = Client::new(&broker);
    let unknown = ErrorCode::UnknownTopicOrPartition as i16;
    assert_eq!(ask(&mut client, "t", false).error_code, unknown);
    let made = ask(&mut client, "t", true);
    assert_eq!((made.error_code, made.partitions.len()), (0, 1));
    assert!(made.partitions.iter().all(|p| p.error_code == 0 && p.leader_id == 1));
    assert_eq!(ask(&mut client, "t", false).topic_id, made.topic_id);
    assert_eq!(ask(&mut client, "bad name", true).error_code, ErrorCode::InvalidTopicException as i16);
    raw::block_on(broker.stop()).unwrap();
}

#[test]
fn nothing_is_made_on_demand_where_that_is_switched_off() {
    let dir = Dir::new("no-demand");
    let broker = start(&dir, |config| config.set("auto.create.topics.enable", "false").expect("a setting"));
    let mut client = Client::new(&broker);
    for _ in 0..2 {
        assert_eq!(ask(&mut client, "t", true).error_code, ErrorCode::UnknownTopicOrPartition as i16);
    }
    raw::block_on(broker.stop()).unwrap();
}

#[test]
fn change_is_made_known_although_who_asked_for_it_has_gone() {
    let dir = Dir::new("gone");
    let broker = start(&dir, |_| {});
    let mut watcher = Client::new(&broker);
    for round in 0..60 {
        let topic = CreatableTopic {
            name: format!("t-{round}").into(),
            num_partitions: 2,
            replication_factor: 1,
            ..Default::default()
        };
        let mut client = Client::new(&broker);
        client.send(7, &CreateTopicsRequest { topics: vec![topic], ..Default::default() });
        // The connection closes while the topic is being made: sooner or later, by other requests' round trips.
        for _ in 0..round {
            ask(&mut watcher, "none", false);
        }
    }
    let mut client = watcher;
    assert_eq!(ask(&mut client, "last", true).error_code, 0);
    let all = client.call(12, &MetadataRequest { topics: None, ..Default::default() });
    assert!(!all.topics.is_empty());
    for topic in &all.topics {
        assert!(topic.partitions.iter().all(|p| p.leader_id == 1), "{:?} isn't led", topic.name);
    }
    raw::block_on(broker.stop()).unwrap();
}
