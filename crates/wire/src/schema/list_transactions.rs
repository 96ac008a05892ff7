// Generated from schema/ListTransactions.api by `cargo xtask codegen`. Not edited by hand.
//! ListTransactions (key 66), versions 0 to 2.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a ListTransactions request.
#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsRequest {
    /// Every version.
    pub state_filters: Vec<Str>,
    /// Every version.
    pub producer_id_filters: Vec<i64>,
    /// Versions 1+, default `-1`.
    pub duration_filter: i64,
    /// Versions 2+, can be null.
    pub transactional_id_pattern: Option<Str>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        ListTransactionsRequest {
            state_filters: Default::default(),
            producer_id_filters: Default::default(),
            duration_filter: -1,
            transactional_id_pattern: Default::default(),
        }
    }
}

impl Field for ListTransactionsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.state_filters = d.read(v)?;
        m.producer_id_filters = d.read(v)?;
        if v >= 1 {
            m.duration_filter = d.read(v)?;
        }
        if v >= 2 {
            m.transactional_id_pattern = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.state_filters.write(e, v)?;
        self.producer_id_filters.write(e, v)?;
        if v >= 1 {
            self.duration_filter.write(e, v)?;
        } else if self.duration_filter != -1 {
            return Err(EncodeError::Unsupported("ListTransactionsRequest.duration_filter"));
        }
        if v >= 2 {
            self.transactional_id_pattern.write(e, v)?;
        } else if self.transactional_id_pattern.is_some() {
            return Err(EncodeError::Unsupported("ListTransactionsRequest.transactional_id_pattern"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 3,
            1 => 11,
            _ => 12,
        }
    }
}

impl Message for ListTransactionsRequest {
    const KEY: ApiKey = ApiKey::ListTransactions;
}

impl Request for ListTransactionsRequest {
    type Response = ListTransactionsResponse;
}

/// Body of a ListTransactions response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListTransactionsResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub unknown_state_filters: Vec<Str>,
    /// Every version.
    pub transaction_states: Vec<TransactionState>,
}

impl Field for ListTransactionsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        m.unknown_state_filters = d.read(v)?;
        m.transaction_states = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        self.unknown_state_filters.write(e, v)?;
        self.transaction_states.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        9
    }
}

impl Message for ListTransactionsResponse {
    const KEY: ApiKey = ApiKey::ListTransactions;
}

/// Part of ListTransactions (key 66).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactionState {
    /// Every version.
    pub transactional_id: Str,
    /// Every version.
    pub producer_id: i64,
    /// Every version.
    pub transaction_state: Str,
}

impl Field for TransactionState {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.transactional_id = d.read(v)?;
        m.producer_id = d.read(v)?;
        m.transaction_state = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.transactional_id.write(e, v)?;
        self.producer_id.write(e, v)?;
        self.transaction_state.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        11
    }
}
