//! The records of `__consumer_offsets` that this coordinator writes and reads.
//! Group metadata is written at version 3, the last that old lag tools parse; an offset at version 3 too, at 4 only
//! where a topic id has to be kept, at 1 only where the client gave a retention.

use bytes::Bytes;
use ouzel_model::{PartitionId, Timestamp, TopicId, TopicName};
use ouzel_wire::Str;
use ouzel_wire::coordinator::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue,
};
use ouzel_wire::record::{Record as Format, first_i16};

use crate::UnreadableRecord;
use crate::api::{Committed, Record};

/// A group as its record has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupRecord {
    pub protocol_type: String,
    pub generation: i32,
    pub protocol: Option<String>,
    pub leader: Option<String>,
    /// Since when the group is in this state; `None` in records of old brokers.
    pub since: Option<Timestamp>,
    pub members: Vec<MemberRecord>,
}

/// A member as its group's record has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberRecord {
    pub member_id: String,
    pub instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    pub subscription: Bytes,
    pub assignment: Bytes,
}

impl MemberRecord {
    /// Bytes in the group's record, length fields included.
    pub fn bytes(&self) -> usize {
        let instance = self.instance_id.as_ref().map_or(0, String::len);
        self.member_id.len()
            + instance
            + self.client_id.len()
            + self.client_host.len()
            + self.subscription.len()
            + self.assignment.len()
            + MEMBER_FRAME_BYTES
    }
}

impl GroupRecord {
    /// Bytes of the record, its names counted as if they were short.
    pub fn bytes(&self) -> usize {
        GROUP_FRAME_BYTES + self.members.iter().map(MemberRecord::bytes).sum::<usize>()
    }
}

/// Bytes of a group's record besides its members, generously.
pub(crate) const GROUP_FRAME_BYTES: usize = 64;
/// Bytes of a member's numbers and length fields.
pub(crate) const MEMBER_FRAME_BYTES: usize = 24;

/// What a key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Offset {
        group: String,
        topic: TopicName,
        partition: PartitionId,
    },
    Group {
        group: String,
    },
    /// A kind this coordinator doesn't know.
    Other,
}

// What the versions we write can hold; a flexible version may hold more, and then it stays as it is.
const NAME_BYTES_MAX: usize = i16::MAX as usize;

// Key types. An offset's 0 is read too, as old brokers wrote it.
const OFFSET: i16 = 1;
const GROUP: i16 = 2;

pub(crate) fn decode_key(key: &[u8]) -> Result<Key, UnreadableRecord> {
    let bad = |_| UnreadableRecord("key");
    match first_i16(key).ok_or(UnreadableRecord("key"))? {
        0 | OFFSET => {
            let key = OffsetCommitKey::decode(key).map_err(bad)?;
            let topic = TopicName::new(&key.topic).map_err(|_| UnreadableRecord("topic name"))?;
            Ok(Key::Offset { group: key.group.to_string(), topic, partition: PartitionId(key.partition) })
        }
        GROUP => Ok(Key::Group { group: GroupMetadataKey::decode(key).map_err(bad)?.group.to_string() }),
        _ => Ok(Key::Other),
    }
}

fn offset_key(group: &str, topic: &TopicName, partition: PartitionId) -> Vec<u8> {
    let key = OffsetCommitKey { group: group.into(), topic: topic.as_str().into(), partition: partition.0 };
    encoded(&key, OFFSET)
}

fn group_key(group: &str) -> Vec<u8> {
    encoded(&GroupMetadataKey { group: group.into() }, GROUP)
}

/// Names and metadata were bounded before they came here.
fn encoded(format: &impl Format, version: i16) -> Vec<u8> {
    format.encode(version).expect("what the coordinator stores fits its formats")
}

