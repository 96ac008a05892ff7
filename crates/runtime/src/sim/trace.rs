//! What happened, in order: one running hash that two runs of a seed must share, the last events for a failure's
//! print, and, on request, every event to a sink.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::stream::mix;

/// Events kept for a failure's print.
pub const TAIL_EVENTS: usize = 200;

/// Marks an event that belongs to no node.
pub const NOBODY: u16 = u16::MAX;

/// Kinds of events in the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum What {
    /// A task was made; a = its class.
    Spawn,
    /// A task was polled; a = virtual nanoseconds it took.
    Poll,
    /// A task ended.
    End,
    /// A timer fired.
    Timer,
    /// A disk operation was submitted; a = kind, b = payload hash.
    DiskSubmit,
    /// A disk operation completed; a = kind, b = payload hash.
    DiskDone,
    /// Bytes were sent; a = connection, b = payload hash.
    NetSend,
    /// Bytes or an end arrived; a = connection, b = payload hash.
    NetArrive,
    /// A connection was opened, refused, reset or closed; a = connection, b = which.
    NetState,
    /// A fault or a command of the scenario; a and b tell which.
    Fault,
    /// A node started, stopped or failed; a = which.
    Node,
    /// A mark of the workload or a checker; a and b are its own.
    Mark,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// World time, nanoseconds.
    pub at: u64,
    /// Host, or [`NOBODY`].
    pub host: u16,
    /// Shard of the host.
    pub shard: u16,
    /// Number of the task, counted over the whole world; 0 is none.
    pub task: u64,
    /// What happened.
    pub what: What,
    /// First detail.
    pub a: u64,
    /// Second detail.
    pub b: u64,
}

impl Event {
    /// One JSON object, without the line's end.
    pub fn json(&self) -> String {
        let mut line = String::with_capacity(96);
        let (secs, nanos) = (self.at / 1_000_000_000, self.at % 1_000_000_000);
        write!(line, "{{\"t\":{secs}.{nanos:09}").expect("writing to a string");
        if self.host != NOBODY {
            write!(line, ",\"host\":{},\"shard\":{}", self.host, self.shard).expect("writing to a string");
        }
        if self.task != 0 {
            write!(line, ",\"task\":{}", self.task).expect("writing to a string");
        }
        write!(line, ",\"what\":\"{:?}\",\"a\":{},\"b\":\"{:x}\"}}", self.what, self.a, self.b)
            .expect("writing to a string");
        line
    }
}

/// Where every event goes when the run asks for it.
pub type Sink = Box<dyn FnMut(&Event)>;

/// The running trace.
pub struct Trace {
    hash: u64,
    events: u64,
    tail: VecDeque<Event>,
    sink: Option<Sink>,
}

impl Trace {
    /// An empty trace; `sink` gets every event.
    pub fn new(sink: Option<Sink>) -> Trace {
        Trace { hash: 0, events: 0, tail: VecDeque::with_capacity(TAIL_EVENTS), sink }
    }

    /// Takes an event in.
    #[inline]
    pub fn record(&mut self, event: Event) {
        let place = u64::from(event.host) << 32 | u64::from(event.shard) << 16 | event.what as u64;
        let mut hash = self.hash;
        for word in [event.at, place, event.task, event.a, event.b] {
            hash = (hash ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25).rotate_left(31);
        }
        self.hash = hash;
        self.events += 1;
        if self.tail.len() == TAIL_EVENTS {
            self.tail.pop_front();
        }
        self.tail.push_back(event);
        if let Some(sink) = &mut self.sink {
            sink(&event);
        }
    }

    /// Hash over every event so far, in order.
    pub fn hash(&self) -> u64 {
        mix(self.hash ^ self.events)
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The last events, oldest first, at most [`TAIL_EVENTS`].
    pub fn tail(&self) -> impl Iterator<Item = &Event> {
        self.tail.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: u64) -> Event {
        Event { at, host: 1, shard: 0, task: 3, what: What::Poll, a: 5, b: 6 }
    }

    #[test]
    fn the_hash_depends_on_order() {
        let (mut x, mut y) = (Trace::new(None), Trace::new(None));
        x.record(event(1));
        x.record(event(2));
        y.record(event(2));
        y.record(event(1));
        assert_ne!(x.hash(), y.hash());
    }

    #[test]
    fn the_tail_is_bounded_and_an_event_prints_as_json() {
        let mut t = Trace::new(None);
        for at in 0..500 {
            t.record(event(at));
        }
        assert_eq!(t.tail().count(), TAIL_EVENTS);
        assert_eq!(
            event(1_500_000_000).json(),
            r#"{"t":1.500000000,"host":1,"shard":0,"task":3,"what":"Poll","a":5,"b":"6"}"#
        );
    }
}
