//! Patterns of LIKE and of regular expressions that are not written in the statement, with a bound.
//!
//! A pattern is compiled before it is matched, at once and at a cost that grows faster than its length: one of a
//! megabyte, which `repeat('%a', 500000)` makes, would keep a thread busy long after its query has ended. So would a short
//! regular expression that stands for a long one, `(\w{100}|x){81}`: repeats that are counted are written out when it is
//! compiled. They are counted before, wherever the pattern comes from.

use std::sync::Arc;

use arrow::array::AsArray;
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
/// Most parts that counted repeats of a regular expression add to it.
const MOST_REPEATS: u64 = 1_000;
/// Functions whose second argument is a regular expression.
const BY_PATTERN: [&str; 5] =
    ["regexp_like", "regexp_match", "regexp_replace", "regexp_count", "regexp_instr"];

/// The same with a bound on its pattern, if it has one that is not known to be short.
pub(crate) fn bounded(part: Expr) -> Transformed<Expr> {
    match part {
        Expr::Like(like) if is_unknown(&like.pattern) => Transformed::yes(Expr::Like(in_bound(like))),
        Expr::SimilarTo(like) if is_unknown_regex(&like.pattern) => {
            let pattern = Box::new(limited(*like.pattern, PatternKind::Regex));
            Transformed::yes(Expr::SimilarTo(Like { pattern, ..like }))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if (is_like(op) && is_unknown(&right)) || (is_regex(op) && is_unknown_regex(&right)) =>
        {
            let kind = if is_regex(op) { PatternKind::Regex } else { PatternKind::Like };
            let right = Box::new(limited(*right, kind));
            Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
        }
        Expr::ScalarFunction(ScalarFunction { func, mut args })
            if BY_PATTERN.contains(&func.name()) && args.get(1).is_some_and(is_unknown_regex) =>
        {
            args[1] = limited(std::mem::take(&mut args[1]), PatternKind::Regex);
            Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args }))
        }
        part => Transformed::no(part),
    }
}

fn in_bound(like: Like) -> Like {
    Like { pattern: Box::new(limited(*like.pattern, PatternKind::Like)), ..like }
}

fn is_regex(operator: Operator) -> bool {
    use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    matches!(operator, RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch)
}

fn is_like(operator: Operator) -> bool {
    use Operator::{ILikeMatch, LikeMatch, NotILikeMatch, NotLikeMatch};
    matches!(operator, LikeMatch | ILikeMatch | NotLikeMatch | NotILikeMatch)
}

fn is_unknown_regex(pattern: &Expr) -> bool {
    let repeats = |value: &ScalarValue| text_of(value).map_or(0, repeats);
    is_unknown(pattern) || matches!(pattern, Expr::Literal(value, _) if repeats(value) > MOST_REPEATS)
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

fn limited(pattern: Expr, kind: PatternKind) -> Expr {
    let limit = Limit { kind, signature: Signature::any(1, Volatility::Immutable) };
    ScalarUDF::new_from_impl(limit).call(vec![pattern])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum PatternKind {
    Like,
    Regex,
}

/// Gives a pattern as it is, or fails if it is too long.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Limit {
    kind: PatternKind,
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
        let patterns = match &pattern {
            ColumnarValue::Scalar(scalar) => scalar.to_array()?,
            ColumnarValue::Array(patterns) => Arc::clone(patterns),
        };
        let patterns = cast(&patterns, &DataType::Utf8View)?;
        let patterns = || patterns.as_string_view().iter().flatten();
        let longest = patterns().map(str::len).max().unwrap_or(0);
        if longest > LONGEST {
            let message = format!("a pattern has {longest} bytes: the limit is {LONGEST}");
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        if self.kind == PatternKind::Regex && patterns().any(|pattern| repeats(pattern) > MOST_REPEATS) {
            let message = format!("a pattern stands for more than {MOST_REPEATS} repeats of its parts");
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        Ok(pattern)
    }
}

/// How many parts counted repeats add to a regular expression when they are written out: `(a{10}b){20}` has 9 more than
/// `(ab)`, and these 11 nineteen times more. A pattern that cannot be read is counted as far as it can.
fn repeats(pattern: &str) -> u64 {
    // Of each open group the parts in it, and of the whole what was added.
    let (mut groups, mut added, mut atom) = (vec![0_u64], 0_u64, 0_u64);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '(' => {
                groups.push(0);
                continue;
            }
            ')' => {
                atom = if groups.len() > 1 { groups.pop().unwrap_or(0) } else { 0 };
            }
            '{' => {
                let counts: String = chars.by_ref().take_while(|c| *c != '}').collect();
                let counts = counts.split(',').filter_map(|count| count.trim().parse::<u64>().ok());
                let more = counts.max().unwrap_or(1).saturating_sub(1).saturating_mul(atom);
                added = added.saturating_add(more);
                add(&mut groups, more);
                continue;
            }
            '*' | '+' | '?' | '|' | '^' | '$' => continue,
            '[' => {
                // A bracket that stands first is one of the class.
                let (mut is_first, mut is_escaped) = (true, false);
                let mut ends = |c: char| {
                    let is_end = c == ']' && !is_escaped && !is_first;
                    is_escaped = c == '\\' && !is_escaped;
                    is_first = is_first && c == '^';
                    is_end
                };
                chars.by_ref().find(|c| ends(*c));
                atom = 1;
            }
            '\\' => {
                // `\pL`, or `\p{Greek}`.
                if matches!(chars.next(), Some('p' | 'P')) && chars.next() == Some('{') {
                    chars.by_ref().find(|c| *c == '}');
                }
                atom = 1;
            }
            _ => atom = 1,
        }
        add(&mut groups, atom);
    }
    added
}

fn add(groups: &mut [u64], parts: u64) {
    if let Some(group) = groups.last_mut() {
        *group = group.saturating_add(parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_repeats_are_written_out() {
        for (pattern, count) in [
            ("", 0),
            ("abc+(d|e)*", 0),
            ("a{3}", 2),
            ("a{3,}b{2,5}", 6),
            ("(a{10}b){20}", 9 + 19 * 11),
            (r"(\w{100}|x){81}", 99 + 80 * 101),
            (r"(\pL{3}){70}", 2 + 69 * 3),
            (r"\p{Greek}{4}", 3),
            (r"[0-9a-f]{8}-[0-9a-f]{4}", 10),
            (r"[]{9}]{2}[\]{9}]{2}", 2),
            (r"\({9}\{9", 8),
            ("(a{1000}){1000}", 999 + 999 * 1_000),
            ("((((((a{99}){99}){99}){99}){99}){99}", 99_u64.pow(6) - 1),
            ("a{x}{", 0),
            (")){3}(", 0),
        ] {
            assert_eq!(repeats(pattern), count, "{pattern}");
        }
    }
}
