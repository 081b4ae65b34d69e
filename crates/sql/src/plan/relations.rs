//! Everything that a query may name, as DataFusion's SQL planner asks for it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, TableReference, plan_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, LogicalTableSource, ScalarUDF, TableSource, WindowUDF,
};
use datafusion::optimizer::Analyzer;
use datafusion::sql::planner::{NullOrdering, ParserOptions, PlannerContext, SqlToRel};
use datafusion::sql::sqlparser::ast::{self, Query, Statement};
use factum_types::TopicName;

use crate::checked::CheckedArithmetic;
use crate::clock_function;
use crate::definitions::RelationName;
use crate::float_coercion::DoublesBesideDecimals;
use crate::float_total::functions::statistics;
use crate::limited_functions::LimitedFunctions;
use crate::literals::SettledLiterals;
use crate::names::suggest;
use crate::schema::EventSchema;
use crate::{avg, session, sum, tumble};

/// What a name stands for.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// The events of a topic; the time column.
    Stream { topic: TopicName, time: usize },
    /// Rows that a project ships.
    Table,
    /// A materialized view.
    View,
    /// A name for a query.
    Inlined,
    /// A topic whose columns are not known before its first event.
    Awaited { topic: TopicName },
    /// A view that is declared and not planned, or not yet.
    Unplanned,
}

/// Something that can stand in FROM.
#[derive(Clone)]
pub(crate) struct Relation {
    pub(crate) kind: Kind,
    pub(crate) schema: SchemaRef,
    source: Arc<dyn TableSource>,
}

/// All relations, and DataFusion's functions with our clock.
pub(crate) struct Relations {
    known: BTreeMap<RelationName, Relation>,
    state: SessionState,
    analyzer: Analyzer,
}

/// The plan behind a name.
struct InlinedView {
    plan: LogicalPlan,
    schema: SchemaRef,
}

impl TableSource for InlinedView {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }
}

impl Relations {
    pub(crate) fn new() -> Self {
        let context = session::streaming();
        context.register_udf(clock_function::now());
        context.register_udf(clock_function::current_date());
        tumble::functions().into_iter().for_each(|function| context.register_udf(function));
        context.register_udaf(sum::sum());
        context.register_udaf(avg::avg());
        statistics().into_iter().for_each(|function| context.register_udaf(function));
        let mut rules = Analyzer::new().rules;
        rules.insert(0, Arc::new(DoublesBesideDecimals));
        rules.push(Arc::new(SettledLiterals));
        rules.push(Arc::new(CheckedArithmetic));
        rules.push(Arc::new(LimitedFunctions));
        Self { known: BTreeMap::new(), state: context.state(), analyzer: Analyzer::with_rules(rules) }
    }

    pub(crate) fn add_stream(&mut self, name: RelationName, event: &EventSchema) {
        let kind = Kind::Stream { topic: event.topic.clone(), time: event.time };
        self.add(name, kind, Arc::clone(&event.schema));
    }

    pub(crate) fn add_table(&mut self, name: RelationName, provider: &Arc<dyn TableProvider>) {
        let schema = provider.schema();
        let source = provider_as_source(Arc::clone(provider));
        self.known.insert(name, Relation { kind: Kind::Table, schema, source });
    }

    pub(crate) fn add_view(&mut self, name: RelationName, schema: SchemaRef) {
        self.add(name, Kind::View, schema);
    }

    pub(crate) fn add_inlined(&mut self, name: RelationName, plan: LogicalPlan) {
        let schema = Arc::new(plan.schema().as_arrow().clone());
        let source = Arc::new(InlinedView { plan, schema: Arc::clone(&schema) });
        self.known.insert(name, Relation { kind: Kind::Inlined, schema, source });
    }

    pub(crate) fn add_awaited(&mut self, name: RelationName, topic: TopicName) {
        self.add(name, Kind::Awaited { topic }, Arc::new(Schema::empty()));
    }

    pub(crate) fn add_unplanned(&mut self, name: RelationName) {
        self.add(name, Kind::Unplanned, Arc::new(Schema::empty()));
    }

    fn add(&mut self, name: RelationName, kind: Kind, schema: SchemaRef) {
        let source = Arc::new(LogicalTableSource::new(Arc::clone(&schema)));
        self.known.insert(name, Relation { kind, schema, source });
    }

