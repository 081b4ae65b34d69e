//! Clauses of other engines that the parser takes and planning would pass over, or refuse in its own words.
//!
//! Invariant: each clause of a query is heeded, or refused with what to write instead.

use std::ops::{ControlFlow, Range};

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, LimitClause, Query, Select, Spanned, Subscript, TableFactor, UnaryOperator, Visit,
    Visitor,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::source_text::SourceText;
use crate::definitions::Problem;

/// Refuses the first clause that is not heeded.
///
/// # Errors
/// A problem at the query, the SELECT or the relation that has it.
pub(super) fn check(query: &Query, source: &SourceText, statement: &Range<usize>) -> Result<(), Problem> {
    let ControlFlow::Break(refused) = query.visit(&mut Clauses) else { return Ok(()) };
    let place = source.range(refused.span).unwrap_or_else(|| statement.clone());
    let first_line = source.text()[place.clone()].find('\n').map_or(place.end, |at| place.start + at);
    let problem = source.problem(place.start..first_line, format!("{} is not supported", refused.clause));
    Err(Problem { help: refused.help.map(str::to_owned), ..problem })
}

struct RefusedClause {
    span: Span,
    clause: &'static str,
    help: Option<&'static str>,
}

struct Clauses;

impl Visitor for Clauses {
    type Break = RefusedClause;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<RefusedClause> {
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause {
            let numbers = [limit.as_ref(), offset.as_ref().map(|offset| &offset.value)];
            if let Some(number) = numbers.into_iter().flatten().find(|number| is_negative(number)) {
                let help = Some("LIMIT and OFFSET take whole numbers from 0 on");
                let clause = "a number of rows below 0";
                return ControlFlow::Break(RefusedClause { span: number.span(), clause, help });
            }
        }
        let limits_by = matches!(
            &query.limit_clause,
            Some(LimitClause::LimitOffset { limit_by, .. }) if !limit_by.is_empty()
        );
        refuse(
            query,
            [
                (query.fetch.is_some(), "FETCH", Some("write LIMIT 10")),
                (
                    limits_by,
                    "LIMIT … BY",
                    Some("number the rows in a subquery: row_number() OVER (PARTITION BY …)"),
                ),
                (
                    !query.locks.is_empty(),
                    "FOR UPDATE or FOR SHARE",
                    Some("a query locks nothing: leave it out"),
                ),
                (query.for_clause.is_some(), "FOR JSON, FOR XML or FOR BROWSE", None),
                (query.settings.is_some(), "SETTINGS", None),
                (
                    query.format_clause.is_some(),
                    "FORMAT",
                    Some("ask for another form by the header Accept, or by -o"),
                ),
            ],
        )
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<RefusedClause> {
        let sorts =
            !select.cluster_by.is_empty() || !select.distribute_by.is_empty() || !select.sort_by.is_empty();
        let order = Some("write ORDER BY");
        refuse(
            select,
            [
                (select.top.is_some(), "TOP", Some("write LIMIT 10 at the end")),
                (
                    select.into.is_some(),
                    "INTO",
                    Some("a query writes nothing; CREATE MATERIALIZED VIEW keeps its rows"),
                ),
                (select.prewhere.is_some(), "PREWHERE", Some("write WHERE")),
                (!select.connect_by.is_empty(), "CONNECT BY", None),
                (sorts, "CLUSTER BY, DISTRIBUTE BY or SORT BY", order),
                (select.value_table_mode.is_some(), "AS STRUCT or AS VALUE", None),
            ],
        )
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<RefusedClause> {
        let (clause, help) = match expr {
            Expr::Collate { .. } => {
                ("COLLATE", "texts are compared by their code points: compare or order by lower(name)")
            }
            Expr::MatchAgainst { .. } => ("MATCH … AGAINST", "write name ILIKE '%word%'"),
            Expr::AllOp { right, .. } if is_value(right) => {
                ("ALL of a value", "ALL takes a list or a query: id > ALL ([1, 2])")
            }
            Expr::AnyOp { right, .. } if is_value(right) => {
                ("ANY of a value", "ANY takes a list or a query, and IN values: id IN (1, 2)")
            }
            Expr::CompoundFieldAccess { access_chain, .. } if access_chain.iter().any(is_open) => {
                ("a slice without its end", "write both ends: tags[1:3]")
            }
            _ => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(RefusedClause { span: expr.span(), clause, help: Some(help) })
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<RefusedClause> {
        let series = "unnest a list in a subquery: FROM (SELECT unnest(range(1, 4)) AS n) AS numbers";
        let (clause, help) = match factor {
            TableFactor::TableFunction { .. } | TableFactor::Function { lateral: false, .. } => {
                ("a function in FROM", Some(series))
            }
            TableFactor::JsonTable { .. } => {
                ("JSON_TABLE", Some("declare the fields in the event's contract"))
            }
            TableFactor::OpenJsonTable { .. } => {
                ("OPENJSON", Some("declare the fields in the event's contract"))
            }
            TableFactor::XmlTable { .. } => ("XMLTABLE", None),
            TableFactor::Pivot { .. } => {
                ("PIVOT", Some("write an aggregate for each column: sum(n) FILTER (WHERE kind = 'a')"))
            }
            TableFactor::Unpivot { .. } => ("UNPIVOT", Some("write UNION ALL of a SELECT for each column")),
            TableFactor::SemanticView { .. } => ("SEMANTIC_VIEW", None),
            _ => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(RefusedClause { span: factor.span(), clause, help })
    }
}

fn is_negative(number: &Expr) -> bool {
    matches!(number, Expr::UnaryOp { op: UnaryOperator::Minus, .. })
}

fn is_value(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::Tuple(_) => true,
        Expr::Nested(inner) => is_value(inner),
        _ => false,
    }
}

fn is_open(access: &AccessExpr) -> bool {
    matches!(access, AccessExpr::Subscript(Subscript::Slice { upper_bound: None, .. }))
}

fn refuse<const N: usize>(
    place: &impl Spanned,
    clauses: [(bool, &'static str, Option<&'static str>); N],
) -> ControlFlow<RefusedClause> {
    match clauses.into_iter().find(|(is_there, ..)| *is_there) {
        Some((_, clause, help)) => ControlFlow::Break(RefusedClause { span: place.span(), clause, help }),
        None => ControlFlow::Continue(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::path::Path;

    use expect_test::expect;

    use super::super::{SourceText, query};

    #[test]
    fn clauses_of_other_engines_are_refused_by_their_names() {
        let mut shown = String::new();
        for sql in [
            "SELECT a FROM t FETCH FIRST 1 ROW ONLY",
            "SELECT a FROM t LIMIT 1 BY a",
            "SELECT a FROM t FOR UPDATE",
            "SELECT TOP 1 a FROM t",
            "SELECT 1 INTO x",
            "SELECT a FROM t CONNECT BY a = 1",
            "SELECT a FROM t SORT BY a",
            "SELECT * FROM TABLE(generate_series(1, 3))",
            "SELECT * FROM t PIVOT(sum(a) FOR b IN (1, 2))",
            "SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS(a INT PATH '$'))",
            "SELECT a FROM t WHERE a IN (SELECT b FROM u FETCH FIRST 1 ROW ONLY)",
        ] {
            let problem = query(&SourceText::new(Path::new(""), sql.into())).expect_err(sql);
            let help = problem.help.unwrap_or_default();
            writeln!(shown, "{:?}: {}; {help}", &sql[problem.span], problem.message).expect("a string");
        }
        expect![[r#"
            "SELECT a FROM t FETCH FIRST 1": FETCH is not supported; write LIMIT 10
            "SELECT a FROM t LIMIT 1 BY a": LIMIT … BY is not supported; number the rows in a subquery: row_number() OVER (PARTITION BY …)
            "SELECT a FROM t": FOR UPDATE or FOR SHARE is not supported; a query locks nothing: leave it out
            "SELECT TOP 1 a FROM t": TOP is not supported; write LIMIT 10 at the end
            "SELECT 1 INTO x": INTO is not supported; a query writes nothing; CREATE MATERIALIZED VIEW keeps its rows
            "SELECT a FROM t CONNECT BY a = 1": CONNECT BY is not supported; 
            "SELECT a FROM t SORT BY a": CLUSTER BY, DISTRIBUTE BY or SORT BY is not supported; write ORDER BY
            "generate_series(1, 3": a function in FROM is not supported; unnest a list in a subquery: FROM (SELECT unnest(range(1, 4)) AS n) AS numbers
            "t PIVOT(sum(a) FOR b IN (1, 2": PIVOT is not supported; write an aggregate for each column: sum(n) FILTER (WHERE kind = 'a')
            "SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS(a INT PATH '$'))": JSON_TABLE is not supported; declare the fields in the event's contract
            "SELECT b FROM u FETCH FIRST 1": FETCH is not supported; write LIMIT 10
        "#]].assert_eq(&shown);
    }
}
