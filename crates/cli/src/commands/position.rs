//! A position in a topic, as commands take it and the server reads it.

use factum_types::TopicPosition;

/// Checks a time, or how long ago it was, and gives it as it was written.
pub(super) fn parse_time(text: &str) -> Result<String, String> {
    match text.parse::<TopicPosition>() {
        Ok(TopicPosition::Time(_) | TopicPosition::Ago(_)) => Ok(text.trim().to_owned()),
        _ => Err(format!("{text:?} is not a time such as 2026-01-31T12:00:00Z, or 10m ago")),
    }
}

/// Checks a position and gives it as it was written: times that are counted from now are counted by the server.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let checked = text.parse::<TopicPosition>().map_err(|error| error.to_string());
    checked.map(|_| text.trim().to_owned())
}
