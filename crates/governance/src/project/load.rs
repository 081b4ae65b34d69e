//! From folder to [`Project`]: every file is looked at, every problem kept.
//!
//! Always holds: a definition whose file has an error is withheld by its name, and a team by its own where it is not
//! known which definitions an error concerns; so nothing that is invalid is taken for something that is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use factum_types::{TeamName, TopicName};

use super::dashboard_file::DashboardOrigin;
use super::folder::{self, Item};
use super::{
    DashboardDefinition, FeedDefinition, LoadError, Origin, PROJECT_FILE, PipelineDefinition, Project,
    TableDefinition, Team, dashboard_file, event_file, feed_file, pipeline_file, project_file, table_file,
    team_file,
};
use crate::problem::{Problem, Severity};
use crate::resource_id::{ResourceId, ResourceKind};
use crate::suggest::nearest;

/// Folders of a team whose contents later versions read.
const LATER_FOLDERS: &[&str] = &["subscriptions", "jobs"];
/// Folders of a team that are read.
const FOLDERS: [&str; 5] = ["events", "tables", "pipelines", "feeds", "dashboards"];
/// Files of a team that later versions read.
const LATER_FILES: &[&str] = &["access.yaml", "access.yml"];

pub(super) fn load(root: &Path) -> Result<Project, LoadError> {
    let mut loading = Loading::new(root);
    let Some(header) = project_file::read(root, &mut loading.problems) else {
        return Err(LoadError { problems: loading.problems });
    };
    loading.platform();
    // Defaults and the list of teams concern everything.
    let items = loading.list("teams");
    let is_known = loading.errors() == 0;
    let teams = loading.teams(&items, &header);
    loading.names_differ_by_more_than_case();
    loading.problems.sort_by(|a, b| a.order().cmp(&b.order()));
    if !is_known {
        return Err(LoadError { problems: loading.problems });
    }
    Ok(Project {
        root: root.to_owned(),
        name: header.name,
        defaults: header.defaults,
        environments: header.environments,
        teams,
        problems: loading.problems,
        withheld: loading.withheld,
        withheld_teams: loading.withheld_teams,
        origins: loading.origins,
        dashboard_origins: loading.dashboards,
    })
}

struct Loading<'a> {
    root: &'a Path,
    problems: Vec<Problem>,
    origins: BTreeMap<TopicName, Origin>,
    dashboards: BTreeMap<String, DashboardOrigin>,
    withheld: BTreeSet<ResourceId>,
    withheld_teams: BTreeSet<TeamName>,
}

impl<'a> Loading<'a> {
    fn new(root: &'a Path) -> Self {
        Self {
            root,
            problems: Vec::new(),
            origins: BTreeMap::new(),
            dashboards: BTreeMap::new(),
            withheld: BTreeSet::new(),
            withheld_teams: BTreeSet::new(),
        }
    }

