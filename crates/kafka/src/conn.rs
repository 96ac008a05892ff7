//! One connection: frames in, replies out in the same order.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use bytes::{Buf, Bytes, BytesMut};
use ouzel_runtime::metrics::Histogram;
use ouzel_runtime::sync::{Permit, Semaphore, channel};
use ouzel_runtime::{Class, Conn, Instant};
use ouzel_wire::frame::{self, FRAME_BYTES_MAX};
use tracing::info;

use crate::dispatch::{self, Peer, Request};
use crate::server::{Kafka, Open};

/// Size of a shard's buffer for first bytes.
pub(crate) const SCRATCH_BYTES: usize = 64 << 10;
/// Requests of one connection that may be under way.
const REPLIES_MAX: usize = 64;
/// KiB of requests of one connection that may be under way; a single larger one goes alone.
const CONNECTION_KIB_MAX: usize = 16 << 10;
/// A client that takes its answer takes this much of it at a time.
const PIECE_BYTES: usize = 1 << 20;
/// A frame's buffer doubles as its bytes arrive, from this size on: nothing is allocated for a size that was only declared.
const FRAME_GROWTH_MIN: usize = 16 << 10;

/// A handler under way.
pub(crate) type Handling = Pin<Box<dyn Future<Output = Outcome>>>;

/// The answer to a request.
pub(crate) enum Reply {
    /// Not begun: a request that waits for its turn holds its frame and nothing else.
    InTurn(Request),
    /// Under way; awaited in its turn.
    Begun(Handling),
}

/// What becomes of the connection after a request.
pub(crate) enum Outcome {
    /// A reply, and the room its records have until it is written.
    Send(Vec<Bytes>, Option<Permit>),
    /// None is expected.
    Nothing,
    /// The protocol's answer is to close, for this reason.
    Close(String),
}

struct Queued {
    reply: Reply,
    read: Instant,
    /// Where its time is counted, if it is.
    latency: Option<Histogram>,
    _memory: (Permit, Permit),
}

/// Why a connection ended.
enum End {
    /// The client closed it, or the broker stops.
    Usual,
    /// Something that an operator may want to know.
    Abnormal(String),
}

/// Serves a connection until it ends.
pub(crate) async fn serve(kafka: &Rc<Kafka>, open: &Rc<Open>) {
    let rt = kafka.shard.runtime();
    let peer = Rc::new(Peer::new(open.conn.peer_addr()));
    let (replies, mut queue) = channel::channel::<Queued>(REPLIES_MAX);
    let writer = {
        let (kafka, open, peer) = (kafka.clone(), open.clone(), peer.clone());
        let (ended, end) = ouzel_runtime::sync::oneshot::oneshot();
        let task = rt.spawn(Class::Serve, async move {
            let end = write_replies(&kafka, &open, &peer, &mut queue).await;
            // The reader may have ended first; either way this connection is done.
            drop(queue);
            let _ = ended.send(end);
        });
        (task, end)
    };
    let end = read_requests(kafka, open, &peer, replies).await;
    let (task, written) = writer;
    let end = match end {
        // Requests taken before a graceful end are answered; whoever closed or broke the connection waits for nothing.
        End::Usual if rt.stopping().is_set() => written.await.unwrap_or(End::Usual),
        end => {
            task.abort();
            task.await;
            match (end, written.await) {
                // The reader ended because the writer closed the connection, and that one knows why.
                (End::Usual, Ok(written)) => written,
                (end, _) => end,
            }
        }
    };
    open.conn.shutdown();
    if let End::Abnormal(cause) = end {
        kafka.metrics.closed_abnormally.add(1);
        info!(peer = %open.conn.peer_addr(), cause, "connection closed");
    }
}

