//! Compatibility of a schema with the versions before it.

use super::resolve::ReadSchemaError;
use super::{Inner, Registry, SubjectVersion};
use crate::store::Versions;
use crate::subject::Subject;
use crate::work::Work;
use crate::{
    CompatibilityLevel, CompatibilityPolicy, Config, Incompatibility, InvalidSchema, Metadata, NewSchema,
    ParsedSchema, ReferenceError, VersionSelector, WorkError,
};

/// What keeps a schema and one version apart.
#[derive(Debug, Clone)]
pub struct VersionVerdict {
    /// The version.
    pub version: SubjectVersion,
    /// Reasons, of both directions where the level asks for both.
    pub incompatibilities: Vec<Incompatibility>,
}

/// Why compatibility could not be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// There is no such version.
    #[error("there is no version {version} of subject {subject}")]
    UnknownVersion {
        /// The subject.
        subject: Subject,
        /// The version asked for.
        version: i32,
    },
    /// No schema was given.
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
}

impl From<ReadSchemaError> for CheckError {
    fn from(error: ReadSchemaError) -> Self {
        match error {
            ReadSchemaError::Reference(error) => Self::Reference(error),
            ReadSchemaError::Schema(error) => Self::Schema(error),
            ReadSchemaError::Work(error) => Self::Work(error),
        }
    }
}

impl Registry {
    /// Compares a schema with those that its subject's level asks for, or with one version alone, and gives the versions that it
    /// is not compatible with. Takes a processor for as long as the format's limits allow.
    ///
    /// # Errors
    /// [`CheckError`].
    pub fn check(
        &self,
        subject: &Subject,
        new: &NewSchema,
        against: Option<VersionSelector>,
    ) -> Result<Vec<VersionVerdict>, CheckError> {
        let (versions, config) = {
            let memory = self.0.store.memory();
            (memory.versions(subject).cloned().unwrap_or_default(), memory.config_in_effect(subject))
        };
        let live: Vec<_> = versions_of(subject, &versions).filter(|version| !version.is_deleted).collect();
        let compared = match against {
            None => live,
            // Of a subject that has none, nothing keeps a schema apart.
            Some(VersionSelector::Latest) => live.last().cloned().into_iter().collect(),
            Some(VersionSelector::Number(number)) => {
                let found = live.into_iter().find(|version| version.version == number);
                let unknown = || CheckError::UnknownVersion { subject: subject.clone(), version: number };
                vec![found.ok_or_else(unknown)?]
            }
        };
        let work = self.work();
        let (_, parsed) = self.0.read_new(subject, new, &config, &work)?.ok_or(CheckError::Empty)?;
        Ok(self.0.verdicts(&parsed, new.metadata.as_ref(), &compared, &config, &work)?)
    }

    /// Reads a schema as a version of `subject` would be, with what it refers to. Takes a processor for as long as the format's
    /// limits allow.
    ///
    /// # Errors
    /// [`CheckError`], but [`CheckError::UnknownVersion`].
    pub fn parse_new(&self, subject: &Subject, new: &NewSchema) -> Result<ParsedSchema, CheckError> {
        let config = self.config_in_effect(subject);
        let (_, parsed) = self.0.read_new(subject, new, &config, &self.work())?.ok_or(CheckError::Empty)?;
        Ok(parsed)
    }

    /// Every reason why `reader` cannot read what `writer` wrote, up to a limit of the format. Takes a processor for as long as the
    /// limits allow.
    ///
    /// # Errors
    /// [`CheckError::Work`].
    pub fn compare(
        &self,
        reader: &ParsedSchema,
        writer: &ParsedSchema,
        policy: CompatibilityPolicy,
    ) -> Result<Vec<Incompatibility>, CheckError> {
        let work = self.work();
        let found = ParsedSchema::incompatibilities(reader, writer, policy, &work);
        work.check()?;
        Ok(found)
    }
}

impl Inner {
    /// The versions among `live`, in order, that a schema is not compatible with.
    pub(super) fn verdicts(
        &self,
        parsed: &ParsedSchema,
        metadata: Option<&Metadata>,
        live: &[SubjectVersion],
        config: &Config,
        work: &Work,
    ) -> Result<Vec<VersionVerdict>, WorkError> {
        let level = config.level();
        if level == CompatibilityLevel::None {
            return Ok(Vec::new());
        }
        let group = group_of(config, metadata);
        // The latest first, as it is the one that people know.
        let same_group =
            live.iter().rev().filter(|version| group_of(config, version.schema().metadata.as_ref()) == group);
        let compared = same_group.take(if level.is_transitive() { usize::MAX } else { 1 });
        let mut verdicts = Vec::new();
        for version in compared {
            let incompatibilities = self.incompatibilities(parsed, version, config, work)?;
            if !incompatibilities.is_empty() {
                verdicts.push(VersionVerdict { version: version.clone(), incompatibilities });
            }
        }
        Ok(verdicts)
    }

    fn incompatibilities(
        &self,
        parsed: &ParsedSchema,
        version: &SubjectVersion,
        config: &Config,
        work: &Work,
    ) -> Result<Vec<Incompatibility>, WorkError> {
        let earlier = match self.parse_known(version, work) {
            Ok(earlier) => earlier,
            Err(ReadSchemaError::Work(error)) => return Err(error),
            // It was imported as it was, or what it refers to was.
            Err(error) => {
                return Ok(vec![Incompatibility {
                    kind: "UNREADABLE_VERSION",
                    path: "/".to_owned(),
                    message: format!("version {} cannot be read: {error}", version.version),
                    detail: None,
                }]);
            }
        };
        let (level, policy) = (config.level(), config.compatibility_policy.unwrap_or_default());
        let mut incompatibilities = Vec::new();
        if level.is_backward() {
            incompatibilities.extend(ParsedSchema::incompatibilities(parsed, &earlier, policy, work));
        }
        if level.is_forward() {
            incompatibilities.extend(ParsedSchema::incompatibilities(&earlier, parsed, policy, work));
        }
        work.check()?;
        Ok(incompatibilities)
    }
}

/// The group of versions that a schema is compared with: the value of the property that the settings name.
fn group_of<'a>(config: &Config, metadata: Option<&'a Metadata>) -> Option<&'a str> {
    let property = config.compatibility_group.as_deref()?;
    metadata?.properties.as_ref()?.get(property).map(String::as_str)
}

/// The versions of a subject, in order.
pub(super) fn versions_of<'a>(
    subject: &'a Subject,
    versions: &'a Versions,
) -> impl Iterator<Item = SubjectVersion> + 'a {
    versions.iter().map(|(version, known)| SubjectVersion {
        subject: subject.clone(),
        version: *version,
        is_deleted: known.is_deleted,
        definition: known.definition.clone(),
        known: known.schema.clone(),
    })
}
