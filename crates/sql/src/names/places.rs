//! Places of the parts of a query, for problems that only its plan shows.

use std::ops::{ControlFlow, Range};

use datafusion::sql::sqlparser::ast::{
    AccessExpr, DateTimeField, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, LimitClause,
    ObjectName, Query, Select, SetExpr, Spanned, TableFactor, UnaryOperator, Value, ValueWithSpan, Visit,
    Visitor,
};
use datafusion::sql::sqlparser::tokenizer::Span;

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
    /// A constant within a call of a function or an operator, by its name and the constant's text, both in lower case.
    Argument {
        /// The function.
        function: String,
        /// The constant, without its quotes.
        value: String,
    },
    /// A constant by its text in lower case.
    Constant(String),
    /// The number of LIMIT.
    Limit,
    /// The number of OFFSET.
    Offset,
    /// A field or an item of a value: `address['city'].zip`.
    Access,
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

    /// The place of the constant that a message is about: the first that it quotes, or else the only one that is a word of
    /// it.
    pub(crate) fn constant_in(&self, message: &str) -> Option<Range<usize>> {
        let message = message.to_lowercase();
        let constants = self.0.iter().filter_map(|(part, place)| match part {
            Part::Constant(text) => Some((text.as_str(), place)),
            _ => None,
        });
        let constants: Vec<_> = constants.collect();
        let quoted = constants.iter().find(|(text, _)| is_quoted(&message, text));
        if let Some((_, place)) = quoted {
            return Some((*place).clone());
        }
        let words = message.split(|c: char| !c.is_alphanumeric() && c != '_');
        let is_word = |(text, _): &&(&str, &Range<usize>)| {
            text.chars().count() >= 3
                && text.starts_with(char::is_alphabetic)
                && words.clone().any(|word| word == *text)
        };
        let mut named = constants.iter().filter(is_word);
        let (_, place) = named.next()?;
        named.next().is_none().then(|| (*place).clone())
    }

    /// The last place of a part; the first of a constant.
    pub(crate) fn find(&self, part: &Part) -> Option<Range<usize>> {
        if matches!(part, Part::Argument { .. } | Part::Constant(_)) {
            return self.0.iter().find(|(found, _)| found == part).map(|(_, place)| place.clone());
        }
        self.0.iter().rev().find(|(found, _)| found == part).map(|(_, place)| place.clone())
    }
}

struct Finder<'a> {
    source: &'a SourceText,
    found: Vec<(Part, Range<usize>)>,
}

impl Finder<'_> {
    fn add(&mut self, part: Part, place: &impl Spanned) {
        self.add_at(part, place.span());
    }

    fn add_at(&mut self, part: Part, span: Span) {
        if let Some(place) = self.source.range(span) {
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
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause {
            limit.iter().for_each(|limit| self.add(Part::Limit, limit));
            offset.iter().for_each(|offset| self.add(Part::Offset, &offset.value));
        }
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
                    self.arguments(&name, &call.args);
                    self.add(Part::Function(name), call);
                }
            }
            Expr::CompoundFieldAccess { access_chain, .. } => {
                self.add(Part::Access, expr);
                self.access(expr, access_chain);
            }
            Expr::Extract { field, expr: time, .. } => self.extract(field, expr, time),
            Expr::BinaryOp { left, op, right } => {
                self.argument(&op.to_string(), left);
                self.argument(&op.to_string(), right);
                self.add(Part::Function(op.to_string()), expr);
            }
            Expr::Like { pattern, .. } | Expr::ILike { pattern, .. } => self.argument("like", pattern),
            Expr::Cast { expr: value, .. } => {
                self.argument("cast", value);
                self.add(Part::Function("cast".to_owned()), expr);
            }
            Expr::Value(_) | Expr::UnaryOp { op: UnaryOperator::Minus, .. } => match constant(expr) {
                Some(text) => self.add(Part::Constant(text), expr),
                None => self.add(Part::Function("-".to_owned()), expr),
            },
            Expr::TypedString(typed) => {
                if let Some(text) = text_of(&typed.value) {
                    self.add(Part::Constant(text), &typed.value);
                }
            }
            Expr::Substring { .. } => self.add(Part::Function("substr".to_owned()), expr),
            Expr::Overlay { .. } => self.add(Part::Function("overlay".to_owned()), expr),
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
    fn access(&mut self, access: &Expr, chain: &[AccessExpr]) {
        for step in chain {
            match step {
                AccessExpr::Dot(Expr::Identifier(field)) => {
                    self.add_at(Part::Constant(field.value.to_lowercase()), field.span);
                }
                AccessExpr::Dot(_) => {}
                AccessExpr::Subscript(_) => self.add(Part::Function("array_element".to_owned()), access),
            }
        }
    }

    fn arguments(&mut self, function: &str, arguments: &FunctionArguments) {
        let FunctionArguments::List(list) = arguments else { return };
        for argument in &list.args {
            if let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument {
                self.argument(function, argument);
            }
        }
    }

    fn argument(&mut self, function: &str, argument: &Expr) {
        if let Some(value) = constant(argument) {
            self.add(Part::Argument { function: function.to_lowercase(), value }, argument);
        }
    }

    /// `extract(hour FROM at)` is `date_part('hour', at)`; only a field that is no keyword has a place of its own.
    fn extract(&mut self, field: &DateTimeField, call: &Expr, time: &Expr) {
        let name = || "date_part".to_owned();
        if let DateTimeField::Custom(field) = field {
            let value = field.value.to_lowercase();
            self.add_at(Part::Argument { function: name(), value }, field.span);
        }
        let span = if call.span() == Span::empty() { time.span() } else { call.span() };
        self.add_at(Part::Function(name()), span);
    }

    fn joined(&mut self, relation: &TableFactor) {
        if !matches!(relation, TableFactor::UNNEST { .. }) {
            self.add(Part::Joined, relation);
        }
    }
}

fn is_quoted(message: &str, text: &str) -> bool {
    message.contains(&format!("'{text}'")) || message.contains(&format!("\"{text}\""))
}

/// The text of a constant in lower case, with the sign of a number.
fn constant(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => text_of(value),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Some(format!("-{}", constant(expr)?)),
        _ => None,
    }
}

fn text_of(value: &ValueWithSpan) -> Option<String> {
    let value = &value.value;
    match value {
        Value::Number(text, _) | Value::Placeholder(text) => Some(text.clone()),
        other => other.clone().into_string(),
    }
    .map(|text| text.to_lowercase())
}

fn last_name(name: &ObjectName) -> Option<String> {
    Some(name.0.last()?.as_ident()?.value.to_lowercase())
}
