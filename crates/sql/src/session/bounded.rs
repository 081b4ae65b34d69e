//! Functions whose result may be far larger than what they are given, with a bound.
//!
//! `repeat('x', 1e9)` asks for its memory at once: where there is none the process ends, and a view over such an
//! event would end it again at each start. Within the bound they are DataFusion's own.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, FieldRef, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use datafusion::prelude::SessionContext;

/// Most bytes that one call makes, for a batch of rows.
pub(crate) const LARGEST_RESULT: u64 = 256 << 20;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// How large a function's result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
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
}

const FUNCTIONS: [(&str, Growth); 18] = [
    ("repeat", Growth::Repeated),
    ("lpad", Growth::Padded),
    ("rpad", Growth::Padded),
    ("replace", Growth::Replaced),
    ("array_replace_all", Growth::Joined),
    ("regexp_replace", Growth::Substituted),
    ("range", Growth::Counted),
    ("generate_series", Growth::Counted),
    ("array_repeat", Growth::Listed),
    ("array_resize", Growth::Resized),
    ("concat", Growth::Joined),
    ("concat_ws", Growth::Separated),
    ("overlay", Growth::Joined),
    ("make_array", Growth::Joined),
    ("array_append", Growth::Joined),
    ("array_prepend", Growth::Joined),
    ("array_concat", Growth::Joined),
    ("array_to_string", Growth::Enumerated),
];

/// Puts the bounded functions in the place of the others.
pub(super) fn register(context: &SessionContext) {
    let state = context.state();
    for (name, growth) in FUNCTIONS {
        if let Some(function) = state.scalar_functions().get(name) {
            context.register_udf(ScalarUDF::from(Bounded { function: Arc::clone(function), growth }));
        }
    }
}

/// A function with a bound.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    function: Arc<ScalarUDF>,
    growth: Growth,
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        self.function.schema_name(arguments)
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.return_field_from_args(arguments)
    }

    fn simplify(&self, arguments: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match self.growth {
            // Theirs puts the functions without a bound in their place.
            Growth::Joined | Growth::Separated | Growth::Enumerated => {
                Ok(ExprSimplifyResult::Original(arguments))
            }
            _ => self.function.simplify(arguments, context),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let rows = if arguments.args.iter().all(is_constant) { 1 } else { arguments.number_rows };
        let bytes = self.growth.bytes(&arguments.args, rows)?;
        if bytes <= u128::from(LARGEST_RESULT) {
            return self.function.invoke_with_args(arguments);
        }
        // What is found is counted only by finding it: a few rows at a time, each of which may be as large as can be.
        if matches!(self.growth, Growth::Replaced | Growth::Substituted) && rows > 1 {
            return self.in_halves(&arguments, rows);
        }
        Err(self.too_much())
    }
}

impl Bounded {
    fn too_much(&self) -> DataFusionError {
        too_much(self.name())
    }

    fn in_halves(&self, arguments: &ScalarFunctionArgs, rows: usize) -> Result<ColumnarValue> {
        let mut pieces = Vec::new();
        let mut bytes = 0;
        for (from, rows) in [(0, rows / 2), (rows / 2, rows - rows / 2)] {
            let part = |value: &ColumnarValue| match value {
                ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(from, rows)),
                scalar @ ColumnarValue::Scalar(_) => scalar.clone(),
            };
            let args = arguments.args.iter().map(part).collect();
            let piece = ScalarFunctionArgs { args, number_rows: rows, ..arguments.clone() };
            let piece = self.invoke_with_args(piece)?.into_array(rows)?;
            bytes += piece.get_array_memory_size() as u64;
            if bytes > LARGEST_RESULT {
                return Err(self.too_much());
            }
            pieces.push(piece);
        }
        let pieces: Vec<_> = pieces.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&pieces)?))
    }
}

/// The error of a function whose result would be too large.
pub(crate) fn too_much(name: &str) -> DataFusionError {
    let most = LARGEST_RESULT >> 20;
    DataFusionError::ResourcesExhausted(format!("{name} would make more than {most} MiB at once"))
}

/// Whether the texts of `rows` rows, one after the other, are within the bound.
///
/// # Errors
/// If they are no texts.
pub(crate) fn may_join(texts: &[ColumnarValue], rows: usize) -> Result<bool> {
    Ok(Growth::Joined.bytes(texts, rows)? <= u128::from(LARGEST_RESULT))
}

impl Growth {
    /// About how many bytes come out of `rows` rows.
    fn bytes(self, values: &[ColumnarValue], rows: usize) -> Result<u128> {
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

    fn at(&self, row: usize) -> T {
        self.numbers[if self.is_constant { 0 } else { row }]
    }
}

/// The length of each text, in bytes.
fn lengths(texts: &ColumnarValue) -> Result<PerRow<u128>> {
    PerRow::of(texts, text_lengths)
}

fn text_lengths(texts: &ArrayRef) -> Result<Vec<u128>> {
    let length = |text: Option<&str>| text.map_or(0, |text| text.len() as u128);
    Ok(match texts.data_type() {
        DataType::Utf8View => texts.as_string_view().iter().map(length).collect(),
        DataType::Utf8 => texts.as_string::<i32>().iter().map(length).collect(),
        _ => cast(texts, &DataType::LargeUtf8)?.as_string::<i64>().iter().map(length).collect(),
    })
}

/// The size of each value in bytes; of what is no text, an average.
fn sizes(values: &ColumnarValue) -> Result<PerRow<u128>> {
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
