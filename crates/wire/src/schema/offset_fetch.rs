// Generated from schema/OffsetFetch.api by `cargo xtask codegen`. Not edited by hand.
//! OffsetFetch (key 9), versions 1 to 10.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a OffsetFetch request.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequest {
    /// Versions 1-7.
    pub group_id: Str,
    /// Versions 1-7, null in 2-7, default `[]`.
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// Versions 8+.
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// Versions 7+.
    pub require_stable: bool,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        OffsetFetchRequest {
            group_id: Default::default(),
            topics: Some(Default::default()),
            groups: Default::default(),
            require_stable: Default::default(),
        }
    }
}

impl Field for OffsetFetchRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 7 {
            m.group_id = d.read(v)?;
        }
        if v <= 7 {
            m.topics = d.read_null(v >= 2, v)?;
        }
        if v >= 8 {
            m.groups = d.read(v)?;
        }
        if v >= 7 {
            m.require_stable = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 7 {
            self.group_id.write(e, v)?;
        } else if !self.group_id.is_empty() {
            return Err(EncodeError::Unsupported("OffsetFetchRequest.group_id"));
        }
        if v <= 7 {
            e.null_if(v >= 2, &self.topics, v, "OffsetFetchRequest.topics")?;
        } else if self.topics.as_ref().is_none_or(|x| !x.is_empty()) {
            return Err(EncodeError::Unsupported("OffsetFetchRequest.topics"));
        }
        if v >= 8 {
            self.groups.write(e, v)?;
        } else if !self.groups.is_empty() {
            return Err(EncodeError::Unsupported("OffsetFetchRequest.groups"));
        }
        if v >= 7 {
            self.require_stable.write(e, v)?;
        } else if self.require_stable {
            return Err(EncodeError::Unsupported("OffsetFetchRequest.require_stable"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=5 => 6,
            6 => 3,
            7 => 4,
            _ => 3,
        }
    }
}

impl Message for OffsetFetchRequest {
    const KEY: ApiKey = ApiKey::OffsetFetch;
}

impl Request for OffsetFetchRequest {
    type Response = OffsetFetchResponse;
}

/// Part of OffsetFetch (key 9).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchRequestTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partition_indexes: Vec<i32>,
}

impl Field for OffsetFetchRequestTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.partition_indexes = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.partition_indexes.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=5 => 6,
            _ => 3,
        }
    }
}

/// Part of OffsetFetch (key 9).
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestGroup {
    /// Every version.
    pub group_id: Str,
    /// Versions 9+, can be null.
    pub member_id: Option<Str>,
    /// Versions 9+, default `-1`.
    pub member_epoch: i32,
    /// Every version, can be null, default `[]`.
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        OffsetFetchRequestGroup {
            group_id: Default::default(),
            member_id: Default::default(),
            member_epoch: -1,
            topics: Some(Default::default()),
        }
    }
}

impl Field for OffsetFetchRequestGroup {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        if v >= 9 {
            m.member_id = d.read(v)?;
        }
        if v >= 9 {
            m.member_epoch = d.read(v)?;
        }
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        if v >= 9 {
            self.member_id.write(e, v)?;
        }
        if v >= 9 {
            self.member_epoch.write(e, v)?;
        }
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            8 => 3,
            _ => 8,
        }
    }
}

/// Part of OffsetFetch (key 9).
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestTopics {
    /// Versions 8-9.
    pub name: Str,
    /// Versions 10+.
    pub topic_id: TopicId,
    /// Every version.
    pub partition_indexes: Vec<i32>,
}

impl Default for OffsetFetchRequestTopics {
    fn default() -> Self {
        OffsetFetchRequestTopics {
            name: Default::default(),
            topic_id: TopicId::ZERO,
            partition_indexes: Default::default(),
        }
    }
}

impl Field for OffsetFetchRequestTopics {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 9 {
            m.name = d.read(v)?;
        }
        if v >= 10 {
            m.topic_id = d.read(v)?;
        }
        m.partition_indexes = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 9 {
            self.name.write(e, v)?;
        }
        if v >= 10 {
            self.topic_id.write(e, v)?;
        }
        self.partition_indexes.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            8..=9 => 3,
            _ => 18,
        }
    }
}

