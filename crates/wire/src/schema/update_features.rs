// Generated from schema/UpdateFeatures.api by `cargo xtask codegen`. Not edited by hand.
//! UpdateFeatures (key 57), versions 0 to 2.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a UpdateFeatures request.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesRequest {
    /// Every version, default `60000`.
    pub timeout_ms: i32,
    /// Every version.
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// Versions 1+.
    pub validate_only: bool,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        UpdateFeaturesRequest {
            timeout_ms: 60000,
            feature_updates: Default::default(),
            validate_only: Default::default(),
        }
    }
}

impl Field for UpdateFeaturesRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.timeout_ms = d.read(v)?;
        m.feature_updates = d.read(v)?;
        if v >= 1 {
            m.validate_only = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.timeout_ms.write(e, v)?;
        self.feature_updates.write(e, v)?;
        if v >= 1 {
            self.validate_only.write(e, v)?;
        } else if self.validate_only {
            return Err(EncodeError::Unsupported("UpdateFeaturesRequest.validate_only"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 6,
            _ => 7,
        }
    }
}

impl Message for UpdateFeaturesRequest {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
}

impl Request for UpdateFeaturesRequest {
    type Response = UpdateFeaturesResponse;
}

/// Part of UpdateFeatures (key 57).
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureUpdateKey {
    /// Every version.
    pub feature: Str,
    /// Every version.
    pub max_version_level: i16,
    /// Versions 0.
    pub allow_downgrade: bool,
    /// Versions 1+, default `1`.
    pub upgrade_type: i8,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        FeatureUpdateKey {
            feature: Default::default(),
            max_version_level: Default::default(),
            allow_downgrade: Default::default(),
            upgrade_type: 1,
        }
    }
}

impl Field for FeatureUpdateKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.feature = d.read(v)?;
        m.max_version_level = d.read(v)?;
        if v <= 0 {
            m.allow_downgrade = d.read(v)?;
        }
        if v >= 1 {
            m.upgrade_type = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.feature.write(e, v)?;
        self.max_version_level.write(e, v)?;
        if v <= 0 {
            self.allow_downgrade.write(e, v)?;
        } else if self.allow_downgrade {
            return Err(EncodeError::Unsupported("FeatureUpdateKey.allow_downgrade"));
        }
        if v >= 1 {
            self.upgrade_type.write(e, v)?;
        } else if self.upgrade_type != 1 {
            return Err(EncodeError::Unsupported("FeatureUpdateKey.upgrade_type"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        5
    }
}

/// Body of a UpdateFeatures response.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
    /// Versions 0-1.
    pub results: Vec<UpdatableFeatureResult>,
}

impl Default for UpdateFeaturesResponse {
    fn default() -> Self {
        UpdateFeaturesResponse {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
            results: Default::default(),
        }
    }
}

impl Field for UpdateFeaturesResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        if v <= 1 {
            m.results = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        if v <= 1 {
            self.results.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 9,
            _ => 8,
        }
    }
}

impl Message for UpdateFeaturesResponse {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
}

/// Part of UpdateFeatures (key 57).
#[derive(Clone, Debug, PartialEq)]
pub struct UpdatableFeatureResult {
    /// Every version.
    pub feature: Str,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null, default `""`.
    pub error_message: Option<Str>,
}

impl Default for UpdatableFeatureResult {
    fn default() -> Self {
        UpdatableFeatureResult {
            feature: Default::default(),
            error_code: Default::default(),
            error_message: Some(Default::default()),
        }
    }
}

impl Field for UpdatableFeatureResult {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.feature = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.feature.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        5
    }
}
