//! Compares every served version of every API with Kafka's own serialisation, byte by byte.
//!
//! `tests/clients/java/Codec.java` reads and writes with the classes that the Java client is made of. What either
//! side of [`crate::exchange`] wrote must come back from there as it went in; and what is made there, with a number
//! of its own in each field, must be found in our structures, number by number in the order of Kafka's description.

use std::cell::Cell;
use std::fmt::Debug;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bytes::{Bytes, BytesMut};
use factum_kafka_server::error_code::ErrorCode;
use factum_kafka_server::messages::add_offsets_to_txn::AddOffsetsToTxnRequest;
use factum_kafka_server::messages::add_partitions_to_txn::AddPartitionsToTxnRequest;
use factum_kafka_server::messages::alter_client_quotas::AlterClientQuotasRequest;
use factum_kafka_server::messages::alter_configs::AlterConfigsRequest;
use factum_kafka_server::messages::alter_partition_reassignments::AlterPartitionReassignmentsRequest;
use factum_kafka_server::messages::alter_user_scram_credentials::AlterUserScramCredentialsRequest;
use factum_kafka_server::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
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
use factum_kafka_server::messages::offset_commit::{
    CommittedPartition, CommittedTopic, OffsetCommitRequest, OffsetCommitResponse,
};
use factum_kafka_server::messages::offset_delete::OffsetDeleteRequest;
use factum_kafka_server::messages::offset_fetch::{
    FetchedGroup, FetchedPartition, FetchedTopic, OffsetFetchRequest, OffsetFetchResponse,
};
use factum_kafka_server::messages::offset_for_leader_epoch::OffsetForLeaderEpochRequest;
use factum_kafka_server::messages::produce::ProduceRequest;
use factum_kafka_server::messages::sasl_authenticate::SaslAuthenticateRequest;
use factum_kafka_server::messages::sasl_handshake::SaslHandshakeRequest;
use factum_kafka_server::messages::sync_group::SyncGroupRequest;
use factum_kafka_server::messages::txn_offset_commit::TxnOffsetCommitRequest;
use factum_kafka_server::messages::update_features::UpdateFeaturesRequest;
use factum_kafka_server::messages::write_txn_markers::{
    TxnMarkerPartitionResult, TxnMarkerResult, TxnMarkerTopicResult, WriteTxnMarkersRequest,
    WriteTxnMarkersResponse,
};
use factum_kafka_server::messages::{ApiKey, Request};
use factum_kafka_server::wire::{Error, Reader};
use factum_types::TopicId;

use crate::exchange::{self, Body, Kind};
use crate::source::Source;
use crate::{every_version, served};

/// What followers and newer kinds of members say, and no handler here heeds; and secrets, which are read and not shown.
const SKIPPED: &[&str] = &["replicaEpoch", "replicaDirectoryId", "highWatermark", "salt", "saltedPassword"];

/// Kafka's serialisation in a process of its own.
struct Java {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Java {
    fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/run");
        let mut command = Command::new(&program);
        command.args(["codec", "none"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            command.spawn().unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
        let questions = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, questions, answers }
    }

    /// The two words of the answer.
    fn ask(&mut self, question: &str) -> (String, String) {
        writeln!(self.questions, "{question}").expect("it listens; tests/clients/setup installs it");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("it answers");
        let (first, rest) = answer.trim_end().split_once(' ').unwrap_or((answer.trim_end(), ""));
        assert!(first != "error" && !answer.is_empty(), "{question}: {answer}");
        (first.to_owned(), rest.to_owned())
    }

