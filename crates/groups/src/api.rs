//! What a coordinator is asked and what it answers, in plain types.
//!
//! Every request but [`ListGroups`] is about one group; a Kafka request that names several is split by the caller.
//! Lists in answers keep the order of the request, so that a caller can lay them beside it.

use bytes::Bytes;
use ouzel_model::{PartitionId, ProducerEpoch, ProducerId, Timestamp, TopicId, TopicName};

/// Names the caller's waiting request. The coordinator answers each id exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyId(pub u64);

/// Names one append; ascending in the order in which appends must reach the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppendId(pub u64);

/// Both clocks at the moment of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a monotonic clock: sessions and rebalances run by it.
    pub mono_ms: u64,
    /// Wall clock: stamped into records, and what offset retention counts by.
    pub wall: Timestamp,
}

/// A key and its value, `None` deleting the key.
pub type Record = (Vec<u8>, Option<Vec<u8>>);

/// A producer whose transaction holds offset commits. Source: KIP-98.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The producer.
    pub producer: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
}

/// Records for the coordinator's partition: one batch, all or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Give it back to [`crate::Groups::appended`], exactly once.
    pub id: AppendId,
    /// At least one record, together at most `append_bytes_max`.
    pub records: Vec<Record>,
    /// When given the batch is a transactional one of this producer.
    pub transaction: Option<Transaction>,
}

/// What the owner must do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Answer the request of that id.
    Reply(ReplyId, GroupResponse),
    /// Append to the partition, in the order of the ids.
    Append(Append),
    /// A rewrite is done: see [`crate::Groups::compact`].
    Compacted,
}

/// Why an append wasn't committed. It must not take effect later while this coordinator serves: where the outcome is
/// unknown, give the coordinator up with [`crate::Groups::resign`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendFailed {
    /// This node no longer leads the partition.
    #[error("this node doesn't lead the coordinator's partition")]
    NotLeader,
    /// Refused for now: no quorum, no space, no memory.
    #[error("the coordinator's partition takes no records at the moment")]
    Refused,
}

/// Why the coordinator can't take a call now, whatever it asks. All are retriable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Its state is being read (COORDINATOR_LOAD_IN_PROGRESS).
    #[error("the coordinator is loading its groups")]
    Loading,
    /// It gave its groups up (NOT_COORDINATOR).
    #[error("this node doesn't coordinate the group")]
    NotCoordinator,
    /// Too many calls wait for this group (COORDINATOR_NOT_AVAILABLE).
    #[error("too many calls wait for this group")]
    Busy,
    /// The records could not be stored and nothing changed (COORDINATOR_NOT_AVAILABLE).
    #[error("the group's records could not be stored")]
    NotStored,
}

/// A call on the coordinator.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each variant is the struct of its name
pub enum GroupRequest {
    Join(JoinGroup),
    Sync(SyncGroup),
    Heartbeat(Heartbeat),
    Leave(LeaveGroup),
    CommitOffsets(CommitOffsets),
    FetchOffsets(FetchOffsets),
    DeleteOffsets(DeleteOffsets),
    List(ListGroups),
    Describe(DescribeGroup),
    Delete(DeleteGroup),
}

/// The answer, of the same variant as the request.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // as in the request
pub enum GroupResponse {
    Join(Result<Joined, JoinError>),
    Sync(Result<Synced, SyncError>),
    Heartbeat(Result<(), HeartbeatError>),
    /// One result for each leaver.
    Leave(Result<Vec<Result<(), LeaverError>>, LeaveError>),
    /// One result for each offset.
    CommitOffsets(Result<Vec<Result<(), CommitOffsetError>>, CommitError>),
    FetchOffsets(Result<Vec<FetchedOffset>, FetchError>),
    /// One result for each partition.
    DeleteOffsets(Result<Vec<Result<(), DeleteOffsetError>>, DeleteOffsetsError>),
    List(Result<Vec<ListedGroup>, Unavailable>),
    Describe(Result<Description, Unavailable>),
    Delete(Result<(), DeleteGroupError>),
}

