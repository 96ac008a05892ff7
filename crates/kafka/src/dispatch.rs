//! From a frame to its handler.

use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use ouzel_wire::{ApiKey, DecodeError, Decoder, RequestHeader, encode_response};

use crate::api;
use crate::conn::{Handling, Outcome, Reply};
use crate::server::Kafka;

/// What a decoded request may cost, bytes of memory: this and a quarter of its frame. What its handler makes of it, answer included, is up
/// to ten times that.
const DECODE_FREE: usize = 4 << 10;
/// What waits long has its request decoded all that time: names and numbers in it are few, or the size of what is made of them.
const DECODE_PARKED: (usize, usize) = (4, 64 << 10);
/// KiB that all dear requests of a core may cost at a time, so that what is over a connection's share doesn't add up. It is enough for one
/// that names 20,000 topics; what costs more is refused.
pub(crate) const DEAR_KIB_MAX: usize = 2 << 10;
/// The most that decoding makes of a byte: an empty name of two becomes 48.
const DECODE_RATIO_MAX: usize = 24;

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

impl Cx {
    fn new(kafka: &Rc<Kafka>, peer: &Rc<Peer>, header: &RequestHeader) -> Cx {
        Cx {
            kafka: kafka.clone(),
            peer: peer.clone(),
            version: header.version,
            client_id: header.client_id.as_deref().unwrap_or_default().to_string(),
        }
    }
}

/// A request that waits for its turn: its frame, and nothing made of it.
pub(crate) struct Request {
    header: RequestHeader,
    body: Bytes,
}

/// Takes a request: produce is begun at once, everything else in its turn. The error is why the connection is to be closed.
pub(crate) async fn start(kafka: &Rc<Kafka>, peer: &Rc<Peer>, frame: Bytes) -> Result<Reply, String> {
    let mut d = Decoder::new(&frame, 0);
    let header = RequestHeader::decode(&mut d).map_err(|e| format!("a request this broker doesn't know: {e}"))?;
    let body = frame.slice(frame.len() - d.remaining()..);
    match header.key {
        key if !api::api_versions::SERVED.contains(&key) => Err(format!("{key} isn't served")),
        ApiKey::Produce => api::produce::start(Cx::new(kafka, peer, &header), &header, &body).await,
        _ => Ok(Reply::InTurn(Request { header, body })),
    }
}

impl Request {
    /// Decodes and handles it.
    pub async fn handle(self, kafka: &Rc<Kafka>, peer: &Rc<Peer>) -> Outcome {
        let cx = || Cx::new(kafka, peer, &self.header);
        let len = self.body.len();
        let (parks, free) = match self.header.key {
            ApiKey::Fetch | ApiKey::JoinGroup | ApiKey::SyncGroup => (true, len * DECODE_PARKED.0 + DECODE_PARKED.1),
            _ => (false, len / 4 + DECODE_FREE),
        };
        // Held until the answer is encoded.
        let mut _dear = None;
        let begun = match begin(cx(), &self.header, &self.body, free) {
            Err(DecodeError::Budget) if !parks => {
                let kib = (len * DECODE_RATIO_MAX).div_ceil(1024).min(DEAR_KIB_MAX);
                let Ok(permit) = kafka.dear.acquire(kib).await else { return Outcome::Nothing };
                _dear = Some(permit);
                begin(cx(), &self.header, &self.body, kib * 1024)
            }
            begun => begun,
        };
        match begun {
            Ok(handling) => {
                drop(self);
                handling.await
            }
            Err(error) => Outcome::Close(malformed(&self.header, error)),
        }
    }
}

