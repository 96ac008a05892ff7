//! Members that go: by LeaveGroup or by silence.

use super::{Classic, Phase, Turn, Write};
use crate::api::{GroupResponse, JoinError, Leaver, LeaverError, ReplyId, SyncError};

impl Classic {
    /// LeaveGroup: one result for each leaver, one rebalance for all. Source: KIP-345.
    pub fn leave(&mut self, turn: &mut Turn<'_>, reply: ReplyId, leavers: &[Leaver]) -> Option<Write> {
        let mut gone = false;
        let mut results = Vec::with_capacity(leavers.len());
        for leaver in leavers {
            results.push(self.leave_one(turn, leaver).map(|member| gone |= member));
        }
        turn.reply(reply, GroupResponse::Leave(Ok(results)));
        self.after_removal(turn, gone)
    }

    /// Whether a member left, and not just a reserved id.
    fn leave_one(&mut self, turn: &mut Turn<'_>, leaver: &Leaver) -> Result<bool, LeaverError> {
        if leaver.member_id.is_empty() {
            let holder = leaver.instance_id.as_ref().and_then(|instance| self.members.holder(instance)).cloned();
            self.remove(turn, &holder.ok_or(LeaverError::UnknownMember)?);
            return Ok(true);
        }
        if self.reserved.remove(&leaver.member_id).is_some() {
            return Ok(false);
        }
        self.identify(&leaver.member_id, leaver.instance_id.as_deref()).map_err(|stranger| match stranger {
            super::Stranger::Unknown => LeaverError::UnknownMember,
            super::Stranger::Fenced => LeaverError::FencedInstance,
        })?;
        self.remove(turn, &leaver.member_id);
        Ok(true)
    }

    /// Takes a member out and answers the calls it has here.
    pub(super) fn remove(&mut self, turn: &mut Turn<'_>, member_id: &str) {
        let Some(member) = self.members.remove(member_id) else { return };
        if let Some(reply) = member.held_join() {
            turn.reply(reply, GroupResponse::Join(Err(JoinError::UnknownMember)));
        }
        if let Some(reply) = member.syncing {
            turn.reply(reply, GroupResponse::Sync(Err(SyncError::UnknownMember)));
        }
        self.unsynced.remove(member_id);
        if self.leader == member_id {
            self.elect_leader();
        }
    }

    /// The first member that has joined, else the first of all, else none.
    pub(super) fn elect_leader(&mut self) {
        let joined = self.members.iter().find(|(_, m)| m.held_join().is_some());
        self.leader = joined.or(self.members.iter().next()).map_or_else(String::new, |(id, _)| id.clone());
    }

    /// The group goes on without those who left: a rebalance under way may be complete now.
    pub(super) fn after_removal(&mut self, turn: &mut Turn<'_>, members_left: bool) -> Option<Write> {
        match self.phase {
            Phase::Completing | Phase::Stable if members_left => self.prepare_rebalance(turn),
            Phase::Preparing { .. } => self.complete_join_if_all(turn),
            _ => None,
        }
    }
}
