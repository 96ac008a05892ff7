//! One member of a classic consumer group: join, sync, heartbeat, commit, leave. Source: KIP-62, KIP-394.
//!
//! Nothing runs by itself: the caller calls [`Member::beat`] between polls, at least every [`Member::BEAT_EVERY`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ouzel_wire::consumer_protocol::{AssignedTopicPartition, ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use ouzel_wire::heartbeat::HeartbeatRequest;
use ouzel_wire::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use ouzel_wire::leave_group::{LeaveGroupRequest, MemberIdentity};
use ouzel_wire::record::Record;
use ouzel_wire::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use ouzel_wire::{ErrorCode, Str};

use crate::assign::range;
use crate::cluster::{Client, Lane, Place};
use crate::error::{ClientError, Refused, refused};
use crate::group::{Committed, places_of};

const JOIN_GROUP: (i16, i16) = (5, 9);
const SYNC_GROUP: (i16, i16) = (3, 5);
const HEARTBEAT: (i16, i16) = (3, 4);
const LEAVE_GROUP: (i16, i16) = (3, 5);
const PROTOCOL: &str = "range";
/// Versions of the payloads that every consumer reads.
const PAYLOAD_VERSION: i16 = 0;
/// How long the group waits for a member that says nothing.
const SESSION: Duration = Duration::from_secs(10);
/// How long the group waits for its members to join again.
const REBALANCE: Duration = Duration::from_secs(30);
/// Joins that may be overtaken by another rebalance before the error stands.
const JOINS_MAX: u32 = 16;

/// What a heartbeat says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// All is well.
    Fine,
    /// The group deals its partitions anew: commit, then [`Member::join`] again.
    Rejoin,
}

/// A member of a group.
#[derive(Debug)]
pub struct Member {
    client: Client,
    group: String,
    topics: Vec<String>,
    id: String,
    generation: i32,
    assignment: Vec<Place>,
}

impl Member {
    /// How often to beat at least: several times per session timeout of 10 s.
    pub const BEAT_EVERY: Duration = Duration::from_secs(2);

    /// A member that has yet to [join](Member::join).
    pub fn new(client: &Client, group: &str, topics: &[String]) -> Member {
        Member {
            client: client.clone(),
            group: group.to_owned(),
            topics: topics.to_vec(),
            id: String::new(),
            generation: -1,
            assignment: Vec::new(),
        }
    }

    /// The partitions it reads, by topic and number.
    pub fn assignment(&self) -> &[Place] {
        &self.assignment
    }

    /// Joins the group, or joins it again, and waits until the partitions are dealt.
    pub async fn join(&mut self) -> Result<(), ClientError> {
        for _ in 1..JOINS_MAX {
            match self.join_once().await {
                Err(ClientError::Refused(no)) => match no.code {
                    ErrorCode::RebalanceInProgress => {}
                    ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => self.id.clear(),
                    _ => return Err(no.into()),
                },
                done => return done,
            }
        }
        self.join_once().await
    }

    async fn join_once(&mut self) -> Result<(), ClientError> {
        let joined = self.ask_to_join().await?;
        let assignments = match joined.leader == *self.id {
            true => self.deal(&joined).await?,
            false => Vec::new(),
        };
        let ask = SyncGroupRequest {
            group_id: (&self.group).into(),
            generation_id: joined.generation_id,
            member_id: (&self.id).into(),
            protocol_type: Some("consumer".into()),
            protocol_name: joined.protocol_name.clone(),
            assignments,
            ..Default::default()
        };
        let node = self.client.coordinator(&self.group).await?;
        let reply = self.client.ask_node(node, Lane::Group, &ask, SYNC_GROUP, REBALANCE).await?;
        refused(&self.subject(), reply.error_code, None)?;
        let assignment = match reply.assignment.is_empty() {
            true => ConsumerProtocolAssignment::default(),
            false => ConsumerProtocolAssignment::decode_or_newer(&reply.assignment).map_err(|error| {
                let reason = format!("the group's leader sent an assignment that can't be read ({error})");
                Refused::new(self.subject(), ErrorCode::InconsistentGroupProtocol as i16, Some(&reason))
            })?,
        };
        self.generation = joined.generation_id;
        self.assignment = places_of(&assignment.assigned_partitions);
        Ok(())
    }

