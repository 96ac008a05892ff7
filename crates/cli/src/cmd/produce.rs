//! `ouzel topic produce`: records from standard input.

use std::io::{self, IsTerminal, Read};

use bytes::Bytes;
use ouzel_client::{Client, Outgoing, Placed, Producer, Rules};
use ouzel_model::Timestamp;

use crate::args::{Global, TopicProduce};
use crate::cmd::topic;
use crate::failure::{Done, Failure};
use crate::percent::{Found, Layout, Mentions, View};
use crate::record::{Json, read_json};
use crate::{output, session};

/// What a terminal shows for each record.
const SAID: &str = "Produced to partition %p at offset %o with timestamp %d.\\n";
/// Bytes asked of standard input at a time. Whatever comes is sent before the next read, which may wait.
const READ_BYTES: usize = 1 << 20;
/// Longest record, bytes of input.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// How input becomes records.
enum Input {
    Json,
    Percent(Layout, Mentions),
}

/// A record and the topic it brings, if it does.
struct Line {
    topic: Option<String>,
    record: Outgoing,
}

pub fn run(global: &Global, args: TopicProduce) -> Done {
    let input = match args.record_format.as_str() {
        "json" => Input::Json,
        text => {
            let layout = Layout::parse(text).and_then(|layout| layout.check_readable().map(|()| layout));
            let layout = layout.map_err(|why| bad_format("-f", text, &why))?;
            let mentions = layout.mentions();
            Input::Percent(layout, mentions)
        }
    };
    let output = match &args.output_format {
        Some(text) => Some(Layout::parse(text).map_err(|why| bad_format("-o", text, &why))?),
        None if io::stdout().is_terminal() => Layout::parse(SAID).ok(),
        None => None,
    };
    session::with_client(global, async move |client| produce(client, args, input, output).await)
}

pub fn bad_format(flag: &str, text: &str, why: &str) -> Failure {
    Failure::usage(format!("{flag} `{text}`: {why}")).next("`--help` explains the percent language")
}

async fn produce(client: Client, args: TopicProduce, input: Input, output: Option<Layout>) -> Done {
    let mut producer = Producer::new(&client, Rules { acks: args.acks, codec: args.compression, create: true });
    // Before anything is typed: a topic that can't be had is told at once.
    if let Err(error) = client.topic(&args.topic, true).await
        && !matches!(&input, Input::Percent(_, mentions) if mentions.topic)
    {
        let doing = format!("produce to topic \"{}\"", args.topic);
        return Err(topic::failed(&client, &doing, &args.topic, error).await.into());
    }
    if io::stdin().is_terminal() {
        eprintln!("one record per line; Ctrl-D ends");
    }
    let mut stdin = io::stdin().lock();
    let mut buffer: Vec<u8> = Vec::new();
    let mut chunk = vec![0; READ_BYTES];
    let mut count = 0;
    loop {
        let read =
            stdin.read(&mut chunk).map_err(|error| Failure::new("E-INPUT", format!("can't read input: {error}")))?;
        buffer.extend_from_slice(&chunk[..read]);
        let ended = read == 0;
        let (lines, used, wrong) = records(&input, &args, &buffer, ended);
        buffer.drain(..used);
        // What came before the bad part is written: the message then says where to go on.
        let sent = lines.len();
        send(&client, &mut producer, &args, lines, &output, count).await?;
        count += sent as i64;
        if let Some(why) = wrong {
            return Err(bad_input(count, &why).into());
        }
        if buffer.len() > RECORD_BYTES_MAX {
            return Err(bad_input(count, &format!("it has more than {RECORD_BYTES_MAX} bytes")).into());
        }
        if ended {
            return Ok(());
        }
    }
}

fn bad_input(count: i64, why: &str) -> Failure {
    Failure::new("E-INPUT", format!("record {} of the input doesn't fit: {why}", count + 1))
        .next(format!("the {count} records before it are written"))
}

