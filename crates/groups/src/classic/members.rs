//! The members of a group, with the numbers that every join asks for: kept as members come and go, since a group may
//! have thousands of them and each join would look at all.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::millis;
use crate::api::{JoinGroup, Protocol, ReplyId};
use crate::record::{MEMBER_FRAME_BYTES, MemberRecord};

#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    by_id: BTreeMap<String, Member>,
    /// Who holds each static name.
    statics: BTreeMap<String, String>,
    /// How many have a join held.
    joined: usize,
    /// How many know each protocol.
    knowing: BTreeMap<String, usize>,
    /// Most bytes of all in the group's record, before assignments.
    bytes: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    instance_id: Option<String>,
    client_id: String,
    client_host: String,
    protocols: Vec<Protocol>,
    /// Its held JoinGroup.
    joining: Option<ReplyId>,
    pub session_timeout_ms: u64,
    pub rebalance_timeout_ms: u64,
    pub assignment: Bytes,
    /// Its held SyncGroup.
    pub syncing: Option<ReplyId>,
    /// It wasn't in a generation yet, and may not know its id.
    pub is_new: bool,
    /// When it counts as gone, unless a call of it is held.
    pub expires: u64,
}

impl Member {
    /// A newcomer with its join held.
    pub fn joining(request: JoinGroup, reply: ReplyId, expires: u64) -> Member {
        Member {
            session_timeout_ms: millis(request.session_timeout_ms),
            rebalance_timeout_ms: millis(request.rebalance_timeout_ms),
            instance_id: request.instance_id,
            client_id: request.client_id,
            client_host: request.client_host,
            protocols: request.protocols,
            joining: Some(reply),
            assignment: Bytes::new(),
            syncing: None,
            is_new: true,
            expires,
        }
    }

    /// A member as its group's record has it; of its protocols it has the chosen one.
    pub fn stored(record: &MemberRecord, protocol: &str) -> Member {
        Member {
            session_timeout_ms: millis(record.session_timeout_ms),
            rebalance_timeout_ms: millis(record.rebalance_timeout_ms),
            instance_id: record.instance_id.clone(),
            client_id: record.client_id.clone(),
            client_host: record.client_host.clone(),
            protocols: vec![Protocol { name: protocol.to_string(), metadata: record.subscription.clone() }],
            joining: None,
            assignment: record.assignment.clone(),
            syncing: None,
            is_new: false,
            expires: 0,
        }
    }

    pub fn instance_id(&self) -> Option<&String> {
        self.instance_id.as_ref()
    }

    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub fn client_host(&self) -> &str {
        &self.client_host
    }

    pub fn protocols(&self) -> &[Protocol] {
        &self.protocols
    }

    pub fn held_join(&self) -> Option<ReplyId> {
        self.joining
    }

    /// For a member that was taken out.
    pub fn take_join(&mut self) -> Option<ReplyId> {
        self.joining.take()
    }

    pub fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols.iter().find(|p| p.name == protocol).map_or_else(Bytes::new, |p| p.metadata.clone())
    }

    /// Held calls keep a member alive, but not a newcomer's for ever: its client may have gone and come back as another.
    pub fn can_expire(&self) -> bool {
        self.is_new || (self.joining.is_none() && self.syncing.is_none())
    }

    fn bytes_max(&self, id: &str) -> usize {
        bytes_max(id.len(), self.instance_id.as_ref(), &self.client_id, &self.client_host, &self.protocols)
    }
}

impl Members {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    pub fn get(&self, id: &str) -> Option<&Member> {
        self.by_id.get(id)
    }

    /// The caller knows that the member is there.
    pub fn of(&self, id: &str) -> &Member {
        &self.by_id[id]
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.by_id.get_mut(id)
    }

