//! The metadata's one writer: changes go through its log, images come out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use ouzel_log::{AppendRefused, Kind, Log, LogId, LogOptions, ReadError, Store, Ticket};
use ouzel_model::{Index, NodeId, Offset, Term, Timestamp, buggify};
use ouzel_raft::BadStored;
use ouzel_records::{Batch, BatchBuilder, Codec, records};
use ouzel_runtime::sync::{Latch, Notify, oneshot, watch};
use ouzel_runtime::{Class, Runtime, Task};

use crate::command::Command;
use crate::encoding::{BadBytes, Snapshot, decode_command, encode_command};
use crate::replica::Replica;
use crate::{Image, Plan, snapshots};

/// The controller's log among the logs of shard 0. No topic has this id.
pub const CONTROLLER_LOG: LogId = LogId([0; 20]);

/// Changes that wait for the disk at once. A client's change takes one; each holds an image that shares most with the others.
const PENDING_MAX: usize = 1024;
/// A segment of the log. Small, so that snapshots soon free what they cover.
const SEGMENT_BYTES: u64 = 4 << 20;
const SEGMENT_MS: i64 = 7 * 24 * 3_600_000;
/// Entries read at once while replaying, bytes.
const REPLAY_BYTES: usize = 1 << 20;

/// How to open a controller.
#[derive(Clone, Debug)]
pub struct ControllerOptions {
    /// The node's data directory.
    pub data_dir: PathBuf,
    /// This broker, the only voter.
    pub node: NodeId,
    /// What the store gives back with the log's tickets; see [`Controller::durable`].
    pub token: u64,
    /// Commands after which a snapshot is taken, at least 1.
    pub snapshot_commands: u64,
}

impl ControllerOptions {
    /// A snapshot each 1,000 commands: a start replays at most about twice as many.
    pub fn new(data_dir: PathBuf, node: NodeId, token: u64) -> ControllerOptions {
        ControllerOptions { data_dir, node, token, snapshot_commands: 1000 }
    }
}

