//! Which protocol the members' votes choose.

use super::Classic;
use crate::api::Protocol;

impl Classic {
    /// Whether a member with these protocols can be in: the group's type, and at least one protocol that all know.
    pub(super) fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.members.is_empty() {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        protocol_type == self.protocol_type && protocols.iter().any(|p| self.members.all_know(&p.name))
    }

    /// Each member votes for the first of its protocols that all know; of equal votes the leader's earlier one wins.
    pub(super) fn select_protocol(&self) -> String {
        select(self.members.iter().map(|(_, m)| m.protocols()), self.members.of(&self.leader).protocols())
    }

    /// As [`Classic::select_protocol`], were `member_id` to bring these protocols.
    pub(super) fn select_protocol_with(&self, member_id: &str, protocols: &[Protocol]) -> String {
        let of = |id: &str| if id == member_id { protocols } else { self.members.of(id).protocols() };
        select(self.members.iter().map(|(id, _)| of(id)), of(&self.leader))
    }
}

fn knows(protocols: &[Protocol], name: &str) -> bool {
    protocols.iter().any(|p| p.name == name)
}

fn select<'a>(members: impl Iterator<Item = &'a [Protocol]> + Clone, leader: &'a [Protocol]) -> String {
    let common: Vec<&str> =
        leader.iter().map(|p| &*p.name).filter(|name| members.clone().all(|theirs| knows(theirs, name))).collect();
    let mut votes = vec![0usize; common.len()];
    for theirs in members {
        let vote = theirs.iter().find_map(|p| common.iter().position(|name| *name == p.name));
        votes[vote.expect("a member came in that shares no protocol with the others")] += 1;
    }
    let most = votes.iter().max().copied().expect("the members of a group share a protocol");
    let winner = votes.iter().position(|&count| count == most).expect("the maximum is among the votes");
    common[winner].to_string()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn votes_choose_among_what_all_know() {
        let list = |names: &str| -> Vec<Protocol> {
            names.split(' ').map(|name| Protocol { name: name.into(), metadata: Bytes::new() }).collect()
        };
        let check = |members: &[&str], expect: &str| {
            let members: Vec<_> = members.iter().map(|m| list(m)).collect();
            assert_eq!(select(members.iter().map(|m| &**m), &members[0]), expect);
        };
        check(&["range"], "range");
        check(&["range sticky", "sticky"], "sticky");
        check(&["a b", "b a", "b a"], "b");
        check(&["b a", "a b"], "b");
        check(&["x a b", "y b a", "z b a"], "b");
        // The same name twice still is one vote.
        check(&["a a b", "b a", "b a"], "b");
    }
}
