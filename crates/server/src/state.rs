//! The state of views: a store of its own beside the log, with a committer of its own.

use std::path::Path;
use std::sync::Arc;

use factum_base::clock::SharedClock;
use factum_base::tasks::{OnError, TaskGroup};
use factum_log::{Environment, EnvironmentOptions, LocalDisk};
use factum_state::{EmbeddedStore, OpenError, Options, Service};
use tokio::sync::oneshot;

/// What of the data directory is the state's.
pub(crate) const FOLDER: &str = "state";

/// Opens the state under `data_dir` and runs it in `group` until that stops: after the pipelines have stopped.
pub(crate) async fn start(
    options: Options,
    data_dir: &Path,
    clock: &SharedClock,
    group: &TaskGroup,
) -> Result<EmbeddedStore, OpenError> {
    let (folder, clock, disk) = (data_dir.join(FOLDER), Arc::clone(clock), Arc::new(LocalDisk));
    let environment = Environment::new(
        disk.clone(),
        EnvironmentOptions {
            tail_cache_bytes: 0,
            open_segments: 16,
            active_segments: 4,
            ..EnvironmentOptions::default()
        },
    );
    let committer = environment.committer().clone();
    let (running, (ended, end)) = (committer.clone(), oneshot::channel());
    group.spawn_thread("state-committer", OnError::StopServer, move |_| {
        running.run();
        // No one waits for it where the state did not open.
        ended.send(()).ok();
        Ok(())
    });
    let opening = move || EmbeddedStore::open(&environment, disk, clock, &folder, options);
    let opened = tokio::task::spawn_blocking(opening).await.expect("opening the state does not panic");
    let store = match opened {
        Ok(store) => store,
        Err(error) => {
            committer.stop();
            return Err(error);
        }
    };
    let (service, stop) = (Service::new(&store), group.stop());
    group.spawn("state", OnError::Log, async move {
        let ran = service.run(stop).await;
        committer.stop();
        // An error only tells that the thread is gone already.
        drop(end.await);
        ran
    });
    Ok(store)
}
