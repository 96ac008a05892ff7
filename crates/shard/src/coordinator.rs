//! A group coordinator at home: the pure machine of crate `groups` beside the partition of `__consumer_offsets` that keeps its state.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use bytes::Bytes;
use ouzel_groups::{Append, AppendFailed, AppendId, Effect, GroupRequest, GroupResponse, Groups, Now, Record, ReplyId};
use ouzel_model::{Offset, TopicName, reached};
use ouzel_partition::{Appended, Partition, Source, Zstd};
use ouzel_records::{BatchBuilder, Codec, Limits};
use ouzel_runtime::sync::{Notify, oneshot};
use ouzel_runtime::{Class, Runtime};
use tracing::{error, info, warn};

use crate::Shard;

/// Bytes read in one piece while state is loaded.
const LOAD_BYTES: usize = 1 << 20;
/// Bytes a stored batch may unfold to; our own batches aren't compressed.
const UNFOLD_BYTES_MAX: usize = 8 << 20;
/// The log is rewritten when it is over this size and this many times its live state.
const REWRITE_BYTES_MIN: u64 = 1 << 20;
const REWRITE_RATIO: u64 = 4;

/// The coordinator was closed before it answered: the topic is gone, or the broker stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the coordinator was closed")]
pub struct CoordinatorGone;

/// The groups of one partition of `__consumer_offsets`. Owner shard only.
pub struct Coordinator {
    rt: Runtime,
    partition: Rc<Partition>,
    groups: RefCell<Groups>,
    waiting: RefCell<BTreeMap<ReplyId, oneshot::Sender<GroupResponse>>>,
    next_reply: Cell<u64>,
    /// Appends whose commit is awaited, in order.
    appending: RefCell<VecDeque<(AppendId, Appended)>>,
    appended: Notify,
    /// End of the log when the rewrite under way began.
    superseded: Cell<Option<Offset>>,
    /// Woken when a rewrite is done.
    trimmable: Notify,
    /// Woken when the next deadline may have moved.
    timing: Notify,
    closed: Cell<bool>,
}

impl Shard {
    /// Starts the coordinator of a partition that was opened here.
    pub(crate) fn start_coordinator(self: &Rc<Self>, partition: Rc<Partition>) {
        let number = partition.id();
        let coordinator = Rc::new(Coordinator {
            rt: self.runtime().clone(),
            partition,
            groups: RefCell::new(Groups::new(self.options.groups.clone())),
            waiting: RefCell::default(),
            next_reply: Cell::new(0),
            appending: RefCell::default(),
            appended: Notify::new(),
            superseded: Cell::new(None),
            trimmable: Notify::new(),
            timing: Notify::new(),
            closed: Cell::new(false),
        });
        self.coordinators.borrow_mut().insert(number, coordinator.clone());
        self.runtime().spawn(Class::Serve, async move {
            if let Err(reason) = coordinator.load().await {
                error!(partition = number.0, reason, "group coordinator can't load its state and stays unavailable");
                return;
            }
            let timers = coordinator.clone();
            coordinator.rt.clone().spawn(Class::Serve, async move { timers.run_timers().await });
            let trims = coordinator.clone();
            coordinator.rt.clone().spawn(Class::Background, async move { trims.run_trims().await });
            coordinator.confirm_appends().await;
        });
    }
}

impl Coordinator {
    /// Asks the machine, now; the future waits for its answer, which for a join may take minutes. Dropping it forgets the answer, not the
    /// call.
    pub fn call(&self, request: GroupRequest) -> impl Future<Output = Result<GroupResponse, CoordinatorGone>> + use<> {
        let (sender, receiver) = oneshot::oneshot();
        if !self.closed.get() {
            let reply = ReplyId(self.next_reply.get());
            self.next_reply.set(reply.0 + 1);
            self.waiting.borrow_mut().insert(reply, sender);
            let effects = self.groups.borrow_mut().handle(self.now(), reply, request);
            self.carry_out(effects);
        }
        async move { receiver.await.map_err(|_| CoordinatorGone) }
    }

