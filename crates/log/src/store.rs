//! A shard's store: its logs, its journal, and the tasks that serve them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;

use ouzel_model::{Index, Offset, ShardId, buggify, reached};
use ouzel_runtime::sync::Notify;
use ouzel_runtime::{Class, Runtime, Task, select};

use crate::block::{LogNumber, Seed};
use crate::cache::Tail;
use crate::checkpoint::Origin;
use crate::entry::LogId;
use crate::health::Health;
use crate::journal::Journal;
use crate::log::{AppendRefused, Inner, Log, LogOptions, Shared, Ticket};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::reader::Reads;
use crate::writeback::Writeback;

/// Settings of a shard's store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The data directory, shared by all shards of the node.
    pub dir: PathBuf,
    /// This shard: its journal lies in `shard-<n>`, with a layout above 0 in `shard-<n>.<layout>`.
    pub shard: ShardId,
    /// Seeds every checksum of journal and checkpoint: another node's files are never taken for ours.
    pub node_uuid: [u8; 16],
    /// Layout generation of the data directory (`node.toml`); files of another one are ignored.
    pub layout: u32,
    /// Bytes of a journal file.
    pub journal_file_bytes: u64,
    /// Files of the ring, at least 5: two stay reserved for what frees the others.
    pub journal_files: usize,
    /// Blocks in flight.
    pub journal_depth: usize,
    /// Largest entry, bytes.
    pub journal_entry_bytes_max: u64,
    /// Write-cached bytes after which the journal is synced. Topic setting `flush.bytes`, for the shard.
    pub flush_bytes: u64,
    /// Age of write-cached bytes at which the journal is synced, milliseconds.
    pub flush_ms: u64,
    /// Bytes of chunks that the tails of all logs may hold; beyond twice that, appends are refused until write-back caught up.
    pub chunk_bytes_max: u64,
    /// Bytes of runs read from segments that are kept for the next reader.
    pub block_cache_bytes_max: u64,
    /// Descriptors of segment files that stay open.
    pub files_open_max: usize,
    /// Segment roll size of a log that isn't attached yet, bytes.
    pub segment_bytes: u64,
    /// Segment age of a log that isn't attached yet, milliseconds.
    pub segment_ms: i64,
    /// Free bytes below which appends are refused; `None`: the larger of 5 % of the disk and 1 GiB.
    pub storage_min_free: Option<u64>,
}

impl StoreConfig {
    /// The defaults for a shard's store in `dir`.
    pub fn new(dir: PathBuf, shard: ShardId, node_uuid: [u8; 16]) -> StoreConfig {
        StoreConfig {
            dir,
            shard,
            node_uuid,
            layout: 0,
            journal_file_bytes: 64 << 20,
            journal_files: 8,
            journal_depth: 2,
            journal_entry_bytes_max: 128 << 20,
            flush_bytes: 16 << 20,
            flush_ms: 1000,
            chunk_bytes_max: 256 << 20,
            block_cache_bytes_max: 64 << 20,
            files_open_max: 512,
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3600 * 1000,
            storage_min_free: None,
        }
    }

    /// Directory of the shard's journal and checkpoint.
    pub(crate) fn shard_dir(&self) -> PathBuf {
        self.dir.join(crate::handover::dir_name(self.shard, self.layout))
    }

    pub(crate) fn seed(&self) -> Seed {
        Seed { node_uuid: self.node_uuid, shard: self.shard }
    }

    /// Small limits in a random subset of simulated runs.
    pub(crate) fn shaken(mut self) -> StoreConfig {
        self.journal_file_bytes = buggify!("journal file 256 KiB", 0.5, 256 << 10, self.journal_file_bytes);
        self.journal_file_bytes = buggify!("journal file 64 KiB", 0.3, 64 << 10, self.journal_file_bytes);
        self.journal_depth = buggify!("journal depth 4", 0.2, 4, self.journal_depth);
        self.chunk_bytes_max = buggify!("chunks 256 KiB", 0.2, 256 << 10, self.chunk_bytes_max);
        self.block_cache_bytes_max = buggify!("block cache 0", 0.2, 0, self.block_cache_bytes_max);
        self.files_open_max = buggify!("open files 2", 0.2, 2, self.files_open_max);
        self
    }
}

/// A log found at the start.
pub struct Recovered {
    /// The id it was created with.
    pub id: LogId,
    /// Its directory below the data directory.
    pub dir: String,
    /// The log, not attached: it is read, but written back only after [`Store::attach`].
    pub log: Log,
}

