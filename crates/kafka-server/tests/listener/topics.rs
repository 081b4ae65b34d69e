//! CreateTopics, DeleteTopics and DescribeConfigs.

use expect_test::expect;
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest, TopicName,
};

use crate::client::{Client, text};
use crate::server::Server;

fn topic(name: &str, partitions: i32, replicas: i16) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(TopicName(text(name)))
        .with_num_partitions(partitions)
        .with_replication_factor(replicas)
}

fn config(name: &str, value: &str) -> CreatableTopicConfig {
    CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
}

fn assignment(partition: i32, brokers: &[i32]) -> CreatableReplicaAssignment {
    let brokers = brokers.iter().map(|id| BrokerId(*id)).collect();
    CreatableReplicaAssignment::default().with_partition_index(partition).with_broker_ids(brokers)
}

/// Creates and tells what came of it.
async fn create(client: &mut Client, topics: Vec<CreatableTopic>, validate_only: bool) -> String {
    let request = CreateTopicsRequest::default().with_topics(topics).with_validate_only(validate_only);
    let response = client.ask(&request, 7).await;
    let lines = response.topics.iter().map(|topic| {
        let words = topic.error_message.as_ref().map(|words| words.as_str()).unwrap_or_default();
        let name = topic.name.as_str();
        let line = format!("{name}: {} partitions={} {words}", topic.error_code, topic.num_partitions);
        format!("{}\n", line.trim_end())
    });
    lines.collect()
}