/// Why the metadata can't be opened. The broker doesn't start: it is the sole voter, and nobody else has what is missing.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log lost entries below its end.
    #[error("the metadata log is damaged: {0}")]
    DamagedLog(String),
    /// No snapshot verifies that the log goes on from.
    #[error("no snapshot of the metadata verifies that reaches index {0}, where its log begins")]
    NoSnapshot(Index),
    /// The log ends before what a snapshot covers.
    #[error("a snapshot of the metadata covers index {snapshot}, but its log ends at {last}: the journal was lost")]
    LostLog {
        /// Last index the snapshot covers.
        snapshot: Index,
        /// Last index of the log.
        last: Index,
    },
    /// An entry isn't what the controller writes.
    #[error("entry {index} of the metadata log: {reason}")]
    BadEntry {
        /// Where.
        index: Index,
        /// Why.
        reason: BadBytes,
    },
    /// A snapshot was written by a newer Ouzel.
    #[error("{}: {reason}", path.display())]
    NewerSnapshot {
        /// The file.
        path: PathBuf,
        /// Both versions.
        reason: BadBytes,
    },
    /// Log and vote don't fit together.
    #[error("the metadata log and its vote don't fit: {0}")]
    BadVote(#[from] BadStored),
    /// The log can't be read.
    #[error("the metadata log can't be read: {0}")]
    Read(#[from] ReadError),
    /// The disk failed.
    #[error("files of the metadata: {0}")]
    Io(#[from] io::Error),
}

/// Why a change wasn't made. Nothing of it was taken, but with `Stopped`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Too many changes wait for the disk; retry later.
    #[error("{PENDING_MAX} changes of the metadata wait for the disk")]
    Busy,
    /// The log refused it.
    #[error("the metadata log refuses entries: {0}")]
    Refused(#[from] AppendRefused),
    /// A command doesn't fit the image any more: plan again.
    #[error("the metadata changed meanwhile")]
    Outdated,
    /// The broker stops. Whether the change was made is known after the next start.
    #[error("the broker stops")]
    Stopped,
}

/// The controller of a one-node cluster. Clones are one controller. Shard 0 only.
#[derive(Clone)]
pub struct Controller(Rc<Inner>);

struct Inner {
    rt: Runtime,
    options: ControllerOptions,
    state: RefCell<State>,
    image: watch::Sender<Arc<Image>>,
    /// Set when changes are taken.
    ready: Latch,
    snapshot_due: Rc<Notify>,
    snapshots: RefCell<Option<Task>>,
}

struct State {
    replica: Replica,
    /// With all changes that were appended; the published image follows when they are durable.
    tail: Arc<Image>,
    /// Index of the last change appended.
    last: Index,
    /// Images to publish, by the index that must be committed.
    pending: VecDeque<(Index, Arc<Image>)>,
    /// Who waits for which index.
    waiting: VecDeque<(Index, oneshot::Sender<Arc<Image>>)>,
    /// Where the published image stands.
    applied: (Index, Term),
    /// The newest snapshot, as (index, version).
    snapshot: (Index, u64),
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = self.snapshots.borrow().as_ref() {
            task.abort();
        }
    }
}

impl Controller {
    /// Reads the newest snapshot that verifies and the log behind it, and begins to lead. The image is there when this
    /// returns; changes are taken once the caller feeds [`durable`](Self::durable).
    pub async fn open(rt: &Runtime, store: &Store, options: ControllerOptions) -> Result<Controller, OpenError> {
        assert!(options.snapshot_commands > 0, "a snapshot covers something new");
        let log = open_log(store, options.token)?;
        // A topic can be deleted when the disk is full: that is what makes room.
        log.set_reserve(true);
        let start = load(rt, &log, &options).await?;
        let snapshot = (start.index, start.image.version());
        let (image, applied) = replay(&log, start).await?;
        let replica = Replica::new(log, options.node)?;
        let image = Arc::new(image);
        let state = State {
            replica,
            tail: image.clone(),
            last: applied.0,
            pending: VecDeque::new(),
            waiting: VecDeque::new(),
            applied,
            snapshot,
        };
        let controller = Controller(Rc::new(Inner {
            rt: rt.clone(),
            options,
            state: RefCell::new(state),
            image: watch::watch(image).0,
            ready: Latch::new(),
            snapshot_due: Rc::new(Notify::new()),
            snapshots: RefCell::new(None),
        }));
        let due = controller.0.snapshot_due.clone();
        let task = rt.spawn(Class::Background, snapshot_loop(Rc::downgrade(&controller.0), due));
        *controller.0.snapshots.borrow_mut() = Some(task);
        Ok(controller)
    }

    /// Ends its task, a snapshot under way with it.
    pub async fn close(&self) {
        let task = self.0.snapshots.borrow_mut().take();
        if let Some(task) = task {
            task.abort();
            task.await;
        }
    }

    /// The metadata as of the last durable change.
    pub fn image(&self) -> Arc<Image> {
        self.0.image.borrow().clone()
    }

    /// Sees each new image, or the newest of several.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Image>> {
        self.0.image.subscribe()
    }

    /// The driver's duty: the log's writes up to this ticket are durable ([`Store::durable`] gave it with the token).
    pub fn durable(&self, ticket: Ticket) {
        let inner = &self.0;
        let (published, answered) = {
            let mut state = inner.state.borrow_mut();
            let Some(committed) = state.replica.durable(ticket) else { return };
            if state.replica.is_ready() {
                inner.ready.set();
            }
            state.take_committed(committed)
        };
        if let Some(image) = published {
            inner.image.send(image);
        }
        let image = self.image();
        for answer in answered {
            // Who gave up waiting needs no answer.
            let _ = answer.send(image.clone());
        }
        if inner.snapshot_is_due() {
            inner.snapshot_due.notify_one();
        }
    }

    /// Plans a change on the newest state and makes it. The plan sees all changes before it, also those that aren't durable
    /// yet; its outcome is returned when they and its own commands are. Its commands are one entry of the log: all are
    /// carried out, or none. Dropping the future doesn't undo the change.
    pub async fn change<T>(&self, plan: impl FnOnce(&Image) -> Plan<T>) -> Result<(Arc<Image>, T), ProposeError> {
        self.0.state.borrow_mut().replica.append_owed()?;
        self.0.ready.wait().await;
        let (answer, outcome) = {
            let mut state = self.0.state.borrow_mut();
            if state.waiting.len() >= PENDING_MAX {
                return Err(ProposeError::Busy);
            }
            let Plan { commands, outcome } = plan(&state.tail);
            if !commands.is_empty() {
                state.append(&commands, self.0.rt.wall_clock())?;
            } else if state.pending.is_empty() {
                return Ok((self.image(), outcome));
            }
            let (answer, answered) = oneshot::oneshot();
            let index = state.last;
            state.waiting.push_back((index, answer));
            (answered, outcome)
        };
        let image = answer.await.map_err(|_| ProposeError::Stopped)?;
        Ok((image, outcome))
    }

    /// Makes one change that was planned before; `Outdated` when it doesn't fit any more.
    pub async fn propose(&self, command: Command) -> Result<Arc<Image>, ProposeError> {
        let plan = |image: &Image| {
            let fits = image.clone().apply(&command);
            Plan { commands: if fits { vec![command] } else { Vec::new() }, outcome: fits }
        };
        match self.change(plan).await? {
            (image, true) => Ok(image),
            (_, false) => Err(ProposeError::Outdated),
        }
    }
}

