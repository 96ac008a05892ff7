//! Connections of the system home.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use ouzel_runtime::testing::run;
use ouzel_runtime::{Class, Conn, Duration, Runtime, select};

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

async fn pair(rt: &Runtime) -> (Conn, Conn) {
    let listener = rt.net().listen(any_port()).expect("listens");
    let addr = listener.local_addr().expect("bound");
    let client = rt.net().connect(addr).await.expect("connects");
    let server = listener.accept().await.expect("accepts");
    assert_eq!((client.peer_addr(), server.peer_addr()), (server.local_addr(), client.local_addr()));
    (client, server)
}

#[test]
fn all_bytes_arrive_in_order_while_one_conn_reads_and_writes() {
    run(|rt| async move {
        let (client, server) = pair(&rt).await;
        let server = Rc::new(server);
        // An echo with a reader and a writer that share the connection, and little memory between them.
        let (to_writer, mut from_reader) = ouzel_runtime::sync::channel::<Bytes>(4);
        let reader = server.clone();
        let reading = rt.spawn(Class::Serve, async move {
            let mut shared = vec![0; 8192];
            loop {
                reader.readable().await.expect("alive");
                match reader.try_read(&mut shared) {
                    Ok(0) => return,
                    Ok(n) => to_writer.send(Bytes::copy_from_slice(&shared[..n])).await.expect("the writer is there"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
        });
        let writing = rt.spawn(Class::Serve, async move {
            while let Some(bytes) = from_reader.recv().await {
                server.write_all_bytes(&mut VecDeque::from([bytes])).await.expect("alive");
            }
            server.shutdown();
        });

        let sent: Vec<u8> = (0..3_000_000u32).map(|i| (i % 241) as u8).collect();
        let client = Rc::new(client);
        let (writer, pieces) = (client.clone(), sent.clone());
        let sending = rt.spawn(Class::Tail, async move {
            // Empty slices, and more of them than one write takes.
            let mut queue: VecDeque<Bytes> = pieces.chunks(10_007).map(Bytes::copy_from_slice).collect();
            queue.push_front(Bytes::new());
            queue.push_back(Bytes::new());
            assert!(queue.len() > 300);
            writer.write_all_bytes(&mut queue).await.expect("alive");
            assert!(queue.is_empty());
        });
        let mut received = Vec::new();
        let mut part = vec![0; 64 << 10];
        while received.len() < sent.len() {
            let n = client.read(&mut part).await.expect("alive");
            assert!(n > 0);
            received.extend_from_slice(&part[..n]);
        }
        assert!(received == sent);
        sending.await;
        client.shutdown();
        reading.await;
        writing.await;
    });
}

#[test]
fn a_dropped_read_takes_no_bytes() {
    run(|rt| async move {
        let (client, server) = pair(&rt).await;
        let mut part = [0; 16];
        let got = select! {
            read = server.read(&mut part) => Some(read),
            () = rt.sleep(Duration::from_millis(1)) => None,
        };
        assert!(got.is_none());
        assert_eq!(server.try_read(&mut part).expect_err("nothing sent").kind(), ErrorKind::WouldBlock);
        let written = client.write_vectored(&[IoSlice::new(b"ou"), IoSlice::new(b"zel")]).await.expect("room");
        assert_eq!(written, 5);
        let mut read = 0;
        while read < 5 {
            read += server.read(&mut part[read..]).await.expect("alive");
        }
        assert_eq!(&part[..5], b"ouzel");
    });
}

#[test]
fn a_shutdown_ends_both_sides_and_a_drop_closes() {
    run(|rt| async move {
        let (client, server) = pair(&rt).await;
        client.shutdown();
        client.shutdown();
        let mut part = [0; 4];
        assert_eq!(server.read(&mut part).await.expect("the end"), 0);
        assert_eq!(client.read(&mut part).await.expect("the end"), 0);
        client.write_vectored(&[IoSlice::new(b"x")]).await.expect_err("shut down");
        let (client, server) = pair(&rt).await;
        drop(client);
        assert_eq!(server.read(&mut part).await.expect("the end"), 0);
    });
}

#[test]
fn shards_share_an_address() {
    run(|rt| async move {
        let first = rt.net().listen(any_port()).expect("listens");
        let addr = first.local_addr().expect("bound");
        let second = rt.net().listen(addr).expect("listens beside it");
        assert_eq!(second.local_addr().expect("bound"), addr);
    });
}

#[test]
fn nobody_listening_refuses_and_names_resolve() {
    run(|rt| async move {
        let addr = rt.net().listen(any_port()).expect("listens").local_addr().expect("bound");
        let refused = rt.net().connect(addr).await.err().expect("nobody listens any more");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let found = rt.net().resolve("127.0.0.1", 9092).await.expect("a number");
        assert_eq!(found, ["127.0.0.1:9092".parse().expect("an address")]);
        assert!(!rt.net().resolve("localhost", 1).await.expect("in the hosts file").is_empty());
    });
}
