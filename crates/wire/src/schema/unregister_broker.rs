// Generated from schema/UnregisterBroker.api by `cargo xtask codegen`. Not edited by hand.
//! UnregisterBroker (key 64), versions 0 to 0.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a UnregisterBroker request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnregisterBrokerRequest {
    /// Every version.
    pub broker_id: i32,
}

impl Field for UnregisterBrokerRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.broker_id = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.broker_id.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        5
    }
}

impl Message for UnregisterBrokerRequest {
    const KEY: ApiKey = ApiKey::UnregisterBroker;
}

impl Request for UnregisterBrokerRequest {
    type Response = UnregisterBrokerResponse;
}

/// Body of a UnregisterBroker response.
#[derive(Clone, Debug, PartialEq)]
pub struct UnregisterBrokerResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
}

impl Default for UnregisterBrokerResponse {
    fn default() -> Self {
        UnregisterBrokerResponse {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
        }
    }
}

impl Field for UnregisterBrokerResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        8
    }
}

impl Message for UnregisterBrokerResponse {
    const KEY: ApiKey = ApiKey::UnregisterBroker;
}
