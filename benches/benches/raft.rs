//! What a commit costs without disk, network and payload: a group of one, and of three.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ouzel_raft::testing::direct::{Next, Replicas, Scratch};

fn commits(c: &mut Criterion) {
    let mut group = c.benchmark_group("raft");
    group.throughput(Throughput::Elements(1));
    for members in [1, 3] {
        group.bench_function(format!("commit-rf{members}"), |b| {
            let (mut replicas, mut scratch) = (Replicas::new(members), Scratch::default());
            replicas.run(Next::Timer, &mut scratch);
            b.iter(|| {
                let before = replicas.committed;
                replicas.run(Next::Propose, &mut scratch);
                assert!(replicas.committed > before, "a proposal commits");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
