//! The coordinator: loading, the doors, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use ouzel_model::{PartitionId, ProducerId, TopicName, planted, reached};

use crate::api::{
    Append, AppendFailed, AppendId, CommitError, CommitOffsetError, Committed, DeleteGroupError, DeleteOffsetError,
    DeleteOffsetsError, Description, Effect, GroupRequest, GroupResponse, GroupState, HeartbeatError, JoinError,
    LeaveError, ListGroups, ListedGroup, Now, Record, ReplyId, SyncError, Transaction, Unavailable,
};
use crate::classic::{Change, Classic, Turn, Write, join};
use crate::config::Config;
use crate::group::{Group, GroupId, Waiting, needs_alone};
use crate::record::{self, Key};
use crate::upkeep::{Compaction, Expiry};

/// Coordinator of the groups of one partition of `__consumer_offsets`.
///
/// Life of an owner: [`Groups::new`], [`Groups::replay`] for every committed record of the partition, and when this
/// node leads it and has replayed all, [`Groups::loaded`]. From then on the records of its own appends come in by
/// [`Groups::appended`] alone and must not be replayed as well. When leadership ends: [`Groups::resign`], and a failed
/// [`Groups::appended`] for each append still open; afterwards replay goes on behind the last append that was
/// confirmed, or the owner drops this and starts anew.
#[derive(Clone)]
pub struct Groups {
    pub(crate) config: Config,
    role: Role,
    pub(crate) groups: BTreeMap<GroupId, Group>,
    /// Records of kinds this version doesn't know, and what it can't read.
    pub(crate) opaque: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Groups in which an open transaction holds offsets.
    producers: BTreeMap<ProducerId, BTreeSet<GroupId>>,
    live_bytes: u64,
    /// Records replayed so far.
    place: u64,
    in_flight: BTreeMap<AppendId, InFlight>,
    next_append: u64,
    /// Groups by their deadline.
    deadlines: BTreeSet<(u64, GroupId)>,
    pub(crate) expiry: Expiry,
    pub(crate) compaction: Option<Compaction>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Loading,
    Serving,
    Resigned,
}

/// An append that isn't confirmed yet.
#[derive(Clone)]
struct InFlight {
    records: Vec<Record>,
    transaction: Option<Transaction>,
    work: Work,
    result: Option<Result<(), AppendFailed>>,
}

/// What to do when an append is confirmed.
#[derive(Clone)]
pub(crate) enum Work {
    /// Nobody waits.
    Nothing,
    Change(GroupId, Change),
    Commit {
        group: GroupId,
        reply: ReplyId,
        results: Vec<Result<(), CommitOffsetError>>,
        new: usize,
    },
    DeleteOffsets {
        group: GroupId,
        reply: ReplyId,
        results: Vec<Result<(), DeleteOffsetError>>,
    },
    /// Batches of tombstones, one after another.
    Tombstones {
        group: GroupId,
        rest: Vec<Vec<Record>>,
        then: Then,
    },
    /// A batch of a rewrite.
    Compact,
}

/// What to do when the last tombstone is stored.
#[derive(Clone)]
pub(crate) enum Then {
    /// DeleteGroups asked for them.
    Reply(ReplyId),
    /// Topics were deleted.
    Forget(BTreeSet<TopicName>),
    /// They were due by age.
    Expire,
}

impl Groups {
    /// An empty coordinator, loading.
    pub fn new(config: Config) -> Groups {
        config.check();
        Groups {
            config,
            role: Role::Loading,
            groups: BTreeMap::new(),
            opaque: BTreeMap::new(),
            producers: BTreeMap::new(),
            live_bytes: 0,
            place: 0,
            in_flight: BTreeMap::new(),
            next_append: 0,
            deadlines: BTreeSet::new(),
            expiry: Expiry::default(),
            compaction: None,
        }
    }

    /// New settings, for what is asked from now on: what was admitted under the old ones stays.
    pub fn configure(&mut self, config: Config) {
        config.check();
        self.config = config;
    }

