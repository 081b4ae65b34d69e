//! `SHOW TABLES` and `DESCRIBE`: what a caller may query, and the columns of it.
//!
//! Invariant: what the caller may not see is not there: it is neither listed nor described nor suggested.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::{filter_record_batch, ilike, like};
use arrow::datatypes::{Field, Schema};
use datafusion::sql::sqlparser::ast::{ObjectName, Spanned};
use factum_types::{Action, Resource};

use super::query::within;
use super::{Effective, Engine, QueryLimits};
use crate::access::{AccessCheck, RelationAccess};
use crate::decode::envelope;
use crate::definitions::RelationName;
use crate::error::{QueryError, ReadError};
use crate::names::{lookup, same};
use crate::plan::QueryPlan;
use crate::plan::relations::{Kind, Relation};
use crate::schema::{EventSchema, squashed};
use crate::statement::{
    self, NamePattern, RelationFilter, Runnable, ShowStatement, ShownKind, SourceText, identifiers,
};
use crate::view::{Freshness, Rows};
use crate::wording;

/// Most bytes of a pattern that names are compared with.
const LONGEST_PATTERN: usize = 1_000;

/// A statement that is ready to run, or the rows that it was answered with.
enum PreparedStatement {
    Query(QueryPlan),
    Rows(RecordBatch),
}

impl Engine {
    /// Runs one statement of a caller who may do what `access` allows: a query, as [`Engine::query`] does, over relations that
    /// it may read, or `SHOW TABLES`, `DESCRIBE` and their like, of what it may describe. Dropping the future ends it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn statement(
        &self,
        sql: &str,
        limits: QueryLimits,
        access: AccessCheck,
    ) -> Result<Rows, QueryError> {
        let slot = self.0.queries.slot(limits.client, limits.time).await?;
        let (engine, text) = (self.clone(), Arc::from(sql));
        within(limits.time, async {
            match slot.run(async move { engine.prepared(&text, &access) }).await? {
                PreparedStatement::Query(plan) => self.run(&slot, plan, Some(limits.rows)).await,
                PreparedStatement::Rows(batch) => self.shown(batch, limits.rows),
            }
        })
        .await
    }

    fn prepared(&self, text: &Arc<str>, access: &AccessCheck) -> Result<PreparedStatement, QueryError> {
        let source = SourceText::of_query(text);
        let effective = self.effective();
        let described = RelationAccess::Asked(Action::Describe, access);
        match statement::runnable(&source).map_err(|problem| QueryError::Refused(vec![problem]))? {
            Runnable::Query(query) => {
                // A query that names no relation takes a slot as any other does.
                access(Action::Read, Resource::AnyTopic).map_err(QueryError::Denied)?;
                let read = RelationAccess::Asked(Action::Read, access);
                let planned = effective.planned.planner.parsed_query(read, *query, &source);
                planned.map(PreparedStatement::Query).map_err(|failure| self.refused(failure))
            }
            Runnable::Show(ShowStatement::Relations(filter)) => {
                effective.relations_like(&filter, &source, described).map(PreparedStatement::Rows)
            }
            Runnable::Show(ShowStatement::Columns(name)) => {
                effective.columns_of(&name, &source, described).map(PreparedStatement::Rows)
            }
        }
    }

    fn shown(&self, batch: RecordBatch, most: usize) -> Result<Rows, QueryError> {
        if batch.num_rows() > most {
            let reason = format!("there are more than {most} rows (http.max_rows): add LIKE 'team.%'");
            return Err(QueryError::TooLarge { reason });
        }
        let freshness = Freshness::at(self.0.environment.clock.now());
        Ok(Rows::of(freshness, batch))
    }
}

impl Effective {
    /// Names, kinds and numbers of columns.
    fn relations_like(
        &self,
        filter: &RelationFilter,
        source: &SourceText,
        access: RelationAccess<'_>,
    ) -> Result<RecordBatch, QueryError> {
        let is_asked = |name: &RelationName, relation: &Relation| {
            filter.team.as_ref().is_none_or(|team| same(team, &name.team))
                && filter.kind.is_none_or(|kind| kind == kind_of(name, relation))
        };
        let all = self.planned.planner.relations().all();
        let shown: Vec<_> =
            all.filter(|(name, relation)| is_asked(name, relation) && access.sees(name, relation)).collect();
        let names: Vec<String> = shown.iter().map(|(name, _)| name.to_string()).collect();
        let kinds = shown.iter().map(|(name, relation)| kind_of(name, relation).word());
        let columns = shown.iter().map(|(_, relation)| {
            let is_known = !matches!(relation.kind, Kind::Awaited { .. } | Kind::Unplanned);
            is_known.then(|| i64::try_from(relation.schema.fields().len()).unwrap_or(i64::MAX))
        });
        let batch = batch(vec![
            column("name", false, Arc::new(StringArray::from_iter_values(names))),
            column("kind", false, Arc::new(StringArray::from_iter_values(kinds))),
            column("columns", true, Arc::new(columns.collect::<Int64Array>())),
        ]);
        match &filter.pattern {
            Some(pattern) => matching(&batch, pattern, source),
            None => Ok(batch),
        }
    }

