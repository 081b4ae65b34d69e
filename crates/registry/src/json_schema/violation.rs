//! The one violation that says most about why a value is not of its schema.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

/// Characters of a value, a name or a list that an error repeats, at most.
const MAX_QUOTE: usize = 80;

/// Where a value breaks its schema, and which rule.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    /// The place in the value.
    path: Vec<Segment>,
    pub(super) reason: String,
    /// Whether a constant or an enumeration was not met: the sender most likely did not mean this alternative.
    is_other_constant: bool,
    /// Whether the value has another type.
    is_other_type: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Member(String),
    Item(usize),
}

impl Violation {
    /// Of the errors of a validator, the one in the deepest alternative that the value is most like.
    pub(super) fn of(error: &ValidationError<'_>, root: &Value) -> Self {
        let mut violation = Self {
            path: path(error.instance_path().as_str(), root),
            reason: String::new(),
            is_other_constant: false,
            is_other_type: false,
        };
        match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                return Self::of_alternatives(violation, context, root);
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default().to_owned();
                violation.path.push(Segment::Member(name));
                "missing, and the schema requires it".clone_into(&mut violation.reason);
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                violation.path.extend(unexpected.first().map(|name| Segment::Member(name.clone())));
                "the schema has no such field and allows no others".clone_into(&mut violation.reason);
            }
            ValidationErrorKind::PropertyNames { error } => {
                violation.reason = format!("a name of a field is not allowed: {}", reason(error));
            }
            kind => {
                violation.is_other_constant =
                    matches!(kind, ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. });
                violation.is_other_type = matches!(kind, ValidationErrorKind::Type { .. });
                violation.reason = reason(error);
            }
        }
        violation
    }

    fn of_alternatives(mut here: Self, alternatives: &[Vec<ValidationError<'static>>], root: &Value) -> Self {
        let depth = here.path.len();
        let mut reasons: Vec<String> = Vec::new();
        let mut best: Option<(Rank, Self)> = None;
        for errors in alternatives {
            let violations: Vec<Self> = errors.iter().map(|error| Self::of(error, root)).collect();
            let constants = violations.iter().filter(|violation| violation.is_other_constant).count();
            let is_other_type =
                violations.iter().any(|found| found.is_other_type && found.path.len() == depth);
            let Some(deepest) = violations.into_iter().max_by_key(|violation| violation.path.len()) else {
                continue;
            };
            if deepest.path.len() == depth && !reasons.contains(&deepest.reason) {
                reasons.push(deepest.reason.clone());
            }
            let rank = (
                !is_other_type,
                std::cmp::Reverse(constants),
                deepest.path.len(),
                std::cmp::Reverse(errors.len()),
            );
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                best = Some((rank, deepest));
            }
        }
        match best {
            Some((_, best)) if best.path.len() > depth || alternatives.len() == 1 => best,
            _ => {
                here.reason = if reasons.is_empty() {
                    "matches none of the alternatives of its schema".to_owned()
                } else {
                    format!("matches none of the alternatives: {}", cut(&reasons.join("; or ")))
                };
                here.is_other_type = true;
                here
            }
        }
    }

    /// As the sender would write it: `details[2].price`; `None` where the value as a whole is wrong.
    pub(super) fn field(&self) -> Option<String> {
        let mut field = String::new();
        for segment in &self.path {
            match segment {
                Segment::Item(index) => field.push_str(&format!("[{index}]")),
                Segment::Member(name) if is_plain(name) => {
                    if !field.is_empty() {
                        field.push('.');
                    }
                    field.push_str(name);
                }
                Segment::Member(name) => field.push_str(&format!("[{:?}]", cut(name))),
            }
        }
        Some(field).filter(|field| !field.is_empty())
    }

    /// As a JSON pointer, for values that are schemas.
    pub(super) fn pointer(&self) -> Option<String> {
        let segments = self.path.iter().map(|segment| match segment {
            Segment::Item(index) => index.to_string(),
            Segment::Member(name) => super::document::escape(&cut(name)),
        });
        Some(segments.fold(String::new(), |path, segment| path + "/" + &segment))
            .filter(|pointer| !pointer.is_empty())
    }
}

