//! Views from the command line, over the project in `examples/movies`.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::expect;
use factum_testkit::{FactumProcess, Launch};
use serde_json::Value;
use support::{BINARY, Shell};

fn movies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/movies")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the example is there") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

fn order(date: &str, email: &str, details: &[(u32, u32, &str)]) -> String {
    let details: Vec<_> = details
        .iter()
        .map(|(product, quantity, price)| {
            format!(
                r#"{{"Email":"{email}","ProductId":{product},"Quantity":{quantity},"UnitPrice":{price}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"Region":"Region1","OrderDate":"{date}","Email":"{email}","Total":25.5,"Details":[{}]}}"#,
        details.join(",")
    ) + "\n"
}

fn orders() -> String {
    order("2026-11-20T10:00:01Z", "ann@contoso.com", &[(1001, 2, "14.99"), (1007, 1, "8.99")])
        + &order("2026-11-20T10:00:59Z", "bob@contoso.com", &[(1008, 3, "12.99")])
        + &order("2026-11-20T10:01:00Z", "cy@contoso.com", &[(1001, 1, "14.99")])
        // Late, and of a film that is in no catalogue.
        + &order("2026-11-20T10:00:30Z", "dee@contoso.com", &[(4242, 1, "1.00")])
}

/// Waits until `command` prints `text`.
fn await_printed(shell: &Shell, command: &str, text: &str) {
    let mut printed = String::new();
    for _ in 0..400 {
        let output = shell.output(command, "");
        printed =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        if printed.contains(text) {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("{text:?} did not come\n{printed}");
}

/// A server with the movies and four orders in every view.
fn serve(project: &Path) -> (FactumProcess, Shell) {
    copy(&movies(), project);
    let factum = Launch::new(BINARY).project(project).start();
    let mut shell = Shell::of(&factum);
    shell.run_with("produce store.orders", &orders());
    shell.transcript();
    await_printed(&shell, "sql SELECT(sum(orders))FROM(store.orders_per_minute) -o csv", "\n4\n");
    await_printed(&shell, "sql SELECT(sum(sold))FROM(store.top_movies) -o csv", "\n8\n");
    await_printed(&shell, "sql SELECT(sum(sold))FROM(store.popular_categories) -o csv", "\n7\n");
    (factum, shell)
}

#[test]
fn views_are_listed_read_and_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (factum, mut shell) = serve(&folder.path().join("movies"));
    shell
        .run("view list")
        .run("view list -o name")
        .run("view get store.top_movies")
        .run("view get top_movies product_id=1008 -o json")
        .run("view get orders_per_minute --order=-window_start -o csv")
        .run("view get popular_categories --where revenue>20 -o yaml")
        .run("view get orders_this_hour -o name")
        .run("view get top_moves")
        .run("view get top_movies titel=Up")
        .run("pipeline describe top_movies -o name")
        .run("pipeline describe top_moves")
        .run("sql SELECT/**/reegion/**/FROM/**/store.orders")
        .run("view watch store.top_movies --limit 0");
    expect![[r#"
        $ factum view list
        VIEW                      STATE  COLUMNS                        READS
        store.activity_today      live   orders, revenue                store.orders
        store.orders_per_minute   live   window_start, orders, revenue  store.orders
        store.orders_this_hour    live   orders                         store.orders
        store.popular_categories  live   category, sold, revenue        store.categories, store.orders, store.products
        store.top_movies          live   product_id, title, sold        store.orders, store.products
        $ factum view list -o name
        store.activity_today
        store.orders_per_minute
        store.orders_this_hour
        store.popular_categories
        store.top_movies
        $ factum view get store.top_movies
        product_id  title                     sold
              1001  The Cartographer's Wake      3
              1008  The Last Ferry Timetable     3
              1007  Bees, Briefly                1
              4242                               1
        $ factum view get top_movies product_id=1008 -o json
        [
          {
            "product_id": 1008,
            "title": "The Last Ferry Timetable",
            "sold": 3
          }
        ]
        $ factum view get orders_per_minute --order=-window_start -o csv
        window_start,orders,revenue
        2026-11-20T10:01:00Z,1,25.5
        2026-11-20T10:00:00Z,3,76.5
        $ factum view get popular_categories --where revenue>20 -o yaml
        - category: Adventure
          sold: 3
          revenue: "44.97"
        - category: Drama
          sold: 3
          revenue: "38.97"
        $ factum view get orders_this_hour -o name
        0
        $ factum view get top_moves
        !   × there is no view top_moves; did you mean top_movies?
        exit 1
        $ factum view get top_movies titel=Up
        !   × view store.top_movies has no column titel; did you mean title?
        exit 1
        $ factum pipeline describe top_movies -o name
        store.top_movies
        $ factum pipeline describe top_moves
        !   × there is no view top_moves; did you mean top_movies?
        exit 1
        $ factum sql SELECT/**/reegion/**/FROM/**/store.orders
        !   × there is no column `reegion` in orders
        !    ╭─[query:1:11]
        !  1 │ SELECT/**/reegion/**/FROM/**/store.orders
        !    ·           ───────
        !    ╰────
        !   help: did you mean `Region`?
        exit 1
        $ factum view watch store.top_movies --limit 0
        product_id  title                     sold
              1001  The Cartographer's Wake      3
              1008  The Last Ferry Timetable     3
              1007  Bees, Briefly                1
              4242                               1
    "#]].assert_eq(&shell.transcript());
    drop(factum);
}

#[test]
fn a_broken_view_is_shown_at_its_place_and_the_last_good_one_answers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = folder.path().join("movies");
    let (factum, mut shell) = serve(&project);
    let file = project.join("teams/store/pipelines/top_movies.sql");
    let good = std::fs::read_to_string(&file).expect("readable");
    std::fs::write(&file, good.replace("d.quantity", "d.quantty")).expect("writable");
    for _ in 0..4_000 {
        if factum.stderr().contains("the rest of the project is in force") {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let said = factum.stderr();
    let said = said.split("Plan:").last().unwrap_or_default();
    let said: Vec<_> = said.lines().skip(1).map(str::trim_end).filter(|line| !line.is_empty()).collect();
    expect![[r#"
          × there is no column `quantty` in d
           ╭─[teams/store/pipelines/top_movies.sql:3:53]
         2 │ CREATE MATERIALIZED VIEW top_movies AS
         3 │   SELECT d.product_id, p.product_name AS title, sum(d.quantty) AS sold
           ·                                                     ─────────
         4 │   FROM orders, UNNEST(details) AS d LEFT JOIN products AS p ON p.item_id = d.product_id
           ╰────
          help: did you mean `Quantity`?
        what is wrong stays as it was applied last; the rest of the project is in force"#]]
    .assert_eq(&said.join("\n"));
    shell.run("view get store.top_movies --limit 1");
    expect![[r#"
        $ factum view get store.top_movies --limit 1
        product_id  title                    sold
              1001  The Cartographer's Wake     3
    "#]]
    .assert_eq(&shell.transcript());
    let status = project_status(&factum);
    assert!(status["failure"].is_string(), "{status}");
    let told =
        ["file", "line", "column", "message", "help"].map(|name| status["problems"][0][name].to_string());
    expect![[r#""teams/store/pipelines/top_movies.sql" 3 53 "there is no column `quantty` in d" "did you mean `Quantity`?""#]]
        .assert_eq(&told.join(" "));
    let excerpt = status["problems"][0]["excerpt"].as_str().unwrap_or_default();
    assert!(excerpt.contains("3 |   SELECT") && excerpt.contains("^^^^^^^^^"), "{excerpt}");

    std::fs::write(&file, good.replace("LIMIT 10", "LIMIT 2")).expect("writable");
    for _ in 0..400 {
        let output = shell.output("view get store.top_movies -o csv", "");
        let is_changed = String::from_utf8_lossy(&output.stdout).lines().count() == 3;
        let status = project_status(&factum);
        if is_changed && status["failure"].is_null() {
            assert_eq!(status["problems"], Value::Array(Vec::new()), "what is mended is not told any more");
            return;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("the changed view never took the old one's place\n{}", factum.stderr());
}

/// What the console shows of the project.
fn project_status(factum: &FactumProcess) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let answer = reqwest::get(format!("{}/api/v1/project", factum.http())).await.expect("an answer");
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
    })
}
