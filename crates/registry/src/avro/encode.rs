//! Values in Avro's binary encoding, from JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::binary::{write_bytes, write_long};
use super::civil;
use super::decimal;
use super::defaults::{self, Defaults};
use super::json::Json;
use super::logical::LogicalType;
use super::types::{Field, FixedType, Kind, Record, Type, TypeId, Types};
use super::unions;
use super::value_path::ValuePath;
use crate::ValueError;

const UUID_SAMPLE: &str = "0192f1e4-7c1a-7d3e-9b7e-3a2f6c5d4e1b";

/// The encoding of the value that a text of JSON is.
pub(crate) fn encode(types: &Types, root: TypeId, json: &[u8]) -> Result<Vec<u8>, ValueError> {
    let path = ValuePath::new(json.len());
    let text = std::str::from_utf8(json).map_err(|_| path.error("invalid JSON: it is not UTF-8"))?;
    let value = Json::parse(text)
        .map_err(|(place, reason)| path.error(format!("invalid JSON: {place}: {reason}")))?;
    let defaults = Defaults::bounded(types, path.limit());
    let mut encoder = Encoder { types, path, defaults, out: Vec::new() };
    encoder.value(root, &value)?;
    Ok(encoder.out)
}

/// The encoding of the default of a field.
pub(crate) fn encode_default(types: &Types, of: TypeId, default: &Json) -> Result<Vec<u8>, ValueError> {
    let (path, defaults) = (ValuePath::new(0), Defaults::of(types));
    let mut encoder = Encoder { types, path, defaults, out: Vec::new() };
    encoder.default(of, default)?;
    Ok(encoder.out)
}

struct Encoder<'a> {
    types: &'a Types,
    path: ValuePath<'a>,
    defaults: Defaults<'a>,
    out: Vec<u8>,
}

impl<'a> Encoder<'a> {
    fn value(&mut self, id: TypeId, value: &'a Json) -> Result<(), ValueError> {
        self.path.count(self.out.len())?;
        let of: &'a Type = self.types.get(id);
        match (&of.kind, value) {
            (Kind::Array(inner), Json::Array(items)) => {
                self.path.enter()?;
                self.count(items.len());
                for (at, item) in items.iter().enumerate() {
                    self.path.push_item(at as u64);
                    self.value(*inner, item)?;
                    self.path.pop();
                }
                self.end();
            }
            (Kind::Map(inner), Json::Object(object)) => {
                self.path.enter()?;
                self.count(object.len());
                for (name, item) in object.iter() {
                    write_bytes(name.as_bytes(), &mut self.out);
                    self.path.push_field(name);
                    self.value(*inner, item)?;
                    self.path.pop();
                }
                self.end();
            }
            (Kind::Record(record), Json::Object(_)) => {
                self.path.enter()?;
                self.record(record, value, false)?;
                self.path.leave();
            }
            (Kind::Union(branches), _) => {
                self.path.count_branches(branches.len());
                let (at, inner) =
                    unions::select(self.types, branches, value).map_err(|reason| self.path.error(reason))?;
                write_long(at as i64, &mut self.out);
                self.value(branches[at], inner)?;
            }
            _ => {
                let written = self.scalar(&of.kind, of.logical, value);
                written.map_err(|reason| self.path.error(reason))?;
            }
        }
        Ok(())
    }

    fn count(&mut self, count: usize) {
        if count > 0 {
            write_long(count as i64, &mut self.out);
        }
    }

    fn end(&mut self) {
        self.out.push(0);
        self.path.leave();
    }

    /// A record; fields that are absent have their defaults.
    fn record(&mut self, record: &'a Record, value: &'a Json, is_default: bool) -> Result<(), ValueError> {
        let Json::Object(object) = value else { return Ok(()) };
        for field in &record.fields {
            self.path.push_field(&field.name);
            match object.get(&field.name) {
                Some(value) if is_default => self.default(field.of, value)?,
                Some(value) => self.value(field.of, value)?,
                None => self.absent(field)?,
            }
            self.path.pop();
        }
        let unknown = object.iter().map(|(name, _)| name).find(|name| !record.by_name.contains_key(*name));
        match unknown.filter(|_| !is_default) {
            Some(name) => {
                self.path.push_field(name);
                Err(self.path.error(format!("record {} has no such field", record.naming.name.full())))
            }
            None => Ok(()),
        }
    }

    fn absent(&mut self, field: &'a Field) -> Result<(), ValueError> {
        match &field.default {
            Some(default) => self.default(field.of, default),
            None => Err(self.path.error("the field is missing, and has no default")),
        }
    }

