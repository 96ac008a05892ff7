//! Opening and closing what the image says is here.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use ouzel_controller::{Image, Topic};
use ouzel_log::{Log, LogId, LogOptions};
use ouzel_model::config::TopicConfig;
use ouzel_model::{LeaderEpoch, PartitionId, ShardId, TopicId, TopicName, buggify, planted, reached};
use ouzel_partition::{LogPlace, OpenError, Partition, PartitionOptions};
use ouzel_runtime::sync::Gone;
use tracing::{error, info, warn};

use crate::Shard;

/// Where group coordinators keep their state.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// A partition's name in the journal: topic id and number.
pub fn log_id(topic: TopicId, partition: PartitionId) -> LogId {
    let mut id = [0; 20];
    id[..16].copy_from_slice(&topic.0);
    id[16..].copy_from_slice(&partition.0.to_be_bytes());
    LogId(id)
}

/// The partition of a name in the journal: the inverse of [`log_id`].
pub fn partition_of(id: LogId) -> (TopicId, PartitionId) {
    let (topic, number) = id.0.split_at(16);
    let (topic, number) = (topic.try_into().expect("16 bytes"), number.try_into().expect("4 bytes"));
    (TopicId(topic), PartitionId(i32::from_be_bytes(number)))
}

/// Why an image isn't shown by all shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpublished {
    /// A shard has ended.
    #[error("a shard has ended")]
    Gone,
    /// The broker was asked to stop while the partitions of its first image were opened. None of them may be taken for absent.
    #[error("asked to stop while it started")]
    Stopping,
}

impl From<Gone> for Unpublished {
    fn from(_: Gone) -> Unpublished {
        Unpublished::Gone
    }
}

/// A partition that is led on this node, and its epoch.
pub type Led = ((TopicId, PartitionId), LeaderEpoch);

/// Whose logs they are: the topic's, by its id. Its name may be another's later.
fn owner(topic: &Topic) -> TopicId {
    let name = topic.name.as_str().as_bytes();
    planted!("48", TopicId(std::array::from_fn(|n| name.get(n).copied().unwrap_or(1))), topic.id)
}

fn log_options(topic: &Topic, number: PartitionId, config: &TopicConfig) -> LogOptions {
    LogOptions {
        dir: format!("topics/{}/{}", owner(topic), number.0),
        name: format!("{}/{}", topic.name, number.0),
        segment_bytes: buggify!("segment 16 KiB", 0.3, 16 << 10, config.segment_bytes),
        segment_ms: i64::try_from(config.segment_ms).unwrap_or(i64::MAX),
    }
}

impl Shard {
    /// Opens the partitions of `image` that belong here and aren't open, over the logs found at the start where there are.
    /// Returns what is led when they serve. A partition whose log is damaged is left out, with a log line: the others go on. A disk
    /// that can't be read ends the broker: what is on it may be whole, and the next start looks again.
    async fn open_partitions(self: &Rc<Self>, image: &Arc<Image>) -> Result<Vec<Led>, Unpublished> {
        let mut opened = Vec::new();
        for topic in image.topics() {
            for (number, partition) in (0..).map(PartitionId).zip(&topic.partitions) {
                let key = (topic.id, number);
                let elsewhere = partition.shard_on(self.node()) != Some(self.id());
                if elsewhere || self.partition(topic.id, number).is_some() || self.offline.borrow().contains(&key) {
                    continue;
                }
                if !self.booted.get() && self.runtime().stopping().is_set() {
                    return Err(Unpublished::Stopping);
                }
                let found = self.recovered.borrow_mut().remove(&log_id(owner(topic), number));
                let lost = self.store().damage().filter(|_| found.is_none() && !self.booted.get());
                match self.open_partition(image, topic, number, found, lost).await {
                    Ok(partition) => opened.push(partition),
                    Err(error @ OpenError::Disk { .. }) => {
                        reached!("shard: a partition can't be read at the start");
                        match self.runtime().fail(format!("shard {}: {error}", self.id().0)).await {}
                    }
                    Err(error) => {
                        reached!("shard: a damaged partition stays offline");
                        error!(%error, "partition stays offline");
                        self.offline.borrow_mut().insert(key);
                    }
                }
            }
        }
        let mut led = Vec::with_capacity(opened.len());
        for partition in opened {
            partition.serving().await;
            led.push(((partition.topic_id(), partition.id()), partition.leader_epoch()));
            if partition.topic().as_str() == OFFSETS_TOPIC {
                self.start_coordinator(partition, image.clone());
            }
        }
        Ok(led)
    }

