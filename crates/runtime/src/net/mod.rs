//! Connections. Readiness based: a future that is dropped has taken no byte, so every one is cancel-safe.
//!
//! Homes: tokio's epoll, the simulator.

#[cfg(feature = "sim")]
mod sim;
mod tokio_net;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;

use bytes::{Buf, Bytes};

/// Connections that may wait to be accepted.
pub const BACKLOG: u32 = 1024;
/// Slices of one vectored write; the kernel's limit is 1,024, and 64 keep the array on the stack.
const SLICES_MAX: usize = 64;

/// The network of one shard.
#[derive(Clone)]
pub struct Net {
    home: NetHome,
}

#[derive(Clone)]
enum NetHome {
    Tokio,
    #[cfg(feature = "sim")]
    Sim(sim::SimNet),
}

/// A socket that accepts.
pub struct Listener {
    home: ListenerHome,
}

enum ListenerHome {
    Tokio(tokio_net::Listener),
    #[cfg(feature = "sim")]
    Sim(sim::Listener),
}

/// A connection. All methods take `&self`, so one `Rc<Conn>` serves a reader and a writer task. Closed on drop.
pub struct Conn {
    home: ConnHome,
}

enum ConnHome {
    Tokio(tokio_net::Conn),
    #[cfg(feature = "sim")]
    Sim(sim::Conn),
}

impl Net {
    pub(crate) fn tokio() -> Net {
        Net { home: NetHome::Tokio }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn sim(place: crate::sim::Place) -> Net {
        Net { home: NetHome::Sim(sim::SimNet { place }) }
    }

    /// Listens; every shard may listen on the same address (SO_REUSEPORT), and the kernel spreads the connections. Port 0
    /// takes a free one, see [`Listener::local_addr`].
    pub fn listen(&self, addr: SocketAddr) -> io::Result<Listener> {
        match &self.home {
            NetHome::Tokio => Ok(Listener { home: ListenerHome::Tokio(tokio_net::Listener::bind(addr)?) }),
            #[cfg(feature = "sim")]
            NetHome::Sim(net) => Ok(Listener { home: ListenerHome::Sim(net.listen(addr)?) }),
        }
    }

    /// Connects; the kernel's own timeout of minutes applies, so race it against a sleep. Cancel-safe.
    pub async fn connect(&self, addr: SocketAddr) -> io::Result<Conn> {
        match &self.home {
            NetHome::Tokio => Ok(Conn { home: ConnHome::Tokio(tokio_net::Conn::connect(addr).await?) }),
            #[cfg(feature = "sim")]
            NetHome::Sim(net) => Ok(Conn { home: ConnHome::Sim(net.connect(addr).await?) }),
        }
    }

    /// Addresses of a host name, never an empty list.
    pub async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let found = match &self.home {
            NetHome::Tokio => tokio_net::resolve(host, port).await?,
            #[cfg(feature = "sim")]
            NetHome::Sim(net) => net.resolve(host, port)?,
        };
        if found.is_empty() {
            return Err(io::Error::new(ErrorKind::NotFound, format!("{host}: no address")));
        }
        Ok(found)
    }
}

impl Listener {
    /// The next connection. After an error (too many open files, say) wait before the next call. Cancel-safe.
    pub async fn accept(&self) -> io::Result<Conn> {
        match &self.home {
            ListenerHome::Tokio(listener) => Ok(Conn { home: ConnHome::Tokio(listener.accept().await?) }),
            #[cfg(feature = "sim")]
            ListenerHome::Sim(listener) => Ok(Conn { home: ConnHome::Sim(listener.accept().await?) }),
        }
    }

    /// Where it listens, the port resolved.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.home {
            ListenerHome::Tokio(listener) => listener.local_addr(),
            #[cfg(feature = "sim")]
            ListenerHome::Sim(listener) => Ok(listener.local_addr()),
        }
    }
}

