//! The loops that move a shard's partitions: durable tickets to their groups, and retention.

use std::rc::Rc;
use std::time::Duration;

use ouzel_model::buggify;
use ouzel_runtime::Class;
use tracing::{info, warn};

use crate::Shard;

/// The token of the controller's log.
pub const CONTROLLER_TOKEN: u64 = 0;
/// How often retention looks at a partition. Kafka's `log.retention.check.interval.ms` is five minutes; a look costs next to nothing.
const RETENTION_EVERY: Duration = Duration::from_secs(30);
/// Partitions looked at between two yields.
const RETENTION_SLICE: usize = 64;

impl Shard {
    /// Gives durable tickets to the partitions they belong to, in order, until the broker stops.
    pub async fn drive(self: Rc<Self>) {
        loop {
            for (token, ticket) in self.store().durable().await {
                if token == CONTROLLER_TOKEN {
                    self.controller().durable(ticket);
                    continue;
                }
                let partition = self.by_token.borrow().get(&token).cloned();
                // A partition that was closed in between has nobody who waits.
                if let Some(partition) = partition {
                    partition.durable(ticket);
                }
            }
        }
    }

    /// Runs retention over all partitions, again and again, until the broker stops.
    pub async fn retain(self: Rc<Self>) {
        while !self.runtime().stopping().is_set() {
            let every = buggify!("retention each second", 0.7, Duration::from_secs(1), RETENTION_EVERY);
            self.runtime().sleep(every).await;
            for slice in self.all_partitions().chunks(RETENTION_SLICE) {
                for partition in slice {
                    match partition.retain(self.runtime().wall_clock()).await {
                        Ok(Some(log_start)) => {
                            info!(topic = %partition.topic(), partition = partition.id().0, %log_start, "retention moved the log start");
                        }
                        Ok(None) => {}
                        Err(error) => {
                            warn!(topic = %partition.topic(), partition = partition.id().0, %error, "retention has to wait");
                        }
                    }
                }
                self.runtime().yield_now().await;
            }
        }
    }

    /// Starts the shard's loops.
    pub fn start(self: &Rc<Self>) {
        self.own(Class::Serve, self.clone().drive());
        self.own(Class::Background, self.clone().retain());
    }
}
