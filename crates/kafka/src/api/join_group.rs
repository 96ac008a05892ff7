//! JoinGroup (11), 0-9: a member joins a classic group; the answer is held until the group's next generation begins.
//!
//! - v1 (KIP-62): a rebalance timeout of its own, before that the session timeout; v2: throttle time; v3: quota before throttling
//!   (KIP-219); v4 (KIP-394): a newcomer gets its id first; v5 (KIP-345): static members; v6: flexible; v7 (KIP-559): the protocol type
//!   in the answer, and a protocol name that may be null; v8 (KIP-800): a reason, which isn't kept; v9 (KIP-814): a returning static
//!   leader may skip the assignment.
//! - Only the leader gets the members. An error's answer names the caller's member id; MEMBER_ID_REQUIRED names the new one.

use bytes::Bytes;
use ouzel_groups::{GroupRequest, GroupResponse, JoinError, JoinGroup, Joined, Protocol};
use ouzel_wire::Str;
use ouzel_wire::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};

use super::groups;
use crate::dispatch::Cx;
use crate::error;

pub(crate) async fn handle(cx: Cx, request: JoinGroupRequest) -> JoinGroupResponse {
    let mut random = [0; 16];
    cx.kafka.shard.runtime().entropy(&mut random);
    let member_id = request.member_id.clone();
    let join = call(cx.version, request, cx.client_id.clone(), cx.peer.host.clone(), random);
    let GroupResponse::Join(result) = groups::call_held(&cx, GroupRequest::Join(join)).await else {
        unreachable!("an answer is of its request's kind")
    };
    respond(cx.version, member_id, result)
}

fn call(version: i16, request: JoinGroupRequest, client_id: String, host: String, random: [u8; 16]) -> JoinGroup {
    JoinGroup {
        group: request.group_id.into(),
        member_id: request.member_id.into(),
        instance_id: request.group_instance_id.map(String::from),
        client_id,
        client_host: host,
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if version == 0 { request.session_timeout_ms } else { request.rebalance_timeout_ms },
        protocol_type: request.protocol_type.into(),
        // Kept as long as the member: it mustn't hold on to the whole frame.
        protocols: request
            .protocols
            .into_iter()
            .map(|p| Protocol { name: p.name.into(), metadata: Bytes::copy_from_slice(&p.metadata) })
            .collect(),
        member_id_required: version >= 4,
        can_skip_assignment: version >= 9,
        random,
    }
}

fn respond(version: i16, member_id: Str, result: Result<Joined, JoinError>) -> JoinGroupResponse {
    match result {
        Ok(joined) => JoinGroupResponse {
            generation_id: joined.generation,
            protocol_type: Some(joined.protocol_type.into()),
            protocol_name: Some(joined.protocol.into()),
            leader: joined.leader.into(),
            skip_assignment: joined.skip_assignment,
            member_id: joined.member_id.into(),
            members: joined
                .members
                .into_iter()
                .map(|m| JoinGroupResponseMember {
                    member_id: m.member_id.into(),
                    group_instance_id: m.instance_id.map(Str::from),
                    metadata: m.metadata,
                })
                .collect(),
            ..Default::default()
        },
        Err(why) => JoinGroupResponse {
            error_code: error::join(&why) as i16,
            protocol_name: if version >= 7 { None } else { Some(Str::new()) },
            member_id: match why {
                JoinError::MemberIdRequired(id) => id.into(),
                _ => member_id,
            },
            ..Default::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ouzel_wire::join_group::JoinGroupRequestProtocol;
    use ouzel_wire::{ErrorCode, Message};

    fn asked(version: i16) -> JoinGroup {
        let protocols = vec![JoinGroupRequestProtocol { name: "range".into(), metadata: Bytes::from_static(b"m") }];
        let request = JoinGroupRequest {
            group_id: "g".into(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: if version == 0 { -1 } else { 60_000 },
            protocols,
            ..Default::default()
        };
        call(version, request, "c".into(), "/h".into(), [7; 16])
    }

    #[test]
    fn a_member_of_version_0_rebalances_within_its_session() {
        assert_eq!(asked(0).rebalance_timeout_ms, 10_000);
        assert_eq!(asked(1).rebalance_timeout_ms, 60_000);
    }

    #[test]
    fn ids_come_first_from_version_4_and_skipping_from_9() {
        let flags = |v| (asked(v).member_id_required, asked(v).can_skip_assignment);
        assert_eq!(
            [flags(3), flags(4), flags(8), flags(9)],
            [(false, false), (true, false), (true, false), (true, true)]
        );
    }

    #[test]
    fn an_error_is_told_as_each_version_tells_it() {
        for version in 0..=9 {
            let unknown = respond(version, "m".into(), Err(JoinError::UnknownMember));
            assert_eq!(unknown.error_code, ErrorCode::UnknownMemberId as i16);
            assert_eq!((unknown.generation_id, &*unknown.member_id), (-1, "m"));
            assert_eq!(unknown.protocol_name.is_none(), version >= 7);
            assert!(ouzel_wire::encode_response(version, 1, &unknown).is_ok(), "version {version}");
            let required = respond(version, Str::new(), Err(JoinError::MemberIdRequired("new".into())));
            assert_eq!((required.error_code, &*required.member_id), (ErrorCode::MemberIdRequired as i16, "new"));
        }
    }

    #[test]
    fn a_generation_fits_every_version() {
        let joined = Joined {
            generation: 3,
            protocol_type: "consumer".into(),
            protocol: "range".into(),
            leader: "a".into(),
            skip_assignment: true,
            member_id: "a".into(),
            members: vec![ouzel_groups::JoinedMember {
                member_id: "a".into(),
                instance_id: Some("i".into()),
                metadata: Bytes::from_static(b"m"),
            }],
        };
        for version in 0..=9 {
            let response = respond(version, Str::new(), Ok(joined.clone()));
            let frame = ouzel_wire::encode_response(version, 1, &response).unwrap().concat();
            let frame = Bytes::from(frame).slice(4..);
            let mut d = ouzel_wire::Decoder::new(&frame, 1 << 20);
            ouzel_wire::decode_response_header(&mut d, ouzel_wire::ApiKey::JoinGroup, version).unwrap();
            let read = JoinGroupResponse::decode(&mut d, version).unwrap();
            assert_eq!((read.generation_id, read.members.len()), (3, 1));
            assert_eq!(read.members[0].group_instance_id.is_some(), version >= 5);
            assert_eq!(read.skip_assignment, version >= 9);
        }
    }
}
