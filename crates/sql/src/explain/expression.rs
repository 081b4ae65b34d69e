//! Expressions of a plan as a person would write them.
//!
//! Casts that the planner adds are left out, and the relation before a column where only one has such a column.

use std::collections::BTreeMap;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, ScalarValue, TableReference};
use datafusion::logical_expr::expr::{AggregateFunctionParams, Case, ScalarFunction, Sort, WindowFunction};
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, WindowFrame};

use crate::checked::as_written;
use crate::operator::HIDDEN;
use crate::statement::shortened;
use crate::wording;

/// The most characters of one expression: what is named again and again grows by multiplication.
const LONGEST: usize = 1_000;

/// The most bytes of what computed columns stand for; further ones are shown by the planner's names.
const MOST_BYTES: usize = 4 << 20;

/// What the names in some plans stand for.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    /// For each name of a column, the relations that have it.
    columns: BTreeMap<String, Vec<String>>,
    /// What the planner names by its own text, and its hidden columns, as a person would write them.
    computed: BTreeMap<String, String>,
    /// How long they are.
    bytes: usize,
}

impl Expressions {
    /// Of these plans; what others are computed from comes first.
    pub(super) fn of<'p>(plans: impl IntoIterator<Item = &'p LogicalPlan>) -> Self {
        let mut found = Self::default();
        for plan in plans {
            let mut nodes = Vec::new();
            let walked = plan.apply_with_subqueries(|node| {
                nodes.push(node.clone());
                Ok(TreeNodeRecursion::Continue)
            });
            walked.expect("looking never fails");
            nodes.iter().for_each(|node| found.add_columns(node));
            // From the leaves up.
            nodes.iter().rev().for_each(|node| found.add_computed(node));
        }
        found
    }

    fn add_columns(&mut self, node: &LogicalPlan) {
        let schema = match node {
            LogicalPlan::TableScan(scan) => &scan.projected_schema,
            LogicalPlan::SubqueryAlias(alias) => &alias.schema,
            _ => return,
        };
        for (relation, field) in schema.iter() {
            let Some(relation) = relation.map(|relation| relation.table().to_owned()) else { continue };
            let relations = self.columns.entry(field.name().clone()).or_default();
            if !relations.contains(&relation) {
                relations.push(relation);
            }
        }
        // Under an alias a relation has no name of its own.
        if let LogicalPlan::SubqueryAlias(alias) = node
            && let LogicalPlan::TableScan(scan) = &*alias.input
            && scan.table_name.table() != alias.alias.table()
        {
            let hidden = scan.table_name.table();
            self.columns.values_mut().for_each(|relations| relations.retain(|relation| relation != hidden));
        }
    }

    fn add_computed(&mut self, node: &LogicalPlan) {
        for expr in node.expressions() {
            if self.bytes > MOST_BYTES {
                return;
            }
            let (name, shown) = match &expr {
                Expr::Alias(alias) if alias.name.starts_with(HIDDEN) => {
                    (alias.name.clone(), self.shown(&alias.expr))
                }
                Expr::Alias(_) | Expr::Column(_) | Expr::Literal(..) => continue,
                other => (other.schema_name().to_string(), self.shown(other)),
            };
            self.bytes += name.len() + shown.len();
            self.computed.entry(name).or_insert(shown);
        }
    }

    /// Whether a table stands for what is kept below a cut.
    pub(super) fn is_kept(&self, table: &TableReference) -> bool {
        table.table().starts_with("__kept_")
    }

    /// Text of the planner's own.
    pub(super) fn text(&self, text: &str) -> String {
        match self.computed.get(text) {
            Some(shown) => shown.clone(),
            None => shortened(&wording::in_sql(text), LONGEST),
        }
    }

    pub(super) fn column(&self, column: &Column) -> String {
        if let Some(list) = column.name.strip_prefix("__unnest_placeholder(") {
            let list = list.split(",depth=").next().unwrap_or(list).trim_end_matches(')');
            return list.rsplit('.').next().unwrap_or(list).to_owned();
        }
        let is_alone = self.columns.get(&column.name).is_none_or(|relations| relations.len() < 2);
        let name = self.text(&column.name);
        match &column.relation {
            Some(relation) if !is_alone && !relation.table().starts_with("__") => {
                format!("{}.{name}", relation.table())
            }
            _ => name,
        }
    }

    /// Whether an expression is a column that only the plan needs.
    pub(super) fn is_hidden(expr: &Expr) -> bool {
        match expr {
            Expr::Alias(alias) => alias.name.starts_with(HIDDEN),
            Expr::Column(column) => column.name.starts_with(HIDDEN),
            _ => false,
        }
    }

    pub(super) fn select_list(&self, exprs: &[Expr]) -> String {
        let shown = exprs.iter().map(|expr| match expr {
            Expr::Alias(alias) => {
                let shown = self.shown(&alias.expr);
                if shown == alias.name { shown } else { format!("{shown} AS {}", self.text(&alias.name)) }
            }
            other => self.shown(other),
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn sort_key(&self, key: &Sort) -> String {
        let direction = if key.asc { "" } else { " DESC" };
        // NULLs come last, and first where the order is turned round.
        let nulls = match (key.asc, key.nulls_first) {
            (true, true) => " NULLS FIRST",
            (false, false) => " NULLS LAST",
            _ => "",
        };
        format!("{}{direction}{nulls}", self.shown(&key.expr))
    }

    fn list(&self, exprs: &[Expr]) -> String {
        exprs.iter().map(|expr| self.shown(expr)).collect::<Vec<_>>().join(", ")
    }

    /// The expression as a person would write it.
    pub(super) fn shown(&self, expr: &Expr) -> String {
        shortened(&self.written(expr), LONGEST)
    }

    fn written(&self, expr: &Expr) -> String {
        match expr {
            Expr::Alias(alias) => self.shown(&alias.expr),
            Expr::Column(column) => self.column(column),
            Expr::Literal(value, _) => literal(value),
            Expr::Cast(cast) => self.shown(&cast.expr),
            Expr::TryCast(cast) => self.shown(&cast.expr),
            Expr::BinaryExpr(binary) => {
                let side = |side: &Expr| match side {
                    Expr::BinaryExpr(inner) if binds(inner.op) < binds(binary.op) => {
                        format!("({})", self.shown(side))
                    }
                    side => self.shown(side),
                };
                format!("{} {} {}", side(&binary.left), binary.op, side(&binary.right))
            }
            Expr::Not(expr) => format!("NOT ({})", self.shown(expr)),
            Expr::Negative(expr) => format!("-({})", self.shown(expr)),
            Expr::IsNull(expr) => format!("{} IS NULL", self.shown(expr)),
            Expr::IsNotNull(expr) => format!("{} IS NOT NULL", self.shown(expr)),
            Expr::Between(between) => format!(
                "{} {}BETWEEN {} AND {}",
                self.shown(&between.expr),
                if between.negated { "NOT " } else { "" },
                self.shown(&between.low),
                self.shown(&between.high)
            ),
            Expr::InList(list) => format!(
                "{} {}IN ({})",
                self.shown(&list.expr),
                if list.negated { "NOT " } else { "" },
                self.list(&list.list)
            ),
            Expr::Case(case) => self.case(case),
            Expr::ScalarFunction(call) if call.func.name().starts_with("checked_") => {
                as_written(expr.clone()).map_or_else(|_| self.call(call), |expr| self.written(&expr))
            }
            Expr::ScalarFunction(call) => self.call(call),
            Expr::AggregateFunction(call) => self.aggregate(call.func.name(), &call.params),
            Expr::WindowFunction(call) => self.window(call),
            Expr::ScalarSubquery(_) => "(a subquery)".to_owned(),
            Expr::InSubquery(query) => {
                format!(
                    "{} {}IN (a subquery)",
                    self.shown(&query.expr),
                    if query.negated { "NOT " } else { "" }
                )
            }
            Expr::Exists(exists) => {
                format!("{}EXISTS (a subquery)", if exists.negated { "NOT " } else { "" })
            }
            other => self.text(&other.human_display().to_string()),
        }
    }

    fn window(&self, call: &WindowFunction) -> String {
        let params = &call.params;
        let mut over = Vec::new();
        if !params.partition_by.is_empty() {
            over.push(format!("PARTITION BY {}", self.list(&params.partition_by)));
        }
        if !params.order_by.is_empty() {
            let keys: Vec<_> = params.order_by.iter().map(|key| self.sort_key(key)).collect();
            over.push(format!("ORDER BY {}", keys.join(", ")));
        }
        let is_usual =
            params.window_frame == WindowFrame::new((!params.order_by.is_empty()).then_some(false));
        if !is_usual {
            over.push(params.window_frame.to_string());
        }
        let arguments = match (call.fun.name(), &params.args[..]) {
            ("count", [Expr::Literal(..)]) => "*".to_owned(),
            (_, arguments) => self.list(arguments),
        };
        let distinct = if params.distinct { "DISTINCT " } else { "" };
        format!("{}({distinct}{arguments}) OVER ({})", call.fun.name(), over.join(" "))
    }

    fn case(&self, case: &Case) -> String {
        let operand = case.expr.as_ref().map(|expr| format!(" {}", self.shown(expr))).unwrap_or_default();
        let branches = case.when_then_expr.iter();
        let branches =
            branches.map(|(when, then)| format!(" WHEN {} THEN {}", self.shown(when), self.shown(then)));
        let other =
            case.else_expr.as_ref().map(|expr| format!(" ELSE {}", self.shown(expr))).unwrap_or_default();
        format!("CASE{operand}{}{other} END", branches.collect::<String>())
    }

    fn call(&self, call: &ScalarFunction) -> String {
        match (call.func.name(), &call.args[..]) {
            ("get_field", [whole, Expr::Literal(ScalarValue::Utf8(Some(field)), _)]) => {
                format!("{}.{field}", self.shown(whole))
            }
            (name, arguments) => format!("{name}({})", self.list(arguments)),
        }
    }

    fn aggregate(&self, name: &str, params: &AggregateFunctionParams) -> String {
        let arguments = match (name, &params.args[..]) {
            ("count", [Expr::Literal(..)] | []) => "*".to_owned(),
            (_, arguments) => self.list(arguments),
        };
        let distinct = if params.distinct { "DISTINCT " } else { "" };
        let keys: Vec<_> = params.order_by.iter().map(|key| self.sort_key(key)).collect();
        let order = if keys.is_empty() { String::new() } else { format!(" ORDER BY {}", keys.join(", ")) };
        let filter = params.filter.as_ref().map(|filter| format!(" FILTER (WHERE {})", self.shown(filter)));
        format!("{name}({distinct}{arguments}{order}){}", filter.unwrap_or_default())
    }
}

/// Adds the queries that stand within an expression.
pub(super) fn subqueries(expr: &Expr, found: &mut Vec<LogicalPlan>) {
    let walked = expr.apply(|part| {
        let subquery = match part {
            Expr::ScalarSubquery(subquery) => Some(subquery),
            Expr::InSubquery(part) => Some(&part.subquery),
            Expr::Exists(part) => Some(&part.subquery),
            Expr::SetComparison(part) => Some(&part.subquery),
            _ => None,
        };
        found.extend(subquery.map(|subquery| (*subquery.subquery).clone()));
        Ok(TreeNodeRecursion::Continue)
    });
    walked.expect("looking never fails");
}

fn literal(value: &ScalarValue) -> String {
    match value {
        value if value.is_null() => "NULL".to_owned(),
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => {
            format!("'{}'", text.replace('\'', "''"))
        }
        ScalarValue::IntervalMonthDayNano(Some(interval)) => {
            wording::interval_of(interval.months.into(), interval.days.into(), interval.nanoseconds)
        }
        value => value.to_string(),
    }
}

/// How tightly an operator binds, as far as brackets depend on it.
fn binds(operator: Operator) -> u8 {
    match operator {
        Operator::Or => 1,
        Operator::And => 2,
        Operator::Plus | Operator::Minus => 4,
        Operator::Multiply | Operator::Divide | Operator::Modulo => 5,
        _ => 3,
    }
}
