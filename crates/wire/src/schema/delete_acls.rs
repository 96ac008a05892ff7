// Generated from schema/DeleteAcls.api by `cargo xtask codegen`. Not edited by hand.
//! DeleteAcls (key 31), versions 1 to 3.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DeleteAcls request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteAclsRequest {
    /// Every version.
    pub filters: Vec<DeleteAclsFilter>,
}

impl Field for DeleteAclsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.filters = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.filters.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 4,
            _ => 2,
        }
    }
}

impl Message for DeleteAclsRequest {
    const KEY: ApiKey = ApiKey::DeleteAcls;
}

impl Request for DeleteAclsRequest {
    type Response = DeleteAclsResponse;
}

/// Part of DeleteAcls (key 31).
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsFilter {
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

impl Default for DeleteAclsFilter {
    fn default() -> Self {
        DeleteAclsFilter {
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

impl Field for DeleteAclsFilter {
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

/// Body of a DeleteAcls response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteAclsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub filter_results: Vec<DeleteAclsFilterResult>,
}

impl Field for DeleteAclsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.filter_results = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.filter_results.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 8,
            _ => 6,
        }
    }
}

impl Message for DeleteAclsResponse {
    const KEY: ApiKey = ApiKey::DeleteAcls;
}

/// Part of DeleteAcls (key 31).
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsFilterResult {
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
}

impl Default for DeleteAclsFilterResult {
    fn default() -> Self {
        DeleteAclsFilterResult {
            error_code: Default::default(),
            error_message: Some(Default::default()),
            matching_acls: Default::default(),
        }
    }
}

impl Field for DeleteAclsFilterResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.matching_acls = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.matching_acls.write(e, v)?;
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

/// Part of DeleteAcls (key 31).
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsMatchingAcl {
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub resource_type: i8,
    /// Every version.
    pub resource_name: Str,
    /// Every version, default `3`.
    pub pattern_type: i8,
    /// Every version.
    pub principal: Str,
    /// Every version.
    pub host: Str,
    /// Every version.
    pub operation: i8,
    /// Every version.
    pub permission_type: i8,
}

impl Default for DeleteAclsMatchingAcl {
    fn default() -> Self {
        DeleteAclsMatchingAcl {
            error_code: Default::default(),
            error_message: Some(Default::default()),
            resource_type: Default::default(),
            resource_name: Default::default(),
            pattern_type: 3,
            principal: Default::default(),
            host: Default::default(),
            operation: Default::default(),
            permission_type: Default::default(),
        }
    }
}

impl Field for DeleteAclsMatchingAcl {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.resource_type = d.read(v)?;
        m.resource_name = d.read(v)?;
        m.pattern_type = d.read(v)?;
        m.principal = d.read(v)?;
        m.host = d.read(v)?;
        m.operation = d.read(v)?;
        m.permission_type = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.resource_type.write(e, v)?;
        self.resource_name.write(e, v)?;
        self.pattern_type.write(e, v)?;
        self.principal.write(e, v)?;
        self.host.write(e, v)?;
        self.operation.write(e, v)?;
        self.permission_type.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 14,
            _ => 11,
        }
    }
}
