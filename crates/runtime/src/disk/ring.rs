//! Reads, writes and datasyncs on io_uring: one ring per shard thread.
//!
//! Operations are pushed as they are called. A synced write and a datasync are handed to the kernel at once (a group commit is one
//! write, so that is one enter per commit); the rest at the end of the executor's turn. Never on park only: with two tasks
//! that are always ready a thread doesn't park. Completions are reaped once per turn and when the ring's descriptor
//! becomes readable.
//!
//! A synced write is one write with RWF_DSYNC where the device makes that one request, else a write with a **linked datasync**:
//! without FUA the kernel ends a DSYNC write of a ring on a per-CPU work queue, which under load waits a scheduler slice (4 ms)
//! for its turn; a datasync runs on the ring's own worker, and a link starts it without waiting for this thread.
//!
//! This module may use unsafe code: the kernel reads and writes buffers by address. An operation's slot owns its buffer and its
//! descriptor until its completion is reaped, and [`Inner::drain`] waits for that or leaks them.

#![allow(unsafe_code)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use io_uring::{IoUring, opcode, squeue, types};
use rustix::io::Errno;
use slab::Slab;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::files::Sync;
use super::pool::PoolFile;
use super::{Op, WRITES_IN_FLIGHT_MAX};
use crate::buf::{ALIGN, Buf};
use crate::clock::system_now;
use crate::sync::oneshot::{self, oneshot};

/// Operations in the kernel at once; more wait here.
const ENTRIES: u32 = 256;
/// Completions the kernel can hold, more than can be in flight, so it never overflows.
const COMPLETIONS: u32 = 1024;
/// Kernel threads for what can't be done without blocking; the default is four times the cores, for each ring.
const KERNEL_WORKERS_MAX: u32 = 4;
/// Bytes of one operation; the kernel's length field has 32 bits and it stops at 2 GiB anyway.
const OP_BYTES_MAX: usize = 1 << 30;
/// How long the end of a shard waits for operations in flight.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// One shard's ring; clones are one.
#[derive(Clone)]
pub(crate) struct Ring {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    ring: IoUring,
    ops: Slab<Slot>,
    /// Operations in the ring or the kernel.
    in_flight: usize,
    /// Those of them that write.
    writes_in_flight: usize,
    waiting_writes: VecDeque<usize>,
    waiting: VecDeque<usize>,
    /// Entries pushed and not yet handed to the kernel.
    unflushed: bool,
}

/// An operation from its call to its answer.
struct Slot {
    fd: Arc<OwnedFd>,
    pos: u64,
    /// Bytes done by earlier completions of this operation.
    done: usize,
    /// Results of the two entries of a write with a datasync behind it, as they come.
    written: Option<i32>,
    synced: Option<i32>,
    work: Work,
}

enum Work {
    Write { buf: Buf, sync: Sync, reply: oneshot::Sender<(io::Result<()>, Buf)> },
    Read { buf: Buf, direct: bool, reply: oneshot::Sender<(io::Result<usize>, Buf)> },
    Datasync { reply: oneshot::Sender<io::Result<()>> },
}

impl Work {
    fn is_write(&self) -> bool {
        matches!(self, Work::Write { .. })
    }
}

/// What a completion leads to.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// The rest is pushed again.
    Again,
    /// Another completion belongs to it.
    Wait,
    /// It is answered with this result: bytes, or a negative error number.
    Done(i32),
}

/// Which entry of an operation a completion belongs to; the lowest bit of its user data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    First = 0,
    LinkedSync = 1,
}

