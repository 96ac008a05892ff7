//! CreatePartitions (37), 0-3: topics grow, they never shrink. Source: KIP-195.

use ouzel_controller::{Growth, plan_create_partitions};
use ouzel_wire::ErrorCode;
use ouzel_wire::create_partitions::{CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopicResult};

use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let wanted: Vec<Growth> = request
        .topics
        .iter()
        .map(|t| Growth {
            name: t.name.to_string(),
            count: t.count,
            assignments: t.assignments.as_ref().map(|all| all.iter().map(|a| a.broker_ids.clone()).collect()),
        })
        .collect();
    let validate_only = request.validate_only;
    let grown = cx.kafka.shard.change(move |_, image| plan_create_partitions(image, &wanted, validate_only)).await;
    let names = request.topics.into_iter().map(|t| t.name);
    let row = |name, code: ErrorCode, message: Option<String>| CreatePartitionsTopicResult {
        name,
        error_code: code as i16,
        error_message: message.map(Into::into),
    };
    let results = match grown {
        Ok(outcomes) => names
            .zip(outcomes)
            .map(|(name, outcome)| match outcome {
                Ok(()) => row(name, ErrorCode::None, None),
                Err(error) => row(name, error::admin(&error), Some(error.to_string())),
            })
            .collect(),
        Err(error) => names.map(|name| row(name, error::change(&error), Some(error.to_string()))).collect(),
    };
    CreatePartitionsResponse { results, ..Default::default() }
}