    /// Takes one committed record of the partition, in log order; `transaction` names the producer of a transactional
    /// batch. `Err` when the record can't be read: it is kept as it is, and nothing else is harmed.
    pub fn replay(
        &mut self,
        key: &[u8],
        value: Option<&[u8]>,
        transaction: Option<ProducerId>,
    ) -> Result<(), UnreadableRecord> {
        self.place += 1;
        if let Some(old) = self.opaque.remove(key) {
            self.live_bytes -= (key.len() + old.len()) as u64;
        }
        let result = self.replay_known(key, value, transaction);
        if let (Ok(false) | Err(_), Some(value)) = (&result, value) {
            self.live_bytes += (key.len() + value.len()) as u64;
            self.opaque.insert(key.to_vec(), value.to_vec());
        }
        result.map(|_| ())
    }

    /// Whether the record's kind is known.
    fn replay_known(
        &mut self,
        key: &[u8],
        value: Option<&[u8]>,
        transaction: Option<ProducerId>,
    ) -> Result<bool, UnreadableRecord> {
        let bytes = (key.len() + value.map_or(0, <[u8]>::len)) as u64;
        match record::decode_key(key)? {
            Key::Other => return Ok(false),
            Key::Group { group } => {
                let record = value.map(record::decode_group).transpose()?;
                self.change_durable(group.into(), |group, _| group.durable.put_record(record, bytes));
            }
            Key::Offset { group, topic, partition } => {
                let id = GroupId::from(group);
                let committed = value.map(record::decode_offset).transpose()?;
                let partition = (topic, partition);
                if let (Some(producer), Some(_)) = (transaction, &committed) {
                    self.producers.entry(producer).or_default().insert(id.clone());
                }
                self.change_durable(id, |group, place| match (committed, transaction) {
                    (None, _) => group.durable.remove_offset(&partition),
                    (Some(committed), None) => group.durable.put_offset(partition, committed, bytes, place),
                    (Some(committed), Some(producer)) => {
                        group.durable.put_pending(producer, partition, committed, bytes, place);
                    }
                });
            }
        }
        Ok(true)
    }

    /// Takes the end marker of a producer's transaction, in log order with the records. While serving too: the markers
    /// are not this coordinator's appends.
    pub fn transaction_ended(&mut self, producer: ProducerId, committed: bool) {
        for id in self.producers.remove(&producer).unwrap_or_default() {
            self.change_durable(id, |group, _| group.durable.end_transaction(producer, committed));
        }
    }

    fn change_durable(&mut self, id: GroupId, change: impl FnOnce(&mut Group, u64)) {
        let group = self.groups.entry(id.clone()).or_default();
        let before = group.durable.bytes();
        change(group, self.place);
        self.live_bytes = self.live_bytes - before + group.durable.bytes();
        if group.is_void() {
            self.drop_group(&id);
        }
    }

    /// All is replayed and this node leads: calls are served from now on, and every member gets a fresh session.
    pub fn loaded(&mut self, now: Now) -> Vec<Effect> {
        assert!(self.role != Role::Serving, "a serving coordinator was told to serve");
        assert!(self.in_flight.is_empty(), "appends of an earlier term are still open");
        self.role = Role::Serving;
        let mut out = Vec::new();
        let mut turn = Turn { config: &self.config, now, out: &mut out };
        for (id, group) in &mut self.groups {
            group.live = Classic::load(&mut turn, group.durable.record.as_ref());
            group.indexed = group.deadline();
            self.deadlines.extend(group.indexed.map(|at| (at, id.clone())));
        }
        self.expiry = Expiry::starting(now.mono_ms.saturating_add(self.config.offsets_retention_check_ms));
        out
    }

    /// This node no longer leads: every waiting call is answered with NOT_COORDINATOR.
    pub fn resign(&mut self) -> Vec<Effect> {
        let mut out = Vec::new();
        self.role = Role::Resigned;
        self.deadlines.clear();
        self.compaction = None;
        let why = Unavailable::NotCoordinator;
        for append in self.in_flight.values_mut() {
            match mem::replace(&mut append.work, Work::Nothing) {
                Work::Change(_, change) => out.extend(change.refused(why)),
                Work::Commit { reply, .. } => {
                    out.push(Effect::Reply(reply, GroupResponse::CommitOffsets(Err(why.into()))));
                }
                Work::DeleteOffsets { reply, .. } => {
                    out.push(Effect::Reply(reply, GroupResponse::DeleteOffsets(Err(why.into()))));
                }
                Work::Tombstones { then: Then::Reply(reply), .. } => {
                    out.push(Effect::Reply(reply, GroupResponse::Delete(Err(why.into()))));
                }
                Work::Tombstones { .. } | Work::Compact | Work::Nothing => {}
            }
        }
        for group in self.groups.values_mut() {
            group.live.resign(&mut out);
            for waiting in mem::take(&mut group.queue) {
                if let Waiting::Call(reply, request) = waiting {
                    out.push(Effect::Reply(reply, request.refused(why)));
                }
            }
            *group = Group { durable: mem::take(&mut group.durable), ..Group::default() };
        }
        self.groups.retain(|_, group| !group.is_void());
        out
    }

