//! A plan in words, for people.

use std::fmt::Write;

use datafusion::logical_expr::LogicalPlan;

use crate::plan::{Cut, Emit, ViewPlan};

/// What is kept for each event of a view, and what is computed when it is read.
pub(crate) fn explain(view: &ViewPlan) -> String {
    let mut text = format!("{}\n", view.name);
    for (number, cut) in view.cuts.iter().enumerate() {
        explain_cut(number, cut, &mut text);
    }
    let when = match view.emit {
        Emit::Changes => "on each reading",
        Emit::OnWindowClose(_) => "on each reading, of windows that are closed",
    };
    line(&mut text, 1, when);
    plan_lines(&view.top, &mut text);
    if view.uses_clock {
        line(&mut text, 1, "changes as time passes, without events as well");
    }
    text
}

fn explain_cut(number: usize, cut: &Cut, text: &mut String) {
    let columns: Vec<_> = match &cut.scan_columns()[..] {
        [] => vec!["no columns"],
        columns => columns.to_vec(),
    };
    line(text, 1, &format!("for each event of {}, reading {}", cut.topic(), columns.join(", ")));
    plan_lines(&cut.plan, text);
    let kept = match cut.plan {
        LogicalPlan::Aggregate(_) => "partial results of each group",
        _ => "every row",
    };
    line(text, 1, &format!("kept as __kept_{number}: {kept}"));
}

fn plan_lines(plan: &LogicalPlan, text: &mut String) {
    for shown in plan.display_indent().to_string().lines() {
        line(text, 2, shown);
    }
}

fn line(text: &mut String, depth: usize, shown: &str) {
    writeln!(text, "{:width$}{shown}", "", width = depth * 2).expect("a string takes what is written");
}
