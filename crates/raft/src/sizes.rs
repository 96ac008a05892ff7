//! Lengths of the newest entries of a leader, to cut frames and bound windows by bytes.

use std::collections::VecDeque;

use ouzel_model::Index;

/// Running sums of entry lengths, for the entries behind `base`.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Sizes {
    /// The last entry whose length is not known.
    base: Index,
    base_sum: u64,
    /// Bytes up to and including entry `base + 1 + place`.
    sums: VecDeque<u64>,
}

impl Sizes {
    /// Forgets all; the next length pushed is that of the entry behind `base`.
    pub fn reset(&mut self, base: Index) {
        *self = Sizes { base, ..Sizes::default() };
    }

    /// Adds the next entry and forgets the oldest beyond `entries_max`.
    pub fn push(&mut self, bytes: u32, entries_max: u32) {
        let sum = self.sums.back().copied().unwrap_or(self.base_sum) + u64::from(bytes);
        self.sums.push_back(sum);
        if self.sums.len() > entries_max as usize {
            self.forget(self.base.next());
        }
    }

    /// Forgets the lengths of all entries up to `upto`, inclusive.
    pub fn forget(&mut self, upto: Index) {
        while self.base < upto
            && let Some(sum) = self.sums.pop_front()
        {
            self.base = self.base.next();
            self.base_sum = sum;
        }
    }

    /// Gives back memory when nothing is remembered.
    pub fn shrink(&mut self) {
        if self.sums.is_empty() {
            self.sums = VecDeque::new();
        }
    }

    pub fn heap_bytes(&self) -> usize {
        self.sums.capacity() * size_of::<u64>()
    }

    /// Whether the length of this entry is known.
    pub fn knows(&self, index: Index) -> bool {
        self.base < index
    }

    fn sum(&self, index: Index) -> u64 {
        match index.0.checked_sub(self.base.0 + 1) {
            None => self.base_sum,
            Some(place) => self.sums[place as usize],
        }
    }

    /// Bytes of the known entries behind `after` up to `last`, inclusive.
    pub fn between(&self, after: Index, last: Index) -> u64 {
        self.sum(last).saturating_sub(self.sum(after))
    }

    /// The last entry such that those behind `after` up to it hold at most `bytes_max`; at least the one behind
    /// `after`, whose length is known, as is that of `last`.
    pub fn cut(&self, after: Index, last: Index, bytes_max: u32) -> Index {
        let limit = self.sum(after) + u64::from(bytes_max);
        if self.sum(last) <= limit {
            return last;
        }
        let fits = self.sums.partition_point(|&sum| sum <= limit) as u64;
        Index((self.base.0 + fits).max(after.0 + 1)).min(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_by_bytes_and_never_empty() {
        let mut sizes = Sizes::default();
        sizes.reset(Index(10));
        for bytes in [5, 5, 100, 0, 1] {
            sizes.push(bytes, 8);
        }
        let cut = |after, max| sizes.cut(Index(after), Index(15), max).0;
        assert_eq!((cut(10, 9), cut(10, 10), cut(10, 109), cut(10, 110), cut(10, 111)), (11, 12, 12, 14, 15));
        assert_eq!((cut(12, 1), cut(12, 0), cut(14, 0)), (13, 13, 15));
        assert_eq!(sizes.between(Index(10), Index(13)), 110);
        assert_eq!(sizes.between(Index(3), Index(11)), 5);
    }

    #[test]
    fn the_oldest_lengths_are_forgotten_first() {
        let mut sizes = Sizes::default();
        for _ in 0..5 {
            sizes.push(7, 3);
        }
        assert!(!sizes.knows(Index(2)) && sizes.knows(Index(3)));
        assert_eq!(sizes.between(Index(0), Index(5)), 21);
        sizes.forget(Index(5));
        assert!(!sizes.knows(Index(5)));
    }
}
