//! A text that does not grow beyond its limit.

use std::fmt;

use datafusion::logical_expr::LogicalPlan;

use super::steps::Step;

/// The most bytes of an explanation.
const MOST_BYTES: usize = 1 << 20;
/// Where what a step says begins, behind its verb.
const VERB_WIDTH: usize = 10;

/// Lines, indented by two for each level.
#[derive(Default)]
pub(super) struct Text {
    written: String,
    is_cut: bool,
}

impl Text {
    pub(super) fn write(&mut self, shown: fmt::Arguments<'_>) {
        self.is_cut |= fmt::write(self, shown).is_err();
    }

    pub(super) fn line(&mut self, depth: usize, shown: &str) {
        let width = if shown.is_empty() { 0 } else { depth * 2 };
        self.write(format_args!("{:width$}{shown}\n", ""));
    }

    /// A verb and what it is about.
    pub(super) fn step(&mut self, verb: &str, shown: &str) {
        self.step_at(2, verb, shown);
    }

    fn step_at(&mut self, depth: usize, verb: &str, shown: &str) {
        let width = depth * 2;
        self.write(format_args!("{:width$}{verb:VERB_WIDTH$}  {shown}\n", ""));
    }

    pub(super) fn steps(&mut self, steps: Vec<Step>) {
        for Step { depth, verb, shown } in steps {
            self.step_at(2 + depth, verb, &shown);
        }
    }

    /// A plan as DataFusion shows it.
    pub(super) fn plan(&mut self, plan: &LogicalPlan) {
        let mut shown = Self::default();
        shown.write(format_args!("{}", plan.display_indent()));
        self.is_cut |= shown.is_cut;
        for shown in shown.written.lines() {
            self.line(2, shown);
        }
    }

    pub(super) fn finish(self) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_its_limit_and_says_so() {
        let mut text = Text::default();
        for _ in 0..MOST_BYTES {
            text.line(1, "a step");
        }
        let text = text.finish();
        assert!(text.len() < MOST_BYTES + 100);
        assert!(text.ends_with("\n… the rest is left out: an explanation has at most 1024 KiB\n"));
    }
}
