//! The walk that judges whether bytes are a value, in Avro's binary encoding: [`super::decode`] without its output.
//!
//! Invariants: what is refused here is refused there, with the same path and reason. The work goes with the bytes and the
//! schema's fields: of items that take no byte one is looked at, however many a block says that it has.

use factum_base::steps::Steps;

use super::binary::Input;
use super::decimal;
use super::logical::LogicalType;
use super::types::{Kind, Record, Type, TypeId, Types};
use super::value_path::ValuePath;
use crate::ValueError;

/// Checks the one value of `bytes`, a step for each of its parts.
pub(crate) fn judge(types: &Types, root: TypeId, bytes: &[u8], steps: &mut Steps) -> Result<(), ValueError> {
    let path = ValuePath::new(bytes.len());
    let mut judge = Judge { types, input: Input::new(bytes), path, steps, written: 0 };
    judge.value(root)?;
    match judge.input.len() {
        0 => Ok(()),
        left => Err(judge.path.error(format!("more than one value: bytes left {left}"))),
    }
}

struct Judge<'a, 's> {
    types: &'a Types,
    input: Input<'a>,
    path: ValuePath<'a>,
    steps: &'s mut Steps,
    /// The least bytes of JSON that the parts so far are.
    written: usize,
}

impl<'a> Judge<'a, '_> {
    fn value(&mut self, id: TypeId) -> Result<(), ValueError> {
        if !self.steps.take(1) {
            return Err(self.path.error("too much work"));
        }
        self.path.count(self.written)?;
        let of: &'a Type = self.types.get(id);
        match &of.kind {
            Kind::Array(inner) => self.array(*inner),
            Kind::Map(inner) => self.map(*inner),
            Kind::Record(record) => self.record(record),
            Kind::Union(branches) => self.union(branches),
            _ => {
                let read = self.scalar(of);
                self.written += read.map_err(|reason| self.path.error(reason))?;
                Ok(())
            }
        }
    }

    /// Passes over a scalar; the least bytes of its JSON.
    fn scalar(&mut self, of: &Type) -> Result<usize, String> {
        Ok(match &of.kind {
            Kind::Null => 4,
            Kind::Boolean => match self.input.byte()? {
                0 | 1 => 4,
                other => return Err(format!("invalid boolean: byte {other} is neither 0 nor 1")),
            },
            Kind::Int => self.input.int().map(|_| 1)?,
            Kind::Long => self.input.long().map(|_| 1)?,
            Kind::Float => self.input.take(4).map(|_| 1)?,
            Kind::Double => self.input.take(8).map(|_| 1)?,
            Kind::Bytes => {
                let bytes = self.input.bytes()?;
                check_bytes(bytes, of.logical)?
            }
            Kind::Fixed(fixed) => {
                let bytes = self.input.take(fixed.size)?;
                check_bytes(bytes, of.logical)?
            }
            Kind::String => {
                let bytes = self.input.bytes()?;
                self.steps.take(bytes.len() / 64);
                std::str::from_utf8(bytes).map_err(|_| "invalid string: it is not UTF-8")?;
                bytes.len()
            }
            Kind::Enum(symbols) => {
                let at = self.input.int()?;
                let symbol = usize::try_from(at).ok().and_then(|at| symbols.symbols.get(at));
                let unknown =
                    || format!("{at} is no symbol of the enum, which has {}", symbols.symbols.len());
                symbol.ok_or_else(unknown)?.len()
            }
            Kind::Array(_) | Kind::Map(_) | Kind::Record(_) | Kind::Union(_) => 0,
        })
    }

    fn array(&mut self, inner: TypeId) -> Result<(), ValueError> {
        self.path.enter()?;
        self.written += 2;
        let mut at = 0;
        while let Some(count) = self.input.block().map_err(|reason| self.path.error(reason))? {
            let end = u64::saturating_add(at, count);
            while at < end {
                let (left, written) = (self.input.len(), self.written);
                self.path.push_item(at);
                self.value(inner)?;
                self.path.pop();
                at += 1;
                if self.input.len() == left {
                    // What reads nothing is the same each time.
                    let items = usize::try_from(end - at).unwrap_or(usize::MAX);
                    let each = self.written - written + 1;
                    self.written = self.written.saturating_add(items.saturating_mul(each));
                    self.path.count(self.written)?;
                    at = end;
                }
            }
        }
        self.path.leave();
        Ok(())
    }

    fn map(&mut self, inner: TypeId) -> Result<(), ValueError> {
        self.path.enter()?;
        self.written += 2;
        while let Some(count) = self.input.block().map_err(|reason| self.path.error(reason))? {
            for _ in 0..count {
                let key = self.input.bytes().map_err(|reason| self.path.error(reason))?;
                let key =
                    std::str::from_utf8(key).map_err(|_| self.path.error("invalid key: it is not UTF-8"))?;
                self.written += key.len();
                self.path.push_field(key);
                self.value(inner)?;
                self.path.pop();
            }
        }
        self.path.leave();
        Ok(())
    }

    fn record(&mut self, record: &'a Record) -> Result<(), ValueError> {
        self.path.enter()?;
        self.written += 2;
        for field in &record.fields {
            self.written += field.name.len();
            self.path.push_field(&field.name);
            self.value(field.of)?;
            self.path.pop();
        }
        self.path.leave();
        Ok(())
    }

    fn union(&mut self, branches: &'a [TypeId]) -> Result<(), ValueError> {
        let at = self.input.long().map_err(|reason| self.path.error(reason))?;
        let branch = usize::try_from(at).ok().and_then(|at| branches.get(at));
        let branch = *branch.ok_or_else(|| {
            self.path.error(format!("{at} is no branch of the union, which has {}", branches.len()))
        })?;
        self.value(branch)
    }
}

/// Checks what stands for something else; the least bytes of its JSON.
fn check_bytes(bytes: &[u8], logical: Option<LogicalType>) -> Result<usize, String> {
    match logical {
        Some(LogicalType::Decimal { scale, .. }) => decimal::check(bytes, scale).map(|_| bytes.len()),
        Some(LogicalType::Duration) if bytes.len() < 12 => Input::new(bytes).take(12).map(|_| 0),
        _ => Ok(bytes.len()),
    }
}
