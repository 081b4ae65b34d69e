//! Sizes of the results of functions, before they are computed.
//!
//! Of a function that repeats, pads or counts it is known; of others it is bounded by what they are given.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// An item of a list of texts, with what its builder holds beside it.
const LIST_ITEM_BYTES: u128 = 32;

/// The size of a function's result, or of the work for it, by what the function is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Growth {
    /// A text, so many times.
    Repeated,
    /// A text of so many characters.
    Padded,
    /// A text with another text for each part found: at most as much as for each of its bytes.
    Replaced,
    /// The same by a regular expression, whose replacement may name what was found.
    Substituted,
    /// The numbers or times from one to another.
    Counted,
    /// A value, so many times.
    Listed,
    /// A list of so many items.
    Resized,
    /// All that is given, one after the other. Small; but what is joined to itself some thirty times is not.
    Joined,
    /// The same with the first between them.
    Separated,
    /// The items of a list with a text between them.
    Enumerated,
    /// The parts of a text between a separator.
    Split,
    /// Each byte or item of the first is compared with each of the second.
    Pairs,
    /// At most so many bytes for each that is given, with what is held while computing.
    Scaled(u8),
}

impl Growth {
    /// That of a function that makes texts or lists: of one that is not known here, a multiple of what it is given.
    pub(super) fn of(function: &str) -> Self {
        match function {
            "repeat" => Self::Repeated,
            "lpad" | "rpad" => Self::Padded,
            "replace" => Self::Replaced,
            "regexp_replace" => Self::Substituted,
            "range" | "generate_series" => Self::Counted,
            "array_repeat" => Self::Listed,
            "array_resize" => Self::Resized,
            "array_append" | "array_concat" | "array_prepend" | "array_replace_all" | "checked_concat"
            | "concat" | "make_array" | "overlay" => Self::Joined,
            "concat_ws" => Self::Separated,
            "array_to_string" => Self::Enumerated,
            "string_to_array" => Self::Split,
            "array_has_all" | "array_has_any" | "levenshtein" | "strpos" => Self::Pairs,
            // A byte becomes a character apart; a format of two bytes, a time with its zone.
            "regexp_match" | "to_char" | "translate" => Self::Scaled(32),
            // Letters change their length in another case, bytes are two digits each.
            _ => Self::Scaled(4),
        }
    }

    /// Whether the result may be far smaller than is said, so that it is worth trying with fewer rows at a time.
    pub(super) fn is_estimate(self) -> bool {
        matches!(self, Self::Replaced | Self::Substituted | Self::Split | Self::Pairs | Self::Scaled(_))
    }

    /// Whether a number may take as long to compute as a text.
    pub(super) fn is_work(self) -> bool {
        self == Self::Pairs
    }

