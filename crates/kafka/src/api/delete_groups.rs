//! DeleteGroups (42), 0-3: removes groups without members, and their offsets (KIP-229).
//!
//! - v1: quota before throttling (KIP-219); v2: flexible; v3: a message beside the error.
//! - Each group has its own error: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. A group that is named twice is answered once.

use ouzel_groups::{DeleteGroup, GroupRequest, GroupResponse};
use ouzel_wire::ErrorCode;
use ouzel_wire::delete_groups::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let names = groups::distinct(request.groups_names);
    let calls = names.iter().map(|name| GroupRequest::Delete(DeleteGroup { group: name.as_str().into() }));
    let results = groups::call_all(&cx, calls.collect()).await;
    let results = names.into_iter().zip(results).map(|(group_id, response)| {
        let GroupResponse::Delete(result) = response else { unreachable!("an answer is of its request's kind") };
        DeletableGroupResult {
            group_id,
            error_code: result.as_ref().map_or_else(error::delete_group, |()| ErrorCode::None) as i16,
            error_message: result.err().map(|why| why.to_string().into()),
        }
    });
    DeleteGroupsResponse { results: results.collect(), ..Default::default() }
}
