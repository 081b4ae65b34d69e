//! Bytes that are no request, and requests that are not served.

use std::sync::Arc;
use std::time::Duration;

use factum_kafka_server::Options;
use factum_kafka_server::messages::ApiKey;
use factum_types::ByteSize;
use factum_types::auth::AllowAll;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse, ResponseHeader};
use kafka_protocol::protocol::Decodable;
use tokio::io::AsyncReadExt;

use crate::client::{batch, frame};
use crate::producing::produce;
use crate::server::Server;

/// A frame with a header of version 1 and nothing behind it.
fn header_only(api: i16, version: i16) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 10];
    bytes.extend_from_slice(&api.to_be_bytes());
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes.extend_from_slice(&[0, 0, 0, 7, 0xff, 0xff]);
    bytes
}

#[tokio::test]
async fn bytes_that_are_no_request_end_the_connection() {
    let server = Server::start().await;
    for (case, bytes) in [
        ("an HTTP request", b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("a length of two gibibytes", vec![0x7f, 0xff, 0xff, 0xff]),
        ("a negative length", vec![0xff, 0xff, 0xff, 0xff]),
        ("an empty frame", vec![0, 0, 0, 0]),
        ("half a header", vec![0, 0, 0, 3, 0, 18, 0]),
        ("an API that does not exist", header_only(999, 0)),
        ("a version that does not exist", header_only(3, 99)),
        ("a negative version", header_only(3, -1)),
        ("a version that is advertised and refused", header_only(0, 2)),
        ("a body that is cut off", header_only(3, 1)),
    ] {
        let mut client = server.client().await;
        client.send_raw(&bytes).await;
        client.closed(case).await;
        // The others do not notice.
        server.client().await.ask(&ApiVersionsRequest::default(), 0).await;
    }
}

#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send_raw(&header_only(18, 99)).await;
    let mut bytes = client.receive_frame().await.expect("an answer");
    assert_eq!(ResponseHeader::decode(&mut bytes, 0).expect("a header").correlation_id, 7);
    let response = ApiVersionsResponse::decode(&mut bytes, 0).expect("version 0");
    assert_eq!(response.error_code, 35);
    assert_eq!(response.api_keys.len(), ApiKey::ALL.len());
    // The same connection goes on.
    for version in 0..=4 {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(crate::client::text("test"))
            .with_client_software_version(crate::client::text("1"));
        let response = client.ask(&request, version).await;
        let produce = response.api_keys.iter().find(|api| api.api_key == 0).expect("produce");
        assert_eq!((response.error_code, produce.min_version, produce.max_version), (0, 0, 13));
    }
}

#[tokio::test]
async fn a_frame_over_the_limit_is_not_waited_for() {
    let options = Options { max_frame_bytes: ByteSize::kib(64), ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    server.create_topic("orders", 1).await;
    let mut client = server.client().await;
    let large = "x".repeat(70_000);
    let bytes = frame(&produce("orders", 0, -1, Some(batch(&[&large]))), 9, 1);
    client.send_raw(&bytes[..4]).await;
    client.closed("a frame over the limit").await;
}

#[tokio::test]
async fn a_client_that_stalls_within_a_request_is_disconnected() {
    let options = Options { stall_timeout: Duration::from_millis(200), ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    let bytes = frame(&ApiVersionsRequest::default(), 0, 1);
    for sent in [1, 4, bytes.len() - 1] {
        let mut stalled = server.client().await;
        stalled.send_raw(&bytes[..sent]).await;
        stalled.closed("a stall").await;
    }
    // Drop by drop is a stall too: what counts is the whole request.
    let mut dripping = server.client().await;
    let (mut read, mut write) = dripping.stream.split();
    let drip = async {
        for byte in frame(&ApiVersionsRequest::default(), 0, 1).iter().cycle() {
            if tokio::io::AsyncWriteExt::write_all(&mut write, &[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    };
    let mut byte = [0];
    tokio::select! {
        () = drip => {}
        read = read.read(&mut byte) => assert!(matches!(read, Ok(0) | Err(_)), "closed without an answer"),
    }
}

#[tokio::test]
async fn a_silent_client_is_disconnected() {
    let options = Options { idle_timeout: Duration::from_millis(200), ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    let (mut silent, mut spoke) = (server.client().await, server.client().await);
    spoke.ask(&ApiVersionsRequest::default(), 0).await;
    silent.closed("silence").await;
    spoke.closed("silence after a word").await;
}
