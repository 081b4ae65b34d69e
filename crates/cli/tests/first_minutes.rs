//! The first minutes of a newcomer: every command that the documentation, `factum init` and the start-up blocks suggest
//! is run as it is written there, and what the text says of it is true.

mod support;

mod first_minutes {
    pub(crate) mod commands;
}

use std::path::Path;
use std::process::Command;

use factum_testkit::{FactumProcess, Launch};
use first_minutes::commands::{self, Reader};
use serde_json::Value;
use support::{BINARY, Shell, eventually};

/// Film 1007 of the quick start, and its number of copies.
const FILM: i64 = 1007;
const COPIES: f64 = 100_000.0;

fn demo(folder: &Path) -> FactumProcess {
    let project = folder.join("examples/movies");
    let launch = Launch::new(BINARY).demo("movies").argument("--in").argument(project.display().to_string());
    launch.start()
}

/// The rows that `factum` prints with these arguments; none while the server has none to give.
fn rows(server: &FactumProcess, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(BINARY);
    command.args(arguments).args(["-o", "json"]).env("FACTUM_SERVER", server.http());
    let output = command.output().expect("the binary starts");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn top_movies(server: &FactumProcess) -> Vec<Value> {
    rows(server, &["view", "get", "store.top_movies"])
}

/// What is behind `name` in the text.
fn line<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).trim()
}

/// The targets of the Makefile, and the folder that it builds the demonstration into.
fn check_make(command: &str) {
    let makefile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Makefile");
    let makefile = std::fs::read_to_string(makefile).expect("it is there");
    let verb = command.split_whitespace().nth(1).expect("a verb");
    assert!(makefile.contains(&format!("\n{verb}: ")), "make has no target {verb}");
}

#[test]
fn the_readme_names_targets_of_make_and_a_demonstration() {
    let commands = commands::of_page("README.md");
    assert_eq!(commands.len(), 2, "{commands:?}");
    commands.iter().for_each(|command| check_make(command));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = demo(folder.path());
    let block = server.stdout();
    let reader = Reader::new(folder.path(), &server);
    for page in ["Dashboard", "Console", "API docs"] {
        reader.run(&format!("curl --output page.html --header 'accept: text/html' {}", line(&block, page)));
    }
    let listing = reader.run(&format!("kcat -L -b {}", line(&block, "Kafka")));
    assert!(listing.contains("\"store.orders\" with 4 partitions"), "{listing}");
}

#[test]
fn the_quick_start_works_as_it_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = demo(folder.path());
    eventually("ten films sell", || top_movies(&server).len() == 10);
    for command in commands::of_page("docs/quick-start.md") {
        let reader = Reader::new(folder.path(), &server);
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["make", ..] => check_make(&command),
            ["export", path, ..] => assert_eq!(*path, "PATH=\"$PWD/target/demo:$PATH\""),
            ["curl", "-i", ..] => the_order_reaches_the_top_ten(&server, &reader, &command),
            ["curl", "-N", ..] => reader.run_until(&command, "event: record"),
            ["factum", "tail", ..] => reader.run_until(&command, "OrderDate"),
            ["factum", "view", "watch", ..] => reader.run_until(&command, "revenue"),
            ["kcat", .., "-G", "billing", _, _, _] => reader.run_until(&command, "OrderDate"),
            ["factum", "dev", project, "--data-dir", data] => {
                assert!(server.stop().success());
                let (project, data) = (folder.path().join(project), folder.path().join(data));
                server = Launch::new(BINARY).project(project).data_dir(data).start();
            }
            _ => assert_ne!(reader.run(&command), "", "{command}"),
        }
    }
    every_column_has_a_value(&server, "store.orders", 3);
}

/// Sends the order of the quick start, and holds what the page says of it against the demonstration.
fn the_order_reaches_the_top_ten(server: &FactumProcess, reader: &Reader<'_>, command: &str) {
    let number = |row: &Value, column: &str| row[column].as_f64().unwrap_or_default();
    // At any hour: shares of films do not depend on it, so a day of orders at the mean rate sells the tenth film so often.
    let tenth = top_movies(server).last().map(|row| number(row, "sold")).expect("ten rows");
    let orders = number(&rows(server, &["sql", "SELECT count(*) AS n FROM store.orders"])[0], "n");
    let after_a_day = tenth / orders * 20.0 * 86_400.0;
    assert!(COPIES > 1.1 * after_a_day, "{COPIES} copies, and the tenth film sells {after_a_day} a day");

    let response = reader.run(command);
    assert!(response.starts_with("HTTP/1.1 202 Accepted"), "{response}");
    eventually("the film is among the ten", || {
        top_movies(server).iter().any(|row| row["product_id"] == FILM)
    });
}

/// No event of the topic has a NULL in any column of its contract.
fn every_column_has_a_value(server: &FactumProcess, topic: &str, least: usize) {
    let found = rows(server, &["sql", &format!("SELECT * FROM {topic}")]);
    assert!(found.len() >= least, "{found:?}");
    for row in &found {
        let fields = row.as_object().expect("a row is an object");
        let mut declared = fields.iter().filter(|(name, _)| !name.starts_with('_'));
        assert!(declared.all(|(_, value)| !value.is_null()), "{row}");
    }
}

#[test]
fn a_new_project_says_commands_that_work() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = Shell::new("http://127.0.0.1:9").output(&format!("init {}/shop", folder.path().display()), "");
    let said = String::from_utf8(said.stdout).expect("text");
    let (next, then) = (line(&said, "next:"), line(&said, "then:"));
    let project = next.strip_prefix("factum dev ").expect("it starts the project");
    let server = Launch::new(BINARY).project(project).start();
    let reader = Reader::new(folder.path(), &server);
    reader.run(then);
    // Once more, as the terminal suggests it.
    reader.run(line(&server.stdout(), "Try:"));
    every_column_has_a_value(&server, "store.orders", 4);
}

#[test]
fn a_server_without_a_project_says_a_command_that_works() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Launch::new(BINARY).start();
    let reader = Reader::new(folder.path(), &server);
    reader.run(line(&server.stdout(), "Try:"));
    reader.run_until("factum tail shop.greetings --from earliest", "world");
}

#[test]
fn the_movies_say_a_sample_that_their_views_take() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    support::movies(folder.path());
    let server = Launch::new(BINARY).project(folder.path()).start();
    let reader = Reader::new(folder.path(), &server);
    reader.run(line(&server.stdout(), "Try:"));
    eventually("the order counts", || {
        rows(&server, &["view", "get", "store.activity_today"]).first().is_some_and(|row| row["orders"] == 1)
    });
    every_column_has_a_value(&server, "store.orders", 1);
}

#[test]
fn the_events_of_the_http_page_are_orders_of_the_movies() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    support::movies(folder.path());
    let server = Launch::new(BINARY).project(folder.path()).start();
    let reader = Reader::new(folder.path(), &server);
    for command in commands::of_section("docs/http.md", "Send events") {
        let said = reader.run(&command);
        assert!(said.starts_with("{\"offsets\":["), "{said}");
    }
    let whole = "SELECT count(*) AS n FROM store.orders \
        WHERE email IS NOT NULL AND region IS NOT NULL AND order_date IS NOT NULL AND total IS NOT NULL";
    assert_eq!(rows(&server, &["sql", whole])[0]["n"], 1_004);
}
