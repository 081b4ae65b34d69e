//! Tumbling windows: time cut into pieces of one size, counted from 1970-01-01T00:00:00Z.
//!
//! Invariants: a window holds its start and not its end.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, IntervalMonthDayNano, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::definitions::RelationName;

/// The first moment of a window.
pub(crate) const WINDOW_START: &str = "window_start";
/// The first moment after a window.
pub(crate) const WINDOW_END: &str = "window_end";

const MICROS_PER_DAY: i64 = 86_400_000_000;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Size(IntervalMonthDayNano);

impl Size {
    /// The size that a constant stands for, if it is an interval that time can be cut by.
    pub(crate) fn of(constant: &Expr) -> Option<Self> {
        let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) = constant else {
            return None;
        };
        let is_calendar = interval.months > 0 && interval.days == 0 && interval.nanoseconds == 0;
        let is_span = interval.months == 0 && interval.days >= 0 && interval.nanoseconds >= 0;
        let is_some = interval.days > 0 || interval.nanoseconds >= 1_000;
        let is_whole = interval.nanoseconds % 1_000 == 0;
        (is_calendar || (is_span && is_some && is_whole)).then_some(Self(*interval))
    }

    /// The size in microseconds; months have none.
    pub(crate) fn micros(self) -> Option<i64> {
        let days = i64::from(self.0.days).checked_mul(MICROS_PER_DAY)?;
        if self.0.months == 0 { days.checked_add(self.0.nanoseconds / 1_000) } else { None }
    }

    /// The size as a constant.
    pub(crate) fn literal(self) -> Expr {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(self.0)), None)
    }
}

/// The query that a TUMBLE stands for.
pub(crate) fn query(relation: &str, time: &str, size: &str) -> String {
    let (start, end) = (Edge::Start.function(), Edge::End.function());
    format!(
        "SELECT *, {start}({time}, {size}) AS {WINDOW_START}, {end}({time}, {size}) AS {WINDOW_END} FROM {relation}"
    )
}

/// Which end of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Edge {
    Start,
    End,
}

impl Edge {
    fn function(self) -> &'static str {
        match self {
            Self::Start => "tumble_start",
            Self::End => "tumble_end",
        }
    }
}

/// `tumble_start(time, size)` and `tumble_end(time, size)`: like `date_bin`, but that they stay with microseconds,
/// and so in the calendar that events have.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WindowEdge {
    edge: Edge,
    signature: Signature,
}

/// Both functions.
pub(crate) fn functions() -> [ScalarUDF; 2] {
    [Edge::Start, Edge::End].map(|edge| {
        ScalarUDF::new_from_impl(WindowEdge { edge, signature: Signature::any(2, Volatility::Immutable) })
    })
}

impl ScalarUDFImpl for WindowEdge {
    fn name(&self) -> &str {
        self.edge.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [DataType::Timestamp(_, zone), DataType::Interval(_)] => {
                Ok(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
            }
            _ => plan_err!("{} takes a time and an interval", self.name()),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [times, ColumnarValue::Scalar(size)] = &arguments.args[..] else {
            return exec_err!("the size of a window is a constant");
        };
        let Some(size) = Size::of(&Expr::Literal(size.clone(), None)) else {
            return exec_err!("the size of a window is an interval above zero");
        };
        let kind = arguments.return_field.data_type();
        let times = cast(&times.to_array(arguments.number_rows)?, kind)?;
        let edge = |time| size.edge(self.edge, time).ok_or_else(|| out_of_calendar(time));
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let edges: PrimitiveArray<TimestampMicrosecondType> = times.try_unary(edge)?;
        Ok(ColumnarValue::Array(Arc::new(edges.with_data_type(kind.clone()))))
    }
}

fn out_of_calendar(time: i64) -> ArrowError {
    ArrowError::ComputeError(format!("the window of {time} µs is outside the calendar"))
}

impl Size {
    fn edge(self, edge: Edge, time: i64) -> Option<i64> {
        match self.micros() {
            Some(size) => {
                let start = time.checked_sub(time.rem_euclid(size))?;
                if edge == Edge::Start { Some(start) } else { start.checked_add(size) }
            }
            None => self.month_edge(edge, time),
        }
    }

    fn month_edge(self, edge: Edge, time: i64) -> Option<i64> {
        let date = jiff::Timestamp::from_microsecond(time).ok()?.to_zoned(TimeZone::UTC).date();
        let month = (i32::from(date.year()) - 1970) * 12 + i32::from(date.month()) - 1;
        let start = month - month.rem_euclid(self.0.months);
        let month = if edge == Edge::Start { start } else { start.checked_add(self.0.months)? };
        let year = i16::try_from(1970 + month.div_euclid(12)).ok()?;
        let first = Date::new(year, i8::try_from(month.rem_euclid(12) + 1).ok()?, 1).ok()?;
        Some(first.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(size: IntervalMonthDayNano, time: &str) -> (String, String) {
        let size =
            Size::of(&Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(size)), None)).expect("a size");
        let time = time.parse::<jiff::Timestamp>().expect("a time").as_microsecond();
        let edge = |edge| {
            let edge = size.edge(edge, time).expect("within the calendar");
            jiff::Timestamp::from_microsecond(edge).expect("within the calendar").to_string()
        };
        (edge(Edge::Start), edge(Edge::End))
    }

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let quarter = IntervalMonthDayNano::new(3, 0, 0);
        let hours = IntervalMonthDayNano::new(0, 0, 6 * 3_600_000_000_000);
        for (size, time, start, end) in [
            (quarter, "2024-05-05T12:00:00Z", "2024-04-01T00:00:00Z", "2024-07-01T00:00:00Z"),
            (quarter, "2024-04-01T00:00:00Z", "2024-04-01T00:00:00Z", "2024-07-01T00:00:00Z"),
            (quarter, "1969-12-31T23:59:59.999999Z", "1969-10-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            (hours, "2500-01-01T05:59:59.999999Z", "2500-01-01T00:00:00Z", "2500-01-01T06:00:00Z"),
            (hours, "1969-12-31T18:00:00Z", "1969-12-31T18:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(window(size, time), (start.to_owned(), end.to_owned()), "{time}");
        }
    }

    #[test]
    fn sizes_are_above_zero_and_of_one_kind() {
        let of = |interval| Size::of(&Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), None));
        for bad in
            [(0, 0, 0), (1, 1, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 1), (0, 0, 999), (0, 0, 1_001), (0, 1, -1)]
        {
            assert_eq!(of(IntervalMonthDayNano::new(bad.0, bad.1, bad.2)), None, "{bad:?}");
        }
    }
}
