// Generated from schema/SyncGroup.api by `cargo xtask codegen`. Not edited by hand.
//! SyncGroup (key 14), versions 0 to 5.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;
use bytes::Bytes;

/// Body of a SyncGroup request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupRequest {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub generation_id: i32,
    /// Every version.
    pub member_id: Str,
    /// Versions 3+, can be null.
    pub group_instance_id: Option<Str>,
    /// Versions 5+, can be null.
    pub protocol_type: Option<Str>,
    /// Versions 5+, can be null.
    pub protocol_name: Option<Str>,
    /// Every version.
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

impl Field for SyncGroupRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.generation_id = d.read(v)?;
        m.member_id = d.read(v)?;
        if v >= 3 {
            m.group_instance_id = d.read(v)?;
        }
        if v >= 5 {
            m.protocol_type = d.read(v)?;
        }
        if v >= 5 {
            m.protocol_name = d.read(v)?;
        }
        m.assignments = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.generation_id.write(e, v)?;
        self.member_id.write(e, v)?;
        if v >= 3 {
            self.group_instance_id.write(e, v)?;
        } else if self.group_instance_id.is_some() {
            return Err(EncodeError::Unsupported("SyncGroupRequest.group_instance_id"));
        }
        if v >= 5 {
            self.protocol_type.write(e, v)?;
        }
        if v >= 5 {
            self.protocol_name.write(e, v)?;
        }
        self.assignments.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 12,
            3 => 14,
            4 => 9,
            _ => 11,
        }
    }
}

impl Message for SyncGroupRequest {
    const KEY: ApiKey = ApiKey::SyncGroup;
}

impl Request for SyncGroupRequest {
    type Response = SyncGroupResponse;
}

/// Part of SyncGroup (key 14).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupRequestAssignment {
    /// Every version.
    pub member_id: Str,
    /// Every version.
    pub assignment: Bytes,
}

impl Field for SyncGroupRequestAssignment {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.member_id = d.read(v)?;
        m.assignment = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.member_id.write(e, v)?;
        self.assignment.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=3 => 6,
            _ => 3,
        }
    }
}

/// Body of a SyncGroup response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupResponse {
    /// Versions 1+.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Versions 5+, can be null.
    pub protocol_type: Option<Str>,
    /// Versions 5+, can be null.
    pub protocol_name: Option<Str>,
    /// Every version.
    pub assignment: Bytes,
}

impl Field for SyncGroupResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 1 {
            m.throttle_time_ms = d.read(v)?;
        }
        m.error_code = d.read(v)?;
        if v >= 5 {
            m.protocol_type = d.read(v)?;
        }
        if v >= 5 {
            m.protocol_name = d.read(v)?;
        }
        m.assignment = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 1 {
            self.throttle_time_ms.write(e, v)?;
        }
        self.error_code.write(e, v)?;
        if v >= 5 {
            self.protocol_type.write(e, v)?;
        }
        if v >= 5 {
            self.protocol_name.write(e, v)?;
        }
        self.assignment.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 6,
            1..=3 => 10,
            4 => 8,
            _ => 10,
        }
    }
}

impl Message for SyncGroupResponse {
    const KEY: ApiKey = ApiKey::SyncGroup;
}
