//! Handlers, one file per API: parse the request, ask the authoriser, call the broker, build the response.
//!
//! Invariants:
//! - No handler calls the broker before the authoriser agreed. ApiVersions, SaslHandshake and SaslAuthenticate
//!   alone ask no one: a client must be able to learn what it may say, and to say who it is.
//! - Before a client has said who it is, where it has to, nothing else is begun (see [`authentication`]).
//! - What the authoriser refuses by name gets the same response whether it exists or not.
//! - An answer is at most about as large as what exists: asking twice in one request is asking once.
//! - What clients with quotas use is counted, and how long they wait is in the answer and in the connection ([`throttling`]).
//! - Handlers decide nothing: every rule about topics, groups and records is the broker's.
//!
//! Not here: bytes (see [`crate::messages`]), sockets, and which error is which code (see [`errors`]).

mod acls;
mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod alter_configs;
mod alter_partition_reassignments;
mod api_versions;
mod authentication;
mod client_quotas;
mod configs;
mod consumer_group_describe;
mod consumer_group_heartbeat;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_quorum;
mod describe_topic_partitions;
mod describe_transactions;
mod elect_leaders;
mod end_txn;
mod errors;
mod fetch;
mod find_coordinator;
mod heartbeat;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod list_transactions;
mod lookup;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod sasl_authenticate;
mod sasl_handshake;
mod scram_credentials;
mod session;
mod sync_group;
mod throttling;
mod txn_offset_commit;
mod update_features;
mod write_txn_markers;

use std::sync::Arc;

use bytes::BytesMut;

use crate::connection::Answer;
use crate::messages::header::HeaderError;
use crate::messages::{self as messages, ApiKey, Request, RequestHeader, Response};
use crate::wire::{self, Reader};

pub(crate) use authentication::{Authentication, LoginRules};
pub(crate) use fetch::FetchSessions;
pub(crate) use session::{ListenerInfo, Node, Session};
pub(crate) use throttling::Throttle;

/// The largest request that brings no records, offsets or metadata of its own. Such a request names things, in a
/// few bytes each, and each may cost a hundred times as much to answer.
const MAX_QUESTION_BYTES: usize = 512 * 1024;
/// The largest request that creates or deletes access rules.
const MAX_ACL_BYTES: usize = 4 * 1024 * 1024;

/// Why a request has no answer, and its connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The body.
    #[error("{api} request is malformed: {source}")]
    Body {
        /// What it claims to be.
        api: ApiKey,
        /// What is wrong.
        source: wire::Error,
    },
    /// The client has not said who it is.
    #[error(transparent)]
    NotAuthenticated(#[from] authentication::NotAuthenticatedError),
    /// It asks for too much at once.
    #[error("{api} request of {length} bytes is longer than {limit}")]
    TooLong {
        /// What it is.
        api: ApiKey,
        /// Its length.
        length: usize,
        /// The most that this API takes.
        limit: usize,
    },
    /// Records that were not to be acknowledged could not be appended. As in Kafka, closing the connection is
    /// the only way to tell the producer.
    #[error("records sent with acks=0 could not be appended: {reason}")]
    Unacknowledged {
        /// Why.
        reason: String,
    },
}

/// A request that was started, and its response or the way to it.
pub(crate) struct StartedRequest {
    pub(crate) api: ApiKey,
    /// `None` if the client wants no answer.
    pub(crate) answer: Option<Answer>,
}

/// One request, for its handler.
#[derive(Clone)]
struct Call {
    session: Arc<Session>,
    header: RequestHeader,
}

/// Answers one API.
trait Handle: Request + Send + 'static {
    type Response: Response + Send;

    /// Whether it may only be waiting for records or for other clients.
    const IS_PATIENT: bool = false;

    fn handle(self, call: &Call) -> impl Future<Output = Self::Response> + Send;
}

/// Begins the request in `frame`, which is everything behind the length.
pub(crate) fn begin(session: &Arc<Session>, frame: BytesMut) -> Result<StartedRequest, Refusal> {
    if session.authentication.expects_bare_message() {
        return Ok(sasl_authenticate::begin_bare(session, frame));
    }
    let mut reader = Reader::new(&frame);
    let header = match RequestHeader::decode(&mut reader) {
        Ok(header) => header,
        Err(HeaderError::UnsupportedVersion { api: ApiKey::ApiVersions, correlation_id, .. }) => {
            return Ok(api_versions::fall_back(correlation_id));
        }
        Err(error) => return Err(error.into()),
    };
    session.authentication.admit(header.api, session.node.clock.monotonic())?;
    check_length(header.api, frame.len())?;
    let call = Call { session: Arc::clone(session), header };
    if call.header.api == ApiKey::Produce {
        let body = reader.position();
        return produce::begin(&call, frame, body);
    }
    let api = call.header.api;
    let answer = dispatch(call, &mut reader).map_err(|source| Refusal::Body { api, source })?;
    Ok(StartedRequest { api, answer: Some(answer) })
}

