//! DescribeGroups (15), 0-6: classic groups and their members.
//!
//! - v1: throttle time; v2: quota before throttling (KIP-219); v3 (KIP-430): authorised operations; v4 (KIP-345): static names;
//!   v5: flexible; v6 (KIP-1043): a group that isn't there is GROUP_ID_NOT_FOUND with a message, before that only its state is `Dead`.
//! - Metadata and assignments are shown while the group is stable.

use ouzel_groups::{DescribeGroup, Description, GroupRequest, GroupResponse, GroupState, Unavailable};
use ouzel_wire::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use ouzel_wire::{ErrorCode, Str};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

/// All operations on a group, as bits: nothing is forbidden while there is no authorisation.
/// READ 3, DELETE 6, DESCRIBE 8, DESCRIBE_CONFIGS 10, ALTER_CONFIGS 11.
const GROUP_OPERATIONS: i32 = 0b1101_0100_1000;

pub(crate) async fn handle(cx: Cx, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let calls =
        request.groups.iter().map(|group| GroupRequest::Describe(DescribeGroup { group: group.as_str().into() }));
    let results = groups::call_all(&cx, calls.collect()).await;
    let groups = request.groups.into_iter().zip(results).map(|(group, response)| {
        let GroupResponse::Describe(result) = response else { unreachable!("an answer is of its request's kind") };
        respond(cx.version, group, result, request.include_authorized_operations)
    });
    DescribeGroupsResponse { groups: groups.collect(), ..Default::default() }
}

fn respond(version: i16, group_id: Str, result: Result<Description, Unavailable>, operations: bool) -> DescribedGroup {
    let description = match result {
        Ok(description) => description,
        Err(why) => {
            let error_message = Some(why.to_string().into());
            let code = error::unavailable(&why);
            return DescribedGroup { group_id, error_code: code as i16, error_message, ..Default::default() };
        }
    };
    let mut group = DescribedGroup {
        group_state: description.state.name().into(),
        protocol_type: description.protocol_type.into(),
        protocol_data: description.protocol.into(),
        members: description
            .members
            .into_iter()
            .map(|m| DescribedGroupMember {
                member_id: m.member_id.into(),
                group_instance_id: m.instance_id.map(Str::from),
                client_id: m.client_id.into(),
                client_host: m.client_host.into(),
                member_metadata: m.metadata,
                member_assignment: m.assignment,
            })
            .collect(),
        ..Default::default()
    };
    if description.state == GroupState::Dead && version >= 6 {
        group.error_code = ErrorCode::GroupIdNotFound as i16;
        group.error_message = Some(format!("Group {group_id} not found.").into());
    } else if operations {
        group.authorized_operations = GROUP_OPERATIONS;
    }
    DescribedGroup { group_id, ..group }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_group_is_dead_and_an_error_only_from_version_6() {
        for version in 0..=6 {
            let group = respond(version, "g".into(), Ok(Description::dead()), false);
            assert_eq!(group.group_state, "Dead");
            assert_eq!(group.authorized_operations, i32::MIN, "nobody asked");
            let code = if version >= 6 { ErrorCode::GroupIdNotFound } else { ErrorCode::None };
            assert_eq!(group.error_code, code as i16, "version {version}");
            assert_eq!(group.error_message.as_deref(), (version >= 6).then_some("Group g not found."));
        }
    }

    #[test]
    fn operations_are_told_when_asked_for() {
        let description = Description { state: GroupState::Empty, ..Description::dead() };
        let group = respond(5, "g".into(), Ok(description), true);
        let bits: Vec<i32> = (0..32).filter(|bit| group.authorized_operations >> bit & 1 == 1).collect();
        assert_eq!(bits, [3, 6, 8, 10, 11]);
        assert_eq!(respond(6, "g".into(), Ok(Description::dead()), true).authorized_operations, i32::MIN);
    }
}
