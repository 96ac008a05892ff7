//! All that one core owns: its storage, its partitions, its coordinators, and the one hop to another core.
//!
//! Hosts and routes, and holds no rule of its own: what may be appended is `partition`'s, who is in a group is `groups`', which topics
//! there are is `controller`'s. Knows no request bytes and no sockets.
//!
//! Invariants: a partition is on exactly one shard; work for another shard goes there as one message ([`Shard::submit`]) and its
//! answer comes back as one; the image that handlers see names only partitions that are open.

mod change;
mod coordinator;
mod driver;
mod partitions;
mod shard;
mod submit;

pub use change::ChangeError;
pub use coordinator::{Coordinator, CoordinatorGone};
pub use driver::CONTROLLER_TOKEN;
pub use partitions::{Led, OFFSETS_TOPIC, Unpublished, log_id, partition_of};
pub use shard::{Shard, ShardOptions};
pub use submit::{Job, Scattered, Submitted};
