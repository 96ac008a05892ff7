//! What can go wrong between a client and its brokers.

use std::fmt;
use std::io;
use std::time::Duration;

use ouzel_wire::{DecodeError, EncodeError, ErrorCode};

use crate::conn::Address;

/// What a connection was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Looking the host's name up.
    Resolve,
    /// Opening the connection.
    Connect,
    /// Sending this request, or waiting for its reply.
    Request(&'static str),
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Resolve => f.write_str("resolving the name"),
            Phase::Connect => f.write_str("connecting"),
            Phase::Request(name) => write!(f, "the {name} request"),
        }
    }
}

/// A connection that failed. It isn't used again.
#[derive(Debug, thiserror::Error)]
pub enum ConnError {
    /// The machine or the network says no.
    #[error("{address}: {phase}: {}", plain(source))]
    Io {
        /// The broker.
        address: Address,
        /// What was being done.
        phase: Phase,
        /// Why not.
        source: io::Error,
    },
    /// No answer in time.
    #[error("{address}: {phase}: no answer for {} s", after.as_secs_f32())]
    Timeout {
        /// The broker.
        address: Address,
        /// What was being done.
        phase: Phase,
        /// How long it was waited for.
        after: Duration,
    },
    /// What came back isn't a reply of Kafka's protocol.
    #[error("{address}: {phase}: the reply makes no sense ({reason})")]
    Reply {
        /// The broker.
        address: Address,
        /// What was being done.
        phase: Phase,
        /// What is wrong with it.
        reason: String,
    },
    /// The broker doesn't know a request, or not in a version of ours.
    #[error("{address} doesn't offer {api} in versions {min} to {max}")]
    Unsupported {
        /// The broker.
        address: Address,
        /// Name of the request.
        api: &'static str,
        /// Lowest version that would do.
        min: i16,
        /// Highest version that would do.
        max: i16,
    },
    /// The request can't be written: a bug here, or text beyond the protocol's bounds.
    #[error("{address}: {phase}: {source}")]
    Encode {
        /// The broker.
        address: Address,
        /// What was being done.
        phase: Phase,
        /// Why not.
        source: EncodeError,
    },
}

impl ConnError {
    /// The broker it was about.
    pub fn address(&self) -> &Address {
        match self {
            ConnError::Io { address, .. }
            | ConnError::Timeout { address, .. }
            | ConnError::Reply { address, .. }
            | ConnError::Unsupported { address, .. }
            | ConnError::Encode { address, .. } => address,
        }
    }

    /// Whether nobody was reached at all: the name isn't known, or nothing answers there.
    pub fn is_unreachable(&self) -> bool {
        match self {
            ConnError::Io { phase, .. } | ConnError::Timeout { phase, .. } => !matches!(phase, Phase::Request(_)),
            ConnError::Reply { .. } | ConnError::Unsupported { .. } | ConnError::Encode { .. } => false,
        }
    }

    /// Whether a new connection could do better.
    pub(crate) fn is_retriable(&self) -> bool {
        matches!(self, ConnError::Io { .. } | ConnError::Timeout { .. })
    }

    pub(crate) fn decode(address: &Address, phase: Phase, error: DecodeError) -> ConnError {
        ConnError::Reply { address: address.clone(), phase, reason: error.to_string() }
    }
}

/// The system's words without the number behind them.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the broker closed the connection".to_owned(),
        _ => text.to_lowercase(),
    }
}

/// A broker's no.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{subject}: {}", self.reason())]
pub struct Refused {
    /// What was asked for, and on what: `topic "a"`.
    pub subject: String,
    /// Kafka's code.
    pub code: ErrorCode,
    /// The broker's words, if it gave any.
    pub message: Option<String>,
}

impl Refused {
    pub(crate) fn new(subject: impl Into<String>, code: i16, message: Option<&str>) -> Refused {
        let message = message.filter(|text| !text.is_empty()).map(str::to_owned);
        Refused { subject: subject.into(), code: ErrorCode::from_code(code), message }
    }

    /// The broker's words, else the code's name.
    pub fn reason(&self) -> String {
        self.message.clone().unwrap_or_else(|| self.code.name().to_owned())
    }
}

/// `Ok` for code 0.
pub(crate) fn refused(subject: &str, code: i16, message: Option<&str>) -> Result<(), Refused> {
    if code == 0 { Ok(()) } else { Err(Refused::new(subject, code, message)) }
}

/// Why a call failed, after what could be tried again was tried again.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// None of the given addresses could be reached.
    #[error("can't reach a broker at {}", list(tried))]
    Unreachable {
        /// The given addresses.
        tried: Vec<Address>,
        /// For how long they were tried.
        waited: Duration,
        /// The last reason.
        source: Box<ConnError>,
    },
    /// A broker of the cluster can't be reached under the address it advertises.
    #[error("broker {node} advertises `{}`, which can't be reached from here", source.address())]
    Advertised {
        /// The broker's id.
        node: i32,
        /// Why not.
        source: Box<ConnError>,
    },
    /// A connection failed.
    #[error(transparent)]
    Conn(#[from] ConnError),
    /// A broker refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Bytes that a broker sent as records aren't any.
    #[error("{place}: the batch at offset {offset} can't be read ({reason})")]
    Records {
        /// Topic and partition.
        place: String,
        /// Where.
        offset: i64,
        /// Why.
        reason: String,
    },
    /// A record that no request of ours can carry.
    #[error("a record of {bytes} bytes is larger than the client's limit of {limit}")]
    TooLarge {
        /// Its size, bytes.
        bytes: usize,
        /// Most bytes, inclusive.
        limit: usize,
    },
    /// A partition that the topic doesn't have.
    #[error("topic \"{topic}\" has no partition {partition}, it has {count}")]
    NoPartition {
        /// The topic.
        topic: String,
        /// The partition asked for.
        partition: i32,
        /// How many it has.
        count: usize,
    },
}

impl ClientError {
    /// The code, if a broker refused.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            ClientError::Refused(refused) => Some(refused.code),
            _ => None,
        }
    }

    /// Whether to look at the metadata again and try again.
    pub(crate) fn is_retriable(&self) -> bool {
        match self {
            ClientError::Conn(error) => error.is_retriable(),
            ClientError::Advertised { source, .. } => source.is_retriable(),
            ClientError::Refused(refused) => refused.code.is_retriable(),
            ClientError::Unreachable { .. }
            | ClientError::Records { .. }
            | ClientError::TooLarge { .. }
            | ClientError::NoPartition { .. } => false,
        }
    }
}

fn list(addresses: &[Address]) -> String {
    addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
}
