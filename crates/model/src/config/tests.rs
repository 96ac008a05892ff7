use std::collections::BTreeSet;

use super::*;

fn scope(kind: Kind) -> Scope {
    match kind {
        Kind::Topic => Scope::Topic,
        Kind::Group => Scope::Group,
        Kind::Node | Kind::Cluster => Scope::Broker,
    }
}

#[track_caller]
fn expect(scope: Scope, name: &str, text: &str, outcome: Result<&str, &str>) {
    let got = check(scope, name, text).map(|(_, value)| value).map_err(|error| error.to_string());
    assert_eq!(got.as_deref().map_err(|error| &**error), outcome, "{name}={text}");
}

/// A legal value of the row that differs from its default.
fn other_value(row: &Setting) -> String {
    let candidates = ["false", "true", "compact", "zstd", "LogAppendTime", "1048577", "60001", "7", "0.25", "x"];
    let legal =
        candidates.into_iter().find(|text| parse(row, text).is_ok_and(|v| Some(&*v.to_string()) != row.default));
    legal.unwrap_or_else(|| panic!("no candidate is legal for {}", row.name)).to_string()
}

#[test]
fn tables_are_sorted_and_every_row_has_a_sentence_and_a_canonical_default() {
    for table in [TOPIC, GROUP, CLUSTER, NODE] {
        for pair in table.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} before {}", pair[0].name, pair[1].name);
        }
    }
    for row in all() {
        assert!(row.doc.ends_with('.') && row.doc.len() > 20, "{}", row.name);
        if let Some(default) = row.default {
            assert_eq!(parse(row, default).map(|v| v.to_string()).as_deref(), Ok(default), "{}", row.name);
        }
    }
}

#[test]
fn no_name_or_alias_is_used_twice() {
    for scope in [Scope::Topic, Scope::Group, Scope::Broker] {
        let names = list::names(scope);
        let unique: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), unique.len(), "{scope:?}");
        for name in names {
            assert!(find(scope, name).is_some(), "{name}");
        }
    }
}

#[test]
fn every_honoured_setting_changes_its_typed_view() {
    for row in all().filter(|row| row.effect == Effect::Honoured && row.kind != Kind::Node) {
        let own = Values::from([(row.name.to_string(), other_value(row))]);
        let layered = Layers { cluster: &own, ..NO_LAYERS };
        let changed = match row.kind {
            Kind::Topic => TopicConfig::resolve(&own, NO_LAYERS) != TopicConfig::default(),
            Kind::Group => GroupConfig::resolve(&own, NO_LAYERS) != GroupConfig::default(),
            Kind::Cluster | Kind::Node => ClusterConfig::resolve(layered) != ClusterConfig::default(),
        };
        assert!(changed, "{} is called honoured, but nothing reads it", row.name);
    }
}

#[test]
fn settings_that_are_not_honoured_change_no_typed_view() {
    for row in all().filter(|row| row.effect != Effect::Honoured && row.kind != Kind::Node) {
        let own = Values::from([(row.name.to_string(), "1".to_string())]);
        let layered = Layers { cluster: &own, ..NO_LAYERS };
        assert_eq!(TopicConfig::resolve(&own, layered), TopicConfig::default(), "{}", row.name);
        assert_eq!(ClusterConfig::resolve(layered), ClusterConfig::default(), "{}", row.name);
    }
}

