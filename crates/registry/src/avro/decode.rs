//! Values as JSON, from Avro's binary encoding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::binary::Input;
use super::civil;
use super::decimal;
use super::logical::LogicalType;
use super::types::{Kind, Record, Type, TypeId, Types};
use super::unions;
use super::value_path::ValuePath;
use crate::ValueError;

/// Writes the one value of `bytes` to `out`, which on an error is as it was.
pub(crate) fn decode(types: &Types, root: TypeId, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
    let start = out.len();
    let path = ValuePath::new(bytes.len());
    let mut decoder = Decoder { types, input: Input::new(bytes), path, out, start };
    let decoded = decoder.value(root).and_then(|()| match decoder.input.len() {
        0 => Ok(()),
        left => Err(decoder.path.error(format!("more than one value: bytes left {left}"))),
    });
    if decoded.is_err() {
        out.truncate(start);
    }
    decoded
}

struct Decoder<'a> {
    types: &'a Types,
    input: Input<'a>,
    path: ValuePath<'a>,
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Decoder<'a> {
    fn value(&mut self, id: TypeId) -> Result<(), ValueError> {
        self.path.count(self.out.len() - self.start)?;
        let of: &'a Type = self.types.get(id);
        match &of.kind {
            Kind::Array(inner) => self.array(*inner),
            Kind::Map(inner) => self.map(*inner),
            Kind::Record(record) => self.record(record),
            Kind::Union(branches) => self.union(branches),
            _ => {
                let written = self.scalar(of);
                written.map_err(|reason| self.path.error(reason))
            }
        }
    }

    fn scalar(&mut self, of: &Type) -> Result<(), String> {
        match &of.kind {
            Kind::Null => self.out.extend_from_slice(b"null"),
            Kind::Boolean => match self.input.byte()? {
                0 => self.out.extend_from_slice(b"false"),
                1 => self.out.extend_from_slice(b"true"),
                other => return Err(format!("invalid boolean: byte {other} is neither 0 nor 1")),
            },
            Kind::Int => {
                let number = self.input.int()?;
                self.number(i64::from(number), of.logical);
            }
            Kind::Long => {
                let number = self.input.long()?;
                self.number(number, of.logical);
            }
            Kind::Float => {
                let number = f32::from_le_bytes(self.input.array()?);
                self.real(number.is_finite().then(|| format!("{number:?}")), f64::from(number));
            }
            Kind::Double => {
                let number = f64::from_le_bytes(self.input.array()?);
                self.real(number.is_finite().then(|| format!("{number:?}")), number);
            }
            Kind::Bytes => {
                let bytes = self.input.bytes()?;
                self.bytes(bytes, of.logical)?;
            }
            Kind::Fixed(fixed) => {
                let bytes = self.input.take(fixed.size)?;
                self.bytes(bytes, of.logical)?;
            }
            Kind::String => {
                let bytes = self.input.bytes()?;
                let text = std::str::from_utf8(bytes).map_err(|_| "invalid string: it is not UTF-8")?;
                self.string(text);
            }
            Kind::Enum(symbols) => {
                let at = self.input.int()?;
                let symbol = usize::try_from(at).ok().and_then(|at| symbols.symbols.get(at));
                let symbol = symbol.ok_or_else(|| {
                    format!("{at} is no symbol of the enum, which has {}", symbols.symbols.len())
                })?;
                self.string(symbol);
            }
            Kind::Array(_) | Kind::Map(_) | Kind::Record(_) | Kind::Union(_) => {}
        }
        Ok(())
    }

    fn number(&mut self, number: i64, logical: Option<LogicalType>) {
        match readable(number, logical) {
            Some(text) => self.string(&text),
            None => self.out.extend_from_slice(number.to_string().as_bytes()),
        }
    }

    fn real(&mut self, finite: Option<String>, number: f64) {
        match finite {
            Some(text) => self.out.extend_from_slice(text.as_bytes()),
            None if number.is_nan() => self.string("NaN"),
            None if number > 0.0 => self.string("Infinity"),
            None => self.string("-Infinity"),
        }
    }

    fn bytes(&mut self, bytes: &[u8], logical: Option<LogicalType>) -> Result<(), String> {
        let text = match logical {
            Some(LogicalType::Decimal { scale, .. }) => decimal::read(bytes, scale)?,
            Some(LogicalType::Uuid) => uuid_text(bytes),
            Some(LogicalType::Duration) => {
                let mut input = Input::new(bytes);
                let mut part = || input.array().map(u32::from_le_bytes);
                civil::duration([part()?, part()?, part()?])
            }
            _ => STANDARD.encode(bytes),
        };
        self.string(&text);
        Ok(())
    }

    fn string(&mut self, text: &str) {
        serde_json::to_writer(&mut *self.out, text).expect("memory takes everything");
    }

    fn array(&mut self, inner: TypeId) -> Result<(), ValueError> {
        self.path.enter()?;
        self.out.push(b'[');
        let mut at = 0;
        while let Some(count) = self.input.block().map_err(|reason| self.path.error(reason))? {
            for _ in 0..count {
                if at > 0 {
                    self.out.push(b',');
                }
                self.path.push_item(at);
                self.value(inner)?;
                self.path.pop();
                at += 1;
            }
        }
        self.out.push(b']');
        self.path.leave();
        Ok(())
    }

    fn map(&mut self, inner: TypeId) -> Result<(), ValueError> {
        self.path.enter()?;
        self.out.push(b'{');
        let mut is_first = true;
        while let Some(count) = self.input.block().map_err(|reason| self.path.error(reason))? {
            for _ in 0..count {
                if !is_first {
                    self.out.push(b',');
                }
                is_first = false;
                let key = self.input.bytes().map_err(|reason| self.path.error(reason))?;
                let key =
                    std::str::from_utf8(key).map_err(|_| self.path.error("invalid key: it is not UTF-8"))?;
                self.string(key);
                self.out.push(b':');
                self.path.push_field(key);
                self.value(inner)?;
                self.path.pop();
            }
        }
        self.out.push(b'}');
        self.path.leave();
        Ok(())
    }

    fn record(&mut self, record: &'a Record) -> Result<(), ValueError> {
        self.path.enter()?;
        self.out.push(b'{');
        for (at, field) in record.fields.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.string(&field.name);
            self.out.push(b':');
            self.path.push_field(&field.name);
            self.value(field.of)?;
            self.path.pop();
        }
        self.out.push(b'}');
        self.path.leave();
        Ok(())
    }

    fn union(&mut self, branches: &'a [TypeId]) -> Result<(), ValueError> {
        let at = self.input.long().map_err(|reason| self.path.error(reason))?;
        let branch = usize::try_from(at).ok().and_then(|at| branches.get(at));
        let branch = *branch.ok_or_else(|| {
            self.path.error(format!("{at} is no branch of the union, which has {}", branches.len()))
        })?;
        let start = self.out.len();
        self.value(branch)?;
        let is_rare = self.is_rare(branch, start);
        if unions::is_wrapped(self.types, branches, branch, is_rare) {
            let value = self.out.split_off(start);
            self.out.push(b'{');
            self.string(self.types.kind(branch).full_name());
            self.out.push(b':');
            self.out.extend_from_slice(&value);
            self.out.push(b'}');
        }
        Ok(())
    }

    /// Whether the value that begins at `start` is a string where its type's are numbers, or the other way around.
    fn is_rare(&self, branch: TypeId, start: usize) -> bool {
        let is_string = self.out.get(start) == Some(&b'"');
        let of = self.types.get(branch);
        match &of.kind {
            Kind::Float | Kind::Double => is_string,
            Kind::Int | Kind::Long => of.logical.is_some() && !is_string,
            _ => false,
        }
    }
}

/// Times as a person writes them; nothing where the number is none or has no such form.
pub(crate) fn readable(number: i64, logical: Option<LogicalType>) -> Option<String> {
    match logical? {
        LogicalType::Date => civil::date(number),
        LogicalType::Time(unit) => civil::time(number, unit),
        LogicalType::Timestamp(unit) => civil::timestamp(number, unit).map(|text| format!("{text}Z")),
        LogicalType::LocalTimestamp(unit) => civil::timestamp(number, unit),
        LogicalType::Decimal { .. } | LogicalType::Uuid | LogicalType::Duration => None,
    }
}

fn uuid_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
