//! The admin door of a running broker: readiness, and metrics that say what clients did.
// Tests are outside the seam.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod raw;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use ouzel_broker::Broker;
use raw::{Client, Dir, block_on, commit, create, fetch, produce, start};

fn broker(dir: &Dir, detail: bool) -> Broker {
    start(dir, |config| {
        config.admin = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.set("metrics.partition_detail", if detail { "true" } else { "false" }).expect("a setting");
    })
}

/// Status code and body.
fn get(admin: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(admin).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line"), body.to_string())
}

/// A scrape, read as strictly as the format is written.
struct Scrape {
    /// By name and labels, as they stand.
    series: BTreeMap<String, f64>,
    /// Kinds by family.
    families: BTreeMap<String, String>,
}

impl Scrape {
    fn of(admin: SocketAddr) -> Scrape {
        let (code, text) = get(admin, "/metrics");
        assert_eq!(code, 200, "{text}");
        Scrape::read(&text)
    }

    fn read(text: &str) -> Scrape {
        let mut scrape = Scrape { series: BTreeMap::new(), families: BTreeMap::new() };
        let (mut helped, mut family) = (BTreeSet::new(), String::new());
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect(line);
                assert!(helped.insert(name.to_string()) && help.ends_with('.'), "{line}");
                family = name.to_string();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect(line);
                assert!(name == family && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(scrape.families.insert(name.to_string(), kind.to_string()).is_none(), "{line}");
            } else {
                let (series, value) = line.rsplit_once(' ').expect(line);
                let (name, labels) = series.split_once('{').map_or((series, None), |(n, l)| (n, Some(l)));
                let kind = &scrape.families[&family];
                let fits = match name.strip_prefix(&*family) {
                    Some("") => kind != "histogram",
                    Some("_bucket" | "_sum" | "_count") => kind == "histogram",
                    _ => false,
                };
                assert!(fits && name.starts_with("ouzel_"), "{line}");
                for label in labels.map(|l| l.strip_suffix('}').expect(line)).into_iter().flat_map(|l| l.split(',')) {
                    let (name, value) = label.split_once('=').expect(line);
                    assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'), "{line}");
                    assert!(value.len() >= 2 && value.starts_with('"') && value.ends_with('"'), "{line}");
                }
                let value: f64 = value.parse().expect(line);
                assert!(value.is_finite() && value >= 0.0, "{line}");
                assert!(scrape.series.insert(series.to_string(), value).is_none(), "{line}");
            }
        }
        assert!(helped.iter().eq(scrape.families.keys()));
        scrape
    }

    fn value(&self, series: &str) -> f64 {
        *self.series.get(series).unwrap_or_else(|| panic!("{series} of {:#?}", self.series))
    }

    /// Sum over all shards.
    fn sum(&self, name: &str) -> f64 {
        self.series.iter().filter(|(series, _)| series.split('{').next() == Some(name)).map(|(_, v)| v).sum()
    }
}

