//! What a peer must not get away with.

use bytes::Bytes;

use super::{BUDGET, body};
use crate::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use crate::fetch::FetchRequest;
use crate::metadata::{MetadataRequest, MetadataRequestTopic};
use crate::{ApiKey, DecodeError, Decoder, Message, RequestHeader};

/// Decodes a Metadata request of `version` from these bytes.
fn metadata(version: i16, bytes: &[u8]) -> Result<MetadataRequest, DecodeError> {
    MetadataRequest::decode(&mut Decoder::new(&Bytes::copy_from_slice(bytes), BUDGET), version)
}

/// Decodes an ApiVersions request v3 whose tags are these bytes.
fn tags(bytes: &[u8]) -> Result<ApiVersionsRequest, DecodeError> {
    let bytes = Bytes::from([b"\x02a\x02b", bytes].concat());
    ApiVersionsRequest::decode(&mut Decoder::new(&bytes, BUDGET), 3)
}

#[test]
fn lengths_and_counts_are_judged_by_the_bytes_left() {
    assert_eq!(metadata(0, b""), Err(DecodeError::Short));
    assert_eq!(metadata(0, b"\x7f\xff\xff\xff"), Err(DecodeError::Count));
    assert_eq!(metadata(0, b"\x00\x00\x00\x02\x00\x00\x00"), Err(DecodeError::Count));
    assert_eq!(metadata(0, b"\x00\x00\x00\x01\x7f\xffabc"), Err(DecodeError::Short));
    assert_eq!(metadata(9, b"\xff\xff\xff\xff\x0f"), Err(DecodeError::Count));
    assert_eq!(metadata(0, b"\xff\xff\xff\xfe"), Err(DecodeError::Length));
    assert_eq!(metadata(0, b"\x00\x00\x00\x01\xff\xfe"), Err(DecodeError::Length));
}

#[test]
fn null_is_refused_where_a_version_has_none() {
    assert_eq!(metadata(0, b"\xff\xff\xff\xff"), Err(DecodeError::Null));
    assert_eq!(metadata(1, b"\xff\xff\xff\xff").unwrap().topics, None);
    assert_eq!(metadata(1, b"\x00\x00\x00\x01\xff\xff"), Err(DecodeError::Null));
    assert_eq!(metadata(9, b"\x02\x00\x00"), Err(DecodeError::Null));
}

#[test]
fn a_presence_byte_is_minus_one_or_one() {
    use crate::describe_topic_partitions::DescribeTopicPartitionsRequest;
    let decode = |presence: u8, cursor: &[u8]| {
        let bytes = Bytes::from([&[1, 0, 0, 0, 9, presence], cursor, &[0]].concat());
        DescribeTopicPartitionsRequest::decode(&mut Decoder::new(&bytes, BUDGET), 0).map(|m| m.cursor)
    };
    let cursor = b"\x02t\0\0\0\x07\0";
    assert_eq!(decode(1, cursor).unwrap().unwrap().partition_index, 7);
    assert_eq!(decode(0xff, b""), Ok(None));
    assert_eq!((decode(0, cursor), decode(2, cursor)), (Err(DecodeError::Length), Err(DecodeError::Length)));
}

#[test]
fn strings_are_utf8() {
    assert_eq!(metadata(0, b"\x00\x00\x00\x01\x00\x02\xc3\x28"), Err(DecodeError::Utf8));
}

#[test]
fn varints_have_at_most_five_bytes_and_32_bits() {
    assert_eq!(metadata(9, b"\x80\x80\x80\x80\x80\x01"), Err(DecodeError::Varint));
    assert_eq!(metadata(9, b"\xff\xff\xff\xff\x1f"), Err(DecodeError::Varint));
    // Longer than needed, but 32 bits: Kafka reads it too.
    assert_eq!(metadata(9, b"\x81\x80\x00\x01\x00\x00\x00").unwrap().topics, Some(vec![]));
}

#[test]
fn tags_ascend_and_end_where_they_say() {
    assert!(tags(b"\x00").is_ok());
    assert!(tags(b"\x02\x05\x01x\x06\x00").is_ok());
    assert_eq!(tags(b"\x02\x05\x00\x05\x00"), Err(DecodeError::Tag));
    assert_eq!(tags(b"\x02\x05\x00\x04\x00"), Err(DecodeError::Tag));
    assert_eq!(tags(b"\x01\x05\x02x"), Err(DecodeError::Short));
    assert_eq!(tags(b"\x01\x05"), Err(DecodeError::Short));
    assert_eq!(tags(b"\x01\xff\xff\xff\xff\x0f\x00"), Err(DecodeError::Tag));

    // A known tag: Fetch's cluster id is tag 0, a nullable string.
    let request = FetchRequest { cluster_id: Some("c".into()), ..Default::default() };
    let good = body(&request, 12);
    assert_eq!(good[good.len() - 5..], *b"\x01\x00\x02\x02c");
    let decode = |tail: &[u8]| {
        let bytes = Bytes::from([&good[..good.len() - 5], tail].concat());
        FetchRequest::decode(&mut Decoder::new(&bytes, BUDGET), 12).map(|m| m.cluster_id)
    };
    assert_eq!(decode(b"\x01\x00\x02\x02c"), Ok(Some("c".into())));
    assert_eq!(decode(b"\x01\x00\x03\x02c_"), Err(DecodeError::Tag));
    assert_eq!(decode(b"\x01\x00\x01\x02c"), Err(DecodeError::Short));
}

