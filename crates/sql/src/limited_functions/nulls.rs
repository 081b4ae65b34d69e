//! Nulls of functions that are given none, and the other way round.
//!
//! Some functions give NULL for a time that they cannot compute with, without a word. That is an error, as an overflow
//! of numbers is.
//!
//! Not here: nulls that a function gives by its meaning (`nullif`), or for what is not there (`tags[9]`).

use arrow::array::Array;
use arrow::buffer::NullBuffer;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

/// Whether a function gives NULL for arguments that are out of its range.
pub(super) fn is_silent(function: &str) -> bool {
    matches!(function, "date_bin" | "date_part")
}

/// `result`, or an error if it is NULL in a row in which no argument is.
pub(super) fn refused(
    function: &str,
    arguments: &[ColumnarValue],
    result: ColumnarValue,
) -> Result<ColumnarValue> {
    let is_new = match &result {
        ColumnarValue::Scalar(value) => value.is_null() && !arguments.iter().any(is_null),
        ColumnarValue::Array(values) => has_new_null(arguments, values),
    };
    match is_new {
        true => exec_err!("a time or an interval is out of range for {function}"),
        false => Ok(result),
    }
}

/// The result of `map` of constants of which one is NULL, as it is of columns: NULL for keys that are, and an error for
/// values that are. Of constants alone it would be an empty map.
pub(super) fn map_of_null(function: &str, arguments: &ScalarFunctionArgs) -> Option<Result<ColumnarValue>> {
    let [keys @ ColumnarValue::Scalar(_), values @ ColumnarValue::Scalar(_)] = &arguments.args[..] else {
        return None;
    };
    if function != "map" {
        return None;
    }
    match (is_null(keys), is_null(values)) {
        (true, _) => {
            let null = ScalarValue::try_new_null(arguments.return_field.data_type());
            Some(null.map(ColumnarValue::Scalar))
        }
        (false, true) => Some(exec_err!("map requires key and value lists to have the same length")),
        (false, false) => None,
    }
}

fn is_null(value: &ColumnarValue) -> bool {
    matches!(value, ColumnarValue::Scalar(value) if value.is_null())
}

fn has_new_null(arguments: &[ColumnarValue], values: &dyn Array) -> bool {
    let Some(nulls) = values.logical_nulls() else { return false };
    if arguments.iter().any(is_null) {
        return false;
    }
    let given = arguments.iter().filter_map(|argument| match argument {
        ColumnarValue::Array(array) => array.logical_nulls(),
        ColumnarValue::Scalar(_) => None,
    });
    let given = given.reduce(|one, other| {
        NullBuffer::union(Some(&one), Some(&other)).expect("the union of some nulls is some")
    });
    (0..values.len()).any(|row| nulls.is_null(row) && given.as_ref().is_none_or(|given| given.is_valid(row)))
}
