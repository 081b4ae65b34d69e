//! Tests of Protobuf schemas: data in, text out.

mod canonical;
mod codec;
mod compatibility;
mod hostile;
mod reading;

use super::Schema;
use crate::ReferencedSchema;

/// A schema without references.
fn schema(text: &str) -> Schema {
    Schema::parse(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What is wrong with a text, in one line.
fn error(text: &str, references: &[ReferencedSchema]) -> String {
    match Schema::parse(text, references) {
        Ok(_) => format!("no error: {text}"),
        Err(error) => error.to_string(),
    }
}

fn reference(name: &str, text: &str) -> ReferencedSchema {
    ReferencedSchema { name: name.to_owned(), text: text.into() }
}

/// An order, with a field of each kind.
const ORDER: &str = r#"syntax = "proto3";
package store;

import "google/protobuf/timestamp.proto";

message Order {
  string id = 1;
  int64 total_cents = 2;
  google.protobuf.Timestamp placed_at = 3;
  repeated Line lines = 4;
  map<string, int32> counts = 5;
  Status status = 6;
  bytes signature = 7;
  optional double weight = 8;
  oneof payment {
    string card = 9;
    uint64 cash = 10;
  }
  message Line {
    int32 product = 1;
    string title = 2;
  }
  enum Status {
    UNKNOWN = 0;
    OPEN = 1;
  }
}
message Refund {
  string order = 1;
}
"#;