fn check_length(api: ApiKey, length: usize) -> Result<(), Refusal> {
    let limit = match api {
        // The listener's own limit is the only one.
        ApiKey::Produce
        | ApiKey::OffsetCommit
        | ApiKey::TxnOffsetCommit
        | ApiKey::JoinGroup
        | ApiKey::SyncGroup => usize::MAX,
        ApiKey::CreateAcls | ApiKey::DeleteAcls => MAX_ACL_BYTES,
        _ => MAX_QUESTION_BYTES,
    };
    if length > limit {
        return Err(Refusal::TooLong { api, length, limit });
    }
    Ok(())
}

fn dispatch(call: Call, body: &mut Reader<'_>) -> Result<Answer, wire::Error> {
    match call.header.api {
        // It was taken before, with its frame.
        ApiKey::Produce => unreachable!("produce requests are begun by their own handler"),
        ApiKey::Fetch => in_turn::<messages::fetch::FetchRequest>(call, body),
        ApiKey::ListOffsets => in_turn::<messages::list_offsets::ListOffsetsRequest>(call, body),
        ApiKey::Metadata => in_turn::<messages::metadata::MetadataRequest>(call, body),
        ApiKey::OffsetCommit => in_turn::<messages::offset_commit::OffsetCommitRequest>(call, body),
        ApiKey::OffsetFetch => in_turn::<messages::offset_fetch::OffsetFetchRequest>(call, body),
        ApiKey::FindCoordinator => in_turn::<messages::find_coordinator::FindCoordinatorRequest>(call, body),
        ApiKey::JoinGroup => in_turn::<messages::join_group::JoinGroupRequest>(call, body),
        ApiKey::Heartbeat => in_turn::<messages::heartbeat::HeartbeatRequest>(call, body),
        ApiKey::LeaveGroup => in_turn::<messages::leave_group::LeaveGroupRequest>(call, body),
        ApiKey::SyncGroup => in_turn::<messages::sync_group::SyncGroupRequest>(call, body),
        ApiKey::DescribeGroups => in_turn::<messages::describe_groups::DescribeGroupsRequest>(call, body),
        ApiKey::ListGroups => in_turn::<messages::list_groups::ListGroupsRequest>(call, body),
        ApiKey::ApiVersions => in_turn::<messages::api_versions::ApiVersionsRequest>(call, body),
        ApiKey::SaslHandshake => in_turn::<messages::sasl_handshake::SaslHandshakeRequest>(call, body),
        ApiKey::SaslAuthenticate => {
            in_turn::<messages::sasl_authenticate::SaslAuthenticateRequest>(call, body)
        }
        ApiKey::CreateTopics => in_turn::<messages::create_topics::CreateTopicsRequest>(call, body),
        ApiKey::DeleteTopics => in_turn::<messages::delete_topics::DeleteTopicsRequest>(call, body),
        ApiKey::InitProducerId => in_turn::<messages::init_producer_id::InitProducerIdRequest>(call, body),
        ApiKey::OffsetForLeaderEpoch => {
            in_turn::<messages::offset_for_leader_epoch::OffsetForLeaderEpochRequest>(call, body)
        }
        ApiKey::AddPartitionsToTxn
        | ApiKey::AddOffsetsToTxn
        | ApiKey::EndTxn
        | ApiKey::WriteTxnMarkers
        | ApiKey::TxnOffsetCommit
        | ApiKey::DescribeTransactions
        | ApiKey::ListTransactions => dispatch_transactions(call, body),
        ApiKey::DescribeAcls
        | ApiKey::CreateAcls
        | ApiKey::DeleteAcls
        | ApiKey::DescribeClientQuotas
        | ApiKey::AlterClientQuotas
        | ApiKey::DescribeUserScramCredentials
        | ApiKey::AlterUserScramCredentials => dispatch_access(call, body),
        ApiKey::DescribeConfigs => in_turn::<messages::describe_configs::DescribeConfigsRequest>(call, body),
        ApiKey::AlterConfigs => in_turn::<messages::alter_configs::AlterConfigsRequest>(call, body),
        ApiKey::IncrementalAlterConfigs => {
            in_turn::<messages::incremental_alter_configs::IncrementalAlterConfigsRequest>(call, body)
        }
        ApiKey::DeleteRecords => in_turn::<messages::delete_records::DeleteRecordsRequest>(call, body),
        ApiKey::DescribeLogDirs => in_turn::<messages::describe_log_dirs::DescribeLogDirsRequest>(call, body),
        ApiKey::CreatePartitions
        | ApiKey::ElectLeaders
        | ApiKey::AlterPartitionReassignments
        | ApiKey::ListPartitionReassignments
        | ApiKey::DescribeQuorum
        | ApiKey::UpdateFeatures
        | ApiKey::ListConfigResources
        | ApiKey::DescribeTopicPartitions => dispatch_administration(call, body),
        ApiKey::DeleteGroups => in_turn::<messages::delete_groups::DeleteGroupsRequest>(call, body),
        ApiKey::OffsetDelete => in_turn::<messages::offset_delete::OffsetDeleteRequest>(call, body),
        ApiKey::DescribeProducers => {
            in_turn::<messages::describe_producers::DescribeProducersRequest>(call, body)
        }
        ApiKey::DescribeCluster => in_turn::<messages::describe_cluster::DescribeClusterRequest>(call, body),
        ApiKey::ConsumerGroupHeartbeat => {
            in_turn::<messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest>(call, body)
        }
        ApiKey::ConsumerGroupDescribe => {
            in_turn::<messages::consumer_group_describe::ConsumerGroupDescribeRequest>(call, body)
        }
    }
}

