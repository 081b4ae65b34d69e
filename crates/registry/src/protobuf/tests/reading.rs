//! Texts and descriptors that are read, and those that are not, with the place.

use expect_test::expect;

use super::{ORDER, error, reference, schema};
use crate::protobuf::{MessageIndexes, Schema};

#[test]
fn invalid_texts_name_the_place() {
    let texts = [
        "message",
        "syntax = \"proto4\";",
        "edition = \"2023\"; message A {}",
        "syntax = \"proto3\";\nmessage A {\n  Missing x = 1;\n}",
        "syntax = \"proto3\";\nmessage A {\n  int32 x = 1;\n  int32 y = 1;\n}",
        "syntax = \"proto3\";\nmessage A {\n  google.protobuf.Timestamp at = 1;\n}",
        "syntax = \"proto3\";\nimport \"other.proto\";",
        "syntax = \"proto3\";\nimport \"default\";",
        "syntax = \"proto3\";\nmessage A {\n  string x = 1 [nonsense = true];\n}",
        "syntax = \"proto3\";\nmessage A { reserved 1; string x = 1; }",
        "syntax = \"proto3\";\nmessage A { string x = 1;",
        "syntax = \"proto3\";\nmessage A { string x = 1; }}",
        "syntax = \"proto3\";\n/* never closed",
        "syntax = \"proto3\";\noption java_package = \"never closed;\n",
        "syntax = \"proto3\";\nenum E { A = 1; }",
        "message E { option map_entry = true; optional int32 x = 1; }",
        "{\"type\": \"record\"}",
    ];
    let errors: Vec<String> = texts.iter().map(|text| error(text, &[])).collect();
    expect![[r#"
        expected an identifier, but reached end of file
        line 1, column 10: unknown syntax 'proto4'
        line 1, column 1: editions are not supported: write syntax = "proto2" or syntax = "proto3"
        line 3, column 3: name 'Missing' is not defined
        line 4, column 13: field number '1' is already used
        line 3, column 3: name 'google.protobuf.Timestamp' is not defined
        line 2, column 1: import "other.proto" is not known: add a reference of this name
        import cycle: this schema imports itself, directly or not
        line 3, column 17: option field 'nonsense' is not defined
        line 2, column 36: field number '1' conflicts with reserved range '1 to 1'
        line 2, column 26: '{' is not closed
        line 2, column 28: unexpected '}'
        line 2, column 16: a comment is not closed
        line 2, column 37: a string is not closed
        line 2, column 14: the first value for proto3 enums must be 0
        E: an entry of a map has a field key = 1 that is text, a number or a bool, and a field value = 2
        line 1, column 1: expected 'enum', 'extend', 'import', 'message', 'option', 'service', 'package' or ';', but found '{'"#]].assert_eq(&errors.join("\n"));
}

#[test]
fn errors_in_an_import_name_it() {
    let main = "syntax = \"proto3\"; import \"a.proto\"; message M { A a = 1; }";
    let found = [
        error(main, &[reference("a.proto", "syntax = \"proto3\";\nmessage A {\n  int32 x = 0;\n}")]),
        error(main, &[reference("a.proto", "message")]),
        error(main, &[reference("a.proto", "import \"b.proto\";")]),
        error(main, &[reference("a.proto", "import \"a.proto\";")]),
        error(
            main,
            &[reference("a.proto", "import \"b.proto\";"), reference("b.proto", "import \"a.proto\";")],
        ),
        error(main, &[reference("b.proto", "message A {}")]),
    ];
    expect![[r#"
        import "a.proto": line 3, column 13: message numbers must be between 1 and 536870911
        import "a.proto": expected an identifier, but reached end of file
        line 1, column 1: a.proto: import "b.proto" is not known: add a reference of this name
        import cycle: a.proto imports itself, directly or not
        import cycle: a.proto imports itself, directly or not
        line 1, column 20: import "a.proto" is not known: add a reference of this name"#]]
    .assert_eq(&found.join("\n"));
}

#[test]
fn imports_are_built_in_or_referenced() {
    let text = r#"syntax = "proto3";
        import "google/protobuf/any.proto"; import "google/protobuf/struct.proto"; import "google/protobuf/wrappers.proto";
        import "google/type/money.proto"; import "google/type/datetime.proto"; import "google/type/dayofweek.proto";
        import "google/type/color.proto"; import "google/type/interval.proto"; import "google/type/phone_number.proto";
        import "confluent/meta.proto"; import "confluent/type/decimal.proto"; import "confluent/type/variant.proto";
        import "own.proto";
        message M { google.type.Money price = 1; confluent.type.Decimal exact = 2; own.Thing thing = 3; }"#;
    let own = reference("own.proto", "syntax = \"proto3\"; package own; message Thing { string id = 1; }");
    Schema::parse(text, &[own]).expect("all imports are known");
    assert_eq!(Schema::references(text).expect("a text"), ["own.proto"]);
}

#[test]
fn all_built_in_files_are_schemas() {
    let google = ["any", "api", "descriptor", "duration", "empty", "field_mask", "source_context", "struct"];
    let google = google
        .iter()
        .chain(&["timestamp", "type", "wrappers"])
        .map(|name| format!("google/protobuf/{name}.proto"));
    let names = [
        "calendar_period",
        "color",
        "date",
        "datetime",
        "dayofweek",
        "decimal",
        "expr",
        "fraction",
        "interval",
    ];
    let more = [
        "latlng",
        "localized_text",
        "money",
        "month",
        "phone_number",
        "postal_address",
        "quaternion",
        "timeofday",
    ];
    let types = names.iter().chain(&more).map(|name| format!("google/type/{name}.proto"));
    let confluent = ["meta", "type/decimal", "type/variant"].map(|name| format!("confluent/{name}.proto"));
    for import in google.chain(types).chain(confluent) {
        schema(&format!("import \"{import}\";"));
    }
}

#[test]
fn public_imports_are_seen_through() {
    let references = [
        reference("c.proto", "syntax = \"proto3\"; message C { string id = 1; }"),
        reference("b.proto", "syntax = \"proto3\"; import public \"c.proto\";"),
        reference("a.proto", "syntax = \"proto3\"; import public \"b.proto\";"),
    ];
    let text = "syntax = \"proto3\"; import \"a.proto\"; message M { C c = 1; }";
    let found = Schema::parse(text, &references).expect("C is seen through a and b");
    let again = Schema::parse(&found.serialized(), &references).expect("the descriptor says the same");
    expect![[r#"
        syntax = "proto3";

        import "a.proto";

        message M {
          .C c = 1;
        }
    "#]]
    .assert_eq(&again.canonical());
}

#[test]
fn messages_are_listed_with_their_indexes() {
    let text = format!(
        "{ORDER}\nmessage Outer {{ map<string, Inner> all = 1; message Inner {{ message Deep {{}} }} }}"
    );
    let listed: Vec<String> = schema(&text)
        .messages()
        .iter()
        .map(|message| format!("{} {:?}", message.full_name, message.indexes.positions()))
        .collect();
    expect![[r#"
        store.Order [0]
        store.Order.Line [0, 0]
        store.Refund [1]
        store.Outer [2]
        store.Outer.Inner [2, 0]
        store.Outer.Inner.Deep [2, 0, 0]"#]]
    .assert_eq(&listed.join("\n"));
    let found = schema(&text);
    assert_eq!(found.message(&MessageIndexes::new(&[2, 0])).expect("there").full_name, "store.Outer.Inner");
    let error = found.message(&MessageIndexes::new(&[7])).expect_err("not there");
    expect!["the schema has no message with the indexes [7]"].assert_eq(&error.to_string());
}

#[test]
fn entries_that_a_descriptor_spells_out_have_positions() {
    let text = "syntax = \"proto3\"; message M { map<string, int32> all = 1; message Inner {} }";
    let from_text = schema(text);
    let from_bytes = schema(&from_text.serialized());
    assert_eq!(from_text.message(&MessageIndexes::new(&[0, 0])).expect("there").full_name, "M.Inner");
    assert_eq!(from_bytes.message(&MessageIndexes::new(&[0, 1])).expect("there").full_name, "M.Inner");
    // The text that is kept of a descriptor has them too.
    let kept = schema(&from_bytes.canonical());
    assert_eq!(kept.message(&MessageIndexes::new(&[0, 1])).expect("there").full_name, "M.Inner");
    let mut json = Vec::new();
    let bytes = kept.encode(br#"{"all": {"b": 2, "a": 1}}"#).expect("a map");
    kept.decode(&bytes, &mut json).expect("a map");
    assert_eq!(String::from_utf8_lossy(&json), r#"{"all":{"a":1,"b":2}}"#);
}
