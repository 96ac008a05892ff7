// Generated from schema/LeaveGroup.api by `cargo xtask codegen`. Not edited by hand.
//! LeaveGroup (key 13), versions 0 to 5.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a LeaveGroup request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaveGroupRequest {
    /// Every version.
    pub group_id: Str,
    /// Versions 0-2.
    pub member_id: Str,
    /// Versions 3+.
    pub members: Vec<MemberIdentity>,
}

impl Field for LeaveGroupRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        if v <= 2 {
            m.member_id = d.read(v)?;
        }
        if v >= 3 {
            m.members = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        if v <= 2 {
            self.member_id.write(e, v)?;
        } else if !self.member_id.is_empty() {
            return Err(EncodeError::Unsupported("LeaveGroupRequest.member_id"));
        }
        if v >= 3 {
            self.members.write(e, v)?;
        } else if !self.members.is_empty() {
            return Err(EncodeError::Unsupported("LeaveGroupRequest.members"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 4,
            3 => 6,
            _ => 3,
        }
    }
}

impl Message for LeaveGroupRequest {
    const KEY: ApiKey = ApiKey::LeaveGroup;
}

impl Request for LeaveGroupRequest {
    type Response = LeaveGroupResponse;
}

/// Part of LeaveGroup (key 13).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberIdentity {
    /// Every version.
    pub member_id: Str,
    /// Every version, can be null.
    pub group_instance_id: Option<Str>,
    /// Versions 5+, can be null.
    pub reason: Option<Str>,
}

impl Field for MemberIdentity {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.member_id = d.read(v)?;
        m.group_instance_id = d.read(v)?;
        if v >= 5 {
            m.reason = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.member_id.write(e, v)?;
        self.group_instance_id.write(e, v)?;
        if v >= 5 {
            self.reason.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            3 => 4,
            4 => 3,
            _ => 4,
        }
    }
}

/// Body of a LeaveGroup response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaveGroupResponse {
    /// Versions 1+.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Versions 3+.
    pub members: Vec<MemberResponse>,
}

impl Field for LeaveGroupResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 1 {
            m.throttle_time_ms = d.read(v)?;
        }
        m.error_code = d.read(v)?;
        if v >= 3 {
            m.members = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 1 {
            self.throttle_time_ms.write(e, v)?;
        }
        self.error_code.write(e, v)?;
        if v >= 3 {
            self.members.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 2,
            1..=2 => 6,
            3 => 10,
            _ => 8,
        }
    }
}

impl Message for LeaveGroupResponse {
    const KEY: ApiKey = ApiKey::LeaveGroup;
}

/// Part of LeaveGroup (key 13).
#[derive(Clone, Debug, PartialEq)]
pub struct MemberResponse {
    /// Every version.
    pub member_id: Str,
    /// Every version, can be null, default `""`.
    pub group_instance_id: Option<Str>,
    /// Every version.
    pub error_code: i16,
}

impl Default for MemberResponse {
    fn default() -> Self {
        MemberResponse {
            member_id: Default::default(),
            group_instance_id: Some(Default::default()),
            error_code: Default::default(),
        }
    }
}

impl Field for MemberResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.member_id = d.read(v)?;
        m.group_instance_id = d.read(v)?;
        m.error_code = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.member_id.write(e, v)?;
        self.group_instance_id.write(e, v)?;
        self.error_code.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            3 => 6,
            _ => 5,
        }
    }
}
