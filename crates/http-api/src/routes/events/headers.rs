//! CloudEvents attributes in HTTP headers (HTTP protocol binding 1.0.2, §3.1.3).

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use factum_types::Event;

use crate::http::problem::Problem;

const PREFIX: &str = "ce-";

/// The media type of the body, if it is given.
pub(super) fn content_type(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(None) };
    if headers.get_all(header::CONTENT_TYPE).iter().count() > 1 {
        return Err(Problem::malformed("content-type is given twice").with("header", "content-type"));
    }
    let text = value.to_str();
    text.map(Some).map_err(|_| Problem::malformed("content-type is not ASCII").with("header", "content-type"))
}

/// The event whose attributes the headers give; not yet validated, for some may be filled in later.
pub(super) fn attributes(headers: &HeaderMap, data: Option<Bytes>) -> Result<Event, Problem> {
    let data_content_type = content_type(headers)?.map(str::to_owned);
    let mut event = Event { data, data_content_type, ..Event::default() };
    for header in headers.keys() {
        let Some(name) = header.as_str().strip_prefix(PREFIX) else { continue };
        let mut values = headers.get_all(header).iter();
        let value = values.next().expect("a name that is there has a value");
        // Whichever value were taken, another reader of the same request might take the other.
        if values.next().is_some() {
            let detail = format!("attribute {name:?} is given twice");
            return Err(Problem::malformed(detail).with("attribute", name));
        }
        if name == "datacontenttype" {
            let detail = "ce-datacontenttype is not used over HTTP; the header is content-type";
            return Err(Problem::malformed(detail).with("attribute", name));
        }
        event.set(name, decode(name, value)?)?;
    }
    Ok(event)
}

/// First the quotes and their escapes (RFC 9110 §5.6.4), then one round of percent-decoding.
fn decode(name: &str, value: &HeaderValue) -> Result<String, Problem> {
    let unquoted = unquote(value.as_bytes());
    let decoded = percent_decode(&unquoted);
    String::from_utf8(decoded).map_err(|_| {
        Problem::malformed(format_args!("attribute {name:?} is not UTF-8 when percent-decoded"))
            .with("attribute", name)
    })
}

fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let Some(inner) = inner else { return Cow::Borrowed(value) };
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        let escaped = if byte == b'\\' { bytes.next() } else { None };
        out.push(*escaped.unwrap_or(&byte));
    }
    Cow::Owned(out)
}

/// A `%` that no two hexadecimal digits follow stays as it is.
fn percent_decode(value: &[u8]) -> Vec<u8> {
    let digit = |at: usize| value.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        match (value[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits fit a byte"));
                at += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(value: &str) -> String {
        decode("subject", &HeaderValue::from_str(value).expect("visible ASCII")).expect("UTF-8")
    }

    #[test]
    fn the_specifications_examples_are_decoded() {
        assert_eq!(decoded("Euro%20%E2%82%AC%20%F0%9F%98%80"), "Euro \u{20ac} \u{1f600}");
        assert_eq!(decoded(r#""say \"hi\" \\ %25""#), r#"say "hi" \ %"#);
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        decode("subject", &HeaderValue::from_static("%ff")).expect_err("refused");
    }
}
