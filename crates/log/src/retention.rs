//! What leaves: prefixes below the log start, whole logs, and what nobody knows.
//!
//! A file is deleted only after the record that says so is durable, and never because a record of it is missing.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::rc::Rc;

use ouzel_model::{Index, Offset, Timestamp, reached};
use ouzel_runtime::Runtime;

use crate::checkpoint::Origin;
use crate::entry::LogId;
use crate::log::{KEY_LOG_START, KEY_RESET, KEY_TRIM, Log, Shared, Ticket};
use crate::segment::base_of_file_name;
use crate::store::{Closed, Core, Store};

/// A segment, as retention sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// First offset.
    pub base_offset: Offset,
    /// Exclusive.
    pub end_offset: Offset,
    /// Index of its first entry.
    pub base_index: Index,
    /// Exclusive.
    pub end_index: Index,
    /// Bytes of the file.
    pub bytes: u64,
    /// Largest timestamp of its records; `i64::MIN` without one.
    pub max_timestamp: Timestamp,
    /// When the last of its entries came here, wall clock: bounds `max_timestamp` for records stamped in the future.
    pub append_time_max: Timestamp,
    /// Whether it is closed; the last one may be open.
    pub sealed: bool,
}

impl Log {
    /// The segments, oldest first. Entries in memory alone aren't among them.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let inner = self.0.inner.borrow();
        inner
            .segments
            .iter()
            .map(|s| SegmentInfo {
                base_offset: s.row.base_offset,
                end_offset: s.row.end_offset,
                base_index: s.row.base_index,
                end_index: s.row.end_index,
                bytes: s.row.end_position,
                max_timestamp: s.row.max_timestamp,
                append_time_max: s.row.append_time_max,
                sealed: s.row.sealed,
            })
            .collect()
    }

    /// Asks that all committed entries are written back and the active segment is sealed; done in the background.
    pub fn seal_active(&self) {
        self.0.inner.borrow_mut().seal_wanted = true;
        self.0.core().writeback.wanted.notify_one();
    }

    /// As [`seal_active`](Self::seal_active), and waits until it is done; on a full disk until there is room. Cancel-safe.
    pub async fn seal(&self) {
        self.seal_active();
        let core = self.0.core();
        while self.0.inner.borrow().seal_wanted {
            core.writeback.rounds.notified().await;
        }
    }

    /// Moves the log start forward; at most the offset behind the committed entries. Segments wholly below it are freed once
    /// this is durable; an offset at or below the log start changes nothing.
    pub fn set_log_start(&self, to: Offset) -> Ticket {
        let core = self.0.core();
        let start = {
            let mut inner = self.0.inner.borrow_mut();
            assert!(to <= inner.log_end, "log start {to} behind the log end {}", inner.log_end);
            inner.log_start = inner.log_start.max(to);
            let start = inner.log_start;
            // The active segment can only go when it is sealed.
            let active = inner.segments.last().filter(|s| !s.row.sealed && s.row.end_offset > s.row.base_offset);
            if active.is_some_and(|s| s.row.end_offset <= start) {
                inner.seal_wanted = true;
                core.writeback.wanted.notify_one();
            }
            start
        };
        let ticket = self.put_state(KEY_LOG_START, start.0.to_le_bytes().to_vec());
        let trimmed = self.trim(&core).unwrap_or(ticket);
        let (below, gone) = self.0.inner.borrow().below_start();
        if below > gone {
            core.writeback.wanted.notify_one();
        }
        trimmed
    }

    /// Frees sealed segments that lie wholly below the log start, but those that wait for a checkpoint.
    fn trim(&self, core: &Rc<Core>) -> Option<Ticket> {
        let origin = {
            let mut inner = self.0.inner.borrow_mut();
            if !inner.attached {
                return None;
            }
            let (_, gone) = inner.below_start();
            let freed = gone.checked_sub(1).map(|last| inner.segments[last].row);
            let last = freed?;
            reached!("segments below the log start");
            inner.segments.drain(..gone);
            inner.origin = Origin { index: Index(last.end_index.0 - 1), term: last.last_term, offset: last.end_offset };
            inner.trim_terms();
            inner.garbage_below = Some(last.end_offset);
            inner.origin
        };
        let ticket = self.put_state(KEY_TRIM, origin.encode());
        self.0.inner.borrow_mut().garbage_after = ticket.0;
        core.writeback.garbage.set(true);
        Some(ticket)
    }

    /// Starts the log anew behind `origin`, empty: what a replica does that takes a start marker or a copied prefix. All it
    /// held is gone, committed or not; its states stay.
    pub fn reset(&self, origin: Origin) -> Ticket {
        let core = self.0.core();
        {
            let mut inner = self.0.inner.borrow_mut();
            let inner = &mut *inner;
            core.uncommitted_bytes.set(core.uncommitted_bytes.get() - inner.uncommitted_bytes);
            core.memory.release(&inner.tail);
            inner.uncommitted_bytes = 0;
            inner.generation += 1;
            inner.segments.clear();
            inner.terms.clear();
            inner.tail = crate::cache::Tail::new(origin.index.next());
            inner.origin = origin;
            inner.log_start = origin.offset;
            inner.log_end = origin.offset;
            inner.committed = origin.index;
            inner.journaled = origin.index;
            inner.footer_due = false;
            // Cuts the entries of older blocks, whether or not a later checkpoint covers the record of the reset.
            inner.truncate_pending = Some(Index(0));
            inner.tickets_pending.iter_mut().for_each(|(_, last)| *last = origin.index);
            inner.garbage_below = Some(Offset(i64::MAX));
            inner.garbage_due = true;
        }
        core.reads.forget(self.0.number);
        self.put_state(KEY_LOG_START, origin.offset.0.to_le_bytes().to_vec());
        let ticket = self.put_state(KEY_RESET, origin.encode());
        self.0.inner.borrow_mut().garbage_after = ticket.0;
        core.writeback.garbage.set(true);
        ticket
    }
}

