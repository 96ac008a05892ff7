//! Which blocks make the journal, and what their records make of the logs. No I/O: recovery and the offline check share it.

use std::collections::BTreeMap;

use bytes::Bytes;
use ouzel_model::{Index, Offset, planted, reached};
use ouzel_runtime::Runtime;

use crate::block::{BlockHeader, Entries, LogNumber, Record, records, touched_bit};
use crate::cache::meta_of;
use crate::checkpoint::{Checkpoint, Origin, SegmentRow};
use crate::entry::{EntryHeader, LogId};
use crate::footer::TermRow;
use crate::log::{Inner, KEY_DAMAGE, KEY_LOG_START, KEY_RESET, KEY_TRIM, LogOptions, Segment};
use crate::store::{Closed, StoreConfig};

/// A valid block on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) header: BlockHeader,
    /// Which of the files that were scanned.
    pub(crate) file: usize,
    pub(crate) position: u64,
}

/// Which blocks make the journal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// In order; contiguous but for what `missing` names.
    pub(crate) chain: Vec<Found>,
    /// Sequences at or below the mark that no valid block has: corruption.
    pub(crate) missing: Vec<u64>,
    /// Logs that those may be about: bits of [`touched_bit`].
    pub(crate) spoiled: u64,
    /// All blocks up to here were durable.
    pub(crate) mark: u64,
    /// Highest epoch seen.
    pub(crate) epoch: u64,
}

/// Chooses among the valid blocks. Pure; the heart of recovery.
pub(crate) fn choose(found: &[Found], replay_from: u64, durable: u64, epoch: u64) -> Choice {
    // A file of a higher epoch ends all lower ones at the sequence it begins with.
    let mut firsts: BTreeMap<u64, u64> = BTreeMap::new();
    for f in found {
        let first = firsts.entry(f.header.epoch).or_insert(f.header.sequence);
        *first = f.header.sequence.min(*first);
    }
    let (mut ends, mut end) = (BTreeMap::new(), u64::MAX);
    for (epoch, first) in firsts.iter().rev() {
        ends.insert(*epoch, end);
        end = end.min(*first);
    }
    let mut live: Vec<Found> = found
        .iter()
        .filter(|f| f.header.sequence >= replay_from)
        .filter(|f| planted!("D1", true, f.header.sequence < ends[&f.header.epoch]))
        .copied()
        .collect();
    live.sort_by_key(|f| (f.header.sequence, f.header.epoch));
    let mark = live.iter().map(|f| f.header.durable_up_to).max().unwrap_or(0).max(durable);
    let mut choice = Choice {
        chain: Vec::new(),
        missing: Vec::new(),
        spoiled: 0,
        mark,
        epoch: firsts.keys().next_back().copied().unwrap_or(0).max(epoch),
    };
    let mut next = replay_from;
    for f in live {
        let sequence = f.header.sequence;
        let follows = planted!("27", true, false)
            || choice.chain.last().is_none_or(|last: &Found| {
                last.header.sequence + 1 != sequence || last.header.crc == f.header.previous_crc
            });
        let newer = choice.chain.last().is_some_and(|last: &Found| last.header.epoch <= f.header.epoch);
        if !follows && newer && mark + 1 >= sequence {
            // The block before, which was durable, isn't the one that this one followed: an old copy in its place.
            reached!("stale block below the mark");
            choice.chain.pop();
            choice.missing.push(sequence - 1);
        } else if !follows {
            break;
        }
        if sequence > next {
            if planted!("D21", true, mark < next) {
                reached!("torn end of the journal");
                break;
            }
            reached!("corruption in the journal");
            choice.missing.extend((next..sequence).take_while(|s| *s <= mark));
            if next.max(mark + 1) < sequence {
                next = next.max(mark + 1);
                break;
            }
        }
        choice.chain.push(f);
        next = sequence + 1;
    }
    if planted!("D21", false, next <= mark) {
        choice.missing.extend(next..=mark);
    }
    choice.spoiled = choice.missing.iter().fold(0, |set, missing| {
        let behind = choice.chain.binary_search_by_key(&(missing + 1), |f| f.header.sequence);
        set | behind.ok().map(|at| choice.chain[at].header.touched_before).filter(|set| *set != 0).unwrap_or(u64::MAX)
    });
    choice
}

