//! One replicated log per partition, as a pure step function: elects a leader, replicates, commits.
//!
//! This crate knows no records, files, sockets, clocks, tasks or randomness. It knows an entry's index, term and
//! length, never its payload; its caller, the **driver**, owns storage, transport and timer. Nothing here waits.
//!
//! ```text
//!              driver  ──Input──►  Group::step(now, input, &mut outputs)  ──Output──►  driver
//!
//!  partition   Propose(first, term, lengths)          │  Commit(index) · Role(..) · Refused(first, term)   partition
//!  peers       Message(from, m) · PeerLost(peer)      │  Send(to, m, after: ticket?) · CatchUp(peer, from)  peers
//!  storage     Durable(ticket) · Trimmed(index)       │  SaveVote(term, vote, ticket)                       storage
//!                                                     │  Append(first..=last, truncate_from?, ticket)
//!  timer       TimerFired(random)                     │  Deadline(ms)                                       timer
//!
//!   one write's way:   Append(ticket 7) ──► journal ──► sync ──► Durable(7) ──► Commit, or Appended to the leader
//!   entries needn't wait for it:      └──► Send(entries, after: None) ──► followers, in parallel
//!   a vote, a new term must:           Send(Voted, after: 7) ──► held by the driver until Durable(7)
//! ```
//!
//! **What the driver owes**
//! 1. Outputs are carried out in order. Writes reach the disk such that a crash keeps a prefix of them.
//! 2. `Durable(t)` only when write `t` and all before it would survive what the replica promises to survive: a power
//!    cut, or with write caching the death of the process. One call may cover many.
//! 3. A message is sent only when its `after` is durable, and entries' payload is fetched in the turn of the `Send`.
//! 4. After a restart, or after its log was replaced by a catch-up copy, a replica is a new [`Group`] built from
//!    [`Stored`]; old tickets, held messages and timers are forgotten. A copy holds committed entries only, and leaves
//!    what the replica holds behind its last entry, if it holds that entry too: that part was acknowledged.
//! 5. Each node is one member of a group, and a member that lost its disk comes back under another id.
//!
//! **What holds then** (checked by [`testing`] and its planted bugs)
//! - One leader per term. A committed entry is never lost or changed, on any replica.
//! - The committed index is durable on a majority, and its entry or a later one was written in its leader's own term.
//! - `trimmed <= committed <= last`; committed never moves back; nothing at or below it is truncated.
//! - An entry counts as durable only while it is the one that was written: see [`Ticket`].
//! - With a majority up and talking there is a leader after a few election timeouts, and all logs become equal.
//!
//! Limits: a window of bytes and entries per follower, one frame at a time while a follower's log is unknown; writes in
//! flight are bounded by the driver, which proposes only what its storage takes. A group of one costs no step while
//! nothing is proposed.
//!
//! # Use it alone
//! Three replicas with a `Vec` as disk and a queue as network:
//! ```
//! use std::collections::VecDeque;
//! use ouzel_model::NodeId;
//! use ouzel_raft::{Body, Config, Group, Input, Message, Output, Stored, Ticket};
//!
//! enum Event {
//!     Timer,
//!     Written(Ticket),
//!     Arrived { from: NodeId, message: Message, payload: Vec<String> },
//! }
//! let members = [NodeId(0), NodeId(1), NodeId(2)];
//! let new = |id| Group::new(0, Config::default(), id, &members, &Stored::default(), 0).unwrap();
//! let mut groups = members.map(new);
//! let mut logs: [Vec<String>; 3] = Default::default();
//! let mut committed = [0; 3];
//! // A new group's first member needn't wait for an election timeout.
//! assert_eq!(groups[0].deadline(), 0);
//! let mut events = VecDeque::from([(0, Event::Timer)]);
//! let mut proposals = vec!["second".to_string(), "first".to_string()];
//! let mut outputs = Vec::new();
//!
//! while let Some((at, event)) = events.pop_front() {
//!     let (group, log, mut received) = (&mut groups[at], &mut logs[at], (0, Vec::new()));
//!     match event {
//!         Event::Timer => group.step(0, Input::TimerFired { random: 7 }, &mut outputs),
//!         Event::Written(ticket) => group.step(0, Input::Durable(ticket), &mut outputs),
//!         Event::Arrived { from, message, payload } => {
//!             if let Body::Append(entries) = message.body {
//!                 received = (entries.prev.index.0, payload);
//!             }
//!             group.step(0, Input::Message { from, message }, &mut outputs)
//!         }
//!     }
//!     if group.is_ready() && let Some(text) = proposals.pop() {
//!         let (first, term) = group.next_entry().unwrap();
//!         let bytes = [text.len() as u32];
//!         log.push(text); // storage may take the payload first
//!         group.step(0, Input::Propose { first, term, bytes: &bytes }, &mut outputs);
//!     }
//!     for output in outputs.drain(..) {
//!         match output {
//!             Output::SaveVote { ticket, .. } => events.push_back((at, Event::Written(ticket))),
//!             Output::Append { first, last, source, truncate_from, ticket, .. } => {
//!                 if let Some(from) = truncate_from {
//!                     log.truncate(from.0 as usize - 1);
//!                 }
//!                 match source {
//!                     ouzel_raft::Source::Proposed => {}
//!                     ouzel_raft::Source::Blank => log.push(String::new()),
//!                     ouzel_raft::Source::Received => {
//!                         let (before, payload) = &received;
//!                         log.extend_from_slice(&payload[(first.0 - before - 1) as usize..(last.0 - before) as usize]);
//!                     }
//!                 }
//!                 events.push_back((at, Event::Written(ticket)));
//!             }
//!             // A `Vec` is durable at once, so `after` holds nothing back here.
//!             Output::Send { to, message, after: _ } => {
//!                 let payload = match message.body {
//!                     Body::Append(sent) => log[sent.prev.index.0 as usize..sent.last.0 as usize].to_vec(),
//!                     _ => Vec::new(),
//!                 };
//!                 let event = Event::Arrived { from: NodeId(at as i32), message, payload };
//!                 events.push_back((to.0 as usize, event));
//!             }
//!             Output::Commit(index) => committed[at] = index.0,
//!             Output::Role(_) | Output::Deadline(_) => {}
//!             Output::Refused { .. } | Output::CatchUp { .. } | Output::Conflict { .. } => unreachable!("in this example"),
//!         }
//!     }
//! }
//! assert_eq!(logs[0], ["", "first", "second"]);
//! assert!(logs[1] == logs[0] && logs[2] == logs[0]);
//! assert_eq!(committed[0], 3);
//! ```

mod config;
mod contract;
mod election;
mod follow;
mod group;
mod message;
mod progress;
mod sizes;
mod stored;
mod terms;
pub mod testing;
mod tickets;

pub use config::Config;
pub use contract::{Input, NEVER, Output, Outputs, Role, Source, Ticket};
pub use group::Group;
pub use message::{Body, Entries, Message, Position};
pub use stored::{BadStored, Stored};
