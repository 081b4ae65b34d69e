//! The fields of a certificate that are read here (RFC 5280): its subject, and until when it is valid.

use super::der::{Der, Value, tag};

/// The bytes of the subject's name.
pub(super) fn subject(certificate: &[u8]) -> Option<&[u8]> {
    let mut fields = to_validity(certificate)?;
    fields.expect(tag::SEQUENCE)?;
    Some(fields.expect(tag::SEQUENCE)?.content)
}

/// The end of its validity, in seconds since 1970.
pub(super) fn not_after(certificate: &[u8]) -> Option<i64> {
    let mut validity = Der(to_validity(certificate)?.expect(tag::SEQUENCE)?.content);
    validity.next()?;
    seconds(validity.next()?)
}

/// The fields from the validity on.
fn to_validity(certificate: &[u8]) -> Option<Der<'_>> {
    let mut outer = Der(Der(certificate).expect(tag::SEQUENCE)?.content);
    let mut fields = Der(outer.expect(tag::SEQUENCE)?.content);
    // The version is optional, the serial number is not.
    if fields.next()?.tag == tag::VERSION {
        fields.next()?;
    }
    // The algorithm of the signature, and the issuer.
    fields.expect(tag::SEQUENCE)?;
    fields.expect(tag::SEQUENCE)?;
    Some(fields)
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
fn seconds(time: Value<'_>) -> Option<i64> {
    let text = time.content.strip_suffix(b"Z")?;
    let (year, rest) = match time.tag {
        tag::UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year = number(year)?;
            // RFC 5280 §4.1.2.5.1.
            (if year < 50 { 2_000 + year } else { 1_900 + year }, rest)
        }
        tag::GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (number(year)?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let mut fields = rest.chunks_exact(2).map(number);
    let mut next = || fields.next()?;
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let is_valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    is_valid.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

/// Days since 1970 of the Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_certificates_are_read() {
        let read = |tag, text: &str| seconds(Value { tag, content: text.as_bytes(), whole: &[] });
        assert_eq!(read(tag::UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(read(tag::UTC_TIME, "261130235959Z"), Some(1_796_083_199));
        assert_eq!(read(tag::GENERALIZED_TIME, "20000301000000Z"), Some(951_868_800));
        assert_eq!(read(tag::GENERALIZED_TIME, "99991231235959Z"), Some(253_402_300_799));
        for wrong in ["", "Z", "7001010000Z", "70010100000aZ", "701301000000Z", "700101000000"] {
            assert_eq!(read(tag::UTC_TIME, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_are_none() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x80, 0, 0],
            &[0x30, 2, 0x30, 9],
        ] {
            assert!(subject(bytes).is_none() && not_after(bytes).is_none());
        }
    }
}
