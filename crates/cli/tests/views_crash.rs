//! The server is killed a hundred times while orders flow, and loses its power some times; after each, every view must
//! equal a recount of the topic.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use factum_testkit::{FactumProcess, Launch, PowerCut};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use support::BINARY;
use support::recount::{Catalogue, Recount};
use tokio::task::JoinSet;

const KILLS: usize = 100;
const CUTS: usize = 6;
const TOPIC: &str = "store.orders";
const VIEWS: [&str; 5] =
    ["top_movies", "popular_categories", "orders_this_hour", "activity_today", "orders_per_minute"];
/// Far beyond what a step takes; a hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_view_equals_a_recount_after_each_kill() {
    let (project, data) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let tables = support::movies(project.path());
    let launch = Launch::new(BINARY).project(project.path());
    kill_and_recount(launch.data_dir(data.path()).start(), &tables, KILLS, None).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_view_equals_a_recount_after_each_power_cut() {
    let (project, power) = (tempfile::tempdir().expect("a folder"), Arc::new(PowerCut::new()));
    let tables = support::movies(project.path());
    let launch = Launch::new(BINARY).project(project.path());
    kill_and_recount(power.of(launch).start(), &tables, CUTS, Some(power)).await;
}

async fn kill_and_recount(
    mut factum: FactumProcess,
    tables: &Path,
    kills: usize,
    power: Option<Arc<PowerCut>>,
) {
    let catalogue = Catalogue::read(tables);
    let load = Load::start(&factum.http(), catalogue.films());
    for kill in 0..kills {
        load.flow();
        // Sometimes at once, also while the views are still catching up; sometimes deep in the flow.
        load.acknowledge([0, 1, 20, 150][kill % 4]).await;
        tokio::time::sleep(Duration::from_micros(random() % 20_000)).await;
        let power = power.clone();
        factum = tokio::task::spawn_blocking(move || {
            factum.kill();
            if let Some(power) = power {
                power.cut();
            }
            factum.restart();
            factum
        })
        .await
        .expect("the server comes back");
        load.acknowledge(10).await;
        load.pause().await;
        compare(&factum, &catalogue, kill).await;
    }
    let orders = read_back(&factum.kafka(), &catalogue).orders;
    assert!(orders > kills * 20, "only {orders} orders: the load did not flow");
}

/// Waits until the views have taken in everything, then compares each with a recount of the topic.
async fn compare(factum: &FactumProcess, catalogue: &Catalogue, kill: usize) {
    let http = factum.http();
    let kafka = factum.kafka();
    let (recount, ends) = tokio::task::block_in_place(|| (read_back(&kafka, catalogue), ends(&kafka)));
    for view in VIEWS {
        settle(&http, view, &ends).await;
    }
    let read = async |view: &str| get(&http, &format!("/api/v1/views/store.{view}")).await;
    let rows = |answer: &Value| answer["rows"].as_array().expect("rows").clone();
    let now = |answer: &Value| answer["as_of"].as_str().and_then(|at| at.parse().ok()).expect("a time");
    assert_eq!(rows(&read("top_movies").await), recount.top_movies(catalogue), "kill {kill}");
    assert_eq!(rows(&read("popular_categories").await), recount.popular_categories(), "kill {kill}");
    assert_eq!(rows(&read("orders_per_minute").await), recount.orders_per_minute(), "kill {kill}");
    let hour = read("orders_this_hour").await;
    assert_eq!(rows(&hour), [recount.orders_this_hour(now(&hour))], "kill {kill}");
    let day = read("activity_today").await;
    assert_eq!(rows(&day), [recount.activity_today(now(&day))], "kill {kill}");
}

