//! The Kafka protocol binding (CloudEvents 1.0.2): binary content mode both ways, structured mode on reading.
//!
//! Attributes are headers `ce_<name>` in UTF-8, the data is the record's value as it is, and its media type is
//! the header `content-type`.

use bytes::Bytes;

use super::attribute::AttributeError;
use super::{Error, Event, SPEC_VERSION, STRUCTURED_JSON};
use crate::Header;

const PREFIX: &str = "ce_";
const CONTENT_TYPE: &str = "content-type";

impl Event {
    /// The key, value and headers of the record that carries this event.
    ///
    /// The key is the extension `partitionkey`, which stays an attribute as well.
    pub fn to_kafka(&self) -> (Option<Bytes>, Option<Bytes>, Vec<Header>) {
        self.clone().into_kafka()
    }

    /// The same, giving the attributes away rather than copying them.
    pub fn into_kafka(self) -> (Option<Bytes>, Option<Bytes>, Vec<Header>) {
        let key = self.partition_key().map(|key| Bytes::copy_from_slice(key.as_bytes()));
        let mut headers = Vec::with_capacity(8 + self.extensions.len());
        headers.push(Header::new("ce_specversion", Bytes::from_static(SPEC_VERSION.as_bytes())));
        headers.push(Header::new("ce_id", self.id));
        headers.push(Header::new("ce_source", self.source));
        headers.push(Header::new("ce_type", self.kind));
        let time = self.time.map(|time| time.to_string());
        let optional = [
            ("ce_subject", self.subject),
            ("ce_time", time),
            ("ce_dataschema", self.data_schema),
            (CONTENT_TYPE, self.data_content_type),
        ];
        headers.extend(optional.into_iter().filter_map(|(name, value)| Some(Header::new(name, value?))));
        let extensions = self.extensions.into_iter();
        headers.extend(extensions.map(|(name, value)| Header::new(format!("{PREFIX}{name}"), value)));
        (key, self.data, headers)
    }

    /// The event that a record carries: `None` if the record is no CloudEvent at all.
    ///
    /// # Errors
    /// [`Error`] if it says that it is one but breaks the specification.
    pub fn from_kafka(headers: &[Header], value: Option<Bytes>) -> Option<Result<Self, Error>> {
        let content_type = headers.iter().find(|header| header.key.eq_ignore_ascii_case(CONTENT_TYPE));
        let content_type = content_type.and_then(|header| header.value.as_deref());
        if content_type.is_some_and(is_structured) {
            return Some(Self::from_structured_json(&value.unwrap_or_default()));
        }
        if !headers.iter().any(|header| header.key == "ce_specversion") {
            return None;
        }
        Some(Self::from_binary(headers, value))
    }

    fn from_binary(headers: &[Header], value: Option<Bytes>) -> Result<Self, Error> {
        let mut event = Self { data: value, ..Self::default() };
        for header in headers {
            let name = match header.key.strip_prefix(PREFIX) {
                Some(name) => name,
                None if header.key.eq_ignore_ascii_case(CONTENT_TYPE) => "datacontenttype",
                None => continue,
            };
            let text = std::str::from_utf8(header.value.as_deref().unwrap_or_default());
            let text = text.map_err(|_| AttributeError::NotUtf8.of(name))?;
            event.set(name, text.to_owned())?;
        }
        event.validate()?;
        Ok(event)
    }
}

/// Whether the value itself is an event in JSON.
fn is_structured(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(STRUCTURED_JSON.as_bytes())
}
