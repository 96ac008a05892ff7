//! What is written is read back, in every version of everything.

use bytes::Bytes;

use super::{BUDGET, Chance, body, made_up, made_up_record};
use crate::codec::Records;
use crate::message::{Message, Request, RequestHeader, decode_response_header, encode_request, encode_response};
use crate::record::Record;
use crate::{ApiKey, Decoder, EncodeError};

const SEEDS: u64 = 24;

fn check_body<M: Message>() {
    let (min, max) = M::KEY.versions();
    for (version, seed) in (min..=max).flat_map(|version| (0..SEEDS).map(move |seed| (version, seed))) {
        let message: M = made_up(version, seed);
        let bytes = body(&message, version);
        let what = format!("{} v{version}, seed {seed}", M::KEY);
        let mut d = Decoder::new(&bytes, BUDGET);
        let back = M::decode(&mut d, version).unwrap_or_else(|e| panic!("{what}: {e}: {message:?}"));
        assert_eq!(d.remaining(), 0, "{what}");
        assert_eq!(back, message, "{what}");
        assert!(bytes.len() >= M::least(version, M::KEY.is_flexible(version)), "{what}");
        check_cut::<M>(&bytes, version, seed, &what);
    }
    for beyond in [min - 1, max + 1, i16::MIN, i16::MAX] {
        assert_eq!(M::default().encode(&mut crate::Encoder::new(), beyond), Err(EncodeError::Version(beyond)));
        assert!(M::decode(&mut Decoder::new(&Bytes::from_static(&[0; 64]), BUDGET), beyond).is_err());
    }
}

fn check_cut<M: Message>(bytes: &Bytes, version: i16, seed: u64, what: &str) {
    if bytes.is_empty() {
        return;
    }
    let mut chance = Chance::new(seed);
    for _ in 0..4 {
        let cut = chance.below(bytes.len() as u64) as usize;
        assert!(M::decode(&mut Decoder::new(&bytes.slice(..cut), BUDGET), version).is_err(), "{what} cut to {cut}");
    }
}

fn check_frames<R: Request>() {
    let (min, max) = R::KEY.versions();
    for version in min..=max {
        let (request, response): (R, R::Response) = (made_up(version, 1), made_up(version, 2));
        let client_id = (version % 2 == 0).then_some("client");

        let frame = Bytes::from(encode_request(version, 77, client_id, &request).unwrap().concat());
        assert_eq!(crate::frame::frame_len(frame[..4].try_into().unwrap(), 1 << 20), Ok(frame.len() - 4));
        let frame = frame.slice(4..);
        let mut d = Decoder::new(&frame, BUDGET);
        let header = RequestHeader::decode(&mut d).unwrap();
        let client_id = client_id.map(crate::Str::from);
        assert_eq!(header, RequestHeader { key: R::KEY, version, correlation_id: 77, client_id });
        assert_eq!(R::decode(&mut d, version).as_ref(), Ok(&request));

        let frame = Bytes::from(encode_response(version, 78, &response).unwrap().concat());
        assert_eq!(crate::frame::response_len(frame[..4].try_into().unwrap(), 1 << 20), Ok(frame.len() - 4));
        let frame = frame.slice(4..);
        let mut d = Decoder::new(&frame, BUDGET);
        assert_eq!(decode_response_header(&mut d, R::KEY, version), Ok(78));
        assert_eq!(R::Response::decode(&mut d, version).as_ref(), Ok(&response));
    }
}

macro_rules! check_all {
    ($(($name:ident, $module:ident, $request:ident, $response:ident))*) => {$(
        check_body::<crate::$module::$request>();
        check_body::<crate::$module::$response>();
        check_frames::<crate::$module::$request>();
    )*};
}

#[test]
fn every_message_of_every_version_reads_back_as_written() {
    crate::each_api!(check_all);
}

fn check_record<R: Record>() {
    for version in R::VERSIONS.0..=R::VERSIONS.1 {
        for seed in 0..SEEDS {
            let bytes = made_up_record::<R>(version, seed).encode(version).unwrap();
            assert_eq!(R::decode(&bytes).unwrap().encode(version).unwrap(), bytes, "version {version}, seed {seed}");
            assert!(R::decode(&bytes[..bytes.len() - 1]).is_err());
        }
    }
    assert!(R::default().encode(R::VERSIONS.1 + 1).is_err());
    assert!(R::decode(&(R::VERSIONS.1 + 1).to_be_bytes()).is_err());
}

#[test]
fn every_record_of_every_version_reads_back_as_written() {
    use crate::consumer_protocol::*;
    use crate::coordinator::*;
    check_record::<OffsetCommitKey>();
    check_record::<OffsetCommitValue>();
    check_record::<GroupMetadataKey>();
    check_record::<GroupMetadataValue>();
    check_record::<ConsumerGroupMetadataKey>();
    check_record::<ConsumerGroupMetadataValue>();
    check_record::<ConsumerGroupMemberMetadataKey>();
    check_record::<ConsumerGroupMemberMetadataValue>();
    check_record::<ConsumerGroupTargetAssignmentMetadataKey>();
    check_record::<ConsumerGroupTargetAssignmentMetadataValue>();
    check_record::<ConsumerGroupTargetAssignmentMemberKey>();
    check_record::<ConsumerGroupTargetAssignmentMemberValue>();
    check_record::<ConsumerGroupCurrentMemberAssignmentKey>();
    check_record::<ConsumerGroupCurrentMemberAssignmentValue>();
    check_record::<ConsumerGroupRegularExpressionKey>();
    check_record::<ConsumerGroupRegularExpressionValue>();
    check_record::<ConsumerProtocolSubscription>();
    check_record::<ConsumerProtocolAssignment>();
}

