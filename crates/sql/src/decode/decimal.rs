//! Numbers as they are written, exactly: money never passes through a float.

/// Why text is no decimal of the column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotDecimal {
    /// Not a number at all.
    NotANumber,
    /// More digits behind the point than the column keeps.
    TooFine,
    /// More than 38 digits.
    TooLarge,
}

/// 10^38 - 1: what a 128-bit decimal of 38 digits holds.
const LARGEST: i128 = 10_i128.pow(38) - 1;

/// The value of `text` (JSON's number syntax) in units of 10^-`scale`.
pub(crate) fn parse(text: &str, scale: i8) -> Result<i128, NotDecimal> {
    let (mantissa, exponent) = split_exponent(text)?;
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || (fraction.is_empty() && digits.contains('.')) {
        return Err(NotDecimal::NotANumber);
    }
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return Err(NotDecimal::NotANumber);
        }
        // At most ten times the largest, which a 128-bit number cannot hold.
        let next = value.checked_mul(10).and_then(|tens| tens.checked_add(i128::from(digit - b'0')));
        value = next.filter(|value| *value <= LARGEST).ok_or(NotDecimal::TooLarge)?;
    }
    let fraction = i32::try_from(fraction.len()).map_err(|_| NotDecimal::TooLarge)?;
    let value = shift(value, exponent.saturating_sub(fraction).saturating_add(i32::from(scale)))?;
    Ok(if negative { -value } else { value })
}

fn split_exponent(text: &str) -> Result<(&str, i32), NotDecimal> {
    match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => Ok((mantissa, exponent.parse().map_err(|_| NotDecimal::NotANumber)?)),
        None => Ok((text, 0)),
    }
}

/// `value` times 10^`by`, if that is a whole number in range.
fn shift(value: i128, by: i32) -> Result<i128, NotDecimal> {
    if value == 0 {
        return Ok(0);
    }
    let power = 10_i128.checked_pow(by.unsigned_abs());
    match (by >= 0, power) {
        (true, Some(power)) => {
            value.checked_mul(power).filter(|value| *value <= LARGEST).ok_or(NotDecimal::TooLarge)
        }
        (true, None) => Err(NotDecimal::TooLarge),
        (false, Some(power)) if value % power == 0 => Ok(value / power),
        (false, _) => Err(NotDecimal::TooFine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        for (text, scale, expected) in [
            ("14.99", 2, Ok(1499)),
            ("-0.1", 6, Ok(-100_000)),
            ("3", 2, Ok(300)),
            ("1.50", 1, Ok(15)),
            ("1.55", 1, Err(NotDecimal::TooFine)),
            ("1e3", 2, Ok(100_000)),
            ("12e-1", 2, Ok(120)),
            ("0e99999", 2, Ok(0)),
            ("1e99", 2, Err(NotDecimal::TooLarge)),
            ("99999999999999999999999999999999999999", 0, Ok(LARGEST)),
            ("100000000000000000000000000000000000000", 0, Err(NotDecimal::TooLarge)),
            ("999999999999999999999999999999999999999", 0, Err(NotDecimal::TooLarge)),
            ("99999999999999999999999999999999999999.99", 2, Err(NotDecimal::TooLarge)),
            ("", 0, Err(NotDecimal::NotANumber)),
            (".5", 1, Err(NotDecimal::NotANumber)),
            ("5.", 1, Err(NotDecimal::NotANumber)),
            ("1e", 1, Err(NotDecimal::NotANumber)),
            ("NaN", 1, Err(NotDecimal::NotANumber)),
        ] {
            assert_eq!(parse(text, scale), expected, "{text} at scale {scale}");
        }
    }
}
