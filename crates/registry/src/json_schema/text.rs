//! The text of a schema that is kept and given back.

use super::document::{Json, Node, NodeId};
use super::number;

/// The order of an object's members in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberOrder {
    /// That of the text that was read.
    Text,
    /// That of their names, as Java compares them: by UTF-16 code units.
    Name,
}

/// Writes `id` without white space, as Confluent's registry does (Jackson's `writeValueAsString`).
pub(super) fn write(json: &Json, id: NodeId, order: MemberOrder) -> String {
    let mut text = String::new();
    write_value(json, id, order, &mut text);
    text
}

fn write_value(json: &Json, id: NodeId, order: MemberOrder, text: &mut String) {
    match json.node(id) {
        Node::Null => text.push_str("null"),
        Node::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Node::Number(written) => text.push_str(&number::java_text(written)),
        Node::String(string) => write_string(string, text),
        Node::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(json, *item, order, text);
            }
            text.push(']');
        }
        Node::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            if order == MemberOrder::Name {
                members.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            }
            text.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(name, text);
                text.push(':');
                write_value(json, value, order, text);
            }
            text.push('}');
        }
    }
}

/// Writes a string with its quotes; escapes are those of Jackson, which writes hexadecimal digits in upper case.
pub(super) fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for char in string.chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            control if control < ' ' => text.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => text.push(other),
        }
    }
    text.push('"');
}
