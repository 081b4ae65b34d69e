//! Registering a schema as the next version of a subject.

use std::sync::Arc;

use super::check::{VersionVerdict, versions_of};
use super::resolve::{ReadSchemaError, resolve};
use super::{Inner, Registry, SubjectVersion};
use crate::metrics::{Outcome, observe_registration};
use crate::store::{
    ContextEntry, Entry, KnownSchema, KnownVersion, Memory, StoreChange, VersionEntry, Versions,
};
use crate::subject::Subject;
use crate::work::Work;
use crate::{
    Config, InvalidSchema, Metadata, Mode, ParsedSchema, Reference, ReferenceError, RuleSet, Schema,
    SchemaType, StoreError, WorkError,
};

/// Schemas of all contexts together, at most.
pub const MAX_SCHEMAS: usize = 200_000;
/// Subjects of all contexts together, at most.
const MAX_SUBJECTS: usize = 100_000;
/// References that a schema has itself, at most.
const MAX_OWN_REFERENCES: usize = 100;
/// Bytes of the metadata and the rules of a schema, those of settings included, at most.
const MAX_DETAIL_BYTES: usize = 64 * 1024;
/// Bytes of the name of a reference, at most.
const MAX_REFERENCE_BYTES: usize = 1024;
/// Bytes of all schemas and settings together, at most.
pub(super) const MAX_TOTAL_BYTES: usize = 512 * 1024 * 1024;
/// The highest id, and the highest version: there is a next number for each that is given.
const MAX_NUMBER: i32 = i32::MAX - 1;

/// A schema as a client gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSchema {
    /// The id that it is to have, in a mode that asks for one.
    pub id: Option<i32>,
    /// The version that it is to be.
    pub version: Option<i32>,
    /// Its format.
    pub schema_type: SchemaType,
    /// Its text; empty for that of the latest version.
    pub text: String,
    /// What it refers to.
    pub references: Vec<Reference>,
    /// Its metadata; absent for that of the latest version.
    pub metadata: Option<Metadata>,
    /// Its rules; absent for those of the latest version.
    pub rule_set: Option<RuleSet>,
    /// Whether it is brought into its normal form.
    pub normalize: bool,
    /// Whether its text is to be given back byte for byte: another text of the same schema is another version. The context that it
    /// creates, if it creates one, takes no other format.
    pub keeps_definition: bool,
}

/// A schema that was read and compared, and can be registered unless its subject changed meanwhile.
#[derive(Debug)]
pub struct PreparedVersion(Preparation);

#[derive(Debug)]
enum Preparation {
    /// It is there already.
    Known(SubjectVersion),
    /// It is to be registered.
    New(Box<NewVersion>),
}

/// A version that is not there yet.
#[derive(Debug)]
struct NewVersion {
    subject: Subject,
    schema: Schema,
    /// Its text as it was given, where that differs and is kept.
    definition: Option<Arc<str>>,
    keeps_definition: bool,
    id: Option<i32>,
    version: Option<i32>,
    /// The versions that it was compared with.
    seen: Vec<(i32, i32, bool)>,
}

/// Why a schema was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The subject's mode does not allow it.
    #[error("Subject {subject} in context {} is {}", subject.context(), mode_in_words(*mode, *has_id))]
    Mode {
        /// The subject.
        subject: Subject,
        /// Its mode.
        mode: Mode,
        /// Whether the client gave an id.
        has_id: bool,
    },
    /// Its context is a schema group of another format.
    #[error("schema group {group} has schemas of type {expected}, not {given}")]
    Format {
        /// The context, as a group.
        group: String,
        /// Its format.
        expected: SchemaType,
        /// That of the schema.
        given: SchemaType,
    },
    /// No schema was given, and there is no version to take it from.
    #[error("Empty schema")]
    Empty,
    /// It is no schema of its format.
    #[error(transparent)]
    Schema(#[from] InvalidSchema),
    /// It refers to what is not there.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// It takes too much work, or no one waits for it.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// Versions of its subject are not compatible with it.
    #[error("Schema being registered is incompatible with an earlier schema for subject \"{subject}\"")]
    Incompatible {
        /// The subject.
        subject: Subject,
        /// What its level and other settings are.
        config: Box<Config>,
        /// The versions, the latest first.
        verdicts: Vec<VersionVerdict>,
    },
    /// The id that the client gave is that of another schema.
    #[error("Overwrite new schema with id {id} in context {context} is not permitted.")]
    IdTaken {
        /// The id.
        id: i32,
        /// The context.
        context: String,
    },
    /// The id or the version that the client gave is too high.
    #[error("{what} {number} is too high: the highest is {MAX_NUMBER}")]
    TooHigh {
        /// Id or version.
        what: &'static str,
        /// As it was given.
        number: i32,
    },
    /// The highest id is given.
    #[error("no id is left in context {context}: the highest is {MAX_NUMBER}")]
    NoIdLeft {
        /// The context.
        context: String,
    },
    /// The highest version is there.
    #[error("no version is left in subject {subject}: the highest is {MAX_NUMBER}")]
    NoVersionLeft {
        /// The subject.
        subject: Subject,
    },
    /// The version that the client gave is not the next one.
    #[error("Version is not one more than previous version")]
    NotNext {
        /// The version that would be.
        next: i32,
    },
    /// Over a limit.
    #[error("too many {what}: the limit is {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Over a limit.
    #[error("{what} too large: {bytes} bytes, at most {limit} are possible")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The registration is not durable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReadSchemaError> for RegisterError {
    fn from(error: ReadSchemaError) -> Self {
        match error {
            ReadSchemaError::Reference(error) => Self::Reference(error),
            ReadSchemaError::Schema(error) => Self::Schema(error),
            ReadSchemaError::Work(error) => Self::Work(error),
        }
    }
}

