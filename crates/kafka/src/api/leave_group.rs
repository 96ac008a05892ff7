//! LeaveGroup (13), 0-5: members leave at once instead of by their session's end.
//!
//! - v1: throttle time; v2: quota before throttling (KIP-219); v3 (KIP-345): many members, by id or static name, each with its own
//!   error; v4: flexible; v5 (KIP-800): a reason, which isn't kept.
//! - Up to version 2 there is one member, and its error is the request's. From 3 on a group that isn't there is each member's
//!   UNKNOWN_MEMBER_ID.

use ouzel_groups::{GroupRequest, GroupResponse, LeaveError, LeaveGroup, Leaver, LeaverError};
use ouzel_wire::ErrorCode;
use ouzel_wire::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let members = if cx.version >= 3 {
        request.members
    } else {
        vec![MemberIdentity { member_id: request.member_id, ..Default::default() }]
    };
    let leavers = members
        .iter()
        .map(|m| Leaver {
            member_id: m.member_id.as_str().into(),
            instance_id: m.group_instance_id.as_ref().map(|id| id.as_str().into()),
        })
        .collect();
    let leave = GroupRequest::Leave(LeaveGroup { group: request.group_id.into(), leavers });
    let GroupResponse::Leave(result) = groups::call(&cx, leave).await else {
        unreachable!("an answer is of its request's kind")
    };
    respond(cx.version, members, result)
}

fn respond(
    version: i16,
    members: Vec<MemberIdentity>,
    result: Result<Vec<Result<(), LeaverError>>, LeaveError>,
) -> LeaveGroupResponse {
    let top = |code: ErrorCode| LeaveGroupResponse { error_code: code as i16, ..Default::default() };
    let results = match result {
        Ok(results) => results,
        Err(LeaveError::UnknownMember) if version >= 3 => vec![Err(LeaverError::UnknownMember); members.len()],
        Err(why) => return top(error::leave(&why)),
    };
    let code = |result: Result<(), LeaverError>| result.map_or_else(|why| error::leaver(&why), |()| ErrorCode::None);
    if version < 3 {
        return top(results.into_iter().next().map_or(ErrorCode::None, code));
    }
    let members = members.into_iter().zip(results).map(|(member, result)| MemberResponse {
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        error_code: code(result) as i16,
    });
    LeaveGroupResponse { members: members.collect(), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        version: i16,
        result: Result<Vec<Result<(), LeaverError>>, LeaveError>,
        expect: (ErrorCode, &[ErrorCode]),
    ) {
        let member = MemberIdentity { member_id: "m".into(), ..Default::default() };
        let response = respond(version, vec![member], result);
        let codes: Vec<i16> = response.members.iter().map(|m| m.error_code).collect();
        assert_eq!(response.error_code, expect.0 as i16, "version {version}");
        assert_eq!(codes, expect.1.iter().map(|c| *c as i16).collect::<Vec<_>>(), "version {version}");
    }

    #[test]
    fn the_one_leaver_of_old_versions_fails_the_request() {
        use ErrorCode as E;
        for version in 0..=2 {
            check(version, Ok(vec![Ok(())]), (E::None, &[]));
            check(version, Ok(vec![Err(LeaverError::UnknownMember)]), (E::UnknownMemberId, &[]));
            check(version, Err(LeaveError::UnknownMember), (E::UnknownMemberId, &[]));
        }
        for version in 3..=5 {
            check(version, Ok(vec![Err(LeaverError::FencedInstance)]), (E::None, &[E::FencedInstanceId]));
            check(version, Err(LeaveError::UnknownMember), (E::None, &[E::UnknownMemberId]));
            check(version, Err(LeaveError::InvalidGroupId), (E::InvalidGroupId, &[]));
        }
    }
}
