//! `FROM orders, UNNEST(details) AS d`: one row for each item of a list of the row before it.
//!
//! SQL's planner has `unnest` in a select list only, so the relation that has the list becomes a query:
//! `FROM (SELECT orders.id, unnest(orders.details) AS d FROM orders) AS orders`. It selects what is used and no
//! more, as nothing is pruned through an unnest later.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinOperator, ObjectNamePart, Query, SetExpr, Spanned, TableAlias, TableFactor,
    visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::from::{From, named};
use super::scope::{BoundColumn, BoundRelation, Reach, quoted};
use super::{Failure, Resolver};

/// A list that is to be unnested.
pub(super) struct Unnest {
    place: usize,
    owner: usize,
    /// The list, as the relation before it names it.
    list: Vec<Ident>,
    /// The column of the relation that holds the list, which must be there until here.
    needs: Option<String>,
    /// What an item is called.
    column: String,
}

impl Resolver<'_> {
    /// Takes an UNNEST out of FROM; the item that it multiplies.
    pub(super) fn unnest(&mut self, factor: TableFactor, from: &mut From) -> Result<usize, Failure> {
        let span = factor.span();
        let TableFactor::UNNEST { alias, array_exprs, with_offset, with_ordinality, .. } = factor else {
            return Err(self.problem(span, "an UNNEST is expected here").into());
        };
        let span = Span::union_iter(array_exprs.iter().map(Spanned::span));
        if with_offset || with_ordinality || array_exprs.len() != 1 {
            let message =
                "UNNEST of several lists, WITH ORDINALITY or OFFSET is not supported by this version yet";
            return Err(self.problem(span, message).into());
        }
        let path = match &array_exprs[0] {
            Expr::Identifier(name) => vec![name.clone()],
            Expr::CompoundIdentifier(path) => path.clone(),
            other => {
                return Err(self.problem(other.span(), "UNNEST takes a column that holds a list").into());
            }
        };
        let found = match self.scope().find(&path) {
            Ok(found) => found,
            Err(missing) => return Err(self.missing(&path, missing).into()),
        };
        let DataType::List(item) = &found.data_type else {
            let written = path.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(".");
            let message = format!("`{written}` is no list, so there is nothing to unnest");
            return Err(self.problem(array_exprs[0].span(), message).into());
        };
        let owner = self.scope().owner(found.bound);
        let place = self.scope().bound[owner].place;
        let place =
            place.filter(|place| from.items[*place].joins.iter().all(|join| keeps_left(&join.join_operator)));
        let Some(place) = place else {
            let message = "only a list of the first relation of a join is unnested by this version: begin FROM with it, or unnest it in a subquery";
            return Err(self.problem(array_exprs[0].span(), message).into());
        };
        let list = self.scope().peek_path(&found);
        let item = item.data_type().clone();
        let column = self.bind_item(alias, &path, &item, owner, from)?;
        let needs = (self.scope().bound[found.bound].reach == Reach::Columns).then(|| found.column.clone());
        from.unnests.push(Unnest { place, owner, list, needs, column });
        Ok(place)
    }

    /// Binds the items under their name; the column that holds them.
    fn bind_item(
        &mut self,
        alias: Option<TableAlias>,
        path: &[Ident],
        item: &DataType,
        owner: usize,
        from: &From,
    ) -> Result<String, Failure> {
        let alias = alias.unwrap_or_else(|| named(path.last().map_or("item", |name| name.value.as_str())));
        let name = alias.name.value.clone();
        if self.scope().bound.iter().any(|bound| bound.alias == name) {
            let message = format!("`{name}` is twice in FROM: give one of them another name with AS");
            return Err(self.problem(alias.name.span, message).into());
        }
        let mut column = alias.columns.first().map_or(&name, |column| &column.name.value).clone();
        let (columns, is_struct) = match (item, alias.columns.len()) {
            (DataType::Struct(fields), 0) => {
                let columns = fields.iter().map(|field| BoundColumn {
                    name: field.name().clone(),
                    data_type: field.data_type().clone(),
                    is_envelope: false,
                });
                (columns.collect(), true)
            }
            (item, 0 | 1) => {
                let data_type = item.clone();
                (vec![BoundColumn { name: column.clone(), data_type, is_envelope: false }], false)
            }
            _ => {
                let message =
                    "a list of names for the fields of an item is not supported by this version yet";
                return Err(self.problem(alias.name.span, message).into());
            }
        };
        let taken = |column: &str, scope: &super::Scope| {
            scope.bound[owner].columns.iter().any(|other| other.name == column)
                || from.unnests.iter().any(|other| other.owner == owner && other.column == column)
        };
        while taken(&column, self.scope()) {
            column.insert(0, '_');
        }
        let held = column.clone();
        let reach = if is_struct { Reach::Fields { owner, column } } else { Reach::Value { owner, column } };
        self.scope().bound.push(BoundRelation { reach, ..BoundRelation::new(name, columns) });
        Ok(held)
    }

    /// Makes queries of the relations whose lists are unnested, now that it is known what is used of them.
    pub(super) fn write_unnests(&mut self, from: &mut From) -> Result<(), Failure> {
        let unnests = std::mem::take(&mut from.unnests);
        for (level, unnest) in unnests.iter().enumerate() {
            let (before, after) = (&unnests[..level], &unnests[level + 1..]);
            let same_owner = |other: &&Unnest| other.owner == unnest.owner;
            let owner = &self.scope().bound[unnest.owner];
            let mut columns: BTreeSet<&str> = owner.used.iter().map(String::as_str).collect();
            columns.extend(after.iter().filter(same_owner).filter_map(|other| other.needs.as_deref()));
            columns.extend(before.iter().filter(same_owner).map(|other| other.column.as_str()));
            let selected: String = columns
                .iter()
                .map(|column| format!("{}.{}, ", quoted(&owner.alias), quoted(*column)))
                .collect();
            let list = unnest.list.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
            let text = format!("SELECT {selected}unnest({list}) AS {} FROM __owner", quoted(&unnest.column));
            let alias = owner.alias.clone();
            let mut query = generated(&text);
            let SetExpr::Select(select) = query.body.as_mut() else {
                unreachable!("a generated query is a SELECT");
            };
            let relation = &mut from.items[unnest.place].relation;
            std::mem::swap(&mut select.from[0].relation, relation);
            *relation = derived(query, &alias);
        }
        Ok(())
    }
}

