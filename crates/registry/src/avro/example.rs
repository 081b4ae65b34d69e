//! Example values: a plausible one for each type, always the same, defaults before what is made up.

use std::collections::HashSet;

use super::binary::{write_bytes, write_long};
use super::civil;
use super::decimal;
use super::encode::encode_default;
use super::json::Json;
use super::logical::LogicalType;
use super::types::{FixedType, Kind, Record, TypeId, Types};
use crate::MAX_DEPTH;

/// The most parts that are tried.
const MAX_PARTS: usize = 20_000;

/// The most bytes of a fixed in an example.
const MAX_FIXED: usize = 1 << 16;

/// What strings hold, by a word in the name of their field.
const STRINGS: &[(&str, &str)] = &[
    ("email", "ada@example.com"),
    ("url", "https://example.com/"),
    ("uri", "https://example.com/"),
    ("country", "DE"),
    ("currency", "EUR"),
    ("language", "en"),
    ("phone", "+49 30 901820"),
    ("city", "Berlin"),
    ("name", "Ada Lovelace"),
];

/// The encoding of an example; nothing where each value is too large, or has itself as a part.
pub(crate) fn example(types: &Types, root: TypeId) -> Option<Vec<u8>> {
    let mut example =
        Example { types, around: HashSet::new(), depth: 0, parts_left: MAX_PARTS, out: Vec::new() };
    example.value(root, "value")?;
    Some(example.out)
}

struct Example<'a> {
    types: &'a Types,
    /// The records around the part that is written.
    around: HashSet<TypeId>,
    depth: usize,
    parts_left: usize,
    out: Vec<u8>,
}

impl<'a> Example<'a> {
    /// Writes a value of a field `name`; nothing, and no byte, where there is none.
    fn value(&mut self, id: TypeId, name: &str) -> Option<()> {
        let start = self.out.len();
        self.parts_left = self.parts_left.checked_sub(1)?;
        let written = self.part(id, name);
        if written.is_none() {
            self.out.truncate(start);
        }
        written
    }

    fn part(&mut self, id: TypeId, name: &str) -> Option<()> {
        let types = self.types;
        let of = types.get(id);
        match &of.kind {
            Kind::Null => {}
            Kind::Boolean => self.out.push(1),
            Kind::Int | Kind::Long => write_long(number(of.logical), &mut self.out),
            Kind::Float => self.out.extend_from_slice(&9.5_f32.to_le_bytes()),
            Kind::Double => self.out.extend_from_slice(&9.99_f64.to_le_bytes()),
            Kind::String => write_bytes(text(name, of.logical).as_bytes(), &mut self.out),
            Kind::Bytes => {
                let bytes = match of.logical {
                    Some(LogicalType::Decimal { precision, scale }) => decimal_bytes(precision, scale)?,
                    _ => b"example".to_vec(),
                };
                write_bytes(&bytes, &mut self.out);
            }
            Kind::Fixed(fixed) => self.fixed(fixed, of.logical)?,
            Kind::Enum(symbols) => {
                let at = symbols.default.as_ref().and_then(|default| symbols.by_name.get(default)).copied();
                symbols.symbols.first()?;
                write_long(at.unwrap_or(0) as i64, &mut self.out);
            }
            Kind::Array(inner) | Kind::Map(inner) => {
                let start = self.out.len();
                write_long(1, &mut self.out);
                if matches!(of.kind, Kind::Map(_)) {
                    write_bytes(b"key", &mut self.out);
                }
                self.depth += 1;
                let item = if self.depth < MAX_DEPTH { self.value(*inner, name) } else { None };
                self.depth -= 1;
                if item.is_none() {
                    self.out.truncate(start);
                }
                self.out.push(0);
            }
            Kind::Union(branches) => self.union(branches, name)?,
            Kind::Record(record) => {
                if self.depth + 1 >= MAX_DEPTH || !self.around.insert(id) {
                    return None;
                }
                self.depth += 1;
                let written = self.record(record);
                self.depth -= 1;
                self.around.remove(&id);
                written?;
            }
        }
        Some(())
    }

    fn union(&mut self, branches: &[TypeId], name: &str) -> Option<()> {
        let is_null = |branch: TypeId| matches!(self.types.kind(branch), Kind::Null);
        let mut order: Vec<(usize, TypeId)> = branches.iter().copied().enumerate().collect();
        order.sort_by_key(|(_, branch)| is_null(*branch));
        for (at, branch) in order {
            let start = self.out.len();
            write_long(at as i64, &mut self.out);
            if self.value(branch, name).is_some() {
                return Some(());
            }
            self.out.truncate(start);
        }
        None
    }

    fn record(&mut self, record: &'a Record) -> Option<()> {
        for field in &record.fields {
            let default = field.default.as_ref();
            let telling = default.filter(|default| is_telling(default));
            if let Some(bytes) =
                telling.and_then(|default| encode_default(self.types, field.of, default).ok())
            {
                self.out.extend_from_slice(&bytes);
                continue;
            }
            if self.value(field.of, &field.name).is_none() {
                self.out.extend_from_slice(&encode_default(self.types, field.of, default?).ok()?);
            }
        }
        Some(())
    }

    fn fixed(&mut self, fixed: &FixedType, logical: Option<LogicalType>) -> Option<()> {
        if fixed.size > MAX_FIXED {
            return None;
        }
        match logical {
            Some(LogicalType::Decimal { precision, scale }) => {
                let bytes = decimal_bytes(precision, scale)?;
                self.out.extend(std::iter::repeat_n(0, fixed.size.checked_sub(bytes.len())?));
                self.out.extend_from_slice(&bytes);
            }
            // One day.
            Some(LogicalType::Duration) => self.out.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
            _ => self.out.extend((1..=fixed.size).map(|at| at as u8)),
        }
        Some(())
    }
}

/// Whether a default shows more than a made up value does.
fn is_telling(default: &Json) -> bool {
    match default {
        Json::Null => false,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(object) => object.len() > 0,
        _ => true,
    }
}

fn number(logical: Option<LogicalType>) -> i64 {
    let (date, time) = ("2026-12-01", "12:30:00");
    let number = match logical {
        Some(LogicalType::Date) => civil::parse_date(date),
        Some(LogicalType::Time(unit)) => civil::parse_time(time, unit),
        Some(LogicalType::Timestamp(unit) | LogicalType::LocalTimestamp(unit)) => {
            civil::parse_timestamp(&format!("{date}T{time}"), unit, false)
        }
        _ => Some(1),
    };
    number.unwrap_or(1)
}

fn text(name: &str, logical: Option<LogicalType>) -> String {
    if logical == Some(LogicalType::Uuid) {
        return "0192f1e4-7c1a-7d3e-9b7e-3a2f6c5d4e1b".to_owned();
    }
    let lower = name.to_lowercase();
    let found = STRINGS.iter().find(|(word, _)| lower.contains(word)).map(|(_, text)| *text);
    found.map_or_else(|| format!("{name}-1"), str::to_owned)
}

/// `12.50`, or as much of it as there is room for.
fn decimal_bytes(precision: u32, scale: u32) -> Option<Vec<u8>> {
    let text = match (precision - scale, scale) {
        (0, 1) => "0.5",
        (0, _) => "0.25",
        (1, 0) => "7",
        (1, 1) => "2.5",
        (1, _) => "2.50",
        (_, 0) => "12",
        (_, 1) => "12.5",
        _ => "12.50",
    };
    decimal::write(text, precision, scale).ok()
}
