//! `ouzel topic`: everything but produce and consume.

use std::collections::BTreeMap;

use ouzel_client::{
    Client, ClientError, ConfigChange, ConfigEntry, ConfigSource, Ends, ErrorCode, NewTopic, Place, Topic as Found,
};
use ouzel_model::Offset;
use serde::Serialize;

use crate::args::{
    Format, Global, Topic, TopicAddPartitions, TopicAlterConfig, TopicCreate, TopicDescribe, TopicList,
    TopicTrimPrefix, Topics,
};
use crate::cmd::{consume, produce};
use crate::failure::{Done, Failure, Failures};
use crate::place::Bound;
use crate::{output, session, text};

pub fn run(global: Global, topic: Topic) -> Done {
    let Global { format, yes, .. } = global;
    match topic {
        Topic::Create(args) => session::with_client(&global, async move |client| create(client, args, format).await),
        Topic::List(args) => session::with_client(&global, async move |client| list(client, args, format).await),
        Topic::Describe(args) => {
            session::with_client(&global, async move |client| describe(client, args, format).await)
        }
        Topic::Delete(args) => {
            session::with_client(&global, async move |client| delete(client, args, format, yes).await)
        }
        Topic::AlterConfig(args) => {
            session::with_client(&global, async move |client| alter_config(client, args, format).await)
        }
        Topic::AddPartitions(args) => {
            session::with_client(&global, async move |client| add_partitions(client, args, format).await)
        }
        Topic::TrimPrefix(args) => {
            session::with_client(&global, async move |client| trim_prefix(client, args, format, yes).await)
        }
        Topic::Produce(args) => produce::run(&global, args),
        Topic::Consume(args) => consume::run(&global, args),
    }
}

async fn create(client: Client, args: TopicCreate, format: Format) -> Done {
    let topic = |name: &String| NewTopic {
        name: name.clone(),
        partitions: args.partitions,
        replicas: args.replicas,
        configs: args.configs.clone(),
    };
    let topics: Vec<NewTopic> = args.topics.iter().map(topic).collect();
    let outcomes = client.create_topics(&topics, args.dry_run).await;
    let mut outcomes = outcomes.map_err(|error| Failure::client("create topics", error))?;
    for outcome in &mut outcomes {
        let exists = |no: &ouzel_client::Refused| no.code == ErrorCode::TopicAlreadyExists;
        if args.if_not_exists && outcome.result.as_ref().is_err_and(exists) {
            outcome.result = Ok(());
        }
    }
    let done = match (args.dry_run, args.if_not_exists) {
        (true, _) => "could create",
        (false, true) => "ensured",
        (false, false) => "created",
    };
    output::outcomes(format, "create topic", done, &outcomes)
}

#[derive(Serialize)]
struct Listed {
    name: String,
    partitions: usize,
    replicas: usize,
    internal: bool,
}

async fn list(client: Client, args: TopicList, format: Format) -> Done {
    let topics = client.all_topics().await.map_err(|error| Failure::client("list topics", error))?;
    let mut missing = Vec::new();
    for name in &args.topics {
        if !topics.iter().any(|topic| *topic.name == **name) {
            missing.push(unknown(name, &topics));
        }
    }
    let wanted = |topic: &&Found| match args.topics.is_empty() {
        true => args.internal || !topic.internal,
        false => args.topics.iter().any(|name| **name == *topic.name),
    };
    let row = |topic: &Found| Listed {
        name: topic.name.to_string(),
        partitions: topic.partitions.len(),
        replicas: topic.partitions.first().map_or(0, |partition| partition.replicas.len()),
        internal: topic.internal,
    };
    let rows: Vec<Listed> = topics.iter().filter(wanted).map(row).collect();
    match format {
        Format::Json => output::json(&rows),
        Format::Text => {
            let cells = |row: &Listed| vec![row.name.clone(), row.partitions.to_string(), row.replicas.to_string()];
            let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
            let numbers = ["PARTITIONS", "REPLICAS"];
            output::print(&output::table(&["NAME", "PARTITIONS", "REPLICAS"], &numbers, &cells));
        }
    }
    Failures::check(missing)
}

#[derive(Serialize)]
struct Described {
    name: String,
    id: String,
    internal: bool,
    replicas: usize,
    partitions: Vec<PartitionRow>,
    configs: Vec<ConfigRow>,
}

