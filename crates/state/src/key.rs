//! Keys whose bytes are in the order of SQL: memcomparable encoding of typed values (docs/format/state.md).
//!
//! ```text
//!   key     value │ value │ …                      each says where it ends
//!   value   tag u8 │ body                          descending: the same with every bit turned
//! ```
//!
//! Invariants: of two keys whose values have the same kinds and orders, the bytes compare as the values do, from
//! the first to the last. No value's bytes begin another's, so the first values of a key are a prefix that
//! other keys do not share by accident ([`crate::KeyRange::prefix`]). Bytes that [`take`] reads were written by
//! [`push`]: there is one form of each value.
//!
//! Not here: comparison across kinds. A column has one type; integers of every width are one kind.

mod datum;
mod decimal;
mod integer;
mod reader;
mod text;

use std::borrow::Cow;

pub use datum::{Datum, SortOrder};
pub use decimal::Decimal;
pub use reader::InvalidKey;

use reader::Reader;

/// Lists may lie within lists so many levels deep.
pub const MAX_DEPTH: usize = 32;

/// A list lies within lists more than [`MAX_DEPTH`] levels deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("lists nested too deep for a key: at most {MAX_DEPTH} levels")]
pub struct NestedTooDeep;

mod tag {
    pub(super) const END: u8 = 0x00;
    pub(super) const NULL_BELOW: u8 = 0x01;
    pub(super) const FALSE: u8 = 0x04;
    pub(super) const TRUE: u8 = 0x05;
    /// Zero; n above it a positive integer of n bytes, n below it a negative one.
    pub(super) const INTEGER: u8 = 0x20;
    pub(super) const FLOAT32: u8 = 0x34;
    pub(super) const FLOAT64: u8 = 0x35;
    pub(super) const NEGATIVE_DECIMAL: u8 = 0x38;
    pub(super) const ZERO_DECIMAL: u8 = 0x39;
    pub(super) const POSITIVE_DECIMAL: u8 = 0x3a;
    pub(super) const DATE: u8 = 0x40;
    pub(super) const TIME: u8 = 0x41;
    pub(super) const TIMESTAMP: u8 = 0x42;
    pub(super) const TEXT: u8 = 0x48;
    pub(super) const BYTES: u8 = 0x49;
    pub(super) const LIST: u8 = 0x50;
    pub(super) const NULL_ABOVE: u8 = 0x7f;
    /// Set in the tag of a value whose bits are turned.
    pub(super) const TURNED: u8 = 0x80;
}

/// Appends `value` to a key.
///
/// # Errors
/// [`NestedTooDeep`]; then nothing was appended.
pub fn push(key: &mut Vec<u8>, value: &Datum<'_>, order: SortOrder) -> Result<(), NestedTooDeep> {
    let start = key.len();
    let is_null_above = order.nulls_first == order.descending;
    if let Err(error) = push_ascending(key, value, is_null_above, 0) {
        key.truncate(start);
        return Err(error);
    }
    if order.descending {
        key[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
    Ok(())
}

/// Takes the value at the front of a key, in whatever order it was pushed.
///
/// # Errors
/// [`InvalidKey`] if no value is there; `key` is then as it was.
pub fn take<'a>(key: &mut &'a [u8]) -> Result<Datum<'a>, InvalidKey> {
    let is_turned = key.first().ok_or(InvalidKey)? & tag::TURNED != 0;
    let mut reader = Reader::new(key, is_turned);
    let value = take_ascending(&mut reader, 0)?;
    *key = reader.rest();
    Ok(value)
}

