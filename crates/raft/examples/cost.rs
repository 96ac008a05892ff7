//! What a commit costs: many groups in one process, no disk, no network, no payload.
//!
//! `cargo run --release -p ouzel-raft --example cost -- MEMBERS GROUPS COMMITS` steps each group in turn, as a driver
//! with many busy groups does, and prints what it did. It reads no clock: take the time, or the instructions
//! (`valgrind --tool=callgrind`), of two runs with different COMMITS and divide the difference.

use ouzel_model::{Index, NodeId};
use ouzel_raft::{Config, Group, Input, Message, Output, Stored, Ticket};

/// One group with all its replicas.
struct Replicas {
    groups: Vec<Group>,
    committed: Index,
}

/// Reused from step to step, as a driver does.
#[derive(Default)]
struct Scratch {
    outputs: Vec<Output>,
    /// (replica, what comes next for it)
    agenda: Vec<(usize, Next)>,
}

#[derive(Clone, Copy)]
enum Next {
    Timer,
    Propose,
    Durable(Ticket),
    Message(NodeId, Message),
}

impl Replicas {
    fn new(count: i32) -> Replicas {
        let members: Vec<NodeId> = (0..count).map(NodeId).collect();
        let group = |&me| Group::new(0, Config::default(), me, &members, &Stored::default(), 0).expect("a new group");
        Replicas { groups: members.iter().map(group).collect(), committed: Index(0) }
    }

    /// Steps until nothing is left to do.
    fn run(&mut self, first: Next, scratch: &mut Scratch, steps: &mut u64) {
        scratch.agenda.push((0, first));
        let mut next = 0;
        while let Some(&(at, what)) = scratch.agenda.get(next) {
            next += 1;
            *steps += 1;
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

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let &[members, groups, commits] = numbers.as_slice() else {
        return eprintln!("usage: cost MEMBERS GROUPS COMMITS");
    };
    let (mut scratch, mut steps) = (Scratch::default(), 0);
    let mut all: Vec<Replicas> = (0..groups).map(|_| Replicas::new(members as i32)).collect();
    for replicas in &mut all {
        replicas.run(Next::Timer, &mut scratch, &mut steps);
    }
    let elected = steps;
    for _ in 0..commits.div_ceil(groups) {
        for replicas in &mut all {
            replicas.run(Next::Propose, &mut scratch, &mut steps);
        }
    }
    let committed: u64 = all.iter().map(|replicas| replicas.committed.0 - 1).sum();
    let bytes = all.iter().flat_map(|replicas| &replicas.groups).map(Group::memory_bytes).max().unwrap_or(0);
    println!(
        "{committed} commits in {groups} groups of {members}, {} steps each; {} steps to elect; {bytes} bytes a replica",
        (steps - elected) as f64 / committed as f64,
        elected / groups
    );
}