/// One way a member can have partitions assigned, in its order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// `range`, `cooperative-sticky`, …
    pub name: String,
    /// What the member tells the leader, opaque here but for the topics of protocol type `consumer`.
    pub metadata: Bytes,
}

/// JoinGroup (key 11).
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroup {
    /// The group.
    pub group: String,
    /// Empty for a newcomer.
    pub member_id: String,
    /// Static membership. Source: KIP-345.
    pub instance_id: Option<String>,
    /// From the request header.
    pub client_id: String,
    /// As Kafka prints it: `/127.0.0.1`.
    pub client_host: String,
    /// Milliseconds.
    pub session_timeout_ms: i32,
    /// Milliseconds; in version 0 the session timeout.
    pub rebalance_timeout_ms: i32,
    /// `consumer`, `connect`, …
    pub protocol_type: String,
    /// In order of preference.
    pub protocols: Vec<Protocol>,
    /// Version 4 and up: a newcomer gets its id first and joins with it. Source: KIP-394.
    pub member_id_required: bool,
    /// Version 9 and up: a returning static leader may be told to skip the assignment. Source: KIP-814.
    pub can_skip_assignment: bool,
    /// Fresh random bytes, from which a member id is made.
    pub random: [u8; 16],
}

/// A member is in a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The generation, from 1.
    pub generation: i32,
    /// As the members gave it.
    pub protocol_type: String,
    /// The protocol the members' votes chose.
    pub protocol: String,
    /// Who assigns.
    pub leader: String,
    /// The leader needn't assign anew.
    pub skip_assignment: bool,
    /// The joiner's id.
    pub member_id: String,
    /// For the leader all members, by id; empty for others.
    pub members: Vec<JoinedMember>,
}

/// What the leader learns of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// Its metadata for the chosen protocol.
    pub metadata: Bytes,
}

/// Why a join failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Try again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The group id is empty or too long (INVALID_GROUP_ID).
    #[error("a group id has 1 to {0} bytes")]
    InvalidGroupId(usize),
    /// Outside the broker's bounds, inclusive (INVALID_SESSION_TIMEOUT).
    #[error("the session timeout must lie between {min} and {max} ms")]
    InvalidSessionTimeout {
        /// Smallest, ms.
        min: i32,
        /// Largest, ms.
        max: i32,
    },
    /// Other protocol type, or no protocol in common with all members (INCONSISTENT_GROUP_PROTOCOL).
    #[error("the member's protocols don't match the group's")]
    InconsistentProtocol,
    /// Join again with this id (MEMBER_ID_REQUIRED).
    #[error("join again as {0}")]
    MemberIdRequired(String),
    /// UNKNOWN_MEMBER_ID.
    #[error("the group has no such member")]
    UnknownMember,
    /// Another client took this static name (FENCED_INSTANCE_ID).
    #[error("another member has this instance id now")]
    FencedInstance,
    /// Its newer join took the place of this one, or join again (REBALANCE_IN_PROGRESS).
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    /// Members or their metadata would pass the group's bound (GROUP_MAX_SIZE_REACHED).
    #[error("the group is full")]
    GroupFull,
    /// A name or the metadata is over its bound (INVALID_REQUEST).
    #[error("{0} is over its bound")]
    TooLarge(&'static str),
    /// The coordinator holds its bound of groups (COORDINATOR_NOT_AVAILABLE).
    #[error("the coordinator has no room for another group")]
    TooManyGroups,
}

/// SyncGroup (key 14).
#[derive(Clone, Debug, PartialEq)]
pub struct SyncGroup {
    /// The group.
    pub group: String,
    /// The member.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// Its generation.
    pub generation: i32,
    /// Checked when given (version 5). Source: KIP-559.
    pub protocol_type: Option<String>,
    /// Checked when given (version 5).
    pub protocol: Option<String>,
    /// From the leader: who gets what. Members left out get nothing, strangers are ignored.
    pub assignments: Vec<(String, Bytes)>,
}

