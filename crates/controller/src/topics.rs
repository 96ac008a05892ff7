//! Creating, growing and deleting topics: requests are checked against an image and become commands.
//!
//! The checks and their order are Kafka's (KIP-4, KIP-195, KIP-516, KIP-525, KIP-599).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ouzel_model::config::{ClusterConfig, Scope, Values, check, check_topic};
use ouzel_model::{NodeId, PartitionId, TopicId, TopicName, TopicNameError};

use crate::command::{Command, Partition};
use crate::placement::Placement;
use crate::{AdminError, Image, Local, Plan, Topic};

/// Most partitions one request may create. Source: Kafka's `MAX_PARTITIONS_PER_BATCH`.
pub const PARTITIONS_PER_REQUEST_MAX: usize = 10_000;

/// A topic to create, as a client asks for it.
#[derive(Clone, Debug, Default)]
pub struct NewTopic {
    /// Its name, not checked.
    pub name: String,
    /// Number of partitions; -1 for the cluster's default, and with `assignments`.
    pub partitions: i32,
    /// Replicas of each partition; -1 for the cluster's default, and with `assignments`.
    pub replication_factor: i16,
    /// By hand: partition and the nodes of its replicas. Empty: the controller chooses.
    pub assignments: Vec<(i32, Vec<i32>)>,
    /// Settings of its own; of a name given twice the last counts.
    pub configs: Vec<(String, Option<String>)>,
}

impl NewTopic {
    /// With the cluster's defaults.
    pub fn named(name: &str) -> NewTopic {
        NewTopic { name: name.to_string(), partitions: -1, replication_factor: -1, ..NewTopic::default() }
    }
}

