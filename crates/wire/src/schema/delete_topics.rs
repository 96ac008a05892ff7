// Generated from schema/DeleteTopics.api by `cargo xtask codegen`. Not edited by hand.
//! DeleteTopics (key 20), versions 1 to 6.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DeleteTopics request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicsRequest {
    /// Versions 6+.
    pub topics: Vec<DeleteTopicState>,
    /// Versions 1-5.
    pub topic_names: Vec<Str>,
    /// Every version.
    pub timeout_ms: i32,
}

impl Field for DeleteTopicsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 6 {
            m.topics = d.read(v)?;
        }
        if v <= 5 {
            m.topic_names = d.read(v)?;
        }
        m.timeout_ms = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 6 {
            self.topics.write(e, v)?;
        } else if !self.topics.is_empty() {
            return Err(EncodeError::Unsupported("DeleteTopicsRequest.topics"));
        }
        if v <= 5 {
            self.topic_names.write(e, v)?;
        }
        self.timeout_ms.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=3 => 8,
            _ => 6,
        }
    }
}

impl Message for DeleteTopicsRequest {
    const KEY: ApiKey = ApiKey::DeleteTopics;
}

impl Request for DeleteTopicsRequest {
    type Response = DeleteTopicsResponse;
}

/// Part of DeleteTopics (key 20).
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteTopicState {
    /// Every version, can be null.
    pub name: Option<Str>,
    /// Every version.
    pub topic_id: TopicId,
}

impl Default for DeleteTopicState {
    fn default() -> Self {
        DeleteTopicState { name: Default::default(), topic_id: TopicId::ZERO }
    }
}

impl Field for DeleteTopicState {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.topic_id = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.topic_id.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        18
    }
}

/// Body of a DeleteTopics response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub responses: Vec<DeletableTopicResult>,
}

impl Field for DeleteTopicsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.responses = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.responses.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=3 => 8,
            _ => 6,
        }
    }
}

impl Message for DeleteTopicsResponse {
    const KEY: ApiKey = ApiKey::DeleteTopics;
}

/// Part of DeleteTopics (key 20).
#[derive(Clone, Debug, PartialEq)]
pub struct DeletableTopicResult {
    /// Every version, null in 6+, default `""`.
    pub name: Option<Str>,
    /// Versions 6+.
    pub topic_id: TopicId,
    /// Every version.
    pub error_code: i16,
    /// Versions 5+, can be null.
    pub error_message: Option<Str>,
}

impl Default for DeletableTopicResult {
    fn default() -> Self {
        DeletableTopicResult {
            name: Some(Default::default()),
            topic_id: TopicId::ZERO,
            error_code: Default::default(),
            error_message: Default::default(),
        }
    }
}

impl Field for DeletableTopicResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read_null(v >= 6, v)?;
        if v >= 6 {
            m.topic_id = d.read(v)?;
        }
        m.error_code = d.read(v)?;
        if v >= 5 {
            m.error_message = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        e.null_if(v >= 6, &self.name, v, "DeletableTopicResult.name")?;
        if v >= 6 {
            self.topic_id.write(e, v)?;
        }
        self.error_code.write(e, v)?;
        if v >= 5 {
            self.error_message.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=4 => 4,
            5 => 5,
            _ => 21,
        }
    }
}
