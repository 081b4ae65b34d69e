//! Requests of transactional producers and about them.

use std::sync::Arc;

use factum_broker::EndTransaction;
use factum_kafka_server::Options;
use factum_kafka_server::messages::ApiKey;
use factum_types::auth::{AccessDeniedError, Authorizer, Client as AskingClient};
use factum_types::record::TransactionOutcome;
use factum_types::{Action, BatchBuilder, Resource, Timestamp};
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, DescribeTransactionsRequest, EndTxnRequest, GroupId,
    InitProducerIdRequest, ListTransactionsRequest, ProducerId, TopicName, TransactionalId,
    TxnOffsetCommitRequest, WriteTxnMarkersRequest,
};

use crate::client::{Client, name_of, text};
use crate::producing::produce;
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

/// Gives `pay` a producer; its id and epoch.
async fn initialize(client: &mut Client) -> (i64, i16) {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(Some(pay()))
        .with_transaction_timeout_ms(60_000);
    let response = client.ask(&request, 4).await;
    assert_eq!(name_of(response.error_code), "NONE");
    (response.producer_id.0, response.producer_epoch)
}

fn one_record(mut builder: BatchBuilder) -> bytes::Bytes {
    builder.push(Timestamp::from_millis(1_700_000_000_000), None, Some(b"x"), &[]);
    builder.build().freeze()
}

/// Sends a marker for a producer; gives the code.
async fn mark_with(
    client: &mut Client,
    topic: &str,
    producer: (i64, i16),
    coordinator_epoch: i32,
) -> &'static str {
    let topic =
        WritableTxnMarkerTopic::default().with_name(topic_name(topic)).with_partition_indexes(vec![0]);
    let marker = WritableTxnMarker::default()
        .with_producer_id(ProducerId(producer.0))
        .with_producer_epoch(producer.1)
        .with_coordinator_epoch(coordinator_epoch)
        .with_topics(vec![topic]);
    let response = client.ask(&WriteTxnMarkersRequest::default().with_markers(vec![marker]), 1).await;
    name_of(response.markers[0].topics[0].partitions[0].error_code)
}

#[tokio::test]
async fn markers_shut_out_no_one_and_reach_no_topic_of_the_server() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let (id, epoch) = initialize(&mut client).await;
    for topic in ["_factum.access", "__transaction_state", "__consumer_offsets"] {
        assert_eq!(mark_with(&mut client, topic, (id, epoch), 0).await, "INVALID_TOPIC_EXCEPTION", "{topic}");
    }
    let late = mark_with(&mut client, "orders", (id, epoch), i32::MAX).await;
    assert_eq!(late, "TRANSACTION_COORDINATOR_FENCED");
    for producer in [(id, epoch + 1), (id, i16::MAX), (id + 1, 1)] {
        let refused = mark_with(&mut client, "orders", producer, 0).await;
        assert_eq!(refused, "INVALID_PRODUCER_EPOCH", "{producer:?}");
    }
    assert_eq!(mark_with(&mut client, "orders", (id, epoch), 0).await, "NONE");
    let end = server.broker.topic("orders").expect("created").partition(0).expect("created").bounds();
    assert_eq!(end.log_end.get(), 1, "one marker was written");
}

#[tokio::test]
async fn a_plain_batch_shuts_no_transactional_producer_out() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let (id, epoch) = initialize(&mut client).await;
    for epoch in [epoch, i16::MAX] {
        let plain = one_record(BatchBuilder::new().producer(id, epoch, 0));
        let response = client.ask(&produce("orders", 0, -1, Some(plain)), 9).await;
        let code = response.responses[0].partition_responses[0].error_code;
        assert_eq!(name_of(code), "INVALID_PRODUCER_ID_MAPPING", "epoch {epoch}");
    }
    let codes = add_codes_of(&mut client, id, epoch).await;
    assert_eq!(codes, ["NONE"]);
    let own = one_record(BatchBuilder::new().producer(id, epoch, 0).transactional());
    let request = produce("orders", 0, -1, Some(own)).with_transactional_id(Some(pay()));
    let response = client.ask(&request, 9).await;
    assert_eq!(name_of(response.responses[0].partition_responses[0].error_code), "NONE");
}

async fn add_codes_of(client: &mut Client, id: i64, epoch: i16) -> Vec<&'static str> {
    let request = add(vec![added("orders", &[0])])
        .with_v3_and_below_producer_id(ProducerId(id))
        .with_v3_and_below_producer_epoch(epoch);
    let response = client.ask(&request, 3).await;
    let partitions =
        response.results_by_topic_v3_and_below.iter().flat_map(|each| &each.results_by_partition);
    partitions.map(|each| name_of(each.partition_error_code)).collect()
}

#[tokio::test]
async fn a_marker_that_was_refused_before_does_not_keep_what_is_committed_from_readers() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let (id, epoch) = initialize(&mut client).await;
    // As a coordinator of another cluster would have left it.
    let partition = server.broker.topic("orders").expect("created").partition(0).expect("created").clone();
    let beyond = EndTransaction {
        producer_id: id,
        producer_epoch: epoch,
        outcome: TransactionOutcome::Abort,
        coordinator_epoch: i32::MAX,
    };
    partition.log().end_transaction(&beyond, Timestamp::from_millis(1_700_000_000_000)).expect("written");
    assert_eq!(add_codes_of(&mut client, id, epoch).await, ["NONE"]);
    let own = one_record(BatchBuilder::new().producer(id, epoch, 0).transactional());
    let request = produce("orders", 0, -1, Some(own)).with_transactional_id(Some(pay()));
    let response = client.ask(&request, 9).await;
    assert_eq!(name_of(response.responses[0].partition_responses[0].error_code), "NONE");
    let end = EndTxnRequest::default()
        .with_transactional_id(pay())
        .with_producer_id(ProducerId(id))
        .with_producer_epoch(epoch)
        .with_committed(true);
    assert_eq!(name_of(client.ask(&end, 3).await.error_code), "NONE");
    let bounds = partition.bounds();
    assert_eq!(bounds.stable, bounds.high_watermark, "committed readers see it");
}

#[tokio::test]
async fn patterns_of_transactional_ids_are_short_and_compiled_for_those_who_see_some() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let list = async |client: &mut Client, pattern: &str| {
        let request = ListTransactionsRequest::default().with_transactional_id_pattern(Some(text(pattern)));
        let response = client.ask(&request, 2).await;
        (name_of(response.error_code), response.transaction_states.len())
    };
    let heavy = format!("(?i){}", r"\pL".repeat(80));
    assert_eq!(
        list(&mut client, &heavy).await,
        ("NONE", 0),
        "there is nothing to match, and nothing compiled"
    );
    assert_eq!(list(&mut client, &"a".repeat(257)).await, ("INVALID_REGULAR_EXPRESSION", 0));
    initialize(&mut client).await;
    assert_eq!(list(&mut client, &heavy).await, ("INVALID_REGULAR_EXPRESSION", 0));
    assert_eq!(list(&mut client, r"\pL{1,100}").await, ("INVALID_REGULAR_EXPRESSION", 0));
    assert_eq!(list(&mut client, "pa").await, ("NONE", 0));
    assert_eq!(list(&mut client, "p.*|x").await, ("NONE", 1));
}
