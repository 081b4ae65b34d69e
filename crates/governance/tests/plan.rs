//! Plans: what they say, and that applying them once is enough.

mod support;

use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use factum_eventlog::{Admin, EventLog, NewRecord, NewTopic, TopicConfig};
use factum_governance::{Catalogue, EventDefinition, Plan, PlanError, TeamDefinition, project};
use factum_types::TopicName;
use support::memory_log::MemoryLog;
use support::{folder, render, write_files};
use tempfile::TempDir;

const PROJECT: &str = "=== factum.yaml
name: contoso
defaults: { retention: 7d }
=== teams/store/team.yaml
contact: '#store'
=== teams/store/events/orders.yaml
key: Email
partitions: 3
retention: 30d
=== teams/store/events/clicks.yaml
summary: A page was seen.
=== teams/catalog/team.yaml
summary: Keeps the movies.
";

struct Story {
    folder: TempDir,
    log: Arc<MemoryLog>,
}

impl Story {
    fn new(files: &str) -> Self {
        Self { folder: folder(files), log: Arc::default() }
    }

    async fn plan(&self) -> Result<Plan, PlanError> {
        let project = project::load(self.folder.path()).expect("the project loads");
        Plan::between(&project, &*self.log).await
    }

    /// Plans, applies, and checks that nothing is left to do.
    async fn apply(&self, expected: &Expect) {
        let plan = self.plan().await.expect("the project can be planned");
        let applied = plan.apply(&*self.log).await.expect("the plan applies");
        expected.assert_eq(&format!("{plan}\n{applied}\n"));
        let writes = self.log.writes();
        let again = self.plan().await.expect("the project can be planned");
        assert_eq!(again.to_string(), "No changes: contoso is applied as it stands.");
        again.apply(&*self.log).await.expect("an empty plan applies");
        assert_eq!(self.log.writes(), writes, "an empty plan writes nothing");
    }

    fn write(&self, files: &str) {
        write_files(self.folder.path(), files);
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.folder.path().join(path)).expect("remove the file");
    }
}

fn topic(name: &str) -> TopicName {
    TopicName::new(name).expect("a valid name")
}

