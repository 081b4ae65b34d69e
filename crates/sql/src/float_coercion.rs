//! Doubles beside decimals are doubles.
//!
//! A literal with a point is a decimal, so that money stays exact. Beside a double DataFusion would make both
//! decimal(30, 15), which has no place for small or large doubles, and makes a text of `coalesce(avg(n), 0.0)`. An
//! analyzer rule, before types are settled, turns the decimal into a double, as PostgreSQL does.
//!
//! Invariants: an expression keeps its name; what holds no double stays exact.

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{Between, Case, InList};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, cast};
use datafusion::optimizer::AnalyzerRule;

use crate::rewrite;

/// Functions that keep each argument as it is: they make a value of many parts.
const OF_PARTS: [&str; 4] = ["struct", "named_struct", "row", "map"];

/// The rule; it comes before types are settled.
#[derive(Debug)]
pub(crate) struct DoublesBesideDecimals;

impl AnalyzerRule for DoublesBesideDecimals {
    fn name(&self) -> &'static str {
        "doubles_beside_decimals"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite::expressions(plan, |part, schema| Ok(of_part(part, schema)))
    }
}

fn of_part(mut part: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let is_changed = match &mut part {
        Expr::BinaryExpr(BinaryExpr { left, op: _, right }) => {
            alike(&mut [left.as_mut(), right.as_mut()], schema)
        }
        Expr::Between(Between { expr, low, high, .. }) => {
            alike(&mut [expr.as_mut(), low.as_mut(), high.as_mut()], schema)
        }
        Expr::InList(InList { expr, list, .. }) => {
            let mut parts: Vec<&mut Expr> = list.iter_mut().collect();
            parts.push(expr.as_mut());
            alike(&mut parts, schema)
        }
        Expr::Case(Case { expr, when_then_expr, else_expr }) => {
            let (mut keys, mut values) = (Vec::new(), Vec::new());
            for (when, then) in when_then_expr {
                keys.push(when.as_mut());
                values.push(then.as_mut());
            }
            values.extend(else_expr.as_deref_mut());
            let of_keys = match expr {
                Some(expr) => {
                    keys.push(expr.as_mut());
                    alike(&mut keys, schema)
                }
                None => false,
            };
            alike(&mut values, schema) || of_keys
        }
        Expr::ScalarFunction(call) if !OF_PARTS.contains(&call.func.name()) => {
            alike(&mut call.args.iter_mut().collect::<Vec<_>>(), schema)
        }
        _ => false,
    };
    if is_changed { Transformed::yes(part) } else { Transformed::no(part) }
}

/// Makes doubles of decimals if one of the others is a double; whether there was any.
fn alike(parts: &mut [&mut Expr], schema: &DFSchema) -> bool {
    let types: Vec<_> = parts.iter().map(|part| part.get_type(schema).ok()).collect();
    let is_float = |kind: &Option<DataType>| kind.as_ref().is_some_and(DataType::is_floating);
    if !types.iter().any(is_float) {
        return false;
    }
    let mut is_changed = false;
    for (part, kind) in parts.iter_mut().zip(types) {
        if kind.is_some_and(|kind| is_decimal(&kind)) {
            let decimal = std::mem::take(&mut **part);
            **part = double(decimal);
            is_changed = true;
        }
    }
    is_changed
}

fn is_decimal(kind: &DataType) -> bool {
    use DataType::{Decimal32, Decimal64, Decimal128, Decimal256};
    matches!(kind, Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..))
}

/// The double nearest to a decimal.
fn double(decimal: Expr) -> Expr {
    if let Expr::Literal(ScalarValue::Decimal128(Some(digits), _, scale), _) = &decimal
        // Read once, for a division of a large number by a power of ten rounds twice.
        && let Ok(value) = format!("{digits}e{}", -i16::from(*scale)).parse::<f64>()
    {
        return Expr::Literal(ScalarValue::Float64(Some(value)), None);
    }
    cast(decimal, DataType::Float64)
}
