//! Texts that are kept and given back.

use expect_test::expect;

use super::{ORDER, reference, schema};
use crate::protobuf::Schema;

/// Every part that a file can have, out of order.
const ALL: &str = r#"// A comment { { {
syntax = "proto2";
package all;
import public "google/protobuf/empty.proto";
import "google/protobuf/descriptor.proto";
import "confluent/meta.proto";
option java_package = "com.example"; /* another ' comment */
option (file_note) = { text: "it's \"é\"\n" 'x' more < number: -1 > list: [1, 2], [all.Note.extra]: 7 };
extend google.protobuf.FileOptions { optional Note file_note = 50000; }
extend google.protobuf.FieldOptions { repeated string tag = 50001; optional Note note = 50002; }
enum Colour { option allow_alias = true; reserved 5 to max; reserved "GREEN"; RED = 0; ROUGE = 0 [deprecated = true]; BLUE = -1; }
message Note {
  extensions 100 to 199, 500 to max;
  optional string text = 1; optional Note more = 2; optional sint32 number = 3; repeated int32 list = 4;
  extend Note { optional int32 extra = 100; }
}
message M {
  oneof choice { option (choice_note) = 1; string c = 6; group Pair = 7 { optional int32 p = 1; } }
  optional group Body = 5 { required bytes raw = 1 [default = "a\001\"b"]; }
  required int32 a = 2 [default = -3, (tag) = "x", (tag) = 'y'];
  optional float f = 9 [default = inf, (note).more.number = 3, (note).text = "t"];
  optional string s = 1 [json_name = "ess", default = "it's"];
  repeated Colour colours = 3 [packed = true];
  map<int32, all.Note> notes = 4;
  reserved 20, 30 to 40, 8; reserved "old", "older";
  message Empty {}
  enum Inner { NONE = 0; }
}
extend google.protobuf.OneofOptions { optional int32 choice_note = 50003; }
service S { option deprecated = true; rpc Do(stream M) returns (google.protobuf.Empty) { option deprecated = false; } rpc Plain(M) returns (M); }
"#;

