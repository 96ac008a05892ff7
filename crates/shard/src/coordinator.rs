//! A group coordinator at home: the pure machine of crate `groups` beside the partition of `__consumer_offsets` that keeps its state.
//!
//! Its life: load what the partition holds, serve, and end with the partition. Appends are confirmed in their order; nothing else is
//! waited for in that task, so that a full log never holds up an answer.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use ouzel_controller::Image;
use ouzel_groups::{
    Append, AppendFailed, AppendId, Config, Effect, GroupRequest, GroupResponse, Groups, Now, Record, ReplyId,
};
use ouzel_model::config::ClusterConfig;
use ouzel_model::{Offset, TopicName, reached};
use ouzel_partition::{AppendError, Appended, Partition, Source, Zstd};
use ouzel_records::{BatchBuilder, Codec, Limits};
use ouzel_runtime::sync::{Notify, oneshot};
use ouzel_runtime::{Class, Duration, Runtime};
use tracing::{debug, error, info, warn};

use crate::Shard;

/// Bytes read in one piece while state is loaded.
const LOAD_BYTES: usize = 1 << 20;
/// Records replayed, or appends confirmed, between two yields: a slice of well under 500 us.
const SLICE: usize = 128;
/// Rest after a load that failed: the disk may come back.
const LOAD_REST: Duration = Duration::from_secs(10);
/// Bytes a stored batch may unfold to; our own batches aren't compressed.
const UNFOLD_BYTES_MAX: usize = 8 << 20;
/// The live state is written anew when more than this, and this many times the state itself, was appended since the last time.
const REWRITE_BYTES_MIN: u64 = 1 << 20;
const REWRITE_RATIO: u64 = 4;
/// Rest after a rewrite that failed.
const REWRITE_REST: Duration = Duration::from_secs(10);
/// How often and how many times a rewrite looks whether what it supersedes lies in closed segments.
const SEAL_EVERY: Duration = Duration::from_millis(100);
const SEAL_LOOKS: usize = 300;

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
    /// Bytes in the log that a rewrite of the live state would supersede, and that state itself.
    grown: Cell<u64>,
    /// Whether a rewrite is under way, and whether the machine says it is done.
    rewriting: Cell<bool>,
    rewritten: Cell<bool>,
    /// Woken when a rewrite is wanted, and while one is under way by whatever happens.
    rewrite: Notify,
    /// Woken when the next deadline may have moved.
    timing: Notify,
    closed: Cell<bool>,
}

impl Shard {
    /// Starts the coordinator of a partition that was opened here for `image`.
    pub(crate) fn start_coordinator(self: &Rc<Self>, partition: Rc<Partition>, image: Arc<Image>) {
        let number = partition.id();
        let config = self.groups_config(&image);
        let coordinator = Rc::new(Coordinator {
            rt: self.runtime().clone(),
            partition,
            groups: RefCell::new(Groups::new(config)),
            waiting: RefCell::default(),
            next_reply: Cell::new(0),
            appending: RefCell::default(),
            appended: Notify::new(),
            grown: Cell::new(0),
            rewriting: Cell::new(false),
            rewritten: Cell::new(false),
            rewrite: Notify::new(),
            timing: Notify::new(),
            closed: Cell::new(false),
        });
        let old = self.coordinators.borrow_mut().insert(number, coordinator.clone());
        if let Some(old) = old {
            old.close();
        }
        let shard = self.clone();
        self.own(Class::Serve, async move { coordinator.run(shard, image).await });
    }

    /// Ends the coordinator of a partition that is gone, unless the topic was created anew and another has its place.
    pub(crate) fn end_coordinator(&self, partition: &Rc<Partition>) {
        let mut coordinators = self.coordinators.borrow_mut();
        if coordinators.get(&partition.id()).is_some_and(|c| Rc::ptr_eq(&c.partition, partition))
            && let Some(coordinator) = coordinators.remove(&partition.id())
        {
            reached!("coordinator: its topic is deleted");
            coordinator.close();
        }
    }

    /// Settings of the coordinators as they count here.
    pub(crate) fn groups_config(&self, image: &Image) -> Config {
        groups_config(&image.cluster_config(self.local()))
    }
}

