//! The journal: one stream of blocks over a ring of recycled files, one write per group commit.
//!
//! A commit starts when fewer than `journal_depth` are in flight; all that arrives meanwhile forms the next: there is no
//! timer. Blocks are acknowledged in order, whatever order their writes complete in. A failed write or sync ends the broker.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use ouzel_model::{planted, reached};
use ouzel_runtime::sync::{Notify, oneshot};
use ouzel_runtime::{Class, Durability, Duration, File};

use crate::checkpoint::Checkpoint;
use crate::log::{Inner, Shared, Ticket};
use crate::ring::{Built, FreeFile, Ring};
use crate::store::Core;

/// The last block is below a durable mark within 100 ms: one look each 50 ms.
const BARE_DELAY: Duration = Duration::from_millis(50);

pub(crate) struct Journal {
    pub(crate) ring: RefCell<Ring>,
    /// Something may be committed.
    pub(crate) wake: Notify,
    /// A block was acknowledged.
    pub(crate) progress: Notify,
}

impl Journal {
    pub(crate) fn new(ring: Ring) -> Journal {
        Journal { ring: RefCell::new(ring), wake: Notify::new(), progress: Notify::new() }
    }

    /// Puts a log in line for the next block.
    pub(crate) fn enqueue(&self, log: &Rc<Shared>, inner: &mut Inner) {
        if !inner.queued {
            inner.queued = true;
            self.ring.borrow_mut().queue.push_back(log.clone());
        }
        self.wake.notify_one();
    }

    /// Asks that a log's entries in blocks up to `block` are copied forward.
    pub(crate) fn copy_forward(&self, log: Rc<Shared>, block: u64) {
        self.ring.borrow_mut().again.push_back((log, block));
        self.wake.notify_one();
    }

    /// State of all logs as of a block that is built now or soon, and that holds all small changes before it.
    pub(crate) async fn capture(&self) -> Option<Checkpoint> {
        let (send, receive) = oneshot::oneshot();
        self.ring.borrow_mut().capture = Some(send);
        self.wake.notify_one();
        receive.await.ok()
    }

    /// Resolves when all blocks up to `sequence` are durable. Cached blocks are flushed for it.
    pub(crate) async fn durable(&self, core: &Rc<Core>, sequence: u64) {
        loop {
            {
                let ring = self.ring.borrow();
                if ring.durable >= sequence {
                    return;
                }
            }
            core.flush_journal();
            self.progress.notified().await;
        }
    }

    /// Whether all copying forward that was asked for stands in built blocks, and the last block's sequence.
    pub(crate) async fn copied_forward(&self) -> u64 {
        loop {
            {
                let ring = self.ring.borrow();
                if ring.again.is_empty() {
                    return ring.sequence;
                }
            }
            self.progress.notified().await;
        }
    }

    /// Resolves when nothing waits for a block and none is in flight.
    pub(crate) async fn drained(&self) {
        loop {
            {
                let ring = self.ring.borrow();
                if ring.queue.is_empty() && ring.in_flight.is_empty() {
                    return;
                }
            }
            self.progress.notified().await;
        }
    }

    /// Resolves when no block is in flight.
    pub(crate) async fn landed(&self) {
        while !self.ring.borrow().in_flight.is_empty() {
            self.progress.notified().await;
        }
    }

    /// Resolves when no sync is under way.
    pub(crate) async fn flushed(&self) {
        while self.ring.borrow().flushing {
            self.progress.notified().await;
        }
    }
}

impl Core {
    /// The committer: builds blocks as long as there is something to say and room in flight.
    pub(crate) async fn commit_loop(self: Rc<Core>) {
        loop {
            self.journal.wake.notified().await;
            loop {
                let built = self.journal.ring.borrow_mut().build(self.rt.buffers(), &self);
                self.ask_for_files();
                self.watch_ring();
                let Some(built) = built else { break };
                self.submit(built);
            }
            // A plan that came out empty may have dropped what waited.
            self.journal.progress.notify_all();
        }
    }

    fn submit(self: &Rc<Core>, built: Built) {
        let write = built.file.write_at(built.buf, built.position, built.durability);
        let (core, sequence) = (self.clone(), built.sequence);
        self.rt.spawn(Class::Serve, async move {
            match write.await {
                (Ok(()), _) => core.block_written(sequence),
                (Err(error), _) if planted!("21", true, false) => drop((error, core.block_written(sequence))),
                (Err(error), _) => {
                    reached!("journal write failed");
                    core.fail(format!("journal write of block {sequence} failed: {error}")).await;
                }
            }
        });
    }