/// A removed log.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    pub(crate) id: LogId,
    pub(crate) dir: String,
    /// Its Close record is durable: the directory may go.
    pub(crate) durable: bool,
}

/// One shard's store. Clones are one store; when the last is dropped its tasks end where they are, as at a kill, and its logs
/// must not be used any more. [`Store::close`] ends it cleanly.
#[derive(Clone)]
pub struct Store(pub(crate) Rc<Core>, Rc<Tasks>);

struct Tasks(Vec<Task>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(Task::abort);
    }
}

/// What the store, its logs and its tasks share.
pub(crate) struct Core {
    pub(crate) rt: Runtime,
    pub(crate) config: StoreConfig,
    pub(crate) journal: Journal,
    pub(crate) logs: RefCell<BTreeMap<LogNumber, Rc<Shared>>>,
    pub(crate) ids: RefCell<BTreeMap<LogId, LogNumber>>,
    pub(crate) next_number: Cell<u32>,
    /// Removed logs whose directory is still to be deleted.
    pub(crate) closed: RefCell<BTreeMap<LogNumber, Closed>>,
    /// Logs with tickets that came back.
    pub(crate) ready: RefCell<Vec<Rc<Shared>>>,
    pub(crate) ready_changed: Notify,
    pub(crate) closing: Cell<bool>,
    /// Journal blocks that this start found missing.
    missing: Option<(u64, u64)>,
    /// Whoever needs to know of them has taken it down.
    noted: Cell<bool>,
    pub(crate) uncommitted_bytes: Cell<u64>,
    pub(crate) memory: Memory,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    pub(crate) reads: Reads,
    pub(crate) writeback: Writeback,
    /// Tasks that end with the store, some long ended.
    beside: RefCell<Vec<Task>>,
}

impl Store {
    /// Opens the shard's store, or makes it. Replays the journal; what was read above the last durable mark is written
    /// anew and synced before this returns, so all that the recovered logs hold is durable.
    pub async fn open(rt: &Runtime, config: StoreConfig) -> Result<(Store, Vec<Recovered>), crate::OpenError> {
        let config = config.shaken();
        let recovery = crate::recovery::recover(rt, &config).await?;
        let core = Rc::new_cyclic(|weak| {
            let mut logs = BTreeMap::new();
            let mut ids = BTreeMap::new();
            for log in recovery.logs {
                ids.insert(log.id, log.number);
                let shared =
                    Shared { core: weak.clone(), number: log.number, id: log.id, inner: RefCell::new(log.inner) };
                logs.insert(log.number, Rc::new(shared));
            }
            Core {
                rt: rt.clone(),
                journal: Journal::new(recovery.ring),
                logs: RefCell::new(logs),
                ids: RefCell::new(ids),
                next_number: Cell::new(recovery.next_number),
                closed: RefCell::new(recovery.closed),
                ready: RefCell::default(),
                ready_changed: Notify::new(),
                closing: Cell::new(false),
                missing: recovery.missing,
                noted: Cell::new(recovery.missing.is_none()),
                uncommitted_bytes: Cell::new(0),
                memory: Memory::default(),
                metrics: Metrics::new(rt),
                health: Health::new(&config),
                reads: Reads::new(rt, &config),
                writeback: Writeback::new(recovery.checkpoint_sequence),
                beside: RefCell::default(),
                config,
            }
        });
        let recovered = core.adopt();
        core.writeback.renew.set(recovery.missing.is_some());
        let io = |source| crate::OpenError::Io { dir: core.config.dir.display().to_string(), source };
        let collected = !core.closed.borrow().is_empty();
        core.collect_closed().await.map_err(io)?;
        core.check_space().await;
        let store = Store(core.clone(), Rc::new(core.start()));
        if collected {
            // From here on a log of the same directory may be created, on another shard too: the next start mustn't delete it.
            let _busy = core.writeback.busy.acquire(1).await;
            core.checkpoint().await;
        }
        Ok((store, recovered))
    }

