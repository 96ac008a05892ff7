// Generated from schema/ElectLeaders.api by `cargo xtask codegen`. Not edited by hand.
//! ElectLeaders (key 43), versions 0 to 2.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a ElectLeaders request.
#[derive(Clone, Debug, PartialEq)]
pub struct ElectLeadersRequest {
    /// Versions 1+.
    pub election_type: i8,
    /// Every version, can be null, default `[]`.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// Every version, default `60000`.
    pub timeout_ms: i32,
}

impl Default for ElectLeadersRequest {
    fn default() -> Self {
        ElectLeadersRequest {
            election_type: Default::default(),
            topic_partitions: Some(Default::default()),
            timeout_ms: 60000,
        }
    }
}

impl Field for ElectLeadersRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 1 {
            m.election_type = d.read(v)?;
        }
        m.topic_partitions = d.read(v)?;
        m.timeout_ms = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 1 {
            self.election_type.write(e, v)?;
        } else if self.election_type != 0 {
            return Err(EncodeError::Unsupported("ElectLeadersRequest.election_type"));
        }
        self.topic_partitions.write(e, v)?;
        self.timeout_ms.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            1 => 9,
            _ => 7,
        }
    }
}

impl Message for ElectLeadersRequest {
    const KEY: ApiKey = ApiKey::ElectLeaders;
}

impl Request for ElectLeadersRequest {
    type Response = ElectLeadersResponse;
}

/// Part of ElectLeaders (key 43).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartitions {
    /// Every version.
    pub topic: Str,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Field for TopicPartitions {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 6,
            _ => 3,
        }
    }
}

/// Body of a ElectLeaders response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ElectLeadersResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Versions 1+.
    pub error_code: i16,
    /// Every version.
    pub replica_election_results: Vec<ReplicaElectionResult>,
}

impl Field for ElectLeadersResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        if v >= 1 {
            m.error_code = d.read(v)?;
        }
        m.replica_election_results = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        if v >= 1 {
            self.error_code.write(e, v)?;
        }
        self.replica_election_results.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            1 => 10,
            _ => 8,
        }
    }
}

impl Message for ElectLeadersResponse {
    const KEY: ApiKey = ApiKey::ElectLeaders;
}

/// Part of ElectLeaders (key 43).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplicaElectionResult {
    /// Every version.
    pub topic: Str,
    /// Every version.
    pub partition_result: Vec<PartitionResult>,
}

impl Field for ReplicaElectionResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic = d.read(v)?;
        m.partition_result = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic.write(e, v)?;
        self.partition_result.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 6,
            _ => 3,
        }
    }
}

/// Part of ElectLeaders (key 43).
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionResult {
    /// Every version.
    pub partition_id: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
}

impl Default for PartitionResult {
    fn default() -> Self {
        PartitionResult {
            partition_id: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
        }
    }
}

impl Field for PartitionResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_id = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_id.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        8
    }
}