/// The text without spaces at the ends of lines, which a snapshot in a source file cannot have.
fn visible(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn canonical_texts_have_confluents_order_of_parts() {
    expect![[r#"
        syntax = "proto2";
        package all;

        import "google/protobuf/descriptor.proto";
        import "confluent/meta.proto";
        import public "google/protobuf/empty.proto";

        option java_package = "com.example";
        option (file_note) = {
          text: "it\'s \"é\"\nx",
          more: {
            number: -1
          },
          list: [
            1,
            2
          ],
          [all.Note.extra]: 7
        };

        message Note {
          optional string text = 1;
          optional Note more = 2;
          optional sint32 number = 3;
          repeated int32 list = 4;

          extensions 100 to 199, 500 to max;

          extend Note {
            optional int32 extra = 100;
          }
        }
        message M {
          reserved 20, 30 to 40, 8;
          reserved "old", "older";

          required int32 a = 2 [
            (tag) = "x",
            (tag) = "y",
            default = -3
          ];
          optional float f = 9 [
            (note).more.number = 3,
            (note).text = "t",
            default = inf
          ];
          optional string s = 1 [
            default = "it\'s",
            json_name = "ess"
          ];
          repeated Colour colours = 3 [packed = true];
          map<int32, all.Note> notes = 4;

          oneof choice {
            option (choice_note) = 1;
  
            string c = 6;
            group Pair = 7 {
              optional int32 p = 1;
            }
          }

          optional group Body = 5 {
            required bytes raw = 1 [default = "a\001\"b"];
          }

          message Empty {}
          enum Inner {
            NONE = 0;
          }
        }
        enum Colour {
          reserved 5 to max;
          reserved "GREEN";
          option allow_alias = true;
          RED = 0;
          ROUGE = 0 [deprecated = true];
          BLUE = -1;
        }

        extend google.protobuf.FileOptions {
          optional Note file_note = 50000;
        }
        extend google.protobuf.FieldOptions {
          repeated string tag = 50001;
          optional Note note = 50002;
        }
        extend google.protobuf.OneofOptions {
          optional int32 choice_note = 50003;
        }

        service S {
          option deprecated = true;

          rpc Do (stream M) returns (google.protobuf.Empty) {
            option deprecated = false;
          };
          rpc Plain (M) returns (M);
        }
    "#]]
    .assert_eq(&visible(&schema(ALL).canonical()));
}

#[test]
fn normal_texts_are_sorted_and_have_full_names() {
    expect![[r#"
        package all;

        import "confluent/meta.proto";
        import "google/protobuf/descriptor.proto";
        import public "google/protobuf/empty.proto";

        option (all.file_note) = {
          [all.Note.extra]: 7,
          list: [
            1,
            2
          ],
          more: {
            number: -1
          },
          text: "it\'s \"é\"\nx"
        };
        option java_package = "com.example";

        message Note {
          optional string text = 1;
          optional .all.Note more = 2;
          optional sint32 number = 3;
          repeated int32 list = 4;

          extensions 100 to 199;
          extensions 500 to max;

          extend .all.Note {
            optional int32 extra = 100;
          }
        }
        message M {
          reserved 8;
          reserved 20;
          reserved 30 to 40;
          reserved "old";
          reserved "older";

          optional string s = 1 [
            default = "it\'s",
            json_name = "ess"
          ];
          required int32 a = 2 [
            (all.tag) = "x",
            (all.tag) = "y",
            default = -3
          ];
          repeated .all.Colour colours = 3 [packed = true];
          map<int32, .all.Note> notes = 4;
          optional float f = 9 [
            (all.note) = {
              more: {
                number: 3
              },
              text: "t"
            },
            default = inf
          ];

          oneof choice {
            option (all.choice_note) = 1;
  
            string c = 6;
            group Pair = 7 {
              optional int32 p = 1;
            }
          }

          optional group Body = 5 {
            required bytes raw = 1 [default = "a\001\"b"];
          }

          message Empty {}
          enum Inner {
            NONE = 0;
          }
        }
        enum Colour {
          reserved 5 to max;
          reserved "GREEN";
          option allow_alias = true;
          BLUE = -1;
          RED = 0;
          ROUGE = 0 [deprecated = true];
        }

        extend .google.protobuf.FileOptions {
          optional .all.Note file_note = 50000;
        }
        extend .google.protobuf.FieldOptions {
          repeated string tag = 50001;
          optional .all.Note note = 50002;
        }
        extend .google.protobuf.OneofOptions {
          optional int32 choice_note = 50003;
        }

        service S {
          option deprecated = true;

          rpc Do (stream .all.M) returns (.google.protobuf.Empty) {
            option deprecated = false;
          };
          rpc Plain (.all.M) returns (.all.M);
        }
    "#]]
    .assert_eq(&visible(&schema(ALL).normalized()));
}

#[test]
fn texts_that_are_kept_read_as_themselves() {
    for text in [ALL, ORDER] {
        let first = schema(text);
        let kept = schema(&first.canonical());
        assert_eq!(kept.canonical(), first.canonical());
        assert_eq!(kept.normalized(), first.normalized());
        let normal = schema(&first.normalized());
        assert_eq!(normal.normalized(), first.normalized());
    }
}

#[test]
fn descriptors_say_what_their_text_says() {
    for text in [ALL, ORDER] {
        let first = schema(text);
        let decoded = schema(&first.serialized());
        assert_eq!(decoded.normalized(), first.normalized());
        assert_eq!(schema(&decoded.canonical()).normalized(), first.normalized());
        assert_eq!(decoded.serialized(), first.serialized());
    }
}

#[test]
fn descriptors_keep_options_that_an_import_declares() {
    let options = r#"syntax = "proto3"; package own; import "google/protobuf/descriptor.proto";
        message Rule { string name = 1; map<string, int32> limits = 2; }
        extend google.protobuf.FieldOptions { Rule rule = 50000; }"#;
    let references = [reference("own/options.proto", options)];
    let text = r#"syntax = "proto3"; import "own/options.proto";
        message M { string x = 1 [(own.rule) = {name: "short" limits {key: "max" value: 3} limits {key: "b" value: 1}}]; }"#;
    let first = Schema::parse(text, &references).expect("a schema");
    let decoded = Schema::parse(&first.serialized(), &references).expect("a descriptor");
    expect![[r#"
        syntax = "proto3";

        import "own/options.proto";

        message M {
          string x = 1 [(own.rule) = {
            name: "short",
            limits: [
              {
                key: "b",
                value: 1
              },
              {
                key: "max",
                value: 3
              }
            ]
          }];
        }
    "#]]
    .assert_eq(&decoded.canonical());
}

#[test]
fn syntax_is_kept_as_it_was_written() {
    let texts =
        ["message A {}", "syntax = \"proto2\"; message A {}", "syntax = \"proto3\"; message A {}", ""];
    let kept: Vec<String> = texts.iter().map(|text| schema(text).canonical()).collect();
    expect![[r#"

        message A {}
        |syntax = "proto2";

        message A {}
        |syntax = "proto3";

        message A {}
        |"#]]
    .assert_eq(&kept.join("|"));
}
