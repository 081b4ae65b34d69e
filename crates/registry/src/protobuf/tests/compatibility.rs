//! Verdicts on pairs of schemas, with Confluent's names and paths.

use crate::work::Work;
use expect_test::{Expect, expect};

use super::{reference, schema};
use crate::ReferencedSchema;
use crate::protobuf::{Schema, compare};

/// All differences from `writer` to `reader`, incompatible ones marked, then those that are reported.
fn check(writer: &Schema, reader: &Schema, expected: &Expect) {
    let mut text = String::new();
    for difference in compare::differences(&writer.file, &reader.file, &Work::default()) {
        let mark = if difference.kind.is_compatible() { '=' } else { '!' };
        text.push_str(&format!(
            "{mark} {} {}: {}\n",
            difference.kind.as_str(),
            difference.path,
            difference.message
        ));
    }
    expected.assert_eq(&text);
    let reported = Schema::incompatibilities(reader, writer);
    assert_eq!(reported.len(), text.lines().filter(|line| line.starts_with('!')).count());
}

/// Bodies of a message of `proto3`.
fn check_bodies(writer: &str, reader: &str, expected: &Expect) {
    let message = |body: &str| schema(&format!("syntax = \"proto3\";\nmessage Order {{ {body} }}"));
    check(&message(writer), &message(reader), expected);
}

/// Bodies of a message of `proto2`.
fn check_proto2(writer: &str, reader: &str, expected: &Expect) {
    let message = |body: &str| schema(&format!("syntax = \"proto2\";\nmessage Order {{ {body} }}"));
    check(&message(writer), &message(reader), expected);
}

