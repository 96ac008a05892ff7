//! What a commit costs without disk, network and payload: a group of one, and of three.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ouzel_model::{Index, NodeId};
use ouzel_raft::{Config, Group, Input, Message, Output, Stored, Ticket};

#[derive(Clone, Copy)]
enum Next {
    Timer,
    Propose,
    Durable(Ticket),
    Message(NodeId, Message),
}

/// One group with all its replicas; what one says reaches the other at once.
struct Replicas {
    groups: Vec<Group>,
    agenda: Vec<(usize, Next)>,
    outputs: Vec<Output>,
    committed: Index,
}

impl Replicas {
    fn new(count: i32) -> Replicas {
        let members: Vec<NodeId> = (0..count).map(NodeId).collect();
        let group = |&me| Group::new(0, Config::default(), me, &members, &Stored::default(), 0).expect("a new group");
        let groups = members.iter().map(group).collect();
        let mut replicas = Replicas { groups, agenda: Vec::new(), outputs: Vec::new(), committed: Index(0) };
        replicas.run(Next::Timer);
        replicas
    }

    /// Steps until nothing is left to do.
    fn run(&mut self, first: Next) -> Index {
        self.agenda.push((0, first));
        let mut at = 0;
        while let Some(&(replica, what)) = self.agenda.get(at) {
            at += 1;
            let (group, outputs) = (&mut self.groups[replica], &mut self.outputs);
            match what {
                Next::Timer => group.step(0, Input::TimerFired { random: 0 }, outputs),
                Next::Durable(ticket) => group.step(0, Input::Durable(ticket), outputs),
                Next::Message(from, message) => group.step(0, Input::Message { from, message }, outputs),
                Next::Propose => {
                    let (first, term) = group.next_entry().expect("the first replica leads");
                    group.step(0, Input::Propose { first, term, bytes: &[1000] }, outputs);
                }
            }
            for output in self.outputs.drain(..) {
                match output {
                    Output::SaveVote { ticket, .. } | Output::Append { ticket, .. } => {
                        self.agenda.push((replica, Next::Durable(ticket)));
                    }
                    Output::Send { to, message, .. } => {
                        self.agenda.push((to.0 as usize, Next::Message(NodeId(replica as i32), message)));
                    }
                    Output::Commit(index) if replica == 0 => self.committed = index,
                    _ => {}
                }
            }
        }
        self.agenda.clear();
        self.committed
    }
}

fn commits(c: &mut Criterion) {
    let mut group = c.benchmark_group("raft");
    group.throughput(Throughput::Elements(1));
    for members in [1, 3] {
        group.bench_function(format!("commit-rf{members}"), |b| {
            let mut replicas = Replicas::new(members);
            b.iter(|| {
                let before = replicas.committed;
                assert!(replicas.run(Next::Propose) > before, "a proposal commits");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
