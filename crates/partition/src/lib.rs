//! One Kafka partition: a log, the Raft group that decides what is in it, and what its readers and producers may see.
//!
//! Knows no request bytes, no topics other than its own, no other shard. `log` knows no Raft and `raft` no records: they meet here.
//!
//! Invariants, asserted where moved: `log_start <= high_watermark <= log_end`; readers see committed records only; a duplicate is
//! answered when its first copy is committed. Owner shard only; nothing here is `Send`.

mod append;
mod control;
mod lookup;
mod partition;
mod producers;
mod read;
pub mod retention;

pub use append::{AppendError, Appended, Source};
pub use control::Control;
pub use lookup::{DeleteError, Found, LookupError, OffsetSpec};
pub use ouzel_log::AppendRefused;
pub use ouzel_records::check::Zstd;
pub use partition::{LogPlace, Lost, OpenError, Partition, PartitionOptions, Unavailable};
pub use producers::{ActiveProducer, PRODUCERS_MAX, ProducerError, Producers};
pub use read::{Fetched, ReadError, Watch};