    pub(crate) fn get(&self, name: &RelationName) -> Option<&Relation> {
        self.known.get(name)
    }

    pub(crate) fn get_with_key(&self, name: &RelationName) -> Option<(&RelationName, &Relation)> {
        self.known.get_key_value(name)
    }

    /// What a scan of a plan reads.
    pub(crate) fn of_scan(&self, table: &TableReference) -> Option<(&RelationName, &Relation)> {
        self.known.get_key_value(&relation_name(table)?)
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&RelationName, &Relation)> {
        self.known.iter()
    }

    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    /// Plans a query whose names are resolved, within the CTEs around it.
    pub(crate) fn plan(&self, query: Query, around: &[(String, LogicalPlan)]) -> Result<LogicalPlan> {
        let mut context = PlannerContext::new();
        for (name, plan) in around {
            context.insert_cte(name.clone(), plan.clone());
        }
        self.planner().sql_statement_to_plan_with_context(Statement::Query(Box::new(query)), &mut context)
    }

    /// Plans an expression over no columns.
    pub(crate) fn constant(&self, expr: ast::Expr) -> Result<Expr> {
        let nothing = datafusion::common::DFSchema::empty();
        self.planner().sql_to_expr(expr, &nothing, &mut PlannerContext::new())
    }

    /// Gives every expression its types.
    pub(crate) fn analyse(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        self.analyzer.execute_and_check(plan, self.state.config_options(), |_, _| {})
    }

    /// Whether there is a function of this name, in lower case.
    pub(crate) fn is_function(&self, name: &str) -> bool {
        self.state.scalar_functions().contains_key(name)
            || self.state.aggregate_functions().contains_key(name)
    }

    /// What to write for a function that there is not.
    pub(crate) fn function_meant(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        if self.state.window_functions().contains_key(&name) {
            return Some(format!("it is a window function: write {name}(…) OVER (ORDER BY …)"));
        }
        let aggregates = self.state.aggregate_functions().keys();
        let known = aggregates.chain(self.state.scalar_functions().keys()).map(String::as_str);
        // Casts that the planner makes, which are no functions to be written.
        let known = known.filter(|name| !name.ends_with("cast_to_type"));
        suggest::nearest(&name, known).map(|near| format!("did you mean '{near}'?"))
    }

    /// The names by which a scalar function or an aggregate may have been written.
    pub(crate) fn written_names(&self, name: &str) -> impl Iterator<Item = String> {
        let scalar = self.state.scalar_functions().get(name).map(|function| function.aliases());
        let aggregate = self.state.aggregate_functions().get(name).map(|function| function.aliases());
        let aliases = scalar.into_iter().chain(aggregate).flatten().cloned();
        std::iter::once(name.to_owned()).chain(aliases.collect::<Vec<_>>())
    }

    fn planner(&self) -> SqlToRel<'_, Self> {
        let options = ParserOptions {
            // Money is decimal, also where it meets a literal.
            parse_float_as_decimal: true,
            // Names are resolved before, to the letter.
            enable_ident_normalization: false,
            support_varchar_with_length: true,
            enable_options_value_normalization: false,
            collect_spans: true,
            map_string_types_to_utf8view: false,
            default_null_ordering: NullOrdering::NullsMax,
        };
        SqlToRel::new_with_options(self, options)
    }
}

/// How a plan names a relation.
pub(crate) fn table_reference(name: &RelationName) -> TableReference {
    TableReference::partial(Arc::clone(&name.team), Arc::clone(&name.name))
}

/// The relation that a plan names so.
pub(crate) fn relation_name(table: &TableReference) -> Option<RelationName> {
    Some(RelationName::new(table.schema()?, table.table()))
}

/// The same columns under other names, and each of them possibly null where `nullable` says so.
pub(crate) fn renamed(
    schema: &Schema,
    mut name: impl FnMut(usize, &Field) -> String,
    nullable: impl Fn(&Field) -> bool,
) -> SchemaRef {
    let fields = schema.fields().iter().enumerate().map(|(place, field)| {
        Field::new(name(place, field), field.data_type().clone(), field.is_nullable() || nullable(field))
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

impl ContextProvider for Relations {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        match self.of_scan(&name) {
            Some((_, relation)) => Ok(Arc::clone(&relation.source)),
            None => plan_err!("there is no table, view or topic {name}"),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
