//! A project of which a part is wrong, a record of which a part cannot be read, and a state that does not answer now.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use expect_test::{Expect, expect};
use factum_eventlog::{EventLog, NewRecord};
use factum_governance::record::{self, AppliedDefinitions};
use factum_governance::watch::{apply_once, resume};
use factum_governance::{
    Catalogue, Definitions, Effect, EffectError, EventDefinition, PipelineDefinition, Problem, ResourceKind,
};
use factum_types::TopicName;
use support::memory_log::MemoryLog;
use support::{folder, render, write_files};
use tempfile::TempDir;

/// Four teams; the store's view needs the field `total`, the shop's view needs the store's view.
const PROJECT: &str = "=== factum.yaml
name: contoso
=== teams/store/team.yaml
contact: '#store'
=== teams/store/events/orders.yaml
partitions: 1
=== teams/store/events/orders.schema.json
{\"properties\": {\"total\": {\"type\": \"number\"}}}
=== teams/store/pipelines/sales.sql
NEEDS field total
=== teams/shop/team.yaml
contact: '#shop'
=== teams/shop/pipelines/board.sql
NEEDS view store.sales
=== teams/lake/team.yaml
contact: '#lake'
=== teams/lake/pipelines/raw.sql
NEEDS nothing
";

/// A language in which each line of a pipeline needs a view or a field of some contract; what is in effect is remembered.
#[derive(Default)]
struct Needs {
    in_effect: Mutex<BTreeMap<String, String>>,
    is_complete: Mutex<Vec<bool>>,
    unavailable: AtomicUsize,
}

impl Needs {
    fn wrong(wanted: &Definitions) -> Vec<Problem> {
        let is_met = |need: &str| match need.split_once(' ') {
            Some(("view", name)) => wanted.get::<PipelineDefinition>(name).is_some(),
            Some(("field", name)) => {
                let contracts = wanted.of::<EventDefinition>().filter_map(|event| event.contract.as_ref());
                contracts.into_iter().any(|contract| contract.contains(name))
            }
            _ => need == "nothing",
        };
        let pipelines = wanted.of::<PipelineDefinition>();
        let wrong = pipelines.flat_map(|it| {
            let lines = it.sql.lines().filter(|line| !is_met(line.strip_prefix("NEEDS ").unwrap_or("")));
            let starts = lines.filter_map(|line| it.sql.find(line)).collect::<Vec<_>>();
            starts.into_iter().map(|start| {
                let (text, place) = (Arc::clone(&it.sql), start..start + 5);
                Problem::in_text(&it.file, text, place, "there is no such thing", None)
            })
        });
        wrong.collect()
    }

    fn running(&self) -> String {
        let running = self.in_effect.lock().expect("no test panics while holding it");
        running.iter().map(|(name, sql)| format!("{name}: {sql}\n")).collect()
    }
}

#[async_trait]
impl Effect for Needs {
    fn kinds(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<PipelineDefinition>()]
    }

    fn needs(&self) -> Vec<ResourceKind> {
        Vec::new()
    }

    async fn check(&self, wanted: &Definitions) -> Result<(), EffectError> {
        match Self::wrong(wanted) {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(EffectError::Refused(wrong)),
        }
    }

    async fn apply(&self, applied: &Definitions) -> Result<(), EffectError> {
        self.check(applied).await?;
        let mut running = self.in_effect.lock().expect("no test panics while holding it");
        // As the engine: half of it may be done.
        let fails = self.unavailable.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        if fails.is_err() && applied.is_complete() {
            running.retain(|name, _| applied.get::<PipelineDefinition>(name).is_some());
        }
        for pipeline in applied.of::<PipelineDefinition>() {
            running.insert(pipeline.name.to_string(), pipeline.sql.trim().to_owned());
            if fails.is_ok() {
                return Err(EffectError::Unavailable { reason: "the disk is full".to_owned() });
            }
        }
        self.is_complete.lock().expect("no test panics while holding it").push(applied.is_complete());
        Ok(())
    }
}

struct Story {
    folder: TempDir,
    log: MemoryLog,
    catalogue: Catalogue,
    needs: Needs,
}

impl Story {
    async fn new() -> Self {
        let (folder, log) = (folder(PROJECT), MemoryLog::default());
        let story = Self { folder, log, catalogue: Catalogue::new(), needs: Needs::default() };
        story.apply().await;
        story
    }

    fn write(&self, files: &str) {
        write_files(self.folder.path(), files);
    }

