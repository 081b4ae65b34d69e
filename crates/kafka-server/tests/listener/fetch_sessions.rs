//! Fetch sessions (KIP-227): a client names what changed, and is told what changed.

use std::sync::Arc;
use std::time::Duration;

use factum_kafka_server::Options;
use factum_types::ByteSize;
use factum_types::auth::AllowAll;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::fetch_response::FetchResponse;
use kafka_protocol::messages::{BrokerId, FetchRequest, TopicName};
use uuid::Uuid;

use crate::client::{Client, batch, frame, name_of, text, values};
use crate::producing::produce;
use crate::server::Server;

/// Reads `partitions` of `orders` from these offsets, in a session.
fn fetch(session: (i32, i32), partitions: &[(i32, i64)]) -> FetchRequest {
    let partition = |(number, from): &(i32, i64)| {
        FetchPartition::default()
            .with_partition(*number)
            .with_fetch_offset(*from)
            .with_partition_max_bytes(1 << 20)
    };
    let topic = FetchTopic::default()
        .with_topic(TopicName(text("orders")))
        .with_partitions(partitions.iter().map(partition).collect());
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(20)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_session_id(session.0)
        .with_session_epoch(session.1)
        .with_topics(if partitions.is_empty() { Vec::new() } else { vec![topic] })
}

fn forgetting(request: FetchRequest, partitions: &[i32]) -> FetchRequest {
    let topic =
        ForgottenTopic::default().with_topic(TopicName(text("orders"))).with_partitions(partitions.to_vec());
    request.with_forgotten_topics_data(vec![topic])
}

/// Each partition in the answer with its records.
fn shown(response: &FetchResponse) -> String {
    if response.error_code != 0 {
        assert_eq!(response.session_id, 0);
        return name_of(response.error_code).to_owned();
    }
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions).map(|partition| {
        let records = partition.records.clone().map(values).unwrap_or_default().join("");
        match partition.error_code {
            0 => format!("{}:{records}", partition.partition_index),
            code => format!("{}:{}", partition.partition_index, name_of(code)),
        }
    });
    partitions.collect::<Vec<_>>().join(" ")
}

async fn write(client: &mut Client, partition: i32, value: &str) {
    let response = client.ask(&produce("orders", partition, -1, Some(batch(&[value]))), 9).await;
    assert_eq!(crate::producing::outcome(&response).error_code, 0);
}

#[tokio::test]
async fn a_session_names_and_is_told_what_changed() {
    let server = Server::start().await;
    server.create_topic("orders", 3).await;
    let (mut client, mut writer) = (server.client().await, server.client().await);
    write(&mut writer, 0, "a").await;
    let begun = client.ask(&fetch((0, 0), &[(0, 0), (1, 0), (2, 0)]), 12).await;
    assert_eq!(shown(&begun), "0:a 1: 2:", "the first answer has all");
    let id = begun.session_id;
    assert!(id > 0);
    let mut ask = async |epoch: i32, partitions: &[(i32, i64)]| {
        let response = client.ask(&fetch((id, epoch), partitions), 12).await;
        (response.session_id, shown(&response))
    };
    assert_eq!(ask(1, &[(0, 1)]).await, (id, String::new()), "nothing has changed");
    write(&mut writer, 2, "b").await;
    assert_eq!(ask(2, &[]).await, (id, "2:b".to_owned()));
    assert_eq!(ask(3, &[]).await, (id, "2:b".to_owned()), "until the client says that it has it");
    write(&mut writer, 0, "c").await;
    assert_eq!(ask(4, &[]).await, (id, "0:c 2:b".to_owned()), "those that gave records go last");
    assert_eq!(ask(5, &[(2, 1), (0, 2)]).await, (id, String::new()));
    // An offset out of range is told each time.
    assert_eq!(ask(6, &[(1, 9)]).await, (id, "1:OFFSET_OUT_OF_RANGE".to_owned()));
    assert_eq!(ask(7, &[]).await, (id, "1:OFFSET_OUT_OF_RANGE".to_owned()));
    assert_eq!(ask(8, &[(1, 0)]).await, (id, "1:".to_owned()), "and that it is none any more");
    assert_eq!(ask(9, &[]).await, (id, String::new()));
    // Records that were deleted are news too.
    let partition = Arc::clone(&server.broker.topic("orders").expect("there").partitions()[0]);
    let end = partition.bounds().high_watermark;
    server.broker.delete_records(&partition, end).await.expect("deleted");
    assert_eq!(ask(10, &[]).await, (id, "0:".to_owned()));
}

