// Generated from schema/ListConfigResources.api by `cargo xtask codegen`. Not edited by hand.
//! ListConfigResources (key 74), versions 0 to 1.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a ListConfigResources request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListConfigResourcesRequest {
    /// Versions 1+.
    pub resource_types: Vec<i8>,
}

impl Field for ListConfigResourcesRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 1 {
            m.resource_types = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 1 {
            self.resource_types.write(e, v)?;
        } else if !self.resource_types.is_empty() {
            return Err(EncodeError::Unsupported("ListConfigResourcesRequest.resource_types"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 1,
            _ => 2,
        }
    }
}

impl Message for ListConfigResourcesRequest {
    const KEY: ApiKey = ApiKey::ListConfigResources;
}

impl Request for ListConfigResourcesRequest {
    type Response = ListConfigResourcesResponse;
}

/// Body of a ListConfigResources response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListConfigResourcesResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub config_resources: Vec<ConfigResource>,
}

impl Field for ListConfigResourcesResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        m.config_resources = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        self.config_resources.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        8
    }
}

impl Message for ListConfigResourcesResponse {
    const KEY: ApiKey = ApiKey::ListConfigResources;
}

/// Part of ListConfigResources (key 74).
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigResource {
    /// Every version.
    pub resource_name: Str,
    /// Versions 1+, default `16`.
    pub resource_type: i8,
}

impl Default for ConfigResource {
    fn default() -> Self {
        ConfigResource { resource_name: Default::default(), resource_type: 16 }
    }
}

impl Field for ConfigResource {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.resource_name = d.read(v)?;
        if v >= 1 {
            m.resource_type = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.resource_name.write(e, v)?;
        if v >= 1 {
            self.resource_type.write(e, v)?;
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