    /// Takes a call. It is answered by a `Reply` of that id among these effects or later ones.
    pub fn handle(&mut self, now: Now, reply: ReplyId, request: GroupRequest) -> Vec<Effect> {
        let refused = match self.role {
            Role::Serving => None,
            Role::Loading => Some(Unavailable::Loading),
            Role::Resigned => Some(Unavailable::NotCoordinator),
        };
        if let Some(why) = refused {
            let served = planted!("40", matches!(request, GroupRequest::FetchOffsets(_)), false);
            if !served {
                return vec![Effect::Reply(reply, request.refused(why))];
            }
        }
        let mut out = Vec::new();
        match request {
            GroupRequest::List(filter) => {
                out.push(Effect::Reply(reply, GroupResponse::List(Ok(self.list(&filter)))));
            }
            // Calls that only read, or renew a session: they see what is committed and wait for nothing.
            GroupRequest::Heartbeat(request) => {
                let result = self.heartbeat(now, &request, &mut out);
                out.push(Effect::Reply(reply, GroupResponse::Heartbeat(result)));
            }
            GroupRequest::FetchOffsets(request) => {
                let group = self.groups.get(&*request.group);
                let fetched = group.map_or_else(|| Group::default().fetch(&request), |group| group.fetch(&request));
                out.push(Effect::Reply(reply, GroupResponse::FetchOffsets(Ok(fetched))));
            }
            GroupRequest::Describe(request) => {
                let group = self.groups.get(&*request.group).filter(|group| group.exists());
                let description = group.map_or_else(Description::dead, |group| group.live.describe());
                out.push(Effect::Reply(reply, GroupResponse::Describe(Ok(description))));
            }
            GroupRequest::Join(_)
            | GroupRequest::Sync(_)
            | GroupRequest::Leave(_)
            | GroupRequest::CommitOffsets(_)
            | GroupRequest::DeleteOffsets(_)
            | GroupRequest::Delete(_) => self.submit(now, reply, request, &mut out),
        }
        out
    }

    /// Takes the call now if the group is free, else lets it wait.
    fn submit(&mut self, now: Now, reply: ReplyId, request: GroupRequest, out: &mut Vec<Effect>) {
        let id = GroupId::from(request.group());
        if let Some(group) = self.groups.get_mut(&id)
            && !(group.queue.is_empty() && group.is_free(needs_alone(&request)))
        {
            if group.queue.len() < self.config.queue_max {
                group.queue.push_back(Waiting::Call(reply, request));
            } else {
                reached!("groups: queue full");
                out.push(Effect::Reply(reply, request.refused(Unavailable::Busy)));
            }
            return;
        }
        self.take(now, &id, Waiting::Call(reply, request), out);
        self.settle(now, &id, out);
    }

