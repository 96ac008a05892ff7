//! One file per command, or per family of small ones.

pub mod cluster;
pub mod consume;
pub mod dev;
pub mod group;
pub mod produce;
pub mod start;
pub mod topic;
pub mod verify;
pub mod version;
