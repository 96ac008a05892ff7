// Generated from schema/CreatePartitions.api by `cargo xtask codegen`. Not edited by hand.
//! CreatePartitions (key 37), versions 0 to 3.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a CreatePartitions request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsRequest {
    /// Every version.
    pub topics: Vec<CreatePartitionsTopic>,
    /// Every version.
    pub timeout_ms: i32,
    /// Every version.
    pub validate_only: bool,
}

impl Field for CreatePartitionsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topics = d.read(v)?;
        m.timeout_ms = d.read(v)?;
        m.validate_only = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topics.write(e, v)?;
        self.timeout_ms.write(e, v)?;
        self.validate_only.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 9,
            _ => 7,
        }
    }
}

impl Message for CreatePartitionsRequest {
    const KEY: ApiKey = ApiKey::CreatePartitions;
}

impl Request for CreatePartitionsRequest {
    type Response = CreatePartitionsResponse;
}

/// Part of CreatePartitions (key 37).
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePartitionsTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub count: i32,
    /// Every version, can be null, default `[]`.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

impl Default for CreatePartitionsTopic {
    fn default() -> Self {
        CreatePartitionsTopic {
            name: Default::default(),
            count: Default::default(),
            assignments: Some(Default::default()),
        }
    }
}

impl Field for CreatePartitionsTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.count = d.read(v)?;
        m.assignments = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.count.write(e, v)?;
        self.assignments.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 10,
            _ => 7,
        }
    }
}

/// Part of CreatePartitions (key 37).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsAssignment {
    /// Every version.
    pub broker_ids: Vec<i32>,
}

impl Field for CreatePartitionsAssignment {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.broker_ids = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.broker_ids.write(e, v)?;
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

/// Body of a CreatePartitions response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub results: Vec<CreatePartitionsTopicResult>,
}

impl Field for CreatePartitionsResponse {
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

impl Message for CreatePartitionsResponse {
    const KEY: ApiKey = ApiKey::CreatePartitions;
}

/// Part of CreatePartitions (key 37).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsTopicResult {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null.
    pub error_message: Option<Str>,
}

impl Field for CreatePartitionsTopicResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 6,
            _ => 5,
        }
    }
}