    /// What Kafka makes of a body, after it has written the same bytes again.
    fn echo(&mut self, body: &Body) -> String {
        let kind = match body.kind {
            Kind::Request => "request",
            Kind::Response => "response",
        };
        let hex: String = body.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let question = format!("echo {kind} {} {} {hex}", body.api.code(), body.version);
        let (written, json) = self.ask(&question);
        assert_eq!(written, hex, "{} {} of {kind}: {json}", body.api, body.version);
        json
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _either = self.process.kill().and_then(|()| self.process.wait());
    }
}

#[test]
fn kafka_writes_the_same_bytes() {
    let mut java = Java::start();
    let bodies = Cell::new(0);
    for seed in 0..24_u8 {
        let entropy: Vec<u8> = (0..400_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed.wrapping_mul(37))
            .collect();
        for (api, version) in served() {
            let heard = exchange::listen(|| {
                crate::exchange(api, version, &mut Source::new(&entropy));
            });
            assert!(heard.len() >= 2, "{api} {version}: a request and a response at least");
            for body in heard {
                java.echo(&body);
                bodies.set(bodies.get() + 1);
            }
        }
    }
    assert!(bodies.get() > 1_000);
}

#[test]
fn every_field_that_kafka_writes_is_read() {
    let mut java = Java::start();
    for (api, version) in every_version() {
        for variant in 0..4 {
            let question = format!("make request {} {version} {variant}", api.code());
            let (hex, numbers) = java.ask(&question);
            let bytes = from_hex(&hex);
            let decoded = decode(api, version, &bytes).unwrap_or_else(|error| panic!("{question}: {error}"));
            let expected = numbers.split(',').filter_map(|each| each.split_once('='));
            let expected: Vec<_> =
                expected.filter(|(name, _)| !SKIPPED.contains(name)).map(|(_, number)| number).collect();
            assert_eq!(numbers_in(&decoded), expected, "{question}: {numbers}\n{decoded}");
        }
    }
}

/// With [`responses_with_topic_ids_are_read_by_kafka`] the only responses that no other implementation reads.
#[test]
fn markers_of_version_two_are_answered_as_kafka_reads_them() {
    let partition =
        TxnMarkerPartitionResult { partition_index: 3, error_code: ErrorCode::InvalidProducerEpoch };
    let topic = TxnMarkerTopicResult { name: "orders".to_owned(), partitions: vec![partition] };
    let marker = TxnMarkerResult { producer_id: 9, topics: vec![topic] };
    let answer = WriteTxnMarkersResponse { markers: vec![marker] };
    assert_eq!(
        Java::start().echo(&exchange::response_body(&answer, 2)),
        r#"{"markers":[{"producerId":9,"topics":[{"name":"orders","partitions":[{"partitionIndex":3,"errorCode":47}]}]}]}"#
    );
}

#[test]
fn clients_of_every_version_read_the_features() {
    let mut java = Java::start();
    let answer = ApiVersionsResponse { api_keys: Vec::new(), ..ApiVersionsResponse::new(ErrorCode::None) };
    let finalized = r#""finalizedFeaturesEpoch":0,"finalizedFeatures":[{"name":"group.version","maxVersionLevel":1,"minVersionLevel":1},{"name":"transaction.version","maxVersionLevel":2,"minVersionLevel":2}]"#;
    for (version, features) in [
        (0, String::new()),
        (1, r#","throttleTimeMs":0"#.to_owned()),
        (2, r#","throttleTimeMs":0"#.to_owned()),
        (3, format!(r#","throttleTimeMs":0,{finalized}"#)),
        (
            4,
            format!(
                r#","throttleTimeMs":0,"supportedFeatures":[{{"name":"group.version","minVersion":0,"maxVersion":1}},{{"name":"transaction.version","minVersion":0,"maxVersion":2}}],{finalized}"#
            ),
        ),
    ] {
        let json = java.echo(&exchange::response_body(&answer, version));
        assert_eq!(json, format!(r#"{{"errorCode":0,"apiKeys":[]{features}}}"#), "version {version}");
    }
}

#[test]
fn responses_with_topic_ids_are_read_by_kafka() {
    let mut java = Java::start();
    let topic_id = TopicId::from_bytes([7; 16]);
    let name = String::new();
    let committed = CommittedPartition { partition_index: 3, error_code: ErrorCode::IllegalGeneration };
    let committed = OffsetCommitResponse {
        throttle_time_ms: 5,
        topics: vec![CommittedTopic { name: name.clone(), topic_id, partitions: vec![committed] }],
    };
    assert_eq!(
        java.echo(&exchange::response_body(&committed, 10)),
        r#"{"throttleTimeMs":5,"topics":[{"topicId":"BwcHBwcHBwcHBwcHBwcHBw","partitions":[{"partitionIndex":3,"errorCode":22}]}]}"#
    );
    let fetched = FetchedPartition {
        partition_index: 3,
        committed_offset: 41,
        committed_leader_epoch: 2,
        metadata: Some("noted".to_owned()),
        error_code: ErrorCode::None,
    };
    let fetched = FetchedTopic { name, topic_id, partitions: vec![fetched] };
    let fetched = FetchedGroup {
        group_id: "readers".to_owned(),
        topics: vec![fetched],
        error_code: ErrorCode::CoordinatorLoadInProgress,
    };
    let fetched = OffsetFetchResponse { throttle_time_ms: 5, groups: vec![fetched] };
    assert_eq!(
        java.echo(&exchange::response_body(&fetched, 10)),
        r#"{"throttleTimeMs":5,"groups":[{"groupId":"readers","topics":[{"topicId":"BwcHBwcHBwcHBwcHBwcHBw","partitions":[{"partitionIndex":3,"committedOffset":41,"committedLeaderEpoch":2,"metadata":"noted","errorCode":0}]}],"errorCode":14}]}"#
    );
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("hexadecimal") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The numbers of four digits in `text`, in their order.
fn numbers_in(text: &str) -> Vec<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_digit());
    words.map(|word| word.trim_start_matches('0')).filter(|word| word.len() == 4).collect()
}

/// A request body as we understand it.
fn decode(api: ApiKey, version: i16, body: &[u8]) -> Result<String, Error> {
    let decode = match api {
        ApiKey::Produce => {
            return ProduceRequest::decode(BytesMut::from(body), 0, version).map(|request| show(&request));
        }
        ApiKey::Fetch => whole::<FetchRequest>,
        ApiKey::ListOffsets => whole::<ListOffsetsRequest>,
        ApiKey::Metadata => whole::<MetadataRequest>,
        ApiKey::OffsetCommit => whole::<OffsetCommitRequest>,
        ApiKey::OffsetFetch => whole::<OffsetFetchRequest>,
        ApiKey::FindCoordinator => whole::<FindCoordinatorRequest>,
        ApiKey::JoinGroup => whole::<JoinGroupRequest>,
        ApiKey::Heartbeat => whole::<HeartbeatRequest>,
        ApiKey::LeaveGroup => whole::<LeaveGroupRequest>,
        ApiKey::SyncGroup => whole::<SyncGroupRequest>,
        ApiKey::DescribeGroups => whole::<DescribeGroupsRequest>,
        ApiKey::ListGroups => whole::<ListGroupsRequest>,
        ApiKey::ApiVersions => whole::<ApiVersionsRequest>,
        ApiKey::SaslHandshake => whole::<SaslHandshakeRequest>,
        // It shows nothing of what it brings.
        ApiKey::SaslAuthenticate => {
            return whole_request::<SaslAuthenticateRequest>(body, version)
                .map(|request| show(&Bytes::from(request.auth_bytes)));
        }
        ApiKey::CreateTopics => whole::<CreateTopicsRequest>,
        ApiKey::DeleteTopics => whole::<DeleteTopicsRequest>,
        ApiKey::InitProducerId => whole::<InitProducerIdRequest>,
        ApiKey::OffsetForLeaderEpoch => whole::<OffsetForLeaderEpochRequest>,
        ApiKey::DescribeConfigs => whole::<DescribeConfigsRequest>,
        ApiKey::AlterConfigs => whole::<AlterConfigsRequest>,
        ApiKey::IncrementalAlterConfigs => whole::<IncrementalAlterConfigsRequest>,
        ApiKey::DeleteRecords => whole::<DeleteRecordsRequest>,
        ApiKey::DescribeLogDirs => whole::<DescribeLogDirsRequest>,
        ApiKey::DeleteGroups => whole::<DeleteGroupsRequest>,
        ApiKey::OffsetDelete => whole::<OffsetDeleteRequest>,
        ApiKey::ElectLeaders => whole::<ElectLeadersRequest>,
        ApiKey::AlterPartitionReassignments => whole::<AlterPartitionReassignmentsRequest>,
        ApiKey::ListPartitionReassignments => whole::<ListPartitionReassignmentsRequest>,
        ApiKey::DescribeProducers => whole::<DescribeProducersRequest>,
        ApiKey::AddPartitionsToTxn => whole::<AddPartitionsToTxnRequest>,
        ApiKey::AddOffsetsToTxn => whole::<AddOffsetsToTxnRequest>,
        ApiKey::EndTxn => whole::<EndTxnRequest>,
        ApiKey::WriteTxnMarkers => whole::<WriteTxnMarkersRequest>,
        ApiKey::TxnOffsetCommit => whole::<TxnOffsetCommitRequest>,
        ApiKey::DescribeTransactions => whole::<DescribeTransactionsRequest>,
        ApiKey::ListTransactions => whole::<ListTransactionsRequest>,
        ApiKey::DescribeAcls => whole::<DescribeAclsRequest>,
        ApiKey::CreateAcls => whole::<CreateAclsRequest>,
        ApiKey::DeleteAcls => whole::<DeleteAclsRequest>,
        ApiKey::DescribeClientQuotas => whole::<DescribeClientQuotasRequest>,
        ApiKey::AlterClientQuotas => whole::<AlterClientQuotasRequest>,
        ApiKey::DescribeUserScramCredentials => whole::<DescribeUserScramCredentialsRequest>,
        ApiKey::AlterUserScramCredentials => whole::<AlterUserScramCredentialsRequest>,
        ApiKey::ConsumerGroupHeartbeat => whole::<ConsumerGroupHeartbeatRequest>,
        ApiKey::ConsumerGroupDescribe => whole::<ConsumerGroupDescribeRequest>,
        ApiKey::DescribeCluster => whole::<DescribeClusterRequest>,
        ApiKey::CreatePartitions => whole::<CreatePartitionsRequest>,
        ApiKey::DescribeQuorum => whole::<DescribeQuorumRequest>,
        ApiKey::UpdateFeatures => whole::<UpdateFeaturesRequest>,
        ApiKey::ListConfigResources => whole::<ListConfigResourcesRequest>,
        ApiKey::DescribeTopicPartitions => whole::<DescribeTopicPartitionsRequest>,
    };
    decode(body, version)
}

fn whole<Q: Request + Debug>(body: &[u8], version: i16) -> Result<String, Error> {
    whole_request::<Q>(body, version).map(|request| show(&request))
}

fn whole_request<Q: Request>(body: &[u8], version: i16) -> Result<Q, Error> {
    let mut r = Reader::new(body);
    r.set_flexible(Q::API.is_flexible(version));
    let request = Q::decode(&mut r, version)?;
    assert_eq!(r.remaining(), 0, "{} {version} is read to its end", Q::API);
    Ok(request)
}

fn show(request: &impl Debug) -> String {
    format!("{request:?}")
}
