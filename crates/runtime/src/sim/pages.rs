//! The bytes of one simulated file: what is on the platter, what a reader sees, and which versions of each 4 KiB
//! piece may or may not reach the platter when the power goes.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::stream::Stream;

/// A piece: what the page cache and our direct writes deal in, bytes.
pub const PAGE: usize = 4096;
/// What a device writes whole, bytes.
pub const SECTOR: usize = 512;
/// Versions of one page that wait; beyond it the oldest is forgotten, which only removes outcomes.
const VERSIONS_MAX: usize = 8;

type Page = Rc<[u8; PAGE]>;

/// Odds of a power cut for each pending piece; what remains of 1 is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CutOdds {
    /// Kept whole.
    pub keep: f64,
    /// Torn: each atom kept or not.
    pub tear: f64,
    /// Bytes a device writes whole: 512 or 4096.
    pub atom: usize,
}

impl CutOdds {
    /// Odds of one cut: some cuts keep nearly all, some nearly nothing, some tear at 4 KiB only.
    pub fn draw(dice: &mut Stream) -> CutOdds {
        let atom = if dice.chance(0.15) { PAGE } else { SECTOR };
        let (keep, tear) = match dice.below(6) {
            0 => (0.0, 0.0),
            1 => (0.7, 0.3),
            2 => (0.1, 0.6),
            3 => (0.34, 0.33),
            4 => (0.95, 0.0),
            _ => (0.5, 0.0),
        };
        CutOdds { keep, tear, atom }
    }
}

/// What a power cut did to pending pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CutReport {
    /// Pieces that reached the platter.
    pub kept: u64,
    /// Pieces that left no trace.
    pub dropped: u64,
    /// Pieces of which some sectors reached it.
    pub torn: u64,
    /// Directory entries that were undone.
    pub entries_lost: u64,
}

/// One version of a page, in order of `seq`.
#[derive(Clone)]
struct Version {
    seq: u64,
    data: Page,
    /// Zeros that a shrink of the file left: they survive exactly when the shrink does.
    hole: bool,
}

#[derive(Clone)]
struct Dirty {
    cached: Page,
    versions: Vec<Version>,
}

/// Content of a file. Lengths are the caller's: pages beyond the end are never read.
#[derive(Clone, Default)]
pub struct Content {
    durable: Vec<Option<Page>>,
    dirty: BTreeMap<u32, Dirty>,
}

impl Content {
    fn current(&self, page: u32) -> Option<&Page> {
        if !self.dirty.is_empty()
            && let Some(dirty) = self.dirty.get(&page)
        {
            return Some(&dirty.cached);
        }
        self.durable.get(page as usize).and_then(Option::as_ref)
    }

    /// Copies what a reader sees from `pos` on into `out`; what was never written is zeros.
    pub fn read(&self, pos: u64, out: &mut [u8]) {
        for (page, within, range) in pieces(pos, out.len()) {
            let out = &mut out[range];
            match self.current(page) {
                Some(data) => out.copy_from_slice(&data[within..within + out.len()]),
                None => out.fill(0),
            }
        }
    }

    /// Writes at `pos`. Without `pending` the pages are durable at once, as a reader sees them; else they wait
    /// under that number.
    pub fn write(&mut self, pos: u64, bytes: &[u8], pending: Option<u64>) {
        for (page, within, range) in pieces(pos, bytes.len()) {
            let bytes = &bytes[range];
            match pending {
                None => self.write_durable(page, within, bytes),
                Some(seq) => {
                    let data = self.patched(page, within, bytes);
                    self.push(page, Version { seq, data, hole: false });
                }
            }
        }
    }

    fn write_durable(&mut self, page: u32, within: usize, bytes: &[u8]) {
        let cached = self.dirty.remove(&page).map(|d| d.cached);
        let slot = self.slot(page);
        if let Some(cached) = cached {
            *slot = Some(cached);
        }
        match slot.as_mut().and_then(Rc::get_mut) {
            Some(data) => data[within..within + bytes.len()].copy_from_slice(bytes),
            None => {
                let mut data = slot.as_ref().map_or([0; PAGE], |p| **p);
                data[within..within + bytes.len()].copy_from_slice(bytes);
                *slot = Some(Rc::new(data));
            }
        }
    }

    fn slot(&mut self, page: u32) -> &mut Option<Page> {
        let page = page as usize;
        if self.durable.len() <= page {
            self.durable.resize(page + 1, None);
        }
        &mut self.durable[page]
    }

    fn patched(&self, page: u32, within: usize, bytes: &[u8]) -> Page {
        let mut data = match self.current(page) {
            Some(data) if bytes.len() < PAGE => **data,
            _ => [0; PAGE],
        };
        data[within..within + bytes.len()].copy_from_slice(bytes);
        Rc::new(data)
    }