/// The same for what is about transactions.
fn dispatch_transactions(call: Call, body: &mut Reader<'_>) -> Result<Answer, wire::Error> {
    match call.header.api {
        ApiKey::AddPartitionsToTxn => {
            in_turn::<messages::add_partitions_to_txn::AddPartitionsToTxnRequest>(call, body)
        }
        ApiKey::AddOffsetsToTxn => {
            in_turn::<messages::add_offsets_to_txn::AddOffsetsToTxnRequest>(call, body)
        }
        ApiKey::EndTxn => in_turn::<messages::end_txn::EndTxnRequest>(call, body),
        ApiKey::WriteTxnMarkers => in_turn::<messages::write_txn_markers::WriteTxnMarkersRequest>(call, body),
        ApiKey::TxnOffsetCommit => in_turn::<messages::txn_offset_commit::TxnOffsetCommitRequest>(call, body),
        ApiKey::DescribeTransactions => {
            in_turn::<messages::describe_transactions::DescribeTransactionsRequest>(call, body)
        }
        ApiKey::ListTransactions => {
            in_turn::<messages::list_transactions::ListTransactionsRequest>(call, body)
        }
        api => unreachable!("{api} is dispatched elsewhere"),
    }
}

/// The same for what is about users, access rules and quotas.
fn dispatch_access(call: Call, body: &mut Reader<'_>) -> Result<Answer, wire::Error> {
    match call.header.api {
        ApiKey::DescribeAcls => in_turn::<messages::describe_acls::DescribeAclsRequest>(call, body),
        ApiKey::CreateAcls => in_turn::<messages::create_acls::CreateAclsRequest>(call, body),
        ApiKey::DeleteAcls => in_turn::<messages::delete_acls::DeleteAclsRequest>(call, body),
        ApiKey::DescribeClientQuotas => {
            in_turn::<messages::describe_client_quotas::DescribeClientQuotasRequest>(call, body)
        }
        ApiKey::AlterClientQuotas => {
            in_turn::<messages::alter_client_quotas::AlterClientQuotasRequest>(call, body)
        }
        ApiKey::DescribeUserScramCredentials => in_turn::<
            messages::describe_user_scram_credentials::DescribeUserScramCredentialsRequest,
        >(call, body),
        _ => in_turn::<messages::alter_user_scram_credentials::AlterUserScramCredentialsRequest>(call, body),
    }
}

/// The requests of operators that do not fit above.
fn dispatch_administration(call: Call, body: &mut Reader<'_>) -> Result<Answer, wire::Error> {
    match call.header.api {
        ApiKey::CreatePartitions => {
            in_turn::<messages::create_partitions::CreatePartitionsRequest>(call, body)
        }
        ApiKey::DescribeQuorum => in_turn::<messages::describe_quorum::DescribeQuorumRequest>(call, body),
        ApiKey::UpdateFeatures => in_turn::<messages::update_features::UpdateFeaturesRequest>(call, body),
        ApiKey::ListConfigResources => {
            in_turn::<messages::list_config_resources::ListConfigResourcesRequest>(call, body)
        }
        ApiKey::DescribeTopicPartitions => {
            in_turn::<messages::describe_topic_partitions::DescribeTopicPartitionsRequest>(call, body)
        }
        ApiKey::ElectLeaders => in_turn::<messages::elect_leaders::ElectLeadersRequest>(call, body),
        ApiKey::AlterPartitionReassignments => {
            in_turn::<messages::alter_partition_reassignments::AlterPartitionReassignmentsRequest>(call, body)
        }
        ApiKey::ListPartitionReassignments => {
            in_turn::<messages::list_partition_reassignments::ListPartitionReassignmentsRequest>(call, body)
        }
        api => unreachable!("{api} is dispatched elsewhere"),
    }
}

/// Reads the body now and does the rest when the request's turn comes.
fn in_turn<R: Handle>(call: Call, body: &mut Reader<'_>) -> Result<Answer, wire::Error> {
    let request = R::decode(body, call.header.version)?;
    let answer = async move {
        let RequestHeader { version, correlation_id, .. } = call.header;
        let (mut response, busy) = throttling::measured(&call, request.handle(&call)).await;
        throttling::settle(&call, &mut response, busy);
        response.frame(version, correlation_id)
    };
    Ok(Answer::InTurn { answer: Box::pin(answer), is_patient: R::IS_PATIENT })
}
