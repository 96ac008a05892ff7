// Generated from schema/AlterPartitionReassignments.api by `cargo xtask codegen`. Not edited by hand.
//! AlterPartitionReassignments (key 45), versions 0 to 1.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a AlterPartitionReassignments request.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPartitionReassignmentsRequest {
    /// Every version, default `60000`.
    pub timeout_ms: i32,
    /// Versions 1+, default `true`.
    pub allow_replication_factor_change: bool,
    /// Every version.
    pub topics: Vec<ReassignableTopic>,
}

impl Default for AlterPartitionReassignmentsRequest {
    fn default() -> Self {
        AlterPartitionReassignmentsRequest {
            timeout_ms: 60000,
            allow_replication_factor_change: true,
            topics: Default::default(),
        }
    }
}

impl Field for AlterPartitionReassignmentsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.timeout_ms = d.read(v)?;
        if v >= 1 {
            m.allow_replication_factor_change = d.read(v)?;
        }
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.timeout_ms.write(e, v)?;
        if v >= 1 {
            self.allow_replication_factor_change.write(e, v)?;
        } else if !self.allow_replication_factor_change {
            return Err(EncodeError::Unsupported("AlterPartitionReassignmentsRequest.allow_replication_factor_change"));
        }
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 6,
            _ => 7,
        }
    }
}

impl Message for AlterPartitionReassignmentsRequest {
    const KEY: ApiKey = ApiKey::AlterPartitionReassignments;
}

impl Request for AlterPartitionReassignmentsRequest {
    type Response = AlterPartitionReassignmentsResponse;
}

/// Part of AlterPartitionReassignments (key 45).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReassignableTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<ReassignablePartition>,
}

impl Field for ReassignableTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        3
    }
}

/// Part of AlterPartitionReassignments (key 45).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReassignablePartition {
    /// Every version.
    pub partition_index: i32,
    /// Every version, can be null.
    pub replicas: Option<Vec<i32>>,
}

impl Field for ReassignablePartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.replicas = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.replicas.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

/// Body of a AlterPartitionReassignments response.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPartitionReassignmentsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Versions 1+, default `true`.
    pub allow_replication_factor_change: bool,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub responses: Vec<ReassignableTopicResponse>,
}

impl Default for AlterPartitionReassignmentsResponse {
    fn default() -> Self {
        AlterPartitionReassignmentsResponse {
            throttle_time_ms: Default::default(),
            allow_replication_factor_change: true,
            error_code: Default::default(),
            error_message: Some(Default::default()),
            responses: Default::default(),
        }
    }
}

impl Field for AlterPartitionReassignmentsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        if v >= 1 {
            m.allow_replication_factor_change = d.read(v)?;
        }
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.responses = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        if v >= 1 {
            self.allow_replication_factor_change.write(e, v)?;
        }
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.responses.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 9,
            _ => 10,
        }
    }
}

impl Message for AlterPartitionReassignmentsResponse {
    const KEY: ApiKey = ApiKey::AlterPartitionReassignments;
}

/// Part of AlterPartitionReassignments (key 45).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReassignableTopicResponse {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<ReassignablePartitionResponse>,
}

impl Field for ReassignableTopicResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        3
    }
}

/// Part of AlterPartitionReassignments (key 45).
#[derive(Clone, Debug, PartialEq)]
pub struct ReassignablePartitionResponse {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
}

impl Default for ReassignablePartitionResponse {
    fn default() -> Self {
        ReassignablePartitionResponse {
            partition_index: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
        }
    }
}

impl Field for ReassignablePartitionResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        8
    }
}
