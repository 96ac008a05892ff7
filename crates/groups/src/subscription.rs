//! Which topics a member of protocol type `consumer` reads, as far as its metadata says. Other protocol types stay
//! opaque, and so does what doesn't parse: such a group may read anything.

use std::collections::BTreeSet;

use ouzel_model::TopicName;

/// The protocol type whose metadata is a subscription.
pub(crate) const CONSUMER: &str = "consumer";

/// Topics of a subscription of version 0 to 3 (`ConsumerProtocolSubscription`); what follows the topics isn't looked
/// at, and a later version starts the same way. `None` if it doesn't parse. Names no topic can have are left out.
pub(crate) fn subscribed_topics(metadata: &[u8]) -> Option<BTreeSet<TopicName>> {
    let (version, rest) = metadata.split_first_chunk::<2>()?;
    if i16::from_be_bytes(*version) < 0 {
        return None;
    }
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let count = usize::try_from(i32::from_be_bytes(*count)).ok()?;
    // Each name takes two bytes at least, so the loop is bounded by what arrived.
    if count > rest.len() / 2 {
        return None;
    }
    let mut topics = BTreeSet::new();
    for _ in 0..count {
        let (length, tail) = rest.split_first_chunk::<2>()?;
        let (name, tail) = tail.split_at_checked(usize::try_from(i16::from_be_bytes(*length)).ok()?)?;
        if let Ok(topic) = TopicName::new(std::str::from_utf8(name).ok()?) {
            topics.insert(topic);
        }
        rest = tail;
    }
    Some(topics)
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
        check(b"\0\x03\0\0\0\x01\0\x01a then anything", Some(&["a"]));
        check(b"\0\x01\0\0\0\0", Some(&[]));
        check(b"\0\x01\0\0\0\x01\0\x03a b", Some(&[]));
        check(b"", None);
        check(b"\xff\xff\0\0\0\0", None);
        check(b"\0\0\xff\xff\xff\xff", None);
        check(b"\0\0\x7f\xff\xff\xff\0\x01a", None);
        check(b"\0\0\0\0\0\x01\0\x05ab", None);
        check(b"\0\0\0\0\0\x01\xff\xffab", None);
        check(b"\0\0\0\0\0\x01\0\x01\xff", None);
    }
}