impl Ring {
    /// A ring, or why the kernel refuses one.
    pub(crate) fn new() -> io::Result<Ring> {
        // Submit all: an entry that is refused must not leave the entries behind it to a later enter, see `submit`.
        let ring = IoUring::builder().setup_cqsize(COMPLETIONS).setup_submit_all().build(ENTRIES)?;
        let mut probe = io_uring::Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        let needed = [opcode::Read::CODE, opcode::Write::CODE, opcode::Fsync::CODE];
        if !needed.iter().all(|code| probe.is_supported(*code)) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "this kernel's io_uring lacks read, write or fsync",
            ));
        }
        // Older kernels don't know it; then they have their default.
        let _ = ring.submitter().register_iowq_max_workers(&mut [KERNEL_WORKERS_MAX; 2]);
        let inner = Inner {
            ring,
            ops: Slab::new(),
            in_flight: 0,
            writes_in_flight: 0,
            waiting_writes: VecDeque::new(),
            waiting: VecDeque::new(),
            unflushed: false,
        };
        Ok(Ring { inner: Rc::new(RefCell::new(inner)) })
    }

    /// Waits for the operations in flight, a few seconds at most: the shard ends.
    pub(super) fn close(&self) {
        self.inner.borrow_mut().drain();
    }

    fn start(&self, fd: &Arc<OwnedFd>, pos: u64, work: Work) {
        let at_once = match &work {
            Work::Write { sync, .. } => *sync != Sync::None,
            Work::Datasync { .. } => true,
            Work::Read { .. } => false,
        };
        let mut inner = self.inner.borrow_mut();
        let is_write = work.is_write();
        let key = inner.ops.insert(Slot { fd: fd.clone(), pos, done: 0, written: None, synced: None, work });
        if is_write {
            inner.waiting_writes.push_back(key);
        } else {
            inner.waiting.push_back(key);
        }
        inner.admit();
        if at_once {
            inner.flush();
        }
    }
}

impl Inner {
    /// Pushes waiting operations while the bounds allow.
    fn admit(&mut self) {
        while self.in_flight < ENTRIES as usize {
            let write = self.writes_in_flight < WRITES_IN_FLIGHT_MAX;
            let key = if write { self.waiting_writes.pop_front() } else { None };
            match key {
                Some(key) => {
                    self.writes_in_flight += 1;
                    self.in_flight += 1;
                    self.push(key);
                }
                None => match self.waiting.pop_front() {
                    Some(key) => {
                        self.in_flight += 1;
                        self.push(key);
                    }
                    None => return,
                },
            }
        }
    }

    fn push(&mut self, key: usize) {
        let data = (key as u64) << 1;
        let first = self.ops[key].entry().user_data(data | Part::First as u64);
        let sync = self.ops[key].linked_sync().map(|sync| sync.user_data(data | Part::LinkedSync as u64));
        let entries = match sync {
            Some(sync) => [first.flags(squeue::Flags::IO_LINK), sync],
            None => [first, opcode::Nop::new().build()],
        };
        let count = if self.ops[key].linked_sync().is_some() { 2 } else { 1 };
        self.unflushed = true;
        loop {
            // SAFETY: the entries' addresses point into the buffer and their descriptor is the file of slot `key`, which stays in
            // `ops` until the completions are reaped (or is leaked in `drain`); a buffer's memory doesn't move with the slot.
            if unsafe { self.ring.submission().push_multiple(&entries[..count]) }.is_ok() {
                return;
            }
            // The submission queue is full of entries of this turn.
            if !self.submit() {
                std::thread::yield_now();
            }
        }
    }

    fn flush(&mut self) {
        if self.unflushed && self.submit() {
            self.unflushed = false;
        }
    }

    /// Hands all entries to the kernel; false when it is out of memory for now and took none.
    fn submit(&mut self) -> bool {
        let queued = self.ring.submission().len();
        match self.ring.submit() {
            // A part would cut a write from its datasync, which would then no longer wait for it.
            Ok(taken) => assert_eq!(taken, queued, "io_uring took a part of the submissions"),
            Err(error) => {
                assert!(retried(&error), "io_uring refuses submissions: {error}");
                return false;
            }
        }
        true
    }

    fn reap(&mut self) -> bool {
        let mut any = false;
        while let Some(entry) = { self.ring.completion().next() } {
            any = true;
            let key = (entry.user_data() >> 1) as usize;
            let part = if entry.user_data() & 1 == 0 { Part::First } else { Part::LinkedSync };
            match self.ops[key].completed(part, entry.result()) {
                Next::Again => self.push(key),
                Next::Wait => {}
                Next::Done(result) => {
                    let slot = self.ops.remove(key);
                    self.in_flight -= 1;
                    if slot.work.is_write() {
                        self.writes_in_flight -= 1;
                    }
                    slot.answer(result);
                }
            }
        }
        if any {
            self.admit();
            self.flush();
        }
        any
    }
}