    /// Applies the folder; what changed, what is wrong and what runs.
    async fn apply(&self) -> String {
        match apply_once(self.folder.path(), &self.log, &self.catalogue, &self.needs).await {
            Ok((plan, _, problems)) => format!("{plan}\n{}---\n{}", render(&problems), self.needs.running()),
            Err(error) => format!("{error}\n---\n{}", self.needs.running()),
        }
    }

    /// Edits, applies, and what came of it.
    async fn edit(&self, files: &str, expected: &Expect) {
        self.write(files);
        expected.assert_eq(&self.apply().await);
    }

    /// A server that starts on the same log, without the folder.
    async fn restart(&self) -> (Catalogue, Needs) {
        let (catalogue, needs) = (Catalogue::new(), Needs::default());
        resume(&self.log, &catalogue, &needs).await.expect("a start reads what it can");
        (catalogue, needs)
    }

    async fn record(&self, key: Option<&str>, value: &str) {
        let topic = TopicName::new(record::TOPIC).expect("valid");
        let key = key.map(|key| Bytes::copy_from_slice(key.as_bytes()));
        let value = Some(Bytes::copy_from_slice(value.as_bytes()));
        let record = NewRecord { partition: Some(0), key, value, ..NewRecord::default() };
        self.log.produce(&topic, vec![record]).await.expect("taken");
    }
}

fn problems(catalogue: &Catalogue) -> String {
    catalogue.problems().iter().map(|problem| format!("{problem}\n")).collect()
}

#[tokio::test]
async fn every_problem_of_a_file_is_told() {
    let story = Story::new().await;
    story.write("=== teams/lake/pipelines/raw.sql\nNEEDS nothing\nNEEDS view a.b\nNEEDS field c\n");
    let told = story.apply().await;
    let places: Vec<_> = told.lines().filter(|line| line.contains("raw.sql:")).map(str::trim).collect();
    assert_eq!(
        places,
        ["╭─[teams/lake/pipelines/raw.sql:2:1]", "╭─[teams/lake/pipelines/raw.sql:3:1]"],
        "{told}"
    );
}

