//! Which prefix of a log its retention lets go. Pure: segments and the clock in, a new log start out.

use ouzel_model::{Offset, Timestamp, planted};

/// What retention looks at of a segment, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// End of the segment, exclusive.
    pub end_offset: Offset,
    /// Its size, bytes.
    pub bytes: u64,
    /// Largest record timestamp.
    pub max_timestamp: Timestamp,
    /// When its last entry was appended, by the leader's clock; bounds timestamps of the future. `None` when unknown.
    pub append_time_max: Option<Timestamp>,
}

/// Limits of a topic; `None` is without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records older than this go, milliseconds.
    pub millis: Option<i64>,
    /// Segments beyond this size in all go, bytes.
    pub bytes: Option<u64>,
}

/// New log start, if any segment goes: the end of the last one of them. A segment goes as a whole, only behind all older ones, and by
/// size only while what stays still holds the limit, as in Kafka.
pub fn plan(segments: &[Candidate], limits: Limits, now: Timestamp) -> Option<Offset> {
    let mut left: u64 = segments.iter().map(|s| s.bytes).sum();
    let mut start = None;
    for segment in segments {
        // A record stamped in the future can't keep its segment longer than its append time does.
        let bound = planted!("46", None, segment.append_time_max);
        let newest = bound.map_or(segment.max_timestamp, |appended| segment.max_timestamp.min(appended));
        let expired = limits.millis.is_some_and(|keep| now.millis_since(newest) > keep);
        let oversized = limits.bytes.is_some_and(|keep| left - segment.bytes >= keep);
        if !expired && !oversized {
            break;
        }
        left -= segment.bytes;
        start = Some(segment.end_offset);
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments of ten records and 100 bytes each, with these newest timestamps; append time is `appended`.
    fn check(
        newest: &[i64],
        appended: Option<i64>,
        millis: Option<i64>,
        bytes: Option<u64>,
        now: i64,
        expect: Option<i64>,
    ) {
        let segments: Vec<_> = (1..)
            .zip(newest)
            .map(|(n, &t)| Candidate {
                end_offset: Offset(n * 10),
                bytes: 100,
                max_timestamp: Timestamp(t),
                append_time_max: appended.map(Timestamp),
            })
            .collect();
        assert_eq!(plan(&segments, Limits { millis, bytes }, Timestamp(now)), expect.map(Offset));
    }

    #[test]
    fn time_drops_expired_segments_from_the_front_only() {
        check(&[1, 2, 50], None, Some(10), None, 20, Some(20));
        check(&[50, 2, 3], None, Some(10), None, 20, None);
        check(&[1, 2, 3], None, Some(10), None, 20, Some(30));
        check(&[1, 2, 3], None, None, None, 20, None);
        check(&[9], None, Some(10), None, 19, None);
    }

    #[test]
    fn size_never_leaves_less_than_the_limit() {
        check(&[0, 0, 0], None, None, Some(200), 0, Some(10));
        check(&[0, 0, 0], None, None, Some(201), 0, None);
        check(&[0, 0, 0], None, None, Some(0), 0, Some(30));
    }

    #[test]
    fn a_timestamp_of_the_future_is_bounded_by_append_time() {
        check(&[i64::MAX], Some(5), Some(10), None, 20, Some(10));
        check(&[i64::MAX], Some(15), Some(10), None, 20, None);
    }
}
