//! `strpos` of texts in columns, in time that grows with their lengths and not with one times the other.
//!
//! DataFusion's own looks for the first byte of the part and compares the rest at each place: `aaa…` in `aaa…` is a minute
//! for a megabyte, and an event may hold one. The search here is the standard library's (two-way string matching, Crochemore
//! and Perrin 1991). A part that is the same in all rows is left to DataFusion, which prepares it once.

use arrow::array::{AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

/// Whether this computes the call.
pub(super) fn is_searched(function: &str, arguments: &ScalarFunctionArgs) -> bool {
    let is_of_column = !matches!(&arguments.args[..], [ColumnarValue::Array(_), ColumnarValue::Scalar(_)]);
    function == "strpos" && arguments.args.len() == 2 && is_of_column
}

/// The place of the second text in the first, in characters from 1 on; 0 where it is not.
///
/// # Errors
/// If an argument is no text.
pub(super) fn of_texts(arguments: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let is_constant = arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
    let rows = if is_constant { 1 } else { arguments.number_rows };
    let texts = |at: usize| -> Result<_> {
        Ok(cast(&arguments.args[at].clone().into_array(rows)?, &DataType::Utf8View)?)
    };
    let (texts, parts) = (texts(0)?, texts(1)?);
    let pairs = texts.as_string_view().iter().zip(parts.as_string_view());
    let found: Int64Array = pairs.map(|(text, part)| Some(position(text?, part?))).collect();
    let found = cast(&found, arguments.return_field.data_type())?;
    Ok(match is_constant {
        true => ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?),
        false => ColumnarValue::Array(found),
    })
}

fn position(text: &str, part: &str) -> i64 {
    let characters = |at: usize| i64::try_from(text[..at].chars().count()).unwrap_or(i64::MAX);
    text.find(part).map_or(0, |at| characters(at).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};
    use arrow::datatypes::Field;
    use datafusion::common::config::ConfigOptions;
    use datafusion::functions::unicode::strpos;
    use proptest::prelude::*;

    use super::*;

    fn arguments(texts: Vec<Option<String>>, parts: Vec<Option<String>>) -> ScalarFunctionArgs {
        let number_rows = texts.len();
        let column = |values| ColumnarValue::Array(Arc::new(StringArray::from(values)) as ArrayRef);
        let field = |kind| Arc::new(Field::new("f", kind, true));
        ScalarFunctionArgs {
            args: vec![column(texts), column(parts)],
            arg_fields: vec![field(DataType::Utf8), field(DataType::Utf8)],
            number_rows,
            return_field: field(DataType::Int32),
            config_options: Arc::new(ConfigOptions::default()),
        }
    }

    fn text() -> impl Strategy<Value = Option<String>> {
        prop::option::of("[abä📊]{0,6}")
    }

    proptest! {
        #[test]
        fn positions_are_those_of_datafusion(pairs in prop::collection::vec((text(), text()), 1..20)) {
            let (texts, parts) = pairs.into_iter().unzip();
            let arguments = arguments(texts, parts);
            prop_assert!(is_searched("strpos", &arguments));
            let theirs = strpos().invoke_with_args(arguments.clone()).expect("computed");
            let ours = of_texts(&arguments).expect("computed");
            let rows = arguments.number_rows;
            let array = |value: ColumnarValue| value.into_array(rows).expect("an array");
            prop_assert_eq!(&array(ours), &array(theirs));
        }
    }
}
