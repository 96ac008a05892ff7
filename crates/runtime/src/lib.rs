//! The seam to the world: disk, network, clock, randomness, tasks, mailboxes, buffers.
