//! All pipelines planned together: views may read views, whichever stands first.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, DataFusionError};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::sql::sqlparser::ast::Query;
use factum_types::TopicName;

use super::comparisons::TextBesideNumber;
use super::cut::{self, StatePlan};
use super::extent::Excess;
use super::refuse::CutError;
use super::relations::{Kind, Relations};
use super::topic_reads::QueryReads;
use super::trial::TrialBudget;
use super::{
    Closing, Cut, Fingerprint, QueryPlan, ViewPlan, closing, comparisons, extent, prepared, slot_scan, trial,
};
use crate::access::RelationAccess;
use crate::clock_function::plan_reads_clock;
use crate::definitions::{DeclaredView, Definitions, PipelineDefinition, Problem, RelationName};
use crate::names::{
    Failure, Part, Places, ResolvedQuery, Resolver, place_of_span, planning_problem, too_large,
};
use crate::reference::ReferenceTable;
use crate::row_errors::{self, RowErrors};
use crate::schema::EventSchema;
use crate::statement::{self, Declaration, SourceText};

/// Most problems of one file that are told.
const MOST_PROBLEMS: usize = 20;

/// What became of the pipelines.
#[derive(Default)]
pub(crate) struct PlanResult {
    /// Each after the views that it reads.
    pub(crate) views: Vec<Arc<ViewPlan>>,
    /// Every view that is declared, materialized or not.
    pub(crate) declared: Vec<DeclaredView>,
    /// Views that cannot be planned yet.
    pub(crate) awaiting: Vec<Awaiting>,
    /// For queries over all of it.
    pub(crate) planner: Planner,
}

/// A view that waits for the first event of a topic, which shows what columns there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Awaiting {
    pub(crate) name: RelationName,
    /// Its statement as it was written.
    pub(crate) sql: Arc<str>,
    pub(crate) topic: TopicName,
}

/// Plans views and queries.
pub(crate) struct Planner {
    relations: Relations,
    /// Digests of the rows of reference tables.
    contents: BTreeMap<RelationName, Fingerprint>,
    lateness: BTreeMap<TopicName, Duration>,
    /// What is left for trying the calls of each file.
    trials: BTreeMap<PathBuf, TrialBudget>,
    /// What plain views read.
    plain: BTreeMap<RelationName, QueryReads>,
}

/// Plans everything that is defined. `schemas` has the columns of every topic that has some.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn plan(
    definitions: &Definitions,
    schemas: &BTreeMap<TopicName, EventSchema>,
) -> Result<PlanResult, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut planned =
        PlanResult { planner: Planner::new(definitions, schemas, &mut problems), ..PlanResult::default() };
    planned.pipelines(&definitions.pipelines, &mut problems);
    if problems.is_empty() { Ok(planned) } else { Err(in_order(problems)) }
}

/// The problems of each file in the order of its statements, [`MOST_PROBLEMS`] at most.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| a.place.cmp(&b.place).then(a.span.start.cmp(&b.span.start)));
    let files = problems.chunk_by_mut(|a, b| a.place == b.place).map(|file| {
        let further = file.len().saturating_sub(MOST_PROBLEMS);
        if further > 0 {
            let last = &mut file[MOST_PROBLEMS - 1];
            last.message.push_str(&format!(" (and {further} further problems in this file)"));
        }
        file.iter().take(MOST_PROBLEMS).cloned().collect::<Vec<_>>()
    });
    files.flatten().collect()
}

