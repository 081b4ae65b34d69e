//! FROM: relations, the names that they go by, and joins between them.

use datafusion::sql::sqlparser::ast::{
    Ident, Join, JoinConstraint, JoinOperator, ObjectName, Spanned, TableAlias, TableFactor, TableWithJoins,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::scope::{BoundColumn, BoundRelation, Outputs, Reach, quoted, same};
use super::unnest::Unnest;
use super::{Failure, Resolver, bound_of, lookup};
use crate::access::RelationAccess;
use crate::decode::envelope;
use crate::definitions::RelationName;
use crate::plan::relations::Kind;
use crate::statement::identifiers;

/// Each relation nests the plan one deeper, and planning walks it by recursion.
const MAX_ITEMS: usize = 100;
/// Each relation adds its columns to those of all before: the planner makes a list of them at every join.
const MOST_COLUMNS: usize = 4_000;

/// FROM as it is to be, and the lists that are unnested in it.
pub(super) struct From {
    pub(super) items: Vec<TableWithJoins>,
    pub(super) unnests: Vec<Unnest>,
}

impl Resolver<'_> {
    pub(super) fn from(&mut self, items: Vec<TableWithJoins>) -> Result<From, Failure> {
        let mut from = From { items: Vec::with_capacity(items.len()), unnests: Vec::new() };
        if items.len() > MAX_ITEMS {
            let message = format!("FROM has at most {MAX_ITEMS} relations");
            return Err(self.problem(items[MAX_ITEMS].relation.span(), message).into());
        }
        for mut item in items {
            let place = if matches!(item.relation, TableFactor::UNNEST { .. }) {
                self.unnest(item.relation, &mut from)?
            } else {
                let place = from.items.len();
                self.factor(&mut item.relation, Some(place))?;
                from.items.push(TableWithJoins { relation: item.relation, joins: Vec::new() });
                place
            };
            for join in item.joins {
                self.join(join, place, &mut from)?;
            }
        }
        Ok(from)
    }

    fn join(&mut self, mut join: Join, place: usize, from: &mut From) -> Result<(), Failure> {
        if matches!(join.relation, TableFactor::UNNEST { .. }) {
            if !is_every_row(&join.join_operator) {
                let message = "a list is unnested by `, UNNEST(list) AS item`: other joins with it are not supported by this version yet";
                return Err(self.problem(join.relation.span(), message).into());
            }
            self.unnest(join.relation, from)?;
            return Ok(());
        }
        self.factor(&mut join.relation, None)?;
        self.constraint(&mut join.join_operator)?;
        from.items[place].joins.push(join);
        Ok(())
    }

    fn constraint(&mut self, operator: &mut JoinOperator) -> Result<(), Failure> {
        let Some(constraint) = constraint_of(operator) else { return Ok(()) };
        match constraint {
            JoinConstraint::On(condition) => self.expression(condition, Outputs::Unseen),
            JoinConstraint::Using(columns) => {
                for column in columns {
                    *column = self.using(column)?;
                }
            }
            JoinConstraint::Natural => {
                if self.scope().bound.iter().any(|bound| bound.reach != Reach::Columns) {
                    let message = "NATURAL does not see the fields of unnested items: join by ON";
                    return Err(self.problem(Span::empty(), message).into());
                }
                self.scope().bound.iter_mut().for_each(BoundRelation::use_all);
            }
            JoinConstraint::None => {}
        }
        Ok(())
    }

    /// The column that both sides of a USING have.
    fn using(&mut self, column: &ObjectName) -> Result<ObjectName, Failure> {
        let path = identifiers(column).unwrap_or_default();
        let [name] = &path[..] else {
            return Err(self.problem(column.span(), "USING takes names of columns").into());
        };
        let is_item = |bound: &BoundRelation| {
            bound.reach != Reach::Columns && bound.columns.iter().any(|other| same(name, &other.name))
        };
        if self.scope().bound.iter().any(is_item) {
            let message =
                format!("`{}` is a field of an unnested item: join by ON and not by USING", name.value);
            return Err(self.problem(column.span(), message).into());
        }
        let mut meant = None;
        for bound in &mut self.scope().bound {
            let fitting = bound.columns.iter().find(|other| same(name, &other.name));
            if let Some(fitting) = fitting.map(|column| column.name.clone()) {
                bound.used.insert(fitting.clone());
                meant = Some(fitting);
            }
        }
        let Some(meant) = meant else {
            let message = format!("there is no column `{}` to join by", name.value);
            return Err(self.problem(column.span(), message).into());
        };
        Ok(ObjectName::from(vec![quoted(meant)]))
    }

    /// Binds a relation; `place` is the item of FROM that it begins.
    pub(super) fn factor(&mut self, factor: &mut TableFactor, place: Option<usize>) -> Result<(), Failure> {
        let span = factor.span();
        if let Some((what, help)) = beside_its_name(factor) {
            let mut problem = self.problem(span, format!("{what} is not supported in FROM"));
            problem.help = Some(help.to_owned());
            return Err(problem.into());
        }
        let bound = match factor {
            TableFactor::Table { name, alias, args: None, .. } => self.table(name, alias)?,
            TableFactor::Table { .. } => {
                let (rewritten, bound) = self.table_function(factor)?;
                *factor = rewritten;
                bound
            }
            TableFactor::Derived { lateral: false, subquery, alias, .. } => {
                let plan = self.apart(|resolver| resolver.derived(subquery))?;
                let alias = alias.get_or_insert_with(|| named(&format!("__query_{}", span.start.column)));
                bound_of(alias.name.value.clone(), &plan)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                return self.nested(table_with_joins);
            }
            _ => return Err(self.problem(span, "this is not supported in FROM by this version yet").into()),
        };
        self.bind(BoundRelation { place, ..bound }, factor, span)
    }

    fn nested(&mut self, item: &mut TableWithJoins) -> Result<(), Failure> {
        self.factor(&mut item.relation, None)?;
        for join in &mut item.joins {
            self.factor(&mut join.relation, None)?;
            self.constraint(&mut join.join_operator)?;
        }
        Ok(())
    }

    fn bind(
        &mut self,
        mut bound: BoundRelation,
        factor: &mut TableFactor,
        span: Span,
    ) -> Result<(), Failure> {
        if let TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. } = factor
        {
            for (column, named) in bound.columns.iter_mut().zip(&mut alias.columns) {
                column.name.clone_from(&named.name.value);
                named.name = quoted(column.name.clone());
            }
            alias.name = quoted(bound.alias.clone());
        }
        if self.scope().bound.iter().any(|other| other.alias == bound.alias) {
            let message =
                format!("`{}` is twice in FROM: give one of them another name with AS", bound.alias);
            return Err(self.problem(span, message).into());
        }
        self.scope().bound.push(bound);
        if self.scope().bound.iter().map(|bound| bound.columns.len()).sum::<usize>() > MOST_COLUMNS {
            let mut problem = self
                .problem(span, format!("the relations in FROM have more than {MOST_COLUMNS} columns in all"));
            problem.help = Some("join subqueries that select the columns that are needed".to_owned());
            return Err(problem.into());
        }
        Ok(())
    }

    /// Binds a relation by its name, which is written out.
    fn table(
        &mut self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
    ) -> Result<BoundRelation, Failure> {
        let path = identifiers(name).unwrap_or_default();
        if let [single] = &path[..]
            && let Some((cte, plan)) = self.cte(single)
        {
            let bound = bound_of(alias.as_ref().map_or(cte, |alias| &alias.name.value).clone(), plan);
            *name = ObjectName::from(vec![quoted(cte.clone())]);
            alias.get_or_insert_with(|| named(&bound.alias));
            return Ok(bound);
        }
        let (relation, columns) = self.relation(&path, name)?;
        *name = ObjectName::from(vec![quoted(&*relation.team), quoted(&*relation.name)]);
        let alias = alias.get_or_insert_with(|| named(&relation.name));
        let bound = BoundRelation::new(alias.name.value.clone(), columns);
        Ok(BoundRelation { relation: Some(relation), ..bound })
    }

    /// The relation that a path names, and its columns.
    pub(super) fn relation(
        &self,
        path: &[Ident],
        written: &ObjectName,
    ) -> Result<(RelationName, Vec<BoundColumn>), Failure> {
        let Some((name, relation)) = lookup::relation(self.relations, self.access, &self.team, path) else {
            return Err(self.unknown_relation(written));
        };
        self.access.check(name, relation)?;
        let is_stream = match &relation.kind {
            Kind::Awaited { topic } => return Err(Failure::Awaits(topic.clone())),
            Kind::Unplanned => return Err(Failure::Needs(name.clone())),
            Kind::Stream { .. } => true,
            Kind::Table | Kind::View | Kind::Inlined => false,
        };
        let fields = relation.schema.fields();
        let data = fields.len().saturating_sub(if is_stream { envelope::fields().len() } else { 0 });
        let columns = fields.iter().enumerate().map(|(place, field)| BoundColumn {
            name: field.name().clone(),
            data_type: field.data_type().clone(),
            is_envelope: place >= data,
        });
        Ok((name.clone(), columns.collect()))
    }

    /// Says that there is no relation of this name for the caller, and which was probably meant.
    pub(super) fn unknown_relation(&self, written: &ObjectName) -> Failure {
        if let RelationAccess::One(only) = self.access {
            return Failure::Needs(only.clone());
        }
        let path = identifiers(written).unwrap_or_default();
        let mut problem =
            self.problem(written.span(), format!("there is no topic, table or view `{written}`"));
        let known = self.relations.all().filter(|(name, relation)| self.access.sees(name, relation));
        problem.help = Some(lookup::help(known.map(|(name, _)| name), &self.team, &path));
        problem.into()
    }
}

