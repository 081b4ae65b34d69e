//! Explanations: how a query or a view is computed, in words and as the planner has it.
//!
//! ```text
//!   store.regulars
//!     for each event of store.orders
//!       reads       customer, total (2 of 13 columns)
//!       groups by   customer
//!       keeps       sum(total), count(*) for each group
//!       state       one row for each customer: it grows with how many there are
//!     on each reading
//!       filters     count(*) > 1 AND sum(total) > 3.00
//!       returns     customer, sum(total) AS spent
//! ```

mod expression;
mod steps;
mod text;

use std::fmt::Write as _;

use datafusion::logical_expr::LogicalPlan;

use crate::plan::{Cut, QueryPlan, ViewPlan};
use crate::wording;
use expression::Expressions;
use text::Text;

/// How a query or a view is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// In words, for people; its form may change.
    pub words: String,
    /// The plans, as DataFusion shows them.
    pub raw: String,
}

/// A query that is run once, and the views that it reads; of a topic it reads `most` events.
pub(crate) fn explain_query<'v>(
    query: &QueryPlan,
    views: impl Iterator<Item = &'v ViewPlan>,
    most: usize,
) -> Explanation {
    let (mut words, mut raw) = (Text::default(), Text::default());
    words.line(0, "the query");
    words.line(1, "once, over what its relations hold when it is run");
    words.steps(steps::of(&query.plan, &Expressions::of([&query.plan])));
    for (_, topic) in &query.topics {
        words
            .step("bound", &format!("refused where {topic} has more than {most} events (sql.query_records)"));
    }
    raw.write(format_args!("{}\n", query.plan.display_indent()));
    for view in views {
        words.line(0, "");
        raw.line(0, "");
        explain_view(view, &mut words);
        raw_view(view, &mut raw);
    }
    Explanation { words: words.finish(), raw: raw.finish() }
}

/// What is kept for each event of a view, and what is computed when it is read.
pub(crate) fn explain(view: &ViewPlan) -> Explanation {
    let (mut words, mut raw) = (Text::default(), Text::default());
    explain_view(view, &mut words);
    raw_view(view, &mut raw);
    Explanation { words: words.finish(), raw: raw.finish() }
}

fn explain_view(view: &ViewPlan, text: &mut Text) {
    let expressions = Expressions::of(view.cuts.iter().map(|cut| &cut.plan).chain([&view.top]));
    text.line(0, &view.name.to_string());
    view.cuts.iter().for_each(|cut| explain_cut(cut, &expressions, text));
    let chosen = view.cuts.iter().filter_map(|cut| cut.condition_of_clock());
    let closes = view.cuts.iter().any(|cut| cut.closing.is_some());
    text.line(1, if closes { "on each reading, of windows that are closed" } else { "on each reading" });
    chosen
        .for_each(|condition| text.step("counts", &format!("groups with {}", expressions.shown(condition))));
    text.steps(steps::of(&view.top, &expressions));
    if view.uses_clock {
        text.step("clock", "the rows change as time passes, without events as well");
    }
}

fn explain_cut(cut: &Cut, expressions: &Expressions, text: &mut Text) {
    text.line(1, &format!("for each event of {}", cut.topic));
    text.steps(steps::of(&cut.plan, expressions));
    text.step("state", &state(cut, expressions));
    if let Some(closing) = &cut.closing {
        let length = wording::span(closing.size);
        let lateness = cut.lateness().as_secs_f64();
        text.step(
            "windows",
            &format!(
                "of {length} close for good once every partition is {lateness} s past their end; events that come later are dead letters"
            ),
        );
    }
}

/// What is kept, and what it grows with.
fn state(cut: &Cut, expressions: &Expressions) -> String {
    let LogicalPlan::Aggregate(aggregate) = &cut.plan else {
        return "one row for each row above: it grows with the topic, also beyond its retention".to_owned();
    };
    let keys: Vec<_> = aggregate.group_expr.iter().map(|key| expressions.shown(key)).collect();
    let mut state = match &keys[..] {
        [] => "one row: it does not grow".to_owned(),
        [key] => format!("one row for each {key}: it grows with how many there are"),
        keys => {
            format!("one row for each combination of {}: it grows with how many there are", keys.join(", "))
        }
    };
    let hungry: Vec<_> = aggregate
        .aggr_expr
        .iter()
        .filter(|expr| keeps_values(expr))
        .map(|expr| expressions.shown(expr))
        .collect();
    if !hungry.is_empty() {
        write!(state, "; and the values of {}", hungry.join(", ")).expect("a string");
    }
    state
}

/// Whether an aggregate keeps each value that it was given.
fn keeps_values(expr: &datafusion::logical_expr::Expr) -> bool {
    use datafusion::logical_expr::Expr;
    const KEEP_VALUES: [&str; 5] = ["array_agg", "string_agg", "median", "percentile_cont", "nth_value"];
    match expr {
        Expr::Alias(alias) => keeps_values(&alias.expr),
        Expr::AggregateFunction(call) => call.params.distinct || KEEP_VALUES.contains(&call.func.name()),
        _ => false,
    }
}

fn raw_view(view: &ViewPlan, text: &mut Text) {
    text.line(0, &view.name.to_string());
    for cut in &view.cuts {
        text.line(1, &format!("for each event of {}, kept as {}", cut.topic, cut.kept));
        text.plan(&cut.plan);
    }
    text.line(1, "on each reading");
    text.plan(&view.top);
}
