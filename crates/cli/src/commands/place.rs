//! A place in a topic, as commands take it: `earliest`, `latest`, an offset, or a time.

use std::time::Duration;

use factum_base::clock::{Clock, SystemClock};
use factum_types::Timestamp;
use factum_types::units::duration;

/// Reads a place, and gives it as the server takes it: a time that is counted from now is made one of the calendar.
pub(super) fn parse(text: &str) -> Result<String, String> {
    parse_at(text.trim(), SystemClock.now())
}

fn parse_at(text: &str, now: Timestamp) -> Result<String, String> {
    let is_offset = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if matches!(text, "earliest" | "latest") || is_offset || text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(text.to_owned());
    }
    let ago = text.strip_suffix("ago").map_or(text, str::trim_end);
    match duration::parse(ago) {
        Ok(ago) if ago < Duration::MAX => Ok(now.minus(ago).to_string()),
        _ => Err("it is not earliest, latest, an offset, a time such as 2026-01-31T12:00:00Z, or 10m ago"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_people_write_them() {
        let now = Timestamp::from_millis(1_777_631_400_000);
        for (text, place) in [
            ("earliest", "earliest"),
            ("latest", "latest"),
            ("42", "42"),
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00+01:00", "2026-01-31T12:00:00+01:00"),
            ("10m ago", "2026-05-01T10:20:00.000Z"),
            ("1h30m", "2026-05-01T09:00:00.000Z"),
        ] {
            assert_eq!(parse_at(text, now).as_deref(), Ok(place), "{text}");
        }
        for text in ["", "middle", "-1", "ago", "yesterday", "forever"] {
            assert!(parse_at(text, now).is_err(), "{text}");
        }
    }
}
