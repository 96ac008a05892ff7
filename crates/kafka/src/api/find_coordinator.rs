//! FindCoordinator (10), 0-6: which broker coordinates a group.
//!
//! - v1 (KIP-98): key types; v4 (KIP-699): many keys; v6 (KIP-932): share groups.
//! - The first call creates `__consumer_offsets` and is answered with COORDINATOR_NOT_AVAILABLE until it stands, as in Kafka.
//! - Transactional ids: TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which clients take as final; share groups: INVALID_REQUEST.

use ouzel_model::TopicName;
use ouzel_shard::OFFSETS_TOPIC;
use ouzel_wire::find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};
use ouzel_wire::{ErrorCode, Str};

use crate::dispatch::Cx;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub(crate) async fn handle(cx: Cx, request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    let keys = if cx.version >= 4 { request.coordinator_keys } else { vec![request.key] };
    let mut coordinators = Vec::with_capacity(keys.len());
    for key in keys {
        let found = match request.key_type {
            GROUP => find(&cx, &key).await,
            TRANSACTION => Err((
                ErrorCode::TransactionalIdAuthorizationFailed,
                "this broker doesn't serve transactions yet; see docs/kafka-gaps.md",
            )),
            _ => Err((ErrorCode::InvalidRequest, "coordinators of groups only")),
        };
        coordinators.push(row(&cx, key, found));
    }
    if cx.version >= 4 {
        return FindCoordinatorResponse { coordinators, ..Default::default() };
    }
    let one = coordinators.pop().unwrap_or_default();
    FindCoordinatorResponse {
        error_code: one.error_code,
        error_message: one.error_message,
        node_id: one.node_id,
        host: one.host,
        port: one.port,
        ..Default::default()
    }
}

/// Whether the group's partition of `__consumer_offsets` is led here; begins to create the topic if there is none.
async fn find(cx: &Cx, group: &str) -> Result<(), (ErrorCode, &'static str)> {
    let shard = &cx.kafka.shard;
    let image = shard.image();
    let Some(topic) = image.topic(OFFSETS_TOPIC) else {
        let name = TopicName::new(OFFSETS_TOPIC).expect("a legal name");
        return match shard.create_topic(name).await {
            Ok(_) => Ok(()),
            Err(_) => Err((ErrorCode::CoordinatorNotAvailable, "the coordinators' topic is being created")),
        };
    };
    let number = ouzel_groups::partition_for(group, topic.partitions.len() as i32);
    match shard.leader_epoch(topic.id, number) {
        Some(_) => Ok(()),
        None => Err((ErrorCode::CoordinatorNotAvailable, "the coordinator's partition isn't led")),
    }
}

fn row(cx: &Cx, key: Str, found: Result<(), (ErrorCode, &'static str)>) -> Coordinator {
    let options = &cx.kafka.options;
    match found {
        Ok(()) => Coordinator {
            key,
            node_id: cx.kafka.shard.node().0,
            host: options.advertised_host.as_str().into(),
            port: i32::from(options.advertised_port),
            error_code: ErrorCode::None as i16,
            error_message: Some(Str::from_static("")),
        },
        Err((code, message)) => Coordinator {
            key,
            node_id: -1,
            host: Str::new(),
            port: -1,
            error_code: code as i16,
            error_message: Some(message.into()),
        },
    }
}
