//! Every rule of Produce, and what breaking it is called.

use ouzel_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use ouzel_records::check::{Zstd, admit, one_batch, walk};
use ouzel_records::{
    Batch, BatchBuilder, BatchHeader, Codec, HEADER_BYTES, Limits, Producer, RecordError, Refusal, Rules,
    TimestampType, decompress, recompress, records,
};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn three() -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    for n in 0..3 {
        builder.push(Timestamp(NOW.0 + n), Some(b"key"), Some(&[7; 40]), &[("trace", Some(b"1"))]);
    }
    builder
}

fn good() -> Vec<u8> {
    three().build(Codec::None)
}

/// Changes header fields, with the CRC put right.
fn with_header(bytes: &[u8], change: impl FnOnce(&mut BatchHeader)) -> Vec<u8> {
    let (batch, _) = Batch::split_first(bytes).unwrap();
    let mut header = batch.header();
    change(&mut header);
    header.assemble(batch.records())
}

/// Changes record bytes, with length and CRC put right.
fn with_records(bytes: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (batch, _) = Batch::split_first(bytes).unwrap();
    let mut records = batch.records().to_vec();
    change(&mut records);
    batch.header().assemble(&records)
}

fn judge(bytes: &[u8], rules: &Rules) -> Result<(), Refusal> {
    let batch = one_batch(bytes, Zstd::Allowed)?;
    admit(&batch, rules).map(|_| ())
}

fn check_refused(bytes: &[u8], expect: Refusal) {
    assert_eq!(judge(bytes, &Rules::at(NOW)), Err(expect));
}

#[test]
fn a_good_batch_is_admitted_as_it_is() {
    let bytes = good();
    let batch = one_batch(&bytes, Zstd::Allowed).unwrap();
    let admitted = admit(&batch, &Rules::at(NOW)).unwrap();
    assert_eq!(admitted.max_timestamp, Timestamp(NOW.0 + 2));
    assert!(!admitted.restamp && !admitted.open && admitted.producer.is_none());
}

#[test]
fn frames_that_are_not_one_batch() {
    check_refused(b"", Refusal::NoBatch);
    check_refused(&[0xff; 16], Refusal::NoBatch);
    for cut in 17..good().len() {
        check_refused(&good()[..cut], Refusal::NoBatch);
    }
    check_refused(&[good(), good()].concat(), Refusal::NotOneBatch);
    check_refused(&[good(), vec![0]].concat(), Refusal::NotOneBatch);
    for (magic, expect) in [
        (0, Refusal::OldMagic(0)),
        (1, Refusal::OldMagic(1)),
        (3, Refusal::UnknownMagic(3)),
        (0xff, Refusal::UnknownMagic(-1)),
    ] {
        let mut bytes = good();
        bytes[16] = magic;
        check_refused(&bytes, expect);
    }
    check_refused(&[0; 100], Refusal::Length(0));
    for length in [-1, 13, 48] {
        let mut bytes = good();
        bytes[8..12].copy_from_slice(&i32::to_be_bytes(length));
        check_refused(&bytes, Refusal::Length(length));
    }
}

#[test]
fn codecs_nobody_knows_and_zstd_too_early() {
    for number in 5..8 {
        check_refused(&with_header(&good(), |h| h.attributes.0 |= number), Refusal::UnknownCodec(number as u8));
    }
    let zstd = three().build(Codec::Zstd);
    assert_eq!(one_batch(&zstd, Zstd::TooEarly).unwrap_err(), Refusal::ZstdTooEarly);
    assert!(one_batch(&zstd, Zstd::Allowed).is_ok());
    assert!(one_batch(&three().build(Codec::Lz4), Zstd::TooEarly).is_ok());
}

