//! `team.yaml`: who a team is and how to reach it.

use std::path::Path;

use factum_types::TeamName;

use super::TeamDefinition;
use crate::manifest::{Fields, SourceFile};
use crate::problem::Problem;

/// Reads the file of the team `name`.
pub(super) fn read(
    root: &Path,
    path: &Path,
    name: &TeamName,
    project: &str,
    problems: &mut Vec<Problem>,
) -> Option<TeamDefinition> {
    let file = SourceFile::read(root, path).map_err(|problem| problems.push(problem)).ok()?;
    let mut fields = Fields::of_file(&file, problems)?;
    let definition = TeamDefinition {
        name: name.clone(),
        project: project.to_owned(),
        summary: fields.text("summary"),
        contact: fields.text("contact"),
        members: fields.texts("members"),
    };
    fields.not_yet("quotas", "the team is not limited");
    fields.finish();
    Some(definition)
}
