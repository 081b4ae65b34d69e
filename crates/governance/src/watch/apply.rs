//! One attempt to bring a log, the pipelines and the catalogue in step with a project's folder.

use std::path::Path;

use factum_eventlog::EventLog;
use tracing::{error, info};

use super::refused;
use crate::catalogue::Catalogue;
use crate::kinds::{DashboardDefinition, KeptView};
use crate::pipelines::{Pipelines, PipelinesError};
use crate::plan::{self, Applied, ApplyError, Plan, PlanError};
use crate::problem::Problem;
use crate::project::{self, LoadError, Project};
use crate::record::{Recorded, RecordedError};
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
    Recorded(#[from] RecordedError),
    /// Its SQL cannot be put into effect now, or is wrong at no file's place.
    #[error(transparent)]
    Pipelines(#[from] PipelinesError),
}

impl Error {
    /// What is wrong with the project's files, if that is the reason.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Load(error) => &error.problems,
            Self::Pipelines(error) => error.problems(),
            Self::Plan(_) | Self::Apply(_) | Self::Recorded(_) => &[],
        }
    }

    /// The error and its causes on one line.
    pub(crate) fn in_words(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// Whether the same folder may be applied later with no change to it. A plan that was overtaken is made anew.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Load(_) => false,
            Self::Plan(error) => error.is_transient(),
            Self::Apply(error) => error.is_transient() || matches!(error, ApplyError::Overtaken { .. }),
            Self::Recorded(error) => error.is_transient(),
            Self::Pipelines(error) => error.is_transient(),
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
    pipelines: &dyn Pipelines,
) -> Result<(Plan, Applied, Vec<Problem>), Error> {
    let result = try_apply(root, log, catalogue, pipelines).await;
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
pub async fn resume(
    log: &dyn EventLog,
    catalogue: &Catalogue,
    pipelines: &dyn Pipelines,
) -> Result<(), Error> {
    let recorded = catalogue.reload(log).await?;
    let problems = refused::apply_what_runs(recorded.definitions(), pipelines).await?;
    for problem in &problems {
        error!(file = %problem.file().display(), %problem, "what was applied earlier does not run");
    }
    catalogue.note_resumed(problems);
    Ok(())
}

async fn try_apply(
    root: &Path,
    log: &dyn EventLog,
    catalogue: &Catalogue,
    pipelines: &dyn Pipelines,
) -> Result<(Plan, Applied, Vec<Problem>), Error> {
    let folder = root.to_owned();
    let mut project = tokio::task::spawn_blocking(move || project::load_valid_part(folder))
        .await
        .expect("loading a project does not panic")?;
    let recorded = Recorded::read(log).await?;
    let plan = refused::plan_without(&mut project, &recorded, log, pipelines).await?;
    let prepared = plan.prepare(log).await?;
    // In effect first and recorded then: what is cut short in between is a change again for the next attempt.
    let after = prepared.after(recorded);
    let refused = refused::apply_what_runs(after.definitions(), pipelines).await?;
    let applied = prepared.record(log).await?;
    // Where some of the record cannot be read, what was just written is known all the same.
    let recorded = after.confirmed_by(&Recorded::read(log).await?);
    catalogue.replace(recorded.clone());
    if project.is_whole() && recorded.can_be_written_again(&project.name) {
        info!("writing all that is applied anew, since some of its record cannot be read");
        plan::write(recorded.checkpoint(), log).await?;
        catalogue.replace(recorded.confirmed_by(&Recorded::read(log).await?));
    }
    let mut problems = faulty_panels(&project, &pipelines.views());
    problems
        .extend(refused.into_iter().filter(|problem| !project.problems.iter().any(|it| it.is_same(problem))));
    problems.extend(project.problems);
    problems.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok((plan, applied, problems))
}

/// What dashboards want to show and `views` do not have.
fn faulty_panels(project: &Project, views: &[KeptView]) -> Vec<Problem> {
    let faults = project.definitions.of::<DashboardDefinition>().flat_map(|dashboard| {
        let origin = project.origin(&ResourceId::of(dashboard));
        let faults = dashboard.faults(views).into_iter();
        faults.filter_map(move |(place, fault)| {
            Some(origin?.problem(&place, fault.message.clone()).help(fault.help()).warning())
        })
    });
    faults.collect()
}
