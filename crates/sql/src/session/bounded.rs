//! Functions whose result may be far larger than what they are given, with a bound.
//!
//! `repeat('x', 1e9)` asks for its memory at once: where there is none the process ends, and a view over such an
//! event would end it again at each start. Within the bound they are DataFusion's own.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use datafusion::prelude::SessionContext;

/// Most bytes that one call makes, for a batch of rows.
const MOST: u64 = 256 << 20;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// How large a function's result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
    /// A text, so many times.
    Repeated,
    /// A text of so many characters.
    Padded,
    /// A text with another text for each part found.
    Replaced,
    /// The numbers or times from one to another.
    Counted,
    /// A value, so many times.
    Listed,
    /// A list of so many items.
    Resized,
}

const FUNCTIONS: [(&str, Growth); 8] = [
    ("repeat", Growth::Repeated),
    ("lpad", Growth::Padded),
    ("rpad", Growth::Padded),
    ("replace", Growth::Replaced),
    ("range", Growth::Counted),
    ("generate_series", Growth::Counted),
    ("array_repeat", Growth::Listed),
    ("array_resize", Growth::Resized),
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
        self.function.simplify(arguments, context)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let rows = if arguments.args.iter().all(is_constant) { 1 } else { arguments.number_rows };
        let values = arguments.args.iter().map(|value| value.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let bytes = self.growth.bytes(&values, rows)?;
        if bytes > u128::from(MOST) {
            let (name, most) = (self.name(), MOST >> 20);
            let message = format!("{name} would make more than {most} MiB at once");
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        self.function.invoke_with_args(arguments)
    }
}

impl Growth {
    /// About how many bytes come out of `rows` rows.
    fn bytes(self, values: &[ArrayRef], rows: usize) -> Result<u128> {
        let row_bytes: Box<dyn Fn(usize) -> u128> = match (self, values) {
            (Self::Repeated, [text, times]) => {
                let (text, times) = (lengths(text)?, counts(times)?);
                Box::new(move |row| text[row] * times[row])
            }
            (Self::Padded, [_, characters, ..]) => {
                let characters = counts(characters)?;
                Box::new(move |row| characters[row])
            }
            (Self::Replaced, [text, from, to]) => {
                let (text, from, to) = (lengths(text)?, lengths(from)?, lengths(to)?);
                Box::new(move |row| (text[row] + 1) * (to[row] + 1) / from[row].max(1))
            }
            (Self::Counted, values) => {
                let steps = steps(values)?;
                Box::new(move |row| steps[row] * 8)
            }
            (Self::Listed, [value, times]) => {
                let each = (value.get_array_memory_size() / rows.max(1)).max(8) as u128;
                let times = counts(times)?;
                Box::new(move |row| each * times[row])
            }
            (Self::Resized, [_, items, ..]) => {
                let items = counts(items)?;
                Box::new(move |row| items[row] * 8)
            }
            _ => return Ok(0),
        };
        Ok((0..rows).map(row_bytes).fold(0, u128::saturating_add))
    }
}

/// The length of each text, in bytes.
fn lengths(texts: &ArrayRef) -> Result<Vec<u128>> {
    let texts = cast(texts, &DataType::LargeUtf8)?;
    let texts = texts.as_string::<i64>();
    Ok(texts.iter().map(|text| text.map_or(0, |text| text.len() as u128)).collect())
}

/// Whole numbers; none is less than 0.
fn counts(numbers: &ArrayRef) -> Result<Vec<u128>> {
    Ok(signed(numbers)?.into_iter().map(|number| u128::try_from(number).unwrap_or(0)).collect())
}

fn signed(numbers: &ArrayRef) -> Result<Vec<i128>> {
    let numbers = cast(numbers, &DataType::Int64)?;
    Ok(numbers.as_primitive::<Int64Type>().iter().map(|number| number.unwrap_or(0).into()).collect())
}

/// How many values there are from the first to the second, in steps of the third.
fn steps(values: &[ArrayRef]) -> Result<Vec<u128>> {
    let (start, stop) = match values {
        [stop] => (vec![0; stop.len()], places(stop)?),
        [start, stop, ..] => (places(start)?, places(stop)?),
        [] => return Ok(Vec::new()),
    };
    let step = values.get(2).map_or_else(|| Ok(vec![1; stop.len()]), places)?;
    let steps = start.iter().zip(&stop).zip(&step);
    Ok(steps.map(|((start, stop), step)| stop.abs_diff(*start) / step.unsigned_abs().max(1)).collect())
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
