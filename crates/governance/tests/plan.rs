//! Plans: what they say, and that applying them once is enough.

mod support;

use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use factum_eventlog::{Admin, EventLog, NewRecord, NewTopic, TopicConfig};
use factum_governance::{Catalogue, EventDefinition, Plan, PlanError, TeamDefinition, project};
use factum_types::TopicName;
use support::memory_log::MemoryLog;
use support::{folder, load_and_render, render, write_files};
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
async fn topics_are_given_the_partitions_that_their_file_asks_for() {
    let story = Story::new(PROJECT);
    story.plan().await.expect("plans").apply(&*story.log).await.expect("applies");
    story.write("=== teams/store/events/orders.yaml\nkey: Email\npartitions: 12\n");
    story
        .apply(&expect![[r#"
            store
              ~ event  store.orders
                  partitions  3 → 12
                  retention   30d → 7d

            Plan: 0 to add, 1 to change, 0 to forget.
            0 added, 1 changed, 0 forgotten
        "#]])
        .await;
    let grown = story.log.topic(&topic("store.orders")).await.expect("it is there");
    assert_eq!(grown.partitions.len(), 12);
    let again = story.plan().await.expect("plans");
    assert!(again.is_empty(), "{again}");
}

#[tokio::test]
async fn the_number_of_partitions_cannot_shrink() {
    let story = Story::new(PROJECT);
    story.plan().await.expect("plans").apply(&*story.log).await.expect("applies");
    story.write("=== teams/store/events/orders.yaml\nkey: Email\npartitions: 2\n");
    story.write("=== teams/store/events/clicks.yaml\nsummary: A page was seen by someone.\n");
    let plan = story.plan().await.expect("plans");
    expect![[r#"
        store
          ~ event  store.clicks
              summary  A page was seen. → A page was seen by someone.

        Plan: 0 to add, 1 to change, 0 to forget.
          × topic store.orders has 3 partitions; their number can only grow
           ╭─[teams/store/events/orders.yaml:2:13]
         1 │ key: Email
         2 │ partitions: 2
           ·             ┬
           ·             ╰── asked for here
           ╰────
          help: write `partitions: 3`, or move the facts to a new event with 2
    "#]]
    .assert_eq(&format!(
        "{plan}\n{}",
        render(&plan.problems.iter().map(|(_, problem)| problem.clone()).collect::<Vec<_>>())
    ));
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

#[tokio::test]
async fn an_event_says_every_setting_of_its_topic() {
    let story = Story::new(PROJECT);
    story.plan().await.expect("plans").apply(&*story.log).await.expect("applies");
    story.write(
        "=== teams/store/events/orders.yaml
key: Email
partitions: 3
retention: forever
retention_bytes: 10GiB
segment_bytes: 64MiB
segment_age: 1d
max_message_bytes: 2MiB
compression: zstd
timestamp_type: LogAppendTime
timestamp_before_max: 30d
timestamp_after_max: 1h
",
    );
    story
        .apply(&expect![[r#"
        store
          ~ event  store.orders
              compression           (not set) → zstd
              max_message_bytes     (not set) → 2MiB
              retention             30d → forever
              retention_bytes       (not set) → 10GiB
              segment_age           (not set) → 1d
              segment_bytes         (not set) → 64MiB
              timestamp_after_max   (not set) → 1h
              timestamp_before_max  (not set) → 30d
              timestamp_type        (not set) → LogAppendTime

        Plan: 0 to add, 1 to change, 0 to forget.
        0 added, 1 changed, 0 forgotten
    "#]])
        .await;
    let config = story.log.topic(&topic("store.orders")).await.expect("there").config;
    expect![[r#"
        TopicConfig {
            retention: Some(
                18446744073709551615.999999999s,
            ),
            retention_bytes: Some(
                ByteSize(
                    10737418240,
                ),
            ),
            segment_bytes: Some(
                ByteSize(
                    67108864,
                ),
            ),
            segment_age: Some(
                86400s,
            ),
            max_message_bytes: Some(
                ByteSize(
                    2097152,
                ),
            ),
            cleanup_policy: None,
            delete_retention: None,
            min_compaction_lag: None,
            max_compaction_lag: None,
            min_dirty_ratio: None,
            compression: Some(
                Codec(
                    Zstd,
                ),
            ),
            timestamp_type: Some(
                LogAppendTime,
            ),
            timestamp_before_max: Some(
                2592000s,
            ),
            timestamp_after_max: Some(
                3600s,
            ),
            without_effect: {},
        }
    "#]]
    .assert_debug_eq(&config);
    // What a setting cannot be is told at its place.
    story.write("=== teams/store/events/orders.yaml\nkey: Email\npartitions: 3\nsegment_age: soon\n");
    story.write("=== teams/store/events/clicks.yaml\ncompression: rar\n");
    expect![[r#"
        the project has 2 problems
          × `compression` is not usable: "rar" is not one of producer, uncompressed, gzip, snappy, lz4 or zstd
           ╭─[teams/store/events/clicks.yaml:1:14]
         1 │ compression: rar
           ·              ───
           ╰────
          help: for example `compression: producer`
          × `segment_age` is not usable: "soon" is not a duration; write numbers and units, such as 7d or 1h30m
           ╭─[teams/store/events/orders.yaml:3:14]
         2 │ partitions: 3
         3 │ segment_age: soon
           ·              ────
           ╰────
          help: for example `segment_age: 1d`
    "#]].assert_eq(&load_and_render(story.folder.path()));
}