/// One log while the journal is replayed.
pub(crate) struct Replay {
    pub(crate) id: LogId,
    dir: String,
    origin: Origin,
    log_start: Offset,
    terms: Vec<TermRow>,
    segments: Vec<SegmentRow>,
    states: BTreeMap<u8, Vec<u8>>,
    /// By index: an entry may be absent for a while, when an Again record brings it later.
    tail: BTreeMap<Index, Held>,
    damage: Option<String>,
    /// Segment files below this offset may still be there.
    garbage_below: Option<Offset>,
}

struct Held {
    header: EntryHeader,
    payload: Bytes,
    block: u64,
}

impl Replay {
    fn new(id: LogId, dir: String) -> Replay {
        Replay {
            id,
            dir,
            origin: Origin::ZERO,
            log_start: Offset(0),
            terms: Vec::new(),
            segments: Vec::new(),
            states: BTreeMap::new(),
            tail: BTreeMap::new(),
            damage: None,
            garbage_below: None,
        }
    }

    fn written(&self) -> Index {
        self.segments.last().map_or(self.origin.index, |s| Index(s.end_index.0 - 1))
    }

    fn cut(&mut self, from: Index) {
        self.tail.split_off(&from);
    }

    fn entries(&mut self, entries: &Entries<'_>, again: bool, block: &Bytes, sequence: u64) {
        let written = self.written();
        let mut first = true;
        for item in entries.iter() {
            let checked = item.and_then(|(raw, payload)| {
                EntryHeader::decode_checked(&self.id, raw, payload).ok().map(|header| (header, payload))
            });
            let Some((header, payload)) = checked else {
                // The block's checksum held, so this was written so: a bug of ours, or memory that lied.
                reached!("bad entry in a good block");
                self.damage.get_or_insert_with(|| format!("block {sequence} holds an entry that isn't valid"));
                return;
            };
            let replaces = planted!("D23", true, !again);
            if first && replaces {
                self.cut(header.index);
            }
            first = false;
            if planted!("D16", false, header.index <= written) {
                reached!("replay over newer segments");
                continue;
            }
            let payload = block.slice_ref(payload);
            match self.tail.get_mut(&header.index) {
                Some(held) if again && held.header != header => {
                    reached!("copied-forward entry differs");
                    self.damage.get_or_insert_with(|| format!("entry {} differs from its copy", header.index));
                }
                Some(held) if again => held.block = sequence,
                _ => {
                    self.tail.insert(header.index, Held { header, payload, block: sequence });
                }
            }
        }
    }

    fn state(&mut self, key: u8, value: &[u8]) {
        match key {
            KEY_LOG_START => {
                if let Some(bytes) = value.first_chunk().filter(|_| planted!("47", false, true)) {
                    self.log_start = self.log_start.max(Offset(i64::from_le_bytes(*bytes)));
                }
            }
            KEY_TRIM => self.trim(value, false),
            KEY_RESET => self.trim(value, true),
            _ => {}
        }
        self.states.insert(key, value.to_vec());
    }

    fn trim(&mut self, value: &[u8], all: bool) {
        let Some(origin) = Origin::decode(value) else { return };
        if all {
            self.segments.clear();
            self.tail.clear();
            self.terms.clear();
            self.log_start = origin.offset;
        } else if origin.index <= self.origin.index {
            return;
        }
        if origin.index > self.written() {
            // The segments that the rows in between come from were made after the checkpoint.
            self.terms.clear();
        }
        // One that begins behind it stays, empty or not.
        self.segments.retain(|s| s.base_index > origin.index || s.end_index.0 > origin.index.0 + 1);
        self.tail = self.tail.split_off(&origin.index.next());
        self.garbage_below = Some(if all { Offset(i64::MAX) } else { origin.offset });
        self.origin = origin;
    }