impl Store {
    /// Removes a log: its journal claim, then its directory. Returns when both are gone; a start after a crash in between
    /// finishes it. A log that isn't there is no error.
    pub async fn remove(&self, id: LogId) -> io::Result<()> {
        let core = &self.0;
        let Some(log) = self.log(id) else { return Ok(()) };
        let ticket = {
            let mut inner = log.0.inner.borrow_mut();
            core.uncommitted_bytes.set(core.uncommitted_bytes.get() - inner.uncommitted_bytes);
            core.memory.release(&inner.tail);
            inner.uncommitted_bytes = 0;
            inner.closed = true;
            inner.close_pending = true;
            inner.generation += 1;
            let next = inner.tail.end();
            inner.tail = crate::cache::Tail::new(next);
            inner.journaled = Index(next.0 - 1);
            log.change(core, &mut inner, true)
        };
        core.ids.borrow_mut().remove(&id);
        let dir = log.0.inner.borrow().options.dir.clone();
        core.logs.borrow_mut().remove(&log.0.number);
        core.closed.borrow_mut().insert(log.0.number, Closed { id, dir, durable: false });
        core.reads.forget(log.0.number);
        while log.returned() < ticket {
            core.journal.progress.notified().await;
        }
        if let Some(closed) = core.closed.borrow_mut().get_mut(&log.0.number) {
            closed.durable = true;
        }
        // Not while a round may be writing there.
        let _busy = core.writeback.busy.acquire(1).await;
        core.collect_closed().await
    }
}

