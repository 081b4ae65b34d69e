//! From folder to [`Project`]: every file is looked at, every problem kept.

use std::collections::BTreeMap;
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
use crate::suggest::nearest;

/// Folders of a team whose contents later versions read.
const LATER_FOLDERS: &[&str] = &["subscriptions", "jobs"];
/// Folders of a team that are read.
const FOLDERS: &[&str] = &["events", "tables", "pipelines", "feeds", "dashboards"];
/// Files of a team that later versions read.
const LATER_FILES: &[&str] = &["access.yaml", "access.yml"];

pub(super) fn load(root: &Path) -> Result<Project, LoadError> {
    let mut loading =
        Loading { root, problems: Vec::new(), origins: BTreeMap::new(), dashboards: BTreeMap::new() };
    let Some(header) = project_file::read(root, &mut loading.problems) else {
        return Err(LoadError { problems: loading.problems });
    };
    loading.platform();
    let teams = loading.teams(&header);
    loading.names_differ_by_more_than_case();
    loading.problems.sort_by(|a, b| a.order().cmp(&b.order()));
    if loading.problems.iter().any(|problem| problem.severity() == Severity::Error) {
        return Err(LoadError { problems: loading.problems });
    }
    Ok(Project {
        root: root.to_owned(),
        name: header.name,
        defaults: header.defaults,
        environments: header.environments,
        teams,
        warnings: loading.problems,
        origins: loading.origins,
        dashboard_origins: loading.dashboards,
    })
}

struct Loading<'a> {
    root: &'a Path,
    problems: Vec<Problem>,
    origins: BTreeMap<TopicName, Origin>,
    dashboards: BTreeMap<String, DashboardOrigin>,
}

impl Loading<'_> {
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

    fn teams(&mut self, header: &project_file::Header) -> Vec<Team> {
        if !self.root.join("teams").is_dir() {
            let problem = Problem::of_file(Path::new("teams"), "the project has no `teams` folder");
            let problem =
                problem.help("every event belongs to a team: make teams/<team>/team.yaml").warning();
            self.problems.push(problem);
        }
        let mut teams = Vec::new();
        for item in self.list("teams") {
            if !item.is_folder {
                self.stray(&item, "a team is a folder: teams/<team>/team.yaml");
                continue;
            }
            match TeamName::new(item.name.as_str()) {
                Ok(name) => teams.extend(self.team(&name, &item, header)),
                Err(error) => {
                    let problem =
                        Problem::of_file(&item.path, format!("a team cannot have this name: {error}"));
                    self.problems.push(problem.help("rename the folder, for example `store` or `web-shop`"));
                }
            }
        }
        teams
    }

    /// Reads a team and its events; without its `team.yaml` the events are still looked at.
    fn team(&mut self, name: &TeamName, folder: &Item, header: &project_file::Header) -> Option<Team> {
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
        let event_files = self.list(folder.path.join("events"));
        let table_files = self.list(folder.path.join("tables"));
        let events = self.events(name, &event_files, header);
        let tables = self.tables(name, &table_files, &header.name);
        let pipelines = self.pipelines(name, &folder.path.join("pipelines"), &header.name);
        // By their files: what is wrong inside an event is no reason to call it unknown.
        let context = feed_file::Context {
            root: self.root,
            project: &header.name,
            team: name,
            events: &stems(&event_files),
            tables: &stems(&table_files),
        };
        let feeds = self.feeds(&context, &folder.path.join("feeds"));
        let context = dashboard_file::Context { root: self.root, project: &header.name, team: name };
        let dashboards = self.dashboards(&context, &folder.path.join("dashboards"));
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
                let known = LATER_FOLDERS.iter().chain(FOLDERS).copied();
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
            let Some((event, origin)) = event_file::read(&context, &item.path, stem, &mut self.problems)
            else {
                continue;
            };
            if let Some(first) = self.origins.get(&event.topic) {
                let message = format!("topic {} is defined twice", event.topic);
                let help = format!("it is also in {}; keep one of the two files", first.file.path.display());
                self.problems.push(Problem::of_file(&item.path, message).help(help));
                continue;
            }
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
            "table",
            |table: &TableDefinition| &table.name,
            |path, stem, problems| table_file::read(&context, path, stem, problems),
        )
    }

    fn feeds(&mut self, context: &feed_file::Context<'_>, path: &Path) -> Vec<FeedDefinition> {
        let items = self.files(path, "feeds");
        self.manifests(
            &items,
            "feed",
            |feed: &FeedDefinition| &feed.name,
            |path, stem, problems| feed_file::read(context, path, stem, problems),
        )
    }

    fn dashboards(&mut self, context: &dashboard_file::Context<'_>, path: &Path) -> Vec<DashboardDefinition> {
        let items = self.files(path, "dashboards");
        let read = self.manifests(
            &items,
            "dashboard",
            |(dashboard, _): &(DashboardDefinition, DashboardOrigin)| &dashboard.name,
            |path, stem, problems| dashboard_file::read(context, path, stem, problems),
        );
        let keep = |(dashboard, origin): (DashboardDefinition, _)| {
            self.dashboards.insert(dashboard.name.clone(), origin);
            dashboard
        };
        read.into_iter().map(keep).collect()
    }

    /// What lies in a folder that holds nothing but files.
    fn files(&mut self, path: &Path, what: &str) -> Vec<Item> {
        let items = self.list(path);
        for item in items.iter().filter(|item| item.is_folder) {
            self.stray(item, &format!("{what} are files of this folder, not folders in it"));
        }
        items
    }

    /// Reads each manifest among `items`; no two of them have one name.
    fn manifests<T>(
        &mut self,
        items: &[Item],
        noun: &str,
        name: impl Fn(&T) -> &str,
        mut read: impl FnMut(&Path, &str, &mut Vec<Problem>) -> Option<T>,
    ) -> Vec<T> {
        let mut found: Vec<T> = Vec::new();
        for item in items {
            let Some(stem) = item.manifest_stem() else { continue };
            let Some(one) = read(&item.path, stem, &mut self.problems) else { continue };
            if found.iter().any(|known| name(known) == name(&one)) {
                let message = format!("{noun} {} is defined twice", name(&one));
                let problem = Problem::of_file(&item.path, message);
                self.problems.push(problem.help("keep one of the .yaml and the .yml file"));
                continue;
            }
            found.push(one);
        }
        found
    }

    fn pipelines(&mut self, team: &TeamName, path: &Path, project: &str) -> Vec<PipelineDefinition> {
        let mut pipelines = Vec::new();
        for item in self.list(path) {
            if item.is_folder {
                self.stray(&item, "pipelines are files of this folder, not folders in it");
            } else if let Some(stem) = item.name.strip_suffix(pipeline_file::ENDING) {
                match pipeline_file::read(self.root, &item.path, stem, team, project) {
                    Ok(pipeline) => pipelines.push(pipeline),
                    Err(problem) => self.problems.push(problem),
                }
            } else if item.name.ends_with(".test.yaml") {
                self.later(&item.path);
            } else if item.manifest_stem().is_some() {
                self.stray(&item, "a pipeline is written in SQL, in a file that ends with .sql");
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
        let mut seen: BTreeMap<String, &Origin> = BTreeMap::new();
        for (topic, origin) in &self.origins {
            let Some(first) = seen.insert(topic.as_str().to_lowercase(), origin) else { continue };
            let message =
                format!("topic {topic} differs only by case from that of {}", first.file.path.display());
            let problem = Problem::of_file(&origin.file.path, message);
            self.problems.push(problem.help("SQL does not tell them apart; rename one of the two files"));
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
