//! `factum.yaml`: the project's name, its defaults, and where it can be applied.

use std::collections::BTreeMap;
use std::path::Path;

use factum_types::TeamName;
use factum_types::suggest::nearest;

use super::PROJECT_FILE;
use crate::defaults::{Defaults, Visibility};
use crate::folder;
use crate::human;
use crate::kinds;
use crate::manifest::{Fields, SourceFile};
use crate::problem::Problem;
use crate::project_files::ProjectFiles;

/// A Factum that the project can be applied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The base URL of its HTTP interface.
    pub server: String,
}

/// What `factum.yaml` says.
pub(super) struct Header {
    pub(super) name: String,
    pub(super) defaults: Defaults,
    pub(super) environments: BTreeMap<String, Environment>,
}

/// Reads the file. A header is given even where fields are wrong, so that the rest can be looked at;
/// there is none when the file cannot be read at all.
pub(super) fn read(files: &ProjectFiles, problems: &mut Vec<Problem>) -> Option<Header> {
    if let Err(problem) = find(files) {
        problems.push(problem);
        return None;
    }
    let file = match SourceFile::read(files, Path::new(PROJECT_FILE)) {
        Ok(file) => file,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let mut fields = Fields::of_file(&file, problems)?;
    // The rule of team names is the rule of project names: both become parts of event types.
    let name = fields.parsed("name", |text| TeamName::new(text).map(String::from), "contoso");
    let defaults =
        fields.mapping("defaults", "{ retention: 7d }", defaults).map(|(found, _)| found).unwrap_or_default();
    let environments =
        fields.each("environments", "{ prod: { server: https://events.example.com } }", environment);
    fields.finish();
    let name = name.map(|(name, _)| name).or_else(|| folder_name(files));
    if name.is_none() && problems.is_empty() {
        let problem = Problem::of_file(Path::new(PROJECT_FILE), "the project has no name");
        problems.push(problem.help("add a line such as `name: contoso`"));
    }
    let environments = environments.into_iter().filter_map(|(name, found)| Some((name, found?))).collect();
    Some(Header { name: name.unwrap_or_default(), defaults, environments })
}

/// The folder's name, where it can be a project's.
fn folder_name(files: &ProjectFiles) -> Option<String> {
    let root = files.canonical(Path::new("")).ok()?;
    let name = root.file_name()?.to_str()?.to_lowercase();
    TeamName::new(name).ok().map(String::from)
}

fn defaults(fields: &mut Fields<'_>) -> Defaults {
    Defaults {
        partitions: kinds::partitions(fields).map(|(partitions, _)| partitions),
        retention: fields.parsed("retention", human::parse_retention, "7d").map(|(value, _)| value),
        lateness: fields.parsed("lateness", human::parse_duration, "10s").map(|(value, _)| value),
        visibility: fields.word("visibility", &Visibility::WORDS).map(|(value, _)| value),
    }
}

fn environment(_: &str, fields: &mut Fields<'_>) -> Option<Environment> {
    let (server, _) = fields.parsed("server", base_url, "https://events.example.com")?;
    Some(Environment { server })
}

fn base_url(text: &str) -> Result<String, &'static str> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err("it is not an http:// or https:// address"),
    }
}

/// Whether there is such a file, readable or not.
///
/// # Errors
/// What the folder lacks.
pub(super) fn find(files: &ProjectFiles) -> Result<(), Problem> {
    // Any other failure is said by reading it.
    match files.exists(Path::new(PROJECT_FILE)).unwrap_or(true) {
        true => Ok(()),
        false => Err(no_project_file(files)),
    }
}

/// Said when a folder is not a project at all.
fn no_project_file(files: &ProjectFiles) -> Problem {
    let root = files.root();
    let problem = Problem::of_file(Path::new(PROJECT_FILE), "there is no such file");
    if !files.exists(Path::new("")).unwrap_or(true) {
        return problem
            .help(format!("the folder {} does not exist; `factum init` makes one", root.display()));
    }
    let entries = folder::list(files, Path::new(""), &mut Vec::new());
    let names = entries.iter().filter(|item| !item.is_folder).map(|item| item.name.as_str());
    match nearest(PROJECT_FILE, names.filter(|name| name.to_lowercase().starts_with("factum."))) {
        Some(near) => problem.help(format!("did you mean `{near}`? rename it to `{PROJECT_FILE}`")),
        None => problem.help(format!("{} is not a project; `factum init` makes one", root.display())),
    }
}
