//! Times in requests.

use factum_types::Timestamp;

use crate::http::problem::Problem;

/// A time as RFC 3339 or milliseconds since 1970.
pub(crate) fn parse_time(field: &str, text: &str) -> Result<Timestamp, Problem> {
    if let Ok(millis) = text.parse() {
        return Ok(Timestamp::from_millis(millis));
    }
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed.map(|time| Timestamp::from_millis(time.as_millisecond())).map_err(|_| {
        let detail = format!(
            "{field} {text:?} is not a time; write 2026-11-20T10:00:00Z, up to {}, or milliseconds since 1970",
            jiff::Timestamp::MAX
        );
        Problem::malformed(detail).with("field", field)
    })
}