#[test]
fn packages_and_messages() {
    let schema = |text: &str| schema(&format!("syntax = \"proto3\";\n{text}"));
    check(
        &schema("package a; message M {}"),
        &schema("package b; message M {}"),
        &expect![[r#"
        ! PACKAGE_CHANGED #/: the writer's schema has package a, the reader's package b
    "#]],
    );
    check(
        &schema("message A {} message B {}"),
        &schema("message B {} message C {}"),
        &expect![[r#"
            ! MESSAGE_REMOVED #/A: message A of the writer's schema is not in the reader's
            = MESSAGE_MOVED #/B: message B is at another position
            = MESSAGE_ADDED #/C: message C is new
        "#]],
    );
    check(
        &schema("message A { message B {} enum E { X = 0; } }"),
        &schema("message A { message C {} enum E { Y = 0; Z = 1; } enum F { V = 0; } }"),
        &expect![[r#"
            ! MESSAGE_REMOVED #/A/B: message B of the writer's schema is not in the reader's
            = MESSAGE_ADDED #/A/C: message C is new
            = ENUM_CONST_CHANGED #/A/E/0: value 0 was X and is Y
            = ENUM_CONST_ADDED #/A/E/1: value Z is new
            = ENUM_ADDED #/A/F: enum F is new
        "#]],
    );
}

#[test]
fn fields_come_and_go() {
    check_bodies(
        "string a = 1; string b = 2;",
        "string a = 1; string c = 3;",
        &expect![[r#"
            = FIELD_REMOVED #/Order/2: field b is gone
            = FIELD_ADDED #/Order/3: field c is new
        "#]],
    );
    check_bodies(
        "string a = 1;",
        "string renamed = 1;",
        &expect![[r#"
            = FIELD_NAME_CHANGED #/Order/1: field a is called renamed in the reader's schema
        "#]],
    );
    check_proto2(
        "optional string a = 1;",
        "optional string a = 1; required string b = 2;",
        &expect![[r#"
        ! REQUIRED_FIELD_ADDED #/Order/2: field b is required by the reader's schema and not in the writer's
    "#]],
    );
    check_proto2(
        "required string a = 1;",
        "",
        &expect![[r#"
        ! REQUIRED_FIELD_REMOVED #/Order/1: field a is required by the writer's schema and not in the reader's
    "#]],
    );
}

#[test]
fn types_that_are_written_alike_are_compatible() {
    let alike = "int32 a = 1; uint64 b = 2; bool c = 3; sint32 d = 4; string e = 5; fixed32 f = 6; sfixed64 g = 7; E h = 8; enum E { X = 0; }";
    let other = "uint64 a = 1; bool b = 2; E c = 3; sint64 d = 4; bytes e = 5; sfixed32 f = 6; fixed64 g = 7; int32 h = 8; enum E { X = 0; }";
    check_bodies(alike, other, &expect![[""]]);
    check_bodies(
        "int32 a = 1; int32 b = 2; fixed32 c = 3; float d = 4; string e = 5;",
        "sint32 a = 1; string b = 2; fixed64 c = 3; double d = 4; float e = 5;",
        &expect![[r#"
            ! FIELD_SCALAR_KIND_CHANGED #/Order/1: field a is int32 in the writer's schema and sint32 in the reader's, which are written differently
            ! FIELD_SCALAR_KIND_CHANGED #/Order/2: field b is int32 in the writer's schema and string in the reader's, which are written differently
            ! FIELD_SCALAR_KIND_CHANGED #/Order/3: field c is fixed32 in the writer's schema and fixed64 in the reader's, which are written differently
            ! FIELD_SCALAR_KIND_CHANGED #/Order/4: field d is float in the writer's schema and double in the reader's, which are written differently
            ! FIELD_SCALAR_KIND_CHANGED #/Order/5: field e is string in the writer's schema and float in the reader's, which are written differently
        "#]],
    );
}

#[test]
fn kinds_and_named_types() {
    check_bodies(
        "int32 a = 1; M b = 2; map<string, int32> c = 3; message M {} message N {}",
        "M a = 1; map<string, M> b = 2; string c = 3; message M {} message N {}",
        &expect![[r#"
            ! FIELD_KIND_CHANGED #/Order/1: field a is a scalar (int32) in the writer's schema and a message (Order.M) in the reader's
            ! FIELD_KIND_CHANGED #/Order/2: field b is a message (Order.M) in the writer's schema and a map (map<string, Order.M>) in the reader's
            ! FIELD_KIND_CHANGED #/Order/3: field c is a map (map<string, int32>) in the writer's schema and a scalar (string) in the reader's
        "#]],
    );
    check_bodies(
        "M a = 1; message M {} message N {}",
        "N a = 1; message M {} message N {}",
        &expect![[r#"
        ! FIELD_NAMED_TYPE_CHANGED #/Order/1: field a is of message Order.M in the writer's schema and of Order.N in the reader's
    "#]],
    );
    check_bodies(
        "map<string, int32> a = 1;",
        "map<int32, string> a = 1;",
        &expect![[r#"
        ! FIELD_SCALAR_KIND_CHANGED #/Order/1: field a is string in the writer's schema and int32 in the reader's, which are written differently
        ! FIELD_SCALAR_KIND_CHANGED #/Order/1: field a is int32 in the writer's schema and string in the reader's, which are written differently
    "#]],
    );
}

#[test]
fn labels_that_are_written_are_compared() {
    check_proto2(
        "optional int32 a = 1;",
        "repeated int32 a = 1;",
        &expect![[r#"
        ! FIELD_NUMERIC_LABEL_CHANGED #/Order/1: field a is optional in the writer's schema and repeated in the reader's
    "#]],
    );
    check_proto2(
        "optional string a = 1;",
        "repeated string a = 1;",
        &expect![[r#"
            = FIELD_STRING_OR_BYTES_LABEL_CHANGED #/Order/1: field a is optional in the writer's schema and repeated in the reader's
        "#]],
    );
    check_proto2("optional Order a = 1;", "repeated Order a = 1;", &expect![[""]]);
    check_bodies(
        "optional int32 a = 1;",
        "repeated int32 a = 1;",
        &expect![[r#"
        ! FIELD_NUMERIC_LABEL_CHANGED #/Order/1: field a is optional in the writer's schema and repeated in the reader's
    "#]],
    );
    // As Confluent has it: proto3 writes no label on the first.
    check_bodies("int32 a = 1;", "repeated int32 a = 1;", &expect![[""]]);
}

#[test]
fn oneofs() {
    check_bodies(
        "string a = 1; string b = 2;",
        "oneof x { string a = 1; string b = 2; }",
        &expect![[r#"
            ! MULTIPLE_FIELDS_MOVED_TO_ONEOF #/Order/x: fields 1, 2 can be set together by the writer, and only one of them in the reader's oneof x
            = ONEOF_ADDED #/Order/x: oneof x is new
        "#]],
    );
    check_bodies(
        "string a = 1;",
        "oneof x { string a = 1; string n = 2; }",
        &expect![[r#"
            = ONEOF_ADDED #/Order/x: oneof x is new
            = ONEOF_FIELD_ADDED #/Order/x/2: field n of oneof x is new
        "#]],
    );
    check_bodies(
        "string a = 1; oneof x { string b = 2; }",
        "oneof x { string b = 2; string a = 1; }",
        &expect![[r#"
            ! FIELD_MOVED_TO_EXISTING_ONEOF #/Order/x: the reader's oneof x has fields that the writer can set together, because they are not in one oneof there
        "#]],
    );
    check_bodies(
        "oneof x { string a = 1; string b = 2; }",
        "oneof x { string a = 1; }",
        &expect![[r#"
        ! ONEOF_FIELD_REMOVED #/Order/x/2: field b of the writer's oneof x is not in the reader's schema
    "#]],
    );
    check_bodies(
        "oneof x { string a = 1; string b = 2; }",
        "string c = 3;",
        &expect![[r#"
            = ONEOF_REMOVED #/Order/x: oneof x is gone
            = FIELD_ADDED #/Order/3: field c is new
        "#]],
    );
    check_bodies(
        "oneof x { string a = 1; string b = 2; }",
        "string a = 1; oneof y { int32 b = 2; }",
        &expect![[r#"
            = ONEOF_REMOVED #/Order/x: oneof x is gone
            = ONEOF_ADDED #/Order/y: oneof y is new
            = ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/Order/1: field a is in no oneof any more
            ! FIELD_SCALAR_KIND_CHANGED #/Order/y/2: field b is string in the writer's schema and int32 in the reader's, which are written differently
        "#]],
    );
    check_bodies(
        "oneof x { string a = 1; } oneof y { string b = 2; }",
        "oneof z { string a = 1; string b = 2; }",
        &expect![[r#"
            ! FIELD_MOVED_TO_EXISTING_ONEOF #/Order/z: the reader's oneof z has fields that the writer can set together, because they are not in one oneof there
            = ONEOF_REMOVED #/Order/x: oneof x is gone
            = ONEOF_REMOVED #/Order/y: oneof y is gone
            = ONEOF_ADDED #/Order/z: oneof z is new
        "#]],
    );
}

const HOME_V1: &str = "syntax = \"proto3\"; package lib; message Home { int32 id = 1; Room room = 2; } message Room { string name = 1; Home home = 2; }";
const HOME_V2: &str = "syntax = \"proto3\"; package lib; message Home { int32 id = 1; Room room = 2; } message Room { float name = 1; Home home = 2; }";

fn with_import(library: &str) -> Schema {
    let text = "syntax = \"proto3\"; import \"lib.proto\"; message M { lib.Home home = 1; lib.Home other = 2; repeated lib.Room rooms = 3; }";
    let references: [ReferencedSchema; 1] = [reference("lib.proto", library)];
    Schema::parse(text, &references).expect("a schema")
}

#[test]
fn imported_messages_are_compared_once_and_count_for_their_fields() {
    check(&with_import(HOME_V1), &with_import(HOME_V1), &expect![[""]]);
    check(
        &with_import(HOME_V1),
        &with_import(HOME_V2),
        &expect![[r#"
        ! FIELD_NAMED_TYPE_CHANGED #/M/1: field home is of message lib.Home, which is incompatible with the writer's lib.Home
        ! FIELD_NAMED_TYPE_CHANGED #/M/2: field other is of message lib.Home, which is incompatible with the writer's lib.Home
        ! FIELD_NAMED_TYPE_CHANGED #/M/3: field rooms is of message lib.Room, which is incompatible with the writer's lib.Room
        ! FIELD_NAMED_TYPE_CHANGED #/Home/2: field room is of message lib.Room, which is incompatible with the writer's lib.Room
        ! FIELD_SCALAR_KIND_CHANGED #/Room/1: field name is string in the writer's schema and float in the reader's, which are written differently
        ! FIELD_NAMED_TYPE_CHANGED #/Room/2: field home is of message lib.Home, which is incompatible with the writer's lib.Home
    "#]],
    );
}

#[test]
fn messages_may_move_into_an_import_that_has_them_all() {
    let text = "syntax = \"proto3\"; message M { Home home = 1; } message Home { int32 id = 1; Room room = 2; } message Room { string name = 1; Home home = 2; }";
    let importing = "syntax = \"proto3\"; import \"lib.proto\"; message M { lib.Home home = 1; }";
    let moved = Schema::parse(importing, &[reference("lib.proto", HOME_V1)]).expect("a schema");
    check(
        &moved,
        &schema(text),
        &expect![[r#"
            = MESSAGE_ADDED #/Home: message Home is new
            = MESSAGE_ADDED #/Room: message Room is new
        "#]],
    );
    check(
        &schema(text),
        &moved,
        &expect![[r#"
        ! MESSAGE_REMOVED #/Home: message Home of the writer's schema is not in the reader's
        ! MESSAGE_REMOVED #/Room: message Room of the writer's schema is not in the reader's
    "#]],
    );
}

#[test]
fn texts_and_descriptors_of_one_schema_do_not_differ() {
    let text = schema(super::ORDER);
    let decoded = schema(&text.serialized());
    check(&text, &decoded, &expect![[""]]);
    check(&decoded, &text, &expect![[""]]);
}

#[test]
fn reports_are_bounded() {
    let fields = |kind: &str| (1..=500).map(|at| format!("{kind} f{at} = {at};")).collect::<String>();
    let message = |kind: &str| schema(&format!("syntax = \"proto3\"; message M {{ {} }}", fields(kind)));
    assert_eq!(Schema::incompatibilities(&message("string"), &message("int32")).len(), 100);
}
