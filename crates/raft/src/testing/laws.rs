//! What must hold, whatever happens. It remembers what the replicas promised and can't take back.

use std::collections::BTreeMap;

use ouzel_model::{Index, NodeId, Term};

use super::disk::{Disk, Entry, Image};
use crate::{Body, Group, Message, Role};

/// A law was broken: which, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{law}: {how}")]
pub struct Broken {
    /// The law's name.
    pub law: &'static str,
    /// What was seen.
    pub how: String,
}

pub type Verdict = Result<(), Broken>;

/// Fails with the law's name unless the condition holds.
macro_rules! law {
    ($law:literal, $holds:expr, $($how:tt)+) => {
        if !$holds {
            return Err(Broken { law: $law, how: format!($($how)+) });
        }
    };
}

/// The memory of one cluster's life.
#[derive(Clone, Debug, Default, Hash)]
pub struct Laws {
    /// Judge by what a client would see, not by the promises on the way: to show that a planted bug does harm.
    pub outcomes_only: bool,
    /// Each committed entry, and the term of the leader that committed it.
    pub committed: Vec<(Entry, Term)>,
    leaders: BTreeMap<Term, NodeId>,
    /// Votes that left their node.
    votes: BTreeMap<(NodeId, Term), NodeId>,
    /// The highest term each node named in a message.
    terms: BTreeMap<NodeId, Term>,
    /// Each entry ever written, with the term of the one before it.
    written: BTreeMap<(Index, Term), (u64, Term)>,
}

impl Laws {
    /// An entry is written by `node` behind one of term `before`. Raft paper, figure 3: Log Matching.
    pub fn append(&mut self, index: Index, entry: Entry, before: Term) -> Verdict {
        let seen = *self.written.entry((index, entry.term)).or_insert((entry.value, before));
        law!("log-matching", seen == (entry.value, before), "entry {index} of term {} differs", entry.term);
        Ok(())
    }

    /// A leader's entry is in place for good.
    pub fn commit(&mut self, group: &Group, images: &[&Image], view: &Image, from: Index, upto: Index) -> Verdict {
        for index in (from.0 + 1..=upto.0).map(Index) {
            let Some(entry) = view.entry(index) else { continue };
            match self.committed.get(index.0 as usize - 1) {
                Some((known, _)) => {
                    law!("committed-stable", *known == entry, "index {index}: {known:?} was committed, now {entry:?}")
                }
                None => {
                    law!(
                        "committed-by-leader",
                        matches!(group.role(), Role::Leader { .. }) && self.committed.len() as u64 + 1 == index.0,
                        "{:?} is first to commit {index}",
                        group.role()
                    );
                    self.committed.push((entry, group.term()));
                }
            }
        }
        self.durable_on_quorum(images)
    }

    /// The last committed entry is on the disks of a majority, crashed nodes' included.
    pub fn durable_on_quorum(&self, images: &[&Image]) -> Verdict {
        if self.outcomes_only {
            return Ok(());
        }
        let Some((entry, _)) = self.committed.last() else { return Ok(()) };
        let index = Index(self.committed.len() as u64);
        let holds = |image: &Image| index <= image.trimmed.index || image.entry(index) == Some(*entry);
        let count = images.iter().filter(|image| holds(image)).count();
        law!("quorum-durable", count * 2 > images.len(), "committed index {index} is on {count} disks");
        Ok(())
    }

    /// A replica leads now.
    pub fn lead(&mut self, node: NodeId, group: &Group, view: &Image) -> Verdict {
        let term = group.term();
        // Not even the same node, after a restart.
        let before = self.leaders.insert(term, node);
        law!("one-leader", before.is_none(), "{node:?} leads term {term}, as {before:?} did");
        for (place, (entry, by)) in self.committed.iter().enumerate() {
            let index = Index(place as u64 + 1);
            // A late winner of an old term may lack what a newer one has committed.
            let kept = *by >= term || index <= view.trimmed.index || view.entry(index) == Some(*entry);
            law!("leader-complete", kept, "{node:?} leads term {term} without the committed entry {index}");
        }
        Ok(())
    }

    /// A message leaves its node.
    pub fn sent(&mut self, from: NodeId, to: NodeId, message: &Message, image: &Image) -> Verdict {
        if self.outcomes_only {
            return Ok(());
        }
        let term = message.term;
        let said = self.terms.entry(from).or_insert(term);
        *said = term.max(*said);
        law!("term-durable", term <= image.term, "{from:?} says term {term}, its disk says {}", image.term);
        match message.body {
            Body::Vote { .. } => self.voted(from, term, from),
            Body::Voted { granted: true } => self.voted(from, term, to),
            Body::Append(_) => self.voted(from, term, from),
            Body::Appended { matched } if image.term == term => {
                law!("acked-durable", matched <= image.last(), "{from:?} acks {matched}, has {}", image.last());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn voted(&mut self, from: NodeId, term: Term, whom: NodeId) -> Verdict {
        let seen = *self.votes.entry((from, term)).or_insert(whom);
        law!("one-vote", seen == whom, "{from:?} votes for {seen:?} and {whom:?} in term {term}");
        Ok(())
    }

    /// A replica starts from its disk: it must know what it said.
    pub fn start(&self, node: NodeId, image: &Image) -> Verdict {
        let said = self.terms.get(&node).copied().unwrap_or_default();
        law!("term-kept", said <= image.term, "{node:?} said term {said}, its disk says {}", image.term);
        let gave = self.votes.get(&(node, image.term));
        law!("vote-kept", gave.is_none() || image.vote == gave.copied(), "{node:?} gave {gave:?} in {}", image.term);
        Ok(())
    }

    /// After each step: the group's numbers are in order and agree with the disk.
    pub fn order(&self, group: &Group, disk: &Disk) -> Verdict {
        if self.outcomes_only {
            return Ok(());
        }
        let (trimmed, commit, last, durable) =
            (group.trimmed().index, group.committed(), group.last(), group.durable_index());
        law!(
            "position-order",
            trimmed <= commit && commit <= last.index && durable <= last.index,
            "trimmed {trimmed}, committed {commit}, durable {durable}, last {}",
            last.index
        );
        law!("same-log", disk.view.term_at(last.index) == Some(last.term), "the group ends at {last:?}");
        law!("same-log", disk.view.last() == last.index, "the log ends at {}", disk.view.last());
        let same = durable <= disk.image.trimmed.index || disk.image.entry(durable) == disk.view.entry(durable);
        law!("durable-is-durable", same, "the group takes {durable} for durable");
        Ok(())
    }
}
pub(super) use law;
