//! A machine's disk at work: operations in flight over an [`Image`], their latency, their errors, and the misuse that a
//! real disk would not report.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use slab::Slab;

use super::image::{Image, Ino};
use super::pages::{CutOdds, CutReport, PAGE};
use super::stream::Stream;
use crate::buf::Buf;
use crate::disk::WRITES_IN_FLIGHT_MAX;
use crate::sync::oneshot;

/// Odds, of 1 per operation, of errors and of lies.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DiskFaults {
    /// EIO on a read.
    pub read_error: f64,
    /// EIO on a write; what was written is unspecified and lost.
    pub write_error: f64,
    /// EIO on a sync; its pages are clean and lost.
    pub sync_error: f64,
    /// A synced write that reports success and never reached the platter.
    pub lost_write: f64,
    /// A synced write that lands on another page of the file.
    pub misdirected_write: f64,
}

/// Typical latencies, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiskProfile {
    /// What the page cache serves.
    pub cache: u64,
    /// A read from the platter.
    pub read: u64,
    /// A direct write.
    pub write: u64,
    /// A synced write.
    pub write_sync: u64,
    /// A sync of one file.
    pub datasync: u64,
    /// A change of names or sizes.
    pub meta: u64,
    /// A sync of a directory.
    pub sync_dir: u64,
    /// A sync of the file system.
    pub sync_all: u64,
    /// Bandwidth of the device.
    pub ns_per_byte: u64,
    /// All of the above times this.
    pub slow: u64,
}

impl Default for DiskProfile {
    /// A virtual disk of a small cloud machine.
    fn default() -> DiskProfile {
        DiskProfile {
            cache: 5_000,
            read: 60_000,
            write: 80_000,
            write_sync: 150_000,
            datasync: 400_000,
            meta: 25_000,
            sync_dir: 300_000,
            sync_all: 2_000_000,
            ns_per_byte: 2,
            slow: 1,
        }
    }
}

/// Kinds of operations, as the trace shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Meta = 1,
    SyncDir,
    SyncAll,
    Write,
    WriteSync,
    Read,
    Datasync,
}

type Call = Box<dyn FnOnce(io::Result<&mut Drive>)>;

pub(crate) enum Job {
    /// Anything about names, sizes and whole small files; answers by itself.
    Call {
        kind: Kind,
        call: Call,
    },
    Write {
        ino: Ino,
        pos: u64,
        buf: Buf,
        sync: bool,
        answer: oneshot::Sender<(io::Result<()>, Buf)>,
    },
    Read {
        ino: Ino,
        pos: u64,
        buf: Buf,
        cached: bool,
        answer: oneshot::Sender<(io::Result<usize>, Buf)>,
    },
    Datasync {
        ino: Ino,
        upto: u64,
        answer: oneshot::Sender<io::Result<()>>,
    },
}

impl Job {
    fn ino(&self) -> Option<Ino> {
        match self {
            Job::Write { ino, .. } | Job::Read { ino, .. } | Job::Datasync { ino, .. } => Some(*ino),
            Job::Call { .. } => None,
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Job::Call { kind, .. } => *kind,
            Job::Write { sync: true, .. } => Kind::WriteSync,
            Job::Write { .. } => Kind::Write,
            Job::Read { .. } => Kind::Read,
            Job::Datasync { .. } => Kind::Datasync,
        }
    }
}

struct InFlight {
    serial: u64,
    shard: u16,
    job: Job,
}

pub(crate) struct Handle {
    pub ino: Ino,
    pub direct: bool,
    pub read_only: bool,
}

/// The disk of one machine.
pub struct Drive {
    /// What it holds.
    pub image: Image,
    /// Errors and lies.
    pub faults: DiskFaults,
    /// Latencies.
    pub profile: DiskProfile,
    /// Whether two writes in flight on one block fail the run.
    pub finds_misuse: bool,
    dice: Stream,
    serial: u64,
    jobs: Slab<InFlight>,
    held: Vec<(u32, u64)>,
    hung: bool,
    busy_until: u64,
    handles: Slab<Handle>,
    locks: BTreeSet<Ino>,
    /// Pages written past the cache by a handle that is still open: from, to (exclusive).
    unsealed: BTreeMap<Ino, (u64, u64)>,
    misuse: Option<String>,
}

impl Drive {
    /// An empty disk of `capacity` bytes.
    pub(crate) fn new(capacity: u64, dice: Stream) -> Drive {
        Drive {
            image: Image::new(capacity),
            faults: DiskFaults::default(),
            profile: DiskProfile::default(),
            finds_misuse: true,
            dice,
            serial: 0,
            jobs: Slab::new(),
            held: Vec::new(),
            hung: false,
            busy_until: 0,
            handles: Slab::new(),
            locks: BTreeSet::new(),
            unsealed: BTreeMap::new(),
            misuse: None,
        }
    }