pub(crate) fn offset_record(group: &str, topic: &TopicName, partition: PartitionId, value: &Committed) -> Record {
    let version = match value {
        Committed { expire_time: Some(_), .. } => 1,
        Committed { topic_id: Some(_), .. } => 4,
        _ => 3,
    };
    let format = OffsetCommitValue {
        offset: value.offset,
        leader_epoch: if version == 1 { -1 } else { value.leader_epoch.unwrap_or(-1) },
        metadata: value.metadata.as_str().into(),
        commit_timestamp: value.commit_time.0,
        expire_timestamp: value.expire_time.map_or(-1, |at| at.0),
        topic_id: if version == 4 { value.topic_id.unwrap_or(TopicId::ZERO) } else { TopicId::ZERO },
    };
    (offset_key(group, topic, partition), Some(encoded(&format, version)))
}

pub(crate) fn decode_offset(value: &[u8]) -> Result<Committed, UnreadableRecord> {
    let value = OffsetCommitValue::decode(value).map_err(|_| UnreadableRecord("offset value"))?;
    if value.metadata.as_bytes().len() > NAME_BYTES_MAX {
        return Err(UnreadableRecord("offset metadata"));
    }
    Ok(Committed {
        offset: value.offset,
        leader_epoch: (value.leader_epoch >= 0).then_some(value.leader_epoch),
        metadata: value.metadata.to_string(),
        commit_time: Timestamp(value.commit_timestamp),
        expire_time: (value.expire_timestamp >= 0).then_some(Timestamp(value.expire_timestamp)),
        topic_id: (!value.topic_id.is_zero()).then_some(value.topic_id),
    })
}

pub(crate) fn group_record(group: &str, value: &GroupRecord) -> Record {
    let member = |member: &MemberRecord| MemberMetadata {
        member_id: text(&member.member_id),
        group_instance_id: member.instance_id.as_deref().map(text),
        client_id: text(&member.client_id),
        client_host: text(&member.client_host),
        rebalance_timeout: member.rebalance_timeout_ms,
        session_timeout: member.session_timeout_ms,
        subscription: member.subscription.clone(),
        assignment: member.assignment.clone(),
    };
    let format = GroupMetadataValue {
        protocol_type: text(&value.protocol_type),
        generation: value.generation,
        protocol: value.protocol.as_deref().map(text),
        leader: value.leader.as_deref().map(text),
        current_state_timestamp: value.since.map_or(-1, |at| at.0),
        members: value.members.iter().map(member).collect(),
    };
    (group_key(group), Some(encoded(&format, 3)))
}

fn text(text: &str) -> Str {
    text.into()
}

pub(crate) fn decode_group(value: &[u8]) -> Result<GroupRecord, UnreadableRecord> {
    let value = GroupMetadataValue::decode(value).map_err(|_| UnreadableRecord("group value"))?;
    let of_members = value.members.iter().flat_map(|m| [&m.member_id, &m.client_id, &m.client_host]);
    let optional = value.members.iter().filter_map(|m| m.group_instance_id.as_ref());
    let optional = optional.chain(&value.protocol).chain(&value.leader);
    if of_members.chain(optional).chain([&value.protocol_type]).any(|name| name.as_bytes().len() > NAME_BYTES_MAX) {
        return Err(UnreadableRecord("names in group value"));
    }
    let member = |member: MemberMetadata| MemberRecord {
        member_id: member.member_id.to_string(),
        instance_id: member.group_instance_id.map(|id| id.to_string()),
        client_id: member.client_id.to_string(),
        client_host: member.client_host.to_string(),
        // Records of old brokers have the session's only.
        rebalance_timeout_ms: if member.rebalance_timeout < 0 {
            member.session_timeout
        } else {
            member.rebalance_timeout
        },
        session_timeout_ms: member.session_timeout,
        subscription: member.subscription,
        assignment: member.assignment,
    };
    Ok(GroupRecord {
        protocol_type: value.protocol_type.to_string(),
        generation: value.generation,
        protocol: value.protocol.map(|name| name.to_string()),
        leader: value.leader.map(|id| id.to_string()),
        since: (value.current_state_timestamp >= 0).then_some(Timestamp(value.current_state_timestamp)),
        members: value.members.into_iter().map(member).collect(),
    })
}

/// The group's record without its value: deletes the group.
pub(crate) fn group_tombstone(group: &str) -> Record {
    (group_key(group), None)
}