fn mode_in_words(mode: Mode, has_id: bool) -> &'static str {
    match (mode.is_read_only(), has_id) {
        (true, _) => "in read-only mode",
        (false, true) => "not in import mode",
        (false, false) => "not in read-write mode",
    }
}

impl Registry {
    /// Reads a schema and compares it with the versions of its subject, as [`Registry::commit`] needs it. Takes a processor for
    /// as long as the format's limits allow; nothing waits for it.
    ///
    /// # Errors
    /// [`RegisterError`], of which none is [`RegisterError::Store`].
    pub fn prepare(&self, subject: &Subject, new: NewSchema) -> Result<PreparedVersion, RegisterError> {
        let format = new.schema_type;
        let prepared = self.0.prepare(subject, new, &self.work());
        let outcome = match &prepared {
            Ok(PreparedVersion(Preparation::Known(_))) => Outcome::Known,
            // It is counted once it is on disk.
            Ok(PreparedVersion(Preparation::New(_))) => return prepared,
            Err(RegisterError::Incompatible { .. }) => Outcome::Incompatible,
            Err(_) => Outcome::Refused,
        };
        observe_registration(format, outcome);
        prepared
    }

    /// Registers what was prepared, and answers once it is on disk. `None` where its subject changed meanwhile: it is to be
    /// prepared again.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub async fn commit(&self, prepared: PreparedVersion) -> Result<Option<SubjectVersion>, RegisterError> {
        let new = match prepared.0 {
            Preparation::Known(known) => return Ok(Some(known)),
            Preparation::New(new) => *new,
        };
        let format = new.schema.schema_type;
        let committed = self.0.commit(new).await;
        let outcome = match &committed {
            Ok(Some(_)) => Outcome::Registered,
            Ok(None) => return committed,
            Err(_) => Outcome::Refused,
        };
        observe_registration(format, outcome);
        committed
    }
}

impl NewSchema {
    fn into_schema(self) -> Schema {
        Schema {
            schema_type: self.schema_type,
            text: self.text.into(),
            references: self.references,
            metadata: self.metadata,
            rule_set: self.rule_set,
        }
    }
}

