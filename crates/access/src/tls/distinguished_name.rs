//! Names in certificates as text (RFC 2253), letter for letter as Kafka's default principal builder writes them: the last part
//! first, and of attributes without a keyword the bytes in hexadecimal.

use std::fmt::Write as _;

use super::der::{Der, Value, tag};

/// Attributes that are written by a keyword.
const KEYWORDS: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "STREET"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
];
/// Letters with a backslash before them.
const ESCAPED: &str = ",=+<>#;\"\\";

/// The name in the content of a `Name`; `None` if the bytes are none.
pub(super) fn to_text(name: &[u8]) -> Option<String> {
    let mut parts = Vec::new();
    let mut sets = Der(name);
    while !sets.is_empty() {
        let mut attributes = Der(sets.expect(tag::SET)?.content);
        let mut part = String::new();
        while !attributes.is_empty() {
            let mut attribute = Der(attributes.expect(tag::SEQUENCE)?.content);
            let kind = attribute.expect(tag::OBJECT_IDENTIFIER)?;
            let value = attribute.next()?;
            if !part.is_empty() {
                part.push('+');
            }
            part += &attribute_text(kind.content, value)?;
        }
        parts.push(part);
    }
    parts.reverse();
    Some(parts.join(","))
}

fn attribute_text(kind: &[u8], value: Value<'_>) -> Option<String> {
    let keyword = KEYWORDS.iter().find(|(identifier, _)| *identifier == kind).map(|(_, keyword)| *keyword);
    match (keyword, string(value)) {
        (Some(keyword), Some(text)) => Some(format!("{keyword}={}", escape(&text))),
        (keyword, _) => {
            let mut text = keyword.map_or_else(|| dotted(kind), |keyword| Some(keyword.to_owned()))?;
            text += "=#";
            value.whole.iter().for_each(|byte| write!(text, "{byte:02x}").expect("text takes all"));
            Some(text)
        }
    }
}

fn string(value: Value<'_>) -> Option<String> {
    match value.tag {
        tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING => {
            String::from_utf8(value.content.to_vec()).ok()
        }
        tag::T61_STRING => Some(value.content.iter().map(|byte| char::from(*byte)).collect()),
        tag::BMP_STRING => {
            let units: Vec<_> = value
                .content
                .chunks(2)
                .map(|pair| u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]))
                .collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

fn escape(text: &str) -> String {
    let is_inside = text.trim_matches([' ', '\r']);
    let lead = text.len() - text.trim_start_matches([' ', '\r']).len();
    let inside = lead..lead + is_inside.len();
    let mut escaped = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        match letter {
            '\0' => escaped.push_str("\\00"),
            ' ' | '\r' if !inside.contains(&at) => escaped.extend(['\\', letter]),
            _ if ESCAPED.contains(letter) => escaped.extend(['\\', letter]),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// An object identifier as numbers with dots between them.
fn dotted(identifier: &[u8]) -> Option<String> {
    let mut numbers = Vec::new();
    let mut number: u64 = 0;
    for byte in identifier {
        number = number.checked_mul(128)? + u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first.to_string());
                number -= first * 40;
            }
            numbers.push(number.to_string());
            number = 0;
        }
    }
    (!numbers.is_empty()).then(|| numbers.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag, u8::try_from(content.len()).expect("short")];
        bytes.extend(content);
        bytes
    }

    fn attribute(kind: &[u8], text: u8, content: &str) -> Vec<u8> {
        let inside = [value(tag::OBJECT_IDENTIFIER, kind), value(text, content.as_bytes())].concat();
        value(tag::SEQUENCE, &inside)
    }

    /// The texts are those of `javax.security.auth.x500.X500Principal.getName`, which Kafka calls.
    #[test]
    fn names_are_written_as_kafka_writes_them() {
        let set = |attributes: &[Vec<u8>]| value(tag::SET, &attributes.concat());
        let text = |sets: &[Vec<u8>]| to_text(&sets.concat());
        let (utf8, ia5) = (tag::UTF8_STRING, tag::IA5_STRING);
        let name = [
            set(&[attribute(&[0x55, 4, 6], utf8, "DE")]),
            set(&[attribute(&[0x55, 4, 10], utf8, " x y ")]),
            set(&[attribute(&[0x55, 4, 3], utf8, "a=b#c,d")]),
        ];
        assert_eq!(text(&name).as_deref(), Some("CN=a\\=b\\#c\\,d,O=\\ x y\\ ,C=DE"));
        let email = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
        let several = [
            set(&[attribute(&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], ia5, "x")]),
            set(&[attribute(&email, ia5, "a@b.c")]),
            set(&[attribute(&[0x55, 4, 3], utf8, "#x"), attribute(&[0x55, 4, 11], utf8, "b")]),
        ];
        let expected = "CN=\\#x+OU=b,1.2.840.113549.1.9.1=#16056140622e63,DC=x";
        assert_eq!(text(&several).as_deref(), Some(expected));
        assert_eq!(text(&[]).as_deref(), Some(""));
        assert_eq!(to_text(&[tag::SET, 3, tag::SEQUENCE, 9, 0]), None);
    }
}
