//! Each API asks before it acts: a table of what is asked, and of what is answered when nothing is allowed.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use factum_base::clients::ClientAddress;
use factum_broker::coordinator::{Commit, CommittedOffset};
use factum_kafka_server::Options;
use factum_kafka_server::messages::ApiKey;
use factum_types::auth::{AccessDeniedError, AllowAll, Authorizer, Client as AskingClient, DenyAll};
use factum_types::{Action, Resource, TopicPartition};
use kafka_protocol::messages::alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::incremental_alter_configs_request::AlterConfigsResource as EditedResource;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{
    AlterConfigsRequest, ApiVersionsRequest, CreateTopicsRequest, DeleteGroupsRequest, DeleteRecordsRequest,
    DeleteTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest, DescribeGroupsRequest,
    DescribeLogDirsRequest, DescribeProducersRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest,
    IncrementalAlterConfigsRequest, InitProducerIdRequest, JoinGroupRequest, LeaveGroupRequest,
    ListGroupsRequest, MetadataRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
    OffsetForLeaderEpochRequest, SaslAuthenticateRequest, SaslHandshakeRequest, SyncGroupRequest, TopicName,
};

use crate::acls;
use crate::administration;
use crate::client::{Client, batch, name_of, text};
use crate::client_quotas;
use crate::consumer_groups;
use crate::fetching::{fetch, latest};
use crate::one_node;
use crate::producing::{outcome, produce};
use crate::scram_credentials;
use crate::server::Server;
use crate::transactions;

/// Asks `api` about topic `orders`, group `readers` and transactional id `pay`; gives the codes in the answer.
pub(crate) async fn probe(client: &mut Client, api: ApiKey) -> Vec<i16> {
    match api {
        ApiKey::Produce => {
            let response = client.ask(&produce("orders", 0, -1, Some(batch(&["a"]))), 9).await;
            vec![outcome(&response).error_code]
        }
        ApiKey::Fetch => {
            let response = client.ask(&fetch("orders", 0, Duration::ZERO), 12).await;
            vec![response.responses[0].partitions[0].error_code]
        }
        ApiKey::ListOffsets => {
            vec![client.ask(&latest("orders"), 9).await.topics[0].partitions[0].error_code]
        }
        ApiKey::ApiVersions => vec![client.ask(&ApiVersionsRequest::default(), 0).await.error_code],
        // There are no logins on this listener.
        ApiKey::SaslHandshake => vec![client.ask(&SaslHandshakeRequest::default(), 1).await.error_code],
        ApiKey::SaslAuthenticate => vec![client.ask(&SaslAuthenticateRequest::default(), 2).await.error_code],
        ApiKey::Metadata
        | ApiKey::CreateTopics
        | ApiKey::DeleteRecords
        | ApiKey::DeleteTopics
        | ApiKey::DescribeProducers
        | ApiKey::OffsetForLeaderEpoch
        | ApiKey::DescribeConfigs => topics(client, api).await,
        ApiKey::InitProducerId => {
            let request = InitProducerIdRequest::default().with_transactional_id(None);
            vec![client.ask(&request, 4).await.error_code]
        }
        ApiKey::DescribeLogDirs => {
            vec![client.ask(&DescribeLogDirsRequest::default().with_topics(None), 4).await.error_code]
        }
        ApiKey::DescribeCluster => {
            vec![client.ask(&DescribeClusterRequest::default().with_endpoint_type(1), 1).await.error_code]
        }
        ApiKey::ElectLeaders | ApiKey::AlterPartitionReassignments | ApiKey::ListPartitionReassignments => {
            vec![one_node::ask(client, api).await]
        }
        ApiKey::CreatePartitions
        | ApiKey::DescribeQuorum
        | ApiKey::UpdateFeatures
        | ApiKey::ListConfigResources
        | ApiKey::DescribeTopicPartitions => administration::ask(client, api).await,
        ApiKey::AddPartitionsToTxn
        | ApiKey::AddOffsetsToTxn
        | ApiKey::EndTxn
        | ApiKey::WriteTxnMarkers
        | ApiKey::TxnOffsetCommit
        | ApiKey::DescribeTransactions
        | ApiKey::ListTransactions => transactions::ask(client, api).await,
        ApiKey::DescribeAcls | ApiKey::CreateAcls | ApiKey::DeleteAcls => acls::ask(client, api).await,
        ApiKey::DescribeUserScramCredentials | ApiKey::AlterUserScramCredentials => {
            scram_credentials::ask(client, api).await
        }
        ApiKey::DescribeClientQuotas | ApiKey::AlterClientQuotas => client_quotas::ask(client, api).await,
        ApiKey::ConsumerGroupHeartbeat | ApiKey::ConsumerGroupDescribe => {
            consumer_groups::ask(client, api).await
        }
        ApiKey::AlterConfigs | ApiKey::IncrementalAlterConfigs => settings(client, api).await,
        ApiKey::OffsetCommit | ApiKey::OffsetFetch | ApiKey::OffsetDelete => offsets(client, api).await,
        ApiKey::FindCoordinator
        | ApiKey::JoinGroup
        | ApiKey::Heartbeat
        | ApiKey::LeaveGroup
        | ApiKey::SyncGroup
        | ApiKey::DescribeGroups
        | ApiKey::DeleteGroups
        | ApiKey::ListGroups => groups(client, api).await,
    }
}