#[test]
fn half_a_million_unknown_tags_are_skipped_without_memory() {
    let mut bytes = b"\x02a\x02b".to_vec();
    let put = |mut n: u32, bytes: &mut Vec<u8>| {
        while n >= 0x80 {
            bytes.push(n as u8 | 0x80);
            n >>= 7;
        }
        bytes.push(n as u8);
    };
    put(500_000, &mut bytes);
    for tag in 0..500_000 {
        put(tag, &mut bytes);
        bytes.push(0);
    }
    let bytes = Bytes::from(bytes);
    let mut d = Decoder::new(&bytes, 0);
    assert_eq!(ApiVersionsRequest::decode(&mut d, 3).unwrap().client_software_name, "a");
    assert_eq!((d.remaining(), d.budget()), (0, 0));
}

#[test]
fn bytes_behind_a_request_are_ignored() {
    let good = body(&MetadataRequest::default(), 9);
    assert_eq!(metadata(9, &[&good[..], b"more"].concat()), Ok(MetadataRequest::default()));
}

#[test]
fn memory_is_spent_before_it_is_taken() {
    let topics = vec![MetadataRequestTopic::default(); 1000];
    let bytes = body(&MetadataRequest { topics: Some(topics), ..Default::default() }, 0);
    // 2 bytes of frame are one name in memory; a Vec has room for just what there is.
    let cost = 1000 * size_of::<MetadataRequestTopic>();
    let decode = |budget| {
        let mut d = Decoder::new(&bytes, budget);
        MetadataRequest::decode(&mut d, 0).map(|request| (request.topics.unwrap().capacity(), d.budget()))
    };
    assert_eq!(decode(cost), Ok((1000, 0)));
    assert_eq!(decode(cost - 1), Err(DecodeError::Budget));
}

#[test]
fn headers_name_what_is_served() {
    let header = |bytes: &'static [u8]| RequestHeader::decode(&mut Decoder::new(&Bytes::from_static(bytes), 0));
    assert_eq!(header(b"\x00\x34\x00\x00\x00\x00\x00\x01\xff\xff"), Err(DecodeError::Key(52)));
    assert_eq!(header(b"\xff\xff\x00\x00\x00\x00\x00\x01\xff\xff"), Err(DecodeError::Key(-1)));
    assert_eq!(header(b"\x00\x00\x00\x02\x00\x00\x00\x01\xff\xff"), Err(DecodeError::Version(2)));
    assert_eq!(header(b"\x00\x03\xff\xff\x00\x00\x00\x01\xff\xff"), Err(DecodeError::Version(-1)));
    assert_eq!(header(b"\x00\x03\x00\x09\x00\x00\x00\x01\xff\xff"), Err(DecodeError::Short));
    assert_eq!(header(b"\x00\x03\x00\x09\x00\x00\x00\x01\xff\xfe\x00"), Err(DecodeError::Length));
    let found = header(b"\x00\x03\x00\x09\x00\x00\x00\x01\x00\x01a\x00").unwrap();
    assert_eq!((found.key, found.client_id), (ApiKey::Metadata, Some("a".into())));
    // Any version of ApiVersions gets through, to be answered with what is served.
    let future = header(b"\x00\x12\x00\x63\x00\x00\x00\x05\x00\x01a\xff\xff").unwrap();
    assert_eq!((future.key, future.version, future.correlation_id), (ApiKey::ApiVersions, 99, 5));
}

#[test]
fn an_answer_to_api_versions_has_a_header_without_tags() {
    let frame = crate::encode_response(3, 1, &ApiVersionsResponse::default()).unwrap().concat();
    // Size, correlation id, error, no keys, throttle time, no tags.
    assert_eq!(frame, b"\0\0\0\x0c\0\0\0\x01\0\0\x01\0\0\0\0\0");
}

#[test]
fn frames_have_a_least_and_a_largest_size() {
    use crate::frame::*;
    let len = |size: i32| frame_len(size.to_be_bytes(), FRAME_BYTES_MAX).ok();
    assert_eq!((len(10), len(104_857_600)), (Some(10), Some(104_857_600)));
    assert_eq!((len(9), len(0), len(-1), len(i32::MIN), len(104_857_601)), (None, None, None, None, None));
    assert_eq!(frame_bytes_max([0, 0]), FRAME_BYTES_MAX);
    assert_eq!(frame_bytes_max([0, 1]), FRAME_BYTES_MAX_OTHERS);
    assert!(frame_len(70_000i32.to_be_bytes(), FRAME_BYTES_MAX_UNAUTHENTICATED).is_err());
}
