//! Refreshing: a view's changes are kept going while it has a follower.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use tokio::sync::watch;
use tracing::{error, warn};

use super::{ChangeLog, ChangeStream};
use crate::changes::ChangeId;
use crate::error::ReadError;
use crate::task::Environment;
use crate::view::Rows;

/// A refresh may take this part of the time: one tenth.
const SHARE: u32 = 10;
/// However long a refresh took, the next begins no later: a view that is hard to compute is followed all the same.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How often what depends on the clock is looked at.
const TICK: Duration = Duration::from_secs(1);

/// A view as its followers see it, whichever version is served.
#[async_trait]
pub(crate) trait RowSource: Send + Sync + 'static {
    /// The rows now.
    async fn rows(self: Arc<Self>) -> Result<Rows, ReadError>;

    /// What moves when the rows may have changed; another version counts.
    fn inputs(&self) -> Vec<watch::Receiver<u64>>;

    /// Whether the rows change with the clock alone.
    fn moves_with_time(&self) -> bool;
}

/// Follows `view`, from behind `resume` if that is still known.
pub(crate) fn follow(
    view: Arc<dyn RowSource>,
    log: &Arc<ChangeLog>,
    environment: &Arc<Environment>,
    resume: Option<ChangeId>,
) -> ChangeStream {
    let stream = ChangeStream::new(log, resume);
    if log.begin() {
        let (log, environment) = (Arc::clone(log), Arc::clone(environment));
        environment.tasks.clone().spawn_quiet(async move {
            let refreshing = refresh(view, Arc::clone(&log), environment);
            if AssertUnwindSafe(refreshing).catch_unwind().await.is_err() {
                error!(view = %log.view, "computing changes panicked");
                log.break_off();
            }
        });
    }
    stream
}

async fn refresh(view: Arc<dyn RowSource>, log: Arc<ChangeLog>, environment: Arc<Environment>) {
    let stop = environment.tasks.stop();
    let mut followers = log.followers.subscribe();
    loop {
        let mut inputs = view.inputs();
        let started = environment.clock.monotonic();
        match Arc::clone(&view).rows().await {
            Ok(rows) => log.advance(rows),
            Err(ReadError::Dropped { .. }) => return log.end(),
            Err(error) => {
                warn!(view = %log.view, %error, "changes cannot be computed");
                log.fail(error.to_string());
            }
        }
        let cost = environment.clock.monotonic().duration_since(started);
        let pause = environment.options.refresh.max(cost * SHARE).min(LONGEST_PAUSE);
        tokio::select! {
            () = stop.requested() => return log.end(),
            () = tokio::time::sleep(pause) => {}
        }
        let tick = async {
            match view.moves_with_time() {
                true => tokio::time::sleep(TICK).await,
                false => std::future::pending().await,
            }
        };
        let is_followed = tokio::select! {
            () = stop.requested() => return log.end(),
            () = any_moved(&mut inputs) => true,
            () = tick => true,
            _ = followers.changed() => *followers.borrow_and_update() > 0,
        };
        if is_followed {
            continue;
        }
        tokio::select! {
            () = stop.requested() => return log.end(),
            is_wanted = has_follower(&mut followers, environment.options.keep_changes) => {
                if !is_wanted && log.rest() {
                    return;
                }
            }
        }
    }
}

impl ChangeLog {
    /// Gives up refreshing, unless a follower has come meanwhile.
    fn rest(&self) -> bool {
        let mut kept = self.kept.lock();
        if *self.followers.borrow() > 0 {
            return false;
        }
        Self::clear(&mut kept);
        kept.is_refreshing = false;
        true
    }
}

/// Resolves when one of `inputs` moves; never without any.
pub(crate) async fn any_moved(inputs: &mut [watch::Receiver<u64>]) {
    let moved = inputs.iter_mut().map(|input| Box::pin(input.changed()));
    let moved: Vec<_> = moved.collect();
    if moved.is_empty() {
        return std::future::pending().await;
    }
    // An input that is gone has moved as well.
    drop(futures::future::select_all(moved).await);
}

/// Whether a follower comes within `time`.
async fn has_follower(followers: &mut watch::Receiver<usize>, time: Duration) -> bool {
    let come = followers.wait_for(|count| *count > 0);
    matches!(tokio::time::timeout(time, come).await, Ok(Ok(_)))
}
