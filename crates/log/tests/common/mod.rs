//! What the tests share.
#![allow(dead_code)]

use bytes::Bytes;

/// A record batch with an opaque body: the fields the store reads, and a checksum that holds.
pub fn batch(records: i32, timestamp: i64, body: &[u8]) -> Bytes {
    let mut b = vec![0; 8];
    b.extend_from_slice(&((61 - 12 + body.len()) as i32).to_be_bytes());
    b.extend_from_slice(&[0xff; 4]);
    b.push(2);
    b.extend_from_slice(&[0; 4]);
    b.extend_from_slice(&[0; 2]);
    b.extend_from_slice(&(records - 1).to_be_bytes());
    b.extend_from_slice(&timestamp.to_be_bytes());
    b.extend_from_slice(&timestamp.to_be_bytes());
    b.extend_from_slice(&[0xff; 14]);
    b.extend_from_slice(&records.to_be_bytes());
    b.extend_from_slice(body);
    let crc = crc32c::crc32c(&b[21..]);
    b[17..21].copy_from_slice(&crc.to_be_bytes());
    b.into()
}
