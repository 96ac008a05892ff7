use super::*;
use ouzel_model::{PartitionId, ShardId};

#[track_caller]
fn check_create(image: &Image, request: NewTopic, expect: Result<(), &str>) {
    let got = create(&mut image.clone(), &[request]).remove(0);
    assert_eq!(got.as_ref().map(|_| ()).map_err(|text| &**text), expect);
}

fn with(name: &str, change: impl FnOnce(&mut NewTopic)) -> NewTopic {
    let mut request = NewTopic::named(name);
    change(&mut request);
    request
}

#[test]
fn names_and_counts_are_judged_as_kafka_judges_them() {
    let mut image = cluster(1, 2);
    assert_eq!(create(&mut image, &[sized("probe.b", 1), sized("plain", 3)]), [Ok(()), Ok(())]);
    let bad_name = |why: &str| format!("Topic name is invalid: {why}");
    for (request, expect) in [
        (NewTopic::named("new"), Ok(())),
        (NewTopic::named("plain"), Err("Topic 'plain' already exists.".to_string())),
        (NewTopic::named("probe_b"), Err("Topic 'probe_b' collides with existing topic: probe.b".into())),
        (NewTopic::named(""), Err(bad_name("the empty string is not allowed"))),
        (NewTopic::named(".."), Err(bad_name("'..' is not allowed"))),
        (
            NewTopic::named("a b"),
            Err(bad_name("'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")),
        ),
        (sized("new", 0), Err("Number of partitions was set to an invalid non-positive value.".into())),
        (sized("new", -2), Err("Number of partitions was set to an invalid non-positive value.".into())),
        (sized("new", 10_000), Ok(())),
        (sized("new", 10_001), Err("Excessively large number of partitions per request.".into())),
        (
            with("new", |r| r.replication_factor = 0),
            Err("Replication factor must be larger than 0, or -1 to use the default value.".into()),
        ),
        (
            with("new", |r| r.replication_factor = 2),
            Err("Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached \
                because only 1 broker(s) are registered."
                .into()),
        ),
    ] {
        check_create(&image, request, expect.as_ref().map(|_| ()).map_err(|text| &**text));
    }
}

#[test]
fn assignments_by_hand_must_be_whole_and_name_known_brokers() {
    let image = cluster(2, 1);
    let by_hand = |assignments: &[(i32, &[i32])]| {
        with("t", |r| r.assignments = assignments.iter().map(|(p, nodes)| (*p, nodes.to_vec())).collect())
    };
    let counted = |request: NewTopic| NewTopic { partitions: 1, ..request };
    for (request, expect) in [
        (by_hand(&[(1, &[2, 1]), (0, &[1, 2])]), Ok(())),
        (
            counted(by_hand(&[(0, &[1])])),
            Err("A manual partition assignment was specified, but numPartitions was not set to -1."),
        ),
        (
            NewTopic { replication_factor: 1, ..by_hand(&[(0, &[1])]) },
            Err("A manual partition assignment was specified, but replication factor was not set to -1."),
        ),
        (by_hand(&[(0, &[1]), (0, &[2])]), Err("Found multiple manual partition assignments for partition 0")),
        (by_hand(&[(1, &[1])]), Err("partitions should be a consecutive 0-based integer sequence")),
        (by_hand(&[(0, &[])]), Err("The manual partition assignment includes an empty replica list.")),
        (
            by_hand(&[(0, &[3])]),
            Err("The manual partition assignment includes broker 3, but no such broker is registered."),
        ),
        (by_hand(&[(0, &[1, 1])]), Err("The manual partition assignment includes the broker 1 more than once.")),
        (
            by_hand(&[(0, &[1]), (1, &[1, 2])]),
            Err("The manual partition assignment includes a partition with 2 replica(s), but this is not consistent \
                with previous partitions, which have 1 replica(s)."),
        ),
    ] {
        check_create(&image, request, expect);
    }
    let mut image = image;
    assert_eq!(create(&mut image, &[by_hand(&[(0, &[2]), (1, &[1])])]), [Ok(())]);
    let nodes: Vec<i32> = image.topic("t").unwrap().partitions.iter().map(|p| p.replicas[0].node.0).collect();
    assert_eq!(nodes, [2, 1]);
}

