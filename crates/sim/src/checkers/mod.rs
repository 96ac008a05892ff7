//! The invariants, one file each, named after the id and the statement of the design. Each is fed every event of the
//! [`History`](crate::history::History) and says at once what is wrong.

mod i01_acked_kept;
mod i04_offset_map;
mod i05_visible_committed;
mod i06_definite_failure;
mod i08_no_step_back;
mod i10_producer_sequence;
mod i13_group_offsets;
mod i15_retention;
mod i16_checksums;
mod i20_topic_id;
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
    pub(crate) retention: i15_retention::Retention,
    pub(crate) topic_id: i20_topic_id::TopicId,
    acked_kept: i01_acked_kept::AckedKept,
    offset_map: i04_offset_map::OffsetMap,
    visible: i05_visible_committed::Visible,
    definite: i06_definite_failure::DefiniteFailure,
    sequence: i10_producer_sequence::ProducerSequence,
    no_step_back: i08_no_step_back::NoStepBack,
    group_offsets: i13_group_offsets::GroupOffsets,
    checksums: i16_checksums::Checksums,
}

impl Checkers {
    /// First offset of the partition that nobody has read yet.
    pub fn read_end(&self, partition: Partition) -> u64 {
        self.visible.end(partition)
    }

    /// The highest start of the partition's log that a client was told.
    pub fn log_start(&self, partition: Partition) -> u64 {
        self.no_step_back.told(partition)
    }

    /// The least high watermark that an answer to a question asked now may tell.
    pub fn high_watermark(&self, partition: Partition) -> u64 {
        self.no_step_back.high_watermark(partition)
    }

    /// First offset of the partition that nobody has asked to delete.
    pub fn kept_from(&self, partition: Partition) -> u64 {
        self.no_step_back.asked(partition)
    }

