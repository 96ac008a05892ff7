//! Zstandard, RFC 8878.

use zstd::stream::read::Decoder;

use super::{Codec, DecompressError, damaged, drain};

pub const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Largest window, as a power of two. 2^27 (128 MiB) is what level 22 declares and what every client accepts by
/// default; the decoder reserves it and touches no more of it than comes out.
const WINDOW_LOG_MAX: u32 = 27;

/// Kafka's default.
const LEVEL: i32 = 3;

pub fn compress(level: Option<i32>, bytes: &[u8]) -> Vec<u8> {
    let levels = zstd::compression_level_range();
    let level = level.unwrap_or(LEVEL).clamp(*levels.start(), *levels.end());
    zstd::bulk::compress(bytes, level).expect("the output buffer holds the worst case")
}

/// Several frames in a row are one stream; skippable ones are skipped.
pub fn decompress(bytes: &[u8], allowed: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let mut decoder = Decoder::with_buffer(bytes).map_err(|error| damaged(Codec::Zstd, error))?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(|error| damaged(Codec::Zstd, error))?;
    drain(Codec::Zstd, decoder, allowed, out)
}
