//! Settings of topics that exist are changed, shown as changed, and refused where they cannot be.

use std::fmt::Write;
use std::time::Duration;

use expect_test::expect;
use factum_broker::TopicConfig;
use factum_types::ByteSize;
use kafka_protocol::messages::alter_configs_request as whole;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request as single;
use kafka_protocol::messages::{AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest};

use crate::client::{Client, batch, text};
use crate::producing::{outcome, produce};
use crate::server::Server;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// What is to change of one resource: its type, its name, and operations on settings.
type Change<'a> = (i8, &'a str, &'a [(i8, &'a str, Option<&'a str>)]);

fn request(changes: &[Change<'_>]) -> IncrementalAlterConfigsRequest {
    let resources = changes.iter().map(|(kind, name, edits)| {
        let configs = edits.iter().map(|(operation, name, value)| {
            single::AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(*operation)
                .with_value(value.map(text))
        });
        single::AlterConfigsResource::default()
            .with_resource_type(*kind)
            .with_resource_name(text(name))
            .with_configs(configs.collect())
    });
    IncrementalAlterConfigsRequest::default().with_resources(resources.collect())
}

async fn change(client: &mut Client, changes: &[Change<'_>]) -> String {
    let response = client.ask(&request(changes), 1).await;
    let mut table = String::new();
    for each in &response.responses {
        let words = each.error_message.as_ref().map(|words| words.as_str()).unwrap_or_default();
        let line = format!("{}: {} {words}", each.resource_name.as_str(), each.error_code);
        writeln!(table, "{}", line.trim_end()).expect("written");
    }
    table
}

/// What topic `orders` sets itself.
async fn own_settings(client: &mut Client) -> String {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("orders"))
        .with_configuration_keys(None);
    let response = client.ask(&DescribeConfigsRequest::default().with_resources(vec![resource]), 4).await;
    let own = response.results[0].configs.iter().filter(|config| config.config_source == 1);
    let own = own.map(|config| {
        format!("{}={}", config.name.as_str(), config.value.as_ref().map_or("null", |value| value.as_str()))
    });
    own.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn single_settings_are_changed_and_the_others_stay() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let edits = [
        (SET, "compression.type", Some("gzip")),
        (SET, "segment.ms", Some("60000")),
        (SET, "flush.ms", Some("1000")),
        (SET, "delete.retention.ms", Some("100")),
        (SET, "message.timestamp.type", Some("LogAppendTime")),
        (SET, "retention.ms", Some("-1")),
    ];
    assert_eq!(change(&mut client, &[(2, "orders", &edits)]).await, "orders: 0\n");
    expect!["compression.type=gzip delete.retention.ms=100 flush.ms=1000 message.timestamp.type=LogAppendTime retention.ms=-1 segment.ms=60000"]
        .assert_eq(&own_settings(&mut client).await);
    let edits = [
        (DELETE, "message.timestamp.type", None),
        (DELETE, "flush.ms", Some("heeds no value")),
        (SET, "max.message.bytes", Some("200")),
    ];
    assert_eq!(change(&mut client, &[(2, "orders", &edits)]).await, "orders: 0\n");
    expect![
        "compression.type=gzip delete.retention.ms=100 max.message.bytes=200 retention.ms=-1 segment.ms=60000"
    ]
    .assert_eq(&own_settings(&mut client).await);
    // They are in force, and not only shown.
    let large = batch(&["x".repeat(300).as_str()]);
    let response = client.ask(&produce("orders", 0, -1, Some(large)), 9).await;
    assert_eq!(outcome(&response).error_code, 10);
}

#[tokio::test]
async fn policies_are_added_and_taken_away() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    for (operation, value, expected) in [
        (APPEND, "compact", "cleanup.policy=compact,delete"),
        (APPEND, "compact", "cleanup.policy=compact,delete"),
        (SUBTRACT, "delete", "cleanup.policy=compact"),
        (APPEND, "delete", "cleanup.policy=compact,delete"),
        (SUBTRACT, "compact", "cleanup.policy=delete"),
    ] {
        let edit = (operation, "cleanup.policy", Some(value));
        assert_eq!(change(&mut client, &[(2, "orders", &[edit])]).await, "orders: 0\n");
        assert_eq!(own_settings(&mut client).await, expected, "{operation} {value}");
    }
}

#[tokio::test]
async fn a_setting_that_is_deleted_goes_back_to_what_a_project_declares() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let declared = || TopicConfig {
        retention: Some(Duration::MAX),
        segment_bytes: Some(ByteSize(1_048_576)),
        ..TopicConfig::default()
    };
    server.broker.follow_declared_settings(move |topic| match topic.as_str() {
        "orders" => declared(),
        _ => TopicConfig::default(),
    });
    let mut client = server.client().await;
    let set = [
        (SET, "retention.ms", Some("1000")),
        (SET, "segment.bytes", Some("2097152")),
        (SET, "segment.ms", Some("60000")),
    ];
    let delete = set.map(|(_, name, _)| (DELETE, name, None));
    assert_eq!(change(&mut client, &[(2, "orders", &set)]).await, "orders: 0\n");
    assert_eq!(change(&mut client, &[(2, "orders", &delete)]).await, "orders: 0\n");
    assert_eq!(own_settings(&mut client).await, "retention.ms=-1 segment.bytes=1048576");
    assert_eq!(change(&mut client, &[(2, "orders", &set)]).await, "orders: 0\n");
    let whole = whole::AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("orders"))
        .with_configs(vec![
            whole::AlterableConfig::default().with_name(text("segment.ms")).with_value(Some(text("5000"))),
        ]);
    let response = client.ask(&AlterConfigsRequest::default().with_resources(vec![whole]), 2).await;
    assert_eq!(response.responses[0].error_code, 0);
    assert_eq!(own_settings(&mut client).await, "retention.ms=-1 segment.bytes=1048576 segment.ms=5000");
}

