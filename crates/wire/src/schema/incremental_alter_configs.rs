// Generated from schema/IncrementalAlterConfigs.api by `cargo xtask codegen`. Not edited by hand.
//! IncrementalAlterConfigs (key 44), versions 0 to 1.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a IncrementalAlterConfigs request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncrementalAlterConfigsRequest {
    /// Every version.
    pub resources: Vec<AlterConfigsResource>,
    /// Every version.
    pub validate_only: bool,
}

impl Field for IncrementalAlterConfigsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.resources = d.read(v)?;
        m.validate_only = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.resources.write(e, v)?;
        self.validate_only.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 5,
            _ => 3,
        }
    }
}

impl Message for IncrementalAlterConfigsRequest {
    const KEY: ApiKey = ApiKey::IncrementalAlterConfigs;
}

impl Request for IncrementalAlterConfigsRequest {
    type Response = IncrementalAlterConfigsResponse;
}

/// Part of IncrementalAlterConfigs (key 44).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterConfigsResource {
    /// Every version.
    pub resource_type: i8,
    /// Every version.
    pub resource_name: Str,
    /// Every version.
    pub configs: Vec<AlterableConfig>,
}

impl Field for AlterConfigsResource {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.resource_type = d.read(v)?;
        m.resource_name = d.read(v)?;
        m.configs = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.resource_type.write(e, v)?;
        self.resource_name.write(e, v)?;
        self.configs.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 7,
            _ => 4,
        }
    }
}

/// Part of IncrementalAlterConfigs (key 44).
#[derive(Clone, Debug, PartialEq)]
pub struct AlterableConfig {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub config_operation: i8,
    /// Every version, can be null, default `""`.
    pub value: Option<Str>,
}

impl Default for AlterableConfig {
    fn default() -> Self {
        AlterableConfig {
            name: Default::default(),
            config_operation: Default::default(),
            value: Some(Default::default()),
        }
    }
}

impl Field for AlterableConfig {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.config_operation = d.read(v)?;
        m.value = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.config_operation.write(e, v)?;
        self.value.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 5,
            _ => 4,
        }
    }
}

/// Body of a IncrementalAlterConfigs response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncrementalAlterConfigsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub responses: Vec<AlterConfigsResourceResponse>,
}

impl Field for IncrementalAlterConfigsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.responses = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.responses.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            _ => 6,
        }
    }
}

impl Message for IncrementalAlterConfigsResponse {
    const KEY: ApiKey = ApiKey::IncrementalAlterConfigs;
}

/// Part of IncrementalAlterConfigs (key 44).
#[derive(Clone, Debug, PartialEq)]
pub struct AlterConfigsResourceResponse {
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub resource_type: i8,
    /// Every version.
    pub resource_name: Str,
}

impl Default for AlterConfigsResourceResponse {
    fn default() -> Self {
        AlterConfigsResourceResponse {
            error_code: Default::default(),
            error_message: Some(Default::default()),
            resource_type: Default::default(),
            resource_name: Default::default(),
        }
    }
}

impl Field for AlterConfigsResourceResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.resource_type = d.read(v)?;
        m.resource_name = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.resource_type.write(e, v)?;
        self.resource_name.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 7,
            _ => 6,
        }
    }
}
