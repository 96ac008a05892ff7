//! Which partition of `__consumer_offsets` coordinates a group.

use ouzel_model::PartitionId;

/// Java's `String.hashCode`: over UTF-16 units, wrapping.
pub fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The partition that coordinates `group` among `count` (at least 1): |hash| modulo the count.
/// The one hash that has no absolute value, the smallest integer, counts as 0 (`Utils.abs` of Kafka).
pub fn partition_for(group: &str, count: i32) -> PartitionId {
    assert!(count > 0, "a topic has at least one partition, not {count}");
    PartitionId(java_hash(group).checked_abs().unwrap_or(0) % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_javas() {
        // From the documentation of java.lang.String and well-known collisions.
        for (text, hash) in [
            ("", 0),
            ("a", 97),
            ("Aa", 2112),
            ("BB", 2112),
            ("hello", 99162322),
            ("Hello World", -862545276),
            ("polygenelubricants", i32::MIN),
            ("é", 233),
            // A surrogate pair is two units: 0xd83d * 31 + 0xde00.
            ("\u{1f600}", 0xd83d * 31 + 0xde00),
        ] {
            assert_eq!(java_hash(text), hash, "{text}");
        }
    }

    #[test]
    fn partition_is_never_negative() {
        assert_eq!(partition_for("polygenelubricants", 50), PartitionId(0));
        assert_eq!(partition_for("Hello World", 50), PartitionId(26));
        assert_eq!(partition_for("hello", 50), PartitionId(22));
        assert_eq!(partition_for("", 50), PartitionId(0));
        assert_eq!(partition_for("anything", 1), PartitionId(0));
    }
}
