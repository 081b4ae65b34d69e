//! Made-up orders: printed, sent, and refused.

mod support;

use expect_test::expect;
use factum_testkit::Launch;
use support::{BINARY, Shell};

/// A command whose every byte is decided by its flags.
const PAST: &str = "generate orders --count 500 --seed 3 --from 2022-03-01 --to 2024-03-01 --stdout";

#[test]
fn the_past_is_the_same_every_time() {
    let shell = Shell::new("http://127.0.0.1:1");
    let first = shell.output(PAST, "");
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(first.stdout, shell.output(PAST, "").stdout);
    let lines = String::from_utf8(first.stdout).expect("text");
    assert_eq!(lines.lines().count(), 500);
    assert!(lines.contains("\"OrderDate\":\"2022-") && lines.contains("\"OrderDate\":\"2023-"));
    let other = shell.output(&PAST.replace("--seed 3", "--seed 4"), "").stdout;
    assert_ne!(lines.as_bytes(), other);
}

#[test]
fn wishes_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let films = folder.path().join("films.csv");
    std::fs::write(&films, "ItemId,UnitPrice\n1,2.50\n2,cheap\n").expect("written");
    let mut shell = Shell::new("http://127.0.0.1:1").replace(films.display().to_string(), "FILMS");
    shell
        .run("generate ordres --stdout")
        .run("generate orders --rate 0 --stdout")
        .run("generate orders --from yesterday --count 1 --stdout")
        .run("generate orders --from 2024-01-01 --stdout")
        .run("generate orders --from 2024-01-01 --to 2023-01-01 --count 1 --stdout")
        .run(&format!("generate orders --count 1 --stdout --products {}", films.display()));
    expect![[r#"
        $ factum generate ordres --stdout
        ! error: invalid value 'ordres' for '<WHAT>'
        !   [possible values: orders]
        !
        !   tip: a similar value exists: 'orders'
        !
        ! For more information, try '--help'.
        exit 2
        $ factum generate orders --rate 0 --stdout
        ! error: invalid value '0' for '--rate <N>': a number of events a second, above 0 and up to 1000000
        !
        ! For more information, try '--help'.
        exit 2
        $ factum generate orders --from yesterday --count 1 --stdout
        ! error: invalid value 'yesterday' for '--from <TIME>': a day such as 2024-01-31, or a moment such as 2024-01-31T18:00:00Z
        !
        ! For more information, try '--help'.
        exit 2
        $ factum generate orders --from 2024-01-01 --stdout
        ! error: the following required arguments were not provided:
        !   --count <N>
        !
        ! Usage: factum generate --count <N> --from <TIME> --stdout --server <URL> <WHAT>
        !
        ! For more information, try '--help'.
        exit 2
        $ factum generate orders --from 2024-01-01 --to 2023-01-01 --count 1 --stdout
        !   × --from 2024-01-01T00:00:00.000Z is not before --to 2023-01-01T00:00:00.000Z
        !   help: --to may be left out: then it is now
        exit 1
        $ factum generate orders --count 1 --stdout --products FILMS
        !   × nothing can be ordered from FILMS
        !   ├─▶ line 3 has no price that could be read
        !   ╰─▶ "cheap" is not a price from 0 to 1000000 with two digits behind the point
        !   help: a generator takes the columns ItemId, UnitPrice and, if it is there, Popularity
        exit 1
    "#]].assert_eq(&shell.transcript());
}

#[test]
fn a_running_factum_takes_them() {
    let project = tempfile::tempdir().expect("a temporary folder");
    support::movies(project.path());
    let factum = Launch::new(BINARY).project(project.path()).start();
    let shell = Shell::of(&factum);
    let sent = shell.output("generate orders --count 1200 -o json", "");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&sent.stdout).expect("JSON");
    assert_eq!((&summary["topic"], &summary["events"]), (&"store.orders".into(), &1200.into()));
    assert!(sent.stderr.is_empty(), "the films are the project's own");
    let count = shell.output("sql SELECT(count(*))FROM(store.orders) -o csv", "");
    assert!(String::from_utf8_lossy(&count.stdout).ends_with("\n1200\n"));

    let paced = shell.output("generate orders --count 40 --rate 100 -o json", "");
    let summary: serde_json::Value = serde_json::from_slice(&paced.stdout).expect("JSON");
    assert!(summary["seconds"].as_f64() > Some(0.15), "{summary}");

    let refused = shell.output("generate orders --count 1 --into store.carts", "");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.success() || said.contains("there is no topic store.carts"), "{said}");
}
