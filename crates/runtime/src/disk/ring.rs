//! Reads, writes and datasyncs on io_uring: one ring per shard thread.
//!
//! Operations are pushed as they are called. A synced write and a datasync are handed to the kernel at once (a group commit is one
//! write, so that is one enter per commit); the rest at the end of the executor's turn. Never on park only: with two tasks
//! that are always ready a thread doesn't park. Completions are reaped once per turn and when the ring's descriptor
//! becomes readable.
//!
//! This module may use unsafe code: the kernel reads and writes buffers by address. An operation's slot owns its buffer and its
//! descriptor until its completion is reaped, and [`Inner::drop`] waits for that or leaks them.

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
    work: Work,
}

enum Work {
    Write {
        buf: Buf,
        sync: Sync,
        reply: oneshot::Sender<(io::Result<()>, Buf)>,
    },
    /// The datasync behind a buffered write.
    SyncWrite {
        buf: Buf,
        reply: oneshot::Sender<(io::Result<()>, Buf)>,
    },
    Read {
        buf: Buf,
        direct: bool,
        reply: oneshot::Sender<(io::Result<usize>, Buf)>,
    },
    Datasync {
        reply: oneshot::Sender<io::Result<()>>,
    },
}

impl Work {
    fn is_write(&self) -> bool {
        matches!(self, Work::Write { .. } | Work::SyncWrite { .. })
    }
}

/// What a completion leads to.
enum Next {
    Again,
    Done,
}

