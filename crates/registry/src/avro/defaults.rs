//! Default values of fields, as the specification writes them: bytes as a string of U+0000 to U+00FF.

use super::json::{Json, Object, java_order};
use super::types::{Kind, Record, TypeId, Types};

/// The most comparisons of a value with a type for all defaults of a schema; unions of records multiply them.
const MAX_STEPS: usize = 1_000_000;

/// Reads the text of a default of a float or double, which Java Avro takes for a number: `"NaN"`, `"-Infinity"`, `"1.5"`.
pub(crate) fn number(text: &str) -> Option<f64> {
    match text.trim() {
        "NaN" => Some(f64::NAN),
        "Infinity" | "+Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        other if other.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => {
            other.parse().ok().filter(|number: &f64| number.is_finite())
        }
        _ => None,
    }
}

/// Checks of defaults, bounded in number.
#[derive(Debug)]
pub(crate) struct Defaults<'a> {
    types: &'a Types,
    steps_left: usize,
}

impl<'a> Defaults<'a> {
    pub(crate) fn of(types: &'a Types) -> Self {
        Self::bounded(types, MAX_STEPS)
    }

    /// With another number of comparisons.
    pub(crate) fn bounded(types: &'a Types, steps_left: usize) -> Self {
        Self { types, steps_left }
    }

    /// Checks a default; that of a union may be one of any branch.
    ///
    /// # Errors
    ///
    /// A phrase that says what is expected.
    pub(crate) fn check(&mut self, id: TypeId, default: &Json) -> Result<(), String> {
        self.steps_left = self.steps_left.saturating_sub(1);
        if self.steps_left == 0 {
            return Err("it is too complex to check: its unions have too many records".to_owned());
        }
        let kind = self.types.kind(id);
        let is_valid = match (kind, default) {
            (Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Fixed(_), Json::String(_))
            | (Kind::Long, Json::Int(_))
            | (Kind::Float | Kind::Double, Json::Int(_) | Json::BigInt(_) | Json::Double(_))
            | (Kind::Boolean, Json::Bool(_))
            | (Kind::Null, Json::Null) => true,
            (Kind::Int, Json::Int(number)) => i32::try_from(*number).is_ok(),
            (Kind::Array(of), Json::Array(items)) => {
                return items.iter().try_for_each(|item| self.check(*of, item));
            }
            (Kind::Map(of), Json::Object(object)) => {
                return object.iter().try_for_each(|(_, value)| self.check(*of, value));
            }
            (Kind::Union(branches), _) => {
                if self.branch(branches, default).is_some() {
                    return Ok(());
                }
                return Err(format!("{} is a value of none of the union's types", describe(default)));
            }
            (Kind::Record(record), Json::Object(object)) => return self.check_record(record, object),
            _ => false,
        };
        if is_valid { Ok(()) } else { Err(format!("{} is no {}", describe(default), kind.type_name())) }
    }

    fn check_record(&mut self, record: &Record, object: &Object) -> Result<(), String> {
        record.fields.iter().try_for_each(|field| match object.get(&field.name) {
            Some(value) => self.check(field.of, value).map_err(|reason| format!("{}: {reason}", field.name)),
            // The field's own default is checked where it stands.
            None if field.default.is_some() => Ok(()),
            None => Err(format!("{} is missing in it, and has no default of its own", field.name)),
        })
    }

    /// The first branch of a union that a default is a value of, by its place.
    pub(crate) fn branch(&mut self, branches: &[TypeId], default: &Json) -> Option<usize> {
        branches.iter().position(|branch| self.check(*branch, default).is_ok())
    }

    /// A default as Confluent's normalization writes it: numbers as their type has them, properties by their names.
    pub(crate) fn normal(&mut self, id: TypeId, default: &Json) -> Json {
        match (self.types.kind(id), default) {
            (Kind::Float, Json::Int(number)) => Json::Double(shortest(*number as f32)),
            (Kind::Float, Json::Double(number)) => Json::Double(shortest(*number as f32)),
            (Kind::Double, Json::Int(number)) => Json::Double(*number as f64),
            (Kind::Array(of), Json::Array(items)) => {
                Json::Array(items.iter().map(|item| self.normal(*of, item)).collect())
            }
            (Kind::Map(of), Json::Object(object)) => {
                let values = object.iter().map(|(name, value)| (name.to_owned(), self.normal(*of, value)));
                Json::Object(by_name(values.collect()))
            }
            (Kind::Record(record), Json::Object(object)) => {
                let values = object.iter().map(|(name, value)| {
                    let field = record.by_name.get(name).and_then(|at| record.fields.get(*at));
                    (
                        name.to_owned(),
                        field.map_or_else(|| value.clone(), |field| self.normal(field.of, value)),
                    )
                });
                Json::Object(by_name(values.collect()))
            }
            (Kind::Union(branches), _) => match self.branch(branches, default) {
                Some(at) => self.normal(branches[at], default),
                None => default.clone(),
            },
            _ => default.clone(),
        }
    }
}

fn by_name(mut entries: Vec<(String, Json)>) -> Object {
    entries.sort_by(|a, b| java_order(&a.0, &b.0));
    Object::new(entries)
}

/// The double that is written with as many digits as the float.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

fn describe(default: &Json) -> String {
    match default {
        Json::Array(_) | Json::Object(_) => default.kind().to_owned(),
        Json::String(text) if text.len() > 40 => default.kind().to_owned(),
        _ => {
            let mut text = String::new();
            default.write(&mut text, false);
            text
        }
    }
}