#[tokio::test]
async fn a_new_project_changes_and_shrinks() {
    let story = Story::new(PROJECT);
    story
        .apply(&expect![[r#"
        catalog
          + team   catalog
        store
          + team   store
          + event  store.clicks  json, kept 7d
          + event  store.orders  json, 3 partitions, key Email, kept 30d

        Plan: 4 to add, 0 to change, 0 to forget.
        4 added, 0 changed, 0 forgotten
    "#]])
        .await;
    let orders = story.log.topic(&topic("store.orders")).await.expect("made");
    assert_eq!(orders.partitions.len(), 3);
    assert_eq!(orders.config.retention, Some(Duration::from_secs(30 * 86_400)));

    story.write("=== teams/store/events/orders.yaml\nkey: OrderId\npartitions: 3\nsummary: Paid.\n");
    story.write("=== teams/store/team.yaml\ncontact: '#store'\nmembers: [ada, grace]\n");
    story
        .apply(&expect![[r#"
        store
          ~ team   store
              members  (not set) → ada, grace
          ~ event  store.orders
              key        Email → OrderId
              retention  30d → 7d
              summary    (not set) → Paid.

        Plan: 0 to add, 2 to change, 0 to forget.
        0 added, 2 changed, 0 forgotten
    "#]])
        .await;

    let record = NewRecord { value: Some("{}".into()), ..NewRecord::default() };
    story.log.produce(&topic("store.clicks"), vec![record]).await.expect("stored");
    story.remove("teams/store/events/clicks.yaml");
    story.remove("teams/catalog/team.yaml");
    std::fs::remove_dir(story.folder.path().join("teams/catalog")).expect("empty by now");
    story
        .apply(&expect![[r#"
        catalog
          - team   catalog  forgotten
        store
          - event  store.clicks  forgotten; its topic stays, with 1 record

        Plan: 0 to add, 0 to change, 2 to forget.
        0 added, 0 changed, 2 forgotten
    "#]])
        .await;
    assert!(story.log.topic(&topic("store.clicks")).await.is_ok(), "the topic stays");
}

#[tokio::test]
async fn a_topic_that_exists_is_adopted() {
    let story = Story::new(PROJECT);
    let config = TopicConfig { retention: Some(Duration::from_secs(5)), ..TopicConfig::default() };
    let new = NewTopic { name: topic("store.clicks"), partitions: Some(7), config };
    story.log.create_topic(new).await.expect("made");
    story
        .apply(&expect![[r#"
        catalog
          + team   catalog
        store
          + team   store
          + event  store.clicks  json, 7 partitions, kept 7d; its topic exists, with no records
          + event  store.orders  json, 3 partitions, key Email, kept 30d

        Plan: 4 to add, 0 to change, 0 to forget.
        4 added, 0 changed, 0 forgotten
    "#]])
        .await;
    assert_eq!(story.log.topic(&topic("store.clicks")).await.expect("there").partitions.len(), 7);
}

#[tokio::test]
async fn configuration_changed_by_another_door_is_put_back() {
    let story = Story::new(PROJECT);
    story.plan().await.expect("plans").apply(&*story.log).await.expect("applies");
    story.log.alter_topic(&topic("store.orders"), TopicConfig::default()).await.expect("altered");
    story
        .apply(&expect![[r#"
        store
          ~ event  store.orders
              retention  (not set) → 30d

        Plan: 0 to add, 1 to change, 0 to forget.
        0 added, 1 changed, 0 forgotten
    "#]])
        .await;
}

#[tokio::test]
async fn the_number_of_partitions_cannot_change() {
    let story = Story::new(PROJECT);
    story.plan().await.expect("plans").apply(&*story.log).await.expect("applies");
    story.write("=== teams/store/events/orders.yaml\nkey: Email\npartitions: 12\n");
    story.write("=== teams/store/events/clicks.yaml\nsummary: A page was seen by someone.\n");
    let plan = story.plan().await.expect("plans");
    expect![[r#"
        store
          ~ event  store.clicks
              summary  A page was seen. → A page was seen by someone.

        Plan: 0 to add, 1 to change, 0 to forget.
          × topic store.orders has 3 partitions; the number cannot change yet
           ╭─[teams/store/events/orders.yaml:2:13]
         1 │ key: Email
         2 │ partitions: 12
           ·             ─┬
           ·              ╰── asked for here
           ╰────
          help: write `partitions: 3`, or move the facts to a new event with 12: a changed number would send the
                same key to another partition
    "#]].assert_eq(&format!("{plan}\n{}", render(&plan.problems.iter().map(|(_, problem)| problem.clone()).collect::<Vec<_>>())));
}

#[tokio::test]
async fn the_catalogue_is_rebuilt_from_the_log() {
    let story = Story::new(PROJECT);
    story.plan().await.expect("plans").apply(&*story.log).await.expect("applies");
    let catalogue = Catalogue::load(&*story.log).await.expect("loads");
    let teams: Vec<String> =
        catalogue.of::<TeamDefinition>().iter().map(|team| team.name.to_string()).collect();
    assert_eq!(teams, ["catalog", "store"]);
    let mut applied: Vec<_> =
        catalogue.of::<EventDefinition>().iter().map(|event| (**event).clone()).collect();
    let project = project::load(story.folder.path()).expect("loads");
    let mut written: Vec<_> = project.definitions.of::<EventDefinition>().cloned().collect();
    // The log chose for the one that did not say.
    written[0].partitions = Some(4);
    applied.sort_by(|a, b| a.topic.cmp(&b.topic));
    assert_eq!(applied, written);
}
