// Generated from schema/DescribeLogDirs.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeLogDirs (key 35), versions 1 to 5.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DescribeLogDirs request.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsRequest {
    /// Every version, can be null, default `[]`.
    pub topics: Option<Vec<DescribableLogDirTopic>>,
}

impl Default for DescribeLogDirsRequest {
    fn default() -> Self {
        DescribeLogDirsRequest { topics: Some(Default::default()) }
    }
}

impl Field for DescribeLogDirsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 4,
            _ => 2,
        }
    }
}

impl Message for DescribeLogDirsRequest {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
}

impl Request for DescribeLogDirsRequest {
    type Response = DescribeLogDirsResponse;
}

/// Part of DescribeLogDirs (key 35).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribableLogDirTopic {
    /// Every version.
    pub topic: Str,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Field for DescribableLogDirTopic {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.topic = d.read(v)?;
        m.partitions = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.topic.write(e, v)?;
        self.partitions.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 6,
            _ => 3,
        }
    }
}

/// Body of a DescribeLogDirs response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeLogDirsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Versions 3+.
    pub error_code: i16,
    /// Every version.
    pub results: Vec<DescribeLogDirsResult>,
}

impl Field for DescribeLogDirsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        if v >= 3 {
            m.error_code = d.read(v)?;
        }
        m.results = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        if v >= 3 {
            self.error_code.write(e, v)?;
        }
        self.results.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 8,
            2 => 6,
            _ => 8,
        }
    }
}

impl Message for DescribeLogDirsResponse {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
}

/// Part of DescribeLogDirs (key 35).
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsResult {
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub log_dir: Str,
    /// Every version.
    pub topics: Vec<DescribeLogDirsTopic>,
    /// Versions 4+, default `-1`.
    pub total_bytes: i64,
    /// Versions 4+, default `-1`.
    pub usable_bytes: i64,
    /// Versions 5+.
    pub is_cordoned: bool,
}

impl Default for DescribeLogDirsResult {
    fn default() -> Self {
        DescribeLogDirsResult {
            error_code: Default::default(),
            log_dir: Default::default(),
            topics: Default::default(),
            total_bytes: -1,
            usable_bytes: -1,
            is_cordoned: Default::default(),
        }
    }
}

impl Field for DescribeLogDirsResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.log_dir = d.read(v)?;
        m.topics = d.read(v)?;
        if v >= 4 {
            m.total_bytes = d.read(v)?;
        }
        if v >= 4 {
            m.usable_bytes = d.read(v)?;
        }
        if v >= 5 {
            m.is_cordoned = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.log_dir.write(e, v)?;
        self.topics.write(e, v)?;
        if v >= 4 {
            self.total_bytes.write(e, v)?;
        }
        if v >= 4 {
            self.usable_bytes.write(e, v)?;
        }
        if v >= 5 {
            self.is_cordoned.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 8,
            2..=3 => 5,
            4 => 21,
            _ => 22,
        }
    }
}

/// Part of DescribeLogDirs (key 35).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeLogDirsTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<DescribeLogDirsPartition>,
}

impl Field for DescribeLogDirsTopic {
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
            1 => 6,
            _ => 3,
        }
    }
}

/// Part of DescribeLogDirs (key 35).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeLogDirsPartition {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub partition_size: i64,
    /// Every version.
    pub offset_lag: i64,
    /// Every version.
    pub is_future_key: bool,
}

impl Field for DescribeLogDirsPartition {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.partition_size = d.read(v)?;
        m.offset_lag = d.read(v)?;
        m.is_future_key = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.partition_size.write(e, v)?;
        self.offset_lag.write(e, v)?;
        self.is_future_key.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            1 => 21,
            _ => 22,
        }
    }
}