#[test]
fn header_rules() {
    check_refused(&with_header(&good(), |h| h.base_offset = Offset(1)), Refusal::BaseOffset(1));
    let mut bytes = good();
    bytes[70] ^= 1;
    check_refused(&bytes, Refusal::Crc { stored: one_batch(&good(), Zstd::Allowed).unwrap().crc() });
    for (count, last_offset_delta) in [(0, -1), (-1, -2), (2, 2), (4, 2), (3, 3), (i32::MIN, i32::MAX), (3, -1)] {
        let bytes = with_header(&good(), |h| (h.count, h.last_offset_delta) = (count, last_offset_delta));
        check_refused(&bytes, Refusal::Count { count, last_offset_delta });
    }
    check_refused(&with_header(&good(), |h| h.attributes = h.attributes.with_control(true)), Refusal::Control);
    check_refused(
        &with_header(&good(), |h| h.attributes = h.attributes.with_delete_horizon(true)),
        Refusal::DeleteHorizon,
    );
    check_refused(
        &with_header(&good(), |h| (h.producer_id, h.producer_epoch) = (5, 0)),
        Refusal::Sequence { sequence: -1, producer_id: 5 },
    );
    let late = |h: &mut BatchHeader| h.attributes = h.attributes.with_timestamp_type(TimestampType::LogAppendTime);
    check_refused(&with_header(&good(), late), Refusal::TimestampType);
    check_refused(&with_header(&three().build(Codec::Lz4), late), Refusal::TimestampType);
    let len = good().len();
    let tight = Rules { batch_bytes_max: len - 1, ..Rules::at(NOW) };
    assert_eq!(judge(&good(), &tight), Err(Refusal::TooLarge { bytes: len, max: len - 1 }));
    assert_eq!(judge(&good(), &Rules { batch_bytes_max: len, ..Rules::at(NOW) }), Ok(()));
}

#[test]
fn records_are_walked_to_the_last_byte() {
    let trailing = with_records(&good(), |r| r.push(0));
    check_refused(&trailing, Refusal::Record { index: 3, error: RecordError::Trailing });
    let cut = with_records(&good(), |r| r.truncate(r.len() - 1));
    check_refused(&cut, Refusal::Record { index: 2, error: RecordError::Cut });
    let more = with_header(&good(), |h| (h.count, h.last_offset_delta) = (i32::MAX, i32::MAX - 1));
    check_refused(&more, Refusal::Record { index: 3, error: RecordError::Cut });
    let fewer = with_header(&good(), |h| (h.count, h.last_offset_delta) = (2, 1));
    check_refused(&fewer, Refusal::Record { index: 2, error: RecordError::Trailing });

    let mut holes = BatchBuilder::new();
    holes.push_at(0, NOW, None, None, &[]);
    holes.push_at(2, NOW, None, None, &[]);
    let holes = with_header(&holes.build(Codec::None), |h| h.last_offset_delta = 1);
    check_refused(&holes, Refusal::OffsetDelta { index: 1, offset_delta: 2 });

    let overflow = with_header(&good(), |h| h.base_timestamp = Timestamp(i64::MAX));
    let all = Rules { after_max_ms: i64::MAX, ..Rules::at(NOW) };
    assert_eq!(judge(&overflow, &all), Err(Refusal::Record { index: 1, error: RecordError::Overflow }));

    let small = Rules { record_bytes_max: 20, ..Rules::at(NOW) };
    assert!(matches!(judge(&good(), &small), Err(Refusal::RecordTooLarge { index: 0, max: 20, .. })));
}

#[test]
fn timestamps_have_bounds_and_none_is_always_legal() {
    let at = |times: &[i64]| {
        let mut builder = BatchBuilder::new();
        times.iter().for_each(|&t| builder.push(Timestamp(t), None, None, &[]));
        builder.build(Codec::None)
    };
    let (hour, now) = (3_600_000, NOW.0);
    for fine in [&[-1][..], &[-5], &[now + hour], &[0, now, -1]] {
        assert_eq!(judge(&at(fine), &Rules::at(NOW)), Ok(()), "{fine:?}");
    }
    let ahead = Refusal::Timestamp { index: 1, timestamp: now + hour + 1, from: now - i64::MAX, to: now + hour };
    check_refused(&at(&[now, now + hour + 1]), ahead);
    let strict = Rules { before_max_ms: 10, ..Rules::at(NOW) };
    assert_eq!(judge(&at(&[now - 10, -1]), &strict), Ok(()));
    let behind = Refusal::Timestamp { index: 0, timestamp: now - 11, from: now - 10, to: now + hour };
    assert_eq!(judge(&at(&[now - 11]), &strict), Err(behind));
    let append = Rules { timestamp_type: TimestampType::LogAppendTime, ..strict };
    assert_eq!(judge(&at(&[0, i64::MAX]), &append), Ok(()));
}

