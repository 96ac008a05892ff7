//! SyncGroup: the leader brings the assignments, the others fetch theirs.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Change, Classic, Phase, Turn, Write};
use crate::api::{AppendFailed, GroupResponse, ReplyId, SyncError, SyncGroup, Synced};
use crate::record::GroupRecord;

impl Classic {
    pub fn sync(&mut self, turn: &mut Turn<'_>, reply: ReplyId, request: SyncGroup) -> Option<Write> {
        match self.try_sync(turn, reply, request) {
            Ok(write) => write,
            Err(why) => {
                turn.reply(reply, GroupResponse::Sync(Err(why)));
                None
            }
        }
    }

    fn try_sync(
        &mut self,
        turn: &mut Turn<'_>,
        reply: ReplyId,
        request: SyncGroup,
    ) -> Result<Option<Write>, SyncError> {
        self.identify(&request.member_id, request.instance_id.as_deref())?;
        if request.generation != self.generation {
            return Err(SyncError::IllegalGeneration);
        }
        let differs = |asked: &Option<String>, ours: &str| asked.as_ref().is_some_and(|asked| asked != ours);
        if differs(&request.protocol_type, &self.protocol_type) || differs(&request.protocol, &self.protocol) {
            return Err(SyncError::InconsistentProtocol);
        }
        match self.phase {
            Phase::Empty => Err(SyncError::UnknownMember),
            Phase::Preparing { .. } => Err(SyncError::RebalanceInProgress),
            Phase::Completing => {
                let write = if request.member_id == self.leader {
                    Some((Change::Assignment, self.assigned(turn, request.assignments)?))
                } else {
                    None
                };
                self.renew(turn, &request.member_id);
                self.unsynced.remove(&request.member_id);
                let member = self.members.get_mut(&request.member_id).expect("identified above");
                if let Some(earlier) = member.syncing.replace(reply) {
                    turn.reply(earlier, GroupResponse::Sync(Err(SyncError::RebalanceInProgress)));
                }
                Ok(write)
            }
            Phase::Stable => {
                self.renew(turn, &request.member_id);
                self.unsynced.remove(&request.member_id);
                self.answer_sync(turn, reply, &request.member_id);
                Ok(None)
            }
        }
    }

    /// The group's record with these assignments.
    fn assigned(&self, turn: &Turn<'_>, assignments: Vec<(String, Bytes)>) -> Result<GroupRecord, SyncError> {
        let mut assignments: BTreeMap<String, Bytes> = assignments.into_iter().collect();
        let mut record = self.record(turn, self.generation, &self.protocol);
        for member in &mut record.members {
            member.assignment = assignments.remove(&member.member_id).unwrap_or_default();
        }
        if record.bytes() > turn.config.group_bytes_max { Err(SyncError::TooLarge) } else { Ok(record) }
    }

    /// Waits for the leader's assignments, and for every member to ask for its own.
    pub(super) fn begin_sync(&mut self, turn: &Turn<'_>) {
        self.phase = Phase::Completing;
        self.unsynced = self.members.iter().map(|(id, _)| id.clone()).collect();
        let deadline = turn.after(self.rebalance_timeout_ms());
        self.sync_deadline = Some(deadline);
        self.arm(deadline);
    }

    pub(super) fn assignment_committed(&mut self, turn: &mut Turn<'_>, record: &GroupRecord) {
        for stored in &record.members {
            let member =
                self.members.get_mut(&stored.member_id).expect("no member goes while its assignment is stored");
            member.assignment = stored.assignment.clone();
        }
        self.phase = Phase::Stable;
        for (id, reply) in self.members.take_syncs() {
            self.renew(turn, &id);
            self.answer_sync(turn, reply, &id);
        }
    }

    /// The leader has to bring them again, and the others to ask again.
    pub(super) fn assignment_failed(&mut self, turn: &mut Turn<'_>, why: AppendFailed) {
        for (id, reply) in self.members.take_syncs() {
            self.renew(turn, &id);
            self.unsynced.insert(id);
            turn.reply(reply, GroupResponse::Sync(Err(SyncError::Unavailable(why.into()))));
        }
    }

    /// Held syncs that a new rebalance ends.
    pub(super) fn refuse_syncing(&mut self, turn: &mut Turn<'_>) {
        for (id, reply) in self.members.take_syncs() {
            self.renew(turn, &id);
            turn.reply(reply, GroupResponse::Sync(Err(SyncError::RebalanceInProgress)));
        }
    }

    fn answer_sync(&self, turn: &mut Turn<'_>, reply: ReplyId, member_id: &str) {
        let synced = Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self.members.of(member_id).assignment.clone(),
        };
        turn.reply(reply, GroupResponse::Sync(Ok(synced)));
    }
}