    /// At most so many bytes come out of `rows` rows, or so many steps are taken.
    pub(super) fn of_rows(self, values: &[ColumnarValue], rows: usize, most: u128) -> Result<u128> {
        if let Self::Scaled(factor) = self {
            let held = values.iter().map(held_bytes).fold(0, u128::saturating_add);
            if held.saturating_mul(factor.into()) <= most {
                return Ok(0);
            }
        }
        let row_bytes: Box<dyn Fn(usize) -> u128> = match (self, values) {
            (Self::Repeated, [text, times]) => {
                let (text, times) = (lengths(text)?, counts(times)?);
                Box::new(move |row| text.at(row) * times.at(row))
            }
            (Self::Padded, [_, characters, ..]) => {
                let characters = counts(characters)?;
                Box::new(move |row| characters.at(row))
            }
            (Self::Replaced, [text, from, to]) => {
                let (text, from, to) = (lengths(text)?, lengths(from)?, lengths(to)?);
                Box::new(move |row| (text.at(row) + 1) * (to.at(row) + 1) / from.at(row).max(1))
            }
            (Self::Substituted, [text, _, to, ..]) => {
                let (text, to) = (lengths(text)?, lengths(to)?);
                Box::new(move |row| (text.at(row) + 1) * (to.at(row) + 1))
            }
            (Self::Counted, values) => {
                let steps = steps(values)?;
                Box::new(move |row| steps.at(row) * 8)
            }
            (Self::Listed, [value, times]) => {
                let (value, times) = (sizes(value)?, counts(times)?);
                Box::new(move |row| value.at(row).max(8) * times.at(row))
            }
            (Self::Resized, [_, items, ..]) => {
                let items = counts(items)?;
                Box::new(move |row| items.at(row) * 8)
            }
            (Self::Joined, values) => {
                let sizes = values.iter().map(sizes).collect::<Result<Vec<_>>>()?;
                Box::new(move |row| sizes.iter().map(|size| size.at(row)).sum())
            }
            (Self::Separated, [between, values @ ..]) => {
                let (between, values) =
                    (lengths(between)?, values.iter().map(sizes).collect::<Result<Vec<_>>>()?);
                Box::new(move |row| values.iter().map(|size| size.at(row) + between.at(row)).sum())
            }
            (Self::Enumerated, [list, between, ..]) => {
                let (list, between) = (sizes(list)?, lengths(between)?);
                // An item has at least a byte, or its place in the list.
                Box::new(move |row| list.at(row) * (between.at(row) + 1))
            }
            (Self::Split, [text, between, ..]) => {
                let (text, between) = (lengths(text)?, lengths(between)?);
                Box::new(move |row| {
                    let items = text.at(row) / between.at(row).max(1) + 1;
                    text.at(row) + items * LIST_ITEM_BYTES
                })
            }
            (Self::Pairs, [left, right, ..]) => {
                let (left, right) = (items(left)?, items(right)?);
                Box::new(move |row| left.at(row) * right.at(row))
            }
            (Self::Scaled(factor), values) => {
                let sizes = values.iter().map(sizes).collect::<Result<Vec<_>>>()?;
                Box::new(move |row| sizes.iter().map(|size| size.at(row)).sum::<u128>() * u128::from(factor))
            }
            _ => return Ok(0),
        };
        Ok((0..rows).map(row_bytes).fold(0, u128::saturating_add))
    }
}

/// One number for each row, or the same for all.
struct PerRow<T> {
    numbers: Vec<T>,
    is_constant: bool,
}

impl<T: Copy> PerRow<T> {
    /// What `read` makes of a value; of a constant it is asked once.
    fn of(value: &ColumnarValue, read: impl FnOnce(&ArrayRef) -> Result<Vec<T>>) -> Result<Self> {
        Ok(match value {
            ColumnarValue::Array(array) => Self { numbers: read(array)?, is_constant: false },
            ColumnarValue::Scalar(scalar) => Self { numbers: read(&scalar.to_array()?)?, is_constant: true },
        })
    }

    fn constant(number: T) -> Self {
        Self { numbers: vec![number], is_constant: true }
    }

    fn at(&self, row: usize) -> T {
        self.numbers[if self.is_constant { 0 } else { row }]
    }
}

/// What a value holds, at most: a slice is counted as the whole that it is of.
fn held_bytes(value: &ColumnarValue) -> u128 {
    match value {
        ColumnarValue::Array(array) => array.get_buffer_memory_size() as u128,
        ColumnarValue::Scalar(scalar) => scalar.size() as u128,
    }
}

/// The length of each text, in bytes.
fn lengths(texts: &ColumnarValue) -> Result<PerRow<u128>> {
    match texts {
        ColumnarValue::Scalar(text) if text.data_type().is_string() => {
            Ok(PerRow::constant(text_length(text)))
        }
        texts => PerRow::of(texts, text_lengths),
    }
}

fn text_length(text: &ScalarValue) -> u128 {
    text.try_as_str().flatten().map_or(0, |text| text.len() as u128)
}

fn text_lengths(texts: &ArrayRef) -> Result<Vec<u128>> {
    let length = |text: Option<&str>| text.map_or(0, |text| text.len() as u128);
    Ok(match texts.data_type() {
        DataType::Utf8View => texts.as_string_view().iter().map(length).collect(),
        DataType::Utf8 => texts.as_string::<i32>().iter().map(length).collect(),
        _ => cast(texts, &DataType::LargeUtf8)?.as_string::<i64>().iter().map(length).collect(),
    })
}

