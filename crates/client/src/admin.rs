//! Topics and their settings: what an operator asks any broker.

use ouzel_wire::ErrorCode;
use ouzel_wire::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use ouzel_wire::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use ouzel_wire::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use ouzel_wire::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use ouzel_wire::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use ouzel_wire::incremental_alter_configs::{AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest};

use std::time::Duration;

use ouzel_model::Offset;

use crate::cluster::{Client, Lane, Place};
use crate::error::{ClientError, Refused, refused};

const CREATE_TOPICS: (i16, i16) = (4, 7);
const DELETE_TOPICS: (i16, i16) = (6, 6);
const CREATE_PARTITIONS: (i16, i16) = (0, 3);
const DELETE_RECORDS: (i16, i16) = (0, 2);
const DESCRIBE_CONFIGS: (i16, i16) = (1, 4);
const ALTER_CONFIGS: (i16, i16) = (0, 1);
/// Kafka's number of a topic among the kinds of resources.
const TOPIC: i8 = 2;
/// How long the broker may take for a change.
const CHANGE_WAIT_MS: i32 = 20_000;

/// A topic to make.
#[derive(Clone, Debug)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; -1 leaves it to the cluster.
    pub partitions: i32,
    /// How many copies; -1 leaves it to the cluster.
    pub replicas: i16,
    /// Its settings, name and value.
    pub configs: Vec<(String, String)>,
}

impl NewTopic {
    /// A topic as the cluster makes them.
    pub fn named(name: &str) -> NewTopic {
        NewTopic { name: name.to_owned(), partitions: -1, replicas: -1, configs: Vec::new() }
    }
}

/// What became of one topic.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// How it went.
    pub result: Result<(), Refused>,
}

/// A partition whose first records were taken away.
#[derive(Clone, Debug)]
pub struct TopicLowered {
    /// The partition.
    pub place: Place,
    /// Its first offset now, or why nothing was done.
    pub result: Result<Offset, Refused>,
}

/// Where a setting's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// Set on the topic.
    Topic,
    /// Set on the cluster or the broker.
    Cluster,
    /// Built in.
    Default,
    /// Another.
    Other,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// Its value; `None` if it is a secret or has none.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: ConfigSource,
}

/// A change of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChange {
    /// Gives it a value.
    Set(String, String),
    /// Takes its value away: the cluster's holds again.
    Delete(String),
    /// Adds to a list.
    Append(String, String),
    /// Takes from a list.
    Subtract(String, String),
}

impl Client {
    /// Makes topics; with `dry_run` only says whether it would work. One outcome each, in the order asked.
    pub async fn create_topics(&self, topics: &[NewTopic], dry_run: bool) -> Result<Vec<Outcome>, ClientError> {
        let config =
            |(name, value): &(String, String)| CreatableTopicConfig { name: name.into(), value: Some(value.into()) };
        let topic = |topic: &NewTopic| CreatableTopic {
            name: (&topic.name).into(),
            num_partitions: topic.partitions,
            replication_factor: topic.replicas,
            assignments: Vec::new(),
            configs: topic.configs.iter().map(config).collect(),
        };
        let ask = CreateTopicsRequest {
            topics: topics.iter().map(topic).collect(),
            timeout_ms: CHANGE_WAIT_MS,
            validate_only: dry_run,
        };
        let reply = self.ask(&ask, CREATE_TOPICS).await?;
        let said = reply.topics.iter().map(|t| (t.name.to_string(), t.error_code, t.error_message.as_deref()));
        Ok(outcomes(topics.iter().map(|topic| topic.name.as_str()), said))
    }

    /// Deletes topics. One outcome each, in the order asked.
    pub async fn delete_topics(&self, names: &[String]) -> Result<Vec<Outcome>, ClientError> {
        let topic = |name: &String| DeleteTopicState { name: Some(name.into()), ..Default::default() };
        let topics = names.iter().map(topic).collect();
        let ask = DeleteTopicsRequest { topics, timeout_ms: CHANGE_WAIT_MS, ..Default::default() };
        let reply = self.ask(&ask, DELETE_TOPICS).await?;
        let said = reply.responses.iter().map(|t| {
            let name = t.name.as_ref().map(|name| name.to_string()).unwrap_or_default();
            (name, t.error_code, t.error_message.as_deref())
        });
        names.iter().for_each(|name| self.forget(name));
        Ok(outcomes(names.iter().map(String::as_str), said))
    }

    /// Raises topics to a number of partitions. One outcome each, in the order asked.
    pub async fn raise_partitions(&self, topics: &[(String, i32)]) -> Result<Vec<Outcome>, ClientError> {
        let topic = |(name, count): &(String, i32)| CreatePartitionsTopic {
            name: name.into(),
            count: *count,
            assignments: None,
        };
        let ask = CreatePartitionsRequest {
            topics: topics.iter().map(topic).collect(),
            timeout_ms: CHANGE_WAIT_MS,
            validate_only: false,
        };
        let reply = self.ask(&ask, CREATE_PARTITIONS).await?;
        let said = reply.results.iter().map(|t| (t.name.to_string(), t.error_code, t.error_message.as_deref()));
        topics.iter().for_each(|(name, _)| self.forget(name));
        Ok(outcomes(topics.iter().map(|(name, _)| name.as_str()), said))
    }