#[tokio::test]
async fn of_one_topic_all_is_changed_or_nothing() {
    let server = Server::start().await;
    for topic in ["orders", "visits"] {
        server.create_topic(topic, 1).await;
    }
    let mut client = server.client().await;
    let good = (SET, "retention.ms", Some("1000"));
    expect![[r#"
        orders: 40 segment.bytes must be 1024 to 2147483647 bytes, not 1
        visits: 0
    "#]]
    .assert_eq(
        &change(
            &mut client,
            &[(2, "orders", &[good, (SET, "segment.bytes", Some("1"))]), (2, "visits", &[good])],
        )
        .await,
    );
    assert_eq!(own_settings(&mut client).await, "");
}

#[tokio::test]
async fn settings_that_cannot_be_changed_are_named() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let value = Some("1");
    let mut table = String::new();
    for case in [
        &[(2, "orders", &[(SET, "cleanup.policy", Some("compress"))][..])][..],
        &[(2, "orders", &[(APPEND, "cleanup.policy", Some("compress"))])],
        &[(2, "orders", &[(SUBTRACT, "cleanup.policy", Some("delete"))])],
        &[(2, "orders", &[(APPEND, "follower.replication.throttled.replicas", value)])],
        &[(2, "orders", &[(APPEND, "retention.ms", value)])],
        &[(2, "orders", &[(SET, "retention.ms", None)])],
        &[(2, "orders", &[(SET, "retention.ms", value), (DELETE, "retention.ms", None)])],
        &[(2, "orders", &[(7, "retention.ms", value)])],
        &[(2, "orders", &[(SET, "no.such", value)])],
        &[(2, "orders", &[(DELETE, "no.such", None)])],
        &[(2, "orders", &[]), (2, "orders", &[])],
        &[(2, "nowhere", &[(SET, "retention.ms", value)])],
        &[(2, "__consumer_offsets", &[(SET, "retention.ms", value)])],
        &[(2, "_factum.mine", &[(SET, "retention.ms", value)])],
        &[(4, "1", &[(SET, "message.max.bytes", value)])],
        &[(8, "1", &[])],
    ] {
        table += &change(&mut client, case).await;
    }
    expect![[r#"
        orders: 40 cleanup.policy cannot be "compress"
        orders: 40 cleanup.policy cannot be "delete,compress"
        orders: 40 cleanup.policy cannot be ""
        orders: 40 follower.replication.throttled.replicas cannot be changed
        orders: 40 retention.ms is no list: it can be set or deleted
        orders: 42 retention.ms has no value: delete the setting to have the default
        orders: 42 the request names the setting retention.ms twice
        orders: 42 there is no operation 7 on a setting
        orders: 40 "no.such" is not a setting of a topic
        orders: 40 "no.such" is not a setting of a topic
        orders: 42 the request names the resource twice
        orders: 42 the request names the resource twice
        nowhere: 3
        __consumer_offsets: 17 topic __consumer_offsets is reserved for the server itself
        _factum.mine: 3
        1: 42 the settings of a broker do not change while it runs; they are in its configuration file
        1: 42 resources of type 8 have no settings that can change
    "#]]
    .assert_eq(&table);
    assert_eq!(own_settings(&mut client).await, "");
}

#[tokio::test]
async fn a_rehearsal_changes_nothing() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    for (value, code) in [("1000", 0), ("soon", 40)] {
        let wish = request(&[(2, "orders", &[(SET, "retention.ms", Some(value))])]).with_validate_only(true);
        assert_eq!(client.ask(&wish, 1).await.responses[0].error_code, code);
    }
    assert_eq!(own_settings(&mut client).await, "");
}

#[tokio::test]
async fn all_settings_are_replaced_by_alter_configs() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    for (settings, code) in [
        (&[("retention.ms", Some("1000")), ("segment.ms", Some("5000"))][..], 0),
        (&[("compression.type", Some("zstd"))], 0),
        (&[("compression.type", None)], 42),
        (&[("retention.ms", Some("soon"))], 40),
    ] {
        let configs = settings.iter().map(|(name, value)| {
            whole::AlterableConfig::default().with_name(text(name)).with_value(value.map(text))
        });
        let resource = whole::AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text("orders"))
            .with_configs(configs.collect());
        let request = AlterConfigsRequest::default().with_resources(vec![resource]);
        assert_eq!(client.ask(&request, 2).await.responses[0].error_code, code, "{settings:?}");
    }
    assert_eq!(own_settings(&mut client).await, "compression.type=zstd");
}
