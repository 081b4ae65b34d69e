//! A small disk that fills up under a running server: seen before it is full, refused with words, over by itself.
//!
//! The disk is a tmpfs of 64 MiB, so the test runs as root.
#![cfg(target_os = "linux")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use factum_testkit::{FactumProcess, Launch};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use support::{BINARY, Shell};

const DISK: u64 = 64 << 20;
const EVENT_BYTES: usize = 256 << 10;

struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(folder.path()).status();
        assert!(mounted.expect("mount is there").success(), "this test mounts a small disk: run it as root");
        Self(folder)
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.0.path()).status().ok();
    }
}

struct Caller {
    http: Client,
    base: String,
}

impl Caller {
    fn of(factum: &FactumProcess) -> Self {
        Self { http: Client::builder().no_proxy().build().expect("a client"), base: factum.http() }
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> (StatusCode, String) {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let request = request.header("content-type", "application/json").body(body.to_owned());
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("a body"))
    }

    async fn post(&self, topic: &str, body: &str) -> StatusCode {
        self.call(Method::POST, &format!("/events/{topic}"), body).await.0
    }

    /// What `/health/ready` says of the machine, and its status.
    async fn machine(&self) -> (StatusCode, Vec<String>) {
        let (status, body) = self.call(Method::GET, "/health/ready", "").await;
        let body: Value = serde_json::from_str(&body).expect("JSON");
        let roles = body["roles"].as_array().expect("roles");
        let role = roles.iter().find(|role| role["role"] == "machine").expect("a role");
        let problems = role["problems"].as_array().expect("problems");
        (status, problems.iter().map(|problem| problem.as_str().expect("text").to_owned()).collect())
    }

    async fn gauge(&self, name: &str) -> u64 {
        let (_, metrics) = self.call(Method::GET, "/metrics", "").await;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.expect("a gauge").parse::<f64>().expect("a number") as u64
    }
}

fn event(bytes: usize) -> String {
    format!(r#"{{"text":"{}"}}"#, "x".repeat(bytes))
}

/// Posts until an event is refused; how many were taken.
async fn fill(caller: &Caller) -> usize {
    let event = event(EVENT_BYTES);
    for taken in 0..usize::try_from(DISK).expect("small") / EVENT_BYTES {
        match caller.post("shop.fill", &event).await {
            StatusCode::ACCEPTED => {}
            StatusCode::SERVICE_UNAVAILABLE => return taken,
            other => panic!("event {taken} was answered with {other}"),
        }
    }
    panic!("more was taken than the disk holds");
}

/// A Kafka client's record, given up after two seconds.
fn produce_by_kafka(address: &str) -> bool {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("message.timeout.ms", "2000")
        .create()
        .expect("a producer");
    producer.send(BaseRecord::<(), str>::to("shop.fill").payload("x")).expect("queued");
    producer.flush(Duration::from_secs(20)).expect("it ends");
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", "after")
        .create()
        .expect("a consumer");
    let before = consumer.fetch_watermarks("shop.fill", 0, Duration::from_secs(20)).expect("bounds").1;
    let last = read(&consumer, before - 1);
    last == b"x"
}

fn read(consumer: &BaseConsumer, offset: i64) -> Vec<u8> {
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset("shop.fill", 0, Offset::Offset(offset)).expect("valid");
    consumer.assign(&assignment).expect("assigned");
    let record = consumer.poll(Duration::from_secs(20)).expect("a record in time").expect("a record");
    rdkafka::Message::payload(&record).expect("a value").to_vec()
}

/// A group's offset, committed and synced.
fn commit(address: &str) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", "readers")
        .create()
        .expect("a consumer");
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset("shop.fill", 0, Offset::Offset(3)).expect("valid");
    consumer.commit(&offsets, CommitMode::Sync).expect("offsets are kept on a full disk too");
}

