//! Hostile bytes: whatever they say, decoding ends in a value or an error, and in little memory.

use allocation_counter::AllocationInfo;
use bytes::BytesMut;
use factum_kafka_server::messages::add_offsets_to_txn::AddOffsetsToTxnRequest;
use factum_kafka_server::messages::add_partitions_to_txn::AddPartitionsToTxnRequest;
use factum_kafka_server::messages::alter_client_quotas::AlterClientQuotasRequest;
use factum_kafka_server::messages::alter_configs::AlterConfigsRequest;
use factum_kafka_server::messages::alter_partition_reassignments::AlterPartitionReassignmentsRequest;
use factum_kafka_server::messages::alter_user_scram_credentials::AlterUserScramCredentialsRequest;
use factum_kafka_server::messages::api_versions::ApiVersionsRequest;
use factum_kafka_server::messages::consumer_group_describe::ConsumerGroupDescribeRequest;
use factum_kafka_server::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use factum_kafka_server::messages::create_acls::CreateAclsRequest;
use factum_kafka_server::messages::create_partitions::CreatePartitionsRequest;
use factum_kafka_server::messages::create_topics::CreateTopicsRequest;
use factum_kafka_server::messages::delete_acls::DeleteAclsRequest;
use factum_kafka_server::messages::delete_groups::DeleteGroupsRequest;
use factum_kafka_server::messages::delete_records::DeleteRecordsRequest;
use factum_kafka_server::messages::delete_topics::DeleteTopicsRequest;
use factum_kafka_server::messages::describe_acls::DescribeAclsRequest;
use factum_kafka_server::messages::describe_client_quotas::DescribeClientQuotasRequest;
use factum_kafka_server::messages::describe_cluster::DescribeClusterRequest;
use factum_kafka_server::messages::describe_configs::DescribeConfigsRequest;
use factum_kafka_server::messages::describe_groups::DescribeGroupsRequest;
use factum_kafka_server::messages::describe_log_dirs::DescribeLogDirsRequest;
use factum_kafka_server::messages::describe_producers::DescribeProducersRequest;
use factum_kafka_server::messages::describe_quorum::DescribeQuorumRequest;
use factum_kafka_server::messages::describe_topic_partitions::DescribeTopicPartitionsRequest;
use factum_kafka_server::messages::describe_transactions::DescribeTransactionsRequest;
use factum_kafka_server::messages::describe_user_scram_credentials::DescribeUserScramCredentialsRequest;
use factum_kafka_server::messages::elect_leaders::ElectLeadersRequest;
use factum_kafka_server::messages::end_txn::EndTxnRequest;
use factum_kafka_server::messages::fetch::FetchRequest;
use factum_kafka_server::messages::find_coordinator::FindCoordinatorRequest;
use factum_kafka_server::messages::header::HeaderError;
use factum_kafka_server::messages::heartbeat::HeartbeatRequest;
use factum_kafka_server::messages::incremental_alter_configs::IncrementalAlterConfigsRequest;
use factum_kafka_server::messages::init_producer_id::InitProducerIdRequest;
use factum_kafka_server::messages::join_group::JoinGroupRequest;
use factum_kafka_server::messages::leave_group::LeaveGroupRequest;
use factum_kafka_server::messages::list_config_resources::ListConfigResourcesRequest;
use factum_kafka_server::messages::list_groups::ListGroupsRequest;
use factum_kafka_server::messages::list_offsets::ListOffsetsRequest;
use factum_kafka_server::messages::list_partition_reassignments::ListPartitionReassignmentsRequest;
use factum_kafka_server::messages::list_transactions::ListTransactionsRequest;
use factum_kafka_server::messages::metadata::MetadataRequest;
use factum_kafka_server::messages::offset_commit::OffsetCommitRequest;
use factum_kafka_server::messages::offset_delete::OffsetDeleteRequest;
use factum_kafka_server::messages::offset_fetch::OffsetFetchRequest;
use factum_kafka_server::messages::offset_for_leader_epoch::OffsetForLeaderEpochRequest;
use factum_kafka_server::messages::produce::ProduceRequest;
use factum_kafka_server::messages::sasl_authenticate::SaslAuthenticateRequest;
use factum_kafka_server::messages::sasl_handshake::SaslHandshakeRequest;
use factum_kafka_server::messages::sync_group::SyncGroupRequest;
use factum_kafka_server::messages::txn_offset_commit::TxnOffsetCommitRequest;
use factum_kafka_server::messages::update_features::UpdateFeaturesRequest;
use factum_kafka_server::messages::write_txn_markers::WriteTxnMarkersRequest;
use factum_kafka_server::messages::{ApiKey, Request, RequestHeader};
use factum_kafka_server::wire::{Error, Reader};
use proptest::prelude::*;

use crate::source::Source;
use crate::{exchange, served};