    /// Carries out a call whose turn it is.
    fn take(&mut self, now: Now, id: &GroupId, waiting: Waiting, out: &mut Vec<Effect>) {
        let (reply, request) = match waiting {
            Waiting::Call(reply, request) => (reply, request),
            Waiting::Forget(topics) => return self.forget(id, topics, out),
        };
        let known = self.groups.get(id).is_some_and(Group::exists);
        match request {
            GroupRequest::Join(request) => {
                if let Err(why) = self.may_join(known, &request) {
                    out.push(Effect::Reply(reply, GroupResponse::Join(Err(why))));
                    return;
                }
                self.with_live(now, id, out, |live, turn| live.join(turn, reply, request));
            }
            GroupRequest::Sync(request) => {
                if let Err(why) = self.find(id, known, SyncError::InvalidGroupId, SyncError::UnknownMember) {
                    out.push(Effect::Reply(reply, GroupResponse::Sync(Err(why))));
                    return;
                }
                self.with_live(now, id, out, |live, turn| live.sync(turn, reply, request));
            }
            GroupRequest::Leave(request) => {
                if let Err(why) = self.find(id, known, LeaveError::InvalidGroupId, LeaveError::UnknownMember) {
                    out.push(Effect::Reply(reply, GroupResponse::Leave(Err(why))));
                    return;
                }
                self.with_live(now, id, out, |live, turn| live.leave(turn, reply, &request.leavers));
            }
            GroupRequest::CommitOffsets(request) => self.commit(now, id, reply, &request, out),
            GroupRequest::DeleteOffsets(request) => {
                let found = self.find(id, known, DeleteOffsetsError::InvalidGroupId, DeleteOffsetsError::GroupNotFound);
                let checked = found.and_then(|()| self.groups[id].delete_offsets(&self.config, &request));
                match checked {
                    Err(why) => out.push(Effect::Reply(reply, GroupResponse::DeleteOffsets(Err(why)))),
                    Ok(checked) if checked.records.is_empty() => {
                        out.push(Effect::Reply(reply, GroupResponse::DeleteOffsets(Ok(checked.results))));
                    }
                    Ok(checked) => {
                        self.group_mut(id).writes_in_flight += 1;
                        let work = Work::DeleteOffsets { group: id.clone(), reply, results: checked.results };
                        self.append(checked.records, None, work, out);
                    }
                }
            }
            GroupRequest::Delete(_) => self.delete(id, known, reply, out),
            GroupRequest::Heartbeat(_)
            | GroupRequest::FetchOffsets(_)
            | GroupRequest::List(_)
            | GroupRequest::Describe(_) => unreachable!("calls that only read don't queue"),
        }
    }

    fn may_join(&self, known: bool, request: &crate::api::JoinGroup) -> Result<(), JoinError> {
        join::check(&self.config, request)?;
        if known {
            Ok(())
        } else if !request.member_id.is_empty() {
            Err(JoinError::UnknownMember)
        } else if !self.has_room(&request.group) {
            Err(JoinError::TooManyGroups)
        } else {
            Ok(())
        }
    }

    /// Whether a group of this name has a place.
    fn has_room(&self, group: &str) -> bool {
        self.groups.contains_key(group) || self.groups.len() < self.config.groups_max
    }

    fn find<E>(&self, id: &GroupId, known: bool, invalid: E, missing: E) -> Result<(), E> {
        if id.is_empty() || id.len() > self.config.name_bytes_max {
            Err(invalid)
        } else if !known {
            Err(missing)
        } else {
            Ok(())
        }
    }

    fn heartbeat(
        &mut self,
        now: Now,
        request: &crate::api::Heartbeat,
        out: &mut Vec<Effect>,
    ) -> Result<(), HeartbeatError> {
        if request.group.is_empty() || request.group.len() > self.config.name_bytes_max {
            return Err(HeartbeatError::InvalidGroupId);
        }
        let group = self.groups.get_mut(&*request.group).ok_or(HeartbeatError::UnknownMember)?;
        let mut turn = Turn { config: &self.config, now, out };
        group.live.heartbeat(&mut turn, &request.member_id, request.instance_id.as_deref(), request.generation)
    }

