//! Bytes of Kafka 4.4's own client, for the versions the oracle doesn't have and for records.

use ouzel_model::TopicId;

use super::{BUDGET, body};
use crate::ApiKey::{self, *};
use crate::decode::Decoder;
use crate::message::Message;
use crate::record::Record;

const REQUEST: bool = true;
const RESPONSE: bool = false;

/// Bodies with made-up values that Kafka's client read to the end and wrote again unchanged.
#[rustfmt::skip]
pub(super) const BODIES: &[(ApiKey, i16, bool, &str)] = &[
    (ListOffsets, 11, REQUEST, "0000000000030a61c3a95a5a2d5a61300200000000ffffffff000000000000004c000010e8aa9ec3a9c3a930e8aa9ee8aa9e2d0300000000ffffffff000000000000007b000000006fffffffff000000000000003300000000004d00"),
    (ListOffsets, 11, RESPONSE, "0000001a030103000000611e085fffffffffffffff000000000000004a13defd0f000000004500481a98609f4bc524570000000000000067000000460000010492b9174bffff03b4c42dd44d2cf0000000000000007a00000000000000007a002f5fffffffffffffff4552dd25e407a0fd000000680000000017ffff5fffffffffffffff000000000000005fffffffff000000"),
    (OffsetCommit, 10, REQUEST, "0a2d3061e8aa9ee8aa9e0000001805e8aa9e61145a5a5a5a61e8aa9e61e8aa9ee8aa9e30e8aa9e030000000000000000000000000000005904eec2f4ee00000000000000530000006d01000000000007914a9fcbde2e81000000270a61c3a9c3a9e8aa9e61000000004000000000000000270673b1bd00000021ffea3a88b1320fb61102fa22ae16fc030000002f0000000000000035000000000ce8aa9e615a61e8aa9ec3a9000000000053ae05684bb29c71f2c9f0ba0ec3a930c3a9305a5a302d30c3a9000000"),
    (OffsetCommit, 10, RESPONSE, "ffffffff034c0888e138b530c105af338deaf304b7030000002d185a00000000119fac000073ff2ad41252da52a77585117b29b8b8010000"),
    (OffsetFetch, 10, REQUEST, "030ac3a9e8aa9ee8aa9e610c30e8aa9e3061615a5a2d610000001b04d3c75a5d18e9c407c834fbbadb0701fe01000000000000000000000000000000004004f2eba2df00000000c29dcef1000000000000000000000000000000000003000000416e3404e00000042d5a2d0ae8aa9e30c3a9305a2d0000006600000000"),
    (OffsetFetch, 10, RESPONSE, "00000072020de8aa9e61c3a9c3a9c3a92d610332d68a9866b5a3cc5f3eece71071def304ffffffff000000000000002c000000417fe8aa9e5a2d612de8aa9e2d61e8aa9e612d61e8aa9e5a302de8aa9e3030c3a9c3a9615a2d305a30e8aa9ee8aa9ee8aa9e2d305ac3a92dc3a95ac3a92d61615ae8aa9e6130e8aa9ee8aa9e5a2d30e8aa9e30616161613061c3a961c3a9c3a961e8aa9e5a2dc3a92d5a61c3a9e8aa9e3030e8aa9ee8aa9ec3a9c3a9c3a92d61003d00e909ec854c25e06a8d7c732500000008045ac3a99e5c000000007e0000000000000043f8696132035a3000000000ffffffffffffffffffffffffffffffff020000005415c80adf6a9ac70b0000000016e8aa9e5ae8aa9e2d30e8aa9e5a61e8aa9ee8aa9e2ddd5f000096bb0000"),
    (ApiVersions, 5, REQUEST, "16e8aa9ee8aa9ee8aa9e615a30c3a9e8aa9e5a5ac3a912c3a92dc3a95a61e8aa9ee8aa9e5ae8aa9e025a0000005500"),
    (ApiVersions, 5, RESPONSE, "ffff010000002803001c030b6161c3a95a2d3061305a0000ffff00065ac3a92d2d0052000e00010800000000000000500262025cc3a92d2d612d303061c3a9305a5a2d616161c3a9c3a93030305a615a30e8aa9e5a305a30e8aa9e2d30306161302de8aa9e61e8aa9e61c3a95a2d616161c3a9e8aa9e61e8aa9ee8aa9e6130302dc3a92d305a2de8aa9e5a2de8aa9e0008356c00"),
    (TxnOffsetCommit, 6, REQUEST, "74c3a9302d2d61302de8aa9ec3a961e8aa9e5a6130e8aa9e615a5ac3a92dc3a9c3a92dc3a9c3a9305a2de8aa9e30e8aa9e615a30c3a92d302d2dc3a92de8aa9ee8aa9e5a5ae8aa9e61c3a95a61e8aa9ec3a9302d61c3a9c3a9c3a92de8aa9ee8aa9e61e8aa9e612de8aa9ec3a9e8aa9e61e8aa9e11e8aa9ee8aa9e5a2d30e8aa9ee8aa9e61000000000000007a006a5114a2da0106e8aa9ec3a9030000000000000000000000000000003904fe6b3cb30000000000000015ffffffff06e8aa9ec3a9000000000c5fffffffffffffff9c19f081010000000000000000000000004600000068000000ffffffffffffffffffffffffffffffff020000000000000000000000680000004f00000000"),
    (TxnOffsetCommit, 6, RESPONSE, "ffffffff034c0888e138b530c105af338deaf304b7030000002d185a00000000119fac000073ff2ad41252da52a77585117b29b8b8010000"),
    (DescribeLogDirs, 5, REQUEST, "0312c3a9e8aa9ec3a95ae8aa9ec3a9e8aa9e5a025a89cea400025a010000"),
    (DescribeLogDirs, 5, RESPONSE, "ffffffffffff0329ca075ac3a9e8aa9e0405c3a9c3a90100115a2d5a5a5ac3a9c3a9e8aa9ec3a9305a0400000039000000000000005c00000000000000000000ca524e49000000000000007d000000000000002c010091853f9100000000000000501f55733514db87130000000661612dc3a903a8fddb0f56d7e7fd53bd3f9f09dfa2895d1874960000000000005fffffffffffffff5fffffffffffffff01000000000000000000365682fda4f7f1c6b80100003303c3a90100000000000000010000000000000039010000"),
    (DeleteGroups, 3, REQUEST, "0308306130e8aa9e61092d5a5a612dc3a92d00"),
    (DeleteGroups, 3, RESPONSE, "000000000401ffff01000ec3a9e8aa9e5a5ac3a95a2dc3a9ffff0e61e8aa9ee8aa9e5ae8aa9e615a00010055000000"),
];