impl Core {
    /// Deletes what trims and removals left, as far as their records are durable.
    pub(crate) async fn collect_garbage(self: &Rc<Core>) -> io::Result<()> {
        self.writeback.garbage.set(false);
        let logs: Vec<Rc<Shared>> = self.logs.borrow().values().cloned().collect();
        for log in logs {
            let below = {
                let inner = log.inner.borrow();
                let durable = inner.returned >= inner.garbage_after;
                if inner.garbage_below.is_some() && !durable {
                    self.writeback.garbage.set(true);
                }
                inner.garbage_below.filter(|_| durable)
            };
            let Some(below) = below else { continue };
            reached!("segment files deleted");
            let dir = self.log_dir(&log);
            if self.rt.disk().exists(&dir).await? {
                for entry in self.rt.disk().read_dir(&dir).await? {
                    if base_of_file_name(&entry.name).is_some_and(|base| base < below) {
                        let key = (log.number, base_of_file_name(&entry.name).map_or(0, |base| base.0));
                        self.reads.files.borrow_mut().remove((key.0, key.1, false));
                        self.reads.files.borrow_mut().remove((key.0, key.1, true));
                        // Its descriptor would keep the space until the next checkpoint, which a full disk may wait for for ever.
                        self.writeback.forget_segment(key);
                        self.rt.disk().remove_file(&dir.join(&entry.name)).await?;
                    }
                }
                self.rt.disk().sync_dir(&dir).await?;
            }
            let mut inner = log.inner.borrow_mut();
            if inner.garbage_below == Some(below) {
                inner.garbage_below = None;
                inner.garbage_due = false;
            }
        }
        Ok(())
    }

    /// Frees what was sealed since its log start moved.
    pub(crate) fn trim_all(self: &Rc<Core>) {
        let logs: Vec<Log> = self.logs.borrow().values().cloned().map(Log).collect();
        for log in logs {
            log.trim(self);
        }
    }

    /// Deletes the directories of removed logs whose Close record is durable.
    pub(crate) async fn collect_closed(&self) -> io::Result<()> {
        let closed: Vec<_> =
            self.closed.borrow().iter().filter(|(_, c)| c.durable).map(|(n, c)| (*n, c.dir.clone())).collect();
        for (number, dir) in closed {
            let path = self.config.dir.join(&dir);
            // What is gone needs no sync.
            self.writeback.forget(number, &path);
            if self.rt.disk().exists(&path).await? {
                self.rt.disk().remove_dir_all(&path).await?;
                if let Some(parent) = path.parent() {
                    self.rt.disk().sync_dir(parent).await?;
                }
            }
            self.closed.borrow_mut().remove(&number);
        }
        Ok(())
    }
}

/// Moves directories below `<data>/topics/*/` that no log of any shard knows to `<data>/lost+found/`. `known` are the
/// directories of all shards' logs ([`Store::dirs`]). Nothing is deleted. Returns what was moved.
pub async fn quarantine_unknown(rt: &Runtime, data: &Path, known: &BTreeSet<String>) -> io::Result<Vec<String>> {
    let topics = data.join("topics");
    let mut moved = Vec::new();
    if !rt.disk().exists(&topics).await? {
        return Ok(moved);
    }
    for topic in rt.disk().read_dir(&topics).await?.into_iter().filter(|e| e.is_dir) {
        for partition in rt.disk().read_dir(&topics.join(&topic.name)).await?.into_iter().filter(|e| e.is_dir) {
            let dir = format!("topics/{}/{}", topic.name, partition.name);
            if known.contains(&dir) {
                continue;
            }
            reached!("unknown directory");
            let found = data.join("lost+found");
            rt.disk().create_dir_all(&found).await?;
            let to = found.join(format!("{}-{}-{}", topic.name, partition.name, rt.wall_clock().0));
            rt.disk().rename(&data.join(&dir), &to).await?;
            for dir in [&found, &topics.join(&topic.name), &data.to_owned()] {
                rt.disk().sync_dir(dir).await?;
            }
            tracing::warn!(%dir, to = %to.display(), "a directory that no log knows was moved aside");
            moved.push(dir);
        }
    }
    Ok(moved)
}
