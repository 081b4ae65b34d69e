//! Comparisons of a text with a number, which no text but one of digits would stand.
//!
//! Types are settled by converting the text: `customer = 5` would fail for the first customer that is no number, and in
//! a view send that event to its dead letters. PostgreSQL refuses them, and so do we. A text that is written out takes
//! the other side's type, as everywhere: `id = '5'`.
//!
//! Not here: functions and CASE, whose arguments are converted likewise where that cannot fail.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Span};
use datafusion::logical_expr::expr::{Between, Case, InList};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};

use crate::wording;

/// A comparison that is refused.
#[derive(Debug)]
pub(super) struct TextBesideNumber {
    pub(super) message: String,
    pub(super) help: String,
    /// Where the text's column stands in the statement.
    pub(super) span: Option<Span>,
}

/// The first such comparison of a plan whose types are not settled yet.
pub(super) fn find(plan: &LogicalPlan) -> Option<TextBesideNumber> {
    let mut found = None;
    let walked = plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        if let LogicalPlan::Join(join) = node {
            let mut pairs = join.on.iter();
            found = pairs.find_map(|(left, right)| of_pair(left, right, Operator::Eq, &schema));
        }
        if found.is_none() {
            node.apply_expressions(|expr| {
                expr.apply(|part| {
                    found = of_part(part, &schema);
                    Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
                })
            })?;
        }
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    walked.expect("looking never fails");
    found
}

fn of_part(part: &Expr, schema: &DFSchema) -> Option<TextBesideNumber> {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    match part {
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom) =>
        {
            of_pair(left, right, *op, schema)
        }
        Expr::InList(InList { expr, list, .. }) => {
            list.iter().find_map(|item| of_pair(expr, item, Eq, schema))
        }
        Expr::Between(Between { expr, low, high, .. }) => {
            of_pair(expr, low, GtEq, schema).or_else(|| of_pair(expr, high, LtEq, schema))
        }
        Expr::Case(Case { expr: Some(expr), when_then_expr, .. }) => {
            when_then_expr.iter().find_map(|(when, _)| of_pair(expr, when, Eq, schema))
        }
        _ => None,
    }
}

fn of_pair(left: &Expr, right: &Expr, op: Operator, schema: &DFSchema) -> Option<TextBesideNumber> {
    let (one, other) = (left.get_type(schema).ok()?, right.get_type(schema).ok()?);
    let (text, number, kind) = match (is_text(left, &one), is_text(right, &other)) {
        (true, false) if other.is_numeric() => (left, right, &other),
        (false, true) if one.is_numeric() => (right, left, &one),
        _ => return None,
    };
    let kind = wording::type_name(kind);
    let help = match number {
        Expr::Literal(value, _) => {
            format!("write the value as a text: '{value}', or convert the text with CAST(… AS {kind})")
        }
        _ => format!("convert the text with CAST(… AS {kind})"),
    };
    let message = format!("a text and a {kind} cannot be compared by `{op}`");
    Some(TextBesideNumber { message, help, span: span_of(text) })
}

/// Whether an expression gives texts, and is none that is written out.
fn is_text(expr: &Expr, kind: &DataType) -> bool {
    let is_literal = matches!(expr, Expr::Literal(..));
    !is_literal && matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Where the first column of an expression stands.
fn span_of(expr: &Expr) -> Option<Span> {
    let mut span = None;
    let looked = expr.apply(|part| {
        if let Expr::Column(column) = part {
            span = column.spans().first();
        }
        Ok(if span.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    looked.expect("looking never fails");
    span
}