impl Inner {
    fn prepare(
        &self,
        subject: &Subject,
        new: NewSchema,
        work: &Work,
    ) -> Result<PreparedVersion, RegisterError> {
        let (mode, config, versions) = {
            let memory = self.store.memory();
            let versions = memory.versions(subject).cloned().unwrap_or_default();
            check_format(&memory, subject, new.schema_type)?;
            (memory.mode_in_effect(subject), memory.config_in_effect(subject), versions)
        };
        check_mode(subject, mode, new.id)?;
        check_numbers(&new)?;
        if new.references.len() > MAX_OWN_REFERENCES {
            return Err(RegisterError::TooMany { what: "references", limit: MAX_OWN_REFERENCES });
        }
        for reference in &new.references {
            check_size("name of a reference", reference.name.len(), MAX_REFERENCE_BYTES)?;
        }
        let live: Vec<_> = versions_of(subject, &versions).filter(|version| !version.is_deleted).collect();
        let new = match mode.is_import() {
            true => new,
            false => completed(new, live.last(), &config),
        };
        let (schema, parsed) = match self.read_new(subject, &new, &config, work) {
            Ok(read) => {
                let (schema, parsed) = read.ok_or(RegisterError::Empty)?;
                (schema, Some(parsed))
            }
            // What another registry took is taken as it is, so that its ids keep their meaning.
            Err(ReadSchemaError::Schema(_)) if mode.is_import() && !new.text.trim().is_empty() => {
                (new.clone().into_schema(), None)
            }
            Err(error) => return Err(error.into()),
        };
        check_size("metadata and rules", schema.detail_bytes(), MAX_DETAIL_BYTES)?;
        let definition = Some(new.text.as_str()).filter(|_| new.keeps_definition);
        let known = self.find_live(subject, &schema, new.id, definition);
        if let Some(known) = known.filter(|_| new.version.is_none()) {
            return Ok(PreparedVersion(Preparation::Known(known)));
        }
        if let Some(parsed) = parsed.filter(|_| !mode.is_import()) {
            let verdicts = self.verdicts(&parsed, schema.metadata.as_ref(), &live, &config, work)?;
            if !verdicts.is_empty() {
                let config = Box::new(config);
                return Err(RegisterError::Incompatible { subject: subject.clone(), config, verdicts });
            }
        }
        let (subject, seen) = (subject.clone(), seen(&versions));
        let keeps_definition = new.keeps_definition;
        let definition = keeps_definition && *new.text != *schema.text;
        let (id, version) = (new.id, new.version);
        let definition = definition.then(|| Arc::from(new.text));
        let new = NewVersion { subject, schema, definition, keeps_definition, id, version, seen };
        Ok(PreparedVersion(Preparation::New(Box::new(new))))
    }

    async fn commit(&self, new: NewVersion) -> Result<Option<SubjectVersion>, RegisterError> {
        let NewVersion { subject, schema, definition, keeps_definition, id, version, seen: compared } = new;
        let mut change = self.store.begin().await?;
        let entries = {
            let memory = self.store.memory();
            let versions = memory.versions(&subject);
            if versions.map(seen).unwrap_or_default() != compared {
                return Ok(None);
            }
            let mode = memory.mode_in_effect(&subject);
            check_mode(&subject, mode, id)?;
            check_format(&memory, &subject, schema.schema_type)?;
            resolve(&memory, &subject, &schema.references)?;
            check_room(&memory, schema.bytes() + definition.as_deref().map_or(0, str::len))?;
            let version = version_for(&subject, versions, version, mode)?;
            let format = keeps_definition.then_some(schema.schema_type);
            let id = id_for(&memory, subject.context(), &schema, id)?;
            let value = VersionEntry { id, schema, definition, is_deleted: false };
            entries(&memory, &subject, version, value, format)
        };
        Ok(Some(append(&mut change, self, subject, entries).await?))
    }

    /// The schema that a client gives, in its canonical or normal form; `None` where it gives none.
    pub(super) fn read_new(
        &self,
        subject: &Subject,
        new: &NewSchema,
        config: &Config,
        work: &Work,
    ) -> Result<Option<(Schema, ParsedSchema)>, ReadSchemaError> {
        if new.text.trim().is_empty() {
            return Ok(None);
        }
        let given = new.clone().into_schema();
        let parsed = self.parse(subject, &given, work)?;
        let is_normal = new.normalize || config.normalize == Some(true);
        let text = if is_normal { parsed.normalized() } else { parsed.canonical() };
        let schema = Schema { text: text.into(), ..given };
        Ok(Some((schema, parsed)))
    }

    /// The version of `subject` that has this schema and is not deleted, if there is one; with `id` and `definition`, if they are
    /// given.
    fn find_live(
        &self,
        subject: &Subject,
        schema: &Schema,
        id: Option<i32>,
        definition: Option<&str>,
    ) -> Option<SubjectVersion> {
        let memory = self.store.memory();
        let guid = schema.guid();
        let versions = memory.versions(subject)?;
        let mut found = versions_of(subject, versions).filter(|version| {
            !version.is_deleted
                && version.guid() == guid
                && id.is_none_or(|id| id == version.id())
                && definition.is_none_or(|definition| definition == version.definition())
        });
        found.next()
    }
}

fn check_mode(subject: &Subject, mode: Mode, id: Option<i32>) -> Result<(), RegisterError> {
    let may = match id {
        Some(_) => mode.is_import(),
        None => mode == Mode::ReadWrite,
    };
    match may {
        true => Ok(()),
        false => Err(RegisterError::Mode { subject: subject.clone(), mode, has_id: id.is_some() }),
    }
}

