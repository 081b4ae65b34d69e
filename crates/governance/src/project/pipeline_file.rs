//! `pipelines/P.sql`: statements that run for ever. What they mean is not read here.

use std::path::Path;

use factum_types::TeamName;

use super::{PipelineDefinition, name};
use crate::manifest::SourceFile;
use crate::problem::Problem;

/// The ending of a pipeline's file.
pub(super) const ENDING: &str = ".sql";

/// Reads the file at `path`, named `stem` without its ending.
pub(super) fn read(
    root: &Path,
    path: &Path,
    stem: &str,
    team: &TeamName,
    project: &str,
) -> Result<PipelineDefinition, Problem> {
    let name = name::relation(team, path, stem, "a pipeline's", "top_movies.sql")?;
    let file = SourceFile::read(root, path)?;
    Ok(PipelineDefinition {
        name: name.to_string(),
        team: team.clone(),
        project: project.to_owned(),
        file: file.path,
        sql: file.text,
    })
}