/// Errors of an enter after which the entries are still queued.
fn retried(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::INTR | Errno::AGAIN | Errno::BUSY))
}

impl Slot {
    fn entry(&mut self) -> squeue::Entry {
        let fd = types::Fd(self.fd.as_raw_fd());
        let pos = self.pos + self.done as u64;
        match &mut self.work {
            Work::Write { buf, sync, .. } => {
                let rest = &buf[self.done..];
                let flags = if *sync == Sync::Dsync { RWF_DSYNC } else { 0 };
                opcode::Write::new(fd, rest.as_ptr(), rest.len().min(OP_BYTES_MAX) as u32)
                    .offset(pos)
                    .rw_flags(flags)
                    .build()
            }
            Work::Read { buf, .. } => {
                let rest = &mut buf[self.done..];
                let len = rest.len().min(OP_BYTES_MAX) as u32;
                opcode::Read::new(fd, rest.as_mut_ptr(), len).offset(pos).build()
            }
            Work::Datasync { .. } => datasync_entry(fd),
        }
    }

    /// The datasync that the kernel starts when the write of this slot is done, without waiting for this thread.
    fn linked_sync(&self) -> Option<squeue::Entry> {
        let linked = matches!(self.work, Work::Write { sync: Sync::Datasync, .. });
        linked.then(|| datasync_entry(types::Fd(self.fd.as_raw_fd())))
    }

    /// Takes in a completion: bytes done, or a negative error number.
    fn completed(&mut self, part: Part, result: i32) -> Next {
        match &mut self.work {
            Work::Write { sync: Sync::Datasync, .. } => {
                match part {
                    Part::First => self.written = Some(result),
                    Part::LinkedSync => self.synced = Some(result),
                }
                let (Some(written), Some(synced)) = (self.written, self.synced) else { return Next::Wait };
                (self.written, self.synced) = (None, None);
                match self.wrote(written) {
                    // The kernel cancels a datasync behind a failed or short write; what it says of any other counts.
                    Next::Done(result) if result >= 0 => Next::Done(synced),
                    next => next,
                }
            }
            // A file system that doesn't know RWF_DSYNC gets the write without it and a datasync behind.
            Work::Write { sync, .. } if result == -Errno::OPNOTSUPP.raw_os_error() && *sync == Sync::Dsync => {
                *sync = Sync::Datasync;
                Next::Again
            }
            Work::Write { .. } => self.wrote(result),
            Work::Read { .. } if result == -Errno::INTR.raw_os_error() => Next::Again,
            Work::Read { .. } if result < 0 => Next::Done(result),
            Work::Read { buf, direct, .. } => {
                self.done += result as usize;
                // A direct read that ends inside a block has met the end of the file; going on there is not aligned.
                let ended = result == 0 || self.done >= buf.len() || (*direct && !self.done.is_multiple_of(ALIGN));
                if ended { Next::Done(result) } else { Next::Again }
            }
            Work::Datasync { .. } => Next::Done(result),
        }
    }

    /// Takes in how far a write came.
    fn wrote(&mut self, result: i32) -> Next {
        let Work::Write { buf, .. } = &self.work else { unreachable!("only writes write") };
        if result < 0 {
            return if result == -Errno::INTR.raw_os_error() { Next::Again } else { Next::Done(result) };
        }
        self.done += result as usize;
        match self.done >= buf.len() {
            true => Next::Done(result),
            // Nothing written of something, again and again, would never end.
            false if result == 0 => Next::Done(-Errno::IO.raw_os_error()),
            false => Next::Again,
        }
    }

    fn answer(self, result: i32) {
        let error = (result < 0).then(|| io::Error::from_raw_os_error(-result));
        // Nobody may wait any more; the operation has happened all the same.
        match self.work {
            Work::Write { buf, reply, .. } => {
                let _ = reply.send((error.map_or(Ok(()), Err), buf));
            }
            Work::Read { buf, reply, .. } => {
                let _ = reply.send((error.map_or(Ok(self.done), Err), buf));
            }
            Work::Datasync { reply } => {
                let _ = reply.send(error.map_or(Ok(()), Err));
            }
        }
    }
}

fn datasync_entry(fd: types::Fd) -> squeue::Entry {
    opcode::Fsync::new(fd).flags(types::FsyncFlags::DATASYNC).build()
}

