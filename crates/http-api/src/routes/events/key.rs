//! The key of an event: one field of a JSON document, found without reading the rest into values.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use factum_types::event;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Why a document has no key; reads on after the field's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyError {
    /// It is not JSON at all.
    #[error(transparent)]
    Json(event::Error),
    /// It has no fields.
    #[error("the data is not an object")]
    NotAnObject,
    /// The field is not there.
    #[error("it is missing")]
    Missing,
    /// More than one field has the name but for case, and none has it exactly.
    #[error("more than one field has this name in other cases")]
    Ambiguous,
    /// It is `null`, an array or an object.
    #[error("it must be text, a number, true or false")]
    NotAScalar,
}

/// The value of the top-level `field` as the bytes of a key: text without its quotes, anything else as written.
///
/// The name is looked for exactly, then without regard to case. The whole of `data` is checked to be JSON.
pub(super) fn find(data: &Bytes, field: &str) -> Result<Bytes, KeyError> {
    let text = std::str::from_utf8(data);
    let is_object = data.trim_ascii_start().first() == Some(&b'{');
    let (Ok(text), true) = (text, is_object) else {
        event::check_document(data).map_err(KeyError::Json)?;
        return Err(KeyError::NotAnObject);
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let found =
        deserializer.deserialize_map(Fields { field }).and_then(|found| deserializer.end().map(|()| found));
    match found.map_err(|error| KeyError::Json(event::Error::json(&error)))? {
        FieldMatches { exact: Some(raw), .. } | FieldMatches { alike: Some(raw), exact: None, others: 0 } => {
            key_bytes(data, raw)
        }
        FieldMatches { alike: Some(_), .. } => Err(KeyError::Ambiguous),
        FieldMatches { alike: None, .. } => Err(KeyError::Missing),
    }
}

fn key_bytes(data: &Bytes, raw: &RawValue) -> Result<Bytes, KeyError> {
    let written = raw.get().as_bytes();
    match written.first() {
        Some(b'"') if !written.contains(&b'\\') => Ok(data.slice_ref(&written[1..written.len() - 1])),
        Some(b'"') => {
            let text: String =
                serde_json::from_str(raw.get()).map_err(|e| KeyError::Json(event::Error::json(&e)))?;
            Ok(Bytes::from(text))
        }
        Some(b't' | b'f' | b'-' | b'0'..=b'9') => Ok(data.slice_ref(written)),
        _ => Err(KeyError::NotAScalar),
    }
}

/// What one pass over the fields found. That no field is given twice is found by [`event::check_unique_members`].
#[derive(Default)]
struct FieldMatches<'de> {
    exact: Option<&'de RawValue>,
    alike: Option<&'de RawValue>,
    others: usize,
}

struct Fields<'a> {
    field: &'a str,
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = FieldMatches<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<FieldMatches<'de>, A::Error> {
        let mut found = FieldMatches::default();
        while let Some(Name(name)) = object.next_key()? {
            if name == self.field {
                found.exact = Some(object.next_value()?);
            } else if name.eq_ignore_ascii_case(self.field) {
                found.others += usize::from(found.alike.is_some());
                found.alike = Some(object.next_value()?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A field's name, borrowed where it holds no escape.
struct Name<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor).map(Self)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(data: &'static str, field: &str) -> Result<String, KeyError> {
        let key = find(&Bytes::from_static(data.as_bytes()), field)?;
        Ok(String::from_utf8(key.to_vec()).expect("UTF-8"))
    }

    #[test]
    fn the_key_is_the_fields_own_text() {
        for (data, key) in [
            (r#"{"Email":"ann@contoso.com"}"#, "ann@contoso.com"),
            (r#" { "x": {"Email": 1}, "email" : 42.0 } "#, "42.0"),
            (r#"{"EMAIL":"other","Email":"a\"b\u00e9"}"#, "a\"b\u{e9}"),
            (r#"{"Email":false}"#, "false"),
        ] {
            assert_eq!(found(data, "Email").as_deref(), Ok(key), "{data}");
        }
    }

    #[test]
    fn events_without_a_key_say_why() {
        assert_eq!(found(r#"{"Name":1}"#, "Email"), Err(KeyError::Missing));
        assert_eq!(found(r#"{"EMAIL":1,"email":2}"#, "Email"), Err(KeyError::Ambiguous));
        assert_eq!(found(r#"{"Email":null}"#, "Email"), Err(KeyError::NotAScalar));
        assert_eq!(found("[1]", "Email"), Err(KeyError::NotAnObject));
        assert!(matches!(found(r#"{"Email":1} x"#, "Email"), Err(KeyError::Json(_))));
        assert!(matches!(found("", "Email"), Err(KeyError::Json(_))));
    }
}
