//! Transcripts of `factum schema` against a real server.

mod support;

use std::path::Path;

use expect_test::expect;
use factum_testkit::Launch;
use support::{BINARY, Shell};
use tempfile::TempDir;

const ORDER: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}"#;
const WITH_TOTAL: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"total","type":"double","default":1.50}]}"#;
const INCOMPATIBLE: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"email","type":"string"}]}"#;

/// A folder with files of schemas, whose path transcripts leave out.
fn folder(files: &[(&str, &str)]) -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    let path = path_text(dir.path());
    (dir, path)
}

fn path_text(path: &Path) -> String {
    path.to_str().expect("temporary folders have plain names").to_owned() + "/"
}

#[test]
fn schemas_from_birth_to_death() {
    let factum = Launch::new(BINARY).start();
    let (_dir, at) = folder(&[("order.avsc", ORDER), ("total.avsc", WITH_TOTAL)]);
    let mut shell = Shell::of(&factum).replace(at.as_str(), "");
    shell
        .run("schema list")
        .run(&format!("schema register shop.orders-value --file {at}order.avsc"))
        .run(&format!("schema register shop.orders-value --file {at}order.avsc"))
        .run(&format!("schema register shop.orders-value --file {at}total.avsc -o json"))
        .run(&format!("schema register shop.refunds-value --file {at}order.avsc"))
        .run("schema list")
        .run("schema list REFUNDS -o csv")
        .run("schema list -o name")
        .run("schema list refunds -o json")
        .run("schema list refunds -o yaml")
        .run("schema list nothing")
        .run("schema get shop.orders-value")
        .run("schema get shop.orders-value 1 -o name")
        .run("schema get --id 1 -o json")
        .run("schema get shop.order-value")
        .run("schema get shop.orders-value 7")
        .run("schema diff shop.orders-value 1 latest")
        .run("schema diff shop.orders-value 2 latest")
        .run("schema delete shop.orders-value")
        .run("schema delete shop.orders-value 1")
        .run("schema delete shop.orders-value --permanent")
        .run("schema delete shop.orders-value --permanent --force")
        .run("schema delete shop.orders-value --force")
        .run("schema delete shop.orders-value --permanent --force")
        .run("schema delete shop.orders-value --force")
        .run("schema list -o name");
    expect![[r#""#]].assert_eq(&shell.transcript());
}

#[test]
fn an_incompatible_schema_is_refused_with_each_reason() {
    let factum = Launch::new(BINARY).start();
    let (_dir, at) = folder(&[
        ("order.avsc", ORDER),
        ("total.avsc", WITH_TOTAL),
        ("incompatible.avsc", INCOMPATIBLE),
        ("invalid.avsc", r#"{"type":"record"}"#),
    ]);
    let mut shell = Shell::of(&factum).replace(at.as_str(), "");
    shell
        .run(&format!("schema register shop.orders-value --file {at}order.avsc"))
        .run(&format!("schema check shop.orders-value --file {at}total.avsc"))
        .run(&format!("schema check shop.orders-value --file {at}total.avsc -o json"))
        .run(&format!("schema check shop.orders-value --file {at}incompatible.avsc"))
        .run(&format!("schema check shop.orders-value --file {at}incompatible.avsc --against 1 -o json"))
        .run(&format!("schema check shop.orders-value --file {at}incompatible.avsc -o name"))
        .run(&format!("schema check shop.orders-value --file {at}incompatible.avsc --against 2"))
        .run(&format!("schema register shop.orders-value --file {at}incompatible.avsc"))
        .run(&format!("schema check shop.orders-value --file {at}invalid.avsc"))
        .run(&format!("schema register shop.orders-value --file {at}invalid.avsc"))
        .run("schema list -o csv");
    expect![[r#""#]].assert_eq(&shell.transcript());
}

#[test]
fn schemas_refer_to_those_of_other_subjects() {
    let factum = Launch::new(BINARY).start();
    let money =
        r#"{"type":"record","name":"Money","namespace":"shop","fields":[{"name":"cents","type":"long"}]}"#;
    let order = r#"{"type":"record","name":"Order","fields":[{"name":"total","type":"shop.Money"}]}"#;
    let (_dir, at) = folder(&[("money.avsc", money), ("order.avsc", order), ("order.txt", order)]);
    let mut shell = Shell::of(&factum).replace(at.as_str(), "");
    let register = format!("schema register shop.orders-value --file {at}");
    shell
        .run(&format!("schema register money-value --file {at}money.avsc"))
        .run(&format!("{register}order.avsc"))
        .run(&format!("{register}order.avsc --reference shop.Money=money-value"))
        .run(&format!("{register}order.avsc --reference shop.Money=money-value:9"))
        .run(&format!("{register}order.txt --reference shop.Money=money-value:1"))
        .run(&format!("{register}order.txt --type avro --reference shop.Money=money-value:1"))
        .run("schema get shop.orders-value")
        .run("schema delete money-value 1")
        .run(&format!("{register}nowhere.avsc"))
        .run("schema get shop.orders-value two")
        .run("schema get");
    expect![[r#""#]].assert_eq(&shell.transcript());
}
