//! Topics with Kafka's ordinary settings, and what the settings do.

use std::time::Duration;

use bytes::Bytes;
use factum_types::{BatchBuilder, BatchHeader, Compression, Timestamp};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::{CreateTopicsRequest, TopicName};

use crate::client::{Client, batch, text, values};
use crate::fetching::fetch;
use crate::producing::{outcome, produce};
use crate::server::Server;

/// Makes topic `orders`; gives the error and its words.
async fn create(client: &mut Client, settings: &[(&str, &str)]) -> (i16, String) {
    let configs = settings.iter().map(|(name, value)| {
        CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
    });
    let topic = CreatableTopic::default()
        .with_name(TopicName(text("orders")))
        .with_num_partitions(1)
        .with_replication_factor(1)
        .with_configs(configs.collect());
    let response = client.ask(&CreateTopicsRequest::default().with_topics(vec![topic]), 7).await;
    let made = &response.topics[0];
    (made.error_code, made.error_message.as_ref().map(|words| words.to_string()).unwrap_or_default())
}

/// The error of a produce and the time that the broker says the records have.
async fn send(client: &mut Client, records: Bytes) -> (i16, i64) {
    let response = client.ask(&produce("orders", 0, -1, Some(records)), 9).await;
    (outcome(&response).error_code, outcome(&response).log_append_time_ms)
}

async fn fetched(client: &mut Client) -> Bytes {
    let response = client.ask(&fetch("orders", 0, Duration::ZERO), 12).await;
    response.responses[0].partitions[0].records.clone().expect("records")
}

fn packed(compression: Compression, producer: i64) -> Bytes {
    let mut builder = BatchBuilder::new().producer(producer, 0, 0);
    for value in ["one", "two", "three"] {
        builder.push(Timestamp::from_millis(1_700_000_000_000), None, Some(value.as_bytes()), &[]);
    }
    builder.compression(compression).build().freeze()
}

fn dated(timestamp: i64) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp::from_millis(timestamp), None, Some(b"dated"), &[]);
    builder.build().freeze()
}

#[tokio::test]
async fn the_usual_settings_of_provisioning_tools_are_taken() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let settings = [
        ("cleanup.policy", "compact,delete"),
        ("min.cleanable.dirty.ratio", "0.1"),
        ("compression.type", "gzip"),
        ("segment.ms", "3600000"),
        ("flush.ms", "1000"),
        ("flush.messages", "10000"),
        ("delete.retention.ms", "86400000"),
        ("message.timestamp.type", "LogAppendTime"),
        ("min.insync.replicas", "1"),
        ("unclean.leader.election.enable", "false"),
        ("preallocate", "false"),
        ("index.interval.bytes", "4096"),
    ];
    assert_eq!(create(&mut client, &settings).await, (0, String::new()));
}

#[tokio::test]
async fn settings_that_one_node_cannot_keep_are_refused_with_the_reason() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for (name, value, words) in [
        ("min.insync.replicas", "2", "there is one replica"),
        ("remote.storage.enable", "true", "there is no remote storage"),
    ] {
        let (code, said) = create(&mut client, &[(name, value)]).await;
        assert_eq!(code, 40, "{name}");
        assert!(said.contains(name) && said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn batches_are_compressed_as_the_topic_says() {
    for (wanted, expected) in [
        ("producer", None),
        ("uncompressed", Some(Compression::None)),
        ("gzip", Some(Compression::Gzip)),
        ("snappy", Some(Compression::Snappy)),
        ("lz4", Some(Compression::Lz4)),
        ("zstd", Some(Compression::Zstd)),
    ] {
        for sent in Compression::ALL {
            let server = Server::start().await;
            let mut client = server.client().await;
            create(&mut client, &[("compression.type", wanted)]).await;
            let (producer, _) = server.broker.allocate_producer_id().await.expect("an id");
            assert_eq!(send(&mut client, packed(sent, producer)).await, (0, -1), "{sent:?} to {wanted}");
            let records = fetched(&mut client).await;
            let header = BatchHeader::check(&records).expect("a whole batch, its checksum right");
            assert_eq!(header.compression(), Ok(expected.unwrap_or(sent)), "{sent:?} to {wanted}");
            assert_eq!((header.producer_id, header.base_sequence, header.record_count), (producer, 0, 3));
            assert_eq!(values(records), ["one", "two", "three"], "{sent:?} to {wanted}");
            assert_eq!(
                send(&mut client, packed(sent, producer)).await,
                (0, -1),
                "a repetition is known as one"
            );
            assert_eq!(fetched(&mut client).await.len(), header.encoded_len());
        }
    }
}

#[tokio::test]
async fn records_get_the_time_of_their_append() {
    let server = Server::start().await;
    let mut client = server.client().await;
    create(&mut client, &[("message.timestamp.type", "LogAppendTime")]).await;
    // The producer's time is a thousand years ahead, and does not matter.
    let (code, time) = send(&mut client, dated(40_000_000_000_000)).await;
    assert_eq!(code, 0);
    let records = fetched(&mut client).await;
    let header = BatchHeader::check(&records).expect("a whole batch, its checksum right");
    assert!(header.is_log_append_time());
    let record = &factum_types::record::decode(&records, 1 << 20).expect("records")[0];
    assert_eq!((record.timestamp.as_millis(), header.max_timestamp.as_millis()), (time, time));
    assert!((1_700_000_000_000..40_000_000_000_000).contains(&time), "{time} is the broker's");
}

#[tokio::test]
async fn timestamps_are_within_what_the_topic_allows() {
    const FAR: i64 = 40_000_000_000_000;
    for (settings, timestamp, expected) in [
        (&[][..], FAR, 32),
        (&[][..], 1_000, 0),
        (&[("message.timestamp.after.max.ms", "9223372036854775807")][..], FAR, 0),
        (&[("message.timestamp.before.max.ms", "60000")][..], 1_000, 32),
        (&[("message.timestamp.before.max.ms", "60000")][..], -1, 0),
    ] {
        let server = Server::start().await;
        let mut client = server.client().await;
        assert_eq!(create(&mut client, settings).await.0, 0);
        assert_eq!(send(&mut client, dated(timestamp)).await.0, expected, "{settings:?} {timestamp}");
    }
}

#[tokio::test]
async fn recompressed_batches_must_still_fit_the_topic() {
    let server = Server::start().await;
    let mut client = server.client().await;
    create(&mut client, &[("compression.type", "uncompressed"), ("max.message.bytes", "2000")]).await;
    let mut builder = BatchBuilder::new();
    builder.push(Timestamp::from_millis(1), None, Some(&[b'x'; 5_000]), &[]);
    let small = builder.compression(Compression::Gzip).build().freeze();
    assert!(small.len() < 2_000);
    assert_eq!(send(&mut client, small).await.0, 10);
    assert_eq!(send(&mut client, batch(&["a"])).await.0, 0);
}
