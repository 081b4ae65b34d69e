//! Dashboards: found in the folder, checked for themselves and against the views that are kept.

mod support;

use async_trait::async_trait;
use expect_test::{Expect, expect};
use factum_governance::watch::apply_once;
use factum_governance::{
    Catalogue, DashboardDefinition, Definitions, Effect, EffectError, Fault, KeptView, PanelKind, ResourceId,
    ResourceKind,
};
use support::memory_log::MemoryLog;
use support::{folder, load_and_render, render, write_files};

const TEAM: &str = "=== factum.yaml\nname: contoso\n=== teams/store/team.yaml\ncontact: '#store'\n";
const MOVIES: &str = "=== teams/store/dashboards/movies.yaml
title: Contoso Movies, live
summary: What sells, right now.
panels:
  - { title: Orders this hour, number: orders, view: orders_this_hour, unit: $ }
  - title: Per minute
    line: [orders, Revenue]
    over: window_start
    view: store.orders_per_minute
    last: 60
    wide: true
  - { bar: sold, by: title, view: top_movies }
  - { title: Top ten films, table: [title, sold], view: top_movies }
";

/// Keeps three views, one of which does not know its columns yet.
struct Views;

#[async_trait]
impl Effect for Views {
    fn kinds(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<DashboardDefinition>()]
    }

    fn needs(&self) -> Vec<ResourceKind> {
        Vec::new()
    }

    async fn check(&self, _: &Definitions) -> Result<(), EffectError> {
        Ok(())
    }

    async fn apply(&self, _: &Definitions) -> Result<(), EffectError> {
        Ok(())
    }

    fn faults(&self, declared: &Definitions) -> Vec<(ResourceId, Fault)> {
        let dashboards = declared.of::<DashboardDefinition>();
        let faults = dashboards.map(|it| (ResourceId::of(it), it.faults(&self.views())));
        faults.flat_map(|(id, faults)| faults.into_iter().map(move |fault| (id.clone(), fault))).collect()
    }
}

impl Views {
    fn views(&self) -> Vec<KeptView> {
        let view = |name: &str, columns: &[&str]| KeptView {
            name: format!("store.{name}"),
            columns: Some(columns.iter().map(|name| (*name).to_owned()).collect()),
        };
        vec![
            KeptView { columns: None, ..view("orders_this_hour", &[]) },
            view("orders_per_minute", &["window_start", "orders", "revenue"]),
            view("top_movies", &["product_id", "title", "sold"]),
        ]
    }
}