async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come true within 20 seconds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_seen_refuses_records_and_ends_by_itself() {
    let disk = SmallDisk::new();
    let mut factum = FactumProcess::start(BINARY, &disk.data());
    let caller = Caller::of(&factum);
    let topic = r#"{"name":"shop.fill","partitions":1}"#;
    assert_eq!(caller.call(Method::POST, "/api/v1/topics", topic).await.0, StatusCode::CREATED);
    assert!(caller.machine().await.1.is_empty());
    assert!(caller.gauge("factum_disk_size_bytes").await == DISK);

    let taken = fill(&caller).await;
    assert!(taken > 20, "only {taken} were taken");
    let is_full =
        |problems: &[String]| problems.len() == 1 && problems[0].contains("is full: records are refused");
    until("the problem of a full disk", async || is_full(&caller.machine().await.1)).await;
    assert_eq!(caller.machine().await.0, StatusCode::OK, "readers and administrators are let in");
    assert!(caller.gauge("factum_disk_free_bytes").await > 0, "something is kept back");
    let said = factum.stderr();
    assert_eq!(said.matches("the disk is full").count(), 1, "{said}");

    // Kafka is refused like HTTP; reading, offsets and a restart go on.
    let kafka = factum.kafka();
    tokio::task::block_in_place(|| {
        assert!(!produce_by_kafka(&kafka), "a record was taken by Kafka");
        commit(&kafka);
    });
    factum.kill();
    factum.restart();
    let caller = Caller::of(&factum);
    until("the problem after a restart", async || !caller.machine().await.1.is_empty()).await;
    assert_eq!(caller.post("shop.fill", &event(EVENT_BYTES)).await, StatusCode::SERVICE_UNAVAILABLE);
    let (status, records) = caller.call(Method::GET, "/api/v1/topics/shop.fill/records?limit=1", "").await;
    assert_eq!(status, StatusCode::OK, "{records}");

    // Room is made through the server itself, and producing goes on.
    let other = r#"{"name":"shop.later","partitions":1}"#;
    assert_eq!(caller.call(Method::POST, "/api/v1/topics", other).await.0, StatusCode::CREATED);
    let (status, answer) = caller.call(Method::DELETE, "/api/v1/topics/shop.fill", "").await;
    assert!(status.is_success(), "{answer}");
    until("taking records again", async || {
        caller.post("shop.later", &event(10)).await == StatusCode::ACCEPTED
    })
    .await;
    until("no problem", async || caller.machine().await.1.is_empty()).await;
    assert!(factum.stop().success());
}

/// The limit of a file's size (`ulimit -f`, LimitFSIZE) sends a signal that ends a process which does not expect it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_file_size_refuses_records_as_a_full_disk_does() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    // In blocks of 512 bytes.
    let mut factum = Launch::new(limited(folder.path(), "-f 1024")).data_dir(&data).start();
    let caller = Caller::of(&factum);
    let topic = r#"{"name":"shop.fill","partitions":1}"#;
    assert_eq!(caller.call(Method::POST, "/api/v1/topics", topic).await.0, StatusCode::CREATED);
    // Told before a partition has met it, and by the doctor.
    let (status, problems) = caller.machine().await;
    assert_eq!(status, StatusCode::OK);
    assert!(problems.iter().any(|problem| problem.contains("a file has at most 512.0 KiB")), "{problems:?}");
    let doctor = Shell::of(&factum).output("doctor -o csv", "");
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("a file has at most 512.0 KiB"), "{said}");
    let taken = fill(&caller).await;
    assert_eq!(taken, 1, "half a mebibyte holds one event");

    // What was taken is there, and the rest of the server goes on.
    let (status, records) = caller.call(Method::GET, "/api/v1/topics/shop.fill/records?limit=1", "").await;
    assert_eq!(status, StatusCode::OK, "{records}");
    let other = r#"{"name":"shop.small","partitions":1}"#;
    assert_eq!(caller.call(Method::POST, "/api/v1/topics", other).await.0, StatusCode::CREATED);
    assert_eq!(caller.post("shop.small", &event(10)).await, StatusCode::ACCEPTED);
    assert!(factum.stop().success());

    let factum = FactumProcess::start(BINARY, &data);
    assert_eq!(Caller::of(&factum).post("shop.fill", &event(EVENT_BYTES)).await, StatusCode::ACCEPTED);
}

/// The server behind a script that sets a limit.
fn limited(folder: &Path, limit: &str) -> PathBuf {
    let limited = folder.join("factum");
    let script = format!("#!/bin/sh\nulimit {limit}\nexec {BINARY} \"$@\"\n");
    std::fs::write(&limited, script).expect("writable");
    std::fs::set_permissions(&limited, PermissionsExt::from_mode(0o755)).expect("may be run");
    limited
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_open_files_are_a_problem_that_is_said() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let factum = Launch::new(limited(folder.path(), "-n 160")).data_dir(folder.path().join("data")).start();
    let caller = Caller::of(&factum);
    assert_eq!(caller.gauge("factum_open_files_limit").await, 160);
    until("the problem", async || !caller.machine().await.1.is_empty()).await;
    let (status, problems) = caller.machine().await;
    assert_eq!(status, StatusCode::OK);
    assert!(problems[0].contains("at most 160 files"), "{problems:?}");
    let mut shell = Shell::of(&factum);
    shell.run("doctor -o csv");
    let said = shell.transcript();
    assert!(said.contains("warn,server's open files,"), "{said}");
}
