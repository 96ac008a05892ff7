//! Consumer groups from outside: who is in one, what it has committed, and moving or deleting that.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use ouzel_model::Offset;
use ouzel_wire::consumer_group_describe::ConsumerGroupDescribeRequest;
use ouzel_wire::consumer_protocol::{AssignedTopicPartition, ConsumerProtocolAssignment};
use ouzel_wire::delete_groups::DeleteGroupsRequest;
use ouzel_wire::describe_groups::DescribeGroupsRequest;
use ouzel_wire::find_coordinator::FindCoordinatorRequest;
use ouzel_wire::list_groups::ListGroupsRequest;
use ouzel_wire::offset_commit::{OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use ouzel_wire::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use ouzel_wire::record::Record;
use ouzel_wire::{ErrorCode, Request};

use crate::admin::{Outcome, outcomes};
use crate::cluster::{Client, Lane, Place};
use crate::error::{ClientError, Refused, refused};

const FIND_COORDINATOR: (i16, i16) = (4, 6);
const LIST_GROUPS: (i16, i16) = (4, 5);
const DESCRIBE_GROUPS: (i16, i16) = (4, 5);
const CONSUMER_GROUP_DESCRIBE: (i16, i16) = (0, 1);
const DELETE_GROUPS: (i16, i16) = (1, 3);
/// 10 names topics by id.
const OFFSET_FETCH: (i16, i16) = (8, 9);
const OFFSET_COMMIT: (i16, i16) = (6, 9);
/// What a commit from outside says its generation is.
const NO_GENERATION: i32 = -1;

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupListing {
    /// Its name.
    pub name: String,
    /// As Kafka calls it: `Stable`, `Empty`, ….
    pub state: String,
    /// `classic`, `consumer`, …; empty if the broker doesn't say.
    pub kind: String,
    /// Id of the broker that coordinates it.
    pub coordinator: i32,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id.
    pub id: String,
    /// Its static id, if it has one.
    pub instance: Option<String>,
    /// What its client calls itself.
    pub client_id: String,
    /// Where it connects from.
    pub host: String,
    /// What it reads.
    pub partitions: Vec<Place>,
}

/// A group, from near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// As Kafka calls it; `Dead` for one that doesn't exist.
    pub state: String,
    /// `classic` or `consumer`.
    pub kind: String,
    /// How partitions are dealt; empty without members.
    pub assignor: String,
    /// Id of the broker that coordinates it.
    pub coordinator: i32,
    /// Its members, by id.
    pub members: Vec<GroupMember>,
}

/// What a group has committed for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The partition.
    pub place: Place,
    /// Offset of the next record to read.
    pub offset: Offset,
}

impl Client {
    /// All groups of all brokers, by name.
    pub async fn groups(&self) -> Result<Vec<GroupListing>, ClientError> {
        self.overview().await?;
        let mut groups = Vec::new();
        for node in self.node_ids() {
            let reply = self
                .with_retries(async || {
                    let ask = ListGroupsRequest::default();
                    let reply = self.ask_node(node, Lane::Requests, &ask, LIST_GROUPS, Duration::ZERO).await?;
                    refused(&format!("groups of broker {node}"), reply.error_code, None)?;
                    Ok(reply)
                })
                .await?;
            groups.extend(reply.groups.iter().map(|group| GroupListing {
                name: group.group_id.to_string(),
                state: group.group_state.to_string(),
                kind: group.group_type.to_string(),
                coordinator: node,
            }));
        }
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(groups)
    }

    /// A group with its members. One that doesn't exist is `Dead` and has none.
    pub async fn group(&self, name: &str) -> Result<Group, ClientError> {
        match self.classic_group(name).await {
            // A group of the newer protocol (KIP-848) isn't there for the older request.
            Ok(group) if group.state == "Dead" => match self.consumer_group(name).await {
                Ok(group) => Ok(group),
                Err(_) => Ok(group),
            },
            Err(ClientError::Refused(no)) if no.code == ErrorCode::GroupIdNotFound => self.consumer_group(name).await,
            done => done,
        }
    }

