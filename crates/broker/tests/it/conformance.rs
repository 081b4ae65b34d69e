//! The embedded log shows what every log must.

use std::sync::Arc;

use factum_eventlog::{EventLog, conformance};

use crate::support::fresh;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_log_conforms() {
    let (_dir, running) = fresh();
    let log: Arc<dyn EventLog> = Arc::new(running.broker.clone());
    conformance::run(async || Arc::clone(&log)).await;
    running.stop().await;
}

/// One thread is enough: nothing in the broker blocks the runtime.
#[tokio::test]
async fn the_embedded_log_conforms_on_one_thread() {
    let (_dir, running) = fresh();
    let log: Arc<dyn EventLog> = Arc::new(running.broker.clone());
    conformance::run(async || Arc::clone(&log)).await;
    running.stop().await;
}