/// All whole records of the buffer, how many bytes they took, and what is wrong with the next one, if it is.
fn records(input: &Input, args: &TopicProduce, buffer: &[u8], ended: bool) -> (Vec<Line>, usize, Option<String>) {
    let mut lines = Vec::new();
    let mut at = 0;
    while at < buffer.len() {
        let rest = &buffer[at..];
        let (line, used) = match input {
            Input::Json => match read_json(rest) {
                Ok(Json::Record(record, used)) => (Line { topic: None, record: complete(record, args) }, used),
                Ok(Json::Blank) => return (lines, buffer.len(), None),
                Ok(Json::More) if ended => return (lines, at, Some("the input ends inside a record".to_owned())),
                Ok(Json::More) => break,
                Err(why) => return (lines, at, Some(why)),
            },
            Input::Percent(layout, mentions) => match layout.read(rest, ended) {
                Ok(Found::Record(view, used)) => match outgoing(view, mentions) {
                    Ok(line) => (Line { record: complete(line.record, args), ..line }, used),
                    Err(why) => return (lines, at, Some(why)),
                },
                Ok(Found::More) => break,
                Err(why) => return (lines, at, Some(why.0)),
            },
        };
        lines.push(line);
        at += used;
    }
    (lines, at, None)
}

fn outgoing(view: View, mentions: &Mentions) -> Result<Line, String> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).map_err(|_| "a name that isn't text".to_owned());
    let mut headers = Vec::new();
    for (name, value) in &view.headers {
        headers.push((text(name)?, Some(value.clone())));
    }
    let partition = i32::try_from(view.partition).map_err(|_| format!("{} is no partition", view.partition))?;
    Ok(Line {
        topic: if mentions.topic { Some(text(&view.topic)?) } else { None },
        record: Outgoing {
            key: mentions.key.then_some(view.key),
            value: mentions.value.then_some(view.value),
            headers,
            timestamp: mentions.timestamp.then_some(Timestamp(view.timestamp)),
            partition: mentions.partition.then_some(partition),
        },
    })
}

/// Adds what the flags say.
fn complete(mut record: Outgoing, args: &TopicProduce) -> Outgoing {
    record.key = record.key.or_else(|| args.key.clone().map(Bytes::from));
    record.partition = args.partition.or(record.partition);
    let value = |(name, value): &(String, String)| (name.clone(), Some(Bytes::from(value.clone())));
    record.headers.extend(args.headers.iter().map(value));
    if args.tombstone && record.value.as_ref().is_some_and(Bytes::is_empty) {
        record.value = None;
    }
    record
}

async fn send(
    client: &Client,
    producer: &mut Producer,
    args: &TopicProduce,
    lines: Vec<Line>,
    output: &Option<Layout>,
    mut count: i64,
) -> Done {
    let mut rest = lines.into_iter().peekable();
    while let Some(first) = rest.next() {
        // A run of records for the same topic goes together.
        let topic = first.topic.unwrap_or_else(|| args.topic.clone());
        let mut run = vec![first.record];
        while let Some(line) = rest.next_if(|line| line.topic.as_ref().unwrap_or(&args.topic) == &topic) {
            run.push(line.record);
        }
        let placed = match producer.send(&topic, &run).await {
            Ok(placed) => placed,
            Err(error) => {
                let doing = format!("produce to topic \"{topic}\"");
                return Err(topic::failed(client, &doing, &topic, error).await.into());
            }
        };
        if let Some(layout) = output {
            let mut text = Vec::new();
            for (record, placed) in run.iter().zip(placed) {
                layout.print(&view(&topic, record, placed, count), &mut text);
                count += 1;
            }
            output::write(&text);
        }
    }
    Ok(())
}

fn view(topic: &str, record: &Outgoing, placed: Placed, count: i64) -> View {
    let or_empty = |bytes: &Option<Bytes>| bytes.clone().unwrap_or_default();
    View {
        topic: Bytes::copy_from_slice(topic.as_bytes()),
        key: or_empty(&record.key),
        value: or_empty(&record.value),
        headers: record.headers.iter().map(|(name, value)| (name.clone().into(), or_empty(value))).collect(),
        partition: placed.partition.into(),
        offset: placed.offset.0,
        timestamp: placed.timestamp.0,
        count,
        ..View::default()
    }
}
