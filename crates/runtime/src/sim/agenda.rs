//! What will happen when: one queue of the world's events, in order of time, then of being planned.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that happens at a time. Keys carry a number that tells a thing from an earlier one at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A timer fires.
    Timer { slot: u32, serial: u64 },
    /// A task that another shard woke becomes ready.
    Wake { slot: u32, id: u64 },
    /// A disk operation completes.
    Disk { host: u16, op: u32, serial: u64 },
    /// The head of a pipe arrives.
    Arrive { conn: u32, serial: u64, to: u8 },
    /// A writer may look again.
    Room { conn: u32, serial: u64, side: u8 },
    /// A connection end learns of an abort by its peer's kernel.
    Reset { conn: u32, serial: u64, side: u8 },
    /// A held pipe has been held too long.
    GiveUp { conn: u32, serial: u64, to: u8, since: u64 },
    /// A connection request arrives.
    Syn { request: u32, serial: u64 },
    /// Its answer arrives.
    SynAck { request: u32, serial: u64 },
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Planned {
    at: u64,
    order: u64,
    due: Due,
}

/// The queue.
#[derive(Default)]
pub(crate) struct Agenda {
    queue: BinaryHeap<Reverse<Planned>>,
    order: u64,
}

impl Agenda {
    /// Plans `due` for world time `at`.
    pub fn plan(&mut self, at: u64, due: Due) {
        self.order += 1;
        self.queue.push(Reverse(Planned { at, order: self.order, due }));
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<u64> {
        self.queue.peek().map(|Reverse(p)| p.at)
    }

    /// Takes the next event if it is due by `now`.
    pub fn pop(&mut self, now: u64) -> Option<Due> {
        if self.next_at()? > now {
            return None;
        }
        self.queue.pop().map(|Reverse(p)| p.due)
    }
}
