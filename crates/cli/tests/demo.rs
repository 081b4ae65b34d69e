//! `factum demo movies`, as a newcomer meets it.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::expect;
use factum_testkit::{FactumProcess, Launch};
use serde_json::Value;
use support::{BINARY, Shell, eventually};

/// A demonstration whose temporary files lie in `folder`.
fn demo(folder: &Path) -> FactumProcess {
    Launch::new(BINARY).demo("movies").variable("TMPDIR", folder.display().to_string()).start()
}

/// What stands behind `name` in the start-up block.
fn line(factum: &FactumProcess, name: &str) -> String {
    let block = factum.stdout();
    let line = block.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in\n{block}")).trim().to_owned()
}

fn project(factum: &FactumProcess) -> PathBuf {
    PathBuf::from(line(factum, "Project").split(" (").next().expect("a path"))
}

fn rows(shell: &Shell, view: &str) -> Vec<Value> {
    let output = shell.output(&format!("view get store.{view} -o json"), "");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn get(factum: &FactumProcess, path: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let answer = reqwest::get(format!("{}{path}", factum.http())).await.expect("an answer");
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
    })
}

#[test]
fn numbers_move_and_a_query_can_be_changed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut factum = demo(folder.path());
    let temporary = project(&factum).parent().expect("a parent").display().to_string();
    let said = factum.stdout().replace(&temporary, "TEMPORARY");
    let said =
        said.replace(factum.http().trim_start_matches("http://"), "HTTP").replace(&factum.kafka(), "KAFKA");
    expect![[r#"
        Contoso Movies is open: orders come in, and every number on its dashboard follows them.

        Dashboard  http://HTTP/dashboards/store.movies
        Console    http://HTTP/
        API docs   http://HTTP/docs
        Kafka      KAFKA
        Project    TEMPORARY/movies (yours to change; removed at the end, --in keeps it)
        Access     open: anyone on this machine may read and write

        Try:  in TEMPORARY/movies/teams/store/pipelines/top_movies.sql
              write LIMIT 3 for LIMIT 10, save, and watch the dashboard
        Ctrl-C stops it.

    "#]]
    .assert_eq(&said);

    let shell = Shell::of(&factum);
    eventually("ten films sell", || rows(&shell, "top_movies").len() == 10);
    let orders = |shell: &Shell| rows(shell, "activity_today").first().and_then(|row| row["orders"].as_i64());
    let before = orders(&shell);
    eventually("orders come in", || orders(&shell) > before);
    let dashboard = get(&factum, "/api/v1/dashboards/store.movies");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.len() >= 5 && panels.iter().all(|panel| panel["problem"].is_null()), "{dashboard}");

    let query = project(&factum).join("teams/store/pipelines/top_movies.sql");
    let text = std::fs::read_to_string(&query).expect("it is there");
    std::fs::write(&query, text.replace("LIMIT 10", "LIMIT 3")).expect("written");
    eventually("three films are left", || rows(&shell, "top_movies").len() == 3);
    std::fs::write(&query, text.replace("d.quantity", "d.quantty")).expect("written");
    eventually("the error is said", || factum.stderr().contains("did you mean `Quantity`?"));
    assert_eq!(rows(&shell, "top_movies").len(), 3, "the last good query goes on");
    std::fs::write(&query, &text).expect("written");
    eventually("ten films again", || rows(&shell, "top_movies").len() == 10);

    let feed = project(&factum).join("teams/store/feeds/orders.yaml");
    std::fs::remove_file(&feed).expect("removed");
    eventually("no one orders any more", || {
        let before = orders(&shell);
        std::thread::park_timeout(Duration::from_secs(1));
        orders(&shell) == before
    });

    assert!(factum.stop().success());
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("readable").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn temporary_folders_of_killed_demos_are_removed_by_the_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut killed = demo(folder.path());
    let alive = Launch::new(BINARY).variable("TMPDIR", folder.path().display().to_string()).start();
    let (left, in_use) =
        (project(&killed), PathBuf::from(line(&alive, "Data").split(" (").next().expect("a path")));
    killed.kill();
    assert!(left.exists(), "a kill removes nothing");
    let next = demo(folder.path());
    assert!(!left.exists());
    assert!(in_use.exists() && project(&next).exists());
}

#[test]
fn a_folder_is_taken_as_it_is_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let taken = folder.path().join("letters");
    std::fs::create_dir(&taken).expect("a folder");
    std::fs::write(taken.join("one.txt"), "dear").expect("written");
    let mut shell = Shell::new("http://127.0.0.1:1").replace(folder.path().display().to_string(), "FOLDER");
    shell.run("demo moveis").run(&format!("demo movies --in {}", taken.display()));
    expect![[r#"
        $ factum demo moveis
        ! error: invalid value 'moveis' for '<CASE>'
        !   [possible values: movies]
        !
        !   tip: a similar value exists: 'movies'
        !
        ! For more information, try '--help'.
        exit 2
        $ factum demo movies --in FOLDER/letters
        !   × the case study was not written
        !   ╰─▶ FOLDER/letters holds something else
        !   help: name an empty folder, or one that holds a factum.yaml
        exit 1
    "#]]
    .assert_eq(&shell.transcript());

    let project = folder.path().join("mine");
    let launch = Launch::new(BINARY).demo("movies").argument("--in").argument(project.display().to_string());
    assert!(launch.start().stop().success());
    assert!(project.join("teams/store/pipelines/top_movies.sql").exists(), "it stays");
}