    /// Lets the group's members act, and starts the change they ask for.
    fn with_live(
        &mut self,
        now: Now,
        id: &GroupId,
        out: &mut Vec<Effect>,
        act: impl FnOnce(&mut Classic, &mut Turn<'_>) -> Option<Write>,
    ) {
        let group = self.groups.entry(id.clone()).or_default();
        let write = act(&mut group.live, &mut Turn { config: &self.config, now, out });
        if let Some((change, record)) = write {
            assert!(!group.busy, "{id}: a second change before the first is stored");
            group.busy = true;
            let records = vec![record::group_record(id, &record)];
            self.append(records, None, Work::Change(id.clone(), change), out);
        }
    }

    fn commit(
        &mut self,
        now: Now,
        id: &GroupId,
        reply: ReplyId,
        request: &crate::api::CommitOffsets,
        out: &mut Vec<Effect>,
    ) {
        let answer = |result| Effect::Reply(reply, GroupResponse::CommitOffsets(result));
        if id.len() > self.config.name_bytes_max {
            return out.push(answer(Err(CommitError::InvalidGroupId)));
        }
        if !self.has_room(id) {
            return out.push(answer(Err(CommitError::TooManyGroups)));
        }
        let group = self.groups.entry(id.clone()).or_default();
        if group.writes_in_flight >= self.config.commits_in_flight_max {
            return out.push(answer(Err(Unavailable::Busy.into())));
        }
        match group.commit(&mut Turn { config: &self.config, now, out }, request) {
            Err(why) => out.push(answer(Err(why))),
            Ok(checked) if checked.records.is_empty() => out.push(answer(Ok(checked.results))),
            Ok(checked) => {
                group.writes_in_flight += 1;
                group.offsets_in_flight += checked.new;
                let work = Work::Commit { group: id.clone(), reply, results: checked.results, new: checked.new };
                self.append(checked.records, request.transaction, work, out);
            }
        }
    }

    fn delete(&mut self, id: &GroupId, known: bool, reply: ReplyId, out: &mut Vec<Effect>) {
        let answer = |result| Effect::Reply(reply, GroupResponse::Delete(result));
        if !known {
            return out.push(answer(Err(DeleteGroupError::GroupNotFound)));
        }
        let group = self.group_mut(id);
        if group.live.state() != GroupState::Empty {
            return out.push(answer(Err(DeleteGroupError::NonEmptyGroup)));
        }
        let records = group.delete_records(id);
        if records.is_empty() {
            group.live.forget();
            return out.push(answer(Ok(())));
        }
        self.bury(id, records, Then::Reply(reply), out);
    }

    /// Writes tombstones, one batch after another; the group is busy until the last is stored.
    pub(crate) fn bury(&mut self, id: &GroupId, records: Vec<Record>, then: Then, out: &mut Vec<Effect>) {
        let mut batches = crate::upkeep::batches(records, self.config.append_bytes_max);
        batches.reverse();
        let Some(first) = batches.pop() else { return };
        let group = self.group_mut(id);
        assert!(!group.busy && group.writes_in_flight == 0, "{id}: tombstones beside other writes");
        group.busy = true;
        self.append(first, None, Work::Tombstones { group: id.clone(), rest: batches, then }, out);
    }

    pub(crate) fn append(
        &mut self,
        records: Vec<Record>,
        transaction: Option<Transaction>,
        work: Work,
        out: &mut Vec<Effect>,
    ) {
        assert!(self.role == Role::Serving, "only a serving coordinator writes");
        self.next_append += 1;
        let id = AppendId(self.next_append);
        out.push(Effect::Append(Append { id, records: records.clone(), transaction }));
        self.in_flight.insert(id, InFlight { records, transaction, work, result: None });
    }

    /// An append is committed, or was refused and never will be. Results may come in any order; they are taken in the
    /// order of the ids, which is that of the log.
    pub fn appended(&mut self, now: Now, id: AppendId, result: Result<(), AppendFailed>) -> Vec<Effect> {
        let append = self.in_flight.get_mut(&id).expect("an append is confirmed once, and after it was asked for");
        assert!(append.result.is_none(), "append {id:?} was confirmed twice");
        append.result = Some(result);
        let mut out = Vec::new();
        while let Some(first) = self.in_flight.first_entry()
            && let Some(result) = first.get().result
        {
            let append = first.remove();
            if result.is_ok() {
                let producer = append.transaction.map(|transaction| transaction.producer);
                for (key, value) in &append.records {
                    let replayed = self.replay(key, value.as_deref(), producer);
                    // A rewrite carries on what nobody could read.
                    assert!(replayed.is_ok() || matches!(append.work, Work::Compact), "unreadable: {key:?}");
                }
            }
            self.finish(now, append.work, result, &mut out);
        }
        if self.role == Role::Serving {
            self.go_on_compacting(now, &mut out);
        }
        out
    }

    fn finish(&mut self, now: Now, work: Work, result: Result<(), AppendFailed>, out: &mut Vec<Effect>) {
        let failed = result.map_err(Unavailable::from);
        let id = match work {
            Work::Nothing => return,
            Work::Compact => return self.compacted(now, result.is_ok(), out),
            Work::Change(id, change) => {
                let group = self.groups.get_mut(&id).expect("a busy group stays");
                group.busy = false;
                let record = group.durable.record.as_ref();
                let record = result.map(|()| record.expect("its record was stored just now"));
                group.live.changed(&mut Turn { config: &self.config, now, out }, change, record);
                id
            }
            Work::Commit { group: id, reply, results, new } => {
                let group = self.group_mut(&id);
                group.writes_in_flight -= 1;
                group.offsets_in_flight -= new;
                let results = failed.map(|()| results).map_err(CommitError::from);
                out.push(Effect::Reply(reply, GroupResponse::CommitOffsets(results)));
                id
            }
            Work::DeleteOffsets { group: id, reply, results } => {
                self.group_mut(&id).writes_in_flight -= 1;
                let results = failed.map(|()| results).map_err(DeleteOffsetsError::from);
                out.push(Effect::Reply(reply, GroupResponse::DeleteOffsets(results)));
                id
            }
            Work::Tombstones { group: id, mut rest, then } => {
                if result.is_ok()
                    && let Some(next) = rest.pop()
                {
                    return self.append(next, None, Work::Tombstones { group: id, rest, then }, out);
                }
                self.buried(now, &id, then, result, out);
                id
            }
        };
        self.settle(now, &id, out);
    }

    fn buried(&mut self, now: Now, id: &GroupId, then: Then, result: Result<(), AppendFailed>, out: &mut Vec<Effect>) {
        let retry_ms = self.config.retry_ms;
        let group = self.groups.get_mut(id).expect("a busy group stays");
        group.busy = false;
        match (then, result) {
            (Then::Reply(reply), Ok(())) => {
                group.live.forget();
                out.push(Effect::Reply(reply, GroupResponse::Delete(Ok(()))));
            }
            (Then::Reply(reply), Err(why)) => {
                let why = DeleteGroupError::Unavailable(why.into());
                out.push(Effect::Reply(reply, GroupResponse::Delete(Err(why))));
            }
            (Then::Expire, Ok(())) if group.durable.is_empty() && group.live.is_idle() => group.live.forget(),
            (Then::Forget(topics), Err(_)) => {
                let again = group.forget_again.get_or_insert_default();
                again.0 = now.mono_ms.saturating_add(retry_ms);
                again.1.extend(topics);
            }
            (Then::Expire | Then::Forget(_), _) => {}
        }
    }

    /// After anything that touched a group: takes the calls whose turn has come, and puts the group's deadline where
    /// the timer finds it.
    pub(crate) fn settle(&mut self, now: Now, id: &GroupId, out: &mut Vec<Effect>) {
        if self.role != Role::Serving {
            return;
        }
        while let Some(waiting) = self.groups.get_mut(id).and_then(Group::next_waiting) {
            self.take(now, id, waiting, out);
        }
        let Some(group) = self.groups.get_mut(id) else { return };
        let deadline = group.deadline();
        if group.is_void() {
            self.drop_group(id);
        } else if deadline != group.indexed {
            if let Some(at) = mem::replace(&mut group.indexed, deadline) {
                self.deadlines.remove(&(at, id.clone()));
            }
            self.deadlines.extend(deadline.map(|at| (at, id.clone())));
        }
    }

    /// Does what is due. Call when [`Groups::next_deadline`] has come; earlier or later does no harm.
    pub fn timer(&mut self, now: Now) -> Vec<Effect> {
        let mut out = Vec::new();
        if self.role != Role::Serving {
            return out;
        }
        let due: Vec<GroupId> =
            self.deadlines.iter().take_while(|(at, _)| *at <= now.mono_ms).map(|(_, id)| id.clone()).collect();
        for id in &due {
            let group = self.group_mut(id);
            if let Some((_, topics)) = group.forget_again.take_if(|(at, _)| *at <= now.mono_ms) {
                group.queue.push_front(Waiting::Forget(topics));
            }
            self.with_live(now, id, &mut out, Classic::expire);
            self.settle(now, id, &mut out);
        }
        self.go_on_expiring(now, &mut out);
        self.go_on_compacting(now, &mut out);
        out
    }

    /// When [`Groups::timer`] wants to be called, in `mono_ms`. May be early.
    pub fn next_deadline(&self) -> Option<u64> {
        if self.role != Role::Serving {
            return None;
        }
        let group = self.deadlines.first().map(|(at, _)| *at);
        let compaction = self.compaction.as_ref().and_then(Compaction::retry_at);
        group.into_iter().chain(compaction).chain([self.expiry.at()]).min()
    }

    /// Topics are gone: their offsets go too. Retried until stored; a coordinator that just loaded must be told again
    /// of those of its [`Groups::topics`] that don't exist.
    pub fn topics_deleted(&mut self, now: Now, topics: &BTreeSet<TopicName>) -> Vec<Effect> {
        let mut out = Vec::new();
        if self.role != Role::Serving {
            return out;
        }
        let concerned = |group: &Group| {
            group.writes_in_flight > 0 || !group.queue.is_empty() || !group.forget_records("", topics).is_empty()
        };
        let groups: Vec<GroupId> =
            self.groups.iter().filter(|(_, group)| concerned(group)).map(|(id, _)| id.clone()).collect();
        for id in &groups {
            // Behind calls that wait: they may commit to the topics still.
            self.group_mut(id).queue.push_back(Waiting::Forget(topics.clone()));
            self.settle(now, id, &mut out);
        }
        out
    }

    fn forget(&mut self, id: &GroupId, topics: BTreeSet<TopicName>, out: &mut Vec<Effect>) {
        let Some(group) = self.groups.get(id) else { return };
        let records = group.forget_records(id, &topics);
        self.bury(id, records, Then::Forget(topics), out);
    }

    fn list(&self, filter: &ListGroups) -> Vec<ListedGroup> {
        let wanted = |wanted: &[String], name: &str| {
            wanted.is_empty() || wanted.iter().any(|one| one.eq_ignore_ascii_case(name))
        };
        let mut listed = Vec::new();
        for (id, group) in &self.groups {
            let state = group.live.shown();
            if group.exists() && wanted(&filter.states, state.name()) && wanted(&filter.types, CLASSIC) {
                listed.push(ListedGroup {
                    group: id.to_string(),
                    protocol_type: group.live.protocol_type().to_string(),
                    state,
                    group_type: CLASSIC,
                });
            }
        }
        listed
    }

    /// Topics with offsets, those of open transactions too.
    pub fn topics(&self) -> BTreeSet<TopicName> {
        let partitions = self.groups.values().flat_map(|group| group.durable.partitions());
        partitions.map(|(topic, _)| topic.clone()).collect()
    }

    /// All groups of this partition by id. For metrics: not gated by load.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().filter(|(_, group)| group.exists()).map(|(id, _)| &**id)
    }