/// Topics to create, in the order of the requests; of those that can be, the topic as it will be. Without
/// `validate_only` the plan's commands create them. `new_id` gives ids no topic ever had (see [`TopicId::from_random`]).
pub fn plan_create_topics(
    image: &Image,
    local: Local<'_>,
    requests: &[NewTopic],
    validate_only: bool,
    new_id: &mut dyn FnMut() -> TopicId,
) -> Plan<Vec<Result<Arc<Topic>, AdminError>>> {
    let config = image.cluster_config(local);
    let wanted: usize = requests.iter().map(|request| partitions_wanted(request, &config)).sum();
    if wanted > PARTITIONS_PER_REQUEST_MAX {
        let error = AdminError::PolicyViolation("Excessively large number of partitions per request.".into());
        return Plan { commands: Vec::new(), outcome: vec![Err(error); requests.len()] };
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    requests.iter().for_each(|request| *names.entry(&request.name).or_default() += 1);

    // Each topic is planned against the image with those before it: names may collide within a request, and loads add up.
    let mut after = image.clone();
    let mut commands = Vec::new();
    let mut create = |request: &NewTopic| {
        if names[&*request.name] > 1 {
            return Err(AdminError::InvalidRequest("Duplicate topic name.".into()));
        }
        let command = plan_create_topic(&after, local, &config, request, new_id())?;
        assert!(after.apply(&command), "a planned topic fits the image it was planned on");
        commands.push(command);
        Ok(after.topic(&request.name).expect("it was just created").clone())
    };
    let outcome: Vec<_> = requests.iter().map(&mut create).collect();
    if validate_only {
        commands.clear();
    }
    Plan { commands, outcome }
}

fn partitions_wanted(request: &NewTopic, config: &ClusterConfig) -> usize {
    match request.partitions {
        _ if !request.assignments.is_empty() => request.assignments.len(),
        -1 => config.num_partitions as usize,
        partitions => usize::try_from(partitions).unwrap_or(0),
    }
}

/// One topic to create, with the cluster's settings as they count here. The caller bounds the number of partitions.
pub fn plan_create_topic(
    image: &Image,
    local: Local<'_>,
    config: &ClusterConfig,
    request: &NewTopic,
    id: TopicId,
) -> Result<Command, AdminError> {
    let name = new_name(image, &request.name)?;
    assert!(!id.is_zero() && image.topic_by_id(id).is_none(), "topic id {id} isn't new");
    let mut values = topic_values(&request.configs)?;
    if name.is_internal() {
        internal_values(config).into_iter().for_each(|(key, value)| {
            values.entry(key).or_insert(value);
        });
    }
    check_topic(&values, image.layers(local))?;
    let partitions =
        if request.assignments.is_empty() { placed(image, config, request)? } else { assigned(image, request)? };
    Ok(Command::CreateTopic { id, name, partitions, config: values })
}

/// The topic that keeps groups and offsets, to be created on its first use.
pub fn offsets_topic(image: &Image, config: &ClusterConfig) -> NewTopic {
    let nodes = i16::try_from(image.nodes().len()).unwrap_or(i16::MAX);
    NewTopic {
        partitions: config.offsets_topic_partitions,
        replication_factor: config.offsets_topic_replication_factor.min(nodes),
        ..NewTopic::named("__consumer_offsets")
    }
}

/// What an internal topic needs, whoever creates it: nothing in it may go by age.
fn internal_values(config: &ClusterConfig) -> Values {
    Values::from([
        ("cleanup.policy".to_string(), "compact".to_string()),
        ("compression.type".to_string(), "producer".to_string()),
        ("segment.bytes".to_string(), config.offsets_topic_segment_bytes.to_string()),
    ])
}

fn new_name(image: &Image, name: &str) -> Result<TopicName, AdminError> {
    let name = TopicName::new(name).map_err(|error| AdminError::InvalidTopic(bad_name(name, error)))?;
    if name.as_str() == "__cluster_metadata" {
        return Err(AdminError::InvalidRequest("Creation of internal topic __cluster_metadata is prohibited.".into()));
    }
    if image.topic(name.as_str()).is_some() {
        return Err(AdminError::TopicExists(name));
    }
    match image.colliding(&name) {
        Some(other) => Err(AdminError::InvalidTopic(format!("Topic '{name}' collides with existing topic: {other}"))),
        None => Ok(name),
    }
}

fn bad_name(name: &str, error: TopicNameError) -> String {
    let why = match error {
        TopicNameError::Empty => "the empty string is not allowed".to_string(),
        TopicNameError::Dots => format!("'{name}' is not allowed"),
        TopicNameError::TooLong(_) => {
            format!("the length of '{name}' is longer than the max allowed length {}", TopicName::LENGTH_MAX)
        }
        TopicNameError::Character => {
            let shown: String = name.chars().take(TopicName::LENGTH_MAX).collect();
            format!("'{shown}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")
        }
    };
    format!("Topic name is invalid: {why}")
}

fn topic_values(configs: &[(String, Option<String>)]) -> Result<Values, AdminError> {
    let mut values = Values::new();
    for (name, text) in configs {
        let text = text.as_ref().ok_or_else(|| AdminError::NullConfig(name.clone()))?;
        let (name, value) = check(Scope::Topic, name, text)?;
        values.insert(name, value);
    }
    Ok(values)
}

fn placed(image: &Image, config: &ClusterConfig, request: &NewTopic) -> Result<Vec<Partition>, AdminError> {
    let factor = match request.replication_factor {
        -1 => config.default_replication_factor,
        factor if factor > 0 => factor,
        _ => {
            let text = "Replication factor must be larger than 0, or -1 to use the default value.";
            return Err(AdminError::InvalidReplicationFactor(text.into()));
        }
    };
    let count = match request.partitions {
        -1 => config.num_partitions,
        count if count > 0 => count,
        _ => {
            let text = "Number of partitions was set to an invalid non-positive value.";
            return Err(AdminError::InvalidPartitions(text.into()));
        }
    };
    if factor as usize > image.nodes().len() {
        let nodes = image.nodes().len();
        return Err(AdminError::InvalidReplicationFactor(format!(
            "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} cannot be \
             reached because only {nodes} broker(s) are registered."
        )));
    }
    let mut placement = Placement::new(image, &[]);
    Ok((0..count).map(|_| placement.place(factor as usize)).collect())
}

fn assigned(image: &Image, request: &NewTopic) -> Result<Vec<Partition>, AdminError> {
    for (value, name) in
        [(i32::from(request.replication_factor), "replication factor"), (request.partitions, "numPartitions")]
    {
        if value != -1 {
            return Err(AdminError::InvalidRequest(format!(
                "A manual partition assignment was specified, but {name} was not set to -1."
            )));
        }
    }
    let mut by_number: BTreeMap<i32, &[i32]> = BTreeMap::new();
    for (number, nodes) in &request.assignments {
        if by_number.insert(*number, nodes).is_some() {
            return Err(AdminError::InvalidReplicaAssignment(format!(
                "Found multiple manual partition assignments for partition {number}"
            )));
        }
    }
    if !by_number.keys().copied().eq(0..by_number.len() as i32) {
        return Err(AdminError::InvalidReplicaAssignment(
            "partitions should be a consecutive 0-based integer sequence".into(),
        ));
    }
    place_by_hand(image, &[], by_number.values().copied())
}

/// Partitions on the nodes that were named, each with as many replicas as the topic's others.
fn place_by_hand<'a>(
    image: &Image,
    present: &[Partition],
    assignments: impl Iterator<Item = &'a [i32]>,
) -> Result<Vec<Partition>, AdminError> {
    let mut factor = present.first().map(|partition| partition.replicas.len());
    let mut placement = Placement::new(image, present);
    let refuse = |text: String| Err(AdminError::InvalidReplicaAssignment(text));
    let mut partitions = Vec::new();
    for nodes in assignments {
        if nodes.is_empty() {
            return refuse("The manual partition assignment includes an empty replica list.".into());
        }
        let mut seen = BTreeSet::new();
        for node in nodes {
            if !image.nodes().contains_key(&NodeId(*node)) {
                return refuse(format!(
                    "The manual partition assignment includes broker {node}, but no such broker is registered."
                ));
            }
            if !seen.insert(node) {
                return refuse(format!("The manual partition assignment includes the broker {node} more than once."));
            }
        }
        let expected = *factor.get_or_insert(nodes.len());
        if nodes.len() != expected {
            return refuse(format!(
                "The manual partition assignment includes a partition with {} replica(s), but this is not consistent \
                 with previous partitions, which have {expected} replica(s).",
                nodes.len()
            ));
        }
        let nodes: Vec<NodeId> = nodes.iter().copied().map(NodeId).collect();
        partitions.push(placement.place_on(&nodes));
    }
    Ok(partitions)
}

