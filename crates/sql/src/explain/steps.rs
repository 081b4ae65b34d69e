//! The steps of a plan, the first one first.

use datafusion::common::{JoinType, TableReference};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, Join, Limit, LogicalPlan, Projection, TableScan};

use super::expression::Expressions;

/// The most steps that are shown, and the most bytes of them: a plan that is written out may have more.
const MOST_STEPS: usize = 2_000;
const MOST_BYTES: usize = 1 << 20;

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    /// How deep it stands within others.
    pub(super) depth: usize,
    pub(super) verb: &'static str,
    pub(super) shown: String,
}

/// The steps of `plan`.
pub(super) fn of(plan: &LogicalPlan, expressions: &Expressions) -> Vec<Step> {
    let mut walk = Walk { expressions, steps: Vec::new(), depth: 0, bytes: 0 };
    walk.node(plan, true);
    walk.steps
}

struct Walk<'e> {
    expressions: &'e Expressions,
    steps: Vec<Step>,
    depth: usize,
    /// What is shown so far.
    bytes: usize,
}

impl Walk<'_> {
    fn add(&mut self, verb: &'static str, shown: impl Into<String>) {
        if self.is_full() {
            return;
        }
        let mut step = Step { depth: self.depth, verb, shown: shown.into() };
        self.bytes += step.shown.len();
        if self.is_full() {
            (step.verb, step.shown) = ("…", "further steps are left out".to_owned());
        }
        self.steps.push(step);
    }

    fn is_full(&self) -> bool {
        self.steps.len() >= MOST_STEPS || self.bytes > MOST_BYTES
    }

    fn shown(&self, expr: &Expr) -> String {
        self.expressions.shown(expr)
    }

    fn list<'x>(&self, exprs: impl IntoIterator<Item = &'x Expr>) -> String {
        exprs.into_iter().map(|expr| self.shown(expr)).collect::<Vec<_>>().join(", ")
    }

    /// The steps up to `plan`; `is_last` where nothing but sorting and cutting comes behind it.
    fn node(&mut self, plan: &LogicalPlan, is_last: bool) {
        if self.is_full() {
            return;
        }
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::SubqueryAlias(alias) => self.node(&alias.input, is_last),
            LogicalPlan::Projection(projection) => self.projection(projection, is_last),
            LogicalPlan::Filter(filter) => {
                self.node(&filter.input, false);
                self.add("filters", self.shown(&filter.predicate));
            }
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, is_last),
            LogicalPlan::Window(window) => {
                self.node(&window.input, false);
                self.add("windows", self.list(&window.window_expr));
            }
            LogicalPlan::Sort(sort) => {
                self.node(&sort.input, is_last);
                let keys = sort.expr.iter().map(|key| self.expressions.sort_key(key));
                self.add("sorts by", keys.collect::<Vec<_>>().join(", "));
                if let Some(most) = sort.fetch {
                    self.add("takes", rows(&most.to_string()));
                }
            }
            LogicalPlan::Limit(limit) => self.limit(limit, is_last),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                self.node(input, is_last);
                self.add("distinct", "drops rows that are there already");
            }
            LogicalPlan::Distinct(Distinct::On(on)) => {
                self.node(&on.input, false);
                self.add("distinct", format!("the first row for each {}", self.list(&on.on_expr)));
                self.add("returns", self.list(&on.select_expr));
            }
            LogicalPlan::Unnest(unnest) => {
                self.node(&unnest.input, false);
                let columns = unnest.exec_columns.iter().map(|column| self.expressions.column(column));
                self.add(
                    "unnests",
                    format!("{}: one row for each item", columns.collect::<Vec<_>>().join(", ")),
                );
            }
            LogicalPlan::Union(union) => {
                for input in &union.inputs {
                    self.within("appends", "the rows of", input);
                }
            }
            LogicalPlan::EmptyRelation(empty) => {
                let shown = if empty.produce_one_row { "one row of constants" } else { "no rows" };
                self.add("reads", shown);
            }
            LogicalPlan::Values(values) => {
                self.add("reads", format!("{} rows of VALUES", values.values.len()));
            }
            other => {
                for input in other.inputs() {
                    self.node(input, false);
                }
                self.add("computes", self.expressions.text(&other.display().to_string()));
            }
        }
        self.subqueries(plan);
    }

    /// The steps of a plan of its own, one level deeper.
    fn within(&mut self, verb: &'static str, shown: &str, plan: &LogicalPlan) {
        self.add(verb, shown);
        self.depth += 1;
        self.node(plan, true);
        self.depth -= 1;
    }

    /// Queries within the expressions of a node.
    fn subqueries(&mut self, plan: &LogicalPlan) {
        let mut found = Vec::new();
        for expr in plan.expressions() {
            super::expression::subqueries(&expr, &mut found);
        }
        for subquery in found {
            self.within("subquery", "computed beside", &subquery);
        }
    }

    fn scan(&mut self, scan: &TableScan) {
        if self.expressions.is_kept(&scan.table_name) {
            return self.add("reads", "what is kept");
        }
        let (all, read) = (scan.source.schema(), scan.projected_schema.fields());
        let names: Vec<_> = read.iter().map(|field| field.name().as_str()).collect();
        let name = match &scan.table_name {
            TableReference::Bare { table } => table.to_string(),
            other => other.to_string(),
        };
        let columns = match names.len() == all.fields().len() && names.len() > 8 {
            true => format!("all {} columns", names.len()),
            false => names.join(", "),
        };
        self.add("reads", format!("{name}: {columns}"));
    }

    fn projection(&mut self, projection: &Projection, is_last: bool) {
        self.node(&projection.input, false);
        // What is kept has names of its own, which only the plan needs.
        if matches!(&*projection.input, LogicalPlan::TableScan(scan) if self.expressions.is_kept(&scan.table_name))
        {
            if is_last {
                let names =
                    projection.schema.fields().iter().map(|field| self.expressions.text(field.name()));
                self.add("returns", names.collect::<Vec<_>>().join(", "));
            }
            return;
        }
        if is_last {
            return self.add("returns", self.expressions.select_list(&projection.expr));
        }
        let is_computed = |expr: &&Expr| !is_column(expr) && !Expressions::is_hidden(expr);
        let computed: Vec<_> = projection.expr.iter().filter(is_computed).cloned().collect();
        if !computed.is_empty() {
            self.add("computes", self.expressions.select_list(&computed));
        }
    }

    fn join(&mut self, join: &Join) {
        self.node(&join.left, false);
        let kind = match join.join_type {
            JoinType::Inner => "rows that have a match in",
            JoinType::Left => "each row, with its matches in",
            JoinType::Right => "each row of the right side, of",
            JoinType::Full => "all rows of both sides, of",
            JoinType::LeftSemi | JoinType::RightSemi => "rows for which there is one in",
            JoinType::LeftAnti | JoinType::RightAnti => "rows for which there is none in",
            JoinType::LeftMark | JoinType::RightMark => "whether there is one in",
        };
        let on = join.on.iter().map(|(left, right)| format!("{} = {}", self.shown(left), self.shown(right)));
        let conditions: Vec<_> = on.chain(join.filter.iter().map(|filter| self.shown(filter))).collect();
        let on = match conditions.is_empty() {
            true => "in every combination".to_owned(),
            false => format!("on {}", conditions.join(" AND ")),
        };
        match relation(&join.right) {
            Some(name) => self.add("joins", format!("{kind} {name}, {on}")),
            None => self.within("joins", &format!("{kind} the following, {on}"), &join.right),
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate, is_last: bool) {
        self.node(&aggregate.input, false);
        if !aggregate.group_expr.is_empty() {
            self.add("groups by", self.list(&aggregate.group_expr));
        }
        let verb = if is_last { "keeps" } else { "computes" };
        let of = if aggregate.group_expr.is_empty() { "" } else { " for each group" };
        if !aggregate.aggr_expr.is_empty() {
            self.add(verb, format!("{}{of}", self.list(&aggregate.aggr_expr)));
        }
    }

    fn limit(&mut self, limit: &Limit, is_last: bool) {
        self.node(&limit.input, is_last);
        if let Some(skip) = limit.skip.as_deref().map(|skip| self.shown(skip)).filter(|skip| skip != "0") {
            self.add("skips", rows(&skip));
        }
        if let Some(most) = &limit.fetch {
            self.add("takes", rows(&self.shown(most)));
        }
    }
}

fn rows(count: &str) -> String {
    if count == "1" { "the first row".to_owned() } else { format!("the first {count} rows") }
}

/// The relation that a plan reads whole, under the name that it has there.
fn relation(plan: &LogicalPlan) -> Option<String> {
    match plan {
        LogicalPlan::TableScan(scan) => Some(scan.table_name.to_string()),
        LogicalPlan::SubqueryAlias(alias) => {
            let name = relation(&alias.input)?;
            let alias = alias.alias.table();
            let is_same = name.rsplit('.').next() == Some(alias);
            Some(if is_same { name } else { format!("{name} AS {alias}") })
        }
        _ => None,
    }
}

fn is_column(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Alias(alias) => is_column(&alias.expr),
        _ => false,
    }
}
