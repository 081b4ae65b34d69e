//! A file of orders of some years, in no order, through `factum produce`: every view equals a plain recount.
//!
//! `data/orders.jsonl` was made by
//! `factum generate orders --count 400 --seed 11 --from 2021-01-01 --to 2024-01-01 --stdout`.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use factum_testkit::Launch;
use serde_json::{Value, json};
use support::recount::{Catalogue, Recount};
use support::{BINARY, Shell};

/// The story's views know today only; this one knows every day.
const ORDERS_PER_DAY: &str = "CREATE MATERIALIZED VIEW orders_per_day AS
  SELECT window_start, count(*) AS orders, sum(total) AS revenue
  FROM TUMBLE(orders, order_date, INTERVAL '1 day')
  GROUP BY window_start
  ORDER BY window_start;
";

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/orders.jsonl")
}

fn rows(shell: &Shell, query: &str) -> Vec<Value> {
    let output = shell.output(&format!("view get store.{query} -o json"), "");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Waits until a view gives these rows; the last it gave are what the failure shows.
fn expect_rows(shell: &Shell, query: &str, wanted: &[Value]) {
    let mut found = Vec::new();
    for _ in 0..1_200 {
        found = rows(shell, query);
        if found == wanted {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert_eq!(found, wanted, "{query}");
}

#[test]
fn every_view_equals_a_plain_recount() {
    let project = tempfile::tempdir().expect("a temporary folder");
    let catalogue = Catalogue::read(&support::movies(project.path()));
    let pipelines = project.path().join("teams/store/pipelines");
    std::fs::write(pipelines.join("orders_per_day.sql"), ORDERS_PER_DAY).expect("written");
    let lines = std::fs::read_to_string(sample()).expect("the sample is there");
    let mut recount = Recount::default();
    for line in lines.lines() {
        recount.add(line.as_bytes(), &catalogue);
    }

    let factum = Launch::new(BINARY).project(project.path()).start();
    let shell = Shell::of(&factum);
    let sent = shell.output(&format!("produce store.orders --file {}", sample().display()), "");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));

    expect_rows(&shell, "orders_per_minute", &recount.orders_per_minute());
    expect_rows(&shell, "orders_per_day", &recount.orders_per_day());
    expect_rows(&shell, "top_movies", &recount.top_movies(&catalogue));
    expect_rows(&shell, "popular_categories", &recount.popular_categories());
    // The sample ends before today.
    expect_rows(&shell, "orders_this_hour", &[json!({"orders": 0})]);
    expect_rows(&shell, "activity_today", &[json!({"orders": 0, "revenue": "0"})]);
}

#[test]
fn the_sample_is_what_the_generator_makes() {
    let shell = Shell::new("http://127.0.0.1:1");
    let command = "generate orders --count 400 --seed 11 --from 2021-01-01 --to 2024-01-01 --stdout";
    let made = shell.output(command, "");
    let lines = std::fs::read_to_string(sample()).expect("the sample is there");
    assert_eq!(lines, String::from_utf8_lossy(&made.stdout), "`{command}` rewrites it");
}
