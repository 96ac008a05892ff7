//! ApiVersions (18), 0-5: what this broker serves.
//!
//! - v3: software name and version, features (KIP-584, KIP-511). A name or version of another form: INVALID_REQUEST.
//! - v5: the client may say which cluster and node it means; another one: REBOOTSTRAP_REQUIRED (KIP-1242).
//! - A version we don't have is answered in version 0, with UNSUPPORTED_VERSION and this API's own range alone.

use ouzel_wire::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use ouzel_wire::{ApiKey, DecodeError, Decoder, ErrorCode, Message, RequestHeader};

use crate::conn::Handling;
use crate::dispatch::{Cx, encoded};

/// What is offered, ascending.
pub(crate) const SERVED: &[ApiKey] = &[
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::ListOffsets,
    ApiKey::Metadata,
    ApiKey::OffsetCommit,
    ApiKey::OffsetFetch,
    ApiKey::FindCoordinator,
    ApiKey::JoinGroup,
    ApiKey::Heartbeat,
    ApiKey::LeaveGroup,
    ApiKey::SyncGroup,
    ApiKey::DescribeGroups,
    ApiKey::ListGroups,
    ApiKey::ApiVersions,
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DeleteRecords,
    ApiKey::InitProducerId,
    ApiKey::OffsetForLeaderEpoch,
    ApiKey::DescribeConfigs,
    ApiKey::AlterConfigs,
    ApiKey::DescribeLogDirs,
    ApiKey::CreatePartitions,
    ApiKey::DeleteGroups,
    ApiKey::ElectLeaders,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::AlterPartitionReassignments,
    ApiKey::ListPartitionReassignments,
    ApiKey::OffsetDelete,
    ApiKey::DescribeQuorum,
    ApiKey::DescribeCluster,
    ApiKey::DescribeProducers,
    ApiKey::ListConfigResources,
    ApiKey::DescribeTopicPartitions,
];

/// Name and level of the one feature that is finalised. Source: Kafka 4.4 (its level 33 is IBP 4.4).
const METADATA_VERSION: (&str, i16, i16) = ("metadata.version", 7, 33);

pub(crate) fn handle(cx: Cx, header: &RequestHeader, d: &mut Decoder<'_>) -> Result<Handling, DecodeError> {
    let (version, response) = if ApiKey::ApiVersions.serves(header.version) {
        (header.version, answer(&cx, &ApiVersionsRequest::decode(d, header.version)?))
    } else {
        (0, unsupported())
    };
    let outcome = encoded(version, header.correlation_id, &response);
    Ok(Box::pin(std::future::ready(outcome)))
}

fn unsupported() -> ApiVersionsResponse {
    ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion as i16,
        api_keys: vec![range(ApiKey::ApiVersions)],
        ..Default::default()
    }
}

fn answer(cx: &Cx, request: &ApiVersionsRequest) -> ApiVersionsResponse {
    let refused = |code: ErrorCode| ApiVersionsResponse { error_code: code as i16, ..Default::default() };
    if cx.version >= 3 && !(is_software(&request.client_software_name) && is_software(&request.client_software_version))
    {
        return refused(ErrorCode::InvalidRequest);
    }
    let image = cx.kafka.shard.image();
    match (&request.cluster_id, request.node_id) {
        (None, -1) => {}
        (None, _) | (Some(_), -1) => return refused(ErrorCode::InvalidRequest),
        (Some(cluster), node) => {
            if **cluster != image.cluster_id().to_string() || node != cx.kafka.shard.node().0 {
                return refused(ErrorCode::RebootstrapRequired);
            }
        }
    }
    let (name, min, max) = METADATA_VERSION;
    let level = image.features().get(name).copied().unwrap_or(max);
    ApiVersionsResponse {
        api_keys: SERVED.iter().map(|&key| range(key)).collect(),
        supported_features: vec![SupportedFeatureKey { name: name.into(), min_version: min, max_version: max }],
        finalized_features_epoch: image.version() as i64,
        finalized_features: vec![FinalizedFeatureKey {
            name: name.into(),
            max_version_level: level,
            min_version_level: level,
        }],
        ..Default::default()
    }
}

fn range(key: ApiKey) -> ApiVersion {
    let (min_version, max_version) = key.versions_advertised();
    ApiVersion { api_key: key as i16, min_version, max_version }
}

/// `[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?` (KIP-511).
fn is_software(text: &str) -> bool {
    let alphanumeric = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    alphanumeric(text.bytes().next())
        && alphanumeric(text.bytes().last())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_have_kafkas_form() {
        for good in ["a", "librdkafka", "2.1.0-rc1", "apache-kafka-java"] {
            assert!(is_software(good), "{good}");
        }
        for bad in ["", "bad name!", "-a", "a.", "ä"] {
            assert!(!is_software(bad), "{bad}");
        }
    }

    #[test]
    fn keys_are_listed_in_order_once() {
        assert!(SERVED.windows(2).all(|w| (w[0] as i16) < (w[1] as i16)));
    }
}