/// Decodes whatever `frame` says it is.
fn decode(frame: BytesMut) -> Result<(), HeaderError> {
    let mut r = Reader::new(&frame);
    let RequestHeader { api, version, .. } = RequestHeader::decode(&mut r)?;
    if api == ApiKey::Produce {
        let body = r.position();
        ProduceRequest::decode(frame, body, version)?;
        return Ok(());
    }
    decode_borrowed(&mut r, api, version)?;
    Ok(())
}

fn decode_borrowed(r: &mut Reader<'_>, api: ApiKey, version: i16) -> Result<(), Error> {
    let decode = match api {
        ApiKey::Produce => unreachable!("Produce takes its frame apart"),
        ApiKey::Fetch => discard::<FetchRequest>,
        ApiKey::ListOffsets => discard::<ListOffsetsRequest>,
        ApiKey::Metadata => discard::<MetadataRequest>,
        ApiKey::OffsetCommit => discard::<OffsetCommitRequest>,
        ApiKey::OffsetFetch => discard::<OffsetFetchRequest>,
        ApiKey::FindCoordinator => discard::<FindCoordinatorRequest>,
        ApiKey::JoinGroup => discard::<JoinGroupRequest>,
        ApiKey::Heartbeat => discard::<HeartbeatRequest>,
        ApiKey::LeaveGroup => discard::<LeaveGroupRequest>,
        ApiKey::SyncGroup => discard::<SyncGroupRequest>,
        ApiKey::DescribeGroups => discard::<DescribeGroupsRequest>,
        ApiKey::ListGroups => discard::<ListGroupsRequest>,
        ApiKey::ApiVersions => discard::<ApiVersionsRequest>,
        ApiKey::SaslHandshake => discard::<SaslHandshakeRequest>,
        ApiKey::SaslAuthenticate => discard::<SaslAuthenticateRequest>,
        ApiKey::CreateTopics => discard::<CreateTopicsRequest>,
        ApiKey::DeleteTopics => discard::<DeleteTopicsRequest>,
        ApiKey::InitProducerId => discard::<InitProducerIdRequest>,
        ApiKey::OffsetForLeaderEpoch => discard::<OffsetForLeaderEpochRequest>,
        ApiKey::DescribeConfigs => discard::<DescribeConfigsRequest>,
        ApiKey::AlterConfigs => discard::<AlterConfigsRequest>,
        ApiKey::IncrementalAlterConfigs => discard::<IncrementalAlterConfigsRequest>,
        ApiKey::DeleteRecords => discard::<DeleteRecordsRequest>,
        ApiKey::DescribeLogDirs => discard::<DescribeLogDirsRequest>,
        ApiKey::DeleteGroups => discard::<DeleteGroupsRequest>,
        ApiKey::OffsetDelete => discard::<OffsetDeleteRequest>,
        ApiKey::ElectLeaders => discard::<ElectLeadersRequest>,
        ApiKey::AlterPartitionReassignments => discard::<AlterPartitionReassignmentsRequest>,
        ApiKey::ListPartitionReassignments => discard::<ListPartitionReassignmentsRequest>,
        ApiKey::DescribeProducers => discard::<DescribeProducersRequest>,
        ApiKey::AddPartitionsToTxn => discard::<AddPartitionsToTxnRequest>,
        ApiKey::AddOffsetsToTxn => discard::<AddOffsetsToTxnRequest>,
        ApiKey::EndTxn => discard::<EndTxnRequest>,
        ApiKey::WriteTxnMarkers => discard::<WriteTxnMarkersRequest>,
        ApiKey::TxnOffsetCommit => discard::<TxnOffsetCommitRequest>,
        ApiKey::DescribeTransactions => discard::<DescribeTransactionsRequest>,
        ApiKey::ListTransactions => discard::<ListTransactionsRequest>,
        ApiKey::DescribeAcls => discard::<DescribeAclsRequest>,
        ApiKey::CreateAcls => discard::<CreateAclsRequest>,
        ApiKey::DeleteAcls => discard::<DeleteAclsRequest>,
        ApiKey::DescribeClientQuotas => discard::<DescribeClientQuotasRequest>,
        ApiKey::AlterClientQuotas => discard::<AlterClientQuotasRequest>,
        ApiKey::DescribeUserScramCredentials => discard::<DescribeUserScramCredentialsRequest>,
        ApiKey::AlterUserScramCredentials => discard::<AlterUserScramCredentialsRequest>,
        ApiKey::ConsumerGroupHeartbeat => discard::<ConsumerGroupHeartbeatRequest>,
        ApiKey::ConsumerGroupDescribe => discard::<ConsumerGroupDescribeRequest>,
        ApiKey::DescribeCluster => discard::<DescribeClusterRequest>,
        ApiKey::CreatePartitions => discard::<CreatePartitionsRequest>,
        ApiKey::DescribeQuorum => discard::<DescribeQuorumRequest>,
        ApiKey::UpdateFeatures => discard::<UpdateFeaturesRequest>,
        ApiKey::ListConfigResources => discard::<ListConfigResourcesRequest>,
        ApiKey::DescribeTopicPartitions => discard::<DescribeTopicPartitionsRequest>,
    };
    decode(r, version)
}

