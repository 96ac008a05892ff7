//! The coordinator's doors.

use std::collections::BTreeSet;

use ouzel_model::{PartitionId, ProducerId, TopicName};

use crate::api::{AppendFailed, AppendId, Committed, Effect, GroupRequest, Now, ReplyId, Unavailable};
use crate::config::Config;

/// Coordinator of the groups of one partition of `__consumer_offsets`.
///
/// Life of an owner: [`Groups::new`], [`Groups::replay`] for every committed record of the partition, and when this
/// node leads it and has replayed all, [`Groups::loaded`]. From then on the records of its own appends come in by
/// [`Groups::appended`] alone and must not be replayed as well. When leadership ends: [`Groups::resign`]; afterwards
/// replay goes on behind the last append that was confirmed, or the owner drops this and starts anew.
pub struct Groups {
    #[allow(dead_code)]
    config: Config,
}

impl Groups {
    /// An empty coordinator, loading.
    pub fn new(config: Config) -> Groups {
        Groups { config }
    }

    /// Takes one committed record of the partition, in log order; `transaction` names the producer of a transactional
    /// batch. `Err` when the record can't be read: it is kept as it is, and nothing else is harmed.
    pub fn replay(
        &mut self,
        _key: &[u8],
        _value: Option<&[u8]>,
        _transaction: Option<ProducerId>,
    ) -> Result<(), UnreadableRecord> {
        Ok(())
    }

    /// Takes the end marker of a producer's transaction, in log order with the records. While serving too: the markers
    /// are not this coordinator's appends.
    pub fn transaction_ended(&mut self, _producer: ProducerId, _committed: bool) {}

    /// All is replayed and this node leads: calls are served from now on, and every member gets a fresh session.
    pub fn loaded(&mut self, _now: Now) -> Vec<Effect> {
        Vec::new()
    }

    /// This node no longer leads: every waiting call is answered with NOT_COORDINATOR.
    pub fn resign(&mut self) -> Vec<Effect> {
        Vec::new()
    }

    /// Takes a call. It is answered by a `Reply` of that id among these effects or later ones.
    pub fn handle(&mut self, _now: Now, reply: ReplyId, request: GroupRequest) -> Vec<Effect> {
        vec![Effect::Reply(reply, request.refused(Unavailable::Loading))]
    }

    /// An append is committed and applied, or was refused. Results may come in any order.
    pub fn appended(&mut self, _now: Now, _id: AppendId, _result: Result<(), AppendFailed>) -> Vec<Effect> {
        Vec::new()
    }

    /// Does what is due. Call when [`Groups::next_deadline`] has come; earlier or later does no harm.
    pub fn timer(&mut self, _now: Now) -> Vec<Effect> {
        Vec::new()
    }

    /// When [`Groups::timer`] wants to be called, in `mono_ms`. May be early.
    pub fn next_deadline(&self) -> Option<u64> {
        None
    }

    /// Topics are gone: their offsets go too. Retried until stored; a coordinator that just loaded must be told again
    /// of those of its [`Groups::topics`] that don't exist.
    pub fn topics_deleted(&mut self, _now: Now, _topics: &BTreeSet<TopicName>) -> Vec<Effect> {
        Vec::new()
    }

    /// Topics with committed offsets.
    pub fn topics(&self) -> BTreeSet<TopicName> {
        BTreeSet::new()
    }

    /// Committed offsets of a group, by topic and partition; empty where there is none. For metrics: not gated by load.
    pub fn committed(&self, _group: &str) -> Vec<(TopicName, PartitionId, Committed)> {
        Vec::new()
    }

    /// The live state as records, none of them a tombstone, for a rewrite before the log's prefix is trimmed. Append
    /// them in any number of batches; don't replay them. `None` while an open transaction holds offsets: its records
    /// must stay where they are.
    pub fn compact(&self) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
        Some(Vec::new())
    }

    /// Bytes of keys and values of the live state.
    pub fn live_bytes(&self) -> u64 {
        0
    }
}

/// A record that this version can't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unreadable record in __consumer_offsets: {0}")]
pub struct UnreadableRecord(pub &'static str);
