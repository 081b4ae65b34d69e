//! `team.yaml`: who a team is and how to reach it.

use std::collections::BTreeMap;
use std::path::Path;

use factum_types::TeamName;
use serde::{Deserialize, Serialize};

use crate::folder::Item;
use crate::kind::{Context, Entry, Kind, Origin};
use crate::manifest::{Fields, SourceFile};
use crate::problem::Problem;

/// Who a team is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDefinition {
    /// Its name; the first part of its topics' names.
    pub name: TeamName,
    /// The project that it is defined in.
    pub project: String,
    /// What it does, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Where to reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Who is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

impl Kind for TeamDefinition {
    const WORD: &'static str = "team";
    const FOLDER: &'static str = "";

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn team(&self) -> &TeamName {
        &self.name
    }

    fn project(&self) -> &str {
        &self.project
    }

    fn facts(&self) -> String {
        String::new()
    }

    fn entry(item: &Item) -> Entry<'_> {
        match item.manifest_stem() {
            Some("team") => Entry::Manifest("team"),
            _ => Entry::Beside,
        }
    }

    fn read(
        context: &Context<'_>,
        path: &Path,
        _: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<(Self, Origin)> {
        let file = SourceFile::read(context.files, path).map_err(|problem| problems.push(problem)).ok()?;
        let mut fields = Fields::of_file(&file, problems)?;
        let definition = Self {
            name: context.team.clone(),
            project: context.project.to_owned(),
            summary: fields.text("summary"),
            contact: fields.text("contact"),
            members: fields.texts("members"),
        };
        fields.not_yet("quotas", "the team is not limited");
        fields.finish();
        Some((definition, Origin { file, places: BTreeMap::new() }))
    }
}
