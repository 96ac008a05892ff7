//! What a commit costs: many groups in one process, no disk, no network, no payload.
//!
//! `cargo run --release -p ouzel-raft --example cost -- MEMBERS GROUPS COMMITS` steps each group in turn, as a driver
//! with many busy groups does, and prints what it did. It reads no clock: take the time, or the instructions
//! (`valgrind --tool=callgrind`), of two runs with different COMMITS and divide the difference.

use ouzel_raft::Group;
use ouzel_raft::testing::direct::{Next, Replicas, Scratch};

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let &[members, groups, commits] = numbers.as_slice() else {
        return eprintln!("usage: cost MEMBERS GROUPS COMMITS");
    };
    let mut scratch = Scratch::default();
    let mut all: Vec<Replicas> = (0..groups).map(|_| Replicas::new(members as i32)).collect();
    for replicas in &mut all {
        replicas.run(Next::Timer, &mut scratch);
    }
    let elected = scratch.steps;
    for _ in 0..commits.div_ceil(groups) {
        for replicas in &mut all {
            replicas.run(Next::Propose, &mut scratch);
        }
    }
    let committed: u64 = all.iter().map(|replicas| replicas.committed.0 - 1).sum();
    let bytes = all.iter().flat_map(|replicas| &replicas.groups).map(Group::memory_bytes).max().unwrap_or(0);
    println!(
        "{committed} commits in {groups} groups of {members}, {} steps each; {} steps to elect; {bytes} bytes a replica",
        (scratch.steps - elected) as f64 / committed as f64,
        elected / groups
    );
}