fn check_numbers(new: &NewSchema) -> Result<(), RegisterError> {
    let given = [("id", new.id), ("version", new.version)];
    let too_high =
        given.into_iter().find_map(|(what, number)| Some((what, number.filter(|n| *n > MAX_NUMBER)?)));
    match too_high {
        Some((what, number)) => Err(RegisterError::TooHigh { what, number }),
        None => Ok(()),
    }
}

/// A schema group has one format.
fn check_format(memory: &Memory, subject: &Subject, given: SchemaType) -> Result<(), RegisterError> {
    match memory.schema_type(subject.context()) {
        Some(expected) if expected != given => {
            let group = subject.context().trim_start_matches('.').to_owned();
            Err(RegisterError::Format { group, expected, given })
        }
        _ => Ok(()),
    }
}

fn check_size(what: &'static str, bytes: usize, limit: usize) -> Result<(), RegisterError> {
    match bytes > limit {
        true => Err(RegisterError::TooLarge { what, bytes, limit }),
        false => Ok(()),
    }
}

/// Whether there is room for so many bytes more.
fn check_room(memory: &Memory, bytes: usize) -> Result<(), RegisterError> {
    check_size("all schemas and settings", memory.bytes().saturating_add(bytes), MAX_TOTAL_BYTES)?;
    let (subjects, schemas) = memory.counts();
    match (subjects >= MAX_SUBJECTS, schemas >= MAX_SCHEMAS) {
        (true, _) => Err(RegisterError::TooMany { what: "subjects", limit: MAX_SUBJECTS }),
        (_, true) => Err(RegisterError::TooMany { what: "schemas", limit: MAX_SCHEMAS }),
        _ => Ok(()),
    }
}

/// `new` with what it leaves out taken from the latest version, and what its settings add.
fn completed(new: NewSchema, latest: Option<&SubjectVersion>, config: &Config) -> NewSchema {
    let latest = latest.map(SubjectVersion::schema);
    let new = match latest {
        Some(latest) if new.text.trim().is_empty() => NewSchema {
            schema_type: latest.schema_type,
            text: latest.text.to_string(),
            references: latest.references.clone(),
            ..new
        },
        _ => new,
    };
    let metadata = new.metadata.clone().or_else(|| latest?.metadata.clone());
    let metadata = Metadata::merge(config.default_metadata.as_ref(), metadata.as_ref());
    let rule_set = new.rule_set.clone().or_else(|| latest?.rule_set.clone());
    let rule_set = RuleSet::merge(config.default_rule_set.as_ref(), rule_set.as_ref());
    NewSchema {
        metadata: Metadata::merge(metadata.as_ref(), config.override_metadata.as_ref()),
        rule_set: RuleSet::merge(rule_set.as_ref(), config.override_rule_set.as_ref()),
        ..new
    }
}

/// The versions of a subject, for finding out whether they changed.
fn seen(versions: &Versions) -> Vec<(i32, i32, bool)> {
    let each = |(version, known): (&i32, &KnownVersion)| (*version, known.schema.id, known.is_deleted);
    versions.iter().map(each).collect()
}

/// The number that comes after `last`, if there is one.
fn after(last: i32) -> Option<i32> {
    last.checked_add(1).filter(|next| *next <= MAX_NUMBER)
}

/// The version that a schema will be: the next one, but where the mode lets clients give them.
fn version_for(
    subject: &Subject,
    versions: Option<&Versions>,
    given: Option<i32>,
    mode: Mode,
) -> Result<i32, RegisterError> {
    if let Some(given) = given.filter(|_| mode.is_import()) {
        return Ok(given);
    }
    let last = versions.and_then(|versions| versions.last_key_value()).map_or(0, |(last, _)| *last);
    let next = after(last).ok_or_else(|| RegisterError::NoVersionLeft { subject: subject.clone() })?;
    match given {
        Some(given) if given != next => Err(RegisterError::NotNext { next }),
        _ => Ok(next),
    }
}

/// The id that a schema has, or will have, in its context.
fn id_for(memory: &Memory, context: &str, schema: &Schema, id: Option<i32>) -> Result<i32, RegisterError> {
    let guid = schema.guid();
    match id {
        Some(id) if memory.by_id(context, id).is_some_and(|known| known.guid != guid) => {
            Err(RegisterError::IdTaken { id, context: context.to_owned() })
        }
        Some(id) => Ok(id),
        None => match memory.id_of(context, &guid) {
            Some(known) => Ok(known),
            None => after(memory.last_id(context))
                .ok_or_else(|| RegisterError::NoIdLeft { context: context.to_owned() }),
        },
    }
}

