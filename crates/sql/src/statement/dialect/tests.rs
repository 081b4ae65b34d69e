//! Random expressions, printed with the fewest parentheses that PostgreSQL needs and with all of them.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Value, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use expect_test::expect;
use proptest::prelude::*;

use super::FactumDialect;

/// An expression, and how tightly its outermost operator binds.
#[derive(Debug, Clone)]
struct PrintedExpression {
    /// With the fewest parentheses.
    sparse: String,
    /// With all of them.
    full: String,
    binds: u8,
}

const ATOM: u8 = 255;

impl PrintedExpression {
    fn atom(text: &str) -> Self {
        Self { sparse: text.to_owned(), full: text.to_owned(), binds: ATOM }
    }

    /// As an operand of something that binds so tightly.
    fn operand(&self, at_least: u8) -> String {
        if self.binds < at_least { format!("({})", self.sparse) } else { self.sparse.clone() }
    }

    /// `left op right`; operators of one class follow each other from the left unless they do not chain.
    fn binary(left: &Self, op: &str, right: &Self, binds: u8, chains: bool) -> Self {
        let of_left = left.operand(if chains { binds } else { binds + 1 });
        Self {
            sparse: format!("{of_left} {op} {}", right.operand(binds + 1)),
            full: format!("({} {op} {})", left.full, right.full),
            binds,
        }
    }

    fn prefix(op: &str, operand: &Self, binds: u8) -> Self {
        let full = format!("({op} {})", operand.full);
        Self { sparse: format!("{op} {}", operand.operand(binds)), full, binds }
    }

    fn suffix(operand: &Self, op: &str, binds: u8) -> Self {
        let full = format!("({} {op})", operand.full);
        Self { sparse: format!("{} {op}", operand.operand(binds + 1)), full, binds }
    }

    fn between(operand: &Self, op: &str, low: &Self, high: &Self) -> Self {
        Self {
            sparse: format!("{} {op} {} AND {}", operand.operand(61), low.operand(61), high.operand(61)),
            full: format!("({} {op} {} AND {})", operand.full, low.full, high.full),
            binds: 60,
        }
    }

    fn within(operand: &Self, op: &str, list: &[Self]) -> Self {
        let join = |of: fn(&Self) -> &str| list.iter().map(of).collect::<Vec<_>>().join(", ");
        Self {
            sparse: format!("{} {op} ({})", operand.operand(61), join(|item| &item.sparse)),
            full: format!("({} {op} ({}))", operand.full, join(|item| &item.full)),
            binds: 60,
        }
    }
}

/// Every operator that statements may have, by PostgreSQL's table; `^` is refused whatever it binds.
const BINARY: &[(&str, u8, bool)] = &[
    ("OR", 10, true),
    ("AND", 20, true),
    ("IS DISTINCT FROM", 40, false),
    ("IS NOT DISTINCT FROM", 40, false),
    ("=", 50, false),
    ("<>", 50, false),
    ("<", 50, false),
    ("<=", 50, false),
    (">", 50, false),
    (">=", 50, false),
    ("LIKE", 60, false),
    ("NOT LIKE", 60, false),
    ("ILIKE", 60, false),
    ("NOT ILIKE", 60, false),
    ("SIMILAR TO", 60, false),
    ("NOT SIMILAR TO", 60, false),
    ("||", 70, true),
    ("~", 70, true),
    ("~*", 70, true),
    ("!~", 70, true),
    ("!~*", 70, true),
    ("~~", 70, true),
    ("&", 70, true),
    ("|", 70, true),
    ("<<", 70, true),
    (">>", 70, true),
    ("->", 70, true),
    ("->>", 70, true),
    ("+", 80, true),
    ("-", 80, true),
    ("*", 90, true),
    ("/", 90, true),
    ("%", 90, true),
];
const SUFFIX: &[(&str, u8)] = &[
    ("IS NULL", 40),
    ("IS NOT NULL", 40),
    ("IS TRUE", 40),
    ("IS NOT FALSE", 40),
    ("IS UNKNOWN", 40),
    ("AT TIME ZONE 'UTC'", 110),
    (":: TEXT", 140),
];