    /// Takes an operation in. When it completes; `None` while the disk hangs.
    pub(crate) fn submit(&mut self, job: Job, shard: u16, now: u64) -> Option<(u64, u32, u64)> {
        self.check(&job, shard);
        // An operation in flight keeps its file, though its name and its handle may go.
        if let Some(ino) = job.ino() {
            self.image.hold(ino);
        }
        self.serial += 1;
        let serial = self.serial;
        let slot = self.jobs.insert(InFlight { serial, shard, job }) as u32;
        if self.hung {
            self.held.push((slot, serial));
            return None;
        }
        Some((self.due(slot, now), slot, serial))
    }

    fn due(&mut self, slot: u32, now: u64) -> u64 {
        let profile = self.profile;
        let (typical, bytes) = match &self.jobs[slot as usize].job {
            Job::Call { kind: Kind::SyncDir, .. } => (profile.sync_dir, 0),
            Job::Call { kind: Kind::SyncAll, .. } => (profile.sync_all, 0),
            Job::Call { .. } => (profile.meta, 0),
            Job::Write { buf, sync: true, .. } => (profile.write_sync, buf.len()),
            Job::Write { buf, .. } => (profile.write, buf.len()),
            Job::Read { cached: true, .. } if self.dice.chance(0.5) => (profile.cache, 0),
            Job::Read { buf, .. } => (profile.read, buf.len()),
            Job::Datasync { .. } => (profile.datasync, 0),
        };
        let transfer = profile.ns_per_byte * bytes as u64 * profile.slow;
        self.busy_until = self.busy_until.max(now) + transfer;
        self.busy_until + self.dice.latency(typical * profile.slow)
    }

    /// The disk hangs: nothing completes. What was in flight completes late, too, if its event finds the disk hung.
    pub(crate) fn hang(&mut self) {
        self.hung = true;
    }

    /// The disk works again: when each held operation completes.
    pub(crate) fn unhang(&mut self, now: u64) -> Vec<(u64, u32, u64)> {
        self.hung = false;
        let held = std::mem::take(&mut self.held);
        held.into_iter().map(|(slot, serial)| (self.due(slot, now), slot, serial)).collect()
    }

    /// Whether it hangs.
    pub fn is_hung(&self) -> bool {
        self.hung
    }

    /// Operations in flight.
    pub fn in_flight(&self) -> usize {
        self.jobs.len()
    }

    /// Writes and syncs in flight.
    pub fn writes_in_flight(&self) -> usize {
        let changes = |f: &InFlight| !matches!(f.job.kind(), Kind::Read | Kind::Meta);
        self.jobs.iter().filter(|(_, f)| changes(f)).count()
    }

    /// Handles that the process holds open.
    pub fn open_files(&self) -> usize {
        self.handles.len()
    }

    /// What a process did that no disk would report, once.
    pub(crate) fn take_misuse(&mut self) -> Option<String> {
        self.misuse.take()
    }

    fn check(&mut self, job: &Job, shard: u16) {
        let Job::Write { ino, pos, buf, .. } = job else { return };
        if !self.finds_misuse {
            return;
        }
        let writes = |(_, f): &(usize, &InFlight)| f.shard == shard && matches!(f.job, Job::Write { .. });
        if self.jobs.iter().filter(writes).count() >= WRITES_IN_FLIGHT_MAX {
            self.misuse = Some(format!("more than {WRITES_IN_FLIGHT_MAX} writes in flight on shard {shard}"));
        }
        let pages = |pos: u64, len: usize| pos / PAGE as u64..(pos + len as u64).div_ceil(PAGE as u64);
        let mine = pages(*pos, buf.len());
        for (_, other) in &self.jobs {
            let Job::Write { ino: other_ino, pos: other_pos, buf: other_buf, .. } = &other.job else { continue };
            let theirs = pages(*other_pos, other_buf.len());
            if other_ino == ino && mine.start < theirs.end && theirs.start < mine.end {
                self.misuse =
                    Some(format!("two writes in flight on one block: file {ino}, pages {mine:?} and {theirs:?}"));
            }
        }
    }

    /// The operation completes, unless the disk hangs or the job is gone. Its kind.
    pub(crate) fn complete(&mut self, slot: u32, serial: u64) -> Option<Kind> {
        if self.jobs.get(slot as usize)?.serial != serial {
            return None;
        }
        if self.hung {
            self.held.push((slot, serial));
            return None;
        }
        let job = self.jobs.remove(slot as usize).job;
        let (kind, ino) = (job.kind(), job.ino());
        match job {
            Job::Call { kind, call } => {
                let sync = matches!(kind, Kind::SyncDir | Kind::SyncAll);
                let failed = sync && self.dice.chance(self.faults.sync_error);
                call(if failed { Err(eio()) } else { Ok(self) });
            }
            Job::Write { ino, pos, buf, sync, answer } => {
                let result = self.write(ino, pos, &buf, sync);
                let _ = answer.send((result, buf));
            }
            Job::Read { ino, pos, mut buf, answer, .. } => {
                let failed = self.dice.chance(self.faults.read_error);
                let result = if failed { Err(eio()) } else { Ok(self.image.read(ino, pos, &mut buf)) };
                let _ = answer.send((result, buf));
            }
            Job::Datasync { ino, upto, answer } => {
                let failed = self.dice.chance(self.faults.sync_error);
                if failed {
                    self.image.fail_sync(ino, upto);
                } else {
                    self.image.datasync(ino, upto);
                }
                let _ = answer.send(if failed { Err(eio()) } else { Ok(()) });
            }
        }
        if let Some(ino) = ino {
            self.image.release(ino);
        }
        Some(kind)
    }