#[test]
fn a_wrong_largest_timestamp_or_append_time_asks_for_a_new_header() {
    let wrong = with_header(&good(), |h| h.max_timestamp = Timestamp(3));
    let batch = one_batch(&wrong, Zstd::Allowed).unwrap();
    let admitted = admit(&batch, &Rules::at(NOW)).unwrap();
    assert_eq!((admitted.max_timestamp, admitted.restamp), (Timestamp(NOW.0 + 2), true));
    let header = batch.restamped(TimestampType::CreateTime, admitted.max_timestamp);
    assert_eq!([&header[..], batch.records()].concat(), good());

    for codec in Codec::ALL {
        let bytes = three().build(codec);
        let batch = one_batch(&bytes, Zstd::Allowed).unwrap();
        let append = Rules { timestamp_type: TimestampType::LogAppendTime, ..Rules::at(Timestamp(77)) };
        let admitted = admit(&batch, &append).unwrap();
        assert_eq!((admitted.max_timestamp, admitted.restamp), (Timestamp(77), true));
        let mut stored = bytes.clone();
        stored[..HEADER_BYTES].copy_from_slice(&batch.restamped(append.timestamp_type, admitted.max_timestamp));
        let (stored, _) = Batch::split_first(&stored).unwrap();
        assert!(stored.crc_holds());
        let mut plain = Vec::new();
        decompress(codec, stored.records(), Limits::default(), &mut plain).unwrap();
        assert!(records(&stored, &plain).all(|r| r.unwrap().timestamp == Timestamp(77)));
    }
}

#[test]
fn a_compacted_topic_needs_keys_and_a_compressed_batch_is_opened_for_it() {
    let mut builder = three();
    builder.push(NOW, None, Some(b"no key"), &[]);
    let rules = Rules { keys_required: true, ..Rules::at(NOW) };
    for codec in Codec::ALL {
        let bytes = builder.build(codec);
        assert_eq!(judge(&bytes, &Rules::at(NOW)), Ok(()));
        if codec == Codec::None {
            assert_eq!(judge(&bytes, &rules), Err(Refusal::NoKey { index: 3 }));
            continue;
        }
        let batch = one_batch(&bytes, Zstd::Allowed).unwrap();
        assert!(admit(&batch, &rules).unwrap().open);
        let mut plain = Vec::new();
        decompress(codec, batch.records(), rules.inflate, &mut plain).unwrap();
        assert_eq!(walk(&batch, &plain, &rules), Err(Refusal::NoKey { index: 3 }));
    }
}

#[test]
fn compressed_batches_are_judged_by_their_header() {
    for codec in [Codec::Gzip, Codec::Lz4, Codec::Zstd] {
        let plain = with_header(&good(), |h| h.attributes = h.attributes.with_codec(codec));
        check_refused(&plain, Refusal::NotCompressed { codec });
    }
    for codec in &Codec::ALL[1..] {
        let bytes = three().build(*codec);
        let many = with_header(&bytes, |h| (h.count, h.last_offset_delta) = (i32::MAX, i32::MAX - 1));
        check_refused(&many, Refusal::Count { count: i32::MAX, last_offset_delta: i32::MAX - 1 });
        let timestamp = NOW.0 + 3_600_001;
        let ahead = with_header(&bytes, |h| h.max_timestamp = Timestamp(timestamp));
        let (from, to) = (NOW.0 - i64::MAX, timestamp - 1);
        check_refused(&ahead, Refusal::Timestamp { index: 0, timestamp, from, to });
        let empty = with_records(&bytes, Vec::clear);
        check_refused(&empty, Refusal::NotCompressed { codec: *codec });
    }
}

#[test]
fn the_first_broken_rule_speaks() {
    // Kafka's order: base offset, size, CRC, counts, control, sequence, records.
    let broken = with_header(&good(), |h| {
        h.base_offset = Offset(9);
        h.count = 0;
        h.attributes = h.attributes.with_control(true);
    });
    check_refused(&broken, Refusal::BaseOffset(9));
    let mut tainted = with_header(&good(), |h| h.count = 0);
    tainted[80] ^= 1;
    let (batch, _) = Batch::split_first(&tainted).unwrap();
    check_refused(&tainted, Refusal::Crc { stored: batch.crc() });
    let counted = with_header(&good(), |h| (h.count, h.attributes) = (0, h.attributes.with_control(true)));
    check_refused(&counted, Refusal::Count { count: 0, last_offset_delta: 2 });
}

#[test]
fn recompressing_keeps_everything_but_the_codec() {
    let producer = Producer { id: ProducerId(1), epoch: ProducerEpoch(2), base_sequence: 3 };
    let builder = three().producer(producer).transactional();
    let mut scratch = Vec::new();
    for from in Codec::ALL {
        for to in Codec::ALL {
            let bytes = builder.build(from);
            let (batch, _) = Batch::split_first(&bytes).unwrap();
            let other = recompress(&batch, to, None, Limits::default(), &mut scratch).unwrap();
            assert_eq!(other, builder.build(to), "{from:?} to {to:?}");
            assert_eq!(walk(&batch, &scratch, &Rules::at(NOW)), Ok(batch.max_timestamp()));
        }
    }
}