fn discard<Q: Request>(r: &mut Reader<'_>, version: i16) -> Result<(), Error> {
    Q::decode(r, version).map(drop)
}

/// Decodes `frame` and checks what it cost.
fn survive(frame: &[u8]) -> Result<(), HeaderError> {
    let limit = 4 * frame.len() as u64 + (1 << 20);
    let owned = BytesMut::from(frame);
    let mut outcome = Ok(());
    let AllocationInfo { bytes_max, .. } = allocation_counter::measure(|| outcome = decode(owned));
    assert!(bytes_max <= limit, "{bytes_max} bytes allocated for a frame of {}", frame.len());
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn truncated_frames_are_errors(entropy in prop::collection::vec(any::<u8>(), 0..400)) {
        for (api, version) in served() {
            let frame = exchange(api, version, &mut Source::new(&entropy));
            for length in 0..frame.len() {
                prop_assert!(survive(&frame[..length]).is_err(), "{api} {version} cut at {length}");
            }
        }
    }

    #[test]
    fn mutated_frames_are_values_or_errors(
        entropy in prop::collection::vec(any::<u8>(), 0..600),
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for (api, version) in served() {
            let mut frame = exchange(api, version, &mut Source::new(&entropy));
            for (place, byte) in &mutations {
                let place = place.index(frame.len());
                frame[place] = *byte;
                let _either = survive(&frame);
            }
        }
    }

    #[test]
    fn noise_is_a_value_or_an_error(noise in prop::collection::vec(any::<u8>(), 0..4000)) {
        for (api, version) in served() {
            let mut frame = head(api, version);
            frame.extend_from_slice(&noise);
            let _either = survive(&frame);
        }
    }

    #[test]
    fn every_length_may_lie(
        entropy in prop::collection::vec(any::<u8>(), 0..400),
        lie in prop::sample::select(vec![
            [0x80, 0, 0, 0], [0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xfe], [0xff, 0xff, 0xff, 0x0f],
        ]),
    ) {
        for (api, version) in served() {
            let frame = exchange(api, version, &mut Source::new(&entropy));
            for place in 8..frame.len().saturating_sub(3) {
                let mut frame = frame.clone();
                frame[place..place + 4].copy_from_slice(&lie);
                let _either = survive(&frame);
            }
        }
    }
}

/// A request header with a null client id, up to the body.
fn head(api: ApiKey, version: i16) -> Vec<u8> {
    let mut head = Vec::new();
    head.extend_from_slice(&api.code().to_be_bytes());
    head.extend_from_slice(&version.to_be_bytes());
    head.extend_from_slice(&7_i32.to_be_bytes());
    head.extend_from_slice(&(-1_i16).to_be_bytes());
    if api.is_flexible(version) {
        head.push(0);
    }
    head
}

/// A frame with an array of `count` times `element` behind `fields`.
fn swarm(api: ApiKey, version: i16, fields: &[u8], count: usize, element: &[u8]) -> Vec<u8> {
    let mut frame = head(api, version);
    frame.extend_from_slice(fields);
    if api.is_flexible(version) {
        // A varint of one more, in as many bytes as it may have.
        let length = count + 1;
        let bits = [0, 7, 14, 21].map(|shift| (length >> shift) as u8 & 0x7f | 0x80);
        frame.extend_from_slice(&bits);
        frame.push((length >> 28) as u8);
    } else {
        frame.extend_from_slice(&i32::try_from(count).expect("a count").to_be_bytes());
    }
    frame.extend_from_slice(&element.repeat(count));
    frame
}

/// The field that is refused for the memory it would take.
fn bloated(frame: &[u8]) -> &'static str {
    match survive(frame) {
        Err(HeaderError::Wire(Error::Bloated { field, .. })) => field,
        other => panic!("far more memory than bytes, but {other:?}"),
    }
}

#[test]
fn millions_of_empty_names_are_refused_before_they_are_allocated() {
    assert_eq!(bloated(&swarm(ApiKey::Metadata, 1, &[], 4_000_000, &[0, 0])), "topics");
}

#[test]
fn the_text_of_names_is_counted_with_them() {
    let name = [0, 8, b'e', b'i', b'g', b'h', b't', b'-', b'-', b'-'];
    assert_eq!(bloated(&swarm(ApiKey::Metadata, 1, &[], 200_000, &name)), "name");
}