#[test]
fn topics_of_one_request_stand_or_fall_alone_but_see_each_other() {
    let mut image = cluster(1, 1);
    let outcome =
        create(&mut image, &[sized("a.b", 1), sized("twice", 1), sized("a_b", 1), sized("twice", 2), sized("c", 2)]);
    let duplicate = Err("Duplicate topic name.".to_string());
    let collision = Err("Topic 'a_b' collides with existing topic: a.b".to_string());
    assert_eq!(outcome, [Ok(()), duplicate.clone(), collision, duplicate, Ok(())]);
    assert_eq!(image.topics().map(|topic| topic.name.as_str()).collect::<Vec<_>>(), ["a.b", "c"]);
}

#[test]
fn a_request_over_the_limit_creates_nothing() {
    let mut image = cluster(1, 1);
    let outcome = create(&mut image, &[sized("a", 5000), sized("b", 5000), NewTopic::named("c")]);
    assert!(outcome.iter().all(|result| result.as_ref().is_err_and(|text| text.starts_with("Excessively"))));
    assert_eq!(image.topic_count(), 0);
}

#[test]
fn validate_only_answers_but_changes_nothing() {
    let image = cluster(1, 1);
    let plan = plan_create_topics(&image, LOCAL, &[sized("a", 2)], true, &mut || TopicId([1; 16]));
    assert!(plan.commands.is_empty());
    assert_eq!(plan.outcome[0].as_ref().unwrap().partitions.len(), 2);
    let growth = Growth { name: "a".into(), count: 2, assignments: None };
    assert_eq!(plan_create_partitions(&image, &[growth], true).outcome, [Err(AdminError::UnknownTopic)]);
}

#[test]
fn defaults_come_from_the_cluster_and_settings_are_checked() {
    let mut image = cluster(1, 1);
    let set = [("num.partitions".to_string(), "4".to_string())].into();
    image.apply(&Command::AlterConfig { resource: ConfigResource::Cluster, set, remove: Default::default() });
    assert_eq!(create(&mut image, &[NewTopic::named("a")]), [Ok(())]);
    assert_eq!(image.topic("a").unwrap().partitions.len(), 4);

    let configured =
        |name: &str, value: Option<&str>| with("b", |r| r.configs = vec![(name.into(), value.map(str::to_string))]);
    check_create(&image, configured("retention.ms", Some("1")), Ok(()));
    check_create(
        &image,
        configured("retention.ms", None),
        Err("Null value not supported for topic configs: retention.ms"),
    );
    check_create(
        &image,
        configured("retention_ms", Some("1")),
        Err("Unknown topic config name: retention_ms (did you mean retention.ms?)"),
    );
    check_create(
        &image,
        configured("min.insync.replicas", Some("0")),
        Err("Invalid value 0 for configuration min.insync.replicas: Value must be at least 1"),
    );
}

#[test]
fn internal_topics_keep_everything_whoever_creates_them() {
    let mut image = cluster(1, 2);
    let request = offsets_topic(&image, &image.cluster_config(LOCAL));
    assert_eq!(create(&mut image, &[request]), [Ok(())]);
    let topic = image.topic("__consumer_offsets").unwrap().clone();
    assert_eq!((topic.partitions.len(), topic.partitions[0].replicas.len()), (50, 1));
    let policy = image.topic_config(&topic, LOCAL).cleanup_policy;
    assert!(policy.compact && !policy.delete);

    let by_name = TopicRef::Name("__consumer_offsets".into());
    let internal = AdminError::InternalTopic(topic.name.clone());
    assert_eq!(plan_delete_topics(&image, LOCAL, &[by_name]).outcome, [Err(internal.clone())]);
    let growth = Growth { name: "__consumer_offsets".into(), count: 60, assignments: None };
    assert_eq!(plan_create_partitions(&image, &[growth], false).outcome, [Err(internal)]);
    check_create(
        &image,
        NewTopic::named("__cluster_metadata"),
        Err("Creation of internal topic __cluster_metadata is prohibited."),
    );
}