impl PlanResult {
    /// Plans each view once what it reads is planned, however they stand in their files.
    fn pipelines(&mut self, pipelines: &[PipelineDefinition], problems: &mut Vec<Problem>) {
        let mut ready: VecDeque<Pending> = self.planner.declared(pipelines, problems).into();
        self.declared = ready.iter().map(Pending::declared).collect();
        let mut needing: BTreeMap<RelationName, Vec<Pending>> = BTreeMap::new();
        while let Some(view) = ready.pop_front() {
            match self.planner.view(&view) {
                Ok(plan) => self.views.extend(plan.map(Arc::new)),
                Err(Failure::Needs(needed)) => {
                    needing.entry(needed).or_default().push(view);
                    continue;
                }
                Err(Failure::Awaits(topic)) => {
                    self.planner.relations.add_awaited(view.name.clone(), topic.clone());
                    let (name, sql) = (view.name.clone(), view.sql());
                    self.awaiting.push(Awaiting { name, sql, topic });
                }
                Err(Failure::Problem(problem)) => {
                    problems.push(*problem);
                    continue;
                }
                // A project's views are asked no permission.
                Err(Failure::Denied(_)) => continue,
            }
            ready.extend(needing.remove(&view.name).unwrap_or_default());
        }
        let needing = needing.into_iter().flat_map(|(needed, views)| {
            views.into_iter().map(move |view| (view.name.clone(), (view, needed.clone())))
        });
        circles(&needing.collect(), problems);
    }
}

/// A view that is to be planned.
struct Pending {
    name: RelationName,
    source: SourceText,
    declaration: Declaration,
}

impl Pending {
    fn declared(&self) -> DeclaredView {
        let name_place = self.declaration.name_place.clone();
        self.source.declared_view(self.name.clone(), name_place)
    }

    fn sql(&self) -> Arc<str> {
        Arc::from(&self.source.text()[self.declaration.place.clone()])
    }
}

impl Default for Planner {
    fn default() -> Self {
        Self {
            relations: Relations::new(),
            contents: BTreeMap::new(),
            lateness: BTreeMap::new(),
            trials: BTreeMap::new(),
            plain: BTreeMap::new(),
        }
    }
}

impl Planner {
    /// Knows what is defined, pipelines excepted.
    fn new(
        definitions: &Definitions,
        schemas: &BTreeMap<TopicName, EventSchema>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut planner = Self::default();
        for event in &definitions.events {
            let Some((team, name)) = event.topic.split() else { continue };
            let name = RelationName::new(team, name);
            planner.lateness.insert(event.topic.clone(), event.lateness);
            match schemas.get(&event.topic) {
                Some(schema) => planner.relations.add_stream(name, schema),
                None => planner.relations.add_awaited(name, event.topic.clone()),
            }
        }
        for definition in &definitions.tables {
            planner.contents.insert(definition.name.clone(), Fingerprint::of([&definition.csv[..]]));
            match ReferenceTable::read(definition) {
                Ok(table) => planner.relations.add_table(table.name.clone(), &provider(&table)),
                Err(problem) => problems.push(*problem),
            }
        }
        planner
    }

    /// Plain views and what they read.
    pub(crate) fn plain_views(&self) -> &BTreeMap<RelationName, QueryReads> {
        &self.plain
    }

    /// What queries may name.
    pub(crate) fn relations(&self) -> &Relations {
        &self.relations
    }

    /// Plans a query over what `access` sees; names have their team before them.
    pub(crate) fn query(&self, access: RelationAccess<'_>, text: &Arc<str>) -> Result<QueryPlan, Failure> {
        let source = SourceText::of_query(text);
        self.parsed_query(access, statement::query(&source)?, &source)
    }

    /// Plans a query that was read from `source`, likewise.
    pub(crate) fn parsed_query(
        &self,
        access: RelationAccess<'_>,
        query: Query,
        source: &SourceText,
    ) -> Result<QueryPlan, Failure> {
        let whole = 0..source.text().len();
        let written = query.clone();
        let resolver = Resolver::new(&self.relations, access, Arc::from(""), source, whole.clone());
        let planned =
            resolver.resolve(query).and_then(|resolved| Ok(self.analysed(resolved, source, &whole)?));
        let plan =
            planned.map_err(|failure| self.located(failure, &whole, || Places::of(&written, source)))?;
        // Places are sought only where they are shown: each is counted from the start of the text.
        check_calls(&plan, &mut TrialBudget::default())
            .map_err(|error| self.refused(error, &Places::of(&written, source), source, &whole))?;
        let text = source.shared_text();
        let mut query = QueryPlan { plan, text, topics: Vec::new(), views: Vec::new() };
        for name in scanned(&query.plan) {
            match self.relations.get(&name).map(|relation| &relation.kind) {
                Some(Kind::Stream { topic, .. }) => query.topics.push((name, topic.clone())),
                Some(Kind::View) => query.views.push(name),
                _ => {}
            }
        }
        Ok(query)
    }

