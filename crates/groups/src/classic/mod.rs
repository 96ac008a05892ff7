//! A classic group while it is served: members, sessions and the rebalance they are in.
//!
//! All of it is in memory and starts anew from the group's record. A change that must outlive this coordinator is a
//! [`Change`]: its record goes to the log first, and [`Classic::changed`] carries it out once it is committed. While one
//! is on its way no other call reaches the group, so nothing it was computed from can move.

pub(crate) mod join;
mod leave;
mod members;
mod protocol;
mod sync;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ouzel_model::{TopicName, reached};

use crate::api::{
    AppendFailed, DescribedMember, Description, Effect, GroupResponse, GroupState, HeartbeatError, JoinError, Now,
    ReplyId, SyncError, Unavailable,
};
use crate::config::Config;
use crate::record::{GroupRecord, MemberRecord};
use crate::subscription::{CONSUMER, subscribed_topics};
use members::{Member, Members};

/// What a call gets from its coordinator.
pub(crate) struct Turn<'a> {
    pub config: &'a Config,
    pub now: Now,
    pub out: &'a mut Vec<Effect>,
}

impl Turn<'_> {
    pub fn reply(&mut self, to: ReplyId, response: GroupResponse) {
        self.out.push(Effect::Reply(to, response));
    }

    /// The time `ms` from now.
    pub fn after(&self, ms: u64) -> u64 {
        self.now.mono_ms.saturating_add(ms)
    }
}

/// A change that takes effect when its record is committed.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// All who were waited for have joined (or nobody is left).
    Generation,
    /// The leader's assignments.
    Assignment,
    /// A static member came back under a new id, and the protocol choice stands.
    Replacement(Box<join::Replacement>),
}

/// A change and the record that makes it last.
pub(crate) type Write = (Change, GroupRecord);

#[derive(Clone, Debug)]
pub(crate) struct Classic {
    phase: Phase,
    generation: i32,
    /// Empty before the first member.
    protocol_type: String,
    /// Empty before the first generation with members.
    protocol: String,
    /// Empty without members.
    leader: String,
    members: Members,
    /// Ids given to newcomers that haven't joined with them, and until when they are kept.
    reserved: BTreeMap<String, u64>,
    /// Members of this generation that haven't asked for their assignment.
    unsynced: BTreeSet<String>,
    /// When the unsynced are dropped.
    sync_deadline: Option<u64>,
    /// What the members read, where that is known.
    topics: Option<BTreeSet<TopicName>>,
    /// Earliest time at which something may be due; `u64::MAX` for none. May be too early, never too late.
    wake: u64,
}

#[derive(Clone, Debug)]
enum Phase {
    Empty,
    Preparing {
        deadline: u64,
        /// Given while an empty group waits for company.
        initial: Option<Initial>,
    },
    Completing,
    Stable,
}

#[derive(Clone, Debug)]
struct Initial {
    /// How much longer than the deadline joiners may draw the wait out.
    remaining_ms: u64,
    /// Someone joined in this wait.
    newcomers: bool,
}

impl Default for Classic {
    fn default() -> Classic {
        Classic {
            phase: Phase::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: String::new(),
            members: Members::default(),
            reserved: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            sync_deadline: None,
            topics: None,
            wake: u64::MAX,
        }
    }
}

impl Change {
    /// The answer to whoever waits for this change alone; the others' calls are held by their members.
    pub fn refused(self, why: Unavailable) -> Option<Effect> {
        match self {
            Change::Generation | Change::Assignment => None,
            Change::Replacement(replacement) => {
                Some(Effect::Reply(replacement.reply, GroupResponse::Join(Err(why.into()))))
            }
        }
    }
}

