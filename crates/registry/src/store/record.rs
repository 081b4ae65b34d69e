//! Records of topic `_schemas`, in the layout of Confluent's registry.
//!
//! ```text
//!   key   {"keytype":"SCHEMA","subject":"orders-value","version":1,"magic":1}
//!   value {"subject":"orders-value","version":1,"id":1,"md5":"…","schema":"…","deleted":false}
//! ```
//!
//! A record without a value takes away what its key names. Members that this version does not know are passed over.
//!
//! Members of our own, which Confluent's registry passes over: `lastId` of a `CONTEXT` is the highest id that was given in it, so that
//! the id of a schema that was deleted for good is not given again, and `schemaType` the format of a schema group. `definition` of a
//! `SCHEMA` is its text as an Azure client gave it, where that differs from the canonical one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::subject::Subject;
use crate::{Config, Metadata, Mode, Reference, RuleSet, Schema, SchemaType};

/// What one record says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// A version of a subject, or its end.
    Version { subject: Subject, version: i32, value: Option<Box<VersionEntry>> },
    /// Settings of a scope, which is all of them without a subject; or their end.
    Config { scope: Option<Subject>, config: Option<Box<Config>> },
    /// The mode of a scope, or its end.
    Mode { scope: Option<Subject>, mode: Option<Mode> },
    /// The versions of a subject up to this one are deleted.
    DeleteSubject { subject: Subject, up_to: i32 },
    /// Nothing is left of a subject, or of all of a context.
    ClearSubject { subject: Subject },
    /// A context, or its end.
    Context { context: String, value: Option<ContextEntry> },
    /// Nothing.
    Noop,
}

/// A version's schema and id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VersionEntry {
    pub(crate) id: i32,
    pub(crate) schema: Schema,
    /// Its text as it was given, where that differs and is kept.
    pub(crate) definition: Option<Arc<str>>,
    pub(crate) is_deleted: bool,
}

/// A context's own properties.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ContextEntry {
    /// The highest id that was given in it, where no version says so.
    pub(crate) last_id: Option<i32>,
    /// The format that all its schemas have, if it asks for one.
    pub(crate) schema_type: Option<SchemaType>,
}

#[derive(Serialize, Deserialize)]
struct Key<'a> {
    keytype: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    magic: i32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemaValue {
    subject: String,
    version: i32,
    id: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    references: Option<Vec<Reference>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule_set: Option<RuleSet>,
    schema: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    definition: Option<String>,
    #[serde(default)]
    deleted: bool,
}

#[derive(Serialize, Deserialize)]
struct ConfigValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(flatten)]
    config: Config,
}

#[derive(Serialize, Deserialize)]
struct ModeValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    mode: Mode,
}

#[derive(Serialize, Deserialize)]
struct DeleteSubjectValue {
    subject: String,
    version: i32,
}

#[derive(Serialize, Deserialize)]
struct ClearSubjectValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContextValue {
    tenant: Option<String>,
    context: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_id: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema_type: Option<SchemaType>,
}

/// Confluent's name for the one tenant of a registry of its own.
const TENANT: &str = "default";

impl Entry {
    /// The context whose highest id it may change.
    pub(crate) fn id_context(&self) -> Option<String> {
        match self {
            Self::Version { subject, value: Some(_), .. } => Some(subject.context().to_owned()),
            Self::Context { context, value: Some(_) } => Some(context.clone()),
            _ => None,
        }
    }

    /// The record's key and value.
    pub(crate) fn encode(&self) -> (Bytes, Option<Bytes>) {
        let key = |keytype, subject: Option<&Subject>, version, magic| {
            let subject = subject.map(Subject::to_string);
            json(&Key { keytype, subject, version, tenant: None, context: None, magic })
        };
        match self {
            Self::Version { subject, version, value } => {
                let key = key("SCHEMA", Some(subject), Some(*version), 1);
                (key, value.as_ref().map(|value| json(&value.to_value(subject, *version))))
            }
            Self::Config { scope, config } => {
                let subject = scope.as_ref().map(Subject::to_string);
                let value =
                    config.as_ref().map(|config| json(&ConfigValue { subject, config: (**config).clone() }));
                (key("CONFIG", scope.as_ref(), None, 0), value)
            }
            Self::Mode { scope, mode } => {
                let subject = scope.as_ref().map(Subject::to_string);
                (key("MODE", scope.as_ref(), None, 0), mode.map(|mode| json(&ModeValue { subject, mode })))
            }
            Self::DeleteSubject { subject, up_to } => {
                let value = DeleteSubjectValue { subject: subject.to_string(), version: *up_to };
                (key("DELETE_SUBJECT", Some(subject), None, 0), Some(json(&value)))
            }
            Self::ClearSubject { subject } => {
                let value = ClearSubjectValue { subject: Some(subject.to_string()) };
                (key("CLEAR_SUBJECT", Some(subject), None, 0), Some(json(&value)))
            }
            Self::Context { context, value } => {
                let tenant = Some(TENANT.to_owned());
                let key = Key {
                    keytype: "CONTEXT",
                    subject: None,
                    version: None,
                    tenant: tenant.clone(),
                    context: Some(context.clone()),
                    magic: 0,
                };
                let value = value.map(|ContextEntry { last_id, schema_type }| {
                    json(&ContextValue { tenant, context: context.clone(), last_id, schema_type })
                });
                (json(&key), value)
            }
            Self::Noop => (key("NOOP", None, None, 0), None),
        }
    }