    fn push(&mut self, page: u32, version: Version) {
        let dirty =
            self.dirty.entry(page).or_insert_with(|| Dirty { cached: version.data.clone(), versions: Vec::new() });
        dirty.cached = version.data.clone();
        dirty.versions.push(version);
        if dirty.versions.len() > VERSIONS_MAX
            && let Some(oldest) = dirty.versions.iter().position(|v| !v.hole)
        {
            dirty.versions.remove(oldest);
        }
    }

    /// Makes every version up to `upto` durable.
    pub fn sync(&mut self, upto: u64) {
        self.settle(upto, |_| true);
    }

    /// Makes the zeros of shrinks up to `upto` durable.
    pub fn sync_holes(&mut self, upto: u64) {
        self.settle(upto, |v| v.hole);
    }

    fn settle(&mut self, upto: u64, which: impl Fn(&Version) -> bool) {
        let durable = &mut self.durable;
        self.dirty.retain(|&page, dirty| {
            if let Some(last) = dirty.versions.iter().rposition(|v| v.seq <= upto && which(v)) {
                if durable.len() <= page as usize {
                    durable.resize(page as usize + 1, None);
                }
                durable[page as usize] = Some(dirty.versions[last].data.clone());
                dirty.versions.drain(..=last);
                return !dirty.versions.is_empty();
            }
            true
        });
    }

    /// A sync failed: versions up to `upto` still read as written, and no later sync writes them.
    pub fn lose(&mut self, upto: u64) {
        for dirty in self.dirty.values_mut() {
            dirty.versions.retain(|v| v.seq > upto || v.hole);
        }
    }

    /// The file shrinks to `len` under number `seq`: what lay beyond reads as zeros if it grows again.
    pub fn shrink(&mut self, len: u64, seq: u64) {
        let first = (len / PAGE as u64) as u32;
        let pages = self.page_end();
        for page in first..pages {
            if self.current(page).is_none() {
                continue;
            }
            let keep = if page == first { (len % PAGE as u64) as usize } else { 0 };
            let mut data = [0; PAGE];
            if let Some(old) = self.current(page) {
                data[..keep].copy_from_slice(&old[..keep]);
            }
            self.push(page, Version { seq, data: Rc::new(data), hole: true });
        }
    }

    fn page_end(&self) -> u32 {
        let dirty = self.dirty.last_key_value().map_or(0, |(&page, _)| page + 1);
        dirty.max(self.durable.len() as u32)
    }

    /// The power goes: each pending version is kept, dropped or torn, then the file ends at `len`.
    /// `survived` says whether the shrink of that number reached the platter.
    pub fn cut(&mut self, len: u64, survived: impl Fn(u64) -> bool, odds: CutOdds, dice: &mut Stream) -> CutReport {
        let mut report = CutReport::default();
        for (page, dirty) in std::mem::take(&mut self.dirty) {
            for version in dirty.versions {
                if version.hole {
                    if survived(version.seq) {
                        *self.slot(page) = Some(version.data);
                    }
                } else if dice.chance(odds.keep) {
                    report.kept += 1;
                    *self.slot(page) = Some(version.data);
                } else if dice.chance(odds.tear / (1.0 - odds.keep).max(0.001)) {
                    report.torn += 1;
                    let slot = self.slot(page);
                    let mut data = slot.as_ref().map_or([0; PAGE], |p| **p);
                    for at in (0..PAGE).step_by(odds.atom) {
                        if dice.chance(0.5) {
                            data[at..at + odds.atom].copy_from_slice(&version.data[at..at + odds.atom]);
                        }
                    }
                    *slot = Some(Rc::new(data));
                } else {
                    report.dropped += 1;
                }
            }
        }
        self.end_at(len);
        report
    }

    fn end_at(&mut self, len: u64) {
        let pages = len.div_ceil(PAGE as u64) as usize;
        self.durable.truncate(pages);
        let within = (len % PAGE as u64) as usize;
        if within != 0
            && let Some(Some(last)) = self.durable.get_mut(pages - 1)
        {
            Rc::make_mut(last)[within..].fill(0);
        }
    }

    /// Changes one page on the platter; a clean cached copy changes with it, a dirty one hides the damage.
    pub fn damage(&mut self, page: u32, change: impl FnOnce(&mut [u8; PAGE])) {
        change(Rc::make_mut(self.slot(page).get_or_insert_with(|| Rc::new([0; PAGE]))));
    }

