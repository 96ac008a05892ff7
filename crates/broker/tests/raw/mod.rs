//! A broker in this process and a client of plain sockets, for tests that say exactly which bytes go out.
// Tests are outside the seam, and not each of them uses all of this.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, dead_code)]

use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use ouzel_broker::{Broker, Config};
use ouzel_wire::{Decoder, Message, Request, decode_response_header, encode_request};

/// Runs a future on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A directory that goes with its owner.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new(name: &str) -> Dir {
        let dir = std::env::temp_dir().join(format!("ouzel-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Dir(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A broker on free ports.
pub fn start(dir: &Dir, change: impl FnOnce(&mut Config)) -> Broker {
    ouzel_broker::logging::to_stderr("info");
    let mut config = Config::dev().data_dir(&dir.0).any_port();
    (config.admin, config.pin, config.cores) = (None, false, 2);
    change(&mut config);
    block_on(Broker::start(config)).expect("the broker starts")
}

/// A connection.
pub struct Client {
    pub stream: TcpStream,
    next: i32,
}

impl Client {
    pub fn new(broker: &Broker) -> Client {
        let stream = TcpStream::connect(broker.kafka_addr()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, next: 1 }
    }

    pub fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        let correlation = self.next;
        self.next += 1;
        for part in encode_request(version, correlation, Some("test"), request).expect("it can be said") {
            self.stream.write_all(&part).unwrap();
        }
        correlation
    }

    pub fn receive<R: Request>(&mut self, version: i16, correlation: i32) -> R::Response {
        let frame = self.frame().expect("an answer");
        let mut d = Decoder::new(&frame, 1 << 30);
        assert_eq!(decode_response_header(&mut d, R::KEY, version).unwrap(), correlation, "answers come in order");
        R::Response::decode(&mut d, version).expect("a good answer")
    }

    pub fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let correlation = self.send(version, request);
        self.receive::<R>(version, correlation)
    }

    /// The next frame; `None` when the broker closed the connection.
    pub fn frame(&mut self) -> Option<Bytes> {
        let mut size = [0; 4];
        self.stream.read_exact(&mut size).ok()?;
        let mut frame = vec![0; u32::from_be_bytes(size) as usize];
        self.stream.read_exact(&mut frame).ok()?;
        Some(frame.into())
    }
}