    async fn classic_group(&self, name: &str) -> Result<Group, ClientError> {
        let ask = DescribeGroupsRequest { groups: vec![name.into()], include_authorized_operations: false };
        let subject = format!("group \"{name}\"");
        let (coordinator, said) = self
            .ask_coordinator(name, &ask, DESCRIBE_GROUPS, |reply| {
                let said = reply.groups.into_iter().next().ok_or_else(|| missing(&subject))?;
                refused(&subject, said.error_code, said.error_message.as_deref())?;
                Ok(said)
            })
            .await?;
        let member = |member: &ouzel_wire::describe_groups::DescribedGroupMember| GroupMember {
            id: member.member_id.to_string(),
            instance: member.group_instance_id.as_ref().map(|id| id.to_string()),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
            partitions: match said.protocol_type.as_str() {
                "consumer" => assigned(&member.member_assignment),
                _ => Vec::new(),
            },
        };
        let mut members: Vec<GroupMember> = said.members.iter().map(member).collect();
        members.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Group {
            name: name.to_owned(),
            state: said.group_state.to_string(),
            kind: "classic".to_owned(),
            assignor: said.protocol_data.to_string(),
            coordinator,
            members,
        })
    }

    async fn consumer_group(&self, name: &str) -> Result<Group, ClientError> {
        let ask = ConsumerGroupDescribeRequest { group_ids: vec![name.into()], include_authorized_operations: false };
        let subject = format!("group \"{name}\"");
        let (coordinator, said) = self
            .ask_coordinator(name, &ask, CONSUMER_GROUP_DESCRIBE, |reply| {
                let said = reply.groups.into_iter().next().ok_or_else(|| missing(&subject))?;
                refused(&subject, said.error_code, said.error_message.as_deref())?;
                Ok(said)
            })
            .await?;
        let member = |member: &ouzel_wire::consumer_group_describe::Member| GroupMember {
            id: member.member_id.to_string(),
            instance: member.instance_id.as_ref().map(|id| id.to_string()),
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
            partitions: member
                .assignment
                .topic_partitions
                .iter()
                .flat_map(|topic| topic.partitions.iter().map(|partition| Place::new(&topic.topic_name, *partition)))
                .collect(),
        };
        let mut members: Vec<GroupMember> = said.members.iter().map(member).collect();
        members.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Group {
            name: name.to_owned(),
            state: said.group_state.to_string(),
            kind: "consumer".to_owned(),
            assignor: said.assignor_name.to_string(),
            coordinator,
            members,
        })
    }

    /// What a group has committed, by topic and partition. Nothing for a group that doesn't exist.
    pub async fn committed(&self, group: &str) -> Result<Vec<Committed>, ClientError> {
        let asked = OffsetFetchRequestGroup { group_id: group.into(), topics: None, ..Default::default() };
        let ask = OffsetFetchRequest { groups: vec![asked], ..Default::default() };
        let subject = format!("group \"{group}\"");
        let (_, said) = self
            .ask_coordinator(group, &ask, OFFSET_FETCH, |reply| {
                let said = reply.groups.into_iter().next().ok_or_else(|| missing(&subject))?;
                refused(&subject, said.error_code, None)?;
                Ok(said)
            })
            .await?;
        let mut committed = Vec::new();
        for topic in &said.topics {
            let name: Rc<str> = topic.name.as_str().into();
            for partition in &topic.partitions {
                let place = Place { topic: name.clone(), partition: partition.partition_index };
                refused(&format!("offset of {place} in {subject}"), partition.error_code, None)?;
                if partition.committed_offset >= 0 {
                    committed.push(Committed { place, offset: Offset(partition.committed_offset) });
                }
            }
        }
        committed.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(committed)
    }

    /// Commits offsets for a group that nobody is in. `Refused` with UNKNOWN_MEMBER_ID while somebody is.
    pub async fn commit_for(&self, group: &str, offsets: &[Committed]) -> Result<(), ClientError> {
        self.commit_as(group, "", NO_GENERATION, offsets).await
    }

    pub(crate) async fn commit_as(
        &self,
        group: &str,
        member: &str,
        generation: i32,
        offsets: &[Committed],
    ) -> Result<(), ClientError> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for committed in offsets {
            topics.entry(&committed.place.topic).or_default().push(OffsetCommitRequestPartition {
                partition_index: committed.place.partition,
                committed_offset: committed.offset.0,
                ..Default::default()
            });
        }
        let topic = |(name, partitions): (&str, Vec<_>)| OffsetCommitRequestTopic {
            name: name.into(),
            partitions,
            ..Default::default()
        };
        let ask = OffsetCommitRequest {
            group_id: group.into(),
            generation_id_or_member_epoch: generation,
            member_id: member.into(),
            topics: topics.into_iter().map(topic).collect(),
            ..Default::default()
        };
        self.ask_coordinator(group, &ask, OFFSET_COMMIT, |reply| {
            for topic in &reply.topics {
                for partition in &topic.partitions {
                    let subject = format!("group \"{group}\", {}-{}", topic.name, partition.partition_index);
                    refused(&subject, partition.error_code, None)?;
                }
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Deletes groups that nobody is in, with what they committed. One outcome each, in the order asked.
    pub async fn delete_groups(&self, names: &[String]) -> Result<Vec<Outcome>, ClientError> {
        let mut all = Vec::new();
        for name in names {
            let ask = DeleteGroupsRequest { groups_names: vec![name.into()] };
            let (_, outcome) = self
                .ask_coordinator(name, &ask, DELETE_GROUPS, |reply| {
                    let said = reply.results.iter();
                    let said = said.map(|r| (r.group_id.to_string(), r.error_code, r.error_message.as_deref()));
                    let outcome = outcomes(std::iter::once(name.as_str()), said).pop().expect("one was asked");
                    match outcome.result {
                        Err(no) if no.code.is_retriable() => Err(no),
                        _ => Ok(outcome),
                    }
                })
                .await?;
            all.push(outcome);
        }
        Ok(all)
    }

    /// Id of the broker that coordinates a group.
    pub(crate) async fn coordinator(&self, group: &str) -> Result<i32, ClientError> {
        let ask = FindCoordinatorRequest { coordinator_keys: vec![group.into()], ..Default::default() };
        let reply = self.ask(&ask, FIND_COORDINATOR).await?;
        let subject = format!("coordinator of group \"{group}\"");
        let said = reply.coordinators.first().ok_or_else(|| missing(&subject))?;
        refused(&subject, said.error_code, said.error_message.as_deref())?;
        self.note_node(said.node_id, &said.host, said.port);
        Ok(said.node_id)
    }

    /// Asks a group's coordinator; `read` takes the reply apart, and what it refuses is tried again if that can help.
    pub(crate) async fn ask_coordinator<R: Request, T>(
        &self,
        group: &str,
        body: &R,
        versions: (i16, i16),
        mut read: impl FnMut(R::Response) -> Result<T, Refused>,
    ) -> Result<(i32, T), ClientError> {
        self.with_retries(async || {
            let node = self.coordinator(group).await?;
            let reply = self.ask_node(node, Lane::Group, body, versions, Duration::ZERO).await?;
            Ok((node, read(reply)?))
        })
        .await
    }
}

/// What a classic consumer was given; nothing if its bytes can't be read.
fn assigned(bytes: &[u8]) -> Vec<Place> {
    let Ok(assignment) = ConsumerProtocolAssignment::decode_or_newer(bytes) else { return Vec::new() };
    places_of(&assignment.assigned_partitions)
}

pub(crate) fn places_of(assigned: &[AssignedTopicPartition]) -> Vec<Place> {
    let mut places = Vec::new();
    for topic in assigned {
        let name: Rc<str> = topic.topic.as_str().into();
        places.extend(topic.partitions.iter().map(|p| Place { topic: name.clone(), partition: *p }));
    }
    places.sort();
    places
}

fn missing(subject: &str) -> Refused {
    Refused::new(subject, ErrorCode::UnknownServerError as i16, Some("the reply doesn't name it"))
}
