//! JoinGroup: members gather, and when all are there a generation begins.

use std::fmt::Write as _;

use bytes::Bytes;
use ouzel_model::reached;

use super::members::Member;
use super::{Change, Classic, Initial, Phase, Turn, Write, millis};
use crate::api::{AppendFailed, GroupResponse, JoinError, JoinGroup, Joined, JoinedMember, ReplyId};
use crate::config::Config;
use crate::record::{GROUP_FRAME_BYTES, GroupRecord};

/// A static member that comes back under a new id while the group is stable. Source: KIP-345.
#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    pub reply: ReplyId,
    old_id: String,
    new_id: String,
    request: JoinGroup,
}

/// Whether a request to join is within bounds, before any group is looked at.
pub(crate) fn check(config: &Config, request: &JoinGroup) -> Result<(), JoinError> {
    let bound = config.name_bytes_max;
    if request.group.is_empty() || request.group.len() > bound {
        return Err(JoinError::InvalidGroupId(bound));
    }
    let (min, max) = (config.session_timeout_ms_min, config.session_timeout_ms_max);
    if !(min..=max).contains(&request.session_timeout_ms) {
        return Err(JoinError::InvalidSessionTimeout { min, max });
    }
    if request.client_id.len() > bound || request.client_host.len() > bound {
        return Err(JoinError::TooLarge("client id"));
    }
    if request.instance_id.as_ref().is_some_and(|id| id.len() > bound) {
        return Err(JoinError::TooLarge("instance id"));
    }
    if request.protocol_type.len() > bound || request.protocols.iter().any(|p| p.name.len() > bound) {
        return Err(JoinError::TooLarge("protocol name"));
    }
    let metadata: usize = request.protocols.iter().map(|p| p.metadata.len()).sum();
    if request.protocols.len() > config.protocols_max || metadata > config.member_metadata_bytes_max {
        return Err(JoinError::TooLarge("protocol metadata"));
    }
    Ok(())
}

impl Classic {
    /// Takes a join that passed [`check`]. It is answered now, or held until the generation begins.
    pub fn join(&mut self, turn: &mut Turn<'_>, reply: ReplyId, request: JoinGroup) -> Option<Write> {
        match self.try_join(turn, reply, request) {
            Ok(write) => write,
            Err(why) => {
                turn.reply(reply, GroupResponse::Join(Err(why)));
                // A refused newcomer may have been the last the others waited for.
                self.complete_join_if_all(turn)
            }
        }
    }

    fn try_join(
        &mut self,
        turn: &mut Turn<'_>,
        reply: ReplyId,
        request: JoinGroup,
    ) -> Result<Option<Write>, JoinError> {
        if !self.has_room(turn.config, &request) {
            self.reserved.remove(&request.member_id);
            return Err(JoinError::GroupFull);
        }
        if !self.supports(&request.protocol_type, &request.protocols) {
            return Err(JoinError::InconsistentProtocol);
        }
        if request.member_id.is_empty() {
            return self.join_as_newcomer(turn, reply, request);
        }
        if request.instance_id.is_none() && self.reserved.remove(&request.member_id).is_some() {
            let id = request.member_id.clone();
            return Ok(self.add(turn, reply, id, request));
        }
        self.identify(&request.member_id, request.instance_id.as_deref())?;
        let id = request.member_id.clone();
        let unchanged = self.members.of(&id).protocols() == request.protocols;
        let stays = match self.phase {
            Phase::Empty => return Err(JoinError::UnknownMember),
            Phase::Preparing { .. } => false,
            // The answer to its join got lost.
            Phase::Completing => unchanged,
            // The leader joins again when it wants to assign anew.
            Phase::Stable => unchanged && id != self.leader,
        };
        if stays {
            self.renew(turn, &id);
            self.answer_join(turn, reply, &id);
            return Ok(None);
        }
        self.update(turn, reply, &id, request);
        Ok(self.rebalance_or_complete(turn))
    }