/// A topic to grow, as a client asks for it.
#[derive(Clone, Debug)]
pub struct Growth {
    /// The topic's name.
    pub name: String,
    /// Partitions it shall have in all.
    pub count: i32,
    /// By hand: the nodes of each new partition's replicas.
    pub assignments: Option<Vec<Vec<i32>>>,
}

/// Topics to grow, in the order of the requests. Without `validate_only` the plan's commands do it.
pub fn plan_create_partitions(
    image: &Image,
    requests: &[Growth],
    validate_only: bool,
) -> Plan<Vec<Result<(), AdminError>>> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    requests.iter().for_each(|request| *names.entry(&request.name).or_default() += 1);
    let mut after = image.clone();
    let mut commands = Vec::new();
    let mut room = PARTITIONS_PER_REQUEST_MAX;
    let mut grow = |request: &Growth| {
        if names[&*request.name] > 1 {
            return Err(AdminError::InvalidRequest("Duplicate topic name.".into()));
        }
        let command = plan_growth(&after, request, &mut room)?;
        assert!(after.apply(&command), "planned partitions fit the image they were planned on");
        commands.push(command);
        Ok(())
    };
    let outcome = requests.iter().map(&mut grow).collect();
    if validate_only {
        commands.clear();
    }
    Plan { commands, outcome }
}

