//! Which term wrote which index: one row per term instead of one per entry.

use ouzel_model::{Index, Term};
use smallvec::SmallVec;

use crate::message::Position;
use crate::stored::{BadStored, Stored};

/// The shape of a log: where it starts, where it ends, and where each term begins.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Terms {
    /// The entry before the first one.
    trimmed: Position,
    last: Index,
    /// First index of each term above `trimmed`, ascending in both; the first row starts right behind `trimmed`.
    rows: SmallVec<[(Term, Index); 4]>,
}

impl Terms {
    pub fn new(stored: &Stored) -> Result<Terms, BadStored> {
        let Stored { trimmed, last, commit, .. } = *stored;
        if !(trimmed.index <= commit && commit <= last) {
            return Err(BadStored::Positions { trimmed: trimmed.index, commit, last });
        }
        let mut terms = Terms { trimmed, last: trimmed.index, rows: SmallVec::new() };
        for (place, &(term, first)) in stored.terms.iter().enumerate() {
            let bad = BadStored::Terms { term, index: first };
            let end = match stored.terms.get(place + 1) {
                Some(&(_, next)) if next <= first => return Err(bad),
                Some(&(_, next)) => Index(next.0 - 1),
                None => last,
            };
            if end <= trimmed.index {
                continue;
            }
            // A row must begin where the one before it ended, and the first kept one at the trimmed entry or below.
            let begins = first.max(trimmed.index.next());
            if begins != terms.last.next()
                || end < begins
                || end > last
                || term < terms.last_position().term
                || term == Term(0)
            {
                return Err(bad);
            }
            terms.append(term, end);
        }
        if terms.last != last {
            return Err(BadStored::Terms { term: terms.last_position().term, index: terms.last.next() });
        }
        Ok(terms)
    }

    pub fn heap_bytes(&self) -> usize {
        if self.rows.spilled() { self.rows.capacity() * size_of::<(Term, Index)>() } else { 0 }
    }

    pub fn trimmed(&self) -> Position {
        self.trimmed
    }

    pub fn last(&self) -> Index {
        self.last
    }

    pub fn last_position(&self) -> Position {
        Position { term: self.rows.last().map_or(self.trimmed.term, |row| row.0), index: self.last }
    }

    /// Place of the row that holds `index`, which is above the trimmed entry.
    fn row(&self, index: Index) -> usize {
        // From the end: nearly every question is about the newest term.
        self.rows.iter().rposition(|row| row.1 <= index).expect("the first row starts behind the trimmed entry")
    }

