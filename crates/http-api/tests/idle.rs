//! Memory of idle connections, in a process of its own: resident memory is that of all tests which run in one.

#[path = "it/support.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod support;

use factum_testkit::resident_bytes;
use support::Server;
use tokio::net::TcpStream;

/// Opens so many connections, and an answer later they are all taken.
async fn hold(server: &Server, count: usize, held: &mut Vec<TcpStream>) {
    for _ in 0..count {
        held.push(TcpStream::connect(server.address).await.expect("connected"));
    }
    assert_eq!(server.get("/health/live").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_idle_connections_are_cheap_and_stop_at_once() {
    let server = Server::start().await;
    let (mut first, mut idle) = (Vec::new(), Vec::new());
    // What a server takes once, for its first connections and its first answer, is not theirs.
    hold(&server, 500, &mut first).await;
    let before = resident_bytes();
    hold(&server, 2_000, &mut idle).await;
    let each = (resident_bytes().saturating_sub(before)) / idle.len();
    assert!(each < 12 << 10, "{each} bytes for each idle connection, the client's side included");
    server.stop().await;
}
