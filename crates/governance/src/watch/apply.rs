//! One attempt to bring a log, what is in effect and the catalogue in step with a project's folder.

use std::path::Path;

use factum_eventlog::EventLog;
use tracing::{error, info};

use super::refused;
use crate::catalogue::Catalogue;
use crate::effects::{Effect, EffectError};
use crate::kind::Fault;
use crate::plan::{self, ApplyError, ApplyResult, Plan, PlanError};
use crate::problem::Problem;
use crate::project::{self, LoadError, Project};
use crate::record::{AppliedDefinitions, ReadAppliedError};
use crate::resource_id::ResourceId;

/// Why nothing of a project was applied.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum Error {
    /// It is not known what the project holds.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    /// The log does not say what differs.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The log failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What was applied could not be read back.
    #[error("read back what was applied")]
    Recorded(#[from] ReadAppliedError),
    /// It cannot be put into effect now, or is wrong at no file's place.
    #[error(transparent)]
    Effect(#[from] EffectError),
}

impl Error {
    /// What is wrong with the project's files, if that is the reason.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Load(error) => &error.problems,
            Self::Effect(error) => error.problems(),
            Self::Plan(_) | Self::Apply(_) | Self::Recorded(_) => &[],
        }
    }

    /// The error and its causes on one line.
    pub(crate) fn in_words(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// Whether the same folder may be applied later with no change to it. A plan that was overtaken is made again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Load(_) => false,
            Self::Plan(error) => error.is_transient(),
            Self::Apply(error) => error.is_transient() || matches!(error, ApplyError::Overtaken { .. }),
            Self::Recorded(error) => error.is_transient(),
            Self::Effect(error) => error.is_transient(),
        }
    }
}

/// Loads, plans and applies what is valid of the project in `root`, and brings `catalogue` up to date. What is wrong with
/// the files is in the catalogue too, whatever the result.
///
/// # Errors
/// [`Error`]; then nothing is recorded, and what was done already is completed by the next call.
pub async fn apply_once(
    root: &Path,
    log: &dyn EventLog,
    catalogue: &Catalogue,
    effects: &dyn Effect,
) -> Result<(Plan, ApplyResult, Vec<Problem>), Error> {
    let folder = root.to_owned();
    let loaded = tokio::task::spawn_blocking(move || project::load_valid_part(folder)).await;
    apply_loaded(loaded.expect("loading a project does not panic"), root, log, catalogue, effects).await
}

/// The same with what a load of `root` gave.
pub(super) async fn apply_loaded(
    loaded: Result<Project, LoadError>,
    root: &Path,
    log: &dyn EventLog,
    catalogue: &Catalogue,
    effects: &dyn Effect,
) -> Result<(Plan, ApplyResult, Vec<Problem>), Error> {
    let result = try_apply(loaded, log, catalogue, effects).await;
    match &result {
        Ok((plan, _, problems)) => catalogue.note_applied(root, &plan.project, problems.clone()),
        Err(error) => catalogue.note_failure(root, error.in_words(), error.problems().to_vec()),
    }
    result
}

/// Puts into effect what was recorded: for a server without its folder, or one whose folder cannot be read. What this
/// version refuses of it does not run, keeps its state, and is a problem in the catalogue.
///
/// # Errors
/// [`Error`].
pub async fn resume(log: &dyn EventLog, catalogue: &Catalogue, effects: &dyn Effect) -> Result<(), Error> {
    let recorded = catalogue.reload(log).await?;
    let problems = refused::apply_what_runs(recorded.definitions(), effects).await?;
    for problem in &problems {
        error!(file = %problem.file().display(), %problem, "what was applied earlier does not run");
    }
    catalogue.note_resumed(problems);
    Ok(())
}

async fn try_apply(
    loaded: Result<Project, LoadError>,
    log: &dyn EventLog,
    catalogue: &Catalogue,
    effects: &dyn Effect,
) -> Result<(Plan, ApplyResult, Vec<Problem>), Error> {
    let mut project = loaded?;
    let recorded = AppliedDefinitions::read(log).await?;
    let plan = refused::plan_without(&mut project, &recorded, log, effects).await?;
    let prepared = plan.prepare(log).await?;
    // In effect first and recorded then: what is cut short in between is a change again for the next attempt.
    let mut recorded = prepared.after(recorded);
    let refused = refused::apply_what_runs(recorded.definitions(), effects).await?;
    let applied = prepared.record(log).await?;
    // Where some of the record cannot be read, what was just written is known all the same.
    recorded.read_on(log).await?;
    catalogue.replace(&recorded);
    if project.is_whole() && recorded.can_be_written_again(&project.name) {
        info!("writing all that is applied again, since some of its record cannot be read");
        plan::write(recorded.checkpoint(), log).await?;
        recorded.read_on(log).await?;
        catalogue.replace(&recorded);
    }
    let mut problems = at_their_places(effects.faults(&project.definitions), &project);
    problems
        .extend(refused.into_iter().filter(|problem| !project.problems.iter().any(|it| it.is_same(problem))));
    problems.extend(project.problems);
    problems.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok((plan, applied, problems))
}

/// Faults at their places in the project's files. The rest of what they concern is in effect, so they are warnings.
fn at_their_places(faults: Vec<(ResourceId, Fault)>, project: &Project) -> Vec<Problem> {
    let problem = |(id, fault): (ResourceId, Fault)| {
        let problem = match project.origin(&id) {
            Some(origin) => origin.problem(&fault.place, fault.message),
            None => Problem::of_file(Path::new(&id.manifest()), fault.message),
        };
        problem.help(fault.help).warning()
    };
    faults.into_iter().map(problem).collect()
}
