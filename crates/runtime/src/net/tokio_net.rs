//! Sockets on tokio's epoll.

use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

pub(super) struct Listener {
    inner: TcpListener,
}

impl Listener {
    pub(super) fn bind(addr: SocketAddr) -> io::Result<Listener> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        // A restart must not wait for the old connections' TIME_WAIT.
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        socket.listen(super::BACKLOG as i32)?;
        Ok(Listener { inner: TcpListener::from_std(socket.into())? })
    }

    pub(super) async fn accept(&self) -> io::Result<Conn> {
        let (stream, peer) = self.inner.accept().await?;
        Conn::new(stream, peer)
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

pub(super) struct Conn {
    inner: TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
}

impl Conn {
    fn new(inner: TcpStream, peer: SocketAddr) -> io::Result<Conn> {
        inner.set_nodelay(true)?;
        let local = inner.local_addr()?;
        Ok(Conn { inner, peer, local })
    }

    pub(super) async fn connect(addr: SocketAddr) -> io::Result<Conn> {
        Conn::new(TcpStream::connect(addr).await?, addr)
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        self.inner.readable().await
    }

    pub(super) fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.inner.try_read(into)
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        self.inner.writable().await
    }

    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner.try_write_vectored(slices)
    }

    pub(super) fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    pub(super) fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn shutdown(&self) {
        // The only error is that the connection is gone already.
        let _ = SockRef::from(&self.inner).shutdown(Shutdown::Both);
    }
}

pub(super) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}
