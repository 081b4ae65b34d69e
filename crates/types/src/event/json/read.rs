//! Reads events from JSON in one pass, refusing the first that is wrong before the next is looked at.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::event::attribute::AttributeError;
use crate::event::{Error, Event};

const JSON: &str = "application/json";

impl Event {
    /// Reads one event; its JSON data is a slice of `text`.
    ///
    /// # Errors
    /// [`Error`]; nothing but white space may follow the event.
    pub fn from_structured_json(text: &Bytes) -> Result<Self, Error> {
        let refused = Cell::new(None);
        read(text, OneEvent { text, refused: &refused }, &refused)
    }

    /// Reads a JSON array of events, at most `max_events`; the JSON data of each is a slice of `text`.
    ///
    /// # Errors
    /// [`Error::InBatch`] for the first event that is wrong, [`Error::TooMany`], [`Error::Json`].
    pub fn from_batch_json(text: &Bytes, max_events: usize) -> Result<Vec<Self>, Error> {
        let refused = Cell::new(None);
        read(text, AllEvents { text, max_events, refused: &refused }, &refused)
    }
}

/// Where a reader leaves what it refuses: serde's own errors can hold nothing but text.
type RefusalCell = Cell<Option<Error>>;

fn read<'de, S: DeserializeSeed<'de>>(
    text: &'de [u8],
    seed: S,
    refused: &RefusalCell,
) -> Result<S::Value, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| refused.take().unwrap_or_else(|| Error::json(&error)))
}

impl Error {
    /// What `serde_json` found, with the place in fields rather than in the text.
    pub fn json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let mut reason = error.to_string();
        if let Some(place) = reason.rfind(" at line ") {
            reason.truncate(place);
        }
        match error.classify() {
            Category::Data => Self::Shape { reason: without_type_name(reason), line, column },
            Category::Syntax | Category::Eof | Category::Io => {
                Self::Json { reason: plain(reason), line, column }
            }
        }
    }
}

/// What `serde` says of a value, without the name of one of our types.
fn without_type_name(mut reason: String) -> String {
    if let Some(at) = reason.find("expected struct ") {
        reason.truncate(at);
        reason.push_str("expected an object");
    }
    let number = reason.rfind("expected ").and_then(|at| match &reason[at + "expected ".len()..] {
        "i32" => Some((at, "expected a whole number up to 2147483647")),
        "i64" => Some((at, "expected a whole number")),
        "u32" | "u64" | "usize" => Some((at, "expected a whole number from 0 on")),
        _ => None,
    });
    if let Some((at, words)) = number {
        reason.truncate(at);
        reason.push_str(words);
    }
    reason
}

/// What `serde_json` says of text that is not JSON, in words that need no parser.
fn plain(reason: String) -> String {
    let plain = match reason.as_str() {
        "expected value" | "expected ident" => {
            "expected an object, an array, a string in double quotes, a number, true, false or null"
        }
        "EOF while parsing a value" => "the text ends where a value is expected",
        "EOF while parsing an object" => "the text ends inside an object",
        "EOF while parsing a list" => "the text ends inside an array",
        "EOF while parsing a string" => "the text ends inside a string",
        "key must be a string" => "expected a name in double quotes",
        "trailing characters" => "there is more text behind the value",
        "trailing comma" => "there is nothing behind the comma",
        "recursion limit exceeded" => "objects and arrays are nested too deep",
        _ => return reason,
    };
    plain.to_owned()
}

struct AllEvents<'a> {
    text: &'a Bytes,
    max_events: usize,
    refused: &'a RefusalCell,
}

impl<'de> DeserializeSeed<'de> for AllEvents<'_> {
    type Value = Vec<Event>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Event>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for AllEvents<'_> {
    type Value = Vec<Event>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of CloudEvents")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Vec<Event>, A::Error> {
        let mut events = Vec::new();
        loop {
            match array.next_element_seed(OneEvent { text: self.text, refused: self.refused }) {
                Ok(None) => return Ok(events),
                Ok(Some(_)) if events.len() == self.max_events => {
                    self.refused.set(Some(Error::TooMany { limit: self.max_events }));
                    return Err(A::Error::custom("too many events"));
                }
                Ok(Some(event)) => events.push(event),
                Err(error) => {
                    let index = events.len();
                    let in_batch = |source| Error::InBatch { index, source: Box::new(source) };
                    self.refused.set(self.refused.take().map(in_batch));
                    return Err(error);
                }
            }
        }
    }
}

struct OneEvent<'a> {
    text: &'a Bytes,
    refused: &'a RefusalCell,
}

impl<'de> DeserializeSeed<'de> for OneEvent<'_> {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneEvent<'_> {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudEvent as a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Event, A::Error> {
        let mut members = Members::default();
        while let Some(Text(name)) = object.next_key()? {
            let taken = match &*name {
                "data" => members.take_data(object.next_value()?),
                "data_base64" => members.take_base64(object.next_value()?),
                name => members.take_attribute(name, object.next_value()?),
            };
            taken.map_err(|error| self.refuse(error))?;
        }
        members.into_event(self.text).map_err(|error| self.refuse(error))
    }
}

