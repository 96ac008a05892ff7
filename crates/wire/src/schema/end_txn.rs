// Generated from schema/EndTxn.api by `cargo xtask codegen`. Not edited by hand.
//! EndTxn (key 26), versions 0 to 5.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a EndTxn request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndTxnRequest {
    /// Every version.
    pub transactional_id: Str,
    /// Every version.
    pub producer_id: i64,
    /// Every version.
    pub producer_epoch: i16,
    /// Every version.
    pub committed: bool,
}

impl Field for EndTxnRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.transactional_id = d.read(v)?;
        m.producer_id = d.read(v)?;
        m.producer_epoch = d.read(v)?;
        m.committed = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.transactional_id.write(e, v)?;
        self.producer_id.write(e, v)?;
        self.producer_epoch.write(e, v)?;
        self.committed.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        13
    }
}

impl Message for EndTxnRequest {
    const KEY: ApiKey = ApiKey::EndTxn;
}

impl Request for EndTxnRequest {
    type Response = EndTxnResponse;
}

/// Body of a EndTxn response.
#[derive(Clone, Debug, PartialEq)]
pub struct EndTxnResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Versions 5+, default `-1`.
    pub producer_id: i64,
    /// Versions 5+, default `-1`.
    pub producer_epoch: i16,
}

impl Default for EndTxnResponse {
    fn default() -> Self {
        EndTxnResponse {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            producer_id: -1,
            producer_epoch: -1,
        }
    }
}

impl Field for EndTxnResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        if v >= 5 {
            m.producer_id = d.read(v)?;
        }
        if v >= 5 {
            m.producer_epoch = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        if v >= 5 {
            self.producer_id.write(e, v)?;
        }
        if v >= 5 {
            self.producer_epoch.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 6,
            3..=4 => 7,
            _ => 17,
        }
    }
}

impl Message for EndTxnResponse {
    const KEY: ApiKey = ApiKey::EndTxn;
}
