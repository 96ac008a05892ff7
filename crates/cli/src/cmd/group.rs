//! `ouzel group`: who reads what, how far behind, and moving that.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;

use ouzel_client::{Client, ClientError, Committed, Ends, Group as Found, Place};
use ouzel_model::Offset;
use serde::Serialize;

use crate::args::{Format, Global, Group, GroupSeek, Groups};
use crate::cmd::topic;
use crate::failure::{Done, Failure, Failures};
use crate::place::Bound;
use crate::{output, session, text};

pub fn run(global: Global, group: Group) -> Done {
    let Global { format, yes, .. } = global;
    match group {
        Group::List => session::with_client(&global, async move |client| list(client, format).await),
        Group::Describe(args) => {
            session::with_client(&global, async move |client| describe(client, args, format).await)
        }
        Group::Seek(args) => session::with_client(&global, async move |client| seek(client, args, format, yes).await),
        Group::Delete(args) => {
            session::with_client(&global, async move |client| delete(client, args, format, yes).await)
        }
    }
}

#[derive(Serialize)]
struct Listed {
    name: String,
    state: String,
    #[serde(rename = "type")]
    kind: String,
    coordinator: i32,
}

async fn list(client: Client, format: Format) -> Done {
    let groups = client.groups().await.map_err(|error| Failure::client("list groups", error))?;
    let row = |group: ouzel_client::GroupListing| Listed {
        name: group.name,
        state: group.state,
        kind: group.kind.to_lowercase(),
        coordinator: group.coordinator,
    };
    let rows: Vec<Listed> = groups.into_iter().map(row).collect();
    match format {
        Format::Json => output::json(&rows),
        Format::Text => {
            let cells =
                |row: &Listed| vec![row.name.clone(), row.state.clone(), row.kind.clone(), row.coordinator.to_string()];
            let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
            output::print(&output::table(&["GROUP", "STATE", "TYPE", "COORDINATOR"], &["COORDINATOR"], &cells));
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Described {
    name: String,
    state: String,
    #[serde(rename = "type")]
    kind: String,
    assignor: String,
    coordinator: i32,
    members: Vec<MemberRow>,
    total_lag: i64,
    partitions: Vec<LagRow>,
}

#[derive(Serialize)]
struct MemberRow {
    id: String,
    instance: Option<String>,
    client_id: String,
    host: String,
    partitions: usize,
}

#[derive(Serialize)]
struct LagRow {
    topic: String,
    partition: i32,
    committed_offset: Option<i64>,
    log_start_offset: Option<i64>,
    end_offset: Option<i64>,
    lag: Option<i64>,
    member: Option<String>,
}

async fn describe(client: Client, args: Groups, format: Format) -> Done {
    let mut failures = Vec::new();
    let mut all = Vec::new();
    for name in &args.groups {
        match describe_one(&client, name).await {
            Ok(Some(described)) => all.push(described),
            Ok(None) => failures.push(unknown(&client, name).await),
            Err(error) => failures.push(Failure::client(&format!("describe group \"{name}\""), error)),
        }
    }
    match format {
        Format::Json => output::json(&all),
        Format::Text => output::print(&all.iter().map(describe_text).collect::<Vec<_>>().join("\n")),
    }
    Failures::check(failures)
}

/// `None` for a group that doesn't exist.
async fn describe_one(client: &Client, name: &str) -> Result<Option<Described>, ClientError> {
    let group: Found = client.group(name).await?;
    let committed: BTreeMap<Place, Offset> =
        client.committed(name).await?.into_iter().map(|c| (c.place, c.offset)).collect();
    if group.state == "Dead" && committed.is_empty() {
        return Ok(None);
    }
    let mut readers = BTreeMap::new();
    for member in &group.members {
        readers.extend(member.partitions.iter().map(|place| (place.clone(), member.id.clone())));
    }
    let places: BTreeSet<Place> = committed.keys().chain(readers.keys()).cloned().collect();
    let (starts, ends) = bounds(client, &places).await?;
    let row = |place: &Place| {
        let at = committed.get(place).map(|offset| offset.0);
        let (start, end) = (starts.get(place).map(|o| o.0), ends.get(place).map(|o| o.0));
        // Nothing committed: all that is there waits. Committed below the start: what is gone waits no more.
        let from = at.unwrap_or(i64::MIN).max(start.unwrap_or(i64::MIN));
        LagRow {
            topic: place.topic.to_string(),
            partition: place.partition,
            committed_offset: at,
            log_start_offset: start,
            end_offset: end,
            lag: end.map(|end| end.saturating_sub(from).max(0)),
            member: readers.get(place).cloned(),
        }
    };
    let partitions: Vec<LagRow> = places.iter().map(row).collect();
    let member = |member: &ouzel_client::GroupMember| MemberRow {
        id: member.id.clone(),
        instance: member.instance.clone(),
        client_id: member.client_id.clone(),
        // Kafka writes the address behind an empty host name.
        host: member.host.trim_start_matches('/').to_owned(),
        partitions: member.partitions.len(),
    };
    Ok(Some(Described {
        name: name.to_owned(),
        state: group.state,
        kind: group.kind,
        assignor: group.assignor,
        coordinator: group.coordinator,
        members: group.members.iter().map(member).collect(),
        total_lag: partitions.iter().filter_map(|row| row.lag).sum(),
        partitions,
    }))
}

type Offsets = BTreeMap<Place, Offset>;

/// Starts and ends of those partitions that still exist.
async fn bounds(client: &Client, places: &BTreeSet<Place>) -> Result<(Offsets, Offsets), ClientError> {
    let topics = client.all_topics().await?;
    let there: BTreeSet<Place> = topics.iter().flat_map(|topic| topic.partitions_of()).collect();
    let places: Vec<Place> = places.intersection(&there).cloned().collect();
    let by_place = |found: Vec<ouzel_client::PlacedOffset>| found.into_iter().map(|f| (f.place, f.offset)).collect();
    let starts = by_place(client.list_offsets(&places, Ends::Start).await?);
    let ends = by_place(client.list_offsets(&places, Ends::End).await?);
    Ok((starts, ends))
}

fn describe_text(group: &Described) -> String {
    let summary = format!(
        "group        {}\nstate        {}\ntype         {}\nassignor     {}\ncoordinator  {}\nmembers      {}\ntotal lag    {}\n",
        group.name,
        group.state,
        group.kind,
        if group.assignor.is_empty() { "-" } else { &group.assignor },
        group.coordinator,
        group.members.len(),
        group.total_lag
    );
    let number = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let row = |row: &LagRow| {
        let member = group.members.iter().find(|member| row.member.as_deref() == Some(member.id.as_str()));
        vec![
            row.topic.clone(),
            row.partition.to_string(),
            number(row.committed_offset),
            number(row.log_start_offset),
            number(row.end_offset),
            number(row.lag),
            row.member.clone().unwrap_or_else(|| "-".to_owned()),
            member.map_or_else(|| "-".to_owned(), |member| member.host.clone()),
        ]
    };
    let rows: Vec<Vec<String>> = group.partitions.iter().map(row).collect();
    if rows.is_empty() {
        return summary;
    }
    let header = ["TOPIC", "PARTITION", "COMMITTED", "LOG-START", "END", "LAG", "MEMBER", "HOST"];
    let numbers = ["PARTITION", "COMMITTED", "LOG-START", "END", "LAG"];
    format!("{summary}\n{}", output::table(&header, &numbers, &rows))
}

#[derive(Serialize)]
struct Move {
    topic: String,
    partition: i32,
    from: Option<i64>,
    to: i64,
}

async fn seek(client: Client, args: GroupSeek, format: Format, yes: bool) -> Done {
    let doing = format!("move group \"{}\"", args.group);
    let failed = |error| Failure::client(&doing, error);
    let committed: Offsets =
        client.committed(&args.group).await.map_err(failed)?.into_iter().map(|c| (c.place, c.offset)).collect();
    let wanted = |place: &Place| args.topics.is_empty() || args.topics.iter().any(|topic| **topic == *place.topic);
    let mut to = match (&args.to, &args.to_group, &args.to_file) {
        (_, Some(other), _) => {
            let theirs = client.committed(other).await.map_err(failed)?;
            if theirs.is_empty() {
                return Err(unknown(&client, other).await.into());
            }
            theirs.into_iter().map(|c| (c.place, c.offset)).collect()
        }
        (_, _, Some(file)) => read_offsets(file)?,
        (Some(to), None, None) => seek_to(&client, &args, to, &committed).await?,
        (None, None, None) => return Err(Failure::usage("where to?").next("give --to start").into()),
    };
    to.retain(|place, _| wanted(place));
    if to.is_empty() {
        let failure = Failure::new("E-REFUSED", format!("can't {doing}: it has committed nothing that could move"));
        return Err(failure.next("name the topics: `--topics a,b`").into());
    }
    let plan = |(place, to): (&Place, &Offset)| Move {
        topic: place.topic.to_string(),
        partition: place.partition,
        from: committed.get(place).map(|offset| offset.0),
        to: to.0,
    };
    let moves: Vec<Move> = to.iter().map(plan).collect();
    if format == Format::Text {
        let cells = |plan: &Move| {
            let from = plan.from.map_or_else(|| "-".to_owned(), |from| from.to_string());
            vec![plan.topic.clone(), plan.partition.to_string(), from, plan.to.to_string()]
        };
        let cells: Vec<Vec<String>> = moves.iter().map(cells).collect();
        let header = ["TOPIC", "PARTITION", "FROM", "TO"];
        output::print(&output::table(&header, &["PARTITION", "FROM", "TO"], &cells));
    }
    if !args.dry_run {
        // The table above says what was: a script can go back, so only people are asked.
        if std::io::stdin().is_terminal() && !yes && !output::ask(&format!("Move group {}?", args.group)) {
            return Err(Failure::new("E-CONFIRM", "nothing was done").into());
        }
        let offsets: Vec<Committed> = to.into_iter().map(|(place, offset)| Committed { place, offset }).collect();
        client.commit_for(&args.group, &offsets).await.map_err(failed)?;
    }
    if format == Format::Json {
        output::json(&moves);
    }
    Ok(())
}

async fn seek_to(client: &Client, args: &GroupSeek, to: &str, committed: &Offsets) -> Result<Offsets, Failure> {
    let doing = format!("move group \"{}\"", args.group);
    let bound = Bound::parse(to, client.runtime().wall_clock().0).map_err(Failure::usage)?;
    let mut places: BTreeSet<Place> = committed.keys().cloned().collect();
    for name in &args.topics {
        match client.topics(std::slice::from_ref(name)).await {
            Ok(topics) => places.extend(topics[0].partitions_of()),
            Err(error) => return Err(topic::failed(client, &doing, name, error).await),
        }
    }
    let (starts, ends) = bounds(client, &places).await.map_err(|error| Failure::client(&doing, error))?;
    let places: Vec<Place> = starts.keys().cloned().collect();
    let mut to = topic::resolve(client, &places, bound, false).await.map_err(|error| Failure::client(&doing, error))?;
    for (place, offset) in &mut to {
        let (start, end) = (starts.get(place).map_or(0, |o| o.0), ends.get(place).map_or(i64::MAX, |o| o.0));
        offset.0 = offset.0.clamp(start, end.max(start));
    }
    Ok(to)
}

/// Lines of topic, partition and offset, with spaces or tabs between.
fn read_offsets(file: &std::path::Path) -> Result<Offsets, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("can't read {}: {error}", file.display())))?;
    let mut offsets = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let bad = || Failure::usage(format!("{} line {}: not topic, partition and offset", file.display(), number + 1));
        let [topic, partition, offset] = line.split_whitespace().collect::<Vec<_>>()[..] else { return Err(bad()) };
        let partition: i32 = partition.parse().map_err(|_| bad())?;
        let offset: i64 = offset.parse().ok().filter(|offset| *offset >= 0).ok_or_else(bad)?;
        offsets.insert(Place::new(topic, partition), Offset(offset));
    }
    Ok(offsets)
}

async fn delete(client: Client, args: Groups, format: Format, yes: bool) -> Done {
    let named = if args.groups.len() == 1 { "group" } else { "groups" };
    output::confirm(&format!("delete {named} {} and what was committed", args.groups.join(", ")), yes)?;
    let outcomes = client.delete_groups(&args.groups).await;
    let outcomes = outcomes.map_err(|error| Failure::client("delete groups", error))?;
    output::outcomes(format, "delete group", "deleted", &outcomes)
}

async fn unknown(client: &Client, name: &str) -> Failure {
    let failure = Failure::new("E-UNKNOWN-GROUP", format!("there is no group \"{name}\""));
    let groups = client.groups().await.unwrap_or_default();
    match text::nearest(name, groups.iter().map(|group| group.name.as_str())) {
        Some(near) => failure.next(format!("did you mean `{near}`? `ouzel group list` shows all")),
        None => failure.next("`ouzel group list` shows all"),
    }
}
