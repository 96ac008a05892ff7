//! The one place where outcomes become Kafka's error codes. No match here has a `_` arm: a new outcome needs its code.

use ouzel_controller::{AdminError, ProposeError};
use ouzel_groups::{
    CommitError, CommitOffsetError, DeleteGroupError, DeleteOffsetError, DeleteOffsetsError, FetchError,
    HeartbeatError, JoinError, LeaveError, LeaverError, SyncError, Unavailable, UnstableOffset,
};
use ouzel_model::{PartitionId, TopicId};
use ouzel_partition::{AppendError, AppendRefused, DeleteError, LookupError, ProducerError, ReadError};
use ouzel_records::Refusal;
use ouzel_shard::{ChangeError, Shard};
use ouzel_wire::ErrorCode;

/// Of a partition that isn't open on its shard: to a client that its disk spoiled it isn't unknown.
pub(crate) fn absent(shard: &Shard, topic: TopicId, partition: PartitionId) -> ErrorCode {
    match shard.is_offline(topic, partition) {
        true => ErrorCode::KafkaStorageError,
        false => ErrorCode::UnknownTopicOrPartition,
    }
}

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

pub(crate) fn unavailable(why: &Unavailable) -> ErrorCode {
    match why {
        Unavailable::Loading => ErrorCode::CoordinatorLoadInProgress,
        Unavailable::NotCoordinator => ErrorCode::NotCoordinator,
        Unavailable::Busy | Unavailable::NotStored => ErrorCode::CoordinatorNotAvailable,
    }
}

pub(crate) fn join(error: &JoinError) -> ErrorCode {
    match error {
        JoinError::Unavailable(why) => unavailable(why),
        JoinError::InvalidGroupId(_) => ErrorCode::InvalidGroupId,
        JoinError::InvalidSessionTimeout { .. } => ErrorCode::InvalidSessionTimeout,
        JoinError::InconsistentProtocol => ErrorCode::InconsistentGroupProtocol,
        JoinError::MemberIdRequired(_) => ErrorCode::MemberIdRequired,
        JoinError::UnknownMember => ErrorCode::UnknownMemberId,
        JoinError::FencedInstance => ErrorCode::FencedInstanceId,
        JoinError::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        JoinError::GroupFull => ErrorCode::GroupMaxSizeReached,
        JoinError::TooLarge(_) => ErrorCode::InvalidRequest,
        JoinError::TooManyGroups => ErrorCode::CoordinatorNotAvailable,
    }
}

pub(crate) fn sync(error: &SyncError) -> ErrorCode {
    match error {
        SyncError::Unavailable(why) => unavailable(why),
        SyncError::InvalidGroupId => ErrorCode::InvalidGroupId,
        SyncError::UnknownMember => ErrorCode::UnknownMemberId,
        SyncError::FencedInstance => ErrorCode::FencedInstanceId,
        SyncError::IllegalGeneration => ErrorCode::IllegalGeneration,
        SyncError::InconsistentProtocol => ErrorCode::InconsistentGroupProtocol,
        SyncError::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        SyncError::TooLarge => ErrorCode::UnknownServerError,
    }
}

pub(crate) fn heartbeat(error: &HeartbeatError) -> ErrorCode {
    match error {
        HeartbeatError::Unavailable(why) => unavailable(why),
        HeartbeatError::InvalidGroupId => ErrorCode::InvalidGroupId,
        HeartbeatError::UnknownMember => ErrorCode::UnknownMemberId,
        HeartbeatError::FencedInstance => ErrorCode::FencedInstanceId,
        HeartbeatError::IllegalGeneration => ErrorCode::IllegalGeneration,
        HeartbeatError::RebalanceInProgress => ErrorCode::RebalanceInProgress,
    }
}

pub(crate) fn leave(error: &LeaveError) -> ErrorCode {
    match error {
        LeaveError::Unavailable(why) => unavailable(why),
        LeaveError::InvalidGroupId => ErrorCode::InvalidGroupId,
        LeaveError::UnknownMember => ErrorCode::UnknownMemberId,
    }
}

pub(crate) fn leaver(error: &LeaverError) -> ErrorCode {
    match error {
        LeaverError::UnknownMember => ErrorCode::UnknownMemberId,
        LeaverError::FencedInstance => ErrorCode::FencedInstanceId,
    }
}

/// `version` is OffsetCommit's.
pub(crate) fn commit(error: &CommitError, version: i16) -> ErrorCode {
    match error {
        CommitError::Unavailable(why) => unavailable(why),
        CommitError::InvalidGroupId => ErrorCode::InvalidGroupId,
        CommitError::GroupNotFound if version >= 9 => ErrorCode::GroupIdNotFound,
        CommitError::GroupNotFound | CommitError::IllegalGeneration => ErrorCode::IllegalGeneration,
        CommitError::UnknownMember => ErrorCode::UnknownMemberId,
        CommitError::FencedInstance => ErrorCode::FencedInstanceId,
        CommitError::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        CommitError::TooLarge => ErrorCode::InvalidCommitOffsetSize,
        CommitError::TooManyGroups => ErrorCode::CoordinatorNotAvailable,
    }
}

pub(crate) fn commit_offset(error: &CommitOffsetError) -> ErrorCode {
    match error {
        CommitOffsetError::MetadataTooLarge => ErrorCode::OffsetMetadataTooLarge,
        CommitOffsetError::TooManyOffsets => ErrorCode::InvalidCommitOffsetSize,
    }
}

pub(crate) fn fetch_offsets(error: &FetchError) -> ErrorCode {
    match error {
        FetchError::Unavailable(why) => unavailable(why),
    }
}

pub(crate) fn unstable(UnstableOffset: &UnstableOffset) -> ErrorCode {
    ErrorCode::UnstableOffsetCommit
}

pub(crate) fn delete_offsets(error: &DeleteOffsetsError) -> ErrorCode {
    match error {
        DeleteOffsetsError::Unavailable(why) => unavailable(why),
        DeleteOffsetsError::InvalidGroupId => ErrorCode::InvalidGroupId,
        DeleteOffsetsError::GroupNotFound => ErrorCode::GroupIdNotFound,
        DeleteOffsetsError::NonEmptyGroup => ErrorCode::NonEmptyGroup,
        DeleteOffsetsError::TooLarge => ErrorCode::InvalidRequest,
    }
}

pub(crate) fn delete_offset(error: &DeleteOffsetError) -> ErrorCode {
    match error {
        DeleteOffsetError::SubscribedToTopic => ErrorCode::GroupSubscribedToTopic,
    }
}

pub(crate) fn delete_group(error: &DeleteGroupError) -> ErrorCode {
    match error {
        DeleteGroupError::Unavailable(why) => unavailable(why),
        DeleteGroupError::GroupNotFound => ErrorCode::GroupIdNotFound,
        DeleteGroupError::NonEmptyGroup => ErrorCode::NonEmptyGroup,
    }
}
