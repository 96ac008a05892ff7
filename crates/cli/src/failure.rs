//! How a command fails: what failed, on what, why, and the next step.

use std::fmt;

use ouzel_client::{ClientError, ConnError, ErrorCode, Refused};
use serde::Serialize;

use crate::args::Format;

/// What the shell is told. 0 is success, 10 an unhealthy cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Error = 1,
    /// Wrong usage, or a configuration that isn't one.
    Usage = 2,
    NotAuthorised = 11,
    Unreachable = 12,
}

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// Stable name, as `E-UNKNOWN-TOPIC`.
    pub code: &'static str,
    /// What failed, on what, and why in a word.
    pub message: String,
    /// Why, each line with its label.
    pub cause: Vec<(&'static str, String)>,
    /// The next step.
    pub hint: Option<String>,
}

/// How a command ends: each of several things may have failed on its own.
pub type Done = Result<(), Failures>;

/// One or more failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures(pub Vec<Failure>);

impl From<Failure> for Failures {
    fn from(failure: Failure) -> Failures {
        Failures(vec![failure])
    }
}

impl Failures {
    /// `Ok` when there are none.
    pub fn check(failures: Vec<Failure>) -> Done {
        if failures.is_empty() { Ok(()) } else { Err(Failures(failures)) }
    }

    /// What the shell is told: the first one's.
    pub fn exit(&self) -> Exit {
        self.0.first().map_or(Exit::Error, |failure| failure.exit)
    }
}

impl Failure {
    pub fn new(code: &'static str, message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Error, code, message: message.into(), cause: Vec::new(), hint: None }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::new("E-USAGE", message) }
    }

