// Generated from schema/Coordinator.records by `cargo xtask codegen`. Not edited by hand.
//! Formats of records: Coordinator.

use bytes::Bytes;
use ouzel_model::TopicId;

use crate::codec::{Field, Nullable};
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::record::Record;
use crate::text::Str;

/// A key, type 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitKey {
    /// Every version.
    pub group: Str,
    /// Every version.
    pub topic: Str,
    /// Every version.
    pub partition: i32,
}

impl Field for OffsetCommitKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group = d.read(v)?;
        m.topic = d.read(v)?;
        m.partition = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group.write(e, v)?;
        self.topic.write(e, v)?;
        self.partition.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        8
    }
}

impl Record for OffsetCommitKey {
    const VERSIONS: (i16, i16) = (0, 1);
    const FLEXIBLE: Option<i16> = None;
}

/// A value, version 0 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitValue {
    /// Every version.
    pub offset: i64,
    /// Versions 3+, default `-1`.
    pub leader_epoch: i32,
    /// Every version.
    pub metadata: Str,
    /// Every version.
    pub commit_timestamp: i64,
    /// Versions 1, default `-1`.
    pub expire_timestamp: i64,
    /// Versions 4+, tag 0.
    pub topic_id: TopicId,
}

impl Default for OffsetCommitValue {
    fn default() -> Self {
        OffsetCommitValue {
            offset: Default::default(),
            leader_epoch: -1,
            metadata: Default::default(),
            commit_timestamp: Default::default(),
            expire_timestamp: -1,
            topic_id: TopicId::ZERO,
        }
    }
}

impl Field for OffsetCommitValue {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.offset = d.read(v)?;
        if v >= 3 {
            m.leader_epoch = d.read(v)?;
        }
        m.metadata = d.read(v)?;
        m.commit_timestamp = d.read(v)?;
        if v == 1 {
            m.expire_timestamp = d.read(v)?;
        }
        d.tags(|d, tag| {
            match tag {
                0 => m.topic_id = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.offset.write(e, v)?;
        if v >= 3 {
            self.leader_epoch.write(e, v)?;
        }
        self.metadata.write(e, v)?;
        self.commit_timestamp.write(e, v)?;
        if v == 1 {
            self.expire_timestamp.write(e, v)?;
        }
        if v >= 4 {
            let present = [self.topic_id != TopicId::ZERO];
            e.tags(&present);
            if present[0] {
                e.tag(0, &self.topic_id, v)?;
            }
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 18,
            1 => 26,
            2 => 18,
            _ => 22,
        }
    }
}

impl Record for OffsetCommitValue {
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE: Option<i16> = Some(4);
}

/// A key, type 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupMetadataKey {
    /// Every version.
    pub group: Str,
}

impl Field for GroupMetadataKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        2
    }
}

impl Record for GroupMetadataKey {
    const VERSIONS: (i16, i16) = (2, 2);
    const FLEXIBLE: Option<i16> = None;
}

/// A value, version 0 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMetadataValue {
    /// Every version.
    pub protocol_type: Str,
    /// Every version.
    pub generation: i32,
    /// Every version, can be null, default `""`.
    pub protocol: Option<Str>,
    /// Every version, can be null, default `""`.
    pub leader: Option<Str>,
    /// Versions 2+, default `-1`.
    pub current_state_timestamp: i64,
    /// Every version.
    pub members: Vec<MemberMetadata>,
}

impl Default for GroupMetadataValue {
    fn default() -> Self {
        GroupMetadataValue {
            protocol_type: Default::default(),
            generation: Default::default(),
            protocol: Some(Default::default()),
            leader: Some(Default::default()),
            current_state_timestamp: -1,
            members: Default::default(),
        }
    }
}

impl Field for GroupMetadataValue {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.protocol_type = d.read(v)?;
        m.generation = d.read(v)?;
        m.protocol = d.read(v)?;
        m.leader = d.read(v)?;
        if v >= 2 {
            m.current_state_timestamp = d.read(v)?;
        }
        m.members = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.protocol_type.write(e, v)?;
        self.generation.write(e, v)?;
        self.protocol.write(e, v)?;
        self.leader.write(e, v)?;
        if v >= 2 {
            self.current_state_timestamp.write(e, v)?;
        }
        self.members.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 14,
            2..=3 => 22,
            _ => 17,
        }
    }
}

