//! `ouzel topic consume`: records to standard output, alone or as a member of a group.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal};
use std::time::Duration;

use ouzel_client::{Beat, Client, ClientError, Committed, Isolation, Member, Message, Place, Reader};
use ouzel_model::Offset;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::{Global, TopicConsume};
use crate::cmd::produce::bad_format;
use crate::cmd::topic;
use crate::failure::{Done, Failure};
use crate::percent::{Layout, View};
use crate::place::{Bound, Span};
use crate::record::print_json;
use crate::{output, session};

/// Longest wait for records before a member sees to its group.
const POLL: Duration = Duration::from_millis(500);
/// How often a member commits what it has printed.
const COMMIT_EVERY: Duration = Duration::from_secs(1);

/// How records are printed.
enum Style {
    Json { values: bool, pretty: bool },
    Percent(Layout),
}

pub fn run(global: &Global, args: TopicConsume) -> Done {
    let style = match args.record_format.as_str() {
        "json" => Style::Json { values: !args.meta_only, pretty: io::stdout().is_terminal() },
        text => Style::Percent(Layout::parse(text).map_err(|why| bad_format("-f", text, &why))?),
    };
    session::with_client(global, async move |client| consume(client, args, style).await)
}

async fn consume(client: Client, args: TopicConsume, style: Style) -> Done {
    let now = client.runtime().wall_clock().0;
    let span = Span::parse(&args.offset, now).map_err(|why| Failure::usage(format!("-o: {why}")))?;
    if args.group.is_some() && span.to.is_some() {
        let failure = Failure::usage("-o with an end, and -g: a group's members don't agree on an end");
        return Err(failure.next("leave -g away, or stop with -n").into());
    }
    if args.num == Some(0) {
        return Ok(());
    }
    let signals = Signals::new().map_err(|error| Failure::new("E-INTERNAL", format!("no signals: {error}")))?;
    let places = places(&client, &args).await?;
    let isolation = if args.read_committed { Isolation::Committed } else { Isolation::Uncommitted };
    let reader = Reader::new(&client, isolation, args.print_control_records);
    let printer = Printer { style, left: args.num, count: 0, done: BTreeMap::new() };
    match &args.group {
        Some(group) => {
            let member = Member::new(&client, group, &args.topics);
            let state = InGroup {
                client: client.clone(),
                group: group.clone(),
                from: span.from,
                member,
                committed: BTreeMap::new(),
            };
            in_group(state, reader, printer, signals).await
        }
        None => alone(&client, places, span, args.read_committed, reader, printer, signals).await,
    }
}

/// The partitions asked for, all of which exist.
async fn places(client: &Client, args: &TopicConsume) -> Result<Vec<Place>, Failure> {
    let mut places = BTreeSet::new();
    for name in &args.topics {
        let doing = format!("consume topic \"{name}\"");
        let found = match client.topics(std::slice::from_ref(name)).await {
            Ok(topics) => topics[0].partitions_of(),
            Err(error) => return Err(topic::failed(client, &doing, name, error).await),
        };
        for partition in &args.partitions {
            if !found.iter().any(|place| place.partition == *partition) {
                let error = ClientError::NoPartition { topic: name.clone(), partition: *partition, count: found.len() };
                return Err(Failure::client(&doing, error));
            }
        }
        let wanted = |place: &Place| args.partitions.is_empty() || args.partitions.contains(&place.partition);
        places.extend(found.into_iter().filter(wanted));
    }
    Ok(places.into_iter().collect())
}

async fn alone(
    client: &Client,
    places: Vec<Place>,
    span: Span,
    stable: bool,
    mut reader: Reader,
    mut printer: Printer,
    mut signals: Signals,
) -> Done {
    let failed = |error| Failure::client("consume", error);
    let from = topic::resolve(client, &places, span.from, stable).await.map_err(failed)?;
    let ends = match span.to {
        Some(to) => topic::resolve(client, &places, to, stable).await.map_err(failed)?,
        None => BTreeMap::new(),
    };
    for (place, offset) in from {
        reader.assign(place, offset);
    }
    loop {
        for (place, end) in &ends {
            if reader.positions().get(place).is_some_and(|position| *position >= end.0) {
                reader.drop_place(place);
            }
        }
        if reader.positions().is_empty() {
            return Ok(());
        }
        let polled = ouzel_runtime::select! {
            () = signals.wait() => return Ok(()),
            polled = reader.poll(POLL) => polled.map_err(failed)?,
        };
        note_jumps(&polled.jumped);
        let wanted = |message: &Message| ends.get(&message.place).is_none_or(|end| message.offset.0 < end.0);
        let messages: Vec<Message> = polled.messages.into_iter().filter(wanted).collect();
        if !printer.print(&messages, &reader) {
            return Ok(());
        }
    }
}

/// A member of a group and what it has committed.
struct InGroup {
    client: Client,
    group: String,
    from: Bound,
    member: Member,
    committed: BTreeMap<Place, i64>,
}