#[test]
fn metrics_say_what_clients_did() {
    let dir = Dir::new("admin-metrics");
    let broker = broker(&dir, true);
    let admin = broker.ready().admin.expect("a door");
    assert_eq!(get(admin, "/v1/status/ready"), (200, "{\"status\":\"ready\"}".into()));
    let mut client = Client::new(&broker);
    create(&mut client, "t", 4);
    let before = Scrape::of(admin);
    produce(&mut client, "t", 0, 3);
    produce(&mut client, "t", 1, 5);
    fetch(&mut client, "t", 1);
    commit(&mut client, "g", "t", &[(0, 1), (1, 1)]);
    let after = Scrape::of(admin);

    let offset = |scrape: &Scrape, p| {
        let labels = format!("ouzel_namespace=\"kafka\",ouzel_topic=\"t\",ouzel_partition=\"{p}\"");
        scrape.value(&format!("ouzel_kafka_max_offset{{{labels}}}"))
    };
    assert_eq!([0, 1, 2].map(|p| offset(&before, p)), [0.0; 3]);
    assert_eq!([0, 1, 2].map(|p| offset(&after, p)), [3.0, 5.0, 0.0]);
    let grown = |series: &str| after.value(series) - before.value(series);
    assert_eq!(grown("ouzel_kafka_records_produced_total"), 8.0);
    assert_eq!(grown("ouzel_kafka_records_fetched_total"), 5.0);
    assert_eq!(grown("ouzel_kafka_request_latency_seconds_count{ouzel_request=\"produce\"}"), 2.0);
    assert_eq!(grown("ouzel_kafka_request_latency_seconds_count{ouzel_request=\"consume\"}"), 1.0);
    assert!(grown("ouzel_kafka_request_latency_seconds_sum{ouzel_request=\"produce\"}") > 0.0);
    let handled = "ouzel_kafka_handler_latency_seconds_count{ouzel_handler=\"OffsetCommit\"}";
    assert_eq!(after.value(handled), 1.0);
    assert!(grown("ouzel_kafka_request_bytes_total{ouzel_request=\"produce\"}") > 8.0 * 5.0);
    assert!(grown("ouzel_rpc_received_bytes{ouzel_server=\"kafka\"}") > 8.0 * 5.0);
    assert!(grown("ouzel_rpc_sent_bytes{ouzel_server=\"kafka\"}") > 5.0 * 5.0);
    let groups = "ouzel_log_commit_groups_total";
    assert!(after.sum(groups) >= before.sum(groups) + 2.0);
    assert!(after.sum("ouzel_log_commit_seconds_count") > before.sum("ouzel_log_commit_seconds_count"));
    assert_eq!(after.value("ouzel_rpc_active_connections{ouzel_server=\"kafka\"}"), 1.0);
    assert_eq!(after.value("ouzel_kafka_partitions{ouzel_namespace=\"kafka\",ouzel_topic=\"t\"}"), 4.0);
    assert_eq!(after.value("ouzel_cluster_unavailable_partitions"), 0.0);
    assert_eq!(after.value("ouzel_metrics_partition_detail_suppressed"), 0.0);
    assert!(after.sum("ouzel_cpu_busy_seconds_total") > before.sum("ouzel_cpu_busy_seconds_total"));

    let group = |name: &str| after.value(&format!("ouzel_kafka_consumer_group_{name}{{ouzel_group=\"g\"}}"));
    assert_eq!(["lag_sum", "lag_max", "topics", "consumers"].map(group), [6.0, 4.0, 1.0, 0.0]);
    let labels = "{ouzel_group=\"g\",ouzel_topic=\"t\",ouzel_partition=\"1\"}";
    assert_eq!(after.value(&format!("ouzel_kafka_consumer_group_committed_offset{labels}")), 1.0);

    // The page that lists them has each of them and no other.
    let page = include_str!("../../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `ouzel_"));
    let told: BTreeMap<String, String> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (format!("ouzel_{}", cells[0].trim_end_matches('`')), cells[2].to_string())
        })
        .collect();
    assert_eq!(told, after.families);
    block_on(broker.stop()).expect("it stops");
}

#[test]
fn without_detail_groups_still_have_their_lag() {
    let dir = Dir::new("admin-detail");
    let broker = broker(&dir, false);
    let admin = broker.ready().admin.expect("a door");
    let mut client = Client::new(&broker);
    create(&mut client, "t", 1);
    produce(&mut client, "t", 0, 3);
    commit(&mut client, "g", "t", &[(0, 1)]);
    let scrape = Scrape::of(admin);
    assert_eq!(scrape.value("ouzel_metrics_partition_detail_suppressed"), 1.0);
    assert_eq!(scrape.value("ouzel_kafka_consumer_group_lag_sum{ouzel_group=\"g\"}"), 2.0);
    assert!(scrape.series.keys().all(|series| !series.contains("ouzel_partition=")));
}

#[test]
fn a_broker_that_stops_says_so() {
    let dir = Dir::new("admin-stop");
    let broker = broker(&dir, true);
    let admin = broker.ready().admin.expect("a door");
    broker.stopper().expect("it runs").stop();
    let stopping = (503, "{\"status\":\"stopping\"}".to_string());
    let told = (0..100_000).any(|_| get(admin, "/v1/status/ready") == stopping);
    assert!(told);
    assert_eq!(get(admin, "/metrics").0, 503);
    broker.wait().expect("it ends well");
}

#[test]
fn a_taken_admin_port_moves_only_if_it_may() {
    let (first, second) = (Dir::new("admin-port-1"), Dir::new("admin-port-2"));
    let holder = broker(&first, true);
    let taken = holder.ready().admin.expect("a door");
    let moved = start(&second, |config| (config.admin, config.admin_may_move) = (Some(taken), true));
    assert_eq!(moved.ready().admin_taken, Some(taken.port()));
    assert_eq!(get(moved.ready().admin.expect("a door"), "/v1/status/ready").0, 200);
    drop(moved);
    let mut config = ouzel_broker::Config::dev().data_dir(&second.0).any_port();
    (config.admin, config.admin_may_move) = (Some(taken), false);
    let refused = block_on(Broker::start(config)).err().expect("the port is taken");
    assert!(refused.to_string().contains(&taken.to_string()), "{refused}");
}
