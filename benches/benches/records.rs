//! Batches: the check where they land, stamping, walking, building.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ouzel_benches::batches::{Shape, batch, wall_clock};
use ouzel_model::{LeaderEpoch, Offset};
use ouzel_records::{Batch, Rules, check, records, stamp};

fn batches(c: &mut Criterion) {
    let mut group = c.benchmark_group("records");
    for (name, count, value_bytes) in [("1x100", 1, 100), ("600x100", 600, 100), ("63x1024", 63, 1024)] {
        let shape = Shape { records: count, value_bytes, keyed: true };
        let mut bytes = batch(shape, 0);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let rules = Rules::at(wall_clock());
        group.bench_function(format!("admit-{name}"), |b| {
            b.iter(|| {
                let batch = check::one_batch(black_box(&bytes), check::Zstd::Allowed).expect("one batch");
                check::admit(&batch, &rules).expect("a good batch")
            });
        });
        group.bench_function(format!("walk-{name}"), |b| {
            let (batch, _) = Batch::split_first(&bytes).expect("a batch");
            b.iter(|| records(&batch, batch.records()).filter(Result::is_ok).count());
        });
        group.bench_function(format!("build-{name}"), |b| b.iter(|| batch_of(shape)));
        group.bench_function(format!("stamp-{name}"), |b| {
            b.iter(|| stamp(black_box(&mut bytes), Offset(42), LeaderEpoch(3)));
        });
    }
    group.finish();
}

fn batch_of(shape: Shape) -> Vec<u8> {
    batch(black_box(shape), 0)
}

criterion_group!(benches, batches);
criterion_main!(benches);