async fn in_group(mut state: InGroup, mut reader: Reader, mut printer: Printer, mut signals: Signals) -> Done {
    let doing = format!("consume in group \"{}\"", state.group);
    let failed = |error| Failure::client(&doing, error);
    let joined = ouzel_runtime::select! {
        () = signals.wait() => return Ok(()),
        joined = state.join(&mut reader, &mut printer) => joined,
    };
    joined.map_err(failed)?;
    let rt = state.client.runtime().clone();
    let (mut beat_at, mut commit_at) = (rt.now() + Member::BEAT_EVERY, rt.now() + COMMIT_EVERY);
    loop {
        let polled = ouzel_runtime::select! {
            () = signals.wait() => break,
            polled = reader.poll(POLL) => polled.map_err(failed)?,
        };
        note_jumps(&polled.jumped);
        if !printer.print(&polled.messages, &reader) {
            break;
        }
        let mut beat = Beat::Fine;
        if rt.now() >= commit_at {
            beat = state.commit(&printer.done).await.map_err(failed)?;
            commit_at = rt.now() + COMMIT_EVERY;
        }
        if beat == Beat::Fine && rt.now() >= beat_at {
            beat = state.member.beat().await.map_err(failed)?;
            beat_at = rt.now() + Member::BEAT_EVERY;
        }
        if beat == Beat::Rejoin {
            // What was printed counts, if the group still listens.
            state.commit(&printer.done).await.map_err(failed)?;
            let joined = ouzel_runtime::select! {
                () = signals.wait() => break,
                joined = state.join(&mut reader, &mut printer) => joined,
            };
            joined.map_err(failed)?;
            beat_at = rt.now() + Member::BEAT_EVERY;
        }
    }
    state.commit(&printer.done).await.map_err(failed)?;
    state.member.leave().await.map_err(failed)?;
    Ok(())
}

impl InGroup {
    /// Joins, and reads on from where the group is.
    async fn join(&mut self, reader: &mut Reader, printer: &mut Printer) -> Result<(), ClientError> {
        self.member.join().await?;
        let before: Vec<Place> = reader.positions().keys().cloned().collect();
        before.iter().for_each(|place| reader.drop_place(place));
        printer.done.clear();
        let assignment = self.member.assignment().to_vec();
        let committed = self.client.committed(&self.group).await?;
        self.committed = committed.into_iter().map(|c| (c.place, c.offset.0)).collect();
        let fresh: Vec<Place> =
            assignment.iter().filter(|place| !self.committed.contains_key(*place)).cloned().collect();
        for (place, offset) in topic::resolve(&self.client, &fresh, self.from, false).await? {
            reader.assign(place, offset);
        }
        for place in assignment {
            if let Some(offset) = self.committed.get(&place) {
                reader.assign(place.clone(), Offset(*offset));
            }
        }
        Ok(())
    }

    /// Commits what is new.
    async fn commit(&mut self, done: &BTreeMap<Place, i64>) -> Result<Beat, ClientError> {
        let new = done.iter().filter(|(place, offset)| self.committed.get(*place) != Some(*offset));
        let new: Vec<Committed> =
            new.map(|(place, offset)| Committed { place: place.clone(), offset: Offset(*offset) }).collect();
        if new.is_empty() {
            return Ok(Beat::Fine);
        }
        let beat = self.member.commit(&new).await?;
        if beat == Beat::Fine {
            self.committed.extend(new.into_iter().map(|c| (c.place, c.offset.0)));
        }
        Ok(beat)
    }
}

fn note_jumps(jumped: &[(Place, i64)]) {
    for (place, offset) in jumped {
        eprintln!("note: {place} doesn't have the offset asked for, reading on from {offset}");
    }
}

/// Prints records and remembers how far.
struct Printer {
    style: Style,
    /// Records that may still be printed; no bound without it.
    left: Option<u64>,
    count: i64,
    /// Next offset of each partition that was printed of.
    done: BTreeMap<Place, i64>,
}

impl Printer {
    /// Prints; false when enough is printed or nobody reads any more.
    fn print(&mut self, messages: &[Message], reader: &Reader) -> bool {
        let enough = self.left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
        let messages = &messages[..messages.len().min(enough)];
        let mut text = Vec::new();
        for message in messages {
            match &self.style {
                Style::Json { values, pretty } => print_json(message, *values, *pretty, &mut text),
                Style::Percent(layout) => {
                    let reach = reader.reach(&message.place).unwrap_or_default();
                    let view = View {
                        count: self.count,
                        log_start: reach.log_start,
                        last_stable: reach.last_stable,
                        high_watermark: reach.high_watermark,
                        ..View::from(message)
                    };
                    layout.print(&view, &mut text);
                }
            }
            self.count += 1;
        }
        if !text.is_empty() && !output::write(&text) {
            return false;
        }
        self.done.extend(messages.iter().map(|message| (message.place.clone(), message.offset.0 + 1)));
        self.left = self.left.map(|left| left - messages.len() as u64);
        self.left != Some(0)
    }
}

/// Ctrl-C and SIGTERM: a member leaves its group before it ends.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(&mut self) {
        ouzel_runtime::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