    /// Takes away the records below an offset (exclusive; -1 means the high watermark) of each partition, all of one topic.
    pub async fn delete_records(&self, cuts: &[(Place, Offset)]) -> Result<Vec<TopicLowered>, ClientError> {
        let places: Vec<Place> = cuts.iter().map(|(place, _)| place.clone()).collect();
        let mut lowered = Vec::new();
        for (node, places) in self.by_leader(&places).await? {
            let mut topics: Vec<DeleteRecordsTopic> = Vec::new();
            for (place, offset) in cuts.iter().filter(|(place, _)| places.contains(place)) {
                let partition = DeleteRecordsPartition { partition_index: place.partition, offset: offset.0 };
                match topics.last_mut().filter(|topic| topic.name == *place.topic) {
                    Some(topic) => topic.partitions.push(partition),
                    None => {
                        topics.push(DeleteRecordsTopic { name: (&*place.topic).into(), partitions: vec![partition] })
                    }
                }
            }
            let ask = DeleteRecordsRequest { topics, timeout_ms: CHANGE_WAIT_MS };
            let reply = self.ask_node(node, Lane::Requests, &ask, DELETE_RECORDS, Duration::ZERO).await?;
            for topic in &reply.topics {
                for partition in &topic.partitions {
                    let place = Place::new(&topic.name, partition.partition_index);
                    let result = refused(&place.to_string(), partition.error_code, None);
                    lowered.push(TopicLowered { place, result: result.map(|()| Offset(partition.low_watermark)) });
                }
            }
        }
        lowered.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(lowered)
    }

    /// A topic's settings, by name.
    pub async fn topic_configs(&self, topic: &str) -> Result<Vec<ConfigEntry>, ClientError> {
        let resource =
            DescribeConfigsResource { resource_type: TOPIC, resource_name: topic.into(), configuration_keys: None };
        let ask = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
        let reply = self.ask(&ask, DESCRIBE_CONFIGS).await?;
        let mut entries = Vec::new();
        for result in &reply.results {
            refused(&format!("topic \"{topic}\""), result.error_code, result.error_message.as_deref())?;
            entries.extend(result.configs.iter().map(|config| ConfigEntry {
                name: config.name.to_string(),
                value: config.value.as_ref().map(|value| value.to_string()),
                source: match config.config_source {
                    1 => ConfigSource::Topic,
                    2..=4 => ConfigSource::Cluster,
                    5 => ConfigSource::Default,
                    _ => ConfigSource::Other,
                },
            }));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Changes settings of topics, all of one topic or none. One outcome each, in the order asked.
    pub async fn alter_topics(
        &self,
        topics: &[String],
        changes: &[ConfigChange],
        dry_run: bool,
    ) -> Result<Vec<Outcome>, ClientError> {
        let change = |change: &ConfigChange| {
            let (operation, name, value) = match change {
                ConfigChange::Set(name, value) => (0, name, Some(value)),
                ConfigChange::Delete(name) => (1, name, None),
                ConfigChange::Append(name, value) => (2, name, Some(value)),
                ConfigChange::Subtract(name, value) => (3, name, Some(value)),
            };
            AlterableConfig { name: name.into(), config_operation: operation, value: value.map(Into::into) }
        };
        let topic = |name: &String| AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: name.into(),
            configs: changes.iter().map(change).collect(),
        };
        let ask =
            IncrementalAlterConfigsRequest { resources: topics.iter().map(topic).collect(), validate_only: dry_run };
        let reply = self.ask(&ask, ALTER_CONFIGS).await?;
        let said =
            reply.responses.iter().map(|r| (r.resource_name.to_string(), r.error_code, r.error_message.as_deref()));
        Ok(outcomes(topics.iter().map(String::as_str), said))
    }
}

/// What a reply says of each name; one that it leaves out has failed.
pub(crate) fn outcomes<'a>(
    asked: impl Iterator<Item = &'a str>,
    said: impl Iterator<Item = (String, i16, Option<&'a str>)>,
) -> Vec<Outcome> {
    let said: Vec<_> = said.collect();
    let outcome = |name: &str| {
        let subject = format!("\"{name}\"");
        let result = match said.iter().find(|(said, ..)| said == name) {
            Some((_, code, message)) => refused(&subject, *code, *message),
            None => {
                let missing = Some("the reply doesn't name it");
                Err(Refused::new(subject, ErrorCode::UnknownServerError as i16, missing))
            }
        };
        Outcome { name: name.to_owned(), result }
    };
    asked.map(outcome).collect()
}
