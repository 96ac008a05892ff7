// Generated from schema/Heartbeat.api by `cargo xtask codegen`. Not edited by hand.
//! Heartbeat (key 12), versions 0 to 4.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a Heartbeat request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeartbeatRequest {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub generation_id: i32,
    /// Every version.
    pub member_id: Str,
    /// Versions 3+, can be null.
    pub group_instance_id: Option<Str>,
}

impl Field for HeartbeatRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.generation_id = d.read(v)?;
        m.member_id = d.read(v)?;
        if v >= 3 {
            m.group_instance_id = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.generation_id.write(e, v)?;
        self.member_id.write(e, v)?;
        if v >= 3 {
            self.group_instance_id.write(e, v)?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::Unsupported("HeartbeatRequest.group_instance_id"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 8,
            3 => 10,
            _ => 8,
        }
    }
}

impl Message for HeartbeatRequest {
    const KEY: ApiKey = ApiKey::Heartbeat;
}

impl Request for HeartbeatRequest {
    type Response = HeartbeatResponse;
}

/// Body of a Heartbeat response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeartbeatResponse {
    /// Versions 1+.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
}

impl Field for HeartbeatResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 1 {
            m.throttle_time_ms = d.read(v)?;
        }
        m.error_code = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 1 {
            self.throttle_time_ms.write(e, v)?;
        }
        self.error_code.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 2,
            1..=3 => 6,
            _ => 7,
        }
    }
}

impl Message for HeartbeatResponse {
    const KEY: ApiKey = ApiKey::Heartbeat;
}