async fn topics(client: &mut Client, api: ApiKey) -> Vec<i16> {
    let orders = || TopicName(text("orders"));
    match api {
        ApiKey::Metadata => {
            let one = MetadataRequestTopic::default().with_name(Some(orders()));
            let unknown = MetadataRequestTopic::default().with_name(Some(TopicName(text("new"))));
            let request = MetadataRequest::default()
                .with_topics(Some(vec![one, unknown]))
                .with_allow_auto_topic_creation(true);
            client.ask(&request, 9).await.topics.iter().map(|topic| topic.error_code).collect()
        }
        ApiKey::CreateTopics => {
            let topic = CreatableTopic::default()
                .with_name(TopicName(text("made")))
                .with_num_partitions(1)
                .with_replication_factor(1);
            let response = client.ask(&CreateTopicsRequest::default().with_topics(vec![topic]), 7).await;
            vec![response.topics[0].error_code]
        }
        ApiKey::DeleteRecords => {
            let partition = DeleteRecordsPartition::default().with_offset(-1);
            let topic = DeleteRecordsTopic::default().with_name(orders()).with_partitions(vec![partition]);
            let response = client.ask(&DeleteRecordsRequest::default().with_topics(vec![topic]), 2).await;
            vec![response.topics[0].partitions[0].error_code]
        }
        ApiKey::DescribeProducers => {
            let topic = TopicRequest::default().with_name(orders()).with_partition_indexes(vec![0]);
            let response = client.ask(&DescribeProducersRequest::default().with_topics(vec![topic]), 0).await;
            vec![response.topics[0].partitions[0].error_code]
        }
        ApiKey::OffsetForLeaderEpoch => {
            let partition = OffsetForLeaderPartition::default().with_leader_epoch(0);
            let topic = OffsetForLeaderTopic::default().with_topic(orders()).with_partitions(vec![partition]);
            let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
            vec![client.ask(&request, 4).await.topics[0].partitions[0].error_code]
        }
        ApiKey::DeleteTopics => {
            let topic = DeleteTopicState::default().with_name(Some(orders()));
            let response = client.ask(&DeleteTopicsRequest::default().with_topics(vec![topic]), 6).await;
            vec![response.responses[0].error_code]
        }
        _ => {
            let resource = |kind, name| {
                DescribeConfigsResource::default()
                    .with_resource_type(kind)
                    .with_resource_name(text(name))
                    .with_configuration_keys(None)
            };
            let request = DescribeConfigsRequest::default()
                .with_resources(vec![resource(2, "orders"), resource(4, "1")]);
            client.ask(&request, 4).await.results.iter().map(|result| result.error_code).collect()
        }
    }
}

async fn settings(client: &mut Client, api: ApiKey) -> Vec<i16> {
    let resources = [(2, "orders"), (4, "1")];
    if api == ApiKey::AlterConfigs {
        let resource = |(kind, name)| {
            AlterConfigsResource::default().with_resource_type(kind).with_resource_name(text(name))
        };
        let request =
            AlterConfigsRequest::default().with_resources(resources.into_iter().map(resource).collect());
        return client.ask(&request, 2).await.responses.iter().map(|each| each.error_code).collect();
    }
    let resource =
        |(kind, name)| EditedResource::default().with_resource_type(kind).with_resource_name(text(name));
    let request = IncrementalAlterConfigsRequest::default()
        .with_resources(resources.into_iter().map(resource).collect());
    client.ask(&request, 1).await.responses.iter().map(|each| each.error_code).collect()
}

