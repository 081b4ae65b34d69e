//! Scalar types: their names in sentences, and their values in JSON.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::{EnumDescriptor, Kind};
use serde_json::Value as Json;

/// Either alphabet of base64, with padding or without.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Bytes from base64.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// A whole number that fits, given as a number or as text.
pub(super) fn integer<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    let number = match json {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        _ => return None,
    };
    T::try_from(whole(&number)?).ok()
}

/// `12`, `-3`, and what is the same: `12.0`, `1.2e1`.
fn whole(text: &str) -> Option<i128> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    // Beyond this a float is no longer exact.
    let is_exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    is_exact.then(|| format!("{number:.0}").parse().ok()).flatten()
}

/// A number, or `NaN`, `Infinity`, `-Infinity` or a number as text.
pub(super) fn double(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            other => other.parse().ok().filter(|number: &f64| number.is_finite()),
        },
        _ => None,
    }
}

/// As [`double`], within the range of `float`.
pub(super) fn float(json: &Json) -> Option<f32> {
    let number = double(json)?;
    let narrow = number as f32;
    (narrow.is_finite() || !number.is_finite()).then_some(narrow)
}

/// The number of a name, or a number; `null` for the one enum that stands for it.
pub(super) fn enum_number(declared: &EnumDescriptor, json: &Json) -> Option<i32> {
    match json {
        Json::Null => Some(0),
        Json::String(name) => declared.get_value_by_name(name).map(|value| value.number()),
        Json::Number(_) => integer(json),
        _ => None,
    }
}

/// The type as a schema writes it: `int32`, `map<string, store.Line>`, `store.Line`.
pub(super) fn type_name(kind: &Kind) -> String {
    let name = match kind {
        Kind::Double => "double",
        Kind::Float => "float",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Uint32 => "uint32",
        Kind::Uint64 => "uint64",
        Kind::Sint32 => "sint32",
        Kind::Sint64 => "sint64",
        Kind::Fixed32 => "fixed32",
        Kind::Fixed64 => "fixed64",
        Kind::Sfixed32 => "sfixed32",
        Kind::Sfixed64 => "sfixed64",
        Kind::Bool => "bool",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Enum(declared) => return declared.full_name().to_owned(),
        Kind::Message(entry) if entry.is_map_entry() => {
            // The value of a map is no map.
            let value = match entry.map_entry_value_field().kind() {
                Kind::Message(message) => message.full_name().to_owned(),
                other => type_name(&other),
            };
            return format!("map<{}, {value}>", type_name(&entry.map_entry_key_field().kind()));
        }
        Kind::Message(message) => return message.full_name().to_owned(),
    };
    name.to_owned()
}