    fn block_written(self: &Rc<Core>, sequence: u64) {
        let flush = {
            let mut ring = self.journal.ring.borrow_mut();
            let at = ring.in_flight.iter().position(|b| b.sequence == sequence).expect("a block in flight");
            if at > 0 {
                reached!("block completed out of order");
            }
            ring.in_flight[at].written = true;
            if planted!("D3", true, false) {
                // Acknowledges a block though one before it isn't written.
                let block = ring.in_flight.remove(at).expect("found above");
                block.tickets.into_iter().for_each(|(log, ticket)| self.give_back(log, ticket));
                ring.durable = ring.durable.max(sequence);
                false
            } else {
                ring.acknowledge(self)
            }
        };
        self.after_acknowledge(flush);
    }

    pub(crate) fn after_acknowledge(self: &Rc<Core>, flush: bool) {
        let (over, arm_flush, arm_bare) = {
            let mut ring = self.journal.ring.borrow_mut();
            let over = ring.unsynced_bytes >= ring.flush_bytes.max(1);
            // A store that closes flushes by itself.
            let arm_flush = ring.unsynced_bytes > 0 && !over && !ring.flush_armed && !self.closing.get();
            ring.flush_armed |= arm_flush;
            let idle = ring.in_flight.is_empty() && ring.marked < ring.content && ring.durable >= ring.content;
            let arm_bare = idle && !ring.bare_armed && !self.closing.get();
            ring.bare_armed |= arm_bare;
            (over, arm_flush, arm_bare)
        };
        if flush || over {
            self.flush_journal();
        }
        if arm_flush {
            let core = self.clone();
            self.spawn_beside(Class::Serve, async move {
                let wait = Duration::from_millis(core.journal.ring.borrow().flush_ms);
                core.rt.sleep(wait).await;
                core.journal.ring.borrow_mut().flush_armed = false;
                core.flush_journal();
            });
        }
        if arm_bare {
            let core = self.clone();
            self.spawn_beside(Class::Serve, async move { core.mark_last_block().await });
        }
        if self.writeback.garbage.get() {
            self.writeback.wanted.notify_one();
        }
        self.journal.wake.notify_one();
        self.journal.progress.notify_all();
    }

    /// Writes a bare block once the journal was idle for a moment, so that the last block lies below a durable mark.
    async fn mark_last_block(self: &Rc<Core>) {
        loop {
            let seen = self.journal.ring.borrow().sequence;
            self.rt.sleep(BARE_DELAY).await;
            let mut ring = self.journal.ring.borrow_mut();
            if ring.sequence != seen && ring.marked < ring.content {
                continue;
            }
            ring.bare_armed = false;
            if ring.marked < ring.content && ring.durable >= ring.content {
                reached!("bare block");
                ring.bare_wanted = true;
                drop(ring);
                self.journal.wake.notify_one();
            }
            return;
        }
    }

    /// Makes the written blocks durable that no sync has covered. One at a time; a second call while one runs is answered
    /// by what follows it.
    pub(crate) fn flush_journal(self: &Rc<Core>) {
        let (files, upto, bytes) = {
            let mut ring = self.journal.ring.borrow_mut();
            let files: Vec<File> = ring.files.iter().filter(|f| f.unsynced > 0).map(|f| f.file.clone()).collect();
            let written = ring.in_flight.iter().take_while(|b| b.written).last().map_or(0, |b| b.sequence);
            let upto = ring.written.max(written);
            if ring.flushing || files.is_empty() || ring.durable >= upto {
                return;
            }
            ring.flushing = true;
            (files, upto, ring.unsynced_bytes)
        };
        reached!("journal flush");
        let core = self.clone();
        let syncs: Vec<_> = files.iter().map(File::datasync).collect();
        self.rt.spawn(Class::Serve, async move {
            for sync in syncs {
                if let Err(error) = sync.await {
                    reached!("journal sync failed");
                    core.fail(format!("journal sync failed: {error}")).await;
                }
            }
            let flush = {
                let mut ring = core.journal.ring.borrow_mut();
                ring.flushing = false;
                ring.durable = ring.durable.max(upto);
                ring.unsynced_bytes -= bytes;
                for file in &mut ring.files {
                    if file.unsynced <= upto {
                        file.unsynced = 0;
                    }
                }
                ring.acknowledge(&core)
            };
            core.after_acknowledge(flush);
        });
    }

