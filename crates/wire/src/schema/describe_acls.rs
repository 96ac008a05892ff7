// Generated from schema/DescribeAcls.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeAcls (key 29), versions 1 to 3.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DescribeAcls request.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsRequest {
    /// Every version.
    pub resource_type_filter: i8,
    /// Every version, can be null, default `""`.
    pub resource_name_filter: Option<Str>,
    /// Every version, default `3`.
    pub pattern_type_filter: i8,
    /// Every version, can be null, default `""`.
    pub principal_filter: Option<Str>,
    /// Every version, can be null, default `""`.
    pub host_filter: Option<Str>,
    /// Every version.
    pub operation: i8,
    /// Every version.
    pub permission_type: i8,
}

impl Default for DescribeAclsRequest {
    fn default() -> Self {
        DescribeAclsRequest {
            resource_type_filter: Default::default(),
            resource_name_filter: Some(Default::default()),
            pattern_type_filter: 3,
            principal_filter: Some(Default::default()),
            host_filter: Some(Default::default()),
            operation: Default::default(),
            permission_type: Default::default(),
        }
    }
}

impl Field for DescribeAclsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.resource_type_filter = d.read(v)?;
        m.resource_name_filter = d.read(v)?;
        m.pattern_type_filter = d.read(v)?;
        m.principal_filter = d.read(v)?;
        m.host_filter = d.read(v)?;
        m.operation = d.read(v)?;
        m.permission_type = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.resource_type_filter.write(e, v)?;
        self.resource_name_filter.write(e, v)?;
        self.pattern_type_filter.write(e, v)?;
        self.principal_filter.write(e, v)?;
        self.host_filter.write(e, v)?;
        self.operation.write(e, v)?;
        self.permission_type.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 10,
            _ => 8,
        }
    }
}

impl Message for DescribeAclsRequest {
    const KEY: ApiKey = ApiKey::DescribeAcls;
}

impl Request for DescribeAclsRequest {
    type Response = DescribeAclsResponse;
}

/// Body of a DescribeAcls response.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub resources: Vec<DescribeAclsResource>,
}

impl Default for DescribeAclsResponse {
    fn default() -> Self {
        DescribeAclsResponse {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
            resources: Default::default(),
        }
    }
}

impl Field for DescribeAclsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.resources = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.resources.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 12,
            _ => 9,
        }
    }
}

impl Message for DescribeAclsResponse {
    const KEY: ApiKey = ApiKey::DescribeAcls;
}

/// Part of DescribeAcls (key 29).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResource {
    /// Every version.
    pub resource_type: i8,
    /// Every version.
    pub resource_name: Str,
    /// Every version, default `3`.
    pub pattern_type: i8,
    /// Every version.
    pub acls: Vec<AclDescription>,
}

impl Default for DescribeAclsResource {
    fn default() -> Self {
        DescribeAclsResource {
            resource_type: Default::default(),
            resource_name: Default::default(),
            pattern_type: 3,
            acls: Default::default(),
        }
    }
}

impl Field for DescribeAclsResource {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.resource_type = d.read(v)?;
        m.resource_name = d.read(v)?;
        m.pattern_type = d.read(v)?;
        m.acls = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.resource_type.write(e, v)?;
        self.resource_name.write(e, v)?;
        self.pattern_type.write(e, v)?;
        self.acls.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 8,
            _ => 5,
        }
    }
}

/// Part of DescribeAcls (key 29).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AclDescription {
    /// Every version.
    pub principal: Str,
    /// Every version.
    pub host: Str,
    /// Every version.
    pub operation: i8,
    /// Every version.
    pub permission_type: i8,
}

impl Field for AclDescription {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.principal = d.read(v)?;
        m.host = d.read(v)?;
        m.operation = d.read(v)?;
        m.permission_type = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.principal.write(e, v)?;
        self.host.write(e, v)?;
        self.operation.write(e, v)?;
        self.permission_type.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 6,
            _ => 5,
        }
    }
}
