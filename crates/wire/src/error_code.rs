//! Kafka's error codes, one table.

macro_rules! errors {
    (@retriable retry) => { true };
    (@retriable stop) => { false };
    ($($code:literal $variant:ident $name:ident $retry:ident;)*) => {
        /// What a response's `error_code` says. `i16::from(code)` and `code as i16` give the number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(#[doc = concat!(stringify!($name), ", ", stringify!($code), ".")] $variant = $code,)*
        }

        impl ErrorCode {
            /// All of them, ascending from -1 without a gap.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// Kafka's name, as `NOT_LEADER_OR_FOLLOWER`.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorCode::$variant => stringify!($name),)*
                }
            }

            /// Whether Kafka's Java client tries again by itself.
            pub fn is_retriable(self) -> bool {
                match self {
                    $(ErrorCode::$variant => errors!(@retriable $retry),)*
                }
            }
        }
    };
}

errors! {
    -1 UnknownServerError UNKNOWN_SERVER_ERROR stop;
    0 None NONE stop;
    1 OffsetOutOfRange OFFSET_OUT_OF_RANGE stop;
    2 CorruptMessage CORRUPT_MESSAGE retry;
    3 UnknownTopicOrPartition UNKNOWN_TOPIC_OR_PARTITION retry;
    4 InvalidFetchSize INVALID_FETCH_SIZE stop;
    5 LeaderNotAvailable LEADER_NOT_AVAILABLE retry;
    6 NotLeaderOrFollower NOT_LEADER_OR_FOLLOWER retry;
    7 RequestTimedOut REQUEST_TIMED_OUT retry;
    8 BrokerNotAvailable BROKER_NOT_AVAILABLE stop;
    9 ReplicaNotAvailable REPLICA_NOT_AVAILABLE retry;
    10 MessageTooLarge MESSAGE_TOO_LARGE stop;
    11 StaleControllerEpoch STALE_CONTROLLER_EPOCH stop;
    12 OffsetMetadataTooLarge OFFSET_METADATA_TOO_LARGE stop;
    13 NetworkException NETWORK_EXCEPTION retry;
    14 CoordinatorLoadInProgress COORDINATOR_LOAD_IN_PROGRESS retry;
    15 CoordinatorNotAvailable COORDINATOR_NOT_AVAILABLE retry;
    16 NotCoordinator NOT_COORDINATOR retry;
    17 InvalidTopicException INVALID_TOPIC_EXCEPTION stop;
    18 RecordListTooLarge RECORD_LIST_TOO_LARGE stop;
    19 NotEnoughReplicas NOT_ENOUGH_REPLICAS retry;
    20 NotEnoughReplicasAfterAppend NOT_ENOUGH_REPLICAS_AFTER_APPEND retry;
    21 InvalidRequiredAcks INVALID_REQUIRED_ACKS stop;
    22 IllegalGeneration ILLEGAL_GENERATION stop;
    23 InconsistentGroupProtocol INCONSISTENT_GROUP_PROTOCOL stop;
    24 InvalidGroupId INVALID_GROUP_ID stop;
    25 UnknownMemberId UNKNOWN_MEMBER_ID stop;
    26 InvalidSessionTimeout INVALID_SESSION_TIMEOUT stop;
    27 RebalanceInProgress REBALANCE_IN_PROGRESS stop;
    28 InvalidCommitOffsetSize INVALID_COMMIT_OFFSET_SIZE stop;
    29 TopicAuthorizationFailed TOPIC_AUTHORIZATION_FAILED stop;
    30 GroupAuthorizationFailed GROUP_AUTHORIZATION_FAILED stop;
    31 ClusterAuthorizationFailed CLUSTER_AUTHORIZATION_FAILED stop;
    32 InvalidTimestamp INVALID_TIMESTAMP stop;
    33 UnsupportedSaslMechanism UNSUPPORTED_SASL_MECHANISM stop;
    34 IllegalSaslState ILLEGAL_SASL_STATE stop;
    35 UnsupportedVersion UNSUPPORTED_VERSION stop;
    36 TopicAlreadyExists TOPIC_ALREADY_EXISTS stop;
    37 InvalidPartitions INVALID_PARTITIONS stop;
    38 InvalidReplicationFactor INVALID_REPLICATION_FACTOR stop;
    39 InvalidReplicaAssignment INVALID_REPLICA_ASSIGNMENT stop;
    40 InvalidConfig INVALID_CONFIG stop;
    41 NotController NOT_CONTROLLER retry;
    42 InvalidRequest INVALID_REQUEST stop;
    43 UnsupportedForMessageFormat UNSUPPORTED_FOR_MESSAGE_FORMAT stop;
    44 PolicyViolation POLICY_VIOLATION stop;
    45 OutOfOrderSequenceNumber OUT_OF_ORDER_SEQUENCE_NUMBER stop;
    46 DuplicateSequenceNumber DUPLICATE_SEQUENCE_NUMBER stop;
    47 InvalidProducerEpoch INVALID_PRODUCER_EPOCH stop;
    48 InvalidTxnState INVALID_TXN_STATE stop;
    49 InvalidProducerIdMapping INVALID_PRODUCER_ID_MAPPING stop;
    50 InvalidTransactionTimeout INVALID_TRANSACTION_TIMEOUT stop;
    51 ConcurrentTransactions CONCURRENT_TRANSACTIONS retry;
    52 TransactionCoordinatorFenced TRANSACTION_COORDINATOR_FENCED stop;
    53 TransactionalIdAuthorizationFailed TRANSACTIONAL_ID_AUTHORIZATION_FAILED stop;
    54 SecurityDisabled SECURITY_DISABLED stop;
    55 OperationNotAttempted OPERATION_NOT_ATTEMPTED stop;
    56 KafkaStorageError KAFKA_STORAGE_ERROR retry;
    57 LogDirNotFound LOG_DIR_NOT_FOUND stop;
    58 SaslAuthenticationFailed SASL_AUTHENTICATION_FAILED stop;
    59 UnknownProducerId UNKNOWN_PRODUCER_ID stop;
    60 ReassignmentInProgress REASSIGNMENT_IN_PROGRESS stop;
    61 DelegationTokenAuthDisabled DELEGATION_TOKEN_AUTH_DISABLED stop;
    62 DelegationTokenNotFound DELEGATION_TOKEN_NOT_FOUND stop;
    63 DelegationTokenOwnerMismatch DELEGATION_TOKEN_OWNER_MISMATCH stop;
    64 DelegationTokenRequestNotAllowed DELEGATION_TOKEN_REQUEST_NOT_ALLOWED stop;
    65 DelegationTokenAuthorizationFailed DELEGATION_TOKEN_AUTHORIZATION_FAILED stop;
    66 DelegationTokenExpired DELEGATION_TOKEN_EXPIRED stop;
    67 InvalidPrincipalType INVALID_PRINCIPAL_TYPE stop;
    68 NonEmptyGroup NON_EMPTY_GROUP stop;
    69 GroupIdNotFound GROUP_ID_NOT_FOUND stop;
    70 FetchSessionIdNotFound FETCH_SESSION_ID_NOT_FOUND retry;
    71 InvalidFetchSessionEpoch INVALID_FETCH_SESSION_EPOCH retry;
    72 ListenerNotFound LISTENER_NOT_FOUND retry;
    73 TopicDeletionDisabled TOPIC_DELETION_DISABLED stop;
    74 FencedLeaderEpoch FENCED_LEADER_EPOCH retry;
    75 UnknownLeaderEpoch UNKNOWN_LEADER_EPOCH retry;
    76 UnsupportedCompressionType UNSUPPORTED_COMPRESSION_TYPE stop;
    77 StaleBrokerEpoch STALE_BROKER_EPOCH stop;
    78 OffsetNotAvailable OFFSET_NOT_AVAILABLE retry;
    79 MemberIdRequired MEMBER_ID_REQUIRED stop;
    80 PreferredLeaderNotAvailable PREFERRED_LEADER_NOT_AVAILABLE retry;
    81 GroupMaxSizeReached GROUP_MAX_SIZE_REACHED stop;
    82 FencedInstanceId FENCED_INSTANCE_ID stop;
    83 EligibleLeadersNotAvailable ELIGIBLE_LEADERS_NOT_AVAILABLE retry;
    84 ElectionNotNeeded ELECTION_NOT_NEEDED retry;
    85 NoReassignmentInProgress NO_REASSIGNMENT_IN_PROGRESS stop;
    86 GroupSubscribedToTopic GROUP_SUBSCRIBED_TO_TOPIC stop;
    87 InvalidRecord INVALID_RECORD stop;
    88 UnstableOffsetCommit UNSTABLE_OFFSET_COMMIT retry;
    89 ThrottlingQuotaExceeded THROTTLING_QUOTA_EXCEEDED retry;
    90 ProducerFenced PRODUCER_FENCED stop;
    91 ResourceNotFound RESOURCE_NOT_FOUND stop;
    92 DuplicateResource DUPLICATE_RESOURCE stop;
    93 UnacceptableCredential UNACCEPTABLE_CREDENTIAL stop;
    94 InconsistentVoterSet INCONSISTENT_VOTER_SET stop;
    95 InvalidUpdateVersion INVALID_UPDATE_VERSION stop;
    96 FeatureUpdateFailed FEATURE_UPDATE_FAILED stop;
    97 PrincipalDeserializationFailure PRINCIPAL_DESERIALIZATION_FAILURE stop;
    98 SnapshotNotFound SNAPSHOT_NOT_FOUND stop;
    99 PositionOutOfRange POSITION_OUT_OF_RANGE stop;
    100 UnknownTopicId UNKNOWN_TOPIC_ID retry;
    101 DuplicateBrokerRegistration DUPLICATE_BROKER_REGISTRATION stop;
    102 BrokerIdNotRegistered BROKER_ID_NOT_REGISTERED stop;
    103 InconsistentTopicId INCONSISTENT_TOPIC_ID retry;
    104 InconsistentClusterId INCONSISTENT_CLUSTER_ID stop;
    105 TransactionalIdNotFound TRANSACTIONAL_ID_NOT_FOUND stop;
    106 FetchSessionTopicIdError FETCH_SESSION_TOPIC_ID_ERROR retry;
    107 IneligibleReplica INELIGIBLE_REPLICA stop;
    108 NewLeaderElected NEW_LEADER_ELECTED stop;
    109 OffsetMovedToTieredStorage OFFSET_MOVED_TO_TIERED_STORAGE stop;
    110 FencedMemberEpoch FENCED_MEMBER_EPOCH stop;
    111 UnreleasedInstanceId UNRELEASED_INSTANCE_ID stop;
    112 UnsupportedAssignor UNSUPPORTED_ASSIGNOR stop;
    113 StaleMemberEpoch STALE_MEMBER_EPOCH stop;
    114 MismatchedEndpointType MISMATCHED_ENDPOINT_TYPE stop;
    115 UnsupportedEndpointType UNSUPPORTED_ENDPOINT_TYPE stop;
    116 UnknownControllerId UNKNOWN_CONTROLLER_ID stop;
    117 UnknownSubscriptionId UNKNOWN_SUBSCRIPTION_ID stop;
    118 TelemetryTooLarge TELEMETRY_TOO_LARGE stop;
    119 InvalidRegistration INVALID_REGISTRATION stop;
    120 TransactionAbortable TRANSACTION_ABORTABLE stop;
    121 InvalidRecordState INVALID_RECORD_STATE stop;
    122 ShareSessionNotFound SHARE_SESSION_NOT_FOUND retry;
    123 InvalidShareSessionEpoch INVALID_SHARE_SESSION_EPOCH retry;
    124 FencedStateEpoch FENCED_STATE_EPOCH stop;
    125 InvalidVoterKey INVALID_VOTER_KEY stop;
    126 DuplicateVoter DUPLICATE_VOTER stop;
    127 VoterNotFound VOTER_NOT_FOUND stop;
    128 InvalidRegularExpression INVALID_REGULAR_EXPRESSION stop;
    129 RebootstrapRequired REBOOTSTRAP_REQUIRED stop;
    130 StreamsInvalidTopology STREAMS_INVALID_TOPOLOGY stop;
    131 StreamsInvalidTopologyEpoch STREAMS_INVALID_TOPOLOGY_EPOCH stop;
    132 StreamsTopologyFenced STREAMS_TOPOLOGY_FENCED stop;
    133 ShareSessionLimitReached SHARE_SESSION_LIMIT_REACHED retry;
    134 GroupDeletionFailed GROUP_DELETION_FAILED stop;
    135 StreamsTopologyDescriptionUpdateFailed STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED stop;
    136 ControllerIdNotRegistered CONTROLLER_ID_NOT_REGISTERED stop;
}

impl ErrorCode {
    /// The error of this code; `UnknownServerError` for a code there isn't, as clients treat it.
    pub fn from_code(code: i16) -> ErrorCode {
        let place = usize::try_from(i32::from(code) + 1).ok();
        place.and_then(|place| ErrorCode::ALL.get(place)).copied().unwrap_or(ErrorCode::UnknownServerError)
    }
}

impl From<ErrorCode> for i16 {
    fn from(code: ErrorCode) -> i16 {
        code as i16
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_by_their_number() {
        for (place, &code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(code as i16, place as i16 - 1);
            assert_eq!(ErrorCode::from_code(code.into()), code);
        }
        assert_eq!(ErrorCode::from_code(6).name(), "NOT_LEADER_OR_FOLLOWER");
        assert!(ErrorCode::NotLeaderOrFollower.is_retriable() && !ErrorCode::InvalidRecord.is_retriable());
        for unknown in [-2, 137, i16::MAX, i16::MIN] {
            assert_eq!(ErrorCode::from_code(unknown), ErrorCode::UnknownServerError);
        }
    }
}