impl State {
    fn append(&mut self, commands: &[Command], now: Timestamp) -> Result<(), ProposeError> {
        let mut image = self.tail.clone();
        let mut batch = BatchBuilder::new();
        let after = Arc::make_mut(&mut image);
        for command in commands {
            assert!(after.apply(command), "a plan fits the image it was made on: {command:?}");
            batch.push(now, None, Some(&encode_command(command)), &[]);
        }
        let count = u32::try_from(commands.len()).expect("a plan has under 2^32 commands");
        self.last = self.replica.propose(batch.build(Codec::None), count, now)?;
        self.pending.push_back((self.last, image.clone()));
        self.tail = image;
        Ok(())
    }

    /// Entries up to this one (inclusive) are committed: what to publish, and whom to answer then.
    fn take_committed(&mut self, committed: Index) -> (Option<Arc<Image>>, Vec<oneshot::Sender<Arc<Image>>>) {
        let mut published = None;
        while let Some((_, image)) = self.pending.pop_front_if(|(index, _)| *index <= committed) {
            published = Some(image);
        }
        let mut answered = Vec::new();
        while let Some((_, answer)) = self.waiting.pop_front_if(|(index, _)| *index <= committed) {
            answered.push(answer);
        }
        self.applied = (committed, self.replica.term());
        (published, answered)
    }
}

impl Inner {
    fn snapshot_is_due(&self) -> bool {
        let each = buggify!("controller snapshot each 3", 0.3, 3, self.options.snapshot_commands);
        self.image.borrow().version() >= self.state.borrow().snapshot.1 + each
    }

    /// Writes a snapshot of the published image, then frees what the one before it covers: a damaged newest one loses nothing.
    async fn take_snapshot(&self) -> io::Result<()> {
        let (index, term) = self.state.borrow().applied;
        let image = Image::clone(&self.image.borrow());
        let (disk, data) = (self.rt.disk(), &self.options.data_dir);
        let version = image.version();
        snapshots::save(&self.rt, data, &Snapshot { index, term, image }).await?;
        let before = std::mem::replace(&mut self.state.borrow_mut().snapshot, (index, version));
        snapshots::drop_older(disk, data, before.0).await?;
        // Offsets of the log count commands.
        self.state.borrow_mut().replica.trim(Offset(before.1 as i64));
        Ok(())
    }
}

async fn snapshot_loop(inner: Weak<Inner>, due: Rc<Notify>) {
    loop {
        due.notified().await;
        let Some(inner) = inner.upgrade() else { return };
        if inner.snapshot_is_due()
            && let Err(error) = inner.take_snapshot().await
        {
            // The log still holds everything, and the next change asks again.
            tracing::warn!(%error, "no snapshot of the metadata could be written");
        }
    }
}

