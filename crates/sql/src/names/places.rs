//! Places of the parts of a query, for problems that only its plan shows.

use std::ops::{ControlFlow, Range};

use datafusion::sql::sqlparser::ast::{
    Expr, ObjectName, Query, Select, SetExpr, Spanned, TableFactor, Visit, Visitor,
};

use crate::statement::SourceText;

/// A part of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A call of a function, by its name in lower case.
    Function(String),
    /// The right side of a join.
    Joined,
    /// The second query of a UNION and the like.
    SetOperation,
    /// A query within an expression.
    Subquery,
    /// DISTINCT, GROUP BY, or whatever makes one row of many.
    GroupBy,
}

/// All parts and where they are.
#[derive(Debug, Default)]
pub(crate) struct Places(Vec<(Part, Range<usize>)>);

impl Places {
    pub(crate) fn of(query: &Query, source: &SourceText) -> Self {
        let mut finder = Finder { source, found: Vec::new() };
        let flow = query.visit(&mut finder);
        debug_assert!(flow.is_continue(), "the finder never stops");
        Self(finder.found)
    }

    /// The last place of a part.
    pub(crate) fn find(&self, part: &Part) -> Option<Range<usize>> {
        self.0.iter().rev().find(|(found, _)| found == part).map(|(_, place)| place.clone())
    }
}

struct Finder<'a> {
    source: &'a SourceText,
    found: Vec<(Part, Range<usize>)>,
}

impl Finder<'_> {
    fn add(&mut self, part: Part, place: &impl Spanned) {
        if let Some(place) = self.source.range(place.span()) {
            self.found.push((part, place));
        }
    }

    fn set_operation(&mut self, body: &SetExpr) {
        if let SetExpr::SetOperation { left, right, .. } = body {
            self.set_operation(left);
            self.add(Part::SetOperation, right.as_ref());
        }
    }
}

impl Visitor for Finder<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.set_operation(&query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in select.from.iter().skip(1) {
            self.joined(&item.relation);
        }
        for join in select.from.iter().flat_map(|item| &item.joins) {
            self.joined(&join.relation);
        }
        self.add(Part::GroupBy, &select.group_by);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(call) => {
                if let Some(name) = last_name(&call.name) {
                    self.add(Part::Function(name), call);
                }
            }
            Expr::Subquery(query) | Expr::Exists { subquery: query, .. } => {
                self.add(Part::Subquery, query.as_ref());
            }
            Expr::InSubquery { subquery, .. } => self.add(Part::Subquery, subquery.as_ref()),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Finder<'_> {
    fn joined(&mut self, relation: &TableFactor) {
        if !matches!(relation, TableFactor::UNNEST { .. }) {
            self.add(Part::Joined, relation);
        }
    }
}

fn last_name(name: &ObjectName) -> Option<String> {
    Some(name.0.last()?.as_ident()?.value.to_lowercase())
}
