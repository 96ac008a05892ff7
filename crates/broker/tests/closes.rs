//! What the log says of connections that end badly. One test, alone in its process: it looks at the process' log.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod raw;

use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ouzel_wire::metadata::MetadataRequest;
use ouzel_wire::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use raw::{Client, Dir, block_on, frame, start};

/// Round trips until something must have happened.
const TRIES: usize = 200_000;

fn ask(client: &mut Client) {
    assert_eq!(client.call(12, &MetadataRequest::default()).brokers.len(), 1);
}

/// A produce request that can't succeed and gets no answer.
fn produce_to_nowhere() -> Vec<u8> {
    let partition_data = vec![PartitionProduceData { index: 7, records: Some(Bytes::from_static(b"junk")) }];
    let topic_data = vec![TopicProduceData { name: "t".into(), partition_data, ..Default::default() }];
    let request = ProduceRequest { acks: 0, timeout_ms: 1_000, topic_data, ..Default::default() };
    ouzel_wire::encode_request(9, 1, None, &request).unwrap().concat()
}

/// Log lines of this process, for the one test that looks at them.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Lines about the connection from this address.
    fn of(&self, peer: SocketAddr) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(&format!("peer={peer}"))).map(String::from).collect()
    }
}

#[test]
fn an_abnormal_close_is_one_line_with_its_cause() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    subscriber.try_init().expect("this test has the process' log");
    let dir = Dir::new("abnormal");
    let broker = start(&dir, |config| config.set("max.connections", "2").expect("a setting"));
    let mut honest = Client::new(&broker);
    ask(&mut honest);

    for (bytes, cause) in [
        (
            vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0],
            "got a TLS hello on a plaintext listener; connect without TLS",
        ),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "got an HTTP request on the Kafka port"),
        ((-5i32).to_be_bytes().to_vec(), "not a Kafka request: a frame of -5 bytes"),
        (frame(999, 0, &[]), "a request this broker doesn't know: unknown API key 999"),
        (frame(3, 99, &[]), "a request this broker doesn't know: version 99 isn't served"),
        (frame(3, 4, &[0, 0, 0, 1, 0, 5, b'a']), "malformed Metadata request, version 4: a field reaches past the end"),
        (frame(24, 0, &[]), "AddPartitionsToTxn isn't served"),
        (produce_to_nowhere(), "a produce request with acks=0 failed"),
        (vec![0, 0, 1, 0, 0, 3, 0], "closed by the client after 7 bytes of a request"),
    ] {
        let mut client = Client::new(&broker);
        let peer = client.stream.local_addr().unwrap();
        client.stream.write_all(&bytes).unwrap();
        if cause.starts_with("closed by the client") {
            client.stream.shutdown(Shutdown::Write).unwrap();
        }
        assert!(client.frame().is_none(), "{cause}");
        assert!(
            (0..TRIES).any(|_| {
                ask(&mut honest);
                !lines.of(peer).is_empty()
            }),
            "{cause}"
        );
        let said = lines.of(peer);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(cause), "{said:?}, not {cause}");
    }
    let mut second = Client::new(&broker);
    ask(&mut second);
    let mut refused = Client::new(&broker);
    assert!(refused.frame().is_none());
    let peer = refused.stream.local_addr().unwrap();
    assert!((0..TRIES).any(|_| {
        ask(&mut honest);
        !lines.of(peer).is_empty()
    }));
    assert!(lines.of(peer)[0].contains("connection refused: max.connections is reached"));
    // Whoever just leaves is nobody's news.
    let peer = second.stream.local_addr().unwrap();
    drop(second);
    block_on(broker.stop()).unwrap();
    assert_eq!(lines.of(peer), Vec::<String>::new());
}