#[test]
fn topics_only_grow() {
    let mut image = cluster(2, 1);
    create(&mut image, &[sized("t", 3)]);
    let plan = |count: i32, assignments: Option<Vec<Vec<i32>>>| {
        let request = Growth { name: "t".into(), count, assignments };
        plan_create_partitions(&image, &[request], false)
    };
    let refused = |count, assignments| plan(count, assignments).outcome.remove(0).unwrap_err().to_string();
    assert_eq!(refused(3, None), "Topic already has 3 partition(s).");
    assert_eq!(refused(2, None), "The topic t currently has 3 partition(s); 2 would not be an increase.");
    assert_eq!(refused(-1, None), "The topic t currently has 3 partition(s); -1 would not be an increase.");
    assert_eq!(refused(10_004, None), "Excessively large number of partitions per request.");
    assert_eq!(
        refused(5, Some(vec![vec![1]])),
        "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified."
    );
    assert!(refused(4, Some(vec![vec![1, 2]])).contains("not consistent with previous partitions"));
    let twice = vec![Growth { name: "t".into(), count: 4, assignments: None }; 2];
    assert!(plan_create_partitions(&image, &twice, false).outcome.iter().all(Result::is_err));

    let (grown, by_hand) = (plan(5, None), plan(4, Some(vec![vec![2]])));
    let mut other = image.clone();
    carry_out(&mut other, by_hand.commands);
    assert_eq!(other.topic("t").unwrap().partitions[3].replicas[0].node, NodeId(2));
    let again = grown.commands.clone();
    carry_out(&mut image, grown.commands);
    assert_eq!((image.topic("t").unwrap().partitions.len(), image.partition_count()), (5, 5));
    // A growth planned on an older image doesn't fit any more.
    assert!(again.iter().all(|command| !image.apply(command)));
}

#[test]
fn deletion_goes_by_name_or_id_and_can_be_switched_off() {
    let mut image = cluster(1, 1);
    create(&mut image, &[sized("a", 1), sized("b_c", 2), sized("d", 1)]);
    let id = |name: &str| image.topic(name).unwrap().id;
    let (name, unknown) = (|name: &str| TopicRef::Name(name.into()), TopicId([3; 16]));
    let requests = [name("a"), TopicRef::Id(id("b_c")), name("x"), TopicRef::Id(unknown), TopicRef::Id(id("a"))];
    let plan = plan_delete_topics(&image, LOCAL, &requests);
    let outcome: Vec<_> = plan.outcome.iter().map(|r| r.as_ref().map(|topic| topic.name.as_str())).collect();
    let duplicate = AdminError::InvalidRequest("Duplicate topic name.".into());
    assert_eq!(
        outcome,
        [
            Ok("a"),
            Ok("b_c"),
            Err(&AdminError::UnknownTopic),
            Err(&AdminError::UnknownTopicId(unknown)),
            Err(&duplicate)
        ]
    );
    carry_out(&mut image, plan.commands);
    assert_eq!((image.topic_count(), image.partition_count(), image.topic_by_id(unknown).is_none()), (1, 1, true));
    // The name and what it collided with are free again.
    assert_eq!(create(&mut image, &[sized("a", 1), sized("b.c", 1)]), [Ok(()), Ok(())]);

    let process = [("delete.topic.enable".to_string(), "false".to_string())].into();
    let local = Local { process: &process, ..LOCAL };
    assert_eq!(plan_delete_topics(&image, local, &[name("a")]).outcome, [Err(AdminError::TopicDeletionDisabled)]);
}

#[test]
fn partitions_of_a_topic_spread_and_single_ones_even_out() {
    let mut image = cluster(1, 3);
    create(&mut image, &[sized("a", 1), sized("b", 1)]);
    create(&mut image, &[sized("wide", 6)]);
    let mut of_topic = [0; 3];
    image.topic("wide").unwrap().partitions.iter().for_each(|p| of_topic[usize::from(p.replicas[0].shard.0)] += 1);
    assert_eq!(of_topic, [2, 2, 2]);
    create(&mut image, &[sized("c", 1)]);
    assert_eq!(image.loads().values().copied().collect::<Vec<_>>(), [3, 3, 3]);
    assert_eq!(image.shard_of("c", PartitionId(0), NodeId(1)), Some(ShardId(2)));
    assert_eq!(image.shard_of("c", PartitionId(1), NodeId(1)), None);
    assert_eq!(image.shard_of("c", PartitionId(0), NodeId(2)), None);
}

