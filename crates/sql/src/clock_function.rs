//! `now()` and `current_date`, whose value is the moment at which a view is read.
//!
//! Invariants: nothing folds them while a view is planned; [`set_clock`] puts the moment in their place before
//! the plan is optimised for one reading.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use factum_types::Timestamp;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// A function of the clock.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ClockFunction {
    reading: Reading,
    signature: Signature,
    aliases: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reading {
    Instant,
    Day,
}

/// `now()`, also `current_timestamp`.
pub(crate) fn now() -> ScalarUDF {
    of_clock(Reading::Instant, "current_timestamp")
}

/// `current_date`, also `today()`.
pub(crate) fn current_date() -> ScalarUDF {
    of_clock(Reading::Day, "today")
}

fn of_clock(reading: Reading, alias: &str) -> ScalarUDF {
    // Volatile, or the optimiser would fold it where it stands.
    let signature = Signature::nullary(Volatility::Volatile);
    ScalarUDF::new_from_impl(ClockFunction { reading, signature, aliases: vec![alias.to_owned()] })
}

impl ScalarUDFImpl for ClockFunction {
    fn name(&self) -> &str {
        match self.reading {
            Reading::Instant => "now",
            Reading::Day => "current_date",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.reading {
            Reading::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Reading::Day => DataType::Date32,
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!("{}() was not given the time of reading", self.name())
    }
}

fn reading(expr: &Expr) -> Option<Reading> {
    let Expr::ScalarFunction(call) = expr else { return None };
    call.func.inner().downcast_ref::<ClockFunction>().map(|function| function.reading)
}

/// Whether this very expression reads the clock as a day.
pub(crate) fn is_current_date(expr: &Expr) -> bool {
    reading(expr) == Some(Reading::Day)
}

/// Whether this very expression reads the clock as an instant.
pub(crate) fn is_now(expr: &Expr) -> bool {
    reading(expr) == Some(Reading::Instant)
}

/// Whether the clock is read somewhere in `expr`.
pub(crate) fn reads_clock(expr: &Expr) -> bool {
    expr.exists(|part| Ok(reading(part).is_some())).expect("looking never fails")
}

/// Whether the clock is read somewhere in `plan`, subqueries included.
pub(crate) fn plan_reads_clock(plan: &LogicalPlan) -> bool {
    let mut found = false;
    let looked = plan.apply_with_subqueries(|node| {
        found |= node.expressions().iter().any(reads_clock);
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    });
    looked.expect("looking never fails");
    found
}

/// `expr` at the moment `now`.
pub(crate) fn set_clock_in(expr: Expr, now: Timestamp) -> Result<Transformed<Expr>> {
    expr.transform_up(|part| {
        Ok(match reading(&part) {
            Some(reading) => Transformed::yes(Expr::Literal(value(reading, now), None)),
            None => Transformed::no(part),
        })
    })
}

/// `plan` at the moment `now`; its columns keep their names.
pub(crate) fn set_clock(plan: LogicalPlan, now: Timestamp) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(set_clock_in(expr, now)?.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(plan.data)
}

fn value(reading: Reading, now: Timestamp) -> ScalarValue {
    match reading {
        Reading::Instant => ScalarValue::TimestampMicrosecond(
            Some(now.as_millis().saturating_mul(1_000)),
            Some(Arc::from("UTC")),
        ),
        Reading::Day => {
            let days = now.as_millis().div_euclid(MILLIS_PER_DAY);
            ScalarValue::Date32(Some(i32::try_from(days).unwrap_or(if days < 0 {
                i32::MIN
            } else {
                i32::MAX
            })))
        }
    }
}
