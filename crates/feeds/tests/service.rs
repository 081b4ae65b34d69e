//! Generators over the embedded log.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use factum_base::clock::{Clock, SharedClock, SystemClock};
use factum_base::random::Random;
use factum_base::tasks::{OnError, TaskTree};
use factum_broker::{Broker, CreateTopicError};
use factum_eventlog::{Admin, EventLog, NewTopic, TopicConfig};
use factum_feeds::{Catalogue, Feed, Handle, Options, Recipe, Service};
use factum_types::{Event, Offset, Record, Timestamp, TopicName, TopicPartition};

/// A log with topic `store.orders`, and a service over it.
async fn with_service<F: Future>(folder: &Path, work: impl FnOnce(Broker, Handle) -> F) -> F::Output {
    with_history(Duration::ZERO, folder, work).await
}

/// The same, with generators that make so much of the past first.
async fn with_history<F: Future>(
    history: Duration,
    folder: &Path,
    work: impl FnOnce(Broker, Handle) -> F,
) -> F::Output {
    let clock: SharedClock = Arc::new(SystemClock);
    let options = factum_broker::Options { data_dir: folder.to_owned(), ..Default::default() };
    let (log, broker) = factum_broker::Service::open_local(options, Arc::clone(&clock), Random::system())
        .expect("the log opens");
    let tree = TaskTree::new();
    let (below, above) = (tree.child("broker"), tree.child("domain"));
    below.spawn("log", OnError::Log, log.run(below.stop(), below.clone()));
    let new = NewTopic { name: topic(), partitions: Some(4), config: TopicConfig::default() };
    if let Err(error) = broker.create_topic(new).await {
        assert!(matches!(error, CreateTopicError::Exists { .. }), "{error}");
    }
    let options = Options { history, ..Options::default() };
    let (service, handle) =
        Service::new(&options, Arc::new(broker.clone()), clock, Random::system(), above.clone());
    above.spawn("feeds", OnError::Log, service.run(above.stop()));
    let result = work(broker, handle).await;
    assert!(above.stop_within(Duration::from_secs(20)).await.is_empty(), "generators stop when told");
    assert!(below.stop_within(Duration::from_secs(20)).await.is_empty());
    result
}

fn topic() -> TopicName {
    TopicName::new("store.orders").expect("valid")
}

fn feed(rate: f64) -> Feed {
    let catalogue = Catalogue::from_csv(b"ItemId,UnitPrice,Popularity\n1,2.50,9\n2,3.99,1\n").expect("rows");
    let (catalogue, regions) = (Arc::new(catalogue), vec!["north".to_owned()]);
    Feed {
        name: "store.orders".to_owned(),
        into: topic(),
        rate,
        recipe: Recipe { catalogue, seed: 7, customers: 20, regions },
        event_type: "contoso.store.orders".to_owned(),
        source: "/contoso/store".to_owned(),
        key: Some("Email".to_owned()),
    }
}

/// Everything in the topic, once there are `count` records or more.
async fn read(log: &Broker, count: usize) -> Vec<(i32, Record)> {
    let mut found = Vec::new();
    let mut next = [Offset::new(0); 4];
    while found.len() < count {
        for partition in 0..4 {
            let place = TopicPartition::new(topic(), partition);
            let from = next[usize::try_from(partition).expect("small")];
            let chunk = log.read(&place, from, 1 << 20, Duration::from_millis(50)).await.expect("readable");
            next[usize::try_from(partition).expect("small")] = chunk.next;
            found.extend(chunk.records.into_iter().map(|record| (partition, record)));
        }
    }
    found
}

async fn stored(log: &Broker) -> i64 {
    let topic = Admin::topic(log, &topic()).await.expect("the topic is there");
    topic.partitions.iter().map(|partition| partition.high_watermark.get()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_feeds_run() {
    let folder = tempfile::tempdir().expect("a folder");
    with_service(folder.path(), async |log, feeds| {
        feeds.set(vec![feed(2_000.0)]);
        let records = read(&log, 1_000).await;
        let mut homes: BTreeMap<Vec<u8>, i32> = BTreeMap::new();
        for (partition, record) in &records {
            let event = Event::from_kafka(&record.headers, record.value.clone())
                .expect("a CloudEvent")
                .expect("a good one");
            assert_eq!(event.kind, "contoso.store.orders");
            let order: serde_json::Value = serde_json::from_slice(&event.data.expect("data")).expect("JSON");
            let key = record.key.as_deref().expect("a key");
            assert_eq!(order["Email"].as_str().map(str::as_bytes), Some(key));
            let placed: jiff::Timestamp = order["OrderDate"].as_str().expect("text").parse().expect("a time");
            let age = record.timestamp.as_millis() - placed.as_millisecond();
            assert!((-5..60_000).contains(&age), "placed {age} ms before it was stored");
            assert_eq!(
                *homes.entry(key.to_vec()).or_insert(*partition),
                *partition,
                "a customer stays in order"
            );
        }
        assert_eq!(homes.len(), 20, "twenty customers");

        // The same again changes nothing; none at all ends it.
        feeds.set(vec![feed(2_000.0)]);
        assert_eq!(feeds.names(), ["store.orders"]);
        feeds.set(Vec::new());
        let mut before = stored(&log).await;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = stored(&log).await;
            if now == before {
                break;
            }
            before = now;
        }

        // A changed one starts over.
        feeds.set(vec![feed(500.0)]);
        read(&log, usize::try_from(before).expect("positive") + 100).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_comes_later_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    with_service(folder.path(), async |log, feeds| {
        log.delete_topic(&topic()).await.expect("it was there");
        feeds.set(vec![feed(200.0)]);
        tokio::task::yield_now().await;
        let new = NewTopic { name: topic(), partitions: Some(4), config: TopicConfig::default() };
        log.create_topic(new).await.expect("a topic");
        let records = read(&log, 50).await;
        assert!(records.iter().all(|(_, record)| record.timestamp > Timestamp::NONE));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_topic_gets_its_past_once() {
    let folder = tempfile::tempdir().expect("a folder");
    const HOUR: Duration = Duration::from_secs(3_600);
    let made = with_history(HOUR, folder.path(), async |log, handle| {
        handle.set(vec![feed(1.0)]);
        let found = read(&log, 500).await;
        let earliest = found.iter().filter_map(|(_, record)| time(record)).min().expect("an order");
        let ago = SystemClock.now().as_millis() - earliest.as_millis();
        assert!((3_000_000..4_000_000).contains(&ago), "{ago} ms ago");
        found.len()
    })
    .await;
    with_history(HOUR, folder.path(), async |log, handle| {
        let before = read(&log, made).await.len();
        handle.set(vec![feed(1.0)]);
        let after = read(&log, before + 1).await.len();
        assert!(after < before + 100, "{after} after {before}: the past was made again");
    })
    .await;
}

/// When the order was placed.
fn time(record: &Record) -> Option<Timestamp> {
    let order: serde_json::Value = serde_json::from_slice(record.value.as_ref()?).ok()?;
    let placed: jiff::Timestamp = order["OrderDate"].as_str()?.parse().ok()?;
    Some(Timestamp::from_millis(placed.as_millisecond()))
}
