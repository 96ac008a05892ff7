//! The shard: what it owns, and how others find it there.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use ouzel_controller::{Controller, Image, Local, Topic};
use ouzel_log::{Log, LogId, Store};
use ouzel_model::config::{ClusterConfig, TopicConfig, Values};
use ouzel_model::{LeaderEpoch, NodeId, PartitionId, ShardId, TopicId};
use ouzel_partition::Partition;
use ouzel_runtime::mailbox::Sender;
use ouzel_runtime::sync::Semaphore;
use ouzel_runtime::{Class, Runtime, Task};

use crate::change::ProducerIds;
use crate::coordinator::Coordinator;
use crate::submit::Job;

/// What a shard is made of.
pub struct ShardOptions {
    /// This node.
    pub node: NodeId,
    /// Settings given to this process; they win over stored ones.
    pub process: Arc<Values>,
    /// The node's data directory.
    pub dir: PathBuf,
    /// This core's storage.
    pub store: Store,
    /// The inboxes of all shards, in order; its own among them.
    pub inboxes: Vec<Sender<Job>>,
}

/// One core's share of the broker. Owner core only.
pub struct Shard {
    rt: Runtime,
    pub(crate) options: ShardOptions,
    image: RefCell<Arc<Image>>,
    /// Logs found at the start whose partition isn't open yet.
    pub(crate) recovered: RefCell<BTreeMap<LogId, Log>>,
    /// Partitions whose log is damaged or lost: not served, and not opened again before the next start.
    pub(crate) offline: RefCell<BTreeSet<(TopicId, PartitionId)>>,
    pub(crate) partitions: RefCell<BTreeMap<(TopicId, PartitionId), Rc<Partition>>>,
    /// Set when the partitions of the first image are open: what is created from then on is new.
    pub(crate) booted: Cell<bool>,
    /// Who is led, and in which epoch, on all shards of this node.
    pub(crate) leaders: RefCell<BTreeMap<(TopicId, PartitionId), LeaderEpoch>>,
    /// Partitions by the token their log gives back.
    pub(crate) by_token: RefCell<BTreeMap<u64, Rc<Partition>>>,
    pub(crate) next_token: Cell<u64>,
    /// Coordinators of the `__consumer_offsets` partitions that are here.
    pub(crate) coordinators: RefCell<BTreeMap<PartitionId, Rc<Coordinator>>>,
    controller: RefCell<Option<Controller>>,
    /// Held by the change of the metadata that is under way. Shard 0 only.
    pub(crate) changing: Semaphore,
    pub(crate) producer_ids: ProducerIds,
    /// Tasks that end with the shard.
    tasks: RefCell<Vec<Task>>,
}

impl Shard {
    /// A shard that shows an empty image; `recovered` are the logs its storage holds, by id. Partitions are opened as images are
    /// published.
    pub fn new(rt: Runtime, options: ShardOptions, recovered: BTreeMap<LogId, Log>) -> Rc<Shard> {
        assert!(usize::from(rt.shard().0) < options.inboxes.len(), "a shard has its own inbox");
        Rc::new(Shard {
            rt,
            options,
            image: RefCell::default(),
            recovered: RefCell::new(recovered),
            offline: RefCell::default(),
            partitions: RefCell::default(),
            booted: Cell::new(false),
            leaders: RefCell::default(),
            by_token: RefCell::default(),
            // 0 is the controller's log.
            next_token: Cell::new(1),
            coordinators: RefCell::default(),
            controller: RefCell::new(None),
            changing: Semaphore::new(1),
            producer_ids: RefCell::new(0..0),
            tasks: RefCell::default(),
        })
    }

    /// Which one this is.
    pub fn id(&self) -> ShardId {
        self.rt.shard()
    }

    /// Number of shards of this broker.
    pub fn shards(&self) -> u16 {
        self.options.inboxes.len() as u16
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.options.node
    }

    /// The world.
    pub fn runtime(&self) -> &Runtime {
        &self.rt
    }

    /// The node's data directory.
    pub fn data_dir(&self) -> &Path {
        &self.options.dir
    }

    /// Spawns a task that ends with this shard: see [`Shard::end_tasks`].
    pub fn own(&self, class: Class, task: impl Future<Output = ()> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        // Forget those that have ended, now and then.
        if tasks.len().is_power_of_two() {
            tasks.retain(|t| !t.is_ended());
        }
        tasks.push(self.rt.spawn(class, task));
    }

    /// Ends the tasks of this shard; returns when they are gone.
    pub async fn end_tasks(&self) {
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        tasks.iter().for_each(Task::abort);
        for task in tasks {
            task.await;
        }
    }

    /// This core's storage.
    pub fn store(&self) -> &Store {
        &self.options.store
    }

    /// The settings of all brokers as they count here.
    pub fn cluster_config(&self) -> ClusterConfig {
        self.image.borrow().cluster_config(self.local())
    }

    /// A topic's settings as they count here.
    pub fn topic_config(&self, image: &Image, topic: &Topic) -> TopicConfig {
        image.topic_config(topic, self.local())
    }

    /// What this process adds to the image's settings.
    pub fn local(&self) -> Local<'_> {
        Local { node: self.options.node, process: &self.options.process }
    }

    /// The cluster as this shard sees it; cheap.
    pub fn image(&self) -> Arc<Image> {
        self.image.borrow().clone()
    }

    pub(crate) fn show(&self, image: Arc<Image>) {
        *self.image.borrow_mut() = image;
    }

    /// The epoch a partition of this node is led in; `None` while it isn't led.
    pub fn leader_epoch(&self, topic: TopicId, partition: PartitionId) -> Option<LeaderEpoch> {
        self.leaders.borrow().get(&(topic, partition)).copied()
    }

    pub(crate) fn inbox_of(&self, to: ShardId) -> &Sender<Job> {
        &self.options.inboxes[usize::from(to.0)]
    }

    /// Whether the partition is here but its log is damaged or lost, so that it isn't served.
    pub fn is_offline(&self, topic: TopicId, partition: PartitionId) -> bool {
        self.offline.borrow().contains(&(topic, partition))
    }

    /// The partition, if it is open on this shard.
    pub fn partition(&self, topic: TopicId, partition: PartitionId) -> Option<Rc<Partition>> {
        self.partitions.borrow().get(&(topic, partition)).cloned()
    }

    /// All partitions of this shard, by topic id and number.
    pub fn all_partitions(&self) -> Vec<Rc<Partition>> {
        self.partitions.borrow().values().cloned().collect()
    }

    /// The coordinator that lives with this partition of `__consumer_offsets`, if it is here.
    pub fn coordinator(&self, partition: PartitionId) -> Option<Rc<Coordinator>> {
        self.coordinators.borrow().get(&partition).cloned()
    }

    /// All coordinators of this shard.
    pub fn all_coordinators(&self) -> Vec<Rc<Coordinator>> {
        self.coordinators.borrow().values().cloned().collect()
    }

    /// Makes this shard, which must be shard 0, the controller's home.
    pub fn host_controller(&self, controller: Controller) {
        assert!(self.id() == ShardId(0), "the controller lives on shard 0");
        *self.controller.borrow_mut() = Some(controller);
    }

    /// The controller, if this is its home and it was opened.
    pub fn hosted_controller(&self) -> Option<Controller> {
        self.controller.borrow().clone()
    }

    /// The controller. Shard 0 only: others submit their work there.
    pub fn controller(&self) -> Controller {
        self.hosted_controller().expect("shard 0 hosts the controller from its start on")
    }
}