    fn scalar(&mut self, kind: &Kind, logical: Option<LogicalType>, value: &Json) -> Result<(), String> {
        let unexpected = || format!("expected {}, found {}", expected(kind, logical), value.kind());
        match (kind, value) {
            (Kind::Null, Json::Null) => {}
            (Kind::Boolean, Json::Bool(value)) => self.out.push(u8::from(*value)),
            (Kind::Int, Json::Int(number)) => {
                let number = i32::try_from(*number).map_err(|_| format!("{number} has more than 32 bits"))?;
                write_long(i64::from(number), &mut self.out);
            }
            (Kind::Long, Json::Int(number)) => write_long(*number, &mut self.out),
            (Kind::Int | Kind::Long, Json::BigInt(digits)) => {
                return Err(format!("{digits:.40} has more than 64 bits"));
            }
            (Kind::Int | Kind::Long, Json::String(text)) if logical.is_some() => {
                let number = parse_time(text, logical).ok_or_else(|| {
                    let (text, what) = (short(text), expected(kind, logical));
                    format!("{text:?} is no {what}: write it like {:?}", sample(logical))
                })?;
                write_long(number, &mut self.out);
            }
            (Kind::Float, _) => {
                let number = real(value).ok_or_else(unexpected)?;
                let narrow = number as f32;
                if number.is_finite() && narrow.is_infinite() {
                    return Err(format!("{number:e} is too large for a float"));
                }
                self.out.extend_from_slice(&narrow.to_le_bytes());
            }
            (Kind::Double, _) => {
                let number = real(value).ok_or_else(unexpected)?;
                self.out.extend_from_slice(&number.to_le_bytes());
            }
            (Kind::String, Json::String(text)) => write_bytes(text.as_bytes(), &mut self.out),
            (Kind::Enum(symbols), Json::String(text)) => {
                let at = symbols.by_name.get(text);
                let at = at.ok_or_else(|| {
                    let listed: Vec<&str> = symbols.symbols.iter().take(8).map(String::as_str).collect();
                    let text = short(text);
                    format!("{text:?} is no symbol of {}: {}", symbols.naming.name.full(), listed.join(", "))
                })?;
                write_long(*at as i64, &mut self.out);
            }
            (Kind::Bytes, _) => {
                let bytes = bytes(logical, value).unwrap_or_else(|| Err(unexpected()))?;
                write_bytes(&bytes, &mut self.out);
            }
            (Kind::Fixed(fixed), _) => {
                let bytes = bytes(logical, value).unwrap_or_else(|| Err(unexpected()))?;
                self.fixed(fixed, logical, &bytes)?;
            }
            _ => return Err(unexpected()),
        }
        Ok(())
    }

