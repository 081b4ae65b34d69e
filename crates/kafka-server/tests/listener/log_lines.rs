//! Log lines about faults of clients: they are written, and do not fill the log.

use std::sync::Arc;

use factum_kafka_server::Options;
use factum_testkit::Warnings;
use factum_types::auth::AllowAll;

use crate::client::batch;
use crate::producing::{outcome, produce};
use crate::server::Server;

#[tokio::test]
async fn a_thousand_broken_requests_of_one_address_are_one_line() {
    let (warnings, _guard) = Warnings::of_this_thread();
    let options = Options { max_connections_per_address: 1, ..Options::default() };
    let server = Server::start_with(options, Arc::new(AllowAll)).await;
    for number in 0..300 {
        let mut client = server.client().await;
        match number % 3 {
            0 => client.send_raw(b"GET / HTTP/1.1\r\n\r\n").await,
            1 => client.send_raw(&[0xff; 4]).await,
            _ => {
                let mut second = server.client().await;
                second.closed("one connection is the limit").await;
                client.send_raw(&[0, 0, 0, 0]).await;
            }
        }
        client.closed("no request").await;
    }
    let lines = warnings.with("peer=");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("speaks HTTP"), "{lines:#?}");
}

#[tokio::test]
async fn invalid_records_are_told_with_the_reason() {
    let (warnings, _guard) = Warnings::of_this_thread();
    let server = Server::start().await;
    server.create_topic("orders", 1).await;
    server.broker.validate_records(crate::producing::NoX);
    let mut client = server.client().await;
    for _ in 0..3 {
        let response = client.ask(&produce("orders", 0, -1, Some(batch(&["a", "x"]))), 9).await;
        assert_eq!(outcome(&response).error_code, 87);
    }
    let lines = warnings.with("refused invalid records");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("record 1: it is an x"), "{lines:#?}");
}
