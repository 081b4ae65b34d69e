//! Messages about the work, on standard error: failures, warnings, notes.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use factum_governance::Problem;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

/// Wide enough for a message, narrow enough to read.
const MAX_WIDTH: usize = 110;

/// Shows a failure: what happened, why, and what to do.
pub(crate) fn failure(failure: &dyn Diagnostic) {
    let mut text = String::new();
    match handler().render_report(&mut text, failure) {
        Ok(()) => say(text.trim_end()),
        Err(_) => say(failure),
    }
}

/// Shows each problem of a project in full.
pub(crate) fn problems<'p>(problems: impl IntoIterator<Item = &'p Problem>) {
    for problem in problems {
        failure(problem);
    }
}

/// Says something in passing.
pub(crate) fn say(text: impl Display) {
    // No one is left to tell when standard error is closed.
    writeln!(std::io::stderr().lock(), "{text}").ok();
}

/// Whether people read standard error.
pub(crate) fn is_for_people() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether people read standard error and want colour.
pub(crate) fn is_coloured() -> bool {
    is_for_people() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn handler() -> GraphicalReportHandler {
    let theme = if is_coloured() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    GraphicalReportHandler::new_themed(theme).with_width(MAX_WIDTH)
}