async fn write_replies(
    kafka: &Rc<Kafka>,
    open: &Rc<Open>,
    peer: &Rc<Peer>,
    queue: &mut channel::Receiver<Queued>,
) -> End {
    while let Some(Queued { reply, read, latency, _memory }) = queue.recv().await {
        let outcome = match reply {
            Reply::InTurn(request) => request.handle(kafka, peer).await,
            Reply::Begun(handling) => handling.await,
        };
        match outcome {
            Outcome::Send(bytes, _room) => {
                kafka.metrics.sent_bytes.add(bytes.iter().map(|b| b.len() as u64).sum());
                if let Err(error) = write(kafka, open, bytes).await {
                    open.conn.shutdown();
                    return write_end(&error);
                }
                if let Some(latency) = latency {
                    latency.record_duration(kafka.shard.runtime().now().duration_since(read));
                }
            }
            Outcome::Nothing => {}
            Outcome::Close(cause) => {
                kafka.metrics.request_errors.add(1);
                open.conn.shutdown();
                return End::Abnormal(cause);
            }
        }
        open.under_way.set(open.under_way.get() - 1);
    }
    End::Usual
}

/// Writes an answer piece by piece, noting when each was begun.
async fn write(kafka: &Kafka, open: &Open, answer: Vec<Bytes>) -> io::Result<()> {
    let mut rest = VecDeque::from(answer);
    while !rest.is_empty() {
        let mut piece = next_piece(&mut rest);
        open.writing.set(Some(kafka.shard.runtime().now()));
        open.conn.write_all_bytes(&mut piece).await?;
    }
    open.writing.set(None);
    Ok(())
}

/// Takes [`PIECE_BYTES`] off the front; all as it is where that isn't more, as of nearly every answer.
fn next_piece(rest: &mut VecDeque<Bytes>) -> VecDeque<Bytes> {
    let mut left = PIECE_BYTES;
    for place in 0..rest.len() {
        let len = rest[place].len();
        if len > left {
            let behind = rest[place].split_off(left);
            let mut piece = std::mem::take(rest);
            *rest = piece.split_off(place + 1);
            rest.push_front(behind);
            return piece;
        }
        left -= len;
    }
    std::mem::take(rest)
}

fn write_end(error: &io::Error) -> End {
    match error.kind() {
        // The client left while its answer was on the way.
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => End::Usual,
        _ => End::Abnormal(format!("can't write: {error}")),
    }
}

async fn read_requests(kafka: &Rc<Kafka>, open: &Rc<Open>, peer: &Rc<Peer>, replies: channel::Sender<Queued>) -> End {
    let rt = kafka.shard.runtime();
    let budget = Semaphore::new(CONNECTION_KIB_MAX);
    let mut input = Input::default();
    loop {
        let frame = ouzel_runtime::select! {
            _ = rt.stopping().wait() => return End::Usual,
            frame = input.next_frame(&open.conn, &kafka.scratch) => frame,
        };
        let frame = match frame {
            Ok(Some(frame)) => frame,
            Ok(None) => return End::Usual,
            Err(end) => return end,
        };
        let kib = frame.len().div_ceil(1024);
        open.under_way.set(open.under_way.get() + 1);
        let (read, latency) = (rt.now(), kafka.metrics.latency(&frame));
        open.last_request.set(read);
        kafka.metrics.requests.add(1);
        kafka.metrics.received_bytes.add(frame.len() as u64 + 4);
        let Ok(own) = budget.acquire(kib.min(CONNECTION_KIB_MAX)).await else { return End::Usual };
        let Ok(shared) = kafka.memory.acquire(kib).await else { return End::Usual };
        let reply = match dispatch::start(kafka, peer, frame).await {
            Ok(reply) => reply,
            Err(cause) => {
                kafka.metrics.request_errors.add(1);
                return End::Abnormal(cause);
            }
        };
        if replies.send(Queued { reply, read, latency, _memory: (own, shared) }).await.is_err() {
            return End::Usual;
        }
    }
}

