// Generated from schema/SaslHandshake.api by `cargo xtask codegen`. Not edited by hand.
//! SaslHandshake (key 17), versions 0 to 1.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a SaslHandshake request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaslHandshakeRequest {
    /// Every version.
    pub mechanism: Str,
}

impl Field for SaslHandshakeRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.mechanism = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.mechanism.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        2
    }
}

impl Message for SaslHandshakeRequest {
    const KEY: ApiKey = ApiKey::SaslHandshake;
}

impl Request for SaslHandshakeRequest {
    type Response = SaslHandshakeResponse;
}

/// Body of a SaslHandshake response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaslHandshakeResponse {
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub mechanisms: Vec<Str>,
}

impl Field for SaslHandshakeResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.mechanisms = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.mechanisms.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

impl Message for SaslHandshakeResponse {
    const KEY: ApiKey = ApiKey::SaslHandshake;
}
