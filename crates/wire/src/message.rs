//! Headers, and what every request and response can do.

use std::fmt::Debug;

use bytes::Bytes;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::text::Str;

/// A request's or a response's body.
pub trait Message: Field + Default + Clone + Debug + PartialEq {
    /// The API it belongs to.
    const KEY: ApiKey;

    /// Reads a body. Bytes behind its end are left unread, as Kafka does.
    ///
    /// `DecodeError::Version` outside [`ApiKey::versions`].
    fn decode(d: &mut Decoder<'_>, version: i16) -> Result<Self, DecodeError> {
        if !Self::KEY.serves(version) {
            return Err(DecodeError::Version(version));
        }
        d.set_flexible(Self::KEY.is_flexible(version));
        Self::read(d, version)
    }

    /// Writes a body.
    ///
    /// `EncodeError::Version` outside [`ApiKey::versions`]. A field of a request that `version` doesn't have must be at
    /// its default, unless the protocol says it may be ignored; a response leaves such fields out.
    fn encode(&self, e: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        if !Self::KEY.serves(version) {
            return Err(EncodeError::Version(version));
        }
        e.set_flexible(Self::KEY.is_flexible(version));
        self.write(e, version)
    }
}

/// A request's body.
pub trait Request: Message {
    /// What answers it.
    type Response: Message;
}

/// What stands before a request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API asked.
    pub key: ApiKey,
    /// Version of the request's and the response's body. In the API's range, save for `ApiVersions`, where any version
    /// must be answered (with a v0 body and UNSUPPORTED_VERSION).
    pub version: i16,
    /// Comes back in the response.
    pub correlation_id: i32,
    /// What the client calls itself.
    pub client_id: Option<Str>,
}

impl RequestHeader {
    /// Reads a header; the body follows in `d`.
    ///
    /// `DecodeError::Key` and `DecodeError::Version` for what isn't served: close the connection.
    pub fn decode(d: &mut Decoder<'_>) -> Result<RequestHeader, DecodeError> {
        let key = d.read(0)?;
        let key = ApiKey::from_i16(key).ok_or(DecodeError::Key(key))?;
        let version = d.read(0)?;
        if !key.serves(version) && key != ApiKey::ApiVersions {
            return Err(DecodeError::Version(version));
        }
        // The client id keeps its fixed length in flexible headers too.
        d.set_flexible(false);
        let header = RequestHeader { key, version, correlation_id: d.read(0)?, client_id: d.read(0)? };
        d.set_flexible(key.serves(version) && key.is_flexible(version));
        d.skip_tags()?;
        Ok(header)
    }
}

/// A request's frame, size prefix included, in slices.
pub fn encode_request<R: Request>(
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
    body: &R,
) -> Result<Vec<Bytes>, EncodeError> {
    let mut e = Encoder::frame();
    (R::KEY as i16).write(&mut e, 0)?;
    version.write(&mut e, 0)?;
    correlation_id.write(&mut e, 0)?;
    client_id.map(Str::from).write(&mut e, 0)?;
    e.set_flexible(R::KEY.is_flexible(version));
    e.no_tags();
    body.encode(&mut e, version)?;
    e.finish_frame()
}

/// A response's frame, size prefix included, in slices: small parts share one buffer, records are as they came.
pub fn encode_response<M: Message>(version: i16, correlation_id: i32, body: &M) -> Result<Vec<Bytes>, EncodeError> {
    let mut e = Encoder::frame();
    correlation_id.write(&mut e, 0)?;
    e.set_flexible(M::KEY.response_header_has_tags(version));
    e.no_tags();
    body.encode(&mut e, version)?;
    e.finish_frame()
}

/// Reads a response's header for a request of this key and version: the correlation id. The body follows in `d`.
pub fn decode_response_header(d: &mut Decoder<'_>, key: ApiKey, version: i16) -> Result<i32, DecodeError> {
    let correlation_id = d.read(0)?;
    d.set_flexible(key.response_header_has_tags(version));
    d.skip_tags()?;
    Ok(correlation_id)
}
