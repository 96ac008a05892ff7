//! Frames: a length (u32, of what follows), then fields of fixed size, little-endian.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use ouzel_runtime::Conn;

/// Bytes of a frame at most.
const FRAME_MAX: usize = 1 << 20;
/// Records of one answer at most.
pub const READ_MAX: usize = 200;

/// An entry of a log: client, number, value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub client: u32,
    pub number: u64,
    pub value: u64,
}

impl Entry {
    pub const BYTES: usize = 20;

    pub fn put(&self, out: &mut impl BufMut) {
        out.put_u32_le(self.client);
        out.put_u64_le(self.number);
        out.put_u64_le(self.value);
    }

    pub fn get(from: &mut impl Buf) -> Option<Entry> {
        (from.remaining() >= Entry::BYTES).then(|| Entry {
            client: from.get_u32_le(),
            number: from.get_u64_le(),
            value: from.get_u64_le(),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Append { partition: u16, entry: Entry },
    Read { partition: u16, from: u64 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Appended { offset: u64 },
    Entries { end: u64, entries: Vec<Entry> },
    Refused,
}

impl Request {
    pub fn partition(&self) -> u16 {
        match self {
            Request::Append { partition, .. } | Request::Read { partition, .. } => *partition,
        }
    }

    pub fn encode(&self) -> Bytes {
        let mut body = BytesMut::new();
        match self {
            Request::Append { partition, entry } => {
                body.put_u8(0);
                body.put_u16_le(*partition);
                entry.put(&mut body);
            }
            Request::Read { partition, from } => {
                body.put_u8(1);
                body.put_u16_le(*partition);
                body.put_u64_le(*from);
            }
        }
        framed(body)
    }

    pub fn decode(mut body: Bytes) -> Option<Request> {
        if body.remaining() < 3 {
            return None;
        }
        let kind = body.get_u8();
        let partition = body.get_u16_le();
        match kind {
            0 => Some(Request::Append { partition, entry: Entry::get(&mut body)? }),
            1 if body.remaining() >= 8 => Some(Request::Read { partition, from: body.get_u64_le() }),
            _ => None,
        }
    }
}

impl Reply {
    pub fn encode(&self) -> Bytes {
        let mut body = BytesMut::new();
        match self {
            Reply::Appended { offset } => {
                body.put_u8(0);
                body.put_u64_le(*offset);
            }
            Reply::Entries { end, entries } => {
                body.put_u8(1);
                body.put_u64_le(*end);
                entries.iter().for_each(|e| e.put(&mut body));
            }
            Reply::Refused => body.put_u8(2),
        }
        framed(body)
    }

    pub fn decode(mut body: Bytes) -> Option<Reply> {
        match body.try_get_u8().ok()? {
            0 => Some(Reply::Appended { offset: body.try_get_u64_le().ok()? }),
            1 => {
                let end = body.try_get_u64_le().ok()?;
                let mut entries = Vec::new();
                while body.has_remaining() {
                    entries.push(Entry::get(&mut body)?);
                }
                Some(Reply::Entries { end, entries })
            }
            2 => Some(Reply::Refused),
            _ => None,
        }
    }
}

fn framed(body: BytesMut) -> Bytes {
    let mut frame = BytesMut::with_capacity(4 + body.len());
    frame.put_u32_le(body.len() as u32);
    frame.put_slice(&body);
    frame.freeze()
}

/// Cuts frames out of a connection's bytes.
#[derive(Default)]
pub struct Frames {
    bytes: BytesMut,
}

impl Frames {
    /// The next frame's body; `None` at the connection's end, in whatever way it ended.
    pub async fn next(&mut self, conn: &Conn) -> Option<Bytes> {
        loop {
            if self.bytes.len() >= 4 {
                let len = u32::from_le_bytes([self.bytes[0], self.bytes[1], self.bytes[2], self.bytes[3]]) as usize;
                if len > FRAME_MAX {
                    return None;
                }
                if self.bytes.len() >= 4 + len {
                    self.bytes.advance(4);
                    return Some(self.bytes.split_to(len).freeze());
                }
            }
            let mut buf = [0; 4096];
            match conn.read(&mut buf).await {
                Ok(n @ 1..) => self.bytes.extend_from_slice(&buf[..n]),
                Ok(0) | Err(_) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_replies_read_back_as_written() {
        let entry = Entry { client: 1, number: 2, value: 3 };
        for request in [Request::Append { partition: 7, entry }, Request::Read { partition: 1, from: 9 }] {
            assert_eq!(Request::decode(request.encode().slice(4..)), Some(request));
        }
        let entries = Reply::Entries { end: 4, entries: vec![entry; 3] };
        for reply in [Reply::Appended { offset: 5 }, entries, Reply::Refused] {
            assert_eq!(Reply::decode(reply.encode().slice(4..)), Some(reply));
        }
        assert_eq!(Request::decode(Bytes::from_static(&[9, 0, 0, 0])), None);
    }
}
