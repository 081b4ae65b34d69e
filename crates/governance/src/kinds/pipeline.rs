//! `pipelines/P.sql`: statements that run forever. What they mean is not read here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_types::{QualifiedName, TeamName};
use serde::{Deserialize, Serialize};

use super::name;
use crate::folder::Item;
use crate::kind::{Context, Entry, Kind, Origin};
use crate::manifest::SourceFile;
use crate::problem::Problem;

/// A file of SQL whose statements run forever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineDefinition {
    /// `<team>.<file>`.
    pub name: QualifiedName,
    /// The team that owns it; names in it that say no team are this team's.
    pub team: TeamName,
    /// The project that it is defined in.
    pub project: String,
    /// Its file, relative to the project's folder.
    pub file: PathBuf,
    /// What it says.
    pub sql: Arc<str>,
}

impl Kind for PipelineDefinition {
    const WORD: &'static str = "pipeline";
    const LABEL: &'static str = "sql";
    const FOLDER: &'static str = "pipelines";
    const ENDING: &'static str = ".sql";

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn team(&self) -> &TeamName {
        &self.team
    }

    fn project(&self) -> &str {
        &self.project
    }

    fn facts(&self) -> String {
        String::new()
    }

    fn files(&self) -> Vec<&Path> {
        vec![&self.file]
    }

    fn entry(item: &Item) -> Entry<'_> {
        match item.name.strip_suffix(Self::ENDING) {
            _ if item.is_folder => Entry::no_folder(Self::FOLDER),
            Some(stem) => Entry::Manifest(stem),
            None if item.name.ends_with(".test.yaml") => Entry::Later,
            None if item.manifest_stem().is_some() => {
                Entry::Stray("a pipeline is written in SQL, in a file that ends with .sql".to_owned())
            }
            None => Entry::Beside,
        }
    }

    fn read(
        context: &Context<'_>,
        path: &Path,
        stem: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(Self, Origin)> {
        let name = name::relation(context.team, path, stem, "a pipeline's", "top_movies.sql");
        let read = name.and_then(|name| Ok((name, SourceFile::read(context.files, path)?)));
        let (name, file) = read.map_err(|problem| problems.push(problem)).ok()?;
        let definition = Self {
            name,
            team: context.team.clone(),
            project: context.project.to_owned(),
            file: file.path.clone(),
            sql: Arc::clone(&file.text),
        };
        Some((definition, Origin { file, places: BTreeMap::new() }))
    }
}