#[tokio::test]
async fn topics_are_created_or_the_reason_is_given() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let with = |name, key, value| topic(name, 1, 1).with_configs(vec![config(key, value)]);
    let cases = [
        topic("orders", 3, 1),
        topic("orders", 3, 1),
        topic("defaults", -1, -1),
        topic("none", 0, 1),
        topic("no/name", 1, 1),
        topic("copies", 1, 3),
        with("kept", "retention.ms", "60000"),
        with("small", "segment.bytes", "1"),
        with("compact", "cleanup.policy", "compress"),
        with("odd", "no.such", "1"),
        topic("assigned", -1, -1).with_assignments(vec![assignment(1, &[1]), assignment(0, &[1])]),
        topic("elsewhere", -1, -1).with_assignments(vec![assignment(0, &[2])]),
        topic("holes", -1, -1).with_assignments(vec![assignment(1, &[1])]),
        topic("both", 1, 1).with_assignments(vec![assignment(0, &[1])]),
    ];
    let mut table = String::new();
    for case in cases {
        table += &create(&mut client, vec![case], false).await;
    }
    expect![[r#"
        orders: 0 partitions=3
        orders: 36 partitions=-1 topic orders exists already
        defaults: 0 partitions=4
        none: 37 partitions=-1 a topic has 1 to 1000 partitions, not 0
        no/name: 17 partitions=-1 character '/' at position 2 of "no/name" is not one of letters, digits, '.', '_' and '-'
        copies: 38 partitions=-1 there is one node, so 3 replicas are not possible
        kept: 0 partitions=1
        small: 40 partitions=-1 segment.bytes must be 1024 to 2147483647 bytes, not 1
        compact: 40 partitions=-1 cleanup.policy cannot be "compress"
        odd: 40 partitions=-1 "no.such" is not a setting of a topic
        assigned: 0 partitions=2
        elsewhere: 39 partitions=-1 partitions must be numbered from 0, each with broker 1 as its replica
        holes: 39 partitions=-1 partitions must be numbered from 0, each with broker 1 as its replica
        both: 42 partitions=-1 replicas are assigned by hand and counted as well
    "#]].assert_eq(&table);
    let made: Vec<_> = server.broker.topics().iter().map(|topic| topic.name().to_string()).collect();
    assert_eq!(made, ["__consumer_offsets", "__transaction_state", "assigned", "defaults", "kept", "orders"]);
}

#[tokio::test]
async fn a_rehearsal_makes_nothing() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let topics = vec![topic("orders", -1, 1), topic("twice", 1, 1), topic("twice", 1, 1)];
    expect![[r#"
        orders: 0 partitions=4
        twice: 42 partitions=-1 the request names the topic twice
        twice: 42 partitions=-1 the request names the topic twice
    "#]]
    .assert_eq(&create(&mut client, topics, true).await);
    assert!(server.broker.topic("orders").is_none());
}

#[tokio::test]
async fn topics_are_deleted_by_name_and_by_id() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    server.create_topic("visits", 1).await;
    let id = server.broker.topic("visits").expect("made").id().uuid();
    let mut client = server.client().await;
    let by_name = |name| DeleteTopicState::default().with_name(Some(TopicName(text(name))));
    let by_id = |id| DeleteTopicState::default().with_name(None).with_topic_id(id);
    let topics = vec![by_name("orders"), by_id(id), by_name("__consumer_offsets")];
    for expected in [[0, 0, 17], [3, 100, 17]] {
        let request = DeleteTopicsRequest::default().with_topics(topics.clone());
        let response = client.ask(&request, 6).await;
        let codes: Vec<_> = response.responses.iter().map(|topic| topic.error_code).collect();
        assert_eq!(codes, expected);
    }
    let response = client
        .ask(&DeleteTopicsRequest::default().with_topic_names(vec![TopicName(text("orders"))]), 4)
        .await;
    assert_eq!(response.responses[0].error_code, 3);
    assert_eq!(server.broker.topics().len(), 2, "the coordinators' own");
}

async fn describe(client: &mut Client, kind: i8, name: &str, keys: Option<&[&str]>) -> String {
    let keys = keys.map(|keys| keys.iter().map(|key| text(key)).collect());
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(keys);
    let request =
        DescribeConfigsRequest::default().with_resources(vec![resource]).with_include_synonyms(true);
    let response = client.ask(&request, 4).await;
    let result = &response.results[0];
    let words = result.error_message.as_ref().map(|words| words.as_str()).unwrap_or_default();
    let mut table = format!("{} {words}", result.error_code).trim_end().to_owned() + "\n";
    for config in &result.configs {
        let value = config.value.as_ref().map_or("null", |value| value.as_str());
        let (name, source) = (config.name.as_str(), config.config_source);
        table.push_str(&format!("{name}={value} source={source} read_only={}", config.read_only));
        for synonym in config.synonyms.iter().filter(|synonym| synonym.name != config.name) {
            let value = synonym.value.as_ref().map_or("null", |value| value.as_str());
            table.push_str(&format!(" {}={value}", synonym.name.as_str()));
        }
        table.push('\n');
    }
    table
}

#[tokio::test]
async fn settings_are_described_with_their_sources() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let kept = topic("kept", 1, 1)
        .with_configs(vec![config("retention.ms", "-1"), config("segment.bytes", "1048576")]);
    create(&mut client, vec![kept], false).await;
    expect![[r#"
        0
        cleanup.policy=delete source=5 read_only=false log.cleanup.policy=delete
        compression.type=producer source=5 read_only=false
        delete.retention.ms=86400000 source=5 read_only=false log.cleaner.delete.retention.ms=86400000
        file.delete.delay.ms=0 source=5 read_only=false
        flush.messages=1 source=5 read_only=false
        flush.ms=0 source=5 read_only=false
        follower.replication.throttled.replicas= source=5 read_only=true
        index.interval.bytes=4096 source=5 read_only=false
        leader.replication.throttled.replicas= source=5 read_only=true
        local.retention.bytes=-2 source=5 read_only=true
        local.retention.ms=-2 source=5 read_only=true
        max.compaction.lag.ms=9223372036854775807 source=5 read_only=false log.cleaner.max.compaction.lag.ms=9223372036854775807
        max.message.bytes=1048588 source=5 read_only=false message.max.bytes=1048588
        message.timestamp.after.max.ms=3600000 source=5 read_only=false log.message.timestamp.after.max.ms=3600000
        message.timestamp.before.max.ms=9223372036854775807 source=5 read_only=false log.message.timestamp.before.max.ms=9223372036854775807
        message.timestamp.type=CreateTime source=5 read_only=false log.message.timestamp.type=CreateTime
        min.cleanable.dirty.ratio=0.5 source=5 read_only=false log.cleaner.min.cleanable.ratio=0.5
        min.compaction.lag.ms=0 source=5 read_only=false log.cleaner.min.compaction.lag.ms=0
        min.insync.replicas=1 source=5 read_only=true
        preallocate=false source=5 read_only=false
        remote.storage.enable=false source=5 read_only=true
        retention.bytes=-1 source=5 read_only=false log.retention.bytes=-1
        retention.ms=-1 source=1 read_only=false log.retention.hours=168
        segment.bytes=1048576 source=1 read_only=false log.segment.bytes=134217728
        segment.index.bytes=10485760 source=5 read_only=false
        segment.jitter.ms=0 source=5 read_only=false
        segment.ms=9223372036854775807 source=5 read_only=false log.roll.ms=9223372036854775807
        unclean.leader.election.enable=false source=5 read_only=false
    "#]]
    .assert_eq(&describe(&mut client, 2, "kept", None).await);
    let keys = ["broker.id", "num.partitions", "auto.create.topics.enable", "message.max.bytes"];
    expect![[r#"
        0
        auto.create.topics.enable=true source=4 read_only=true
        broker.id=1 source=5 read_only=true
        message.max.bytes=1048588 source=5 read_only=true
        num.partitions=4 source=5 read_only=true
    "#]]
    .assert_eq(&describe(&mut client, 4, "1", Some(&keys)).await);
    expect![[r#"
        42 this is broker 1, not 2
    "#]]
    .assert_eq(&describe(&mut client, 4, "2", None).await);
    expect![[r#"
        3
    "#]]
    .assert_eq(&describe(&mut client, 2, "nowhere", None).await);
    expect![[r#"
        42 resources of type 7 have no settings
    "#]]
    .assert_eq(&describe(&mut client, 7, "1", None).await);
}

#[tokio::test]
async fn the_log_subscriptions_and_groups_are_described() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let logger = describe(&mut client, 8, "1", None).await;
    assert!(
        logger.starts_with("0\nroot=") && logger.trim_end().ends_with(" source=6 read_only=true"),
        "{logger}"
    );
    assert_eq!(describe(&mut client, 8, "2", None).await.trim_end(), "42 this is broker 1, not \"2\"");
    expect![[r#"
        0
        interval.ms=300000 source=5 read_only=true
        match= source=5 read_only=true
        metrics= source=5 read_only=true
    "#]]
    .assert_eq(&describe(&mut client, 16, "mine", None).await);
    assert_eq!(describe(&mut client, 16, "", None).await.trim_end(), "42 the subscription has no name");
    expect![[r#"
        0
        consumer.heartbeat.interval.ms=5000 source=5 read_only=true
        consumer.session.timeout.ms=45000 source=5 read_only=true
    "#]]
    .assert_eq(&describe(&mut client, 32, "readers", None).await);
    assert_eq!(describe(&mut client, 32, "", None).await.trim_end(), "42 the group has no name");
}

#[tokio::test]
async fn a_topic_that_cannot_be_used_is_deleted_by_its_name() {
    let server = Server::start().await;
    server.create_topic("damaged", 2).await;
    let server = server
        .restarted_over(|dir| {
            std::fs::remove_dir_all(dir.join("topics/damaged/1")).expect("removed");
        })
        .await;
    assert!(server.broker.topic("damaged").is_none(), "it cannot be used");
    assert_eq!(server.broker.health().problems.len(), 1);
    let mut client = server.client().await;
    let named = |name| DeleteTopicState::default().with_name(Some(TopicName(text(name))));
    for code in [0, 3] {
        let request =
            DeleteTopicsRequest::default().with_topics(vec![named("damaged")]).with_timeout_ms(1000);
        let response = client.ask(&request, 6).await;
        assert_eq!(response.responses[0].error_code, code, "{response:?}");
    }
    assert_eq!(server.broker.health().problems, Vec::<String>::new());
    server.create_topic("damaged", 1).await;
}
