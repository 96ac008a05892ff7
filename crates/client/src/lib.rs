//! A small Kafka client for the command line and tools. Knows no terminal, no configuration file and no broker of ours: it
//! speaks the protocol, to any broker of Kafka 3.0 or later.
//!
//! ```no_run
//! use ouzel_client::{Client, Ends, NewTopic, Options, Outgoing, Producer, Rules};
//! # async fn example(rt: ouzel_runtime::Runtime) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect(&rt, Options::to(&["localhost:9092".parse()?])).await?;
//! client.create_topics(&[NewTopic::named("hello")], false).await?;
//!
//! let mut producer = Producer::new(&client, Rules::default());
//! producer.send("hello", &[Outgoing { value: Some("world".into()), ..Outgoing::default() }]).await?;
//!
//! let topics = client.topics(&["hello".to_owned()]).await?;
//! for end in client.list_offsets(&topics[0].partitions_of(), Ends::End).await? {
//!     println!("{} ends at {}", end.place, end.offset.0);
//! }
//! # Ok(()) }
//! ```
//!
//! Invariants:
//! - Every wait has a bound, and its error names the address and the phase; every retry has a count.
//! - A connection has one request in flight. A reply is read while its bytes arrive, never allocated from its declared size.
//! - What may be tried again is tried again here, after a look at fresh metadata; callers see an error only when it stands.
//! - A produce request whose reply was lost is sent again: records can come twice, never not at all.
#![forbid(unsafe_code)]

mod admin;
mod assign;
mod cluster;
mod conn;
mod error;
mod fetch;
mod group;
mod member;
mod offsets;
mod produce;
mod reader;

pub use admin::{ConfigChange, ConfigEntry, ConfigSource, NewTopic, Outcome, TopicLowered};
pub use assign::range;
pub use cluster::{Client, Node, Options, Overview, Partition, Place, Topic};
pub use conn::{Address, BadAddress};
pub use error::{ClientError, ConnError, Phase, Refused};
pub use group::{Committed, Group, GroupListing, GroupMember};
pub use member::{Beat, Member};
pub use offsets::{Ends, PlacedOffset};
pub use produce::{Acks, Outgoing, Placed, Producer, Rules};
pub use reader::{Isolation, Message, Poll, Reach, Reader};

pub use ouzel_records::Codec;
pub use ouzel_wire::ErrorCode;
