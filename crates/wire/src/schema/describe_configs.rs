// Generated from schema/DescribeConfigs.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeConfigs (key 32), versions 1 to 4.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DescribeConfigs request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeConfigsRequest {
    /// Every version.
    pub resources: Vec<DescribeConfigsResource>,
    /// Every version.
    pub include_synonyms: bool,
    /// Versions 3+.
    pub include_documentation: bool,
}

impl Field for DescribeConfigsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.resources = d.read(v)?;
        m.include_synonyms = d.read(v)?;
        if v >= 3 {
            m.include_documentation = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.resources.write(e, v)?;
        self.include_synonyms.write(e, v)?;
        if v >= 3 {
            self.include_documentation.write(e, v)?;
        } else if self.include_documentation {
            return Err(EncodeError::Unsupported("DescribeConfigsRequest.include_documentation"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=2 => 5,
            3 => 6,
            _ => 4,
        }
    }
}

impl Message for DescribeConfigsRequest {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
}

impl Request for DescribeConfigsRequest {
    type Response = DescribeConfigsResponse;
}

/// Part of DescribeConfigs (key 32).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResource {
    /// Every version.
    pub resource_type: i8,
    /// Every version.
    pub resource_name: Str,
    /// Every version, can be null, default `[]`.
    pub configuration_keys: Option<Vec<Str>>,
}

impl Default for DescribeConfigsResource {
    fn default() -> Self {
        DescribeConfigsResource {
            resource_type: Default::default(),
            resource_name: Default::default(),
            configuration_keys: Some(Default::default()),
        }
    }
}

impl Field for DescribeConfigsResource {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.resource_type = d.read(v)?;
        m.resource_name = d.read(v)?;
        m.configuration_keys = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.resource_type.write(e, v)?;
        self.resource_name.write(e, v)?;
        self.configuration_keys.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=3 => 7,
            _ => 4,
        }
    }
}

/// Body of a DescribeConfigs response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeConfigsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub results: Vec<DescribeConfigsResult>,
}

impl Field for DescribeConfigsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.results = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.results.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=3 => 8,
            _ => 6,
        }
    }
}

impl Message for DescribeConfigsResponse {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
}

/// Part of DescribeConfigs (key 32).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResult {
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub resource_type: i8,
    /// Every version.
    pub resource_name: Str,
    /// Every version.
    pub configs: Vec<DescribeConfigsResourceResult>,
}

impl Default for DescribeConfigsResult {
    fn default() -> Self {
        DescribeConfigsResult {
            error_code: Default::default(),
            error_message: Some(Default::default()),
            resource_type: Default::default(),
            resource_name: Default::default(),
            configs: Default::default(),
        }
    }
}

impl Field for DescribeConfigsResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.resource_type = d.read(v)?;
        m.resource_name = d.read(v)?;
        m.configs = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.resource_type.write(e, v)?;
        self.resource_name.write(e, v)?;
        self.configs.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=3 => 11,
            _ => 7,
        }
    }
}

/// Part of DescribeConfigs (key 32).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResourceResult {
    /// Every version.
    pub name: Str,
    /// Every version, can be null, default `""`.
    pub value: Option<Str>,
    /// Every version.
    pub read_only: bool,
    /// Every version, default `-1`.
    pub config_source: i8,
    /// Every version.
    pub is_sensitive: bool,
    /// Every version.
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// Versions 3+.
    pub config_type: i8,
    /// Versions 3+, can be null, default `""`.
    pub documentation: Option<Str>,
}

impl Default for DescribeConfigsResourceResult {
    fn default() -> Self {
        DescribeConfigsResourceResult {
            name: Default::default(),
            value: Some(Default::default()),
            read_only: Default::default(),
            config_source: -1,
            is_sensitive: Default::default(),
            synonyms: Default::default(),
            config_type: Default::default(),
            documentation: Some(Default::default()),
        }
    }
}

impl Field for DescribeConfigsResourceResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.value = d.read(v)?;
        m.read_only = d.read(v)?;
        m.config_source = d.read(v)?;
        m.is_sensitive = d.read(v)?;
        m.synonyms = d.read(v)?;
        if v >= 3 {
            m.config_type = d.read(v)?;
        }
        if v >= 3 {
            m.documentation = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.value.write(e, v)?;
        self.read_only.write(e, v)?;
        self.config_source.write(e, v)?;
        self.is_sensitive.write(e, v)?;
        self.synonyms.write(e, v)?;
        if v >= 3 {
            self.config_type.write(e, v)?;
        }
        if v >= 3 {
            self.documentation.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=2 => 11,
            3 => 14,
            _ => 9,
        }
    }
}

/// Part of DescribeConfigs (key 32).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsSynonym {
    /// Every version.
    pub name: Str,
    /// Every version, can be null, default `""`.
    pub value: Option<Str>,
    /// Every version.
    pub source: i8,
}

impl Default for DescribeConfigsSynonym {
    fn default() -> Self {
        DescribeConfigsSynonym { name: Default::default(), value: Some(Default::default()), source: Default::default() }
    }
}

impl Field for DescribeConfigsSynonym {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.value = d.read(v)?;
        m.source = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.value.write(e, v)?;
        self.source.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=3 => 5,
            _ => 4,
        }
    }
}
