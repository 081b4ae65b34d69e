//! Access rules: created, listed and deleted by clients, and what they allow.

use std::sync::{Arc, OnceLock};

use factum_access::{
    Acl, AclAuthorizer, AclFilter, CLUSTER, Host, Operation, PatternType, Permission, ResourcePattern,
    ResourceType,
};
use factum_kafka_server::Options;
use factum_kafka_server::messages::ApiKey;
use factum_types::auth::{AccessDeniedError, Authorizer, Client as AskingClient, DenyAll};
use factum_types::{Action, Resource};
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::describe_acls_response::DescribeAclsResponse;
use kafka_protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};

use crate::access::probe;
use crate::client::{Client, name_of, text};
use crate::server::Server;

/// Kafka's numbers: any; of a filter's pattern, those that apply.
const ANY: i8 = 1;
const MATCH: i8 = 2;
const LITERAL: i8 = 3;
const PREFIXED: i8 = 4;
const TOPIC: i8 = 2;
const READ: i8 = 3;
const ALLOW: i8 = 3;

fn creation(name: &str, pattern: i8) -> AclCreation {
    AclCreation::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(name))
        .with_resource_pattern_type(pattern)
        .with_principal(text("User:ann"))
        .with_host(text("*"))
        .with_operation(READ)
        .with_permission_type(ALLOW)
}

fn everything() -> DescribeAclsRequest {
    DescribeAclsRequest::default()
        .with_resource_type_filter(ANY)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(ANY)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(ANY)
        .with_permission_type(ANY)
}

fn every_filter() -> DeleteAclsFilter {
    DeleteAclsFilter::default()
        .with_resource_type_filter(ANY)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(ANY)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(ANY)
        .with_permission_type(ANY)
}

/// Asks `api` about rules; gives the codes in the answer.
pub(crate) async fn ask(client: &mut Client, api: ApiKey) -> Vec<i16> {
    match api {
        ApiKey::DescribeAcls => vec![client.ask(&everything(), 3).await.error_code],
        ApiKey::CreateAcls => create(client, vec![creation("orders", LITERAL)]).await,
        _ => {
            let gone = every_filter().with_principal_filter(Some(text("User:gone")));
            let request = DeleteAclsRequest::default().with_filters(vec![gone]);
            client.ask(&request, 3).await.filter_results.iter().map(|each| each.error_code).collect()
        }
    }
}

async fn create(client: &mut Client, creations: Vec<AclCreation>) -> Vec<i16> {
    let request = CreateAclsRequest::default().with_creations(creations);
    client.ask(&request, 2).await.results.iter().map(|each| each.error_code).collect()
}

/// The rules of an answer, one line each.
fn lines(response: &DescribeAclsResponse) -> Vec<String> {
    let mut lines = Vec::new();
    for resource in &response.resources {
        for acl in &resource.acls {
            lines.push(format!(
                "{} {} {} {} {} {} {}",
                resource.resource_type,
                &*resource.resource_name,
                resource.pattern_type,
                &*acl.principal,
                &*acl.host,
                acl.operation,
                acl.permission_type,
            ));
        }
    }
    lines
}

#[tokio::test]
async fn rules_are_created_listed_and_deleted_as_in_kafka() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let mut wrong = creation("orders", LITERAL);
    wrong.permission_type = ANY;
    let unprincipled = creation("orders", LITERAL).with_principal(text("ann"));
    let nowhere = creation("orders", LITERAL).with_host(text("example.org"));
    let codes = create(
        &mut client,
        vec![
            creation("orders", LITERAL),
            creation("ord", PREFIXED),
            creation("*", LITERAL),
            creation("orders", LITERAL),
            creation("orders", MATCH),
            creation("", LITERAL),
            wrong,
            unprincipled,
            nowhere,
            creation("c", LITERAL).with_resource_type(4),
        ],
    )
    .await;
    let names: Vec<_> = codes.into_iter().map(name_of).collect();
    assert_eq!(names[..4], ["NONE"; 4]);
    assert_eq!(names[4..], ["INVALID_REQUEST"; 6]);

    let all = client.ask(&everything(), 1).await;
    let expected = ["2 * 3 User:ann * 3 3", "2 orders 3 User:ann * 3 3", "2 ord 4 User:ann * 3 3"];
    assert_eq!(lines(&all), expected);
    let applying =
        everything().with_pattern_type_filter(MATCH).with_resource_name_filter(Some(text("ordinal")));
    assert_eq!(lines(&client.ask(&applying, 3).await), [expected[0], expected[2]]);
    let unknown = everything().with_operation(0);
    assert_eq!(name_of(client.ask(&unknown, 3).await.error_code), "INVALID_REQUEST");

    // A rule is the first filter's that means it.
    let literal = every_filter().with_pattern_type_filter(LITERAL);
    let filters =
        vec![literal.clone(), literal, every_filter().with_resource_type_filter(99), every_filter()];
    let request = DeleteAclsRequest::default().with_filters(filters);
    let deleted = client.ask(&request, 3).await.filter_results;
    let outcome = |each: &kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult| {
        (name_of(each.error_code), each.matching_acls.len())
    };
    let outcomes: Vec<_> = deleted.iter().map(outcome).collect();
    assert_eq!(outcomes, [("NONE", 2), ("NONE", 0), ("INVALID_REQUEST", 0), ("NONE", 1)]);
    assert_eq!(lines(&client.ask(&everything(), 3).await), [""; 0]);
}