    /// Term of the entry at `index`; none below the trimmed entry and behind the last.
    pub fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.trimmed.index {
            return Some(self.trimmed.term);
        }
        (self.trimmed.index < index && index <= self.last).then(|| self.rows[self.row(index)].0)
    }

    /// Last index of the run of entries that `index` is in, which is above the trimmed entry.
    pub fn run_end(&self, index: Index) -> Index {
        self.rows.get(self.row(index) + 1).map_or(self.last, |next| Index(next.1.0 - 1))
    }

    /// The last entry at or below `at.index` whose term is at most `at.term`; none when it was trimmed.
    pub fn floor(&self, at: Position) -> Option<Position> {
        let mut index = at.index.min(self.last);
        while index > self.trimmed.index {
            let (term, first) = self.rows[self.row(index)];
            if term <= at.term {
                return Some(Position { term, index });
            }
            index = Index(first.0 - 1);
        }
        (index == self.trimmed.index && self.trimmed.term <= at.term).then_some(self.trimmed)
    }

    /// Adds entries of one term up to `last`, inclusive.
    pub fn append(&mut self, term: Term, last: Index) {
        assert!(last > self.last && term >= self.last_position().term, "append of {term}/{last} at {}", self.last);
        if self.rows.last().is_none_or(|row| row.0 < term) {
            self.rows.push((term, self.last.next()));
        }
        self.last = last;
    }

    /// Drops `from` and all behind it.
    pub fn truncate(&mut self, from: Index) {
        assert!(self.trimmed.index < from && from <= self.last, "truncation from {from} at {}", self.last);
        self.last = Index(from.0 - 1);
        while self.rows.last().is_some_and(|row| row.1 > self.last) {
            self.rows.pop();
        }
    }

    /// Drops `upto` and all before it.
    pub fn trim(&mut self, upto: Index) {
        let Some(term) = self.term_at(upto).filter(|_| upto > self.trimmed.index) else { return };
        let gone = if upto == self.last { self.rows.len() } else { self.row(upto.next()) };
        self.rows.drain(..gone);
        if let Some(row) = self.rows.first_mut() {
            row.1 = upto.next();
        }
        self.trimmed = Position { term, index: upto };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(trimmed: (u32, u64), rows: &[(u32, u64)], last: u64) -> Result<Terms, BadStored> {
        let trimmed = Position { term: Term(trimmed.0), index: Index(trimmed.1) };
        Terms::new(&Stored {
            trimmed,
            last: Index(last),
            terms: rows.iter().map(|row| (Term(row.0), Index(row.1))).collect(),
            commit: trimmed.index,
            ..Stored::default()
        })
    }

    fn floor(terms: &Terms, term: u32, index: u64) -> Option<(u32, u64)> {
        terms.floor(Position { term: Term(term), index: Index(index) }).map(|at| (at.term.0, at.index.0))
    }

    #[test]
    fn every_index_has_the_term_of_its_row() {
        let mut t = terms((0, 0), &[(1, 1), (3, 4), (7, 5)], 9).unwrap();
        let all: Vec<_> = (0..11).map(|i| t.term_at(Index(i)).map(|t| t.0)).collect();
        let want = [0, 1, 1, 1, 3, 7, 7, 7, 7, 7].map(Some);
        assert_eq!(all[..10], want);
        assert_eq!(all[10], None);
        assert_eq!((t.run_end(Index(1)), t.run_end(Index(4)), t.run_end(Index(6))), (Index(3), Index(4), Index(9)));
        t.trim(Index(4));
        assert_eq!(t.term_at(Index(3)), None);
        assert_eq!((t.term_at(Index(4)), t.term_at(Index(5))), (Some(Term(3)), Some(Term(7))));
        t.trim(Index(9));
        assert_eq!(t.last_position(), Position { term: Term(7), index: Index(9) });
        t.append(Term(7), Index(10));
        t.truncate(Index(10));
        assert_eq!(t.last_position(), Position { term: Term(7), index: Index(9) });
    }

    #[test]
    fn floor_skips_a_whole_newer_term_at_once() {
        let t = terms((2, 3), &[(2, 1), (4, 6), (6, 8)], 9).unwrap();
        assert_eq!(floor(&t, 9, 20), Some((6, 9)));
        assert_eq!(floor(&t, 5, 9), Some((4, 7)));
        assert_eq!(floor(&t, 3, 7), Some((2, 5)));
        assert_eq!(floor(&t, 2, 3), Some((2, 3)));
        assert_eq!(floor(&t, 1, 9), None);
        assert_eq!(floor(&t, 9, 2), None);
    }

    #[test]
    fn a_table_that_does_not_cover_the_log_is_refused() {
        assert!(terms((2, 3), &[(2, 1), (3, 4)], 6).is_ok());
        assert!(terms((2, 3), &[], 3).is_ok());
        assert!(terms((2, 3), &[(2, 2)], 3).is_ok());
        for (rows, last) in [
            (&[(2, 5)][..], 6),
            (&[(2, 1), (3, 8)], 6),
            (&[(2, 1), (2, 1)], 6),
            (&[(1, 4)], 6),
            (&[], 6),
            (&[(3, 4), (2, 5)], 6),
        ] {
            assert!(matches!(terms((2, 3), rows, last), Err(BadStored::Terms { .. })), "{rows:?}");
        }
    }
}