    /// How many errors were found so far.
    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity() == Severity::Error).count()
    }

    /// Reads one file of the definition `team.stem`, which is withheld if an error was found in it.
    fn definition<T>(
        &mut self,
        kind: ResourceKind,
        team: &TeamName,
        stem: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let before = self.errors();
        let found = read(self);
        if self.errors() > before {
            self.withheld.insert(ResourceId::new(kind, format!("{team}.{stem}")));
        }
        found
    }
    fn list(&mut self, path: impl AsRef<Path>) -> Vec<Item> {
        folder::list(self.root, path.as_ref(), &mut self.problems)
    }

    fn platform(&mut self) {
        for kind in ["platform", "platform/policies"] {
            for item in self.list(kind) {
                if item.manifest_stem().is_some() {
                    self.later(&item.path);
                }
            }
        }
    }

    fn teams(&mut self, items: &[Item], header: &project_file::Header) -> Vec<Team> {
        if !self.root.join("teams").is_dir() {
            let problem = Problem::of_file(Path::new("teams"), "the project has no `teams` folder");
            let problem =
                problem.help("every event belongs to a team: make teams/<team>/team.yaml").warning();
            self.problems.push(problem);
        }
        let mut teams = Vec::new();
        for item in items {
            if !item.is_folder {
                self.stray(item, "a team is a folder: teams/<team>/team.yaml");
                continue;
            }
            match TeamName::new(item.name.as_str()) {
                Ok(name) => teams.extend(self.team(&name, item, header)),
                Err(error) => {
                    let problem =
                        Problem::of_file(&item.path, format!("a team cannot have this name: {error}"));
                    self.problems.push(problem.help("rename the folder, for example `store` or `web-shop`"));
                }
            }
        }
        teams
    }

    /// Reads a team and its definitions; without its `team.yaml` they are still looked at.
    fn team(&mut self, name: &TeamName, folder: &Item, header: &project_file::Header) -> Option<Team> {
        let before = self.errors();
        let items = self.list(&folder.path);
        let definition = match items.iter().find(|item| item.manifest_stem() == Some("team")) {
            Some(item) => team_file::read(self.root, &item.path, name, &header.name, &mut self.problems),
            None => {
                let problem = Problem::of_file(&folder.path, "the team has no team.yaml");
                let help = format!("make {}/team.yaml, with at least `contact: …`", folder.path.display());
                self.problems.push(problem.help(help));
                None
            }
        };
        for item in &items {
            self.team_item(item);
        }
        let [event_files, table_files, pipeline_files, feed_files, dashboard_files] =
            FOLDERS.map(|kind| self.list(folder.path.join(kind)));
        // What is wrong so far concerns no single definition: what the team defines is not known.
        if self.errors() > before {
            self.withheld_teams.insert(name.clone());
        }
        let events = self.events(name, &event_files, header);
        let tables = self.tables(name, &table_files, &header.name);
        let pipelines = self.pipelines(name, &pipeline_files, &header.name);
        // By their files: what is wrong inside an event is no reason to call it unknown.
        let context = feed_file::Context {
            root: self.root,
            project: &header.name,
            team: name,
            events: &stems(&event_files),
            tables: &stems(&table_files),
        };
        let feeds = self.feeds(&context, &feed_files);
        let context = dashboard_file::Context { root: self.root, project: &header.name, team: name };
        let dashboards = self.dashboards(&context, &dashboard_files);
        Some(Team { definition: definition?, events, tables, pipelines, feeds, dashboards })
    }

    fn team_item(&mut self, item: &Item) {
        let name = item.name.as_str();
        match (item.is_folder, name) {
            (false, "team.yaml" | "team.yml") => {}
            (true, name) if FOLDERS.contains(&name) => {}
            (true, name) if LATER_FOLDERS.contains(&name) => {
                for inner in self.list(&item.path) {
                    if inner.manifest_stem().is_some() {
                        self.later(&inner.path);
                    }
                }
            }
            (false, name) if LATER_FILES.contains(&name) => self.later(&item.path),
            (true, name) => {
                let known = LATER_FOLDERS.iter().chain(&FOLDERS).copied();
                let help = match nearest(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        "a team has `events`, `tables`, `pipelines`, `feeds` and `dashboards`, and in later \
                             versions subscriptions and jobs"
                            .to_owned()
                    }
                };
                self.stray(item, &help);
            }
            (false, _) if item.manifest_stem().is_some() => {
                self.stray(item, "an event's file belongs into the folder `events`");
            }
            (false, _) => {}
        }
    }

    fn events(
        &mut self,
        team: &TeamName,
        items: &[Item],
        header: &project_file::Header,
    ) -> Vec<super::EventDefinition> {
        let mut events: Vec<super::EventDefinition> = Vec::new();
        for item in items {
            let Some(stem) = item.manifest_stem() else { continue };
            let context = event_file::Context {
                root: self.root,
                header,
                team,
                siblings: items
                    .iter()
                    .filter(|item| !item.is_folder)
                    .map(|item| item.name.as_str())
                    .collect(),
            };
            let read = self.definition(ResourceKind::Event, team, stem, |loading| {
                let read = event_file::read(&context, &item.path, stem, &mut loading.problems)?;
                let Some(first) = loading.origins.get(&read.0.topic) else { return Some(read) };
                let message = format!("topic {} is defined twice", read.0.topic);
                let first = first.file.path.display();
                let help = format!("it is also in {first}; keep one of the two files");
                loading.problems.push(Problem::of_file(&item.path, message).help(help));
                None
            });
            let Some((event, origin)) = read else { continue };
            self.origins.insert(event.topic.clone(), origin);
            events.push(event);
        }
        self.orphans(items);
        events
    }

    fn tables(&mut self, team: &TeamName, items: &[Item], project: &str) -> Vec<TableDefinition> {
        let siblings = items.iter().filter(|item| !item.is_folder).map(|item| item.name.as_str());
        let context = table_file::Context { root: self.root, project, team, siblings: siblings.collect() };
        self.manifests(
            items,
            (ResourceKind::Table, team),
            |table: &TableDefinition| &table.name,
            |path, stem, problems| table_file::read(&context, path, stem, problems),
        )
    }

    fn feeds(&mut self, context: &feed_file::Context<'_>, items: &[Item]) -> Vec<FeedDefinition> {
        self.no_folders(items, "feeds");
        self.manifests(
            items,
            (ResourceKind::Feed, context.team),
            |feed: &FeedDefinition| &feed.name,
            |path, stem, problems| feed_file::read(context, path, stem, problems),
        )
    }

    fn dashboards(
        &mut self,
        context: &dashboard_file::Context<'_>,
        items: &[Item],
    ) -> Vec<DashboardDefinition> {
        self.no_folders(items, "dashboards");
        let read = self.manifests(
            items,
            (ResourceKind::Dashboard, context.team),
            |(dashboard, _): &(DashboardDefinition, DashboardOrigin)| &dashboard.name,
            |path, stem, problems| dashboard_file::read(context, path, stem, problems),
        );
        let keep = |(dashboard, origin): (DashboardDefinition, _)| {
            self.dashboards.insert(dashboard.name.clone(), origin);
            dashboard
        };
        read.into_iter().map(keep).collect()
    }

    /// Says that folders have no effect where nothing but files is read.
    fn no_folders(&mut self, items: &[Item], what: &str) {
        for item in items.iter().filter(|item| item.is_folder) {
            self.stray(item, &format!("{what} are files of this folder, not folders in it"));
        }
    }

    /// Reads each manifest among `items`; no two of them have one name.
    fn manifests<T>(
        &mut self,
        items: &[Item],
        (kind, team): (ResourceKind, &TeamName),
        name: impl Fn(&T) -> &str,
        mut read: impl FnMut(&Path, &str, &mut Vec<Problem>) -> Option<T>,
    ) -> Vec<T> {
        let mut found: Vec<T> = Vec::new();
        for item in items {
            let Some(stem) = item.manifest_stem() else { continue };
            found.extend(self.definition(kind, team, stem, |loading| {
                let one = read(&item.path, stem, &mut loading.problems)?;
                if !found.iter().any(|known| name(known) == name(&one)) {
                    return Some(one);
                }
                let message = format!("{} {} is defined twice", kind.as_str(), name(&one));
                let problem = Problem::of_file(&item.path, message);
                loading.problems.push(problem.help("keep one of the .yaml and the .yml file"));
                None
            }));
        }
        found
    }

    fn pipelines(&mut self, team: &TeamName, items: &[Item], project: &str) -> Vec<PipelineDefinition> {
        let mut pipelines = Vec::new();
        for item in items {
            if item.is_folder {
                self.stray(item, "pipelines are files of this folder, not folders in it");
            } else if let Some(stem) = item.name.strip_suffix(pipeline_file::ENDING) {
                pipelines.extend(self.definition(ResourceKind::Pipeline, team, stem, |loading| {
                    let read = pipeline_file::read(loading.root, &item.path, stem, team, project);
                    read.map_err(|problem| loading.problems.push(problem)).ok()
                }));
            } else if item.name.ends_with(".test.yaml") {
                self.later(&item.path);
            } else if item.manifest_stem().is_some() {
                self.stray(item, "a pipeline is written in SQL, in a file that ends with .sql");
            }
        }
        pipelines
    }

    /// Contracts without an event: most often a name that was mistyped.
    fn orphans(&mut self, items: &[Item]) {
        let stems = stems(items);
        for item in items {
            if item.is_folder {
                self.stray(item, "events are files of this folder, not folders in it");
                continue;
            }
            let Some((stem, _)) = super::contract::split(&item.name) else { continue };
            let is_used = self.origins.values().any(|origin| origin.contract.as_deref() == Some(&item.path));
            if is_used || stems.contains(&stem) {
                continue;
            }
            let help = match nearest(stem, stems.iter().copied()) {
                Some(near) => format!("did you mean to name it after `{near}.yaml`?"),
                None => format!("add {stem}.yaml beside it, or name it in an event's `schema:`"),
            };
            let problem = Problem::of_file(&item.path, "no event uses this contract").help(help);
            self.problems.push(problem.warning());
        }
    }

    /// SQL does not tell `Orders` from `orders`, nor do the file systems of some of the team's machines.
    fn names_differ_by_more_than_case(&mut self) {
        let mut seen: BTreeMap<String, (&TopicName, &Origin)> = BTreeMap::new();
        for (topic, origin) in &self.origins {
            let Some((other, first)) = seen.insert(topic.as_str().to_lowercase(), (topic, origin)) else {
                continue;
            };
            let message =
                format!("topic {topic} differs only by case from that of {}", first.file.path.display());
            let problem = Problem::of_file(&origin.file.path, message);
            self.problems.push(problem.help("SQL does not tell them apart; rename one of the two files"));
            // Which of the two is in force is not this file's to say.
            for topic in [topic, other] {
                self.withheld.insert(ResourceId::new(ResourceKind::Event, topic.as_str()));
            }
        }
    }

    fn later(&mut self, path: &Path) {
        let problem = Problem::of_file(path, "not supported by this version yet");
        self.problems.push(problem.help("the file is left alone and has no effect").warning());
    }

    fn stray(&mut self, item: &Item, help: &str) {
        let problem = Problem::of_file(&item.path, "nothing reads this").help(help);
        self.problems.push(problem.warning());
    }
}

/// What manifests define, by their files' names.
fn stems(items: &[Item]) -> Vec<&str> {
    items.iter().filter_map(Item::manifest_stem).collect()
}

/// Said when a folder is not a project at all.
pub(super) fn no_project_file(root: &Path) -> Problem {
    let problem = Problem::of_file(Path::new(PROJECT_FILE), "there is no such file");
    if !root.exists() {
        return problem
            .help(format!("the folder {} does not exist; `factum init` makes one", root.display()));
    }
    problem.help(format!("{} is not a project; `factum init` makes one", root.display()))
}