#[derive(Serialize)]
struct PartitionRow {
    partition: i32,
    leader: Option<i32>,
    epoch: i32,
    replicas: Vec<i32>,
    in_sync: Vec<i32>,
    offline: Vec<i32>,
    log_start_offset: i64,
    end_offset: i64,
}

#[derive(Serialize)]
struct ConfigRow {
    name: String,
    value: Option<String>,
    source: &'static str,
}

async fn describe(client: Client, args: TopicDescribe, format: Format) -> Done {
    let mut failures = Vec::new();
    let mut all = Vec::new();
    for name in &args.topics {
        match describe_one(&client, name, args.stable).await {
            Ok(described) => all.push(described),
            Err(error) => failures.push(failed(&client, &format!("describe topic \"{name}\""), name, error).await),
        }
    }
    match format {
        Format::Json => output::json(&all),
        Format::Text => {
            let texts: Vec<String> = all.iter().map(|topic| describe_text(topic, &args)).collect();
            output::print(&texts.join("\n"));
        }
    }
    Failures::check(failures)
}

async fn describe_one(client: &Client, name: &str, stable: bool) -> Result<Described, ClientError> {
    let topics = client.topics(&[name.to_owned()]).await?;
    let topic = &topics[0];
    let places = topic.partitions_of();
    let end = if stable { Ends::StableEnd } else { Ends::End };
    let (starts, ends) = (client.list_offsets(&places, Ends::Start).await?, client.list_offsets(&places, end).await?);
    let offset = |found: &[ouzel_client::PlacedOffset], partition| {
        found.iter().find(|found| found.place.partition == partition).map_or(-1, |found| found.offset.0)
    };
    let row = |partition: &ouzel_client::Partition| PartitionRow {
        partition: partition.index,
        leader: partition.leader,
        epoch: partition.leader_epoch,
        replicas: partition.replicas.clone(),
        in_sync: partition.in_sync.clone(),
        offline: partition.offline.clone(),
        log_start_offset: offset(&starts, partition.index),
        end_offset: offset(&ends, partition.index),
    };
    let config = |entry: ConfigEntry| ConfigRow {
        name: entry.name,
        value: entry.value,
        source: match entry.source {
            ConfigSource::Topic => "topic",
            ConfigSource::Cluster => "cluster",
            ConfigSource::Default => "default",
            ConfigSource::Other => "other",
        },
    };
    Ok(Described {
        name: topic.name.to_string(),
        id: topic.id.to_string(),
        internal: topic.internal,
        replicas: topic.partitions.first().map_or(0, |partition| partition.replicas.len()),
        partitions: topic.partitions.iter().map(row).collect(),
        configs: client.topic_configs(name).await?.into_iter().map(config).collect(),
    })
}

fn describe_text(topic: &Described, args: &TopicDescribe) -> String {
    let chosen = args.print_summary || args.print_partitions || args.print_configs;
    let wanted = |flag: bool| flag || args.print_all || !chosen;
    let mut parts = Vec::new();
    if wanted(args.print_summary) {
        let internal = if topic.internal { "\ninternal    yes" } else { "" };
        parts.push(format!(
            "topic       {}\nid          {}\npartitions  {}\nreplicas    {}{internal}\n",
            topic.name,
            topic.id,
            topic.partitions.len(),
            topic.replicas
        ));
    }
    if wanted(args.print_partitions) {
        let ids = |ids: &[i32]| format!("[{}]", ids.iter().map(i32::to_string).collect::<Vec<_>>().join(" "));
        let row = |row: &PartitionRow| {
            vec![
                row.partition.to_string(),
                row.leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string()),
                row.epoch.to_string(),
                ids(&row.replicas),
                ids(&row.in_sync),
                row.log_start_offset.to_string(),
                row.end_offset.to_string(),
            ]
        };
        let rows: Vec<Vec<String>> = topic.partitions.iter().map(row).collect();
        let header = ["PARTITION", "LEADER", "EPOCH", "REPLICAS", "IN-SYNC", "LOG-START", "END"];
        parts.push(output::table(&header, &["PARTITION", "LEADER", "EPOCH", "LOG-START", "END"], &rows));
    }
    if wanted(args.print_configs) {
        // Without a flag only what somebody has set: the defaults are a page.
        let everything = args.print_configs || args.print_all;
        let row = |row: &ConfigRow| {
            vec![row.name.clone(), row.value.clone().unwrap_or_else(|| "-".to_owned()), row.source.to_owned()]
        };
        let shown = topic.configs.iter().filter(|row| everything || row.source == "topic");
        let rows: Vec<Vec<String>> = shown.map(row).collect();
        if !rows.is_empty() {
            parts.push(output::table(&["SETTING", "VALUE", "SOURCE"], &[], &rows));
        }
    }
    parts.join("\n")
}

