//! RFC 3339 times to microseconds since 1970.

/// Microseconds since 1970 of an RFC 3339 time, or of a date alone (midnight UTC); `None` if it is neither.
///
/// The commonest form, `YYYY-MM-DDTHH:MM:SS[.f…]Z`, is read by hand; every other goes through jiff.
pub(crate) fn micros(text: &str) -> Option<i64> {
    zulu(text.as_bytes()).or_else(|| general(text))
}

/// Days since 1970 of `YYYY-MM-DD`.
pub(crate) fn days(text: &str) -> Option<i32> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let epoch = jiff::civil::date(1970, 1, 1);
    Some(date.since(epoch).ok()?.get_days())
}

fn general(text: &str) -> Option<i64> {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.as_microsecond());
    }
    // A time without an offset is taken as UTC, as every other time in Factum is.
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

fn zulu(bytes: &[u8]) -> Option<i64> {
    let (head, tail) = bytes.split_first_chunk::<19>()?;
    let fraction = match tail {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..=6).contains(&digits.len()) => fraction(digits)?,
        _ => return None,
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, expected)| head[*at] != *expected) {
        return None;
    }
    let two = |at: usize| number(&head[at..at + 2]);
    let year = number(&head[0..4])?;
    let (month, day, hour, minute, second) = (two(5)?, two(8)?, two(11)?, two(14)?, two(17)?);
    // Leap seconds and impossible dates are for the general reader to judge.
    if !(1..=12).contains(&month) || !(1..=28).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1_000_000 + fraction)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
}

/// Up to six digits behind the point, in microseconds.
fn fraction(digits: &[u8]) -> Option<i64> {
    let missing = 6 - u32::try_from(digits.len()).ok()?;
    Some(number(digits)? * 10_i64.pow(missing))
}

/// Days since 1970 of a date of the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readers_agree() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2019-12-28T02:39:28.500Z",
            "2000-02-28T23:59:59.000001Z",
            "1969-11-28T23:59:59Z",
        ] {
            assert_eq!(zulu(text.as_bytes()), general(text), "{text}");
        }
    }

    #[test]
    fn the_last_days_of_a_month_are_left_to_the_general_reader() {
        assert_eq!(zulu(b"2019-12-29T02:39:28.500Z"), None);
        assert_eq!(micros("2019-12-29T02:39:28.500Z"), general("2019-12-29T02:39:28.500Z"));
        assert_eq!(micros("2019-02-29T02:39:28.500Z"), None);
    }

    #[test]
    fn other_forms_and_none() {
        assert_eq!(micros("2024-02-29T00:00:00+01:00"), micros("2024-02-28T23:00:00Z"));
        assert_eq!(micros("2024-02-29T12:00:00"), micros("2024-02-29T12:00:00Z"));
        assert_eq!(micros("2023-02-29T00:00:00Z"), None);
        assert_eq!(micros("yesterday"), None);
        assert_eq!(days("1970-01-02"), Some(1));
        assert_eq!(days("1970-13-02"), None);
    }
}