    fn write(&mut self, ino: Ino, pos: u64, bytes: &[u8], sync: bool) -> io::Result<()> {
        let faults = self.faults;
        if self.dice.chance(faults.write_error) || (sync && self.dice.chance(faults.sync_error)) {
            if self.dice.chance(0.5) && self.image.write(ino, pos, bytes, false).is_ok() {
                let upto = self.image.seq();
                self.image.fail_sync(ino, upto);
            }
            return Err(eio());
        }
        if sync && self.dice.chance(faults.lost_write) {
            // Reads come from the platter: the old bytes, behind a good sync.
            return Ok(());
        }
        if sync && self.dice.chance(faults.misdirected_write) {
            let pages = self.image.len(ino).div_ceil(PAGE as u64).max(1);
            let elsewhere = self.dice.below(pages) * PAGE as u64 + pos % PAGE as u64;
            return self.image.write(ino, elsewhere, bytes, true);
        }
        self.image.write(ino, pos, bytes, sync)
    }

    // ---- handles and locks ----

    pub(crate) fn open(&mut self, path: &Path, how: crate::disk::Open) -> io::Result<u32> {
        let ino = self.image.open(path, how.create && !how.read_only, how.create_new)?;
        self.image.hold(ino);
        Ok(self.handles.insert(Handle { ino, direct: how.direct, read_only: how.read_only }) as u32)
    }

    pub(crate) fn handle(&self, handle: u32) -> Option<&Handle> {
        self.handles.get(handle as usize)
    }

    pub(crate) fn close(&mut self, handle: u32) {
        let Some(handle) = self.handles.try_remove(handle as usize) else { return };
        self.image.release(handle.ino);
        let writes = |h: &Handle| h.ino == handle.ino && h.direct && !h.read_only;
        if !self.handles.iter().any(|(_, h)| writes(h)) {
            self.unsealed.remove(&handle.ino);
        }
    }

    pub(crate) fn direct_write(&mut self, ino: Ino, pos: u64, len: usize) {
        let (from, to) = (pos / PAGE as u64, (pos + len as u64).div_ceil(PAGE as u64));
        let range = self.unsealed.entry(ino).or_insert((from, to));
        *range = (range.0.min(from), range.1.max(to));
    }

    pub(crate) fn is_unsealed(&self, ino: Ino, pos: u64, len: usize) -> bool {
        let (from, to) = (pos / PAGE as u64, (pos + len as u64).div_ceil(PAGE as u64));
        self.unsealed.get(&ino).is_some_and(|&(first, end)| from < end && first < to)
    }

    /// Draws whether a read fails now.
    pub(crate) fn read_fails(&mut self) -> bool {
        self.dice.chance(self.faults.read_error)
    }

    pub(crate) fn lock(&mut self, path: &Path) -> io::Result<Ino> {
        let ino = self.image.open(path, true, false)?;
        if !self.locks.insert(ino) {
            let text = format!("{}: locked by another process", path.display());
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
        }
        Ok(ino)
    }

    pub(crate) fn unlock(&mut self, ino: Ino) {
        self.locks.remove(&ino);
    }

    // ---- ends of a process ----

    /// The process ended. What the kernel had begun it finishes or not; pending pieces stay pending.
    pub(crate) fn process_ended(&mut self) {
        self.settle_in_flight();
        self.handles.clear();
        self.unsealed.clear();
        self.locks.clear();
        self.image.release_all();
    }

    fn settle_in_flight(&mut self) {
        self.held.clear();
        let jobs: Vec<InFlight> = self.jobs.drain().collect();
        for in_flight in jobs {
            let fate = self.dice.below(3);
            match in_flight.job {
                Job::Write { ino, pos, buf, .. } => match fate {
                    0 => {}
                    1 => drop(self.image.write(ino, pos, &buf, false)),
                    _ => {
                        let pages = (buf.len() as u64).div_ceil(PAGE as u64);
                        let end = (self.dice.between(0, pages) as usize * PAGE).min(buf.len());
                        drop(self.image.write(ino, pos, &buf[..end], false));
                    }
                },
                Job::Call { call, .. } if fate > 0 => call(Ok(self)),
                Job::Datasync { ino, upto, .. } if fate > 0 => self.image.datasync(ino, upto),
                Job::Call { .. } | Job::Read { .. } | Job::Datasync { .. } => {}
            }
        }
    }

    /// The power goes.
    pub(crate) fn cut(&mut self) -> CutReport {
        self.process_ended();
        self.hung = false;
        self.busy_until = 0;
        let odds = CutOdds::draw(&mut self.dice);
        self.image.cut(odds, &mut self.dice)
    }

    /// Its own stream of numbers, for damage that a scenario asks for.
    pub fn dice(&mut self) -> &mut Stream {
        &mut self.dice
    }
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(5)
}