fn expressions() -> impl Strategy<Value = PrintedExpression> {
    let atom = prop::sample::select(vec!["a", "b", "c", "1", "2.5", "'x'", "NULL", "TRUE", "f(a)"]);
    atom.prop_map(PrintedExpression::atom).prop_recursive(6, 40, 3, |inner| {
        let binary = (inner.clone(), prop::sample::select(BINARY), inner.clone());
        let suffix = (inner.clone(), prop::sample::select(SUFFIX));
        let between = (inner.clone(), any::<bool>(), inner.clone(), inner.clone());
        let list = prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            6 => binary.prop_map(|(left, (op, binds, chains), right)| {
                PrintedExpression::binary(&left, op, &right, binds, chains)
            }),
            2 => suffix.prop_map(|(operand, (op, binds))| PrintedExpression::suffix(&operand, op, binds)),
            1 => inner.clone().prop_map(|operand| PrintedExpression::prefix("NOT", &operand, 30)),
            1 => inner.clone().prop_map(|operand| PrintedExpression::prefix("-", &operand, 120)),
            1 => between.prop_map(|(operand, is_negated, low, high)| {
                let op = if is_negated { "NOT BETWEEN" } else { "BETWEEN" };
                PrintedExpression::between(&operand, op, &low, &high)
            }),
            1 => (inner, list).prop_map(|(operand, list)| PrintedExpression::within(&operand, "IN", &list)),
        ]
    })
}

/// Puts every part that is no name or constant into one pair of parentheses.
struct ParenthesesVisitor;

impl VisitorMut for ParenthesesVisitor {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let mut inner = std::mem::replace(expr, Expr::value(Value::Null));
        while let Expr::Nested(nested) = inner {
            inner = *nested;
        }
        let is_atom = matches!(inner, Expr::Identifier(_) | Expr::Value(_) | Expr::Function(_));
        *expr = if is_atom { inner } else { Expr::Nested(Box::new(inner)) };
        ControlFlow::Continue(())
    }
}

fn parsed(text: &str) -> Result<String, ParserError> {
    let mut expr = Parser::new(&FactumDialect).try_with_sql(text)?.parse_expr()?;
    let flow = expr.visit(&mut ParenthesesVisitor);
    assert!(flow.is_continue(), "the visitor never stops");
    Ok(expr.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn operators_bind_as_they_do_in_postgresql(printed in expressions()) {
        let sparse = parsed(&printed.sparse).map_err(|error| TestCaseError::fail(format!("{}: {error}", printed.sparse)))?;
        let full = parsed(&printed.full).map_err(|error| TestCaseError::fail(format!("{}: {error}", printed.full)))?;
        prop_assert_eq!(sparse, full, "{}", printed.sparse);
    }
}

#[test]
fn conditions_behind_is_distinct_from_are_not_swallowed() {
    let shown = |text: &str| parsed(text).expect("parsed");
    expect!["((true IS DISTINCT FROM false) AND false)"]
        .assert_eq(&shown("true IS DISTINCT FROM false AND false"));
    expect!["((a IS NOT DISTINCT FROM (b = c)) OR d)"].assert_eq(&shown("a IS NOT DISTINCT FROM b = c OR d"));
    expect!["(a || (b + c))"].assert_eq(&shown("a || b + c"));
    expect!["((a LIKE b) = c)"].assert_eq(&shown("a LIKE b = c"));
}

#[test]
fn comparisons_do_not_chain() {
    for text in
        ["a = b = c", "a < b <= c", "a LIKE b LIKE c", "a IN (1) NOT IN (2)", "a BETWEEN 1 AND 2 LIKE b"]
    {
        let error = parsed(text).expect_err(text).to_string();
        assert!(error.contains("does not chain"), "{error}");
    }
    for text in ["(a = b) = c", "a LIKE b = c", "a BETWEEN 1 AND 2 = b", "a = b AND b = c"] {
        parsed(text).expect(text);
    }
}