/// Topic id of all cases with names below.
const ID: TopicId = TopicId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn reencode<M: Message>(hex: &str, version: i16) -> M {
    let golden = bytes::Bytes::from(bytes(hex));
    let mut d = Decoder::new(&golden, BUDGET);
    let message = M::decode(&mut d, version).unwrap_or_else(|e| panic!("{} v{version}: {e}", M::KEY));
    assert_eq!(d.remaining(), 0);
    assert_eq!(body(&message, version), golden);
    message
}

macro_rules! reencode_all {
    ($(($name:ident, $module:ident, $request:ident, $response:ident))*) => {
        for &(key, version, direction, hex) in BODIES {
            match (key, direction) {
                $(
                    (ApiKey::$name, REQUEST) => drop(reencode::<crate::$module::$request>(hex, version)),
                    (ApiKey::$name, RESPONSE) => drop(reencode::<crate::$module::$response>(hex, version)),
                )*
            }
        }
    };
}

#[test]
fn bodies_of_kafka_are_read_and_written_unchanged() {
    crate::each_api!(reencode_all);
}

/// Our value of this version is these bytes of Kafka's, and back.
fn check<M: Message>(version: i16, hex: &str, value: M) {
    assert_eq!(reencode::<M>(hex, version), value);
    assert_eq!(body(&value, version), bytes(hex));
}

fn check_record<R: Record + PartialEq + std::fmt::Debug>(version: i16, hex: &str, value: R) {
    assert_eq!(R::decode(&bytes(hex)).as_ref(), Ok(&value));
    assert_eq!(value.encode(version), Ok(bytes(hex)));
}