/// Decodes a request and makes its handler ready.
fn begin(cx: Cx, header: &RequestHeader, body: &Bytes, budget: usize) -> Result<Handling, DecodeError> {
    let mut d = Decoder::new(body, budget);
    use ApiKey as K;
    match header.key {
        K::ApiVersions => api::api_versions::handle(cx, header, &mut d),
        K::Fetch => api::fetch::begin(cx, header, &mut d),
        K::ListOffsets => later(cx, header, &mut d, api::list_offsets::handle),
        K::Metadata => later(cx, header, &mut d, api::metadata::handle),
        K::OffsetForLeaderEpoch => later(cx, header, &mut d, api::offset_for_leader_epoch::handle),
        K::InitProducerId => later(cx, header, &mut d, api::init_producer_id::handle),
        K::FindCoordinator => later(cx, header, &mut d, api::find_coordinator::handle),
        K::OffsetCommit => later(cx, header, &mut d, api::offset_commit::handle),
        K::OffsetFetch => later(cx, header, &mut d, api::offset_fetch::handle),
        K::OffsetDelete => later(cx, header, &mut d, api::offset_delete::handle),
        K::JoinGroup => later(cx, header, &mut d, api::join_group::handle),
        K::SyncGroup => later(cx, header, &mut d, api::sync_group::handle),
        K::Heartbeat => later(cx, header, &mut d, api::heartbeat::handle),
        K::LeaveGroup => later(cx, header, &mut d, api::leave_group::handle),
        K::ListGroups => later(cx, header, &mut d, api::list_groups::handle),
        K::DescribeGroups => later(cx, header, &mut d, api::describe_groups::handle),
        K::DeleteGroups => later(cx, header, &mut d, api::delete_groups::handle),
        K::CreateTopics => later(cx, header, &mut d, api::create_topics::handle),
        K::DeleteTopics => later(cx, header, &mut d, api::delete_topics::handle),
        K::CreatePartitions => later(cx, header, &mut d, api::create_partitions::handle),
        K::DeleteRecords => later(cx, header, &mut d, api::delete_records::handle),
        K::DescribeConfigs => later(cx, header, &mut d, api::configs::describe),
        K::AlterConfigs => later(cx, header, &mut d, api::configs::alter),
        K::IncrementalAlterConfigs => later(cx, header, &mut d, api::configs::alter_incrementally),
        K::ListConfigResources => later(cx, header, &mut d, api::configs::list),
        K::DescribeLogDirs => later(cx, header, &mut d, api::describe_log_dirs::handle),
        K::DescribeProducers => later(cx, header, &mut d, api::describe_producers::handle),
        K::DescribeTopicPartitions => later(cx, header, &mut d, api::describe_topic_partitions::handle),
        K::DescribeCluster => later(cx, header, &mut d, api::cluster::describe),
        K::DescribeQuorum => later(cx, header, &mut d, api::cluster::describe_quorum),
        K::ElectLeaders => later(cx, header, &mut d, api::cluster::elect_leaders),
        K::AlterPartitionReassignments => later(cx, header, &mut d, api::cluster::alter_reassignments),
        K::ListPartitionReassignments => later(cx, header, &mut d, api::cluster::list_reassignments),
        other => Err(DecodeError::Key(other as i16)),
    }
}

fn later<R, F>(
    cx: Cx,
    header: &RequestHeader,
    d: &mut Decoder<'_>,
    handle: impl FnOnce(Cx, R) -> F + 'static,
) -> Result<Handling, DecodeError>
where
    R: ouzel_wire::Request + 'static,
    F: Future<Output = R::Response> + 'static,
{
    let request = R::decode(d, header.version)?;
    let (version, correlation_id) = (header.version, header.correlation_id);
    Ok(Box::pin(async move {
        let response = handle(cx, request).await;
        encoded(version, correlation_id, &response)
    }))
}

/// Why a connection is closed whose request can't be decoded.
pub(crate) fn malformed(header: &RequestHeader, error: DecodeError) -> String {
    format!("malformed {} request, version {}: {error}", header.key, header.version)
}

pub(crate) fn encoded<M: ouzel_wire::Message>(version: i16, correlation_id: i32, response: &M) -> Outcome {
    match encode_response(version, correlation_id, response) {
        Ok(bytes) => Outcome::Send(bytes, None),
        Err(error) => Outcome::Close(format!("the reply can't be encoded: {error}")),
    }
}