async fn delete(client: Client, args: Topics, format: Format, yes: bool) -> Done {
    let all = client.all_topics().await.map_err(|error| Failure::client("delete topics", error))?;
    let missing = |name: &&String| !all.iter().any(|topic| *topic.name == ***name);
    let failures: Vec<Failure> = args.topics.iter().filter(missing).map(|name| unknown(name, &all)).collect();
    Failures::check(failures)?;
    let partitions: usize = all
        .iter()
        .filter(|topic| args.topics.iter().any(|name| **name == *topic.name))
        .map(|topic| topic.partitions.len())
        .sum();
    let act = format!(
        "delete {} {} with {} and all records",
        if args.topics.len() == 1 { "topic" } else { "topics" },
        args.topics.join(", "),
        output::count(partitions, "partition", "partitions")
    );
    output::confirm(&act, yes)?;
    let outcomes = client.delete_topics(&args.topics).await;
    let outcomes = outcomes.map_err(|error| Failure::client("delete topics", error))?;
    output::outcomes(format, "delete topic", "deleted", &outcomes)
}

async fn alter_config(client: Client, args: TopicAlterConfig, format: Format) -> Done {
    let mut changes = Vec::new();
    changes.extend(args.set.into_iter().map(|(name, value)| ConfigChange::Set(name, value)));
    changes.extend(args.delete.into_iter().map(ConfigChange::Delete));
    changes.extend(args.append.into_iter().map(|(name, value)| ConfigChange::Append(name, value)));
    changes.extend(args.subtract.into_iter().map(|(name, value)| ConfigChange::Subtract(name, value)));
    if changes.is_empty() {
        return Err(Failure::usage("nothing to change").next("give --set NAME=VALUE or --delete NAME").into());
    }
    let outcomes = client.alter_topics(&args.topics, &changes, args.dry_run).await;
    let outcomes = outcomes.map_err(|error| Failure::client("change topics", error))?;
    output::outcomes(format, "change topic", if args.dry_run { "could change" } else { "changed" }, &outcomes)
}

async fn add_partitions(client: Client, args: TopicAddPartitions, format: Format) -> Done {
    let mut topics = Vec::new();
    for name in &args.topics {
        match client.topics(std::slice::from_ref(name)).await {
            Ok(found) => {
                let count = i32::try_from(found[0].partitions.len()).unwrap_or(i32::MAX);
                topics.push((name.clone(), count.saturating_add(args.count)));
            }
            Err(error) => {
                let doing = format!("add partitions to topic \"{name}\"");
                return Err(failed(&client, &doing, name, error).await.into());
            }
        }
    }
    let outcomes = client.raise_partitions(&topics).await;
    let outcomes = outcomes.map_err(|error| Failure::client("add partitions", error))?;
    output::outcomes(format, "add partitions to topic", "extended", &outcomes)
}

#[derive(Serialize)]
struct Trimmed {
    topic: String,
    partition: i32,
    log_start_offset: Option<i64>,
    error: Option<&'static str>,
}

