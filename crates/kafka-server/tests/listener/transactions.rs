//! Requests of transactional producers and about them.

use std::sync::Arc;

use factum_kafka_server::Options;
use factum_kafka_server::messages::ApiKey;
use factum_types::auth::{AccessDeniedError, Authorizer, Client as AskingClient};
use factum_types::{Action, Resource};
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, DescribeTransactionsRequest, EndTxnRequest, GroupId,
    ListTransactionsRequest, TopicName, TransactionalId, TxnOffsetCommitRequest, WriteTxnMarkersRequest,
};

use crate::client::{Client, name_of, text};
use crate::server::Server;

fn pay() -> TransactionalId {
    TransactionalId(text("pay"))
}

fn readers() -> GroupId {
    GroupId(text("readers"))
}

fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

fn added(topic: &str, partitions: &[i32]) -> AddPartitionsToTxnTopic {
    AddPartitionsToTxnTopic::default().with_name(topic_name(topic)).with_partitions(partitions.to_vec())
}

/// As clients ask, in version 3.
fn add(topics: Vec<AddPartitionsToTxnTopic>) -> AddPartitionsToTxnRequest {
    AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(pay())
        .with_v3_and_below_topics(topics)
}

fn commit(topic: &str) -> TxnOffsetCommitRequest {
    let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(1);
    let topic =
        TxnOffsetCommitRequestTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition]);
    TxnOffsetCommitRequest::default()
        .with_transactional_id(pay())
        .with_group_id(readers())
        .with_topics(vec![topic])
}

fn mark(topic: &str) -> WriteTxnMarkersRequest {
    let topic =
        WritableTxnMarkerTopic::default().with_name(topic_name(topic)).with_partition_indexes(vec![0]);
    WriteTxnMarkersRequest::default()
        .with_markers(vec![WritableTxnMarker::default().with_topics(vec![topic])])
}

/// Asks `api` about topic `orders`, group `readers` and transactional id `pay`; gives the codes in the answer.
pub(crate) async fn ask(client: &mut Client, api: ApiKey) -> Vec<i16> {
    match api {
        ApiKey::AddPartitionsToTxn => add_codes(client, vec![added("orders", &[0])]).await,
        ApiKey::AddOffsetsToTxn => {
            let request =
                AddOffsetsToTxnRequest::default().with_transactional_id(pay()).with_group_id(readers());
            vec![client.ask(&request, 4).await.error_code]
        }
        ApiKey::EndTxn => {
            let request = EndTxnRequest::default().with_transactional_id(pay()).with_committed(true);
            vec![client.ask(&request, 5).await.error_code]
        }
        ApiKey::WriteTxnMarkers => {
            vec![client.ask(&mark("orders"), 1).await.markers[0].topics[0].partitions[0].error_code]
        }
        ApiKey::TxnOffsetCommit => {
            vec![client.ask(&commit("orders"), 5).await.topics[0].partitions[0].error_code]
        }
        ApiKey::DescribeTransactions => {
            let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![pay()]);
            vec![client.ask(&request, 0).await.transaction_states[0].error_code]
        }
        _ => {
            let response = client.ask(&ListTransactionsRequest::default(), 2).await;
            assert!(response.transaction_states.is_empty(), "there is none, or none to be seen");
            vec![response.error_code]
        }
    }
}

async fn add_codes(client: &mut Client, topics: Vec<AddPartitionsToTxnTopic>) -> Vec<i16> {
    let response = client.ask(&add(topics), 3).await;
    let partitions =
        response.results_by_topic_v3_and_below.iter().flat_map(|each| &each.results_by_partition);
    partitions.map(|each| each.partition_error_code).collect()
}

fn names(codes: Vec<i16>) -> Vec<&'static str> {
    codes.into_iter().map(name_of).collect()
}

#[tokio::test]
async fn a_partition_that_cannot_be_added_stops_the_others() {
    let server = Server::start().await;
    server.create_topic("orders", 2).await;
    let mut client = server.client().await;
    let topics = vec![added("orders", &[0, 7, 0]), added("nothing", &[0]), added("__consumer_offsets", &[0])];
    assert_eq!(
        names(add_codes(&mut client, topics).await),
        [
            "OPERATION_NOT_ATTEMPTED",
            "UNKNOWN_TOPIC_OR_PARTITION",
            "UNKNOWN_TOPIC_OR_PARTITION",
            "TOPIC_AUTHORIZATION_FAILED",
        ]
    );
}

