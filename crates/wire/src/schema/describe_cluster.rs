// Generated from schema/DescribeCluster.api by `cargo xtask codegen`. Not edited by hand.
//! DescribeCluster (key 60), versions 0 to 2.

use crate::api::ApiKey;
use crate::codec::Field;
use crate::decode::{DecodeError, Decoder};
use crate::encode::{EncodeError, Encoder};
use crate::message::{Message, Request};
use crate::text::Str;

/// Body of a DescribeCluster request.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterRequest {
    /// Every version.
    pub include_cluster_authorized_operations: bool,
    /// Versions 1+, default `1`.
    pub endpoint_type: i8,
    /// Versions 2+.
    pub include_fenced_brokers: bool,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        DescribeClusterRequest {
            include_cluster_authorized_operations: Default::default(),
            endpoint_type: 1,
            include_fenced_brokers: Default::default(),
        }
    }
}

impl Field for DescribeClusterRequest {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.include_cluster_authorized_operations = d.read(v)?;
        if v >= 1 {
            m.endpoint_type = d.read(v)?;
        }
        if v >= 2 {
            m.include_fenced_brokers = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.include_cluster_authorized_operations.write(e, v)?;
        if v >= 1 {
            self.endpoint_type.write(e, v)?;
        } else if self.endpoint_type != 1 {
            return Err(EncodeError::Unsupported("DescribeClusterRequest.endpoint_type"));
        }
        if v >= 2 {
            self.include_fenced_brokers.write(e, v)?;
        } else if self.include_fenced_brokers {
            return Err(EncodeError::Unsupported("DescribeClusterRequest.include_fenced_brokers"));
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 2,
            1 => 3,
            _ => 4,
        }
    }
}

impl Message for DescribeClusterRequest {
    const KEY: ApiKey = ApiKey::DescribeCluster;
}

impl Request for DescribeClusterRequest {
    type Response = DescribeClusterResponse;
}

/// Body of a DescribeCluster response.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterResponse {
    /// Every version.
    pub throttle_time_ms: i32,
    /// Every version.
    pub error_code: i16,
    /// Every version, can be null.
    pub error_message: Option<Str>,
    /// Versions 1+, default `1`.
    pub endpoint_type: i8,
    /// Every version.
    pub cluster_id: Str,
    /// Every version, default `-1`.
    pub controller_id: i32,
    /// Every version.
    pub brokers: Vec<DescribeClusterBroker>,
    /// Every version, default `-2147483648`.
    pub cluster_authorized_operations: i32,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        DescribeClusterResponse {
            throttle_time_ms: Default::default(),
            error_code: Default::default(),
            error_message: Default::default(),
            endpoint_type: 1,
            cluster_id: Default::default(),
            controller_id: -1,
            brokers: Default::default(),
            cluster_authorized_operations: -2147483648,
        }
    }
}

impl Field for DescribeClusterResponse {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.throttle_time_ms = d.read(v)?;
        m.error_code = d.read(v)?;
        m.error_message = d.read(v)?;
        if v >= 1 {
            m.endpoint_type = d.read(v)?;
        }
        m.cluster_id = d.read(v)?;
        m.controller_id = d.read(v)?;
        m.brokers = d.read(v)?;
        m.cluster_authorized_operations = d.read(v)?;
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.throttle_time_ms.write(e, v)?;
        self.error_code.write(e, v)?;
        self.error_message.write(e, v)?;
        if v >= 1 {
            self.endpoint_type.write(e, v)?;
        }
        self.cluster_id.write(e, v)?;
        self.controller_id.write(e, v)?;
        self.brokers.write(e, v)?;
        self.cluster_authorized_operations.write(e, v)?;
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0 => 18,
            _ => 19,
        }
    }
}

impl Message for DescribeClusterResponse {
    const KEY: ApiKey = ApiKey::DescribeCluster;
}

/// Part of DescribeCluster (key 60).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeClusterBroker {
    /// Every version.
    pub broker_id: i32,
    /// Every version.
    pub host: Str,
    /// Every version.
    pub port: i32,
    /// Every version, can be null.
    pub rack: Option<Str>,
    /// Versions 2+.
    pub is_fenced: bool,
}

impl Field for DescribeClusterBroker {
    fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {
        let mut m = Self::default();
        m.broker_id = d.read(v)?;
        m.host = d.read(v)?;
        m.port = d.read(v)?;
        m.rack = d.read(v)?;
        if v >= 2 {
            m.is_fenced = d.read(v)?;
        }
        d.skip_tags()?;
        Ok(m)
    }

    fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {
        self.broker_id.write(e, v)?;
        self.host.write(e, v)?;
        self.port.write(e, v)?;
        self.rack.write(e, v)?;
        if v >= 2 {
            self.is_fenced.write(e, v)?;
        }
        e.no_tags();
        Ok(())
    }

    fn least(v: i16, _: bool) -> usize {
        match v {
            0..=1 => 11,
            _ => 12,
        }
    }
}