    /// The configuration is wrong.
    pub fn config(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::new("E-CONFIG", message) }
    }

    pub fn why(mut self, text: impl Into<String>) -> Failure {
        self.cause.push(("why", text.into()));
        self
    }

    pub fn next(mut self, text: impl Into<String>) -> Failure {
        self.hint = Some(text.into());
        self
    }

    /// Of a broker's no. `doing` says what was tried, as `create topic "a"`.
    pub fn refused(doing: &str, no: &Refused) -> Failure {
        let words = no.message.as_ref().filter(|text| !text.is_empty());
        let reason = words.cloned().unwrap_or_else(|| no.code.name().to_owned());
        let failure = Failure::new("E-REFUSED", format!("can't {doing}: {reason}"));
        let failure = match words {
            Some(_) => failure.why(format!("the broker answered {}", no.code.name())),
            None => failure,
        };
        match no.code {
            ErrorCode::TopicAuthorizationFailed
            | ErrorCode::GroupAuthorizationFailed
            | ErrorCode::ClusterAuthorizationFailed => {
                Failure { exit: Exit::NotAuthorised, code: "E-NOT-AUTHORISED", ..failure }
            }
            ErrorCode::UnknownTopicOrPartition => Failure { code: "E-UNKNOWN-TOPIC", ..failure },
            ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => {
                let failure = Failure { code: "E-TOO-LARGE", ..failure };
                failure.next("raise the topic's limit: `ouzel topic alter-config TOPIC --set max.message.bytes=N`")
            }
            ErrorCode::NonEmptyGroup => failure.next("stop its members first; `ouzel group describe GROUP` names them"),
            ErrorCode::UnknownMemberId => failure
                .next("a group with members moves itself: stop them first, `ouzel group describe GROUP` names them"),
            // The broker's words name directory, free bytes and threshold.
            ErrorCode::KafkaStorageError => Failure { code: "E-DISK-LOW", ..failure }
                .next("delete topics or lower their `retention.bytes`, or give the broker more disk"),
            _ => failure,
        }
    }

    /// Of a failed call of the client.
    pub fn client(doing: &str, error: ClientError) -> Failure {
        match error {
            ClientError::Unreachable { tried, waited, source } => {
                let tried: Vec<String> = tried.iter().map(|address| address.to_string()).collect();
                let tried = tried.join(", ");
                let reason = source.to_string();
                let reason = reason.rsplit(": ").next().unwrap_or_default().to_owned();
                let mut failure = Failure::new("E-UNREACHABLE", format!("can't reach a broker at {tried} ({reason})"));
                failure.exit = Exit::Unreachable;
                failure.cause.push(("tried", format!("{tried} for {:.1} s", waited.as_secs_f32())));
                failure.next("start one with `ouzel dev`, or point elsewhere with `-X brokers=host:port`")
            }
            ClientError::Advertised { node, source } => {
                let message =
                    format!("broker {node} advertises `{}`, which this machine can't reach", source.address());
                let mut failure = Failure::new("E-ADVERTISED", message);
                failure.exit = Exit::Unreachable;
                failure
                    .why("clients connect to the advertised address, not the bootstrap one")
                    .why(source.to_string())
                    .next("start that broker with `--advertised-kafka-addr`, or add the name to /etc/hosts")
            }
            ClientError::Refused(no) => Failure::refused(doing, &no),
            ClientError::Conn(error @ ConnError::Unsupported { .. }) => {
                let failure = Failure::new("E-UNSUPPORTED", format!("can't {doing}")).why(error.to_string());
                failure.next("use a broker that has it: Kafka 3.0 or later, or Ouzel")
            }
            ClientError::Conn(error) if error.is_unreachable() => {
                let message = format!("can't {doing}: the broker at {} is gone", error.address());
                let failure = Failure { exit: Exit::Unreachable, ..Failure::new("E-UNREACHABLE", message) };
                failure.why(error.to_string()).next("start it again; what was acknowledged is kept")
            }
            ClientError::Conn(error) => {
                let failure = Failure::new("E-CONNECTION", format!("can't {doing}")).why(error.to_string());
                failure.next("is a Kafka broker listening there, without TLS?")
            }
            ClientError::TooLarge { bytes, limit } => Failure::new(
                "E-TOO-LARGE",
                format!("can't {doing}: a record has {bytes} bytes, the client's own limit is {limit}"),
            ),
            error @ (ClientError::Records { .. } | ClientError::NoPartition { .. }) => {
                Failure::new("E-REFUSED", format!("can't {doing}: {error}"))
            }
        }
    }

    /// To standard error, in the format asked for.
    pub fn print(&self, format: Format) {
        match format {
            Format::Text => eprint!("{self}"),
            Format::Json => {
                let json = serde_json::to_string(&Json::of(self)).unwrap_or_default();
                eprintln!("{json}");
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        for (label, text) in &self.cause {
            writeln!(f, "  {:<6} {text}", format!("{label}:"))?;
        }
        match &self.hint {
            Some(hint) => writeln!(f, "  {:<6} {hint}", "next:"),
            None => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct Json<'a> {
    code: &'a str,
    message: &'a str,
    cause: Vec<&'a str>,
    hint: Option<&'a str>,
    docs: String,
}

impl Json<'_> {
    fn of(failure: &Failure) -> Json<'_> {
        Json {
            code: failure.code,
            message: &failure.message,
            cause: failure.cause.iter().map(|(_, text)| text.as_str()).collect(),
            hint: failure.hint.as_deref(),
            docs: format!("docs/errors.md#{}", failure.code.to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The sources that name codes.
    const SOURCES: [&str; 10] = [
        include_str!("failure.rs"),
        include_str!("output.rs"),
        include_str!("session.rs"),
        include_str!("cmd/consume.rs"),
        include_str!("cmd/dev.rs"),
        include_str!("cmd/group.rs"),
        include_str!("cmd/produce.rs"),
        include_str!("cmd/start.rs"),
        include_str!("cmd/topic.rs"),
        include_str!("cmd/verify.rs"),
    ];

    #[test]
    fn every_code_stands_on_the_page_and_no_other() {
        let named: BTreeSet<&str> = SOURCES
            .iter()
            .flat_map(|source| source.split('"'))
            .filter(|text| {
                text.strip_prefix("E-").is_some_and(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'-'))
            })
            .filter(|text| text.len() > 2)
            .collect();
        let page = include_str!("../../../docs/errors.md");
        let listed: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(named, listed);
    }
}