impl Record for GroupMetadataValue {
    const VERSIONS: (i16, i16) = (0, 4);
    const FLEXIBLE: Option<i16> = Some(4);
}

/// Part of Coordinator.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberMetadata {
    /// Every version.
    pub member_id: Str,
    /// Versions 3+, can be null.
    pub group_instance_id: Option<Str>,
    /// Every version.
    pub client_id: Str,
    /// Every version.
    pub client_host: Str,
    /// Versions 1+, default `-1`.
    pub rebalance_timeout: i32,
    /// Every version.
    pub session_timeout: i32,
    /// Every version.
    pub subscription: Bytes,
    /// Every version.
    pub assignment: Bytes,
}

impl Default for MemberMetadata {
    fn default() -> Self {
        MemberMetadata {
            member_id: Default::default(),
            group_instance_id: Default::default(),
            client_id: Default::default(),
            client_host: Default::default(),
            rebalance_timeout: -1,
            session_timeout: Default::default(),
            subscription: Default::default(),
            assignment: Default::default(),
        }
    }
}

impl Field for MemberMetadata {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.member_id = d.read(v)?;
        if v >= 3 {
            m.group_instance_id = d.read(v)?;
        }
        m.client_id = d.read(v)?;
        m.client_host = d.read(v)?;
        if v >= 1 {
            m.rebalance_timeout = d.read(v)?;
        }
        m.session_timeout = d.read(v)?;
        m.subscription = d.read(v)?;
        m.assignment = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.member_id.write(e, v)?;
        if v >= 3 {
            self.group_instance_id.write(e, v)?;
        }
        self.client_id.write(e, v)?;
        self.client_host.write(e, v)?;
        if v >= 1 {
            self.rebalance_timeout.write(e, v)?;
        }
        self.session_timeout.write(e, v)?;
        self.subscription.write(e, v)?;
        self.assignment.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 18,
            1..=2 => 22,
            3 => 24,
            _ => 15,
        }
    }
}

/// A key, type 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupMetadataKey {
    /// Every version.
    pub group_id: Str,
}

impl Field for ConsumerGroupMetadataKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        2
    }
}

impl Record for ConsumerGroupMetadataKey {
    const VERSIONS: (i16, i16) = (3, 3);
    const FLEXIBLE: Option<i16> = None;
}

/// A value, version 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupMetadataValue {
    /// Every version.
    pub epoch: i32,
    /// Every version, tag 0.
    pub metadata_hash: i64,
}

impl Field for ConsumerGroupMetadataValue {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.epoch = d.read(v)?;
        d.tags(|d, tag| {
            match tag {
                0 => m.metadata_hash = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.epoch.write(e, v)?;
        let present = [self.metadata_hash != 0];
        e.tags(&present);
        if present[0] {
            e.tag(0, &self.metadata_hash, v)?;
        }
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        5
    }
}

impl Record for ConsumerGroupMetadataValue {
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE: Option<i16> = Some(0);
}

/// A key, type 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupMemberMetadataKey {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub member_id: Str,
}

impl Field for ConsumerGroupMemberMetadataKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.member_id = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.member_id.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        4
    }
}

impl Record for ConsumerGroupMemberMetadataKey {
    const VERSIONS: (i16, i16) = (5, 5);
    const FLEXIBLE: Option<i16> = None;
}

/// A value, version 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupMemberMetadataValue {
    /// Every version, can be null.
    pub instance_id: Option<Str>,
    /// Every version, can be null.
    pub rack_id: Option<Str>,
    /// Every version.
    pub client_id: Str,
    /// Every version.
    pub client_host: Str,
    /// Every version.
    pub subscribed_topic_names: Vec<Str>,
    /// Every version, can be null.
    pub subscribed_topic_regex: Option<Str>,
    /// Every version, default `-1`.
    pub rebalance_timeout_ms: i32,
    /// Every version, can be null.
    pub server_assignor: Option<Str>,
    /// Every version, tag 0, can be null, default `{}`.
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
}