/// RWF_DSYNC: this write is durable when it completes.
const RWF_DSYNC: i32 = rustix::io::ReadWriteFlags::DSYNC.bits() as i32;

impl Drop for Inner {
    fn drop(&mut self) {
        self.drain();
    }
}

impl Inner {
    /// Waits for what is in flight, and gives up its memory where the disk hangs.
    fn drain(&mut self) {
        let deadline = system_now() + CLOSE_WAIT;
        let slice = types::Timespec::new().nsec(100_000_000);
        while !self.ops.is_empty() && system_now() < deadline {
            let args = types::SubmitArgs::new().timespec(&slice);
            match self.ring.submitter().submit_with_args(1, &args) {
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(Errno::TIME.raw_os_error()) || retried(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "io_uring refuses to wait at the end of the shard");
                    break;
                }
            }
            self.reap();
        }
        if !self.ops.is_empty() {
            // A disk that hangs must not hang the stop; but the kernel may still write to these buffers.
            tracing::warn!(operations = self.ops.len(), "disk operations still running at the end of the shard");
            std::mem::forget(std::mem::take(&mut self.ops));
        }
    }
}

/// A ring whose descriptor the reactor watches.
pub(crate) struct WatchedRing {
    // Declared before the ring: deregistered before the descriptor is closed.
    fd: AsyncFd<RawFd>,
    ring: Ring,
}

impl WatchedRing {
    /// In the reactor of the current thread.
    pub(crate) fn new(ring: Ring) -> io::Result<WatchedRing> {
        let fd = ring.inner.borrow().ring.as_raw_fd();
        // SAFETY: the descriptor is the ring's, which is never replaced and is held beside `fd` for longer than it.
        let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?;
        Ok(WatchedRing { fd, ring })
    }

    /// Hands all that was pushed to the kernel.
    pub(crate) fn flush(&self) {
        self.ring.inner.borrow_mut().flush();
    }

    /// Answers what has completed.
    pub(crate) fn reap(&self) {
        self.ring.inner.borrow_mut().reap();
    }

    /// Answers what has completed, and asks the reactor to wake the task of `cx` at the next completion.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> io::Result<()> {
        self.reap();
        while let Poll::Ready(ready) = self.fd.poll_read_ready(cx) {
            // Cleared before reaping: a completion in between makes it ready again.
            ready?.clear_ready();
            self.reap();
        }
        Ok(())
    }
}

/// A file whose reads, writes and datasyncs go by the ring, the rest by the pool.
pub(super) struct RingFile {
    pub(super) ring: Ring,
    pub(super) file: PoolFile,
    /// A DSYNC write is one request of the device.
    pub(super) one_request_dsync: bool,
}

impl RingFile {
    pub(super) fn write_at(&self, buf: Buf, pos: u64, sync: Sync) -> Op<(io::Result<()>, Buf)> {
        let sync = if sync == Sync::Dsync && !self.one_request_dsync { Sync::Datasync } else { sync };
        let (reply, result) = oneshot();
        if buf.is_empty() && sync == Sync::None {
            let _ = reply.send((Ok(()), buf));
        } else {
            self.start(pos, Work::Write { buf, sync, reply });
        }
        Op::Local(result)
    }

    pub(super) fn read_at(&self, buf: Buf, pos: u64, direct: bool) -> Op<(io::Result<usize>, Buf)> {
        let (reply, result) = oneshot();
        self.start(pos, Work::Read { buf, direct, reply });
        Op::Local(result)
    }

    pub(super) fn datasync(&self) -> Op<io::Result<()>> {
        let (reply, result) = oneshot();
        self.start(0, Work::Datasync { reply });
        Op::Local(result)
    }

