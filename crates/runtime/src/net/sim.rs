//! The simulator's network: sockets of one machine in the world's [`Network`](crate::sim::tcp::Network).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::task::Poll;

use bytes::Bytes;

use crate::sim::Place;
use crate::sim::tcp::EndId;
use crate::sim::trace::What;

/// Bytes that one vectored write copies at most: more than a connection ever has room for.
const COPY_MAX: usize = 256 * 1024;

#[derive(Clone)]
pub(crate) struct SimNet {
    pub(super) place: Place,
}

pub(crate) struct Listener {
    place: Place,
    id: u32,
    addr: SocketAddr,
}

pub(crate) struct Conn {
    place: Place,
    id: EndId,
    local: SocketAddr,
    peer: SocketAddr,
}

fn gone() -> io::Error {
    ErrorKind::NotConnected.into()
}

impl SimNet {
    pub(super) fn listen(&self, addr: SocketAddr) -> io::Result<Listener> {
        let bound = self.place.network(|net, host, _, _| net.listen(host, addr));
        let (id, addr) = bound.unwrap_or_else(|| Err(gone()))?;
        Ok(Listener { place: self.place.clone(), id, addr })
    }

    pub(super) async fn connect(&self, addr: SocketAddr) -> io::Result<Conn> {
        let asked = self.place.network(|net, host, now, agenda| net.connect(host, addr, now, agenda));
        let mut request = Request { place: self.place.clone(), asked };
        poll_fn(|cx| {
            let Some((slot, serial)) = request.asked else { return Poll::Ready(Err(gone())) };
            let outcome = self.place.network(|net, _, _, _| net.connected(slot, serial, cx.waker()));
            match outcome.unwrap_or_else(|| Some(Err(gone()))) {
                None => Poll::Pending,
                Some(outcome) => {
                    request.asked = None;
                    Poll::Ready(outcome.and_then(|id| Conn::new(&self.place, id)))
                }
            }
        })
        .await
    }

    pub(super) fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let ip = self.place.network(|net, host, _, _| net.resolve(host, name)).unwrap_or_else(|| Err(gone()))?;
        Ok(vec![SocketAddr::new(ip, port)])
    }
}

/// A connection request that goes away with its future.
struct Request {
    place: Place,
    asked: Option<(u32, u64)>,
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some((slot, serial)) = self.asked {
            self.place.network(|net, _, now, agenda| net.forget_request(slot, serial, now, agenda));
        }
    }
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Conn> {
        poll_fn(|cx| {
            let accepted = self.place.network(|net, _, _, _| net.accept(self.id, cx.waker()));
            match accepted.unwrap_or_else(|| Some(Err(gone()))) {
                None => Poll::Pending,
                Some(outcome) => Poll::Ready(outcome.and_then(|id| Conn::new(&self.place, id))),
            }
        })
        .await
    }

    pub(super) fn local_addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.place.network(|net, _, now, agenda| net.unlisten(self.id, now, agenda));
    }
}

impl Conn {
    fn new(place: &Place, id: EndId) -> io::Result<Conn> {
        let addrs = place.network(|net, _, _, _| net.addrs(id)).flatten();
        let (local, peer) = addrs.ok_or_else(gone)?;
        place.record(What::NetState, id.serial << 1 | u64::from(id.side), 0);
        Ok(Conn { place: place.clone(), id, local, peer })
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| {
            let ready = self.place.network(|net, _, _, _| net.poll_readable(self.id, cx.waker()));
            if ready == Some(false) { Poll::Pending } else { Poll::Ready(Ok(())) }
        })
        .await
    }

    pub(super) fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let read = self.place.network(|net, _, now, agenda| net.try_read(self.id, into, now, agenda));
        read.unwrap_or_else(|| Err(gone()))
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        poll_fn(|cx| {
            let ready = self.place.network(|net, _, _, _| net.poll_writable(self.id, cx.waker()));
            if ready == Some(false) { Poll::Pending } else { Poll::Ready(Ok(())) }
        })
        .await
    }

    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut parts = VecDeque::with_capacity(slices.len());
        let mut room = COPY_MAX;
        for slice in slices {
            let take = slice.len().min(room);
            parts.push_back(Bytes::copy_from_slice(&slice[..take]));
            room -= take;
            if room == 0 {
                break;
            }
        }
        self.try_write(&mut parts)
    }

    /// Sends the counted bytes themselves, without a copy.
    pub(super) async fn write_all_bytes(&self, bytes: &mut VecDeque<Bytes>) -> io::Result<()> {
        loop {
            while bytes.front().is_some_and(Bytes::is_empty) {
                bytes.pop_front();
            }
            if bytes.is_empty() {
                return Ok(());
            }
            match self.try_write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable().await?,
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
    }

    fn try_write(&self, parts: &mut VecDeque<Bytes>) -> io::Result<usize> {
        let sent = self.place.network(|net, _, now, agenda| net.try_write(self.id, parts, now, agenda));
        let (taken, hash) = sent.unwrap_or_else(|| Err(gone()))?;
        self.place.record(What::NetSend, self.id.serial << 1 | u64::from(self.id.side), hash);
        Ok(taken)
    }

    pub(super) fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    pub(super) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn shutdown(&self) {
        self.place.network(|net, _, now, agenda| net.shutdown(self.id, now, agenda));
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.place.network(|net, _, now, agenda| net.close(self.id, false, now, agenda));
    }
}
