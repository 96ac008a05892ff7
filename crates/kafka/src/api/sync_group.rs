//! SyncGroup (14), 0-5: a member fetches its assignment; the leader brings all of them. Held until the leader's is there.
//!
//! - v1: throttle time; v2: quota before throttling (KIP-219); v3 (KIP-345): static members; v4: flexible; v5 (KIP-559): protocol type
//!   and name, which must be those of the group (INCONSISTENT_GROUP_PROTOCOL, also when one is missing).

use bytes::Bytes;
use ouzel_groups::{GroupRequest, GroupResponse, SyncError, SyncGroup, Synced};
use ouzel_wire::Str;
use ouzel_wire::sync_group::{SyncGroupRequest, SyncGroupResponse};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: SyncGroupRequest) -> SyncGroupResponse {
    if cx.version >= 5 && (request.protocol_type.is_none() || request.protocol_name.is_none()) {
        return respond(Err(SyncError::InconsistentProtocol));
    }
    let sync = SyncGroup {
        group: request.group_id.into(),
        member_id: request.member_id.into(),
        instance_id: request.group_instance_id.map(String::from),
        generation: request.generation_id,
        protocol_type: request.protocol_type.map(String::from),
        protocol: request.protocol_name.map(String::from),
        // Kept as long as the generation: they mustn't hold on to the whole frame.
        assignments: request
            .assignments
            .into_iter()
            .map(|a| (a.member_id.into(), Bytes::copy_from_slice(&a.assignment)))
            .collect(),
    };
    let GroupResponse::Sync(result) = groups::call_held(&cx, GroupRequest::Sync(sync)).await else {
        unreachable!("an answer is of its request's kind")
    };
    respond(result)
}

fn respond(result: Result<Synced, SyncError>) -> SyncGroupResponse {
    match result {
        Ok(synced) => SyncGroupResponse {
            protocol_type: Some(synced.protocol_type.into()),
            protocol_name: Some(Str::from(synced.protocol)),
            assignment: synced.assignment,
            ..Default::default()
        },
        Err(why) => SyncGroupResponse { error_code: error::sync(&why) as i16, ..Default::default() },
    }
}
