//! Errors of functions that say neither which function it was nor what it was given.

use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use crate::statement::shortened;
use crate::wording::in_sql;

/// Most characters of a format that is shown.
const LONGEST_FORMAT: usize = 100;

/// What an error of a call says of it.
pub(super) struct Call {
    fields: Vec<FieldRef>,
    /// The format of `to_char`, if it is a constant.
    format: Option<String>,
}

impl Call {
    pub(super) fn new(function: &str, arguments: &ScalarFunctionArgs) -> Self {
        let format = match arguments.args.get(1) {
            Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(format)))) if function == "to_char" => {
                Some(shortened(format, LONGEST_FORMAT))
            }
            _ => None,
        };
        Self { fields: arguments.arg_fields.clone(), format }
    }

    /// `error` of `function`, in words that a user of SQL can act on.
    pub(super) fn explained(self, function: &str, error: DataFusionError) -> DataFusionError {
        match error.find_root() {
            // They take what they are given for numbers, or texts, and call it their own mistake if it is none.
            DataFusionError::Internal(_) => {
                let kinds: Vec<_> = self.fields.iter().map(|field| kind(field.data_type())).collect();
                exec_datafusion_err!("{function}({}) cannot be computed", kinds.join(", "))
            }
            DataFusionError::ArrowError(error, _) if function == "to_char" && is_of_format(error) => {
                let format = self
                    .format
                    .map_or_else(|| "its format".to_owned(), |format| format!("the format '{format}'"));
                exec_datafusion_err!("to_char cannot write this with {format}: write one such as '%Y-%m-%d'")
            }
            _ => error,
        }
    }
}

/// A type with what its lists are of.
fn kind(of: &DataType) -> String {
    match of {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("list of {}", kind(item.data_type()))
        }
        other => in_sql(&other.to_string()),
    }
}

/// Whether a value could not be written, rather than computed with.
fn is_of_format(error: &ArrowError) -> bool {
    matches!(error, ArrowError::CastError(text) if text == "Format error")
}
