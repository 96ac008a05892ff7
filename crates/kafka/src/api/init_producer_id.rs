//! InitProducerId (22), 0-5: an id for an idempotent producer. Source: KIP-98, KIP-360.
//!
//! - v3: a producer may name its present id and epoch; without a transactional id it gets a new id all the same.
//! - Transactions aren't offered: with a transactional id TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which clients take as final.

use ouzel_wire::ErrorCode;
use ouzel_wire::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

use crate::dispatch::Cx;

pub(crate) async fn handle(cx: Cx, request: InitProducerIdRequest) -> InitProducerIdResponse {
    let refused =
        |code: ErrorCode| InitProducerIdResponse { error_code: code as i16, producer_epoch: -1, ..Default::default() };
    match &request.transactional_id {
        None => {}
        Some(id) if id.is_empty() => return refused(ErrorCode::InvalidRequest),
        Some(_) => return refused(ErrorCode::TransactionalIdAuthorizationFailed),
    }
    match cx.kafka.shard.next_producer_id().await {
        Ok(id) => InitProducerIdResponse { producer_id: id.0, producer_epoch: 0, ..Default::default() },
        Err(error) => {
            tracing::warn!(%error, "no producer id to give");
            refused(ErrorCode::CoordinatorNotAvailable)
        }
    }
}
