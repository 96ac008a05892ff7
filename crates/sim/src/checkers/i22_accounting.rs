//! I22 accounting: open files and sockets stay within limits, and go back to zero when a process stops in order.

use ouzel_runtime::sim::{HostId, World};

use super::Violation;

const LAW: &str = "I22 accounting";

/// Descriptors one process may hold.
pub const OPEN_MAX: usize = 4_096;

/// Looks at a host that runs.
pub fn running(world: &World, host: HostId, found: &mut Vec<Violation>) {
    let open = world.open_files(host) + world.open_sockets(host);
    if open > OPEN_MAX {
        let text = format!("{} holds {open} descriptors, at most {OPEN_MAX} are allowed", world.name(host));
        found.push(Violation { law: LAW, partition: None, text });
    }
}

/// Looks at a host whose process has stopped in order.
pub fn stopped(world: &World, host: HostId, found: &mut Vec<Violation>) {
    let (files, sockets) = world.leaked(host);
    if files + sockets > 0 {
        let text = format!("{} ended with {files} files and {sockets} sockets open", world.name(host));
        found.push(Violation { law: LAW, partition: None, text });
    }
}