#[test]
fn fields_lie_where_kafka_puts_them() {
    use crate::txn_offset_commit;
    use crate::{api_versions, delete_groups, describe_log_dirs, list_offsets, offset_commit, offset_fetch};

    let value = api_versions::ApiVersionsRequest {
        client_software_name: "java".into(),
        client_software_version: "4.4".into(),
        cluster_id: Some("cl".into()),
        node_id: 3,
    };
    check(5, "056a61766104342e3403636c0000000300", value);

    let partition = list_offsets::ListOffsetsPartition { partition_index: 2, current_leader_epoch: 8, timestamp: -6 };
    let topic = list_offsets::ListOffsetsTopic { name: "t".into(), partitions: vec![partition] };
    let value =
        list_offsets::ListOffsetsRequest { replica_id: -1, isolation_level: 1, topics: vec![topic], timeout_ms: 77 };
    check(11, "ffffffff01020274020000000200000008fffffffffffffffa00000000004d00", value);

    let partition = offset_commit::OffsetCommitRequestPartition {
        partition_index: 1,
        committed_offset: 10,
        committed_leader_epoch: 2,
        committed_metadata: None,
    };
    let topic =
        offset_commit::OffsetCommitRequestTopic { topic_id: ID, partitions: vec![partition], ..Default::default() };
    let value = offset_commit::OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: 4,
        member_id: "m".into(),
        topics: vec![topic],
        ..Default::default()
    };
    let hex = "026700000004026d0002000102030405060708090a0b0c0d0e0f0200000001000000000000000a0000000200000000";
    check(10, hex, value);

    let partition = offset_fetch::OffsetFetchResponsePartitions {
        partition_index: 1,
        committed_offset: 10,
        committed_leader_epoch: 2,
        metadata: Some("x".into()),
        error_code: 88,
    };
    let topic =
        offset_fetch::OffsetFetchResponseTopics { topic_id: ID, partitions: vec![partition], ..Default::default() };
    let group = offset_fetch::OffsetFetchResponseGroup { group_id: "g".into(), topics: vec![topic], error_code: 0 };
    let value = offset_fetch::OffsetFetchResponse { throttle_time_ms: 1, groups: vec![group], ..Default::default() };
    let hex = "0000000102026702000102030405060708090a0b0c0d0e0f0200000001000000000000000a0000000202780058000000000000";
    check(10, hex, value);

    let partition = describe_log_dirs::DescribeLogDirsPartition {
        partition_index: 0,
        partition_size: 9,
        offset_lag: 8,
        is_future_key: true,
    };
    let topic = describe_log_dirs::DescribeLogDirsTopic { name: "t".into(), partitions: vec![partition] };
    let result = describe_log_dirs::DescribeLogDirsResult {
        log_dir: "/d".into(),
        topics: vec![topic],
        total_bytes: 100,
        usable_bytes: 50,
        ..Default::default()
    };
    let value =
        describe_log_dirs::DescribeLogDirsResponse { throttle_time_ms: 1, results: vec![result], ..Default::default() };
    let hex = "000000010000020000032f640202740200000000000000000000000900000000000000080100000000000000000064\
               0000000000000032000000";
    check(5, hex, value);

    let result = delete_groups::DeletableGroupResult { group_id: "g".into(), error_code: 69, error_message: None };
    let value = delete_groups::DeleteGroupsResponse { throttle_time_ms: 1, results: vec![result] };
    check(3, "000000010202670045000000", value);

    let partition = txn_offset_commit::TxnOffsetCommitRequestPartition {
        partition_index: 1,
        committed_offset: 10,
        committed_leader_epoch: 2,
        committed_metadata: Some("y".into()),
    };
    let topic = txn_offset_commit::TxnOffsetCommitRequestTopic {
        topic_id: ID,
        partitions: vec![partition],
        ..Default::default()
    };
    let value = txn_offset_commit::TxnOffsetCommitRequest {
        transactional_id: "x".into(),
        group_id: "g".into(),
        producer_id: 5,
        producer_epoch: 6,
        generation_id_or_member_epoch: 7,
        member_id: "m".into(),
        group_instance_id: Some("i".into()),
        topics: vec![topic],
    };
    let hex = "027802670000000000000005000600000007026d026902000102030405060708090a0b0c0d0e0f0200000001\
               000000000000000a000000020279000000";
    check(6, hex, value);
}

#[test]
fn records_lie_where_kafka_puts_them() {
    use crate::consumer_protocol::{ConsumerProtocolSubscription, OwnedTopicPartition};
    use crate::coordinator::{ConsumerGroupMemberMetadataValue, GroupMetadataValue, MemberMetadata, OffsetCommitValue};

    let value = OffsetCommitValue {
        offset: 42,
        leader_epoch: 7,
        metadata: "meta".into(),
        commit_timestamp: 1000,
        topic_id: ID,
        ..Default::default()
    };
    let hex = "0004000000000000002a00000007056d65746100000000000003e8010010000102030405060708090a0b0c0d0e0f";
    check_record(4, hex, value);

    let value = OffsetCommitValue {
        offset: 42,
        metadata: "meta".into(),
        commit_timestamp: 1000,
        expire_timestamp: 2000,
        ..Default::default()
    };
    check_record(1, "0001000000000000002a00046d65746100000000000003e800000000000007d0", value);

    let member = MemberMetadata {
        member_id: "m1".into(),
        group_instance_id: Some("i1".into()),
        client_id: "c".into(),
        client_host: "/h".into(),
        rebalance_timeout: 3,
        session_timeout: 4,
        subscription: vec![1].into(),
        assignment: vec![2, 3].into(),
    };
    let value = GroupMetadataValue {
        protocol_type: "consumer".into(),
        generation: 5,
        protocol: Some("range".into()),
        leader: Some("m1".into()),
        current_state_timestamp: 99,
        members: vec![member],
    };
    let hex = "00030008636f6e73756d657200000005000572616e676500026d3100000000000000630000000100026d310002693100\
               016300022f6800000003000000040000000101000000020203";
    check_record(3, hex, value);

    // Null in a tag is a byte 0, and not the default.
    let value = ConsumerGroupMemberMetadataValue {
        instance_id: None,
        rack_id: Some("r".into()),
        client_id: "c".into(),
        client_host: "/h".into(),
        subscribed_topic_names: vec!["t".into()],
        subscribed_topic_regex: None,
        rebalance_timeout_ms: 9,
        server_assignor: Some("uniform".into()),
        classic_member_metadata: None,
    };
    check_record(0, "00000002720263032f68020274000000000908756e69666f726d01000100", value);

    let owned = OwnedTopicPartition { topic: "o".into(), partitions: vec![1, 2] };
    let value = ConsumerProtocolSubscription {
        topics: vec!["t".into()],
        user_data: None,
        owned_partitions: vec![owned],
        generation_id: 6,
        rack_id: Some("k".into()),
    };
    let hex = "000300000001000174ffffffff0000000100016f0000000200000001000000020000000600016b";
    check_record(3, hex, value);
}