async fn trim_prefix(client: Client, args: TopicTrimPrefix, format: Format, yes: bool) -> Done {
    let doing = format!("trim topic \"{}\"", args.topic);
    let now = client.runtime().wall_clock().0;
    let bound = Bound::parse(&args.offset, now).map_err(Failure::usage)?;
    let topic = match client.topics(std::slice::from_ref(&args.topic)).await {
        Ok(mut topics) => topics.remove(0),
        Err(error) => return Err(failed(&client, &doing, &args.topic, error).await.into()),
    };
    let mut places = topic.partitions_of();
    if !args.partitions.is_empty() {
        places = args.partitions.iter().map(|partition| Place::new(&args.topic, *partition)).collect();
    }
    let failed = |error| Failure::client(&doing, error);
    let cuts: Vec<(Place, Offset)> =
        resolve(&client, &places, bound, false).await.map_err(failed)?.into_iter().collect();
    let act = format!(
        "delete the oldest records of {} of topic {}",
        output::count(cuts.len(), "partition", "partitions"),
        args.topic
    );
    output::confirm(&act, yes)?;
    let lowered = client.delete_records(&cuts).await.map_err(failed)?;
    let row = |lowered: &ouzel_client::TopicLowered| Trimmed {
        topic: lowered.place.topic.to_string(),
        partition: lowered.place.partition,
        log_start_offset: lowered.result.as_ref().ok().map(|offset| offset.0),
        error: lowered.result.as_ref().err().map(|no| no.code.name()),
    };
    let rows: Vec<Trimmed> = lowered.iter().map(row).collect();
    match format {
        Format::Json => output::json(&rows),
        Format::Text => {
            let cells = |row: &Trimmed| {
                let start = row.log_start_offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
                vec![row.topic.clone(), row.partition.to_string(), start]
            };
            let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
            let header = ["TOPIC", "PARTITION", "LOG-START"];
            output::print(&output::table(&header, &["PARTITION", "LOG-START"], &cells));
        }
    }
    let failure = |lowered: &ouzel_client::TopicLowered| {
        let no = lowered.result.as_ref().err()?;
        Some(Failure::refused(&format!("trim {}", lowered.place), no))
    };
    Failures::check(lowered.iter().filter_map(failure).collect())
}

/// The offset that a bound means in each partition; `stable` takes the end as readers of committed transactions see it.
pub async fn resolve(
    client: &Client,
    places: &[Place],
    bound: Bound,
    stable: bool,
) -> Result<BTreeMap<Place, Offset>, ClientError> {
    let end = if stable { Ends::StableEnd } else { Ends::End };
    let ask = async |which| -> Result<BTreeMap<Place, Offset>, ClientError> {
        let found = client.list_offsets(places, which).await?;
        Ok(found.into_iter().map(|found| (found.place, found.offset)).collect())
    };
    match bound {
        Bound::Start => ask(Ends::Start).await,
        Bound::End => ask(end).await,
        Bound::At(offset) => Ok(places.iter().map(|place| (place.clone(), Offset(offset))).collect()),
        Bound::AfterStart(count) => {
            let mut offsets = ask(Ends::Start).await?;
            offsets.values_mut().for_each(|offset| offset.0 = offset.0.saturating_add(count));
            Ok(offsets)
        }
        Bound::BeforeEnd(count) => {
            let starts = ask(Ends::Start).await?;
            let mut offsets = ask(end).await?;
            for (place, offset) in &mut offsets {
                let start = starts.get(place).map_or(0, |start| start.0);
                offset.0 = offset.0.saturating_sub(count).max(start);
            }
            Ok(offsets)
        }
        Bound::Time(time) => {
            let mut offsets = ask(Ends::Time(ouzel_model::Timestamp(time))).await?;
            // No record is that young: the next one will be.
            let ends = ask(end).await?;
            for (place, offset) in offsets.iter_mut().filter(|(_, offset)| offset.0 < 0) {
                *offset = ends.get(place).copied().unwrap_or(*offset);
            }
            Ok(offsets)
        }
    }
}

/// A failure about a topic; one that isn't there is told with the nearest name.
pub async fn failed(client: &Client, doing: &str, name: &str, error: ClientError) -> Failure {
    if error.code() == Some(ErrorCode::UnknownTopicOrPartition)
        && let Ok(topics) = client.all_topics().await
        && !topics.iter().any(|topic| *topic.name == *name)
    {
        return unknown(name, &topics);
    }
    Failure::client(doing, error)
}

/// There is no such topic.
pub fn unknown(name: &str, topics: &[Found]) -> Failure {
    let failure = Failure::new("E-UNKNOWN-TOPIC", format!("there is no topic \"{name}\""));
    match text::nearest(name, topics.iter().map(|topic| &*topic.name)) {
        Some(near) => failure.next(format!("did you mean `{near}`? `ouzel topic list` shows all")),
        None => failure.next(format!("create it with `ouzel topic create {name}`; `ouzel topic list` shows all")),
    }
}
