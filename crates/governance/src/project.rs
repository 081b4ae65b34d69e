//! A project: a folder in which every event belongs to a team.
//!
//! ```text
//!   factum.yaml                         name, defaults, environments
//!   teams/<team>/team.yaml              summary, contact, members
//!   teams/<team>/events/E.yaml          topic <team>.E, with E.avsc, E.schema.json or E.proto beside it
//!   teams/<team>/tables/T.yaml          reference table <team>.T, with its rows in a CSV file
//!   teams/<team>/pipelines/P.sql        SQL that runs forever
//!   teams/<team>/feeds/F.yaml           events that Factum makes itself
//!   teams/<team>/dashboards/D.yaml      panels that show views
//! ```
//!
//! Folders and file names give kind, team and name, so that no file repeats them. A [`Project`] is plain data; [`load`] makes
//! one of a folder.

mod header;
mod load;
mod misplaced;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use factum_types::TeamName;
use miette::Diagnostic;

use crate::defaults::Defaults;
use crate::definitions::Definitions;
use crate::kind::Origin;
use crate::problem::{Problem, Severity};
use crate::resource_id::ResourceId;
pub use header::Environment;
pub(crate) use load::load_from;
pub use load::{find, load, load_valid_part};

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "factum.yaml";

/// What of a folder of manifests is valid, and what is withheld because it is not.
///
/// Invariants: a definition that is withheld is not among `definitions`; it is neither changed nor forgotten, whatever
/// was applied of it before.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder.
    pub root: PathBuf,
    /// The project's name; part of its events' types.
    pub name: String,
    /// What holds for every event that says nothing else.
    pub defaults: Defaults,
    /// Where the project can be applied, by name.
    pub environments: BTreeMap<String, Environment>,
    /// What it declares.
    pub definitions: Definitions,
    /// What is wrong with its files, by file and place. Errors are of what is withheld; warnings of what has no effect:
    /// parts that this version does not support, files that nothing refers to.
    pub problems: Vec<Problem>,
    /// Definitions whose files are invalid, or that cannot be put into effect.
    withheld: BTreeSet<ResourceId>,
    /// Teams of which it is not known what they define.
    withheld_teams: BTreeSet<TeamName>,
    /// Where each definition was read from.
    origins: BTreeMap<ResourceId, Origin>,
}

impl Project {
    /// Whether nothing is withheld.
    pub fn is_whole(&self) -> bool {
        !self.problems.iter().any(|problem| problem.severity() == Severity::Error)
    }

    /// What will be applied once this project is, `applied` being what is applied now: what others applied stays, and
    /// so does what is withheld.
    pub fn applied_to(&self, applied: &Definitions) -> Definitions {
        let mut after = applied.clone();
        after.retain(|definition| {
            definition.project() != self.name || self.is_withheld(&ResourceId::of(definition))
        });
        after.extend(self.definitions.iter().cloned());
        after
    }

    /// Leaves a definition as it was applied last, because of `problem` with it.
    pub(crate) fn withhold(&mut self, id: ResourceId, problem: Option<Problem>) {
        self.definitions.remove(&id);
        self.withheld.insert(id);
        if let Some(problem) = problem {
            self.add_problem(problem);
        }
    }

    /// Says something once.
    pub(crate) fn add_problem(&mut self, problem: Problem) {
        if !self.problems.iter().any(|known| known.is_same(&problem)) {
            self.problems.push(problem);
            self.problems.sort_by(|a, b| a.order().cmp(&b.order()));
        }
    }

    /// Whether the definition, or all of its team, is withheld.
    pub(crate) fn is_withheld(&self, id: &ResourceId) -> bool {
        self.withheld.contains(id) || self.withheld_teams.iter().any(|team| team.as_str() == id.team())
    }

    /// Where the definition was read from.
    pub(crate) fn origin(&self, id: &ResourceId) -> Option<&Origin> {
        self.origins.get(id)
    }
}

/// Everything that is wrong with a project.
#[derive(Debug, Clone)]
pub struct LoadError {
    /// At least one problem; warnings are among them.
    pub problems: Vec<Problem>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.iter().filter(|problem| problem.severity() == Severity::Error).count() {
            1 => f.write_str("the project has a problem"),
            n => write!(f, "the project has {n} problems"),
        }
    }
}

impl std::error::Error for LoadError {}

impl Diagnostic for LoadError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}
