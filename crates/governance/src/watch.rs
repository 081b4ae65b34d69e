//! Keeping what is in effect the same as what a project's folder says.
//!
//! ```text
//!   start, or change on disk ──► quiet for `debounce` ──► load ──► plan ──► check
//!                                            ──► topics ──► effects ──► record ──► catalogue, outcome
//! ```
//!
//! Invariants: what is invalid stays as it was applied last, whatever else changes, and the catalogue says what is
//! wrong (decision 0019). What fails for the moment is tried again until it is done. Where the system gives no notice of
//! changes, the folder is looked at every `poll`. A file that does not answer holds up neither the others nor a stop, and
//! is read again when it answers.

mod apply;
mod folder_watcher;
mod folders;
mod refused;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use factum_base::tasks::{BoxError, Stop};
use factum_eventlog::EventLog;
use factum_types::units;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tracing::{debug, error, info};

use apply::apply_loaded;
pub use apply::{Error, apply_once, resume};
use folder_watcher::FolderWatcher;

use crate::catalogue::Catalogue;
use crate::effects::Effect;
use crate::plan::{ApplyResult, Plan};
use crate::problem::Problem;
use crate::project::{self, LoadError, Project};
use crate::project_files::{ProjectFiles, READ_LIMIT};

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
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub poll: Duration,
    /// Look in any case: for file systems that give no notice and do not say so (some network and container mounts).
    pub always_poll: bool,
    /// How long a file of the project may take to be read. One that takes longer, as on a network mount that is gone, is
    /// a problem, and the others are applied; while it has no answer, the others are given a fifth of this.
    #[serde(with = "factum_types::units::duration::above_zero")]
    pub read_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            debounce: Duration::from_millis(150),
            poll: Duration::from_secs(2),
            always_poll: false,
            read_limit: READ_LIMIT,
        }
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
    folder: Option<Folder>,
    log: Arc<dyn EventLog>,
    catalogue: Catalogue,
    effects: Arc<dyn Effect>,
    options: Options,
    outcomes: watch::Sender<Arc<Outcome>>,
    changes: mpsc::Receiver<()>,
    is_polling: bool,
    /// Whether anything was put into effect since the start.
    is_in_effect: bool,
    /// How long to wait before the next attempt, where one is due without a change of the folder.
    pause: Option<Duration>,
}

/// The project's folder, as it is read and watched.
#[derive(Debug, Clone)]
struct Folder {
    files: ProjectFiles,
    /// Watches from before the first load on, so that no change falls between that and [`Service::run`].
    watcher: Arc<Mutex<FolderWatcher>>,
}

/// What a load gave.
struct LoadResult {
    project: Result<Project, LoadError>,
    /// Whether there is a folder at all.
    is_there: bool,
    /// Whether the files are to be looked at every so often, since there is no notice of changes.
    is_polling: bool,
}

impl Folder {
    fn new(root: PathBuf, options: &Options, sender: &mpsc::Sender<()>) -> Self {
        let watcher = Arc::new(Mutex::new(FolderWatcher::new(&root, options.always_poll, sender)));
        let late = sender.clone();
        let files = ProjectFiles::new(root, options.read_limit, move || {
            late.try_send(()).ok();
        });
        Self { files, watcher }
    }

    /// Does what blocks, on a thread for that. Nothing is lost when the future is dropped.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ProjectFiles, &mut FolderWatcher) -> T + Send + 'static,
    ) -> T {
        let Self { files, watcher } = self.clone();
        let work = move || work(&files, &mut watcher.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await.expect("reading a project does not panic")
    }

    async fn load(&self) -> LoadResult {
        self.blocking(|files, watcher| {
            watcher.prepare(files);
            let project = project::load_from(files);
            let is_there = project.is_ok() || files.is_folder(Path::new("")).unwrap_or(false);
            LoadResult { project, is_there, is_polling: watcher.is_polling() }
        })
        .await
    }

    /// Resolves once the files are seen to have changed since they were loaded. May be dropped at any time.
    async fn changed(&self, poll: Duration) {
        loop {
            tokio::time::sleep(poll).await;
            if self.blocking(|files, watcher| watcher.has_changed(files)).await {
                return;
            }
        }
    }
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
        let folder = root.map(|root| Folder::new(root, &options, &sender));
        if folder.is_some() {
            // The first load is due, since nothing is watched before it.
            sender.try_send(()).expect("the channel has room for one");
        }
        let service = Self {
            folder,
            log,
            catalogue,
            effects,
            options,
            outcomes,
            changes,
            is_polling: false,
            is_in_effect: false,
            pause: None,
        };
        (service, Handle { outcomes: receiver })
    }

    /// Puts what was recorded into effect before the folder is looked at, so that a server can serve by it meanwhile; whether
    /// there is a project on record and it is in effect. [`Service::begin`] is to follow, and says what failed.
    pub async fn resume(&mut self) -> bool {
        let resumed = resume(&*self.log, &self.catalogue, &*self.effects).await;
        resumed.is_ok() && self.catalogue.has_project()
    }

    /// The attempt of a start, before the server is ready. It never keeps a server from starting: where the folder
    /// cannot be applied, what was recorded is put into effect, and what is wrong is in the catalogue.
    pub async fn begin(&mut self) -> Outcome {
        self.changes.try_recv().ok();
        let loaded = self.load().await;
        self.attempt(loaded).await
    }

    /// Attempts on each change of the folder, and after a pause where an attempt failed for the moment, until `stop`,
    /// which does not wait for files.
    ///
    /// # Errors
    /// None so far: a folder that cannot be watched is polled, a project that cannot be applied is kept out.
    pub async fn run(mut self, stop: Stop) -> Result<(), BoxError> {
        loop {
            let (pause, poll) = (self.pause, self.options.poll);
            let polled = self.folder.clone().filter(|_| self.is_polling);
            let is_again = tokio::select! {
                () = stop.requested() => return Ok(()),
                Some(()) = self.changes.recv() => false,
                () = async { tokio::time::sleep(pause.unwrap_or_default()).await }, if pause.is_some() => true,
                () = async { polled.as_ref().expect("asked before").changed(poll).await }, if polled.is_some() => false,
                // No folder is watched, and everything is in effect.
                else => {
                    stop.requested().await;
                    return Ok(());
                }
            };
            let loading = async {
                self.until_quiet().await;
                self.load().await
            };
            let loaded = tokio::select! {
                () = stop.requested() => return Ok(()),
                loaded = loading => loaded,
            };
            let outcome = self.attempt(loaded).await;
            // Trying again is no news while it fails for the same reason.
            if !(is_again && outcome.is_same_failure(&self.outcomes.borrow())) {
                self.outcomes.send_replace(Arc::new(outcome));
            }
        }
    }

    async fn load(&self) -> Option<LoadResult> {
        Some(self.folder.as_ref()?.load().await)
    }

    async fn until_quiet(&mut self) {
        while let Ok(Some(())) = tokio::time::timeout(self.options.debounce, self.changes.recv()).await {}
    }

    async fn attempt(&mut self, loaded: Option<LoadResult>) -> Outcome {
        let (mut is_due, mut outcome) = (false, Outcome::Waiting);
        if let (Some(Folder { files, .. }), Some(LoadResult { project, is_there, is_polling })) =
            (&self.folder, loaded)
        {
            self.is_polling = is_polling;
            let root = files.root();
            outcome = match apply_loaded(project, root, &*self.log, &self.catalogue, &*self.effects).await {
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
                    // A folder that is not there may give no notice when it comes.
                    is_due = error.is_transient() || !is_there;
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
        outcome
    }
}
