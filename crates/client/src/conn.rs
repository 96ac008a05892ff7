//! One connection: versions learned when it opens, then one request at a time.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use ouzel_runtime::sync::Semaphore;
use ouzel_runtime::{Runtime, net};
use ouzel_wire::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use ouzel_wire::{Decoder, ErrorCode, Message, Request, decode_response_header, encode_request, frame};

use crate::error::{ConnError, Phase};

/// Kafka's usual port.
const PORT_DEFAULT: u16 = 9092;
/// Largest reply, bytes: a fetch reply is at most what was asked for plus one batch, and a batch at most a request.
const REPLY_BYTES_MAX: usize = 128 << 20;
/// Memory that a reply's arrays may take, bytes: a million partitions' metadata.
const REPLY_MEMORY_MAX: usize = 128 << 20;
/// First buffer of a reply and least room for the next read, bytes; it grows as bytes arrive.
const READ_BYTES: usize = 64 << 10;
/// Version of `ApiVersions` that is asked with; every broker since Kafka 2.4 has it.
const VERSIONS_VERSION: i16 = 3;

/// Host and port of a broker, as `localhost:9092`, `[::1]:9092` or `localhost` (port 9092).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port, not 0.
    pub port: u16,
}

/// Text that isn't host and port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` isn't host:port")]
pub struct BadAddress(pub String);

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Address, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').ok_or_else(bad)?)),
            None => match text.split_once(':') {
                Some((_, port)) if port.contains(':') => return Err(bad()),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(bad)?,
            None => PORT_DEFAULT,
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(bad());
        }
        Ok(Address { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// An open connection.
pub(crate) struct Conn {
    rt: Runtime,
    address: Address,
    socket: net::Conn,
    client_id: String,
    versions: BTreeMap<i16, (i16, i16)>,
    turn: Semaphore,
    correlation_id: Cell<i32>,
    // Set while a request is under way: one that was dropped, or failed, leaves bytes behind that nobody may read.
    spoilt: Cell<bool>,
}

impl Conn {
    /// Opens a connection and asks what the broker speaks, all within `timeout`.
    pub(crate) async fn open(
        rt: &Runtime,
        address: &Address,
        client_id: &str,
        timeout: Duration,
    ) -> Result<Conn, ConnError> {
        let until = rt.now() + timeout;
        let left = || until.duration_since(rt.now());
        let io = |phase| move |source| ConnError::Io { address: address.clone(), phase, source };

        let found =
            in_time(rt, address, Phase::Resolve, timeout, rt.net().resolve(&address.host, address.port)).await?;
        let found = found.map_err(io(Phase::Resolve))?;
        let mut socket = Err(io::Error::from(io::ErrorKind::NotFound));
        for place in found {
            socket = in_time(rt, address, Phase::Connect, left(), rt.net().connect(place)).await?;
            if socket.is_ok() {
                break;
            }
        }
        let mut conn = Conn {
            rt: rt.clone(),
            address: address.clone(),
            socket: socket.map_err(io(Phase::Connect))?,
            client_id: client_id.to_owned(),
            versions: BTreeMap::new(),
            turn: Semaphore::new(1),
            correlation_id: Cell::new(0),
            spoilt: Cell::new(false),
        };
        conn.versions = conn.ask_versions(left()).await?;
        Ok(conn)
    }

    /// Whether a new connection is needed.
    pub(crate) fn is_spoilt(&self) -> bool {
        self.spoilt.get() && self.turn.available() > 0
    }

    /// Sends a request in the highest version that both sides have, between `min` and `max` (inclusive), and waits for
    /// its reply at most `timeout`. Dropping the future spoils the connection.
    pub(crate) async fn call<R: Request>(
        &self,
        body: &R,
        (min, max): (i16, i16),
        timeout: Duration,
    ) -> Result<R::Response, ConnError> {
        let version = self.version(R::KEY, min, max)?;
        let _turn = self.turn.acquire(1).await.expect("nobody closes it");
        let reply = self.exchange(body, version, timeout).await?;
        let phase = Phase::Request(R::KEY.name());
        let mut d = Decoder::new(&reply, REPLY_MEMORY_MAX);
        let header = decode_response_header(&mut d, R::KEY, version);
        header.map_err(|error| ConnError::decode(&self.address, phase, error))?;
        R::Response::decode(&mut d, version).map_err(|error| {
            self.spoilt.set(true);
            ConnError::decode(&self.address, phase, error)
        })
    }

    /// Sends a request that has no reply: Produce with acks 0.
    pub(crate) async fn tell<R: Request>(
        &self,
        body: &R,
        (min, max): (i16, i16),
        timeout: Duration,
    ) -> Result<(), ConnError> {
        let version = self.version(R::KEY, min, max)?;
        let _turn = self.turn.acquire(1).await.expect("nobody closes it");
        self.usable(Phase::Request(R::KEY.name()))?;
        self.spoilt.set(true);
        self.send(body, version, timeout).await?;
        self.spoilt.set(false);
        Ok(())
    }

    fn version(&self, key: ouzel_wire::ApiKey, min: i16, max: i16) -> Result<i16, ConnError> {
        let theirs = self.versions.get(&(key as i16)).copied();
        let common = theirs.map(|(low, high)| (low.max(min), high.min(max))).filter(|(low, high)| low <= high);
        common.map(|(_, high)| high).ok_or_else(|| ConnError::Unsupported {
            address: self.address.clone(),
            api: key.name(),
            min,
            max,
        })
    }

    async fn ask_versions(&self, timeout: Duration) -> Result<BTreeMap<i16, (i16, i16)>, ConnError> {
        let ask = ApiVersionsRequest {
            client_software_name: "ouzel".into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
            ..ApiVersionsRequest::default()
        };
        let phase = Phase::Request("ApiVersions");
        let reply = self.exchange(&ask, VERSIONS_VERSION, timeout).await?;
        let read = |version| {
            let mut d = Decoder::new(&reply, REPLY_MEMORY_MAX);
            decode_response_header(&mut d, ouzel_wire::ApiKey::ApiVersions, version)?;
            ApiVersionsResponse::decode(&mut d, version)
        };
        // A broker that doesn't know the version says so in a body of version 0, with the versions it has.
        let refused = reply.get(4..6) == Some(&(ErrorCode::UnsupportedVersion as i16).to_be_bytes()[..]);
        let said = read(if refused { 0 } else { VERSIONS_VERSION });
        let said = said.map_err(|error| ConnError::decode(&self.address, phase, error))?;
        Ok(said.api_keys.iter().map(|key| (key.api_key, (key.min_version, key.max_version))).collect())
    }

    fn usable(&self, phase: Phase) -> Result<(), ConnError> {
        match self.spoilt.get() {
            true => Err(self.io(phase, io::ErrorKind::NotConnected.into())),
            false => Ok(()),
        }
    }

    fn io(&self, phase: Phase, source: io::Error) -> ConnError {
        ConnError::Io { address: self.address.clone(), phase, source }
    }

    async fn exchange<R: Request>(&self, body: &R, version: i16, timeout: Duration) -> Result<Bytes, ConnError> {
        let phase = Phase::Request(R::KEY.name());
        self.usable(phase)?;
        self.spoilt.set(true);
        let correlation_id = self.send(body, version, timeout).await?;
        let reply = in_time(&self.rt, &self.address, phase, timeout, self.read_frame()).await?;
        let reply = reply.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => {
                ConnError::Reply { address: self.address.clone(), phase, reason: error.to_string() }
            }
            _ => self.io(phase, error),
        })?;
        if reply.first_chunk() != Some(&correlation_id.to_be_bytes()) {
            let reason = "it answers another request".to_owned();
            return Err(ConnError::Reply { address: self.address.clone(), phase, reason });
        }
        self.spoilt.set(false);
        Ok(reply)
    }

    async fn send<R: Request>(&self, body: &R, version: i16, timeout: Duration) -> Result<i32, ConnError> {
        let phase = Phase::Request(R::KEY.name());
        let correlation_id = self.correlation_id.get();
        self.correlation_id.set(correlation_id.wrapping_add(1));
        let frame = encode_request(version, correlation_id, Some(&self.client_id), body);
        let frame = frame.map_err(|source| ConnError::Encode { address: self.address.clone(), phase, source })?;
        let mut frame = VecDeque::from(frame);
        let sent = in_time(&self.rt, &self.address, phase, timeout, self.socket.write_all_bytes(&mut frame)).await?;
        sent.map_err(|error| self.io(phase, error))?;
        Ok(correlation_id)
    }

    /// One frame without its size prefix.
    async fn read_frame(&self) -> io::Result<Bytes> {
        let mut prefix = [0; 4];
        let mut have = 0;
        while have < prefix.len() {
            have += at_least_one(self.socket.read(&mut prefix[have..]).await?)?;
        }
        let len = frame::response_len(prefix, REPLY_BYTES_MAX)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let mut reply = Vec::new();
        let mut have = 0;
        while have < len {
            if have == reply.len() {
                // Doubles as bytes arrive, so a lie about the length costs nothing.
                reply.resize(len.min((2 * have).max(READ_BYTES)), 0);
            }
            have += at_least_one(self.socket.read(&mut reply[have..]).await?)?;
        }
        Ok(reply.into())
    }
}

fn at_least_one(read: usize) -> io::Result<usize> {
    if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
}

/// Waits for `what` at most `timeout`.
async fn in_time<T>(
    rt: &Runtime,
    address: &Address,
    phase: Phase,
    timeout: Duration,
    what: impl Future<Output = T>,
) -> Result<T, ConnError> {
    ouzel_runtime::select! {
        value = what => Ok(value),
        () = rt.sleep(timeout) => Err(ConnError::Timeout { address: address.clone(), phase, after: timeout }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port() {
        let check = |text: &str, host: &str, port, shown: &str| {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port), "{text}");
            assert_eq!(address.to_string(), shown);
        };
        check("localhost", "localhost", 9092, "localhost:9092");
        check("a.b:1", "a.b", 1, "a.b:1");
        check("[::1]:9093", "::1", 9093, "[::1]:9093");
        check("[::1]", "::1", 9092, "[::1]:9092");
        for bad in ["", ":1", "a:", "a:0", "a:70000", "::1", "a b:1", "http://a:1", "[::1]x", "a:1:2"] {
            assert_eq!(bad.parse::<Address>(), Err(BadAddress(bad.to_owned())));
        }
    }
}