#[tokio::test]
async fn many_transactions_of_one_request_are_answered_each_by_itself() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let transaction = |id: &str, topic: &str| {
        AddPartitionsToTxnTransaction::default()
            .with_transactional_id(TransactionalId(text(id)))
            .with_verify_only(true)
            .with_topics(vec![added(topic, &[0])])
    };
    let request = AddPartitionsToTxnRequest::default().with_transactions(vec![
        transaction("pay", "nothing"),
        transaction("ship", "orders"),
        transaction("", "orders"),
    ]);
    let response = client.ask(&request, 5).await;
    let codes = response.results_by_transaction.iter().map(|each| {
        let code = each.topic_results[0].results_by_partition[0].partition_error_code;
        (each.transactional_id.as_str(), name_of(code))
    });
    assert_eq!(
        codes.collect::<Vec<_>>(),
        [
            ("pay", "UNKNOWN_TOPIC_OR_PARTITION"),
            ("ship", "INVALID_PRODUCER_ID_MAPPING"),
            ("", "INVALID_REQUEST"),
        ]
    );
}

#[tokio::test]
async fn a_producer_that_was_never_initialized_is_told_so() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    for (api, expected) in [
        (ApiKey::AddPartitionsToTxn, "INVALID_PRODUCER_ID_MAPPING"),
        (ApiKey::AddOffsetsToTxn, "INVALID_PRODUCER_ID_MAPPING"),
        (ApiKey::EndTxn, "INVALID_PRODUCER_ID_MAPPING"),
        (ApiKey::TxnOffsetCommit, "INVALID_PRODUCER_ID_MAPPING"),
        (ApiKey::WriteTxnMarkers, "NONE"),
        (ApiKey::DescribeTransactions, "TRANSACTIONAL_ID_NOT_FOUND"),
        (ApiKey::ListTransactions, "NONE"),
    ] {
        assert_eq!(names(ask(&mut client, api).await), [expected], "{api}");
    }
    let code = client.ask(&commit("nothing"), 0).await.topics[0].partitions[0].error_code;
    assert_eq!(name_of(code), "UNKNOWN_TOPIC_OR_PARTITION");
    let code = client.ask(&mark("nothing"), 1).await.markers[0].topics[0].partitions[0].error_code;
    assert_eq!(name_of(code), "UNKNOWN_TOPIC_OR_PARTITION");
}

/// Denies one thing.
struct Except(Action, &'static str);

impl Authorizer for Except {
    fn check(
        &self,
        client: AskingClient<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        if (action, resource.to_string().as_str()) != (self.0, self.1) {
            return Ok(());
        }
        Err(AccessDeniedError::new(client, action, resource))
    }
}

#[tokio::test]
async fn a_transaction_needs_leave_for_its_id_its_group_and_its_topics() {
    for (api, action, resource, expected) in [
        (ApiKey::AddPartitionsToTxn, Action::Write, "topic orders", "TOPIC_AUTHORIZATION_FAILED"),
        (ApiKey::AddOffsetsToTxn, Action::Read, "group readers", "GROUP_AUTHORIZATION_FAILED"),
        (ApiKey::TxnOffsetCommit, Action::Read, "group readers", "GROUP_AUTHORIZATION_FAILED"),
        (ApiKey::TxnOffsetCommit, Action::Read, "topic orders", "TOPIC_AUTHORIZATION_FAILED"),
        (
            ApiKey::DescribeTransactions,
            Action::Describe,
            "transactional id pay",
            "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        ),
    ] {
        let server = Server::start_with(Options::default(), Arc::new(Except(action, resource))).await;
        server.create_topic("orders", 1).await;
        let mut client = server.client().await;
        assert_eq!(
            names(ask(&mut client, api).await),
            [expected],
            "{api} without leave to {action} {resource}"
        );
    }
}

#[tokio::test]
async fn clients_that_may_not_act_as_brokers_add_no_partitions_as_brokers_do() {
    let except = Except(Action::ClusterAction, "the cluster");
    let server = Server::start_with(Options::default(), Arc::new(except)).await;
    let transaction = AddPartitionsToTxnTransaction::default().with_transactional_id(pay());
    let request = AddPartitionsToTxnRequest::default().with_transactions(vec![transaction]);
    let response = server.client().await.ask(&request, 4).await;
    assert_eq!(name_of(response.error_code), "CLUSTER_AUTHORIZATION_FAILED");
    assert!(response.results_by_transaction.is_empty());
}
