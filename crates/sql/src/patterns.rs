//! Patterns of LIKE and of regular expressions that are not written in the statement, with a bound.
//!
//! A pattern is compiled before it is matched, at once and at a cost that grows faster than its length: one of a
//! megabyte, which `repeat('%a', 500000)` makes, would keep a thread busy long after its query has ended. A regular
//! expression that is written in the statement has a bound as well: on what its repetitions make of it.

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
use factum_base::regex_weight;

/// Most bytes of a pattern.
const LONGEST: usize = 10_000;
/// Most characters and classes of a regular expression, repetitions written out: of `\w`, some 250.
const HEAVIEST: u64 = 50_000;
/// Most bytes of a pattern of LIKE that is not written in the statement: it is compiled for each row.
const LONGEST_LIKE: usize = 1_000;
/// Functions whose second argument is a regular expression.
const BY_PATTERN: [&str; 5] =
    ["regexp_like", "regexp_match", "regexp_replace", "regexp_count", "regexp_instr"];

/// The same with a bound on its pattern, if it has one that is not known to be short.
pub(crate) fn bounded(part: Expr) -> Transformed<Expr> {
    match part {
        Expr::Like(like) if Kind::Like.is_unknown(&like.pattern) => {
            Transformed::yes(Expr::Like(in_bound(like, Kind::Like)))
        }
        Expr::SimilarTo(like) if Kind::Regular.is_unknown(&like.pattern) => {
            Transformed::yes(Expr::SimilarTo(in_bound(like, Kind::Regular)))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if Kind::of(op).is_some_and(|kind| kind.is_unknown(&right)) =>
        {
            let kind = Kind::of(op).unwrap_or(Kind::Regular);
            Transformed::yes(Expr::BinaryExpr(BinaryExpr {
                left,
                op,
                right: Box::new(limited(*right, kind)),
            }))
        }
        Expr::ScalarFunction(ScalarFunction { func, mut args })
            if BY_PATTERN.contains(&func.name())
                && args.get(1).is_some_and(|pattern| Kind::Regular.is_unknown(pattern)) =>
        {
            args[1] = limited(std::mem::take(&mut args[1]), Kind::Regular);
            Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args }))
        }
        part => Transformed::no(part),
    }
}

/// The weight of the regular expression that a call is written with: its characters, repetitions written out; 0 of a call
/// without one.
pub(crate) fn weight_of(part: &Expr) -> u64 {
    let pattern = match part {
        Expr::SimilarTo(like) => Some(&*like.pattern),
        Expr::BinaryExpr(BinaryExpr { op, right, .. }) if Kind::of(*op) == Some(Kind::Regular) => {
            Some(&**right)
        }
        Expr::ScalarFunction(call) if BY_PATTERN.contains(&call.func.name()) => call.args.get(1),
        _ => None,
    };
    match pattern {
        Some(Expr::Literal(value, _)) => text_of(value).map_or(0, regex_weight::of),
        _ => 0,
    }
}

fn in_bound(like: Like, kind: Kind) -> Like {
    Like { pattern: Box::new(limited(*like.pattern, kind)), ..like }
}

/// What a pattern is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Like,
    /// A regular expression.
    Regular,
}

impl Kind {
    fn of(operator: Operator) -> Option<Self> {
        match operator {
            Operator::RegexMatch
            | Operator::RegexIMatch
            | Operator::RegexNotMatch
            | Operator::RegexNotIMatch => Some(Self::Regular),
            Operator::LikeMatch | Operator::ILikeMatch | Operator::NotLikeMatch | Operator::NotILikeMatch => {
                Some(Self::Like)
            }
            _ => None,
        }
    }

    fn is_unknown(self, pattern: &Expr) -> bool {
        match pattern {
            Expr::Literal(value, _) => {
                text_of(value).is_none_or(|text| text.len() > LONGEST || self.is_too_heavy(text))
            }
            _ => true,
        }
    }

    fn is_too_heavy(self, pattern: &str) -> bool {
        self == Self::Regular && regex_weight::of(pattern) > HEAVIEST
    }

    /// # Errors
    /// If `pattern` is beyond a bound.
    fn check(self, pattern: &str) -> Result<()> {
        let longest = if self == Self::Like { LONGEST_LIKE } else { LONGEST };
        let message = if pattern.len() > longest {
            format!("a pattern has {} bytes: the limit is {longest}", pattern.len())
        } else if self.is_too_heavy(pattern) {
            let most = HEAVIEST;
            format!(
                "a regular expression is too large with its repetitions written out: the limit is {most} characters"
            )
        } else {
            return Ok(());
        };
        Err(DataFusionError::ResourcesExhausted(message))
    }
}

fn text_of(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().map(|text| text.unwrap_or_default())
}

fn limited(pattern: Expr, kind: Kind) -> Expr {
    let limit = Limit { kind, signature: Signature::any(1, Volatility::Immutable) };
    ScalarUDF::new_from_impl(limit).call(vec![pattern])
}

/// Gives a pattern as it is, or fails if it is too large.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Limit {
    kind: Kind,
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
        match &pattern {
            ColumnarValue::Scalar(scalar) => self.check(&scalar.to_array()?)?,
            ColumnarValue::Array(patterns) => self.check(patterns)?,
        }
        Ok(pattern)
    }
}

impl Limit {
    fn check(&self, patterns: &ArrayRef) -> Result<()> {
        let patterns = cast(patterns, &DataType::Utf8View)?;
        patterns.as_string_view().iter().flatten().try_for_each(|pattern| self.kind.check(pattern))
    }
}