async fn offsets(client: &mut Client, api: ApiKey) -> Vec<i16> {
    let orders = || TopicName(text("orders"));
    if api == ApiKey::OffsetCommit {
        let partition =
            OffsetCommitRequestPartition::default().with_partition_index(0).with_committed_offset(1);
        let topic = OffsetCommitRequestTopic::default().with_name(orders()).with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(GroupId(text("readers")))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        return vec![client.ask(&request, 8).await.topics[0].partitions[0].error_code];
    }
    if api == ApiKey::OffsetDelete {
        let partition = OffsetDeleteRequestPartition::default();
        let topic = OffsetDeleteRequestTopic::default().with_name(orders()).with_partitions(vec![partition]);
        let request =
            OffsetDeleteRequest::default().with_group_id(GroupId(text("readers"))).with_topics(vec![topic]);
        return vec![client.ask(&request, 0).await.error_code];
    }
    let topic = OffsetFetchRequestTopics::default().with_name(orders()).with_partition_indexes(vec![0]);
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(text("readers")))
        .with_topics(Some(vec![topic]));
    let response = client.ask(&OffsetFetchRequest::default().with_groups(vec![group]), 8).await;
    vec![response.groups[0].error_code, response.groups[0].topics[0].partitions[0].error_code]
}

async fn groups(client: &mut Client, api: ApiKey) -> Vec<i16> {
    let readers = || GroupId(text("readers"));
    match api {
        ApiKey::FindCoordinator => {
            let request = FindCoordinatorRequest::default()
                .with_key_type(0)
                .with_coordinator_keys(vec![text("readers")]);
            vec![client.ask(&request, 4).await.coordinators[0].error_code]
        }
        ApiKey::JoinGroup => {
            let protocol = JoinGroupRequestProtocol::default().with_name(text("range"));
            let request = JoinGroupRequest::default()
                .with_group_id(readers())
                .with_session_timeout_ms(10_000)
                .with_rebalance_timeout_ms(10_000)
                .with_protocol_type(text("consumer"))
                .with_protocols(vec![protocol]);
            vec![client.ask(&request, 9).await.error_code]
        }
        ApiKey::Heartbeat => {
            vec![client.ask(&HeartbeatRequest::default().with_group_id(readers()), 4).await.error_code]
        }
        ApiKey::LeaveGroup => {
            vec![client.ask(&LeaveGroupRequest::default().with_group_id(readers()), 5).await.error_code]
        }
        ApiKey::SyncGroup => {
            vec![client.ask(&SyncGroupRequest::default().with_group_id(readers()), 5).await.error_code]
        }
        ApiKey::DescribeGroups => {
            let request = DescribeGroupsRequest::default().with_groups(vec![readers()]);
            vec![client.ask(&request, 5).await.groups[0].error_code]
        }
        ApiKey::DeleteGroups => {
            let request = DeleteGroupsRequest::default().with_groups_names(vec![readers()]);
            vec![client.ask(&request, 2).await.results[0].error_code]
        }
        _ => {
            let response = client.ask(&ListGroupsRequest::default(), 4).await;
            assert!(response.groups.is_empty(), "there is none, or none to be seen");
            vec![response.error_code]
        }
    }
}

/// Allows everything and remembers what it was asked.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Authorizer for Recorder {
    fn check(
        &self,
        client: AskingClient<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        let asked = format!("{action} {resource}");
        let mut seen = self.0.lock().expect("not poisoned");
        if !seen.contains(&asked) {
            seen.push(asked);
        }
        AllowAll.check(client, action, resource)
    }
}

