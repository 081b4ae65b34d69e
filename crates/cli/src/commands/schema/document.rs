//! The text of a schema, set for people to read.
//!
//! Invariants: a document of JSON keeps its order, its digits and its escapes: blanks between its parts alone change.

use factum_api::registry::RegisteredSchema;

/// The format of schemas that name none.
const AVRO: &str = "AVRO";
const PROTOBUF: &str = "PROTOBUF";

/// The name of a schema's format.
pub(super) fn format_of(schema: &RegisteredSchema) -> &str {
    schema.schema_type.as_deref().unwrap_or(AVRO)
}

/// A schema's text on lines of its own, with no character that could steer a terminal.
pub(super) fn pretty(schema: &RegisteredSchema) -> String {
    let text = schema.schema.as_deref().unwrap_or_default();
    let is_json =
        format_of(schema) != PROTOBUF && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    let set = if is_json { indented(text) } else { text.to_owned() };
    let clean = set.chars().map(|c| if c.is_control() && !"\n\t".contains(c) { '\u{fffd}' } else { c });
    clean.collect::<String>().trim_end().to_owned() + "\n"
}

/// A document of JSON with two blanks for each level.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len().saturating_mul(2));
    let (mut level, mut is_string, mut is_escaped) = (0, false, false);
    // What was opened and has nothing in it yet.
    let mut is_empty = false;
    for c in json.chars() {
        if is_string {
            out.push(c);
            is_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            continue;
        }
        let is_end = "}]".contains(c);
        match c {
            ' ' | '\t' | '\r' | '\n' => continue,
            _ if is_end => {
                level -= 1;
                if !is_empty {
                    new_line(&mut out, level);
                }
            }
            _ if is_empty => new_line(&mut out, level),
            _ => {}
        }
        out.push(c);
        is_empty = "{[".contains(c);
        is_string = c == '"';
        match c {
            '{' | '[' => level += 1,
            ',' => new_line(&mut out, level),
            ':' => out.push(' '),
            _ => {}
        }
    }
    out
}

fn new_line(out: &mut String, level: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", level));
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn set(schema_type: Option<&str>, text: &str) -> String {
        let schema_type = schema_type.map(str::to_owned);
        pretty(&RegisteredSchema {
            schema_type,
            schema: Some(text.to_owned()),
            ..RegisteredSchema::default()
        })
    }

    #[test]
    fn json_keeps_its_order_digits_and_escapes() {
        let text = r#"{"type":"record", "b":[1.50,{}],"a": [ ],"doc":"say \"{a, b}\" \\","n":{"x":null}}"#;
        expect![[r#"
            {
              "type": "record",
              "b": [
                1.50,
                {}
              ],
              "a": [],
              "doc": "say \"{a, b}\" \\",
              "n": {
                "x": null
              }
            }
        "#]]
        .assert_eq(&set(None, text));
    }

    #[test]
    fn text_that_is_not_json_stays_as_it_is() {
        assert_eq!(set(None, "[1"), "[1\n");
        let proto = "syntax = \"proto3\";\n\tmessage A {}\u{1b}\n";
        assert_eq!(set(Some("PROTOBUF"), proto), "syntax = \"proto3\";\n\tmessage A {}\u{fffd}\n");
    }
}
