//! Tables and pipelines: found in the folder, checked by their effect, kept on the log.

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use expect_test::{Expect, expect};
use factum_governance::watch::apply_once;
use factum_governance::{
    Catalogue, Definitions, Effect, EffectError, EventDefinition, PipelineDefinition, Problem, ResourceKind,
    TableDefinition,
};
use support::memory_log::MemoryLog;
use support::{folder, load_and_render, render, write_files};

const PROJECT: &str = "=== factum.yaml
name: contoso
=== teams/store/team.yaml
contact: '#store'
=== teams/store/events/orders.yaml
key: Email
partitions: 1
=== teams/store/events/orders.schema.json
{\"properties\": {\"Email\": {\"type\": \"string\"}}}
=== teams/store/tables/products.yaml
summary: What can be bought.
from: data/products.csv
key: ItemId
=== teams/store/tables/data/products.csv
ItemId,Name
1,Alien
2,Up
=== teams/store/pipelines/orders_by_customer.sql
CREATE MATERIALIZED VIEW orders_by_customer AS
  SELECT email, count(*) AS orders FROM orders GROUP BY email;
";

/// Finds fault with the word DROP, and remembers what it was given.
#[derive(Default)]
struct Critic(Mutex<Vec<String>>);

impl Critic {
    fn note(&self, what: &str, declared: &Definitions) {
        let tables: Vec<_> = declared.of::<TableDefinition>().map(|table| table.name.as_str()).collect();
        let pipelines: Vec<_> = declared.of::<PipelineDefinition>().map(|it| it.name.as_str()).collect();
        let contracts = declared.of::<EventDefinition>().filter(|event| event.contract.is_some()).count();
        let line = format!("{what} [{}] [{}] {contracts} contract", tables.join(" "), pipelines.join(" "));
        self.0.lock().expect("no test panics while holding it").push(line);
    }

    fn notes(&self) -> String {
        std::mem::take(&mut *self.0.lock().expect("no test panics while holding it")).join("\n")
    }
}

#[async_trait]
impl Effect for Critic {
    fn kinds(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<PipelineDefinition>()]
    }

    fn needs(&self) -> Vec<ResourceKind> {
        Vec::new()
    }

    async fn check(&self, wanted: &Definitions) -> Result<(), EffectError> {
        self.note("check", wanted);
        let pipelines = wanted.of::<PipelineDefinition>();
        let wrong = pipelines.filter_map(|pipeline| Some((pipeline, pipeline.sql.find("DROP")?)));
        let problem = |file: &Path, text: &Arc<str>, at: usize| {
            let help = Some("a view ends when its statement leaves the file".to_owned());
            Problem::in_text(file, Arc::clone(text), at..at + 4, "there is no DROP in a pipeline", help)
        };
        let wrong: Vec<_> = wrong.map(|(pipeline, at)| problem(&pipeline.file, &pipeline.sql, at)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(EffectError::Refused(wrong)) }
    }

    async fn apply(&self, applied: &Definitions) -> Result<(), EffectError> {
        self.note("apply", applied);
        Ok(())
    }
}

