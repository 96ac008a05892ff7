// Generated from schema/ListGroups.api by `cargo xtask codegen`. Not edited by hand.
//! ListGroups (key 16), versions 0 to 5.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a ListGroups request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListGroupsRequest {
    /// Versions 4+.
    pub states_filter: Vec<Str>,
    /// Versions 5+.
    pub types_filter: Vec<Str>,
}

impl Field for ListGroupsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 4 {
            m.states_filter = d.read(v)?;
        }
        if v >= 5 {
            m.types_filter = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 4 {
            self.states_filter.write(e, v)?;
        } else if !self.states_filter.is_empty() {
            return Err(EncodeError::Unsupported("ListGroupsRequest.states_filter"));
        }
        if v >= 5 {
            self.types_filter.write(e, v)?;
        } else if !self.types_filter.is_empty() {
            return Err(EncodeError::Unsupported("ListGroupsRequest.types_filter"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 0,
            3 => 1,
            4 => 2,
            _ => 3,
        }
    }
}

impl Message for ListGroupsRequest {
    const KEY: ApiKey = ApiKey::ListGroups;
}

impl Request for ListGroupsRequest {
    type Response = ListGroupsResponse;
}

/// Body of a ListGroups response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListGroupsResponse {
    /// Versions 1+.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub groups: Vec<ListedGroup>,
}

impl Field for ListGroupsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 1 {
            m.throttle_time_ms = d.read(v)?;
        }
        m.error_code = d.read(v)?;
        m.groups = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 1 {
            self.throttle_time_ms.write(e, v)?;
        }
        self.error_code.write(e, v)?;
        self.groups.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 6,
            1..=2 => 10,
            _ => 8,
        }
    }
}

impl Message for ListGroupsResponse {
    const KEY: ApiKey = ApiKey::ListGroups;
}

/// Part of ListGroups (key 16).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedGroup {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub protocol_type: Str,
    /// Versions 4+.
    pub group_state: Str,
    /// Versions 5+.
    pub group_type: Str,
}

impl Field for ListedGroup {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.protocol_type = d.read(v)?;
        if v >= 4 {
            m.group_state = d.read(v)?;
        }
        if v >= 5 {
            m.group_type = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.protocol_type.write(e, v)?;
        if v >= 4 {
            self.group_state.write(e, v)?;
        }
        if v >= 5 {
            self.group_type.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 4,
            3 => 3,
            4 => 4,
            _ => 5,
        }
    }
}