/// A member's assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// The group's.
    pub protocol_type: String,
    /// The chosen one.
    pub protocol: String,
    /// Opaque.
    pub assignment: Bytes,
}

/// Why a sync failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// Try again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// INVALID_GROUP_ID.
    #[error("the group id is empty or too long")]
    InvalidGroupId,
    /// UNKNOWN_MEMBER_ID.
    #[error("the group has no such member")]
    UnknownMember,
    /// FENCED_INSTANCE_ID.
    #[error("another member has this instance id now")]
    FencedInstance,
    /// ILLEGAL_GENERATION.
    #[error("the group is in another generation")]
    IllegalGeneration,
    /// INCONSISTENT_GROUP_PROTOCOL.
    #[error("the group chose another protocol")]
    InconsistentProtocol,
    /// REBALANCE_IN_PROGRESS.
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    /// The assignments don't fit one record (UNKNOWN_SERVER_ERROR, as Kafka).
    #[error("the assignments are over the bound of a group's record")]
    TooLarge,
}

/// Heartbeat (key 12).
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// The group.
    pub group: String,
    /// The member.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// Its generation.
    pub generation: i32,
}

/// Why a heartbeat failed. There is none for loading: the member is taken to be alive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeartbeatError {
    /// Try again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// INVALID_GROUP_ID.
    #[error("the group id is empty or too long")]
    InvalidGroupId,
    /// UNKNOWN_MEMBER_ID.
    #[error("the group has no such member")]
    UnknownMember,
    /// FENCED_INSTANCE_ID.
    #[error("another member has this instance id now")]
    FencedInstance,
    /// ILLEGAL_GENERATION.
    #[error("the group is in another generation")]
    IllegalGeneration,
    /// Join again; the session was renewed (REBALANCE_IN_PROGRESS).
    #[error("the group is rebalancing")]
    RebalanceInProgress,
}

/// LeaveGroup (key 13); up to version 2 with one leaver, whose error becomes the request's.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaveGroup {
    /// The group.
    pub group: String,
    /// Who leaves. Source: KIP-345.
    pub leavers: Vec<Leaver>,
}

/// A member that leaves, by id, or by static name with an empty id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaver {
    /// Empty: whoever holds the instance id.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
}

/// Why a whole LeaveGroup failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaveError {
    /// Try again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// INVALID_GROUP_ID.
    #[error("the group id is empty or too long")]
    InvalidGroupId,
    /// No such group (UNKNOWN_MEMBER_ID).
    #[error("there is no such group, so no such member")]
    UnknownMember,
}

/// Why one leaver stayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaverError {
    /// UNKNOWN_MEMBER_ID.
    #[error("the group has no such member")]
    UnknownMember,
    /// FENCED_INSTANCE_ID.
    #[error("another member has this instance id now")]
    FencedInstance,
}

/// OffsetCommit (key 8), and TxnOffsetCommit (key 28) when `transaction` is given.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitOffsets {
    /// The group; may be empty, for Kafka takes that too.
    pub group: String,
    /// Empty for a consumer that isn't a member.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// Negative for a consumer that isn't a member.
    pub generation: i32,
    /// Versions 2 to 4: milliseconds to keep the offsets, instead of the broker's retention.
    pub retention_ms: Option<i64>,
    /// The offsets become visible when this transaction commits.
    pub transaction: Option<Transaction>,
    /// What to commit. That the partitions exist and may be read, the caller checked.
    pub offsets: Vec<CommitOffset>,
}

/// One offset to commit.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitOffset {
    /// The topic.
    pub topic: TopicName,
    /// Its id: a later topic of the same name won't see this offset.
    pub topic_id: Option<TopicId>,
    /// The partition.
    pub partition: PartitionId,
    /// The next offset to read.
    pub offset: i64,
    /// Of the last record read. Source: KIP-320.
    pub leader_epoch: Option<i32>,
    /// The client's own text.
    pub metadata: String,
}