pub(super) fn named(alias: &str) -> TableAlias {
    TableAlias { explicit: true, name: quoted(alias), columns: Vec::new(), at: None }
}

/// `CROSS JOIN`, `JOIN … ON true`: every row with every row.
fn is_every_row(operator: &JoinOperator) -> bool {
    match operator {
        JoinOperator::CrossJoin(constraint)
        | JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint) => match constraint {
            JoinConstraint::None => true,
            JoinConstraint::On(condition) => condition.to_string().eq_ignore_ascii_case("true"),
            _ => false,
        },
        _ => false,
    }
}

fn constraint_of(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint) => Some(constraint),
        _ => None,
    }
}

/// What stands beside a relation and would not be heeded, and what to write.
fn beside_its_name(factor: &TableFactor) -> Option<(&'static str, &'static str)> {
    const SAMPLE: (&str, &str) = ("TABLESAMPLE", "choose rows by a condition, such as id % 100 = 0");
    match factor {
        TableFactor::Table { version: Some(_), .. } => Some((
            "FOR SYSTEM_TIME AS OF",
            "join the reference table as it is: FROM orders JOIN products ON …",
        )),
        TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
            Some(SAMPLE)
        }
        TableFactor::Table { partitions, .. } if !partitions.is_empty() => {
            Some(("PARTITION", "write WHERE _partition = 0"))
        }
        TableFactor::Derived { lateral: true, .. } | TableFactor::Function { lateral: true, .. } => {
            Some(("LATERAL", "write FROM orders, UNNEST(details) AS d: each item is a row of its own"))
        }
        _ => None,
    }
}
