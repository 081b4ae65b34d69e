//! Compares every served version of every API with an independent implementation, and shows that hostile
//! bytes cost little.
//!
//! One sample is two values built from one source of randomness: the other implementation's structure and
//! ours. The other side encodes the request and decodes the response; both must come out as they went in.

mod acls;
mod administration;
mod cluster;
mod consumers;
mod exchange;
mod groups;
mod hostile;
mod in_place;
mod java;
mod logins;
mod offsets;
mod quotas;
mod records;
mod source;
mod topics;
mod transactions;

use factum_kafka_server::error_code::ErrorCode;
use factum_kafka_server::messages::ApiKey;
use kafka_protocol::error::ResponseError;
use proptest::prelude::*;

use source::Source;

/// Newer than the other implementation; Kafka's own is asked about them (see [`java`]).
const UNKNOWN_TO_OTHERS: &[(ApiKey, i16)] = &[
    (ApiKey::ListOffsets, 11),
    (ApiKey::OffsetCommit, 10),
    (ApiKey::OffsetFetch, 10),
    (ApiKey::WriteTxnMarkers, 2),
];

/// Exchanges one request and one response of `api`; gives the request's frame.
fn exchange(api: ApiKey, version: i16, s: &mut Source<'_>) -> Vec<u8> {
    match api {
        ApiKey::Produce => records::produce(version, s),
        ApiKey::Fetch => records::fetch(version, s),
        ApiKey::ListOffsets => offsets::list_offsets(version, s),
        ApiKey::Metadata => cluster::metadata(version, s),
        ApiKey::OffsetCommit => offsets::offset_commit(version, s),
        ApiKey::OffsetFetch => offsets::offset_fetch(version, s),
        ApiKey::FindCoordinator => cluster::find_coordinator(version, s),
        ApiKey::JoinGroup => groups::join_group(version, s),
        ApiKey::Heartbeat => groups::heartbeat(version, s),
        ApiKey::LeaveGroup => groups::leave_group(version, s),
        ApiKey::SyncGroup => groups::sync_group(version, s),
        ApiKey::DescribeGroups => groups::describe_groups(version, s),
        ApiKey::ListGroups => groups::list_groups(version, s),
        ApiKey::ApiVersions => cluster::api_versions(version, s),
        ApiKey::SaslHandshake => logins::sasl_handshake(version, s),
        ApiKey::SaslAuthenticate => logins::sasl_authenticate(version, s),
        ApiKey::CreateTopics => topics::create_topics(version, s),
        ApiKey::DeleteTopics => topics::delete_topics(version, s),
        ApiKey::InitProducerId => records::init_producer_id(version, s),
        ApiKey::OffsetForLeaderEpoch => offsets::offset_for_leader_epoch(version, s),
        ApiKey::DescribeConfigs => topics::describe_configs(version, s),
        ApiKey::AlterConfigs => topics::alter_configs(version, s),
        ApiKey::IncrementalAlterConfigs => topics::incremental_alter_configs(version, s),
        ApiKey::DeleteRecords => topics::delete_records(version, s),
        ApiKey::DescribeLogDirs => cluster::describe_log_dirs(version, s),
        ApiKey::DeleteGroups => groups::delete_groups(version, s),
        ApiKey::OffsetDelete => offsets::offset_delete(version, s),
        ApiKey::ElectLeaders => cluster::elect_leaders(version, s),
        ApiKey::AlterPartitionReassignments => cluster::alter_partition_reassignments(version, s),
        ApiKey::ListPartitionReassignments => cluster::list_partition_reassignments(version, s),
        ApiKey::DescribeProducers => topics::describe_producers(version, s),
        ApiKey::AddPartitionsToTxn => transactions::add_partitions_to_txn(version, s),
        ApiKey::AddOffsetsToTxn => transactions::add_offsets_to_txn(version, s),
        ApiKey::EndTxn => transactions::end_txn(version, s),
        ApiKey::WriteTxnMarkers => transactions::write_txn_markers(version, s),
        ApiKey::TxnOffsetCommit => transactions::txn_offset_commit(version, s),
        ApiKey::DescribeTransactions => transactions::describe_transactions(version, s),
        ApiKey::ListTransactions => transactions::list_transactions(version, s),
        ApiKey::DescribeAcls => acls::describe_acls(version, s),
        ApiKey::CreateAcls => acls::create_acls(version, s),
        ApiKey::DeleteAcls => acls::delete_acls(version, s),
        ApiKey::DescribeClientQuotas => quotas::describe_client_quotas(version, s),
        ApiKey::AlterClientQuotas => quotas::alter_client_quotas(version, s),
        ApiKey::DescribeUserScramCredentials => acls::describe_user_scram_credentials(version, s),
        ApiKey::AlterUserScramCredentials => acls::alter_user_scram_credentials(version, s),
        ApiKey::ConsumerGroupHeartbeat => consumers::heartbeat(version, s),
        ApiKey::ConsumerGroupDescribe => consumers::describe(version, s),
        ApiKey::DescribeCluster => cluster::describe_cluster(version, s),
        ApiKey::CreatePartitions => administration::create_partitions(version, s),
        ApiKey::DescribeQuorum => administration::describe_quorum(version, s),
        ApiKey::UpdateFeatures => administration::update_features(version, s),
        ApiKey::ListConfigResources => administration::list_config_resources(version, s),
        ApiKey::DescribeTopicPartitions => administration::describe_topic_partitions(version, s),
    }
}

/// Every API in every version that is decoded.
fn every_version() -> impl Iterator<Item = (ApiKey, i16)> {
    ApiKey::ALL.iter().flat_map(|api| api.versions().map(|version| (*api, version)))
}

/// The same as far as the other implementation goes.
fn served() -> impl Iterator<Item = (ApiKey, i16)> {
    every_version().filter(|served| !UNKNOWN_TO_OTHERS.contains(served))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_implementations_agree(entropy in prop::collection::vec(any::<u8>(), 0..1500)) {
        for (api, version) in served() {
            exchange(api, version, &mut Source::new(&entropy));
        }
    }
}

#[test]
fn error_codes_have_kafkas_names() {
    for code in ErrorCode::ALL.iter().filter(|code| !code.is_none()) {
        let theirs = ResponseError::try_from_code(code.code()).expect("a code of Kafka");
        assert_eq!(theirs.to_string().to_uppercase(), code.name().replace('_', ""));
    }
}

#[test]
fn produce_below_three_is_advertised_and_refused() {
    assert_eq!(ApiKey::Produce.advertised_versions(), 0..=13);
    assert_eq!(ApiKey::Produce.versions(), 3..=13);
    let others = ApiKey::ALL.iter().filter(|api| **api != ApiKey::Produce);
    assert!(others.into_iter().all(|api| api.advertised_versions() == api.versions()));
}