#[test]
fn a_cluster_default_acts_on_topics_and_a_topics_own_value_wins() {
    let cluster =
        Values::from([("log.retention.ms".into(), "5".into()), ("log.segment.bytes".into(), "2000000".into())]);
    let broker = Values::from([("log.retention.ms".into(), "6".into())]);
    let process = Values::from([("log.retention.ms".into(), "7".into())]);
    let own = Values::from([("retention.ms".into(), "8".into())]);
    let retention = |own: &Values, layers| TopicConfig::resolve(own, layers).retention_ms;
    let layers = Layers { process: &process, broker: &broker, cluster: &cluster };
    assert_eq!(retention(&own, layers), Some(8));
    assert_eq!(retention(&NO_VALUES, layers), Some(7));
    assert_eq!(retention(&NO_VALUES, Layers { process: &NO_VALUES, ..layers }), Some(6));
    assert_eq!(retention(&NO_VALUES, Layers { cluster: &cluster, ..NO_LAYERS }), Some(5));
    assert_eq!(TopicConfig::resolve(&own, layers).segment_bytes, 2_000_000);

    let entries = describe_topic(&own, layers);
    let entry = entries.iter().find(|entry| entry.name == "retention.ms").unwrap();
    let order: Vec<(&str, &str, Source)> =
        entry.synonyms.iter().map(|s| (&*s.name, s.value.as_deref().unwrap(), s.source)).collect();
    assert_eq!(
        order,
        [
            ("retention.ms", "8", Source::Topic),
            ("log.retention.ms", "7", Source::Static),
            ("log.retention.ms", "6", Source::DynamicBroker),
            ("log.retention.ms", "5", Source::DynamicDefault),
            ("log.retention.ms", "604800000", Source::Default),
        ]
    );
    assert_eq!((entry.value.as_deref(), entry.source), (Some("8"), Source::Topic));
}

#[test]
fn a_stored_value_that_is_not_legal_any_more_counts_as_absent() {
    let own = Values::from([("retention.ms".into(), "soon".into()), ("segment.bytes".into(), "-7".into())]);
    assert_eq!(TopicConfig::resolve(&own, NO_LAYERS), TopicConfig::default());
}

#[test]
fn values_are_read_as_kafka_reads_them() {
    use Scope::*;
    expect(Topic, "retention.ms", " 9223372036854775807 ", Ok("9223372036854775807"));
    expect(Topic, "retention.ms", "-1", Ok("-1"));
    expect(Topic, "retention.ms", "+5", Ok("5"));
    expect(
        Topic,
        "retention.ms",
        "-2",
        Err("Invalid value -2 for configuration retention.ms: Value must be at least -1"),
    );
    expect(
        Topic,
        "retention.ms",
        "9223372036854775808",
        Err("Invalid value 9223372036854775808 for configuration retention.ms: Not a number of type LONG"),
    );
    expect(
        Topic,
        "segment.bytes",
        "2147483648",
        Err("Invalid value 2147483648 for configuration segment.bytes: Not a number of type INT"),
    );
    expect(Topic, "preallocate", "TRUE", Ok("true"));
    expect(
        Topic,
        "preallocate",
        "yes",
        Err("Invalid value yes for configuration preallocate: Expected value to be either true or false"),
    );
    expect(Topic, "cleanup.policy", " compact , delete,compact,", Ok("compact,delete"));
    expect(Topic, "cleanup.policy", "", Ok(""));
    expect(
        Topic,
        "cleanup.policy",
        "compact,evict",
        Err("Invalid value compact,evict for configuration cleanup.policy: String must be one of: compact, delete"),
    );
    expect(Topic, "min.cleanable.dirty.ratio", "1", Ok("1.0"));
    expect(
        Topic,
        "min.cleanable.dirty.ratio",
        "NaN",
        Err("Invalid value NaN for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE"),
    );
    expect(Topic, "compression.gzip.level", "-1", Ok("-1"));
    expect(
        Topic,
        "compression.gzip.level",
        "0",
        Err("Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1"),
    );
    expect(Topic, "leader.replication.throttled.replicas", "*", Ok("*"));
    expect(Topic, "leader.replication.throttled.replicas", "0:1,1:1", Ok("0:1,1:1"));
    assert!(check(Topic, "leader.replication.throttled.replicas", "0-1").is_err());
    expect(Topic, "redpanda.remote.write", "true", Ok("true"));
    expect(Topic, "confluent.x.y", " z ", Ok("z"));
    expect(Topic, "message.format.version", "2.8-IV0", Ok("2.8-IV0"));
    expect(Topic, "redpanda.", "1", Err("Unknown topic config name: redpanda."));
    assert_eq!(check(Topic, "retention.ms", &"1".repeat(VALUE_BYTES_MAX + 1)), Err(SettingError::TooLong));
}

