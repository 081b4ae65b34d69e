//! Patterns of LIKE and of regular expressions that are not written in the statement, with a bound.
//!
//! A pattern is compiled before it is matched, at once and at a cost that grows faster than its length: one of a
//! megabyte, which `repeat('%a', 500000)` makes, would keep a thread busy long after its query has ended.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::{Like, ScalarFunction};
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

/// Most bytes of a pattern.
const LONGEST: usize = 10_000;
/// Functions whose second argument is a regular expression.
const BY_PATTERN: [&str; 5] =
    ["regexp_like", "regexp_match", "regexp_replace", "regexp_count", "regexp_instr"];

/// The same with a bound on its pattern, if it has one that is not known to be short.
pub(crate) fn bounded(part: Expr) -> Transformed<Expr> {
    match part {
        Expr::Like(like) if is_unknown(&like.pattern) => Transformed::yes(Expr::Like(in_bound(like))),
        Expr::SimilarTo(like) if is_unknown(&like.pattern) => {
            Transformed::yes(Expr::SimilarTo(in_bound(like)))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if matches_by(op) && is_unknown(&right) => {
            Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right: Box::new(limited(*right)) }))
        }
        Expr::ScalarFunction(ScalarFunction { func, mut args })
            if BY_PATTERN.contains(&func.name()) && args.get(1).is_some_and(is_unknown) =>
        {
            args[1] = limited(std::mem::take(&mut args[1]));
            Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args }))
        }
        part => Transformed::no(part),
    }
}

fn in_bound(like: Like) -> Like {
    Like { pattern: Box::new(limited(*like.pattern)), ..like }
}

fn matches_by(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::RegexMatch
            | Operator::RegexIMatch
            | Operator::RegexNotMatch
            | Operator::RegexNotIMatch
            | Operator::LikeMatch
            | Operator::ILikeMatch
            | Operator::NotLikeMatch
            | Operator::NotILikeMatch
    )
}

fn is_unknown(pattern: &Expr) -> bool {
    match pattern {
        Expr::Literal(value, _) => text_of(value).is_none_or(|text| text.len() > LONGEST),
        _ => true,
    }
}

fn text_of(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().map(|text| text.unwrap_or_default())
}

fn limited(pattern: Expr) -> Expr {
    let limit = Limit { signature: Signature::any(1, Volatility::Immutable) };
    ScalarUDF::new_from_impl(limit).call(vec![pattern])
}

/// Gives a pattern as it is, or fails if it is too long.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Limit {
    signature: Signature,
}

impl ScalarUDFImpl for Limit {
    fn name(&self) -> &'static str {
        "pattern"
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        Ok(arguments[0].schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments[0].clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let given = &args.arg_fields[0];
        Ok(Arc::new(Field::new(self.name(), given.data_type().clone(), given.is_nullable())))
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let pattern = args.args.swap_remove(0);
        let longest = match &pattern {
            ColumnarValue::Scalar(scalar) => longest(&scalar.to_array()?)?,
            ColumnarValue::Array(patterns) => longest(patterns)?,
        };
        if longest > LONGEST {
            let message = format!("a pattern has {longest} bytes: the limit is {LONGEST}");
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        Ok(pattern)
    }
}

fn longest(patterns: &ArrayRef) -> Result<usize> {
    let patterns = cast(patterns, &DataType::Utf8View)?;
    Ok(patterns.as_string_view().iter().flatten().map(str::len).max().unwrap_or(0))
}
