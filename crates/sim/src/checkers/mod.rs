//! The invariants, one file each, named after the id and the statement of the design. Each is fed every event of the
//! [`History`](crate::history::History) and says at once what is wrong.

mod i01_acked_kept;
mod i04_offset_map;
mod i05_visible_committed;
mod i06_definite_failure;
mod i10_producer_sequence;
pub mod i22_accounting;
pub mod i23_nothing_left;

use crate::history::{Event, Partition};

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant, such as `I1 acked-kept`.
    pub law: &'static str,
    /// Where, if it is about one partition.
    pub partition: Option<Partition>,
    /// What was promised and what was seen.
    pub text: String,
}

/// All checkers of a history.
#[derive(Default)]
pub struct Checkers {
    acked_kept: i01_acked_kept::AckedKept,
    offset_map: i04_offset_map::OffsetMap,
    visible: i05_visible_committed::Visible,
    definite: i06_definite_failure::DefiniteFailure,
    sequence: i10_producer_sequence::ProducerSequence,
}

impl Checkers {
    /// First offset of the partition that nobody has read yet.
    pub fn read_end(&self, partition: Partition) -> u64 {
        self.visible.end(partition)
    }

    /// Lets every checker judge the event.
    pub fn judge(&mut self, event: &Event) -> Vec<Violation> {
        let mut found = Vec::new();
        self.acked_kept.judge(event, &mut found);
        self.offset_map.judge(event, &mut found);
        self.visible.judge(event, &mut found);
        self.definite.judge(event, &mut found);
        self.sequence.judge(event, &mut found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{RecordId, Seen};

    const P: Partition = Partition(0);

    fn record(number: u64) -> RecordId {
        RecordId { client: 1, number }
    }

    fn seen(offset: u64, number: u64) -> Seen {
        Seen { offset, record: record(number), value: number * 10 }
    }

    fn produce(number: u64) -> Event {
        Event::Produce { partition: P, record: record(number), value: number * 10 }
    }

    fn acked(number: u64, offset: u64) -> Event {
        Event::Acked { partition: P, record: record(number), offset }
    }

    fn read(from: u64, records: Vec<Seen>) -> Event {
        let end = from + records.len() as u64;
        Event::Read { partition: P, reader: 1, from, known: 0, records, end }
    }

    fn scan(records: Vec<Seen>) -> Event {
        Event::Scan { partition: P, records }
    }

    /// The laws that a history breaks, each once, in order.
    fn check(events: Vec<Event>, expect: &[&str]) {
        let mut checkers = Checkers::default();
        let mut laws: Vec<&str> = events.iter().flat_map(|e| checkers.judge(e)).map(|v| v.law).collect();
        laws.sort_unstable();
        laws.dedup();
        assert_eq!(laws, expect, "{events:?}");
    }

    #[test]
    fn a_faithful_log_breaks_no_law() {
        check(
            vec![
                produce(1),
                acked(1, 0),
                produce(2),
                Event::Unknown { partition: P, record: record(2) },
                read(0, vec![seen(0, 1)]),
                scan(vec![seen(0, 1), seen(1, 2)]),
            ],
            &[],
        );
    }

    #[test]
    fn an_acked_record_that_is_missing_or_changed_is_i1() {
        check(vec![produce(1), acked(1, 0), scan(vec![])], &["I1 acked-kept"]);
        let other = Seen { value: 11, ..seen(0, 1) };
        check(vec![produce(1), acked(1, 0), scan(vec![other])], &["I1 acked-kept"]);
        check(vec![produce(1), acked(1, 0), read(0, vec![other])], &["I1 acked-kept"]);
        check(vec![produce(1), produce(2), acked(1, 0), acked(2, 0)], &["I1 acked-kept"]);
    }

    #[test]
    fn a_gap_or_an_offset_out_of_order_is_i4() {
        check(vec![produce(1), produce(2), read(0, vec![seen(0, 1), seen(2, 2)])], &["I4 offset-map"]);
        check(vec![produce(1), read(3, vec![seen(0, 1)])], &["I4 offset-map"]);
    }

    #[test]
    fn what_was_read_once_and_then_differs_or_is_gone_is_i5() {
        check(
            vec![produce(1), produce(2), read(0, vec![seen(0, 1)]), read(0, vec![seen(0, 2)])],
            &["I5 visible-committed"],
        );
        check(vec![produce(1), read(0, vec![seen(0, 1)]), scan(vec![])], &["I5 visible-committed"]);
        let stale = Event::Read { partition: P, reader: 1, from: 0, known: 1, records: vec![], end: 0 };
        check(vec![produce(1), read(0, vec![seen(0, 1)]), stale], &["I5 visible-committed"]);
    }

    #[test]
    fn a_record_that_stands_twice_is_i10() {
        check(vec![produce(1), read(0, vec![seen(0, 1), seen(1, 1)])], &["I10 producer-sequence"]);
    }

    #[test]
    fn a_refused_or_never_written_record_that_appears_is_i6() {
        let refused = Event::Refused { partition: P, record: record(1) };
        check(vec![produce(1), refused, read(0, vec![seen(0, 1)])], &["I6 definite-failure"]);
        check(vec![read(0, vec![seen(0, 9)])], &["I6 definite-failure"]);
    }
}
