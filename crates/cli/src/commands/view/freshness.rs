//! Says on standard error what rows do not say of themselves: that they are old, or not all there is.

use crate::client::{Freshness, LeftOutEvents, Rows};
use crate::output::printable;
use crate::report;

/// Warns of rows that are behind the log for good, or that leave something out.
pub(super) fn warn(rows: &Rows) {
    stale(&rows.freshness);
    let Some(LeftOutEvents { undecodable, unreadable, reason }) = &rows.left_out else { return };
    if is_some(undecodable) {
        let reason = match reason {
            Some(reason) => printable(reason),
            None => "the columns that are named cannot be read from them".to_owned(),
        };
        report::say(format_args!("warning: {}: {reason}", left_out(undecodable)));
    }
    if is_some(unreadable) {
        report::say(format_args!("warning: {}: the log cannot read them", left_out(unreadable)));
    }
}

fn left_out(count: &str) -> String {
    match count {
        "1" => "1 event is left out".to_owned(),
        count => format!("{count} events are left out"),
    }
}

/// Warns of rows of a view that is stuck.
pub(super) fn stale(freshness: &Freshness) {
    if !matches!(freshness.state.as_str(), "failed" | "waiting") {
        return;
    }
    let reason =
        freshness.reason.as_deref().map(|reason| format!(": {}", printable(reason))).unwrap_or_default();
    report::say(format_args!(
        "warning: the view is {}, its rows are as of {} and {} events behind{reason}",
        freshness.state, freshness.as_of, freshness.lag
    ));
}

fn is_some(count: &str) -> bool {
    !matches!(count, "" | "0")
}