    /// The machine itself, for metrics.
    pub fn groups(&self) -> std::cell::Ref<'_, Groups> {
        self.groups.borrow()
    }

    /// Offsets of a deleted topic go.
    pub(crate) fn topics_deleted(&self, topics: &BTreeSet<TopicName>) {
        let effects = self.groups.borrow_mut().topics_deleted(self.now(), topics);
        self.carry_out(effects);
    }

    /// Gives all groups up: every call that waits is answered with a retriable error, so that members look elsewhere.
    pub fn resign(&self) {
        let effects = self.groups.borrow_mut().resign();
        self.carry_out(effects);
    }

    /// Ends all calls.
    pub fn close(&self) {
        self.closed.set(true);
        self.waiting.borrow_mut().clear();
        self.appended.notify_all();
        self.timing.notify_all();
        self.trimmable.notify_all();
    }

    fn now(&self) -> Now {
        Now { mono_ms: self.rt.now().as_millis(), wall: self.rt.wall_clock() }
    }

    /// Reads the partition's records into the machine.
    async fn load(&self) -> Result<(), String> {
        let end = self.partition.high_watermark();
        let mut next = self.partition.log().log_start();
        let mut records = 0u64;
        while next < end {
            let read = self.partition.read(next, LOAD_BYTES, true).await.map_err(|e| e.to_string())?;
            if read.slices.is_empty() {
                return Err(format!("nothing at offset {next}"));
            }
            for slice in &read.slices {
                for batch in ouzel_records::batches(slice) {
                    let batch = batch.map_err(|e| e.to_string())?;
                    next = batch.next_offset();
                    let mut unfolded = Vec::new();
                    let codec = batch.attributes().codec().ok_or("a batch of an unknown codec")?;
                    let limits = Limits { output_max: UNFOLD_BYTES_MAX, ..Limits::default() };
                    ouzel_records::decompress(codec, batch.records(), limits, &mut unfolded)
                        .map_err(|e| e.to_string())?;
                    for record in ouzel_records::records(&batch, &unfolded) {
                        let record = record.map_err(|e| e.to_string())?;
                        let Some(key) = record.key else { continue };
                        records += 1;
                        if let Err(unreadable) = self.groups.borrow_mut().replay(key, record.value, None) {
                            warn!(partition = self.partition.id().0, %unreadable, "record skipped");
                        }
                    }
                }
            }
            self.rt.yield_now().await;
        }
        let effects = self.groups.borrow_mut().loaded(self.now());
        self.carry_out(effects);
        if records > 0 {
            info!(partition = self.partition.id().0, records, "group coordinator loaded");
        }
        Ok(())
    }

    fn carry_out(&self, effects: Vec<Effect>) {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Reply(reply, response) => {
                    let waiting = self.waiting.borrow_mut().remove(&reply);
                    if let Some(sender) = waiting {
                        // Whoever asked may be gone.
                        let _ = sender.send(response);
                    }
                }
                Effect::Compacted => self.trimmable.notify_one(),
                Effect::Append(Append { id, records, .. }) => match self.append(&records) {
                    Ok(appended) => {
                        self.appending.borrow_mut().push_back((id, appended));
                        self.appended.notify_one();
                    }
                    Err(failed) => {
                        reached!("coordinator: an append is refused");
                        effects.extend(self.groups.borrow_mut().appended(self.now(), id, Err(failed)));
                    }
                },
            }
        }
        self.timing.notify_one();
    }

    fn append(&self, records: &[Record]) -> Result<Appended, AppendFailed> {
        self.partition.append(batch(records, self.rt.wall_clock()), Zstd::Allowed, Source::Coordinator, true).map_err(
            |error| match error {
                ouzel_partition::AppendError::Unavailable(_) => AppendFailed::NotLeader,
                _ => AppendFailed::Refused,
            },
        )
    }

    /// Confirms appends in their order as they commit.
    async fn confirm_appends(&self) {
        while !self.closed.get() {
            let next = self.appending.borrow_mut().pop_front();
            let Some((id, appended)) = next else {
                self.rewrite_if_large();
                self.appended.notified().await;
                continue;
            };
            match appended.committed().await {
                Ok(()) => {
                    let effects = self.groups.borrow_mut().appended(self.now(), id, Ok(()));
                    self.carry_out(effects);
                }
                Err(_) => {
                    let effects = self.groups.borrow_mut().resign();
                    self.carry_out(effects);
                    return;
                }
            }
        }
    }

    /// Has the live state written anew when the log is large, so that what lies before it can be trimmed: nothing compacts it else.
    fn rewrite_if_large(&self) {
        let size = self.partition.log().size_bytes();
        let live = self.groups.borrow().live_bytes();
        if size < REWRITE_BYTES_MIN || size < live * REWRITE_RATIO || self.groups.borrow().is_compacting() {
            return;
        }
        self.superseded.set(Some(self.partition.log().log_end()));
        let effects = self.groups.borrow_mut().compact(self.now());
        self.carry_out(effects);
    }

    /// A rewrite is committed: what lay in the log when it began is superseded.
    async fn trim(&self, begin: Offset) {
        let before = self.partition.log().size_bytes();
        match self.partition.delete_records(Some(begin)).await {
            Ok(_) => {
                reached!("coordinator: state rewritten");
                // A sealed segment can be freed; an open one holds on to its bytes.
                self.partition.log().seal_active();
                info!(partition = self.partition.id().0, before, "group state rewritten");
            }
            Err(error) => warn!(partition = self.partition.id().0, %error, "group state rewritten, but not trimmed"),
        }
    }

    async fn run_trims(&self) {
        while !self.closed.get() {
            self.trimmable.notified().await;
            if let Some(begin) = self.superseded.take() {
                self.trim(begin).await;
            }
        }
    }

    async fn run_timers(&self) {
        while !self.closed.get() {
            let deadline = self.groups.borrow().next_deadline();
            let changed = self.timing.notified();
            match deadline {
                None => changed.await,
                Some(at) => {
                    let now = self.rt.now().as_millis();
                    if at > now {
                        let rest = std::time::Duration::from_millis(at - now);
                        ouzel_runtime::select! {
                            _ = changed => continue,
                            _ = self.rt.sleep(rest) => {}
                        }
                    }
                    let effects = self.groups.borrow_mut().timer(self.now());
                    self.carry_out(effects);
                }
            }
        }
    }
}

fn batch(records: &[Record], now: ouzel_model::Timestamp) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (key, value) in records {
        builder.push(now, Some(key), value.as_deref(), &[]);
    }
    builder.build(Codec::None).into()
}
