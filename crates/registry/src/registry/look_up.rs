//! Looking schemas up: by subject and version, by id, by fingerprint, by text; and listing what there is.

use super::check::versions_of;
use super::resolve::ReadSchemaError;
use super::{Registry, SubjectVersion};
use crate::store::{KnownVersion, Memory};
use crate::subject::{GLOBAL_CONTEXT, Subject};
use crate::work::Work;
use crate::{
    DEFAULT_CONTEXT, Guid, InvalidSchema, Metadata, NewSchema, ParsedSchema, ReferenceError, VersionId,
    VersionSelector, WorkError,
};

/// Which versions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionFilter {
    /// Those that are not deleted.
    #[default]
    Live,
    /// All of them.
    All,
    /// Deleted ones.
    Deleted,
}

impl VersionFilter {
    fn admits(self, is_deleted: bool) -> bool {
        match self {
            Self::Live => !is_deleted,
            Self::All => true,
            Self::Deleted => is_deleted,
        }
    }
}

/// Which schemas are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaFilter {
    /// How their subjects begin, with the context where it is not the default one; `:*:` stands for every context.
    pub subject_prefix: String,
    /// Which versions.
    pub versions: VersionFilter,
    /// Whether the latest of a subject alone is wanted.
    pub latest_only: bool,
}