impl Conn {
    /// Resolves when bytes, the end or an error can be read, or sometimes without cause.
    pub async fn readable(&self) -> io::Result<()> {
        match &self.home {
            ConnHome::Tokio(conn) => conn.readable().await,
            #[cfg(feature = "sim")]
            ConnHome::Sim(conn) => conn.readable().await,
        }
    }

    /// Reads what is there, at most the buffer; `Ok(0)` at the end (for a buffer that is not empty), `WouldBlock` when
    /// nothing is there.
    pub fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        match &self.home {
            ConnHome::Tokio(conn) => conn.try_read(into),
            #[cfg(feature = "sim")]
            ConnHome::Sim(conn) => conn.try_read(into),
        }
    }

    /// Waits for bytes and reads them; `Ok(0)` at the end. A large `into` may sit in the future for long: on idle connections
    /// wait with [`readable`](Self::readable) and read into a shared buffer.
    pub async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.try_read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable().await?,
                read => return read,
            }
        }
    }

    /// Resolves when bytes can be written, or sometimes without cause.
    pub async fn writable(&self) -> io::Result<()> {
        match &self.home {
            ConnHome::Tokio(conn) => conn.writable().await,
            #[cfg(feature = "sim")]
            ConnHome::Sim(conn) => conn.writable().await,
        }
    }

    /// Writes what fits of the slices now; `WouldBlock` when nothing fits.
    pub fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.home {
            ConnHome::Tokio(conn) => conn.try_write_vectored(slices),
            #[cfg(feature = "sim")]
            ConnHome::Sim(conn) => conn.try_write_vectored(slices),
        }
    }

    /// Waits for room and writes what fits of the slices, at least one byte.
    pub async fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            match self.try_write_vectored(slices) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable().await?,
                Ok(0) if slices.iter().any(|slice| !slice.is_empty()) => return Err(ErrorKind::WriteZero.into()),
                written => return written,
            }
        }
    }

    /// Writes all bytes, dropping each slice once it is written. A dropped future leaves in the queue what was not written.
    pub async fn write_all_bytes(&self, bytes: &mut VecDeque<Bytes>) -> io::Result<()> {
        #[cfg(feature = "sim")]
        if let ConnHome::Sim(conn) = &self.home {
            return conn.write_all_bytes(bytes).await;
        }
        loop {
            while bytes.front().is_some_and(Bytes::is_empty) {
                bytes.pop_front();
            }
            if bytes.is_empty() {
                return Ok(());
            }
            let mut written = {
                let mut slices = [IoSlice::new(&[]); SLICES_MAX];
                let count = bytes.len().min(SLICES_MAX);
                for (slice, part) in slices.iter_mut().zip(bytes.iter()) {
                    *slice = IoSlice::new(part);
                }
                self.write_vectored(&slices[..count]).await?
            };
            while written > 0 {
                let front = bytes.front_mut().expect("no more was written than was there");
                let step = written.min(front.len());
                front.advance(step);
                written -= step;
                if front.is_empty() {
                    bytes.pop_front();
                }
            }
        }
    }

    /// The other side's address.
    pub fn peer_addr(&self) -> SocketAddr {
        match &self.home {
            ConnHome::Tokio(conn) => conn.peer_addr(),
            #[cfg(feature = "sim")]
            ConnHome::Sim(conn) => conn.peer_addr(),
        }
    }

    /// This side's address.
    pub fn local_addr(&self) -> SocketAddr {
        match &self.home {
            ConnHome::Tokio(conn) => conn.local_addr(),
            #[cfg(feature = "sim")]
            ConnHome::Sim(conn) => conn.local_addr(),
        }
    }

    /// Ends both directions: readers on both sides see the end, later writes fail. A connection that is gone is no error.
    pub fn shutdown(&self) {
        match &self.home {
            ConnHome::Tokio(conn) => conn.shutdown(),
            #[cfg(feature = "sim")]
            ConnHome::Sim(conn) => conn.shutdown(),
        }
    }
}