/// Why a whole commit failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Try again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Too long (INVALID_GROUP_ID).
    #[error("the group id is too long")]
    InvalidGroupId,
    /// A member's commit to a group that isn't there (ILLEGAL_GENERATION, from version 9 on GROUP_ID_NOT_FOUND).
    #[error("there is no such group")]
    GroupNotFound,
    /// UNKNOWN_MEMBER_ID.
    #[error("the group has no such member")]
    UnknownMember,
    /// FENCED_INSTANCE_ID.
    #[error("another member has this instance id now")]
    FencedInstance,
    /// ILLEGAL_GENERATION.
    #[error("the group is in another generation")]
    IllegalGeneration,
    /// REBALANCE_IN_PROGRESS.
    #[error("the group is rebalancing")]
    RebalanceInProgress,
    /// The offsets don't fit one batch (INVALID_COMMIT_OFFSET_SIZE).
    #[error("the offsets are over the bound of one batch")]
    TooLarge,
    /// The coordinator holds its bound of groups (COORDINATOR_NOT_AVAILABLE).
    #[error("the coordinator has no room for another group")]
    TooManyGroups,
}

/// Why one offset wasn't committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitOffsetError {
    /// OFFSET_METADATA_TOO_LARGE.
    #[error("the metadata is too long")]
    MetadataTooLarge,
    /// The group holds its bound of offsets (INVALID_COMMIT_OFFSET_SIZE).
    #[error("the group has no room for another offset")]
    TooManyOffsets,
}

/// OffsetFetch (key 9), one group of it.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchOffsets {
    /// The group.
    pub group: String,
    /// `None` asks for all. Source: KIP-88 (null), KIP-709 (many groups).
    pub partitions: Option<Vec<FetchOffset>>,
    /// Don't answer beside an open transaction. Source: KIP-447.
    pub require_stable: bool,
}

/// One offset asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOffset {
    /// The topic.
    pub topic: TopicName,
    /// When given, an offset committed for another id isn't found.
    pub topic_id: Option<TopicId>,
    /// The partition.
    pub partition: PartitionId,
}

/// One partition's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedOffset {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: PartitionId,
    /// `None` where nothing is committed (-1 on the wire, no error).
    pub result: Result<Option<Committed>, UnstableOffset>,
}

/// An open transaction holds an offset of this partition (UNSTABLE_OFFSET_COMMIT).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an open transaction holds an offset of this partition")]
pub struct UnstableOffset;

/// A committed offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next offset to read.
    pub offset: i64,
    /// Of the last record read.
    pub leader_epoch: Option<i32>,
    /// The client's own text.
    pub metadata: String,
    /// When, by the coordinator's wall clock.
    pub commit_time: Timestamp,
    /// When it ends, where the client said so (OffsetCommit 2 to 4).
    pub expire_time: Option<Timestamp>,
    /// The topic's id, where the committer named it.
    pub topic_id: Option<TopicId>,
}

/// Why an OffsetFetch failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Try again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// OffsetDelete (key 47). Source: KIP-496.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteOffsets {
    /// The group.
    pub group: String,
    /// Whose offsets go.
    pub partitions: Vec<(TopicName, PartitionId)>,
}

/// Why a whole OffsetDelete failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteOffsetsError {
    /// Try again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// INVALID_GROUP_ID.
    #[error("the group id is empty or too long")]
    InvalidGroupId,
    /// GROUP_ID_NOT_FOUND.
    #[error("there is no such group")]
    GroupNotFound,
    /// It has members whose subscriptions can't be known (NON_EMPTY_GROUP).
    #[error("the group has members")]
    NonEmptyGroup,
    /// The tombstones don't fit one batch (INVALID_REQUEST).
    #[error("too many partitions for one request")]
    TooLarge,
}

/// Why one offset stays: a member reads the topic (GROUP_SUBSCRIBED_TO_TOPIC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteOffsetError {
    /// GROUP_SUBSCRIBED_TO_TOPIC.
    #[error("the group reads this topic")]
    SubscribedToTopic,
}

/// ListGroups (key 16); filters are matched without case, empty ones take all. Source: KIP-518, KIP-848.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListGroups {
    /// `Stable`, `Empty`, …
    pub states: Vec<String>,
    /// `classic`, …
    pub types: Vec<String>,
}

