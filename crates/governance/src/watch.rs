//! Applying a project whenever its files change.
//!
//! ```text
//!   change on disk ──► quiet for `debounce` ──► load ──► plan ──► check SQL ──► apply ──► catalogue, SQL, outcome
//! ```
//!
//! Always holds: a project that is broken changes nothing; the last good one stays applied, and the catalogue
//! says what is wrong. Where the system gives no notice of changes, the folder is looked at every `poll`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use factum_base::tasks::{BoxError, Stop};
use factum_eventlog::EventLog;
use factum_types::units;
use notify::{PollWatcher, RecursiveMode, Watcher};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tracing::{debug, error, info, warn};

use crate::catalogue::Catalogue;
use crate::pipelines::{Pipelines, PipelinesError};
use crate::plan::{Applied, ApplyError, Plan, PlanError};
use crate::problem::Problem;
use crate::project::{LoadError, PROJECT_FILE, Project};
use crate::resources::{Recorded, RecordedError};

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

/// What came of reading the folder once.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing was read since the start.
    Waiting,
    /// The project was applied; the plan may have been empty.
    Applied {
        /// What changed.
        plan: Plan,
        /// What was done.
        applied: Applied,
        /// What has no effect.
        warnings: Vec<Problem>,
    },
    /// The last good project stays.
    Kept(Error),
}

/// Why a project was not applied.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum Error {
    /// Its files are wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    /// It asks for what cannot be done.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Plan(#[from] PlanError),
    /// The log failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What was applied could not be read back.
    #[error("read back what was applied")]
    Recorded(#[from] RecordedError),
    /// Its SQL is wrong, or cannot be put into effect now.
    #[error(transparent)]
    Pipelines(#[from] PipelinesError),
}

impl Error {
    /// What is wrong with the project's files, if that is the reason.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Load(error) => &error.problems,
            Self::Plan(error) => error.problems(),
            Self::Pipelines(error) => error.problems(),
            Self::Apply(_) | Self::Recorded(_) => &[],
        }
    }
}

/// Loads, plans and applies the project in `root`, and brings `catalogue` up to date. What is wrong with the
/// files is in the catalogue too, whatever the result.
///
/// # Errors
/// [`Error`]; then nothing, or a part that the next call completes, was applied.
pub async fn apply_once(
    root: &Path,
    log: &dyn EventLog,
    catalogue: &Catalogue,
    pipelines: &dyn Pipelines,
) -> Result<(Plan, Applied, Vec<Problem>), Error> {
    let result = try_apply(root, log, catalogue, pipelines).await;
    match &result {
        Ok((plan, _, warnings)) => catalogue.note_applied(root, &plan.project, warnings.clone()),
        Err(error) => catalogue.note_failure(root, in_words(error), error.problems().to_vec()),
    }
    result
}