    fn fixed(&mut self, fixed: &FixedType, logical: Option<LogicalType>, bytes: &[u8]) -> Result<(), String> {
        let is_decimal = matches!(logical, Some(LogicalType::Decimal { .. }));
        if is_decimal && bytes.len() <= fixed.size {
            let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) { 0xff } else { 0 };
            // The size of a fixed is the schema's word alone.
            if fixed.size > self.path.limit() {
                return Err(format!("fixed too large: {} bytes", fixed.size));
            }
            self.out.extend(std::iter::repeat_n(sign, fixed.size - bytes.len()));
        } else if bytes.len() != fixed.size {
            let name = fixed.naming.name.full();
            return Err(format!("fixed {name} has the size {}, the value {}", fixed.size, bytes.len()));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// A default, as schemas write it.
    fn default(&mut self, id: TypeId, default: &'a Json) -> Result<(), ValueError> {
        self.path.count(self.out.len())?;
        let of: &'a Type = self.types.get(id);
        match (&of.kind, default) {
            (Kind::Array(inner), Json::Array(items)) => {
                self.path.enter()?;
                self.count(items.len());
                items.iter().try_for_each(|item| self.default(*inner, item))?;
                self.end();
            }
            (Kind::Map(inner), Json::Object(object)) => {
                self.path.enter()?;
                self.count(object.len());
                for (name, item) in object.iter() {
                    write_bytes(name.as_bytes(), &mut self.out);
                    self.default(*inner, item)?;
                }
                self.end();
            }
            (Kind::Record(record), Json::Object(_)) => {
                self.path.enter()?;
                self.record(record, default, true)?;
                self.path.leave();
            }
            (Kind::Union(branches), _) => {
                let at = self.defaults.branch(branches, default);
                let at =
                    at.ok_or_else(|| self.path.error("the default is a value of none of the union's types"))?;
                write_long(at as i64, &mut self.out);
                self.default(branches[at], default)?;
            }
            (Kind::Bytes, Json::String(text)) => {
                let bytes =
                    latin(text).ok_or_else(|| self.path.error("the default has characters beyond U+00FF"))?;
                write_bytes(&bytes, &mut self.out);
            }
            (Kind::Fixed(fixed), Json::String(text)) => {
                let bytes = latin(text).filter(|bytes| bytes.len() == fixed.size);
                let bytes =
                    bytes.ok_or_else(|| self.path.error("the default has not the size of its type"))?;
                self.out.extend_from_slice(&bytes);
            }
            _ => {
                let written = self.scalar(&of.kind, None, default);
                written.map_err(|reason| self.path.error(format!("invalid default: {reason}")))?;
            }
        }
        Ok(())
    }
}

fn latin(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

fn real(value: &Json) -> Option<f64> {
    match value {
        Json::Int(number) => Some(*number as f64),
        Json::Double(number) => Some(*number),
        Json::BigInt(digits) => digits.parse().ok(),
        Json::String(text) => defaults::number(text).filter(|number| !number.is_finite()),
        _ => None,
    }
}

fn parse_time(text: &str, logical: Option<LogicalType>) -> Option<i64> {
    match logical? {
        LogicalType::Date => civil::parse_date(text),
        LogicalType::Time(unit) => civil::parse_time(text, unit),
        LogicalType::Timestamp(unit) => civil::parse_timestamp(text, unit, true),
        LogicalType::LocalTimestamp(unit) => civil::parse_timestamp(text, unit, false),
        LogicalType::Decimal { .. } | LogicalType::Uuid | LogicalType::Duration => None,
    }
}

/// The bytes of a value of a bytes or fixed type; nothing where it is of another form of JSON.
fn bytes(logical: Option<LogicalType>, value: &Json) -> Option<Result<Vec<u8>, String>> {
    let text = match (logical, value) {
        (_, Json::String(text)) => text.clone(),
        (Some(LogicalType::Decimal { .. }), Json::Int(number)) => number.to_string(),
        (Some(LogicalType::Decimal { .. }), Json::BigInt(digits)) => digits.to_string(),
        (Some(LogicalType::Decimal { .. }), Json::Double(number)) => number.to_string(),
        _ => return None,
    };
    Some(match logical {
        Some(LogicalType::Decimal { precision, scale }) => decimal::write(&text, precision, scale),
        Some(LogicalType::Uuid) => uuid_bytes(&text)
            .ok_or_else(|| format!("{:?} is no UUID: write it like {UUID_SAMPLE:?}", short(&text))),
        Some(LogicalType::Duration) => civil::parse_duration(&text)
            .map(|parts| parts.iter().flat_map(|part| part.to_le_bytes()).collect())
            .ok_or_else(|| format!("{:?} is no duration: write it like \"P1M2DT3.004S\"", short(&text))),
        _ => STANDARD.decode(&text).map_err(|error| format!("expected base64: {error}")),
    })
}

fn uuid_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let hyphens = text.bytes().enumerate().filter(|(_, byte)| *byte == b'-').map(|(at, _)| at);
    if digits.len() != 32 || !hyphens.eq([8, 13, 18, 23]) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    digits.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// The beginning of a text, for errors.
fn short(text: &str) -> &str {
    text.char_indices().nth(80).map_or(text, |(end, _)| &text[..end])
}

/// A value of a type, for errors.
fn expected(kind: &Kind, logical: Option<LogicalType>) -> &'static str {
    match (logical, kind) {
        (Some(LogicalType::Date), _) => "date",
        (Some(LogicalType::Time(_)), _) => "time",
        (Some(LogicalType::Timestamp(_)), _) => "timestamp",
        (Some(LogicalType::LocalTimestamp(_)), _) => "local timestamp",
        (Some(LogicalType::Decimal { .. }), _) => "a decimal, in a string",
        (Some(LogicalType::Duration), _) => "a duration, in a string",
        (_, Kind::Bytes | Kind::Fixed(_)) => "base64, in a string",
        (_, Kind::Int | Kind::Long) => "an integer",
        (_, Kind::Float | Kind::Double) => "a number",
        (_, Kind::String) => "a string",
        (_, Kind::Enum(_)) => "a symbol, in a string",
        (_, Kind::Record(_) | Kind::Map(_)) => "an object",
        (_, Kind::Array(_)) => "an array",
        (_, other) => other.type_name(),
    }
}

fn sample(logical: Option<LogicalType>) -> &'static str {
    match logical {
        Some(LogicalType::Date) => "2026-12-01",
        Some(LogicalType::Time(_)) => "12:30:00.250",
        Some(LogicalType::LocalTimestamp(_)) => "2026-12-01T12:30:00.250",
        _ => "2026-12-01T12:30:00.250Z",
    }
}
