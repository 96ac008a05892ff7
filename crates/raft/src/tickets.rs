//! Writes on their way to the disk.

use std::collections::VecDeque;

use ouzel_model::Index;

use crate::contract::Ticket;

/// An idle group keeps room for this many tickets; what a burst took is given back.
const KEPT: usize = 16;

/// What each ticket that isn't durable yet stands for.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Tickets {
    given: Ticket,
    durable: Ticket,
    /// The newest vote's.
    vote: Ticket,
    /// For each ticket behind `durable`: the last entry it makes durable, 0 for a vote.
    waiting: VecDeque<Index>,
}

impl Tickets {
    fn give(&mut self, last: Index) -> Ticket {
        self.given.0 += 1;
        self.waiting.push_back(last);
        self.given
    }

    pub fn give_vote(&mut self) -> Ticket {
        self.vote = self.give(Index(0));
        self.vote
    }

    pub fn give_append(&mut self, last: Index) -> Ticket {
        self.give(last)
    }

    /// The newest vote's ticket while that vote isn't durable: nothing may leave before it.
    pub fn vote_waiting(&self) -> Option<Ticket> {
        (self.durable < self.vote).then_some(self.vote)
    }

    /// Entries behind `last` were dropped: the tickets that wrote them no longer speak for them.
    ///
    /// To compare the terms when a ticket comes back would not do: the same entry can be written, dropped, and written
    /// once more while the first ticket is still out, and the first write then says nothing about the third.
    pub fn cut(&mut self, last: Index) {
        for index in &mut self.waiting {
            *index = last.min(*index);
        }
    }

    /// All tickets up to this one are durable; returns the last entry that is now, 0 for none.
    pub fn done(&mut self, ticket: Ticket) -> Index {
        assert!(ticket <= self.given, "ticket {} was never given, the last one is {}", ticket.0, self.given.0);
        let count = ticket.0.saturating_sub(self.durable.0) as usize;
        self.durable = self.durable.max(ticket);
        let last = self.waiting.drain(..count).max().unwrap_or(Index(0));
        if self.waiting.is_empty() && self.waiting.capacity() > KEPT {
            self.waiting = VecDeque::new();
        }
        last
    }

    pub fn heap_bytes(&self) -> usize {
        self.waiting.capacity() * size_of::<Index>()
    }
}
