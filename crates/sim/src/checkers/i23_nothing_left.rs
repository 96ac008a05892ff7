//! I23 nothing-left: no task is left when a shard's root future has ended.

use ouzel_runtime::sim::{HostId, World};

use super::Violation;

const LAW: &str = "I23 nothing-left";

/// Looks at a host whose process has stopped in order.
pub fn stopped(world: &World, host: HostId, found: &mut Vec<Violation>) {
    let left = world.leftovers(host);
    if !left.is_empty() {
        let text = format!("{} left {} tasks behind: {:?}", world.name(host), left.len(), &left[..left.len().min(8)]);
        found.push(Violation { law: LAW, partition: None, text });
    }
}