    /// Reads what [`Entry::encode`] and Confluent's registry write.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Self, String> {
        let key: Key<'_> = serde_json::from_slice(key).map_err(|error| format!("its key is {error}"))?;
        let named = || -> Result<Subject, String> {
            let text = key.subject.as_deref().ok_or("its key names no subject")?;
            Subject::parse(text).map_err(|error| error.to_string())
        };
        let scope =
            || key.subject.as_deref().map(Subject::parse).transpose().map_err(|error| error.to_string());
        match key.keytype {
            "SCHEMA" => {
                let version = key.version.filter(|version| *version > 0);
                let version = version.ok_or("its key names no version")?;
                let value = value.map(|value| parse::<SchemaValue>(value)?.into_entry().map(Box::new));
                let value = value.transpose()?;
                Ok(Self::Version { subject: named()?, version, value })
            }
            "CONFIG" => {
                let config =
                    value.map(|value| Ok::<_, String>(Box::new(parse::<ConfigValue>(value)?.config)));
                Ok(Self::Config { scope: scope()?, config: config.transpose()? })
            }
            "MODE" => {
                let mode = value.map(|value| Ok::<_, String>(parse::<ModeValue>(value)?.mode));
                Ok(Self::Mode { scope: scope()?, mode: mode.transpose()? })
            }
            "DELETE_SUBJECT" => match value {
                Some(value) => {
                    let up_to = parse::<DeleteSubjectValue>(value)?.version;
                    Ok(Self::DeleteSubject { subject: named()?, up_to })
                }
                None => Ok(Self::Noop),
            },
            "CLEAR_SUBJECT" if value.is_some() => match scope()? {
                Some(subject) => Ok(Self::ClearSubject { subject }),
                None => Ok(Self::ClearSubject { subject: Subject::of_context(crate::DEFAULT_CONTEXT) }),
            },
            "CONTEXT" => {
                let context = key.context.ok_or("its key names no context")?;
                let read = value.map(parse::<ContextValue>).transpose()?;
                let value = read
                    .map(|ContextValue { last_id, schema_type, .. }| ContextEntry { last_id, schema_type });
                Ok(Self::Context { context, value })
            }
            "NOOP" | "CLEAR_SUBJECT" => Ok(Self::Noop),
            other => Err(format!("this version knows no records of type {other}")),
        }
    }
}

impl VersionEntry {
    fn to_value(&self, subject: &Subject, version: i32) -> SchemaValue {
        let Schema { schema_type, text, references, metadata, rule_set } = &self.schema;
        SchemaValue {
            subject: subject.to_string(),
            version,
            id: self.id,
            md5: Some(BASE64.encode(self.schema.guid().as_bytes())),
            schema_type: (*schema_type != SchemaType::Avro).then(|| schema_type.as_str().to_owned()),
            references: (!references.is_empty()).then(|| references.clone()),
            metadata: metadata.clone(),
            rule_set: rule_set.clone(),
            schema: text.to_string(),
            definition: self.definition.as_deref().map(str::to_owned),
            deleted: self.is_deleted,
        }
    }
}

impl SchemaValue {
    fn into_entry(self) -> Result<VersionEntry, String> {
        let schema_type = match self.schema_type {
            Some(name) => name.parse().map_err(|error: crate::UnknownSchemaType| error.to_string())?,
            None => SchemaType::Avro,
        };
        let schema = Schema {
            schema_type,
            text: self.schema.into(),
            references: self.references.unwrap_or_default(),
            metadata: self.metadata,
            rule_set: self.rule_set,
        };
        let definition = self.definition.map(Arc::from);
        Ok(VersionEntry { id: self.id, schema, definition, is_deleted: self.deleted })
    }
}