#[test]
fn what_is_not_built_is_refused_but_its_default_is_not() {
    let refused = "Configuration remote.storage.enable can't be true: tiered storage isn't built into this version";
    expect(Scope::Topic, "remote.storage.enable", "true", Err(refused));
    expect(Scope::Topic, "remote.storage.enable", "false", Ok("false"));
    let error = check(Scope::Broker, "ssl.keystore.password", "secret").unwrap_err().to_string();
    assert!(error.contains("[hidden]") && !error.contains("secret"), "{error}");
}

#[test]
fn other_units_and_other_brokers_names_reach_the_same_setting() {
    for (name, text, canonical, value) in [
        ("log.retention.hours", "168", "log.retention.ms", "604800000"),
        ("log.retention.minutes", "-1", "log.retention.ms", "-1"),
        ("log.retention.hours", "9223372036854775807", "log.retention.ms", "9223372036854775807"),
        ("auto_create_topics_enabled", "true", "auto.create.topics.enable", "true"),
        ("default_topic_partitions", "3", "num.partitions", "3"),
        ("group_offset_retention_sec", "61", "offsets.retention.minutes", "2"),
        ("broker.id", "4", "node.id", "4"),
        ("node.data_dir", "/d", "log.dirs", "/d"),
        ("write_caching_default", "true", "log.write.caching", "true"),
    ] {
        assert_eq!(check(Scope::Broker, name, text), Ok((canonical.into(), value.into())), "{name}");
    }
}

#[test]
fn unknown_names_are_told_the_nearest_one() {
    for (scope, name, error) in [
        (Scope::Topic, "retention_ms", "Unknown topic config name: retention_ms (did you mean retention.ms?)"),
        (Scope::Broker, "retention.ms", "Unknown broker config name: retention.ms (did you mean log.retention.ms?)"),
        (
            Scope::Group,
            "consumer.session.timeout",
            "Unknown group config name: consumer.session.timeout (did you mean consumer.session.timeout.ms?)",
        ),
        (Scope::Topic, "zzzzzz", "Unknown topic config name: zzzzzz"),
    ] {
        expect(scope, name, "1", Err(error));
    }
    let long = check(Scope::Topic, &"é".repeat(10_000), "1").unwrap_err().to_string();
    assert!(long.len() < 300, "{}", long.len());
}

/// As a fresh Kafka 4.4 answers, so that a comparison of two clusters shows no difference.
#[test]
fn topics_report_kafkas_37_settings_with_its_defaults() {
    let kafka = "cleanup.policy=delete compression.gzip.level=-1 compression.lz4.level=9 compression.type=producer \
        compression.zstd.level=3 delete.retention.ms=86400000 errors.deadletterqueue.group.enable=false \
        file.delete.delay.ms=60000 flush.messages=9223372036854775807 flush.ms=9223372036854775807 \
        follower.replication.throttled.replicas= index.interval.bytes=4096 leader.replication.throttled.replicas= \
        local.retention.bytes=-2 local.retention.ms=-2 max.compaction.lag.ms=9223372036854775807 \
        max.decompressed.message.bytes=2147483639 max.message.bytes=1048588 message.timestamp.after.max.ms=3600000 \
        message.timestamp.before.max.ms=9223372036854775807 message.timestamp.type=CreateTime \
        min.cleanable.dirty.ratio=0.5 min.compaction.lag.ms=0 min.insync.replicas=1 preallocate=false \
        remote.copy.lag.bytes=-1 remote.copy.lag.ms=0 remote.log.copy.disable=false \
        remote.log.delete.on.disable=false remote.storage.enable=false retention.bytes=-1 retention.ms=604800000 \
        segment.bytes=1073741824 segment.index.bytes=10485760 segment.jitter.ms=0 segment.ms=604800000 \
        unclean.leader.election.enable=false";
    let expected: Vec<(&str, &str)> = kafka.split_whitespace().map(|pair| pair.split_once('=').unwrap()).collect();
    assert_eq!(expected.len(), 37);
    let entries = describe_topic(&NO_VALUES, NO_LAYERS);
    let ours = ["write.caching", "flush.bytes"];
    let got: Vec<(&str, &str)> = entries
        .iter()
        .filter(|entry| !ours.contains(&&*entry.name))
        .map(|entry| (&*entry.name, entry.value.as_deref().unwrap()))
        .collect();
    assert_eq!(got, expected);
    assert!(entries.iter().all(|entry| entry.source == Source::Default && !entry.read_only));
}

