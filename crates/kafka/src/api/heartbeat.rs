//! Heartbeat (12), 0-4: a member is alive, and hears of a rebalance.
//!
//! - v1: throttle time; v2: quota before throttling (KIP-219); v3 (KIP-345): static members; v4: flexible.
//! - While the coordinator loads there is no error: the member is taken to be alive.

use ouzel_groups::{GroupRequest, GroupResponse, Heartbeat};
use ouzel_wire::ErrorCode;
use ouzel_wire::heartbeat::{HeartbeatRequest, HeartbeatResponse};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: HeartbeatRequest) -> HeartbeatResponse {
    let heartbeat = Heartbeat {
        group: request.group_id.into(),
        member_id: request.member_id.into(),
        instance_id: request.group_instance_id.map(String::from),
        generation: request.generation_id,
    };
    let GroupResponse::Heartbeat(result) = groups::call(&cx, GroupRequest::Heartbeat(heartbeat)).await else {
        unreachable!("an answer is of its request's kind")
    };
    let code = result.map_or_else(|why| error::heartbeat(&why), |()| ErrorCode::None);
    HeartbeatResponse { error_code: code as i16, ..Default::default() }
}
