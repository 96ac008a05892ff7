//! Gzip, RFC 1952. The window is 32 KiB and deflate can't exceed 1,032 to 1.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

pub const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// `level` 1 to 9; 0 stores; -1, as Kafka says "default", or none: 6.
pub fn compress(level: Option<i32>, bytes: &[u8]) -> Vec<u8> {
    let level = match level {
        None | Some(..=-1) => Compression::default(),
        Some(level) => Compression::new(level.min(9) as u32),
    };
    // The header holds no time and no name, so equal input gives equal output.
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2 + 64), level);
    encoder.write_all(bytes).expect("a vector takes all bytes");
    encoder.finish().expect("a vector takes all bytes")
}

/// Several members in a row are one stream, as for Java's reader.
pub fn reader(bytes: &[u8]) -> impl Read + '_ {
    MultiGzDecoder::new(bytes)
}
