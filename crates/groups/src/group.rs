//! A group: what the log says of it, what is going on in it, and the calls that wait.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use ouzel_model::TopicName;

use crate::api::{GroupRequest, ReplyId};
use crate::classic::Classic;
use crate::durable::Durable;

/// A group's name, shared by all that point to it.
pub(crate) type GroupId = Arc<str>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub durable: Durable,
    pub live: Classic,
    pub queue: VecDeque<Waiting>,
    /// A change is on its way to the log: no call may touch the group until it's there.
    pub busy: bool,
    /// Offset commits and deletions on their way to the log.
    pub writes_in_flight: usize,
    /// Offsets that these would add, at most.
    pub offsets_in_flight: usize,
    /// The group is about to be rewritten: no new write starts until then.
    pub hold: bool,
    /// Deleted topics whose tombstones could not be stored, and when to try again.
    pub forget_again: Option<(u64, BTreeSet<TopicName>)>,
    /// Its entry in the coordinator's index of deadlines.
    pub indexed: Option<u64>,
}

/// A call that waits its turn.
#[derive(Clone, Debug)]
pub(crate) enum Waiting {
    Call(ReplyId, GroupRequest),
    /// Topics were deleted.
    Forget(BTreeSet<TopicName>),
}

impl Group {
    /// Whether a client would say that this group is there.
    pub fn exists(&self) -> bool {
        !self.durable.is_empty() || !self.live.is_idle()
    }

    /// Nothing is left that needs a place in memory.
    pub fn is_void(&self) -> bool {
        !self.exists()
            && !self.busy
            && self.writes_in_flight == 0
            && self.queue.is_empty()
            && self.forget_again.is_none()
    }

    /// Whether a write may start now; `alone` if none must be on its way.
    pub fn is_free(&self, alone: bool) -> bool {
        let written = alone && self.writes_in_flight > 0;
        !self.busy && !self.hold && !written
    }

    /// The next call, if it may be taken now.
    pub fn next_waiting(&mut self) -> Option<Waiting> {
        let alone = match self.queue.front()? {
            Waiting::Call(_, request) => needs_alone(request),
            Waiting::Forget(_) => true,
        };
        if self.is_free(alone) { self.queue.pop_front() } else { None }
    }

    /// When something is due; a busy group is looked at when its change is done.
    pub fn deadline(&self) -> Option<u64> {
        let forget = self.forget_again.as_ref().map_or(u64::MAX, |(at, _)| *at);
        let at = self.live.wake().min(forget);
        (!self.busy && at < u64::MAX).then_some(at)
    }
}

/// A deletion must see every offset, those on their way too.
pub(crate) fn needs_alone(request: &GroupRequest) -> bool {
    matches!(request, GroupRequest::Delete(_))
}