#[test]
fn replicas_of_a_partition_are_on_different_nodes() {
    let mut image = cluster(4, 2);
    create(&mut image, &[with("t", |r| (r.partitions, r.replication_factor) = (8, 3))]);
    for partition in &image.topic("t").unwrap().partitions {
        let mut nodes: Vec<i32> = partition.replicas.iter().map(|replica| replica.node.0).collect();
        nodes.sort();
        nodes.dedup();
        assert_eq!(nodes.len(), 3);
    }
    assert!(image.loads().values().all(|&load| load == 3));
}

#[test]
fn with_fewer_cores_replicas_move_to_those_that_are_left() {
    let mut image = cluster(1, 4);
    create(&mut image, &[sized("a", 8), sized("b", 4)]);
    let placed = |image: &Image, name: &str| image.topic(name).unwrap().partitions.clone();
    let before = placed(&image, "a");
    let node = Node { uuid: [1; 16], shards: 2, rack: None };
    let commands = plan_register_node(&image, NodeId(1), node.clone(), &Default::default());
    carry_out(&mut image, commands);
    assert_eq!(image.loads().values().copied().collect::<Vec<_>>(), [6, 6]);
    for (old, new) in before.iter().zip(placed(&image, "a")) {
        let (old, new) = (old.replicas[0].shard, new.replicas[0].shard);
        assert!(new.0 < 2 && (old.0 >= 2 || old == new), "{old:?} {new:?}");
    }
    assert_eq!(plan_register_node(&image, NodeId(1), node, &Default::default()), []);
}

#[test]
fn replicas_are_where_the_shards_hold_their_logs() {
    let mut image = cluster(1, 1);
    create(&mut image, &[sized("a", 6), sized("b", 2)]);
    let id = image.topic("a").unwrap().id;
    let held = (0..6).map(|number| ((id, PartitionId(number)), ShardId(number as u16 % 3))).collect();
    let node = Node { uuid: [1; 16], shards: 3, rack: None };
    let commands = plan_register_node(&image, NodeId(1), node.clone(), &held);
    carry_out(&mut image, commands);
    let shards = |name| image.topic(name).unwrap().partitions.iter().map(|p| p.replicas[0].shard.0).collect::<Vec<_>>();
    // What holds no log stays where it is.
    assert_eq!((shards("a"), shards("b")), (vec![0, 1, 2, 0, 1, 2], vec![0, 0]));
    assert_eq!(plan_register_node(&image, NodeId(1), node, &held), []);
}

#[test]
fn producer_ids_are_given_out_once() {
    let mut image = cluster(1, 1);
    let (one, other) = (plan_producer_ids(&image, 1000), plan_producer_ids(&image, 10));
    assert_eq!((one.outcome, other.outcome), (Some(0), Some(0)));
    carry_out(&mut image, one.commands);
    assert_eq!(image.next_producer_id(), 1000);
    // Planned on the same image, but it came later.
    assert!(!image.apply(&other.commands[0]));
    assert_eq!(image.next_producer_id(), 1000);
    image.apply(&Command::AllocateProducerIds { first: i64::MAX - 5, count: 5 });
    assert_eq!(plan_producer_ids(&image, 10), Plan { commands: vec![], outcome: None });
}

#[test]
fn creating_5000_topics_one_by_one_copies_little() {
    let mut image = cluster(1, 2);
    let mut published = std::collections::VecDeque::new();
    for number in 0..5000 {
        assert_eq!(create(&mut image, &[sized(&format!("topic-{number}"), 2)]), [Ok(())]);
        published.push_back(image.clone());
        published.truncate(4);
    }
    assert_eq!((image.topic_count(), image.partition_count()), (5000, 10_000));
    assert_eq!(image.topics_from("topic-4998").map(|t| t.name.as_str()).next(), Some("topic-4998"));
    assert_eq!(published[0].topic_count(), 1);
}
