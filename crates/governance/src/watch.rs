//! Keeping what is in effect the same as what a project's folder says.
//!
//! ```text
//!   start, or change on disk ──► quiet for `debounce` ──► load ──► plan ──► check
//!                                            ──► topics ──► effects ──► record ──► catalogue, outcome
//! ```
//!
//! Invariants: what is invalid stays as it was applied last, whatever else changes, and the catalogue says what is
//! wrong (decision 0019). What fails for the moment is tried again until it is done. Where the system gives no notice of
//! changes, the folder is looked at every `poll`.

mod apply;
mod eyes;
mod refused;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::{BoxError, Stop};
use factum_eventlog::EventLog;
use factum_types::units;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tracing::{debug, error, info};

pub use apply::{Error, apply_once, resume};
use eyes::Eyes;

use crate::catalogue::Catalogue;
use crate::effects::Effect;
use crate::plan::{ApplyResult, Plan};
use crate::problem::Problem;

/// The first pause before what failed for the moment is tried again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How the folder is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How long the folder must be quiet before it is read: editors write a file in several steps.
    #[serde(with = "units::duration")]
    pub debounce: Duration,
    /// How often to look where the system gives no notice of changes.
    #[serde(with = "units::duration")]
    pub poll: Duration,
    /// Look in any case: for file systems that give no notice and do not say so (some network and container mounts).
    pub always_poll: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { debounce: Duration::from_millis(150), poll: Duration::from_secs(2), always_poll: false }
    }
}

/// What came of one attempt.
#[derive(Debug)]
pub enum Outcome {
    /// There is no folder, or none was read yet.
    Waiting,
    /// What is valid of the project was applied; the plan may have been empty.
    Applied {
        /// What changed.
        plan: Plan,
        /// What was done.
        applied: ApplyResult,
        /// What is wrong with the files: errors are of what stayed as it was, warnings of what has no effect.
        problems: Vec<Problem>,
    },
    /// Everything stays as it was applied last.
    Kept(Error),
}

impl Outcome {
    fn is_same_failure(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Kept(one), Self::Kept(other)) => one.in_words() == other.in_words(),
            _ => false,
        }
    }
}

/// Keeps one server in step with a folder, or, without one, with what was recorded.
pub struct Service {
    root: Option<PathBuf>,
    log: Arc<dyn EventLog>,
    catalogue: Catalogue,
    effects: Arc<dyn Effect>,
    options: Options,
    outcomes: watch::Sender<Arc<Outcome>>,
    /// Looks from before the first attempt on, so that no change falls between that and [`Service::run`].
    eyes: Option<Eyes>,
    changes: mpsc::Receiver<()>,
    /// Whether anything was put into effect since the start.
    is_in_effect: bool,
    /// How long to wait before the next attempt, where one is due without a change of the folder.
    pause: Option<Duration>,
}

/// Sees what the service does.
#[derive(Debug, Clone)]
pub struct Handle {
    outcomes: watch::Receiver<Arc<Outcome>>,
}

impl Handle {
    /// The newest outcome.
    pub fn outcome(&self) -> Arc<Outcome> {
        Arc::clone(&self.outcomes.borrow())
    }

    /// Waits for an outcome that this handle has not given yet; `None` once the service is gone.
    pub async fn next(&mut self) -> Option<Arc<Outcome>> {
        self.outcomes.changed().await.ok()?;
        Some(Arc::clone(&self.outcomes.borrow_and_update()))
    }
}

impl Service {
    /// A service for the project in `root`; without one it puts into effect what was recorded, once.
    pub fn new(
        root: Option<PathBuf>,
        log: Arc<dyn EventLog>,
        catalogue: Catalogue,
        effects: Arc<dyn Effect>,
        options: Options,
    ) -> (Self, Handle) {
        let (outcomes, receiver) = watch::channel(Arc::new(Outcome::Waiting));
        let (sender, changes) = mpsc::channel(1);
        let eyes = root.as_ref().map(|root| Eyes::open(root, &options, &sender));
        let service = Self {
            root,
            log,
            catalogue,
            effects,
            options,
            outcomes,
            eyes,
            changes,
            is_in_effect: false,
            pause: None,
        };
        (service, Handle { outcomes: receiver })
    }

    /// The attempt of a start, before the server is ready. It never keeps a server from starting: where the folder
    /// cannot be applied, what was recorded is put into effect, and what is wrong is in the catalogue.
    pub async fn begin(&mut self) -> Outcome {
        self.attempt().await
    }

    /// Attempts on each change of the folder, and after a pause where an attempt failed for the moment, until `stop`.
    ///
    /// # Errors
    /// None so far: a folder that cannot be watched is polled, a project that cannot be applied is kept out.
    pub async fn run(mut self, stop: Stop) -> Result<(), BoxError> {
        loop {
            let pause = self.pause;
            let is_again = tokio::select! {
                () = stop.requested() => return Ok(()),
                Some(()) = self.changes.recv() => false,
                () = async { tokio::time::sleep(pause.unwrap_or_default()).await }, if pause.is_some() => true,
                // No folder is watched, and everything is in effect.
                else => {
                    stop.requested().await;
                    return Ok(());
                }
            };
            self.until_quiet().await;
            let outcome = self.attempt().await;
            // Trying again is no news while it fails for the same reason.
            if !(is_again && outcome.is_same_failure(&self.outcomes.borrow())) {
                self.outcomes.send_replace(Arc::new(outcome));
            }
        }
    }

    async fn until_quiet(&mut self) {
        while let Ok(Some(())) = tokio::time::timeout(self.options.debounce, self.changes.recv()).await {}
    }

    async fn attempt(&mut self) -> Outcome {
        let (mut is_due, mut outcome) = (false, Outcome::Waiting);
        if let Some(root) = &self.root {
            outcome = match apply_once(root, &*self.log, &self.catalogue, &*self.effects).await {
                Ok((plan, applied, problems)) => {
                    self.is_in_effect = true;
                    if plan.is_empty() {
                        debug!("read the project again and found no change");
                    } else {
                        info!(%applied, "applied the project");
                    }
                    Outcome::Applied { plan, applied, problems }
                }
                Err(error) => {
                    // A folder that is not there gives no notice when it comes.
                    is_due = error.is_transient() || !root.is_dir();
                    error!(%error, problems = error.problems().len(), "kept the last good project");
                    Outcome::Kept(error)
                }
            };
        }
        if !self.is_in_effect {
            match resume(&*self.log, &self.catalogue, &*self.effects).await {
                Ok(()) => self.is_in_effect = true,
                Err(error) => {
                    is_due |= error.is_transient();
                    error!(%error, "what was applied earlier is not in effect");
                }
            }
        }
        let doubled = self.pause.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
        self.pause = is_due.then_some(doubled);
        if let (Some(eyes), Some(root)) = (&mut self.eyes, &self.root) {
            // `teams` may have come, or have been replaced by another folder of that name.
            eyes.look_anew(root);
        }
        outcome
    }
}