/// Why a schema was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookUpError {
    /// No version is registered under this name.
    #[error("Subject '{subject}' not found.")]
    UnknownSubject {
        /// The name.
        subject: Subject,
    },
    /// The subject has no such version.
    #[error("Version {version} not found.")]
    UnknownVersion {
        /// The version; -1 for the latest.
        version: i32,
    },
    /// No schema has this id or fingerprint.
    #[error("Schema {id} not found")]
    UnknownSchema {
        /// As the client named it.
        id: String,
    },
    /// The subject has no version with this schema.
    #[error("Schema not found")]
    NotRegistered,
    /// It is no schema of its format.
    #[error(transparent)]
    Schema(#[from] InvalidSchema),
    /// It refers to what is not there.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// It takes too much work, or no one waits for it.
    #[error(transparent)]
    Work(#[from] WorkError),
}

impl From<ReadSchemaError> for LookUpError {
    fn from(error: ReadSchemaError) -> Self {
        match error {
            ReadSchemaError::Reference(error) => Self::Reference(error),
            ReadSchemaError::Schema(error) => Self::Schema(error),
            ReadSchemaError::Work(error) => Self::Work(error),
        }
    }
}

impl Registry {
    /// A version of a subject; of the default context also one that another context alone has.
    ///
    /// # Errors
    /// [`LookUpError::UnknownSubject`], [`LookUpError::UnknownVersion`].
    pub fn version(
        &self,
        subject: &Subject,
        version: VersionSelector,
        filter: VersionFilter,
    ) -> Result<SubjectVersion, LookUpError> {
        let memory = self.0.store.memory();
        let mut places = places(&memory, subject).into_iter();
        if let Some(found) = places.find_map(|place| version_in(&memory, &place, version, filter)) {
            return Ok(found);
        }
        let is_there = memory
            .versions(subject)
            .is_some_and(|versions| versions.values().any(|known| filter.admits(known.is_deleted)));
        match (is_there, version) {
            (false, _) => Err(LookUpError::UnknownSubject { subject: subject.clone() }),
            (true, VersionSelector::Latest) => Err(LookUpError::UnknownVersion { version: -1 }),
            (true, VersionSelector::Number(version)) => Err(LookUpError::UnknownVersion { version }),
        }
    }

    /// The version of a subject that has this schema. Takes a processor for as long as the format's limits allow.
    ///
    /// # Errors
    /// [`LookUpError`], but [`LookUpError::UnknownVersion`] and [`LookUpError::UnknownSchema`].
    pub fn find(
        &self,
        subject: &Subject,
        new: &NewSchema,
        filter: VersionFilter,
    ) -> Result<SubjectVersion, LookUpError> {
        let places = places(&self.0.store.memory(), subject);
        let work = self.work();
        for place in &places {
            match self.find_in(place, new, filter, &work) {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(error @ LookUpError::Work(_)) => return Err(error),
                // What it refers to may be there in another context.
                Err(_) if place != subject => {}
                Err(error) => return Err(error),
            }
        }
        let memory = self.0.store.memory();
        let is_there = memory
            .versions(subject)
            .is_some_and(|versions| versions.values().any(|known| filter.admits(known.is_deleted)));
        match is_there {
            true => Err(LookUpError::NotRegistered),
            false => Err(LookUpError::UnknownSubject { subject: subject.clone() }),
        }
    }

    fn find_in(
        &self,
        subject: &Subject,
        new: &NewSchema,
        filter: VersionFilter,
        work: &Work,
    ) -> Result<Option<SubjectVersion>, LookUpError> {
        let (versions, config) = {
            let memory = self.0.store.memory();
            let Some(versions) = memory.versions(subject).cloned() else { return Ok(None) };
            (versions, memory.config_in_effect(subject))
        };
        let Some((schema, _)) = self.0.read_new(subject, new, &config, work)? else { return Ok(None) };
        let guid = schema.guid();
        let all = || versions_of(subject, &versions).filter(|version| filter.admits(version.is_deleted));
        if let Some(found) = all().find(|version| version.guid() == guid) {
            return Ok(Some(found));
        }
        // A serialiser knows the text alone: metadata and rules are added when a schema is registered.
        let is_bare = new.metadata.is_none() && new.rule_set.is_none();
        Ok(all()
            .filter(|_| is_bare)
            .filter(|version| {
                let known = version.schema();
                known.text == schema.text && known.references == schema.references
            })
            .last())
    }

    /// A schema by its id: in the context of `subject`, or in one whose subject of this name has it; in the default context
    /// without a subject.
    ///
    /// # Errors
    /// [`LookUpError::UnknownSchema`].
    pub fn by_id(&self, id: i32, subject: Option<&Subject>) -> Result<SubjectVersion, LookUpError> {
        let memory = self.0.store.memory();
        let context = subject.map_or(DEFAULT_CONTEXT, Subject::context);
        let first = |context: &str| {
            let named = subject.and_then(|subject| memory.use_by(subject, id));
            let (subject, version) = named.or_else(|| memory.uses(context, id).next())?;
            version_in(&memory, subject, VersionSelector::Number(*version), VersionFilter::All)
        };
        let elsewhere = || {
            let subject = subject.filter(|subject| subject.is_in_default_context())?;
            let mut places = places(&memory, subject).into_iter();
            places.find_map(|place| {
                let (used, version) = memory.use_by(&place, id)?;
                version_in(&memory, used, VersionSelector::Number(*version), VersionFilter::All)
            })
        };
        first(context).or_else(elsewhere).ok_or_else(|| LookUpError::UnknownSchema { id: id.to_string() })
    }

    /// A schema by its fingerprint, in whichever context has it.
    ///
    /// # Errors
    /// [`LookUpError::UnknownSchema`].
    pub fn by_guid(&self, guid: Guid) -> Result<SubjectVersion, LookUpError> {
        let memory = self.0.store.memory();
        let found = memory.ids_of(&guid).into_iter().find_map(|(context, id)| {
            let (subject, version) = memory.uses(&context, id).next()?;
            version_in(&memory, subject, VersionSelector::Number(*version), VersionFilter::All)
        });
        found.ok_or_else(|| LookUpError::UnknownSchema { id: guid.to_string() })
    }

    /// A version by the id that Azure's clients know it by; a deleted one too, as long as it is not deleted for good.
    ///
    /// # Errors
    /// [`LookUpError::UnknownSchema`].
    pub fn by_version_id(&self, id: VersionId) -> Result<SubjectVersion, LookUpError> {
        let memory = self.0.store.memory();
        let found = memory.by_version_id(id).and_then(|(subject, version)| {
            version_in(&memory, subject, VersionSelector::Number(*version), VersionFilter::All)
        });
        found.ok_or_else(|| LookUpError::UnknownSchema { id: id.to_string() })
    }

    /// The version of a subject with this definition: byte for byte, else one whose schema is the same, the latest first. Takes a
    /// processor for as long as the format's limits allow.
    ///
    /// # Errors
    /// [`LookUpError`], but [`LookUpError::UnknownVersion`] and [`LookUpError::UnknownSchema`].
    pub fn find_definition(&self, subject: &Subject, new: &NewSchema) -> Result<SubjectVersion, LookUpError> {
        let mut versions = self.versions(subject, VersionFilter::Live)?;
        versions.retain(|version| version.schema().schema_type == new.schema_type);
        if let Some(found) = versions.iter().rev().find(|version| version.definition() == new.text) {
            return Ok(found.clone());
        }
        let config = self.config_in_effect(subject);
        let read = self.0.read_new(subject, new, &config, &self.work())?;
        let (schema, _) = read.ok_or(LookUpError::NotRegistered)?;
        let found = versions.into_iter().rev().find(|version| version.schema().text == schema.text);
        found.ok_or(LookUpError::NotRegistered)
    }

    /// The contexts that have a schema with this fingerprint, and its id in each.
    pub fn ids_of(&self, guid: Guid) -> Vec<(String, i32)> {
        self.0.store.memory().ids_of(&guid)
    }

    /// The highest id that was given in the context of `subject`, or the default one.
    pub fn last_id(&self, subject: Option<&Subject>) -> i32 {
        self.0.store.memory().last_id(subject.map_or(DEFAULT_CONTEXT, Subject::context))
    }

    /// The versions that have the schema with this id, in order.
    ///
    /// # Errors
    /// [`LookUpError::UnknownSchema`].
    pub fn uses(
        &self,
        id: i32,
        subject: Option<&Subject>,
        filter: VersionFilter,
    ) -> Result<Vec<SubjectVersion>, LookUpError> {
        let found = self.by_id(id, subject)?;
        let memory = self.0.store.memory();
        let uses = memory.uses(found.subject.context(), id);
        let wanted = uses.filter(|(used, _)| {
            subject.is_none_or(|subject| subject.is_context() || subject.name() == used.name())
        });
        let versions = wanted.filter_map(|(subject, version)| {
            version_in(&memory, subject, VersionSelector::Number(*version), filter)
        });
        Ok(versions.collect())
    }

    /// The subjects that have versions which count, in order; how they begin is as [`SchemaFilter::subject_prefix`] says.
    pub fn subjects(&self, prefix: &str, filter: VersionFilter) -> Vec<Subject> {
        let memory = self.0.store.memory();
        let all = memory.subjects().filter(|(subject, versions)| {
            // Of those that are deleted, the ones of which nothing is left.
            let counts = match filter {
                VersionFilter::Deleted => versions.values().all(|known| known.is_deleted),
                filter => versions.values().any(|known| filter.admits(known.is_deleted)),
            };
            counts && has_prefix(subject, prefix)
        });
        all.map(|(subject, _)| subject.clone()).collect()
    }

    /// The versions of a subject that count, in order.
    ///
    /// # Errors
    /// [`LookUpError::UnknownSubject`] if there is none.
    pub fn versions(
        &self,
        subject: &Subject,
        filter: VersionFilter,
    ) -> Result<Vec<SubjectVersion>, LookUpError> {
        let memory = self.0.store.memory();
        let versions =
            memory.versions(subject).into_iter().flat_map(|versions| versions_of(subject, versions));
        let found: Vec<_> = versions.filter(|version| filter.admits(version.is_deleted)).collect();
        match found.is_empty() {
            true => Err(LookUpError::UnknownSubject { subject: subject.clone() }),
            false => Ok(found),
        }
    }

    /// The schemas that a filter admits, by subject and version.
    pub fn schemas(&self, filter: &SchemaFilter) -> Vec<SubjectVersion> {
        let memory = self.0.store.memory();
        let subjects = memory.subjects().filter(|(subject, _)| has_prefix(subject, &filter.subject_prefix));
        let versions = subjects.flat_map(|(subject, versions)| {
            let admitted =
                versions_of(subject, versions).filter(|version| filter.versions.admits(version.is_deleted));
            let admitted: Vec<_> = admitted.collect();
            let skipped = if filter.latest_only { admitted.len().saturating_sub(1) } else { 0 };
            admitted.into_iter().skip(skipped)
        });
        versions.collect()
    }

    /// The latest version that has all these properties.
    pub fn with_metadata(
        &self,
        subject: &Subject,
        properties: &[(String, String)],
        filter: VersionFilter,
    ) -> Option<SubjectVersion> {
        let memory = self.0.store.memory();
        let versions = versions_of(subject, memory.versions(subject)?);
        let has = |metadata: Option<&Metadata>, (name, value): &(String, String)| {
            let found = metadata.and_then(|metadata| metadata.properties.as_ref()?.get(name));
            found == Some(value)
        };
        let found = versions.filter(|version| {
            let metadata = version.schema().metadata.as_ref();
            filter.admits(version.is_deleted) && properties.iter().all(|property| has(metadata, property))
        });
        found.last()
    }

    /// The ids of schemas that refer to a version, in order.
    ///
    /// # Errors
    /// [`LookUpError::UnknownSubject`], [`LookUpError::UnknownVersion`].
    pub fn referenced_by(
        &self,
        subject: &Subject,
        version: VersionSelector,
        filter: VersionFilter,
    ) -> Result<Vec<i32>, LookUpError> {
        let referred = self.version(subject, version, VersionFilter::All)?;
        let memory = self.0.store.memory();
        let referrers = memory.referrers(&referred.subject, referred.version);
        let ids = referrers.filter_map(|(subject, version)| {
            let found = version_in(&memory, subject, VersionSelector::Number(*version), filter)?;
            Some(found.id())
        });
        let mut ids: Vec<_> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// The contexts, in order.
    pub fn contexts(&self) -> Vec<String> {
        let contexts = self.0.store.memory().contexts();
        contexts.into_iter().filter(|context| context != GLOBAL_CONTEXT).collect()
    }

    /// A version's schema, read.
    ///
    /// # Errors
    /// [`LookUpError::Schema`], [`LookUpError::Reference`] for one that was imported as it was.
    pub fn parsed(&self, version: &SubjectVersion) -> Result<ParsedSchema, LookUpError> {
        Ok(self.0.parse_known(version, &self.work())?)
    }
}

/// Where a subject may be: as it is named, and if it names no context and is not there, in every other one.
fn places(memory: &Memory, subject: &Subject) -> Vec<Subject> {
    let mut places = vec![subject.clone()];
    if subject.is_in_default_context() && memory.versions(subject).is_none() {
        let contexts = memory.contexts().into_iter().filter(|context| context != DEFAULT_CONTEXT);
        places.extend(contexts.map(|context| Subject::in_context(&context, subject.name())));
    }
    places
}

fn version_in(
    memory: &Memory,
    subject: &Subject,
    version: VersionSelector,
    filter: VersionFilter,
) -> Option<SubjectVersion> {
    let admitted = |(_, known): &(&i32, &KnownVersion)| filter.admits(known.is_deleted);
    let versions = memory.versions(subject)?;
    let (version, known) = match version {
        VersionSelector::Latest => versions.iter().rev().find(admitted)?,
        VersionSelector::Number(version) => versions.get_key_value(&version).filter(admitted)?,
    };
    Some(SubjectVersion {
        subject: subject.clone(),
        version: *version,
        is_deleted: known.is_deleted,
        definition: known.definition.clone(),
        known: known.schema.clone(),
    })
}

fn has_prefix(subject: &Subject, prefix: &str) -> bool {
    if let Some(name) = prefix.strip_prefix(":*:") {
        return subject.name().starts_with(name);
    }
    match prefix.strip_prefix(':').filter(|rest| rest.starts_with('.')) {
        Some(rest) => {
            let (context, name) = rest.split_once(':').unwrap_or((rest, ""));
            subject.context() == context && subject.name().starts_with(name)
        }
        None => subject.is_in_default_context() && subject.name().starts_with(prefix),
    }
}
