// Generated from schema/ConsumerGroupDescribe.api by `cargo xtask codegen`. Not edited by hand.
//! ConsumerGroupDescribe (key 69), versions 0 to 1.

use ouzel_model::TopicId;

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a ConsumerGroupDescribe request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupDescribeRequest {
    /// Every version.
    pub group_ids: Vec<Str>,
    /// Every version.
    pub include_authorized_operations: bool,
}

impl Field for ConsumerGroupDescribeRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_ids = d.read(v)?;
        m.include_authorized_operations = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_ids.write(e, v)?;
        self.include_authorized_operations.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        3
    }
}

impl Message for ConsumerGroupDescribeRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupDescribe;
}

impl Request for ConsumerGroupDescribeRequest {
    type Response = ConsumerGroupDescribeResponse;
}

/// Body of a ConsumerGroupDescribe response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupDescribeResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub groups: Vec<DescribedGroup>,
}

impl Field for ConsumerGroupDescribeResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.groups = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.groups.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

impl Message for ConsumerGroupDescribeResponse {
    const KEY: ApiKey = ApiKey::ConsumerGroupDescribe;
}

/// Part of ConsumerGroupDescribe (key 69).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null.
    pub error_message: Option<Str>,
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub group_state: Str,
    /// Every version.
    pub group_epoch: i32,
    /// Every version.
    pub assignment_epoch: i32,
    /// Every version.
    pub assignor_name: Str,
    /// Every version.
    pub members: Vec<Member>,
    /// Every version, default `-2147483648`.
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        DescribedGroup {
            error_code: Default::default(),
            error_message: Default::default(),
            group_id: Default::default(),
            group_state: Default::default(),
            group_epoch: Default::default(),
            assignment_epoch: Default::default(),
            assignor_name: Default::default(),
            members: Default::default(),
            authorized_operations: -2147483648,
        }
    }
}

impl Field for DescribedGroup {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.group_id = d.read(v)?;
        m.group_state = d.read(v)?;
        m.group_epoch = d.read(v)?;
        m.assignment_epoch = d.read(v)?;
        m.assignor_name = d.read(v)?;
        m.members = d.read(v)?;
        m.authorized_operations = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.group_id.write(e, v)?;
        self.group_state.write(e, v)?;
        self.group_epoch.write(e, v)?;
        self.assignment_epoch.write(e, v)?;
        self.assignor_name.write(e, v)?;
        self.members.write(e, v)?;
        self.authorized_operations.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        20
    }
}

/// Part of ConsumerGroupDescribe (key 69).
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Every version.
    pub member_id: Str,
    /// Every version, can be null.
    pub instance_id: Option<Str>,
    /// Every version, can be null.
    pub rack_id: Option<Str>,
    /// Every version.
    pub member_epoch: i32,
    /// Every version.
    pub client_id: Str,
    /// Every version.
    pub client_host: Str,
    /// Every version.
    pub subscribed_topic_names: Vec<Str>,
    /// Every version, can be null.
    pub subscribed_topic_regex: Option<Str>,
    /// Every version.
    pub assignment: Assignment,
    /// Every version.
    pub target_assignment: Assignment,
    /// Versions 1+, default `-1`.
    pub member_type: i8,
}

impl Default for Member {
    fn default() -> Self {
        Member {
            member_id: Default::default(),
            instance_id: Default::default(),
            rack_id: Default::default(),
            member_epoch: Default::default(),
            client_id: Default::default(),
            client_host: Default::default(),
            subscribed_topic_names: Default::default(),
            subscribed_topic_regex: Default::default(),
            assignment: Default::default(),
            target_assignment: Default::default(),
            member_type: -1,
        }
    }
}

impl Field for Member {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.member_id = d.read(v)?;
        m.instance_id = d.read(v)?;
        m.rack_id = d.read(v)?;
        m.member_epoch = d.read(v)?;
        m.client_id = d.read(v)?;
        m.client_host = d.read(v)?;
        m.subscribed_topic_names = d.read(v)?;
        m.subscribed_topic_regex = d.read(v)?;
        m.assignment = d.read(v)?;
        m.target_assignment = d.read(v)?;
        if v >= 1 {
            m.member_type = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.member_id.write(e, v)?;
        self.instance_id.write(e, v)?;
        self.rack_id.write(e, v)?;
        self.member_epoch.write(e, v)?;
        self.client_id.write(e, v)?;
        self.client_host.write(e, v)?;
        self.subscribed_topic_names.write(e, v)?;
        self.subscribed_topic_regex.write(e, v)?;
        self.assignment.write(e, v)?;
        self.target_assignment.write(e, v)?;
        if v >= 1 {
            self.member_type.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 16,
            _ => 17,
        }
    }
}

/// Part of ConsumerGroupDescribe (key 69).
#[derive(Clone, Debug, PartialEq)]
pub struct TopicPartitions {
    /// Every version.
    pub topic_id: TopicId,
    /// Every version.
    pub topic_name: Str,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        TopicPartitions { topic_id: TopicId::ZERO, topic_name: Default::default(), partitions: Default::default() }
    }
}

impl Field for TopicPartitions {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_id = d.read(v)?;
        m.topic_name = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_id.write(e, v)?;
        self.topic_name.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        19
    }
}

/// Part of ConsumerGroupDescribe (key 69).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    /// Every version.
    pub topic_partitions: Vec<TopicPartitions>,
}

impl Field for Assignment {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        2
    }
}
