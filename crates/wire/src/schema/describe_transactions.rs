// Generated from schema/DescribeTransactions.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeTransactions (key 65), versions 0 to 0.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DescribeTransactions request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeTransactionsRequest {
    /// Every version.
    pub transactional_ids: Vec<Str>,
}

impl Field for DescribeTransactionsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.transactional_ids = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.transactional_ids.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        2
    }
}

impl Message for DescribeTransactionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
}

impl Request for DescribeTransactionsRequest {
    type Response = DescribeTransactionsResponse;
}

/// Body of a DescribeTransactions response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeTransactionsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub transaction_states: Vec<TransactionState>,
}

impl Field for DescribeTransactionsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.transaction_states = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.transaction_states.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

impl Message for DescribeTransactionsResponse {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
}

/// Part of DescribeTransactions (key 65).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactionState {
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub transactional_id: Str,
    /// Every version.
    pub transaction_state: Str,
    /// Every version.
    pub transaction_timeout_ms: i32,
    /// Every version.
    pub transaction_start_time_ms: i64,
    /// Every version.
    pub producer_id: i64,
    /// Every version.
    pub producer_epoch: i16,
    /// Every version.
    pub topics: Vec<TopicData>,
}

impl Field for TransactionState {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.transactional_id = d.read(v)?;
        m.transaction_state = d.read(v)?;
        m.transaction_timeout_ms = d.read(v)?;
        m.transaction_start_time_ms = d.read(v)?;
        m.producer_id = d.read(v)?;
        m.producer_epoch = d.read(v)?;
        m.topics = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.transactional_id.write(e, v)?;
        self.transaction_state.write(e, v)?;
        self.transaction_timeout_ms.write(e, v)?;
        self.transaction_start_time_ms.write(e, v)?;
        self.producer_id.write(e, v)?;
        self.producer_epoch.write(e, v)?;
        self.topics.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        28
    }
}

/// Part of DescribeTransactions (key 65).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicData {
    /// Every version.
    pub topic: Str,
    /// Every version.
    pub partitions: Vec<i32>,
}

impl Field for TopicData {
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

    fn least(_: i16, _: bool) -> usize {
        3
    }
}