/// An error and its causes on one line.
fn in_words(error: &Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

async fn try_apply(
    root: &Path,
    log: &dyn EventLog,
    catalogue: &Catalogue,
    pipelines: &dyn Pipelines,
) -> Result<(Plan, Applied, Vec<Problem>), Error> {
    let folder = root.to_owned();
    let project = tokio::task::spawn_blocking(move || Project::load(folder))
        .await
        .expect("loading a project does not panic")?;
    let plan = Plan::between(&project, log).await?;
    pipelines.check(&Recorded::read(log).await?.with(&project)).await?;
    let applied = plan.apply(log).await?;
    let recorded = catalogue.reload(log).await?;
    pipelines.apply(&recorded).await?;
    let mut warnings = project.faulty_panels(&pipelines.views());
    warnings.extend(project.warnings);
    warnings.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok((plan, applied, warnings))
}

/// Watches one folder.
pub struct Service {
    root: PathBuf,
    log: Arc<dyn EventLog>,
    catalogue: Catalogue,
    pipelines: Arc<dyn Pipelines>,
    options: Options,
    outcomes: watch::Sender<Arc<Outcome>>,
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
    /// A service for the project in `root`. It applies on change; the first time is the caller's ([`apply_once`]),
    /// who may want to refuse to start.
    pub fn new(
        root: PathBuf,
        log: Arc<dyn EventLog>,
        catalogue: Catalogue,
        pipelines: Arc<dyn Pipelines>,
        options: Options,
    ) -> (Self, Handle) {
        let (outcomes, receiver) = watch::channel(Arc::new(Outcome::Waiting));
        (Self { root, log, catalogue, pipelines, options, outcomes }, Handle { outcomes: receiver })
    }

    /// Watches until `stop`.
    ///
    /// # Errors
    /// None so far: a folder that cannot be watched is polled, a project that cannot be applied is kept out.
    pub async fn run(self, stop: Stop) -> Result<(), BoxError> {
        let (sender, mut changes) = mpsc::channel(1);
        let mut eyes = Eyes::open(&self.root, &self.options, &sender);
        loop {
            tokio::select! {
                () = stop.requested() => return Ok(()),
                _ = changes.recv() => {}
            }
            self.until_quiet(&mut changes).await;
            self.apply().await;
            // `teams` may have come, or have been replaced by another folder of that name.
            eyes.look_anew(&self.root);
        }
    }

    async fn until_quiet(&self, changes: &mut mpsc::Receiver<()>) {
        while let Ok(Some(())) = tokio::time::timeout(self.options.debounce, changes.recv()).await {}
    }

    async fn apply(&self) {
        let outcome = match apply_once(&self.root, &*self.log, &self.catalogue, &*self.pipelines).await {
            Ok((plan, applied, warnings)) => {
                if plan.is_empty() {
                    debug!("read the project again and found no change");
                } else {
                    info!(%applied, "applied the project");
                }
                Outcome::Applied { plan, applied, warnings }
            }
            Err(error) => {
                error!(%error, problems = error.problems().len(), "kept the last good project");
                Outcome::Kept(error)
            }
        };
        self.outcomes.send_replace(Arc::new(outcome));
    }
}

/// Whatever tells of changes.
struct Eyes {
    watcher: Option<Box<dyn Watcher + Send>>,
}

impl Eyes {
    fn open(root: &Path, options: &Options, sender: &mpsc::Sender<()>) -> Self {
        let mut watcher: Option<Box<dyn Watcher + Send>> = None;
        if !options.always_poll {
            let made = notify::recommended_watcher(tell(root, sender)).and_then(|mut made| {
                made.watch(root, RecursiveMode::NonRecursive)?;
                Ok(made)
            });
            match made {
                Ok(made) => watcher = Some(Box::new(made)),
                Err(error) => warn!(%error, "the system gives no notice of changes; looking at intervals"),
            }
        }
        let watcher = watcher.or_else(|| {
            let config =
                notify::Config::default().with_poll_interval(options.poll).with_compare_contents(true);
            match PollWatcher::new(tell(root, sender), config) {
                Ok(made) => Some(Box::new(made) as Box<dyn Watcher + Send>),
                Err(error) => {
                    error!(%error, "changes to the project will not be seen until a restart");
                    None
                }
            }
        });
        let mut eyes = Self { watcher };
        eyes.look_anew(root);
        eyes
    }

    /// Watches the folders that hold manifests, and no others: a data directory inside the project changes with
    /// every event.
    fn look_anew(&mut self, root: &Path) {
        let Some(watcher) = &mut self.watcher else { return };
        let places = [(root.to_owned(), RecursiveMode::NonRecursive)]
            .into_iter()
            .chain(["teams", "platform"].map(|name| (root.join(name), RecursiveMode::Recursive)));
        for (path, mode) in places.filter(|(path, _)| path.is_dir()) {
            if let Err(error) = watcher.watch(&path, mode) {
                warn!(%error, path = %path.display(), "cannot watch a folder of the project");
            }
        }
    }
}

/// Passes on that something changed; how often does not matter, so a full channel is as good.
fn tell(root: &Path, sender: &mpsc::Sender<()>) -> impl notify::EventHandler + use<> {
    let (root, sender) = (root.to_owned(), sender.clone());
    move |event: notify::Result<notify::Event>| {
        let concerns = match &event {
            Ok(event) if event.kind.is_access() => false,
            Ok(event) => event.need_rescan() || event.paths.iter().any(|path| is_manifest(&root, path)),
            Err(_) => true,
        };
        if concerns {
            sender.try_send(()).ok();
        }
    }
}

/// Whether a change of `path` can change the project.
fn is_manifest(root: &Path, path: &Path) -> bool {
    let Ok(inner) = path.strip_prefix(root) else { return true };
    // Editors write their swap files and backups beside the file.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') || name.ends_with('~') {
        return false;
    }
    let first = inner.components().next().map(|first| first.as_os_str().to_owned());
    first.is_none_or(|first| first == PROJECT_FILE || first == "teams" || first == "platform")
}