fn open_log(store: &Store, token: u64) -> Result<Log, OpenError> {
    let options = LogOptions {
        dir: "controller/log".into(),
        name: "controller".into(),
        segment_bytes: SEGMENT_BYTES,
        segment_ms: SEGMENT_MS,
    };
    let Some(log) = store.log(CONTROLLER_LOG) else {
        // Its creation may stand in what can't be read: an empty log in its place would found the cluster anew.
        return match store.damage() {
            Some(damage) => Err(OpenError::DamagedLog(damage)),
            None => Ok(store.create(CONTROLLER_LOG, options, token)),
        };
    };
    store.attach(&log, token, options);
    match log.damage() {
        Some(damage) => Err(OpenError::DamagedLog(damage)),
        None => Ok(log),
    }
}

/// The newest snapshot that verifies, or an empty image when the log holds everything from its first entry on.
async fn load(rt: &Runtime, log: &Log, options: &ControllerOptions) -> Result<Snapshot, OpenError> {
    let (origin, last) = (log.origin(), log.last_index());
    match snapshots::load(rt.disk(), &options.data_dir).await?.into_iter().next() {
        // A snapshot covers only what was durable: a log that ends before it lost something.
        Some(newest) if newest.index > last => Err(OpenError::LostLog { snapshot: newest.index, last }),
        // Entries in front of the origin that it doesn't cover must be Blanks: those take no offset.
        Some(newest) if newest.image.version() as i64 >= origin.offset.0 => {
            let reached = newest.index.max(origin.index);
            Ok(Snapshot { index: reached, term: newest.term.max(origin.term), image: newest.image })
        }
        None if origin.index == Index(0) => Ok(Snapshot { index: Index(0), term: Term(0), image: Image::default() }),
        _ => Err(OpenError::NoSnapshot(origin.index)),
    }
}

/// Carries out what the log holds behind a snapshot. A sole voter's log is committed as far as it is durable, and all that a
/// start reads is.
async fn replay(log: &Log, start: Snapshot) -> Result<(Image, (Index, Term)), OpenError> {
    let Snapshot { index, term, mut image } = start;
    let mut applied = (index, term);
    let end = log.last_index().next();
    while applied.0.next() < end {
        let entries = log.entries(applied.0.next(), end, REPLAY_BYTES).await?;
        if entries.is_empty() {
            return Err(OpenError::DamagedLog(format!("nothing behind index {}", applied.0)));
        }
        for entry in entries {
            let bad =
                |reason: &str| OpenError::BadEntry { index: entry.index, reason: BadBytes::Damaged(reason.into()) };
            if entry.index != applied.0.next() {
                return Err(bad("not the next one"));
            }
            match entry.kind {
                Kind::Blank => {}
                Kind::Batch if entry.base_offset.0 != image.version() as i64 => {
                    return Err(bad("offset isn't the version"));
                }
                Kind::Batch => {
                    apply_batch(&mut image, &entry.payload)
                        .map_err(|reason| OpenError::BadEntry { index: entry.index, reason })?;
                }
                Kind::Membership | Kind::Control => return Err(bad("a kind that this version doesn't write")),
            }
            applied = (entry.index, entry.term);
        }
    }
    Ok((image, applied))
}

fn apply_batch(image: &mut Image, payload: &[u8]) -> Result<(), BadBytes> {
    let damaged = |text: String| BadBytes::Damaged(text);
    let (batch, rest) = Batch::split_first(payload).map_err(|error| damaged(error.to_string()))?;
    if !rest.is_empty() {
        return Err(damaged("bytes behind the batch".into()));
    }
    for record in records(&batch, batch.records()) {
        let record = record.map_err(|error| damaged(error.to_string()))?;
        image.apply(&decode_command(record.value.ok_or_else(|| damaged("no value".into()))?)?);
    }
    Ok(())
}