/// Waits until a view stands at the end of each partition.
async fn settle(http: &str, view: &str, ends: &[i64]) {
    let settled = async {
        loop {
            let pipeline = get(http, &format!("/api/v1/pipelines/store.{view}")).await;
            let partitions = pipeline["partitions"].as_array().cloned().unwrap_or_default();
            let mut next = vec![-1; ends.len()];
            for at in &partitions {
                let index = usize::try_from(at["partition"].as_i64().expect("a number")).expect("an index");
                next[index] = at["next"].as_str().and_then(|next| next.parse().ok()).expect("an offset");
            }
            if pipeline["state"] == "live" && next == ends {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, settled).await;
    assert!(
        in_time.is_ok(),
        "{view} stays behind: {}",
        get(http, &format!("/api/v1/pipelines/store.{view}")).await
    );
}

async fn get(http: &str, path: &str) -> Value {
    let answer = reqwest::get(format!("{http}{path}")).await.expect("an answer");
    serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
}

/// Orders posted one by one over a few connections, until paused.
struct Load {
    acknowledged: Arc<AtomicU64>,
    flows: Arc<AtomicBool>,
    resting: Arc<AtomicU64>,
    /// They end with the load.
    posters: JoinSet<()>,
}

const POSTERS: u64 = 4;

impl Load {
    fn start(http: &str, films: Vec<i64>) -> Self {
        let mut load = Self {
            acknowledged: Arc::default(),
            flows: Arc::new(AtomicBool::new(true)),
            resting: Arc::default(),
            posters: JoinSet::new(),
        };
        let films: Arc<[i64]> = films.into();
        for _ in 0..POSTERS {
            let url = format!("{http}/events/{TOPIC}");
            load.posters.spawn(post(
                url,
                Arc::clone(&films),
                Arc::clone(&load.acknowledged),
                Arc::clone(&load.flows),
                Arc::clone(&load.resting),
            ));
        }
        load
    }

    fn flow(&self) {
        self.flows.store(true, Ordering::SeqCst);
    }

    /// Waits until no poster has an order on its way.
    async fn pause(&self) {
        self.flows.store(false, Ordering::SeqCst);
        self.wait(|load| load.resting.load(Ordering::SeqCst) == POSTERS).await;
    }

    /// Waits until so many more orders are acknowledged.
    async fn acknowledge(&self, more: u64) {
        let so_far = self.acknowledged.load(Ordering::SeqCst);
        self.wait(|load| load.acknowledged.load(Ordering::SeqCst) >= so_far + more).await;
    }

    async fn wait(&self, holds: impl Fn(&Self) -> bool) {
        let held = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, held).await.expect("orders are acknowledged");
    }
}

/// An order whose answer does not come is not sent again: the recount tells whether it is there.
async fn post(
    url: String,
    films: Arc<[i64]>,
    acknowledged: Arc<AtomicU64>,
    flows: Arc<AtomicBool>,
    resting: Arc<AtomicU64>,
) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    loop {
        if !flows.load(Ordering::SeqCst) {
            resting.fetch_add(1, Ordering::SeqCst);
            while !flows.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            resting.fetch_sub(1, Ordering::SeqCst);
        }
        let request =
            client.post(&url).header("content-type", "application/json").body(order(&films).to_string());
        match request.send().await {
            Ok(answer) if answer.status() == 202 => drop(acknowledged.fetch_add(1, Ordering::SeqCst)),
            Ok(answer) => panic!("{}: {:?}", answer.status(), answer.text().await),
            Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

fn order(films: &[i64]) -> Value {
    let mut total = 0;
    let email = format!("customer{}@example.com", random() % 50);
    let lines: Vec<_> = (0..1 + random() % 3)
        .map(|_| {
            let film = films[(random() % films.len() as u64) as usize];
            let (quantity, cents) = (1 + random() % 3, 499 + random() % 1_500);
            total += quantity * cents;
            json!({"Email": email, "ProductId": film, "Quantity": quantity, "UnitPrice": amount(cents)})
        })
        .collect();
    let now = jiff::Timestamp::from_millisecond(now_millis() - (random() % 300_000) as i64).expect("a time");
    json!({"Region": "Region1", "OrderDate": format!("{now:.3}"), "Email": email, "Total": amount(total), "Details": lines})
}

fn amount(cents: u64) -> Value {
    serde_json::from_str(&format!("{}.{:02}", cents / 100, cents % 100)).expect("a number")
}

fn now_millis() -> i64 {
    use factum_base::clock::Clock;
    factum_base::clock::SystemClock.now().as_millis()
}

fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

fn consumer(address: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", "recount")
        .set("enable.auto.commit", "false")
        .create()
        .expect("a consumer")
}

/// Where each partition ends.
fn ends(address: &str) -> Vec<i64> {
    let consumer = consumer(address);
    let metadata = consumer.fetch_metadata(Some(TOPIC), PATIENCE).expect("metadata");
    let partitions = metadata.topics()[0].partitions().iter().map(|partition| partition.id());
    let end = |partition| consumer.fetch_watermarks(TOPIC, partition, PATIENCE).expect("watermarks").1;
    partitions.map(end).collect()
}

/// Recounts the whole topic, read by a client that knows nothing of what came before.
fn read_back(address: &str, catalogue: &Catalogue) -> Recount {
    let (consumer, ends) = (consumer(address), ends(address));
    let mut assignment = TopicPartitionList::new();
    for partition in 0..ends.len() {
        let partition = i32::try_from(partition).expect("a few partitions");
        assignment.add_partition_offset(TOPIC, partition, Offset::Beginning).expect("a valid offset");
    }
    consumer.assign(&assignment).expect("assigned");
    let mut recount = Recount::default();
    while (recount.orders as i64) < ends.iter().sum() {
        let message = consumer.poll(PATIENCE).expect("a record in time").expect("a record");
        recount.add(message.payload().expect("a value"), catalogue);
    }
    recount
}
