//! Dates, times of day and timestamps, as RFC 3339 writes them; durations, as ISO 8601 does.

use super::logical::Unit;

const SECONDS_PER_DAY: i64 = 86_400;

/// `2026-12-01`; nothing outside of the years 0 to 9999.
pub(crate) fn date(days: i64) -> Option<String> {
    // Days since 0000-03-01, in eras of 400 years (Howard Hinnant, chrono-Compatible Low-Level Date Algorithms).
    let days = days.checked_add(719_468)?;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (0..=9999).contains(&year).then(|| format!("{year:04}-{month:02}-{day_of_month:02}"))
}

/// `12:30:00.250`; nothing where it is no time of a day.
pub(crate) fn time(since_midnight: i64, unit: Unit) -> Option<String> {
    let (seconds, fraction) =
        (since_midnight.div_euclid(unit.per_second()), since_midnight.rem_euclid(unit.per_second()));
    let digits = unit.digits();
    (0..SECONDS_PER_DAY).contains(&seconds).then(|| {
        format!("{:02}:{:02}:{:02}.{fraction:0digits$}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    })
}

/// `2026-12-01T12:30:00.250`; nothing outside of the years 0 to 9999.
pub(crate) fn timestamp(since_epoch: i64, unit: Unit) -> Option<String> {
    let per_day = SECONDS_PER_DAY * unit.per_second();
    let day = date(since_epoch.div_euclid(per_day))?;
    Some(format!("{day}T{}", time(since_epoch.rem_euclid(per_day), unit)?))
}

/// Days since 1970-01-01.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let [year, month, day] = numbers(text, '-', &[4, 2, 2])?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=in_month).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + day - 1 + year * 365 + year / 4 - year / 100;
    Some(era * 146_097 + day - 719_468)
}

/// Units since midnight; nothing too where it is more precise than the unit.
pub(crate) fn parse_time(text: &str, unit: Unit) -> Option<i64> {
    let (seconds, fraction) =
        text.split_once('.').map_or((text, None), |(seconds, rest)| (seconds, Some(rest)));
    let [hour, minute, second] = numbers(seconds, ':', &[2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = fraction.map_or(Some(0), |digits| parse_fraction(digits, unit))?;
    Some(((hour * 60 + minute) * 60 + second) * unit.per_second() + fraction)
}

/// Units since 1970-01-01T00:00:00, by the offset that the text gives, or without one.
pub(crate) fn parse_timestamp(text: &str, unit: Unit, has_offset: bool) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let (time, offset) = if has_offset { split_offset(rest)? } else { (rest, 0) };
    let seconds = parse_date(date)? * SECONDS_PER_DAY - offset;
    seconds.checked_mul(unit.per_second())?.checked_add(parse_time(time, unit)?)
}

/// The time, and the seconds that it is ahead of UTC.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let at = text.rfind(['+', '-'])?;
    let [hours, minutes] = numbers(&text[at + 1..], ':', &[2, 2])?;
    let seconds = (hours * 60 + minutes) * 60;
    let sign = if text.as_bytes()[at] == b'-' { -1 } else { 1 };
    (hours <= 23 && minutes <= 59).then_some((&text[..at], sign * seconds))
}

/// Units of a second's fraction.
fn parse_fraction(digits: &str, unit: Unit) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (kept, rest) = digits.split_at(digits.len().min(unit.digits()));
    if rest.bytes().any(|digit| digit != b'0') {
        return None;
    }
    format!("{kept:0<width$}", width = unit.digits()).parse().ok()
}

/// Numbers of exactly so many digits.
fn numbers<const N: usize>(text: &str, separator: char, digits: &[usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, count) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != *count || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// `P1M2DT3.004S` of months, days and milliseconds.
pub(crate) fn duration([months, days, millis]: [u32; 3]) -> String {
    format!("P{months}M{days}DT{}.{:03}S", millis / 1_000, millis % 1_000)
}

/// Months, days and milliseconds of a duration with whole years, months, weeks, days, hours, minutes and seconds.
pub(crate) fn parse_duration(text: &str) -> Option<[u32; 3]> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
    let mut months = 0_u64;
    let mut days = 0_u64;
    let mut millis = 0_u64;
    each_part(date, |number, unit| {
        let number: u64 = number.parse().ok().filter(|number| *number <= u64::from(u32::MAX))?;
        match unit {
            'Y' => months += number * 12,
            'M' => months += number,
            'W' => days += number * 7,
            'D' => days += number,
            _ => return None,
        }
        Some(())
    })?;
    each_part(time.unwrap_or_default(), |number, unit| {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let fraction = u64::try_from(parse_fraction(fraction, Unit::Millis)?).ok()?;
        let whole: u64 = whole.parse().ok().filter(|number| *number <= u64::from(u32::MAX))?;
        millis += match unit {
            'S' => whole * 1_000 + fraction,
            'M' if fraction == 0 => whole * 60_000,
            'H' if fraction == 0 => whole * 3_600_000,
            _ => return None,
        };
        Some(())
    })?;
    let has_parts = !date.is_empty() || time.is_some_and(|time| !time.is_empty());
    let parts = [months, days, millis].map(u32::try_from);
    match parts {
        [Ok(months), Ok(days), Ok(millis)] if has_parts => Some([months, days, millis]),
        _ => None,
    }
}

/// Gives the parts of `1Y2M` one after another: at most ten, each a number and the letter behind it.
fn each_part(text: &str, mut take: impl FnMut(&str, char) -> Option<()>) -> Option<()> {
    let mut rest = text;
    for _ in 0..10 {
        if rest.is_empty() {
            return Some(());
        }
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let unit = rest[end..].chars().next()?;
        take(&rest[..end], unit)?;
        rest = &rest[end + unit.len_utf8()..];
    }
    rest.is_empty().then_some(())
}