    /// Joins; the first time the broker only gives an id, with which to come again.
    async fn ask_to_join(&mut self) -> Result<JoinGroupResponse, ClientError> {
        let topics = self.topics.iter().map(Str::from).collect();
        let subscription = ConsumerProtocolSubscription { topics, ..Default::default() };
        let metadata = subscription.encode(PAYLOAD_VERSION).map_err(|error| {
            Refused::new(self.subject(), ErrorCode::InvalidRequest as i16, Some(&error.to_string()))
        })?;
        let client = self.client.clone();
        let reply = client
            .with_retries(async || {
                let ask = JoinGroupRequest {
                    group_id: (&self.group).into(),
                    session_timeout_ms: SESSION.as_millis() as i32,
                    rebalance_timeout_ms: REBALANCE.as_millis() as i32,
                    member_id: (&self.id).into(),
                    protocol_type: "consumer".into(),
                    protocols: vec![JoinGroupRequestProtocol {
                        name: PROTOCOL.into(),
                        metadata: metadata.clone().into(),
                    }],
                    ..Default::default()
                };
                let node = client.coordinator(&self.group).await?;
                let mut reply = client.ask_node(node, Lane::Group, &ask, JOIN_GROUP, REBALANCE).await?;
                if reply.error_code == ErrorCode::MemberIdRequired as i16 {
                    let again = JoinGroupRequest { member_id: reply.member_id.clone(), ..ask };
                    reply = client.ask_node(node, Lane::Group, &again, JOIN_GROUP, REBALANCE).await?;
                }
                refused(&format!("group \"{}\"", self.group), reply.error_code, None)?;
                Ok(reply)
            })
            .await?;
        self.id = reply.member_id.to_string();
        Ok(reply)
    }

    /// As the group's leader: what everybody gets.
    async fn deal(&self, joined: &JoinGroupResponse) -> Result<Vec<SyncGroupRequestAssignment>, ClientError> {
        let mut members = Vec::new();
        let mut wanted = BTreeSet::new();
        for member in &joined.members {
            // A member whose words can't be read gets nothing.
            let said = ConsumerProtocolSubscription::decode_or_newer(&member.metadata).unwrap_or_default();
            let topics: Vec<String> = said.topics.iter().map(|topic| topic.to_string()).collect();
            wanted.extend(topics.iter().cloned());
            members.push((member.member_id.to_string(), topics));
        }
        let mut counts = BTreeMap::new();
        for name in wanted {
            match self.client.topics(std::slice::from_ref(&name)).await {
                Ok(topics) => counts.extend(topics.first().map(|topic| (name, topic.partitions.len()))),
                Err(error) if error.code() == Some(ErrorCode::UnknownTopicOrPartition) => {}
                Err(error) => return Err(error),
            }
        }
        let mut dealt = Vec::new();
        for (member, share) in range(&members, &counts) {
            let topic =
                |(topic, partitions): (String, Vec<i32>)| AssignedTopicPartition { topic: topic.into(), partitions };
            let assignment = ConsumerProtocolAssignment {
                assigned_partitions: share.into_iter().map(topic).collect(),
                ..Default::default()
            };
            let assignment = assignment.encode(PAYLOAD_VERSION).map_err(|error| {
                Refused::new(self.subject(), ErrorCode::InvalidRequest as i16, Some(&error.to_string()))
            })?;
            dealt.push(SyncGroupRequestAssignment { member_id: member.into(), assignment: assignment.into() });
        }
        Ok(dealt)
    }

    /// Says that it is still there.
    pub async fn beat(&mut self) -> Result<Beat, ClientError> {
        let ask = HeartbeatRequest {
            group_id: (&self.group).into(),
            generation_id: self.generation,
            member_id: (&self.id).into(),
            ..Default::default()
        };
        let subject = self.subject();
        let beat = self
            .client
            .ask_coordinator(&self.group, &ask, HEARTBEAT, |reply| refused(&subject, reply.error_code, None));
        match beat.await {
            Ok(_) => Ok(Beat::Fine),
            Err(error) if must_rejoin(&error) => Ok(Beat::Rejoin),
            Err(error) => Err(error),
        }
    }

    /// Commits. `Rejoin` if the group is being dealt anew, and this member's word doesn't count any more.
    pub async fn commit(&mut self, offsets: &[Committed]) -> Result<Beat, ClientError> {
        match self.client.commit_as(&self.group, &self.id, self.generation, offsets).await {
            Ok(()) => Ok(Beat::Fine),
            Err(error) if must_rejoin(&error) => Ok(Beat::Rejoin),
            Err(error) => Err(error),
        }
    }

    /// Leaves, so that the others needn't wait for this member's session to end.
    pub async fn leave(self) -> Result<(), ClientError> {
        let member = MemberIdentity {
            member_id: (&self.id).into(),
            reason: Some("the consumer ended".into()),
            ..Default::default()
        };
        let ask = LeaveGroupRequest { group_id: (&self.group).into(), members: vec![member], ..Default::default() };
        let subject = self.subject();
        self.client
            .ask_coordinator(&self.group, &ask, LEAVE_GROUP, |reply| refused(&subject, reply.error_code, None))
            .await?;
        Ok(())
    }

    fn subject(&self) -> String {
        format!("group \"{}\"", self.group)
    }
}

fn must_rejoin(error: &ClientError) -> bool {
    matches!(
        error.code(),
        Some(ErrorCode::RebalanceInProgress | ErrorCode::IllegalGeneration | ErrorCode::UnknownMemberId)
    )
}
