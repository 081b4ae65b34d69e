//! Values made up for the columns of a call that is tried.
//!
//! The first of each type is one that nearly any function takes: a one, an empty text, a day of this century. Further
//! ones are of the forms that functions read: numbers, times, lists, addresses.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Int64Array, ListArray, StringArray, StructArray, UInt32Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, FieldRef, IntervalUnit, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;

const TEXTS: [&str; 14] = [
    "",
    "1",
    "2020-01-31",
    "2020-01-31T12:34:56Z",
    "a",
    "abcd",
    "YWJj",
    "12:34:56",
    "a/b,c",
    "{\"a\": 1}",
    "[1]",
    "1 day",
    "true",
    "http://example.com/a?b=c",
];
const NUMBERS: [i64; 7] = [1, 2, 0, 3, -1, 10, 100];
/// 2020-01-31, 1970-01-01 and 2024-02-29.
const DAYS: [i32; 3] = [18_292, 0, 19_782];
const MICROS_PER_DAY: i64 = 86_400_000_000;
/// 12:34:56.789012.
const MICROS_OF_A_DAY: i64 = 45_296_789_012;

/// Most items of a made-up list.
const LONGEST: usize = 10_000;

/// Lengths of lists that the constants of a call ask for: `array_distance(place, [0.5, 0.2])` takes lists of two, and
/// `array_position(tags, 'new', 8)` some of eight. `None` if they ask for too long ones.
pub(super) fn lengths(call: &Expr) -> Option<Vec<usize>> {
    let mut lengths = Vec::new();
    let looked = call.apply(|part| {
        match part {
            Expr::ScalarFunction(list) if list.func.name() == "make_array" => lengths.push(list.args.len()),
            Expr::Literal(ScalarValue::List(list), _) => lengths.push(list.value(0).len()),
            Expr::Literal(ScalarValue::Int64(Some(number)), _) => {
                lengths.push(usize::try_from(*number).unwrap_or_default());
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    looked.expect("looking never fails");
    lengths.sort_unstable();
    lengths.dedup();
    lengths.retain(|length| *length > 3);
    lengths.iter().all(|length| *length <= LONGEST).then_some(lengths)
}

/// `rows` values of a type for the argument at `place`, other combinations with those of the others from row to row;
/// `None` for a type that has none here.
pub(super) fn column(kind: &DataType, lengths: &[usize], place: usize, rows: usize) -> Option<ArrayRef> {
    let values = values(kind, lengths)?;
    let index = |row: usize| {
        let index = if row < TEXTS.len() { row } else { row * 7 + place * 5 };
        u32::try_from(index % values.len()).ok()
    };
    let indices: UInt32Array = (0..rows).map(index).collect();
    take(&values, &indices, None).ok()
}

/// The values of a type.
fn values(kind: &DataType, lengths: &[usize]) -> Option<ArrayRef> {
    let numbers = || Arc::new(Int64Array::from(NUMBERS.to_vec())) as ArrayRef;
    let made: ArrayRef = match kind {
        DataType::Boolean => Arc::new(BooleanArray::from(vec![true, false])),
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView => Arc::new(StringArray::from(TEXTS.to_vec())),
        kind if kind.is_unsigned_integer() => Arc::new(Int64Array::from(vec![1, 2, 0, 3, 10, 100])),
        kind if kind.is_numeric() => match cast(&numbers(), kind) {
            Ok(made) if made.null_count() == 0 => made,
            // A decimal of few digits, most of them behind the point.
            _ => Arc::new(Int64Array::from(vec![0])),
        },
        DataType::Date32 | DataType::Date64 => Arc::new(Date32Array::from(DAYS.to_vec())),
        DataType::Timestamp(..) => {
            let micros = DAYS.map(|day| i64::from(day) * MICROS_PER_DAY + MICROS_OF_A_DAY);
            let plain = cast(&Int64Array::from(micros.to_vec()), &timestamp()).ok()?;
            return cast(&plain, kind).ok();
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            let times = Int64Array::from(vec![MICROS_OF_A_DAY, 0]);
            return cast(&cast(&times, &DataType::Time64(TimeUnit::Microsecond)).ok()?, kind).ok();
        }
        DataType::Duration(_) => numbers(),
        DataType::Interval(IntervalUnit::MonthDayNano | IntervalUnit::DayTime | IntervalUnit::YearMonth) => {
            Arc::new(StringArray::from(vec!["1 day", "1 hour", "1 month"]))
        }
        DataType::List(item) => return lists(item, lengths),
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => lists(item, lengths)?,
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|field| column_of(field, 3));
            let columns = columns.collect::<Option<Vec<_>>>()?;
            return StructArray::try_new(fields.clone(), columns, None).ok().map(|made| Arc::new(made) as _);
        }
        _ => return None,
    };
    cast(&made, kind).ok()
}

fn column_of(field: &FieldRef, rows: usize) -> Option<ArrayRef> {
    column(field.data_type(), &[], 0, rows)
}

/// Lists of one, two, three and no items, and of `lengths`.
fn lists(item: &FieldRef, lengths: &[usize]) -> Option<ArrayRef> {
    let offsets = OffsetBuffer::from_lengths([1, 2, 3, 0].iter().chain(lengths).copied());
    let items = column_of(item, usize::try_from(*offsets.last()?).ok()?)?;
    ListArray::try_new(Arc::clone(item), offsets, items, None).ok().map(|made| Arc::new(made) as _)
}

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}
