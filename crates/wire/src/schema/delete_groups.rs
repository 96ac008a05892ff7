// Generated from schema/DeleteGroups.api by `cargo xtask codegen`. Not edited by hand.
//! DeleteGroups (key 42), versions 0 to 3.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DeleteGroups request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteGroupsRequest {
    /// Every version.
    pub groups_names: Vec<Str>,
}

impl Field for DeleteGroupsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.groups_names = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.groups_names.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 4,
            _ => 2,
        }
    }
}

impl Message for DeleteGroupsRequest {
    const KEY: ApiKey = ApiKey::DeleteGroups;
}

impl Request for DeleteGroupsRequest {
    type Response = DeleteGroupsResponse;
}

/// Body of a DeleteGroups response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteGroupsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub results: Vec<DeletableGroupResult>,
}

impl Field for DeleteGroupsResponse {
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
            0..=1 => 8,
            _ => 6,
        }
    }
}

impl Message for DeleteGroupsResponse {
    const KEY: ApiKey = ApiKey::DeleteGroups;
}

/// Part of DeleteGroups (key 42).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeletableGroupResult {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub error_code: i16,
    /// Versions 3+, can be null.
    pub error_message: Option<Str>,
}

impl Field for DeletableGroupResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.error_code = d.read(v)?;
        if v >= 3 {
            m.error_message = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.error_code.write(e, v)?;
        if v >= 3 {
            self.error_message.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 4,
            _ => 5,
        }
    }
}
