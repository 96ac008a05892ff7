//! Sizes of frames, judged before their bytes are read.

/// Largest request frame of all, bytes without the size prefix: Kafka's `socket.request.max.bytes`.
pub const FRAME_BYTES_MAX: usize = 100 << 20;
/// Largest request frame of any API but Produce, bytes. No other request carries records.
pub const FRAME_BYTES_MAX_OTHERS: usize = 8 << 20;
/// Largest frame before authentication completes, bytes.
pub const FRAME_BYTES_MAX_UNAUTHENTICATED: usize = 64 << 10;
/// Smallest request frame, bytes: key, version, correlation id and a client id's length.
pub const FRAME_BYTES_MIN: usize = 10;

/// A declared size that no frame has: close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes")]
pub struct FrameError(pub i32);

/// Length of a request frame by its size prefix, bytes behind the prefix, at most `max` (inclusive).
///
/// ```
/// use ouzel_wire::frame::{FRAME_BYTES_MAX, frame_len};
/// assert_eq!(frame_len([0, 0, 1, 0], FRAME_BYTES_MAX), Ok(256));
/// assert!(frame_len(*b"GET ", FRAME_BYTES_MAX).is_err());
/// ```
pub fn frame_len(prefix: [u8; 4], max: usize) -> Result<usize, FrameError> {
    let size = i32::from_be_bytes(prefix);
    match usize::try_from(size) {
        Ok(len) if (FRAME_BYTES_MIN..=max).contains(&len) => Ok(len),
        _ => Err(FrameError(size)),
    }
}

/// Largest frame of the API whose key stands in a frame's first two bytes; an unknown key is refused by the header.
pub fn frame_bytes_max(key: [u8; 2]) -> usize {
    if i16::from_be_bytes(key) == crate::ApiKey::Produce as i16 { FRAME_BYTES_MAX } else { FRAME_BYTES_MAX_OTHERS }
}

/// Length of a response frame by its size prefix, at most `max` (inclusive). For clients.
pub fn response_len(prefix: [u8; 4], max: usize) -> Result<usize, FrameError> {
    let size = i32::from_be_bytes(prefix);
    match usize::try_from(size) {
        Ok(len) if (4..=max).contains(&len) => Ok(len),
        _ => Err(FrameError(size)),
    }
}