    /// Judges whether the tail is whole, and makes the log's state of it.
    pub(crate) fn finish(mut self, rt: &Runtime, config: &StoreConfig, mark: u64) -> Inner {
        let options = LogOptions {
            dir: std::mem::take(&mut self.dir),
            name: String::new(),
            segment_bytes: config.segment_bytes,
            segment_ms: config.segment_ms,
        };
        let mut inner = Inner::new(options, self.origin, rt.now());
        inner.log_start = self.log_start;
        inner.terms = self.terms;
        let with_sections = self.segments.iter().rev().find(|row| row.footer_length > 0);
        inner.sections_from = with_sections.map_or(Index(0), |row| row.base_index);
        inner.segments = self.segments.into_iter().map(|row| Segment { row, fresh: Vec::new(), chained: 1 }).collect();
        let (written, offset) = (inner.written(), inner.written_offset());
        inner.committed = written;
        inner.log_end = offset;
        inner.tail = crate::cache::Tail::new(written.next());
        inner.terms.retain(|row| row.index <= written);
        let mut left: usize = self.tail.values().map(|held| held.payload.len()).sum();
        for (index, held) in self.tail {
            let h = held.header;
            if index != inner.last_index().next() || h.base_offset != inner.log_end || h.term < inner.last_term() {
                self.damage.get_or_insert_with(|| {
                    format!("entries between {} and {index} are missing from the journal", inner.last_index())
                });
                break;
            }
            inner.note_term(h.term, index, h.base_offset);
            let block = if held.block > mark { mark + 1 } else { held.block };
            let meta = meta_of(&h, &held.payload, block);
            inner.log_end = meta.last_offset.next();
            if inner.tail.room() < held.payload.len() {
                inner.tail.add_chunk(rt.buffers().chunk(left.min(1 << 20).max(held.payload.len())));
            }
            left -= held.payload.len();
            inner.uncommitted_bytes += held.payload.len() as u64;
            inner.tail.push(meta, &[held.payload]);
        }
        inner.journaled = inner.last_index();
        if inner.log_start > inner.log_end {
            // A State record may overtake entries of its log that didn't fit into the same block.
            reached!("log start behind the recovered end");
            inner.log_start = inner.log_end;
        }
        inner.trim_terms();
        let recorded = self.states.get(&KEY_DAMAGE).filter(|text| !text.is_empty());
        inner.damage = self.damage.or_else(|| recorded.map(|text| String::from_utf8_lossy(text).into_owned()));
        if let Some(damage) = &inner.damage {
            tracing::error!(log = %self.id, %damage, "log is damaged");
            self.states.insert(KEY_DAMAGE, damage.clone().into_bytes());
        }
        inner.states = self.states.into_iter().collect();
        inner.garbage_below = self.garbage_below;
        inner.garbage_due = self.garbage_below == Some(Offset(i64::MAX));
        inner
    }
}

/// All logs while the journal is replayed.
#[derive(Default)]
pub(crate) struct Replays {
    pub(crate) logs: BTreeMap<LogNumber, Replay>,
    pub(crate) closed: BTreeMap<LogNumber, Closed>,
    pub(crate) next_number: u32,
}

impl Replays {
    pub(crate) fn of(checkpoint: &Checkpoint) -> Replays {
        let mut out = Replays { next_number: checkpoint.next_number, ..Replays::default() };
        for log in &checkpoint.logs {
            if log.closed {
                out.closed.insert(log.number, Closed { id: log.id, dir: log.dir.clone(), durable: true });
                continue;
            }
            let replay = Replay {
                origin: log.origin,
                log_start: log.log_start,
                terms: log.terms.clone(),
                segments: log.segments.clone(),
                states: log.states.iter().cloned().collect(),
                garbage_below: log.garbage.then_some(match log.segments[..] {
                    [] => Offset(i64::MAX),
                    _ => log.origin.offset,
                }),
                ..Replay::new(log.id, log.dir.clone())
            };
            out.logs.insert(log.number, replay);
        }
        out
    }

    /// Entries without payload that the checkpoint holds; they fill what the journal no longer has.
    pub(crate) fn fill_blanks(&mut self, checkpoint: &Checkpoint) {
        for log in &checkpoint.logs {
            let Some(replay) = self.logs.get_mut(&log.number) else { continue };
            for header in &log.blanks {
                let held = Held { header: *header, payload: Bytes::new(), block: checkpoint.block };
                replay.tail.entry(header.index).or_insert(held);
            }
        }
    }