#[tokio::test]
async fn a_megabyte_of_names_is_refused_and_the_rest_is_kept() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let long = "n".repeat(32_000);
    let mut creations: Vec<_> = (0..14).map(|_| creation(&long, LITERAL)).collect();
    creations.push(creation("orders", LITERAL));
    let names: Vec<_> = create(&mut client, creations).await.into_iter().map(name_of).collect();
    assert_eq!(names[..14], ["INVALID_REQUEST"; 14]);
    assert_eq!(names[14], "NONE");
    let many = (0..1_001).map(|_| every_filter()).collect();
    let deleted = client.ask(&DeleteAclsRequest::default().with_filters(many), 3).await.filter_results;
    assert!(deleted.iter().all(|each| name_of(each.error_code) == "INVALID_REQUEST"));
    assert_eq!(server.access.acls().len(), 1);
}

#[tokio::test]
async fn rules_outlive_the_server() {
    let server = Server::start().await;
    let mut client = server.client().await;
    assert_eq!(create(&mut client, vec![creation("orders", LITERAL), creation("x", PREFIXED)]).await, [0, 0]);
    let gone = every_filter().with_resource_name_filter(Some(text("x")));
    client.ask(&DeleteAclsRequest::default().with_filters(vec![gone]), 3).await;
    let server = server.restarted_over(|_| ()).await;
    assert!(server.access.read().await.expect("readable").is_empty());
    let kept = server.access.acls().list(&AclFilter::default());
    let kept: Vec<_> = kept.iter().map(ToString::to_string).collect();
    assert_eq!(kept, ["allow User:ann from * read topic literal orders"]);
}

/// Rules that come once there is a store of them.
#[derive(Default)]
struct Rules(OnceLock<AclAuthorizer>);

