// Generated from schema/FindCoordinator.api by `cargo xtask codegen`. Not edited by hand.
//! FindCoordinator (key 10), versions 0 to 6.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a FindCoordinator request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindCoordinatorRequest {
    /// Versions 0-3.
    pub key: Str,
    /// Versions 1+.
    pub key_type: i8,
    /// Versions 4+.
    pub coordinator_keys: Vec<Str>,
}

impl Field for FindCoordinatorRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 3 {
            m.key = d.read(v)?;
        }
        if v >= 1 {
            m.key_type = d.read(v)?;
        }
        if v >= 4 {
            m.coordinator_keys = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 3 {
            self.key.write(e, v)?;
        } else if !self.key.is_empty() {
            return Err(EncodeError::Unsupported("FindCoordinatorRequest.key"));
        }
        if v >= 1 {
            self.key_type.write(e, v)?;
        } else if self.key_type != 0 {
            return Err(EncodeError::Unsupported("FindCoordinatorRequest.key_type"));
        }
        if v >= 4 {
            self.coordinator_keys.write(e, v)?;
        } else if !self.coordinator_keys.is_empty() {
            return Err(EncodeError::Unsupported("FindCoordinatorRequest.coordinator_keys"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 2,
            _ => 3,
        }
    }
}

impl Message for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;
}

impl Request for FindCoordinatorRequest {
    type Response = FindCoordinatorResponse;
}

/// Body of a FindCoordinator response.
#[derive(Clone, Debug, PartialEq)]
pub struct FindCoordinatorResponse {
    /// Versions 1+.
    pub throttle_time_ms: i32,
    /// Versions 0-3.
    pub error_code: i16,
    /// Versions 1-3, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Versions 0-3.
    pub node_id: i32,
    /// Versions 0-3.
    pub host: Str,
    /// Versions 0-3.
    pub port: i32,
    /// Versions 4+.
    pub coordinators: Vec<Coordinator>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        FindCoordinatorResponse {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
            node_id: Default::default(),
            host: Default::default(),
            port: Default::default(),
            coordinators: Default::default(),
        }
    }
}

impl Field for FindCoordinatorResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 1 {
            m.throttle_time_ms = d.read(v)?;
        }
        if v <= 3 {
            m.error_code = d.read(v)?;
        }
        if (1..=3).contains(&v) {
            m.error_message = d.read(v)?;
        }
        if v <= 3 {
            m.node_id = d.read(v)?;
        }
        if v <= 3 {
            m.host = d.read(v)?;
        }
        if v <= 3 {
            m.port = d.read(v)?;
        }
        if v >= 4 {
            m.coordinators = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 1 {
            self.throttle_time_ms.write(e, v)?;
        }
        if v <= 3 {
            self.error_code.write(e, v)?;
        }
        if (1..=3).contains(&v) {
            self.error_message.write(e, v)?;
        }
        if v <= 3 {
            self.node_id.write(e, v)?;
        }
        if v <= 3 {
            self.host.write(e, v)?;
        }
        if v <= 3 {
            self.port.write(e, v)?;
        }
        if v >= 4 {
            self.coordinators.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 12,
            1..=2 => 18,
            3 => 17,
            _ => 6,
        }
    }
}

impl Message for FindCoordinatorResponse {
    const KEY: ApiKey = ApiKey::FindCoordinator;
}

/// Part of FindCoordinator (key 10).
#[derive(Clone, Debug, PartialEq)]
pub struct Coordinator {
    /// Every version.
    pub key: Str,
    /// Every version.
    pub node_id: i32,
    /// Every version.
    pub host: Str,
    /// Every version.
    pub port: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Coordinator {
            key: Default::default(),
            node_id: Default::default(),
            host: Default::default(),
            port: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
        }
    }
}

impl Field for Coordinator {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.key = d.read(v)?;
        m.node_id = d.read(v)?;
        m.host = d.read(v)?;
        m.port = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.key.write(e, v)?;
        self.node_id.write(e, v)?;
        self.host.write(e, v)?;
        self.port.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        14
    }
}
