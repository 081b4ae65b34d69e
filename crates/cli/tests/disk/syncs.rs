//! That an answer comes after the sync, seen from outside: kill -9 cannot show it, as the page cache outlives the
//! process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use factum_testkit::{FactumProcess, Launch};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::trace::{self, Event};
use crate::{client, create_topic, wrapper};

const EVENTS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// A server under strace, with its data in a folder of its own.
struct TracedServer {
    folder: tempfile::TempDir,
    factum: FactumProcess,
}

impl TracedServer {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // -D: the tracer is a grandchild, so that the process is signalled and waited for as ever.
        let strace = format!(
            "exec strace -D -f -yy -s 0 -e trace={} -o {}",
            trace::CALLS,
            trace_of(&folder).display()
        );
        let factum =
            Launch::new(wrapper(folder.path(), &strace)).data_dir(folder.path().join("data")).start();
        Self { folder, factum }
    }

    /// Stops the server; what it did.
    fn stop(mut self) -> Vec<Event> {
        let process = self.factum.process().expect("it runs");
        assert!(self.factum.stop().success());
        let last = format!("{process} +++ exited with 0 +++");
        // The tracer outlives its tracee by a moment.
        for _ in 0..10_000 {
            let trace = std::fs::read(trace_of(&self.folder)).expect("strace wrote its file");
            if String::from_utf8_lossy(&trace).lines().any(|line| line.split_whitespace().eq(last.split(' ')))
            {
                return trace::read(&trace_of(&self.folder));
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        panic!("strace did not write {last:?}");
    }
}

fn trace_of(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("trace")
}

/// How many answers on `port` came after a write to `segment`; each must have had a sync of it in between.
fn answers_after_a_sync(events: &[Event], port: u16, segment: &str) -> usize {
    let (mut is_written, mut is_covered, mut answered) = (false, false, 0);
    let mut writes = 0;
    for event in events {
        match event {
            Event::Write(path) if path.ends_with(segment) => {
                writes += 1;
                (is_written, is_covered) = (true, false);
            }
            Event::SyncBegins(path) if path.ends_with(segment) => is_covered = is_written,
            Event::Synced(path) if path.ends_with(segment) && is_covered => {
                answered += usize::from(is_written);
                is_written = false;
            }
            Event::Answer(to) if *to == port => {
                assert!(!is_written, "write {writes} to {segment} was answered before it was synced");
            }
            _ => {}
        }
    }
    assert!(!is_written, "the last write to {segment} was never synced");
    answered
}

fn port_of(address: &str) -> u16 {
    address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an address ends with its port")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_over_http_is_synced_before_it_is_answered() {
    let traced = TracedServer::start();
    let http = traced.factum.http();
    create_topic(&http, "traced", 1).await;
    for number in 0..EVENTS {
        let request =
            client().post(format!("{http}/events/traced")).header("content-type", "application/json");
        let answer = request.body(format!(r#"{{"number":{number}}}"#)).send().await.expect("an answer");
        assert_eq!(answer.status(), 202);
    }
    let events = traced.stop();
    let segment = "/topics/traced/0/00000000000000000000.log";
    assert_eq!(answers_after_a_sync(&events, port_of(&http), segment), EVENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_record_over_kafka_is_synced_before_it_is_answered() {
    let traced = TracedServer::start();
    let kafka = traced.factum.kafka();
    create_topic(&traced.factum.http(), "traced", 1).await;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &kafka).set("acks", "all").set("linger.ms", "0");
    let producer: FutureProducer = config.create().expect("a producer");
    for number in 0..EVENTS {
        let value = number.to_string();
        let record = FutureRecord::<(), String>::to("traced").partition(0).payload(&value);
        producer.send(record, PATIENCE).await.expect("it is acknowledged");
    }
    let events = traced.stop();
    let segment = "/topics/traced/0/00000000000000000000.log";
    assert_eq!(answers_after_a_sync(&events, port_of(&kafka), segment), EVENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_is_answered_after_its_directories_are_synced() {
    let traced = TracedServer::start();
    let http = traced.factum.http();
    create_topic(&http, "traced", 2).await;
    let events = traced.stop();
    let is_named = |event: &Event| matches!(event, Event::Renamed(path) if path.ends_with("/topics/traced"));
    let named = events.iter().position(is_named).expect("the topic got its name");
    let answer = |event: &Event| *event == Event::Answer(port_of(&http));
    let answered = named + events[named..].iter().position(answer).expect("it was answered");
    let before: Vec<&Path> = events[..named].iter().filter_map(synced_path).collect();
    let after: Vec<&Path> = events[named..answered].iter().filter_map(synced_path).collect();
    let is_staged = |path: &&&Path, entry: &str| {
        path.to_string_lossy().contains("/topics/~new-") && path.ends_with(entry)
    };
    for entry in ["0", "1", "0/checkpoint", "1/checkpoint"] {
        assert!(before.iter().any(|path| is_staged(&path, entry)), "what it is made of, {entry}: {before:?}");
    }
    assert!(after.iter().any(|path| path.ends_with("topics")), "its name: {after:?}");
}

fn synced_path(event: &Event) -> Option<&Path> {
    match event {
        Event::Synced(path) => Some(Path::new(path)),
        _ => None,
    }
}