impl Default for ConsumerGroupMemberMetadataValue {
    fn default() -> Self {
        ConsumerGroupMemberMetadataValue {
            instance_id: Default::default(),
            rack_id: Default::default(),
            client_id: Default::default(),
            client_host: Default::default(),
            subscribed_topic_names: Default::default(),
            subscribed_topic_regex: Default::default(),
            rebalance_timeout_ms: -1,
            server_assignor: Default::default(),
            classic_member_metadata: Some(Default::default()),
        }
    }
}

impl Field for ConsumerGroupMemberMetadataValue {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.instance_id = d.read(v)?;
        m.rack_id = d.read(v)?;
        m.client_id = d.read(v)?;
        m.client_host = d.read(v)?;
        m.subscribed_topic_names = d.read(v)?;
        m.subscribed_topic_regex = d.read(v)?;
        m.rebalance_timeout_ms = d.read(v)?;
        m.server_assignor = d.read(v)?;
        d.tags(|d, tag| {
            match tag {
                0 => m.classic_member_metadata = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.instance_id.write(e, v)?;
        self.rack_id.write(e, v)?;
        self.client_id.write(e, v)?;
        self.client_host.write(e, v)?;
        self.subscribed_topic_names.write(e, v)?;
        self.subscribed_topic_regex.write(e, v)?;
        self.rebalance_timeout_ms.write(e, v)?;
        self.server_assignor.write(e, v)?;
        let present = [self.classic_member_metadata.as_ref() != Some(&ClassicMemberMetadata::default())];
        e.tags(&present);
        if present[0] {
            e.tag(0, &self.classic_member_metadata, v)?;
        }
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        12
    }
}

impl Record for ConsumerGroupMemberMetadataValue {
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE: Option<i16> = Some(0);
}

/// Part of Coordinator.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassicMemberMetadata {
    /// Every version.
    pub session_timeout_ms: i32,
    /// Every version.
    pub supported_protocols: Vec<ClassicProtocol>,
}

impl Field for ClassicMemberMetadata {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.session_timeout_ms = d.read(v)?;
        m.supported_protocols = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.session_timeout_ms.write(e, v)?;
        self.supported_protocols.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

impl Nullable for ClassicMemberMetadata {
    fn read_nullable(d: &mut Decoder<'_>, v: i16) -> Result<Option<Self>, DecodeError> {
        if d.present(0)? { d.read(v).map(Some) } else { Ok(None) }
    }
    fn write_some(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        e.put(&[1]);
        self.write(e, v)
    }
    fn write_null(e: &mut Encoder) {
        e.put(&[0]);
    }
    fn least_nullable(_: bool) -> usize {
        1
    }
}

/// Part of Coordinator.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassicProtocol {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub metadata: Bytes,
}

impl Field for ClassicProtocol {
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

    fn least(_: i16, _: bool) -> usize {
        3
    }
}

/// A key, type 6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupTargetAssignmentMetadataKey {
    /// Every version.
    pub group_id: Str,
}

impl Field for ConsumerGroupTargetAssignmentMetadataKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        2
    }
}

impl Record for ConsumerGroupTargetAssignmentMetadataKey {
    const VERSIONS: (i16, i16) = (6, 6);
    const FLEXIBLE: Option<i16> = None;
}

/// A value, version 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupTargetAssignmentMetadataValue {
    /// Every version.
    pub assignment_epoch: i32,
    /// Every version, tag 0.
    pub assignment_timestamp: i64,
}

impl Field for ConsumerGroupTargetAssignmentMetadataValue {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.assignment_epoch = d.read(v)?;
        d.tags(|d, tag| {
            match tag {
                0 => m.assignment_timestamp = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.assignment_epoch.write(e, v)?;
        let present = [self.assignment_timestamp != 0];
        e.tags(&present);
        if present[0] {
            e.tag(0, &self.assignment_timestamp, v)?;
        }
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        5
    }
}

impl Record for ConsumerGroupTargetAssignmentMetadataValue {
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE: Option<i16> = Some(0);
}

/// A key, type 7.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupTargetAssignmentMemberKey {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub member_id: Str,
}

impl Field for ConsumerGroupTargetAssignmentMemberKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.member_id = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.member_id.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        4
    }
}

impl Record for ConsumerGroupTargetAssignmentMemberKey {
    const VERSIONS: (i16, i16) = (7, 7);
    const FLEXIBLE: Option<i16> = None;
}

