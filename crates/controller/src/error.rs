//! Why an administrator's request isn't carried out.

use ouzel_model::config::SettingError;
use ouzel_model::{TopicId, TopicName};

/// Why a request isn't carried out. Texts are for people, in Kafka's words where a client may know them; each variant's
/// doc names the protocol's error that says the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// The name isn't legal or collides. INVALID_TOPIC_EXCEPTION.
    #[error("{0}")]
    InvalidTopic(String),
    /// Coordinators own this topic. INVALID_TOPIC_EXCEPTION.
    #[error("Topic '{0}' is internal: the broker keeps groups, offsets or transactions in it.")]
    InternalTopic(TopicName),
    /// TOPIC_ALREADY_EXISTS.
    #[error("Topic '{0}' already exists.")]
    TopicExists(TopicName),
    /// UNKNOWN_TOPIC_OR_PARTITION.
    #[error("This server does not host this topic-partition.")]
    UnknownTopic,
    /// UNKNOWN_TOPIC_ID.
    #[error("This server does not host this topic ID.")]
    UnknownTopicId(TopicId),
    /// TOPIC_DELETION_DISABLED.
    #[error("Topic deletion is disabled.")]
    TopicDeletionDisabled,
    /// INVALID_PARTITIONS.
    #[error("{0}")]
    InvalidPartitions(String),
    /// INVALID_REPLICATION_FACTOR.
    #[error("{0}")]
    InvalidReplicationFactor(String),
    /// INVALID_REPLICA_ASSIGNMENT.
    #[error("{0}")]
    InvalidReplicaAssignment(String),
    /// A setting isn't known, legal or built. INVALID_CONFIG.
    #[error(transparent)]
    InvalidConfig(#[from] SettingError),
    /// A topic was to be created with a setting of no value. INVALID_CONFIG.
    #[error("Null value not supported for topic configs: {0}")]
    NullConfig(String),
    /// APPEND or SUBTRACT of a setting that isn't a list. INVALID_CONFIG.
    #[error("Can't {operation} to key {name} because its type is not LIST.")]
    NotAList {
        /// `APPEND` or `SUBTRACT`.
        operation: &'static str,
        /// The setting.
        name: String,
    },
    /// The request contradicts itself or asks for what can't be altered. INVALID_REQUEST.
    #[error("{0}")]
    InvalidRequest(String),
    /// More than the cluster takes at once. POLICY_VIOLATION.
    #[error("{0}")]
    PolicyViolation(String),
}