    /// A copy of one page as it is on the platter.
    pub fn platter(&self, page: u32) -> [u8; PAGE] {
        self.durable.get(page as usize).and_then(Option::as_ref).map_or([0; PAGE], |p| **p)
    }

    /// Pieces a power cut would decide over.
    pub fn pending(&self) -> usize {
        self.dirty.values().map(|d| d.versions.len()).sum()
    }

    /// Calls `visit` with every page that was ever written: number, platter, cached copy where it differs.
    pub fn each_page(&self, mut visit: impl FnMut(u32, Option<&[u8; PAGE]>, Option<&[u8; PAGE]>)) {
        for page in 0..self.page_end() {
            let durable = self.durable.get(page as usize).and_then(Option::as_deref);
            visit(page, durable, self.dirty.get(&page).map(|d| &*d.cached));
        }
    }
}

/// Cuts `len` bytes at `pos` at page borders: (page, offset within it, range of the caller's buffer).
fn pieces(pos: u64, len: usize) -> impl Iterator<Item = (u32, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = pos + done as u64;
        let within = (at % PAGE as u64) as usize;
        let take = (PAGE - within).min(len - done);
        let range = done..done + take;
        done += take;
        Some(((at / PAGE as u64) as u32, within, range))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DROP: CutOdds = CutOdds { keep: 0.0, tear: 0.0, atom: SECTOR };
    const TEAR: CutOdds = CutOdds { keep: 0.0, tear: 1.0, atom: SECTOR };

    fn read(content: &Content, pos: u64, len: usize) -> Vec<u8> {
        let mut out = vec![9; len];
        content.read(pos, &mut out);
        out
    }

    #[test]
    fn a_dropped_piece_leaves_what_was_there_before() {
        let mut c = Content::default();
        c.write(0, &[1; 2 * PAGE], None);
        c.write(0, &[2; 2 * PAGE], Some(1));
        assert_eq!(read(&c, 4000, 200), vec![2; 200]);
        c.cut(2 * PAGE as u64, |_| true, DROP, &mut Stream::new(1, "t"));
        assert_eq!(read(&c, 4000, 200), vec![1; 200]);
    }

    #[test]
    fn a_torn_piece_is_cut_at_sectors() {
        let mut c = Content::default();
        c.write(0, &[1; PAGE], None);
        c.write(0, &[2; PAGE], Some(1));
        let report = c.cut(PAGE as u64, |_| true, TEAR, &mut Stream::new(3, "t"));
        assert_eq!(report.torn, 1);
        let after = read(&c, 0, PAGE);
        assert!(after.contains(&1) && after.contains(&2));
        assert!(after.chunks(SECTOR).all(|s| s.iter().all(|b| *b == s[0])));
    }

    #[test]
    fn a_sync_covers_only_what_completed_before_it() {
        let mut c = Content::default();
        c.write(0, &[1; PAGE], Some(1));
        c.write(0, &[2; PAGE], Some(2));
        c.sync(1);
        c.cut(PAGE as u64, |_| true, DROP, &mut Stream::new(1, "t"));
        assert_eq!(read(&c, 0, PAGE), vec![1; PAGE]);
    }

    #[test]
    fn after_a_failed_sync_pages_read_as_written_and_no_sync_saves_them() {
        let mut c = Content::default();
        c.write(0, &[1; PAGE], Some(1));
        c.lose(1);
        c.sync(9);
        assert_eq!(read(&c, 0, 10), vec![1; 10]);
        c.cut(PAGE as u64, |_| true, DROP, &mut Stream::new(1, "t"));
        assert_eq!(read(&c, 0, 10), vec![0; 10]);
    }

    #[test]
    fn a_durable_write_into_a_dirty_page_takes_the_page_along() {
        let mut c = Content::default();
        c.write(0, &[1; 10], Some(1));
        c.write(20, &[2; 10], None);
        c.cut(PAGE as u64, |_| true, DROP, &mut Stream::new(1, "t"));
        assert_eq!(read(&c, 0, 10), vec![1; 10]);
        assert_eq!(read(&c, 20, 10), vec![2; 10]);
    }

    #[test]
    fn what_a_shrink_cut_off_comes_back_only_if_the_shrink_is_lost() {
        for survived in [true, false] {
            let mut c = Content::default();
            c.write(0, &[1; 3 * PAGE], None);
            c.shrink(100, 5);
            assert_eq!(read(&c, 50, 100), [vec![1; 50], vec![0; 50]].concat());
            c.cut(3 * PAGE as u64, |_| survived, DROP, &mut Stream::new(1, "t"));
            let after = if survived { 0 } else { 1 };
            assert_eq!(read(&c, 5000, 10), vec![after; 10]);
        }
    }
}