/// An offset's record without its value: deletes the offset.
pub(crate) fn offset_tombstone(group: &str, topic: &TopicName, partition: PartitionId) -> Record {
    (offset_key(group, topic, partition), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_offset(value: &Committed, version: u8) {
        let (key, bytes) = offset_record("g", &TopicName::new("t").unwrap(), PartitionId(3), value);
        assert_eq!(key, b"\0\x01\0\x01g\0\x01t\0\0\0\x03");
        let bytes = bytes.unwrap();
        assert_eq!(bytes[..2], [0, version]);
        assert_eq!(decode_offset(&bytes).as_ref(), Ok(value));
    }

    #[test]
    fn offset_takes_the_oldest_version_that_holds_it() {
        let plain = Committed {
            offset: 7,
            leader_epoch: Some(2),
            metadata: "m".into(),
            commit_time: Timestamp(5),
            expire_time: None,
            topic_id: None,
        };
        check_offset(&plain, 3);
        check_offset(&Committed { topic_id: Some(TopicId([9; 16])), ..plain.clone() }, 4);
        check_offset(&Committed { expire_time: Some(Timestamp(6)), leader_epoch: None, ..plain }, 1);
    }

    #[test]
    fn group_record_lies_as_kafka_writes_version_3() {
        let record = GroupRecord {
            protocol_type: "consumer".into(),
            generation: 2,
            protocol: Some("range".into()),
            leader: Some("m".into()),
            since: Some(Timestamp(1)),
            members: vec![MemberRecord {
                member_id: "m".into(),
                instance_id: None,
                client_id: "c".into(),
                client_host: "/h".into(),
                rebalance_timeout_ms: 3,
                session_timeout_ms: 4,
                subscription: Bytes::from_static(b"s"),
                assignment: Bytes::from_static(b"aa"),
            }],
        };
        let (key, value) = group_record("g", &record);
        assert_eq!(key, b"\0\x02\0\x01g");
        let expect = b"\0\x03\0\x08consumer\0\0\0\x02\0\x05range\0\x01m\0\0\0\0\0\0\0\x01\0\0\0\x01\
            \0\x01m\xff\xff\0\x01c\0\x02/h\0\0\0\x03\0\0\0\x04\0\0\0\x01s\0\0\0\x02aa";
        assert_eq!(value.as_deref(), Some(&expect[..]));
        assert_eq!(decode_group(&value.unwrap()), Ok(record));
    }

    #[test]
    fn records_of_old_brokers_are_read() {
        // Group metadata version 0: no state time, no rebalance timeout, no instance id.
        let old = b"\0\0\0\x01c\0\0\0\x02\xff\xff\xff\xff\0\0\0\x01\0\x01m\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\0";
        let record = decode_group(old).unwrap();
        assert_eq!((record.since, record.members[0].rebalance_timeout_ms), (None, 9));
        let old = b"\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\x01";
        assert_eq!(decode_offset(old).unwrap().offset, 5);
    }

    #[test]
    fn what_could_not_be_written_again_is_not_read() {
        let fits = OffsetCommitValue { metadata: "m".into(), ..Default::default() }.encode(4).unwrap();
        assert!(decode_offset(&fits).is_ok());
        // The same with 32,768 characters: a compact length of 32,769 instead of 2.
        let mut long = fits.clone();
        long.splice(14..16, [0x81, 0x80, 2].into_iter().chain([b'm'; NAME_BYTES_MAX + 1]));
        assert!(OffsetCommitValue::decode(&long).is_ok() && decode_offset(&long).is_err());

        let fits = GroupMetadataValue { leader: Some("m".into()), ..Default::default() }.encode(4).unwrap();
        assert!(decode_group(&fits).is_ok());
        let mut long = fits.clone();
        long.splice(8..10, [0x81, 0x80, 2].into_iter().chain([b'm'; NAME_BYTES_MAX + 1]));
        assert!(GroupMetadataValue::decode(&long).is_ok() && decode_group(&long).is_err());
    }
}
