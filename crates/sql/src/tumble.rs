//! Tumbling windows: time cut into pieces of one size, counted from 1970-01-01T00:00:00Z.
//!
//! Always holds: a window holds its start and not its end.

use std::ops::Range;

use arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

use crate::definitions::RelationName;

/// The first moment of a window.
pub(crate) const WINDOW_START: &str = "window_start";
/// The first moment after a window.
pub(crate) const WINDOW_END: &str = "window_end";

/// A TUMBLE in FROM.
#[derive(Debug, Clone)]
pub(crate) struct Tumble {
    /// What is cut, if it is a relation and no WITH query.
    pub(crate) relation: Option<RelationName>,
    /// By which column.
    pub(crate) column: String,
    pub(crate) size: Size,
    /// Where the column stands in the file.
    pub(crate) place: Range<usize>,
}

/// The length of a window: months alone, or days and shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(IntervalMonthDayNano);

impl Size {
    /// The size that a constant stands for, if it is an interval that time can be cut by.
    pub(crate) fn of(constant: &Expr) -> Option<Self> {
        let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) = constant else { return None };
        let is_calendar = interval.months > 0 && interval.days == 0 && interval.nanoseconds == 0;
        let is_span = interval.months == 0 && interval.days >= 0 && interval.nanoseconds >= 0;
        let is_some = interval.days > 0 || interval.nanoseconds >= 1_000;
        let is_whole = interval.nanoseconds % 1_000 == 0;
        (is_calendar || (is_span && is_some && is_whole)).then_some(Self(*interval))
    }

    /// The size as a constant.
    pub(crate) fn literal(self) -> Expr {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(self.0)), None)
    }
}

/// The query that a TUMBLE stands for.
pub(crate) fn query(relation: &str, time: &str, size: &str) -> String {
    format!(
        "SELECT *, date_bin({size}, {time}) AS {WINDOW_START}, date_bin({size}, {time}) + {size} AS {WINDOW_END} \
         FROM {relation}"
    )
}
