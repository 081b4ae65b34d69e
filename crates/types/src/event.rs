//! Events: CloudEvents 1.0, whatever form they travel in.
//!
//! ```text
//!   HTTP binary, structured, batch ──▶ Event ──▶ Kafka, binary content mode ──▶ the log
//!                                        ▲                │
//!                                        └────────────────┘
//! ```
//!
//! Invariants for an event that a function here returns: [`Event::validate`] accepts it. The data is never
//! re-encoded on its way: it is the bytes that were sent.
//!
//! Not here: HTTP's own form of the attributes (headers with percent-encoding), which the HTTP edge reads.

mod attribute;
mod document;
mod json;
mod kafka;

use std::collections::BTreeMap;

use bytes::Bytes;

pub use attribute::{AttributeError, check_name};
pub use document::{check_document, check_unique_members};

/// The version of the specification that is spoken.
pub const SPEC_VERSION: &str = "1.0";
/// The media type of one event in JSON.
pub const STRUCTURED_JSON: &str = "application/cloudevents+json";
/// The media type of a JSON array of events.
pub const BATCH_JSON: &str = "application/cloudevents-batch+json";
/// The extension that names the record's key (Kafka protocol binding, "Partitioning" extension).
pub const PARTITION_KEY: &str = "partitionkey";

/// One event: what happened, said by whom, and the data.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Event {
    /// Unique within its source.
    pub id: String,
    /// Where it happened: a URI reference.
    pub source: String,
    /// What happened, the attribute `type`.
    pub kind: String,
    /// What it happened to, within the source.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Option<jiff::Timestamp>,
    /// The media type of the data, the attribute `datacontenttype`.
    pub data_content_type: Option<String>,
    /// The schema of the data, the attribute `dataschema`: a URI.
    pub data_schema: Option<String>,
    /// Further attributes, in CloudEvents' canonical text form.
    pub extensions: BTreeMap<String, String>,
    /// The data, as it was sent.
    pub data: Option<Bytes>,
}

/// Why something is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A required attribute is absent.
    #[error("attribute {name} is missing")]
    Missing {
        /// The attribute.
        name: &'static str,
    },
    /// A version of CloudEvents other than 1.0.
    #[error("specversion {found:?} is not supported; only {SPEC_VERSION:?} is")]
    SpecVersion {
        /// The version found.
        found: String,
    },
    /// An attribute breaks a rule of the specification.
    #[error("attribute {name:?} {reason}")]
    Attribute {
        /// The attribute.
        name: String,
        /// The rule.
        reason: AttributeError,
    },
    /// The text is not JSON.
    #[error("{reason} at line {line} column {column}")]
    Json {
        /// What is wrong.
        reason: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1; 0 at the very end of a line.
        column: usize,
    },
    /// The text is JSON, but not what is expected: not of the JSON event format, too deep, or with a name twice.
    #[error("{reason} at line {line} column {column}")]
    Shape {
        /// What is wrong.
        reason: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1; 0 at the very end of a line.
        column: usize,
    },
    /// A batch holds more events than are taken at once.
    #[error("the batch holds more than {limit} events")]
    TooMany {
        /// The most that are taken.
        limit: usize,
    },
    /// One event of a batch is wrong.
    #[error("event {index} of the batch")]
    InBatch {
        /// Its place, from 0.
        index: usize,
        /// What is wrong with it.
        source: Box<Error>,
    },
}

impl Event {
    /// Checks every attribute against the specification.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Attribute`] for the first that breaks a rule.
    pub fn validate(&self) -> Result<(), Error> {
        for (name, value) in [("id", &self.id), ("source", &self.source), ("type", &self.kind)] {
            if value.is_empty() {
                return Err(Error::Missing { name });
            }
        }
        attribute::check_text("id", &self.id)?;
        attribute::check_uri_reference("source", &self.source)?;
        attribute::check_text("type", &self.kind)?;
        if let Some(subject) = &self.subject {
            attribute::check_non_empty_text("subject", subject)?;
        }
        if let Some(media_type) = &self.data_content_type {
            attribute::check_media_type("datacontenttype", media_type)?;
        }
        if let Some(schema) = &self.data_schema {
            attribute::check_uri_reference("dataschema", schema)?;
        }
        for (name, value) in &self.extensions {
            attribute::check_extension_name(name)?;
            attribute::check_text(name, value)?;
        }
        Ok(())
    }

    /// Sets one attribute from its text form. `specversion` is checked and not kept.
    ///
    /// # Errors
    /// [`Error::SpecVersion`], or [`Error::Attribute`] for a name or time that cannot be; the rest is left to
    /// [`Event::validate`].
    pub fn set(&mut self, name: &str, value: String) -> Result<(), Error> {
        match name {
            "specversion" if value == SPEC_VERSION => {}
            "specversion" => return Err(Error::SpecVersion { found: value }),
            "id" => self.id = value,
            "source" => self.source = value,
            "type" => self.kind = value,
            "subject" => self.subject = Some(value),
            "time" => self.time = Some(attribute::parse_time(&value)?),
            "datacontenttype" => self.data_content_type = Some(value),
            "dataschema" => self.data_schema = Some(value),
            _ => {
                attribute::check_extension_name(name)?;
                self.extensions.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    /// The extension `partitionkey`, which becomes the record's key.
    pub fn partition_key(&self) -> Option<&str> {
        self.extensions.get(PARTITION_KEY).map(String::as_str)
    }

    /// Whether the data is JSON by its media type, or by default for having none.
    pub fn has_json_data(&self) -> bool {
        self.data_content_type.as_deref().is_none_or(is_json)
    }
}

/// Whether a media type is JSON: subtype `json`, or any with the suffix `+json`; parameters are ignored.
pub fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    let ends_with = |suffix: &str| {
        subtype.len() >= suffix.len()
            && subtype.is_char_boundary(subtype.len() - suffix.len())
            && subtype[subtype.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    };
    subtype.eq_ignore_ascii_case("json") || ends_with("+json")
}
