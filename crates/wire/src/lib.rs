//! Kafka frames, headers, versions and bodies of every API. Knows no sockets, no files and no meaning: what a request
//! does, who may send it and which error answers it are decided elsewhere; record batches are opaque bytes here.
//!
//! ```
//! use ouzel_wire::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
//! use ouzel_wire::{ApiKey, Decoder, Message, RequestHeader, decode_response_header, encode_request, encode_response};
//!
//! // A client asks: a frame is a list of slices for one vectored write.
//! let ask = ApiVersionsRequest { client_software_name: "demo".into(), ..Default::default() };
//! let frame = encode_request(3, 7, Some("me"), &ask).unwrap().concat();
//!
//! // The broker has read the size prefix, then the frame, and spends at most 1 MiB on what it says.
//! let frame = bytes::Bytes::from(frame).slice(4..);
//! let mut d = Decoder::new(&frame, 1 << 20);
//! let header = RequestHeader::decode(&mut d).unwrap();
//! assert_eq!((header.key, header.version, header.correlation_id), (ApiKey::ApiVersions, 3, 7));
//! let request = ApiVersionsRequest::decode(&mut d, header.version).unwrap();
//! assert_eq!(request.client_software_name, "demo");
//!
//! let api_keys = vec![ApiVersion { api_key: ApiKey::Produce as i16, min_version: 0, max_version: 13 }];
//! let answer = ApiVersionsResponse { api_keys, ..Default::default() };
//! let frame = encode_response(header.version, header.correlation_id, &answer).unwrap().concat();
//!
//! // The client reads the answer.
//! let frame = bytes::Bytes::from(frame).slice(4..);
//! let mut d = Decoder::new(&frame, 1 << 20);
//! assert_eq!(decode_response_header(&mut d, ApiKey::ApiVersions, 3), Ok(7));
//! assert_eq!(ApiVersionsResponse::decode(&mut d, 3), Ok(answer));
//! ```
//!
//! Invariants:
//! - Decoding never panics, takes steps bounded by the frame's length, and allocates nothing from a declared count.
//! - Decoded strings, bytes and records are slices of the frame; encoded records of 512 bytes and more aren't copied.
//! - What one version writes, the same version reads back equal.
#![forbid(unsafe_code)]

pub mod api;
pub mod codec;
pub mod decode;
pub mod encode;
pub mod error_code;
pub mod frame;
pub mod message;
pub mod record;
// Reading starts from the defaults and sets what the version has.
#[allow(clippy::field_reassign_with_default)]
pub mod schema;
pub mod text;

pub use api::ApiKey;
pub use codec::Records;
pub use decode::{DecodeError, Decoder};
pub use encode::{EncodeError, Encoder};
pub use error_code::ErrorCode;
pub use message::{Message, Request, RequestHeader, decode_response_header, encode_request, encode_response};
pub use record::Record;
pub use schema::*;
pub use text::Str;

#[cfg(test)]
mod tests;
