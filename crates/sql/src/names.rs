//! Names: what each identifier of a query means, and the query written out so that it says so to the letter.
//!
//! ```text
//!   SELECT d.product_id, sum(d.quantity) AS sold        SELECT orders.d."ProductId" AS product_id, …
//!   FROM orders, UNNEST(details) AS d            ─►     FROM (SELECT unnest(orders."Details") AS d
//!                                                             FROM store.orders AS orders) AS orders
//! ```
//!
//! Invariants: a name that is written exactly as a column is means that column; else it means the one column
//! that differs in case and underscores only; two such columns are a problem that names both.
//!
//! Not here: types, and whether a query can be maintained.

mod expressions;
mod from;
pub(crate) mod lookup;
mod places;
mod scope;
mod select_list;
pub(crate) mod suggest;
mod unnest;
mod wildcard;
mod windows;

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, OrderBy, OrderByKind, Query, Select, SetExpr, Spanned, With,
};
use datafusion::sql::sqlparser::tokenizer::{Location, Span};
use factum_types::{AccessDeniedError, TopicName};

use crate::access::RelationAccess;
use crate::definitions::{Problem, RelationName};
use crate::plan::extent::{self, Excess};
use crate::plan::relations::Relations;
use crate::statement::{SourceText, lower_first, shortened, spellings};
use crate::tumble::Tumble;
use crate::wording;
pub(crate) use places::{Part, Places};
pub(crate) use scope::same;
use scope::{BoundRelation, Outputs, Scope, columns_of};

/// Why a query has no meaning now.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It is wrong.
    Problem(Box<Problem>),
    /// It reads a topic whose columns are not known before its first event.
    Awaits(TopicName),
    /// It reads a view that is not planned yet.
    Needs(RelationName),
    /// It names a relation that the caller may not use, and may know of.
    Denied(AccessDeniedError),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

/// A query with its names resolved.
#[derive(Debug)]
pub(crate) struct ResolvedQuery {
    pub(crate) query: Query,
    /// The windows that it is cut into, if FROM has a TUMBLE.
    pub(crate) tumbles: Vec<Tumble>,
}