    /// By id.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Member)> + Clone {
        self.by_id.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&String, &mut Member)> {
        self.by_id.iter_mut()
    }

    /// Who holds a static name.
    pub fn holder(&self, instance_id: &str) -> Option<&String> {
        self.statics.get(instance_id)
    }

    /// How many have joined for the next generation.
    pub fn joined(&self) -> usize {
        self.joined
    }

    /// Whether every member knows the protocol.
    pub fn all_know(&self, protocol: &str) -> bool {
        self.knowing.get(protocol).copied().unwrap_or(0) == self.by_id.len()
    }

    /// Most bytes of all members in the group's record, before assignments, were this member (or the holder of this static name) to say what it asks for.
    pub fn bytes_with(&self, request: &JoinGroup) -> usize {
        let holder = request.instance_id.as_ref().and_then(|instance| self.statics.get(instance));
        let known = holder.unwrap_or(&request.member_id);
        let own = self.by_id.get(known).map_or(0, |member| member.bytes_max(known));
        let instance = request.instance_id.as_ref();
        // A newcomer's id is made from its client id or its static name.
        let id = request.member_id.len().max(instance.unwrap_or(&request.client_id).len() + 37);
        self.bytes - own + bytes_max(id, instance, &request.client_id, &request.client_host, &request.protocols)
    }

    pub fn insert(&mut self, id: String, member: Member) {
        self.count(&id, &member);
        if let Some(instance) = &member.instance_id {
            self.statics.insert(instance.clone(), id.clone());
        }
        // A record may name a member twice.
        if let Some(old) = self.by_id.insert(id.clone(), member) {
            self.discount(&id, &old);
        }
    }

    pub fn remove(&mut self, id: &str) -> Option<Member> {
        let member = self.by_id.remove(id)?;
        self.discount(id, &member);
        if let Some(instance) = &member.instance_id
            && self.statics.get(instance).is_some_and(|holder| holder == id)
        {
            self.statics.remove(instance);
        }
        Some(member)
    }

    /// A member says anew what it is.
    pub fn describe(&mut self, id: &str, request: JoinGroup) {
        let old = self.by_id.remove(id).expect("the caller found the member");
        self.discount(id, &old);
        let member = Member {
            session_timeout_ms: millis(request.session_timeout_ms),
            rebalance_timeout_ms: millis(request.rebalance_timeout_ms),
            client_id: request.client_id,
            client_host: request.client_host,
            protocols: request.protocols,
            ..old
        };
        self.count(id, &member);
        self.by_id.insert(id.to_string(), member);
    }

    /// Holds a member's join; gives back an earlier one that was held.
    pub fn hold_join(&mut self, id: &str, reply: ReplyId) -> Option<ReplyId> {
        let member = self.by_id.get_mut(id).expect("the caller found the member");
        let earlier = member.joining.replace(reply);
        self.joined += usize::from(earlier.is_none());
        earlier
    }

    /// Takes all held joins, by member.
    pub fn take_joins(&mut self) -> Vec<(String, ReplyId)> {
        self.joined = 0;
        self.by_id.iter_mut().filter_map(|(id, m)| m.joining.take().map(|reply| (id.clone(), reply))).collect()
    }

    /// Takes all held syncs, by member.
    pub fn take_syncs(&mut self) -> Vec<(String, ReplyId)> {
        self.by_id.iter_mut().filter_map(|(id, m)| m.syncing.take().map(|reply| (id.clone(), reply))).collect()
    }

    fn count(&mut self, id: &str, member: &Member) {
        self.joined += usize::from(member.joining.is_some());
        self.bytes += member.bytes_max(id);
        for name in distinct(&member.protocols) {
            match self.knowing.get_mut(name) {
                Some(count) => *count += 1,
                None => drop(self.knowing.insert(name.to_string(), 1)),
            }
        }
    }

    fn discount(&mut self, id: &str, member: &Member) {
        self.joined -= usize::from(member.joining.is_some());
        self.bytes -= member.bytes_max(id);
        for name in distinct(&member.protocols) {
            let count = self.knowing.get_mut(name).expect("counted when the member came");
            *count -= 1;
            if *count == 0 {
                self.knowing.remove(name);
            }
        }
    }
}

/// Names of protocols, each once.
fn distinct(protocols: &[Protocol]) -> impl Iterator<Item = &str> {
    let first = |place: usize, name: &str| protocols[..place].iter().all(|p| p.name != name);
    protocols.iter().enumerate().filter(move |(place, p)| first(*place, &p.name)).map(|(_, p)| &*p.name)
}

/// Most bytes of a member in its group's record, before its assignment.
fn bytes_max(
    id_bytes: usize,
    instance: Option<&String>,
    client_id: &str,
    client_host: &str,
    protocols: &[Protocol],
) -> usize {
    let metadata = protocols.iter().map(|p| p.metadata.len()).max().unwrap_or(0);
    id_bytes + instance.map_or(0, String::len) + client_id.len() + client_host.len() + metadata + MEMBER_FRAME_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(names: &str) -> JoinGroup {
        let one = |name: &str| Protocol { name: name.into(), metadata: Bytes::from(vec![0; name.len()]) };
        JoinGroup {
            group: "g".into(),
            member_id: String::new(),
            instance_id: Some("i".into()),
            client_id: "client".into(),
            client_host: "/h".into(),
            session_timeout_ms: 1,
            rebalance_timeout_ms: -1,
            protocol_type: "consumer".into(),
            protocols: names.split(' ').map(one).collect(),
            member_id_required: false,
            can_skip_assignment: false,
            random: [0; 16],
        }
    }

    #[test]
    fn numbers_follow_the_members() {
        let mut members = Members::default();
        let empty = format!("{members:?}");
        members.insert("a".into(), Member::joining(request("x y x"), ReplyId(1), 5));
        members.insert("b".into(), Member::joining(JoinGroup { instance_id: None, ..request("y") }, ReplyId(2), 5));
        assert_eq!((members.len(), members.joined()), (2, 2));
        assert_eq!((members.all_know("x"), members.all_know("y"), members.all_know("z")), (false, true, false));
        members.describe("b", request("x"));
        assert_eq!((members.all_know("x"), members.all_know("y")), (true, false));
        assert_eq!(members.hold_join("a", ReplyId(3)), Some(ReplyId(1)));
        assert_eq!(members.take_joins(), [("a".to_string(), ReplyId(3)), ("b".to_string(), ReplyId(2))]);
        assert_eq!((members.joined(), members.hold_join("a", ReplyId(4)), members.joined()), (0, None, 1));
        // Under a new id the static name leads to the new one, and the old one's removal leaves it.
        let moved = members.remove("a").unwrap();
        members.insert("a2".into(), moved);
        assert_eq!(members.holder("i").map(String::as_str), Some("a2"));
        for id in ["a2", "b"] {
            members.remove(id).unwrap();
        }
        assert_eq!(format!("{members:?}"), empty);
    }
}