/// A value, version 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupTargetAssignmentMemberValue {
    /// Every version.
    pub topic_partitions: Vec<TargetTopicPartitions>,
}

impl Field for ConsumerGroupTargetAssignmentMemberValue {
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

impl Record for ConsumerGroupTargetAssignmentMemberValue {
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE: Option<i16> = Some(0);
}

/// Part of Coordinator.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetTopicPartitions {
    /// Every version.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Default for TargetTopicPartitions {
    fn default() -> Self {
        TargetTopicPartitions { topic_id: TopicId::ZERO, partitions: Default::default() }
    }
}

impl Field for TargetTopicPartitions {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_id = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_id.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        18
    }
}

/// A key, type 8.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupCurrentMemberAssignmentKey {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub member_id: Str,
}

impl Field for ConsumerGroupCurrentMemberAssignmentKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.member_id = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.member_id.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        4
    }
}

impl Record for ConsumerGroupCurrentMemberAssignmentKey {
    const VERSIONS: (i16, i16) = (8, 8);
    const FLEXIBLE: Option<i16> = None;
}

/// A value, version 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    /// Every version.
    pub member_epoch: i32,
    /// Every version.
    pub previous_member_epoch: i32,
    /// Every version.
    pub state: i8,
    /// Every version.
    pub assigned_partitions: Vec<CurrentTopicPartitions>,
    /// Every version.
    pub partitions_pending_revocation: Vec<CurrentTopicPartitions>,
}

impl Field for ConsumerGroupCurrentMemberAssignmentValue {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.member_epoch = d.read(v)?;
        m.previous_member_epoch = d.read(v)?;
        m.state = d.read(v)?;
        m.assigned_partitions = d.read(v)?;
        m.partitions_pending_revocation = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.member_epoch.write(e, v)?;
        self.previous_member_epoch.write(e, v)?;
        self.state.write(e, v)?;
        self.assigned_partitions.write(e, v)?;
        self.partitions_pending_revocation.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        12
    }
}

impl Record for ConsumerGroupCurrentMemberAssignmentValue {
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE: Option<i16> = Some(0);
}

/// Part of Coordinator.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentTopicPartitions {
    /// Every version.
    pub topic_id: TopicId,
    /// Every version.
    pub partitions: Vec<i32>,
    /// Every version, tag 0, can be null, default `[]`.
    pub assignment_epochs: Option<Vec<i32>>,
}

impl Default for CurrentTopicPartitions {
    fn default() -> Self {
        CurrentTopicPartitions {
            topic_id: TopicId::ZERO,
            partitions: Default::default(),
            assignment_epochs: Some(Default::default()),
        }
    }
}

impl Field for CurrentTopicPartitions {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic_id = d.read(v)?;
        m.partitions = d.read(v)?;
        d.tags(|d, tag| {
            match tag {
                0 => m.assignment_epochs = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic_id.write(e, v)?;
        self.partitions.write(e, v)?;
        let present = [self.assignment_epochs.as_ref().is_none_or(|x| !x.is_empty())];
        e.tags(&present);
        if present[0] {
            e.tag(0, &self.assignment_epochs, v)?;
        }
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        18
    }
}

/// A key, type 16.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupRegularExpressionKey {
    /// Every version.
    pub group_id: Str,
    /// Every version.
    pub regular_expression: Str,
}

impl Field for ConsumerGroupRegularExpressionKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.group_id = d.read(v)?;
        m.regular_expression = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.group_id.write(e, v)?;
        self.regular_expression.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        4
    }
}

impl Record for ConsumerGroupRegularExpressionKey {
    const VERSIONS: (i16, i16) = (16, 16);
    const FLEXIBLE: Option<i16> = None;
}

/// A value, version 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupRegularExpressionValue {
    /// Every version.
    pub topics: Vec<Str>,
    /// Every version.
    pub version: i64,
    /// Every version.
    pub timestamp: i64,
}

impl Field for ConsumerGroupRegularExpressionValue {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topics = d.read(v)?;
        m.version = d.read(v)?;
        m.timestamp = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topics.write(e, v)?;
        self.version.write(e, v)?;
        self.timestamp.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        18
    }
}

impl Record for ConsumerGroupRegularExpressionValue {
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE: Option<i16> = Some(0);
}
