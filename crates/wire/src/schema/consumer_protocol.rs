// Generated from schema/ConsumerProtocol.records by `cargo xtask codegen`. Not edited by hand.
//! Formats of records: ConsumerProtocol.

use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::record::Record;
use crate::text::Str;
use bytes::Bytes;

/// A value, version 0 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerProtocolSubscription {
    /// Every version.
    pub topics: Vec<Str>,
    /// Every version, can be null.
    pub user_data: Option<Bytes>,
    /// Versions 1+.
    pub owned_partitions: Vec<OwnedTopicPartition>,
    /// Versions 2+, default `-1`.
    pub generation_id: i32,
    /// Versions 3+, can be null.
    pub rack_id: Option<Str>,
}

impl Default for ConsumerProtocolSubscription {
    fn default() -> Self {
        ConsumerProtocolSubscription {
            topics: Default::default(),
            user_data: Default::default(),
            owned_partitions: Default::default(),
            generation_id: -1,
            rack_id: Default::default(),
        }
    }
}

impl Field for ConsumerProtocolSubscription {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topics = d.read(v)?;
        m.user_data = d.read(v)?;
        if v >= 1 {
            m.owned_partitions = d.read(v)?;
        }
        if v >= 2 {
            m.generation_id = d.read(v)?;
        }
        if v >= 3 {
            m.rack_id = d.read(v)?;
        }
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topics.write(e, v)?;
        self.user_data.write(e, v)?;
        if v >= 1 {
            self.owned_partitions.write(e, v)?;
        }
        if v >= 2 {
            self.generation_id.write(e, v)?;
        }
        if v >= 3 {
            self.rack_id.write(e, v)?;
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            1 => 12,
            2 => 16,
            _ => 18,
        }
    }
}

impl Record for ConsumerProtocolSubscription {
    const VERSIONS: (i16, i16) = (0, 3);
    const FLEXIBLE: Option<i16> = None;
}

/// Part of ConsumerProtocol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnedTopicPartition {
    /// Every version.
    pub topic: Str,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Field for OwnedTopicPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic = d.read(v)?;
        m.partitions = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic.write(e, v)?;
        self.partitions.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

/// A value, version 0 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerProtocolAssignment {
    /// Every version.
    pub assigned_partitions: Vec<AssignedTopicPartition>,
    /// Every version, can be null.
    pub user_data: Option<Bytes>,
}

impl Field for ConsumerProtocolAssignment {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.assigned_partitions = d.read(v)?;
        m.user_data = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.assigned_partitions.write(e, v)?;
        self.user_data.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        8
    }
}

impl Record for ConsumerProtocolAssignment {
    const VERSIONS: (i16, i16) = (0, 3);
    const FLEXIBLE: Option<i16> = None;
}

/// Part of ConsumerProtocol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssignedTopicPartition {
    /// Every version.
    pub topic: Str,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Field for AssignedTopicPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic = d.read(v)?;
        m.partitions = d.read(v)?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic.write(e, v)?;
        self.partitions.write(e, v)?;
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}