/// The bytes of each text, or the items of each list, of which one has eight bytes or more.
fn items(values: &ColumnarValue) -> Result<PerRow<u128>> {
    let is_text = values.data_type().is_string();
    let mut items = sizes(values)?;
    if !is_text {
        items.numbers.iter_mut().for_each(|bytes| *bytes = bytes.div_ceil(8));
    }
    Ok(items)
}

/// The size of each value in bytes; of what is no text, an average.
fn sizes(values: &ColumnarValue) -> Result<PerRow<u128>> {
    if values.data_type().is_string() {
        return lengths(values);
    }
    PerRow::of(values, |values| match values.data_type() {
        DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8 => text_lengths(values),
        _ => {
            let bytes = values.to_data().get_slice_memory_size()?;
            Ok(vec![(bytes / values.len().max(1)) as u128; values.len()])
        }
    })
}

/// Whole numbers; none is less than 0.
fn counts(numbers: &ColumnarValue) -> Result<PerRow<u128>> {
    let count = |number| u128::try_from(number).unwrap_or(0);
    PerRow::of(numbers, |numbers| Ok(signed(numbers)?.into_iter().map(count).collect()))
}

/// A number of characters; one below 0 is none, as of a constant.
pub(super) fn not_negative(numbers: &ColumnarValue) -> ColumnarValue {
    match numbers {
        ColumnarValue::Array(numbers) => match numbers.as_primitive_opt::<Int64Type>() {
            Some(numbers) => {
                ColumnarValue::Array(Arc::new(numbers.unary::<_, Int64Type>(|number| number.max(0))))
            }
            None => ColumnarValue::Array(Arc::clone(numbers)),
        },
        ColumnarValue::Scalar(ScalarValue::Int64(Some(number))) => {
            ColumnarValue::Scalar(ScalarValue::Int64(Some((*number).max(0))))
        }
        scalar @ ColumnarValue::Scalar(_) => scalar.clone(),
    }
}

fn signed(numbers: &ArrayRef) -> Result<Vec<i128>> {
    let numbers = cast(numbers, &DataType::Int64)?;
    Ok(numbers.as_primitive::<Int64Type>().iter().map(|number| number.unwrap_or(0).into()).collect())
}

/// How many values there are from the first to the second, in steps of the third.
fn steps(values: &[ColumnarValue]) -> Result<PerRow<u128>> {
    let values = values.iter().map(|value| PerRow::of(value, places)).collect::<Result<Vec<_>>>()?;
    let count = |start: i128, stop: i128, step: i128| stop.abs_diff(start) / step.unsigned_abs().max(1);
    let is_constant = values.iter().all(|value| value.is_constant);
    let rows = values.iter().map(|value| value.numbers.len()).max().unwrap_or(0);
    let number = |row: usize| match values.as_slice() {
        [stop] => count(0, stop.at(row), 1),
        [start, stop] => count(start.at(row), stop.at(row), 1),
        [start, stop, step, ..] => count(start.at(row), stop.at(row), step.at(row)),
        [] => 0,
    };
    Ok(PerRow { numbers: (0..rows).map(number).collect(), is_constant })
}

/// Numbers as they are, times and intervals in microseconds.
fn places(values: &ArrayRef) -> Result<Vec<i128>> {
    match values.data_type() {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            signed(&cast(values, &DataType::Timestamp(TimeUnit::Microsecond, None))?)
        }
        DataType::Interval(_) => {
            let intervals = cast(values, &DataType::Interval(IntervalUnit::MonthDayNano))?;
            let micros = intervals.as_primitive::<IntervalMonthDayNanoType>().iter().map(|interval| {
                let Some(interval) = interval else { return 0 };
                let days = i64::from(interval.months) * 28 + i64::from(interval.days);
                i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(interval.nanoseconds / 1_000)
            });
            Ok(micros.collect())
        }
        _ => signed(values),
    }
}