impl Ring {
    /// A ring, or why the kernel refuses one.
    pub(crate) fn new() -> io::Result<Ring> {
        let ring = IoUring::builder().setup_cqsize(COMPLETIONS).build(ENTRIES)?;
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

    fn start(&self, fd: &Arc<OwnedFd>, pos: u64, work: Work) {
        let at_once = match &work {
            Work::Write { sync, .. } => *sync != Sync::None,
            Work::SyncWrite { .. } | Work::Datasync { .. } => true,
            Work::Read { .. } => false,
        };
        let mut inner = self.inner.borrow_mut();
        let is_write = work.is_write();
        let key = inner.ops.insert(Slot { fd: fd.clone(), pos, done: 0, work });
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
        let entry = self.ops[key].entry().user_data(key as u64);
        self.unflushed = true;
        loop {
            // SAFETY: the entry's addresses point into the buffer and its descriptor is the file of slot `key`, which stays in
            // `ops` until the completion is reaped (or is leaked in `drop`); a buffer's memory doesn't move with the slot.
            if unsafe { self.ring.submission().push(&entry) }.is_ok() {
                return;
            }
            // The submission queue is full of entries of this turn.
            if let Err(error) = self.ring.submit() {
                assert!(retried(&error), "io_uring refuses submissions: {error}");
                std::thread::yield_now();
            }
        }
    }

    fn flush(&mut self) {
        if !self.unflushed {
            return;
        }
        match self.ring.submit() {
            Ok(_) => self.unflushed = !self.ring.submission().is_empty(),
            // Out of kernel memory for now: the next turn tries again.
            Err(error) => assert!(retried(&error), "io_uring refuses submissions: {error}"),
        }
    }

    fn reap(&mut self) -> bool {
        let mut any = false;
        while let Some(entry) = { self.ring.completion().next() } {
            any = true;
            let key = entry.user_data() as usize;
            match self.ops[key].completed(entry.result()) {
                Next::Again => self.push(key),
                Next::Done => {
                    let slot = self.ops.remove(key);
                    self.in_flight -= 1;
                    if slot.work.is_write() {
                        self.writes_in_flight -= 1;
                    }
                    slot.answer(entry.result());
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
            Work::SyncWrite { .. } | Work::Datasync { .. } => {
                opcode::Fsync::new(fd).flags(types::FsyncFlags::DATASYNC).build()
            }
        }
    }

    /// Takes in a completion: bytes done, or a negative error number.
    fn completed(&mut self, result: i32) -> Next {
        if result == -Errno::INTR.raw_os_error() {
            return Next::Again;
        }
        if result < 0 {
            return self.refused(result);
        }
        let count = result as usize;
        match &self.work {
            Work::Write { buf, sync, .. } => {
                self.done += count;
                if self.done < buf.len() {
                    // Nothing written of something is an error, answered as such; a short write goes on.
                    return if count == 0 { Next::Done } else { Next::Again };
                }
                if *sync == Sync::Datasync { self.sync_behind() } else { Next::Done }
            }
            Work::Read { buf, direct, .. } => {
                self.done += count;
                // A direct read that ends inside a block has met the end of the file; going on there is not aligned.
                let ended = count == 0 || self.done >= buf.len() || (*direct && !count.is_multiple_of(ALIGN));
                if ended { Next::Done } else { Next::Again }
            }
            Work::SyncWrite { .. } | Work::Datasync { .. } => Next::Done,
        }
    }

    /// A file system that doesn't know RWF_DSYNC gets the write without it and a datasync behind.
    fn refused(&mut self, result: i32) -> Next {
        if let Work::Write { sync, .. } = &mut self.work
            && *sync == Sync::Dsync
            && result == -Errno::OPNOTSUPP.raw_os_error()
        {
            *sync = Sync::Datasync;
            return Next::Again;
        }
        Next::Done
    }

    /// The write is done; a datasync follows in the same slot.
    fn sync_behind(&mut self) -> Next {
        let nobody = Work::Datasync { reply: oneshot().0 };
        let Work::Write { buf, reply, .. } = std::mem::replace(&mut self.work, nobody) else {
            unreachable!("a datasync follows a write")
        };
        self.work = Work::SyncWrite { buf, reply };
        Next::Again
    }

    fn answer(self, result: i32) {
        let error = (result < 0).then(|| io::Error::from_raw_os_error(-result));
        // Nobody may wait any more; the operation has happened all the same.
        match self.work {
            Work::Write { buf, reply, .. } => {
                let short = self.done < buf.len();
                let result = match error {
                    Some(error) => Err(error),
                    None if short => Err(io::ErrorKind::WriteZero.into()),
                    None => Ok(()),
                };
                let _ = reply.send((result, buf));
            }
            Work::SyncWrite { buf, reply } => {
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

/// RWF_DSYNC: this write is durable when it completes.
const RWF_DSYNC: i32 = rustix::io::ReadWriteFlags::DSYNC.bits() as i32;

impl Drop for Inner {
    fn drop(&mut self) {
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
}

impl RingFile {
    pub(super) fn write_at(&self, buf: Buf, pos: u64, sync: Sync) -> Op<(io::Result<()>, Buf)> {
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

    fn slot(work: Work) -> Slot {
        let file = std::fs::File::open("/dev/null").expect("a null device");
        Slot { fd: Arc::new(file.into()), pos: 8192, done: 0, work }
    }

    fn write(len: usize, sync: Sync) -> (Slot, oneshot::Receiver<(io::Result<()>, Buf)>) {
        let (reply, result) = oneshot();
        (slot(Work::Write { buf: Buf::zeroed(len), sync, reply }), result)
    }

    fn read(len: usize, direct: bool) -> (Slot, oneshot::Receiver<(io::Result<usize>, Buf)>) {
        let (reply, result) = oneshot();
        (slot(Work::Read { buf: Buf::zeroed(len), direct, reply }), result)
    }

    #[test]
    fn a_short_write_goes_on_behind_what_is_written() {
        let (mut slot, mut result) = write(10_000, Sync::Dsync);
        assert!(matches!(slot.completed(4096), Next::Again));
        assert_eq!(slot.done, 4096);
        assert!(matches!(slot.completed(-Errno::INTR.raw_os_error()), Next::Again));
        assert!(matches!(slot.completed(10_000 - 4096), Next::Done));
        slot.answer(10_000 - 4096);
        assert!(result.try_recv().expect("answered").0.is_ok());
    }

    #[test]
    fn a_write_of_nothing_is_an_error_and_the_buffer_comes_back() {
        let (mut slot, mut result) = write(4096, Sync::None);
        assert!(matches!(slot.completed(0), Next::Done));
        slot.answer(0);
        let (written, buf) = result.try_recv().expect("answered");
        assert_eq!(written.expect_err("nothing written").kind(), io::ErrorKind::WriteZero);
        assert_eq!(buf.len(), 4096);
    }

    #[test]
    fn a_buffered_synced_write_is_followed_by_one_datasync() {
        let (mut slot, mut result) = write(100, Sync::Datasync);
        assert!(matches!(slot.completed(100), Next::Again));
        assert!(matches!(slot.work, Work::SyncWrite { .. }));
        assert!(matches!(slot.completed(-Errno::IO.raw_os_error()), Next::Done), "a failed sync is never repeated");
        slot.answer(-Errno::IO.raw_os_error());
        assert!(result.try_recv().expect("answered").0.is_err());
    }

    #[test]
    fn where_dsync_is_unknown_a_datasync_follows_the_write() {
        let (mut slot, _result) = write(4096, Sync::Dsync);
        assert!(matches!(slot.completed(-Errno::OPNOTSUPP.raw_os_error()), Next::Again));
        assert!(matches!(slot.completed(4096), Next::Again));
        assert!(matches!(slot.work, Work::SyncWrite { .. }));
    }

    #[test]
    fn a_read_ends_when_full_or_at_the_end_of_the_file() {
        let (mut slot, mut result) = read(8192, false);
        assert!(matches!(slot.completed(4096), Next::Again));
        assert!(matches!(slot.completed(100), Next::Again));
        assert!(matches!(slot.completed(0), Next::Done));
        slot.answer(0);
        assert_eq!(result.try_recv().expect("answered").0.expect("read"), 4196);
        let (mut slot, _result) = read(8192, true);
        assert!(matches!(slot.completed(100), Next::Done), "an unaligned rest can't be read directly");
    }
}
