//! An independent codec reads what we write and writes what we read.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{Compression, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions};
use ouzel_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use ouzel_records::{Batch, BatchBuilder, Codec, Producer, Rules, check, records};

type Foreign = kafka_protocol::records::Record;

type Shape = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

/// Keys, values and headers of every shape, the same for the same number.
fn shape(n: usize) -> Shape {
    let bytes = |len: usize| (0..len).map(|i| (i * 7 + n) as u8).collect::<Vec<u8>>();
    let key = (!n.is_multiple_of(3)).then(|| bytes(n % 70));
    let value = (!n.is_multiple_of(5)).then(|| bytes(n * 13 % 3_000));
    let headers = (0..n % 4).map(|h| (format!("h{h}"), (h != 1).then(|| bytes(h * 40)))).collect();
    (key, value, headers)
}

fn time(n: usize) -> i64 {
    1_700_000_000_000 + (n as i64 * 7_919) % 200_000 - 100_000
}

const PRODUCER: Producer = Producer { id: ProducerId(99), epoch: ProducerEpoch(3), base_sequence: 1_000 };

#[test]
fn an_independent_decoder_reads_our_batches() {
    for count in [1, 2, 64, 500] {
        let mut builder = BatchBuilder::new().base_offset(Offset(5_000)).producer(PRODUCER);
        for n in 0..count {
            let (key, value, headers) = shape(n);
            let headers: Vec<_> = headers.iter().map(|(k, v)| (k.as_str(), v.as_deref())).collect();
            builder.push(Timestamp(time(n)), key.as_deref(), value.as_deref(), &headers);
        }
        let mut bytes = Bytes::from(builder.build(Codec::None));
        let read = RecordBatchDecoder::decode(&mut bytes).unwrap().records;
        assert_eq!(read.len(), count);
        for (n, record) in read.iter().enumerate() {
            let (key, value, headers) = shape(n);
            assert_eq!(record.offset, 5_000 + n as i64);
            assert_eq!(record.timestamp, time(n));
            assert_eq!(record.sequence, 1_000 + n as i32);
            assert_eq!((record.producer_id, record.producer_epoch), (99, 3));
            assert_eq!(record.key.as_deref(), key.as_deref());
            assert_eq!(record.value.as_deref(), value.as_deref());
            let seen: Vec<_> =
                record.headers.iter().map(|(k, v)| (k.to_string(), v.as_ref().map(|v| v.to_vec()))).collect();
            assert_eq!(seen, headers);
        }
    }
}

#[test]
fn we_read_an_independent_encoders_batches() {
    let foreign: Vec<Foreign> = (0..300)
        .map(|n| {
            let (key, value, headers) = shape(n);
            Foreign {
                transactional: false,
                control: false,
                delete_horizon: false,
                partition_leader_epoch: 0,
                producer_id: 99,
                producer_epoch: 3,
                timestamp_type: kafka_protocol::records::TimestampType::Creation,
                offset: n as i64,
                sequence: 1_000 + n as i32,
                timestamp: time(n),
                key: key.map(Bytes::from),
                value: value.map(Bytes::from),
                headers: headers.into_iter().map(|(k, v)| (StrBytes::from_string(k), v.map(Bytes::from))).collect(),
            }
        })
        .collect();
    let mut bytes = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut bytes, &foreign, &options).unwrap();

    let batch: Batch = check::one_batch(&bytes, check::Zstd::Allowed).unwrap();
    let admitted = check::admit(&batch, &Rules::at(Timestamp(time(0)))).unwrap();
    assert_eq!(admitted.producer, Some(PRODUCER));
    assert_eq!(admitted.max_timestamp.0, (0..300).map(time).max().unwrap());
    assert!(!admitted.restamp);
    let mut seen = 0;
    for (n, record) in records(&batch, batch.records()).enumerate() {
        let record = record.unwrap();
        let (key, value, headers) = shape(n);
        assert_eq!((record.offset.0, record.timestamp.0), (n as i64, time(n)));
        assert_eq!((record.key, record.value), (key.as_deref(), value.as_deref()));
        let got: Vec<_> = record.headers.map(|h| (h.key, h.value)).collect();
        let want: Vec<_> = headers.iter().map(|(k, v)| (k.as_bytes(), v.as_deref())).collect();
        assert_eq!(got, want);
        seen += 1;
    }
    assert_eq!(seen, 300);
}