    /// Applies the records of a block. Those of State, Open and Close that the checkpoint holds already are skipped.
    pub(crate) fn apply(&mut self, body: &Bytes, sequence: u64, covered: bool) {
        for record in records(body) {
            let Ok(record) = record else {
                tracing::error!(block = sequence, "journal block holds a record of no known format");
                self.damage_all(&format!("block {sequence} holds a record of no known format"));
                return;
            };
            self.record(record, body, sequence, covered);
        }
    }

    fn record(&mut self, record: Record<'_>, body: &Bytes, sequence: u64, covered: bool) {
        // Also where the Open is lost: a number is never given twice.
        self.next_number = self.next_number.max(record.number().0 + 1);
        match record {
            Record::Open(number, id, dir) => {
                if !covered && !self.closed.contains_key(&number) {
                    self.logs.entry(number).or_insert_with(|| Replay::new(id, dir.into()));
                }
            }
            Record::Close(number) => {
                if !covered && let Some(log) = self.logs.remove(&number) {
                    self.closed.insert(number, Closed { id: log.id, dir: log.dir, durable: true });
                }
            }
            Record::State(number, key, value) => {
                if !covered && let Some(log) = self.logs.get_mut(&number) {
                    log.state(key, value);
                }
            }
            Record::Truncate(number, from) => {
                if let Some(log) = self.logs.get_mut(&number) {
                    log.cut(from);
                }
            }
            Record::Append(number, entries) | Record::Again(number, entries) => {
                let again = matches!(record, Record::Again(..));
                if let Some(log) = self.logs.get_mut(&number) {
                    log.entries(&entries, again, body, sequence);
                }
            }
            Record::Extern(number, place) => {
                // Written by a later version only: without its entries the log ends here, and says so.
                if let Some(log) = self.logs.get_mut(&number)
                    && place.last > log.written()
                {
                    log.cut(place.first);
                    log.damage.get_or_insert_with(|| {
                        format!(
                            "entries {} to {} stand in a segment that this version can't read",
                            place.first, place.last
                        )
                    });
                }
            }
        }
    }

    fn damage_all(&mut self, why: &str) {
        self.damage(u64::MAX, why);
    }