/// Resolves the names of one statement.
pub(crate) struct Resolver<'a> {
    relations: &'a Relations,
    access: RelationAccess<'a>,
    team: Arc<str>,
    source: &'a SourceText,
    /// Where to point if a part has no place of its own.
    statement: Range<usize>,
    ctes: Vec<(String, LogicalPlan)>,
    /// The innermost is the last.
    scopes: Vec<Scope>,
    tumbles: Vec<Tumble>,
    /// The first thing that went wrong within an expression.
    failure: Option<Failure>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(
        relations: &'a Relations,
        access: RelationAccess<'a>,
        team: Arc<str>,
        source: &'a SourceText,
        statement: Range<usize>,
    ) -> Self {
        Self {
            relations,
            access,
            team,
            source,
            statement,
            ctes: Vec::new(),
            scopes: Vec::new(),
            tumbles: Vec::new(),
            failure: None,
        }
    }

    /// Resolves a whole query.
    pub(crate) fn resolve(mut self, mut query: Query) -> Result<ResolvedQuery, Failure> {
        self.query(&mut query)?;
        match self.failure {
            Some(failure) => Err(failure),
            None => {
                self.check_access(&query)?;
                Ok(ResolvedQuery { query, tumbles: self.tumbles })
            }
        }
    }

    fn query(&mut self, query: &mut Query) -> Result<(), Failure> {
        let outer_ctes = self.ctes.len();
        if let Some(with) = &mut query.with {
            self.with(with)?;
        }
        let mut order_by = query.order_by.take();
        match query.body.as_mut() {
            SetExpr::Select(select) => self.select(select, order_by.as_mut())?,
            body => {
                self.body(body)?;
                if let Some(order_by) = &mut order_by {
                    self.order_of_set(query, order_by)?;
                }
            }
        }
        query.order_by = order_by;
        self.ctes.truncate(outer_ctes);
        Ok(())
    }

    fn with(&mut self, with: &mut With) -> Result<(), Failure> {
        if with.recursive {
            return Err(self.problem(with.span(), "WITH RECURSIVE is not supported").into());
        }
        for table in &mut with.cte_tables {
            let plan = self.apart(|resolver| resolver.derived(&mut table.query))?;
            let name = table.alias.name.value.clone();
            if !table.alias.columns.is_empty() {
                let message = "a column list of a WITH query is not supported by this version yet: use AS in its SELECT";
                return Err(self.problem(table.alias.name.span, message).into());
            }
            self.ctes.push((name, plan));
        }
        Ok(())
    }

    fn body(&mut self, body: &mut SetExpr) -> Result<(), Failure> {
        match body {
            SetExpr::Select(select) => self.select(select, None),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left)?;
                self.body(right)
            }
            SetExpr::Values(_) => Ok(()),
            other => {
                let span = other.span();
                Err(self.problem(span, "this is not supported in a query").into())
            }
        }
    }

    /// The order of a UNION and the like names the columns of its first query.
    fn order_of_set(&mut self, query: &Query, order_by: &mut OrderBy) -> Result<(), Failure> {
        let plan = self.plan_of(query)?;
        let outputs = plan.schema().fields().iter().map(|field| field.name().clone()).collect();
        self.scopes.push(Scope { outputs, ..Scope::default() });
        self.order_by(order_by);
        self.scopes.pop();
        Ok(())
    }

    fn select(&mut self, select: &mut Select, order_by: Option<&mut OrderBy>) -> Result<(), Failure> {
        if let Some(view) = select.lateral_views.first() {
            let mut problem = self.problem(view.lateral_view.span(), "LATERAL VIEW is not supported");
            problem.help = Some("write FROM orders, UNNEST(details) AS d".to_owned());
            return Err(problem.into());
        }
        self.scopes.push(Scope::default());
        let mut from = self.from(std::mem::take(&mut select.from))?;
        self.scope().outputs = select_list::outputs(&select.projection);
        self.scope().windows = select.named_window.iter().map(|window| window.0.clone()).collect();
        if let Some(condition) = &mut select.selection {
            self.expression(condition, Outputs::Unseen);
        }
        select.projection = self.select_list(std::mem::take(&mut select.projection))?;
        if let Some(Distinct::On(expressions)) = &mut select.distinct {
            expressions.iter_mut().for_each(|expr| self.expression(expr, Outputs::BeforeColumns));
        }
        if let GroupByExpr::Expressions(keys, _) = &mut select.group_by {
            keys.iter_mut().for_each(|key| self.expression(key, Outputs::AfterColumns));
        }
        for condition in select.having.iter_mut().chain(&mut select.qualify) {
            self.expression(condition, Outputs::AfterColumns);
        }
        for window in &mut select.named_window {
            self.visit(window, Outputs::Unseen);
        }
        if let Some(order_by) = order_by {
            self.order_by(order_by);
        }
        self.write_unnests(&mut from)?;
        select.from = from.items;
        self.scopes.pop();
        Ok(())
    }

    fn order_by(&mut self, order_by: &mut OrderBy) {
        let OrderByKind::Expressions(keys) = &mut order_by.kind else { return };
        for key in keys {
            let outputs = match key.expr {
                Expr::Identifier(_) => Outputs::BeforeColumns,
                _ => Outputs::AfterColumns,
            };
            self.expression(&mut key.expr, outputs);
        }
    }

    fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("a scope is open while a SELECT is read")
    }

    /// Does something where the columns around are not seen.
    fn apart<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let around = std::mem::take(&mut self.scopes);
        let result = run(self);
        self.scopes = around;
        result
    }

    /// Resolves and plans a query that stands in FROM or WITH.
    fn derived(&mut self, query: &mut Query) -> Result<LogicalPlan, Failure> {
        self.query(query)?;
        self.plan_of(query)
    }

    fn plan_of(&mut self, query: &Query) -> Result<LogicalPlan, Failure> {
        // What is wrong already is wrong in better words than the planner has for it.
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.check_access(query)?;
        let plan = self.relations.plan(query.clone(), &self.ctes);
        let plan = plan.map_err(|error| planning_problem(self.source, &error, &self.statement))?;
        extent::check(&plan).map_err(|excess| too_large(excess, self.source, &self.statement))?;
        Ok(plan)
    }

    /// Refuses names that the planner would look up where none are resolved here: in VALUES and the like.
    fn check_access(&self, query: &Query) -> Result<(), Failure> {
        match self.access.first_hidden(query, self.relations) {
            Some(written) => Err(self.unknown_relation(&written)),
            None => Ok(()),
        }
    }

    fn problem(&self, span: Span, message: impl Into<String>) -> Problem {
        let place = self.source.range(span).unwrap_or_else(|| self.statement.clone());
        self.source.problem(place, message)
    }

    fn note(&mut self, failure: impl Into<Failure>) {
        self.failure.get_or_insert(failure.into());
    }

    fn cte(&self, name: &Ident) -> Option<&(String, LogicalPlan)> {
        self.ctes.iter().rev().find(|(cte, _)| same(name, cte))
    }
}

