//! Changes of the cluster's metadata: planned on the newest image, committed by the controller, then made known to all shards.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use ouzel_controller::{AdminError, Image, NewTopic, Plan, ProposeError};
use ouzel_model::{ProducerId, ShardId, TopicId, TopicName};
use ouzel_runtime::Class;
use ouzel_runtime::sync::{Gone, oneshot};

use crate::{OFFSETS_TOPIC, Shard, Unpublished};

/// Producer ids fetched from the controller in one go.
const PRODUCER_IDS: u32 = 1_000;

/// Why a change didn't happen.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChangeError {
    /// The plan says no.
    #[error(transparent)]
    Refused(#[from] AdminError),
    /// The controller couldn't store it.
    #[error(transparent)]
    Controller(#[from] ProposeError),
    /// All 2^63 of them.
    #[error("all producer ids are used up")]
    ProducerIdsUsedUp,
    /// A shard has stopped: the broker is about to end.
    #[error("the broker is stopping")]
    Stopping,
}

impl From<Gone> for ChangeError {
    fn from(_: Gone) -> ChangeError {
        ChangeError::Stopping
    }
}

impl From<Unpublished> for ChangeError {
    fn from(_: Unpublished) -> ChangeError {
        ChangeError::Stopping
    }
}

/// Producer ids of this shard that nobody has yet.
pub(crate) type ProducerIds = RefCell<Range<i64>>;

impl Shard {
    /// Carries out what `plan` makes of the newest image, one change after another on shard 0; the plan's outcome comes back when every
    /// shard shows the new image. Dropping the future forgets the outcome, not the change. Any shard.
    pub async fn change<T: Send + 'static>(
        self: &Rc<Self>,
        plan: impl FnOnce(&Rc<Shard>, &Image) -> Plan<T> + Send + 'static,
    ) -> Result<T, ChangeError> {
        let changed = self.submit(ShardId(0), move |shard| {
            let (answer, changed) = oneshot::oneshot();
            let home = shard.clone();
            // A task of its own: whoever asked may go in the midst of it, and a change that was committed but made known to some shards
            // only would leave its partitions without a leader.
            shard.own(Class::Serve, async move {
                let _ = answer.send(home.change_here(plan).await);
            });
            changed
        });
        changed.await.await??
    }

    /// On shard 0.
    async fn change_here<T>(
        self: &Rc<Self>,
        plan: impl FnOnce(&Rc<Shard>, &Image) -> Plan<T>,
    ) -> Result<T, ChangeError> {
        let _turn = self.changing.acquire(1).await?;
        let (image, outcome) = self.controller().change(|image| plan(self, image)).await?;
        if image.version() != self.image().version() {
            self.publish(image).await?;
        }
        Ok(outcome)
    }

    /// Creates a topic with the cluster's defaults, on demand; one that exists is fine. Any shard.
    pub async fn create_topic(self: &Rc<Self>, name: TopicName) -> Result<(), ChangeError> {
        let created = self.change(move |shard, image| {
            let wanted = match name.as_str() {
                OFFSETS_TOPIC => ouzel_controller::offsets_topic(image, &image.cluster_config(shard.local())),
                name => NewTopic::named(name),
            };
            let mut new_id = || shard.random_id();
            ouzel_controller::plan_create_topics(image, shard.local(), &[wanted], false, &mut new_id)
        });
        match created.await?.pop() {
            Some(Err(AdminError::TopicExists(_))) | Some(Ok(_)) | None => Ok(()),
            Some(Err(refused)) => Err(refused.into()),
        }
    }

    /// An id that no idempotent producer has had. Any shard.
    pub async fn next_producer_id(self: &Rc<Self>) -> Result<ProducerId, ChangeError> {
        loop {
            if let Some(id) = self.producer_ids.borrow_mut().next() {
                return Ok(ProducerId(id));
            }
            let first = self.change(|_, image| ouzel_controller::plan_producer_ids(image, PRODUCER_IDS)).await?;
            let Some(first) = first else { return Err(ChangeError::ProducerIdsUsedUp) };
            *self.producer_ids.borrow_mut() = first..first + i64::from(PRODUCER_IDS);
        }
    }

    /// A fresh topic id.
    pub fn random_id(&self) -> TopicId {
        let mut bytes = [0; 16];
        self.runtime().entropy(&mut bytes);
        TopicId::from_random(bytes)
    }
}