    fn declared(&mut self, pipelines: &[PipelineDefinition], problems: &mut Vec<Problem>) -> Vec<Pending> {
        let mut pending: Vec<Pending> = Vec::new();
        for pipeline in pipelines {
            let source = SourceText::of(pipeline);
            for declaration in statement::declarations(&source, problems) {
                match self.name(pipeline, &source, &declaration) {
                    Ok(name) => {
                        self.relations.add_unplanned(name.clone());
                        pending.push(Pending { name, source: source.clone(), declaration });
                    }
                    Err(problem) => problems.push(*problem),
                }
            }
        }
        pending
    }

    fn name(
        &self,
        pipeline: &PipelineDefinition,
        source: &SourceText,
        declaration: &Declaration,
    ) -> Result<RelationName, Box<Problem>> {
        let problem = |message: String| Box::new(source.problem(declaration.name_place.clone(), message));
        let team = pipeline.team.as_str();
        let name = match &declaration.name[..] {
            [name] => name,
            [other, name] if other.value == team => name,
            [other, ..] => {
                return Err(problem(format!(
                    "a pipeline of {team} cannot declare a view of {}",
                    other.value
                )));
            }
            [] => return Err(problem("a view needs a name".to_owned())),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !name.value.chars().all(is_plain) || name.value.is_empty() || name.value.starts_with("__") {
            let message =
                "a view's name has letters, digits, '_' and '-', and does not begin with two underscores";
            return Err(problem(message.to_owned()));
        }
        let name = RelationName::new(team, name.value.as_str());
        match self.relations.get(&name).map(|relation| &relation.kind) {
            None => Ok(name),
            Some(Kind::Stream { .. } | Kind::Awaited { .. }) => {
                Err(problem(format!("{name} is a topic already")))
            }
            Some(Kind::Table) => Err(problem(format!("{name} is a reference table already"))),
            Some(_) => Err(problem(format!("{name} is declared twice"))),
        }
    }

    /// Plans one view and makes it known; a plain one has no plan of its own.
    fn view(&mut self, view: &Pending) -> Result<Option<ViewPlan>, Failure> {
        let Pending { name, source, declaration } = view;
        let place = &declaration.name_place;
        let places = Places::of(&declaration.query, source);
        let resolver = Resolver::new(
            &self.relations,
            RelationAccess::All,
            Arc::clone(&name.team),
            source,
            place.clone(),
        );
        let located = |failure| self.located(failure, place, || Places::of(&declaration.query, source));
        let mut resolved = resolver.resolve(declaration.query.clone()).map_err(located)?;
        let tumbles = std::mem::take(&mut resolved.tumbles);
        let plan = self.analysed(resolved, source, place).map_err(|problem| located(problem.into()))?;
        let plan = with_columns(plan, view)?;
        let budget = self.trials.entry(source.file().to_owned()).or_default();
        check_calls(&plan, budget).map_err(|error| self.refused(error, &places, source, place))?;
        if !declaration.is_materialized {
            self.plain.insert(name.clone(), QueryReads::of(&plan, &self.relations));
            self.relations.add_inlined(name.clone(), plan);
            return Ok(None);
        }
        let emit = declaration.on_window_close.as_ref();
        let closing = emit.map(|emit| closing::of_tumbles(&tumbles, &self.relations, source, emit));
        let closing = closing.transpose().map_err(Failure::Problem)?;
        let parts = cut::cut(plan, &self.relations, closing.map(|(_, size)| size))
            .map_err(|error| self.refused(error, &places, source, place))?;
        let closing = closing.map(|(closing, _)| closing);
        let kept = parts.kept.into_iter().enumerate();
        let cuts: Result<Vec<_>, _> = kept.map(|(number, kept)| self.cut(number, kept, closing)).collect();
        let checked = cuts.and_then(|cuts| {
            cut::check_types(&parts.top, self.relations.state())?;
            Ok(cuts)
        });
        let cuts = checked.map_err(|error| planning_problem(source, &error, place))?;
        // What a row cannot be computed for is null in it, whatever the types promise.
        let rows = row_errors::row_by_row(parts.top.clone(), &super::keys(&cuts), &RowErrors::default())
            .map_err(|error| planning_problem(source, &error, place))?;
        extent::check_written_out(&rows).map_err(|excess| too_large(excess, source, place))?;
        let state = self.relations.state();
        let kept = || cuts.iter().map(|cut| &cut.plan);
        kept()
            .chain([&parts.top, &rows])
            .try_for_each(|plan| prepared::check_runs(plan, state))
            .and_then(|()| kept().try_for_each(|plan| prepared::check_order(plan, state)))
            .map_err(|error| self.refused(error, &places, source, place))?;
        let plan = self.assemble(view, cuts, parts.top, &rows);
        self.relations.add_view(name.clone(), Arc::clone(&plan.columns));
        Ok(Some(plan))
    }

    /// The same failure at the part of the query that it is about, where nothing says so but its words; with the
    /// function that was meant.
    fn located(
        &self,
        mut failure: Failure,
        whole: &Range<usize>,
        places: impl FnOnce() -> Places,
    ) -> Failure {
        let Failure::Problem(problem) = &mut failure else { return failure };
        if problem.help.is_none()
            && let Some((_, name)) = problem.message.split_once("there is no function `")
        {
            problem.help = self.relations.function_meant(name.trim_end_matches('`'));
        }
        if problem.span == *whole {
            self.place(problem, &places());
        }
        failure
    }

    /// Moves a problem of a whole query to the part of it that the words are about.
    fn place(&self, problem: &mut Problem, places: &Places) {
        let parts = part_of(&problem.message).into_iter().flat_map(|part| match part {
            Part::Function(name) => self.relations.written_names(&name).map(Part::Function).collect(),
            part => vec![part],
        });
        let part = parts.collect::<Vec<_>>().iter().find_map(|part| places.find(part));
        if let Some(place) = part.or_else(|| places.constant_in(&problem.message)) {
            problem.span = place;
        }
    }

    /// A plan that is refused, at the part that is to blame if that has a place.
    fn refused(
        &self,
        error: CutError,
        places: &Places,
        source: &SourceText,
        place: &Range<usize>,
    ) -> Problem {
        match error {
            CutError::Refused(refusal) => refusal.problem(places, source.problem(place.clone(), "")),
            CutError::Plan(error) => {
                let mut problem = planning_problem(source, &error, place);
                if problem.span == *place {
                    self.place(&mut problem, places);
                }
                problem
            }
        }
    }

    fn analysed(
        &self,
        resolved: ResolvedQuery,
        source: &SourceText,
        place: &Range<usize>,
    ) -> Result<LogicalPlan, Problem> {
        let failed = |error| planning_problem(source, &error, place);
        let too_large = |excess: Excess| too_large(excess, source, place);
        let plan = self.relations.plan(resolved.query, &[]).map_err(failed)?;
        extent::check(&plan).map_err(too_large)?;
        if let Some(TextBesideNumber { message, help, span }) = comparisons::find(&plan) {
            let place = place_of_span(source, span).unwrap_or_else(|| place.clone());
            return Err(Problem { help: Some(help), ..source.problem(place, message) });
        }
        let plan = self.relations.analyse(plan).map_err(failed)?;
        extent::check_written_out(&plan).map_err(too_large)?;
        Ok(plan)
    }

    fn cut(&self, number: usize, kept: StatePlan, closing: Option<Closing>) -> Result<Cut, DataFusionError> {
        let pruned = slot_scan::pruned(kept.plan, &self.relations)?;
        let (plan, scan) = slot_scan::over_slot(pruned, &self.relations)?;
        cut::check_hidden_keys(&plan, self.relations.state())?;
        cut::check_types(&plan, self.relations.state())?;
        let shown = plan.display_indent_schema().to_string();
        let columns = format!("{:?}", scan.schema.fields());
        // Late rows are left out of windows that close, so that the same plan keeps another state.
        let lateness = self.lateness.get(&scan.topic).copied().unwrap_or_default();
        let closed = closing.map(|closing| format!("{closing:?} {lateness:?}")).unwrap_or_default();
        let tables = self.contents_of(&plan);
        let fingerprint = Fingerprint::of([shown.as_bytes(), columns.as_bytes(), closed.as_bytes(), &tables]);
        Ok(Cut {
            topic: scan.topic,
            projection: scan.projection,
            plan,
            kept: cut::kept_table(number),
            closing,
            fingerprint,
            lateness,
            lifted: kept.lifted,
            window_end: kept.window_end,
        })
    }

    fn contents_of(&self, plan: &LogicalPlan) -> Vec<u8> {
        let tables = scanned(plan).into_iter().filter_map(|name| self.contents.get(&name));
        tables.flat_map(|content| content.bytes()).collect()
    }

    fn assemble(&self, view: &Pending, cuts: Vec<Cut>, top: LogicalPlan, rows: &LogicalPlan) -> ViewPlan {
        let mut relations = scanned(&top);
        relations.extend(cuts.iter().flat_map(|cut| scanned(&cut.plan)));
        relations.sort_unstable();
        relations.dedup();
        let of_kind = |wanted: fn(&Kind) -> bool| {
            let fits = |name: &&RelationName| {
                self.relations.get(name).is_some_and(|relation| wanted(&relation.kind))
            };
            relations.iter().filter(fits).cloned().collect::<Vec<_>>()
        };
        let shown = top.display_indent_schema().to_string();
        let mut parts = vec![shown.into_bytes(), self.contents_of(&top)];
        parts.extend(cuts.iter().map(|cut| cut.fingerprint.bytes().to_vec()));
        parts.extend(cuts.iter().map(|cut| format!("{:?}", cut.lifted).into_bytes()));
        let fields = rows.schema().fields().iter().cloned().collect::<Vec<_>>();
        ViewPlan {
            name: view.name.clone(),
            sql: view.sql(),
            columns: Arc::new(Schema::new(fields)),
            depends_on: of_kind(|kind| matches!(kind, Kind::View)),
            tables: of_kind(|kind| matches!(kind, Kind::Table)),
            uses_clock: plan_reads_clock(&top) || cuts.iter().any(Cut::uses_clock),
            fingerprint: Fingerprint::of(parts.iter().map(Vec::as_slice)),
            cuts,
            top,
        }
    }
}

/// Refuses calls that do not compute what they say, or that cannot be computed at all.
fn check_calls(plan: &LogicalPlan, budget: &mut TrialBudget) -> Result<(), CutError> {
    prepared::check_aggregates(plan)?;
    trial::check(plan, budget)
}

/// The part of a query that a message is about.
fn part_of(message: &str) -> Option<Part> {
    let is_of = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match function_of(message) {
        Some(name) => Some(Part::Function(name)),
        None if is_of(&["UNION", "EXCEPT", "INTERSECT"]) => Some(Part::SetOperation),
        None if is_of(&["a query within an expression"]) => Some(Part::Subquery),
        None if is_of(&["GROUP BY "]) => Some(Part::GroupBy),
        None if is_of(&["LIMIT "]) => Some(Part::Limit),
        None if is_of(&["OFFSET "]) => Some(Part::Offset),
        None if is_of(&[" has no items"]) => Some(Part::Function("array_element".to_owned())),
        None if is_of(&["there is no type ", " cannot be cast to "]) => {
            Some(Part::Function("cast".to_owned()))
        }
        None if message.ends_with(" has no fields") => Some(Part::Access),
        None => None,
    }
}

/// The function that a message is about.
fn function_of(message: &str) -> Option<String> {
    let starts = ["no function takes ", "only count takes *, and not ", "two columns are called `"];
    let call = starts.iter().find_map(|start| message.strip_prefix(start));
    let name = match call {
        Some(call) => call.split_once('(')?.0,
        None => message.split_once(" takes ")?.0,
    };
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && name.chars().all(|c| !c.is_ascii_uppercase())).then(|| name.to_owned())
}

