//! One connection to a broker, one request in flight.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use ouzel_runtime::{Conn, Runtime, select};

use super::PORT;

/// What a client waits for an answer, on top of what the request itself may wait.
const ANSWER: Duration = Duration::from_secs(10);
/// What a client waits for a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Bytes read at once.
const READ: usize = 64 << 10;

pub struct Session {
    conn: Conn,
    input: BytesMut,
    next: i32,
}

impl Session {
    pub async fn open(rt: &Runtime, node: &str) -> Option<Session> {
        let to = *rt.net().resolve(node, PORT).await.ok()?.first()?;
        let conn = select! {
            conn = rt.net().connect(to) => conn.ok()?,
            _ = rt.sleep(CONNECT) => return None,
        };
        Some(Session { conn, input: BytesMut::new(), next: 0 })
    }

    /// `None` when nobody knows what became of the request; the connection is then of no more use. Panics when the answer isn't
    /// what the independent codec expects: that is a bug of ours, whatever the faults.
    pub async fn ask<R: Request>(&mut self, rt: &Runtime, version: i16, request: &R) -> Option<R::Response> {
        self.next += 1;
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.next)
            .with_client_id(Some(StrBytes::from_static_str("sim")));
        let mut body = BytesMut::new();
        header.encode(&mut body, R::header_version(version)).expect("a header can be encoded");
        request.encode(&mut body, version).expect("a request can be encoded");
        let size = Bytes::copy_from_slice(&(body.len() as u32).to_be_bytes());
        let mut bytes = VecDeque::from([size, body.freeze()]);
        let (conn, input) = (&self.conn, &mut self.input);
        let asked = async {
            conn.write_all_bytes(&mut bytes).await.ok()?;
            frame(conn, input).await
        };
        let mut answer = select! {
            answer = asked => answer?,
            _ = rt.sleep(ANSWER) => return None,
        };
        let header = ResponseHeader::decode(&mut answer, R::Response::header_version(version)).expect("a good header");
        assert!(header.correlation_id == self.next, "answers come in the order of requests");
        Some(R::Response::decode(&mut answer, version).expect("a good answer"))
    }
}

async fn frame(conn: &Conn, input: &mut BytesMut) -> Option<Bytes> {
    let mut scratch = vec![0; READ];
    loop {
        if let Some(size) = input.first_chunk::<4>() {
            let size = u32::from_be_bytes(*size) as usize;
            if input.len() >= 4 + size {
                input.advance(4);
                return Some(input.split_to(size).freeze());
            }
        }
        match conn.read(&mut scratch).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => input.extend_from_slice(&scratch[..n]),
        }
    }
}
