//! DescribeCluster (60), 0-2; DescribeQuorum (55), 0-2; ElectLeaders (43), 0-2; AlterPartitionReassignments (45), 0-1;
//! ListPartitionReassignments (46), 0: what one node can say and do.
//!
//! - 60: v1 (KIP-919) endpoint type, MISMATCHED_ENDPOINT_TYPE for controllers; v2 (KIP-1073) fenced brokers.
//! - 55: `__cluster_metadata`-0 with this node as its one voter.
//! - 43: the leader of every partition is its preferred one: ELECTION_NOT_NEEDED, left out when all are asked for.
//! - 45: the present replicas are accepted and done; others INVALID_REPLICA_ASSIGNMENT; null: NO_REASSIGNMENT_IN_PROGRESS.

use ouzel_model::{PartitionId, TopicId};
use ouzel_wire::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use ouzel_wire::describe_cluster::{DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse};
use ouzel_wire::describe_quorum::{
    self as quorum, DescribeQuorumRequest, DescribeQuorumResponse, ReplicaState, TopicDataResult,
};
use ouzel_wire::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult, TopicPartitions,
};
use ouzel_wire::list_partition_reassignments::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};
use ouzel_wire::{ErrorCode, Str};

use super::metadata::CLUSTER_OPERATIONS;
use crate::dispatch::Cx;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;
const METADATA_TOPIC: &str = "__cluster_metadata";

pub(crate) async fn describe(cx: Cx, request: DescribeClusterRequest) -> DescribeClusterResponse {
    let shard = &cx.kafka.shard;
    let refused = |code: ErrorCode, message: &'static str| DescribeClusterResponse {
        error_code: code as i16,
        error_message: Some(message.into()),
        ..Default::default()
    };
    match request.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            return refused(ErrorCode::MismatchedEndpointType, "this is a broker's listener, not a controller's");
        }
        _ => return refused(ErrorCode::UnsupportedEndpointType, "endpoint types are 1 (brokers) and 2 (controllers)"),
    }
    let options = &cx.kafka.options;
    DescribeClusterResponse {
        error_message: None,
        endpoint_type: BROKERS,
        cluster_id: shard.image().cluster_id().to_string().into(),
        controller_id: shard.node().0,
        brokers: vec![DescribeClusterBroker {
            broker_id: shard.node().0,
            host: options.advertised_host.as_str().into(),
            port: i32::from(options.advertised_port),
            rack: options.rack.as_deref().map(Into::into),
            is_fenced: false,
        }],
        cluster_authorized_operations: match request.include_cluster_authorized_operations {
            true => CLUSTER_OPERATIONS,
            false => i32::MIN,
        },
        ..Default::default()
    }
}

pub(crate) async fn describe_quorum(cx: Cx, request: DescribeQuorumRequest) -> DescribeQuorumResponse {
    let shard = &cx.kafka.shard;
    let version = shard.image().version() as i64;
    let now = shard.runtime().wall_clock().0;
    let topics = request
        .topics
        .into_iter()
        .map(|topic| TopicDataResult {
            partitions: topic
                .partitions
                .iter()
                .map(|p| {
                    if topic.topic_name != METADATA_TOPIC || p.partition_index != 0 {
                        return quorum::PartitionDataResult {
                            partition_index: p.partition_index,
                            error_code: ErrorCode::UnknownTopicOrPartition as i16,
                            error_message: None,
                            leader_id: -1,
                            leader_epoch: -1,
                            high_watermark: -1,
                            ..Default::default()
                        };
                    }
                    quorum::PartitionDataResult {
                        error_message: None,
                        leader_id: shard.node().0,
                        leader_epoch: 1,
                        high_watermark: version,
                        current_voters: vec![ReplicaState {
                            replica_id: shard.node().0,
                            replica_directory_id: TopicId::ZERO,
                            log_end_offset: version,
                            last_fetch_timestamp: now,
                            last_caught_up_timestamp: now,
                        }],
                        ..Default::default()
                    }
                })
                .collect(),
            topic_name: topic.topic_name,
        })
        .collect();
    let options = &cx.kafka.options;
    DescribeQuorumResponse {
        error_message: None,
        topics,
        nodes: vec![quorum::Node {
            node_id: shard.node().0,
            listeners: vec![quorum::Listener {
                name: "CONTROLLER".into(),
                host: options.advertised_host.as_str().into(),
                port: options.advertised_port,
            }],
        }],
        ..Default::default()
    }
}

pub(crate) async fn elect_leaders(cx: Cx, request: ElectLeadersRequest) -> ElectLeadersResponse {
    let image = cx.kafka.shard.image();
    if !matches!(request.election_type, 0 | 1) {
        return ElectLeadersResponse { error_code: ErrorCode::InvalidRequest as i16, ..Default::default() };
    }
    let result = |topic: &Str, partition_id: i32| {
        let known = image.topic(topic).and_then(|t| t.partition(PartitionId(partition_id)));
        let (code, message) = match known {
            Some(_) => (ErrorCode::ElectionNotNeeded, "the leader is the preferred one already"),
            None => (ErrorCode::UnknownTopicOrPartition, "no such partition"),
        };
        PartitionResult { partition_id, error_code: code as i16, error_message: Some(message.into()) }
    };
    let replica_election_results = request
        .topic_partitions
        .unwrap_or_default()
        .into_iter()
        .map(|TopicPartitions { topic, partitions }| ReplicaElectionResult {
            partition_result: partitions.into_iter().map(|p| result(&topic, p)).collect(),
            topic,
        })
        .collect();
    ElectLeadersResponse { replica_election_results, ..Default::default() }
}

pub(crate) async fn alter_reassignments(
    cx: Cx,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let image = cx.kafka.shard.image();
    let judge = |topic: &Str, p: &ReassignablePartition| -> (ErrorCode, Option<Str>) {
        let Some(present) = image.topic(topic).and_then(|t| t.partition(PartitionId(p.partition_index))) else {
            return (ErrorCode::UnknownTopicOrPartition, Some("no such partition".into()));
        };
        let present: Vec<i32> = present.replicas.iter().map(|r| r.node.0).collect();
        match &p.replicas {
            None => (ErrorCode::NoReassignmentInProgress, Some("nothing to cancel".into())),
            Some(wanted) if *wanted == present => (ErrorCode::None, None),
            Some(wanted) => {
                let why = format!("replicas {wanted:?}: the cluster has the brokers {:?} only", image.nodes().keys());
                (ErrorCode::InvalidReplicaAssignment, Some(why.into()))
            }
        }
    };
    let responses = request
        .topics
        .into_iter()
        .map(|topic| ReassignableTopicResponse {
            partitions: topic
                .partitions
                .iter()
                .map(|p| {
                    let (code, error_message) = judge(&topic.name, p);
                    ReassignablePartitionResponse {
                        partition_index: p.partition_index,
                        error_code: code as i16,
                        error_message,
                    }
                })
                .collect(),
            name: topic.name,
        })
        .collect();
    AlterPartitionReassignmentsResponse {
        allow_replication_factor_change: request.allow_replication_factor_change,
        error_message: None,
        responses,
        ..Default::default()
    }
}

pub(crate) async fn list_reassignments(
    _cx: Cx,
    _request: ListPartitionReassignmentsRequest,
) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse { error_message: None, ..Default::default() }
}