    /// The columns of one relation: their names, types, whether they may be null, and where they come from.
    fn columns_of(
        &self,
        name: &ObjectName,
        source: &SourceText,
        access: RelationAccess<'_>,
    ) -> Result<RecordBatch, QueryError> {
        let relations = self.planned.planner.relations();
        let path = identifiers(name).unwrap_or_default();
        let found = lookup::relation(relations, access, "", &path);
        let Some((name, relation)) = found else {
            let place = source.range(name.span()).unwrap_or(0..source.text().len());
            let mut problem = source.problem(place, format!("there is no topic, table or view `{name}`"));
            let visible = relations.all().filter(|(name, relation)| access.sees(name, relation));
            problem.help = Some(lookup::help(visible.map(|(name, _)| name), "", &path));
            return Err(QueryError::Refused(vec![problem]));
        };
        let waiting = |reason| {
            let view = name.clone();
            Err(QueryError::View(ReadError::Waiting { view, reason }))
        };
        let origins = match &relation.kind {
            Kind::Awaited { topic } => return waiting(self.waits_for(topic)),
            Kind::Unplanned => return waiting("its definition".to_owned()),
            Kind::Stream { topic, .. } => self.schemas.get(topic).map(event_origins).unwrap_or_default(),
            Kind::Table => self.table_origins(name, relation),
            Kind::View | Kind::Inlined => Vec::new(),
        };
        let fields = relation.schema.fields();
        let names = fields.iter().map(|field| field.name().as_str());
        let types = fields.iter().map(|field| wording::type_name(field.data_type()));
        let nullable: Vec<bool> = fields.iter().map(|field| field.is_nullable()).collect();
        let origins = (0..fields.len()).map(|place| origins.get(place));
        Ok(batch(vec![
            column("name", false, Arc::new(StringArray::from_iter_values(names))),
            column("type", false, Arc::new(StringArray::from_iter_values(types))),
            column("nullable", false, Arc::new(BooleanArray::from(nullable))),
            column("source", true, Arc::new(origins.collect::<StringArray>())),
        ]))
    }

    fn table_origins(&self, name: &RelationName, relation: &Relation) -> Vec<String> {
        let table = self.definitions.tables.iter().find(|table| table.name == *name);
        let is_key = |column: &str| table.is_some_and(|table| squashed(&table.key) == squashed(column));
        let origin =
            |column: &str| if is_key(column) { "key of the table" } else { "column of the CSV file" };
        relation.schema.fields().iter().map(|field| origin(field.name()).to_owned()).collect()
    }
}

fn event_origins(event: &EventSchema) -> Vec<String> {
    let of_data = (0..event.data_columns()).map(|place| match place == event.time {
        true => "field of the event, its time".to_owned(),
        false => "field of the event".to_owned(),
    });
    of_data.chain(envelope::origins()).collect()
}

fn kind_of(name: &RelationName, relation: &Relation) -> ShownKind {
    match &relation.kind {
        Kind::Stream { .. } => ShownKind::Topic,
        // What waits for a topic may be the topic itself, or a view of it.
        Kind::Awaited { topic } if topic.split() == Some((&*name.team, &*name.name)) => ShownKind::Topic,
        Kind::Table => ShownKind::Table,
        Kind::View | Kind::Inlined | Kind::Awaited { .. } | Kind::Unplanned => ShownKind::View,
    }
}

/// The rows whose names are like a pattern.
fn matching(
    batch: &RecordBatch,
    pattern: &NamePattern,
    source: &SourceText,
) -> Result<RecordBatch, QueryError> {
    let refused =
        |message: String| QueryError::Refused(vec![source.problem(0..source.text().len(), message)]);
    if pattern.text.len() > LONGEST_PATTERN {
        return Err(refused(format!("the pattern is longer than {LONGEST_PATTERN} bytes")));
    }
    let compare = if pattern.ignores_case { ilike } else { like };
    let text = StringArray::new_scalar(&pattern.text);
    let fits =
        compare(batch.column(0), &text).map_err(|error| refused(wording::plain(&error.to_string())))?;
    Ok(filter_record_batch(batch, &fits).expect("a mask of this batch"))
}

fn column(name: &str, nullable: bool, values: ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, values.data_type().clone(), nullable), values)
}

fn batch(columns: Vec<(Field, ArrayRef)>) -> RecordBatch {
    let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .expect("columns of these types and one length")
}