fn push_ascending(
    key: &mut Vec<u8>,
    value: &Datum<'_>,
    is_null_above: bool,
    depth: usize,
) -> Result<(), NestedTooDeep> {
    match value {
        Datum::Null => key.push(if is_null_above { tag::NULL_ABOVE } else { tag::NULL_BELOW }),
        Datum::Bool(value) => key.push(if *value { tag::TRUE } else { tag::FALSE }),
        Datum::Integer(value) => integer::push(key, *value),
        Datum::Float32(value) => {
            key.push(tag::FLOAT32);
            let bits = value.to_bits();
            let turned = if bits & SIGN_32 == 0 { bits ^ SIGN_32 } else { !bits };
            key.extend_from_slice(&turned.to_be_bytes());
        }
        Datum::Float64(value) => {
            key.push(tag::FLOAT64);
            let bits = value.to_bits();
            let turned = if bits & SIGN_64 == 0 { bits ^ SIGN_64 } else { !bits };
            key.extend_from_slice(&turned.to_be_bytes());
        }
        Datum::Decimal(value) => decimal::push(key, value),
        Datum::Date(days) => {
            key.push(tag::DATE);
            key.extend_from_slice(&(days.cast_unsigned() ^ SIGN_32).to_be_bytes());
        }
        Datum::Time(units) => push_i64(key, tag::TIME, *units),
        Datum::Timestamp(units) => push_i64(key, tag::TIMESTAMP, *units),
        Datum::Text(value) => text::push(key, tag::TEXT, value.as_bytes()),
        Datum::Bytes(value) => text::push(key, tag::BYTES, value),
        Datum::List(values) => {
            if depth == MAX_DEPTH {
                return Err(NestedTooDeep);
            }
            key.push(tag::LIST);
            for value in values {
                // Within a list NULL is the greatest value; in descending order that puts it first.
                push_ascending(key, value, true, depth + 1)?;
            }
            key.push(tag::END);
        }
    }
    Ok(())
}

fn take_ascending<'a>(from: &mut Reader<'a>, depth: usize) -> Result<Datum<'a>, InvalidKey> {
    let tag = from.byte()?;
    Ok(match tag {
        tag::NULL_BELOW | tag::NULL_ABOVE => Datum::Null,
        tag::FALSE => Datum::Bool(false),
        tag::TRUE => Datum::Bool(true),
        integer::SMALLEST_TAG..=integer::LARGEST_TAG => Datum::Integer(integer::take(from, tag)?),
        tag::FLOAT32 => {
            let bits = u32::from_be_bytes(from.array()?);
            Datum::Float32(f32::from_bits(if bits & SIGN_32 == 0 { !bits } else { bits ^ SIGN_32 }))
        }
        tag::FLOAT64 => {
            let bits = u64::from_be_bytes(from.array()?);
            Datum::Float64(f64::from_bits(if bits & SIGN_64 == 0 { !bits } else { bits ^ SIGN_64 }))
        }
        tag::NEGATIVE_DECIMAL | tag::ZERO_DECIMAL | tag::POSITIVE_DECIMAL => {
            Datum::Decimal(decimal::take(from, tag)?)
        }
        tag::DATE => Datum::Date((u32::from_be_bytes(from.array()?) ^ SIGN_32).cast_signed()),
        tag::TIME => Datum::Time(take_i64(from)?),
        tag::TIMESTAMP => Datum::Timestamp(take_i64(from)?),
        tag::TEXT => Datum::Text(match text::take(from)? {
            Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| InvalidKey)?),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(|_| InvalidKey)?),
        }),
        tag::BYTES => Datum::Bytes(text::take(from)?),
        tag::LIST if depth < MAX_DEPTH => {
            let mut values = Vec::new();
            while from.peek()? != tag::END {
                values.push(take_ascending(from, depth + 1)?);
            }
            from.byte()?;
            Datum::List(values)
        }
        _ => return Err(InvalidKey),
    })
}

const SIGN_32: u32 = 1 << 31;
const SIGN_64: u64 = 1 << 63;

fn push_i64(key: &mut Vec<u8>, tag: u8, value: i64) {
    key.push(tag);
    key.extend_from_slice(&(value.cast_unsigned() ^ SIGN_64).to_be_bytes());
}

fn take_i64(from: &mut Reader<'_>) -> Result<i64, InvalidKey> {
    Ok((u64::from_be_bytes(from.array()?) ^ SIGN_64).cast_signed())
}