#[tokio::test]
async fn sessions_have_epochs_and_end() {
    let server = Server::start().await;
    server.create_topic("orders", 2).await;
    let mut client = server.client().await;
    let begin =
        async |client: &mut Client| client.ask(&fetch((0, 0), &[(0, 0), (1, 0)]), 12).await.session_id;
    let id = begin(&mut client).await;
    let ask = async |client: &mut Client, request: FetchRequest, version| {
        shown(&client.ask(&request, version).await)
    };
    for epoch in [2, -2, 7] {
        let told = ask(&mut client, fetch((id, epoch), &[]), 12).await;
        assert_eq!(told, "INVALID_FETCH_SESSION_EPOCH", "epoch {epoch}");
    }
    assert_eq!(ask(&mut client, fetch((id, 1), &[]), 12).await, "");
    assert_eq!(ask(&mut client, fetch((id, 1), &[]), 12).await, "INVALID_FETCH_SESSION_EPOCH");
    assert_eq!(ask(&mut client, fetch((id, 2), &[]), 13).await, "FETCH_SESSION_TOPIC_ID_ERROR");
    assert_eq!(ask(&mut client, fetch((id + 1, 1), &[]), 12).await, "FETCH_SESSION_ID_NOT_FOUND");
    // Partitions leave, and with the last one the session ends.
    assert_eq!(ask(&mut client, forgetting(fetch((id, 2), &[]), &[0]), 12).await, "");
    let last = client.ask(&forgetting(fetch((id, 3), &[]), &[1]), 12).await;
    assert_eq!((last.session_id, shown(&last)), (0, String::new()));
    assert_eq!(ask(&mut client, fetch((id, 4), &[]), 12).await, "FETCH_SESSION_ID_NOT_FOUND");
    // A full request closes the session that it names, with another or with none in its place.
    let (first, epoch) = (begin(&mut client).await, 1);
    let second = client.ask(&fetch((first, 0), &[(0, 0)]), 12).await.session_id;
    assert!(second > 0 && second != first);
    assert_eq!(ask(&mut client, fetch((first, epoch), &[]), 12).await, "FETCH_SESSION_ID_NOT_FOUND");
    let none = client.ask(&fetch((second, -1), &[(0, 0)]), 12).await;
    assert_eq!((none.session_id, shown(&none)), (0, "0:".to_owned()));
    assert_eq!(ask(&mut client, fetch((second, epoch), &[]), 12).await, "FETCH_SESSION_ID_NOT_FOUND");
}

#[tokio::test]
async fn sessions_go_by_topic_ids_from_version_thirteen() {
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    let by_id = |request: FetchRequest, id: Uuid| {
        let topics = request.topics.clone().into_iter();
        let topics = topics.map(|topic| topic.with_topic(TopicName::default()).with_topic_id(id));
        request.with_topics(topics.collect())
    };
    let (mut client, mut writer) = (server.client().await, server.client().await);
    let id = server.broker.topic("orders").expect("there").id().uuid();
    let begun = client.ask(&by_id(fetch((0, 0), &[(0, 0)]), id), 18).await;
    assert_eq!(shown(&begun), "0:");
    write(&mut writer, 0, "a").await;
    let read = client.ask(&fetch((begun.session_id, 1), &[]), 18).await;
    assert_eq!((shown(&read), read.responses[0].topic_id), ("0:a".to_owned(), id));
    // Another topic of the same name is another topic.
    server.broker.delete_topic(&"orders".parse().expect("a name")).await.expect("deleted");
    server.create_topic("orders", 1).await;
    let gone = client.ask(&fetch((begun.session_id, 2), &[]), 18).await;
    assert_eq!(shown(&gone), "0:UNKNOWN_TOPIC_ID");
}

#[tokio::test]
async fn clients_beyond_the_limits_are_served_without_a_session() {
    let options = Options { max_fetch_sessions: 2, ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    server.create_topic("orders", 20).await;
    let mut client = server.client().await;
    let first = client.ask(&fetch((0, 0), &[(0, 0)]), 12).await;
    let second = client.ask(&fetch((0, 0), &[(0, 0)]), 12).await;
    assert!(first.session_id > 0, "an address has half of two");
    assert_eq!((second.session_id, shown(&second)), (0, "0:".to_owned()));
    let options = Options { max_fetch_session_bytes: ByteSize(4_000), ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    server.create_topic("orders", 20).await;
    let mut client = server.client().await;
    let few = client.ask(&fetch((0, 0), &[(0, 0)]), 12).await;
    assert!(few.session_id > 0);
    let all: Vec<_> = (0..20).map(|partition| (partition, 0)).collect();
    let grown = client.ask(&fetch((few.session_id, 1), &all), 12).await;
    assert_eq!(shown(&grown), "FETCH_SESSION_ID_NOT_FOUND", "the client begins again");
    let many = client.ask(&fetch((0, 0), &all), 12).await;
    assert_eq!((many.session_id, many.responses[0].partitions.len()), (0, 20), "without a session");
}

/// What a session saves a client of 1,000 partitions, of which one gives records.
#[tokio::test]
async fn a_thousand_partitions_take_few_bytes() {
    let server = Server::start().await;
    server.create_topic("orders", 1_000).await;
    let (mut client, mut writer) = (server.client().await, server.client().await);
    let all: Vec<_> = (0..1_000).map(|partition| (partition, 0)).collect();
    let mut measure = async |request: FetchRequest| {
        let asked = frame(&request, 12, 1);
        client.send_raw(&asked).await;
        let answered = tokio::time::timeout(Duration::from_secs(20), client.receive_frame()).await;
        let answered = answered.expect("in time").expect("an answer");
        let (_, response) = crate::client::parse::<FetchRequest>(answered.clone(), 12);
        (asked.len(), answered.len() + 4, response)
    };
    let (asked, answered, begun) = measure(fetch((0, 0), &all)).await;
    assert!(asked > 30_000 && answered > 30_000, "{asked} and {answered} bytes");
    write(&mut writer, 700, "a").await;
    let (asked, answered, read) = measure(fetch((begun.session_id, 1), &[])).await;
    assert_eq!(shown(&read), "700:a");
    assert!(asked < 100 && answered < 300, "{asked} and {answered} bytes");
}