#[tokio::test]
async fn sql_is_checked_before_anything_is_applied() {
    let (folder, log, catalogue) = (folder(PROJECT), MemoryLog::default(), Catalogue::new());
    let critic = Critic::default();
    let (plan, ..) = apply_once(folder.path(), &log, &catalogue, &critic).await.expect("the project applies");
    expect![[r#"
        store
          + team   store
          + event  store.orders  json, 1 partition, key Email
          + table  store.products  key ItemId, from products.csv
          + sql    store.orders_by_customer

        Plan: 4 to add, 0 to change, 0 to forget."#]]
    .assert_eq(&plan.to_string());
    expect![[r#"
        check [store.products] [store.orders_by_customer] 1 contract
        apply [store.products] [store.orders_by_customer] 1 contract"#]]
    .assert_eq(&critic.notes());

    write_files(folder.path(), "=== teams/store/pipelines/broken.sql\n-- Nothing.\nDROP VIEW x;\n");
    let writes = log.writes();
    let (plan, _, problems) =
        apply_once(folder.path(), &log, &catalogue, &critic).await.expect("the rest applies");
    assert!(plan.is_empty(), "{plan}");
    expect![[r#"
        applied, with:
          × there is no DROP in a pipeline
           ╭─[teams/store/pipelines/broken.sql:2:1]
         1 │ -- Nothing.
         2 │ DROP VIEW x;
           · ────
           ╰────
          help: a view ends when its statement leaves the file
    "#]]
    .assert_eq(&format!("applied, with:\n{}", render(&problems)));
    assert_eq!(log.writes(), writes, "there was nothing else to apply");
    assert_eq!(catalogue.problems().len(), 1);
    assert_eq!(catalogue.of::<PipelineDefinition>().len(), 1, "the last good project stays");
    let status = catalogue.project();
    assert_eq!((status.name.as_deref(), status.folder.as_deref()), (Some("contoso"), Some(folder.path())));
    assert!(status.applied_at.is_some());
    expect!["one error: what it concerns stays as it was; the rest is applied"]
        .assert_eq(&status.failure.unwrap_or_default());
    let problem = serde_json::to_value(&status.problems[0]).expect("text and numbers");
    expect![[r#"
        {
          "severity": "error",
          "message": "there is no DROP in a pipeline",
          "file": "teams/store/pipelines/broken.sql",
          "line": 2,
          "column": 1,
          "help": "a view ends when its statement leaves the file",
          "excerpt": "1 | -- Nothing.\n2 | DROP VIEW x;\n  | ^^^^"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&problem).expect("JSON"));

    std::fs::remove_file(folder.path().join("teams/store/pipelines/broken.sql")).expect("removed");
    apply_once(folder.path(), &log, &catalogue, &critic).await.expect("the project applies");
    assert!(catalogue.problems().is_empty() && catalogue.project().failure.is_none());
}

#[tokio::test]
async fn changes_and_removals_are_recorded() {
    let (folder, log, catalogue) = (folder(PROJECT), MemoryLog::default(), Catalogue::new());
    apply_once(folder.path(), &log, &catalogue, &()).await.expect("the project applies");
    let change = "=== teams/store/tables/data/products.csv\nItemId,Name\n1,Alien\n3,Heat\n
=== teams/store/pipelines/sales.sql\nCREATE VIEW x AS SELECT 1;\n";
    write_files(folder.path(), change);
    std::fs::remove_file(folder.path().join("teams/store/pipelines/orders_by_customer.sql"))
        .expect("removed");
    let (plan, ..) = apply_once(folder.path(), &log, &catalogue, &()).await.expect("the project applies");
    expect![[r#"
        store
          ~ table  store.products
              rows  3 lines → 4 lines
          + sql    store.sales
          - sql    store.orders_by_customer  forgotten

        Plan: 1 to add, 1 to change, 1 to forget."#]]
    .assert_eq(&plan.to_string());
    let again = Catalogue::load(&log).await.expect("it is on the log");
    let names: Vec<_> =
        again.of::<PipelineDefinition>().iter().map(|pipeline| pipeline.name.to_string()).collect();
    assert_eq!(names, ["store.sales"]);
    assert!(again.of::<TableDefinition>()[0].rows.contains("Heat"));
    assert_eq!(again.of::<TableDefinition>()[0].from, Path::new("teams/store/tables/data/products.csv"));
    let (plan, ..) = apply_once(folder.path(), &log, &again, &()).await.expect("the project applies");
    assert!(plan.is_empty(), "{plan}");
}

fn check(files: &str, expected: &Expect) {
    let folder =
        folder(&format!("=== factum.yaml\nname: contoso\n=== teams/store/team.yaml\nsummary: x\n{files}"));
    expected.assert_eq(&load_and_render(folder.path()));
}

#[test]
fn a_table_that_is_wrong_is_told_at_its_place() {
    check(
        "=== teams/store/tables/products.yaml
from: product.csv
key: ItemId
=== teams/store/tables/products.csv
ItemId
=== teams/store/tables/rates.yaml
feed: shop.rates
kye: Currency
=== teams/store/tables/users.yaml
from: users.parquet
key: UserId
=== teams/store/tables/cities.in.yaml
from: products.csv
key: ItemId
",
        &expect![[r#"
            the project has 5 problems
              × teams/store/tables/cities.in.yaml: a table's name cannot have '.' in it
              help: rename the file with letters, digits, `-` and `_`, for example `products.yaml`
              × there is no file product.csv
               ╭─[teams/store/tables/products.yaml:1:7]
             1 │ from: product.csv
               ·       ───────────
             2 │ key: ItemId
               ╰────
              help: did you mean `products.csv`?
              × `feed` is not supported by this version yet
               ╭─[teams/store/tables/rates.yaml:1:7]
             1 │ feed: shop.rates
               ·       ──────────
             2 │ kye: Currency
               ╰────
              help: this version takes rows from a CSV file: `from: products.csv`
              × there is no field `kye`
               ╭─[teams/store/tables/rates.yaml:2:1]
             1 │ feed: shop.rates
             2 │ kye: Currency
               · ─┬─
               ·  ╰── did you mean `key`?
               ╰────
              help: known here: feed, from, key, summary, topic
              × rows from "users.parquet" are not supported by this version yet
               ╭─[teams/store/tables/users.yaml:1:7]
             1 │ from: users.parquet
               ·       ─────────────
             2 │ key: UserId
               ╰────
              help: this version takes rows from a CSV file: `from: products.csv`
        "#]],
    );
}

#[test]
fn a_table_too_large_for_memory_is_refused_with_advice() {
    let rows = "7,seven\n".repeat((8 << 20) / 8 + 1);
    let table = "=== teams/store/tables/numbers.yaml\nfrom: numbers.csv\nkey: Number\n";
    check(
        &format!("{table}=== teams/store/tables/numbers.csv\n{rows}"),
        &expect![[r#"
        the project has a problem
          × teams/store/tables/numbers.csv: the file is larger than 8192 KiB
          help: a reference table is kept in memory whole: leave out columns and rows that no query needs, or send
                the rows to a topic and make a view of it
    "#]],
    );
}

#[test]
fn files_beside_pipelines_are_told_apart() {
    check(
        "=== teams/store/pipelines/top.sql
SELECT 1
=== teams/store/pipelines/top.test.yaml
x: 1
=== teams/store/pipelines/top.yaml
x: 1
=== teams/store/pipelines/old/top.sql
SELECT 1
=== teams/store/pipeline/top.sql
SELECT 1
",
        &expect![[r#"
            loaded contoso []
              ⚠ teams/store/pipeline: nothing reads this
              help: did you mean `pipelines`?
              ⚠ teams/store/pipelines/old: nothing reads this
              help: pipelines are files of this folder, not folders in it
              ⚠ teams/store/pipelines/top.test.yaml: not supported by this version yet
              help: the file is left alone and has no effect
              ⚠ teams/store/pipelines/top.yaml: nothing reads this
              help: a pipeline is written in SQL, in a file that ends with .sql
        "#]],
    );
}
