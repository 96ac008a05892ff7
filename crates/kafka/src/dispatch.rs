//! From a frame to its handler.

use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use ouzel_wire::{ApiKey, Decoder, Request, RequestHeader, encode_response};

use crate::api;
use crate::conn::{Outcome, Reply};
use crate::server::Kafka;

/// What a decoded request may hold, bytes: a list of short names grows about sevenfold. A frame is decoded in one go, so that what a
/// malformed one made is gone before another is looked at: this bounds a core, not each connection.
const DECODE_RATIO: usize = 16;
const DECODE_FREE: usize = 64 << 10;

/// Who is at the other end of a connection.
pub(crate) struct Peer {
    /// As Kafka prints it in group descriptions: `/127.0.0.1`.
    pub host: String,
}

impl Peer {
    pub fn new(addr: SocketAddr) -> Peer {
        Peer { host: format!("/{}", addr.ip()) }
    }
}

/// What a handler knows besides its request.
#[derive(Clone)]
pub(crate) struct Cx {
    pub kafka: Rc<Kafka>,
    pub peer: Rc<Peer>,
    pub version: i16,
    pub client_id: String,
}

/// Reads a request and begins it; the error is why the connection is to be closed.
pub(crate) async fn start(kafka: &Rc<Kafka>, peer: &Rc<Peer>, frame: Bytes) -> Result<Reply, String> {
    let mut d = Decoder::new(&frame, frame.len() * DECODE_RATIO + DECODE_FREE);
    let header = RequestHeader::decode(&mut d).map_err(|e| format!("a request this broker doesn't know: {e}"))?;
    let cx = Cx {
        kafka: kafka.clone(),
        peer: peer.clone(),
        version: header.version,
        client_id: header.client_id.as_deref().unwrap_or_default().to_string(),
    };
    use ApiKey as K;
    match header.key {
        K::ApiVersions => api::api_versions::handle(&cx, &header, &mut d),
        K::Produce => api::produce::start(cx, &header, &mut d).await,
        K::Fetch => later(cx, &header, &mut d, api::fetch::handle),
        K::ListOffsets => later(cx, &header, &mut d, api::list_offsets::handle),
        K::Metadata => later(cx, &header, &mut d, api::metadata::handle),
        K::OffsetForLeaderEpoch => later(cx, &header, &mut d, api::offset_for_leader_epoch::handle),
        K::InitProducerId => later(cx, &header, &mut d, api::init_producer_id::handle),
        K::FindCoordinator => later(cx, &header, &mut d, api::find_coordinator::handle),
        K::OffsetCommit => later(cx, &header, &mut d, api::offset_commit::handle),
        K::OffsetFetch => later(cx, &header, &mut d, api::offset_fetch::handle),
        K::OffsetDelete => later(cx, &header, &mut d, api::offset_delete::handle),
        K::JoinGroup => later(cx, &header, &mut d, api::join_group::handle),
        K::SyncGroup => later(cx, &header, &mut d, api::sync_group::handle),
        K::Heartbeat => later(cx, &header, &mut d, api::heartbeat::handle),
        K::LeaveGroup => later(cx, &header, &mut d, api::leave_group::handle),
        K::ListGroups => later(cx, &header, &mut d, api::list_groups::handle),
        K::DescribeGroups => later(cx, &header, &mut d, api::describe_groups::handle),
        K::DeleteGroups => later(cx, &header, &mut d, api::delete_groups::handle),
        K::CreateTopics => later(cx, &header, &mut d, api::create_topics::handle),
        K::DeleteTopics => later(cx, &header, &mut d, api::delete_topics::handle),
        K::CreatePartitions => later(cx, &header, &mut d, api::create_partitions::handle),
        K::DeleteRecords => later(cx, &header, &mut d, api::delete_records::handle),
        K::DescribeConfigs => later(cx, &header, &mut d, api::configs::describe),
        K::AlterConfigs => later(cx, &header, &mut d, api::configs::alter),
        K::IncrementalAlterConfigs => later(cx, &header, &mut d, api::configs::alter_incrementally),
        K::ListConfigResources => later(cx, &header, &mut d, api::configs::list),
        K::DescribeLogDirs => later(cx, &header, &mut d, api::describe_log_dirs::handle),
        K::DescribeProducers => later(cx, &header, &mut d, api::describe_producers::handle),
        K::DescribeTopicPartitions => later(cx, &header, &mut d, api::describe_topic_partitions::handle),
        K::DescribeCluster => later(cx, &header, &mut d, api::cluster::describe),
        K::DescribeQuorum => later(cx, &header, &mut d, api::cluster::describe_quorum),
        K::ElectLeaders => later(cx, &header, &mut d, api::cluster::elect_leaders),
        K::AlterPartitionReassignments => later(cx, &header, &mut d, api::cluster::alter_reassignments),
        K::ListPartitionReassignments => later(cx, &header, &mut d, api::cluster::list_reassignments),
        other => Err(format!("{other} isn't served")),
    }
}

/// Decodes a request now; its handler runs when its turn to be answered comes.
fn later<R, F>(
    cx: Cx,
    header: &RequestHeader,
    d: &mut Decoder<'_>,
    handle: impl FnOnce(Cx, R) -> F + 'static,
) -> Result<Reply, String>
where
    R: Request + 'static,
    F: Future<Output = R::Response> + 'static,
{
    let request = decode::<R>(header, d)?;
    let (version, correlation_id) = (header.version, header.correlation_id);
    Ok(Reply::Later(Box::pin(async move {
        let response = handle(cx, request).await;
        encoded(version, correlation_id, &response)
    })))
}

pub(crate) fn decode<R: Request>(header: &RequestHeader, d: &mut Decoder<'_>) -> Result<R, String> {
    R::decode(d, header.version)
        .map_err(|e| format!("malformed {} request, version {}: {e}", header.key, header.version))
}

pub(crate) fn encoded<M: ouzel_wire::Message>(version: i16, correlation_id: i32, response: &M) -> Outcome {
    match encode_response(version, correlation_id, response) {
        Ok(bytes) => Outcome::Send(bytes),
        Err(error) => Outcome::Close(format!("the reply can't be encoded: {error}")),
    }
}