    /// Marks the logs of these bits.
    pub(crate) fn damage(&mut self, spoiled: u64, why: &str) {
        for (_, log) in self.logs.iter_mut().filter(|(number, _)| spoiled & touched_bit(**number) != 0) {
            log.damage.get_or_insert_with(|| why.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks as (epoch, sequence, durable up to); each names the crc of the one before it, which is its sequence plus 1000
    /// times its epoch.
    fn found(blocks: &[(u64, u64, u64)]) -> Vec<Found> {
        let mut previous_crc = 0;
        let mut out = Vec::new();
        for (epoch, sequence, durable_up_to) in blocks {
            let crc = (1000 * epoch + sequence) as u32;
            let header = BlockHeader {
                epoch: *epoch,
                sequence: *sequence,
                durable_up_to: *durable_up_to,
                previous_crc,
                touched_before: sequence - 1,
                layout: 0,
                length: 64,
                count: 1,
                crc,
            };
            out.push(Found { header, file: *epoch as usize, position: 0 });
            previous_crc = crc;
        }
        out
    }

    fn check(blocks: &[Found], replay_from: u64, durable: u64, expect: (&[u64], &[u64], u64)) {
        let choice = choose(blocks, replay_from, durable, 0);
        let chain: Vec<u64> = choice.chain.iter().map(|f| f.header.sequence).collect();
        assert_eq!((&chain[..], &choice.missing[..], choice.mark), expect);
    }

    #[test]
    fn the_old_blocks_dont_stand_in_for_a_bad_rewritten_one() {
        // Recovery wrote 3 to 5 again as one block of epoch 3, and one block came behind it.
        let mut blocks = found(&[(1, 1, 0), (1, 2, 1), (3, 3, 2), (3, 4, 3)]);
        blocks.extend(&found(&[(1, 1, 0), (1, 2, 1), (2, 3, 2), (2, 4, 2), (2, 5, 2)])[2..]);
        check(&blocks, 1, 0, (&[1, 2, 3, 4], &[], 3));
        blocks.remove(2);
        check(&blocks, 1, 0, (&[1, 2, 4], &[3], 3));
        // Torn before anything came behind it, it takes nothing along.
        blocks.retain(|f| f.header.epoch < 3);
        check(&blocks, 1, 0, (&[1, 2, 3, 4, 5], &[], 2));
    }

    #[test]
    fn a_whole_journal_is_taken_as_it_is() {
        let blocks = found(&[(1, 1, 0), (1, 2, 1), (2, 3, 2), (2, 4, 3)]);
        check(&blocks, 1, 0, (&[1, 2, 3, 4], &[], 3));
        check(&blocks, 3, 0, (&[3, 4], &[], 3));
        check(&[], 1, 0, (&[], &[], 0));
        check(&[], 8, 7, (&[], &[], 7));
    }

    #[test]
    fn a_bad_block_above_the_mark_is_the_torn_end() {
        let mut blocks = found(&[(1, 1, 0), (1, 2, 1), (1, 3, 1), (1, 4, 2)]);
        blocks.remove(2);
        check(&blocks, 1, 0, (&[1, 2], &[], 2));
    }

    #[test]
    fn a_bad_block_below_the_mark_is_corruption_wherever_it_stands() {
        let mut blocks = found(&[(1, 1, 0), (1, 2, 1), (1, 3, 2), (1, 4, 3), (1, 5, 4)]);
        blocks.remove(2);
        check(&blocks, 1, 0, (&[1, 2, 4, 5], &[3], 4));
        check(&blocks[..2], 1, 4, (&[1, 2], &[3, 4], 4));
        check(&blocks[2..], 1, 0, (&[4, 5], &[1, 2, 3], 4));
    }

    #[test]
    fn what_a_bad_block_is_about_is_known_from_the_one_behind_it() {
        let spoiled = |blocks: &[Found]| choose(blocks, 1, 0, 0).spoiled;
        let blocks = found(&[(1, 1, 0), (1, 2, 1), (1, 3, 2), (1, 4, 3), (1, 5, 4)]);
        let without = |gone: &[u64]| -> Vec<Found> {
            blocks.iter().filter(|f| !gone.contains(&f.header.sequence)).copied().collect()
        };
        assert_eq!(spoiled(&blocks), 0);
        assert_eq!(spoiled(&without(&[3])), 3, "as block 4 says");
        assert_eq!(spoiled(&without(&[2, 4])), 2 | 4);
        assert_eq!(spoiled(&without(&[2, 3])), u64::MAX, "block 2 can't be asked for");
        let mut silent = without(&[3]);
        silent[2].header.touched_before = 0;
        assert_eq!(spoiled(&silent), u64::MAX);
    }

    #[test]
    fn corruption_below_the_mark_doesnt_hide_a_torn_end_above_it() {
        let mut blocks = found(&[(1, 1, 0), (1, 2, 1), (1, 3, 2), (1, 4, 2), (1, 5, 2), (1, 6, 2)]);
        blocks.remove(4);
        blocks.remove(1);
        check(&blocks, 1, 0, (&[1, 3, 4], &[2], 2));
    }

    #[test]
    fn a_file_of_a_higher_epoch_ends_all_lower_ones() {
        // Recovery began again behind block 2, in epoch 3, and went on.
        let mut blocks = found(&[(1, 1, 0), (1, 2, 1), (3, 3, 2), (3, 4, 3)]);
        blocks.extend(found(&[(2, 3, 2), (2, 4, 2), (2, 5, 2)]));
        check(&blocks, 1, 0, (&[1, 2, 3, 4], &[], 3));
    }

    #[test]
    fn an_old_copy_in_the_place_of_a_lost_block_is_noticed_by_the_link() {
        // Block 3 of epoch 3 is lost; the one of epoch 2 that it took the place of is still there.
        let mut blocks = found(&[(1, 1, 0), (1, 2, 1), (3, 3, 2), (3, 4, 3), (3, 5, 4)]);
        blocks.remove(2);
        blocks.push(found(&[(1, 1, 0), (1, 2, 1), (2, 3, 2)])[2]);
        check(&blocks, 1, 0, (&[1, 2, 4, 5], &[3], 4));
    }
}
