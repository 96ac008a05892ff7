// Generated from schema/CreateAcls.api by `cargo xtask codegen`. Not edited by hand.
//! CreateAcls (key 30), versions 1 to 3.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a CreateAcls request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateAclsRequest {
    /// Every version.
    pub creations: Vec<AclCreation>,
}

impl Field for CreateAclsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.creations = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.creations.write(e, v)?;
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

impl Message for CreateAclsRequest {
    const KEY: ApiKey = ApiKey::CreateAcls;
}

impl Request for CreateAclsRequest {
    type Response = CreateAclsResponse;
}

/// Part of CreateAcls (key 30).
#[derive(Clone, Debug, PartialEq)]
pub struct AclCreation {
    /// Every version.
    pub resource_type: i8,
    /// Every version.
    pub resource_name: Str,
    /// Every version, default `3`.
    pub resource_pattern_type: i8,
    /// Every version.
    pub principal: Str,
    /// Every version.
    pub host: Str,
    /// Every version.
    pub operation: i8,
    /// Every version.
    pub permission_type: i8,
}

impl Default for AclCreation {
    fn default() -> Self {
        AclCreation {
            resource_type: Default::default(),
            resource_name: Default::default(),
            resource_pattern_type: 3,
            principal: Default::default(),
            host: Default::default(),
            operation: Default::default(),
            permission_type: Default::default(),
        }
    }
}

impl Field for AclCreation {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.resource_type = d.read(v)?;
        m.resource_name = d.read(v)?;
        m.resource_pattern_type = d.read(v)?;
        m.principal = d.read(v)?;
        m.host = d.read(v)?;
        m.operation = d.read(v)?;
        m.permission_type = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.resource_type.write(e, v)?;
        self.resource_name.write(e, v)?;
        self.resource_pattern_type.write(e, v)?;
        self.principal.write(e, v)?;
        self.host.write(e, v)?;
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

/// Body of a CreateAcls response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateAclsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub results: Vec<AclCreationResult>,
}

impl Field for CreateAclsResponse {
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
            1 => 8,
            _ => 6,
        }
    }
}

impl Message for CreateAclsResponse {
    const KEY: ApiKey = ApiKey::CreateAcls;
}

/// Part of CreateAcls (key 30).
#[derive(Clone, Debug, PartialEq)]
pub struct AclCreationResult {
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
}

impl Default for AclCreationResult {
    fn default() -> Self {
        AclCreationResult { error_code: Default::default(), error_message: Some(Default::default()) }
    }
}

impl Field for AclCreationResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        4
    }
}
