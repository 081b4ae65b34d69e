//! Frames of the Kafka protocol, every API and version, as they come from a socket.

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

/// Decodes a frame without its length.
pub(crate) fn request(frame: &[u8]) {
    let mut r = Reader::new(frame);
    let Ok(RequestHeader { api, version, .. }) = RequestHeader::decode(&mut r) else { return };
    if api == ApiKey::Produce {
        drop(ProduceRequest::decode(BytesMut::from(frame), r.position(), version));
        return;
    }
    drop(borrowed(api)(&mut r, version));
}

fn borrowed(api: ApiKey) -> fn(&mut Reader<'_>, i16) -> Result<(), Error> {
    match api {
        ApiKey::Produce => unreachable!("Produce takes its frame apart"),
        ApiKey::Fetch => decode::<FetchRequest>,
        ApiKey::ListOffsets => decode::<ListOffsetsRequest>,
        ApiKey::Metadata => decode::<MetadataRequest>,
        ApiKey::OffsetCommit => decode::<OffsetCommitRequest>,
        ApiKey::OffsetFetch => decode::<OffsetFetchRequest>,
        ApiKey::FindCoordinator => decode::<FindCoordinatorRequest>,
        ApiKey::JoinGroup => decode::<JoinGroupRequest>,
        ApiKey::Heartbeat => decode::<HeartbeatRequest>,
        ApiKey::LeaveGroup => decode::<LeaveGroupRequest>,
        ApiKey::SyncGroup => decode::<SyncGroupRequest>,
        ApiKey::DescribeGroups => decode::<DescribeGroupsRequest>,
        ApiKey::ListGroups => decode::<ListGroupsRequest>,
        ApiKey::ApiVersions => decode::<ApiVersionsRequest>,
        ApiKey::SaslHandshake => decode::<SaslHandshakeRequest>,
        ApiKey::SaslAuthenticate => decode::<SaslAuthenticateRequest>,
        ApiKey::CreateTopics => decode::<CreateTopicsRequest>,
        ApiKey::DeleteTopics => decode::<DeleteTopicsRequest>,
        ApiKey::InitProducerId => decode::<InitProducerIdRequest>,
        ApiKey::DescribeConfigs => decode::<DescribeConfigsRequest>,
        ApiKey::AlterConfigs => decode::<AlterConfigsRequest>,
        ApiKey::IncrementalAlterConfigs => decode::<IncrementalAlterConfigsRequest>,
        ApiKey::DeleteRecords => decode::<DeleteRecordsRequest>,
        ApiKey::DescribeLogDirs => decode::<DescribeLogDirsRequest>,
        ApiKey::DeleteGroups => decode::<DeleteGroupsRequest>,
        ApiKey::OffsetDelete => decode::<OffsetDeleteRequest>,
        ApiKey::OffsetForLeaderEpoch => decode::<OffsetForLeaderEpochRequest>,
        ApiKey::ElectLeaders => decode::<ElectLeadersRequest>,
        ApiKey::AlterPartitionReassignments => decode::<AlterPartitionReassignmentsRequest>,
        ApiKey::ListPartitionReassignments => decode::<ListPartitionReassignmentsRequest>,
        ApiKey::DescribeProducers => decode::<DescribeProducersRequest>,
        ApiKey::AddPartitionsToTxn => decode::<AddPartitionsToTxnRequest>,
        ApiKey::AddOffsetsToTxn => decode::<AddOffsetsToTxnRequest>,
        ApiKey::EndTxn => decode::<EndTxnRequest>,
        ApiKey::WriteTxnMarkers => decode::<WriteTxnMarkersRequest>,
        ApiKey::TxnOffsetCommit => decode::<TxnOffsetCommitRequest>,
        ApiKey::DescribeTransactions => decode::<DescribeTransactionsRequest>,
        ApiKey::ListTransactions => decode::<ListTransactionsRequest>,
        ApiKey::DescribeAcls => decode::<DescribeAclsRequest>,
        ApiKey::CreateAcls => decode::<CreateAclsRequest>,
        ApiKey::DeleteAcls => decode::<DeleteAclsRequest>,
        ApiKey::DescribeClientQuotas => decode::<DescribeClientQuotasRequest>,
        ApiKey::AlterClientQuotas => decode::<AlterClientQuotasRequest>,
        ApiKey::DescribeUserScramCredentials => decode::<DescribeUserScramCredentialsRequest>,
        ApiKey::AlterUserScramCredentials => decode::<AlterUserScramCredentialsRequest>,
        ApiKey::ConsumerGroupHeartbeat => decode::<ConsumerGroupHeartbeatRequest>,
        ApiKey::ConsumerGroupDescribe => decode::<ConsumerGroupDescribeRequest>,
        ApiKey::DescribeCluster => decode::<DescribeClusterRequest>,
        ApiKey::CreatePartitions => decode::<CreatePartitionsRequest>,
        ApiKey::DescribeQuorum => decode::<DescribeQuorumRequest>,
        ApiKey::UpdateFeatures => decode::<UpdateFeaturesRequest>,
        ApiKey::ListConfigResources => decode::<ListConfigResourcesRequest>,
        ApiKey::DescribeTopicPartitions => decode::<DescribeTopicPartitionsRequest>,
    }
}

fn decode<Q: Request>(r: &mut Reader<'_>, version: i16) -> Result<(), Error> {
    Q::decode(r, version).map(drop)
}