/// What a coordinator takes of the cluster's settings, within its own bounds.
fn groups_config(c: &ClusterConfig) -> Config {
    let millis = |ms: u64| i32::try_from(ms).unwrap_or(i32::MAX);
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let bounds = Config::default();
    Config {
        session_timeout_ms_min: millis(c.group_session_timeout_min_ms),
        session_timeout_ms_max: millis(c.group_session_timeout_max_ms),
        initial_rebalance_delay_ms: c.group_initial_rebalance_delay_ms,
        offsets_retention_ms: i64::try_from(c.offsets_retention_ms).unwrap_or(i64::MAX),
        offsets_retention_check_ms: c.offsets_retention_check_ms,
        members_max: count(c.group_members_max).min(bounds.members_max),
        offset_metadata_max: count(c.offset_metadata_max_bytes).min(Config::OFFSET_METADATA_MAX),
        ..bounds
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

    /// New settings.
    pub(crate) fn configure(&self, config: Config) {
        self.groups.borrow_mut().configure(config);
    }

    /// Ends all calls, and all that runs.
    pub fn close(&self) {
        self.closed.set(true);
        self.waiting.borrow_mut().clear();
        self.appended.notify_all();
        self.timing.notify_all();
        self.rewrite.notify_all();
    }

    fn now(&self) -> Now {
        Now { mono_ms: self.rt.now().as_millis(), wall: self.rt.wall_clock() }
    }

    /// From the load to the end.
    async fn run(self: Rc<Self>, shard: Rc<Shard>, image: Arc<Image>) {
        while let Err(reason) = self.load().await {
            if self.closed.get() {
                return;
            }
            let partition = self.partition.id().0;
            error!(partition, reason, "group coordinator can't load its state; its groups wait until it can");
            // Meanwhile nobody takes its groups to be about to come.
            self.groups.borrow_mut().resign();
            self.rt.sleep(LOAD_REST).await;
            *self.groups.borrow_mut() = Groups::new(shard.groups_config(&shard.image()));
        }
        self.forget_missing(&shard, &image);
        // The shard's own, so that they end with it wherever they rest.
        let timers = self.clone();
        shard.own(Class::Serve, async move { timers.run_timers().await });
        let rewrites = self.clone();
        shard.own(Class::Background, async move { rewrites.run_rewrites().await });
        // The shard holds the coordinators: none holds the shard for good.
        drop((shard, image));
        self.confirm_appends().await;
    }

    /// Reads the partition's records into the machine, which then serves.
    async fn load(&self) -> Result<(), String> {
        let end = self.partition.high_watermark();
        let mut next = self.partition.log().log_start();
        let mut records = 0;
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
                            warn!(partition = self.partition.id().0, %unreadable, "record kept as it is");
                        }
                        if records % SLICE == 0 {
                            self.rt.yield_now().await;
                        }
                    }
                }
            }
        }
        if self.closed.get() {
            return Err("closed".into());
        }
        self.grown.set(self.partition.log().size_bytes());
        let effects = self.groups.borrow_mut().loaded(self.now());
        self.carry_out(effects);
        if records > 0 {
            debug!(partition = self.partition.id().0, records, "group coordinator loaded");
        }
        Ok(())
    }

    /// Topics may have been deleted before their tombstones were stored, or while this loaded. `image` is the one the partition was
    /// opened for; the shard may show an older one still, at the start an empty one.
    fn forget_missing(&self, shard: &Shard, image: &Arc<Image>) {
        let shown = shard.image();
        let newest = if shown.version() > image.version() { &shown } else { image };
        let mut missing = self.groups.borrow().topics();
        missing.retain(|topic| newest.topic(topic.as_str()).is_none());
        if !missing.is_empty() {
            reached!("coordinator: offsets of a deleted topic are found at the start");
            self.topics_deleted(&missing);
        }
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
                Effect::Compacted => self.rewritten.set(true),
                Effect::Append(Append { id, records, transaction }) => match self.append(&records) {
                    Ok(appended) => {
                        assert!(transaction.is_none(), "nobody commits offsets in a transaction");
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
        if self.rewriting.get() {
            self.rewrite.notify_one();
        }
    }

    fn append(&self, records: &[Record]) -> Result<Appended, AppendFailed> {
        let batch = batch(records, self.rt.wall_clock());
        let bytes = batch.len() as u64;
        match self.partition.append(batch, Zstd::Allowed, Source::Coordinator, true) {
            Ok(appended) => {
                self.grown.set(self.grown.get() + bytes);
                Ok(appended)
            }
            Err(AppendError::Unavailable(_)) => Err(AppendFailed::NotLeader),
            Err(error) => {
                warn!(partition = self.partition.id().0, %error, "group state can't be stored");
                Err(AppendFailed::Refused)
            }
        }
    }

    /// Confirms appends in their order as they commit.
    async fn confirm_appends(&self) {
        let mut confirmed = 0;
        while !self.closed.get() {
            self.want_rewrite();
            let next = self.appending.borrow_mut().pop_front();
            let Some((id, appended)) = next else {
                self.appended.notified().await;
                continue;
            };
            match appended.committed().await {
                Ok(()) => {
                    let effects = self.groups.borrow_mut().appended(self.now(), id, Ok(()));
                    self.carry_out(effects);
                }
                // Whether it is stored nobody can say: whoever leads next reads it.
                Err(_) => {
                    let effects = self.groups.borrow_mut().resign();
                    self.carry_out(effects);
                    return;
                }
            }
            confirmed += 1;
            if confirmed % SLICE == 0 {
                self.rt.yield_now().await;
            }
        }
    }

    fn want_rewrite(&self) {
        let grown = self.grown.get();
        if grown >= REWRITE_BYTES_MIN
            && grown / REWRITE_RATIO >= self.groups.borrow().live_bytes()
            && !self.rewriting.replace(true)
        {
            self.rewrite.notify_one();
        }
    }

    /// Writes the live state anew when the log has grown large, and trims what lies before it: nothing compacts it else.
    async fn run_rewrites(&self) {
        while !self.closed.get() {
            if !self.rewriting.get() {
                self.rewrite.notified().await;
                continue;
            }
            let before = self.grown.get();
            if !self.rewrite().await && !self.closed.get() {
                self.grown.set(self.grown.get().max(before));
                self.rt.sleep(REWRITE_REST).await;
            }
            self.rewriting.set(false);
        }
    }

    /// Whether the log was trimmed.
    async fn rewrite(&self) -> bool {
        // Only whole closed segments are freed: what is to go and what is to stay must not share one.
        if !self.seal().await {
            return false;
        }
        let (begin, before) = (self.partition.log().log_end(), self.grown.replace(0));
        self.rewritten.set(false);
        let effects = self.groups.borrow_mut().compact(self.now());
        self.carry_out(effects);
        while self.groups.borrow().is_compacting() && !self.closed.get() {
            self.rewrite.notified().await;
        }
        self.rewritten.get() && self.trim(begin, before).await
    }

    /// Has the active segment closed and waits for that; false when that doesn't come about.
    async fn seal(&self) -> bool {
        let log = self.partition.log();
        let end = self.partition.high_watermark();
        for _ in 0..SEAL_LOOKS {
            let sealed = log.segments().iter().rfind(|s| s.sealed).map_or(Offset(0), |s| s.end_offset);
            if sealed.max(log.log_start()) >= end {
                return true;
            }
            if self.closed.get() {
                return false;
            }
            log.seal_active();
            self.rt.sleep(SEAL_EVERY).await;
        }
        false
    }

    /// A rewrite is committed: what lay in the log when it began is superseded.
    async fn trim(&self, begin: Offset, before: u64) -> bool {
        match self.partition.delete_records(Some(begin)).await {
            Ok(_) => {
                reached!("coordinator: state rewritten");
                info!(partition = self.partition.id().0, before, after = self.grown.get(), "group state rewritten");
                true
            }
            Err(_) if self.closed.get() => false,
            Err(error) => {
                warn!(partition = self.partition.id().0, %error, "group state rewritten, but not trimmed");
                false
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
                        let rest = Duration::from_millis(at - now);
                        ouzel_runtime::select! {
                            _ = changed => continue,
                            _ = self.rt.sleep(rest) => {}
                        }
                    }
                    let effects = self.groups.borrow_mut().timer(self.now());
                    self.carry_out(effects);
                    // A long walk over all groups is due again at once.
                    self.rt.yield_now().await;
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
