//! Sentences about incompatible schemas, and the lines that Confluent's registry gives for them.

use std::collections::BTreeSet;

use super::types::{Enum, Field, FixedType, Kind, Record, Types};
use crate::Incompatibility;

/// The most names that a sentence lists.
const LISTED: usize = 8;

/// From so many bytes on the detail lists no further symbol.
const LISTED_BYTES: usize = 1 << 14;

const NAME_MISMATCH: &str = "NAME_MISMATCH";
const FIXED_SIZE_MISMATCH: &str = "FIXED_SIZE_MISMATCH";
const MISSING_ENUM_SYMBOLS: &str = "MISSING_ENUM_SYMBOLS";
const MISSING_DEFAULT: &str = "READER_FIELD_MISSING_DEFAULT_VALUE";
const TYPE_MISMATCH: &str = "TYPE_MISMATCH";
const MISSING_UNION_BRANCH: &str = "MISSING_UNION_BRANCH";
const AMBIGUOUS_ALIAS: &str = "AMBIGUOUS_ALIAS";

pub(crate) fn name_mismatch(reader: &Kind, writer: &Kind, path: String) -> Incompatibility {
    let name = writer.full_name();
    Incompatibility {
        kind: NAME_MISMATCH,
        path,
        message: format!(
            "the reader's {} is named {}, the writer's {name}: keep the name, or give the reader's the alias {name}",
            reader.type_name(),
            reader.full_name(),
        ),
        detail: Some(format!("expected: {name}")),
    }
}

pub(crate) fn fixed_size(reader: &FixedType, writer: &FixedType, path: String) -> Incompatibility {
    Incompatibility {
        kind: FIXED_SIZE_MISMATCH,
        path,
        message: format!(
            "the reader's fixed {} has the size {}, the writer's {}",
            reader.naming.name.full(),
            reader.size,
            writer.size
        ),
        detail: Some(format!("expected: {}, found: {}", writer.size, reader.size)),
    }
}

pub(crate) fn missing_symbols(reader: &Enum, missing: &BTreeSet<&str>, path: String) -> Incompatibility {
    let mut bytes = 0;
    let listed: Vec<&str> = missing
        .iter()
        .take_while(|symbol| {
            bytes += symbol.len();
            bytes < LISTED_BYTES
        })
        .copied()
        .collect();
    Incompatibility {
        kind: MISSING_ENUM_SYMBOLS,
        path,
        message: format!(
            "the reader's enum {} lacks {} of the writer's, and has no default to read instead",
            reader.naming.name.full(),
            list(missing.iter().copied(), missing.len()),
        ),
        detail: Some(format!("[{}]", listed.join(", "))),
    }
}

pub(crate) fn missing_default(
    reader: &Record,
    field: &Field,
    writer: &Record,
    path: String,
) -> Incompatibility {
    let (reader, writer) = (reader.naming.name.full(), writer.naming.name.full());
    let of = if reader == writer { String::new() } else { format!(" {writer}") };
    Incompatibility {
        kind: MISSING_DEFAULT,
        path,
        message: format!(
            "the reader's field {:?} of {reader} has no default, and the writer's record{of} has no such field",
            field.name
        ),
        detail: Some(field.name.clone()),
    }
}

pub(crate) fn type_mismatch(reader: &Kind, writer: &Kind, path: String) -> Incompatibility {
    Incompatibility {
        kind: TYPE_MISMATCH,
        path,
        message: format!("the reader expects {}, the writer has {}", with_name(reader), with_name(writer)),
        detail: Some(format!(
            "reader type: {} not compatible with writer type: {}",
            reader.type_name().to_uppercase(),
            writer.type_name().to_uppercase()
        )),
    }
}

pub(crate) fn missing_branch(readers: &Types, reader: &Kind, writer: &Kind, path: String) -> Incompatibility {
    let branches: &[_] = if let Kind::Union(branches) = reader { branches } else { &[] };
    let names = branches.iter().map(|branch| readers.kind(*branch).full_name());
    Incompatibility {
        kind: MISSING_UNION_BRANCH,
        path,
        message: format!(
            "the reader's union of {} has no type that reads the writer's {}",
            list(names, branches.len()),
            with_name(writer),
        ),
        detail: Some(format!("reader union lacking writer type: {}", writer.type_name().to_uppercase())),
    }
}

pub(crate) fn ambiguous_alias(field: &Field, found: &[&Field], path: String) -> Incompatibility {
    let names = list(found.iter().map(|field| field.name.as_str()), found.len());
    Incompatibility {
        kind: AMBIGUOUS_ALIAS,
        path,
        message: format!(
            "the reader's field {:?} is several of the writer's by its name and aliases: {names}",
            field.name
        ),
        detail: Some(format!(
            "Reader record field {} matches multiple fields in writer record schema",
            field.name
        )),
    }
}

pub(crate) fn too_complex() -> Incompatibility {
    Incompatibility {
        kind: TYPE_MISMATCH,
        path: "/".to_owned(),
        message: "the schemas are too complex to compare: their unions of records multiply".to_owned(),
        detail: None,
    }
}

/// The line that Confluent's registry gives for an incompatibility of two Avro schemas, in which it calls them
/// `reader` and `writer`: `new` and `old` for one that cannot read backward.
pub fn confluent_line(incompatibility: &Incompatibility, reader: &str, writer: &str) -> String {
    let path = &incompatibility.path;
    let info = incompatibility.detail.as_deref().unwrap_or(&incompatibility.message);
    let description = match incompatibility.kind {
        FIXED_SIZE_MISMATCH => format!(
            "The size of FIXED type field at path '{path}' in the {reader} schema does not match with the {writer} \
             schema"
        ),
        TYPE_MISMATCH => format!(
            "The type (path '{path}') of a field in the {reader} schema does not match with the {writer} schema"
        ),
        NAME_MISMATCH => format!("The name of the schema has changed (path '{path}')"),
        MISSING_ENUM_SYMBOLS => format!(
            "The {reader} schema is missing enum symbols '{info}' at path '{path}' in the {writer} schema"
        ),
        MISSING_UNION_BRANCH => format!(
            "The {reader} schema is missing a type inside a union field at path '{path}' in the {writer} schema"
        ),
        MISSING_DEFAULT => format!(
            "The field '{info}' at path '{path}' in the {reader} schema has no default value and is missing in the \
             {writer} schema"
        ),
        _ => incompatibility.message.clone(),
    };
    format!("{{errorType:'{}', description:'{description}', additionalInfo:'{info}'}}", incompatibility.kind)
}

fn with_name(kind: &Kind) -> String {
    match kind.naming() {
        Some(naming) => format!("{} {}", kind.type_name(), naming.name.full()),
        None => kind.type_name().to_owned(),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>, count: usize) -> String {
    let listed: Vec<&str> = names.take(LISTED).collect();
    let more = count.saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", listed.join(", "))
}
