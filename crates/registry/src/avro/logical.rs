//! Logical types: what a value of a type means.

use super::json::Json;
use super::types::{Kind, Type};

/// A logical type on a type that may carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogicalType {
    /// `unscaled × 10^-scale` of at most `precision` digits.
    Decimal {
        precision: u32,
        scale: u32,
    },
    Uuid,
    Date,
    Time(Unit),
    Timestamp(Unit),
    LocalTimestamp(Unit),
    Duration,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    pub(crate) fn per_second(self) -> i64 {
        match self {
            Self::Millis => 1_000,
            Self::Micros => 1_000_000,
            Self::Nanos => 1_000_000_000,
        }
    }

    /// Digits of a second's fraction.
    pub(crate) fn digits(self) -> usize {
        match self {
            Self::Millis => 3,
            Self::Micros => 6,
            Self::Nanos => 9,
        }
    }
}

impl LogicalType {
    /// That of a type, by its properties. One that is unknown or does not fit the type is none, as the specification
    /// wants it.
    pub(crate) fn of(kind: &Kind, properties: &[(String, Json)]) -> Option<Self> {
        let property = |name| properties.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        match (property("logicalType")?.as_str()?, kind) {
            ("decimal", Kind::Bytes | Kind::Fixed(_)) => {
                let precision = number(property("precision")?)?;
                let scale = property("scale").map_or(Some(0), number)?;
                let fits = precision > 0 && scale <= precision && f64::from(precision) <= most_digits(kind);
                fits.then_some(Self::Decimal { precision, scale })
            }
            ("uuid", Kind::String) => Some(Self::Uuid),
            ("uuid", Kind::Fixed(fixed)) if fixed.size == 16 => Some(Self::Uuid),
            ("duration", Kind::Fixed(fixed)) if fixed.size == 12 => Some(Self::Duration),
            ("date", Kind::Int) => Some(Self::Date),
            ("time-millis", Kind::Int) => Some(Self::Time(Unit::Millis)),
            ("time-micros", Kind::Long) => Some(Self::Time(Unit::Micros)),
            ("timestamp-millis", Kind::Long) => Some(Self::Timestamp(Unit::Millis)),
            ("timestamp-micros", Kind::Long) => Some(Self::Timestamp(Unit::Micros)),
            ("timestamp-nanos", Kind::Long) => Some(Self::Timestamp(Unit::Nanos)),
            ("local-timestamp-millis", Kind::Long) => Some(Self::LocalTimestamp(Unit::Millis)),
            ("local-timestamp-micros", Kind::Long) => Some(Self::LocalTimestamp(Unit::Micros)),
            ("local-timestamp-nanos", Kind::Long) => Some(Self::LocalTimestamp(Unit::Nanos)),
            _ => None,
        }
    }

    /// The properties that say it, before all others in a normalized schema.
    pub(crate) fn property_names(self) -> &'static [&'static str] {
        match self {
            Self::Decimal { scale: 0, .. } => &["logicalType", "precision"],
            Self::Decimal { .. } => &["logicalType", "precision", "scale"],
            _ => &["logicalType"],
        }
    }
}

impl Type {
    pub(crate) fn is_big_decimal(&self) -> bool {
        let name = self.properties.iter().find(|(name, _)| name == "logicalType");
        matches!(self.kind, Kind::Bytes) && name.and_then(|(_, value)| value.as_str()) == Some("big-decimal")
    }
}

fn number(value: &Json) -> Option<u32> {
    match value {
        Json::Int(number) => u32::try_from(*number).ok().filter(|number| *number <= i32::MAX as u32),
        _ => None,
    }
}

/// The decimal digits that a type has room for.
fn most_digits(kind: &Kind) -> f64 {
    match kind {
        Kind::Fixed(fixed) => (2_f64.log10() * (8.0 * fixed.size as f64 - 1.0)).floor(),
        _ => f64::INFINITY,
    }
}
