// Generated from schema/JoinGroup.api by `cargo xtask codegen`. Not edited by hand.
//! JoinGroup (key 11), versions 0 to 9.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;
use bytes::Bytes;

/// Body of a JoinGroup request.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequest {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub session_timeout_ms: i32,
    /// Versions 1+, default `-1`.
    pub rebalance_timeout_ms: i32,
    /// Every version.
    pub member_id: Str,
    /// Versions 5+, can be null.
    pub group_instance_id: Option<Str>,
    /// Every version.
    pub protocol_type: Str,
    /// Every version.
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// Versions 8+, can be null.
    pub reason: Option<Str>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        JoinGroupRequest {
            group_id: Default::default(),
            session_timeout_ms: Default::default(),
            rebalance_timeout_ms: -1,
            member_id: Default::default(),
            group_instance_id: Default::default(),
            protocol_type: Default::default(),
            protocols: Default::default(),
            reason: Default::default(),
        }
    }
}

impl Field for JoinGroupRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.session_timeout_ms = d.read(v)?;
        if v >= 1 {
            m.rebalance_timeout_ms = d.read(v)?;
        }
        m.member_id = d.read(v)?;
        if v >= 5 {
            m.group_instance_id = d.read(v)?;
        }
        m.protocol_type = d.read(v)?;
        m.protocols = d.read(v)?;
        if v >= 8 {
            m.reason = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.session_timeout_ms.write(e, v)?;
        if v >= 1 {
            self.rebalance_timeout_ms.write(e, v)?;
        }
        self.member_id.write(e, v)?;
        if v >= 5 {
            self.group_instance_id.write(e, v)?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::Unsupported("JoinGroupRequest.group_instance_id"));
        }
        self.protocol_type.write(e, v)?;
        self.protocols.write(e, v)?;
        if v >= 8 {
            self.reason.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 14,
            1..=4 => 18,
            5 => 20,
            6..=7 => 14,
            _ => 15,
        }
    }
}

impl Message for JoinGroupRequest {
    const KEY: ApiKey = ApiKey::JoinGroup;
}

impl Request for JoinGroupRequest {
    type Response = JoinGroupResponse;
}

/// Part of JoinGroup (key 11).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinGroupRequestProtocol {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub metadata: Bytes,
}

impl Field for JoinGroupRequestProtocol {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.metadata = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.metadata.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=5 => 6,
            _ => 3,
        }
    }
}

/// Body of a JoinGroup response.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponse {
    /// Versions 2+.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, default `-1`.
    pub generation_id: i32,
    /// Versions 7+, can be null.
    pub protocol_type: Option<Str>,
    /// Every version, null in 7+, default `""`.
    pub protocol_name: Option<Str>,
    /// Every version.
    pub leader: Str,
    /// Versions 9+.
    pub skip_assignment: bool,
    /// Every version.
    pub member_id: Str,
    /// Every version.
    pub members: Vec<JoinGroupResponseMember>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        JoinGroupResponse {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            generation_id: -1,
            protocol_type: Default::default(),
            protocol_name: Some(Default::default()),
            leader: Default::default(),
            skip_assignment: Default::default(),
            member_id: Default::default(),
            members: Default::default(),
        }
    }
}

impl Field for JoinGroupResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 2 {
            m.throttle_time_ms = d.read(v)?;
        }
        m.error_code = d.read(v)?;
        m.generation_id = d.read(v)?;
        if v >= 7 {
            m.protocol_type = d.read(v)?;
        }
        m.protocol_name = d.read_null(v >= 7, v)?;
        m.leader = d.read(v)?;
        if v >= 9 {
            m.skip_assignment = d.read(v)?;
        }
        m.member_id = d.read(v)?;
        m.members = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 2 {
            self.throttle_time_ms.write(e, v)?;
        }
        self.error_code.write(e, v)?;
        self.generation_id.write(e, v)?;
        if v >= 7 {
            self.protocol_type.write(e, v)?;
        }
        e.null_if(v >= 7, &self.protocol_name, v, "JoinGroupResponse.protocol_name")?;
        self.leader.write(e, v)?;
        if v >= 9 {
            self.skip_assignment.write(e, v)?;
        }
        self.member_id.write(e, v)?;
        self.members.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 16,
            2..=5 => 20,
            6 => 15,
            7..=8 => 16,
            _ => 17,
        }
    }
}

impl Message for JoinGroupResponse {
    const KEY: ApiKey = ApiKey::JoinGroup;
}

/// Part of JoinGroup (key 11).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinGroupResponseMember {
    /// Every version.
    pub member_id: Str,
    /// Versions 5+, can be null.
    pub group_instance_id: Option<Str>,
    /// Every version.
    pub metadata: Bytes,
}

impl Field for JoinGroupResponseMember {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.member_id = d.read(v)?;
        if v >= 5 {
            m.group_instance_id = d.read(v)?;
        }
        m.metadata = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.member_id.write(e, v)?;
        if v >= 5 {
            self.group_instance_id.write(e, v)?;
        }
        self.metadata.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=4 => 6,
            5 => 8,
            _ => 4,
        }
    }
}
