//! Log lines that clients bring about: they are written, and do not fill the log.

use std::time::Duration;

use factum_testkit::Warnings;
use tokio::net::TcpStream;

use crate::support::{Server, Setup};

#[tokio::test]
async fn a_hundred_requests_that_cannot_be_served_are_one_line() {
    let (warnings, _guard) = Warnings::of_this_thread();
    let server = Server::start().await;
    server.topic("store.orders").await;
    assert!(server.log.stop_within(Duration::from_secs(10)).await.is_empty(), "the log closes");
    for _ in 0..100 {
        assert_eq!(server.post_json("/events/store.orders", "{}").await.status, 503);
    }
    let lines = warnings.with("could not be made durable");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("client=127.0.0.1") && lines[0].contains("left_out=0"), "{lines:#?}");
}

#[tokio::test]
async fn connections_over_a_limit_are_told_with_the_limit() {
    let (warnings, _guard) = Warnings::of_this_thread();
    let mut setup = Setup::default();
    setup.options.max_connections = 4;
    let server = Server::start_with(setup).await;
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(TcpStream::connect(server.address).await.expect("connected"));
    }
    // The listener accepts in order: behind this one it has seen all of them.
    assert_eq!(server.try_get("/health/live").await, None, "no place for this address");
    let lines = warnings.with("too many connections from one client address");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("client=127.0.0.1") && lines[0].contains("limit=3"), "{lines:#?}");
    drop(held);
    server.stop().await;
}
