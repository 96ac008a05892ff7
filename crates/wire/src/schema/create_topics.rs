// Generated from schema/CreateTopics.api by `cargo xtask codegen`. Not edited by hand.
//! CreateTopics (key 19), versions 2 to 7.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a CreateTopics request.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTopicsRequest {
    /// Every version.
    pub topics: Vec<CreatableTopic>,
    /// Every version, default `60000`.
    pub timeout_ms: i32,
    /// Every version.
    pub validate_only: bool,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        CreateTopicsRequest { topics: Default::default(), timeout_ms: 60000, validate_only: Default::default() }
    }
}

impl Field for CreateTopicsRequest {
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
            2..=4 => 9,
            _ => 7,
        }
    }
}

impl Message for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;
}

impl Request for CreateTopicsRequest {
    type Response = CreateTopicsResponse;
}

/// Part of CreateTopics (key 19).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatableTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub num_partitions: i32,
    /// Every version.
    pub replication_factor: i16,
    /// Every version.
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// Every version.
    pub configs: Vec<CreatableTopicConfig>,
}

impl Field for CreatableTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.num_partitions = d.read(v)?;
        m.replication_factor = d.read(v)?;
        m.assignments = d.read(v)?;
        m.configs = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.num_partitions.write(e, v)?;
        self.replication_factor.write(e, v)?;
        self.assignments.write(e, v)?;
        self.configs.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=4 => 16,
            _ => 10,
        }
    }
}

/// Part of CreateTopics (key 19).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatableReplicaAssignment {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub broker_ids: Vec<i32>,
}

impl Field for CreatableReplicaAssignment {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.broker_ids = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.broker_ids.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=4 => 8,
            _ => 6,
        }
    }
}

/// Part of CreateTopics (key 19).
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfig {
    /// Every version.
    pub name: Str,
    /// Every version, can be null, default `""`.
    pub value: Option<Str>,
}

impl Default for CreatableTopicConfig {
    fn default() -> Self {
        CreatableTopicConfig { name: Default::default(), value: Some(Default::default()) }
    }
}

impl Field for CreatableTopicConfig {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.value = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.value.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=4 => 4,
            _ => 3,
        }
    }
}

/// Body of a CreateTopics response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateTopicsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub topics: Vec<CreatableTopicResult>,
}

impl Field for CreateTopicsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=4 => 8,
            _ => 6,
        }
    }
}

impl Message for CreateTopicsResponse {
    const KEY: ApiKey = ApiKey::CreateTopics;
}

/// Part of CreateTopics (key 19).
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicResult {
    /// Every version.
    pub name: Str,
    /// Versions 7+.
    pub topic_id: TopicId,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Versions 5+, tag 0.
    pub topic_config_error_code: i16,
    /// Versions 5+, default `-1`.
    pub num_partitions: i32,
    /// Versions 5+, default `-1`.
    pub replication_factor: i16,
    /// Versions 5+, can be null, default `[]`.
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        CreatableTopicResult {
            name: Default::default(),
            topic_id: TopicId::ZERO,
            error_code: Default::default(),
            error_message: Some(Default::default()),
            topic_config_error_code: Default::default(),
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Default::default()),
        }
    }
}

impl Field for CreatableTopicResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        if v >= 7 {
            m.topic_id = d.read(v)?;
        }
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        if v >= 5 {
            m.num_partitions = d.read(v)?;
        }
        if v >= 5 {
            m.replication_factor = d.read(v)?;
        }
        if v >= 5 {
            m.configs = d.read(v)?;
        }
        d.tags(|d, tag| {
            match tag {
                0 => m.topic_config_error_code = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        if v >= 7 {
            self.topic_id.write(e, v)?;
        }
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        if v >= 5 {
            self.num_partitions.write(e, v)?;
        }
        if v >= 5 {
            self.replication_factor.write(e, v)?;
        }
        if v >= 5 {
            self.configs.write(e, v)?;
        }
        if v >= 5 {
            let present = [self.topic_config_error_code != 0];
            e.tags(&present);
            if present[0] {
                e.tag(0, &self.topic_config_error_code, v)?;
            }
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            2..=4 => 6,
            5..=6 => 12,
            _ => 28,
        }
    }
}

/// Part of CreateTopics (key 19).
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfigs {
    /// Every version.
    pub name: Str,
    /// Every version, can be null, default `""`.
    pub value: Option<Str>,
    /// Every version.
    pub read_only: bool,
    /// Every version, default `-1`.
    pub config_source: i8,
    /// Every version.
    pub is_sensitive: bool,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        CreatableTopicConfigs {
            name: Default::default(),
            value: Some(Default::default()),
            read_only: Default::default(),
            config_source: -1,
            is_sensitive: Default::default(),
        }
    }
}

impl Field for CreatableTopicConfigs {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.value = d.read(v)?;
        m.read_only = d.read(v)?;
        m.config_source = d.read(v)?;
        m.is_sensitive = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.value.write(e, v)?;
        self.read_only.write(e, v)?;
        self.config_source.write(e, v)?;
        self.is_sensitive.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}