#[tokio::test]
async fn a_wrong_file_of_one_team_holds_up_nobody_else() {
    let story = Story::new().await;
    // A manifest that cannot be read, a view that asks for what is not there, and two changes that are good.
    story
        .edit(
            "=== teams/store/events/orders.yaml
partitons: 1
=== teams/shop/pipelines/board.sql
NEEDS view store.slaes
=== teams/lake/pipelines/raw.sql
NEEDS field total
=== teams/lake/events/files.yaml
partitions: 2
",
            &expect![[r#"
                lake
                  + event  lake.files  json, 2 partitions
                  ~ sql    lake.raw
                      sql  NEEDS nothing → NEEDS field total

                Plan: 1 to add, 1 to change, 0 to forget.
                  × there is no such thing
                   ╭─[teams/shop/pipelines/board.sql:1:1]
                 1 │ NEEDS view store.slaes
                   · ─────
                   ╰────
                  × there is no field `partitons`
                   ╭─[teams/store/events/orders.yaml:1:1]
                 1 │ partitons: 1
                   · ────┬────
                   ·     ╰── did you mean `partitions`?
                   ╰────
                  help: known here: capture, cleanup_policy, compression, delete_retention, format, key, lateness,
                        max_compaction_lag, max_message_bytes, min_compaction_lag, min_dirty_ratio, partitions, retention,
                        retention_bytes, schema, segment_age, segment_bytes, source, summary, time, timestamp_after_max,
                        timestamp_before_max, timestamp_type, type, visibility
                ---
                lake.raw: NEEDS field total
                shop.board: NEEDS view store.sales
                store.sales: NEEDS field total
            "#]],
        )
        .await;
    // Put right, all of it is applied.
    story
        .edit(
            "=== teams/store/events/orders.yaml
partitions: 1
summary: Paid.
=== teams/shop/pipelines/board.sql
NEEDS nothing
",
            &expect![[r#"
                shop
                  ~ sql    shop.board
                      sql  NEEDS view store.sales → NEEDS nothing
                store
                  ~ event  store.orders
                      summary  (not set) → Paid.

                Plan: 0 to add, 2 to change, 0 to forget.
                ---
                lake.raw: NEEDS field total
                shop.board: NEEDS nothing
                store.sales: NEEDS field total
            "#]],
        )
        .await;
}

#[tokio::test]
async fn a_change_that_breaks_a_view_in_force_is_withheld_and_others_are_not() {
    let story = Story::new().await;
    story
        .edit(
            "=== teams/store/events/orders.schema.json
{\"properties\": {\"amount\": {\"type\": \"number\"}}}
=== teams/lake/pipelines/raw.sql
NEEDS view store.sales
",
            &expect![[r#"
                lake
                  ~ sql    lake.raw
                      sql  NEEDS nothing → NEEDS view store.sales

                Plan: 0 to add, 1 to change, 0 to forget.
                  × teams/store/events/orders.yaml: the change is not applied: pipeline/store.sales, which is in force,
                  │ cannot run with it
                  help: change both together, or put this file back
                  × there is no such thing
                   ╭─[teams/store/pipelines/sales.sql:1:1]
                 1 │ NEEDS field total
                   · ─────
                   ╰────
                ---
                lake.raw: NEEDS view store.sales
                shop.board: NEEDS view store.sales
                store.sales: NEEDS field total
            "#]],
        )
        .await;
}

#[tokio::test]
async fn a_view_that_others_read_is_not_forgotten_under_them() {
    let story = Story::new().await;
    std::fs::remove_file(story.folder.path().join("teams/store/pipelines/sales.sql")).expect("removed");
    story.edit("", &expect![[r#"
        No changes: contoso is applied as it stands.
          × there is no such thing
           ╭─[teams/shop/pipelines/board.sql:1:1]
         1 │ NEEDS view store.sales
           · ─────
           ╰────
          × teams/store/pipelines/sales.sql: the change is not applied: pipeline/shop.board, which is in force,
          │ cannot run with it
          help: change both together, or put this file back
        ---
        lake.raw: NEEDS nothing
        shop.board: NEEDS view store.sales
        store.sales: NEEDS field total
    "#]]).await;
}

#[tokio::test]
async fn an_invalid_team_or_folder_is_not_taken_for_one_that_is_gone() {
    let story = Story::new().await;
    let team = story.folder.path().join("teams/shop");
    std::fs::remove_file(team.join("team.yaml")).expect("removed");
    std::os::unix::fs::symlink("nowhere", team.join("pipelines/more.sql")).expect("linked");
    story
        .edit(
            "",
            &expect![[r#"
        No changes: contoso is applied as it stands.
          × teams/shop: the team has no team.yaml
          help: make teams/shop/team.yaml, with at least `contact: …`
          × teams/shop/pipelines/more.sql: cannot be read: No such file or directory (os error 2)
          help: if it is a symbolic link, its target is missing
        ---
        lake.raw: NEEDS nothing
        shop.board: NEEDS view store.sales
        store.sales: NEEDS field total
    "#]],
        )
        .await;
}

/// Teams that lie on a mount that is gone, and files with their data.
#[tokio::test]
async fn a_link_that_leads_nowhere_is_wrong_by_itself() {
    let story = Story::new().await;
    let teams = story.folder.path().join("teams");
    let link = |path: &str| std::os::unix::fs::symlink("nowhere", teams.join(path)).expect("linked");
    std::fs::remove_dir_all(teams.join("lake")).expect("removed");
    link("lake");
    std::fs::remove_dir_all(teams.join("shop/pipelines")).expect("removed");
    link("shop/pipelines");
    link("store/pipelines/more.sql");
    link("../data");
    let files = "=== teams/store/pipelines/new.sql\nNEEDS nothing\n";
    story
        .edit(
            files,
            &expect![[r#"
                store
                  + sql    store.new

                Plan: 1 to add, 0 to change, 0 to forget.
                  × teams/lake: cannot be read: No such file or directory (os error 2)
                  help: if it is a symbolic link, its target is missing
                  × teams/shop/pipelines: cannot be read: No such file or directory (os error 2)
                  help: if it is a symbolic link, its target is missing
                  × teams/store/pipelines/more.sql: cannot be read: No such file or directory (os error 2)
                  help: if it is a symbolic link, its target is missing
                ---
                lake.raw: NEEDS nothing
                shop.board: NEEDS view store.sales
                store.new: NEEDS nothing
                store.sales: NEEDS field total
            "#]],
        )
        .await;
}

#[tokio::test]
async fn unreadable_resource_records_are_skipped_and_listed() {
    let story = Story::new().await;
    story.record(None, "junk").await;
    story.record(Some("subscription/store.mail"), "{}").await;
    story.record(Some("pipeline/lake.raw"), "no JSON").await;
    story.record(Some("pipeline/store.sales"), "{\"name\": 7}").await;
    let (catalogue, needs) = story.restart().await;
    expect![[r#"
        _factum.resources: offset 7: a record without a key is no definition
        _factum.resources: offset 8, key subscription/store.mail: this version knows no such definition
        _factum.resources: offset 9, key pipeline/lake.raw: the value is no definition that this version reads: expected ident at line 1 column 2
        _factum.resources: offset 10, key pipeline/store.sales: the value is no definition that this version reads: invalid type: integer `7`, expected a string at line 1 column 10
    "#]].assert_eq(&problems(&catalogue));
    // What was known of them before runs, and nothing is dropped.
    expect![[r#"
        lake.raw: NEEDS nothing
        shop.board: NEEDS view store.sales
        store.sales: NEEDS field total
    "#]]
    .assert_eq(&needs.running());
    assert_eq!(*needs.is_complete.lock().expect("unlocked"), [false]);

    // Applying the folder records it all again, and the fault is over.
    expect![[r#"
        lake
          ~ sql    lake.raw
        store
          ~ sql    store.sales

        Plan: 0 to add, 2 to change, 0 to forget.
        ---
        lake.raw: NEEDS nothing
        shop.board: NEEDS view store.sales
        store.sales: NEEDS field total
    "#]]
    .assert_eq(&story.apply().await);
    let (catalogue, needs) = story.restart().await;
    assert_eq!(problems(&catalogue), "");
    assert_eq!(*needs.is_complete.lock().expect("unlocked"), [true]);
}

#[tokio::test]
async fn a_hole_in_the_record_drops_no_view() {
    let story = Story::new().await;
    let topic = TopicName::new(record::TOPIC).expect("valid");
    let partition = factum_types::TopicPartition::new(topic, 0);
    let end = story.log.offset_of(&partition, factum_eventlog::Position::Latest).await.expect("an end").get();
    story.log.damage(0..end);
    let catalogue = Catalogue::new();
    // The same engine: what it runs is not in what could be read, and goes on.
    resume(&story.log, &catalogue, &story.needs).await.expect("a start reads what it can");
    let running = story.needs.running();
    expect![[r#"
        lake.raw: NEEDS nothing
        shop.board: NEEDS view store.sales
        store.sales: NEEDS field total
    "#]]
    .assert_eq(&running);
    assert!(
        problems(&catalogue).contains("what was recorded there is not known"),
        "{}",
        problems(&catalogue)
    );

    let said = story.apply().await;
    assert!(said.contains("Plan: 7 to add"), "{said}");
    let (catalogue, needs) = story.restart().await;
    assert_eq!((problems(&catalogue).as_str(), needs.running()), ("", running));
}

#[tokio::test]
async fn a_read_that_fails_for_the_moment_is_an_error_that_says_so() {
    let story = Story::new().await;
    story.log.fail_reads(1);
    let error = resume(&story.log, &Catalogue::new(), &story.needs).await.expect_err("one read fails");
    assert!(error.is_transient());
    resume(&story.log, &Catalogue::new(), &story.needs).await.expect("the next does not");
}

#[tokio::test]
async fn only_what_is_in_effect_is_recorded() {
    let story = Story::new().await;
    story.write("=== teams/lake/pipelines/raw.sql\nNEEDS field total\n=== teams/shop/pipelines/board.sql\nNEEDS nothing\n");
    story.needs.unavailable.store(1, Ordering::Relaxed);
    let error = apply_once(story.folder.path(), &story.log, &story.catalogue, &story.needs).await;
    assert!(error.expect_err("the state does not answer").is_transient());
    let recorded = AppliedDefinitions::read(&story.log).await.expect("readable");
    let pipeline =
        recorded.definitions().get_shared::<PipelineDefinition>("lake.raw").expect("it is recorded");
    assert_eq!(&*pipeline.sql, "NEEDS nothing\n");
    expect![[r#"
        lake
          ~ sql    lake.raw
              sql  NEEDS nothing → NEEDS field total
        shop
          ~ sql    shop.board
              sql  NEEDS view store.sales → NEEDS nothing

        Plan: 0 to add, 2 to change, 0 to forget.
        ---
        lake.raw: NEEDS field total
        shop.board: NEEDS nothing
        store.sales: NEEDS field total
    "#]]
    .assert_eq(&story.apply().await);
}

#[tokio::test]
async fn resource_records_that_this_version_refuses_hold_up_nothing_else() {
    let story = Story::new().await;
    let sql = r#"{"name":"lake.old","team":"lake","project":"contoso","file":"teams/lake/pipelines/old.sql","sql":"NEEDS magic"}"#;
    story.record(Some("pipeline/lake.old"), sql).await;
    let (catalogue, needs) = story.restart().await;
    expect![[r#"
        lake.raw: NEEDS nothing
        shop.board: NEEDS view store.sales
        store.sales: NEEDS field total
    "#]]
    .assert_eq(&needs.running());
    assert_eq!(*needs.is_complete.lock().expect("unlocked"), [false], "its state is kept");
    assert_eq!(catalogue.problems()[0].file(), Path::new("teams/lake/pipelines/old.sql"));
}
