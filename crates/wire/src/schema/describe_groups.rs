// Generated from schema/DescribeGroups.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeGroups (key 15), versions 0 to 6.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;
use bytes::Bytes;

/// Body of a DescribeGroups request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeGroupsRequest {
    /// Every version.
    pub groups: Vec<Str>,
    /// Versions 3+.
    pub include_authorized_operations: bool,
}

impl Field for DescribeGroupsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.groups = d.read(v)?;
        if v >= 3 {
            m.include_authorized_operations = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.groups.write(e, v)?;
        if v >= 3 {
            self.include_authorized_operations.write(e, v)?;
        } else if self.include_authorized_operations {
            return Err(EncodeError::Unsupported("DescribeGroupsRequest.include_authorized_operations"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 4,
            3..=4 => 5,
            _ => 3,
        }
    }
}

impl Message for DescribeGroupsRequest {
    const KEY: ApiKey = ApiKey::DescribeGroups;
}

impl Request for DescribeGroupsRequest {
    type Response = DescribeGroupsResponse;
}

/// Body of a DescribeGroups response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeGroupsResponse {
    /// Versions 1+.
    pub throttle_time_ms: i32,
    /// Every version.
    pub groups: Vec<DescribedGroup>,
}

impl Field for DescribeGroupsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 1 {
            m.throttle_time_ms = d.read(v)?;
        }
        m.groups = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 1 {
            self.throttle_time_ms.write(e, v)?;
        }
        self.groups.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 4,
            1..=4 => 8,
            _ => 6,
        }
    }
}

impl Message for DescribeGroupsResponse {
    const KEY: ApiKey = ApiKey::DescribeGroups;
}

/// Part of DescribeGroups (key 15).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// Every version.
    pub error_code: i16,
    /// Versions 6+, can be null.
    pub error_message: Option<Str>,
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub group_state: Str,
    /// Every version.
    pub protocol_type: Str,
    /// Every version.
    pub protocol_data: Str,
    /// Every version.
    pub members: Vec<DescribedGroupMember>,
    /// Versions 3+, default `-2147483648`.
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        DescribedGroup {
            error_code: Default::default(),
            error_message: Default::default(),
            group_id: Default::default(),
            group_state: Default::default(),
            protocol_type: Default::default(),
            protocol_data: Default::default(),
            members: Default::default(),
            authorized_operations: -2147483648,
        }
    }
}

impl Field for DescribedGroup {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        if v >= 6 {
            m.error_message = d.read(v)?;
        }
        m.group_id = d.read(v)?;
        m.group_state = d.read(v)?;
        m.protocol_type = d.read(v)?;
        m.protocol_data = d.read(v)?;
        m.members = d.read(v)?;
        if v >= 3 {
            m.authorized_operations = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        if v >= 6 {
            self.error_message.write(e, v)?;
        }
        self.group_id.write(e, v)?;
        self.group_state.write(e, v)?;
        self.protocol_type.write(e, v)?;
        self.protocol_data.write(e, v)?;
        self.members.write(e, v)?;
        if v >= 3 {
            self.authorized_operations.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 14,
            3..=4 => 18,
            5 => 12,
            _ => 13,
        }
    }
}

/// Part of DescribeGroups (key 15).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedGroupMember {
    /// Every version.
    pub member_id: Str,
    /// Versions 4+, can be null.
    pub group_instance_id: Option<Str>,
    /// Every version.
    pub client_id: Str,
    /// Every version.
    pub client_host: Str,
    /// Every version.
    pub member_metadata: Bytes,
    /// Every version.
    pub member_assignment: Bytes,
}

impl Field for DescribedGroupMember {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.member_id = d.read(v)?;
        if v >= 4 {
            m.group_instance_id = d.read(v)?;
        }
        m.client_id = d.read(v)?;
        m.client_host = d.read(v)?;
        m.member_metadata = d.read(v)?;
        m.member_assignment = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.member_id.write(e, v)?;
        if v >= 4 {
            self.group_instance_id.write(e, v)?;
        }
        self.client_id.write(e, v)?;
        self.client_host.write(e, v)?;
        self.member_metadata.write(e, v)?;
        self.member_assignment.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=3 => 14,
            4 => 16,
            _ => 7,
        }
    }
}
