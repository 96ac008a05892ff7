//! Metadata (3), 0-13: topics, their partitions and who leads them; brokers.
//!
//! - v0: an empty list is all topics; v1 (KIP-4): null is all, rack, controller; v4 (KIP-204): auto-create on request;
//!   v7 (KIP-320): leader epochs; v8-10 (KIP-430): authorised operations; v10, v12 (KIP-516): topic ids; v13: rebootstrap (KIP-1102).
//! - A topic that is created on demand is in the answer to the request that creates it. Kafka answers UNKNOWN_TOPIC_OR_PARTITION first, and
//!   clients rest before they ask again: librdkafka 1 s, franz-go up to 5 s.

use std::sync::Arc;

use ouzel_controller::Topic;
use ouzel_model::{PartitionId, TopicId, TopicName};
use ouzel_runtime::{Class, Duration};
use ouzel_wire::ErrorCode;
use ouzel_wire::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker, MetadataResponsePartition,
    MetadataResponseTopic,
};

use crate::dispatch::Cx;

/// How long an answer waits for topics that are created on demand. Longer than a slow sync takes, shorter than clients rest.
const CREATE_WAIT: Duration = Duration::from_millis(500);

/// "Not asked for": Kafka's value.
const NO_OPERATIONS: i32 = i32::MIN;
/// All operations on a topic, and on the cluster, as bits: nothing is forbidden while there is no authorisation.
/// READ 3, WRITE 4, CREATE 5, DELETE 6, ALTER 7, DESCRIBE 8, DESCRIBE_CONFIGS 10, ALTER_CONFIGS 11.
pub(crate) const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;
/// CREATE 5, ALTER 7, DESCRIBE 8, CLUSTER_ACTION 9, DESCRIBE_CONFIGS 10, ALTER_CONFIGS 11, IDEMPOTENT_WRITE 12.
pub(crate) const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;

pub(crate) async fn handle(cx: Cx, request: MetadataRequest) -> MetadataResponse {
    let shard = &cx.kafka.shard;
    let mut image = shard.image();
    let topics = match request.topics {
        None => image.topics().map(|topic| describe(&cx, topic)).collect(),
        Some(asked) if asked.is_empty() && cx.version == 0 => {
            image.topics().map(|topic| describe(&cx, topic)).collect()
        }
        Some(asked) => {
            let mut topics = Vec::with_capacity(asked.len());
            let mut missing = Vec::new();
            for one in asked {
                topics.push(match (&one.name, one.topic_id) {
                    (Some(name), TopicId::ZERO) => match (image.topic(name), TopicName::new(name)) {
                        (Some(topic), _) => describe(&cx, topic),
                        (None, Ok(name)) => {
                            let answer = refused(one, ErrorCode::UnknownTopicOrPartition);
                            missing.push(name);
                            answer
                        }
                        (None, Err(_)) => refused(one, ErrorCode::InvalidTopicException),
                    },
                    (_, id) if id.is_zero() => refused(one, ErrorCode::InvalidRequest),
                    (_, id) => match image.topic_by_id(id) {
                        Some(topic) => describe(&cx, topic),
                        None => refused(one, ErrorCode::UnknownTopicId),
                    },
                });
            }
            if request.allow_auto_topic_creation && !missing.is_empty() {
                create(&cx, missing).await;
                image = shard.image();
                for answer in topics.iter_mut().filter(|t| t.error_code == ErrorCode::UnknownTopicOrPartition as i16) {
                    if let Some(topic) = answer.name.as_ref().and_then(|name| image.topic(name)) {
                        *answer = describe(&cx, topic);
                    }
                }
            }
            topics
        }
    };
    let options = &cx.kafka.options;
    let operations = |asked: bool, all: i32| if asked { all } else { NO_OPERATIONS };
    let mut response = MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: shard.node().0,
            host: options.advertised_host.as_str().into(),
            port: i32::from(options.advertised_port),
            rack: options.rack.as_deref().map(Into::into),
        }],
        cluster_id: Some(image.cluster_id().to_string().into()),
        controller_id: shard.node().0,
        topics,
        cluster_authorized_operations: operations(request.include_cluster_authorized_operations, CLUSTER_OPERATIONS),
        ..Default::default()
    };
    for topic in &mut response.topics {
        topic.topic_authorized_operations = operations(request.include_topic_authorized_operations, TOPIC_OPERATIONS);
    }
    response
}

pub(crate) fn describe(cx: &Cx, topic: &Arc<Topic>) -> MetadataResponseTopic {
    let shard = &cx.kafka.shard;
    let partitions = (0..)
        .map(PartitionId)
        .zip(&topic.partitions)
        .map(|(number, partition)| {
            let led = shard.leader_epoch(topic.id, number);
            let replicas: Vec<i32> = partition.replicas.iter().map(|r| r.node.0).collect();
            MetadataResponsePartition {
                error_code: led.map_or(ErrorCode::LeaderNotAvailable, |_| ErrorCode::None) as i16,
                partition_index: number.0,
                leader_id: led.map_or(-1, |_| shard.node().0),
                leader_epoch: led.map_or(-1, |epoch| epoch.0),
                isr_nodes: if led.is_some() { replicas.clone() } else { Vec::new() },
                offline_replicas: if led.is_some() { Vec::new() } else { replicas.clone() },
                replica_nodes: replicas,
            }
        })
        .collect();
    MetadataResponseTopic {
        name: Some((&topic.name).into()),
        topic_id: topic.id,
        is_internal: topic.name.is_internal(),
        partitions,
        ..Default::default()
    }
}

fn refused(asked: MetadataRequestTopic, code: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic { error_code: code as i16, name: asked.name, topic_id: asked.topic_id, ..Default::default() }
}

/// Creates topics with the cluster's defaults, and waits for that a while; it goes on where that isn't long enough.
async fn create(cx: &Cx, names: Vec<TopicName>) {
    if !cx.kafka.shard.cluster_config().auto_create_topics_enable {
        return;
    }
    let shard = cx.kafka.shard.clone();
    let task = async move {
        for name in names {
            if let Err(error) = shard.create_topic(name.clone()).await {
                tracing::debug!(topic = %name, %error, "topic not created on demand");
            }
        }
    };
    let rt = cx.kafka.shard.runtime();
    let created = rt.spawn(Class::Serve, task);
    ouzel_runtime::select! {
        () = created => {},
        () = rt.sleep(CREATE_WAIT) => {}
    }
}
