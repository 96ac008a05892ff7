//! The records of `__consumer_offsets` that this coordinator writes and reads.
//! Group metadata is written at version 3, the last that old lag tools parse; an offset at version 3 too, at 4 only
//! where a topic id has to be kept, at 1 only where the client gave a retention.

use bytes::Bytes;
use ouzel_model::{PartitionId, Timestamp, TopicId, TopicName};

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

pub(crate) fn decode_key(key: &[u8]) -> Result<Key, UnreadableRecord> {
    let bad = UnreadableRecord("key");
    let mut input = Input(key);
    Ok(match input.i16().ok_or(bad)? {
        0 | 1 => Key::Offset {
            group: input.string().ok_or(bad)?,
            topic: TopicName::new(&input.string().ok_or(bad)?).map_err(|_| UnreadableRecord("topic name"))?,
            partition: PartitionId(input.i32().ok_or(bad)?),
        },
        2 => Key::Group { group: input.string().ok_or(bad)? },
        _ => Key::Other,
    })
}

pub(crate) fn offset_key(group: &str, topic: &TopicName, partition: PartitionId) -> Vec<u8> {
    let mut out = Vec::with_capacity(10 + group.len() + topic.as_str().len());
    out.extend(1i16.to_be_bytes());
    put_string(&mut out, group);
    put_string(&mut out, topic.as_str());
    out.extend(partition.0.to_be_bytes());
    out
}

pub(crate) fn group_key(group: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + group.len());
    out.extend(2i16.to_be_bytes());
    put_string(&mut out, group);
    out
}

pub(crate) fn offset_record(group: &str, topic: &TopicName, partition: PartitionId, value: &Committed) -> Record {
    let mut out = Vec::with_capacity(48 + value.metadata.len());
    let epoch = value.leader_epoch.unwrap_or(-1);
    if let Some(expire) = value.expire_time {
        out.extend(1i16.to_be_bytes());
        out.extend(value.offset.to_be_bytes());
        put_string(&mut out, &value.metadata);
        out.extend(value.commit_time.0.to_be_bytes());
        out.extend(expire.0.to_be_bytes());
    } else if let Some(id) = value.topic_id {
        out.extend(4i16.to_be_bytes());
        out.extend(value.offset.to_be_bytes());
        out.extend(epoch.to_be_bytes());
        put_uvarint(&mut out, value.metadata.len() as u32 + 1);
        out.extend(value.metadata.as_bytes());
        out.extend(value.commit_time.0.to_be_bytes());
        out.extend([1, 0, 16]);
        out.extend(id.0);
    } else {
        out.extend(3i16.to_be_bytes());
        out.extend(value.offset.to_be_bytes());
        out.extend(epoch.to_be_bytes());
        put_string(&mut out, &value.metadata);
        out.extend(value.commit_time.0.to_be_bytes());
    }
    (offset_key(group, topic, partition), Some(out))
}

pub(crate) fn decode_offset(value: &[u8]) -> Result<Committed, UnreadableRecord> {
    decode_offset_value(value).ok_or(UnreadableRecord("offset value"))
}

fn decode_offset_value(value: &[u8]) -> Option<Committed> {
    let mut input = Input(value);
    let version = input.i16()?;
    if !(0..=4).contains(&version) {
        return None;
    }
    let offset = input.i64()?;
    let leader_epoch = if version >= 3 { input.i32().map(|epoch| (epoch >= 0).then_some(epoch))? } else { None };
    let metadata = if version >= 4 { input.compact_string()? } else { input.string()? };
    let commit_time = Timestamp(input.i64()?);
    let expire_time = if version == 1 { Some(input.i64()?).filter(|&at| at >= 0).map(Timestamp) } else { None };
    let topic_id = if version >= 4 { input.topic_id_tag()? } else { None };
    Some(Committed { offset, leader_epoch, metadata, commit_time, expire_time, topic_id })
}