fn parse<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(value).map_err(|error| format!("its value is {error}"))
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("text and numbers serialise").into()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn subject(text: &str) -> Subject {
        Subject::parse(text).expect("valid")
    }

    fn version(schema_type: SchemaType) -> Box<VersionEntry> {
        let reference = Reference { name: "Money".to_owned(), subject: "money".to_owned(), version: 1 };
        let schema = Schema {
            schema_type,
            text: r#"{"type":"string"}"#.into(),
            references: vec![reference],
            metadata: None,
            rule_set: None,
        };
        Box::new(VersionEntry { id: 7, schema, definition: None, is_deleted: false })
    }

    #[test]
    fn records_have_confluents_layout() {
        let entries = [
            Entry::Version { subject: subject("a"), version: 1, value: Some(version(SchemaType::Json)) },
            Entry::Version { subject: subject(":.x:a"), version: 2, value: None },
            Entry::Config {
                scope: None,
                config: Some(Box::new(Config {
                    compatibility_level: Some(crate::CompatibilityLevel::Full),
                    ..Config::default()
                })),
            },
            Entry::Mode { scope: Some(subject(":.x:")), mode: Some(Mode::Import) },
            Entry::DeleteSubject { subject: subject("a"), up_to: 3 },
            Entry::ClearSubject { subject: subject("a") },
            Entry::Context {
                context: ".x".to_owned(),
                value: Some(ContextEntry { last_id: Some(9), schema_type: Some(SchemaType::Json) }),
            },
            Entry::Context { context: ".x".to_owned(), value: None },
            Entry::Noop,
        ];
        let mut text = String::new();
        for entry in entries {
            let (key, value) = entry.encode();
            assert_eq!(Entry::decode(&key, value.as_deref()), Ok(entry));
            let value = value.map_or("-".into(), |value| String::from_utf8_lossy(&value).into_owned());
            text += &format!("{}\n  {value}\n", String::from_utf8_lossy(&key));
        }
        expect![[r#"
            {"keytype":"SCHEMA","subject":"a","version":1,"magic":1}
              {"subject":"a","version":1,"id":7,"md5":"9yRAWJ5A2amI4RqslF54NQ==","schemaType":"JSON","references":[{"name":"Money","subject":"money","version":1}],"schema":"{\"type\":\"string\"}","deleted":false}
            {"keytype":"SCHEMA","subject":":.x:a","version":2,"magic":1}
              -
            {"keytype":"CONFIG","magic":0}
              {"compatibilityLevel":"FULL"}
            {"keytype":"MODE","subject":":.x:","magic":0}
              {"subject":":.x:","mode":"IMPORT"}
            {"keytype":"DELETE_SUBJECT","subject":"a","magic":0}
              {"subject":"a","version":3}
            {"keytype":"CLEAR_SUBJECT","subject":"a","magic":0}
              {"subject":"a"}
            {"keytype":"CONTEXT","tenant":"default","context":".x","magic":0}
              {"tenant":"default","context":".x","lastId":9,"schemaType":"JSON"}
            {"keytype":"CONTEXT","tenant":"default","context":".x","magic":0}
              -
            {"keytype":"NOOP","magic":0}
              -
        "#]].assert_eq(&text);
    }

    #[test]
    fn records_of_confluents_registry_are_read() {
        let key = br#"{"keytype":"SCHEMA","subject":"t-value","version":1,"magic":1}"#;
        let value = br#"{"subject":"t-value","version":1,"id":1,"schema":"\"string\"","deleted":false,"ts":1,"offset":5}"#;
        let Ok(Entry::Version { value: Some(entry), .. }) = Entry::decode(key, Some(value)) else {
            panic!("a version")
        };
        assert_eq!((entry.id, &*entry.schema.text), (1, "\"string\""));
        assert_eq!(Entry::decode(br#"{"keytype":"NOOP","magic":0}"#, None), Ok(Entry::Noop));
        for key in [
            &b"{}"[..],
            b"",
            b"\xff",
            br#"{"keytype":"ASSOC","magic":0}"#,
            br#"{"keytype":"SCHEMA","subject":"a","version":0,"magic":1}"#,
        ] {
            Entry::decode(key, Some(b"{}")).expect_err("no record");
        }
    }
}
