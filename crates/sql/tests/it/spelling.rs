//! Events that spell a field otherwise than its contract: the column is null, and readers are told which and why.

use std::time::Duration;

use factum_sql::{QueryLimits, RowError};
use serde_json::{Value, json};

use crate::world::{World, lines, small};

const VIEW: &str =
    "CREATE MATERIALIZED VIEW mails AS SELECT email, count(*) AS n FROM signups GROUP BY email;";

fn world() -> World {
    let mut world = World::new(small());
    world.topic("store.signups", 2);
    let contract = json!({"type": "object", "properties": {
        "email": {"type": "string"},
        "plan": {"type": "string"},
        "Plan": {"type": "string"},
        "address": {"type": "object", "properties": {"post_code": {"type": "string"}}}
    }});
    world.event("store.signups", Some(contract), None, Duration::ZERO);
    world.apply(VIEW);
    world
}

/// Columns that are null for their spelling, with what was found in the events.
fn told(errors: &[RowError]) -> Vec<String> {
    let line = |error: &RowError| {
        assert!(error.key.is_empty());
        let (before, _) = error.reason.split_once(';').expect("a reason and advice");
        format!("{}: {}: {before}", error.view, error.column)
    };
    errors.iter().map(line).collect()
}

fn query(world: &World, sql: &str) -> (Vec<String>, Vec<String>) {
    let limits = QueryLimits { rows: 100, time: Duration::from_secs(60), client: None };
    let rows = world.block(world.engine().query(sql, limits)).expect("rows");
    (lines(&rows), told(&rows.errors))
}

#[test]
fn a_field_in_another_case_is_told_to_those_who_read_its_column() {
    let world = world();
    let events: Vec<Value> = (0..40).map(|n| json!({"EMAIL": format!("{n}@example.org")})).collect();
    world.post("store.signups", &events);
    world.settle();
    let rows = world.read("store.mails");
    let reason = "events of store.signups have `EMAIL` in place of `email`";
    assert_eq!(lines(&rows), [r#"{"email":null,"n":40}"#]);
    assert_eq!(told(&rows.errors), [format!("store.mails: email: {reason}")], "once, not for each record");
    let last_error = world.status("store.mails").last_error.expect("what went wrong");
    assert!(last_error.starts_with(reason), "{last_error}");

    let (rows, errors) = query(&world, "SELECT count(email) AS n FROM store.signups");
    assert_eq!(rows, [r#"{"n":0}"#]);
    assert_eq!(errors, [format!("store.signups: email: {reason}")]);
}

#[test]
fn a_field_within_an_object_is_named_with_its_path() {
    let world = world();
    world.post("store.signups", &[json!({"address": {"postCode": "8000"}})]);
    let (_, errors) = query(&world, "SELECT address.post_code AS code FROM store.signups");
    assert_eq!(
        errors,
        [
            "store.signups: address.post_code: events of store.signups have `postCode` in place of `address.post_code`"
        ]
    );
}

#[test]
fn a_member_that_is_another_field_or_stands_beside_the_field_is_no_other_spelling() {
    let world = world();
    world.post(
        "store.signups",
        &[
            json!({"Plan": "gold", "colour": "red"}),
            json!({"email": "a@example.org", "Email": "A@example.org"}),
            json!({"email": null, "Email": "A@example.org"}),
        ],
    );
    let (_, errors) = query(&world, "SELECT plan, email FROM store.signups");
    assert!(errors.is_empty(), "{errors:?}");
}
