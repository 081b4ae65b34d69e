//! Arithmetic that overflows into an error.
//!
//! DataFusion's `+`, `-` and `*` of integers wrap, while planning as well as when run, and decimals may come out
//! with more digits than they have. An analyzer rule puts functions in their place that compute the same or fail.
//! Quotients of decimals, which DataFusion cuts, are rounded there.
//!
//! Texts are joined by a function, so that it has a limit (`limited_functions`): joined to itself some thirty times, a
//! letter fills any memory.
//!
//! Invariants: an expression keeps its type and its name.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Datum, PrimitiveArray};
use arrow::compute::kernels::concat_elements::concat_elements_dyn;
use arrow::compute::kernels::numeric::{add, div, mul, neg, sub};
use arrow::datatypes::{DataType, Decimal128Type, FieldRef};
use arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, internal_err};
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;

use crate::{limited_functions, patterns, rewrite};

/// The rule; it comes after types are settled.
#[derive(Debug)]
pub(crate) struct CheckedArithmetic;

impl AnalyzerRule for CheckedArithmetic {
    fn name(&self) -> &'static str {
        "checked_arithmetic"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite::expressions(plan, |part, schema| {
            patterns::bounded(part).transform_data(|part| checked(part, schema))
        })
    }
}

/// The function that computes what `part` does, if `part` is arithmetic that may wrap.
fn checked(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let may_wrap = |part: &Expr| Ok::<_, DataFusionError>(may_wrap(&part.get_type(schema)?));
    let (operation, arguments) = match part {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let is_arithmetic = match op {
                Operator::Plus | Operator::Minus | Operator::Multiply => {
                    may_wrap(&left)? && may_wrap(&right)?
                }
                Operator::Divide => is_decimal(&left.get_type(schema)?) && may_wrap(&right)?,
                Operator::StringConcat => {
                    is_text(&left.get_type(schema)?) && is_text(&right.get_type(schema)?)
                }
                _ => false,
            };
            if !is_arithmetic {
                return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })));
            }
            (Operation::Binary(op), vec![*left, *right])
        }
        Expr::Negative(argument) if may_wrap(&argument)? => (Operation::Negate, vec![*argument]),
        part => return Ok(Transformed::no(part)),
    };
    Ok(Transformed::yes(ScalarUDF::new_from_impl(CheckedOperation::new(operation)).call(arguments)))
}

/// `expr` with the operators that it was written with; to be shown, not to be computed.
pub(crate) fn as_written(expr: Expr) -> Result<Expr> {
    let written = expr.transform_up(|part| {
        let Expr::ScalarFunction(call) = &part else { return Ok(Transformed::no(part)) };
        match limited_functions::plain(&call.func).inner().downcast_ref::<CheckedOperation>() {
            Some(checked) => Ok(Transformed::yes(checked.plain(&call.args)?)),
            None => Ok(Transformed::no(part)),
        }
    });
    Ok(written?.data)
}

/// The operator that a function stands for, if it is one of these.
pub(crate) fn operator_of(function: &ScalarUDF) -> Option<String> {
    Some(match function.inner().downcast_ref::<CheckedOperation>()?.operation {
        Operation::Binary(operator) => operator.to_string(),
        Operation::Negate => "-".to_owned(),
    })
}

fn may_wrap(kind: &DataType) -> bool {
    kind.is_integer() || is_decimal(kind)
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_decimal(kind: &DataType) -> bool {
    matches!(kind, DataType::Decimal128(..))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Binary(Operator),
    Negate,
}

/// One operation, checked.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedOperation {
    operation: Operation,
    signature: Signature,
}

impl CheckedOperation {
    fn new(operation: Operation) -> Self {
        let arguments = match operation {
            Operation::Binary(_) => 2,
            Operation::Negate => 1,
        };
        Self { operation, signature: Signature::any(arguments, Volatility::Immutable) }
    }

    /// The expression that this stands for.
    fn plain(&self, arguments: &[Expr]) -> Result<Expr> {
        match (self.operation, arguments) {
            (Operation::Binary(operator), [left, right]) => Ok(Expr::BinaryExpr(BinaryExpr::new(
                Box::new(left.clone()),
                operator,
                Box::new(right.clone()),
            ))),
            (Operation::Negate, [argument]) => Ok(Expr::Negative(Box::new(argument.clone()))),
            _ => internal_err!("{} has {} arguments", self.name(), arguments.len()),
        }
    }
}

impl ScalarUDFImpl for CheckedOperation {
    fn name(&self) -> &str {
        match self.operation {
            Operation::Binary(Operator::Plus) => "checked_add",
            Operation::Binary(Operator::Minus) => "checked_subtract",
            Operation::Binary(Operator::Multiply) => "checked_multiply",
            Operation::Binary(Operator::StringConcat) => "checked_concat",
            Operation::Binary(_) => "checked_divide",
            Operation::Negate => "checked_negate",
        }
    }

