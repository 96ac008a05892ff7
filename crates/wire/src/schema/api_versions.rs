// Generated from schema/ApiVersions.api by `cargo xtask codegen`. Not edited by hand.
//! ApiVersions (key 18), versions 0 to 5.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a ApiVersions request.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsRequest {
    /// Versions 3+.
    pub client_software_name: Str,
    /// Versions 3+.
    pub client_software_version: Str,
    /// Versions 5+, can be null.
    pub cluster_id: Option<Str>,
    /// Versions 5+, default `-1`.
    pub node_id: i32,
}

impl Default for ApiVersionsRequest {
    fn default() -> Self {
        ApiVersionsRequest {
            client_software_name: Default::default(),
            client_software_version: Default::default(),
            cluster_id: Default::default(),
            node_id: -1,
        }
    }
}

impl Field for ApiVersionsRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        if v >= 3 {
            m.client_software_name = d.read(v)?;
        }
        if v >= 3 {
            m.client_software_version = d.read(v)?;
        }
        if v >= 5 {
            m.cluster_id = d.read(v)?;
        }
        if v >= 5 {
            m.node_id = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        if v >= 3 {
            self.client_software_name.write(e, v)?;
        }
        if v >= 3 {
            self.client_software_version.write(e, v)?;
        }
        if v >= 5 {
            self.cluster_id.write(e, v)?;
        }
        if v >= 5 {
            self.node_id.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=2 => 0,
            3..=4 => 3,
            _ => 8,
        }
    }
}

impl Message for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
}

impl Request for ApiVersionsRequest {
    type Response = ApiVersionsResponse;
}

/// Body of a ApiVersions response.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsResponse {
    /// Every version.
    pub error_code: i16,
    /// Every version.
    pub api_keys: Vec<ApiVersion>,
    /// Versions 1+.
    pub throttle_time_ms: i32,
    /// Versions 3+, tag 0.
    pub supported_features: Vec<SupportedFeatureKey>,
    /// Versions 3+, tag 1, default `-1`.
    pub finalized_features_epoch: i64,
    /// Versions 3+, tag 2.
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Versions 3+, tag 3.
    pub zk_migration_ready: bool,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        ApiVersionsResponse {
            error_code: Default::default(),
            api_keys: Default::default(),
            throttle_time_ms: Default::default(),
            supported_features: Default::default(),
            finalized_features_epoch: -1,
            finalized_features: Default::default(),
            zk_migration_ready: Default::default(),
        }
    }
}

impl Field for ApiVersionsResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.error_code = d.read(v)?;
        m.api_keys = d.read(v)?;
        if v >= 1 {
            m.throttle_time_ms = d.read(v)?;
        }
        d.tags(|d, tag| {
            match tag {
                0 => m.supported_features = d.read(v)?,
                1 => m.finalized_features_epoch = d.read(v)?,
                2 => m.finalized_features = d.read(v)?,
                3 => m.zk_migration_ready = d.read(v)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.error_code.write(e, v)?;
        self.api_keys.write(e, v)?;
        if v >= 1 {
            self.throttle_time_ms.write(e, v)?;
        }
        if v >= 3 {
            let present = [
                !self.supported_features.is_empty(),
                self.finalized_features_epoch != -1,
                !self.finalized_features.is_empty(),
                self.zk_migration_ready,
            ];
            e.tags(&present);
            if present[0] {
                e.tag(0, &self.supported_features, v)?;
            }
            if present[1] {
                e.tag(1, &self.finalized_features_epoch, v)?;
            }
            if present[2] {
                e.tag(2, &self.finalized_features, v)?;
            }
            if present[3] {
                e.tag(3, &self.zk_migration_ready, v)?;
            }
        }
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 6,
            1..=2 => 10,
            _ => 8,
        }
    }
}

impl Message for ApiVersionsResponse {
    const KEY: ApiKey = ApiKey::ApiVersions;
}

/// Part of ApiVersions (key 18).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiVersion {
    /// Every version.
    pub api_key: i16,
    /// Every version.
    pub min_version: i16,
    /// Every version.
    pub max_version: i16,
}

impl Field for ApiVersion {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.api_key = d.read(v)?;
        m.min_version = d.read(v)?;
        m.max_version = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.api_key.write(e, v)?;
        self.min_version.write(e, v)?;
        self.max_version.write(e, v)?;
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

/// Part of ApiVersions (key 18).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SupportedFeatureKey {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub min_version: i16,
    /// Every version.
    pub max_version: i16,
}

impl Field for SupportedFeatureKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.min_version = d.read(v)?;
        m.max_version = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.min_version.write(e, v)?;
        self.max_version.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}

/// Part of ApiVersions (key 18).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FinalizedFeatureKey {
    /// Every version.
    pub name: Str,
    /// Every version.
    pub max_version_level: i16,
    /// Every version.
    pub min_version_level: i16,
}

impl Field for FinalizedFeatureKey {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.name = d.read(v)?;
        m.max_version_level = d.read(v)?;
        m.min_version_level = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.name.write(e, v)?;
        self.max_version_level.write(e, v)?;
        self.min_version_level.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(_: i16, _: bool) -> usize {
        6
    }
}
