//! LZ4 frames. A frame declares blocks of 64 KiB to 4 MiB; the decoder holds three of them at most.

use std::io::Write;

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use super::{Codec, DecompressError, damaged, drain};

pub const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// Frame descriptor's flag for a checksum behind the end mark.
const CONTENT_CHECKSUM: u8 = 1 << 2;

/// Independent blocks of 64 KiB: Java's client reads no others.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let frame = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(frame, Vec::with_capacity(bytes.len() / 2 + 64));
    encoder.write_all(bytes).expect("a vector takes all bytes");
    encoder.finish().expect("a vector takes all bytes")
}

/// One frame, which must be all there is. The decoder takes a frame that is cut between blocks for a whole one, and an
/// empty block for its end; both show by what it leaves unread or by the missing end mark.
pub fn decompress(bytes: &[u8], allowed: usize, out: &mut Vec<u8>) -> Result<(), DecompressError> {
    let mut rest = bytes;
    drain(Codec::Lz4, FrameDecoder::new(&mut rest), allowed, out)?;
    if !rest.is_empty() {
        return Err(damaged(Codec::Lz4, "bytes follow the frame"));
    }
    let checksum = bytes.get(MAGIC.len()).is_some_and(|flags| flags & CONTENT_CHECKSUM != 0);
    let end = bytes.len() - if checksum { 4 } else { 0 };
    if !bytes[..end].ends_with(&[0; 4]) {
        return Err(damaged(Codec::Lz4, "the frame has no end"));
    }
    Ok(())
}
