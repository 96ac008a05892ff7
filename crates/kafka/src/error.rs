//! The one place where outcomes become Kafka's error codes. No match here has a `_` arm: a new outcome needs its code.

use ouzel_controller::{AdminError, ProposeError};
use ouzel_partition::{AppendError, AppendRefused, DeleteError, LookupError, ProducerError, ReadError};
use ouzel_records::Refusal;
use ouzel_shard::ChangeError;
use ouzel_wire::ErrorCode;

pub(crate) fn append(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::Unavailable(_) => ErrorCode::NotLeaderOrFollower,
        AppendError::Internal(_) => ErrorCode::InvalidTopicException,
        AppendError::Batch(refusal) => batch(refusal),
        AppendError::Decompress(_) => ErrorCode::InvalidRecord,
        AppendError::OverSegment { .. } => ErrorCode::RecordListTooLarge,
        AppendError::Transactional => ErrorCode::TransactionalIdAuthorizationFailed,
        AppendError::NotEnoughReplicas { .. } => ErrorCode::NotEnoughReplicas,
        AppendError::Producer(ProducerError::InvalidEpoch { .. }) => ErrorCode::InvalidProducerEpoch,
        AppendError::Producer(ProducerError::OutOfOrder { .. }) => ErrorCode::OutOfOrderSequenceNumber,
        AppendError::Refused(refused) => log(refused),
    }
}

fn batch(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::UnknownMagic(_) | Refusal::Length(_) | Refusal::Crc { .. } => ErrorCode::CorruptMessage,
        Refusal::UnknownCodec(_) | Refusal::ZstdTooEarly => ErrorCode::UnsupportedCompressionType,
        Refusal::TooLarge { .. } => ErrorCode::MessageTooLarge,
        Refusal::Timestamp { .. } | Refusal::TimestampType => ErrorCode::InvalidTimestamp,
        Refusal::NoBatch
        | Refusal::NotOneBatch
        | Refusal::OldMagic(_)
        | Refusal::BaseOffset(_)
        | Refusal::Count { .. }
        | Refusal::Control
        | Refusal::DeleteHorizon
        | Refusal::Sequence { .. }
        | Refusal::NotCompressed { .. }
        | Refusal::Record { .. }
        | Refusal::OffsetDelta { .. }
        | Refusal::RecordTooLarge { .. }
        | Refusal::NoKey { .. } => ErrorCode::InvalidRecord,
    }
}

fn log(refused: &AppendRefused) -> ErrorCode {
    match refused {
        // Retriable for every client: the disk may get room, the journal will.
        AppendRefused::Full { .. } => ErrorCode::KafkaStorageError,
        AppendRefused::Pinned { .. } | AppendRefused::Busy { .. } => ErrorCode::NotEnoughReplicas,
        AppendRefused::TooLarge { .. } => ErrorCode::MessageTooLarge,
        AppendRefused::Closed => ErrorCode::NotLeaderOrFollower,
    }
}

pub(crate) fn read(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::Unavailable(_) => ErrorCode::NotLeaderOrFollower,
        ReadError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        ReadError::Log(_) => ErrorCode::KafkaStorageError,
    }
}

pub(crate) fn lookup(error: &LookupError) -> ErrorCode {
    match error {
        LookupError::Unavailable(_) => ErrorCode::NotLeaderOrFollower,
        LookupError::Log(_) => ErrorCode::KafkaStorageError,
    }
}

pub(crate) fn delete_records(error: &DeleteError) -> ErrorCode {
    match error {
        DeleteError::Append(error) => append(error),
        DeleteError::Lost(_) => ErrorCode::RequestTimedOut,
        DeleteError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
    }
}

pub(crate) fn admin(error: &AdminError) -> ErrorCode {
    match error {
        AdminError::InvalidTopic(_) | AdminError::InternalTopic(_) => ErrorCode::InvalidTopicException,
        AdminError::TopicExists(_) => ErrorCode::TopicAlreadyExists,
        AdminError::UnknownTopic => ErrorCode::UnknownTopicOrPartition,
        AdminError::UnknownTopicId(_) => ErrorCode::UnknownTopicId,
        AdminError::TopicDeletionDisabled => ErrorCode::TopicDeletionDisabled,
        AdminError::InvalidPartitions(_) => ErrorCode::InvalidPartitions,
        AdminError::InvalidReplicationFactor(_) => ErrorCode::InvalidReplicationFactor,
        AdminError::InvalidReplicaAssignment(_) => ErrorCode::InvalidReplicaAssignment,
        AdminError::InvalidConfig(_) | AdminError::NullConfig(_) | AdminError::NotAList { .. } => {
            ErrorCode::InvalidConfig
        }
        AdminError::InvalidRequest(_) => ErrorCode::InvalidRequest,
        AdminError::PolicyViolation(_) => ErrorCode::PolicyViolation,
    }
}

pub(crate) fn change(error: &ChangeError) -> ErrorCode {
    match error {
        ChangeError::Refused(refused) => admin(refused),
        ChangeError::Controller(ProposeError::Refused(refused)) => log(refused),
        ChangeError::Controller(ProposeError::Busy | ProposeError::Outdated | ProposeError::Stopped)
        | ChangeError::Stopping => ErrorCode::NotController,
        ChangeError::ProducerIdsUsedUp => ErrorCode::CoordinatorNotAvailable,
    }
}
