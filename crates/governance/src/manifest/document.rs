//! YAML as a tree of values that know where they stand.
//!
//! Scalars keep the text that the user wrote: a field decides what it means, so `no` can be a country and `1.10` a
//! version. Depth, aliases and sizes are bounded by the parser's own budget.

use std::fmt;

use miette::SourceSpan;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::source::SourceFile;
use crate::problem::Problem;

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: SourceSpan,
    pub(crate) value: Value,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Scalar(String),
    List(Vec<Node>),
    Mapping(Mapping),
}

impl Value {
    /// The word for it in a message.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

/// Names and values in the order of the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mapping {
    pub(crate) entries: Vec<Entry>,
}

/// A name, its place, and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) name_span: SourceSpan,
    pub(crate) value: Node,
}

/// Reads `file` as one mapping. A file without a byte is an error: editors empty a file before they write it again, and
/// a definition without any field would take the key and the retention from a topic.
pub(crate) fn parse(file: &SourceFile) -> Result<Mapping, Problem> {
    if file.text.is_empty() {
        let empty = file.problem((0, 0).into(), "the file is empty");
        return Err(empty.help(
            "write its fields into it; a file without a byte is taken for a save that has only begun",
        ));
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let raw: Option<Spanned<Raw>> = serde_saphyr::from_str_with_options(&file.text, options)
        .map_err(|error| syntax_problem(file, &error))?;
    let Some(raw) = raw else { return Ok(Mapping::default()) };
    let node = place(&file.text, raw);
    match node.value {
        Value::Mapping(mapping) => Ok(mapping),
        Value::Null => Ok(Mapping::default()),
        other => Err(file
            .problem(node.span, format!("expected `name: value` lines, found {}", other.noun()))
            .help("a manifest is a mapping: each line is a name, a colon and a value")),
    }
}

fn syntax_problem(file: &SourceFile, error: &serde_saphyr::Error) -> Problem {
    let text = error.without_snippet().to_string();
    // The parser's advice to its caller is of no use to the author of the file.
    let text = text.replace(", set DuplicateKeyPolicy in Options if acceptable", "");
    let message =
        text.split(" at line ").next().unwrap_or(&text).trim_end_matches([':', ',', ' ']).to_owned();
    let span = match error.location() {
        Some(location) if location != Location::UNKNOWN => {
            let to_usize = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
            file.span_of(to_usize(location.line()), to_usize(location.column()))
        }
        _ => (0, 0).into(),
    };
    let problem = file.problem(span, format!("not valid YAML: {message}"));
    if file.text.contains('\t') {
        return problem.help("YAML is indented by spaces; there is a tab in this file");
    }
    problem.label("here")
}

/// The tree as serde gives it; text of scalars that YAML would read as numbers is taken from the file afterwards.
enum Raw {
    Null,
    Typed,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

fn place(text: &str, raw: Spanned<Raw>) -> Node {
    let span = span_in(text, &raw.referenced);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Typed => Value::Scalar(slice(text, &raw.defined).trim().to_owned()),
        Raw::Text(text) => Value::Scalar(text),
        Raw::List(items) => Value::List(items.into_iter().map(|item| place(text, item)).collect()),
        Raw::Mapping(entries) => Value::Mapping(Mapping {
            entries: entries.into_iter().map(|(name, value)| entry(text, name, value)).collect(),
        }),
    };
    Node { span, value }
}

fn entry(text: &str, name: Spanned<Raw>, value: Spanned<Raw>) -> Entry {
    let name = place(text, name);
    let written = match name.value {
        Value::Scalar(text) => text,
        other => format!("({})", other.noun()),
    };
    Entry { name: written, name_span: name.span, value: place(text, value) }
}

fn slice<'a>(text: &'a str, location: &Location) -> &'a str {
    let span = span_in(text, location);
    text.get(span.offset()..span.offset() + span.len()).unwrap_or("")
}

/// The bytes of a location, without the line end that closes a block; never outside `text`.
fn span_in(text: &str, location: &Location) -> SourceSpan {
    let span = location.span();
    let from = span.byte_offset().and_then(|n| usize::try_from(n).ok()).unwrap_or(0).min(text.len());
    let length = span.byte_len().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let whole = text.get(from..from.saturating_add(length).min(text.len())).unwrap_or("");
    (from, whole.trim_end().len()).into()
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Mapping(entries))
    }
}
