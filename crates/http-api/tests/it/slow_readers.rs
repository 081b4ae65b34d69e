//! Clients that read a long response slowly and steadily: within `write_timeout`, less than would make Linux take bytes of a socket
//! again whose buffer may grow to megabytes.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::support::{Server, Setup};

const RECORDS: usize = 6;
const RECORD_BYTES: usize = 1_000_000;
/// How long a client takes to read the rest of a response at its full speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a response at 200 kB a second for three times as long as a client may take nothing, then at full speed. Gives how much
/// of the records' text came.
async fn read_slowly(server: &Server, path: &str) -> usize {
    let mut stream = server.connect_as(1).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut response = vec![0; 4_096];
    stream.read_exact(&mut response).await.expect("a response begins");
    assert!(response.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&response));
    let mut some = [0; 4_096];
    for _ in 0..300 {
        stream.read_exact(&mut some).await.expect("the response goes on");
        response.extend_from_slice(&some);
        sleep(Duration::from_millis(20)).await;
    }
    // A connection that is cut may end with an error; what it brought tells.
    let _either = timeout(PATIENCE, stream.read_to_end(&mut response)).await.expect("the response ends");
    response.iter().filter(|byte| **byte == b'x').count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_slowly_and_steadily_gets_the_whole_response() {
    let mut setup = Setup::default();
    setup.options.write_timeout = Duration::from_secs(2);
    let server = Server::start_with(setup).await;
    server.topic("store.orders").await;
    let record = format!("\"{}\"", "x".repeat(RECORD_BYTES));
    for _ in 0..RECORDS {
        assert_eq!(server.post_json("/events/store.orders", &record).await.status, 202);
    }
    let page = format!("/api/v1/topics/store.orders/records?partition=0&limit={RECORDS}");
    let tail = format!("/api/v1/topics/store.orders/tail?from=earliest&limit={RECORDS}");
    let (page, tail) = tokio::join!(read_slowly(&server, &page), read_slowly(&server, &tail));
    let all = RECORDS * RECORD_BYTES;
    assert!(page >= all, "{page} bytes of {all} of a page of records");
    assert!(tail >= all, "{tail} bytes of {all} of a tail");
    server.stop().await;
}
