//! Ours against an independent codec, crate `kafka-protocol`: it must read what we write and write the same bytes.

use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, Message as Theirs};

use super::{body, made_up};
use crate::ApiKey;
use crate::message::Message;

const SEEDS: u64 = 12;

/// Reads our bytes with the other codec and returns what it writes.
fn through<T: Decodable + Encodable>(bytes: &[u8], version: i16, what: &str) -> Vec<u8> {
    let mut left = bytes;
    let message = T::decode(&mut left, version).unwrap_or_else(|e| panic!("{what}: the oracle can't read it: {e}"));
    assert!(left.is_empty(), "{what}: the oracle leaves {} bytes", left.len());
    let mut out = Vec::new();
    message.encode(&mut out, version).unwrap_or_else(|e| panic!("{what}: the oracle can't write it: {e}"));
    out
}

fn check<M: Message, T: Theirs + Decodable + Encodable + Default>() {
    let (min, max) = M::KEY.versions();
    let (min, max) = (min.max(T::VERSIONS.min), max.min(T::VERSIONS.max));
    for version in min..=max {
        for seed in 0..SEEDS {
            let what = format!("{} v{version}, seed {seed}", std::any::type_name::<M>());
            let ours = body(&made_up::<M>(version, seed), version);
            assert_eq!(through::<T>(&ours, version, &what), ours, "{what}");
        }
    }
}

macro_rules! check_all {
    ($(($name:ident, $module:ident, $request:ident, $response:ident))*) => {$(
        check::<crate::$module::$request, theirs::$request>();
        check::<crate::$module::$response, theirs::$response>();
    )*};
}

#[test]
fn an_independent_codec_writes_the_same_bytes() {
    crate::each_api!(check_all);
}

macro_rules! newest_of {
    ($(($name:ident, $module:ident, $request:ident, $response:ident))*) => {
        [$((ApiKey::$name, theirs::$request::VERSIONS, theirs::$response::VERSIONS)),*]
    };
}

#[test]
fn versions_the_oracle_lacks_have_golden_bytes() {
    for (key, request, response) in crate::each_api!(newest_of) {
        let (min, max) = key.versions();
        assert!(min >= request.min && min >= response.min, "{key}");
        let golden = super::golden::BODIES.iter().filter(|case| case.0 == key && case.1 == max).count() == 2;
        assert_eq!(max > request.max.min(response.max), golden, "{key} v{max}");
        assert!(max <= request.max + 1, "{key}");
    }
}

#[test]
fn headers_have_the_versions_of_the_oracle() {
    for key in ApiKey::ALL {
        let theirs = theirs::ApiKey::try_from(key as i16).unwrap();
        let (min, max) = key.versions();
        for version in min..=max {
            assert_eq!(theirs.request_header_version(version), 1 + i16::from(key.is_flexible(version)), "{key}");
            let tags = key.response_header_has_tags(version);
            assert_eq!(theirs.response_header_version(version), i16::from(tags), "{key}");
        }
    }
}