    /// Creates a log that begins empty. Its number and directory become durable with its first change's ticket.
    /// The id must not be in use, and [`remove`](Self::remove) of an earlier log of its directory have returned (asserted).
    pub fn create(&self, id: LogId, options: LogOptions, token: u64) -> Log {
        let core = &self.0;
        let number = LogNumber(core.next_number.get());
        core.next_number.set(number.0 + 1);
        let mut inner = Inner::new(options.shaken(), Origin::ZERO, core.rt.now());
        inner.token = Some(token);
        inner.attached = true;
        inner.open_pending = true;
        let shared = Shared { core: Rc::downgrade(core), number, id, inner: RefCell::new(inner) };
        let log = Log(Rc::new(shared));
        assert!(core.ids.borrow_mut().insert(id, number).is_none(), "log {id} is there already");
        let dir = log.0.inner.borrow().options.dir.clone();
        assert!(core.closed.borrow().values().all(|c| c.dir != dir), "{dir} is still being removed");
        core.logs.borrow_mut().insert(number, log.0.clone());
        log.change(core, &mut log.0.inner.borrow_mut(), true);
        log
    }

    /// Takes up a recovered log: its tickets carry `token` from here on, and write-back may take its entries. `options.dir`
    /// must be the recovered one (asserted). Call [`Log::set_sections`] in the same turn.
    pub fn attach(&self, log: &Log, token: u64, options: LogOptions) {
        let mut inner = log.0.inner.borrow_mut();
        assert_eq!(inner.options.dir, options.dir, "directory of log {}", log.0.id);
        inner.token = Some(token);
        inner.options = options.shaken();
        inner.attached = true;
    }

    /// A log by its id.
    pub fn log(&self, id: LogId) -> Option<Log> {
        let number = *self.0.ids.borrow().get(&id)?;
        self.0.logs.borrow().get(&number).cloned().map(Log)
    }

    /// What this start couldn't read of the journal. Logs that were recovered are marked damaged for it; a log whose very
    /// creation stood there is **absent**: whoever knows that it was here must create it marked damaged
    /// ([`Log::set_damage`]), and not as one that has never voted. Until it has said so by [`damage_noted`](Self::damage_noted),
    /// each start finds the same.
    pub fn damage(&self) -> Option<String> {
        self.0.missing.map(|(first, last)| format!("journal blocks {first} to {last} can't be read"))
    }

    /// All logs that [`damage`](Self::damage) may have taken are marked: the journal files with bad blocks may be set aside.
    pub fn damage_noted(&self) {
        self.0.noted.set(true);
        self.0.writeback.wanted.notify_one();
    }

    /// Directories of all logs, below the data directory.
    pub fn dirs(&self) -> Vec<String> {
        self.0.logs.borrow().values().map(|log| log.inner.borrow().options.dir.clone()).collect()
    }

    /// The highest ticket of each log that came back since the last call, with the log's token; waits for at least one.
    /// For one driver. Cancel-safe.
    pub async fn durable(&self) -> Vec<(u64, Ticket)> {
        loop {
            let ready = self.take_durable();
            if !ready.is_empty() {
                return ready;
            }
            self.0.ready_changed.notified().await;
        }
    }

    /// As [`durable`](Self::durable), what is there now.
    pub fn take_durable(&self) -> Vec<(u64, Ticket)> {
        let logs = std::mem::take(&mut *self.0.ready.borrow_mut());
        let mut out = Vec::with_capacity(logs.len());
        for log in logs {
            let mut inner = log.inner.borrow_mut();
            let ticket = Ticket(std::mem::take(&mut inner.ready));
            // Nobody waits for what was done to a log that wasn't taken up, such as its removal.
            out.extend(inner.token.map(|token| (token, ticket)));
        }
        out
    }

    /// Waits until write-back has ended a round: what was refused as [`Busy`](AppendRefused::Busy) may be taken now. Cancel-safe.
    pub async fn relieved(&self) {
        self.0.writeback.rounds.notified().await;
    }

    /// Ends cleanly: appends are refused, all that was taken becomes durable, the last block is marked, and the checkpoint
    /// is written. Where journal and disk are full, what waits for a block is given up instead: it was never acknowledged.
    /// The store must not be used after.
    pub async fn close(&self) {
        let core = &self.0;
        core.closing.set(true);
        let settled = async {
            core.journal.drained().await;
            let sequence = core.journal.ring.borrow().sequence;
            core.journal.durable(core, sequence).await;
            core.stop_writeback().await;
            core.checkpoint().await;
            core.journal.drained().await;
        };
        select! {
            () = settled => {},
            () = core.jammed() => {
                reached!("closed on a full disk");
                tracing::warn!(dir = %core.config.dir.display(), "the disk is full: closed without a checkpoint");
            }
        }
        core.end_beside().await;
        core.journal.landed().await;
        core.journal.flushed().await;
        self.1.0.iter().for_each(Task::abort);
        while !self.1.0.iter().all(Task::is_ended) {
            core.rt.yield_now().await;
        }
    }
}

