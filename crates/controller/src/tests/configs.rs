use super::*;
use ouzel_model::config::Source;

fn topic(name: &str) -> Resource {
    Resource::Topic(name.into())
}

fn cluster_defaults() -> Resource {
    Resource::Broker(String::new())
}

/// `name=value` sets, `name-` deletes, `name+=v` appends, `name-=v` subtracts, `name?` sets null.
fn steps(texts: &[&str]) -> Vec<ConfigStep> {
    texts
        .iter()
        .map(|text| {
            let (name, operation, value) = if let Some((name, value)) = text.split_once("+=") {
                (name, Operation::Append, Some(value))
            } else if let Some((name, value)) = text.split_once("-=") {
                (name, Operation::Subtract, Some(value))
            } else if let Some((name, value)) = text.split_once('=') {
                (name, Operation::Set, Some(value))
            } else if let Some(name) = text.strip_suffix('?') {
                (name, Operation::Set, None)
            } else {
                (text.trim_end_matches('-'), Operation::Delete, None)
            };
            ConfigStep { name: name.into(), operation, value: value.map(str::to_string) }
        })
        .collect()
}

fn alter(image: &mut Image, resource: Resource, texts: &[&str]) -> Result<(), String> {
    let mut plan = plan_incremental_alter(image, LOCAL, &[(resource, steps(texts))], false);
    carry_out(image, plan.commands);
    plan.outcome.remove(0).map_err(|error| error.to_string())
}

#[track_caller]
fn check_alter(resource: Resource, texts: &[&str], expect: Result<(), &str>) {
    let mut image = one_topic();
    let before = image.clone();
    let got = alter(&mut image, resource, texts);
    assert_eq!(got.as_ref().map(|_| ()).map_err(|text| &**text), expect);
    if expect.is_err() {
        assert_eq!(image, before, "a refused alteration must change nothing");
    }
}

fn one_topic() -> Image {
    let mut image = cluster(2, 1);
    create(&mut image, &[sized("t", 1)]);
    image
}

fn value(image: &Image, resource: Resource, name: &str) -> (Option<String>, Source) {
    let entries = describe_configs(image, LOCAL, &resource).unwrap();
    let entry = entries.into_iter().find(|entry| entry.name == name).unwrap();
    (entry.value, entry.source)
}

#[test]
fn steps_set_delete_append_and_subtract() {
    let mut image = one_topic();
    let mut step = |texts: &[&str], name: &str, expect: (&str, Source)| {
        assert_eq!(alter(&mut image, topic("t"), texts), Ok(()), "{texts:?}");
        assert_eq!(value(&image, topic("t"), name), (Some(expect.0.to_string()), expect.1), "{texts:?}");
    };
    step(&["retention.ms= 5 ", "redpanda.remote.read=true"], "retention.ms", ("5", Source::Topic));
    step(&["retention.ms-"], "retention.ms", ("604800000", Source::Default));
    step(&["cleanup.policy+=compact"], "cleanup.policy", ("delete,compact", Source::Topic));
    step(&["cleanup.policy+=compact,delete"], "cleanup.policy", ("delete,compact", Source::Topic));
    step(&["cleanup.policy-=delete"], "cleanup.policy", ("compact", Source::Topic));
    step(&["cleanup.policy-=compact"], "cleanup.policy", ("", Source::Topic));
    step(&["never.heard.of-"], "redpanda.remote.read", ("true", Source::Topic));
}

