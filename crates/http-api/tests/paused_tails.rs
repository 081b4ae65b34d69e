//! Memory of tails of large records whose clients take nothing, in a process of its own: resident memory is that of all
//! tests which run in one.

#[path = "it/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;

use std::time::Duration;

use factum_eventlog::{Admin, NewTopic, TopicConfig};
use factum_testkit::resident_bytes;
use factum_types::{BatchBuilder, ByteSize, Compression, TopicName};
use support::{NOW, Server, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(120);
const TOPIC: &str = "store.notebook";
/// The clients that take nothing are 127.0.0.2, the one that does is 127.0.0.1.
const PAUSED: u8 = 2;
const TAILS: usize = 100;
const PARTITIONS: i32 = 3;
const RECORDS: usize = 4;
const RECORD_BYTES: usize = 1_000_000;

/// A server with large records in each partition.
async fn start() -> Server {
    let mut setup = Setup::default();
    setup.options.write_timeout = Duration::from_secs(600);
    setup.options.tail_memory = ByteSize::mib(16);
    let server = Server::start_with(setup).await;
    let name = TopicName::new(TOPIC).expect("a name");
    let new = NewTopic { name, partitions: Some(PARTITIONS), config: TopicConfig::default() };
    Admin::create_topic(&server.broker, new).await.expect("created");
    let topic = server.broker.topic(TOPIC).expect("it was created");
    let value = format!("\"{}\"", "x".repeat(RECORD_BYTES));
    for partition in 0..PARTITIONS {
        let partition = topic.partition(partition).expect("a partition");
        for _ in 0..RECORDS {
            let mut batch = BatchBuilder::new().compression(Compression::Zstd);
            batch.push(NOW, None, Some(value.as_bytes()), &[]);
            let appended = partition.append(batch.build()).expect("a sound batch");
            partition.durable(appended.last_offset).await.expect("synced");
        }
    }
    server
}

async fn tail(mut stream: TcpStream) -> TcpStream {
    let request =
        format!("GET /api/v1/topics/{TOPIC}/tail?from=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut status = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut status)).await.expect("in time").expect("a response");
    assert_eq!(&status, b"HTTP/1.1 200");
    stream
}

/// Reads a tail until it has shown every record.
async fn read_all(mut stream: TcpStream) {
    let (mut read, mut buffer) = (0, vec![0; 64 << 10]);
    while read < RECORD_BYTES * RECORDS * PARTITIONS as usize {
        let more = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("in time").expect("read");
        assert!(more > 0, "it ended after {read} bytes");
        read += more;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_records_that_paused_clients_do_not_take_are_bounded_in_memory() {
    let server = start().await;
    // Once, so that what is cached of the log is there.
    read_all(tail(TcpStream::connect(server.address).await.expect("connected")).await).await;
    let before = resident_bytes();
    let mut paused = Vec::new();
    for _ in 0..TAILS {
        paused.push(tail(server.connect_as(PAUSED).await).await);
    }
    read_all(tail(TcpStream::connect(server.address).await.expect("connected")).await).await;
    let cost = resident_bytes().saturating_sub(before);
    assert!(cost < 64 << 20, "{cost} bytes for {TAILS} tails that take nothing");
    // What waits for memory of its address has it when others are gone.
    let last = paused.pop().expect("a paused tail");
    drop(paused);
    read_all(last).await;
    server.stop().await;
}