/// The rows of a reference table, for plans.
fn provider(table: &ReferenceTable) -> Arc<dyn TableProvider> {
    let rows = vec![vec![table.batch.clone()]];
    Arc::new(MemTable::try_new(table.batch.schema(), rows).expect("a batch has its own schema"))
}

/// Gives a view the columns that were listed after its name, and makes sure that each has a name of its own.
fn with_columns(plan: LogicalPlan, view: &Pending) -> Result<LogicalPlan, Failure> {
    let Declaration { columns: listed, name_place, .. } = &view.declaration;
    let problem = |message| Failure::from(view.source.problem(name_place.clone(), message));
    let columns = plan.schema().columns();
    if !listed.is_empty() && listed.len() != columns.len() {
        let message = format!("{} columns are listed and the query gives {}", listed.len(), columns.len());
        return Err(problem(message));
    }
    let names = (0..columns.len()).map(|place| match listed.get(place) {
        Some(ident) => ident.value.clone(),
        None => columns[place].name.clone(),
    });
    let names: Vec<String> = names.collect();
    let mut known = HashSet::with_capacity(names.len());
    if let Some(name) = names.iter().find(|name| !known.insert(name.as_str())) {
        return Err(problem(format!(
            "two columns are called `{name}`: give one of them another name with AS"
        )));
    }
    if listed.is_empty() {
        return Ok(plan);
    }
    let exprs = columns
        .into_iter()
        .zip(names)
        .map(|(column, name): (Column, String)| Expr::Column(column).alias(name));
    let projection = Projection::try_new(exprs.collect(), Arc::new(plan));
    let projection = projection.map_err(|error| planning_problem(&view.source, &error, name_place))?;
    Ok(LogicalPlan::Projection(projection))
}