#[test]
fn what_is_wrong_changes_nothing() {
    let unknown = "This server does not host this topic-partition.";
    check_alter(topic("x"), &["retention.ms=1"], Err(unknown));
    check_alter(topic("t"), &["retention.ms=1", "retention.ms=2"], Err("Error due to duplicate config keys"));
    check_alter(topic("t"), &["retention.ms?"], Err("Null value not supported for : retention.ms"));
    check_alter(
        topic("t"),
        &["retention.ms+=1"],
        Err("Can't APPEND to key retention.ms because its type is not LIST."),
    );
    check_alter(topic("t"), &["segment.ms-=1"], Err("Can't SUBTRACT to key segment.ms because its type is not LIST."));
    let bad = "Invalid value soon for configuration segment.ms: Not a number of type LONG";
    check_alter(topic("t"), &["retention.ms=1", "segment.ms=soon"], Err(bad));
    let nearest = "Unknown topic config name: retention.m (did you mean retention.ms?)";
    check_alter(topic("t"), &["retention.m=1"], Err(nearest));
    let conflict = "conflict topic config setting min.compaction.lag.ms (2) > max.compaction.lag.ms (1)";
    check_alter(topic("t"), &["max.compaction.lag.ms=1", "min.compaction.lag.ms=2"], Err(conflict));
    check_alter(
        topic("t"),
        &["remote.storage.enable=true"],
        Err("Configuration remote.storage.enable can't be true: tiered storage isn't built into this version"),
    );
    let long = format!("redpanda.x={}", "v".repeat(32_768));
    check_alter(
        topic("t"),
        &[&long],
        Err("The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes."),
    );
    check_alter(topic("t"), &[&long[..long.len() - 1]], Ok(()));
    check_alter(Resource::Group(String::new()), &[], Err("Default group resources are not allowed."));
    check_alter(Resource::Broker("one".into()), &[], Err("Node id must be an integer, but it is: one"));
    check_alter(Resource::Broker("9".into()), &[], Err("No broker with id 9 is registered."));
    let read_only = |name: &str| format!("Cannot update these configs dynamically: Set({name})");
    check_alter(cluster_defaults(), &["node.id=3"], Err(&read_only("node.id")));
    check_alter(cluster_defaults(), &["broker.id-"], Err(&read_only("broker.id")));
    check_alter(
        cluster_defaults(),
        &["inter.broker.protocol.version=2"],
        Err(&read_only("inter.broker.protocol.version")),
    );
    check_alter(
        Resource::Group("g".into()),
        &["consumer.session.timeout.ms=60001"],
        Err("Invalid value 60001 for configuration consumer.session.timeout.ms: Value must be no more than 60000"),
    );
}

#[test]
fn a_resource_named_twice_is_refused_and_the_others_are_not() {
    let mut image = one_topic();
    let requests = [
        (topic("t"), steps(&["retention.ms=1"])),
        (cluster_defaults(), steps(&["num.partitions=2"])),
        (topic("t"), steps(&["retention.ms=2"])),
    ];
    let plan = plan_incremental_alter(&image, LOCAL, &requests, false);
    let twice = Err(AdminError::InvalidRequest("Each resource must appear at most once.".into()));
    assert_eq!(plan.outcome, [twice.clone(), Ok(()), twice]);
    carry_out(&mut image, plan.commands);
    assert_eq!(image.cluster_config(LOCAL).num_partitions, 2);
    let validated = plan_incremental_alter(&image, LOCAL, &[(topic("t"), steps(&["retention.ms=1"]))], true);
    assert_eq!(validated, Plan { commands: vec![], outcome: vec![Ok(())] });
}

#[test]
fn what_already_is_so_needs_no_command() {
    let mut image = one_topic();
    alter(&mut image, topic("t"), &["retention.ms=1"]).unwrap();
    for texts in [&["retention.ms=1"][..], &["segment.ms-"], &[]] {
        let plan = plan_incremental_alter(&image, LOCAL, &[(topic("t"), steps(texts))], false);
        assert_eq!(plan, Plan { commands: vec![], outcome: vec![Ok(())] }, "{texts:?}");
    }
}

#[test]
fn the_older_alteration_replaces_the_whole_set() {
    let mut image = one_topic();
    alter(&mut image, topic("t"), &["retention.ms=1", "segment.ms=2"]).unwrap();
    let wanted = |settings: &[(&str, Option<&str>)]| {
        let settings = settings.iter().map(|(n, v)| (n.to_string(), v.map(str::to_string))).collect();
        [(topic("t"), settings)]
    };
    let plan = plan_alter(&image, LOCAL, &wanted(&[("segment.ms", Some("3")), ("preallocate", Some("true"))]), false);
    carry_out(&mut image, plan.commands);
    let set: Vec<(&str, &str)> = image.topic("t").unwrap().config.iter().map(|(n, v)| (&**n, &**v)).collect();
    assert_eq!(set, [("preallocate", "true"), ("segment.ms", "3")]);
    let refused = plan_alter(&image, LOCAL, &wanted(&[("segment.ms", None)]), false).outcome;
    assert_eq!(refused, [Err(AdminError::InvalidRequest("Null value not supported for : segment.ms".into()))]);
    let emptied = plan_alter(&image, LOCAL, &wanted(&[]), false);
    carry_out(&mut image, emptied.commands);
    assert!(image.topic("t").unwrap().config.is_empty());
}

