// Generated from schema/AddPartitionsToTxn.api by `cargo xtask codegen`. Not edited by hand.
//! AddPartitionsToTxn (key 24), versions 0 to 5.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a AddPartitionsToTxn request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnRequest {
    /// Versions 4+.
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// Versions 0-3.
    pub v3_and_below_transactional_id: Str,
    /// Versions 0-3.
    pub v3_and_below_producer_id: i64,
    /// Versions 0-3.
    pub v3_and_below_producer_epoch: i16,
    /// Versions 0-3.
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
}

impl Field for AddPartitionsToTxnRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 4 {
            m.transactions = d.read(v)?;
        }
        if v <= 3 {
            m.v3_and_below_transactional_id = d.read(v)?;
        }
        if v <= 3 {
            m.v3_and_below_producer_id = d.read(v)?;
        }
        if v <= 3 {
            m.v3_and_below_producer_epoch = d.read(v)?;
        }
        if v <= 3 {
            m.v3_and_below_topics = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 4 {
            self.transactions.write(e, v)?;
        } else if !self.transactions.is_empty() {
            return Err(EncodeError::Unsupported("AddPartitionsToTxnRequest.transactions"));
        }
        if v <= 3 {
            self.v3_and_below_transactional_id.write(e, v)?;
        } else if !self.v3_and_below_transactional_id.is_empty() {
            return Err(EncodeError::Unsupported("AddPartitionsToTxnRequest.v3_and_below_transactional_id"));
        }
        if v <= 3 {
            self.v3_and_below_producer_id.write(e, v)?;
        } else if self.v3_and_below_producer_id != 0 {
            return Err(EncodeError::Unsupported("AddPartitionsToTxnRequest.v3_and_below_producer_id"));
        }
        if v <= 3 {
            self.v3_and_below_producer_epoch.write(e, v)?;
        } else if self.v3_and_below_producer_epoch != 0 {
            return Err(EncodeError::Unsupported("AddPartitionsToTxnRequest.v3_and_below_producer_epoch"));
        }
        if v <= 3 {
            self.v3_and_below_topics.write(e, v)?;
        } else if !self.v3_and_below_topics.is_empty() {
            return Err(EncodeError::Unsupported("AddPartitionsToTxnRequest.v3_and_below_topics"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 16,
            3 => 13,
            _ => 2,
        }
    }
}

impl Message for AddPartitionsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
}

impl Request for AddPartitionsToTxnRequest {
    type Response = AddPartitionsToTxnResponse;
}

/// Part of AddPartitionsToTxn (key 24).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTransaction {
    /// Every version.
    pub transactional_id: Str,
    /// Every version.
    pub producer_id: i64,
    /// Every version.
    pub producer_epoch: i16,
    /// Every version.
    pub verify_only: bool,
    /// Every version.
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

impl Field for AddPartitionsToTxnTransaction {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.transactional_id = d.read(v)?;
        m.producer_id = d.read(v)?;
        m.producer_epoch = d.read(v)?;
        m.verify_only = d.read(v)?;
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.transactional_id.write(e, v)?;
        self.producer_id.write(e, v)?;
        self.producer_epoch.write(e, v)?;
        self.verify_only.write(e, v)?;
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        14
    }
}

/// Part of AddPartitionsToTxn (key 24).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTopic {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Field for AddPartitionsToTxnTopic {
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
            0..=2 => 6,
            _ => 3,
        }
    }
}

/// Body of a AddPartitionsToTxn response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Versions 4+.
    pub error_code: i16,
    /// Versions 4+.
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// Versions 0-3.
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
}

impl Field for AddPartitionsToTxnResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        if v >= 4 {
            m.error_code = d.read(v)?;
        }
        if v >= 4 {
            m.results_by_transaction = d.read(v)?;
        }
        if v <= 3 {
            m.results_by_topic_v3_and_below = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        if v >= 4 {
            self.error_code.write(e, v)?;
        }
        if v >= 4 {
            self.results_by_transaction.write(e, v)?;
        }
        if v <= 3 {
            self.results_by_topic_v3_and_below.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 8,
            3 => 6,
            _ => 8,
        }
    }
}

impl Message for AddPartitionsToTxnResponse {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
}

/// Part of AddPartitionsToTxn (key 24).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnResult {
    /// Every version.
    pub transactional_id: Str,
    /// Every version.
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

impl Field for AddPartitionsToTxnResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.transactional_id = d.read(v)?;
        m.topic_results = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.transactional_id.write(e, v)?;
        self.topic_results.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        3
    }
}

/// Part of AddPartitionsToTxn (key 24).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTopicResult {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

impl Field for AddPartitionsToTxnTopicResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.results_by_partition = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.results_by_partition.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 6,
            _ => 3,
        }
    }
}

/// Part of AddPartitionsToTxn (key 24).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnPartitionResult {
    /// Every version.
    pub partition_index: i32,
    /// Every version.
    pub partition_error_code: i16,
}

impl Field for AddPartitionsToTxnPartitionResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.partition_index = d.read(v)?;
        m.partition_error_code = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.partition_index.write(e, v)?;
        self.partition_error_code.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 6,
            _ => 7,
        }
    }
}