    fn start(&self, pos: u64, work: Work) {
        let fd = self.file.fd.as_ref().expect("an open file has its descriptor");
        self.ring.start(fd, pos, work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: i32 = 4096;
    const CANCELED: i32 = -Errno::CANCELED.raw_os_error();
    const IO: i32 = -Errno::IO.raw_os_error();
    const INTR: i32 = -Errno::INTR.raw_os_error();

    fn slot(work: Work) -> Slot {
        let file = std::fs::File::open("/dev/null").expect("a null device");
        Slot { fd: Arc::new(file.into()), pos: 8192, done: 0, written: None, synced: None, work }
    }

    fn write(sync: Sync) -> (Slot, oneshot::Receiver<(io::Result<()>, Buf)>) {
        let (reply, result) = oneshot();
        (slot(Work::Write { buf: Buf::zeroed(10_000), sync, reply }), result)
    }

    fn read(direct: bool) -> Slot {
        slot(Work::Read { buf: Buf::zeroed(8192), direct, reply: oneshot().0 })
    }

    #[test]
    fn a_short_write_goes_on_behind_what_is_written() {
        let (mut slot, mut result) = write(Sync::Dsync);
        assert_eq!(slot.completed(Part::First, SHORT), Next::Again);
        assert_eq!(slot.done, 4096);
        assert_eq!(slot.completed(Part::First, INTR), Next::Again);
        assert_eq!(slot.completed(Part::First, 10_000 - SHORT), Next::Done(10_000 - SHORT));
        slot.answer(10_000 - SHORT);
        assert!(result.try_recv().expect("answered").0.is_ok());
    }

    #[test]
    fn a_write_of_nothing_is_an_error_and_the_buffer_comes_back() {
        let (mut slot, mut result) = write(Sync::None);
        assert_eq!(slot.completed(Part::First, 0), Next::Done(IO));
        slot.answer(IO);
        let (written, buf) = result.try_recv().expect("answered");
        assert!(written.is_err() && buf.len() == 10_000);
    }

    #[test]
    fn a_write_with_a_datasync_behind_counts_when_both_are_done_in_whatever_order() {
        for parts in [[(Part::First, 10_000), (Part::LinkedSync, 0)], [(Part::LinkedSync, 0), (Part::First, 10_000)]] {
            let (mut slot, _) = write(Sync::Datasync);
            assert!(slot.linked_sync().is_some());
            assert_eq!(slot.completed(parts[0].0, parts[0].1), Next::Wait);
            assert_eq!(slot.completed(parts[1].0, parts[1].1), Next::Done(0));
        }
    }

    #[test]
    fn a_short_write_takes_its_canceled_datasync_along() {
        let (mut slot, _) = write(Sync::Datasync);
        assert_eq!(slot.completed(Part::First, SHORT), Next::Wait);
        assert_eq!(slot.completed(Part::LinkedSync, CANCELED), Next::Again);
        assert_eq!(slot.completed(Part::First, 10_000 - SHORT), Next::Wait);
        assert_eq!(slot.completed(Part::LinkedSync, IO), Next::Done(IO), "a failed sync is never repeated");
    }

    #[test]
    fn a_failed_write_fails_whatever_its_datasync_says() {
        for synced in [0, CANCELED] {
            let (mut slot, _) = write(Sync::Datasync);
            assert_eq!(slot.completed(Part::First, IO), Next::Wait);
            assert_eq!(slot.completed(Part::LinkedSync, synced), Next::Done(IO));
        }
        let (mut slot, _) = write(Sync::Datasync);
        assert_eq!(slot.completed(Part::First, 10_000), Next::Wait);
        assert_eq!(slot.completed(Part::LinkedSync, CANCELED), Next::Done(CANCELED), "not synced is not durable");
    }

    #[test]
    fn where_dsync_is_unknown_a_datasync_goes_behind_the_write() {
        let (mut slot, _) = write(Sync::Dsync);
        assert!(slot.linked_sync().is_none());
        assert_eq!(slot.completed(Part::First, -Errno::OPNOTSUPP.raw_os_error()), Next::Again);
        assert!(slot.linked_sync().is_some());
    }

    #[test]
    fn a_read_ends_when_full_or_at_the_end_of_the_file() {
        let mut buffered = read(false);
        assert_eq!(buffered.completed(Part::First, SHORT), Next::Again);
        assert_eq!(buffered.completed(Part::First, 100), Next::Again);
        assert_eq!(buffered.completed(Part::First, 0), Next::Done(0));
        assert_eq!(buffered.done, 4196);
        assert_eq!(read(true).completed(Part::First, 100), Next::Done(100), "an unaligned rest can't be read directly");
        assert_eq!(read(false).completed(Part::First, IO), Next::Done(IO));
    }
}