/// Bytes of a frame that isn't whole yet, and whole ones that came with it.
#[derive(Default)]
struct Input {
    /// Whole frames, as they came: requests are slices of it.
    whole: Bytes,
    /// As long as its frame may be read to without growing; `filled` bytes of it are read.
    partial: BytesMut,
    filled: usize,
}

impl Input {
    /// The next frame, without its size prefix; `None` when the client closed the connection between two. Cancel-safe.
    async fn next_frame(&mut self, conn: &Conn, scratch: &std::cell::RefCell<Vec<u8>>) -> Result<Option<Bytes>, End> {
        loop {
            if let Some(frame) = self.cut() {
                return Ok(Some(frame));
            }
            if conn.readable().await.is_err() {
                return Ok(None);
            }
            let read = if self.filled == 0 {
                let mut scratch = scratch.borrow_mut();
                match conn.try_read(&mut scratch) {
                    Ok(n) => {
                        self.take(&scratch[..n])?;
                        Ok(n)
                    }
                    Err(error) => Err(error),
                }
            } else {
                self.grow()?;
                match conn.try_read(&mut self.partial[self.filled..]) {
                    Ok(n) => {
                        self.filled += n;
                        self.complete()?;
                        Ok(n)
                    }
                    Err(error) => Err(error),
                }
            };
            match read {
                Ok(0) if self.filled == 0 => return Ok(None),
                Ok(0) => {
                    return Err(End::Abnormal(format!(
                        "closed by the client after {} bytes of a request",
                        self.filled
                    )));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(End::Abnormal(format!("can't read: {error}"))),
            }
        }
    }

    /// Cuts the next whole frame off.
    fn cut(&mut self) -> Option<Bytes> {
        let len = self.whole.first_chunk().map(|size| u32::from_be_bytes(*size) as usize)?;
        self.whole.advance(4);
        let frame = self.whole.split_to(len);
        if self.whole.is_empty() {
            self.whole = Bytes::new();
        }
        Some(frame)
    }

    /// Takes what came: whole frames together, the rest becomes the partial one.
    fn take(&mut self, bytes: &[u8]) -> Result<(), End> {
        let mut end = 0;
        while let Some(len) = frame_len(&bytes[end..])?.filter(|len| 4 + len <= bytes.len() - end) {
            end += 4 + len;
        }
        let (whole, rest) = bytes.split_at(end);
        self.whole = Bytes::copy_from_slice(whole);
        self.partial = BytesMut::from(rest);
        self.filled = rest.len();
        Ok(())
    }

    /// Makes room for more bytes of the partial frame, never beyond its end.
    fn grow(&mut self) -> Result<(), End> {
        if self.filled < self.partial.len() {
            return Ok(());
        }
        // As much as it takes to know the size and the API, then as much as the frame has, in doubling steps.
        let whole = frame_len(&self.partial[..self.filled])?.map_or(6, |len| 4 + len);
        let room = (self.filled * 2).max(FRAME_GROWTH_MIN).min(whole);
        self.partial.resize(room, 0);
        Ok(())
    }

    fn complete(&mut self) -> Result<(), End> {
        let Some(len) = frame_len(&self.partial[..self.filled])? else { return Ok(()) };
        if self.filled == 4 + len {
            let mut frame = std::mem::take(&mut self.partial);
            frame.truncate(self.filled);
            self.whole = frame.freeze();
            self.filled = 0;
        }
        Ok(())
    }
}

/// The length of a frame, once its size and its API are known: a size that its API can't have ends the connection before its bytes
/// are read.
fn frame_len(bytes: &[u8]) -> Result<Option<usize>, End> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let len = frame::frame_len(*prefix, FRAME_BYTES_MAX).map_err(|e| End::Abnormal(hint(prefix, &e)))?;
    let Some(key) = rest.first_chunk::<2>() else { return Ok(None) };
    let max = frame::frame_bytes_max(*key);
    if len > max {
        return Err(End::Abnormal(format!("a request of {len} bytes, over the {max} that its kind may have")));
    }
    Ok(Some(len))
}

