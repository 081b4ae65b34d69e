//! Writes one event as JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::event::{Event, SPEC_VERSION};

impl Event {
    /// The event in JSON. JSON data is written as it is, text as a string, anything else as `data_base64`;
    /// extensions are text whatever they were before, since other bindings do not keep their type.
    pub fn to_structured_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text and raw JSON serialise")
    }
}

/// The same form, as a part of a larger document.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("specversion", SPEC_VERSION)?;
        object.serialize_entry("id", &self.id)?;
        object.serialize_entry("source", &self.source)?;
        object.serialize_entry("type", &self.kind)?;
        let time = self.time.map(|time| time.to_string());
        let optional = [
            ("subject", &self.subject),
            ("time", &time),
            ("datacontenttype", &self.data_content_type),
            ("dataschema", &self.data_schema),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                object.serialize_entry(name, value)?;
            }
        }
        for (name, value) in &self.extensions {
            object.serialize_entry(name, value)?;
        }
        match self.data_form() {
            DataForm::Absent => {}
            DataForm::Json(json) => object.serialize_entry("data", json)?,
            DataForm::Text(text) => object.serialize_entry("data", text)?,
            DataForm::Binary(bytes) => object.serialize_entry("data_base64", &BASE64.encode(bytes))?,
        }
        object.end()
    }
}

/// How data is best put into JSON.
enum DataForm<'a> {
    Absent,
    Json(&'a RawValue),
    Text(&'a str),
    Binary(&'a [u8]),
}

impl Event {
    fn data_form(&self) -> DataForm<'_> {
        let Some(data) = &self.data else { return DataForm::Absent };
        if self.has_json_data() {
            return serde_json::from_slice(data).map_or(DataForm::Binary(data), DataForm::Json);
        }
        let is_text = self.data_content_type.as_deref().is_some_and(|found| found.starts_with("text/"));
        match std::str::from_utf8(data) {
            Ok(text) if is_text => DataForm::Text(text),
            _ => DataForm::Binary(data),
        }
    }
}
