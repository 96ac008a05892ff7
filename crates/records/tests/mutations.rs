//! Batches with a few bytes wrong, 240,000 of them from fixed seeds: nothing panics, and what is admitted is right.

use ouzel_model::{ProducerEpoch, ProducerId, Timestamp};
use ouzel_records::check::{Zstd, admit, one_batch, walk};
use ouzel_records::{Batch, BatchBuilder, Codec, Limits, Producer, Rules, batches, decompress, records};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

fn seedling(rng: &mut Rng, codec: Codec) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    if rng.below(2) == 0 {
        builder = builder.producer(Producer { id: ProducerId(7), epoch: ProducerEpoch(0), base_sequence: 0 });
    }
    for n in 0..=rng.below(8) {
        let value = [n as u8; 200];
        let key = (rng.below(3) > 0).then(|| &value[..rng.below(20)]);
        let headers = [("one", Some(&b"1"[..])), ("two", None), ("one", Some(&b""[..]))];
        let headers = &headers[..rng.below(4)];
        builder.push(Timestamp(NOW.0 + rng.below(5_000) as i64), key, Some(&value[..rng.below(200)]), headers);
    }
    builder.build(codec)
}

/// A byte that means something: a length, a count, a sign, the go-on bit of a number.
fn telling(rng: &mut Rng) -> u8 {
    [0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x0f, rng.next() as u8][rng.below(9)]
}

fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..=rng.below(3) {
        let at = rng.below(bytes.len());
        match rng.below(8) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 | 2 => bytes[at] = telling(rng),
            3 => {
                let end = (at + 1 + rng.below(6)).min(bytes.len());
                bytes[at..end].fill(telling(rng));
            }
            4 => bytes.insert(at, telling(rng)),
            5 => drop(bytes.remove(at)),
            6 if bytes.len() > 80 => bytes.truncate(bytes.len() - 1 - rng.below(16)),
            _ => {
                let from = rng.below(bytes.len());
                bytes[at] = bytes[from];
            }
        }
    }
}

/// Puts length and CRC right, so that the rules behind them are reached.
fn mend(bytes: &mut [u8]) {
    let length = (bytes.len() - 12) as i32;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// Everything a broker or a tool may do with bytes from outside. Whether they were admitted.
fn exercise(bytes: &[u8], rules: &Rules, plain: &mut Vec<u8>) -> bool {
    for batch in batches(bytes).flatten() {
        batch.restamped(rules.timestamp_type, Timestamp(batch.last_offset().0));
        let _ = (batch.next_offset(), batch.header());
        let readable = match batch.attributes().codec() {
            Some(Codec::None) | None => batch.records(),
            Some(codec) => match decompress(codec, batch.records(), rules.inflate, plain) {
                Ok(()) => &plain[..],
                Err(_) => continue,
            },
        };
        let mut bytes_seen = 0;
        for record in records(&batch, readable).flatten() {
            let headers: usize = record.headers.map(|h| h.key.len() + h.value.map_or(0, <[u8]>::len)).sum();
            bytes_seen += record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len) + headers;
        }
        assert!(bytes_seen <= readable.len(), "records don't overlap");
    }
    let Ok(batch) = one_batch(bytes, Zstd::Allowed) else { return false };
    let Ok(admitted) = admit(&batch, rules) else { return false };
    let codec = batch.attributes().codec().expect("admitted");
    if codec == Codec::None {
        check_admitted(&batch, batch.records(), admitted.max_timestamp);
    } else if decompress(codec, batch.records(), rules.inflate, plain).is_ok()
        && let Ok(largest) = walk(&batch, plain, rules)
    {
        check_admitted(&batch, plain, largest);
    }
    true
}

/// A walked batch reads without an error, with offsets in a row and the largest timestamp that was found.
fn check_admitted(batch: &Batch<'_>, bytes: &[u8], largest: Timestamp) {
    let mut seen = 0;
    let mut max = Timestamp(-1);
    for record in records(batch, bytes) {
        let record = record.expect("admitted records can be read");
        assert_eq!(record.offset.0, seen as i64);
        assert_eq!(record.headers.len(), record.headers.count());
        max = max.max(record.timestamp);
        seen += 1;
    }
    assert_eq!((seen, max), (batch.count(), largest));
}

fn check_mutations(codec: Codec, seed: u64, rounds: usize) {
    let mut rng = Rng(seed);
    let mut plain = Vec::new();
    let (mut admitted, mut refused) = (0, 0);
    for round in 0..rounds {
        let original = seedling(&mut rng, codec);
        let mut bytes = original.clone();
        mutate(&mut rng, &mut bytes);
        let mended = bytes.len() >= 61 && rng.below(8) > 0;
        if mended {
            mend(&mut bytes);
        }
        let rules = Rules {
            keys_required: rng.below(4) == 0,
            before_max_ms: if rng.below(4) == 0 { 1_000 } else { i64::MAX },
            inflate: Limits { output_max: 1 << 20, ratio_max: 64 },
            ..Rules::at(NOW)
        };
        let fine = exercise(&bytes, &rules, &mut plain);
        if !mended && fine && bytes.len() == original.len() {
            assert_eq!(bytes[16..], original[16..], "round {round}: a change under the CRC passed it");
        }
        if fine {
            admitted += 1;
        } else {
            refused += 1;
        }
    }
    // Both kinds in numbers, or the test tests nothing.
    assert!(admitted > rounds / 50, "{codec:?}: only {admitted} admitted");
    assert!(refused > rounds / 50, "{codec:?}: only {refused} refused");
}

#[test]
fn plain_batches() {
    check_mutations(Codec::None, 0x9e37_79b9_7f4a_7c15, 160_000);
}

#[test]
fn gzip_batches() {
    check_mutations(Codec::Gzip, 0xb529_7a4d_3f84_d5b5, 20_000);
}

#[test]
fn snappy_batches() {
    check_mutations(Codec::Snappy, 0x68e3_1da4_bd4f_35a1, 20_000);
}

#[test]
fn lz4_batches() {
    check_mutations(Codec::Lz4, 0x1b56_c4e9_c4ce_b9fe, 20_000);
}

#[test]
fn zstd_batches() {
    check_mutations(Codec::Zstd, 0xd6e8_feb8_6659_fd93, 20_000);
}