/// What the first bytes look like, when they aren't Kafka's.
fn hint(prefix: &[u8; 4], error: &frame::FrameError) -> String {
    match prefix {
        [0x16, 3, ..] => "got a TLS hello on a plaintext listener; connect without TLS".into(),
        b"GET " | b"POST" | b"HEAD" | b"PUT " => "got an HTTP request on the Kafka port".into(),
        _ => format!("not a Kafka request: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(len: usize) -> Vec<u8> {
        let mut bytes = (len as u32).to_be_bytes().to_vec();
        bytes.extend((0..len).map(|i| if i < 2 { 0 } else { i as u8 }));
        bytes
    }

    /// Feeds bytes in pieces of `piece`, as a socket would; returns the frames.
    fn check(bytes: &[u8], piece: usize) -> Vec<Bytes> {
        let (mut input, mut frames) = (Input::default(), Vec::new());
        let mut rest = bytes;
        while !rest.is_empty() {
            let n = if input.filled == 0 {
                let n = piece.min(rest.len());
                assert!(input.take(&rest[..n]).is_ok());
                n
            } else {
                assert!(input.grow().is_ok());
                let room = &mut input.partial[input.filled..];
                let n = piece.min(rest.len()).min(room.len());
                room[..n].copy_from_slice(&rest[..n]);
                input.filled += n;
                assert!(input.complete().is_ok());
                n
            };
            rest = &rest[n..];
            frames.extend(std::iter::from_fn(|| input.cut()));
        }
        assert_eq!(input.filled, 0, "nothing is left over");
        frames
    }

    #[test]
    fn an_answer_is_cut_into_pieces_and_loses_nothing() {
        let sizes = |of: &VecDeque<Bytes>| of.iter().map(Bytes::len).collect::<Vec<_>>();
        let answer = |lens: &[usize]| lens.iter().map(|len| Bytes::from(vec![7; *len])).collect::<VecDeque<_>>();
        let mut small = answer(&[10, PIECE_BYTES - 10]);
        assert_eq!(sizes(&next_piece(&mut small)), [10, PIECE_BYTES - 10]);
        assert!(small.is_empty());
        let mut large = answer(&[10, 2 * PIECE_BYTES, 5]);
        assert_eq!(sizes(&next_piece(&mut large)), [10, PIECE_BYTES - 10]);
        assert_eq!(sizes(&next_piece(&mut large)), [PIECE_BYTES]);
        assert_eq!(sizes(&next_piece(&mut large)), [10, 5]);
        assert!(large.is_empty());
    }

    #[test]
    fn frames_come_out_whole_however_they_are_cut() {
        let frames = [frame(10), frame(70_000), frame(300), frame(16_384)];
        for piece in [1, 3, 7, 4_096, 65_536, 1 << 20] {
            let out = check(&frames.concat(), piece);
            assert_eq!(out.len(), frames.len(), "pieces of {piece}");
            for (got, sent) in out.iter().zip(&frames) {
                assert_eq!(got[..], sent[4..]);
            }
        }
    }

    #[test]
    fn a_declared_size_allocates_nothing() {
        let mut input = Input::default();
        assert!(input.take(&[6, 0, 0, 0, 0, 0, 0, 9]).is_ok(), "a produce request of 96 MiB");
        assert!(input.grow().is_ok());
        assert!(input.partial.capacity() <= 2 * FRAME_GROWTH_MIN);
    }

    #[test]
    fn impossible_sizes_end_the_connection() {
        for bad in [&b"GET / HTTP"[..], &[0xff; 8], &[0, 0, 0, 3, 0, 0], &[1, 0, 0, 0, 0, 3, 0, 0]] {
            assert!(Input::default().take(bad).is_err(), "{bad:?}");
        }
    }
}