    fn join_as_newcomer(
        &mut self,
        turn: &mut Turn<'_>,
        reply: ReplyId,
        request: JoinGroup,
    ) -> Result<Option<Write>, JoinError> {
        let id = member_id(request.instance_id.as_ref().unwrap_or(&request.client_id), request.random);
        let Some(instance) = &request.instance_id else {
            if request.member_id_required {
                let until = turn.after(millis(request.session_timeout_ms));
                self.reserved.insert(id.clone(), until);
                self.arm(until);
                return Err(JoinError::MemberIdRequired(id));
            }
            return Ok(self.add(turn, reply, id, request));
        };
        match self.members.holder(instance).cloned() {
            Some(old_id) => Ok(self.replace(turn, Replacement { reply, old_id, new_id: id, request })),
            None => Ok(self.add(turn, reply, id, request)),
        }
    }

    /// Whether the group takes this member, by count and by the size its record may reach.
    fn has_room(&self, config: &Config, request: &JoinGroup) -> bool {
        let holder = request.instance_id.as_ref().and_then(|instance| self.members.holder(instance));
        // Whose place it takes: its own, or that of the holder of its static name.
        let known = self.members.get(holder.unwrap_or(&request.member_id));
        let room = match self.phase {
            Phase::Empty => true,
            // Who is there first stays: members of the last generation that don't come back lose their place.
            Phase::Preparing { .. } => {
                let again = known.is_some_and(|member| member.held_join().is_some());
                again || self.members.joined() < config.members_max
            }
            Phase::Completing | Phase::Stable => known.is_some() || self.members.len() < config.members_max,
        };
        let reserves = request.member_id.is_empty() && request.member_id_required && request.instance_id.is_none();
        room && (!reserves || self.reserved.len() < config.members_max)
            && GROUP_FRAME_BYTES + self.members.bytes_with(request) <= config.group_bytes_max
    }

    fn add(&mut self, turn: &mut Turn<'_>, reply: ReplyId, id: String, request: JoinGroup) -> Option<Write> {
        if self.members.is_empty() {
            self.protocol_type = request.protocol_type.clone();
        }
        if self.leader.is_empty() {
            self.leader = id.clone();
        }
        if let Phase::Preparing { initial: Some(initial), .. } = &mut self.phase {
            initial.newcomers = true;
        }
        let expires = turn.after(turn.config.newcomer_timeout_ms);
        self.arm(expires);
        self.members.insert(id, Member::joining(request, reply, expires));
        self.rebalance_or_complete(turn)
    }

    /// A member says anew what it is and waits for the next generation.
    fn update(&mut self, turn: &mut Turn<'_>, reply: ReplyId, id: &str, request: JoinGroup) {
        self.members.describe(id, request);
        if let Some(earlier) = self.members.hold_join(id, reply) {
            turn.reply(earlier, GroupResponse::Join(Err(JoinError::RebalanceInProgress)));
        }
    }

    fn rebalance_or_complete(&mut self, turn: &mut Turn<'_>) -> Option<Write> {
        match self.phase {
            Phase::Preparing { .. } => self.complete_join_if_all(turn),
            Phase::Empty | Phase::Completing | Phase::Stable => self.prepare_rebalance(turn),
        }
    }

    /// Calls all members to join again.
    pub(super) fn prepare_rebalance(&mut self, turn: &mut Turn<'_>) -> Option<Write> {
        self.refuse_syncing(turn);
        self.unsynced.clear();
        self.sync_deadline = None;
        let rebalance_ms = self.rebalance_timeout_ms();
        if let Phase::Empty = self.phase {
            let delay = turn.config.initial_rebalance_delay_ms;
            let initial = Initial { remaining_ms: rebalance_ms.saturating_sub(delay), newcomers: false };
            self.wait_for_joins(turn.after(delay), Some(initial));
            if delay == 0 { self.complete_join(turn) } else { None }
        } else {
            self.wait_for_joins(turn.after(rebalance_ms), None);
            self.complete_join_if_all(turn)
        }
    }