#[tokio::test]
async fn each_api_asks_before_it_acts() {
    let mut table = String::new();
    for api in ApiKey::ALL {
        let recorder = Arc::new(Recorder::default());
        let server = Server::start_with(Options::default(), recorder.clone()).await;
        server.create_topic("orders", 1).await;
        probe(&mut server.client().await, *api).await;
        let asked = recorder.0.lock().expect("not poisoned").join(", ");
        let asked = if asked.is_empty() { "no one" } else { &asked };
        writeln!(table, "{api}: {asked}").expect("written");
    }
    expect![[r#"
        Produce: write topic orders
        Fetch: read topic orders
        ListOffsets: describe topic orders
        Metadata: describe topic orders, describe topic new, create the cluster
        OffsetCommit: read group readers, read topic orders
        OffsetFetch: describe group readers, describe topic orders
        FindCoordinator: describe group readers
        JoinGroup: read group readers
        Heartbeat: read group readers
        LeaveGroup: read group readers
        SyncGroup: read group readers
        DescribeGroups: describe group readers
        ListGroups: describe the cluster
        SaslHandshake: no one
        ApiVersions: no one
        CreateTopics: create the cluster, describe the configuration of topic made
        DeleteTopics: delete topic orders
        DeleteRecords: delete topic orders
        InitProducerId: write idempotently to the cluster
        OffsetForLeaderEpoch: describe topic orders
        AddPartitionsToTxn: write transactional id pay, write topic orders
        AddOffsetsToTxn: write transactional id pay, read group readers
        EndTxn: write transactional id pay
        WriteTxnMarkers: act as a broker of the cluster
        TxnOffsetCommit: write transactional id pay, read group readers, read topic orders
        DescribeAcls: describe the cluster
        CreateAcls: alter the cluster
        DeleteAcls: alter the cluster
        DescribeConfigs: describe the configuration of topic orders, describe the configuration of the cluster
        AlterConfigs: alter the configuration of topic orders, alter the configuration of the cluster
        DescribeLogDirs: describe the cluster
        SaslAuthenticate: no one
        CreatePartitions: alter topic orders
        DeleteGroups: delete group readers
        ElectLeaders: alter the cluster, describe topic orders
        IncrementalAlterConfigs: alter the configuration of topic orders, alter the configuration of the cluster
        AlterPartitionReassignments: alter the cluster, describe topic orders
        ListPartitionReassignments: describe the cluster
        OffsetDelete: delete group readers, read topic orders
        DescribeClientQuotas: describe the configuration of the cluster
        AlterClientQuotas: alter the configuration of the cluster
        DescribeUserScramCredentials: describe the cluster
        AlterUserScramCredentials: alter the cluster
        DescribeQuorum: describe the cluster
        UpdateFeatures: alter the cluster
        DescribeCluster: describe the cluster
        DescribeProducers: read topic orders
        DescribeTransactions: describe transactional id pay
        ListTransactions: no one
        ConsumerGroupHeartbeat: read group readers, describe topic orders
        ConsumerGroupDescribe: describe group readers
        ListConfigResources: describe the configuration of the cluster
        DescribeTopicPartitions: describe topic orders, read topic orders, write topic orders, create topic orders, delete topic orders, alter topic orders, describe the configuration of topic orders, alter the configuration of topic orders
    "#]]
    .assert_eq(&table);
}

/// Makes a group that only keeps offsets.
async fn commit_as_nobody(server: &Server, group: &str) {
    let offset = CommittedOffset { offset: 1, leader_epoch: -1, metadata: None };
    let commit = Commit {
        group: group.parse().expect("a group's name"),
        generation: -1,
        member_id: String::new(),
        instance_id: None,
        client: ClientAddress::UNKNOWN,
        offsets: vec![(TopicPartition::new("orders".parse().expect("a topic's name"), 0), offset)],
    };
    server.broker.coordinator().commit(commit).await.expect("committed");
}

#[tokio::test]
async fn where_nothing_is_allowed_each_api_refuses() {
    let server = Server::start_with(Options::default(), Arc::new(DenyAll)).await;
    server.create_topic("orders", 1).await;
    commit_as_nobody(&server, "writers").await;
    let mut table = String::new();
    for api in ApiKey::ALL {
        let mut client = server.client().await;
        let codes: Vec<_> = probe(&mut client, *api).await.into_iter().map(name_of).collect();
        writeln!(table, "{api}: {}", codes.join(", ")).expect("written");
    }
    expect![[r#"
        Produce: TOPIC_AUTHORIZATION_FAILED
        Fetch: TOPIC_AUTHORIZATION_FAILED
        ListOffsets: TOPIC_AUTHORIZATION_FAILED
        Metadata: TOPIC_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED
        OffsetCommit: GROUP_AUTHORIZATION_FAILED
        OffsetFetch: GROUP_AUTHORIZATION_FAILED, NONE
        FindCoordinator: GROUP_AUTHORIZATION_FAILED
        JoinGroup: GROUP_AUTHORIZATION_FAILED
        Heartbeat: GROUP_AUTHORIZATION_FAILED
        LeaveGroup: GROUP_AUTHORIZATION_FAILED
        SyncGroup: GROUP_AUTHORIZATION_FAILED
        DescribeGroups: GROUP_AUTHORIZATION_FAILED
        ListGroups: NONE
        SaslHandshake: ILLEGAL_SASL_STATE
        ApiVersions: NONE
        CreateTopics: TOPIC_AUTHORIZATION_FAILED
        DeleteTopics: TOPIC_AUTHORIZATION_FAILED
        DeleteRecords: TOPIC_AUTHORIZATION_FAILED
        InitProducerId: CLUSTER_AUTHORIZATION_FAILED
        OffsetForLeaderEpoch: TOPIC_AUTHORIZATION_FAILED
        AddPartitionsToTxn: TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        AddOffsetsToTxn: TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        EndTxn: TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        WriteTxnMarkers: CLUSTER_AUTHORIZATION_FAILED
        TxnOffsetCommit: TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        DescribeAcls: CLUSTER_AUTHORIZATION_FAILED
        CreateAcls: CLUSTER_AUTHORIZATION_FAILED
        DeleteAcls: CLUSTER_AUTHORIZATION_FAILED
        DescribeConfigs: TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED
        AlterConfigs: TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED
        DescribeLogDirs: CLUSTER_AUTHORIZATION_FAILED
        SaslAuthenticate: ILLEGAL_SASL_STATE
        CreatePartitions: TOPIC_AUTHORIZATION_FAILED
        DeleteGroups: GROUP_AUTHORIZATION_FAILED
        ElectLeaders: CLUSTER_AUTHORIZATION_FAILED
        IncrementalAlterConfigs: TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED
        AlterPartitionReassignments: CLUSTER_AUTHORIZATION_FAILED
        ListPartitionReassignments: CLUSTER_AUTHORIZATION_FAILED
        OffsetDelete: GROUP_AUTHORIZATION_FAILED
        DescribeClientQuotas: CLUSTER_AUTHORIZATION_FAILED
        AlterClientQuotas: CLUSTER_AUTHORIZATION_FAILED
        DescribeUserScramCredentials: CLUSTER_AUTHORIZATION_FAILED
        AlterUserScramCredentials: CLUSTER_AUTHORIZATION_FAILED
        DescribeQuorum: CLUSTER_AUTHORIZATION_FAILED
        UpdateFeatures: CLUSTER_AUTHORIZATION_FAILED
        DescribeCluster: CLUSTER_AUTHORIZATION_FAILED
        DescribeProducers: TOPIC_AUTHORIZATION_FAILED
        DescribeTransactions: TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        ListTransactions: NONE
        ConsumerGroupHeartbeat: GROUP_AUTHORIZATION_FAILED
        ConsumerGroupDescribe: GROUP_AUTHORIZATION_FAILED
        ListConfigResources: CLUSTER_AUTHORIZATION_FAILED
        DescribeTopicPartitions: TOPIC_AUTHORIZATION_FAILED
    "#]]
    .assert_eq(&table);
    let everything = MetadataRequest::default().with_topics(None);
    assert_eq!(server.client().await.ask(&everything, 9).await.topics, []);
    // Nothing came of it.
    let topics = server.broker.topics();
    let names: Vec<_> = topics.iter().map(|topic| topic.name().as_str()).collect();
    assert_eq!(names, ["__consumer_offsets", "__transaction_state", "orders"]);
    assert_eq!(server.broker.topic("orders").expect("there").partitions()[0].bounds().log_end.get(), 0);
    let groups = server.broker.coordinator().list();
    assert_eq!(groups.iter().map(|group| group.group.as_str()).collect::<Vec<_>>(), ["writers"]);
}
