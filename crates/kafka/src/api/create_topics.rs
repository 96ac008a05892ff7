//! CreateTopics (19), 2-7.
//!
//! - v4 (KIP-464): -1 for partitions and replication factor takes the cluster's defaults; v5 (KIP-525): the topic's settings in the
//!   reply, and flexible; v6 (KIP-599): THROTTLING_QUOTA_EXCEEDED, which we never send; v7 (KIP-516): the topic's id.
//! - The reply comes when every shard shows the topic and its partitions take records.

use std::sync::Arc;

use ouzel_controller::{AdminError, NewTopic, Topic, plan_create_topics};
use ouzel_wire::ErrorCode;
use ouzel_wire::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};

use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let wanted: Vec<NewTopic> = request.topics.iter().map(wanted).collect();
    let validate_only = request.validate_only;
    let planned = cx.kafka.shard.change(move |shard, image| {
        let mut checked = Vec::with_capacity(wanted.len());
        // Counts and an assignment by hand exclude each other.
        let contradictory = |w: &NewTopic| {
            !w.assignments.is_empty() && (w.partitions != -1 || w.replication_factor != -1)
        };
        let good: Vec<NewTopic> = wanted.iter().filter(|w| !contradictory(w)).cloned().collect();
        let plan = plan_create_topics(image, shard.local(), &good, validate_only, &mut || shard.random_id());
        let mut outcomes = plan.outcome.into_iter();
        for w in &wanted {
            checked.push(match contradictory(w) {
                true => Err(AdminError::InvalidRequest(
                    "Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time."
                        .into(),
                )),
                false => outcomes.next().expect("one outcome for each request"),
            });
        }
        ouzel_controller::Plan { commands: plan.commands, outcome: checked }
    });
    let topics = match planned.await {
        Ok(outcomes) => {
            request.topics.iter().zip(outcomes).map(|(asked, outcome)| result(&cx, asked, outcome)).collect()
        }
        Err(error) => {
            request.topics.iter().map(|asked| failed(asked, error::change(&error), error.to_string())).collect()
        }
    };
    CreateTopicsResponse { topics, ..Default::default() }
}

fn wanted(topic: &CreatableTopic) -> NewTopic {
    NewTopic {
        name: topic.name.to_string(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic.assignments.iter().map(|a| (a.partition_index, a.broker_ids.clone())).collect(),
        configs: topic.configs.iter().map(|c| (c.name.to_string(), c.value.as_ref().map(|v| v.to_string()))).collect(),
    }
}

fn result(cx: &Cx, asked: &CreatableTopic, outcome: Result<Arc<Topic>, AdminError>) -> CreatableTopicResult {
    let topic = match outcome {
        Ok(topic) => topic,
        Err(error) => return failed(asked, error::admin(&error), error.to_string()),
    };
    let shard = &cx.kafka.shard;
    let configs = ouzel_controller::describe_topic_configs(&shard.image(), shard.local(), &topic)
        .into_iter()
        .map(|entry| CreatableTopicConfigs {
            name: entry.name.into(),
            value: entry.value.map(Into::into),
            read_only: entry.read_only,
            config_source: entry.source as i8,
            is_sensitive: entry.sensitive,
        })
        .collect();
    CreatableTopicResult {
        name: asked.name.clone(),
        topic_id: topic.id,
        error_message: None,
        num_partitions: topic.partitions.len() as i32,
        replication_factor: topic.partitions.first().map_or(-1, |p| p.replicas.len() as i16),
        configs: Some(configs),
        ..Default::default()
    }
}

fn failed(asked: &CreatableTopic, code: ErrorCode, message: String) -> CreatableTopicResult {
    CreatableTopicResult {
        name: asked.name.clone(),
        error_code: code as i16,
        error_message: Some(message.into()),
        configs: Some(Vec::new()),
        ..Default::default()
    }
}
