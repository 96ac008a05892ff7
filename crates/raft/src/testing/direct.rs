//! Replicas of one group that hear each other at once: no disk, no network, no payload. What steps cost is measured over them.

use ouzel_model::{Index, NodeId};

use crate::{Config, Group, Input, Message, Output, Stored, Ticket};

/// One group with all its replicas.
pub struct Replicas {
    /// The first one leads once [`Next::Timer`] was run.
    pub groups: Vec<Group>,
    /// As the first one says.
    pub committed: Index,
}

/// Reused from step to step, as a driver does.
#[derive(Default)]
pub struct Scratch {
    outputs: Vec<Output>,
    /// (replica, what comes next for it)
    agenda: Vec<(usize, Next)>,
    /// Steps so far.
    pub steps: u64,
}

/// What happens to a replica.
#[derive(Clone, Copy)]
pub enum Next {
    /// Its timer fires.
    Timer,
    /// An entry of 1,000 bytes is proposed; to the leader only.
    Propose,
    /// What it had saved is durable.
    Durable(Ticket),
    /// A message comes from another one.
    Message(NodeId, Message),
}

impl Replicas {
    /// `count` of them, none elected.
    pub fn new(count: i32) -> Replicas {
        let members: Vec<NodeId> = (0..count).map(NodeId).collect();
        let group = |&me| Group::new(0, Config::default(), me, &members, &Stored::default(), 0).expect("a new group");
        Replicas { groups: members.iter().map(group).collect(), committed: Index(0) }
    }

    /// Lets `first` happen to the first replica, and steps until nothing is left to do.
    pub fn run(&mut self, first: Next, scratch: &mut Scratch) {
        scratch.agenda.push((0, first));
        let mut next = 0;
        while let Some(&(at, what)) = scratch.agenda.get(next) {
            next += 1;
            scratch.steps += 1;
            let group = &mut self.groups[at];
            let outputs = &mut scratch.outputs;
            match what {
                Next::Timer => group.step(0, Input::TimerFired { random: 0 }, outputs),
                Next::Durable(ticket) => group.step(0, Input::Durable(ticket), outputs),
                Next::Message(from, message) => group.step(0, Input::Message { from, message }, outputs),
                Next::Propose => {
                    let (first, term) = group.next_entry().expect("the first replica leads");
                    group.step(0, Input::Propose { first, term, bytes: &[1000] }, outputs);
                }
            }
            for output in outputs.drain(..) {
                match output {
                    Output::SaveVote { ticket, .. } | Output::Append { ticket, .. } => {
                        scratch.agenda.push((at, Next::Durable(ticket)));
                    }
                    Output::Send { to, message, .. } => {
                        scratch.agenda.push((to.0 as usize, Next::Message(NodeId(at as i32), message)));
                    }
                    Output::Commit(index) if at == 0 => self.committed = index,
                    _ => {}
                }
            }
        }
        scratch.agenda.clear();
    }
}