impl Authorizer for Rules {
    fn check(
        &self,
        client: AskingClient<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(), AccessDeniedError> {
        match self.0.get() {
            Some(rules) => rules.check(client, action, resource),
            None => DenyAll.check(client, action, resource),
        }
    }
}

/// A rule for those who have not logged in, `operation type name`.
fn rule(text: &str, permission: Permission, host: Host) -> Acl {
    let words: Vec<_> = text.split(' ').collect();
    let resource_type: ResourceType = words[1].parse().expect("a type");
    let name = if resource_type == ResourceType::Cluster { CLUSTER } else { words[2] };
    Acl {
        resource: ResourcePattern { resource_type, pattern_type: PatternType::Literal, name: name.into() },
        principal: "User:ANONYMOUS".into(),
        host,
        operation: words[0].parse().expect("an operation"),
        permission,
    }
}

async fn ruled() -> Server {
    let rules = Arc::new(Rules::default());
    let server = Server::start_with(Options::default(), rules.clone()).await;
    let by_rules = AclAuthorizer::new(server.access.acls().clone(), [], false);
    rules.0.set(by_rules).expect("set once");
    server.create_topic("orders", 1).await;
    server
}

fn is_refused(codes: &[i16]) -> bool {
    codes.iter().any(|code| name_of(*code).ends_with("AUTHORIZATION_FAILED"))
}

/// Each API with the rules that it needs, as in Kafka's documentation of its protocol and its authorisation.
const NEEDED: &[(ApiKey, &[&str])] = &[
    (ApiKey::Produce, &["write topic orders"]),
    (ApiKey::Fetch, &["read topic orders"]),
    (ApiKey::ListOffsets, &["describe topic orders"]),
    (ApiKey::Metadata, &["describe topic orders", "create topic new", "describe topic new"]),
    (ApiKey::OffsetCommit, &["read group readers", "read topic orders"]),
    (ApiKey::OffsetFetch, &["describe group readers", "describe topic orders"]),
    (ApiKey::FindCoordinator, &["describe group readers"]),
    (ApiKey::JoinGroup, &["read group readers"]),
    (ApiKey::Heartbeat, &["read group readers"]),
    (ApiKey::LeaveGroup, &["read group readers"]),
    (ApiKey::SyncGroup, &["read group readers"]),
    (ApiKey::DescribeGroups, &["describe group readers"]),
    (ApiKey::CreateTopics, &["create topic made"]),
    (ApiKey::DeleteTopics, &["delete topic orders"]),
    (ApiKey::DeleteRecords, &["delete topic orders"]),
    (ApiKey::InitProducerId, &["write topic other"]),
    (ApiKey::OffsetForLeaderEpoch, &["describe topic orders"]),
    (ApiKey::AddPartitionsToTxn, &["write transactional_id pay", "write topic orders"]),
    (ApiKey::AddOffsetsToTxn, &["write transactional_id pay", "read group readers"]),
    (ApiKey::EndTxn, &["write transactional_id pay"]),
    (ApiKey::WriteTxnMarkers, &["cluster_action cluster"]),
    (ApiKey::TxnOffsetCommit, &["write transactional_id pay", "read group readers", "read topic orders"]),
    (ApiKey::DescribeAcls, &["describe cluster"]),
    (ApiKey::CreateAcls, &["alter cluster"]),
    (ApiKey::DeleteAcls, &["alter cluster"]),
    (ApiKey::DescribeConfigs, &["describe_configs topic orders", "describe_configs cluster"]),
    (ApiKey::AlterConfigs, &["alter_configs topic orders", "alter_configs cluster"]),
    (ApiKey::DescribeLogDirs, &["describe cluster"]),
    (ApiKey::DeleteGroups, &["delete group readers"]),
    (ApiKey::IncrementalAlterConfigs, &["alter_configs topic orders", "alter_configs cluster"]),
    (ApiKey::AlterPartitionReassignments, &["describe topic orders", "alter cluster"]),
    (ApiKey::ListPartitionReassignments, &["describe cluster"]),
    (ApiKey::OffsetDelete, &["read topic orders", "delete group readers"]),
    (ApiKey::DescribeUserScramCredentials, &["describe cluster"]),
    (ApiKey::AlterUserScramCredentials, &["alter cluster"]),
    (ApiKey::DescribeCluster, &["describe cluster"]),
    (ApiKey::DescribeProducers, &["read topic orders"]),
    (ApiKey::DescribeTransactions, &["describe transactional_id pay"]),
];

#[tokio::test]
async fn each_api_needs_its_rules_and_no_more() {
    for (api, needed) in NEEDED {
        let server = ruled().await;
        let mut client = server.client().await;
        let mut rules: Vec<_> = needed.iter().map(|text| rule(text, Permission::Allow, Host::Any)).collect();
        // The rule that is asked for last is put in place last: until then the answer is no.
        let last = rules.pop().expect("at least one");
        server.access.add_acls(&factum_types::Principal::system(), rules).await.expect("kept");
        assert!(is_refused(&probe(&mut client, *api).await), "{api} without {last}");
        server.access.add_acls(&factum_types::Principal::system(), vec![last.clone()]).await.expect("kept");
        let codes = probe(&mut client, *api).await;
        assert!(!is_refused(&codes), "{api} with {needed:?}: {:?}", codes.iter().map(|it| name_of(*it)));

        let denied = Acl { permission: Permission::Deny, operation: Operation::All, ..last };
        let elsewhere = Acl { host: "10.1.2.3".parse().expect("a host"), ..denied.clone() };
        server.access.add_acls(&factum_types::Principal::system(), vec![elsewhere]).await.expect("kept");
        // Some APIs did what they were asked and would fail for another reason now: only the permission counts.
        assert!(!is_refused(&probe(&mut client, *api).await), "{api} is denied to others alone");
        server.access.add_acls(&factum_types::Principal::system(), vec![denied]).await.expect("kept");
        assert!(is_refused(&probe(&mut client, *api).await), "{api} is denied");
    }
}

#[tokio::test]
async fn lists_have_what_the_rules_let_be_seen() {
    let server = ruled().await;
    server.create_topic("secret", 1).await;
    server
        .access
        .add_acls(
            &factum_types::Principal::system(),
            vec![rule("read topic orders", Permission::Allow, Host::Any)],
        )
        .await
        .expect("kept");
    let mut client = server.client().await;
    let everything = kafka_protocol::messages::MetadataRequest::default().with_topics(None);
    let topics = client.ask(&everything, 9).await.topics;
    let names: Vec<_> =
        topics.iter().filter_map(|topic| topic.name.as_ref()).map(|name| name.0.to_string()).collect();
    assert_eq!(names, ["orders"]);
}
