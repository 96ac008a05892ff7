//! Writing a frame as a scatter list: payloads stay where they are.

use bytes::Bytes;

use crate::codec::{Field, Nullable};

/// Why a message can't be written in the version asked for. Always a fault of the caller's, never of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A string over 32,767 bytes, or a payload, count or frame over 2^31-1.
    #[error("a value is longer than the protocol can say")]
    TooLong,
    /// The field is null, and this version has no null there.
    #[error("{0} is null, which this version can't say")]
    Null(&'static str),
    /// A request's field is set, matters, and isn't in this version.
    #[error("{0} is set, which this version can't say")]
    Unsupported(&'static str),
    /// A version outside the API's range.
    #[error("version {0} isn't served")]
    Version(i16),
}

// Below this, copying is cheaper than one more slice in a vectored write.
const SPLICE_MIN: usize = 512;

const SIZE_PREFIX: usize = 4;

/// Collects a frame. Large payloads are kept as they came ([`Bytes`]), everything else goes to one buffer.
#[derive(Default)]
pub struct Encoder {
    head: Vec<u8>,
    // Payloads, each with the length `head` had when it came.
    spliced: Vec<(usize, Bytes)>,
    flexible: bool,
    // Inside a tag everything is copied: the tag's size is known last and goes in front.
    in_tag: bool,
}

impl Encoder {
    /// An empty encoder.
    pub fn new() -> Encoder {
        Encoder::default()
    }

    /// What was written, in order. The slices of the small parts share one allocation.
    pub fn finish(self) -> Vec<Bytes> {
        let head = Bytes::from(self.head);
        let mut segments = Vec::with_capacity(2 * self.spliced.len() + 1);
        let mut from = 0;
        for (at, payload) in self.spliced {
            if at > from {
                segments.push(head.slice(from..at));
                from = at;
            }
            segments.push(payload);
        }
        if from < head.len() {
            segments.push(head.slice(from..));
        }
        segments
    }

    /// What was written, with the size of it all in front: a frame for the socket.
    pub(crate) fn finish_frame(mut self) -> Result<Vec<Bytes>, EncodeError> {
        let size = self.len() - SIZE_PREFIX;
        let size = i32::try_from(size).map_err(|_| EncodeError::TooLong)?;
        self.head[..SIZE_PREFIX].copy_from_slice(&size.to_be_bytes());
        Ok(self.finish())
    }

    /// An encoder with room left in front for the frame's size.
    pub(crate) fn frame() -> Encoder {
        let mut head = Vec::with_capacity(256);
        head.extend([0; SIZE_PREFIX]);
        Encoder { head, ..Encoder::default() }
    }

    /// Bytes written.
    pub fn len(&self) -> usize {
        self.head.len() + self.spliced.iter().map(|(_, payload)| payload.len()).sum::<usize>()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether lengths are compact and tags follow structs from here on.
    pub(crate) fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.head.extend_from_slice(bytes);
    }

    pub(crate) fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.head.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.head.push(value as u8);
    }

    /// A compact length if the version is flexible; false if the caller has to write a fixed one.
    fn compact(&mut self, len: usize) -> Result<bool, EncodeError> {
        let len = i32::try_from(len).map_err(|_| EncodeError::TooLong)?;
        if self.flexible {
            self.uvarint(len as u32 + 1);
        }
        Ok(self.flexible)
    }

    pub(crate) fn string(&mut self, text: &[u8]) -> Result<(), EncodeError> {
        let len = i16::try_from(text.len()).map_err(|_| EncodeError::TooLong)?;
        if !self.compact(text.len())? {
            self.put(&len.to_be_bytes());
        }
        self.put(text);
        Ok(())
    }

    /// The length of an array or of bytes.
    pub(crate) fn length(&mut self, len: usize) -> Result<(), EncodeError> {
        if !self.compact(len)? {
            self.put(&(len as i32).to_be_bytes());
        }
        Ok(())
    }

    /// Null where a length stands: -1 as the fixed length says it, or a compact 0.
    pub(crate) fn null(&mut self, fixed: &[u8]) {
        if self.flexible { self.head.push(0) } else { self.put(fixed) }
    }

    pub(crate) fn payload(&mut self, bytes: &Bytes) {
        if bytes.len() < SPLICE_MIN || self.in_tag {
            self.put(bytes);
        } else {
            self.spliced.push((self.head.len(), bytes.clone()));
        }
    }

    /// A nullable field that may be null only where `legal`.
    pub(crate) fn null_if<T: Nullable>(
        &mut self,
        legal: bool,
        value: &Option<T>,
        version: i16,
        field: &'static str,
    ) -> Result<(), EncodeError> {
        match value {
            _ if legal => value.write(self, version),
            // Where null isn't legal a struct has no presence byte either.
            Some(value) => value.write(self, version),
            None => Err(EncodeError::Null(field)),
        }
    }

    /// A struct's end without tags.
    pub(crate) fn no_tags(&mut self) {
        if self.flexible {
            self.head.push(0);
        }
    }

    /// The number of tags that follow.
    pub(crate) fn tags(&mut self, present: &[bool]) {
        self.uvarint(present.iter().filter(|&&p| p).count() as u32);
    }

    /// One tag with its value.
    pub(crate) fn tag<T: Field>(&mut self, tag: u32, value: &T, version: i16) -> Result<(), EncodeError> {
        self.uvarint(tag);
        let start = self.head.len();
        let outer = std::mem::replace(&mut self.in_tag, true);
        value.write(self, version)?;
        self.in_tag = outer;
        // The size goes in front of the value but is known only now: write it behind, and turn.
        let end = self.head.len();
        self.uvarint(u32::try_from(end - start).map_err(|_| EncodeError::TooLong)?);
        let size_len = self.head.len() - end;
        self.head[start..].rotate_right(size_len);
        Ok(())
    }
}