/// How much an alternative has in common with the value: the larger, the more.
type Rank = (bool, std::cmp::Reverse<usize>, usize, std::cmp::Reverse<usize>);

/// A pointer into `root` as segments: a number is an index only in an array.
fn path(pointer: &str, root: &Value) -> Vec<Segment> {
    let mut at = Some(root);
    let mut segments = Vec::new();
    for segment in pointer.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        let index = name.parse().ok().filter(|_| matches!(at, Some(Value::Array(_))));
        at = at.and_then(|value| index.map_or_else(|| value.get(&name), |index: usize| value.get(index)));
        segments.push(index.map_or(Segment::Member(name), Segment::Item));
    }
    segments
}

/// Whether a name needs no quotes in a path.
fn is_plain(name: &str) -> bool {
    let is_first = |char: char| char.is_alphabetic() || char == '_' || char == '$';
    name.len() <= MAX_QUOTE
        && name.starts_with(is_first)
        && name.chars().all(|char| is_first(char) || char.is_numeric() || char == '-')
}

/// A rule as a sentence about the value that broke it.
fn reason(error: &ValidationError<'_>) -> String {
    let value = &**error.instance();
    let found = || quote(value);
    match error.kind() {
        ValidationErrorKind::Type { kind } => format!("expected {}, found {}", types(kind), type_of(value)),
        ValidationErrorKind::Constant { expected_value } => {
            format!("expected {}, found {}", quote(expected_value), found())
        }
        ValidationErrorKind::Enum { options } => {
            format!("expected one of {}, found {}", quote(options), found())
        }
        ValidationErrorKind::Minimum { limit } => {
            format!("{} is less than the minimum of {}", found(), quote(limit))
        }
        ValidationErrorKind::Maximum { limit } => {
            format!("{} is more than the maximum of {}", found(), quote(limit))
        }
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("{} is not more than {}", found(), quote(limit))
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            format!("{} is not less than {}", found(), quote(limit))
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            format!("{} is not a multiple of {multiple_of}", found())
        }
        ValidationErrorKind::MinLength { limit } => format!("{} has fewer than {limit} characters", found()),
        ValidationErrorKind::MaxLength { limit } => format!("{} has more than {limit} characters", found()),
        ValidationErrorKind::MinItems { limit } => format!("fewer than {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("more than {limit} items"),
        ValidationErrorKind::AdditionalItems { limit } => format!("more than {limit} items"),
        ValidationErrorKind::UnevaluatedItems { .. } => "more items than the schema allows".to_owned(),
        ValidationErrorKind::UniqueItems => "an item is there twice".to_owned(),
        ValidationErrorKind::Contains => {
            "not as many items as the schema asks for match its \"contains\"".to_owned()
        }
        ValidationErrorKind::MinProperties { limit } => format!("fewer than {limit} fields"),
        ValidationErrorKind::MaxProperties { limit } => format!("more than {limit} fields"),
        ValidationErrorKind::Pattern { pattern } => {
            format!("{} does not match the pattern {}", found(), cut(pattern))
        }
        ValidationErrorKind::Format { format } if format == "regex" => {
            format!(
                "{} is no regular expression, or has look-around or back-references, which are not supported",
                found()
            )
        }
        ValidationErrorKind::Format { format } => format!("{} is no {}", found(), cut(format)),
        ValidationErrorKind::ContentEncoding { content_encoding } => {
            format!("{} is not {}", found(), cut(content_encoding))
        }
        ValidationErrorKind::ContentMediaType { content_media_type } => {
            format!("{} is not {}", found(), cut(content_media_type))
        }
        ValidationErrorKind::Not { .. } => "matches what the schema excludes".to_owned(),
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            "matches more than one of the alternatives, of which one may match".to_owned()
        }
        ValidationErrorKind::FalseSchema => "the schema allows no value here".to_owned(),
        _ => cut(&error.to_string()),
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(set) => set.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A short value as JSON; of a long one the type, so that no error repeats a whole event.
fn quote(value: &Value) -> String {
    match value {
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            cut(&items.iter().map(quote).collect::<Vec<_>>().join(", "))
        }
        Value::Array(_) | Value::Object(_) => format!("an {}", type_of(value)),
        Value::String(text) => format!("{:?}", cut(text)),
        scalar => cut(&scalar.to_string()),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