    async fn open_partition(
        self: &Rc<Self>,
        image: &Image,
        topic: &Topic,
        number: PartitionId,
        found: Option<Log>,
        lost: Option<String>,
    ) -> Result<Rc<Partition>, OpenError> {
        let config = Rc::new(self.topic_config(image, topic));
        let token = self.next_token.get();
        self.next_token.set(token + 1);
        let (id, log_options) = (log_id(owner(topic), number), log_options(topic, number, &config));
        let found = planted!("48", found.or_else(|| self.store().log(id)), found);
        let found = found.or_else(|| {
            // Its creation may stand in what can't be read: an empty log in its place would deny what was acknowledged.
            let log = lost.map(|damage| (self.store().create(id, log_options.clone(), token), damage));
            log.map(|(log, damage)| {
                log.set_damage(Some(damage));
                log
            })
        });
        let place = LogPlace { id, found, token, options: log_options };
        let options = PartitionOptions {
            topic: topic.name.clone(),
            topic_id: topic.id,
            partition: number,
            node: self.node(),
            config,
            producer_expiration_ms: image.cluster_config(self.local()).producer_id_expiration_ms,
        };
        let partition = Partition::open(self.runtime(), self.store(), place, options).await?;
        self.by_token.borrow_mut().insert(token, partition.clone());
        self.partitions.borrow_mut().insert((topic.id, number), partition.clone());
        Ok(partition)
    }

    /// Shows `image` to this shard's handlers, gives partitions their new settings, and closes those that it no longer names; their
    /// files go in the background.
    pub fn adopt(self: &Rc<Self>, image: Arc<Image>, led: &[Led]) {
        {
            let mut leaders = self.leaders.borrow_mut();
            leaders.extend(led.iter().copied());
            leaders.retain(|(topic, _), _| image.topic_by_id(*topic).is_some());
        }
        let mut gone = Vec::new();
        // Names that no topic has any more; a recreated one keeps its groups' offsets out by its id.
        let topics: BTreeSet<TopicName> =
            self.image().topics().filter(|t| image.topic_by_id(t.id).is_none()).map(|t| t.name.clone()).collect();
        let offline: Vec<_> =
            self.offline.borrow_mut().extract_if(.., |(topic, _)| image.topic_by_id(*topic).is_none()).collect();
        for key in offline {
            let name = self.image().topic_by_id(key.0).map_or_else(|| key.0.to_string(), |t| t.name.to_string());
            self.remove_log(key, name);
        }
        self.show(image.clone());
        for (&(topic, number), partition) in self.partitions.borrow().iter() {
            match image.topic_by_id(topic) {
                Some(t) => {
                    let config = self.topic_config(&image, t);
                    if config != *partition.config() {
                        partition.configure(self.store(), log_options(t, number, &config), Rc::new(config));
                    }
                }
                None => gone.push((topic, number)),
            }
        }
        for key in gone {
            let partition = self.partitions.borrow_mut().remove(&key).expect("just seen");
            self.by_token.borrow_mut().retain(|_, p| !Rc::ptr_eq(p, &partition));
            partition.close();
            self.end_coordinator(&partition);
            reached!("shard: a partition of a deleted topic is closed");
            self.remove_log(key, partition.topic().to_string());
        }
        for coordinator in self.all_coordinators() {
            coordinator.configure(self.groups_config(&image));
            if !topics.is_empty() {
                coordinator.topics_deleted(&topics);
            }
        }
    }

    /// Removes a deleted topic's log and files, in the background.
    fn remove_log(self: &Rc<Self>, (id, number): (TopicId, PartitionId), topic: String) {
        let shard = self.clone();
        self.own(ouzel_runtime::Class::Background, async move {
            match shard.store().remove(log_id(id, number)).await {
                Ok(()) => info!(topic, partition = number.0, "partition deleted"),
                Err(error) => warn!(topic, partition = number.0, %error, "a deleted partition's files stay behind"),
            }
        });
    }

    /// Removes logs that were found at the start and that no topic of the image claims: their topic was deleted, and the process ended
    /// before their files were gone. The image is whole, or the controller hadn't opened, and a log is created only after its topic
    /// is in it: so this is knowledge that they were deleted, not a missing record.
    pub async fn remove_unclaimed(&self) {
        self.booted.set(true);
        self.store().damage_noted();
        let unclaimed = std::mem::take(&mut *self.recovered.borrow_mut());
        for (id, log) in unclaimed {
            drop(log);
            match self.store().remove(id).await {
                Ok(()) => info!(log = %id, "log of a deleted topic removed"),
                Err(error) => warn!(log = %id, %error, "log of a deleted topic stays behind"),
            }
        }
    }

    /// Makes a committed image known to all shards of this node: first every shard opens what is new, then every shard shows it, so
    /// that no handler names a partition that another shard doesn't have yet. Shard 0 only.
    pub async fn publish(self: &Rc<Self>, image: Arc<Image>) -> Result<(), Unpublished> {
        let mut opening = Vec::new();
        for to in (0..self.shards()).map(ShardId) {
            let image = image.clone();
            opening.push(
                self.submit(to, move |shard| {
                    let shard = shard.clone();
                    async move { shard.open_partitions(&image).await }
                })
                .await,
            );
        }
        let mut all = Vec::with_capacity(opening.len());
        for opened in opening {
            all.push(opened.await);
        }
        let mut led = Vec::new();
        for opened in all {
            led.extend(opened??);
        }
        let led = Arc::new(led);
        let mut adopting = Vec::new();
        for to in (0..self.shards()).map(ShardId) {
            let (image, led) = (image.clone(), led.clone());
            adopting.push(
                self.submit(to, move |shard| {
                    shard.adopt(image, &led);
                    async {}
                })
                .await,
            );
        }
        for adopted in adopting {
            adopted.await?;
        }
        Ok(())
    }
}