    /// Members of a group as served here; 0 where there is none.
    pub fn members(&self, group: &str) -> usize {
        self.groups.get(group).map_or(0, |group| group.live.members())
    }

    /// Committed offsets of a group, by topic and partition; none where there is no group. For metrics: not gated by load.
    pub fn committed(&self, group: &str) -> impl Iterator<Item = (&TopicName, PartitionId, &Committed)> {
        let offsets = self.groups.get(group).into_iter().flat_map(|group| &group.durable.offsets);
        offsets.map(|((topic, partition), stored)| (topic, *partition, &stored.committed))
    }

    /// Bytes of keys and values of the live state. Records that [`Groups::compact`] would write, up to versions.
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    pub(crate) fn group_mut(&mut self, id: &GroupId) -> &mut Group {
        self.groups.get_mut(id).expect("the caller holds the group")
    }

    pub(crate) fn is_serving(&self) -> bool {
        self.role == Role::Serving
    }

    fn drop_group(&mut self, id: &GroupId) {
        if let Some(at) = self.groups.remove(id).and_then(|group| group.indexed) {
            self.deadlines.remove(&(at, id.clone()));
        }
    }
}

/// Kafka's name for this type of group.
const CLASSIC: &str = "Classic";

/// A record that this version can't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unreadable record in __consumer_offsets: {0}")]
pub struct UnreadableRecord(pub &'static str);
