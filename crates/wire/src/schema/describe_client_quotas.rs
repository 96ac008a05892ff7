// Generated from schema/DescribeClientQuotas.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeClientQuotas (key 48), versions 0 to 1.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DescribeClientQuotas request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeClientQuotasRequest {
    /// Every version.
    pub components: Vec<ComponentData>,
    /// Every version.
    pub strict: bool,
}

impl Field for DescribeClientQuotasRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.components = d.read(v)?;
        m.strict = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.components.write(e, v)?;
        self.strict.write(e, v)?;
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

impl Message for DescribeClientQuotasRequest {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
}

impl Request for DescribeClientQuotasRequest {
    type Response = DescribeClientQuotasResponse;
}

/// Part of DescribeClientQuotas (key 48).
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentData {
    /// Every version.
    pub entity_type: Str,
    /// Every version.
    pub match_type: i8,
    /// Every version, can be null, default `""`.
    pub r#match: Option<Str>,
}

impl Default for ComponentData {
    fn default() -> Self {
        ComponentData {
            entity_type: Default::default(),
            match_type: Default::default(),
            r#match: Some(Default::default()),
        }
    }
}

impl Field for ComponentData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.entity_type = d.read(v)?;
        m.match_type = d.read(v)?;
        m.r#match = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.entity_type.write(e, v)?;
        self.match_type.write(e, v)?;
        self.r#match.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 5,
            _ => 4,
        }
    }
}

/// Body of a DescribeClientQuotas response.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClientQuotasResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Every version, can be null, default `[]`.
    pub entries: Option<Vec<EntryData>>,
}

impl Default for DescribeClientQuotasResponse {
    fn default() -> Self {
        DescribeClientQuotasResponse {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
            entries: Some(Default::default()),
        }
    }
}

impl Field for DescribeClientQuotasResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        m.entries = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        self.entries.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 12,
            _ => 9,
        }
    }
}

impl Message for DescribeClientQuotasResponse {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
}

/// Part of DescribeClientQuotas (key 48).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryData {
    /// Every version.
    pub entity: Vec<EntityData>,
    /// Every version.
    pub values: Vec<ValueData>,
}

impl Field for EntryData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.entity = d.read(v)?;
        m.values = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.entity.write(e, v)?;
        self.values.write(e, v)?;
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

/// Part of DescribeClientQuotas (key 48).
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

/// Part of DescribeClientQuotas (key 48).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueData {
    /// Every version.
    pub key: Str,
    /// Every version.
    pub value: f64,
}

impl Field for ValueData {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.key = d.read(v)?;
        m.value = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.key.write(e, v)?;
        self.value.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        10
    }
}
