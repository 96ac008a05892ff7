//! Which topics a member of protocol type `consumer` reads, as far as its metadata says. Other protocol types stay
//! opaque, and so does what doesn't parse: such a group may read anything.

use std::collections::BTreeSet;

use ouzel_model::TopicName;
use ouzel_wire::consumer_protocol::ConsumerProtocolSubscription;
use ouzel_wire::record::Record;

/// The protocol type whose metadata is a subscription.
pub(crate) const CONSUMER: &str = "consumer";

/// Topics of a subscription, version 0 and up; a version newer than the newest we know starts the same way. `None` if it
/// doesn't parse. Names no topic can have are left out.
pub(crate) fn subscribed_topics(metadata: &[u8]) -> Option<BTreeSet<TopicName>> {
    let subscription = ConsumerProtocolSubscription::decode_or_newer(metadata).ok()?;
    Some(subscription.topics.iter().filter_map(|name| TopicName::new(name).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscription_gives_its_topics_or_nothing() {
        let check = |bytes: &[u8], expect: Option<&[&str]>| {
            let expect = expect.map(|names| names.iter().map(|n| TopicName::new(n).unwrap()).collect());
            assert_eq!(subscribed_topics(bytes), expect, "{bytes:?}");
        };
        check(b"\0\0\0\0\0\x02\0\x01a\0\x02bc\xff\xff\xff\xff", Some(&["a", "bc"]));
        check(b"\0\x01\0\0\0\0\xff\xff\xff\xff\0\0\0\0", Some(&[]));
        check(b"\0\0\0\0\0\x01\0\x03a b\xff\xff\xff\xff", Some(&[]));
        let newest = b"\0\x03\0\0\0\x01\0\x01a\xff\xff\xff\xff\0\0\0\0\0\0\0\x07\xff\xff";
        check(newest, Some(&["a"]));
        check(&[b"\0\x09", &newest[2..], b"and what comes later"].concat(), Some(&["a"]));
        check(b"", None);
        check(b"\xff\xff\0\0\0\0", None);
        check(b"\0\0\xff\xff\xff\xff", None);
        check(b"\0\0\x7f\xff\xff\xff\0\x01a", None);
        check(b"\0\0\0\0\0\x01\0\x05ab", None);
        check(b"\0\0\0\0\0\x01\xff\xffab", None);
        check(b"\0\0\0\0\0\x01\0\x01\xff", None);
    }
}