/// The relations that a plan reads, subqueries included, each once.
fn scanned(plan: &LogicalPlan) -> Vec<RelationName> {
    let mut names = Vec::new();
    let looked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            names.extend(super::relations::relation_name(&scan.table_name));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    looked.expect("looking never fails");
    names.sort_unstable();
    names.dedup();
    names
}

/// Views that need each other are wrong; those that need a wrong one are not to blame. Each is there with the one that
/// it needs.
fn circles(needing: &BTreeMap<RelationName, (Pending, RelationName)>, problems: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    for first in needing.keys() {
        // From one to the next, up to one that was there before: in this path, which is a circle, or in another.
        let (mut path, mut next) = (Vec::new(), Some(first));
        while let Some(name) = next.filter(|name| seen.insert(*name)) {
            path.push(name);
            next = needing.get(name).map(|(_, needed)| needed);
        }
        let Some(begin) = path.iter().position(|name| Some(*name) == next) else { continue };
        let circle = &path[begin..];
        let least = (0..circle.len()).min_by_key(|place| circle[*place]).unwrap_or(0);
        let names: Vec<_> =
            circle[least..].iter().chain(&circle[..=least]).map(ToString::to_string).collect();
        let Some((view, _)) = needing.get(circle[least]) else { continue };
        let message = match circle {
            [name] => format!("{name} reads itself"),
            _ => format!("{} reads itself: {}", view.name, names.join(" → ")),
        };
        problems.push(view.source.problem(view.declaration.name_place.clone(), message));
    }
}