    /// Lets every checker judge the event.
    pub fn judge(&mut self, event: &Event) -> Vec<Violation> {
        let mut found = Vec::new();
        self.retention.judge(event, &mut found);
        if let Event::LogStart { partition, start, .. } = event
            && self.retention.acts_on(*partition)
        {
            // What retention has let go counts as deleted from here on.
            found.extend(self.judge(&Event::Delete { partition: *partition, before: *start }));
        }
        // First: what is of another topic breaks other laws as well.
        self.topic_id.judge(event, &mut found);
        self.acked_kept.judge(event, &mut found);
        self.offset_map.judge(event, &mut found);
        self.visible.judge(event, &mut found);
        self.definite.judge(event, &mut found);
        self.sequence.judge(event, &mut found);
        self.no_step_back.judge(event, &mut found);
        self.group_offsets.judge(event, &mut found);
        self.checksums.judge(event, &mut found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Policy, RecordId, Seen, Topic};

    const P: Partition = Partition(0);
    const Q: Partition = Partition(1);

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
        check(vec![produce(1), acked(1, 0), scan(vec![other])], &["I1 acked-kept", "I16 checksums"]);
        check(vec![produce(1), acked(1, 0), read(0, vec![other])], &["I1 acked-kept", "I16 checksums"]);
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
    fn a_log_start_that_moves_back_or_too_far_is_i8() {
        let delete = |before| Event::Delete { partition: P, before };
        let start = |known, start| Event::LogStart { partition: P, known, start };
        check(vec![start(0, 0), delete(3), start(0, 0), start(0, 3), start(3, 3)], &[]);
        check(vec![delete(3), start(0, 3), start(3, 2)], &["I8 no-step-back"]);
        check(vec![delete(3), start(0, 4)], &["I8 no-step-back"]);
    }

    #[test]
    fn a_high_watermark_that_moves_back_or_stays_below_an_ack_is_i8() {
        let told = |known, end| Event::HighWatermark { partition: P, known, end };
        check(vec![told(0, 0), produce(1), acked(1, 0), told(1, 1), told(0, 0), told(1, 2)], &[]);
        check(vec![told(0, 3), told(3, 2)], &["I8 no-step-back"]);
        let mut checkers = Checkers::default();
        [produce(1), acked(1, 4), told(0, 3)].iter().for_each(|e| drop(checkers.judge(e)));
        assert_eq!(checkers.high_watermark(P), 5);
    }

    #[test]
    fn what_was_deleted_may_be_gone_and_nothing_else() {
        let written = || vec![produce(1), acked(1, 0), produce(2), acked(2, 1), read(0, vec![seen(0, 1), seen(1, 2)])];
        let delete = Event::Delete { partition: P, before: 1 };
        check([written(), vec![delete.clone(), scan(vec![seen(1, 2)])]].concat(), &[]);
        check([written(), vec![delete, scan(vec![])]].concat(), &["I1 acked-kept", "I5 visible-committed"]);
    }

    #[test]
    fn a_group_that_reads_what_it_did_not_commit_is_i13() {
        let commit = |offset| Event::Commit { partition: P, group: 1, offset };
        let committed = |offset| Event::Committed { partition: P, group: 1, offset };
        let reads = |offset| Event::CommitRead { partition: P, group: 1, offset };
        check(
            vec![reads(None), commit(1), committed(1), reads(Some(1)), commit(2), reads(Some(2)), reads(Some(1))],
            &[],
        );
        check(vec![commit(1), committed(1), reads(None)], &["I13 group-offsets"]);
        check(vec![commit(1), committed(1), commit(2), committed(2), reads(Some(1))], &["I13 group-offsets"]);
    }

    fn aged(policy: Policy, sent_ms: u64) -> Vec<Event> {
        let retained = Event::Retained { partition: P, node: 0, policy };
        vec![retained, Event::Time { ms: sent_ms }, produce(1), acked(1, 0), produce(2), acked(2, 1)]
    }

    const BY_TIME: Policy = Policy { bytes: None, millis: Some(8_000), append_time: true };

    fn begins(start: u64) -> Event {
        Event::LogStart { partition: P, known: 0, start }
    }

    #[test]
    fn retention_that_lets_go_of_what_is_young_is_i15() {
        let at = |ms, event| [aged(BY_TIME, 1_000), vec![Event::Time { ms }, event]].concat();
        check(at(10_000, begins(1)), &[]);
        check(at(6_000, begins(1)), &["I15 retention"]);
        check(at(6_000, begins(0)), &[]);
        // The clock went by three seconds more than the time that passed: before the record was sent that makes it no older.
        let forward = vec![Event::Forward { node: 0, ms: 3_000 }];
        check([aged(BY_TIME, 1_000), forward.clone(), vec![Event::Time { ms: 6_000 }, begins(1)]].concat(), &[]);
        let before = [forward, aged(BY_TIME, 1_000), vec![Event::Time { ms: 6_000 }, begins(1)]].concat();
        check(before, &["I15 retention"]);
    }

    #[test]
    fn retention_that_leaves_too_little_or_never_acts_is_i15() {
        let by_size = Policy { bytes: Some(100), millis: None, append_time: false };
        let kept = |epoch, start, bytes| Event::Kept { partition: P, epoch, start, bytes };
        check([aged(by_size, 0), vec![kept(1, 0, 20), kept(1, 1, 100), kept(1, 1, 120)]].concat(), &[]);
        check([aged(by_size, 0), vec![kept(1, 0, 120), kept(1, 1, 99)]].concat(), &["I15 retention"]);
        // Another life of the broker: what wasn't in a segment yet is smaller in the journal.
        check([aged(by_size, 0), vec![kept(1, 0, 120), kept(2, 1, 99)]].concat(), &[]);
        let due = |start| Event::Due { partition: P, before: 2, start };
        check([aged(BY_TIME, 0), vec![due(2)]].concat(), &[]);
        check([aged(BY_TIME, 0), vec![due(1)]].concat(), &["I15 retention"]);
    }

    #[test]
    fn what_retention_let_go_may_be_gone_and_nothing_else() {
        let read = |records| [aged(BY_TIME, 0), vec![Event::Time { ms: 9_000 }, begins(1), scan(records)]].concat();
        check(read(vec![seen(1, 2)]), &[]);
        check(read(vec![]), &["I1 acked-kept"]);
    }

    /// Two topics of one name, one behind the other.
    fn anew() -> Vec<Event> {
        let incarnation = |partition| Event::Incarnation { partition, anchor: Partition(9) };
        let (old, new) = (Topic(0), Topic(1));
        vec![
            incarnation(P),
            incarnation(Q),
            Event::Created { topic: old, partitions: 1 },
            produce(1),
            acked(1, 0),
            Event::Commit { partition: P, group: 1, offset: 7 },
            Event::Wrote { partition: P, producer: 5 },
            Event::There { topic: old, ended: false },
            Event::Deleting { topic: old },
            Event::Gone { topic: old, known: true },
            Event::Ended { topic: old },
            Event::Created { topic: new, partitions: 1 },
            Event::There { topic: new, ended: false },
        ]
    }

    #[test]
    fn what_is_of_an_earlier_topic_and_a_topic_that_comes_back_or_goes_by_itself_is_i20() {
        let then = |event: Event| [anew(), vec![event]].concat();
        let read = |record| {
            let records = vec![Seen { offset: 0, record, value: record.number * 10 }];
            Event::Read { partition: Q, reader: 1, from: 0, known: 0, records, end: 1 }
        };
        check(then(read(record(1))), &["I20 topic-id", "I6 definite-failure"]);
        let offset = |offset| Event::CommitRead { partition: Q, group: 1, offset };
        check(then(offset(None)), &[]);
        check(then(offset(Some(7))), &["I13 group-offsets", "I20 topic-id"]);
        check(then(Event::Remembered { partition: P, producer: 5 }), &[]);
        check(then(Event::Remembered { partition: Q, producer: 5 }), &["I20 topic-id"]);
        check(then(Event::There { topic: Topic(0), ended: true }), &["I20 topic-id"]);
        check(then(Event::Gone { topic: Topic(1), known: false }), &[]);
        check(then(Event::Gone { topic: Topic(1), known: true }), &["I20 topic-id"]);
    }

    #[test]
    fn a_record_sent_by_name_may_be_in_any_topic_of_that_name() {
        let by_name = Event::Produce { partition: Partition(9), record: record(2), value: 20 };
        let read = Event::Read { partition: Q, reader: 1, from: 0, known: 0, records: vec![seen(0, 2)], end: 1 };
        check([anew(), vec![by_name.clone(), read.clone()]].concat(), &[]);
        let refused = Event::Refused { partition: Partition(9), record: record(2) };
        check([anew(), vec![by_name, refused, read]].concat(), &["I6 definite-failure"]);
    }

    #[test]
    fn bytes_that_nobody_wrote_are_i16_and_what_a_damaged_disk_refuses_is_not_missed() {
        let unknown = Event::Unknown { partition: P, record: record(1) };
        let other = Seen { value: 11, ..seen(0, 1) };
        check(vec![produce(1), unknown, read(0, vec![other])], &["I16 checksums"]);
        check(vec![Event::Garbage { partition: P, from: 3 }], &["I16 checksums"]);
        let written: Vec<Event> = (1..=4).flat_map(|n| [produce(n), acked(n, n - 1)]).collect();
        let lost = Event::Lost { partition: P, from: 1, to: 3 };
        check([&written[..], &[lost.clone(), scan(vec![seen(0, 1), seen(3, 4)])]].concat(), &[]);
        check([&written[..], &[lost, scan(vec![seen(0, 1)])]].concat(), &["I1 acked-kept"]);
    }

    #[test]
    fn a_refused_or_never_written_record_that_appears_is_i6() {
        let refused = Event::Refused { partition: P, record: record(1) };
        check(vec![produce(1), refused, read(0, vec![seen(0, 1)])], &["I6 definite-failure"]);
        check(vec![read(0, vec![seen(0, 9)])], &["I6 definite-failure"]);
    }
}
