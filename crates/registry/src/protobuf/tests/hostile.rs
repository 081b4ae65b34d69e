//! Schemas and values that are made to take too long, or too much.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use expect_test::expect;
use proptest::prelude::*;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, MessageOptions,
    UninterpretedOption,
};

use super::{ORDER, error, reference, schema};
use crate::protobuf::Schema;

#[test]
fn texts_beyond_a_limit_are_refused() {
    let nested = |count: usize| format!("{}{}", "message A {".repeat(count), "}".repeat(count));
    let fields =
        |count: usize| -> String { (1..=count).map(|at| format!("optional int32 f{at} = {at};")).collect() };
    let texts = [
        nested(10_000),
        nested(65),
        format!("message A {{ {} }}", "optional group G = 1 {".repeat(10_000)),
        format!("option (x) = {}{};", "{ a: ".repeat(10_000), "}".repeat(10_000)),
        format!("option (x) = {{ a: {} }};", "[".repeat(10_000)),
        format!("option {}a = 1;", "a.".repeat(200_000)),
        format!("message M {{ {} }}", fields(30_000)),
        format!("message M {{ {} }}", fields(100_000)),
        format!("package {}a;", "a.".repeat(100)),
        format!("message {} {{}}", "M".repeat(600)),
        format!("message M {{ optional {} f = 1; }}", "T".repeat(600)),
        "x".repeat((1 << 20) + 1),
        "/*".repeat(100_000),
        "#".repeat(100_000),
        "\"".repeat(100_001),
        "{".repeat(100_000),
        "}".repeat(100_000),
        "message A { # } } }\n".repeat(100),
    ];
    let errors: Vec<String> = texts.iter().map(|text| error(text, &[]).chars().take(160).collect()).collect();
    expect![[r#"
        line 1, column 715: nested too deeply: at most 64 brackets in one another
        line 1, column 715: nested too deeply: at most 64 brackets in one another
        line 1, column 1420: nested too deeply: at most 64 brackets in one another
        line 1, column 334: nested too deeply: at most 64 brackets in one another
        line 1, column 82: nested too deeply: at most 64 brackets in one another
        line 1, column 160009: too large: at most 20000 statements and elements of lists, with those of the imports
        line 1, column 577800: too large: at most 20000 statements and elements of lists, with those of the imports
        too large: 2977804 bytes, and the limit is 1048576
        the package: a name that is too long: at most 512 bytes with all around it
        the file: a name that is too long: at most 512 bytes with all around it
        M.f: a name that is too long: at most 512 bytes with all around it
        too large: 1048577 bytes, and the limit is 1048576
        line 1, column 3: a comment within a comment
        line 1, column 1: '#' comments are not allowed here
        line 1, column 100002: a string is not closed
        line 1, column 65: nested too deeply: at most 64 brackets in one another
        line 1, column 1: unexpected '}'
        line 65, column 11: nested too deeply: at most 64 brackets in one another"#]]
    .assert_eq(&errors.join("\n"));
    schema(&nested(60));
}

#[test]
fn brackets_in_comments_and_strings_do_not_count() {
    let deep = "{".repeat(100);
    schema(&format!("// {deep}\n/* {deep} */ option java_package = \"{deep}\\\"{deep}\"; message A {{}}"));
    // A sign that begins a comment in one reader and not in another hides nothing from either.
    let hidden = format!("# /*\n{}", "message A {".repeat(10_000));
    assert!(error(&hidden, &[]).contains("nested too deeply"), "{}", error(&hidden, &[]));
}

#[test]
fn imports_that_fan_out_take_no_more_time_than_their_number() {
    // Each layer imports both files of the next one publicly: the number of ways doubles with each.
    let layers = 100;
    let mut references = Vec::new();
    for layer in (0..layers).rev() {
        for side in ["a", "b"] {
            let next = if layer + 1 < layers {
                format!("import public \"a{0}.proto\"; import public \"b{0}.proto\";", layer + 1)
            } else {
                String::new()
            };
            let text = format!("syntax = \"proto3\"; {next} message M{side}{layer} {{}}");
            references.push(reference(&format!("{side}{layer}.proto"), &text));
        }
    }
    let text = "syntax = \"proto3\"; import \"a0.proto\"; import \"b0.proto\"; message M { Ma99 deep = 1; Mb0 near = 2; }";
    let found = Schema::parse(text, &references).expect("a schema");
    assert!(Schema::incompatibilities(&found, &found).is_empty());
    let all: String = (0..300).map(|at| format!("import \"f{at}.proto\";")).collect();
    let references: Vec<_> = (0..300).map(|at| reference(&format!("f{at}.proto"), "")).collect();
    expect!["too many imports: at most 256 files"].assert_eq(&error(&all, &references));
    let chain: Vec<_> = (0..200)
        .map(|at| reference(&format!("f{at}.proto"), &format!("import \"f{}.proto\";", at + 1)))
        .collect();
    let end = reference("f200.proto", "message End {}");
    Schema::parse("import \"f0.proto\";", &[chain, vec![end]].concat()).expect("a chain of imports");
}

#[test]
fn large_schemas_are_compared_printed_and_exemplified() {
    // Each message refers to the next twice: the number of ways to the last doubles with each.
    let library: String = (0..1_000)
        .map(|at| format!("message M{at} {{ M{0} a = 1; M{0} b = 2; }}", at + 1))
        .chain(["message M1000 { int32 x = 1; }".to_owned()])
        .collect();
    let read = |library: &str| {
        let text = "syntax = \"proto3\"; import \"lib.proto\"; message Main { M0 first = 1; M0 second = 2; }";
        Schema::parse(text, &[reference("lib.proto", &format!("syntax = \"proto3\"; {library}"))])
            .expect("a schema")
    };
    let (before, after) = (read(&library), read(&library.replace("int32 x", "string x")));
    assert_eq!(Schema::incompatibilities(&after, &before).len(), 100);
    before.encode(before.example().to_string().as_bytes()).expect("an example is a value");
    let wide: String = (1..=9_000).map(|at| format!("map<string, M> f{at} = {at};")).collect();
    let wide = schema(&format!("syntax = \"proto3\"; message M {{ {wide} }}"));
    assert!(wide.canonical().len() > 200_000 && wide.normalized().len() > 200_000);
    wide.encode(wide.example().to_string().as_bytes()).expect("an example is a value");
}

#[test]
fn few_bytes_do_not_ask_for_much_work() {
    let fields = |kind: &str| -> String { (2..9_000).map(|at| format!("{kind} f{at} = {at};")).collect() };
    let optional = schema(&format!("message M {{ repeated M all = 1; {} }}", fields("optional string")));
    let mut json = Vec::new();
    optional.decode(&b"\x0a\x00".repeat(50_000), &mut json).expect("empty messages");
    optional.encode(&json).expect("empty messages");
    let required = schema(&format!("message M {{ {} }}", fields("required M")));
    drop(required.example());
    let errors = [
        error(&format!("message M {{ oneof all {{ {} }} }}", fields("string")), &[]),
        error(
            &format!("message M {{ extensions 2 to max; }} extend M {{ {} }}", fields("optional string")),
            &[],
        ),
    ];
    expect![[r#"
        M.all: too many fields in a oneof: at most 256
        M: too many extensions of a message: at most 256"#]]
    .assert_eq(&errors.join("\n"));
}

#[test]
fn types_of_google_protobuf_keep_their_shape() {
    let same = "syntax = \"proto3\"; package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }";
    schema(same);
    let texts = [
        "package google.protobuf; message FieldOptions { optional string deprecated = 3; } message M { optional int32 a = 1 [deprecated = \"x\"]; }",
        "syntax = \"proto3\"; package google.protobuf; message Timestamp { string seconds = 1; int32 nanos = 2; }",
        "syntax = \"proto3\"; package google.protobuf; message NullValue {}",
        "syntax = \"proto3\"; package google.protobuf; enum Any { X = 0; }",
        "syntax = \"proto3\"; package google; message protobuf { message Timestamp { string seconds = 1; } }",
    ];
    let errors: Vec<String> = texts.iter().map(|text| error(text, &[])).collect();
    expect![[r#"
        google.protobuf.FieldOptions: built in: it cannot be declared in another way
        google.protobuf.Timestamp: built in: it cannot be declared in another way
        google.protobuf.NullValue: built in: it cannot be declared in another way
        google.protobuf.Any: built in: it cannot be declared in another way
        google.protobuf: built in: it cannot be declared in another way"#]]
    .assert_eq(&errors.join("\n"));
}

fn base64(file: &FileDescriptorProto) -> String {
    BASE64_STANDARD.encode(file.encode_to_vec())
}

fn field(name: &str, number: i32, kind: Type) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(Label::Optional.into()),
        r#type: Some(kind.into()),
        ..FieldDescriptorProto::default()
    }
}

fn file(message: DescriptorProto) -> FileDescriptorProto {
    FileDescriptorProto { message_type: vec![message], ..FileDescriptorProto::default() }
}

fn message(name: &str, field: Vec<FieldDescriptorProto>) -> DescriptorProto {
    DescriptorProto { name: Some(name.to_owned()), field, ..DescriptorProto::default() }
}

#[test]
fn descriptors_that_no_compiler_makes_are_refused() {
    let entry_options = Some(MessageOptions { map_entry: Some(true), ..MessageOptions::default() });
    let self_entry =
        FieldDescriptorProto { type_name: Some(".E".to_owned()), ..field("value", 2, Type::Message) };
    let mut files = vec![
        FileDescriptorProto { syntax: Some("editions".to_owned()), ..FileDescriptorProto::default() },
        FileDescriptorProto { package: Some("a..b".to_owned()), ..FileDescriptorProto::default() },
        FileDescriptorProto { public_dependency: vec![3], ..FileDescriptorProto::default() },
        file(message("", vec![])),
        file(message("a.b", vec![])),
        file(message("M", vec![FieldDescriptorProto { oneof_index: Some(2), ..field("a", 1, Type::Int32) }])),
        file(message("M", vec![FieldDescriptorProto { r#type: Some(99), ..field("a", 1, Type::Int32) }])),
        file(message("M", vec![FieldDescriptorProto { r#type: None, ..field("a", 1, Type::Int32) }])),
        file(message("M", vec![FieldDescriptorProto { number: Some(-1), ..field("a", 1, Type::Int32) }])),
        file(DescriptorProto {
            options: entry_options.clone(),
            ..message("E", vec![field("key", 1, Type::Float)])
        }),
        file(DescriptorProto {
            options: entry_options,
            ..message("E", vec![field("key", 1, Type::String), self_entry])
        }),
        FileDescriptorProto {
            enum_type: vec![EnumDescriptorProto {
                name: Some("E".to_owned()),
                ..EnumDescriptorProto::default()
            }],
            ..FileDescriptorProto::default()
        },
        file(DescriptorProto {
            options: Some(MessageOptions {
                uninterpreted_option: vec![UninterpretedOption::default()],
                ..MessageOptions::default()
            }),
            ..message("M", vec![])
        }),
    ];
    let deep = (0..90).fold(message("M", vec![]), |inner, _| DescriptorProto {
        nested_type: vec![inner],
        ..message("M", vec![])
    });
    files.push(file(deep));
    files.push(FileDescriptorProto {
        message_type: vec![DescriptorProto::default(); 100_000],
        ..FileDescriptorProto::default()
    });
    let errors: Vec<String> =
        files.iter().map(|file| error(&base64(file), &[]).chars().take(120).collect()).collect();
    expect![[r#"
        syntax "editions" is not supported: write proto2 or proto3
        invalid package "a..b"
        an import that is public or weak, and is not there
        the file: invalid name ""
        the file: invalid name "a.b"
        M.a: a field of a oneof that is not there
        M.a: a field without a type that is known
        M.a: a field without a type that is known
        invalid field number '-1'
        E: an entry of a map has a field key = 1 that is text, a number or a bool, and a field value = 2
        E: the value of a map is a map
        E: an enum without a value
        no error: IggKAU06A7o+AA==
        nested too deeply: at most 64 messages in one another
        too large: at most 20000 statements and elements of lists, with those of the imports"#]]
    .assert_eq(&errors.join("\n"));
    assert!(error("AAAA", &[]).contains("base64"), "{}", error("AAAA", &[]));
}

#[test]
fn values_beyond_a_limit_are_refused() {
    let tree = schema("syntax = \"proto3\"; message T { T t = 1; repeated T all = 2; repeated bool b = 3; }");
    let nest = |count: usize| (0..count).fold(Vec::new(), |inner: Vec<u8>, _| tag(1, &inner));
    let any = schema(
        "syntax = \"proto3\"; import \"google/protobuf/any.proto\"; message M { google.protobuf.Any any = 1; }",
    );
    let packed = |count: usize| {
        let any = (0..count).fold(Vec::new(), |inner: Vec<u8>, _| {
            [tag(1, b"x/google.protobuf.Any"), tag(2, &inner)].concat()
        });
        tag(1, &any)
    };
    let many: String =
        (10..2_000).map(|at| format!("string a_field_with_a_long_name_{at} = {at};")).collect();
    let wide = schema(&format!("syntax = \"proto3\"; message M {{ repeated M all = 1; {many} }}"));
    let decode = |schema: &Schema, bytes: &[u8]| {
        let mut json = Vec::new();
        schema
            .decode(bytes, &mut json)
            .map_or_else(|error| error.to_string(), |()| format!("{} bytes", json.len()))
    };
    let nested_json = format!("{}{}", "{\"t\": ".repeat(5_000), "}".repeat(5_000));
    let results = [
        decode(&tree, &nest(60)),
        decode(&tree, &nest(80)),
        decode(&tree, &nest(20_000)),
        decode(&any, &packed(20)),
        decode(&any, &packed(500)),
        decode(&wide, &b"\x0a\x00".repeat(100_000)),
        tree.encode(nested_json.as_bytes())
            .map_or_else(|error| error.to_string(), |bytes| format!("{bytes:?}")),
    ];
    expect![[r#"
        1337 bytes
        T cannot be written as JSON: nested too deeply: at most 64 messages in one another
        no value of T: failed to decode Protobuf message: recursion limit reached
        850 bytes
        M cannot be written as JSON: nested too deeply: at most 64 messages in one another
        M cannot be written as JSON: too large: at most 16777216 bytes
        nested too deeply: at most 64 brackets in one another"#]]
    .assert_eq(&results.join("\n"));
}

/// A field with a length.
fn tag(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    prost_reflect::prost::encoding::encode_varint(u64::try_from(bytes.len()).expect("a length"), &mut out);
    out.extend_from_slice(bytes);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn texts_from_anywhere_are_a_schema_or_an_error(
        tokens in prop::collection::vec(prop::sample::select(&[
            "message", "enum", "oneof", "group", "extend", "map", "<", ">", "{", "}", "[", "]", "(", ")", "=", ";", ",", ".",
            "1", "0x7f", "-1", "1.5", "inf", "\"a\"", "'b'", "\"", "\\", "/*", "*/", "//", "#", "\n", "option", "syntax", "\"proto3\"",
            "import", "package", "M", "x", "string", "optional", "repeated", "required", "reserved", "to", "max", "extensions", "default",
            "service", "rpc", "returns", "stream", "map_entry", "true", "é", "\u{0}",
        ][..]), 0..60),
        glue in prop::sample::select(&["", " "][..]),
    ) {
        let text = tokens.join(glue);
        if let Ok(found) = Schema::parse(&text, &[]) {
            schema(&found.canonical());
            schema(&found.normalized());
            schema(&found.serialized());
        }
    }

    #[test]
    fn descriptors_with_a_changed_byte_are_a_schema_or_an_error(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let serialized = BASE64_STANDARD.decode(schema(ORDER).serialized()).expect("base64");
        let mut changed = serialized;
        let at = at.index(changed.len());
        changed[at] = byte;
        if let Ok(found) = Schema::parse(&BASE64_STANDARD.encode(changed), &[]) {
            drop((found.canonical(), found.normalized(), found.serialized(), found.example()));
        }
    }
}
