//! Kafka record batch v2: view, check, iterate, build, compress. Knows no requests, no topics, no files and no clock:
//! bytes come in as slices, bounds and times as arguments.
//!
//! ```
//! use ouzel_model::Timestamp;
//! use ouzel_records::{Batch, BatchBuilder, Codec, Rules, check, records};
//!
//! let mut builder = BatchBuilder::new();
//! builder.push(Timestamp(1_000), Some(b"key"), Some(b"value"), &[]);
//! builder.push(Timestamp(1_001), None, Some(b"another"), &[("trace", Some(b"7"))]);
//! let bytes = builder.build(Codec::None);
//!
//! let batch = check::one_batch(&bytes, check::Zstd::Allowed).unwrap();
//! let admitted = check::admit(&batch, &Rules::at(Timestamp(1_002))).unwrap();
//! assert_eq!(admitted.max_timestamp, Timestamp(1_001));
//! let keys: Vec<_> = records(&batch, batch.records()).map(|r| r.unwrap().key).collect();
//! assert_eq!(keys, [Some(&b"key"[..]), None]);
//! # let _: Batch = batch;
//! ```
//!
//! Invariants:
//! - A [`Batch`] is whole: its length field is true and its magic is 2.
//! - Nothing here panics, loops or allocates on what a client declares: lengths and counts are bounded by bytes that
//!   are there, decompressed sizes by [`Limits`].
//! - The same calls give the same bytes: builders and encoders read no clock and no randomness.

pub mod batch;
pub mod build;
pub mod check;
pub mod codec;
pub mod iter;
mod murmur2;

pub use batch::{Attributes, Batch, BatchError, BatchHeader, HEADER_BYTES, Producer, TimestampType, batches, stamp};
pub use build::{BatchBuilder, Marker, marker_batch, recompress};
pub use check::{Admitted, Refusal, Rules};
pub use codec::{Codec, DecompressError, Limits, compress, decompress};
pub use iter::{Header, Headers, Record, RecordError, Records, read_marker, records};
pub use murmur2::{murmur2, partition_of_key};
