//! Options as they are printed: names with their values, whatever the file came from.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::prost_types::UninterpretedOption;
use prost_reflect::prost_types::uninterpreted_option::NamePart;

use super::text_format;

/// One option of a file, a message, a field or another part.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PrintOption {
    /// `deprecated`, `(confluent.field_meta)`, `(a).b`.
    pub(super) name: String,
    /// What it is set to.
    pub(super) value: OptionValue,
}

/// What an option, or a field of one that is a message, is set to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum OptionValue {
    /// A number or a word: `true`, `SPEED`, `-1`.
    Plain(String),
    /// Text or bytes.
    Text(Vec<u8>),
    /// A message, its fields in the order of the file.
    Map(Vec<(String, OptionValue)>),
    /// Several values of a repeated field.
    List(Vec<OptionValue>),
}

impl PrintOption {
    /// An option as the parser left it.
    pub(super) fn new(option: &UninterpretedOption) -> Self {
        let parts: Vec<String> = option.name.iter().map(name_part).collect();
        Self { name: parts.join("."), value: value(option) }
    }

    /// Options in the normal form: sorted by name, and those that set one message field by field made into the message.
    pub(super) fn normal_list(options: &[UninterpretedOption]) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        // Positions of the messages that are set field by field.
        let mut messages: HashMap<String, usize> = HashMap::new();
        for option in options {
            let Some((first, rest)) = option.name.split_first().filter(|(first, _)| first.is_extension)
            else {
                found.push(Self::new(option));
                continue;
            };
            let name = name_part(first);
            if rest.is_empty() {
                found.push(Self { name, value: value(option) });
                continue;
            }
            let at = *messages.entry(name.clone()).or_insert_with(|| {
                found.push(Self { name, value: OptionValue::Map(Vec::new()) });
                found.len() - 1
            });
            if let Some(OptionValue::Map(fields)) = found.get_mut(at).map(|option| &mut option.value) {
                set_field(fields, rest, value(option));
            }
        }
        let sorted = found.into_iter().map(|option| Self { value: option.value.sorted(), ..option });
        let mut found: Vec<Self> = sorted.collect();
        found.sort_by_cached_key(Self::sort_key);
        found
    }

    /// The name that options are sorted by.
    pub(super) fn sort_key(&self) -> String {
        self.name.replace(['(', ')'], "")
    }

    /// `name = value`; lines after the first are indented within it.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} = ", self.name);
        self.value.write(&mut text, 0);
        text
    }
}

fn name_part(part: &NamePart) -> String {
    if part.is_extension { format!("({})", part.name_part) } else { part.name_part.clone() }
}

fn value(option: &UninterpretedOption) -> OptionValue {
    if let Some(word) = &option.identifier_value {
        OptionValue::Plain(word.clone())
    } else if let Some(number) = option.positive_int_value {
        OptionValue::Plain(number.to_string())
    } else if let Some(number) = option.negative_int_value {
        OptionValue::Plain(number.to_string())
    } else if let Some(number) = option.double_value {
        OptionValue::Plain(number_text(number))
    } else if let Some(bytes) = &option.string_value {
        OptionValue::Text(bytes.clone())
    } else {
        let aggregate = option.aggregate_value();
        text_format::parse(aggregate).unwrap_or_else(|| OptionValue::Plain(format!("{{ {aggregate} }}")))
    }
}

/// Sets the field at the end of a way. A way goes through messages that are there once.
fn set_field(fields: &mut Vec<(String, OptionValue)>, way: &[NamePart], value: OptionValue) {
    let mut fields = fields;
    let Some((last, around)) = way.split_last() else { return };
    for part in around {
        let key = message_key(part);
        let known =
            fields.iter().position(|(name, value)| *name == key && matches!(value, OptionValue::Map(_)));
        let at = known.unwrap_or_else(|| {
            fields.push((key, OptionValue::Map(Vec::new())));
            fields.len() - 1
        });
        match fields.get_mut(at) {
            Some((_, OptionValue::Map(inner))) => fields = inner,
            _ => return,
        }
    }
    fields.push((message_key(last), value));
}

