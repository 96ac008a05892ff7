// Generated from schema/AlterClientQuotas.api by `cargo xtask codegen`. Not edited by hand.
//! AlterClientQuotas (key 49), versions 0 to 1.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a AlterClientQuotas request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterClientQuotasRequest {
    /// Every version.
    pub entries: Vec<EntryData>,
    /// Every version.
    pub validate_only: bool,
}

impl Field for AlterClientQuotasRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.entries = d.read(v)?;
        m.validate_only = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.entries.write(e, v)?;
        self.validate_only.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 5,
            _ => 3,
        }
    }
}

impl Message for AlterClientQuotasRequest {
    const KEY: ApiKey = ApiKey::AlterClientQuotas;
}

impl Request for AlterClientQuotasRequest {
    type Response = AlterClientQuotasResponse;
}

/// Part of AlterClientQuotas (key 49).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryData {
    /// Every version.
    pub entity: Vec<EntityData>,
    /// Every version.
    pub ops: Vec<OpData>,
}

impl Field for EntryData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.entity = d.read(v)?;
        m.ops = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.entity.write(e, v)?;
        self.ops.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            _ => 3,
        }
    }
}

/// Part of AlterClientQuotas (key 49).
#[derive(Clone, Debug, PartialEq)]
pub struct EntityData {
    /// Every version.
    pub entity_type: Str,
    /// Every version, can be null, default `""`.
    pub entity_name: Option<Str>,
}

impl Default for EntityData {
    fn default() -> Self {
        EntityData { entity_type: Default::default(), entity_name: Some(Default::default()) }
    }
}

impl Field for EntityData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.entity_type = d.read(v)?;
        m.entity_name = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.entity_type.write(e, v)?;
        self.entity_name.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 4,
            _ => 3,
        }
    }
}

/// Part of AlterClientQuotas (key 49).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpData {
    /// Every version.
    pub key: Str,
    /// Every version.
    pub value: f64,
    /// Every version.
    pub remove: bool,
}

impl Field for OpData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.key = d.read(v)?;
        m.value = d.read(v)?;
        m.remove = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.key.write(e, v)?;
        self.value.write(e, v)?;
        self.remove.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        11
    }
}

/// Body of a AlterClientQuotas response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterClientQuotasResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub entries: Vec<EntryDataResult>,
}

impl Field for AlterClientQuotasResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.entries = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.entries.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            _ => 6,
        }
    }
}

impl Message for AlterClientQuotasResponse {
    const KEY: ApiKey = ApiKey::AlterClientQuotas;
}

/// Part of AlterClientQuotas (key 49).
#[derive(Clone, Debug, PartialEq)]
pub struct EntryDataResult {
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version.
    pub entity: Vec<EntityDataResult>,
}

impl Default for EntryDataResult {
    fn default() -> Self {
        EntryDataResult {
            error_code: Default::default(),
            error_message: Some(Default::default()),
            entity: Default::default(),
        }
    }
}

impl Field for EntryDataResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.entity = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.entity.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 8,
            _ => 5,
        }
    }
}

/// Part of AlterClientQuotas (key 49).
#[derive(Clone, Debug, PartialEq)]
pub struct EntityDataResult {
    /// Every version.
    pub entity_type: Str,
    /// Every version, can be null, default `""`.
    pub entity_name: Option<Str>,
}

impl Default for EntityDataResult {
    fn default() -> Self {
        EntityDataResult { entity_type: Default::default(), entity_name: Some(Default::default()) }
    }
}

impl Field for EntityDataResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.entity_type = d.read(v)?;
        m.entity_name = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.entity_type.write(e, v)?;
        self.entity_name.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 4,
            _ => 3,
        }
    }
}
