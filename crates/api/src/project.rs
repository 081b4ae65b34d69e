//! The project that is applied, and what is wrong with its files.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The project that is in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProjectView {
    /// Absent where none was ever applied, or several are.
    #[schema(example = "contoso")]
    pub name: Option<String>,
    /// Its folder, where this server watches one.
    #[schema(example = "examples/movies")]
    pub path: Option<String>,
    /// When what is in force was applied.
    #[schema(example = "2026-11-20T10:15:30.123Z")]
    pub applied_at: Option<String>,
    /// Why the folder is not in force as it stands, or not all of it; null when it is.
    #[schema(example = "the project has a problem")]
    pub failure: Option<String>,
    /// What is wrong with its files; empty when all is well.
    pub problems: Vec<ProjectProblem>,
}

/// Something that is wrong with a file of the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProjectProblem {
    /// `error` where this part stays as it was applied last until it is put right, `warning` where it has no effect.
    #[schema(example = "error")]
    pub severity: String,
    /// What is wrong.
    #[schema(example = "there is no column `quantty` in d")]
    pub message: String,
    /// Relative to the project's folder.
    #[schema(example = "teams/store/pipelines/top_movies.sql")]
    pub file: String,
    /// From 1.
    #[schema(example = 3)]
    pub line: Option<usize>,
    /// From 1, in characters.
    #[schema(example = 53)]
    pub column: Option<usize>,
    /// What to do.
    #[schema(example = "did you mean `Quantity`?")]
    pub help: Option<String>,
    /// The lines around the place with marks under it, to be set in a typewriter's face.
    pub excerpt: Option<String>,
}