pub(crate) fn group_record(group: &str, value: &GroupRecord) -> Record {
    let mut out = Vec::with_capacity(128);
    out.extend(3i16.to_be_bytes());
    put_string(&mut out, &value.protocol_type);
    out.extend(value.generation.to_be_bytes());
    put_nullable(&mut out, value.protocol.as_deref());
    put_nullable(&mut out, value.leader.as_deref());
    out.extend(value.since.map_or(-1, |at| at.0).to_be_bytes());
    out.extend((value.members.len() as i32).to_be_bytes());
    for member in &value.members {
        put_string(&mut out, &member.member_id);
        put_nullable(&mut out, member.instance_id.as_deref());
        put_string(&mut out, &member.client_id);
        put_string(&mut out, &member.client_host);
        out.extend(member.rebalance_timeout_ms.to_be_bytes());
        out.extend(member.session_timeout_ms.to_be_bytes());
        put_bytes(&mut out, &member.subscription);
        put_bytes(&mut out, &member.assignment);
    }
    (group_key(group), Some(out))
}

pub(crate) fn decode_group(value: &[u8]) -> Result<GroupRecord, UnreadableRecord> {
    decode_group_value(value).ok_or(UnreadableRecord("group value"))
}

fn decode_group_value(value: &[u8]) -> Option<GroupRecord> {
    let mut input = Input(value);
    let version = input.i16()?;
    if !(0..=3).contains(&version) {
        return None;
    }
    let protocol_type = input.string()?;
    let generation = input.i32()?;
    let protocol = input.nullable()?;
    let leader = input.nullable()?;
    let since = if version >= 2 { Some(input.i64()?).filter(|&at| at >= 0).map(Timestamp) } else { None };
    let count = input.i32()?;
    let mut members = Vec::new();
    for _ in 0..count {
        let member_id = input.string()?;
        let instance_id = if version >= 3 { input.nullable()? } else { None };
        let client_id = input.string()?;
        let client_host = input.string()?;
        let first = input.i32()?;
        let session_timeout_ms = if version >= 1 { input.i32()? } else { first };
        members.push(MemberRecord {
            member_id,
            instance_id,
            client_id,
            client_host,
            rebalance_timeout_ms: first,
            session_timeout_ms,
            subscription: input.bytes()?,
            assignment: input.bytes()?,
        });
    }
    Some(GroupRecord { protocol_type, generation, protocol, leader, since, members })
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    let length = i16::try_from(text.len()).expect("names are bounded before they are stored");
    out.extend(length.to_be_bytes());
    out.extend(text.as_bytes());
}

fn put_nullable(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => put_string(out, text),
        None => out.extend((-1i16).to_be_bytes()),
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as i32).to_be_bytes());
    out.extend(bytes);
}

fn put_uvarint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }
    fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }
    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }
    fn uvarint(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for place in 0..5 {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
    fn text(&mut self, length: usize) -> Option<String> {
        std::str::from_utf8(self.take(length)?).ok().map(String::from)
    }
    fn string(&mut self) -> Option<String> {
        let length = usize::try_from(self.i16()?).ok()?;
        self.text(length)
    }
    fn nullable(&mut self) -> Option<Option<String>> {
        match self.i16()? {
            -1 => Some(None),
            length => self.text(usize::try_from(length).ok()?).map(Some),
        }
    }
    fn compact_string(&mut self) -> Option<String> {
        let length = self.uvarint()?.checked_sub(1)?;
        self.text(length as usize)
    }
    fn bytes(&mut self) -> Option<Bytes> {
        let length = usize::try_from(self.i32()?).ok()?;
        self.take(length).map(Bytes::copy_from_slice)
    }
    fn topic_id_tag(&mut self) -> Option<Option<TopicId>> {
        let mut id = None;
        for _ in 0..self.uvarint()? {
            let tag = self.uvarint()?;
            let size = self.uvarint()?;
            let body = self.take(size as usize)?;
            if tag == 0 {
                id = Some(TopicId(body.try_into().ok()?)).filter(|id| !id.is_zero());
            }
        }
        Some(id)
    }
}

/// The group's record without its value: deletes the group.
pub(crate) fn group_tombstone(group: &str) -> Record {
    (group_key(group), None)
}

/// An offset's record without its value: deletes the offset.
pub(crate) fn offset_tombstone(group: &str, topic: &TopicName, partition: PartitionId) -> Record {
    (offset_key(group, topic, partition), None)
}