impl Classic {
    /// The group as its record has it, every member with a fresh session: time did not pass for them while no
    /// coordinator listened.
    pub fn load(turn: &mut Turn<'_>, record: Option<&GroupRecord>) -> Classic {
        let mut group = Classic::default();
        let Some(record) = record else { return group };
        group.generation = record.generation;
        group.protocol_type = record.protocol_type.clone();
        group.adopt(record);
        for stored in &record.members {
            let mut member = Member::stored(stored, &group.protocol);
            member.expires = turn.after(member.session_timeout_ms);
            group.arm(member.expires);
            group.members.insert(stored.member_id.clone(), member);
        }
        if group.members.is_empty() {
            return group;
        }
        if !group.members.contains(&group.leader) {
            group.elect_leader();
        }
        group.topics = group.read_topics();
        // A generation is stored when its members have joined and again with their assignments. Without any
        // assignment it is the former: the leader is still to bring them, or the members will join once more.
        if group.members.len() > turn.config.members_max {
            reached!("groups: loaded group is over its bound");
            group.wait_for_joins(turn.after(group.rebalance_timeout_ms()), None);
        } else if group.members.iter().all(|(_, m)| m.assignment.is_empty()) {
            reached!("groups: loaded between join and sync");
            group.begin_sync(turn);
        } else {
            group.phase = Phase::Stable;
        }
        group
    }

    pub fn wake(&self) -> u64 {
        self.wake
    }

    pub fn state(&self) -> GroupState {
        match self.phase {
            Phase::Empty => GroupState::Empty,
            Phase::Preparing { .. } => GroupState::PreparingRebalance,
            Phase::Completing => GroupState::CompletingRebalance,
            Phase::Stable => GroupState::Stable,
        }
    }

    /// The state as clients are told it. A rebalance that nobody is left to join is over for them although its record isn't stored
    /// yet: who sees the last member's leave answered may count on an empty group, as with Kafka. Calls that change the group wait.
    pub fn shown(&self) -> GroupState {
        match self.phase {
            Phase::Preparing { initial: None, .. } if self.members.is_empty() && self.reserved.is_empty() => {
                GroupState::Empty
            }
            _ => self.state(),
        }
    }