/// The most characters of what DataFusion says: it shows whole expressions and types.
pub(crate) const LONGEST_MESSAGE: usize = 1_000;

/// What DataFusion says against a query, with its place.
pub(crate) fn planning_problem(
    source: &SourceText,
    error: &DataFusionError,
    statement: &Range<usize>,
) -> Problem {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let place = place_of_span(source, span).unwrap_or_else(|| statement.clone());
    let (message, help) = in_our_words(&wording::root_message(error));
    Problem { help, ..source.problem(place, shortened(&message, LONGEST_MESSAGE)) }
}

/// The bytes of a text that a span of DataFusion means.
pub(crate) fn place_of_span(
    source: &SourceText,
    span: Option<datafusion::common::Span>,
) -> Option<Range<usize>> {
    let location = |place: datafusion::common::Location| Location::new(place.line, place.column);
    let span = span?;
    source.range(Span::new(location(span.start), location(span.end)))
}

/// A plan that is too large to be walked.
pub(crate) fn too_large(excess: Excess, source: &SourceText, statement: &Range<usize>) -> Problem {
    Problem { help: Some(excess.help()), ..source.problem(statement.clone(), excess.message()) }
}

/// DataFusion's words without its prefixes, its pleas for bug reports and its lists of all that would fit.
fn in_our_words(message: &str) -> (String, Option<String>) {
    let message = match message.split_once("No function matches the given name and argument types '") {
        Some((_, rest)) => {
            let (call, rest) = rest.split_once('\'').unwrap_or((rest, ""));
            return wording::no_such_call(call, rest);
        }
        None => message.split("This issue was likely caused by a bug").next().unwrap_or(message),
    };
    let unknown = message.split_once("nvalid function '").and_then(|(_, rest)| rest.split_once('\''));
    if let Some((name, rest)) = unknown {
        let near = rest.split('\'').nth(1).and_then(|near| suggest::nearest(name, [near]));
        let meant = spellings::function(name).map(str::to_owned);
        let help = meant.or_else(|| near.map(|near| format!("did you mean '{near}'?")));
        return (format!("there is no function `{name}`"), help);
    }
    let (message, help) = match message.trim().split_once('\n') {
        Some((message, help)) => (message, Some(lower_first(help.trim()))),
        None => (message.trim(), None),
    };
    let message = message.rsplit_once(": While expanding wildcard, ").map_or(message, |(_, rest)| rest);
    let (message, meant) = wording::plain_with_help(message.trim_end_matches('.'));
    (message, help.or(meant))
}

fn bound_of(alias: String, plan: &LogicalPlan) -> BoundRelation {
    BoundRelation::new(alias, columns_of(plan.schema()))
}
