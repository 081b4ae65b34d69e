//! A plan in words, for people.

use std::fmt;

use datafusion::logical_expr::LogicalPlan;

use crate::plan::{Cut, ViewPlan};

/// The most bytes of an explanation.
const MOST_BYTES: usize = 1 << 20;

/// A query that is run once, and the views that it reads.
pub(crate) fn explain_query<'v>(plan: &LogicalPlan, views: impl Iterator<Item = &'v ViewPlan>) -> String {
    let mut text = Text::default();
    text.write(format_args!("{}\n", plan.display_indent()));
    for view in views {
        text.write(format_args!("\n"));
        explain_view(view, &mut text);
    }
    text.finish()
}

/// What is kept for each event of a view, and what is computed when it is read.
pub(crate) fn explain(view: &ViewPlan) -> String {
    let mut text = Text::default();
    explain_view(view, &mut text);
    text.finish()
}

/// A text that does not grow beyond its limit.
#[derive(Default)]
struct Text {
    written: String,
    is_cut: bool,
}

impl Text {
    fn write(&mut self, shown: fmt::Arguments<'_>) {
        self.is_cut |= fmt::write(self, shown).is_err();
    }

    fn finish(self) -> String {
        let Self { mut written, is_cut } = self;
        if is_cut {
            written +=
                &format!("\n… the rest is left out: an explanation has at most {} KiB\n", MOST_BYTES >> 10);
        }
        written
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.is_cut || self.written.len() + part.len() > MOST_BYTES {
            return Err(fmt::Error);
        }
        self.written.push_str(part);
        Ok(())
    }
}

fn explain_view(view: &ViewPlan, text: &mut Text) {
    text.write(format_args!("{}\n", view.name));
    view.cuts.iter().for_each(|cut| explain_cut(cut, text));
    let closes = view.cuts.iter().any(|cut| cut.closing.is_some());
    line(text, 1, if closes { "on each reading, of windows that are closed" } else { "on each reading" });
    plan_lines(&view.top, text);
    if view.uses_clock {
        line(text, 1, "changes as time passes, without events as well");
    }
}

fn explain_cut(cut: &Cut, text: &mut Text) {
    line(text, 1, &format!("for each event of {}, with {} of its columns", cut.topic, cut.projection.len()));
    plan_lines(&cut.plan, text);
    let kept = match cut.plan {
        LogicalPlan::Aggregate(_) => "partial results of each group",
        _ => "every row",
    };
    line(text, 1, &format!("kept as {}: {kept}", cut.kept));
}

fn plan_lines(plan: &LogicalPlan, text: &mut Text) {
    let mut shown = Text::default();
    shown.write(format_args!("{}", plan.display_indent()));
    text.is_cut |= shown.is_cut;
    for shown in shown.written.lines() {
        line(text, 2, shown);
    }
}

fn line(text: &mut Text, depth: usize, shown: &str) {
    text.write(format_args!("{:width$}{shown}\n", "", width = depth * 2));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_its_limit_and_says_so() {
        let mut text = Text::default();
        for _ in 0..MOST_BYTES {
            line(&mut text, 1, "a step");
        }
        let text = text.finish();
        assert!(text.len() < MOST_BYTES + 100);
        assert!(text.ends_with("\n… the rest is left out: an explanation has at most 1024 KiB\n"));
    }
}