/// Parses a query that this crate wrote.
pub(crate) fn generated(text: &str) -> Box<Query> {
    let parser = Parser::new(&GenericDialect {}).try_with_sql(text);
    let query = parser.and_then(|mut parser| parser.parse_query()).expect("generated SQL is well formed");
    without_places(query)
}

/// What this crate wrote stands nowhere in the user's file.
fn without_places(mut query: Box<Query>) -> Box<Query> {
    let flow = visit_expressions_mut(&mut query, |expr| {
        let names: Vec<&mut Ident> = match expr {
            Expr::Identifier(name) => vec![name],
            Expr::CompoundIdentifier(path) => path.iter_mut().collect(),
            Expr::Function(call) => call.name.0.iter_mut().filter_map(as_ident).collect(),
            _ => Vec::new(),
        };
        for name in names {
            name.span = Span::empty();
        }
        ControlFlow::<()>::Continue(())
    });
    debug_assert!(flow.is_continue(), "nothing stops it");
    query
}

fn as_ident(part: &mut ObjectNamePart) -> Option<&mut Ident> {
    match part {
        ObjectNamePart::Identifier(ident) => Some(ident),
        ObjectNamePart::Function(_) => None,
    }
}

pub(crate) fn derived(subquery: Box<Query>, alias: &str) -> TableFactor {
    TableFactor::Derived { lateral: false, subquery, alias: Some(named(alias)), sample: None }
}

fn keeps_left(operator: &JoinOperator) -> bool {
    matches!(
        operator,
        JoinOperator::Join(_)
            | JoinOperator::Inner(_)
            | JoinOperator::Left(_)
            | JoinOperator::LeftOuter(_)
            | JoinOperator::CrossJoin(_)
    )
}
