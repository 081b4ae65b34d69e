//! Validation of values.
//!
//! Invariants: time is bounded. Patterns match in linear time; a value to which too many schemas apply is refused; and the
//! errors of all alternatives are collected only where they are known to be few.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::draft::Draft;
use super::extent::{Extent, count_within};
use super::references::References;
use super::violation::Violation;
use crate::{InvalidSchema, MAX_DEPTH, ValueError};

/// Bytes of a compiled pattern, at most.
const MAX_PATTERN_BYTES: usize = 256 << 10;
/// Patterns of a schema, at most.
const MAX_PATTERNS: usize = 500;
/// Steps that are taken to explain an error, whatever the size of the value.
const MIN_STEPS: usize = 10_000;
/// The same, at most.
const MAX_STEPS: usize = 1_000_000;
/// The same for each byte of the value.
const STEPS_PER_BYTE: usize = 4;

/// The linear engine, which cannot be made to run for long.
fn patterns() -> PatternOptions<jsonschema::Regex> {
    PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES)
}

/// Builds the validator of a schema.
///
/// # Errors
/// [`InvalidSchema`] with the JSON pointer of what the draft's metaschema or the regular expressions do not allow.
pub(super) fn build(references: &References) -> Result<Validator, InvalidSchema> {
    check_patterns(references)?;
    let values = references.referenced_values();
    let mut registry = jsonschema::Registry::new().draft(references.draft().for_validator());
    for referenced in &values {
        check_metaschema(referenced.draft, &referenced.value).map_err(|invalid| InvalidSchema {
            place: Some(format!("{}#{}", referenced.name, invalid.place.unwrap_or_default())),
            reason: invalid.reason,
        })?;
        let resource = referenced.draft.for_validator().create_resource_ref(&referenced.value);
        registry =
            registry.add(referenced.uri, resource).map_err(|error| InvalidSchema::new(error.to_string()))?;
    }
    let value = references.value();
    check_metaschema(references.draft(), &value)?;
    let registry = registry.prepare().map_err(|error| InvalidSchema::new(error.to_string()))?;
    let options = jsonschema::options()
        .with_draft(references.draft().for_validator())
        .with_registry(&registry)
        .with_pattern_options(patterns())
        .offline();
    options.build(&value).map_err(|error| {
        let violation = Violation::of(&error, &value);
        InvalidSchema { place: violation.pointer(), reason: violation.reason }
    })
}

/// A validator of one pattern, for names of properties. `None` for what is no pattern.
pub(super) fn pattern(pattern: &str) -> Option<Validator> {
    let schema = serde_json::json!({ "pattern": pattern });
    let options = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft7)
        .with_pattern_options(patterns())
        .offline();
    options.build(&schema).ok()
}

fn check_metaschema(draft: Draft, value: &Value) -> Result<(), InvalidSchema> {
    let checked = match draft {
        Draft::Four => jsonschema::draft4::meta::validate(value),
        Draft::Six => jsonschema::draft6::meta::validate(value),
        Draft::Seven => jsonschema::draft7::meta::validate(value),
        Draft::Of201909 => jsonschema::draft201909::meta::validate(value),
        Draft::Of202012 => jsonschema::draft202012::meta::validate(value),
    };
    checked.map_err(|error| {
        let violation = Violation::of(&error, value);
        InvalidSchema { place: violation.pointer(), reason: violation.reason }
    })
}

/// Each pattern is compiled, so there may not be any number of them.
fn check_patterns(references: &References) -> Result<(), InvalidSchema> {
    let mut count = 0;
    for id in references.schemas() {
        let names = references
            .json
            .member(id, "patternProperties")
            .and_then(|patterns| references.json.members(patterns));
        count += usize::from(references.json.member(id, "pattern").is_some());
        count += names.map_or(0, |names| names.iter().count());
        if count > MAX_PATTERNS {
            return Err(InvalidSchema::at(
                references.place(id),
                format!("too many patterns: the limit is {MAX_PATTERNS}"),
            ));
        }
    }
    Ok(())
}

/// Checks one value.
///
/// # Errors
/// [`ValueError`] for bytes that are not one JSON document within [`MAX_DEPTH`], and for the violation that says most.
pub(super) fn validate(
    validator: &Validator,
    references: &References,
    extent: &Extent,
    json: &[u8],
) -> Result<(), ValueError> {
    let whole = |reason: String| ValueError { path: None, reason };
    let value: Value = serde_json::from_slice(json).map_err(|error| whole(error.to_string()))?;
    factum_types::event::check_unique_members(json).map_err(|error| whole(error.to_string()))?;
    if is_deeper_than(&value, MAX_DEPTH) {
        return Err(whole(format!("nested deeper than {MAX_DEPTH} levels")));
    }
    if !extent.allows(references, &value, json.len()) {
        return Err(whole("too many schemas apply to the value and its parts".to_owned()));
    }
    if validator.is_valid(&value) {
        return Ok(());
    }
    // The validator collects errors without noticing what it has looked at already.
    let steps = json.len().saturating_mul(STEPS_PER_BYTE).saturating_add(MIN_STEPS).min(MAX_STEPS);
    let is_explained = count_within(references, &value, steps, None);
    match is_explained.then(|| validator.validate(&value)) {
        Some(Err(error)) => {
            let violation = Violation::of(&error, &value);
            Err(ValueError { path: violation.field(), reason: violation.reason })
        }
        _ => Err(whole(
            "the value does not match its schema, which has too many alternatives to say where".to_owned(),
        )),
    }
}

fn is_deeper_than(value: &Value, depth: usize) -> bool {
    let mut parts: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => return false,
    };
    depth == 0 || parts.any(|part| is_deeper_than(part, depth - 1))
}
