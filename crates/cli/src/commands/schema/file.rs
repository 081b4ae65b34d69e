//! Schemas in files: their format by the name of the file, and what they refer to.

use std::path::{Path, PathBuf};

use factum_api::registry::{SchemaReference, SchemaRequest};
use miette::Diagnostic;

/// A schema to be registered.
#[derive(Debug, clap::Args)]
pub(crate) struct NewSchema {
    /// The subject: store.orders-value for the values of topic store.orders
    pub(super) subject: String,
    #[command(flatten)]
    pub(super) source: Source,
}

/// A file with a schema.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// The file that has the schema
    #[arg(short, long, value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Its format; without it by the file's ending: .avsc, .json or .proto
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    format: Option<SchemaFormat>,
    /// Another subject's schema that it refers to; may be given more than once
    #[arg(long = "reference", value_name = "NAME=SUBJECT:VERSION", value_parser = reference)]
    references: Vec<SchemaReference>,
}

/// The format of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SchemaFormat {
    /// Apache Avro
    Avro,
    /// JSON Schema
    Json,
    /// Protocol Buffers
    Protobuf,
}

/// Why a file gives no schema.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum FileError {
    /// It cannot be read, or is not text.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Its name says no format.
    #[error("the format of {} cannot be told by its name", file.display())]
    #[diagnostic(help("name the format: --type avro, json or protobuf"))]
    Format {
        /// The file.
        file: PathBuf,
    },
}

impl SchemaFormat {
    /// By the ending of a file's name.
    fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "avsc" => Some(Self::Avro),
            "json" => Some(Self::Json),
            "proto" => Some(Self::Protobuf),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }
}

impl Source {
    /// The request that registers the schema, or checks it.
    pub(super) fn request(&self) -> Result<SchemaRequest, FileError> {
        let format = self.format.or_else(|| SchemaFormat::of(&self.file));
        let format = format.ok_or_else(|| FileError::Format { file: self.file.clone() })?;
        let text = std::fs::read_to_string(&self.file)
            .map_err(|source| FileError::Read { file: self.file.clone(), source })?;
        Ok(SchemaRequest {
            schema: Some(text),
            schema_type: Some(format.as_str().to_owned()),
            references: (!self.references.is_empty()).then(|| self.references.clone()),
            ..SchemaRequest::default()
        })
    }
}

/// Reads `NAME=SUBJECT:VERSION`; a subject may have colons.
fn reference(text: &str) -> Result<SchemaReference, String> {
    let read = || {
        let (name, place) = text.split_once('=')?;
        let (subject, version) = place.rsplit_once(':')?;
        let version = version.parse().ok().filter(|version| *version > 0)?;
        let is_named = !name.is_empty() && !subject.is_empty();
        is_named.then(|| SchemaReference { name: name.to_owned(), subject: subject.to_owned(), version })
    };
    read().ok_or_else(|| {
        "a reference is NAME=SUBJECT:VERSION, such as com.example.Money=money-value:1".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_name_a_subject_and_a_version() {
        let read = reference("a.b.Money=:.staging:money-value:12").expect("valid");
        assert_eq!(
            (read.name.as_str(), read.subject.as_str(), read.version),
            ("a.b.Money", ":.staging:money-value", 12)
        );
        for text in ["money", "a=money", "a=money:0", "a=money:latest", "=money:1", "a=:1"] {
            reference(text).expect_err(text);
        }
    }
}