/// One topic to grow by at most `room` partitions, which are taken from it.
fn plan_growth(image: &Image, request: &Growth, room: &mut usize) -> Result<Command, AdminError> {
    let topic = image.topic(&request.name).ok_or(AdminError::UnknownTopic)?;
    // A group's partition follows from the number of partitions: growing would move it away from its records.
    if topic.name.is_internal() {
        return Err(AdminError::InternalTopic(topic.name.clone()));
    }
    let present = topic.partitions.len();
    let count = usize::try_from(request.count).unwrap_or(0);
    if count == present {
        return Err(AdminError::InvalidPartitions(format!("Topic already has {present} partition(s).")));
    }
    if count < present {
        return Err(AdminError::InvalidPartitions(format!(
            "The topic {} currently has {present} partition(s); {} would not be an increase.",
            topic.name, request.count
        )));
    }
    let added = count - present;
    if added > *room {
        let text = "Excessively large number of partitions per request.";
        return Err(AdminError::PolicyViolation(text.into()));
    }
    let partitions = match &request.assignments {
        None => {
            let factor = topic.partitions.first().map_or(1, |partition| partition.replicas.len());
            let nodes = image.nodes().len();
            if factor > nodes {
                return Err(AdminError::InvalidReplicationFactor(format!(
                    "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} \
                     cannot be reached because only {nodes} broker(s) are registered."
                )));
            }
            let mut placement = Placement::new(image, &topic.partitions);
            (0..added).map(|_| placement.place(factor)).collect()
        }
        Some(assignments) if assignments.len() != added => {
            return Err(AdminError::InvalidReplicaAssignment(format!(
                "Attempted to add {added} additional partition(s), but only {} assignment(s) were specified.",
                assignments.len()
            )));
        }
        Some(assignments) => place_by_hand(image, &topic.partitions, assignments.iter().map(Vec::as_slice))?,
    };
    *room -= added;
    Ok(Command::CreatePartitions { id: topic.id, first: PartitionId(present as i32), partitions })
}

/// A topic by the one or the other of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicRef {
    /// By name.
    Name(String),
    /// By id.
    Id(TopicId),
}

/// Topics to delete, in the order of the requests; of those that can be, the topic as it was.
pub fn plan_delete_topics(
    image: &Image,
    local: Local<'_>,
    requests: &[TopicRef],
) -> Plan<Vec<Result<Arc<Topic>, AdminError>>> {
    if !image.cluster_config(local).delete_topic_enable {
        return Plan { commands: Vec::new(), outcome: vec![Err(AdminError::TopicDeletionDisabled); requests.len()] };
    }
    let mut seen = BTreeSet::new();
    let mut delete = |request: &TopicRef| {
        let topic = match request {
            TopicRef::Name(name) => image.topic(name).ok_or(AdminError::UnknownTopic)?,
            TopicRef::Id(id) => image.topic_by_id(*id).ok_or(AdminError::UnknownTopicId(*id))?,
        };
        if !seen.insert(topic.id) {
            return Err(AdminError::InvalidRequest("Duplicate topic name.".into()));
        }
        if topic.name.is_internal() {
            return Err(AdminError::InternalTopic(topic.name.clone()));
        }
        Ok(topic.clone())
    };
    let outcome: Vec<Result<Arc<Topic>, AdminError>> = requests.iter().map(&mut delete).collect();
    let commands = outcome.iter().flatten().map(|topic| Command::DeleteTopic { id: topic.id }).collect();
    Plan { commands, outcome }
}

/// A block of `count` producer ids; its first id is the plan's outcome. `None` when the ids are used up.
pub fn plan_producer_ids(image: &Image, count: u32) -> Plan<Option<i64>> {
    assert!(count > 0, "a block holds at least one id");
    let first = image.next_producer_id();
    match first.checked_add(i64::from(count)) {
        Some(_) => Plan { commands: vec![Command::AllocateProducerIds { first, count }], outcome: Some(first) },
        None => Plan { commands: Vec::new(), outcome: None },
    }
}
