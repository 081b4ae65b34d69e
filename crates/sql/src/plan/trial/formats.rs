//! Formats that texts are read by: whether any text fits.
//!
//! What a text that does not fit is refused with differs from text to text, whether the format is to blame or the text.
//! So a text is written with the format: if none can be, or what was written lacks a part, no row can be read.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::execution::context::ExecutionProps;
use datafusion::functions::datetime::to_char;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use datafusion::physical_expr::create_physical_expr;

use crate::limited_functions;

/// Functions that read a text by the formats behind it.
const READERS: [&str; 8] = [
    "to_date",
    "to_time",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
];
/// 2020-01-31T12:34:56.789012Z.
const MICROS: i64 = 1_580_474_096_789_012;

/// Why no text can be read by the formats of `call`, each of which is tried.
pub(super) fn refused(call: &Expr) -> Option<String> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = call else { return None };
    let name = limited_functions::plain(func).name();
    let formats = args.get(1..).filter(|formats| READERS.contains(&name) && !formats.is_empty())?;
    let mut reason = None;
    for format in formats {
        let Expr::Literal(value, _) = format else { return None };
        let text = value.try_as_str()??;
        // This reads a zone in any form, and writes none.
        if text.contains("%#z") {
            return None;
        }
        reason = Some(match written(format) {
            None => format!("{name} cannot read by the format '{text}': write one such as '%Y-%m-%d'"),
            Some(written) if lacks_a_part(func, &written, format) => {
                format!("{name} cannot read by the format '{text}': a part of the date or time is missing")
            }
            Some(_) => return None,
        });
    }
    reason
}

/// A time as `format` writes it, if it can be written.
fn written(format: &Expr) -> Option<ScalarValue> {
    let time = ScalarValue::TimestampMicrosecond(Some(MICROS), Some("UTC".into()));
    computed(&to_char().call(vec![lit(time), format.clone()])).ok()
}

fn lacks_a_part(function: &ScalarUDF, text: &ScalarValue, format: &Expr) -> bool {
    let read = computed(&function.call(vec![lit(text.clone()), format.clone()]));
    // The words of chrono, by which these functions read.
    read.is_err_and(|error| error.to_string().contains("input is not enough"))
}

fn computed(call: &Expr) -> Result<ScalarValue> {
    let planning = PhysicalPlanningContext::default();
    let call = create_physical_expr(call, &DFSchema::empty(), &ExecutionProps::new(), &planning)?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
    ScalarValue::try_from_array(&call.evaluate(&row)?.into_array(1)?, 0)
}
