//! The way from a handler to a group's coordinator: the partition of `__consumer_offsets` that the group's id names, on its shard.

use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;

use ouzel_controller::Image;
use ouzel_groups::{GroupRequest, GroupResponse, Unavailable};
use ouzel_model::{PartitionId, ShardId};
use ouzel_shard::{OFFSETS_TOPIC, Shard};

use crate::dispatch::Cx;

/// Asks the group's coordinator. Where nobody coordinates the group here, the answer is that of a coordinator that gave it up: every
/// client then looks for it anew, and looking creates `__consumer_offsets` if there is none.
pub(crate) async fn call(cx: &Cx, request: GroupRequest) -> GroupResponse {
    call_all(cx, vec![request]).await.pop().expect("an answer for each request")
}

/// As [`call`] for a request that is held until others act: the end of the broker answers it too.
pub(crate) async fn call_held(cx: &Cx, request: GroupRequest) -> GroupResponse {
    let refused = request.refused(Unavailable::NotCoordinator);
    ouzel_runtime::select! {
        response = call(cx, request) => response,
        () = cx.kafka.shard.runtime().stopping().wait() => refused,
    }
}

/// Asks about many groups at once; the answers are in the order of the requests.
pub(crate) async fn call_all(cx: &Cx, requests: Vec<GroupRequest>) -> Vec<GroupResponse> {
    let shard = &cx.kafka.shard;
    let image = shard.image();
    let mut answers = Vec::with_capacity(requests.len());
    let mut asked = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(request.refused(Unavailable::NotCoordinator));
        asked.push(place(shard, &image, request.group()).map(|(to, number)| (to, (number, request))));
    }
    let sent: Vec<usize> = (0..asked.len()).filter(|&at| asked[at].is_some()).collect();
    let items = asked.into_iter().flatten().collect();
    let results = shard.scatter(items, ask).await.gather().await;
    for (at, result) in sent.into_iter().zip(results) {
        if let Some(Some(response)) = result {
            answers[at] = response;
        }
    }
    answers
}

/// Where the group is coordinated; `None` when that isn't on this node, or not yet.
fn place(shard: &Rc<Shard>, image: &Image, group: &str) -> Option<(ShardId, PartitionId)> {
    let topic = image.topic(OFFSETS_TOPIC)?;
    let number = ouzel_groups::partition_for(group, topic.partitions.len() as i32);
    let to = topic.partition(number)?.shard_on(shard.node())?;
    shard.leader_epoch(topic.id, number).map(|_| (to, number))
}

/// On the coordinators' shard: all calls begin at once, then their answers are awaited.
fn ask(
    shard: &Rc<Shard>,
    requests: Vec<(PartitionId, GroupRequest)>,
) -> impl Future<Output = Vec<Option<GroupResponse>>> + use<> {
    let calls: Vec<_> = requests
        .into_iter()
        .map(|(number, request)| shard.coordinator(number).map(|coordinator| coordinator.call(request)))
        .collect();
    async move {
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            answers.push(match call {
                Some(call) => call.await.ok(),
                None => None,
            });
        }
        answers
    }
}

/// Asks every coordinator of this node the same; those that have gone are left out.
pub(crate) async fn call_everywhere(cx: &Cx, request: GroupRequest) -> Vec<GroupResponse> {
    let shard = &cx.kafka.shard;
    let items = (0..shard.shards()).map(|to| (ShardId(to), request.clone())).collect();
    let results = shard.scatter(items, ask_everyone).await.gather().await;
    results.into_iter().flatten().flatten().collect()
}

fn ask_everyone(
    shard: &Rc<Shard>,
    requests: Vec<GroupRequest>,
) -> impl Future<Output = Vec<Vec<GroupResponse>>> + use<> {
    let coordinators = shard.all_coordinators();
    let calls: Vec<Vec<_>> =
        requests.iter().map(|request| coordinators.iter().map(|c| c.call(request.clone())).collect()).collect();
    async move {
        let mut answers = Vec::with_capacity(calls.len());
        for calls in calls {
            let mut own = Vec::with_capacity(calls.len());
            for call in calls {
                own.extend(call.await.ok());
            }
            answers.push(own);
        }
        answers
    }
}

/// Group ids of a request, each once, in its order.
pub(crate) fn distinct<T: AsRef<str>>(names: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    names.into_iter().filter(|name| seen.insert(name.as_ref().to_string())).collect()
}
