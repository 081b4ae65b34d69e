//! From folder to [`Project`]: every file is looked at, every problem kept.
//!
//! Invariants: a definition whose file has an error is withheld by its name, and a team by its own where it is not
//! known which definitions an error concerns; so nothing that is invalid is taken for something that is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use factum_types::TeamName;
use factum_types::suggest::nearest;

use super::header::{self, Header};
use super::{LoadError, Project, misplaced};
use crate::definitions::SharedDefinition;
use crate::folder::{self, Item};
use crate::kind::{Context, Entry, KindEntry, Origin};
use crate::kinds::KINDS;
use crate::problem::{Problem, Severity};
use crate::project_files::{ProjectFiles, is_unanswered};
use crate::resource_id::{ResourceId, ResourceKind};

/// Folders of a team whose contents later versions read.
const LATER_FOLDERS: &[&str] = &["subscriptions", "jobs"];
/// Files of a team that later versions read.
const LATER_FILES: &[&str] = &["access.yaml", "access.yml"];

/// Reads the project in the folder `root`, which must be valid as a whole. Blocking: it reads files.
///
/// # Errors
/// [`LoadError`] with everything that is wrong, not only the first.
pub fn load(root: impl AsRef<Path>) -> Result<Project, LoadError> {
    let project = load_valid_part(root)?;
    match project.is_whole() {
        true => Ok(project),
        false => Err(LoadError { problems: project.problems }),
    }
}

/// The same, but a definition whose file is invalid is withheld, and its problem kept, while the others are given.
///
/// # Errors
/// [`LoadError`] where it is not known what the project holds: there is no such folder, `factum.yaml` is invalid,
/// the teams cannot be listed.
pub fn load_valid_part(root: impl AsRef<Path>) -> Result<Project, LoadError> {
    load_from(&ProjectFiles::once(root.as_ref()))
}

/// The same of files that are read more than once.
pub(crate) fn load_from(files: &ProjectFiles) -> Result<Project, LoadError> {
    let mut loading = Loading::new(files);
    let Some(header) = header::read(files, &mut loading.problems) else {
        return Err(LoadError { problems: loading.problems });
    };
    loading.root_folder();
    loading.platform();
    // Defaults and the list of teams concern everything.
    let items = loading.list("teams");
    let is_known = loading.errors() == 0;
    loading.teams(&items, &header);
    loading.conflicts();
    loading.shared_names();
    loading.problems.sort_by(|a, b| a.order().cmp(&b.order()));
    match is_known {
        true => Ok(loading.into_project(header)),
        false => Err(LoadError { problems: loading.problems }),
    }
}

/// Whether the folder `root` is a project at all, valid or not. Blocking.
///
/// # Errors
/// What it lacks.
pub fn find(root: impl AsRef<Path>) -> Result<(), Problem> {
    header::find(&ProjectFiles::once(root.as_ref()))
}

struct Loading<'a> {
    files: &'a ProjectFiles,
    problems: Vec<Problem>,
    /// What was read of each kind, with its origin; what has errors too.
    read: BTreeMap<ResourceKind, Vec<(SharedDefinition, Origin)>>,
    withheld: BTreeSet<ResourceId>,
    withheld_teams: BTreeSet<TeamName>,
}

impl<'a> Loading<'a> {
    fn new(files: &'a ProjectFiles) -> Self {
        Self {
            files,
            problems: Vec::new(),
            read: BTreeMap::new(),
            withheld: BTreeSet::new(),
            withheld_teams: BTreeSet::new(),
        }
    }

    fn into_project(self, header: Header) -> Project {
        let read: Vec<_> = self.read.into_values().flatten().collect();
        let mut project = Project {
            root: self.files.root().to_owned(),
            name: header.name,
            defaults: header.defaults,
            environments: header.environments,
            definitions: read.iter().map(|(definition, _)| definition).cloned().collect(),
            problems: self.problems,
            withheld: self.withheld,
            withheld_teams: self.withheld_teams,
            origins: read.into_iter().map(|(it, origin)| (ResourceId::of(&*it), origin)).collect(),
        };
        let mut definitions = std::mem::take(&mut project.definitions);
        definitions.retain(|definition| !project.is_withheld(&ResourceId::of(definition)));
        Project { definitions, ..project }
    }