/// Body of a OffsetFetch response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponse {
    /// Versions 3+.
    pub throttle_time_ms: i32,
    /// Versions 1-7.
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// Versions 2-7.
    pub error_code: i16,
    /// Versions 8+.
    pub groups: Vec<OffsetFetchResponseGroup>,
}

impl Field for OffsetFetchResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 3 {
            m.throttle_time_ms = d.read(v)?;
        }
        if v <= 7 {
            m.topics = d.read(v)?;
        }
        if (2..=7).contains(&v) {
            m.error_code = d.read(v)?;
        }
        if v >= 8 {
            m.groups = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 3 {
            self.throttle_time_ms.write(e, v)?;
        }
        if v <= 7 {
            self.topics.write(e, v)?;
        }
        if (2..=7).contains(&v) {
            self.error_code.write(e, v)?;
        }
        if v >= 8 {
            self.groups.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 4,
            2 => 6,
            3..=5 => 10,
            6..=7 => 8,
            _ => 6,
        }
    }
}

impl Message for OffsetFetchResponse {
    const KEY: ApiKey = ApiKey::OffsetFetch;
}

/// Part of OffsetFetch (key 9).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponseTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

impl Field for OffsetFetchResponseTopic {
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

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=5 => 6,
            _ => 3,
        }
    }
}

/// Part of OffsetFetch (key 9).
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartition {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub committed_offset: i64,
    /// Versions 5+, default `-1`.
    pub committed_leader_epoch: i32,
    /// Every version, can be null, default `""`.
    pub metadata: Option<Str>,
    /// Every version.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        OffsetFetchResponsePartition {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            metadata: Some(Default::default()),
            error_code: Default::default(),
        }
    }
}

impl Field for OffsetFetchResponsePartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.committed_offset = d.read(v)?;
        if v >= 5 {
            m.committed_leader_epoch = d.read(v)?;
        }
        m.metadata = d.read(v)?;
        m.error_code = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.committed_offset.write(e, v)?;
        if v >= 5 {
            self.committed_leader_epoch.write(e, v)?;
        }
        self.metadata.write(e, v)?;
        self.error_code.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1..=4 => 16,
            _ => 20,
        }
    }
}

/// Part of OffsetFetch (key 9).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponseGroup {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// Every version.
    pub error_code: i16,
}

impl Field for OffsetFetchResponseGroup {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.topics = d.read(v)?;
        m.error_code = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.topics.write(e, v)?;
        self.error_code.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        5
    }
}

/// Part of OffsetFetch (key 9).
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponseTopics {
    /// Versions 8-9.
    pub name: Str,
    /// Versions 10+.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

impl Default for OffsetFetchResponseTopics {
    fn default() -> Self {
        OffsetFetchResponseTopics { name: Default::default(), topic_id: TopicId::ZERO, partitions: Default::default() }
    }
}

impl Field for OffsetFetchResponseTopics {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v <= 9 {
            m.name = d.read(v)?;
        }
        if v >= 10 {
            m.topic_id = d.read(v)?;
        }
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v <= 9 {
            self.name.write(e, v)?;
        }
        if v >= 10 {
            self.topic_id.write(e, v)?;
        }
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            8..=9 => 3,
            _ => 18,
        }
    }
}

/// Part of OffsetFetch (key 9).
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartitions {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub committed_offset: i64,
    /// Every version, default `-1`.
    pub committed_leader_epoch: i32,
    /// Every version, can be null, default `""`.
    pub metadata: Option<Str>,
    /// Every version.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        OffsetFetchResponsePartitions {
            partition_index: Default::default(),
            committed_offset: Default::default(),
            committed_leader_epoch: -1,
            metadata: Some(Default::default()),
            error_code: Default::default(),
        }
    }
}

impl Field for OffsetFetchResponsePartitions {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.committed_offset = d.read(v)?;
        m.committed_leader_epoch = d.read(v)?;
        m.metadata = d.read(v)?;
        m.error_code = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.committed_offset.write(e, v)?;
        self.committed_leader_epoch.write(e, v)?;
        self.metadata.write(e, v)?;
        self.error_code.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        20
    }
}
