//! The topics that are there from the start, and how a client names a partition.

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::{CreateTopicsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use ouzel_runtime::{Rng, Runtime};

use super::churn::ByName;
use super::client::Cluster;
use super::session::Session;
use crate::history::{Partition, Policy, Topic};

/// A topic that every broker has.
pub struct Fixed {
    /// Its name.
    pub name: &'static str,
    /// Its partitions.
    pub partitions: i32,
    settings: &'static [(&'static str, &'static str)],
    /// What retention may let go.
    pub policy: Option<Policy>,
}

/// Clocks jump by years: nothing may age out.
pub const KEPT: (&str, &str) = ("retention.ms", "-1");
/// Takes records of any time, so that clocks which differ by years don't stop all writing.
pub const ANY_TIME: (&str, &str) = ("message.timestamp.after.max.ms", "9223372036854775807");
/// Segments that are closed soon.
const SHORT: (&str, &str) = ("segment.ms", "2000");

const STRICT: Fixed = Fixed { name: "t0", partitions: 3, settings: &[KEPT], policy: None };
const BY_SIZE: Policy = Policy { bytes: Some(40_960), millis: None, append_time: false };
const BY_TIME: Policy = Policy { bytes: None, millis: Some(8_000), append_time: false };
const KEPT_SIZE: (&str, &str) = ("retention.bytes", "40960");
const KEPT_TIME: (&str, &str) = ("retention.ms", "8000");

/// All of them. Of those that keep everything nothing may be missing; retention acts on the others.
pub const FIXED: [Fixed; 5] = [
    STRICT,
    Fixed { name: "t1", settings: &[KEPT, ANY_TIME], ..STRICT },
    Fixed { name: "s0", partitions: 2, settings: &[KEPT, ANY_TIME, SHORT, KEPT_SIZE], policy: Some(BY_SIZE) },
    Fixed { name: "a0", partitions: 1, settings: &[ANY_TIME, SHORT, KEPT_TIME], policy: Some(BY_TIME) },
    Fixed {
        name: "a1",
        partitions: 1,
        settings: &[SHORT, KEPT_TIME, ("message.timestamp.type", "LogAppendTime")],
        policy: Some(Policy { append_time: true, ..BY_TIME }),
    },
];

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
    /// Of a topic that comes and goes: which one is meant.
    pub incarnation: Option<(u128, Topic)>,
    /// Such a topic, asked for by name all the same.
    pub by_name: Option<ByName>,
    /// What retention may let go.
    pub policy: Option<Policy>,
}

impl Place {
    /// The id that requests name it by, where they can.
    pub fn id(&self) -> Option<u128> {
        self.incarnation.filter(|_| self.by_name.is_none()).map(|(id, _)| id)
    }
}

impl Cluster {
    /// A partition of a fixed topic.
    pub fn place(&self, node: usize, topic: &Fixed, number: i32) -> Place {
        let partition = self.history.partition(&format!("{}/{}/{number}", self.nodes[node], topic.name));
        if let Some(policy) = topic.policy {
            self.history.retained(partition, node, policy);
        }
        let name = TopicName(StrBytes::from_static_str(topic.name));
        Place { node, topic: name, number, partition, incarnation: None, by_name: None, policy: topic.policy }
    }

    /// One partition of all fixed ones.
    pub fn any_place(&self, node: usize, rng: &Rng) -> Place {
        let mut number = rng.below(FIXED.iter().map(|topic| topic.partitions as u64).sum()) as i32;
        let mut topics = FIXED.iter();
        loop {
            let topic = topics.next().expect("a number below the sum");
            if number < topic.partitions {
                return self.place(node, topic, number);
            }
            number -= topic.partitions;
        }
    }
}

/// An id as the codec has it, whose crate isn't one of ours.
pub fn wire_id<T: std::str::FromStr<Err: std::fmt::Debug>>(id: u128) -> T {
    format!("{id:032x}").parse().expect("an id has 32 digits")
}

/// Creates the fixed topics; whether all are there.
pub async fn create(rt: &Runtime, session: &mut Session) -> bool {
    let topics = FIXED
        .iter()
        .map(|topic| wanted(TopicName(StrBytes::from_static_str(topic.name)), topic.partitions, topic.settings))
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