impl OneEvent<'_> {
    fn refuse<E: serde::de::Error>(&self, error: Error) -> E {
        self.refused.set(Some(error));
        E::custom("not a CloudEvent")
    }
}

/// The members of one object, in whatever order they came.
#[derive(Default)]
struct Members<'de> {
    event: Event,
    has_spec_version: bool,
    data: Option<&'de RawValue>,
    base64: Option<Text<'de>>,
}

impl<'de> Members<'de> {
    fn take_data(&mut self, data: &'de RawValue) -> Result<(), Error> {
        match self.data.replace(data) {
            None => Ok(()),
            Some(_) => Err(AttributeError::Duplicate.of("data")),
        }
    }

    fn take_base64(&mut self, text: Text<'de>) -> Result<(), Error> {
        match self.base64.replace(text) {
            None => Ok(()),
            Some(_) => Err(AttributeError::Duplicate.of("data_base64")),
        }
    }

    fn take_attribute(&mut self, name: &str, value: Attribute) -> Result<(), Error> {
        let value = match value {
            Attribute::Text(value) => value,
            // Only extensions have other types.
            Attribute::Other { found, .. } if is_of_the_specification(name) => {
                return Err(AttributeError::NotText { found }.of(name));
            }
            Attribute::Other { value, .. } => value,
            Attribute::Null => return Ok(()),
            Attribute::Wrong(found) => return Err(AttributeError::BadType { found }.of(name)),
        };
        if self.has(name) {
            return Err(AttributeError::Duplicate.of(name));
        }
        self.has_spec_version |= name == "specversion";
        self.event.set(name, value)
    }

    fn has(&self, name: &str) -> bool {
        match name {
            "specversion" => self.has_spec_version,
            "id" => !self.event.id.is_empty(),
            "source" => !self.event.source.is_empty(),
            "type" => !self.event.kind.is_empty(),
            "subject" => self.event.subject.is_some(),
            "time" => self.event.time.is_some(),
            "datacontenttype" => self.event.data_content_type.is_some(),
            "dataschema" => self.event.data_schema.is_some(),
            _ => self.event.extensions.contains_key(name),
        }
    }

    fn into_event(self, text: &Bytes) -> Result<Event, Error> {
        let Self { mut event, has_spec_version, data, base64 } = self;
        if !has_spec_version {
            return Err(Error::Missing { name: "specversion" });
        }
        event.data = match (data, base64) {
            (Some(_), Some(_)) => return Err(AttributeError::BesideData.of("data_base64")),
            (None, None) => None,
            (None, Some(Text(base64))) => Some(decode_base64(&base64)?),
            (Some(data), None) => Some(data_bytes(&mut event, data, text)),
        };
        event.validate()?;
        Ok(event)
    }
}

/// JSON data stays as written; text in other media types is what the JSON string says.
fn data_bytes(event: &mut Event, data: &RawValue, text: &Bytes) -> Bytes {
    if !event.has_json_data() && data.get().starts_with('"') {
        let Text(content) = serde_json::from_str(data.get()).expect("a raw value is valid JSON");
        return Bytes::from(content.into_owned());
    }
    event.data_content_type.get_or_insert_with(|| JSON.to_owned());
    text.slice_ref(data.get().as_bytes())
}

fn decode_base64(text: &str) -> Result<Bytes, Error> {
    let decoded = BASE64.decode(text);
    decoded
        .map(Bytes::from)
        .map_err(|e| AttributeError::BadBase64 { reason: e.to_string() }.of("data_base64"))
}

/// A string, borrowed where it holds no escape.
struct Text<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Whether the specification itself names this attribute.
fn is_of_the_specification(name: &str) -> bool {
    matches!(
        name,
        "specversion" | "id" | "source" | "type" | "subject" | "time" | "datacontenttype" | "dataschema"
    )
}

/// An attribute's value in canonical text form.
enum Attribute {
    Text(String),
    /// A number or a truth value.
    Other {
        value: String,
        /// What it is, in words.
        found: &'static str,
    },
    /// The same as not being there.
    Null,
    Wrong(&'static str),
}

impl Attribute {
    fn number(value: i32) -> Self {
        Self::Other { value: value.to_string(), found: "a number" }
    }
}

impl<'de> serde::Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AttributeVisitor)
    }
}

struct AttributeVisitor;

impl<'de> Visitor<'de> for AttributeVisitor {
    type Value = Attribute;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, true, false or a whole number")
    }

    fn visit_str<E>(self, text: &str) -> Result<Attribute, E> {
        Ok(Attribute::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Attribute, E> {
        Ok(Attribute::Other { value: value.to_string(), found: "true or false" })
    }

    fn visit_i64<E>(self, value: i64) -> Result<Attribute, E> {
        Ok(i32::try_from(value).map_or(Attribute::Wrong("a larger number"), Attribute::number))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Attribute, E> {
        Ok(i32::try_from(value).map_or(Attribute::Wrong("a larger number"), Attribute::number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Attribute, E> {
        Ok(Attribute::Wrong("a fraction"))
    }

    fn visit_unit<E>(self) -> Result<Attribute, E> {
        Ok(Attribute::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Attribute, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Attribute::Wrong("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Attribute, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Attribute::Wrong("an object"))
    }
}