    pub(super) fn wait_for_joins(&mut self, deadline: u64, initial: Option<Initial>) {
        self.phase = Phase::Preparing { deadline, initial };
        self.arm(deadline);
    }

    pub(super) fn join_deadline_passed(&mut self, turn: &mut Turn<'_>) -> Option<Write> {
        if let Phase::Preparing { initial: Some(Initial { remaining_ms, newcomers: true }), .. } = self.phase
            && remaining_ms > 0
        {
            let delay = turn.config.initial_rebalance_delay_ms.min(remaining_ms);
            let initial = Initial { remaining_ms: remaining_ms - delay, newcomers: false };
            self.wait_for_joins(turn.after(delay), Some(initial));
            return None;
        }
        self.complete_join(turn)
    }

    /// Ends the wait early when nobody is left to wait for; the first wait is always waited out.
    pub(super) fn complete_join_if_all(&mut self, turn: &mut Turn<'_>) -> Option<Write> {
        let later = matches!(self.phase, Phase::Preparing { initial: None, .. });
        let all = self.reserved.is_empty() && self.members.joined() == self.members.len();
        if later && all { self.complete_join(turn) } else { None }
    }

    /// The next generation of those who joined. Static members that didn't keep their place until their session ends.
    fn complete_join(&mut self, turn: &mut Turn<'_>) -> Option<Write> {
        let absent = self.members.iter().filter(|(_, m)| m.held_join().is_none() && m.instance_id().is_none());
        let absent: Vec<String> = absent.map(|(id, _)| id.clone()).collect();
        for id in &absent {
            self.remove(turn, id);
        }
        if !self.members.is_empty() {
            if self.members.joined() == 0 {
                reached!("groups: only static absentees");
                // Only static members, none of which came: their sessions decide.
                self.wait_for_joins(turn.after(self.rebalance_timeout_ms().max(turn.config.retry_ms)), None);
                return None;
            }
            if self.members.of(&self.leader).held_join().is_none() {
                self.elect_leader();
            }
        }
        let protocol = if self.members.is_empty() { String::new() } else { self.select_protocol() };
        // A group can't count past the last generation; it would need two thousand million rebalances.
        let mut record = self.record(turn, self.generation.saturating_add(1), &protocol);
        for member in &mut record.members {
            member.assignment = Bytes::new();
        }
        Some((Change::Generation, record))
    }

