//! Periodic survey: sizes, rates, and topics that views wait for.

use std::time::Duration;

use super::Engine;
use super::apply::bytes_by_pipeline;
use super::schemas::SchemaSearch;
use crate::metrics;
use crate::operator::OWNER;

/// How often state that is kept without need is looked through.
const TIDY: Duration = Duration::from_secs(60);

/// Looks until the stop.
pub(super) async fn run(engine: Engine) {
    let environment = &engine.0.environment;
    let stop = environment.tasks.stop();
    let mut looked = SchemaSearch::default();
    let mut tidied = environment.clock.monotonic();
    loop {
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(environment.options.survey) => {}
        }
        if let Ok(tasks) = environment.state.tasks(&OWNER).await {
            let bytes = bytes_by_pipeline(tasks.into_iter().map(|kept| (kept.task, kept.memory)));
            let running: Vec<_> = engine.0.pipelines.lock().values().cloned().collect();
            let is_running = |id: &str| running.iter().any(|pipeline| **pipeline.id() == *id);
            let kept = bytes.iter().filter(|(id, _)| !is_running(id));
            metrics::kept_state(kept.map(|(_, bytes)| bytes).sum());
            for pipeline in running {
                pipeline.survey(bytes.get(&**pipeline.id()).copied().unwrap_or(0));
            }
        }
        for status in engine.views() {
            metrics::surveyed(&status);
        }
        let now = environment.clock.monotonic();
        if now.saturating_duration_since(tidied) >= TIDY {
            tidied = now;
            let _applying = engine.0.applying.lock().await;
            engine.forget_unneeded().await;
        }
        if !engine.effective().awaited.is_empty() {
            engine.apply_again(&mut looked).await;
        }
    }
}