#[test]
fn a_subscription_newer_than_ours_is_read_as_our_newest() {
    use crate::consumer_protocol::ConsumerProtocolSubscription;
    let ours = ConsumerProtocolSubscription { topics: vec!["t".into()], generation_id: 4, ..Default::default() };
    let mut bytes = ours.encode(3).unwrap();
    bytes[1] = 9;
    bytes.extend(b"of a later version");
    assert_eq!(ConsumerProtocolSubscription::decode_or_newer(&bytes), Ok(ours));
    assert!(ConsumerProtocolSubscription::decode(&bytes).is_err());
}

#[test]
fn records_are_neither_copied_in_nor_out() {
    use crate::fetch::{FetchResponse, FetchableTopicResponse, PartitionData};
    use crate::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};

    let batches = [Bytes::from(vec![1; 600]), Bytes::from(vec![2; 9000]), Bytes::from(vec![3; 511])];
    let data = PartitionData { records: Some(Records::from(batches.to_vec())), ..Default::default() };
    let topic = FetchableTopicResponse { partitions: vec![data], ..Default::default() };
    let response = FetchResponse { responses: vec![topic], ..Default::default() };
    let frame = encode_response(12, 1, &response).unwrap();
    assert_eq!(frame.len(), 4, "head, two large batches, the rest");
    for (segment, batch) in [(1, 0), (2, 1)] {
        assert_eq!(frame[segment].as_ptr(), batches[batch].as_ptr());
    }

    let data = PartitionProduceData { index: 3, records: Some(batches[1].clone()) };
    let topic = TopicProduceData { partition_data: vec![data], ..Default::default() };
    let frame = encode_request(9, 1, None, &ProduceRequest { topic_data: vec![topic], ..Default::default() }).unwrap();
    assert_eq!(frame[1].as_ptr(), batches[1].as_ptr());
    let frame = Bytes::from(frame.concat()).slice(4..);
    let mut d = Decoder::new(&frame, BUDGET);
    let header = RequestHeader::decode(&mut d).unwrap();
    let back = ProduceRequest::decode(&mut d, header.version).unwrap();
    let records = back.topic_data[0].partition_data[0].records.as_ref().unwrap();
    assert_eq!(records, &batches[1]);
    assert!(frame.as_ptr_range().contains(&records.as_ptr()));
}

#[test]
fn what_a_version_cannot_say_is_refused_in_requests_and_left_out_of_responses() {
    use crate::metadata::{MetadataRequest, MetadataResponse, MetadataResponseTopic};
    let encode = |request: &MetadataRequest, version| request.encode(&mut crate::Encoder::new(), version);

    let quiet = MetadataRequest { allow_auto_topic_creation: false, ..Default::default() };
    let unsupported = EncodeError::Unsupported("MetadataRequest.allow_auto_topic_creation");
    assert_eq!(encode(&quiet, 3), Err(unsupported));
    assert_eq!(encode(&quiet, 4), Ok(()));
    let all = MetadataRequest { topics: None, ..Default::default() };
    assert_eq!(encode(&all, 0), Err(EncodeError::Null("MetadataRequest.topics")));
    assert_eq!(encode(&all, 1), Ok(()));

    let nameless = MetadataResponseTopic { name: None, ..Default::default() };
    let response = MetadataResponse { topics: vec![nameless], controller_id: 5, ..Default::default() };
    let mut e = crate::Encoder::new();
    assert_eq!(response.encode(&mut e, 11), Err(EncodeError::Null("MetadataResponseTopic.name")));
    let response = MetadataResponse { throttle_time_ms: 9, controller_id: 5, ..Default::default() };
    let bytes = body(&response, 0);
    let back = MetadataResponse::decode(&mut Decoder::new(&bytes, BUDGET), 0).unwrap();
    assert_eq!((back.throttle_time_ms, back.controller_id), (0, -1));

    let long = MetadataResponse { cluster_id: Some("x".repeat(40_000).into()), ..Default::default() };
    assert_eq!(long.encode(&mut crate::Encoder::new(), 9), Err(EncodeError::TooLong));
}

#[test]
fn keys_and_versions_are_those_of_kafka_4_4() {
    assert_eq!(ApiKey::ALL.len(), 53);
    assert!(ApiKey::ALL.windows(2).all(|pair| (pair[0] as i16) < pair[1] as i16));
    assert_eq!(ApiKey::from_i16(75), Some(ApiKey::DescribeTopicPartitions));
    assert_eq!(ApiKey::from_i16(4), None);
    assert_eq!(ApiKey::Produce.versions(), (3, 13));
    assert_eq!(ApiKey::Produce.versions_advertised(), (0, 13));
    assert_eq!(ApiKey::Fetch.versions_advertised(), (4, 18));
    assert_eq!(ApiKey::InitProducerId.versions(), (0, 5));
    let never_flexible: Vec<_> =
        ApiKey::ALL.into_iter().filter(|key| !key.is_flexible(key.versions().1)).map(ApiKey::name).collect();
    assert_eq!(never_flexible, ["SaslHandshake", "OffsetDelete"]);
    assert!(!ApiKey::ApiVersions.response_header_has_tags(3) && ApiKey::ApiVersions.is_flexible(3));
}
