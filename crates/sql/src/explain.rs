//! A plan in words, for people.

use std::fmt::Write;

use datafusion::logical_expr::LogicalPlan;

use crate::plan::{Cut, ViewPlan};

/// What is kept for each event of a view, and what is computed when it is read.
pub(crate) fn explain(view: &ViewPlan) -> String {
    let mut text = format!("{}\n", view.name);
    view.cuts.iter().for_each(|cut| explain_cut(cut, &mut text));
    let closes = view.cuts.iter().any(|cut| cut.closing.is_some());
    line(
        &mut text,
        1,
        if closes { "on each reading, of windows that are closed" } else { "on each reading" },
    );
    plan_lines(&view.top, &mut text);
    if view.uses_clock {
        line(&mut text, 1, "changes as time passes, without events as well");
    }
    text
}

fn explain_cut(cut: &Cut, text: &mut String) {
    line(text, 1, &format!("for each event of {}, with {} of its columns", cut.topic, cut.projection.len()));
    plan_lines(&cut.plan, text);
    let kept = match cut.plan {
        LogicalPlan::Aggregate(_) => "partial results of each group",
        _ => "every row",
    };
    line(text, 1, &format!("kept as {}: {kept}", cut.kept));
}

fn plan_lines(plan: &LogicalPlan, text: &mut String) {
    for shown in plan.display_indent().to_string().lines() {
        line(text, 2, shown);
    }
}

fn line(text: &mut String, depth: usize, shown: &str) {
    writeln!(text, "{:width$}{shown}", "", width = depth * 2).expect("a string takes what is written");
}
