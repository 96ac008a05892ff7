//! Snappy: raw blocks, and xerial's framing of them, which Java clients write: a header of 16 bytes, then blocks, each
//! behind its length (i32, big endian).

use snap::raw::{Decoder, Encoder, decompress_len};

use super::{Codec, DecompressError, damaged};

/// Xerial's mark; two versions follow, i32 each: its own and the oldest that reads it.
const XERIAL: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_HEADER: usize = 16;
const XERIAL_VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];

/// Bytes of input in a block, as Java's writer has it by default.
const BLOCK: usize = 32 << 10;

/// No element makes more of itself than a copy does: 64 bytes from 3. So a block that declares more than this times
/// its size lies, and can be refused before anything is allocated.
const RATIO_MAX: usize = 22;

pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut block = vec![0; snap::raw::max_compress_len(BLOCK.min(bytes.len()))];
    let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
    out.extend_from_slice(&XERIAL);
    out.extend_from_slice(&XERIAL_VERSIONS);
    for chunk in bytes.chunks(BLOCK) {
        let len = encoder.compress(chunk, &mut block).expect("the buffer holds the worst case");
        out.extend_from_slice(&(len as u32).to_be_bytes());
        out.extend_from_slice(&block[..len]);
    }
    out
}

pub fn decompress(bytes: &[u8], allowed: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    if !bytes.starts_with(&XERIAL) {
        return append_block(bytes, allowed, out);
    }
    let mut rest = bytes.get(XERIAL_HEADER..).ok_or_else(|| damaged(Codec::Snappy, "the header is cut"))?;
    while !rest.is_empty() {
        let cut = || damaged(Codec::Snappy, "a block is cut");
        let (len, behind) = rest.split_first_chunk().ok_or_else(cut)?;
        let (block, behind) = behind.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or_else(cut)?;
        append_block(block, allowed, out)?;
        rest = behind;
    }
    Ok(())
}

/// Decompresses one raw block behind what `out` holds.
fn append_block(block: &[u8], allowed: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let damaged = |reason: &dyn std::fmt::Display| damaged(Codec::Snappy, reason);
    let declared = decompress_len(block).map_err(|error| damaged(&error))?;
    let filled = out.len();
    if declared > block.len().saturating_mul(RATIO_MAX) {
        return Err(damaged(&"it declares more than it can hold"));
    }
    if declared > allowed - filled {
        return Err(DecompressError::TooLarge { allowed });
    }
    // Room doubles as the output grows, but not past what may come out.
    out.reserve_exact(declared.max(filled).min(allowed - filled));
    out.resize(filled + declared, 0);
    Decoder::new().decompress(block, &mut out[filled..]).map_err(|error| damaged(&error))?;
    Ok(())
}