#[tokio::test]
async fn a_dashboard_is_applied_and_kept_on_the_log() {
    let folder = folder(&format!("{TEAM}{MOVIES}"));
    let (log, catalogue) = (MemoryLog::default(), Catalogue::new());
    let (plan, _, warnings) = apply_once(folder.path(), &log, &catalogue, &Views).await.expect("it applies");
    expect![[r#"
        store
          + team   store
          + dashboard  store.movies  4 panels

        Plan: 2 to add, 0 to change, 0 to forget."#]]
    .assert_eq(&plan.to_string());
    assert!(warnings.is_empty(), "{warnings:?}");
    let again = Catalogue::load(&log).await.expect("it is on the log");
    assert_eq!(again.of::<DashboardDefinition>(), catalogue.of::<DashboardDefinition>());
    let dashboard = &again.of::<DashboardDefinition>()[0];
    assert_eq!((dashboard.name.as_str(), dashboard.panels.len()), ("store.movies", 4));
    let [_, line, bar, _] = &dashboard.panels[..] else { panic!("four panels") };
    assert_eq!((line.kind, line.last, line.wide), (PanelKind::Line, Some(60), true));
    assert_eq!((bar.title.as_str(), bar.view.as_str()), ("sold", "store.top_movies"));
    let resolved = line.resolve(&Views.views()).expect("the view has them");
    assert_eq!(resolved.columns, ["orders", "revenue"], "as the view calls them");

    std::fs::remove_file(folder.path().join("teams/store/dashboards/movies.yaml")).expect("removed");
    let (plan, ..) = apply_once(folder.path(), &log, &catalogue, &Views).await.expect("it applies");
    expect![[r#"
        store
          - dashboard  store.movies  forgotten

        Plan: 0 to add, 0 to change, 1 to forget."#]]
    .assert_eq(&plan.to_string());
    assert!(catalogue.of::<DashboardDefinition>().is_empty());
}

#[tokio::test]
async fn a_panel_without_its_view_or_column_is_a_warning_at_its_place() {
    let wrong = MOVIES
        .replace("bar: sold", "bar: sould")
        .replace("view: store.", "view: shop.")
        .replace("table: [title, sold]", "table: [title, colour]");
    let folder = folder(&format!("{TEAM}{wrong}"));
    let (log, catalogue) = (MemoryLog::default(), Catalogue::new());
    apply_once(folder.path(), &log, &catalogue, &Views).await.expect("the rest applies");
    expect![[r#"
        applied, with:
          ⚠ there is no view shop.orders_per_minute
           ╭─[teams/store/dashboards/movies.yaml:8:11]
         7 │     over: window_start
         8 │     view: shop.orders_per_minute
           ·           ──────────────────────
         9 │     last: 60
           ╰────
          help: did you mean `store.orders_per_minute`?
          ⚠ view store.top_movies has no column sould
            ╭─[teams/store/dashboards/movies.yaml:11:12]
         10 │     wide: true
         11 │   - { bar: sould, by: title, view: top_movies }
            ·            ─────
         12 │   - { title: Top ten films, table: [title, colour], view: top_movies }
            ╰────
          help: did you mean `sold`?
          ⚠ view store.top_movies has no column colour
            ╭─[teams/store/dashboards/movies.yaml:12:44]
         11 │   - { bar: sould, by: title, view: top_movies }
         12 │   - { title: Top ten films, table: [title, colour], view: top_movies }
            ·                                            ──────
            ╰────
          help: there is product_id, title, sold
    "#]]
    .assert_eq(&format!("applied, with:\n{}", render(&catalogue.problems())));
    assert_eq!(catalogue.project().failure, None, "the rest is in force");
    let fault =
        catalogue.of::<DashboardDefinition>()[0].panels[1].resolve(&Views.views()).expect_err("no such view");
    expect!["there is no view shop.orders_per_minute; did you mean `store.orders_per_minute`?"]
        .assert_eq(&fault.to_string());

    write_files(folder.path(), MOVIES);
    apply_once(folder.path(), &log, &catalogue, &Views).await.expect("it applies");
    assert!(catalogue.problems().is_empty());
}

fn check(panels: &str, expected: &Expect) {
    let folder = folder(&format!("{TEAM}=== teams/store/dashboards/movies.yaml\n{panels}"));
    expected.assert_eq(&load_and_render(folder.path()));
}

#[test]
fn panels_that_cannot_be_are_told_at_their_place() {
    check(
        "titel: Movies
panels:
  - { view: top_movies }
  - { number: orders, bar: orders, view: top_movies }
  - { number: orders }
  - { number: [orders, revenue], view: top_movies }
  - { line: revenue, view: orders_per_minute }
  - { bar: sold, view: top_movies }
  - { number: orders, over: hour, view: top_movies }
  - { table: [], view: top_movies }
  - { table: orders, last: 0, view: top_movies, wide: maybe, colour: red }
  - title: Two lines
    number: orders
    last: 3
    view: top_movies
  - orders
",
        &expect![[r#"
            the project has 14 problems
              × there is no field `titel`
               ╭─[teams/store/dashboards/movies.yaml:1:1]
             1 │ titel: Movies
               · ──┬──
               ·   ╰── did you mean `title`?
             2 │ panels:
               ╰────
              help: known here: panels, summary, title
              × the panel does not say what it shows
               ╭─[teams/store/dashboards/movies.yaml:3:5]
             2 │ panels:
             3 │   - { view: top_movies }
               ·     ─
             4 │   - { number: orders, bar: orders, view: top_movies }
               ╰────
              help: one of number, line, bar and table with its column, for example `{ number: orders, view:
                    orders_this_hour }`
              × a panel shows one thing, and this one has `number` and `bar`
               ╭─[teams/store/dashboards/movies.yaml:4:28]
             3 │   - { view: top_movies }
             4 │   - { number: orders, bar: orders, view: top_movies }
               ·                            ──────
             5 │   - { number: orders }
               ╰────
              help: make two panels of it
              × the panel does not say which view it shows
               ╭─[teams/store/dashboards/movies.yaml:5:5]
             4 │   - { number: orders, bar: orders, view: top_movies }
             5 │   - { number: orders }
               ·     ─
             6 │   - { number: [orders, revenue], view: top_movies }
               ╰────
              help: add `view: orders_this_hour`
              × `number` shows one column
               ╭─[teams/store/dashboards/movies.yaml:6:24]
             5 │   - { number: orders }
             6 │   - { number: [orders, revenue], view: top_movies }
               ·                        ───────
             7 │   - { line: revenue, view: orders_per_minute }
               ╰────
              help: make a panel of each, or a table of all of them
              × the line does not say along which column it runs
               ╭─[teams/store/dashboards/movies.yaml:7:5]
             6 │   - { number: [orders, revenue], view: top_movies }
             7 │   - { line: revenue, view: orders_per_minute }
               ·     ─
             8 │   - { bar: sold, view: top_movies }
               ╰────
              help: add `over: window_start`
              × the bars do not say by which column they are named
               ╭─[teams/store/dashboards/movies.yaml:8:5]
             7 │   - { line: revenue, view: orders_per_minute }
             8 │   - { bar: sold, view: top_movies }
               ·     ─
             9 │   - { number: orders, over: hour, view: top_movies }
               ╰────
              help: add `by: title`
              × `over` is a line's, and this is a number
                ╭─[teams/store/dashboards/movies.yaml:9:29]
              8 │   - { bar: sold, view: top_movies }
              9 │   - { number: orders, over: hour, view: top_movies }
                ·                             ────
             10 │   - { table: [], view: top_movies }
                ╰────
              help: remove it
              × `table` names no column
                ╭─[teams/store/dashboards/movies.yaml:10:5]
              9 │   - { number: orders, over: hour, view: top_movies }
             10 │   - { table: [], view: top_movies }
                ·     ─
             11 │   - { table: orders, last: 0, view: top_movies, wide: maybe, colour: red }
                ╰────
              help: for example `table: orders`
              × `last` is not usable: "0" is not a whole number from 1 to 10000
                ╭─[teams/store/dashboards/movies.yaml:11:28]
             10 │   - { table: [], view: top_movies }
             11 │   - { table: orders, last: 0, view: top_movies, wide: maybe, colour: red }
                ·                            ─
             12 │   - title: Two lines
                ╰────
              help: for example `last: 60`
              × `wide` cannot be "maybe"
                ╭─[teams/store/dashboards/movies.yaml:11:55]
             10 │   - { table: [], view: top_movies }
             11 │   - { table: orders, last: 0, view: top_movies, wide: maybe, colour: red }
                ·                                                       ─────
             12 │   - title: Two lines
                ╰────
              help: one of: true, false
              × there is no field `colour` in `panels`
                ╭─[teams/store/dashboards/movies.yaml:11:62]
             10 │   - { table: [], view: top_movies }
             11 │   - { table: orders, last: 0, view: top_movies, wide: maybe, colour: red }
                ·                                                              ──────
             12 │   - title: Two lines
                ╰────
              help: known here: bar, by, last, line, number, over, table, title, unit, view, wide
              × a number shows one row
                ╭─[teams/store/dashboards/movies.yaml:14:11]
             13 │     number: orders
             14 │     last: 3
                ·           ─
             15 │     view: top_movies
                ╰────
              help: remove `last`
              × `panels` is a list of mappings, but this is a single value
                ╭─[teams/store/dashboards/movies.yaml:16:5]
             15 │     view: top_movies
             16 │   - orders
                ·     ──────
                ╰────
              help: for example `- { number: orders, view: orders_this_hour }`
        "#]],
    );
}

#[test]
fn a_dashboard_without_panels_is_refused() {
    check(
        "title: Movies\n",
        &expect![[r#"
        the project has a problem
          × teams/store/dashboards/movies.yaml: the dashboard has no panels
          help: write `panels:` and below it such as `- { number: orders, view: orders_this_hour }`
    "#]],
    );
    check(
        "panels: orders\n",
        &expect![[r#"
        the project has a problem
          × `panels` cannot be a single value
           ╭─[teams/store/dashboards/movies.yaml:1:9]
         1 │ panels: orders
           ·         ──────
           ╰────
          help: for example `panels: [{ number: orders, view: orders_this_hour }]`
    "#]],
    );
    check(
        "",
        &expect![[r#"
            the project has a problem
              × the file is empty
               ╭─[teams/store/dashboards/movies.yaml:1:1]
               ╰────
              help: write its fields into it; a file without a byte is taken for a save that has only begun
        "#]],
    );
    let many = "  - { number: orders, view: orders }\n".repeat(51);
    check(
        &format!("panels:\n{many}"),
        &expect![[r#"
        the project has a problem
          × teams/store/dashboards/movies.yaml: the dashboard has 51 panels, and no more than 50 are shown
          help: make two dashboards of it
    "#]],
    );
}