/// A field, or an extension, within a message.
fn message_key(part: &NamePart) -> String {
    if part.is_extension { format!("[{}]", part.name_part) } else { part.name_part.clone() }
}

/// A number with a point or an exponent, or `inf` or `nan`.
pub(super) fn number_text(number: f64) -> String {
    format!("{number:?}").to_lowercase()
}

impl OptionValue {
    /// Fields by name, all values of one together; a list of one value is that value.
    fn sorted(self) -> Self {
        match self {
            Self::Map(fields) => {
                let mut by_name: BTreeMap<String, Vec<Self>> = BTreeMap::new();
                for (name, value) in fields {
                    let values = by_name.entry(name).or_default();
                    match value.sorted() {
                        Self::List(several) => values.extend(several),
                        one => values.push(one),
                    }
                }
                let filled = by_name.into_iter().filter(|(_, values)| !values.is_empty());
                Self::Map(filled.map(|(name, values)| (name, Self::of_list(values))).collect())
            }
            Self::List(values) => Self::of_list(values.into_iter().map(Self::sorted).collect()),
            Self::Plain(number) => Self::Plain(match number.strip_suffix(".0") {
                Some(whole) => whole.to_owned(),
                None => number,
            }),
            text @ Self::Text(_) => text,
        }
    }

    fn of_list(mut values: Vec<Self>) -> Self {
        match values.pop() {
            Some(only) if values.is_empty() => only,
            Some(last) => {
                values.push(last);
                Self::List(values)
            }
            None => Self::List(values),
        }
    }

    fn write(&self, out: &mut String, indent: usize) {
        match self {
            Self::Plain(word) => out.push_str(word),
            Self::Text(bytes) => write_quoted(out, bytes),
            Self::Map(fields) => {
                let entries = fields.iter().map(|(key, value)| (Some(key.as_str()), value));
                write_lines(out, indent, ('{', '}'), entries.collect());
            }
            Self::List(values) => {
                write_lines(out, indent, ('[', ']'), values.iter().map(|value| (None, value)).collect());
            }
        }
    }

    /// As it stands in a field of a message, for the parser.
    pub(super) fn aggregate(&self) -> String {
        let mut text = String::new();
        match self {
            Self::Map(fields) => {
                for (key, value) in fields {
                    text.push_str(key);
                    text.push_str(": ");
                    value.write(&mut text, 0);
                    text.push('\n');
                }
            }
            other => other.write(&mut text, 0),
        }
        text
    }
}

/// One entry a line, between brackets.
fn write_lines(
    out: &mut String,
    indent: usize,
    around: (char, char),
    entries: Vec<(Option<&str>, &OptionValue)>,
) {
    out.push(around.0);
    out.push('\n');
    let last = entries.len().saturating_sub(1);
    for (at, (key, value)) in entries.into_iter().enumerate() {
        out.extend(std::iter::repeat_n(' ', indent + 2));
        if let Some(key) = key {
            out.push_str(key);
            out.push_str(": ");
        }
        value.write(out, indent + 2);
        out.push_str(if at == last { "\n" } else { ",\n" });
    }
    out.extend(std::iter::repeat_n(' ', indent));
    out.push(around.1);
}

/// Text between quotation marks; bytes that are no text as octal numbers.
pub(super) fn write_quoted(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|sign| write_escaped(out, sign));
        for byte in chunk.invalid() {
            out.push_str(&format!("\\{byte:03o}"));
        }
    }
    out.push('"');
}

fn write_escaped(out: &mut String, sign: char) {
    let escape = match sign {
        '\x07' => "\\a",
        '\x08' => "\\b",
        '\x0c' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\x0b' => "\\v",
        '\\' => "\\\\",
        '\'' => "\\'",
        '"' => "\\\"",
        control if control.is_ascii_control() => {
            out.push_str(&format!("\\{:03o}", u32::from(control)));
            return;
        }
        other => {
            out.push(other);
            return;
        }
    };
    out.push_str(escape);
}
