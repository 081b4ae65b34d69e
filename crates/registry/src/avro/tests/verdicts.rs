//! Verdicts: who can read whose values, and the sentences that say why not.

use std::fmt::Write as _;

use expect_test::expect;

use super::parse;
use crate::avro::{Schema, confluent_line};

fn record(fields: &str) -> Schema {
    parse(&format!(r#"{{"type":"record","name":"a.R","fields":[{fields}]}}"#))
}

/// The reasons why the first cannot read the second's values.
fn reasons(reader: &str, writer: &str) -> String {
    let mut text = String::new();
    for found in Schema::incompatibilities(&parse(reader), &parse(writer)) {
        writeln!(text, "{} {found}", found.kind).expect("a string");
    }
    text
}

#[test]
fn every_kind_of_incompatibility_is_explained() {
    let pairs = [
        (r#""int""#, r#""string""#),
        (r#"["null","int"]"#, r#""string""#),
        (r#"["null","int"]"#, r#"["int","string"]"#),
        (r#"{"type":"fixed","name":"F","size":1}"#, r#"{"type":"fixed","name":"F","size":2}"#),
        (
            r#"{"type":"enum","name":"E","symbols":["A"]}"#,
            r#"{"type":"enum","name":"E","symbols":["C","A","B"]}"#,
        ),
        (r#"{"type":"record","name":"R","fields":[]}"#, r#"{"type":"record","name":"S","fields":[]}"#),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"f","type":"int"}]}"#,
            r#"{"type":"record","name":"R","fields":[]}"#,
        ),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"f","type":"int","aliases":["g"]}]}"#,
            r#"{"type":"record","name":"R","fields":[{"name":"f","type":"int"},{"name":"g","type":"int"}]}"#,
        ),
        (
            r#"{"type":"map","values":{"type":"array","items":"int"}}"#,
            r#"{"type":"map","values":{"type":"array","items":"long"}}"#,
        ),
    ];
    let found: Vec<String> = pairs.iter().map(|(reader, writer)| reasons(reader, writer)).collect();
    expect![[r#"
        TYPE_MISMATCH /: the reader expects int, the writer has string
        MISSING_UNION_BRANCH /: the reader's union of null, int has no type that reads the writer's string
        MISSING_UNION_BRANCH /1: the reader's union of null, int has no type that reads the writer's string
        FIXED_SIZE_MISMATCH /size: the reader's fixed F has the size 1, the writer's 2
        MISSING_ENUM_SYMBOLS /symbols: the reader's enum E lacks B, C of the writer's, and has no default to read instead
        NAME_MISMATCH /name: the reader's record is named R, the writer's S: keep the name, or give the reader's the alias S
        READER_FIELD_MISSING_DEFAULT_VALUE /fields/0: the reader's field "f" of R has no default, and the writer's record has no such field
        AMBIGUOUS_ALIAS /fields/0: the reader's field "f" is several of the writer's by its name and aliases: f, g
        TYPE_MISMATCH /values/items: the reader expects int, the writer has long
    "#]].assert_eq(&found.concat());
}

#[test]
fn lines_are_those_of_confluent() {
    let (reader, writer) = (record(r#"{"name":"f","type":"int"}"#), record(""));
    let found = Schema::incompatibilities(&reader, &writer);
    assert_eq!(
        confluent_line(&found[0], "new", "old"),
        "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'f' at path '/fields/0' in the new \
         schema has no default value and is missing in the old schema', additionalInfo:'f'}"
    );
}

/// The case of four teams: a field of a union that has null second is added with the default null.
#[test]
fn versions_evolve_as_in_the_case_of_four_teams() {
    let string = |name: &str| format!(r#"{{"name":"{name}","type":["string"]}}"#);
    let first = format!("{},{},{}", string("test_guid"), string("test_date"), string("product_id"));
    let optional = r#"{"name":"optional_field","type":["string","null"],"default":null}"#;
    let second = format!("{first},{optional}");
    let third = format!("{second},{}", string("mandatory_field"));
    let fourth = format!("{},{},{optional}", string("test_guid"), string("test_date"));
    let fifth = format!("{},{},{optional}", string("test_guid_renamed"), string("test_date"));
    for (new, old, backward, forward) in [
        (&second, &first, true, true),
        (&third, &second, false, true),
        (&fourth, &second, true, false),
        (&fifth, &fourth, false, false),
        (&fourth, &third, true, false),
        (&fifth, &third, false, false),
    ] {
        let (new, old) = (record(new), record(old));
        let found = [Schema::incompatibilities(&new, &old), Schema::incompatibilities(&old, &new)];
        assert_eq!(
            found.each_ref().map(Vec::is_empty),
            [backward, forward],
            "{new:?} after {old:?}: {found:?}"
        );
    }
}

#[test]
fn aliases_count_where_they_are_the_readers() {
    let old = r#"{"type":"record","name":"a.Old","fields":[{"name":"f","type":"int"}]}"#;
    let new = r#"{"type":"record","name":"a.New","aliases":["Old"],"fields":[{"name":"g","type":"long","aliases":["f"]}]}"#;
    assert_eq!(reasons(new, old), "");
    expect![[r#"
        NAME_MISMATCH /name: the reader's record is named a.Old, the writer's a.New: keep the name, or give the reader's the alias a.New
        READER_FIELD_MISSING_DEFAULT_VALUE /fields/0: the reader's field "f" of a.Old has no default, and the writer's record a.New has no such field
    "#]].assert_eq(&reasons(old, new));
}

#[test]
fn schemas_that_contain_themselves_are_compared() {
    let list = |of: &str| {
        format!(
            r#"{{"type":"record","name":"L","fields":[{{"name":"of","type":"{of}"}},{{"name":"next","type":["null","L"]}}]}}"#
        )
    };
    assert_eq!(reasons(&list("long"), &list("int")), "");
    assert_eq!(
        reasons(&list("int"), &list("long")).lines().next(),
        Some("TYPE_MISMATCH /fields/0/type: the reader expects int, the writer has long")
    );
}