    /// How many errors were found so far.
    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity() == Severity::Error).count()
    }

    fn list(&mut self, path: impl AsRef<Path>) -> Vec<Item> {
        folder::list(self.files, path.as_ref(), &mut self.problems)
    }

    fn root_folder(&mut self) {
        for item in self.list("") {
            if let Some(help) = misplaced::advice_at_root(&item) {
                self.stray(&item, &help);
            }
        }
    }

    fn platform(&mut self) {
        for folder in ["platform", "platform/policies"] {
            for item in self.list(folder) {
                if item.manifest_stem().is_some() {
                    self.later(&item.path);
                }
            }
        }
    }

    fn teams(&mut self, items: &[Item], header: &Header) {
        let is_there = self.files.is_folder(Path::new("teams"));
        if !is_there.unwrap_or_else(|error| is_unanswered(&error)) {
            let problem = Problem::of_file(Path::new("teams"), "the project has no `teams` folder");
            let problem =
                problem.help("every event belongs to a team: make teams/<team>/team.yaml").warning();
            self.problems.push(problem);
        }
        for item in items {
            if let Some(problem) = &item.unreadable {
                self.problems.push(problem.clone());
                self.withheld_teams.extend(TeamName::new(item.name.as_str()));
                continue;
            }
            if !item.is_folder {
                self.stray(item, "a team is a folder: teams/<team>/team.yaml");
                continue;
            }
            match TeamName::new(item.name.as_str()) {
                Ok(name) => self.team(&name, item, header),
                Err(error) => {
                    let problem =
                        Problem::of_file(&item.path, format!("a team cannot have this name: {error}"));
                    self.problems.push(problem.help("rename the folder, for example `store` or `web-shop`"));
                }
            }
        }
    }

    /// Reads a team and its definitions; without its `team.yaml` they are still looked at.
    fn team(&mut self, name: &TeamName, folder: &Item, header: &Header) {
        let before = self.errors();
        let mut items = self.list(&folder.path);
        items.iter().for_each(|item| self.team_item(item));
        // Of team.yaml and team.yml the first counts.
        let mut is_found = false;
        items.retain(|item| item.manifest_stem() != Some("team") || !std::mem::replace(&mut is_found, true));
        if !is_found {
            let problem = Problem::of_file(&folder.path, "the team has no team.yaml");
            let help = format!("make {}/team.yaml, with at least `contact: …`", folder.path.display());
            self.problems.push(problem.help(help));
        }
        let mut folders = BTreeMap::from([("", items)]);
        for kind in KINDS.iter().filter(|kind| !kind.folder.is_empty()) {
            folders.insert(kind.folder, self.list(folder.path.join(kind.folder)));
        }
        let context = Context {
            files: self.files,
            project: &header.name,
            defaults: &header.defaults,
            team: name,
            folders: &folders,
        };
        for kind in ResourceKind::all() {
            let is_team = kind.entry().folder.is_empty();
            self.definitions(kind, &context);
            // What is wrong so far concerns no single definition: what the team defines is not known.
            if is_team && self.errors() > before {
                self.withheld_teams.insert(name.clone());
            }
        }
    }

    /// What lies in the folder of a team.
    fn team_item(&mut self, item: &Item) {
        let name = item.name.as_str();
        let folders = || KINDS.iter().map(|kind| kind.folder).filter(|folder| !folder.is_empty());
        match item.is_folder {
            false if item.manifest_stem() == Some("team") => {}
            true if folders().any(|folder| folder == name) => {}
            true if LATER_FOLDERS.contains(&name) => {
                for inner in self.list(&item.path) {
                    if inner.manifest_stem().is_some() {
                        self.later(&inner.path);
                    }
                }
            }
            false if LATER_FILES.contains(&name) => self.later(&item.path),
            true => {
                let help = match nearest(name, LATER_FOLDERS.iter().copied().chain(folders())) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        let now =
                            in_words(&folders().map(|folder| format!("`{folder}`")).collect::<Vec<_>>());
                        let later = in_words(LATER_FOLDERS);
                        format!("a team has {now}, and in later versions {later}")
                    }
                };
                self.stray(item, &help);
            }
            false if item.manifest_stem().is_some() => {
                self.stray(item, "an event's file belongs into the folder `events`");
            }
            false => self.misplaced(item, ""),
        }
    }

    /// Reads each definition of a kind that a team has.
    fn definitions(&mut self, kind: ResourceKind, context: &Context<'_>) {
        let entry = kind.entry();
        for item in context.folders.get(entry.folder).into_iter().flatten() {
            match (entry.entry)(item) {
                Entry::Manifest(stem) => self.definition(kind, context, item, stem),
                Entry::Later => self.later(&item.path),
                Entry::Stray(help) => self.stray(item, &help),
                Entry::Beside if entry.folder.is_empty() || item.is_folder => {}
                Entry::Beside => self.misplaced(item, entry.folder),
            }
        }
        let read = self.read.get(&kind).into_iter().flatten();
        let read: Vec<_> = read.map(|(definition, _)| &**definition).collect();
        (entry.look_beside)(context, &read, &mut self.problems);
    }

    /// Reads one definition, which is withheld if an error was found in it.
    fn definition(&mut self, kind: ResourceKind, context: &Context<'_>, item: &Item, stem: &str) {
        let before = self.errors();
        let KindEntry { read, word, folder, .. } = kind.entry();
        if let Some((definition, origin)) = read(context, &item.path, stem, &mut self.problems) {
            let known = self.read.entry(kind).or_default();
            match known.iter().find(|(known, _)| known.name() == definition.name()) {
                None => known.push((definition, origin)),
                Some((_, first)) => {
                    let message = format!("{word} {} is defined twice", definition.name());
                    let help =
                        format!("it is also in {}; keep one of the two files", first.file.path.display());
                    self.problems.push(Problem::of_file(&item.path, message).help(help));
                }
            }
        }
        if self.errors() > before && !folder.is_empty() {
            self.withheld.insert(ResourceId::new(kind, format!("{}.{stem}", context.team)));
        }
    }

    /// Withholds what cannot be in force together.
    fn conflicts(&mut self) {
        for kind in ResourceKind::all() {
            let read = self.read.get(&kind).into_iter().flatten();
            let read: Vec<_> = read.map(|(definition, origin)| (&**definition, origin)).collect();
            for conflict in (kind.entry().conflicts)(&read) {
                self.withheld.extend(conflict.names.into_iter().map(|name| ResourceId::new(kind, name)));
                self.problems.push(conflict.problem);
            }
        }
    }

    /// Withholds definitions of different kinds that have one name in SQL: which of the two is meant is for their owners
    /// to say.
    fn shared_names(&mut self) {
        let mut seen: BTreeMap<String, (ResourceId, &Path)> = BTreeMap::new();
        for kind in ResourceKind::all().filter(|kind| kind.entry().is_relation) {
            for (definition, origin) in self.read.get(&kind).into_iter().flatten() {
                let id = ResourceId::of(&**definition);
                let lower = id.name.to_lowercase();
                let Some((other, first)) = seen.get(&lower).filter(|(other, _)| other.kind != kind) else {
                    seen.insert(lower, (id, &origin.file.path));
                    continue;
                };
                let (word, other_word) = (kind.as_str(), other.kind.as_str());
                let message = format!("{word} {} has the name of {other_word} {}", id.name, other.name);
                let help = format!(
                    "that is in {}; topics, views and tables share one space of names: rename one of the two files",
                    first.display()
                );
                self.problems.push(Problem::of_file(&origin.file.path, message).help(help));
                self.withheld.extend([id, other.clone()]);
            }
        }
    }

    fn later(&mut self, path: &Path) {
        let problem = Problem::of_file(path, "not supported by this version yet");
        self.problems.push(problem.help("the file is left alone and has no effect").warning());
    }

    /// Warns of a file that nothing reads, where its name says what was meant.
    fn misplaced(&mut self, item: &Item, folder: &str) {
        if let Some(help) = misplaced::advice(item, folder) {
            self.stray(item, &help);
        }
    }

    fn stray(&mut self, item: &Item, help: &str) {
        let problem = Problem::of_file(&item.path, "nothing reads this").help(help);
        self.problems.push(problem.warning());
    }
}

/// Words as a sentence lists them.
fn in_words(words: &[impl AsRef<str>]) -> String {
    let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => words.concat(),
    }
}