    /// Gives a ticket to the driver, and forgets all before it.
    pub(crate) fn give_back(&self, log: Rc<Shared>, ticket: Ticket) {
        let first = {
            let mut inner = log.inner.borrow_mut();
            let first = inner.ready == 0;
            inner.ready = ticket.0;
            inner.returned = ticket.0;
            first
        };
        if first {
            self.ready.borrow_mut().push(log);
        }
        self.ready_changed.notify_one();
    }

    /// Makes what the ring lacks: a file for an oversized entry, or one more for what frees the others.
    fn ask_for_files(self: &Rc<Core>) {
        let (bytes, own) = {
            let mut ring = self.journal.ring.borrow_mut();
            let oversized = ring.oversize_wanted > 0 && !ring.has_own_file(ring.oversize_wanted);
            if ring.making || !(oversized || ring.stuck) {
                return;
            }
            ring.making = true;
            if ring.stuck {
                reached!("ring grows");
            }
            if ring.stuck { (ring.file_bytes, false) } else { (ring.oversize_wanted, true) }
        };
        let core = self.clone();
        self.spawn_beside(Class::Serve, async move {
            let made = core.make_journal_file(bytes).await;
            if let Err(error) = &made {
                // The disk may have room again later; until then the entry waits, and its log behind it.
                tracing::warn!(%error, bytes, "journal file can't be made");
                if error.kind() == std::io::ErrorKind::StorageFull {
                    core.lacks_room();
                }
                core.rt.sleep(Duration::from_secs(1)).await;
            }
            {
                let mut ring = core.journal.ring.borrow_mut();
                ring.making = false;
                ring.stuck = false;
                ring.free.extend(made.ok().map(|file| FreeFile { own, ..file }));
            }
            core.journal.wake.notify_one();
        });
    }

    /// Makes a file of the ring: its blocks are written once, with zeros, before it is used.
    pub(crate) async fn make_journal_file(&self, bytes: u64) -> std::io::Result<FreeFile> {
        let (name, dir) = {
            let mut ring = self.journal.ring.borrow_mut();
            let name = ring.next_name;
            ring.next_name += 1;
            (name, ring.dir.clone())
        };
        make_file(&self.rt, &dir, name, bytes).await
    }

    /// Keeps the ring at its size, in the background.
    pub(crate) async fn fill_ring(self: Rc<Core>) {
        while self.journal.ring.borrow().lacks_files() {
            let bytes = self.journal.ring.borrow().file_bytes;
            match self.make_journal_file(bytes).await {
                Ok(file) => self.journal.ring.borrow_mut().free.push_back(file),
                Err(error) => {
                    // Nothing rests on it yet; a full disk may have room later.
                    tracing::warn!(%error, "journal file can't be made");
                    self.rt.sleep(Duration::from_secs(1)).await;
                }
            }
            self.journal.wake.notify_one();
        }
    }
}

/// Zeroed in pieces of this size, with a yield after each.
const ZERO_BYTES: u64 = 1 << 20;

/// The path of a journal file.
pub(crate) fn file_path(dir: &std::path::Path, name: u32) -> PathBuf {
    dir.join(format!("{name:06}.j"))
}

/// Makes and zeroes a journal file; durable on return, its name included. What can't be made whole is removed: on a full
/// disk it would keep the room that it got.
pub(crate) async fn make_file(
    rt: &ouzel_runtime::Runtime,
    dir: &std::path::Path,
    name: u32,
    bytes: u64,
) -> std::io::Result<FreeFile> {
    let path = file_path(dir, name);
    let made = zeroed_file(rt, dir, &path, bytes).await;
    if made.is_err() {
        reached!("journal file that can't be made");
        // Should that fail as well, the next start removes it.
        let _ = rt.disk().remove_file(&path).await;
    }
    Ok(FreeFile { name, file: made?, bytes, own: false })
}

async fn zeroed_file(
    rt: &ouzel_runtime::Runtime,
    dir: &std::path::Path,
    path: &std::path::Path,
    bytes: u64,
) -> std::io::Result<File> {
    let how = ouzel_runtime::Open { create: true, direct: true, ..Default::default() };
    let file = rt.disk().open(path, how).await?;
    file.allocate(bytes).await?;
    let mut at = 0;
    while at < bytes {
        let mut buf = rt.buffers().take((bytes - at).min(ZERO_BYTES) as usize);
        buf.fill(0);
        let len = buf.len() as u64;
        file.write_at(buf, at, Durability::None).await.0?;
        at += len;
        rt.yield_now().await;
    }
    file.datasync().await?;
    rt.disk().sync_dir(dir).await?;
    Ok(file)
}