/// A group in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    /// Its id.
    pub group: String,
    /// Empty where only offsets are kept.
    pub protocol_type: String,
    /// Its state.
    pub state: GroupState,
    /// Its type, as Kafka names it.
    pub group_type: &'static str,
}

/// State of a classic group, by Kafka's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// No members.
    Empty,
    /// Waits for members to join.
    PreparingRebalance,
    /// Waits for the leader's assignments.
    CompletingRebalance,
    /// Every member can have its assignment.
    Stable,
    /// No such group.
    Dead,
}

impl GroupState {
    /// Kafka's name.
    pub fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
        }
    }
}

/// DescribeGroups (key 15), one group of it.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeGroup {
    /// The group.
    pub group: String,
}

/// A group as it stands. `Dead` for a missing one: what version 6 answers then, the caller decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its state.
    pub state: GroupState,
    /// Empty where there is none.
    pub protocol_type: String,
    /// The chosen one, while Stable; else empty.
    pub protocol: String,
    /// By id.
    pub members: Vec<DescribedMember>,
}

/// A member as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// From its request header.
    pub client_id: String,
    /// As Kafka prints it.
    pub client_host: String,
    /// For the chosen protocol, while Stable; else empty.
    pub metadata: Bytes,
    /// While Stable; else empty.
    pub assignment: Bytes,
}

/// DeleteGroups (key 42), one group of it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteGroup {
    /// The group.
    pub group: String,
}

/// Why a group wasn't deleted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteGroupError {
    /// Try again.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// GROUP_ID_NOT_FOUND.
    #[error("there is no such group")]
    GroupNotFound,
    /// NON_EMPTY_GROUP.
    #[error("the group has members")]
    NonEmptyGroup,
}

impl Description {
    /// Of a group that isn't there.
    pub fn dead() -> Description {
        let (protocol_type, protocol) = (String::new(), String::new());
        Description { state: GroupState::Dead, protocol_type, protocol, members: Vec::new() }
    }
}

impl GroupRequest {
    /// The group it is about; empty for the list of all.
    pub fn group(&self) -> &str {
        match self {
            GroupRequest::Join(request) => &request.group,
            GroupRequest::Sync(request) => &request.group,
            GroupRequest::Heartbeat(request) => &request.group,
            GroupRequest::Leave(request) => &request.group,
            GroupRequest::CommitOffsets(request) => &request.group,
            GroupRequest::FetchOffsets(request) => &request.group,
            GroupRequest::DeleteOffsets(request) => &request.group,
            GroupRequest::List(_) => "",
            GroupRequest::Describe(request) => &request.group,
            GroupRequest::Delete(request) => &request.group,
        }
    }

    /// The answer to this request while the coordinator can't take it. A heartbeat has none for loading.
    pub fn refused(&self, why: Unavailable) -> GroupResponse {
        match self {
            GroupRequest::Join(_) => GroupResponse::Join(Err(why.into())),
            GroupRequest::Sync(_) => GroupResponse::Sync(Err(why.into())),
            GroupRequest::Heartbeat(_) if why == Unavailable::Loading => GroupResponse::Heartbeat(Ok(())),
            GroupRequest::Heartbeat(_) => GroupResponse::Heartbeat(Err(why.into())),
            GroupRequest::Leave(_) => GroupResponse::Leave(Err(why.into())),
            GroupRequest::CommitOffsets(_) => GroupResponse::CommitOffsets(Err(why.into())),
            GroupRequest::FetchOffsets(_) => GroupResponse::FetchOffsets(Err(why.into())),
            GroupRequest::DeleteOffsets(_) => GroupResponse::DeleteOffsets(Err(why.into())),
            GroupRequest::List(_) => GroupResponse::List(Err(why)),
            GroupRequest::Describe(_) => GroupResponse::Describe(Err(why)),
            GroupRequest::Delete(_) => GroupResponse::Delete(Err(why.into())),
        }
    }
}
