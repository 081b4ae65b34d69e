//! Expansion of a query: its size once each common table expression is written out where it is named.
//!
//! ```text
//!   WITH a AS (SELECT … FROM t), b AS (SELECT … FROM a, a) SELECT … FROM b, b      b stands for 2 relations, the query for 4
//! ```
//!
//! The planner writes them out so: twenty that each name the one before twice are a million relations in a few hundred
//! bytes of text. They are counted before anything is planned, in one pass over the text's tree.
//!
//! Not here: views. What they stand for was counted when they were declared, and they are planned once each.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};

/// The most relations that a query may stand for.
pub(super) const MOST_RELATIONS: u64 = 500;

/// How many relations a query stands for, with every name of a common table expression written out.
pub(super) fn relations(query: &Query) -> u64 {
    let mut counter = Counter { outside: Scope::default(), scopes: Vec::new() };
    let ControlFlow::Continue(()) = query.visit(&mut counter);
    counter.outside.relations
}

/// The queries around the place that is visited, from the outermost on.
struct Counter {
    outside: Scope,
    scopes: Vec<Scope>,
}

#[derive(Default)]
struct Scope {
    /// The common table expressions that are still to be visited: they are, in their order, before all else in a query.
    coming: VecDeque<String>,
    /// What each visited one stands for.
    known: HashMap<String, u64>,
    relations: u64,
}

impl Visitor for Counter {
    type Break = Infallible;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Infallible> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        let coming = tables.map(|table| table.alias.name.value.to_lowercase()).collect();
        self.scopes.push(Scope { coming, ..Scope::default() });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Infallible> {
        let ended = self.scopes.pop().unwrap_or_default();
        // Without a relation it is one of its own: `SELECT 1`.
        let relations = ended.relations.max(1);
        let around = self.scopes.last_mut().unwrap_or(&mut self.outside);
        match around.coming.pop_front() {
            Some(name) => drop(around.known.insert(name, relations)),
            None => around.relations = around.relations.saturating_add(relations),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Infallible> {
        let name = match &relation.0[..] {
            [part] => part.as_ident().map(|name| name.value.to_lowercase()),
            _ => None,
        };
        let known = name.and_then(|name| self.scopes.iter().rev().find_map(|scope| scope.known.get(&name)));
        let relations = known.copied().unwrap_or(1);
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations = scope.relations.saturating_add(relations);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{SourceText, query};

    fn source(sql: &str) -> SourceText {
        SourceText::new(Path::new(""), sql.into())
    }

    fn relations(sql: &str) -> u64 {
        super::relations(&query(&source(sql)).expect("a query"))
    }

    #[test]
    fn a_name_stands_for_all_that_it_names() {
        for (sql, count) in [
            ("SELECT 1", 1),
            ("SELECT * FROM t", 1),
            ("SELECT * FROM t, t AS u WHERE x IN (SELECT y FROM v)", 3),
            ("WITH a AS (SELECT * FROM t), b AS (SELECT * FROM a, A AS c) SELECT * FROM b, b AS c", 4),
            (
                "WITH a AS (SELECT * FROM t, u) SELECT * FROM (WITH b AS (SELECT * FROM a) SELECT * FROM b, b AS c) AS d",
                4,
            ),
            (
                "WITH a AS (SELECT 1 AS x) SELECT * FROM a UNION ALL SELECT * FROM a UNION ALL SELECT * FROM s.a",
                3,
            ),
            ("WITH a AS (WITH a AS (SELECT * FROM t, u) SELECT * FROM a, a AS b) SELECT * FROM a", 4),
        ] {
            assert_eq!(relations(sql), count, "{sql}");
        }
    }

    #[test]
    fn a_query_that_stands_for_too_much_is_refused() {
        let mut sql = "WITH a0 AS (SELECT 1 AS x)".to_owned();
        for i in 1..60 {
            let before = i - 1;
            sql += &format!(", a{i} AS (SELECT * FROM a{before} UNION ALL SELECT * FROM a{before})");
        }
        let sql = format!("{sql} SELECT count(*) FROM a59");
        let problem = query(&source(&sql)).expect_err("it stands for 2^59");
        assert_eq!(
            problem.message,
            "with each WITH query written out where it is named, this stands for more than 500 relations"
        );
    }
}