/// What is to be written: the context where it is new, of `format` if that is given, the ends of deleted versions that had the same
/// id, and the version.
fn entries(
    memory: &Memory,
    subject: &Subject,
    version: i32,
    value: VersionEntry,
    format: Option<SchemaType>,
) -> Vec<Entry> {
    let context = subject.context();
    let mut entries = Vec::new();
    if !subject.is_in_default_context() && !memory.is_declared(context) {
        let value = Some(ContextEntry { last_id: None, schema_type: format });
        entries.push(Entry::Context { context: context.to_owned(), value });
    }
    let deleted = memory.versions(subject).into_iter().flatten().filter(|(number, known)| {
        known.is_deleted
            && known.schema.id == value.id
            && **number < version
            && memory.referrers(subject, **number).next().is_none()
    });
    entries.extend(deleted.map(|(number, _)| Entry::Version {
        subject: subject.clone(),
        version: *number,
        value: None,
    }));
    entries.push(Entry::Version { subject: subject.clone(), version, value: Some(Box::new(value)) });
    entries
}

/// Writes the entries, of which the last is the version.
async fn append(
    change: &mut StoreChange<'_>,
    inner: &Inner,
    subject: Subject,
    entries: Vec<Entry>,
) -> Result<SubjectVersion, RegisterError> {
    let Some(Entry::Version { version, value: Some(value), .. }) = entries.last().cloned() else {
        unreachable!("the last entry is the version")
    };
    change.append(entries).await?;
    let VersionEntry { id, schema, definition, .. } = *value;
    let known = inner.store.memory().by_id(subject.context(), id).cloned();
    let known = known.unwrap_or_else(|| Arc::new(KnownSchema { id, guid: schema.guid(), schema }));
    Ok(SubjectVersion { subject, version, is_deleted: false, definition, known })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(of: &str, version: i32, id: i32, value: Option<&Arc<str>>, owner: Option<&str>) -> Entry {
        let value = value.map(|text| {
            let properties = owner.map(|owner| [("owner".to_owned(), owner.to_owned())].into());
            let metadata =
                properties.map(|properties| Metadata { properties: Some(properties), ..Metadata::default() });
            let (schema_type, text, references) = (SchemaType::Avro, Arc::clone(text), Vec::new());
            let schema = Schema { schema_type, text, references, metadata, rule_set: None };
            Box::new(VersionEntry { id, schema, definition: None, is_deleted: false })
        });
        Entry::Version { subject: Subject::parse(of).expect("valid"), version, value }
    }

    #[test]
    fn all_schemas_and_settings_have_a_limit_together() {
        let text: Arc<str> = "x".repeat(1 << 20).into();
        let mut memory = Memory::default();
        let mut apply = |entry| {
            memory.apply(entry).expect("applied");
            memory.bytes()
        };
        for n in 1..=6 {
            apply(entry(&format!("s{n}"), 1, n, Some(&text), None));
        }
        // Another one of the same id, and one whose metadata are its own.
        apply(entry("t", 1, 1, Some(&text), None));
        apply(entry("t", 2, 1, Some(&text), Some("me")));
        apply(entry("t", 2, 1, Some(&text), Some("you")));
        let config = Config { alias: Some("a".repeat(1000)), ..Config::default() };
        apply(Entry::Config { scope: None, config: Some(Box::new(config)) });
        apply(Entry::Mode { scope: Some(Subject::of_context(".x")), mode: Some(Mode::ReadOnly) });
        let left = MAX_TOTAL_BYTES - memory.bytes();
        // Six texts, and that of the version with metadata of its own.
        assert!(MAX_TOTAL_BYTES - left > 7 << 20 && MAX_TOTAL_BYTES - left < 8 << 20, "{left}");
        check_room(&memory, left).expect("there is room");
        let error = check_room(&memory, left + 1).expect_err("full").to_string();
        let expected = "all schemas and settings too large: 536870913 bytes, at most 536870912 are possible";
        assert_eq!(error, expected);

        let mut apply = |entry| memory.apply(entry).expect("applied");
        apply(Entry::Config { scope: None, config: None });
        apply(Entry::Mode { scope: Some(Subject::of_context(".x")), mode: None });
        apply(entry("t", 2, 1, None, None));
        apply(entry("t", 1, 1, None, None));
        for n in 1..=6 {
            apply(entry(&format!("s{n}"), 1, n, None, None));
        }
        assert_eq!(memory.bytes(), 0, "there is room again");
    }
}
