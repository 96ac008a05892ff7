//! ListGroups (16), 0-5: the groups that this node coordinates.
//!
//! - v1: throttle time; v2: quota before throttling (KIP-219); v3: flexible; v4 (KIP-518): states, and a filter by them; v5 (KIP-848):
//!   types, and a filter by them. Filters are matched without case.
//! - While one coordinator loads there is no list: COORDINATOR_LOAD_IN_PROGRESS.

use ouzel_groups::{GroupRequest, GroupResponse, ListGroups, Unavailable};
use ouzel_wire::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: ListGroupsRequest) -> ListGroupsResponse {
    let list = ListGroups {
        states: request.states_filter.into_iter().map(String::from).collect(),
        types: request.types_filter.into_iter().map(String::from).collect(),
    };
    let mut listed = Vec::new();
    for response in groups::call_everywhere(&cx, GroupRequest::List(list)).await {
        let GroupResponse::List(result) = response else { unreachable!("an answer is of its request's kind") };
        match result {
            Ok(groups) => listed.extend(groups),
            // What it coordinated is in another list, or in none.
            Err(Unavailable::NotCoordinator) => {}
            Err(why) => {
                return ListGroupsResponse { error_code: error::unavailable(&why) as i16, ..Default::default() };
            }
        }
    }
    let groups = listed.into_iter().map(|group| ListedGroup {
        group_id: group.group.into(),
        protocol_type: group.protocol_type.into(),
        group_state: group.state.name().into(),
        group_type: group.group_type.into(),
    });
    ListGroupsResponse { groups: groups.collect(), ..Default::default() }
}
