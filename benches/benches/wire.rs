//! Frames: cutting and decoding a Produce request, encoding its answer, a Metadata answer of 1,000 partitions.
#![allow(missing_docs)]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ouzel_benches::batches::{PRODUCE, Shape, batch, produce};
use ouzel_wire::metadata::{MetadataResponse, MetadataResponsePartition, MetadataResponseTopic};
use ouzel_wire::produce::{PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse};
use ouzel_wire::{Decoder, Message, RequestHeader, encode_response};

fn wire(c: &mut Criterion) {
    let mut group = c.benchmark_group("wire");
    for (name, records, value_bytes) in [("single-100", 1, 100), ("63x1024", 63, 1024)] {
        let shape = Shape { records, value_bytes, keyed: true };
        let frame = Bytes::from(produce("orders", 0, -1, batch(shape, 0)).expect("a frame")).slice(4..);
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function(format!("decode-produce-{name}"), |b| {
            b.iter(|| {
                let mut d = Decoder::new(&frame, 1 << 20);
                let header = RequestHeader::decode(&mut d).expect("a header");
                ProduceRequest::decode(&mut d, header.version).expect("a body")
            });
        });
    }
    group.throughput(Throughput::Elements(1));
    let partition = PartitionProduceResponse { base_offset: 7, ..Default::default() };
    let topic =
        TopicProduceResponse { name: "orders".into(), partition_responses: vec![partition], ..Default::default() };
    let answer = ProduceResponse { responses: vec![topic], ..Default::default() };
    group.bench_function("encode-produce-answer", |b| {
        b.iter(|| encode_response(PRODUCE, 1, black_box(&answer)).expect("a frame"));
    });
    let partitions = (0..1_000).map(|partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: 1,
        replica_nodes: vec![1],
        isr_nodes: vec![1],
        ..Default::default()
    });
    let topic =
        MetadataResponseTopic { name: Some("orders".into()), partitions: partitions.collect(), ..Default::default() };
    let answer = MetadataResponse { topics: vec![topic], ..Default::default() };
    group.bench_function("encode-metadata-1000", |b| {
        b.iter(|| encode_response(12, 1, black_box(&answer)).expect("a frame"));
    });
    group.finish();
}

criterion_group!(benches, wire);
criterion_main!(benches);
