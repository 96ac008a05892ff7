//! Brokers that misbehave: every wait ends, and the error says where and at what.

use std::rc::Rc;

use ouzel_client::{Client, ClientError, ConnError, Options, Phase};
use ouzel_runtime::{Class, Duration, testing};

/// What the broker does with the first request.
#[derive(Clone, Copy)]
enum Act {
    Close,
    Silence,
    Say(&'static [u8]),
}

/// The error that connecting to such a broker ends with.
fn meet(act: Act) -> ConnError {
    let met = testing::run(move |rt| async move {
        let listener = rt.net().listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let broker = rt.clone();
        rt.spawn(Class::Serve, async move {
            let mut kept = Vec::new();
            loop {
                let conn = Rc::new(listener.accept().await.unwrap());
                let mut request = [0; 512];
                conn.read(&mut request).await.unwrap();
                match act {
                    Act::Close => continue,
                    Act::Silence => {}
                    Act::Say(bytes) => {
                        conn.write_all_bytes(&mut [bytes::Bytes::from_static(bytes)].into()).await.unwrap();
                    }
                }
                kept.push(conn);
                broker.yield_now().await;
            }
        });
        let options = Options { connect_timeout: Duration::from_millis(50), ..Options::to(&[address]) };
        Client::connect(&rt, options).await.expect_err("it is no broker")
    });
    match met {
        ClientError::Conn(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn a_broker_that_closes_or_says_nothing_is_named_with_the_phase() {
    let phase = Phase::Request("ApiVersions");
    assert!(matches!(meet(Act::Close), ConnError::Io { phase: said, .. } if said == phase));
    assert!(matches!(meet(Act::Silence), ConnError::Timeout { phase: said, .. } if said == phase));
    // A reply that never comes to its end: as silent.
    assert!(matches!(meet(Act::Say(&[0, 0, 1, 0, 0, 0])), ConnError::Timeout { .. }));
    // The largest frame there is, declared: waited for, never allocated.
    assert!(matches!(meet(Act::Say(&[8, 0, 0, 0, 0, 0, 0, 0])), ConnError::Timeout { .. }));
}

#[test]
fn what_is_no_reply_is_said_to_be_none() {
    let frames: [&[u8]; 6] = [
        b"HTTP/1.1 400 Bad Request\r\n",
        &[0xff, 0xff, 0xff, 0xff],
        &[0, 0, 0, 3],
        // Beyond the largest frame by one.
        &[8, 0, 0, 1],
        // Another request's reply.
        &[0, 0, 0, 4, 0, 0, 0, 9],
        // Two thousand million keys in four bytes.
        &[0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x07],
    ];
    for frame in frames {
        let error = meet(Act::Say(frame));
        assert!(matches!(error, ConnError::Reply { .. }), "{frame:?}: {error}");
    }
}
