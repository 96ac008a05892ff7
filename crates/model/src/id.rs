//! Identifiers: who and what.

use std::fmt;
use std::str::FromStr;

use crate::TopicName;

/// One core of this process, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(pub u16);

/// A broker's id in its cluster, Kafka's `broker.id`. Not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub i32);

/// A partition's number within its topic, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartitionId(pub i32);

/// Id of an idempotent producer; -1 on the wire means none and is never a value of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProducerId(pub i64);

/// Epoch of a producer id. Source: KIP-98.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProducerEpoch(pub i16);

/// Kafka's name for a partition's Raft term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaderEpoch(pub i32);

/// Sixteen random bytes that name a topic for ever: a recreated topic gets another one. Source: KIP-516.
/// All zeros means "none" on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicId(pub [u8; 16]);

impl TopicId {
    /// The wire's "no topic id".
    pub const ZERO: TopicId = TopicId([0; 16]);

    /// A version 4 UUID from sixteen random bytes.
    pub fn from_random(mut bytes: [u8; 16]) -> TopicId {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        TopicId(bytes)
    }

    /// Whether this is the wire's "no topic id".
    pub fn is_zero(self) -> bool {
        self == TopicId::ZERO
    }
}

/// URL-safe base64 without padding, 22 characters, as Kafka prints its UUIDs.
impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_base64(&self.0, f)
    }
}

impl fmt::Debug for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_base64(&self.0, f)
    }
}

impl FromStr for TopicId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        parse_base64(text).map(TopicId).ok_or(BadId)
    }
}

/// A cluster's id, printed as 22 characters of URL-safe base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClusterId(pub [u8; 16]);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_base64(&self.0, f)
    }
}

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_base64(&self.0, f)
    }
}

impl FromStr for ClusterId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        parse_base64(text).map(ClusterId).ok_or(BadId)
    }
}

/// The text isn't 22 characters of URL-safe base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 22 characters of URL-safe base64")]
pub struct BadId;

/// A partition of a topic by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicName,
    /// The partition within it.
    pub partition: PartitionId,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition.0)
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn fmt_base64(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0u8; 22];
    let bits = u128::from_be_bytes(*bytes);
    for (place, out) in text.iter_mut().enumerate() {
        // 22 digits of 6 bits hold 132; the last digit has 2 bits of the number and 4 zeros.
        let digit = if place < 21 { (bits >> (122 - 6 * place)) & 63 } else { (bits & 3) << 4 };
        *out = ALPHABET[digit as usize];
    }
    f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
}

fn parse_base64(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != 22 {
        return None;
    }
    let mut bits = 0u128;
    for (place, &c) in text.iter().enumerate() {
        let digit = ALPHABET.iter().position(|&a| a == c)? as u128;
        if place < 21 {
            bits = bits << 6 | digit;
        } else if digit & 15 != 0 {
            return None;
        } else {
            bits = bits << 2 | digit >> 4;
        }
    }
    Some(bits.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_as_kafka_prints_uuids() {
        let id = TopicId(*b"0123456789abcdef");
        assert_eq!(id.to_string(), "MDEyMzQ1Njc4OWFiY2RlZg");
        assert_eq!("MDEyMzQ1Njc4OWFiY2RlZg".parse(), Ok(id));
        assert_eq!("MDEyMzQ1Njc4OWFiY2RlZh".parse::<TopicId>(), Err(BadId));
        assert_eq!("short".parse::<TopicId>(), Err(BadId));
        assert_eq!(TopicId([255; 16]).to_string().parse(), Ok(TopicId([255; 16])));
    }
}
