//! A blocking connection to a Kafka broker: frames out, frames in, in order.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use ouzel_wire::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use ouzel_wire::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use ouzel_wire::metadata::{MetadataRequest, MetadataRequestTopic};
use ouzel_wire::produce::ProduceResponse;
use ouzel_wire::{Decoder, ErrorCode, Message, Request, decode_response_header, encode_request};

use crate::batches::PRODUCE;

/// A frame larger than this is no answer to anything asked here.
const FRAME_BYTES_MAX: usize = 64 << 20;
/// A broker that doesn't answer for so long ends the run.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Metadata's version here: topics by name.
const METADATA: i16 = 9;
/// ListOffsets' version here: one offset a partition, no epoch asked for.
const LIST_OFFSETS: i16 = 6;
/// ListOffsets: the end of the log.
const LATEST: i64 = -1;
/// CreateTopics' version here.
const CREATE_TOPICS: i16 = 5;

/// One connection.
pub struct Conn {
    stream: TcpStream,
    frame: BytesMut,
    next: i32,
}

impl Conn {
    /// Connects, at once or not at all.
    pub fn open(addr: SocketAddr) -> Result<Conn> {
        let stream =
            TcpStream::connect_timeout(&addr, Duration::from_secs(10)).with_context(|| format!("to {addr}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        Ok(Conn { stream, frame: BytesMut::new(), next: 0 })
    }

    /// A second handle to the same socket, for another thread.
    pub fn split(&self) -> Result<Conn> {
        Ok(Conn { stream: self.stream.try_clone()?, frame: BytesMut::new(), next: self.next })
    }

    /// Writes a whole frame, size prefix included.
    pub fn send(&mut self, frame: &[u8]) -> Result<()> {
        self.stream.write_all(frame).context("write a request")
    }

    /// Reads a frame, and gives it without its size prefix to `look`. The bytes are used again afterwards, unless `look`
    /// keeps some.
    pub fn receive<T>(&mut self, look: impl FnOnce(&Bytes) -> Result<T>) -> Result<T> {
        let mut size = [0; 4];
        self.stream.read_exact(&mut size).context("read an answer")?;
        let size = usize::try_from(i32::from_be_bytes(size)).context("a frame's size")?;
        ensure!(size <= FRAME_BYTES_MAX, "an answer of {size} bytes");
        if self.frame.len() < size {
            self.frame.resize(size, 0);
        }
        self.stream.read_exact(&mut self.frame[..size]).context("read an answer")?;
        let whole = std::mem::take(&mut self.frame).freeze();
        let frame = whole.slice(..size);
        let seen = look(&frame);
        drop(frame);
        self.frame = whole.try_into_mut().unwrap_or_default();
        seen
    }

    /// One Produce request, as [`produce`](crate::batches::produce) makes it; an error unless every batch is acknowledged.
    pub fn send_and_check(&mut self, frame: &[u8]) -> Result<()> {
        self.send(frame)?;
        self.receive(|answer| acknowledged(answer, 0))
    }

    /// One request, its answer decoded.
    pub fn call<R: Request>(&mut self, version: i16, request: &R) -> Result<R::Response> {
        let id = self.next;
        self.next += 1;
        self.send(&encode(version, id, request)?)?;
        self.receive(|frame| decode::<R::Response>(frame, version, id))
    }
}

/// A request's frame in one piece.
pub fn encode<R: Request>(version: i16, id: i32, request: &R) -> Result<Vec<u8>> {
    Ok(encode_request(version, id, Some("ouzel-load"), request).context("encode a request")?.concat())
}

/// Reads an answer whose correlation id must be `id`.
pub fn decode<M: Message>(frame: &Bytes, version: i16, id: i32) -> Result<M> {
    let mut d = Decoder::new(frame, FRAME_BYTES_MAX);
    let got = decode_response_header(&mut d, M::KEY, version).context("an answer's header")?;
    ensure!(got == id, "answer {got} where {id} was due");
    M::decode(&mut d, version).context("an answer's body")
}

/// An error unless a Produce answer acknowledges every batch.
pub fn acknowledged(frame: &Bytes, id: i32) -> Result<()> {
    let answer: ProduceResponse = decode(frame, PRODUCE, id)?;
    let mut partitions = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    partitions.try_for_each(|partition| check(partition.error_code, "produce"))
}

/// Errors by their names.
pub fn check(code: i16, what: &str) -> Result<()> {
    match code {
        0 => Ok(()),
        code => bail!("{what}: {}", ErrorCode::from_code(code).name()),
    }
}

/// Creates a topic with one replica, and waits at most 60 s until all partitions are served.
pub fn create_topic(addr: SocketAddr, name: &str, partitions: i32) -> Result<()> {
    create_topic_with(addr, name, partitions, &[])
}

/// The same with settings.
pub fn create_topic_with(addr: SocketAddr, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Result<()> {
    let mut conn = Conn::open(addr)?;
    let configs = settings
        .iter()
        .map(|(name, value)| CreatableTopicConfig { name: (*name).into(), value: Some((*value).into()) })
        .collect();
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        configs,
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let answer = conn.call(CREATE_TOPICS, &request)?;
    for topic in &answer.topics {
        check(topic.error_code, &format!("create topic {name}"))?;
    }
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if leaders(&mut conn, name)? == partitions as usize && served(&mut conn, name, partitions)? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("topic {name} is not served after 60 s")
}

/// Partitions of a topic that have a leader.
pub fn leaders(conn: &mut Conn, name: &str) -> Result<usize> {
    let topics = vec![MetadataRequestTopic { name: Some(name.into()), ..Default::default() }];
    let request = MetadataRequest { topics: Some(topics), allow_auto_topic_creation: false, ..Default::default() };
    let answer = conn.call(METADATA, &request)?;
    let partitions = answer.topics.iter().filter(|t| t.error_code == 0).flat_map(|t| &t.partitions);
    Ok(partitions.filter(|p| p.error_code == 0 && p.leader_id >= 0).count())
}

/// Whether the broker answers for all of a topic's partitions: Kafka shows a leader before that leader knows of it.
fn served(conn: &mut Conn, name: &str, partitions: i32) -> Result<bool> {
    let partitions = (0..partitions)
        .map(|partition_index| ListOffsetsPartition { partition_index, timestamp: LATEST, ..Default::default() })
        .collect();
    let topics = vec![ListOffsetsTopic { name: name.into(), partitions }];
    let answer = conn.call(LIST_OFFSETS, &ListOffsetsRequest { replica_id: -1, topics, ..Default::default() })?;
    Ok(answer.topics.iter().flat_map(|topic| &topic.partitions).all(|partition| partition.error_code == 0))
}