#[test]
fn values_at_broker_level_reach_topics_and_are_described_in_their_order() {
    let mut image = one_topic();
    alter(&mut image, cluster_defaults(), &["log.retention.hours=1"]).unwrap();
    assert_eq!(value(&image, topic("t"), "retention.ms"), (Some("3600000".into()), Source::DynamicDefault));
    alter(&mut image, Resource::Broker("1".into()), &["log.retention.ms=7"]).unwrap();
    assert_eq!(value(&image, topic("t"), "retention.ms"), (Some("7".into()), Source::DynamicBroker));
    let here = Resource::Broker("1".into());
    assert_eq!(value(&image, here.clone(), "log.retention.ms"), (Some("7".into()), Source::DynamicBroker));
    assert_eq!(value(&image, cluster_defaults(), "log.retention.ms"), (Some("3600000".into()), Source::DynamicDefault));
    // Another broker's own values say nothing here.
    alter(&mut image, here, &["log.retention.minutes-"]).unwrap();
    alter(&mut image, Resource::Broker("2".into()), &["log.retention.ms=8"]).unwrap();
    assert_eq!(image.topic_config(image.topic("t").unwrap(), LOCAL).retention_ms, Some(3_600_000));
    assert_eq!(image.configured_brokers().collect::<Vec<_>>(), [NodeId(2)]);
}

#[test]
fn only_this_broker_is_described() {
    let image = one_topic();
    let refused = |resource: Resource| describe_configs(&image, LOCAL, &resource).unwrap_err().to_string();
    assert_eq!(refused(Resource::Broker("2".into())), "Unexpected broker id, expected 1, but received 2");
    assert_eq!(refused(topic("x")), "This server does not host this topic-partition.");
    let process = [("listeners".to_string(), "PLAINTEXT://:1".to_string())].into();
    let local = Local { process: &process, ..LOCAL };
    for name in ["", "1"] {
        let entries = describe_configs(&image, local, &Resource::Broker(name.into())).unwrap();
        let listeners = entries.iter().find(|entry| entry.name == "listeners").unwrap();
        assert_eq!((listeners.value.as_deref(), listeners.source), (Some("PLAINTEXT://:1"), Source::Static));
    }
}

#[test]
fn groups_have_settings_of_their_own() {
    let mut image = one_topic();
    let group = || Resource::Group("g".into());
    alter(&mut image, group(), &["consumer.session.timeout.ms=50000"]).unwrap();
    assert_eq!(value(&image, group(), "consumer.session.timeout.ms"), (Some("50000".into()), Source::Group));
    assert_eq!(image.group_config("g", LOCAL).consumer_session_timeout_ms, 50_000);
    assert_eq!(image.group_config("h", LOCAL).consumer_session_timeout_ms, 45_000);
    assert_eq!(image.configured_groups().collect::<Vec<_>>(), ["g"]);
    alter(&mut image, group(), &["consumer.session.timeout.ms-"]).unwrap();
    assert_eq!(image.configured_groups().count(), 0);
}

#[test]
fn settings_of_a_deleted_topic_are_gone_with_it() {
    let mut image = one_topic();
    alter(&mut image, topic("t"), &["retention.ms=1"]).unwrap();
    let late = plan_incremental_alter(&image, LOCAL, &[(topic("t"), steps(&["retention.ms=2"]))], false).commands;
    let plan = plan_delete_topics(&image, LOCAL, &[TopicRef::Name("t".into())]);
    carry_out(&mut image, plan.commands);
    create(&mut image, &[sized("t", 1)]);
    // Planned for the topic that is gone: it must not touch the one that took its name.
    assert!(!image.apply(&late[0]));
    assert!(image.topic("t").unwrap().config.is_empty());
}