    /// That of the expression which this stands for, as DataFusion writes it. It is asked for again and again while a
    /// plan is made, so nothing is copied for it.
    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        match (self.operation, arguments) {
            (Operation::Binary(operator), [left, right]) => {
                Ok(format!("{} {operator} {}", left.schema_name(), right.schema_name()))
            }
            (Operation::Negate, [argument]) => Ok(format!("(- {})", argument.schema_name())),
            _ => internal_err!("{} has {} arguments", self.name(), arguments.len()),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match (self.operation, arguments) {
            (Operation::Binary(operator), [left, right]) => {
                BinaryTypeCoercer::new(left, &operator, right).get_result_type()
            }
            (Operation::Negate, [argument]) => Ok(argument.clone()),
            _ => internal_err!("{} has {} arguments", self.name(), arguments.len()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<_> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let is_nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        let field = arrow::datatypes::Field::new(self.name(), self.return_type(&types)?, is_nullable);
        Ok(Arc::new(field))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match (self.operation, &args.args[..]) {
            (Operation::Binary(Operator::StringConcat), texts) => concat_texts(texts, args.number_rows),
            (Operation::Binary(operator), [left, right]) => {
                let compute = kernel(operator)?;
                apply(left, right, |left, right| within_digits(compute(left, right)?))
            }
            (Operation::Negate, [ColumnarValue::Array(array)]) => Ok(ColumnarValue::Array(neg(array)?)),
            (Operation::Negate, [ColumnarValue::Scalar(scalar)]) => {
                Ok(ColumnarValue::Scalar(scalar.arithmetic_negate()?))
            }
            _ => internal_err!("{} has {} arguments", self.name(), args.args.len()),
        }
    }
}

/// Two texts in one; NULL if either is.
fn concat_texts(texts: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
    let [left, right] = texts else { return internal_err!("|| has {} arguments", texts.len()) };
    if let (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) = (left, right) {
        let joined = concat_elements_dyn(&left.to_array()?, &right.to_array()?)?;
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&joined, 0)?));
    }
    Ok(ColumnarValue::Array(concat_elements_dyn(&left.to_array(rows)?, &right.to_array(rows)?)?))
}

type Kernel = fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError>;

fn kernel(operator: Operator) -> Result<Kernel> {
    Ok(match operator {
        Operator::Plus => add,
        Operator::Minus => sub,
        Operator::Multiply => mul,
        Operator::Divide => div_rounded,
        _ => return internal_err!("{operator} is not checked"),
    })
}

/// A quotient whose last digit is rounded, halves away from zero, as PostgreSQL's numeric does; Arrow's own is cut.
/// Its scale is Arrow's: four digits more than the dividend has.
fn div_rounded(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    let cut = div(left, right)?;
    let ((left, left_is_one), (right, right_is_one)) = (left.get(), right.get());
    let (
        DataType::Decimal128(_, scale),
        DataType::Decimal128(_, left_scale),
        DataType::Decimal128(_, right_scale),
    ) = (cut.data_type(), left.data_type(), right.data_type())
    else {
        return Ok(cut);
    };
    let power = i32::from(*scale) - i32::from(*left_scale) + i32::from(*right_scale);
    let factor = |wanted: bool| if wanted { 10_i128.pow(power.unsigned_abs()) } else { 1 };
    let (of_left, of_right) = (factor(power > 0), factor(power < 0));
    let (left, right) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
    let quotients = cut.as_primitive::<Decimal128Type>();
    let rounded = quotients.iter().enumerate().map(|(row, quotient)| {
        let quotient = quotient?;
        let dividend = left.value(if left_is_one { 0 } else { row }) * of_left;
        let divisor = right.value(if right_is_one { 0 } else { row }) * of_right;
        let rest = (dividend - quotient * divisor).unsigned_abs();
        let is_half = rest >= divisor.unsigned_abs() - rest;
        Some(quotient + if is_half { dividend.signum() * divisor.signum() } else { 0 })
    });
    // What would overflow here has overflowed above.
    let rounded: PrimitiveArray<Decimal128Type> = rounded.collect();
    Ok(Arc::new(rounded.with_data_type(cut.data_type().clone())))
}

/// The kernels check decimals against 128 bits only, which hold some numbers of 39 digits.
fn within_digits(result: ArrayRef) -> Result<ArrayRef, ArrowError> {
    if let DataType::Decimal128(digits, _) = result.data_type() {
        result.as_primitive::<Decimal128Type>().validate_decimal_precision(*digits)?;
    }
    Ok(result)
}
