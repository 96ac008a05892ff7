//! Rules of planning, and of carrying out.

mod configs;
mod replay;
mod topics;

use ouzel_model::config::NO_VALUES;
use ouzel_model::{ClusterId, NodeId, TopicId};

use crate::*;

pub(crate) const LOCAL: Local<'static> = Local { node: NodeId(1), process: &NO_VALUES };

/// A founded cluster of so many nodes, from id 1, with so many cores each.
pub(crate) fn cluster(nodes: i32, shards: u16) -> Image {
    let mut image = Image::default();
    let features = [("metadata.version".to_string(), 33)].into();
    assert!(image.apply(&Command::FoundCluster { cluster_id: ClusterId([7; 16]), features }));
    for node in 1..=nodes {
        let registration = Node { uuid: [node as u8; 16], shards, rack: None };
        let commands = plan_register_node(&image, NodeId(node), registration, &Default::default());
        carry_out(&mut image, commands);
    }
    image
}

pub(crate) fn carry_out(image: &mut Image, commands: Vec<Command>) {
    for command in commands {
        assert!(image.apply(&command), "{command:?}");
    }
}

/// Plans and, where the plan allows it, creates; topic ids follow from the version.
pub(crate) fn create(image: &mut Image, requests: &[NewTopic]) -> Vec<Result<(), String>> {
    let mut next = image.version();
    let mut new_id = || {
        next += 1;
        let mut bytes = [9; 16];
        bytes[..8].copy_from_slice(&next.to_be_bytes());
        TopicId(bytes)
    };
    let plan = plan_create_topics(image, LOCAL, requests, false, &mut new_id);
    carry_out(image, plan.commands);
    plan.outcome.into_iter().map(|result| result.map(|_| ()).map_err(|error| error.to_string())).collect()
}

/// A topic with so many partitions and one replica each.
pub(crate) fn sized(name: &str, partitions: i32) -> NewTopic {
    NewTopic { partitions, ..NewTopic::named(name) }
}
