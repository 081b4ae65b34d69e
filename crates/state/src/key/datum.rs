//! A typed value of a key, and the order that its column has.

use std::borrow::Cow;

use super::Decimal;

/// A value of a key. Which of them two columns hold must be the same for their keys to compare.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum<'a> {
    /// NULL of any type.
    Null,
    /// A boolean; false is less.
    Bool(bool),
    /// An integer of any width, signed or not.
    Integer(i128),
    /// REAL, in the total order of IEEE 754: −NaN, −∞, …, −0, 0, …, ∞, NaN.
    Float32(f32),
    /// DOUBLE, in the total order of IEEE 754.
    Float64(f64),
    /// A decimal, by its value: 1.5 and 1.50 are one key.
    Decimal(Decimal),
    /// Days since 1970.
    Date(i32),
    /// Time of the day, in the unit of its column.
    Time(i64),
    /// A moment, in the unit of its column since 1970.
    Timestamp(i64),
    /// Text, in the order of its code points.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A list or a composite, compared value by value; where one ends first it is less. NULL is the greatest value in
    /// it.
    List(Vec<Datum<'a>>),
}

/// The order of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SortOrder {
    /// Whether the greatest value is first.
    pub descending: bool,
    /// Whether NULL is before every value.
    pub nulls_first: bool,
}

impl SortOrder {
    /// `ASC`: NULL is last, as in Factum's SQL.
    pub const ASCENDING: Self = Self { descending: false, nulls_first: false };
    /// `DESC`: NULL is first, as in Factum's SQL.
    pub const DESCENDING: Self = Self { descending: true, nulls_first: true };
}
