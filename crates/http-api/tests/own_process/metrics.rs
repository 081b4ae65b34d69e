//! Metrics of a server, for tests that are alone in their process: metrics are those of the first server in it.

use crate::support::Server;

/// A metric without labels, or with them as they are written; 0 before it is there.
pub(crate) async fn metric(server: &Server, name: &str) -> f64 {
    let metrics = server.get("/metrics").await.text();
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0.0, |value| value.parse().expect("a number"))
}
