// Generated from schema/SaslAuthenticate.api by `cargo xtask codegen`. Not edited by hand.
//! SaslAuthenticate (key 36), versions 0 to 2.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;
use bytes::Bytes;

/// Body of a SaslAuthenticate request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaslAuthenticateRequest {
    /// Every version.
    pub auth_bytes: Bytes,
}

impl Field for SaslAuthenticateRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.auth_bytes = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.auth_bytes.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 4,
            _ => 2,
        }
    }
}

impl Message for SaslAuthenticateRequest {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;
}

impl Request for SaslAuthenticateRequest {
    type Response = SaslAuthenticateResponse;
}

/// Body of a SaslAuthenticate response.
#[derive(Clone, Debug, PartialEq)]
pub struct SaslAuthenticateResponse {
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub auth_bytes: Bytes,
    /// Versions 1+.
    pub session_lifetime_ms: i64,
}

impl Default for SaslAuthenticateResponse {
    fn default() -> Self {
        SaslAuthenticateResponse {
            error_code: Default::default(),
            error_message: Some(Default::default()),
            auth_bytes: Default::default(),
            session_lifetime_ms: Default::default(),
        }
    }
}

impl Field for SaslAuthenticateResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.auth_bytes = d.read(v)?;
        if v >= 1 {
            m.session_lifetime_ms = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.auth_bytes.write(e, v)?;
        if v >= 1 {
            self.session_lifetime_ms.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            1 => 16,
            _ => 13,
        }
    }
}

impl Message for SaslAuthenticateResponse {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;
}
