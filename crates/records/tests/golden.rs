//! Batches written by Kafka's own client library read as what went in, and ours are the same bytes where no codec is
//! involved.

use ouzel_model::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};
use ouzel_records::{
    Batch, BatchBuilder, Codec, Limits, Marker, Producer, Record, Rules, check, decompress, marker_batch, read_marker,
    records, stamp,
};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const PRODUCER: Producer = Producer { id: ProducerId(4660), epoch: ProducerEpoch(7), base_sequence: 42 };

fn big(len: usize) -> Vec<u8> {
    (0..len).map(|i| b'a' + (i % 26) as u8).collect()
}

fn check_batch(bytes: &[u8], codec: Codec, big_len: usize) {
    let batch = check::one_batch(bytes, check::Zstd::Allowed).unwrap();
    assert_eq!(batch.attributes().codec(), Some(codec));
    let admitted = check::admit(&batch, &Rules::at(NOW)).unwrap();
    assert_eq!(admitted.producer, Some(PRODUCER));
    assert_eq!((admitted.max_timestamp, admitted.restamp), (Timestamp(NOW.0 + 1), false));
    assert!(batch.attributes().is_transactional());

    let mut plain = Vec::new();
    decompress(codec, batch.records(), Limits::default(), &mut plain).unwrap();
    assert_eq!(check::walk(&batch, &plain, &Rules::at(NOW)), Ok(admitted.max_timestamp));
    let got: Vec<Record> = records(&batch, &plain).map(|r| r.unwrap()).collect();
    assert_eq!(got.len(), 3);
    assert_eq!((got[0].timestamp, got[0].key, got[0].value), (NOW, Some(&b"key-0"[..]), Some(&b"value-0"[..])));
    assert_eq!((got[1].timestamp, got[1].key), (Timestamp(NOW.0 + 1), None));
    assert_eq!(got[1].value, Some(&big(big_len)[..]));
    let headers: Vec<_> = got[1].headers.map(|h| (h.key, h.value)).collect();
    assert_eq!(headers, [(&b"h1"[..], Some(&b"x"[..])), (b"h1", None), (b"", Some(b""))]);
    assert_eq!((got[2].timestamp, got[2].key, got[2].value), (Timestamp(NOW.0 - 5), Some(&b""[..]), None));
    assert_eq!(got[2].offset, Offset(2));
}

#[test]
fn kafkas_batches_read_as_what_went_in() {
    check_batch(include_bytes!("golden/none.batch"), Codec::None, 300);
    check_batch(include_bytes!("golden/gzip.batch"), Codec::Gzip, 40_000);
    check_batch(include_bytes!("golden/snappy.batch"), Codec::Snappy, 40_000);
    check_batch(include_bytes!("golden/lz4.batch"), Codec::Lz4, 40_000);
    check_batch(include_bytes!("golden/zstd.batch"), Codec::Zstd, 40_000);
}

#[test]
fn our_batch_is_kafkas_byte_for_byte() {
    let mut builder = BatchBuilder::new().producer(PRODUCER).transactional();
    builder.push(NOW, Some(b"key-0"), Some(b"value-0"), &[]);
    let headers = [("h1", Some(&b"x"[..])), ("h1", None), ("", Some(&b""[..]))];
    builder.push(Timestamp(NOW.0 + 1), None, Some(&big(300)), &headers);
    builder.push(Timestamp(NOW.0 - 5), Some(b""), None, &[]);
    assert_eq!(builder.build(Codec::None), include_bytes!("golden/none.batch"));
}

#[test]
fn our_markers_are_kafkas_byte_for_byte() {
    for (marker, offset, golden) in [
        (Marker::Commit, 77, &include_bytes!("golden/commit.batch")[..]),
        (Marker::Abort, 78, include_bytes!("golden/abort.batch")),
    ] {
        let mut ours = marker_batch(marker, PRODUCER.id, PRODUCER.epoch, 3, NOW);
        stamp(&mut ours, Offset(offset), LeaderEpoch(9));
        assert_eq!(ours, golden);
        let (batch, _) = Batch::split_first(golden).unwrap();
        let record = records(&batch, batch.records()).next().unwrap().unwrap();
        assert_eq!(record.key.and_then(read_marker), Some(marker.number()));
    }
}