#[test]
fn other_brokers_settings_are_reported_once_they_are_set() {
    let own = Values::from([
        ("confluent.placement".into(), "x".into()),
        ("message.format.version".into(), "2.8".into()),
        ("redpanda.remote.read".into(), "true".into()),
        ("redpanda.remote.write".into(), "true".into()),
    ]);
    let entries = describe_topic(&own, NO_LAYERS);
    assert_eq!(entries.len(), 39 + 4);
    assert!(entries.windows(2).all(|pair| pair[0].name < pair[1].name));
    let set: Vec<&str> = entries.iter().filter(|e| e.source == Source::Topic).map(|e| &*e.name).collect();
    assert_eq!(set, own.keys().collect::<Vec<_>>());
}

#[test]
fn a_broker_reports_what_tools_ask_for_at_start() {
    let process = Values::from([("ssl.key.password".into(), "secret".into()), ("node.id".into(), "7".into())]);
    let entries = describe_broker(Layers { process: &process, ..NO_LAYERS });
    for name in "advertised.listeners listeners log.dirs auto.create.topics.enable delete.topic.enable \
        default.replication.factor num.partitions log.retention.bytes log.retention.ms log.segment.bytes \
        inter.broker.protocol.version authorizer.class.name message.max.bytes"
        .split_whitespace()
    {
        assert!(entries.iter().any(|entry| entry.name == name), "{name}");
    }
    assert!(entries.windows(2).all(|pair| pair[0].name < pair[1].name));
    let entry = |name: &str| entries.iter().find(|entry| entry.name == name).unwrap();
    assert_eq!((entry("ssl.key.password").value.as_deref(), entry("ssl.key.password").sensitive), (None, true));
    assert_eq!((entry("node.id").value.as_deref(), entry("node.id").source), (Some("7"), Source::Static));
    assert!(entry("node.id").read_only && !entry("num.partitions").read_only);
}

#[test]
fn compaction_lags_must_not_contradict_each_other() {
    let own =
        Values::from([("min.compaction.lag.ms".into(), "9".into()), ("max.compaction.lag.ms".into(), "8".into())]);
    let error = check_topic(&own, NO_LAYERS).unwrap_err().to_string();
    assert_eq!(error, "conflict topic config setting min.compaction.lag.ms (9) > max.compaction.lag.ms (8)");
    assert_eq!(check_topic(&NO_VALUES, NO_LAYERS), Ok(()));
}

#[test]
fn cached_records_are_synced_within_100_ms_unless_told_otherwise() {
    assert_eq!(TopicConfig::default().flush_ms, 100);
    let own = Values::from([("flush.ms".into(), "20".into())]);
    assert_eq!(TopicConfig::resolve(&own, NO_LAYERS).flush_ms, 20);
}

#[test]
fn every_scope_keeps_its_own_row() {
    for row in all().filter(|row| !row.is_family()) {
        let found = find(scope(row.kind), row.name).unwrap();
        assert_eq!(found.setting.name, row.name);
    }
}
