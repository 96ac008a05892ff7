//! DeleteTopics (20), 1-6: by name, from v6 on (KIP-516) also by id.
//!
//! - v1-v2 know no TOPIC_DELETION_DISABLED (KIP-322): INVALID_REQUEST there. v5: error messages.

use ouzel_controller::{TopicRef, plan_delete_topics};
use ouzel_model::TopicId;
use ouzel_wire::delete_topics::{DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse};
use ouzel_wire::{ErrorCode, Str};

use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let asked: Vec<(Option<Str>, TopicId)> = match cx.version {
        6.. => request.topics.into_iter().map(|t| (t.name, t.topic_id)).collect(),
        _ => request.topic_names.into_iter().map(|name| (Some(name), TopicId::ZERO)).collect(),
    };
    let wanted: Vec<TopicRef> = asked
        .iter()
        .map(|(name, id)| match name {
            Some(name) => TopicRef::Name(name.to_string()),
            None => TopicRef::Id(*id),
        })
        .collect();
    let deleted = cx.kafka.shard.change(move |shard, image| plan_delete_topics(image, shard.local(), &wanted)).await;
    let responses = match deleted {
        Ok(outcomes) => asked
            .into_iter()
            .zip(outcomes)
            .map(|((name, topic_id), outcome)| match outcome {
                Ok(topic) => {
                    DeletableTopicResult { name: Some((&topic.name).into()), topic_id: topic.id, ..Default::default() }
                }
                Err(error) => {
                    let code = match error::admin(&error) {
                        ErrorCode::TopicDeletionDisabled if cx.version < 3 => ErrorCode::InvalidRequest,
                        code => code,
                    };
                    failed(name, topic_id, code, &error)
                }
            })
            .collect(),
        Err(error) => {
            asked.into_iter().map(|(name, topic_id)| failed(name, topic_id, error::change(&error), &error)).collect()
        }
    };
    DeleteTopicsResponse { responses, ..Default::default() }
}

fn failed(name: Option<Str>, topic_id: TopicId, code: ErrorCode, why: &dyn std::error::Error) -> DeletableTopicResult {
    DeletableTopicResult { name, topic_id, error_code: code as i16, error_message: Some(why.to_string().into()) }
}