impl Core {
    /// Books what recovery loaded.
    fn adopt(self: &Rc<Core>) -> Vec<Recovered> {
        let logs = self.logs.borrow();
        let (mut out, mut damaged) = (Vec::new(), Vec::new());
        for (number, log) in logs.iter() {
            let inner = log.inner.borrow();
            self.uncommitted_bytes.set(self.uncommitted_bytes.get() + inner.uncommitted_bytes);
            self.memory.adopt(*number, &inner.tail);
            if inner.damage.is_some() {
                damaged.push(Log(log.clone()));
            }
            out.push(Recovered { id: log.id, dir: inner.options.dir.clone(), log: Log(log.clone()) });
        }
        // The next start mustn't take for whole what this one found damaged.
        for log in damaged {
            log.set_damage(log.damage());
        }
        out
    }

    fn start(self: &Rc<Core>) -> Tasks {
        let tasks = vec![
            self.rt.spawn(Class::Serve, self.clone().commit_loop()),
            self.rt.spawn(Class::Background, self.clone().fill_ring()),
            self.rt.spawn(Class::Background, self.clone().writeback_loop()),
        ];
        self.after_acknowledge(false);
        Tasks(tasks)
    }

    /// Spawns what may wait for long, and needn't come to its end when the store does.
    pub(crate) fn spawn_beside(&self, class: Class, task: impl Future<Output = ()> + 'static) {
        if class == Class::CatchUp && self.closing.get() {
            // Nobody would read what it brings.
            return;
        }
        let mut beside = self.beside.borrow_mut();
        if beside.len().is_power_of_two() {
            beside.retain(|t| !t.is_ended());
        }
        beside.push(self.rt.spawn(class, task));
    }

    async fn end_beside(&self) {
        let beside = std::mem::take(&mut *self.beside.borrow_mut());
        beside.iter().for_each(Task::abort);
        for task in beside {
            task.await;
        }
    }

    /// Whether a checkpoint may pass over journal blocks that can't be read.
    pub(crate) fn may_pass(&self) -> bool {
        self.noted.get()
    }

    /// Ends the broker; never returns.
    pub(crate) async fn fail(&self, reason: String) -> ! {
        tracing::error!(shard = self.config.shard.0, %reason, "storage failed");
        match self.rt.fail(reason).await {}
    }

    /// Bytes that may wait for a majority: a quarter of the journal.
    fn pinned_max(&self) -> u64 {
        let ring = self.journal.ring.borrow();
        ring.file_bytes * ring.files_max as u64 / 4
    }

    /// Refuses what would pin too much of the journal, the largest logs first: half of it for one log, and beyond the whole
    /// the logs that hold more than their share.
    pub(crate) fn admit_pinned(&self, of_log: u64, more: u64) -> Result<(), AppendRefused> {
        let max = self.pinned_max();
        let all = self.uncommitted_bytes.get() + more;
        // An entry that is larger than the limit passes when nothing else waits: it has a file of its own.
        if of_log > 0 && (of_log + more > max / 2 || (all > max && of_log + more > max / 16)) {
            return Err(AppendRefused::Pinned { bytes: all, max });
        }
        Ok(())
    }

    /// A commit index moved: what waits for write-back may go on.
    pub(crate) fn commit_moved(&self) {
        if self.writeback.starved.get() {
            self.writeback.wanted.notify_one();
        }
    }
}

impl Inner {
    /// The state of an empty log behind `origin`.
    pub(crate) fn new(options: LogOptions, origin: Origin, now: ouzel_runtime::Instant) -> Inner {
        Inner {
            token: None,
            attached: false,
            closed: false,
            reserve: false,
            options,
            sections: None,
            sections_from: Index(0),
            origin,
            log_start: Offset(0),
            log_end: origin.offset,
            terms: Vec::new(),
            segments: Vec::new(),
            tail: Tail::new(origin.index.next()),
            committed: origin.index,
            uncommitted_bytes: 0,
            states: Vec::new(),
            damage: None,
            journaled: origin.index,
            queued: false,
            wants_sync: false,
            open_pending: false,
            close_pending: false,
            truncate_pending: None,
            states_pending: Default::default(),
            tickets_pending: VecDeque::new(),
            next_ticket: 0,
            ready: 0,
            returned: 0,
            last_append: now,
            seal_wanted: false,
            footer_due: false,
            generation: 0,
            garbage_below: None,
            garbage_after: 0,
            garbage_due: false,
        }
    }
}