    pub(super) fn generation_committed(&mut self, turn: &mut Turn<'_>, record: &GroupRecord) {
        assert!(record.generation >= self.generation, "generation {} after {}", record.generation, self.generation);
        self.generation = record.generation;
        self.adopt(record);
        self.topics = self.read_topics();
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            return;
        }
        self.begin_sync(turn);
        for (id, reply) in self.members.take_joins() {
            self.answer_join(turn, reply, &id);
        }
        for (_, member) in self.members.iter_mut() {
            member.assignment = Bytes::new();
            member.is_new = false;
            member.expires = turn.after(member.session_timeout_ms);
        }
        self.wake = self.next_wake();
    }

    /// All have to join again, newcomers under the ids they may not know: those are dropped with the absent.
    pub(super) fn generation_failed(&mut self, turn: &mut Turn<'_>, why: AppendFailed) {
        reached!("groups: generation not stored");
        for (id, reply) in self.members.take_joins() {
            self.renew(turn, &id);
            turn.reply(reply, GroupResponse::Join(Err(JoinError::Unavailable(why.into()))));
        }
        let wait = if self.members.is_empty() { turn.config.retry_ms } else { self.rebalance_timeout_ms() };
        self.wait_for_joins(turn.after(wait), None);
    }

    /// Tells a member its generation, and the leader who else is in.
    fn answer_join(&self, turn: &mut Turn<'_>, reply: ReplyId, id: &str) {
        let tell = id == self.leader && matches!(self.phase, Phase::Completing);
        let joined = self.joined(id, if tell { self.joined_members() } else { Vec::new() });
        turn.reply(reply, GroupResponse::Join(Ok(joined)));
    }

    fn joined(&self, id: &str, members: Vec<JoinedMember>) -> Joined {
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            skip_assignment: false,
            member_id: id.to_string(),
            members,
        }
    }

    fn joined_members(&self) -> Vec<JoinedMember> {
        let member = |(id, member): (&String, &Member)| JoinedMember {
            member_id: id.clone(),
            instance_id: member.instance_id().cloned(),
            metadata: member.metadata(&self.protocol),
        };
        self.members.iter().map(member).collect()
    }

    fn replace(&mut self, turn: &mut Turn<'_>, replacement: Replacement) -> Option<Write> {
        let Replacement { old_id, new_id, request, .. } = &replacement;
        if let Phase::Stable = self.phase
            && self.select_protocol_with(old_id, &request.protocols) == self.protocol
        {
            let mut record = self.record(turn, self.generation, &self.protocol);
            let stored = record.members.iter_mut().find(|m| m.member_id == *old_id);
            let stored = stored.expect("static names lead to members");
            stored.member_id = new_id.clone();
            stored.client_id = request.client_id.clone();
            stored.client_host = request.client_host.clone();
            stored.session_timeout_ms = request.session_timeout_ms;
            stored.rebalance_timeout_ms = request.rebalance_timeout_ms;
            let chosen = request.protocols.iter().find(|p| p.name == self.protocol);
            stored.subscription = chosen.expect("the choice is among each member's protocols").metadata.clone();
            if self.leader == *old_id {
                record.leader = Some(new_id.clone());
            }
            if record.bytes() <= turn.config.group_bytes_max {
                reached!("groups: static member replaced");
                return Some((Change::Replacement(Box::new(replacement)), record));
            }
        }
        let Replacement { reply, old_id, new_id, request } = replacement;
        self.rename(turn, &old_id, &new_id);
        self.update(turn, reply, &new_id, request);
        self.rebalance_or_complete(turn)
    }

    pub(super) fn replacement_committed(&mut self, turn: &mut Turn<'_>, replacement: Replacement) {
        let Replacement { reply, old_id, new_id, request } = replacement;
        let leads = self.leader == old_id;
        let can_skip = request.can_skip_assignment;
        self.rename(turn, &old_id, &new_id);
        self.members.describe(&new_id, request);
        self.renew(turn, &new_id);
        self.topics = self.read_topics();
        let mut joined = self.joined(&new_id, Vec::new());
        if leads && can_skip {
            joined.members = self.joined_members();
            joined.skip_assignment = true;
        } else if leads {
            // An old client that heard it leads would assign anew: it is told the id it no longer has.
            joined.leader = old_id;
        }
        turn.reply(reply, GroupResponse::Join(Ok(joined)));
    }

    /// The holder of a static name gets a new id; calls under the old one are fenced.
    fn rename(&mut self, turn: &mut Turn<'_>, old_id: &str, new_id: &str) {
        let mut member = self.members.remove(old_id).expect("static names lead to members");
        if let Some(reply) = member.take_join() {
            turn.reply(reply, GroupResponse::Join(Err(JoinError::FencedInstance)));
        }
        if let Some(reply) = member.syncing.take() {
            turn.reply(reply, GroupResponse::Sync(Err(crate::api::SyncError::FencedInstance)));
        }
        if self.leader == old_id {
            self.leader = new_id.to_string();
        }
        if self.unsynced.remove(old_id) {
            self.unsynced.insert(new_id.to_string());
        }
        self.members.insert(new_id.to_string(), member);
    }
}

/// `name-uuid`, as Kafka makes member ids.
fn member_id(name: &str, random: [u8; 16]) -> String {
    let mut id = String::with_capacity(name.len() + 37);
    id.push_str(name);
    for (place, byte) in random.iter().enumerate() {
        if matches!(place, 0 | 4 | 6 | 8 | 10) {
            id.push('-');
        }
        let byte = match place {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        write!(id, "{byte:02x}").expect("a string takes all");
    }
    id
}
