//! Kafka's door: connections, and one file per API key.
//!
//! Knows how bytes become typed calls and typed outcomes become replies; what may be done with data is decided in the rooms below.
//! Only `error` turns outcomes into Kafka's codes.
//!
//! Invariants: replies leave a connection in the order of its requests; a produce request is handed to its partitions before the
//! next request of that connection is read; a malformed request ends its connection and nothing else.

mod api;
mod conn;
mod dispatch;
mod error;
mod server;
mod session;

pub use server::{ConnectionLimits, Kafka, KafkaOptions, Listening};
