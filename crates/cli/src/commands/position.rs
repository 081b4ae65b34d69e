//! A position in a topic, as commands take it and the server reads it.

use factum_types::TopicPosition;

/// Checks a position and gives it as it was written: times that are counted from now are counted by the server.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let checked = text.parse::<TopicPosition>().map_err(|error| error.to_string());
    checked.map(|_| text.trim().to_owned())
}
