//! The definitions that are applied, for the handlers of requests: who owns a topic, and what its events are like.
//!
//! Invariants: readers see one whole state or the next, never a mixture, and never wait for a reload.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use factum_eventlog::EventLog;
use factum_types::{Timestamp, TopicName};
use tracing::warn;

use crate::definitions::Definitions;
use crate::kind::Kind;
use crate::kinds::{EventDefinition, TeamDefinition};
use crate::problem::{Problem, Severity};
use crate::record::{self, AppliedDefinitions, ReadAppliedError};

/// A cheap handle on the newest state; clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Catalogue(Arc<RwLock<State>>);

#[derive(Debug, Clone, Default)]
struct State {
    definitions: Definitions,
    project: ProjectStatus,
    /// What of the record of applied resources was passed over.
    unreadable: Arc<Vec<Problem>>,
}

/// The project's folder, and what the last attempt to apply it said.
#[derive(Debug, Clone, Default)]
pub struct ProjectStatus {
    /// The project's name, once one was applied.
    pub name: Option<String>,
    /// Its folder, where this server watches one.
    pub folder: Option<PathBuf>,
    /// When what is in force was applied.
    pub applied_at: Option<Timestamp>,
    /// Why the folder is not in force as it stands, or not all of it; `None` when it is.
    pub failure: Option<String>,
    /// What is wrong with the files, warnings included; and what of the record of applied resources cannot be read.
    pub problems: Arc<Vec<Problem>>,
}

impl Catalogue {
    /// A catalogue in which nothing is applied.
    pub fn new() -> Self {
        Self::default()
    }

    /// A catalogue of what `log` says was applied.
    ///
    /// # Errors
    /// [`ReadAppliedError`].
    pub async fn load(log: &dyn EventLog) -> Result<Self, ReadAppliedError> {
        let catalogue = Self::new();
        catalogue.reload(log).await?;
        Ok(catalogue)
    }

    /// Reads what `log` says was applied, puts it in place of the state so far and gives it; problems stay.
    ///
    /// # Errors
    /// [`ReadAppliedError`]; the state so far stays.
    pub async fn reload(&self, log: &dyn EventLog) -> Result<AppliedDefinitions, ReadAppliedError> {
        let recorded = AppliedDefinitions::read(log).await?;
        self.replace(&recorded);
        Ok(recorded)
    }

    /// Puts `recorded` in place of the state so far; problems stay.
    pub fn replace(&self, recorded: &AppliedDefinitions) {
        let unreadable = unreadable(recorded);
        let definitions = recorded.definitions();
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for problem in &unreadable {
            if !state.unreadable.iter().any(|known| known.is_same(problem)) {
                warn!(%problem, "passed over a part of the record of what is applied");
            }
        }
        state.unreadable = Arc::new(unreadable);
        state.project.applied_at = recorded.applied_at();
        if state.project.folder.is_none() {
            state.project.name = project_of(&definitions);
        }
        state.definitions = definitions;
    }

    /// Notes that what was recorded is in effect, and what of it does not run. What is said of a folder stays.
    pub(crate) fn note_resumed(&self, refused: Vec<Problem>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut problems = state.project.problems.as_ref().clone();
        problems.retain(|known| !refused.iter().any(|problem| problem.is_same(known)));
        problems.extend(refused);
        state.project.problems = Arc::new(problems);
    }

    /// Notes that the project in `folder`, called `name`, is in force, except what has errors among `problems`.
    pub(crate) fn note_applied(&self, folder: &Path, name: &str, problems: Vec<Problem>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let project = &mut state.project;
        (project.folder, project.name) = (Some(folder.to_owned()), Some(name.to_owned()));
        project.failure = match problems.iter().filter(|it| it.severity() == Severity::Error).count() {
            0 => None,
            1 => Some("one error: what it concerns stays as it was; the rest is applied".to_owned()),
            n => Some(format!("{n} errors: what they concern stays as it was; the rest is applied")),
        };
        project.problems = Arc::new(problems);
    }

    /// Notes why the project in `folder` is not in force.
    pub(crate) fn note_failure(&self, folder: &Path, failure: String, problems: Vec<Problem>) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let project = &mut state.project;
        project.folder = Some(folder.to_owned());
        (project.failure, project.problems) = (Some(failure), Arc::new(problems));
    }

    /// Whether a project is applied, or is meant to be: its folder is watched, or a part of what was applied cannot be
    /// read.
    pub fn has_project(&self) -> bool {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        state.project.folder.is_some()
            || state.definitions.of::<TeamDefinition>().next().is_some()
            || !state.unreadable.is_empty()
    }

    /// Every definition.
    pub fn definitions(&self) -> Definitions {
        self.0.read().unwrap_or_else(PoisonError::into_inner).definitions.clone()
    }

    /// Every definition of a kind, by name.
    pub fn of<K: Kind>(&self) -> Vec<Arc<K>> {
        self.definitions().shared()
    }

    /// The event of a topic, if a project defines it.
    pub fn event(&self, topic: &TopicName) -> Option<Arc<EventDefinition>> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        state.definitions.get_shared(topic.as_str())
    }

    /// The project's folder, and what the last attempt to apply it said.
    pub fn project(&self) -> ProjectStatus {
        let State { mut project, unreadable, .. } = self.state();
        if !unreadable.is_empty() {
            project.problems = Arc::new(unreadable.iter().chain(project.problems.iter()).cloned().collect());
        }
        project
    }

    /// What is wrong with the project's folder and with the record of what was applied: what an error concerns is as it
    /// was applied last.
    pub fn problems(&self) -> Arc<Vec<Problem>> {
        self.project().problems
    }

    fn state(&self) -> State {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What of the record was passed over, as problems of the topic that holds it.
fn unreadable(recorded: &AppliedDefinitions) -> Vec<Problem> {
    let file = Path::new(record::TOPIC);
    let (listed, more) = recorded.unreadable();
    let mut problems: Vec<_> = listed
        .iter()
        .map(|found| match found.hides {
            true => Problem::of_file(file, found.to_string()).help(
                "no view is dropped while it is not known what is applied; apply the project's folder, which records \
                 all of it again",
            ),
            false => Problem::of_file(file, found.to_string()).warning(),
        })
        .collect();
    if more > 0 {
        problems.push(Problem::of_file(file, format!("{more} more records cannot be read")).warning());
    }
    problems
}

/// The project that every team belongs to, where there is one such.
fn project_of(definitions: &Definitions) -> Option<String> {
    let mut projects = definitions.of::<TeamDefinition>().map(|team| &team.project);
    let first = projects.next()?;
    projects.all(|project| project == first).then(|| first.clone())
}