    pub fn protocol_type(&self) -> &str {
        &self.protocol_type
    }

    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// Nothing here is worth keeping: no member, nor anyone about to become one.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Empty) && self.members.is_empty() && self.reserved.is_empty()
    }

    /// The group is deleted: ids that were given out are void.
    pub fn forget(&mut self) {
        assert!(matches!(self.phase, Phase::Empty), "a group with members was deleted");
        *self = Classic::default();
    }

    /// Whether its members may read the topic: what isn't known counts as read.
    pub fn may_read(&self, topic: &TopicName) -> bool {
        !self.members.is_empty() && self.topics.as_ref().is_none_or(|topics| topics.contains(topic))
    }

    pub fn heartbeat(
        &mut self,
        turn: &mut Turn<'_>,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
    ) -> Result<(), HeartbeatError> {
        self.identify(member_id, instance_id).map_err(|stranger| match stranger {
            Stranger::Unknown => HeartbeatError::UnknownMember,
            Stranger::Fenced => HeartbeatError::FencedInstance,
        })?;
        if generation != self.generation {
            return Err(HeartbeatError::IllegalGeneration);
        }
        self.renew(turn, member_id);
        match self.phase {
            Phase::Empty => Err(HeartbeatError::UnknownMember),
            Phase::Preparing { .. } => Err(HeartbeatError::RebalanceInProgress),
            Phase::Completing | Phase::Stable => Ok(()),
        }
    }

    pub fn describe(&self) -> Description {
        let stable = matches!(self.phase, Phase::Stable);
        let member = |(id, member): (&String, &Member)| DescribedMember {
            member_id: id.clone(),
            instance_id: member.instance_id().cloned(),
            client_id: member.client_id().to_string(),
            client_host: member.client_host().to_string(),
            metadata: if stable { member.metadata(&self.protocol) } else { Bytes::new() },
            assignment: if stable { member.assignment.clone() } else { Bytes::new() },
        };
        Description {
            state: self.shown(),
            protocol_type: self.protocol_type.clone(),
            protocol: if stable { self.protocol.clone() } else { String::new() },
            members: self.members.iter().map(member).collect(),
        }
    }

    /// Whether the caller is who it says. Source: KIP-345.
    pub fn identify(&self, member_id: &str, instance_id: Option<&str>) -> Result<(), Stranger> {
        if let Some(instance) = instance_id {
            match self.members.holder(instance) {
                None => return Err(Stranger::Unknown),
                Some(holder) if holder != member_id => return Err(Stranger::Fenced),
                Some(_) => {}
            }
        }
        if self.members.contains(member_id) { Ok(()) } else { Err(Stranger::Unknown) }
    }

    /// Whether a commit of this member and generation counts.
    pub fn check_commit(
        &mut self,
        turn: &mut Turn<'_>,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
        transactional: bool,
    ) -> Result<(), crate::api::CommitError> {
        use crate::api::CommitError;
        let empty = matches!(self.phase, Phase::Empty);
        // Admin tools, and consumers that assign themselves, commit to groups without members only.
        if generation < 0 && empty {
            return Ok(());
        }
        if generation >= 0 || !member_id.is_empty() || instance_id.is_some() {
            self.identify(member_id, instance_id).map_err(|stranger| match stranger {
                Stranger::Unknown => CommitError::UnknownMember,
                Stranger::Fenced => CommitError::FencedInstance,
            })?;
            if generation != self.generation {
                return Err(CommitError::IllegalGeneration);
            }
            self.renew(turn, member_id);
        } else if !transactional && !empty {
            return Err(CommitError::UnknownMember);
        }
        // The member knows the generation but not yet its assignment.
        if !transactional && matches!(self.phase, Phase::Completing) {
            return Err(CommitError::RebalanceInProgress);
        }
        Ok(())
    }

    /// The record of a change was committed (and is `record` now), or not, and then all stays as it was.
    pub fn changed(&mut self, turn: &mut Turn<'_>, change: Change, result: Result<&GroupRecord, AppendFailed>) {
        match (change, result) {
            (Change::Generation, Ok(record)) => self.generation_committed(turn, record),
            (Change::Generation, Err(why)) => self.generation_failed(turn, why),
            (Change::Assignment, Ok(record)) => self.assignment_committed(turn, record),
            (Change::Assignment, Err(why)) => self.assignment_failed(turn, why),
            (Change::Replacement(replacement), Ok(_)) => self.replacement_committed(turn, *replacement),
            (change @ Change::Replacement(_), Err(why)) => turn.out.extend(change.refused(why.into())),
        }
    }

    /// Answers every held call.
    pub fn resign(&mut self, out: &mut Vec<Effect>) {
        let why = Unavailable::NotCoordinator;
        let joins = self.members.take_joins().into_iter();
        out.extend(joins.map(|(_, reply)| Effect::Reply(reply, GroupResponse::Join(Err(why.into())))));
        let syncs = self.members.take_syncs().into_iter();
        out.extend(syncs.map(|(_, reply)| Effect::Reply(reply, GroupResponse::Sync(Err(why.into())))));
    }

    /// The protocol, the leader and who is in, as a committed record has them.
    fn adopt(&mut self, record: &GroupRecord) {
        self.protocol = record.protocol.clone().unwrap_or_default();
        self.leader = record.leader.clone().unwrap_or_default();
    }

    fn renew(&mut self, turn: &Turn<'_>, member_id: &str) {
        if let Some(member) = self.members.get_mut(member_id) {
            member.expires = turn.after(member.session_timeout_ms);
            let at = member.expires;
            self.arm(at);
        }
    }

    fn arm(&mut self, at: u64) {
        self.wake = self.wake.min(at);
    }

    /// The longest a member may take to join or sync.
    fn rebalance_timeout_ms(&self) -> u64 {
        self.members.iter().map(|(_, m)| m.rebalance_timeout_ms).max().unwrap_or(0)
    }

    /// The group's record at this moment, for `generation`.
    fn record(&self, turn: &Turn<'_>, generation: i32, protocol: &str) -> GroupRecord {
        let member = |(id, member): (&String, &Member)| MemberRecord {
            member_id: id.clone(),
            instance_id: member.instance_id().cloned(),
            client_id: member.client_id().to_string(),
            client_host: member.client_host().to_string(),
            rebalance_timeout_ms: i32::try_from(member.rebalance_timeout_ms).unwrap_or(i32::MAX),
            session_timeout_ms: i32::try_from(member.session_timeout_ms).unwrap_or(i32::MAX),
            subscription: member.metadata(protocol),
            assignment: member.assignment.clone(),
        };
        GroupRecord {
            protocol_type: self.protocol_type.clone(),
            generation,
            protocol: (!protocol.is_empty()).then(|| protocol.to_string()),
            leader: (!self.leader.is_empty()).then(|| self.leader.clone()),
            since: Some(turn.now.wall),
            members: self.members.iter().map(member).collect(),
        }
    }

    /// What the members read by their chosen protocol; `None` when one of them doesn't say.
    fn read_topics(&self) -> Option<BTreeSet<TopicName>> {
        if self.protocol_type != CONSUMER {
            return None;
        }
        let mut all = BTreeSet::new();
        for (_, member) in self.members.iter() {
            all.append(&mut subscribed_topics(&member.metadata(&self.protocol))?);
        }
        Some(all)
    }

    /// Does what is due by now.
    pub fn expire(&mut self, turn: &mut Turn<'_>) -> Option<Write> {
        if self.wake > turn.now.mono_ms {
            return None;
        }
        let write = self.expire_due(turn);
        self.wake = self.next_wake();
        write
    }

    fn expire_due(&mut self, turn: &mut Turn<'_>) -> Option<Write> {
        let now = turn.now.mono_ms;
        self.reserved.retain(|_, until| *until > now);
        let gone: Vec<String> =
            self.members.iter().filter(|(_, m)| m.can_expire() && m.expires <= now).map(|(id, _)| id.clone()).collect();
        for id in &gone {
            self.remove(turn, id);
        }
        if let Some(write) = self.after_removal(turn, !gone.is_empty()) {
            return Some(write);
        }
        if self.sync_deadline.is_some_and(|at| at <= now) {
            self.sync_deadline = None;
            let late = std::mem::take(&mut self.unsynced);
            for id in &late {
                self.remove(turn, id);
            }
            return self.after_removal(turn, !late.is_empty());
        }
        match &self.phase {
            Phase::Preparing { deadline, .. } if *deadline <= now => self.join_deadline_passed(turn),
            _ => None,
        }
    }

    fn next_wake(&self) -> u64 {
        let members = self.members.iter().filter(|(_, m)| m.can_expire()).map(|(_, m)| m.expires);
        let join = match self.phase {
            Phase::Preparing { deadline, .. } => Some(deadline),
            _ => None,
        };
        let all = members.chain(self.reserved.values().copied()).chain(self.sync_deadline).chain(join);
        all.min().unwrap_or(u64::MAX)
    }
}

/// The caller isn't the member it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stranger {
    Unknown,
    Fenced,
}

impl From<AppendFailed> for Unavailable {
    fn from(why: AppendFailed) -> Unavailable {
        match why {
            AppendFailed::NotLeader => Unavailable::NotCoordinator,
            AppendFailed::Refused => Unavailable::NotStored,
        }
    }
}

impl From<Stranger> for JoinError {
    fn from(stranger: Stranger) -> JoinError {
        match stranger {
            Stranger::Unknown => JoinError::UnknownMember,
            Stranger::Fenced => JoinError::FencedInstance,
        }
    }
}

impl From<Stranger> for SyncError {
    fn from(stranger: Stranger) -> SyncError {
        match stranger {
            Stranger::Unknown => SyncError::UnknownMember,
            Stranger::Fenced => SyncError::FencedInstance,
        }
    }
}

/// A timeout from the wire or the log; a negative one counts as none.
fn millis(timeout: i32) -> u64 {
    u64::try_from(timeout).unwrap_or(0)
}
