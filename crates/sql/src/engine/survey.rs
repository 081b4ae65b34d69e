//! What is looked at from time to time: sizes, rates, and topics that views wait for.

use super::Engine;
use super::apply::bytes_by_pipeline;
use super::schemas::Looked;
use crate::metrics;

/// Looks until the stop.
pub(super) async fn run(engine: Engine) {
    let environment = &engine.0.environment;
    let stop = environment.tasks.stop();
    let mut looked = Looked::default();
    loop {
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(environment.options.survey) => {}
        }
        if let Ok(tasks) = environment.state.tasks().await {
            let bytes = bytes_by_pipeline(tasks.into_iter().map(|(task, _, size)| (task, size)));
            let running: Vec<_> = engine.0.pipelines.lock().values().cloned().collect();
            for pipeline in running {
                pipeline.survey(bytes.get(&**pipeline.id()).copied().unwrap_or(0));
            }
        }
        for status in engine.views() {
            metrics::surveyed(&status);
        }
        if !engine.effective().awaited.is_empty() {
            engine.apply_again(&mut looked).await;
        }
    }
}
