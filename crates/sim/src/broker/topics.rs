//! The topics that are there from the start, and how a client names a partition.

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::{CreateTopicsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use ouzel_runtime::Runtime;

use super::client::Cluster;
use super::session::Session;
use crate::history::Partition;

/// Partitions of each topic.
pub const PARTITIONS: i32 = 3;

/// A topic that every broker has.
pub struct Fixed {
    /// Its name.
    pub name: &'static str,
    settings: &'static [(&'static str, &'static str)],
}

/// Clocks jump by years: nothing may age out.
const KEPT: (&str, &str) = ("retention.ms", "-1");
/// Takes records of any time, so that clocks which differ by years don't stop all writing.
const ANY_TIME: (&str, &str) = ("message.timestamp.after.max.ms", "9223372036854775807");

/// All of them.
pub const FIXED: [Fixed; 2] =
    [Fixed { name: "t0", settings: &[KEPT] }, Fixed { name: "t1", settings: &[KEPT, ANY_TIME] }];

/// A partition as a client asks for it.
#[derive(Clone)]
pub struct Place {
    /// Which broker.
    pub node: usize,
    /// Its topic.
    pub topic: TopicName,
    /// Its number.
    pub number: i32,
    /// What the history calls it.
    pub partition: Partition,
}

impl Cluster {
    /// A partition of a fixed topic.
    pub fn place(&self, node: usize, topic: &Fixed, number: i32) -> Place {
        let partition = self.history.partition(&format!("{}/{}/{number}", self.nodes[node], topic.name));
        Place { node, topic: TopicName(StrBytes::from_static_str(topic.name)), number, partition }
    }
}

/// Creates the fixed topics; whether all are there.
pub async fn create(rt: &Runtime, session: &mut Session) -> bool {
    let topics = FIXED
        .iter()
        .map(|topic| wanted(TopicName(StrBytes::from_static_str(topic.name)), PARTITIONS, topic.settings))
        .collect();
    let request = CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(5_000);
    let Some(answer) = session.ask(rt, 5, &request).await else { return false };
    // TOPIC_ALREADY_EXISTS is as good.
    answer.topics.iter().all(|t| matches!(t.error_code, 0 | 36))
}

/// A topic in a request for its creation.
pub fn wanted(name: TopicName, partitions: i32, settings: &[(&'static str, &'static str)]) -> CreatableTopic {
    let config = |&(name, value)| {
        let (name, value) = (StrBytes::from_static_str(name), StrBytes::from_static_str(value));
        CreatableTopicConfig::default().with_name(name).with_value(Some(value))
    };
    CreatableTopic::default()
        .with_name(name)
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(settings.iter().map(config).collect())
}