#[test]
fn the_metadata_of_protocols_is_counted_with_them() {
    // An empty group, two timeouts, no member id, no type; then protocols with six bytes each.
    let fields = [0; 2 + 4 + 4 + 2 + 2];
    let protocol = [0, 0, 0, 0, 0, 6, 1, 2, 3, 4, 5, 6];
    assert_eq!(bloated(&swarm(ApiKey::JoinGroup, 1, &fields, 130_000, &protocol)), "metadata");
}

#[test]
fn partitions_without_records_are_counted_with_their_places() {
    // No transactional id, acks and timeout, one topic without a name; then partitions with null records.
    let fields = [0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0];
    let partition = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(bloated(&swarm(ApiKey::Produce, 3, &fields, 100_000, &partition)), "records");
}

#[test]
fn the_topics_of_transactions_are_refused_before_they_are_allocated() {
    // No transactional id, a producer's id and epoch; then topics without a name and partitions.
    let fields = [0; 2 + 8 + 2];
    assert_eq!(bloated(&swarm(ApiKey::AddPartitionsToTxn, 0, &fields, 400_000, &[0; 6])), "topics");
    // The same behind a group.
    let fields = [0; 2 + 2 + 8 + 2];
    assert_eq!(bloated(&swarm(ApiKey::TxnOffsetCommit, 0, &fields, 400_000, &[0; 6])), "topics");
}

#[test]
fn filters_and_ids_of_transactions_are_refused_before_they_are_allocated() {
    let empty = [1];
    assert_eq!(bloated(&swarm(ApiKey::DescribeTransactions, 0, &[], 400_000, &empty)), "transactional_ids");
    assert_eq!(bloated(&swarm(ApiKey::ListTransactions, 0, &[], 400_000, &empty)), "state_filters");
    // Many transactions of no topics, and one marker of many topics.
    let transaction = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    assert_eq!(bloated(&swarm(ApiKey::AddPartitionsToTxn, 4, &[], 400_000, &transaction)), "transactions");
    let marker = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(bloated(&swarm(ApiKey::WriteTxnMarkers, 2, &marker, 400_000, &[1, 1, 0])), "topics");
}

#[test]
fn the_lists_of_a_heartbeat_are_refused_before_they_are_allocated() {
    // An empty group and member, an epoch, no instance and rack, a timeout; then names.
    let fields = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let frame = swarm(ApiKey::ConsumerGroupHeartbeat, 0, &fields, 400_000, &[1]);
    assert_eq!(bloated(&frame), "subscribed_topic_names");
    assert_eq!(bloated(&swarm(ApiKey::ConsumerGroupDescribe, 0, &[], 400_000, &[1])), "group_ids");
}

#[test]
fn topics_to_grow_and_to_describe_are_refused_before_they_are_allocated() {
    // A topic without a name, of no partitions, without assignments.
    assert_eq!(
        bloated(&swarm(ApiKey::CreatePartitions, 0, &[], 400_000, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        "topics"
    );
    assert_eq!(bloated(&swarm(ApiKey::DescribeTopicPartitions, 0, &[], 400_000, &[1, 0])), "topics");
    assert_eq!(bloated(&swarm(ApiKey::DescribeQuorum, 0, &[], 400_000, &[1, 1, 0])), "topics");
    // Behind a time to wait, features without a name.
    assert_eq!(
        bloated(&swarm(ApiKey::UpdateFeatures, 1, &[0; 4], 400_000, &[1, 0, 0, 0, 0])),
        "feature_updates"
    );
}

#[test]
fn the_parts_of_quotas_are_refused_before_they_are_allocated() {
    // A component without a type, exact, without a name; an entity without parts and limits.
    assert_eq!(bloated(&swarm(ApiKey::DescribeClientQuotas, 1, &[], 400_000, &[1, 0, 0, 0])), "components");
    assert_eq!(bloated(&swarm(ApiKey::AlterClientQuotas, 1, &[], 400_000, &[1, 1, 0])), "entries");
    // One entity of many parts.
    assert_eq!(bloated(&swarm(ApiKey::AlterClientQuotas, 1, &[2], 400_000, &[1, 0, 0])), "entity");
}

#[test]
fn unserved_versions_and_keys_are_told_apart() {
    let unserved = |api, version| survive(&head(api, version)).expect_err("not served");
    let version = |api, version| HeaderError::UnsupportedVersion { api, version, correlation_id: 7 };
    assert_eq!(unserved(ApiKey::ApiVersions, 9), version(ApiKey::ApiVersions, 9));
    assert_eq!(unserved(ApiKey::Produce, 2), version(ApiKey::Produce, 2));
    let mut unknown = head(ApiKey::Metadata, 0);
    unknown[..2].copy_from_slice(&999_i16.to_be_bytes());
    assert_eq!(survive(&unknown), Err(HeaderError::UnknownApi { code: 999 }));
}
