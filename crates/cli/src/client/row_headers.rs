//! Headers of a response of rows: freshness, and events and values that are missing.
//!
//! Not here: the rows.

use reqwest::header::HeaderMap;

use super::{Freshness, LeftOutEvents, Rows};

/// What the headers of a CSV response say: rows without rows, and the number of values that could not be computed.
pub(super) fn of_response(headers: &HeaderMap) -> (Rows, usize) {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let left_out = header("x-factum-left-out");
    let count = |name: &str| {
        let mut pairs = left_out.split(", ").filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, count)| count.to_owned()).unwrap_or_default()
    };
    let reason = Some(header("x-factum-left-out-reason")).filter(|reason| !reason.is_empty());
    let rows = Rows {
        rows: Vec::new(),
        freshness: Freshness {
            as_of: header("x-factum-as-of"),
            lag: header("x-factum-lag"),
            state: header("x-factum-state"),
            reason: None,
        },
        left_out: Some(LeftOutEvents {
            undecodable: count("undecodable"),
            unreadable: count("unreadable"),
            reason: reason.map(|reason| percent_decoded(&reason)),
        }),
        errors: Vec::new(),
    };
    (rows, header("x-factum-row-errors").parse().unwrap_or(0))
}

/// A text whose bytes beyond ASCII are written as `%C3`.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let hex = after.get(..2).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoded_texts_are_decoded() {
        assert_eq!(percent_decoded("'1,5' is no decimal"), "'1,5' is no decimal");
        assert_eq!(percent_decoded("100 %25%0Ax: %C3%A9"), "100 %\nx: é");
        assert_eq!(percent_decoded("%"), "%");
        assert_eq!(percent_decoded("%zz%é%+1"), "%zz%é%+1");
    }
}
