//! Numbers of a schema as they are written: exact, however long and large.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Digits that a remainder is computed over, at most: what fits into 128 bits.
const REMAINDER_DIGITS: i64 = 36;

/// A decimal number: `digits` × 10^`exponent`.
///
/// Invariant: no zero at either end of `digits`; zero is no digits at all and is not negative. So equal numbers are equal
/// field by field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Of a number of JSON, as it was written.
    ///
    /// An exponent of more than eighteen digits is taken as the largest.
    pub(super) fn parse(text: &str) -> Self {
        let (negative, digits, exponent) = parts(text);
        let trimmed = digits.trim_end_matches('0');
        let zeros = i64::try_from(digits.len() - trimmed.len()).unwrap_or(i64::MAX);
        let digits = trimmed.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Self { negative: false, digits, exponent: 0 };
        }
        Self { negative, digits, exponent: exponent.saturating_add(zeros) }
    }

    /// Whether it is a whole number.
    pub(super) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// As a count; what is larger is the largest count, what is no count is 0.
    pub(super) fn count(&self) -> u64 {
        if self.negative || self.digits.is_empty() || self.exponent < 0 {
            return 0;
        }
        let zeros = usize::try_from(self.exponent.min(20)).unwrap_or(20);
        format!("{}{}", self.digits, "0".repeat(zeros)).parse().unwrap_or(u64::MAX)
    }

    /// As the nearest floating-point number.
    pub(super) fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(0.0)
    }

    /// Whether it is a multiple of `other`; `None` where zero or the number of digits forbids to say.
    pub(super) fn is_multiple_of(&self, other: &Self) -> Option<bool> {
        let exponent = self.exponent.min(other.exponent);
        let scaled = |number: &Self| -> Option<u128> {
            let zeros = number.exponent.checked_sub(exponent)?;
            let digits = i64::try_from(number.digits.len()).ok()?;
            if zeros.checked_add(digits)? > REMAINDER_DIGITS {
                return None;
            }
            format!("0{}{}", number.digits, "0".repeat(usize::try_from(zeros).ok()?)).parse().ok()
        };
        scaled(self)?.checked_rem(scaled(other)?).map(|rest| rest == 0)
    }

    /// The exponent of the first digit.
    fn magnitude(&self) -> i64 {
        self.exponent.saturating_add(i64::try_from(self.digits.len()).unwrap_or(i64::MAX))
    }
}

/// Sign, digits and exponent of a number of JSON; digits as they were written, zeros included.
fn parts(text: &str) -> (bool, String, i64) {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 =
        exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    (negative, format!("{whole}{fraction}"), exponent.saturating_sub(scale))
}

/// A number of JSON as Java writes it: integers by their digits, all else as `BigDecimal.toString` does.
pub(super) fn java_text(text: &str) -> String {
    if !text.contains(['.', 'e', 'E']) {
        return if text == "-0" { "0".to_owned() } else { text.to_owned() };
    }
    let (negative, digits, exponent) = parts(text);
    let trimmed = digits.trim_start_matches('0');
    let digits = if trimmed.is_empty() { "0" } else { trimmed };
    // BigDecimal has no negative zero.
    let sign = if negative && digits != "0" { "-" } else { "" };
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let adjusted = exponent.saturating_add(length - 1);
    if exponent == 0 {
        return format!("{sign}{digits}");
    }
    if exponent < 0 && adjusted >= -6 {
        let fraction = usize::try_from(-exponent).unwrap_or(usize::MAX);
        if fraction < digits.len() {
            let (whole, fraction) = digits.split_at(digits.len() - fraction);
            return format!("{sign}{whole}.{fraction}");
        }
        // At most six zeros: `adjusted` says so.
        return format!("{sign}0.{}{digits}", "0".repeat(fraction - digits.len()));
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}E{}{adjusted}", if adjusted >= 0 { "+" } else { "" })
}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.negative, &self.digits, self.exponent).hash(state);
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| i8::from(!number.digits.is_empty()) * if number.negative { -1 } else { 1 };
        let by_size = self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits));
        match (sign(self), sign(other)) {
            (0, 0) => Ordering::Equal,
            (1, 1) => by_size,
            (-1, -1) => by_size.reverse(),
            (mine, theirs) => mine.cmp(&theirs),
        }
    }
}

impl fmt::Display for Decimal {
    /// Short, and the same for equal numbers: `12`, `0.5`, `1e30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if (0..20).contains(&self.exponent) {
            let zeros = "0".repeat(usize::try_from(self.exponent).unwrap_or_default());
            return write!(f, "{sign}{}{zeros}", self.digits);
        }
        if (-20..0).contains(&self.exponent) {
            let fraction = usize::try_from(-self.exponent).unwrap_or_default();
            let padded =
                format!("{}{}", "0".repeat((fraction + 1).saturating_sub(self.digits.len())), self.digits);
            let (whole, fraction) = padded.split_at(padded.len() - fraction);
            return write!(f, "{sign}{whole}.{fraction}");
        }
        write!(f, "{sign}{}e{}", self.digits, self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_does() {
        let cases = [
            ("0", "0"),
            ("-0", "0"),
            ("100", "100"),
            ("1.0", "1.0"),
            ("1.50", "1.50"),
            ("-0.0", "0.0"),
            ("1e2", "1E+2"),
            ("1.5E3", "1.5E+3"),
            ("1500e-2", "15.00"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1E-7"),
            ("12e-9", "1.2E-8"),
            ("0e0", "0"),
            ("0.10e1", "1.0"),
            ("1e-999999999999999999999", "1E-2305843009213693952"),
        ];
        for (text, expected) in cases {
            assert_eq!(java_text(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_compare_by_value() {
        let ascending =
            ["-1e400", "-10", "-9.5", "-0.1", "0", "0.0001", "0.1", "1", "2", "10", "11", "1e2", "1e400"];
        for (at, left) in ascending.iter().enumerate() {
            for (other, right) in ascending.iter().enumerate() {
                assert_eq!(
                    Decimal::parse(left).cmp(&Decimal::parse(right)),
                    at.cmp(&other),
                    "{left} {right}"
                );
            }
        }
        assert_eq!(Decimal::parse("1.0"), Decimal::parse("1"));
        assert_eq!(Decimal::parse("-0.0"), Decimal::parse("0e7"));
        assert_eq!(Decimal::parse("100"), Decimal::parse("1E2"));
    }

    #[test]
    fn multiples_are_exact() {
        let is_multiple = |number: &str, of: &str| Decimal::parse(number).is_multiple_of(&Decimal::parse(of));
        assert_eq!(is_multiple("10", "0.5"), Some(true));
        assert_eq!(is_multiple("0.3", "0.1"), Some(true));
        assert_eq!(is_multiple("0.35", "0.1"), Some(false));
        assert_eq!(is_multiple("1", "0"), None);
        assert_eq!(is_multiple("1e300", "1e-300"), None);
    }
}
