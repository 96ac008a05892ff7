// Generated from schema/InitProducerId.api by `cargo xtask codegen`. Not edited by hand.
//! InitProducerId (key 22), versions 0 to 5.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a InitProducerId request.
#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdRequest {
    /// Every version, can be null, default `""`.
    pub transactional_id: Option<Str>,
    /// Every version.
    pub transaction_timeout_ms: i32,
    /// Versions 3+, default `-1`.
    pub producer_id: i64,
    /// Versions 3+, default `-1`.
    pub producer_epoch: i16,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        InitProducerIdRequest {
            transactional_id: Some(Default::default()),
            transaction_timeout_ms: Default::default(),
            producer_id: -1,
            producer_epoch: -1,
        }
    }
}

impl Field for InitProducerIdRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.transactional_id = d.read(v)?;
        m.transaction_timeout_ms = d.read(v)?;
        if v >= 3 {
            m.producer_id = d.read(v)?;
        }
        if v >= 3 {
            m.producer_epoch = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.transactional_id.write(e, v)?;
        self.transaction_timeout_ms.write(e, v)?;
        if v >= 3 {
            self.producer_id.write(e, v)?;
        } else if self.producer_id != -1 {
            return Err(EncodeError::Unsupported("InitProducerIdRequest.producer_id"));
        }
        if v >= 3 {
            self.producer_epoch.write(e, v)?;
        } else if self.producer_epoch != -1 {
            return Err(EncodeError::Unsupported("InitProducerIdRequest.producer_epoch"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 6,
            _ => 16,
        }
    }
}

impl Message for InitProducerIdRequest {
    const KEY: ApiKey = ApiKey::InitProducerId;
}

impl Request for InitProducerIdRequest {
    type Response = InitProducerIdResponse;
}

/// Body of a InitProducerId response.
#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, default `-1`.
    pub producer_id: i64,
    /// Every version.
    pub producer_epoch: i16,
}

impl Default for InitProducerIdResponse {
    fn default() -> Self {
        InitProducerIdResponse {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            producer_id: -1,
            producer_epoch: Default::default(),
        }
    }
}

impl Field for InitProducerIdResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        m.producer_id = d.read(v)?;
        m.producer_epoch = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        self.producer_id.write(e, v)?;
        self.producer_epoch.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 16,
            _ => 17,
        }
    }
}

impl Message for InitProducerIdResponse {
    const KEY: ApiKey = ApiKey::InitProducerId;
}
